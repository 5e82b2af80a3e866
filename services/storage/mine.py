"""What somebody waits for, what he did last, and how much he has to do: the rest of his desk (工作台)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, exists, func, literal, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.comment_tables import case_follower
from services.storage.ledger_tables import COLORS, case_file, command, task
from services.storage.prose import said, texts_of
from services.storage.sight import sight
from services.storage.worklist import addressed
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor

MOST_COUNTED = 500
"""So many tasks of each way to be addressed are counted; who has more has too many to count."""
LAST_COMMANDS = 100
_CASE = (
    case_file.c.id,
    case_file.c.process,
    case_file.c.number,
    case_file.c.title,
    case_file.c.state,
    case_file.c.phase,
    case_file.c.level,
    case_file.c.community,
    case_file.c.color,
    case_file.c.next_due_at,
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has to act: a role in a place, in an organisation, or one person."""

    role: str | None
    place: str | None
    org: str | None
    person: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A case of his that others hold, or that he had to do with last; `holders` are who must act now."""

    case_id: UUID
    process: str
    number: str
    title: str
    state: str
    phase: str
    level: str
    community: str
    color: str
    due_at: datetime | None
    at: datetime
    holders: tuple[Holder, ...]


class Desk:
    """Questions about one's own cases on PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting(self, actor: Actor, *, limit: int) -> list[Held]:
        """Running cases that he began or follows and in which he has nothing to do; the most urgent first."""
        part = case_file.c.persons.contains([actor.id])
        own = union_all(
            select(case_file.c.id).where(case_file.c.closed_at.is_(None), part),
            select(case_follower.c.case_id).where(case_follower.c.person_id == UUID(actor.id)),
        )
        mine = exists().where(task.c.case_id == case_file.c.id, _any(actor))
        query = (
            select(*_CASE, case_file.c.updated_at.label("at"))
            .where(case_file.c.id.in_(own), case_file.c.closed_at.is_(None), sight(actor), ~mine)
            .order_by(case_file.c.next_due_at.nulls_last(), case_file.c.updated_at.desc())
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            return await _held(connection, (await connection.execute(query)).all())

    async def recent(self, actor: Actor, *, limit: int) -> list[Held]:
        """Cases in which he did something last, the last one first."""
        theirs = (command.c.actor == actor.id, command.c.actor != "system")
        last = (
            select(command.c.case_id, command.c.at)
            .where(*theirs)
            .order_by(command.c.at.desc())
            .limit(LAST_COMMANDS)
            .subquery()
        )
        cases = (
            select(last.c.case_id, func.max(last.c.at).label("at"))
            .group_by(last.c.case_id)
            .order_by(func.max(last.c.at).desc())
            .limit(limit)
            .subquery()
        )
        query = (
            select(*_CASE, cases.c.at)
            .join(cases, cases.c.case_id == case_file.c.id)
            .where(sight(actor))
            .order_by(cases.c.at.desc())
        )
        async with self._engine.connect() as connection:
            return await _held(connection, (await connection.execute(query)).all())

    async def counts(self, actor: Actor) -> dict[str, int]:
        """How many cases wait for him, by the worst colour of what he owes in each."""
        branches = [
            select(task.c.case_id, task.c.color)
            .where(branch)
            .order_by(task.c.severity, task.c.due_at, task.c.case_id, task.c.n)
            .limit(MOST_COUNTED)
            for branch in addressed(actor)
        ]
        every = union_all(*branches).subquery()
        rank = func.array_position(literal(list(COLORS), ARRAY(Text)), every.c.color)
        worst = select(func.max(rank).label("rank")).group_by(every.c.case_id).subquery()
        query = select(worst.c.rank, func.count()).group_by(worst.c.rank)
        async with self._engine.connect() as connection:
            return {COLORS[row[0] - 1]: row[1] for row in await connection.execute(query)}


def _any(actor: Actor) -> ColumnElement[bool]:
    return or_(*addressed(actor))


async def _held(connection: AsyncConnection, rows: Sequence[Any]) -> list[Held]:
    ids = [row.id for row in rows]
    texts = await texts_of(connection, ids, [row.title for row in rows])
    holders: dict[UUID, dict[Holder, None]] = {}
    if ids:
        owed = select(task.c.case_id, task.c.role, task.c.place, task.c.org, task.c.person)
        for one in await connection.execute(owed.where(task.c.case_id.in_(ids)).order_by(task.c.severity, task.c.n)):
            holder = Holder(one.role, one.place, one.org, one.person)
            holders.setdefault(one.case_id, {})[holder] = None
    return [
        Held(
            case_id=row.id,
            process=row.process,
            number=row.number,
            title=said(row.title, texts),
            state=row.state,
            phase=row.phase,
            level=row.level,
            community=row.community,
            color=row.color,
            due_at=row.next_due_at.astimezone(CHINA) if row.next_due_at else None,
            at=row.at.astimezone(CHINA),
            holders=tuple(holders.get(row.id, ())),
        )
        for row in rows
    ]
