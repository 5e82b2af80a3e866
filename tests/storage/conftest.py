"""Drive cases straight into the ledger, as the shell does, but without the engine between."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.calendar import Calendars
from services.storage.calendar import CalendarStore, load_national
from services.storage.database import database
from services.storage.ledger import Ledger
from services.storage.sealing import Seal
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor, Case, Grant, Pin, Process, named
from workflows.kernel.step import Order, embryo, step
from workflows.kernel.wire import Envelope, Recorded, Transaction, fields_of, stamps_of, transaction
from workflows.policy.packs import load

COMMUNITY = "620199001001"
OTHER_COMMUNITY = "620199001002"


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
        return await self._drive(process, step(process, case, None, self.pack, until), None, case)

    async def write(self, t: Transaction) -> Recorded:
        """Write a turn as it is."""
        return await self.ledger.record(t)

    async def _drive(
        self, process: Process[Any], walk: Any, envelope: Envelope | None, case: Case[Any] | None = None
    ) -> Case[Any]:
        try:
            batch = next(walk)
            while True:
                t = transaction(process, batch, envelope if batch.order is not None else None)
                self.written.append(t)
                stamps = stamps_of(await self.ledger.record(t))
                batch = walk.send(stamps)
        except StopIteration as done:
            after: Case[Any] = done.value if done.value is not None else case
            self.states[after.id, after.version] = after
            return after


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ledger_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the module's database, with the national calendar."""
    engine = database(database_url, pool_size=4)
    async with engine.begin() as connection:
        await load_national(connection)
    yield engine
    await engine.dispose()


@pytest.fixture
def new_town(ledger_engine: AsyncEngine) -> Callable[..., Town]:
    """Make a town under a policy pack of one's own."""

    def make(pack: Any = None) -> Town:
        pack = pack or load("lanzhou_2021")
        seal = Seal({"k1": b"k" * 32}, "k1")
        ledger = Ledger(
            ledger_engine,
            calendars=Calendars(CalendarStore(ledger_engine)),
            seal=seal,
            policy=lambda name, version, sha: pack,
        )
        return Town(ledger_engine, ledger, seal, Pin(pack.pack, pack.version, pack.sha), pack)

    return make


@pytest.fixture
def town(new_town: Callable[..., Town]) -> Town:
    """A town under the policy of Lanzhou."""
    return new_town()
