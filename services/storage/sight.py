"""What a person may know of (可见范围): rights as conditions on rows, so that every list starts from them.

Staff see what lies in their place. Organisations see the cases they have or had to do with. Everybody sees what he
brought in himself. A tenant administrator keeps accounts and sees no case (glossary §2).
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, and_, any_, cast, false, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY, array

from services.storage.ledger_tables import case_file, clock
from workflows.kernel.process import Actor, Grant
from workflows.kernel.roles import STAFF, Role

KNOWING = STAFF | {Role.TWO_COMMITTEES_MEMBER, Role.EPC_MEMBER, Role.LIAISON_LEADER, Role.SYSTEM}
"""Roles that know of every case in their place."""

ORGANIZED = frozenset({Role.UNIT_LIAISON, Role.DEPARTMENT_OFFICER})
"""Roles that know of the cases of their organisation."""

COMMUNITY_DIGITS = 12
SUBDISTRICT_DIGITS = 9


def sight(actor: Actor, process: str | None = None) -> ColumnElement[bool]:
    """The rows of `case_file` that this person may know of; of all processes, or of one."""
    seen = or_(false(), *branches(actor))
    return seen if process is None else and_(case_file.c.process == process, seen)


def branches(actor: Actor, *, wide: bool = True) -> Iterator[ColumnElement[bool]]:
    """The same as conditions one by one, each with an index of its own; together they are `sight`.

    Only cases of a `wide` process concern other places than their own.
    """
    yield from (within(case_file, place) for place in places(actor))
    orgs = organizations(actor)
    if orgs:
        yield case_file.c.orgs.overlap(_texts(orgs))
    if wide and (held := places(actor)):
        # Where a case concerns other places than its own, those know of it.
        yield case_file.c.places.overlap(_texts(held))
    # Where a case is offered to another community, that one may look at it before it says yes.
    for place in places(actor):
        yield and_(case_file.c.transfer_to.is_not(None), begins(case_file.c.transfer_to, place))
    yield case_file.c.persons.contains(_texts([actor.id]))


def single_sight(actor: Actor) -> ColumnElement[bool]:
    """What this person may open when he knows its id or number.

    A resident may also open a case of his community that nobody's account stands behind.
    """
    homes = sorted({grant.place for grant in actor.grants if grant.role == Role.RESIDENT})
    nobodys = case_file.c.reporter_id.is_(None)
    return or_(sight(actor), *(and_(nobodys, within(case_file, home)) for home in homes))


def clock_branches(actor: Actor) -> Iterator[ColumnElement[bool]]:
    """The rows of `clock` that this person may know of, as conditions one by one."""
    yield from (within(clock, place) for place in places(actor))
    orgs = organizations(actor)
    if orgs:
        yield clock.c.owner == any_(_texts(orgs))
        yield clock.c.case_id.in_(select(case_file.c.id).where(case_file.c.orgs.overlap(_texts(orgs))))
    if not places(actor):
        own = select(case_file.c.id).where(case_file.c.persons.contains(_texts([actor.id])))
        yield clock.c.case_id.in_(own)


def sees_clock(actor: Actor) -> ColumnElement[bool]:
    """`clock_branches` as one condition."""
    return or_(false(), *clock_branches(actor))


def places(actor: Actor) -> list[str]:
    """The widest places in which this person is staff; a place inside another of them is left out."""
    found = sorted({grant.place for grant in actor.grants if grant.role in KNOWING})
    return [place for place in found if not any(place != other and place.startswith(other) for other in found)]


def organizations(actor: Actor) -> list[str]:
    """The organisations whose cases this person knows."""
    return sorted({grant.org for grant in actor.grants if grant.role in ORGANIZED and grant.org})


def within(table: Table, place: str) -> ColumnElement[bool]:
    """Rows that lie in a place, by the column that has the best index for it."""
    if len(place) == COMMUNITY_DIGITS:
        return _equals(table.c.community, place)
    if len(place) == SUBDISTRICT_DIGITS:
        return _equals(table.c.subdistrict, place)
    return begins(table.c.community, place)


def reaches(grant: Grant, column: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a grant reaches the place in a column."""
    return begins(column, grant.place)


def _equals(column: ColumnElement[str], place: str) -> ColumnElement[bool]:
    return column == place


def begins(column: ColumnElement[str], place: str) -> ColumnElement[bool]:
    """Whether the place in a column is this one or lies in it."""
    # A range of the index, also behind the wall of row-level security, where LIKE could not be one. The columns are
    # sorted by byte, and a colon comes after the last digit.
    if not place:
        return true()
    return and_(column >= literal(place), column < literal(f"{place}:")) if place.isdigit() else false()


def _texts(values: list[str]) -> Any:
    return cast(array(values), ARRAY(Text))


__all__ = [
    "KNOWING",
    "ORGANIZED",
    "begins",
    "branches",
    "clock_branches",
    "organizations",
    "places",
    "reaches",
    "sees_clock",
    "sight",
    "single_sight",
    "within",
]
