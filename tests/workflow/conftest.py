"""A case on real servers: a worker of the test's own, the door to it, and a pool on a fresh database."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.calendar import Calendars
from activities.neighbours import Neighbours
from activities.payloads import DATA_CONVERTER
from activities.records import Records
from services.embedded.servers import Servers
from services.engine import Engine, newest
from services.storage.answers import Answers
from services.storage.calendar import CalendarStore
from services.storage.database import database
from services.storage.doing import Deeds
from services.storage.history import Past
from services.storage.ledger import Ledger
from services.storage.sealing import Seal
from workflows.kernel.process import Actor, Grant, Process, named
from workflows.kernel.wire import Envelope, Receipt, fields_of
from workflows.registry import PROCESSES, WORKFLOWS

C1 = "620199001001"
SEAL = Seal({"test": bytes(32)}, "test")


def person(name: str, *grants: tuple[str, ...]) -> Actor:
    """An actor by his grants: (role, place) or (role, place, organisation)."""
    return Actor(name, name, tuple(Grant(*grant) for grant in grants))


GRID = person("grid1", ("grid_worker", C1, "community-1"))
WORKER = person("worker1", ("community_worker", C1, "community-1"))
WORKER_B = person("worker1b", ("community_worker", C1, "community-1"))
SECRETARY = person("secretary1", ("party_secretary", C1, "community-1"), ("cwc_chair", C1, "community-1"))
PROPERTY = person("property1", ("unit_liaison", C1, "property-1"))
SUPERVISOR = person("supervisor", ("supervisor", "620199001"))
CLERK = person("clerk1", ("meeting_secretary", C1, "community-1"))


@dataclass(slots=True)
class Office:
    """Everything that a test needs to bring a case on its way."""

    engine: Engine
    client: Client
    storage: AsyncEngine
    queue: str
    keys: list[str] = field(default_factory=list)

    def envelope(self, command: Any, actor: Actor, *, key: str = "", **more: Any) -> Envelope:
        """A command as the door would send it."""
        values = fields_of(command)
        name = named(type(command)).name
        return Envelope(
            command=name,
            fields=values,
            actor=actor,
            key=key or uuid.uuid4().hex,
            body_hash=f"{name}{sorted(values.items())}",
            **more,
        )

    async def open(self, command: Any, actor: Actor, *, key: str = "", **more: Any) -> tuple[str, Receipt]:
        """Open an issue; the id follows from the key."""
        envelope = self.envelope(command, actor, key=key, **more)
        case_id = str(uuid.uuid5(uuid.NAMESPACE_OID, envelope.key))
        return case_id, await self.engine.open(ISSUE, case_id, envelope)

    async def give(self, case_id: str, command: Any, actor: Actor, *, key: str = "", **more: Any) -> Receipt:
        """Give an issue a command."""
        return await self.engine.command(ISSUE, case_id, self.envelope(command, actor, key=key, **more))


ISSUE: Process[Any] = PROCESSES["issue"]


def restrictions() -> SandboxRestrictions:
    """The default sandbox, with our pure rooms passed through: they are watched by the linter."""
    return SandboxRestrictions.default.with_passthrough_modules("workflows", "activities", "pydantic", "pydantic_core")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(servers: Servers, database_url: str) -> AsyncIterator[Office]:
    """A worker on a queue of its own, sandboxed, and the engine that speaks to it; policy `lanzhou_2021`."""
    async for one in office_under(servers, database_url, "lanzhou_2021"):
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def drill(servers: Servers, database_url: str) -> AsyncIterator[Office]:
    """The same under the pack `drill`, where a working day lasts two seconds."""
    async for one in office_under(servers, database_url, "drill"):
        yield one


def worker_on(
    client: Client,
    storage: AsyncEngine,
    engine: Engine,
    queue: str,
    *,
    workflows: Sequence[type] = WORKFLOWS,
    runner: WorkflowRunner | None = None,
) -> Worker:
    """A worker on a queue, with the product's activities over a database; not sandboxed unless said otherwise."""
    records = Records(Ledger(storage, calendars=Calendars(CalendarStore(storage)), seal=SEAL), Past(storage))
    neighbours = Neighbours(engine, Answers(storage, PROCESSES), Deeds(storage))
    return Worker(
        client,
        task_queue=queue,
        workflows=list(workflows),
        activities=[records.record, records.stands, neighbours.carry_out],
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
    )


async def office_under(servers: Servers, database_url: str, pack: str) -> AsyncIterator[Office]:
    """Start a worker and its door under a pack, and stop them."""
    client = await Client.connect(
        servers.temporal_address, namespace=servers.temporal_namespace, data_converter=DATA_CONVERTER
    )
    storage = database(database_url, pool_size=10, application_name="test")
    queue = f"gov-{uuid.uuid4().hex[:8]}"
    engine = Engine(client, Past(storage), newest(pack), task_queue=queue, timeout=15)
    sandbox = SandboxedWorkflowRunner(restrictions=restrictions())
    async with worker_on(client, storage, engine, queue, runner=sandbox):
        yield Office(engine, client, storage, queue)
    await storage.dispose()
    await asyncio.sleep(0)
