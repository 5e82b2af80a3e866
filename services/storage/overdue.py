"""The question of every supervisor: what is overdue, since when, who owes it, what comes next (逾期查询)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, RowMapping, and_, select, true, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.clocks import name_of
from services.storage.cursors import cursor, order_of
from services.storage.ledger_tables import case_file, clock
from services.storage.prose import said, texts_of
from services.storage.sight import clock_branches, within
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor

LARGEST_PAGE = 200
KIND = "overdue"
LEAST_SEVERE = 2
ORDER: tuple[Column[Any], ...] = (clock.c.severity, clock.c.due_at, clock.c.case_id, clock.c.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What the list is narrowed by; None narrows nothing.

    `within` adds running clocks that are due by then; `older_than` keeps what is overdue for at least so long.
    `process` is the singular name; `owner` and `supervisor` are codes of organisations or places.
    """

    within: timedelta | None = None
    process: str | None = None
    community_id: str | None = None
    subdistrict_id: str | None = None
    color: str | None = None
    owner: str | None = None
    supervisor: str | None = None
    older_than: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """What an unmet clock does next (下一步升级).

    `what`: REMIND (催办), BREACH (督办), SUPERVISION_AND_TOPIC (挂牌并提议题), REPORT_TO_COUNTY (报县区).
    """

    at: datetime
    color: str
    what: str


@dataclass(frozen=True, slots=True)
class Overdue:
    """A clock that is breached and not yet met, or due soon; `since` is when it was breached."""

    case_id: UUID
    process: str
    number: str
    title: str
    state: str
    phase: str
    community: str
    clock: str
    clock_ref: str
    clock_number: int
    clock_state: str
    color: str
    started_at: datetime
    due_at: datetime
    original_due_at: datetime
    since: datetime | None
    owner: str
    owner_name: str | None
    supervisor: str
    supervisor_name: str | None
    next_escalation: Escalation | None


@dataclass(frozen=True, slots=True)
class OverduePage:
    """Part of the list, worst first, and where the rest begins."""

    items: tuple[Overdue, ...]
    next_cursor: str | None


async def overdue(
    connection: AsyncConnection,
    actor: Actor,
    filters: Narrowed,
    *,
    now: datetime,
    after: str | None = None,
    limit: int = 50,
) -> OverduePage:
    """What this person may know of, worst first: RED, YELLOW, then by due time; raises `CursorInvalid`."""
    seen = tuple(clock_branches(actor))
    return await _page(connection, seen, filters, now=now, after=after, limit=limit)


async def overdue_everywhere(
    connection: AsyncConnection, filters: Narrowed, *, now: datetime, after: str | None = None, limit: int = 50
) -> OverduePage:
    """The same for staff tools on the server itself, where nobody's sight is asked for."""
    return await _page(connection, (true(),), filters, now=now, after=after, limit=limit)


async def _page(
    connection: AsyncConnection,
    seen: tuple[ColumnElement[bool], ...],
    filters: Narrowed,
    *,
    now: datetime,
    after: str | None,
    limit: int,
) -> OverduePage:
    limit = max(1, min(limit, LARGEST_PAGE))
    left_at = order_of(KIND, after, (int, datetime, UUID, int)) if after is not None else None
    picks = [
        select(clock.c.case_id, clock.c.number).where(kind, branch).order_by(*order).limit(limit + 1)
        for kind, order in _kinds(filters, now, left_at)
        for branch in seen
    ]
    rows = []
    if picks:
        picked = union_all(*picks).subquery()
        rows = list(
            (
                await connection.execute(
                    select(
                        clock,
                        case_file.c.number.label("case_number"),
                        case_file.c.title,
                        case_file.c.state.label("case_state"),
                        case_file.c.phase,
                        name_of(clock.c.owner).label("owner_name"),
                        name_of(clock.c.supervisor).label("supervisor_name"),
                    )
                    .join_from(clock, case_file, case_file.c.id == clock.c.case_id)
                    .where(tuple_(clock.c.case_id, clock.c.number).in_(select(picked.c.case_id, picked.c.number)))
                    .order_by(*ORDER)
                    .limit(limit + 1)
                )
            ).mappings()
        )
    page = rows[:limit]
    texts = await texts_of(connection, [row["case_id"] for row in page], [row["title"] for row in page])
    last = page[-1] if len(rows) > limit else None
    return OverduePage(
        tuple(_item(row, texts) for row in page),
        cursor(KIND, (last["severity"], last["due_at"], last["case_id"], last["number"])) if last else None,
    )


