"""Know who asks: sign-in, people with their roles, and the organisations and places that commands name."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.errors import SignInRefused
from services.identity.freshness import Remembered
from services.identity.passwords import Passwords
from services.identity.places import Community, Org, Region, is_key
from services.identity.sign_in import SignIn
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor, Grant
from workflows.kernel.roles import TITLES, Role

V = TypeVar("V")

FRESH = timedelta(seconds=3)

_PEOPLE = """
SELECT a.username, a.person_id, r.role, r.place, r.org_code
  FROM account a
  LEFT JOIN person_role r
    ON r.person_id = a.person_id AND r.since <= :today AND (r.until IS NULL OR r.until >= :today)
 WHERE a.active AND {condition}
 ORDER BY a.id, r.id
"""
_BY_PERSON = text(_PEOPLE.format(condition="a.person_id = :person"))
_BY_USERNAME = text(_PEOPLE.format(condition="a.username = ANY(:keys)"))
_HOLDERS = text(
    """
    SELECT DISTINCT r.person_id
      FROM person_role r
     WHERE r.role = :role AND starts_with(:place, r.place)
       AND (CAST(:org AS text) IS NULL OR r.org_code = :org)
       AND r.since <= :today AND (r.until IS NULL OR r.until >= :today)
       AND EXISTS (SELECT FROM account a WHERE a.person_id = r.person_id AND a.active)
     ORDER BY r.person_id
    """
)
_ORGANIZATIONS = text(
    """
    SELECT code, name, org_type, level, region_code, is_resident_unit
      FROM organization
     WHERE code = ANY(:keys)
    """
)
_COMMUNITIES = text(
    """
    SELECT c.region_code AS code, r.name, r.parent_code AS subdistrict_code, c.households
      FROM community c JOIN region r ON r.code = c.region_code
     WHERE c.region_code = ANY(:keys)
    """
)
_REGIONS = text(
    """
    SELECT code, name, level, parent_code FROM region WHERE code = ANY(:keys)
    UNION ALL
    SELECT code, name, kind, community_code FROM spatial_unit WHERE code = ANY(:keys)
    """
)
# DEMO is the source of everybody whom services/storage/demo_street.py invents.
_DEMONSTRATION = text(
    "SELECT EXISTS (SELECT FROM person) AND NOT EXISTS (SELECT FROM person WHERE source IS DISTINCT FROM 'DEMO') AS all"
)
_DISPLAY_NAMES = text("SELECT id, display_name FROM person WHERE id = ANY(:ids)")


def _now() -> datetime:
    return datetime.now(UTC)


class Directory:
    """The people, organisations and places of the deployment, as the API's door asks for them.

    An actor is a person, not an account: someone with two accounts votes once and cannot check his own work.
    Answers are remembered for a few seconds; a changed role is seen after that.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        passwords: Passwords | None = None,
        fresh: timedelta = FRESH,
        now: Callable[[], datetime] = _now,
    ) -> None:
        # Each read is one statement, so it needs no transaction around it.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._sign_in = SignIn(engine, passwords or Passwords(), now)
        self._now = now
        self._persons: Remembered[UUID, tuple[tuple[str, ...], tuple[Grant, ...]]] = Remembered(fresh, now)
        self._usernames: Remembered[str, Actor] = Remembered(fresh, now)
        self._orgs: Remembered[str, Org] = Remembered(fresh, now)
        self._places: Remembered[str, Region] = Remembered(fresh, now)
        self._towns: Remembered[str, Community] = Remembered(fresh, now)

    async def sign_in(self, username: str, password: str) -> Actor:
        """Give the person behind name and password, with his roles as they are at this moment.

        Raises `SignInRefused` when they do not belong together or the account is closed, and `SignInTooOften`
        after five wrong passwords in a row: the pause grows to a minute and no further.
        """
        person = await self._sign_in.person(username, password)
        known = await self._person(person)
        if known is None:
            raise SignInRefused
        return Actor(id=str(person), username=username, grants=known[1])

    async def actor(self, actor_id: str, username: str | None = None) -> Actor | None:
        """Give the person with today's roles; None when there is none with an active account.

        `username` names the account that he signed in by, when he has several; that one must be active.
        """
        person = _uuid(actor_id)
        if person is None:
            return None
        known = self._persons.known([person]).get(person) or await self._person(person)
        if known is None:
            return None
        usernames, grants = known
        if username is not None and username not in usernames:
            return None
        return Actor(id=str(person), username=username or usernames[0], grants=grants)

    async def by_username(self, names: Iterable[str]) -> dict[str, Actor]:
        """Give the people behind these usernames; one without an active account is left out."""
        wanted = {name for name in names if is_key(name)}
        known = self._usernames.known(wanted)
        missing = sorted(wanted - known.keys())
        if missing:
            rows = await self._read(_BY_USERNAME, keys=missing, today=self._today())
            found = {
                name: Actor(id=str(mine[0]["person_id"]), username=name, grants=_grants(mine))
                for name, mine in _grouped(rows, "username").items()
            }
            self._usernames.keep(found)
            known |= found
        return known

    async def holders(self, role: str, place: str, org: str | None = None) -> tuple[str, ...]:
        """Give the ids of those who hold this role over this place today (in this organisation, when given).

        Empty when nobody does: then the matter goes one level higher.
        """
        if not is_key(role) or not is_key(place):
            return ()
        rows = await self._read(_HOLDERS, role=role, place=place, org=org, today=self._today())
        return tuple(str(row["person_id"]) for row in rows)

    async def display_names(self, actor_ids: Iterable[str]) -> dict[str, str]:
        """Give the names of these people for a screen; never put them into a log or an event."""
        ids = sorted({person for person in map(_uuid, actor_ids) if person is not None})
        rows = await self._read(_DISPLAY_NAMES, ids=ids) if ids else []
        return {str(row["id"]): row["display_name"] for row in rows}

    async def me(self, actor: Actor, language: str = "zh-CN") -> dict[str, Any]:
        """Give what `GET /me` answers; role titles are in Chinese unless the language is English."""
        names = await self.display_names([actor.id])
        regions = await self.regions(grant.place for grant in actor.grants)
        orgs = await self.organizations(grant.org for grant in actor.grants if grant.org)
        return {
            "id": actor.id,
            "username": actor.username,
            "display_name": names.get(actor.id, actor.username),
            "roles": [_role(grant, regions, orgs, language) for grant in actor.grants],
        }

    async def _person(self, person: UUID) -> tuple[tuple[str, ...], tuple[Grant, ...]] | None:
        rows = await self._read(_BY_PERSON, person=person, today=self._today())
        if not rows:
            return None
        accounts = _grouped(rows, "username")
        # Every account of a person has the same roles; the first account is the one he was given first.
        found = tuple(accounts), _grants(next(iter(accounts.values())))
        self._persons.keep({person: found})
        return found

    async def organizations(self, codes: Iterable[str]) -> dict[str, Org]:
        """Give the organisations with these codes; unknown codes are left out."""
        return await self._look_up(codes, self._orgs, _ORGANIZATIONS, lambda row: Org(**row))

    async def communities(self, codes: Iterable[str]) -> dict[str, Community]:
        """Give the communities with these 12-digit codes; unknown codes are left out."""
        return await self._look_up(codes, self._towns, _COMMUNITIES, lambda row: Community(**row))

    async def regions(self, codes: Iterable[str]) -> dict[str, Region]:
        """Give the regions, grids and other cells with these codes."""
        return await self._look_up(codes, self._places, _REGIONS, lambda row: Region(**row))

    async def region(self, code: str) -> Region | None:
        """Give one region or grid by its code."""
        return (await self.regions([code])).get(code)

    async def is_demonstration(self) -> bool:
        """Say whether everybody here is invented, so that a drill harms nobody's case."""
        [row] = await self._read(_DEMONSTRATION)
        return bool(row["all"])

    async def _look_up(
        self,
        codes: Iterable[str],
        remembered: Remembered[str, V],
        query: TextClause,
        build: Callable[[RowMapping], V],
    ) -> dict[str, V]:
        wanted = {code for code in codes if is_key(code)}
        known = remembered.known(wanted)
        missing = sorted(wanted - known.keys())
        if missing:
            found = {row["code"]: build(row) for row in await self._read(query, keys=missing)}
            remembered.keep(found)
            known |= found
        return known

    async def _read(self, query: TextClause, **values: object) -> Sequence[RowMapping]:
        async with self._reading.connect() as connection:
            return (await connection.execute(query, values)).mappings().all()

    def _today(self) -> date:
        return self._now().astimezone(CHINA).date()


def _uuid(actor_id: str) -> UUID | None:
    try:
        return UUID(actor_id)
    except ValueError:
        return None


def _grouped(rows: Sequence[RowMapping], column: str) -> dict[str, list[RowMapping]]:
    groups: dict[str, list[RowMapping]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


def _grants(rows: Sequence[RowMapping]) -> tuple[Grant, ...]:
    return tuple(
        Grant(role=row["role"], place=row["place"], org=row["org_code"]) for row in rows if row["role"] is not None
    )


def _role(grant: Grant, regions: dict[str, Region], orgs: dict[str, Org], language: str) -> dict[str, Any]:
    place = regions.get(grant.place)
    org = orgs.get(grant.org) if grant.org else None
    return {
        "role": grant.role,
        "title": _title(grant.role, language),
        "place": grant.place,
        "place_name": place.name if place else grant.place,
        "level": place.level if place else None,
        "org": grant.org,
        "org_name": org.name if org else None,
    }


def _title(role: str, language: str) -> str:
    try:
        chinese, english = TITLES[Role(role)]
    except (KeyError, ValueError):
        return role
    return english if language.lower().startswith("en") else chinese
