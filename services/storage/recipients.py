"""Find the people behind the address of a message (收件人); nobody there: one level higher, at last one who is named.

An address is a place's or an organisation's code, `person:<id>`, `role:<role>@<place>` or `body:<type>@<place>`; or
`followers:<case>/<person>`, those who follow a case but the one who knows already (`colleagues:` without residents).
Nobody stands in for a follower.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.kernel.roles import Role

ABOVE = (12, 9, 6, 4)
"""Digits of the levels over a grid: community, subdistrict, county, city."""
RESPONSIBLE: Mapping[int, tuple[str, ...]] = {
    15: (Role.GRID_WORKER,),
    12: (Role.COMMUNITY_WORKER,),
    9: (Role.SUBDISTRICT_OFFICER, Role.SUPERVISOR),
    6: (Role.OFFICE_REVIEWER, Role.SUPERVISOR),
    4: (Role.SUPERVISOR,),
}
"""Who answers for a place, by the digits of its code; for a county its coordination body (glossary §1)."""
PRESSING = frozenset({"clock_yellow", "clock_red", "clock_red_plus_plus", "red_plus", "level_raised", "not_heard"})
"""Templates that a community's party secretary is told of besides (processes §0.4)."""
LIAISONS = (Role.UNIT_LIAISON, Role.DEPARTMENT_OFFICER)
"""Who speaks for an organisation (联络员); where it has neither, everybody who acts for it."""

FOLLOWERS, COLLEAGUES = "followers:", "colleagues:"

_ACTIVE = "EXISTS (SELECT FROM account a WHERE a.person_id = {0}.person_id AND a.active)"
_TODAY = "{0}.since <= :today AND ({0}.until IS NULL OR {0}.until >= :today)"
_HELD = f"""
WITH held AS (
    SELECT r.person_id, r.role, r.place FROM person_role r
     WHERE {{condition}} AND {_TODAY.format("r")}
), everybody AS (
    SELECT person_id, role, place FROM held
     UNION
    SELECT s.substitute_person_id, h.role, h.place
      FROM held h JOIN substitution s ON s.absent_person_id = h.person_id
     WHERE s.since <= :today AND s.until >= :today AND (s.roles = '{{{{}}}}' OR h.role = ANY(s.roles))
)
SELECT e.person_id, e.role, e.place FROM everybody e WHERE {_ACTIVE.format("e")} ORDER BY e.person_id
"""
_BY_ROLE = text(_HELD.format(condition="r.role = ANY(:roles) AND starts_with(:place, r.place)"))
_BY_ORG = text(_HELD.format(condition="r.org_code = :org"))
_PERSON = text(
    f"SELECT p.id AS person_id FROM person p WHERE p.id = :person AND {_ACTIVE.format('q')}".replace(
        "q.person_id", "p.id"
    )
)
_NAMED = text("SELECT person_id FROM account WHERE username = :username AND active")
_BODY = text(
    f"""
    SELECT m.person_id FROM body_member m JOIN body b ON b.id = m.body_id
     WHERE b.active AND b.type = :type AND b.region_code = :place AND m.person_id IS NOT NULL
       AND m.status <> 'ENDED' AND {_TODAY.format("m")} AND {_ACTIVE.format("m")}
     ORDER BY m.person_id
    """
)
_FOLLOWING = f"""
SELECT f.person_id FROM case_follower f
 WHERE f.case_id = CAST(:case AS uuid) AND f.person_id::text <> :but AND {_ACTIVE.format("f")}
"""
_FOLLOWERS = text(f"{_FOLLOWING} ORDER BY f.person_id")
_COLLEAGUES = text(
    f"""{_FOLLOWING} AND EXISTS (
        SELECT FROM person_role r WHERE r.person_id = f.person_id AND r.role <> 'resident' AND {_TODAY.format("r")}
    ) ORDER BY f.person_id"""
)
_REGION_OF_ORG = text("SELECT region_code FROM organization WHERE code = :org")


@dataclass(frozen=True, slots=True)
class Found:
    """Who is told (收件人), and whom it was tried for, one after the other; the last one of the path was somebody."""

    people: tuple[UUID, ...]
    path: tuple[str, ...]


