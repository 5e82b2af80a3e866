"""Everybody's open work (待办), most urgent first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.cursors import cursor, order_of
from services.storage.ledger_tables import case_file, task
from services.storage.prose import said, texts_of
from services.storage.sight import reaches
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor
from workflows.kernel.roles import Role

LARGEST_PAGE = 200
KIND = "worklist"
ORDER = (task.c.severity, task.c.due_at, task.c.case_id, task.c.n)


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody may or must do in one case (待办事项); `commands` are wire names."""

    case_id: UUID
    process: str
    number: str
    title: str
    state: str
    phase: str
    community: str
    commands: tuple[str, ...]
    due_at: datetime | None
    color: str


@dataclass(frozen=True, slots=True)
class WorkPage:
    """Part of the list and where the rest begins."""

    items: tuple[Work, ...]
    next_cursor: str | None


async def worklist(connection: AsyncConnection, actor: Actor, *, after: str | None = None, limit: int = 50) -> WorkPage:
    """The tasks addressed to this person in any of his roles, one line a case; raises `CursorInvalid`.

    Tasks of one case that differ in urgency may stand on two pages.
    """
    limit = max(1, min(limit, LARGEST_PAGE))
    left_at = order_of(KIND, after, (int, datetime, UUID, int)) if after is not None else None
    rest = [tuple_(*ORDER) > left_at] if left_at is not None else []
    picked = union_all(
        *(
            select(task.c.case_id, task.c.n).where(branch, *rest).order_by(*ORDER).limit(limit + 1)
            for branch in addressed(actor)
        )
    ).subquery()
    found = await connection.execute(
        select(
            *ORDER,
            func.nullif(task.c.due_at, literal_column("'infinity'::timestamptz")).label("due"),
            task.c.process,
            task.c.commands,
            task.c.color,
            task.c.community,
            case_file.c.number,
            case_file.c.title,
            case_file.c.state,
            case_file.c.phase,
        )
        .join_from(task, case_file, case_file.c.id == task.c.case_id)
        .where(tuple_(task.c.case_id, task.c.n).in_(select(picked.c.case_id, picked.c.n)))
        .order_by(*ORDER)
        .limit(limit + 1)
    )
    rows = found.mappings().all()
    page = rows[:limit]
    texts = await texts_of(connection, [row["case_id"] for row in page], [row["title"] for row in page])
    works: dict[UUID, Work] = {}
    for row in page:
        earlier = works.get(row["case_id"])
        commands = (*(earlier.commands if earlier else ()), *row["commands"])
        works[row["case_id"]] = Work(
            case_id=row["case_id"],
            process=row["process"],
            number=row["number"],
            title=said(row["title"], texts),
            state=row["state"],
            phase=row["phase"],
            community=row["community"],
            commands=tuple(dict.fromkeys(commands)),
            due_at=earlier.due_at if earlier else row["due"].astimezone(CHINA) if row["due"] else None,
            color=earlier.color if earlier else row["color"],
        )
    last = page[-1] if len(rows) > limit else None
    return WorkPage(
        tuple(works.values()),
        cursor(KIND, (last["severity"], last["due_at"], last["case_id"], last["n"])) if last else None,
    )


def addressed(actor: Actor) -> Iterator[ColumnElement[bool]]:
    """Ways in which a task can be addressed to this person, each with an index of its own.

    A resident's work is only what is addressed to himself: what any resident of a place may do is nobody's duty.
    """
    for grant in dict.fromkeys(actor.grants):
        mine = task.c.role == grant.role
        if grant.role != Role.RESIDENT:
            unnamed = and_(mine, task.c.person.is_(None), task.c.org.is_(None))
            yield and_(unnamed, task.c.place.is_not(None), reaches(grant, task.c.place))
            yield and_(unnamed, task.c.place.is_(None))
        if grant.org is not None:
            yield and_(
                mine,
                task.c.org == grant.org,
                or_(task.c.place.is_(None), reaches(grant, task.c.place)),
                or_(task.c.person.is_(None), task.c.person == actor.id),
            )
    roles = sorted({grant.role for grant in actor.grants})
    yield and_(task.c.person == actor.id, task.c.org.is_(None), or_(task.c.role.is_(None), task.c.role.in_(roles)))
