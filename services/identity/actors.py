"""Know who asks: sign-in, people with their roles, and the organisations and places that commands name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.errors import SignInRefused, TokenRefused
from services.identity.freshness import Remembered
from services.identity.keys import ApiKeys, Key
from services.identity.passwords import Passwords
from services.identity.places import Community, Org, Region, is_key
from services.identity.sign_in import Codes, Opened, SignedIn, SignIn
from services.identity.tokens import Claims
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor, Grant
from workflows.kernel.roles import TITLES, Role

V = TypeVar("V")

FRESH = timedelta(seconds=3)

# A role of his own, or, while somebody is absent, one in which he stands in for him.
_HELD = """
    SELECT r.id, r.role, r.place, r.org_code, CAST(NULL AS uuid) AS absent
      FROM person_role r
     WHERE r.person_id = {person} AND r.since <= :today AND (r.until IS NULL OR r.until >= :today)
     UNION ALL
    SELECT r.id, r.role, r.place, r.org_code, s.absent_person_id
      FROM substitution s
      JOIN person_role r ON r.person_id = s.absent_person_id
     WHERE s.substitute_person_id = {person} AND s.since <= :today AND s.until >= :today
       AND r.since <= :today AND (r.until IS NULL OR r.until >= :today)
       AND (s.roles = '{{}}' OR r.role = ANY(s.roles)) AND r.role <> ALL(:personal)
"""
_PEOPLE = f"""
SELECT a.id AS account_id, a.username, a.person_id, a.tokens_from, r.role, r.place, r.org_code, r.absent,
       ARRAY(SELECT t.token_id FROM revoked_token t WHERE t.account_id = a.id) AS revoked
  FROM account a
  LEFT JOIN LATERAL ({_HELD.format(person="a.person_id")}) r ON true
 WHERE a.active AND ?
 ORDER BY a.id, r.absent NULLS FIRST, r.id
"""
_BY_PERSON = text(_PEOPLE.replace("?", "a.person_id = :person"))
_BY_USERNAME = text(_PEOPLE.replace("?", "a.username = ANY(:keys)"))
_HOLDERS = text(
    """
    WITH held AS (
        SELECT r.person_id, r.role
          FROM person_role r
         WHERE r.role = :role AND starts_with(:place, r.place)
           AND (CAST(:org AS text) IS NULL OR r.org_code = :org)
           AND r.since <= :today AND (r.until IS NULL OR r.until >= :today)
    ), people AS (
        SELECT person_id FROM held
         UNION
        SELECT s.substitute_person_id
          FROM held h JOIN substitution s ON s.absent_person_id = h.person_id
         WHERE s.since <= :today AND s.until >= :today
           AND (s.roles = '{}' OR h.role = ANY(s.roles)) AND h.role <> ALL(:personal)
    )
    SELECT p.person_id
      FROM people p
     WHERE EXISTS (SELECT FROM account a WHERE a.person_id = p.person_id AND a.active)
     ORDER BY p.person_id
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
_FORMER_NAMES = text(
    """
    SELECT DISTINCT ON (code) code, name FROM former_name
     WHERE code = ANY(:codes) AND until > :at ORDER BY code, until
    """
)


