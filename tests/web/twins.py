"""Twins of everything behind the API, in memory: the real rules on the simulator's clock, people by hand."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, ClassVar
from uuid import UUID

from services.api.ports import Filters, Json, Known, OverdueFilters, Page
from services.api.views import standing
from services.engine import EngineUnavailable, IdempotencyConflict
from services.identity.errors import SignInRefused, TokenRefused
from services.identity.keys import Key
from services.identity.places import Community, Org, Region
from services.identity.sign_in import SignedIn
from services.identity.tokens import Claims
from services.storage.prose import resolve
from workflows.issue.process import ISSUE
from workflows.kernel.calendar import CHINA, Calendar, HostCalendar
from workflows.kernel.process import Actor, Asked, Case, Grant, Pin, Process
from workflows.kernel.simulator import Street, World
from workflows.kernel.stamping import Rungs
from workflows.kernel.wire import Envelope, Receipt, command_of, event_row, order_of
from workflows.policy.packs import load

PACK = load("lanzhou_2021")
C1, C2 = "620199001001", "620199001002"
STREET = "620199001"
PASSWORD = "an example"


def person(number: int, username: str, *grants: tuple[str, str, str | None]) -> Actor:
    """Somebody with a username and roles."""
    return Actor(f"00000000-0000-7000-8000-{number:012d}", username, tuple(Grant(*grant) for grant in grants))


PEOPLE = {
    actor.username: actor
    for actor in (
        person(1, "worker1", ("community_worker", C1, "community-1")),
        person(2, "worker1b", ("community_worker", C1, "community-1")),
        person(3, "worker2", ("community_worker", C2, "community-2")),
        person(4, "grid1", ("grid_worker", C1, "community-1")),
        person(5, "secretary1", ("party_secretary", C1, "community-1"), ("cwc_chair", C1, "community-1")),
        person(6, "resident1", ("resident", C1, None)),
        person(7, "resident1b", ("resident", C1, None)),
        person(8, "property1", ("unit_liaison", C1, "property-1")),
        person(9, "supervisor", ("supervisor", STREET, None)),
        person(10, "heating", ("unit_liaison", "6201", "heating")),
        person(11, "admin", ("tenant_admin", "6201", None)),
    )
}
ORGS = {
    code: Org(code, code, kind, level, region, True)
    for code, kind, level, region in (
        ("community-1", "RESIDENT_COMMITTEE", "COMMUNITY", C1),
        ("property-1", "PROPERTY_COMPANY", "COMMUNITY", C1),
        ("heating", "ENTERPRISE", "CITY", "6201"),
    )
}


@dataclass
class Twin:
    """The product behind the API, in one process; `away` makes the engine silent."""

    now: datetime = datetime(2026, 3, 9, 9, 0, tzinfo=CHINA)
    away: bool = False
    sealed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    kept: dict[tuple[str, str], Any] = field(default_factory=dict)
    commands: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    versions: dict[tuple[str, int], Case[Any]] = field(default_factory=dict)
    uploaded: dict[str, Json] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[OverdueFilters] = field(default_factory=list)
    logged: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.street = Street(
            World(
                processes={"issue": ISSUE},
                calendar=HostCalendar("weekdays", {}),
                policy=PACK,
                pin=Pin(PACK.pack, PACK.version, PACK.sha),
                rungs=Rungs(
                    remind_before=PACK.duration("issue.remind_before"),
                    red_after=PACK.duration("issue.red_after"),
                    red_after_hours=PACK.duration("issue.red_after_hours"),
                    red_street_max=PACK.duration("issue.red_street_max"),
                ),
                commands=command_of,
            ),
            self.now,
        )

    # --- the engine ---------------------------------------------------------------------------------------

    async def open(self, process: Process[Any], case_id: str, envelope: Envelope) -> Receipt:
        return self._carry_out(process, case_id, envelope, opens=True)

    async def command(self, process: Process[Any], case_id: str, envelope: Envelope) -> Receipt:
        return self._carry_out(process, case_id, envelope, opens=False)

    def _carry_out(self, process: Process[Any], case_id: str, envelope: Envelope, *, opens: bool) -> Receipt:
        if self.away:
            raise EngineUnavailable
        if (done := self.commands.get((case_id, envelope.key))) is not None:
            if done[0] != envelope.body_hash:
                raise IdempotencyConflict("IDEMPOTENCY_CONFLICT")
            return Receipt(done[1], done[0])
        order = order_of(process, envelope)
        acting: dict[str, Any] = {
            "acting_role": order.acting_role,
            "acting_org": order.acting_org,
            "on_behalf_of": order.on_behalf_of,
            "expected_version": order.expected_version,
            "facts": order.facts,
        }
        case = (
            self.street.open(process.name, case_id, order.command, order.actor, **acting)
            if opens
            else self.street.command(case_id, order.command, order.actor, **acting)
        )
        sealed = self.sealed.get(envelope.sealed, {})
        for kind in ("texts", "contacts"):
            self.kept.update({(case_id, ref): value for ref, value in sealed.get(kind, {}).items()})
        self.commands[case_id, envelope.key] = (envelope.body_hash, case.version)
        self.versions[case_id, case.version] = case
        return Receipt(case.version, envelope.body_hash)

    # --- sealing ------------------------------------------------------------------------------------------

    def seal(self, values: Mapping[str, Any], case_id: str) -> str:
        name = f"sealed-{len(self.sealed)}"
        self.sealed[name] = values
        return name

    # --- the reads ----------------------------------------------------------------------------------------

    async def known(self, actor: Actor, process: Process[Any], key: str) -> Known | None:
        for case in self.street.cases.values():
            if key in (case.id, case.number) and case.process == process.name and self._sees(actor, case):
                return Known(case, *standing(process, case))
        return None

    async def found(self, process: Process[Any], key: str) -> Known | None:
        for case in self.street.cases.values():
            if key in (case.id, case.number) and case.process == process.name:
                return Known(case, *standing(process, case))
        return None

    async def answer(self, asked: Asked) -> Json:
        return self.street.world.questions[asked.name](self.street, asked)

    async def at(self, process: Process[Any], case_id: str, version: int) -> Case[Any]:
        return self.versions[case_id, version]

    async def done(self, case_id: str, key: str) -> tuple[str, int] | None:
        return self.commands.get((case_id, key))

    async def texts(self, case_id: str, refs: Iterable[str]) -> Json:
        return {ref: self.kept[case_id, ref] for ref in refs if (case_id, ref) in self.kept}

    async def page(
        self, actor: Actor, process: Process[Any], filters: Filters, *, cursor: str | None, limit: int
    ) -> Page:
        if cursor is not None and not cursor.isdecimal():
            raise ValueError(cursor)
        start = int(cursor or 0)
        mine = [
            case
            for case in reversed(self.street.cases.values())
            if self._sees(actor, case) and filters.state in (None, case.state)
        ]
        texts = {ref: value for (_, ref), value in self.kept.items() if ref.startswith("text:")}
        more = str(start + limit) if start + limit < len(mine) else None
        return Page([Known(case, *standing(process, case)) for case in mine[start : start + limit]], texts, more)

    async def similar(
        self, actor: Actor, process: Process[Any], community: str, words: str
    ) -> tuple[Sequence[tuple[Known, float]], Json]:
        page = await self.page(actor, process, Filters(), cursor=None, limit=1000)
        found = [one for one in page.items if words in page.texts[one.case.title] and one.case.community == community]
        return [(one, 1.0) for one in found], page.texts

    async def events(self, case_id: str, actor: Actor | None = None) -> Sequence[Json]:
        texts = {ref: value for (case, ref), value in self.kept.items() if case == case_id}
        return [
            {
                "seq": event.seq,
                "type": event.type,
                "actor": event.actor,
                "acting_role": event.role,
                "org": event.org,
                "on_behalf_of": event.on_behalf_of,
                "occurred_at": event.at,
                "recorded_at": event.at,
                "payload": resolve(event_row(event)["payload"], texts),
                "hash": f"{event.seq:064d}",
            }
            for event in self.street.histories[case_id]
        ]

    async def clocks(self, case_id: str, actor: Actor | None = None) -> Sequence[Json]:
        return [{"code": clock.code} for (case, _), clock in self.street.clocks.items() if case == case_id]

    async def attachments(self, ids: Iterable[str], actor: Actor) -> set[str]:
        return {one for one in ids if one in self.uploaded}

    async def attach(self, **row: Any) -> None:
        self.uploaded[str(row["attachment_id"])] = row

    async def attached(self, case_id: str) -> Sequence[Json]:
        return ()

    async def attachment(self, attachment_id: str, actor: Actor) -> Json | None:
        found = self.uploaded.get(attachment_id)
        return found if found is not None and found["uploaded_by"] == actor.id else None

    async def worklist(self, actor: Actor, *, cursor: str | None, limit: int) -> tuple[Sequence[Json], str | None]:
        return [], None

    async def overdue(
        self, actor: Actor, filters: OverdueFilters, *, cursor: str | None, limit: int
    ) -> tuple[Sequence[Json], str | None]:
        self.asked.append(filters)
        return [], None

    async def problem_list(self, actor: Actor, community: str, month: str) -> Sequence[Json]:
        return [
            {"number": case.number, "title": self.kept[case.id, case.title], "state": case.state}
            for case in self.street.cases.values()
            if case.data.problem_month == month
        ]

    async def project_list(self, actor: Actor, community: str) -> Sequence[Json]:
        return []

    async def agenda(self, actor: Actor, community: str, body: str) -> Sequence[Json]:
        return []

    async def next_meeting(self, actor: Actor, community: str, body: str) -> Json | None:
        return None

    async def measures(self, actor: Actor, place: str, month: str) -> Sequence[Json]:
        return []

    async def list_versions(self, actor: Actor, community: str, month: str) -> Sequence[Json]:
        return []

    async def published_list(self, actor: Actor, community: str, month: str, version: int) -> Sequence[Json] | None:
        return [] if version == 1 else None

    async def coverage(self, actor: Actor, community: str, month: str) -> Sequence[Json]:
        return [{"kind": "GRID", "code": f"{community}001", "name": "第1网格", "standing": "NOT_ASKED"}]

    async def behind(
        self, actor: Actor, place: str, month: str, name: str, *, after: str, limit: int
    ) -> tuple[Json, Sequence[Json], str | None] | None:
        if name != "on_time_rate":
            return None
        figure = {"value": 1.0, "cases": ["1"], "part_cases": ["1"], "excluded": []}
        return figure, [{"key": "1", "in_part": True}][len(after) :], None

    async def running_notices(self, actor: Actor, place: str) -> Sequence[Json]:
        return []

    async def board(self, community: str, months: tuple[str, ...]) -> Json:
        return {
            "results": [{"title": "3-2-501", "text": "电话13800000000", "number": "1"}],
            "notices": [{"title": "公示", "text": "联系13800000000", "number": "G1"}],
            "listed": [],
            "problems": [],
            "rosters": [{"where": "社工委", "post": "CHAIR", "name": "李书记"}],
        }

    async def reporter(self, case_id: str, *, actor: Actor, purpose: str) -> Json | None:
        self.logged.append((case_id, actor.id, purpose))
        return next((value for (case, ref), value in self.kept.items() if case == case_id and ref[:1] == "c"), None)

    async def contact_names(self, case_id: str, refs: Sequence[str]) -> dict[str, str]:
        return {ref: self.kept[case_id, ref]["name"] for ref in refs if (case_id, ref) in self.kept}

    async def accesses(self, case_id: str) -> Sequence[Json]:
        return [{"actor_id": who, "purpose": why} for case, who, why in self.logged if case == case_id]

    async def incidents(self, actor: Actor, limit: int) -> Sequence[Json]:
        return []

    async def calendar(self) -> Calendar:
        return self.street.world.calendar

    # --- the store ----------------------------------------------------------------------------------------

    async def keep(self, key: str, content: bytes | IO[bytes]) -> None:
        self.files[key] = content if isinstance(content, bytes) else content.read()

    async def read(self, key: str) -> AsyncIterator[bytes]:
        if key not in self.files:
            raise FileNotFoundError(key)

        async def pieces() -> AsyncIterator[bytes]:
            yield self.files[key]

        return pieces()

    def _sees(self, actor: Actor, case: Case[Any]) -> bool:
        return any(
            (grant.role == "resident" and actor.id in (case.data.reporter_id, case.data.submitted_by))
            or (
                grant.role in ("unit_liaison", "department_officer")
                and grant.org in (*case.data.leads, case.data.lead_org)
            )
            or (
                grant.role not in ("resident", "unit_liaison", "department_officer", "tenant_admin")
                and case.community.startswith(grant.place)
            )
            for grant in actor.grants
        )


class TwinPeople:
    """The directory of a few people by hand; everybody has the same password."""

    invented: ClassVar[bool] = True

    async def sign_in(self, username: str, password: str, code: str | None = None) -> SignedIn:
        if password != PASSWORD or username not in PEOPLE:
            raise SignInRefused
        return SignedIn(PEOPLE[username], UUID(PEOPLE[username].id), second_factor=False)

    async def caller(self, claims: Claims) -> Actor:
        found = await self.actor(claims.actor_id)
        if found is None:
            raise TokenRefused("ACCOUNT_CLOSED")
        return found

    async def machine(self, shown: str) -> tuple[Actor, Key]:
        raise TokenRefused("KEY_INVALID")

    async def actor(self, actor_id: str, username: str | None = None) -> Actor | None:
        return next((actor for actor in PEOPLE.values() if actor.id == actor_id), None)

    async def by_username(self, names: Iterable[str]) -> dict[str, Actor]:
        return {name: PEOPLE[name] for name in names if name in PEOPLE}

    async def display_names(self, actor_ids: Iterable[str]) -> dict[str, str]:
        return {actor_id: actor_id for actor_id in actor_ids}

    async def former_names(self, codes: Iterable[str], at: datetime) -> dict[str, str]:
        return {}

    async def me(self, actor: Actor, language: str = "zh-CN") -> dict[str, Any]:
        return {"id": actor.id, "username": actor.username, "display_name": actor.username, "roles": []}

    async def is_demonstration(self) -> bool:
        return self.invented

    async def organizations(self, codes: Iterable[str]) -> dict[str, Org]:
        return {code: ORGS[code] for code in codes if code in ORGS}

    async def communities(self, codes: Iterable[str]) -> dict[str, Community]:
        return {code: Community(code, code, STREET, 2000) for code in codes if code in (C1, C2)}

    async def regions(self, codes: Iterable[str]) -> dict[str, Region]:
        return {code: Region(code, code, "COMMUNITY", STREET) for code in codes if code in (C1, C2)}
