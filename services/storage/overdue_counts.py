"""How much is overdue, by place, by who owes it, by step and by deadline (逾期统计): the picture of the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, literal, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.ledger_tables import case_file, clock
from services.storage.people_tables import organization, person, person_role, region
from services.storage.sight import sees_clock
from services.storage.wall import Wall
from workflows.kernel.calendar import CHINA, local
from workflows.kernel.process import Actor
from workflows.kernel.roles import Role

BLUE_AT_MOST = timedelta(days=14)
"""A reminder comes a working day before; no row of rest days is longer than this."""
LEVELS = (4, 6, 9, 12)
"""Digits of a city, county, subdistrict, community."""
SHOWN = 50
OWING = (
    Role.UNIT_LIAISON,
    Role.DEPARTMENT_OFFICER,
    Role.COMMUNITY_WORKER,
    Role.PARTY_SECRETARY,
    Role.SUBDISTRICT_OFFICER,
)
"""Who answers for an organisation or a place."""
DIMENSIONS = ("place", "owner", "step", "clock")


@dataclass(frozen=True, slots=True)
class Count:
    """How many deadlines of one place, owner, step or kind stand on each rung; `people` answer for an owner."""

    code: str
    name: str | None
    process: str | None
    blue: int
    yellow: int
    red: int
    oldest: datetime | None
    people: tuple[str, ...] = ()


class OverdueCounts:
    """The counts on PostgreSQL; behind the wall, where there is one."""

    def __init__(self, engine: AsyncEngine, wall: Wall | None = None) -> None:
        self._engine = engine
        self._wall = wall

    async def of(self, actor: Actor, place: str) -> dict[str, tuple[Count, ...]]:
        """Count what this person may know of in a place."""
        looking = self._engine.connect() if self._wall is None else self._wall.looks(actor)
        async with looking as connection:
            return await counts(connection, actor, place, now=datetime.now(UTC))


async def counts(
    connection: AsyncConnection, actor: Actor, place: str, *, now: datetime
) -> dict[str, tuple[Count, ...]]:
    """What this person may know of in a place, by each of the `DIMENSIONS`, the worst first.

    Places are those one level below; RED and YELLOW are breached, BLUE is due soon.
    """
    digits = next((level for level in LEVELS if level > len(place)), LEVELS[-1])
    late = (
        select(
            func.left(clock.c.community, digits).label("place"),
            *(clock.c.owner, clock.c.process, clock.c.code, clock.c.case_id, clock.c.state, clock.c.color),
            case((clock.c.state == "BREACHED", clock.c.due_at)).label("missed_at"),
        )
        .where(_lies(place), sees_clock(actor), _late_or_soon(now))
        .subquery()
    )
    rungs = {
        "blue": late.c.state == "RUNNING",
        "yellow": and_(late.c.state == "BREACHED", late.c.color != "RED"),
        "red": and_(late.c.state == "BREACHED", late.c.color == "RED"),
    }
    one = (late.c.place, late.c.owner, case_file.c.step, late.c.process, late.c.code)
    # First what is alike in all of it, so that only few rows are counted in four ways.
    alike = (
        select(
            *one,
            *(func.count().filter(rung).label(name) for name, rung in rungs.items()),
            func.min(late.c.missed_at).label("oldest"),
        )
        .join_from(late, case_file, case_file.c.id == late.c.case_id)
        .group_by(*one)
        .subquery()
    )
    ways = (alike.c.place, alike.c.owner, alike.c.step, alike.c.code)
    found = select(
        func.grouping(*ways).label("which"),
        *(*ways, alike.c.process),
        *(cast(func.sum(alike.c[name]), Integer).label(name) for name in rungs),
        func.min(alike.c.oldest).label("oldest"),
    ).group_by(
        func.grouping_sets(
            tuple_(alike.c.place),
            tuple_(alike.c.owner),
            tuple_(alike.c.step),
            tuple_(alike.c.process, alike.c.code),
        )
    )
    rows = (await connection.execute(found)).all()
    by = {
        "place": [row for row in rows if row.which == 0b0111],
        "owner": [row for row in rows if row.which == 0b1011],
        "step": [row for row in rows if row.which == 0b1101],
        "clock": [row for row in rows if row.which == 0b1110],
    }
    worst = {name: sorted(ones, key=_worst) for name, ones in by.items()}
    worst["owner"] = worst["owner"][:SHOWN]
    owners = [row.owner for row in worst["owner"]]
    names = await _names(connection, [*owners, *(row.place for row in worst["place"])])
    people = await _people(connection, owners, now)
    return {
        "place": tuple(_count(row, row.place, names) for row in worst["place"]),
        "owner": tuple(_count(row, row.owner, names, people.get(row.owner, ())) for row in worst["owner"]),
        "step": tuple(_count(row, row.step, {}) for row in worst["step"]),
        "clock": tuple(_count(row, row.code, {}) for row in worst["clock"]),
    }


def _lies(place: str) -> ColumnElement[bool]:
    # Written into the statement: a plan for any place takes thousands of deadlines for a few.
    first, beyond = (literal(code, literal_execute=True) for code in (place, f"{place}:"))
    return and_(clock.c.community >= first, clock.c.community < beyond)


def _late_or_soon(now: datetime) -> ColumnElement[bool]:
    # The first condition is that of the index which has everything that is asked here.
    counted = text("state = 'BREACHED' OR (state = 'RUNNING' AND color = 'BLUE')")
    soon = and_(clock.c.kind == "DUTY", clock.c.due_at <= now + BLUE_AT_MOST)
    return and_(counted, or_(clock.c.state == "BREACHED", soon))


def _worst(row: Any) -> tuple[int, int, int]:
    return -row.red, -row.yellow, -row.blue


def _count(row: Any, code: str, names: dict[str, str], people: Sequence[str] = ()) -> Count:
    oldest = row.oldest.astimezone(CHINA) if row.oldest else None
    return Count(code, names.get(code), row.process, row.blue, row.yellow, row.red, oldest, tuple(people))


async def _names(connection: AsyncConnection, codes: Sequence[str]) -> dict[str, str]:
    named = select(organization.c.code, organization.c.name).where(organization.c.code.in_(codes))
    placed = select(region.c.code, region.c.name).where(region.c.code.in_(codes))
    return {row.code: row.name for row in await connection.execute(named.union_all(placed))}


async def _people(connection: AsyncConnection, owners: Sequence[str], now: datetime) -> dict[str, list[str]]:
    """Who answers for each owner today, by name."""
    today = local(now).date()
    owner = case((person_role.c.org_code.in_(owners), person_role.c.org_code), else_=person_role.c.place)
    rows = await connection.execute(
        select(owner.label("owner"), person.c.display_name)
        .join(person, person.c.id == person_role.c.person_id)
        .where(
            person_role.c.role.in_([str(role) for role in OWING]),
            or_(person_role.c.org_code.in_(owners), person_role.c.place.in_(owners)),
            person_role.c.since <= today,
            or_(person_role.c.until.is_(None), person_role.c.until >= today),
        )
        .distinct()
        .order_by(person.c.display_name)
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.owner, []).append(row.display_name)
    return found
