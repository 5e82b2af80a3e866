"""What the next meeting of a body will find on its table, and why (会议议程)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.clocks import name_of
from services.storage.ledger_tables import case_file
from services.storage.prose import resolve, said, texts_of
from services.storage.sight import sight, within
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor

FILE_FIELDS = (
    "description",
    "place_text",
    "category_code",
    "mode",
    "difficulty",
    "difficulty_reasons",
    "lead_org",
    "helper_orgs",
    "evidence",
    "facts_verified",
    "consultation",
    "statements",
    "tally",
    "ties",
    "defers",
    "carry_over",
    "returns",
    "topic_returns",
    "rework_count",
    "decision_due_on",
    "registered_at",
)
"""What of a case's data belongs into the file of a topic (议题单)."""

EPC = "EXTENDED_PARTY_COMMITTEE"
ABOVE = ("SUBDISTRICT", "COUNTY")
TAKEN_AWAY = "CARRIED_OVER_TWICE"
"""Why a topic went from the 大党委 to the street; its next meeting still hears of it first (S20)."""
PLAIN = "SCHEDULED"
"""How the process calls a topic that came by its handling mode alone."""


@dataclass(frozen=True, slots=True)
class AgendaItem:
    """A topic that waits for a body (议题).

    `reason`: PROPOSED (提出), CARRIED_OVER (上次未议), RED (红色逾期), DEFERRED (暂缓), RAISED (提级),
    BACK_FROM_CONSULTATION (协商后) and what else the issue's rules say; `escalated` topics run beside an order that
    goes on; `information`: another body decides, this one only hears of it (S20). `file` is the 议题单 in clear words.
    """

    case_id: UUID
    number: str
    title: str
    state: str
    phase: str
    level: str
    community: str
    reason: str
    first: bool
    red: bool
    color: str
    since: datetime | None
    escalated: bool
    admitted: bool
    information: bool
    next_due_at: datetime | None
    lead_org_name: str | None
    file: Mapping[str, Any]


async def agenda(
    connection: AsyncConnection, place: str, body: str, *, actor: Actor | None = None
) -> tuple[AgendaItem, ...]:
    """The topics of a place (a community, or a street and all below it) for a body, as far as the actor may know.

    Carried-over ones come first, then RED ones, then the oldest. A topic in consultation is not on anybody's table.
    """
    table = case_file.c
    rows = await connection.execute(
        select(case_file, name_of(table.lead_org).label("lead_org_name"))
        .where(
            table.process == "issue",
            table.agenda_body.in_((body, *ABOVE)) if body == EPC else table.agenda_body == body,
            or_(table.agenda_body == body, table.agenda_reason == TAKEN_AWAY),
            within(case_file, place),
            sight(actor) if actor is not None else true(),
            ~((table.state == "DEFERRED") & (table.phase == "CONSULTATION")),
        )
        .order_by(table.agenda_first.desc(), (table.color == "RED").desc(), table.agenda_since, table.id)
    )
    found = rows.mappings().all()
    texts = await texts_of(connection, [row["id"] for row in found], [(row["title"], row["data"]) for row in found])
    return tuple(_item(row, texts, body) for row in found)


def _item(row: RowMapping, texts: Mapping[str, Any], body: str) -> AgendaItem:
    data = row["data"]
    escalated = data.get("escalated") or {}
    return AgendaItem(
        case_id=row["id"],
        number=row["number"],
        title=said(row["title"], texts),
        state=row["state"],
        phase=row["phase"],
        level=escalated.get("level", row["level"]),
        community=row["community"],
        reason=_reason(row, escalated),
        first=row["agenda_first"],
        red=row["color"] == "RED",
        color=row["color"],
        since=row["agenda_since"].astimezone(CHINA) if row["agenda_since"] else None,
        escalated=bool(escalated),
        admitted=bool(escalated.get("admitted")) if escalated else row["state"] != "TOPIC_PROPOSED",
        information=row["agenda_body"] != body,
        next_due_at=row["next_due_at"].astimezone(CHINA) if row["next_due_at"] else None,
        lead_org_name=row["lead_org_name"],
        file=resolve({name: data[name] for name in FILE_FIELDS if name in data}, texts),
    )


def _reason(row: RowMapping, escalated: Mapping[str, Any]) -> str:
    if escalated and row["agenda_first"]:
        return "CARRIED_OVER"
    if row["state"] == "DEFERRED":
        return "DEFERRED"
    proposed = row["agenda_reason"] in (None, PLAIN)
    if proposed:
        return "RED" if row["color"] == "RED" else "PROPOSED"
    return str(row["agenda_reason"])