def _kinds(
    filters: Narrowed, now: datetime, left_at: tuple[Any, ...] | None
) -> list[tuple[ColumnElement[bool], Sequence[Column[Any]]]]:
    """The breached ones and, where asked for, the running ones that are due soon; each in the order of its index."""
    table = clock.c
    narrowed: list[ColumnElement[bool]] = []
    for column, wanted in (
        (table.process, filters.process),
        (table.color, filters.color),
        (table.owner, filters.owner),
        (table.supervisor, filters.supervisor),
    ):
        if wanted:
            narrowed.append(column == wanted)
    for place in (filters.community_id, filters.subdistrict_id):
        if place:
            narrowed.append(within(clock, place))
    late = [table.state == "BREACHED", *narrowed]
    if filters.older_than is not None:
        late.append(table.due_at <= now - filters.older_than)
    if left_at is not None:
        late.append(tuple_(*ORDER) > left_at)
    kinds: list[tuple[ColumnElement[bool], Sequence[Column[Any]]]] = [(and_(*late), ORDER)]
    if filters.within is not None and filters.older_than is None:
        soon = [table.state == "RUNNING", table.kind == "DUTY", table.due_at <= now + filters.within, *narrowed]
        # Nothing that runs is worse than what is breached, so among themselves only the due time counts.
        if left_at is not None and left_at[0] == LEAST_SEVERE:
            soon.append(tuple_(*ORDER[1:]) > left_at[1:])
        kinds.append((and_(*soon), ORDER[1:]))
    return kinds


def _item(row: RowMapping, texts: Mapping[str, Any]) -> Overdue:
    return Overdue(
        case_id=row["case_id"],
        process=row["process"],
        number=row["case_number"],
        title=said(row["title"], texts),
        state=row["case_state"],
        phase=row["phase"],
        community=row["community"],
        clock=row["code"],
        clock_ref=row["ref"],
        clock_number=row["number"],
        clock_state=row["state"],
        color=row["color"],
        started_at=row["started_at"].astimezone(CHINA),
        due_at=row["due_at"].astimezone(CHINA),
        original_due_at=row["original_due_at"].astimezone(CHINA),
        since=row["breached_at"].astimezone(CHINA) if row["breached_at"] else None,
        owner=row["owner"],
        owner_name=row["owner_name"],
        supervisor=row["supervisor"],
        supervisor_name=row["supervisor_name"],
        next_escalation=next_escalation(row),
    )


def next_escalation(row: RowMapping) -> Escalation | None:
    """What a clock's row says will happen next if nobody acts; None when it has no more rungs."""
    at: datetime | None
    match row["state"], row["color"]:
        case "RUNNING", "NONE" if row["blue_at"] is not None:
            at, color, what = row["blue_at"], "BLUE", "REMIND"
        case "RUNNING", _:
            at, color, what = row["due_at"], "YELLOW", "BREACH"
        case "BREACHED", "YELLOW":
            at, color, what = row["red_at"], "RED", "SUPERVISION_AND_TOPIC"
        case "BREACHED", "RED":
            at, color, what = row["red_plus_plus_at"], "RED", "REPORT_TO_COUNTY"
        case _:
            return None
    return Escalation(at.astimezone(CHINA), color, what) if at is not None else None