PERSONAL = frozenset(
    {
        Role.RESIDENT,
        Role.INTERESTED_PARTY,
        Role.CWC_CHAIR,
        Role.CWC_VICE_CHAIR,
        Role.CWC_MEMBER,
        Role.TWO_COMMITTEES_MEMBER,
        Role.EPC_MEMBER,
        Role.JOINT_MEETING_DELEGATE,
        Role.DEPUTY_OR_DELEGATE,
        Role.RESIDENT_REPRESENTATIVE,
        Role.INTEGRATION,
        Role.TENANT_ADMIN,
        Role.SYSTEM,
    }
)
"""Roles in which nobody stands in for somebody: a voice and a vote are one's own (processes §0.5), and so are the
keys of the house."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Account:
    """What decides whether a token of this account still counts."""

    id: UUID
    tokens_from: datetime | None
    revoked: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Person:
    accounts: dict[str, _Account]
    grants: tuple[Grant, ...]


class Directory:
    """The people, organisations and places of the deployment, as the API's door asks for them.

    An actor is a person, not an account: someone with two accounts votes once and cannot check his own work.
    Answers are remembered for a few seconds; a changed role is seen after that. The roles of `guarded` are held only
    by those who have shown a second factor.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        passwords: Passwords | None = None,
        codes: Codes | None = None,
        guarded: frozenset[Role] = frozenset(),
        fresh: timedelta = FRESH,
        now: Callable[[], datetime] = _now,
    ) -> None:
        # Each read is one statement, so it needs no transaction around it.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._sign_in = SignIn(engine, passwords or Passwords(), now, codes)
        self._keys = ApiKeys(engine, now, fresh)
        self._guarded = guarded
        self._now = now
        self._persons: Remembered[UUID, _Person] = Remembered(fresh, now)
        self._usernames: Remembered[str, Actor] = Remembered(fresh, now)
        self._orgs: Remembered[str, Org] = Remembered(fresh, now)
        self._places: Remembered[str, Region] = Remembered(fresh, now)
        self._towns: Remembered[str, Community] = Remembered(fresh, now)

    async def sign_in(self, username: str, password: str, code: str | None = None) -> SignedIn:
        """Give the person behind name, password and one-time code, with his roles as they are at this moment.

        Raises `SignInRefused` when they do not belong together or the account is closed, `SecondFactorNeeded` when a
        code is missing, and `SignInTooOften` after five wrong ones in a row: the pause grows to a minute at most.
        """
        opened = await self._sign_in.open(username, password, code)
        return await self.signed_in(opened)

    async def signed_in(self, opened: Opened) -> SignedIn:
        """Give the person behind an account that has opened; raises `SignInRefused` when it was closed meanwhile."""
        known = await self._person(opened.person)
        if known is None or opened.username not in known.accounts:
            raise SignInRefused
        grants = self._held(known.grants, opened.second_factor)
        return SignedIn(Actor(str(opened.person), opened.username, grants), opened.account, opened.second_factor)

    async def caller(self, claims: Claims) -> Actor:
        """Give the person who shows a token, with today's roles.

        Raises `TokenRefused`: ACCOUNT_CLOSED when there is no such active account, TOKEN_REVOKED when the token was
        given back, or given out before the password was changed.
        """
        person = _uuid(claims.actor_id)
        known = await self._known(person) if person is not None else None
        account = known.accounts.get(claims.username) if known else None
        if known is None or account is None:
            raise TokenRefused("ACCOUNT_CLOSED")
        if claims.session_id in account.revoked or (account.tokens_from and claims.issued_at <= account.tokens_from):
            raise TokenRefused("TOKEN_REVOKED")
        return Actor(id=str(person), username=claims.username, grants=self._held(known.grants, claims.second_factor))

    async def machine(self, shown: str) -> tuple[Actor, Key]:
        """Give the account that a machine's key acts as, and the key with its scopes; raises `TokenRefused`."""
        key = await self._keys.read(shown)
        actor = await self.actor(key.person, key.username)
        if actor is None:
            raise TokenRefused("KEY_INVALID")
        return actor, key

    async def actor(self, actor_id: str, username: str | None = None) -> Actor | None:
        """Give the person with today's roles; None when there is none with an active account.

        `username` names the account that he signed in by, when he has several; that one must be active.
        """
        person = _uuid(actor_id)
        known = await self._known(person) if person is not None else None
        if known is None or (username is not None and username not in known.accounts):
            return None
        return Actor(id=str(person), username=username or next(iter(known.accounts)), grants=known.grants)

    def forget(self) -> None:
        """Forget what is remembered of people, after a change that must be seen at once."""
        self._persons.forget()
        self._usernames.forget()

    @property
    def keys(self) -> ApiKeys:
        """The keys of machines."""
        return self._keys

    async def by_username(self, names: Iterable[str]) -> dict[str, Actor]:
        """Give the people behind these usernames; one without an active account is left out."""
        wanted = {name for name in names if is_key(name)}
        known = self._usernames.known(wanted)
        missing = sorted(wanted - known.keys())
        if missing:
            rows = await self._read(_BY_USERNAME, keys=missing)
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
        rows = await self._read(_HOLDERS, role=role, place=place, org=org)
        return tuple(str(row["person_id"]) for row in rows)

    async def display_names(self, actor_ids: Iterable[str]) -> dict[str, str]:
        """Give the names of these people for a screen; never put them into a log or an event."""
        ids = sorted({person for person in map(_uuid, actor_ids) if person is not None})
        rows = await self._read(_DISPLAY_NAMES, ids=ids) if ids else []
        return {str(row["id"]): row["display_name"] for row in rows}

    async def former_names(self, codes: Iterable[str], at: datetime) -> dict[str, str]:
        """Give the names at a moment of those people, organisations and places that are called otherwise by now."""
        wanted = sorted(code for code in codes if is_key(code))
        rows = await self._read(_FORMER_NAMES, codes=wanted, at=at) if wanted else []
        return {row["code"]: row["name"] for row in rows}

    async def me(self, actor: Actor, language: str = "zh-CN") -> dict[str, Any]:
        """Give what `GET /me` answers; role titles are in Chinese unless the language is English."""
        names = await self.display_names(
            {actor.id, *(one.substitute_for for one in actor.grants if one.substitute_for)}
        )
        regions = await self.regions(grant.place for grant in actor.grants)
        orgs = await self.organizations(grant.org for grant in actor.grants if grant.org)
        return {
            "id": actor.id,
            "username": actor.username,
            "display_name": names.get(actor.id, actor.username),
            "roles": [
                _role(grant, regions, orgs, language) | {"substitute_for": names.get(grant.substitute_for or "")}
                for grant in actor.grants
            ],
        }

    async def _known(self, person: UUID) -> _Person | None:
        return self._persons.known([person]).get(person) or await self._person(person)

    async def _person(self, person: UUID) -> _Person | None:
        rows = await self._read(_BY_PERSON, person=person)
        if not rows:
            return None
        accounts = _grouped(rows, "username")
        # Every account of a person has the same roles; the first account is the one he was given first.
        found = _Person(
            {
                name: _Account(r[0]["account_id"], r[0]["tokens_from"], frozenset(r[0]["revoked"]))
                for name, r in accounts.items()
            },
            _grants(next(iter(accounts.values()))),
        )
        self._persons.keep({person: found})
        return found

    def _held(self, grants: tuple[Grant, ...], second_factor: bool) -> tuple[Grant, ...]:
        if second_factor or not self._guarded:
            return grants
        return tuple(grant for grant in grants if grant.role not in self._guarded)

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
        if ":today" in query.text:
            values |= {"today": self._today(), "personal": sorted(PERSONAL)}
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
        Grant(row["role"], row["place"], row["org_code"], str(row["absent"]) if row["absent"] else None)
        for row in rows
        if row["role"] is not None
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
