"""Dates for the calendars of people and bodies (日历): meetings that one sits in or keeps, what one owes by when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Row, and_, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.ledger_tables import case_file
from services.storage.people_tables import body, body_member, region
from services.storage.prose import said, texts_of
from services.storage.sight import places
from services.storage.worklist import LARGEST_PAGE, Work, worklist
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor
from workflows.kernel.roles import Role

BACK, AHEAD = timedelta(days=60), timedelta(days=400)
KEEPERS = frozenset({Role.MEETING_SECRETARY, Role.PARTY_SECRETARY})
"""Who has every meeting of his community in his calendar, because he calls it or keeps its minutes."""
BODIES = {
    "TWO_COMMITTEES": "TWO_COMMITTEES",
    "EPC": "EXTENDED_PARTY_COMMITTEE",
    "PJM": "PARTY_BUILDING_JOINT",
    "CWC": "CWC_SESSION",
    "RRA": "RESIDENT_REPRESENTATIVES",
    "PARTY_MEMBERS": "PARTY_MEMBERS",
    "SPC": "SUBDISTRICT_PARTY",
    "DELIBERATION": "DELIBERATION",
}
"""The kind of meeting of each kind of body."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """A meeting in a calendar (会议): when and where, and whether it still may change or was called off."""

    id: UUID
    number: str
    type: str
    joint_with: str | None
    community: str
    at: datetime
    place: str
    state: str
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Sitters:
    """A body with a calendar of its own."""

    id: UUID
    name: str
    type: str
    region_code: str


class Dates:
    """What stands in somebody's calendar, read from PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def sittings(self, actor: Actor, now: datetime) -> tuple[Sitting, ...]:
        """The meetings of this person, earliest first."""
        kept = {grant.place for grant in actor.grants if grant.role in KEEPERS}
        async with self._engine.connect() as connection:
            seats = [_of(one) for one in await self._bodies(connection, actor, now)]
            named = case_file.c.persons.contains([actor.id])
            return await _sittings(connection, or_(named, case_file.c.community.in_(kept), *seats), now)

    async def owed(self, actor: Actor) -> tuple[Work, ...]:
        """What this person owes until a certain time, most urgent first."""
        async with self._engine.connect() as connection:
            page = await worklist(connection, actor, limit=LARGEST_PAGE)
        return tuple(one for one in page.items if one.due_at is not None)

    async def bodies(self, actor: Actor, now: datetime) -> tuple[Sitters, ...]:
        """The bodies in which this person sits."""
        async with self._engine.connect() as connection:
            return await self._bodies(connection, actor, now)

    async def of_body(self, body_id: UUID, actor: Actor, now: datetime) -> tuple[Sitters, tuple[Sitting, ...]] | None:
        """A body's meetings, for its members and for the staff of its place; None for everybody else."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_sitters().where(body.c.id == body_id))).first()
            if row is None:
                return None
            one = Sitters(**row._mapping)
            sits = any(mine.id == one.id for mine in await self._bodies(connection, actor, now))
            if not sits and not any(one.region_code.startswith(place) for place in places(actor)):
                return None
            return one, await _sittings(connection, _of(one), now)

    async def _bodies(self, connection: AsyncConnection, actor: Actor, now: datetime) -> tuple[Sitters, ...]:
        today = now.astimezone(CHINA).date()
        rows = await connection.execute(
            _sitters()
            .join(body_member, body_member.c.body_id == body.c.id)
            .where(
                body_member.c.person_id == UUID(actor.id),
                body_member.c.status != "ENDED",
                body_member.c.since <= today,
                or_(body_member.c.until.is_(None), body_member.c.until >= today),
            )
        )
        return tuple(Sitters(**row._mapping) for row in rows)

    async def names(self, codes: Sequence[str]) -> dict[str, str]:
        """What places are called."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(region.c.code, region.c.name).where(region.c.code.in_(codes)))
            return {row.code: row.name for row in rows}


def _sitters() -> Any:
    return select(body.c.id, body.c.name, body.c.type, body.c.region_code).where(body.c.active)


def _of(one: Sitters) -> ColumnElement[bool]:
    """The meetings of a body, alone or together with another."""
    kind = BODIES.get(one.type, one.type)
    mine = or_(case_file.c.data["type"].astext == kind, case_file.c.data["joint_with"].astext == kind)
    return and_(case_file.c.community == one.region_code, mine)


async def _sittings(connection: AsyncConnection, whose: ColumnElement[bool], now: datetime) -> tuple[Sitting, ...]:
    at = cast(case_file.c.data["scheduled_at"].astext, DateTime(timezone=True))
    rows = (
        await connection.execute(
            select(case_file, at.label("at"))
            .where(case_file.c.process == "meeting", at.between(now - BACK, now + AHEAD), whose)
            .order_by(at, case_file.c.id)
        )
    ).all()
    texts = await texts_of(connection, [row.id for row in rows], [row.data.get("place") for row in rows])
    return tuple(_sitting(row, texts) for row in rows)


def _sitting(row: Row[Any], texts: dict[str, Any]) -> Sitting:
    return Sitting(
        id=row.id,
        number=row.number,
        type=row.data["type"],
        joint_with=row.data.get("joint_with"),
        community=row.community,
        at=row.at.astimezone(CHINA),
        place=said(row.data.get("place"), texts),
        state=row.state,
        version=row.version,
        updated_at=row.updated_at,
    )
