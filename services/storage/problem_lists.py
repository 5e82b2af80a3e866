"""问题清单 of a community and month, 项目清单 of a community: the lists of the five steps as they stand now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.clocks import name_of
from services.storage.ledger_tables import case_file
from services.storage.prose import resolve, said, texts_of
from services.storage.sight import sight, within
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry of the problem list (问题清单), with how far it is."""

    case_id: UUID
    number: str
    title: str
    category_code: str | None
    mode: str | None
    difficulty: str | None
    level: str
    lead_org: str | None
    lead_org_name: str | None
    state: str
    phase: str
    step: str
    color: str
    next_due_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Project:
    """An entry of the project list (项目清单): measures and plan as decided, with how far it is."""

    case_id: UUID
    number: str
    title: str
    state: str
    phase: str
    color: str
    lead_org: str | None
    lead_org_name: str | None
    next_due_at: datetime | None
    project: Mapping[str, Any]


async def problem_list(
    connection: AsyncConnection, community: str, month: str, *, actor: Actor | None = None
) -> tuple[Problem, ...]:
    """The problems of a community (or of every one below a place) in a month, `2026-03`, in order of their numbers."""
    rows, texts = await _listed(connection, actor, within(case_file, community), case_file.c.problem_month == month)
    return tuple(
        Problem(
            case_id=row["id"],
            number=row["number"],
            title=said(row["title"], texts),
            category_code=row["category_code"],
            mode=row["data"].get("mode"),
            difficulty=row["data"].get("difficulty"),
            level=row["level"],
            lead_org=row["lead_org"],
            lead_org_name=row["lead_org_name"],
            state=row["state"],
            phase=row["phase"],
            step=row["step"],
            color=row["color"],
            next_due_at=_china(row["next_due_at"]),
            opened_at=row["opened_at"].astimezone(CHINA),
            closed_at=_china(row["closed_at"]),
        )
        for row in rows
    )


async def project_list(
    connection: AsyncConnection, community: str, *, actor: Actor | None = None
) -> tuple[Project, ...]:
    """Everything that was put on the project list of a community, in order of their numbers."""
    rows, texts = await _listed(connection, actor, within(case_file, community), case_file.c.data.has_key("project"))
    return tuple(
        Project(
            case_id=row["id"],
            number=row["number"],
            title=said(row["title"], texts),
            state=row["state"],
            phase=row["phase"],
            color=row["color"],
            lead_org=row["lead_org"],
            lead_org_name=row["lead_org_name"],
            next_due_at=_china(row["next_due_at"]),
            project=resolve(row["data"]["project"], texts),
        )
        for row in rows
    )


async def _listed(
    connection: AsyncConnection, actor: Actor | None, *conditions: Any
) -> tuple[list[RowMapping], dict[str, Any]]:
    seen = sight(actor) if actor is not None else true()
    found = await connection.execute(
        select(case_file, name_of(case_file.c.lead_org).label("lead_org_name"))
        .where(case_file.c.process == "issue", *conditions, seen)
        .order_by(case_file.c.number)
    )
    rows = list(found.mappings())
    texts = await texts_of(
        connection, [row["id"] for row in rows], [(row["title"], row["data"].get("project")) for row in rows]
    )
    return rows, texts


def _china(moment: datetime | None) -> datetime | None:
    return moment.astimezone(CHINA) if moment else None