class Addresses:
    """Looks recipients up on one day, each address once; `last_resort` is the username of who is told at last."""

    def __init__(self, connection: AsyncConnection, today: date, last_resort: str | None = None) -> None:
        self._connection = connection
        self._today = today
        self._last_resort = last_resort
        self._known: dict[tuple[str, str, bool], Found] = {}

    async def find(self, to: str, *, case_place: str, template: str) -> Found:
        """Give who is told about a case in `case_place`; nobody only when there is not even an administrator."""
        key = (to, case_place, template in PRESSING)
        if key not in self._known:
            self._known[key] = await self._looked_up(*key)
        return self._known[key]

    async def _looked_up(self, to: str, case_place: str, pressing: bool) -> Found:
        path: list[str] = []
        async for step, people in self._steps(to, case_place, pressing):
            path.append(step)
            if people:
                return Found(people, tuple(path))
        return Found((), tuple(path))

    async def _steps(self, to: str, case_place: str, pressing: bool) -> AsyncIterator[tuple[str, tuple[UUID, ...]]]:
        kind, _, rest = to.partition(":")
        name, _, at = rest.partition("@")
        place = at or case_place
        if to.startswith((FOLLOWERS, COLLEAGUES)):
            yield to, await self._followers(kind, rest)
            return
        if to.isdigit():
            place = to
        elif kind == "person":
            yield to, await self._person(rest)
        elif kind == "role":
            yield f"{name}@{place}", await self._holders((name,), place)
        elif kind == "body":
            yield to, await self._ids(_BODY, type=name, place=place, today=self._today)
        else:
            yield to, await self._liaisons(to)
            place = await self._region(to) or case_place
        for level in _upwards(place):
            roles = (*RESPONSIBLE[len(level)], *((Role.PARTY_SECRETARY,) if pressing and len(level) == 12 else ()))
            yield f"{'+'.join(roles)}@{level}", await self._holders(roles, level)
        if self._last_resort is not None:
            yield f"last_resort:{self._last_resort}", await self._ids(_NAMED, username=self._last_resort)
        yield f"{Role.TENANT_ADMIN}@{place}", await self._holders((Role.TENANT_ADMIN,), place)

    async def _holders(self, roles: tuple[str, ...], place: str) -> tuple[UUID, ...]:
        """Everybody in these roles, of each role only those who are nearest to the place."""
        values = {"roles": [str(role) for role in roles], "place": place, "today": self._today}
        rows = (await self._connection.execute(_BY_ROLE, values)).all()
        nearest: dict[str, int] = {}
        for row in rows:
            nearest[row.role] = max(nearest.get(row.role, 0), len(row.place))
        return tuple(dict.fromkeys(row.person_id for row in rows if len(row.place) == nearest[row.role]))

    async def _liaisons(self, org: str) -> tuple[UUID, ...]:
        rows = (await self._connection.execute(_BY_ORG, {"org": org, "today": self._today})).all()
        speaking = [row.person_id for row in rows if row.role in LIAISONS]
        return tuple(dict.fromkeys(speaking or [row.person_id for row in rows]))

    async def _person(self, person: str) -> tuple[UUID, ...]:
        try:
            return await self._ids(_PERSON, person=UUID(person))
        except ValueError:
            # Somebody without an account, known to his case by a contact alone.
            return ()

    async def _followers(self, kind: str, rest: str) -> tuple[UUID, ...]:
        case_id, _, but = rest.partition("/")
        values = {"case": case_id, "but": but}
        if f"{kind}:" == COLLEAGUES:
            return await self._ids(_COLLEAGUES, today=self._today, **values)
        return await self._ids(_FOLLOWERS, **values)

    async def _region(self, org: str) -> str | None:
        found: str | None = await self._connection.scalar(_REGION_OF_ORG, {"org": org})
        return found

    async def _ids(self, query: object, **values: object) -> tuple[UUID, ...]:
        rows = await self._connection.execute(query, values)  # type: ignore[call-overload]  # any of the texts above
        return tuple(dict.fromkeys(row.person_id for row in rows))


def _upwards(place: str) -> Iterator[str]:
    """The place itself and every place above it, nearest first."""
    if len(place) in RESPONSIBLE:
        yield place
    yield from (place[:digits] for digits in ABOVE if digits < len(place))
