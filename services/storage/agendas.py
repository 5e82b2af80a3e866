"""What the next meeting of a body will find on its table, and why (会议议程)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, RowMapping, cast, or_, select, true
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
    goes on; `admitted`: on the agenda of the meeting `meeting`; `information`: another body decides, this one only
    hears of it (S20). `file` is the 议题单 in clear words.
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
    meeting: str | None
    information: bool
    next_due_at: datetime | None
    lead_org_name: str | None
    file: Mapping[str, Any]


async def agenda(
    connection: AsyncConnection, place: str, body: str, *, actor: Actor | None = None
) -> tuple[AgendaItem, ...]:
    """The topics of a place (a community, or a street and all below it) for a body, as far as the actor may know.

    Carried-over ones come first, then RED ones, then the oldest. A topic in consultation is not on anybody's table.
    The 联席会议 takes the same topics as the 大党委 (seed 001 §四2).
    """
    body = EPC if body == "PARTY_BUILDING_JOINT" else body
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


@dataclass(frozen=True, slots=True)
class NextMeeting:
    """The next meeting of a body, as far as it is set, with what it deals with besides topics (下次会议)."""

    id: UUID
    number: str
    title: str
    state: str
    scheduled_at: datetime
    matters: tuple[Mapping[str, Any], ...]
    """Matters of their own and what is only heard, each with `item, kind, state, title, reason, subject_type,
    subject_id, number`, in the order of the agenda."""


async def next_meeting(
    connection: AsyncConnection, community: str, body: str, *, actor: Actor | None = None
) -> NextMeeting | None:
    """The next meeting of a body that is not over, or none where none is set."""
    table = case_file.c
    at = table.data["scheduled_at"].astext
    row = (
        (
            await connection.execute(
                select(table.id, table.number, table.title, table.state, table.data)
                .where(
                    table.process == "meeting",
                    table.community == community,
                    table.state.in_(UNHELD),
                    or_(table.data["type"].astext == body, table.data["joint_with"].astext == body),
                    sight(actor) if actor is not None else true(),
                )
                .order_by(cast(at, DateTime(timezone=True)), table.id)
                .limit(1)
            )
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    items = sorted(row["data"].get("items", {}).items(), key=lambda pair: (pair[1]["order"], pair[0]))
    matters = [{"item": key, **one} for key, one in items if one["kind"] != "TOPIC" and one["state"] != "RETURNED"]
    texts = await texts_of(connection, [row["id"]], [(row["title"], row["data"])])
    return NextMeeting(
        id=row["id"],
        number=row["number"],
        title=said(row["title"], texts),
        state=row["state"],
        scheduled_at=datetime.fromisoformat(row["data"]["scheduled_at"]).astimezone(CHINA),
        matters=tuple(resolve({name: one.get(name, "") for name in MATTER_FIELDS}, texts) for one in matters),
    )


MATTER_FIELDS = ("item", "kind", "state", "title", "reason", "subject_type", "subject_id", "number")
UNHELD = ("AGENDA_OPEN", "AGENDA_FROZEN", "NOTICED", "INQUORATE", "IN_SESSION")


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
        admitted=data.get("meeting") is not None,
        meeting=data.get("meeting"),
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
