"""Drive cases straight into the ledger, as the shell does, but without the engine between."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.storage.ids import uuid7
from services.storage.ledger import Ledger
from services.storage.sealing import Seal
from workflows.issue import commands as do
from workflows.issue.data import Audience, Channel, ClockClass, Difficulty, HandlingMode, Issue, Source, Timing
from workflows.issue.process import ISSUE
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor, Case, Grant, Pin, Process, named
from workflows.kernel.roles import Role
from workflows.kernel.step import Order, embryo, step
from workflows.kernel.wire import Envelope, Recorded, Transaction, fields_of, stamps_of, transaction

COMMUNITY = "620199001001"
OTHER_COMMUNITY = "620199001002"
SUBDISTRICT = "620199001"


def at(text: str) -> datetime:
    """A moment of Beijing, `2026-03-02 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def person(name: str, *roles: str, place: str = COMMUNITY, org: str | None = None) -> Actor:
    """Somebody with these roles in one place."""
    return Actor(name, name, tuple(Grant(role, place, org) for role in roles))


@dataclass(slots=True)
class Town:
    """Cases written to a real ledger, one after the other; remembers the case after every version."""

    engine: AsyncEngine
    ledger: Ledger
    seal: Seal
    pin: Pin
    pack: Any
    states: dict[tuple[str, int], Case[Any]] = field(default_factory=dict)
    written: list[Transaction] = field(default_factory=list)
    keys: int = 0

    def ref(self) -> str:
        """A reference to a text, as the door makes it."""
        return f"text:{secrets.token_hex(8)}"

    def contact_ref(self) -> str:
        """A reference to contact details."""
        return f"contact:{secrets.token_hex(8)}"

    async def open(
        self, process: Process[Any], case_id: str, command: Any, actor: Actor, now: datetime, **more: Any
    ) -> Case[Any]:
        """Start a case."""
        order = Order(command=command, actor=actor, facts=more.get("facts", {}))
        return await self.give(process, embryo(process, case_id, order, self.pin), command, actor, now, **more)

    async def give(
        self,
        process: Process[Any],
        case: Case[Any],
        command: Any,
        actor: Actor,
        now: datetime,
        *,
        key: str = "",
        texts: Mapping[str, Any] | None = None,
        contacts: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
        acting_role: str | None = None,
    ) -> Case[Any]:
        """Give one command; clock moments that have passed fire first."""
        self.keys += 1
        order = Order(command=command, actor=actor, facts=facts or {}, acting_role=acting_role)
        envelope = Envelope(
            command=named(type(command)).name,
            fields=fields_of(command),
            actor=actor,
            key=key or f"key-{self.keys}",
            body_hash=f"body-{self.keys}",
            sealed=self.seal.seal({"texts": texts or {}, "contacts": contacts or {}}, case.id),
        )
        return await self._drive(process, step(process, case, order, self.pack, now), envelope)

    async def wait(self, process: Process[Any], case: Case[Any], until: datetime) -> Case[Any]:
        """Let the clocks speak until then."""
        return await self._drive(process, step(process, case, None, self.pack, until), None)

    async def write(self, t: Transaction) -> Recorded:
        """Write a turn as it is."""
        return await self.ledger.record(t)

    async def _drive(self, process: Process[Any], walk: Any, envelope: Envelope | None) -> Case[Any]:
        try:
            batch = next(walk)
            while True:
                t = transaction(process, batch, envelope if batch.order is not None else None)
                self.written.append(t)
                stamps = stamps_of(await self.ledger.record(t))
                batch = walk.send(stamps)
        except StopIteration as done:
            after: Case[Any] = done.value
            self.states[after.id, after.version] = after
            return after


# --- people of community 1 -------------------------------------------------------------------------------

WORKER = person("worker1", Role.COMMUNITY_WORKER, org="community-1")
SECOND_WORKER = person("worker1b", Role.COMMUNITY_WORKER, org="community-1")
OTHER_WORKER = person("worker2", Role.COMMUNITY_WORKER, place=OTHER_COMMUNITY, org="community-2")
SECRETARY = person("secretary1", Role.PARTY_SECRETARY, Role.CWC_CHAIR)
CLERK = person("clerk1", Role.MEETING_SECRETARY)
RESIDENT = person("resident1", Role.RESIDENT)
NEIGHBOUR = person("resident1b", Role.RESIDENT)
PROPERTY = person("property1", Role.UNIT_LIAISON, org="property-1")
POWER = person("power", Role.UNIT_LIAISON, place="6201", org="power")
SUPERVISOR = person("supervisor", Role.SUPERVISOR, place=SUBDISTRICT)
CITY = person("city", Role.SUPERVISOR, place="6201")
ADMIN = person("admin", Role.TENANT_ADMIN, place="6201")
ELSEWHERE = person("elsewhere", Role.SUPERVISOR, place="620199002")

FACTS = {
    "organizations": {
        "property-1": {"type": "PROPERTY_COMPANY", "level": "COMMUNITY", "region": COMMUNITY},
        "power": {"type": "ENTERPRISE", "level": "CITY", "region": "6201"},
    }
}


@dataclass(slots=True)
class Wish:
    """What a resident says, in the words that only the table of texts may hold."""

    title: str
    description: str
    name: str = "王小明"
    phone: str = "13900001111"


async def submit(
    town: Town,
    wish: Wish,
    when: datetime,
    *,
    by: Actor = WORKER,
    place: str = COMMUNITY,
    reporter: bool = True,
    evidence: tuple[str, ...] = (),
    key: str = "",
) -> Case[Issue]:
    """A wish is registered."""
    title, description = town.ref(), town.ref()
    # The door puts a reference where the reporter was.
    named: Any = town.contact_ref() if reporter else None
    command = do.SubmitIssue(
        community_code=place,
        title=title,
        description=description,
        source=Source.VISIT if by.grants[0].role != Role.RESIDENT else Source.RESIDENT,
        reporter=named,
        evidence=evidence,
    )
    return await town.open(
        ISSUE,
        str(uuid7()),
        command,
        by,
        when,
        texts={title: wish.title, description: wish.description},
        contacts={named: {"name": wish.name, "phone": wish.phone, "wants_reply": True}} if named else {},
        key=key,
    )


async def assign(
    town: Town, case: Case[Issue], when: datetime, *, lead: str = "property-1", by: Actor = WORKER
) -> Case[Issue]:
    """The wish becomes an order with seven working days."""
    command = do.AcceptToProblemList(
        mode=HandlingMode.TIME_LIMITED,
        category_code="B01",
        difficulty=Difficulty.EASY,
        lead_org=lead,
        clock_class=ClockClass.SIMPLE,
    )
    return await town.give(ISSUE, case, command, by, when, facts=FACTS)


async def propose(
    town: Town, case: Case[Issue], when: datetime, difficulty: Difficulty = Difficulty.EASY
) -> Case[Issue]:
    """The wish becomes a topic: of the 两委 when it is easy, else of the 大党委."""
    command = do.AcceptToProblemList(
        mode=HandlingMode.SCHEDULED, category_code="B01", difficulty=difficulty, lead_org="property-1"
    )
    return await town.give(ISSUE, case, command, WORKER, when, facts=FACTS)


async def finish(town: Town, case: Case[Issue], when: datetime) -> Case[Issue]:
    """An assigned order is signed, done, checked and told; it then waits for the return visit."""
    hour = timedelta(hours=1)
    note, told = town.ref(), town.ref()
    case = await town.give(ISSUE, case, do.Sign(), PROPERTY, when)
    case = await town.give(ISSUE, case, do.ClaimCompletion(text=note), PROPERTY, when + hour, texts={note: "已修好"})
    case = await town.give(ISSUE, case, do.ApproveCompletion(), SECOND_WORKER, when + 2 * hour)
    feedback = do.GiveFeedback(audience=Audience.INDIVIDUAL, timing=Timing.ANYTIME, channel=Channel.PHONE, text=told)
    return await town.give(ISSUE, case, feedback, WORKER, when + 3 * hour, texts={told: "已电话告知"})


async def without_cases(engine: AsyncEngine) -> None:
    """Leave the street and take its cases away."""
    async with engine.begin() as cleaner:
        for table in ("case_file", "clock", "task", "prose", "contact", "command", "outbox", "sequence"):
            await cleaner.execute(text(f"DELETE FROM {table}"))
