"""A task of the engine is lost after the ledger has written: the case takes over what stands there, and goes on."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.client import Client

from activities.payloads import DATA_CONVERTER
from services.embedded.servers import Servers
from services.engine import Engine, newest
from services.storage.database import database
from services.storage.history import Past, case_now
from services.storage.incidents import open_incidents
from tests.workflow.conftest import C1, GRID, ISSUE, WORKER, WORKER_B, Office, worker_on
from tests.workflow.test_shell import at_once, submit
from workflows.issue import commands as do
from workflows.issue.process import ISSUE as PROCESS
from workflows.kernel.process import SYSTEM
from workflows.kernel.shell import CaseWorkflow
from workflows.kernel.step import Batch, Stamps
from workflows.kernel.wire import Envelope, Receipt, Seed, restored
from workflows.registry import SupervisionWorkflow

LOST: list[tuple[str, str]] = []
"""What is lost of which case the next time, after it has been written."""


def lose(what: str, case_id: str) -> None:
    """Fail the task if it is to be lost; the engine gives it again, as after the death of a worker."""
    if (what, case_id) in LOST:
        LOST.remove((what, case_id))
        raise RuntimeError(f"the task is lost: {what}")


@workflow.defn(name="issue")
class StumblingIssue(CaseWorkflow):
    """An issue whose tasks are lost on demand."""

    process = PROCESS

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """As the real one."""
        return await self.live()

    async def _drive(self, walk: Generator[Batch, Stamps, Any], envelope: Envelope | None) -> Receipt:
        receipt = await super()._drive(walk, envelope)
        if envelope is not None:
            lose("command", self._id)
        return receipt

    async def _tick(self) -> None:
        await super()._tick()
        lose("tick", self._id)

    async def _carry_out(self) -> None:
        await super()._carry_out()
        lose("effect", self._id)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stumbling(servers: Servers, database_url: str) -> AsyncIterator[Office]:
    """A worker that loses tasks on demand; working days last two seconds."""
    client = await Client.connect(
        servers.temporal_address, namespace=servers.temporal_namespace, data_converter=DATA_CONVERTER
    )
    storage = database(database_url, pool_size=5, application_name="test")
    queue = f"gov-{uuid.uuid4().hex[:8]}"
    engine = Engine(client, Past(storage), newest("drill"), task_queue=queue, timeout=15)
    async with worker_on(client, storage, engine, queue, workflows=(StumblingIssue, SupervisionWorkflow)):
        yield Office(engine, client, storage, queue)
    await storage.dispose()


async def same_in_both(office: Office, case_id: str) -> Any:
    """The case, once the run and Postgres agree on it."""
    async with asyncio.timeout(15):
        while True:
            held = await office.engine.case(ISSUE, case_id)
            async with office.storage.connect() as connection:
                stored = await case_now(connection, ISSUE, case_id)
            if held is not None and stored is not None and restored(ISSUE, held) == stored:
                return stored
            await asyncio.sleep(0.1)


async def incidents(office: Office, case_id: str) -> list[str]:
    """Kinds of the open incidents of a case."""
    async with office.storage.connect() as connection:
        return [one.kind for one in await open_incidents(connection) if str(one.case_id) == case_id]


async def test_an_opening_whose_task_is_lost_still_has_its_run(stumbling: Office) -> None:
    key = "an opening"
    LOST.append(("command", str(uuid.uuid5(uuid.NAMESPACE_OID, key))))

    case_id, receipt = await stumbling.open(submit(), GRID, key=key)

    assert not LOST
    assert receipt.version == 1
    assert (await same_in_both(stumbling, case_id)).position == "REGISTERED"
    assert (await stumbling.give(case_id, at_once(), WORKER)).version == 3


async def test_a_command_whose_task_is_lost_is_carried_out_once_and_the_case_goes_on(stumbling: Office) -> None:
    case_id, _ = await stumbling.open(submit(), GRID)
    LOST.append(("command", case_id))

    receipt = await stumbling.give(case_id, at_once(), WORKER)

    assert not LOST
    assert receipt.version == 3
    assert (await same_in_both(stumbling, case_id)).version == 3
    claimed = await stumbling.give(case_id, do.ClaimCompletion(text="text:0000000000000003"), GRID)
    assert claimed.version == 5
    assert not await incidents(stumbling, case_id)


async def test_a_clock_whose_task_is_lost_speaks_once(stumbling: Office) -> None:
    case_id, _ = await stumbling.open(submit(reporter=None), GRID)
    LOST.append(("tick", case_id))

    async with asyncio.timeout(30):
        while LOST:
            await asyncio.sleep(0.2)
    case = await same_in_both(stumbling, case_id)

    assert case.version == 2
    assert case.clock("TRIAGE").breached_at is not None
    assert not await incidents(stumbling, case_id)


async def test_an_effect_whose_task_is_lost_is_settled_once(stumbling: Office) -> None:
    target, _ = await stumbling.open(submit(), GRID)
    duplicate, _ = await stumbling.open(submit(), GRID)
    facts = {"target": {"id": target, "community": C1, "closed": False}}
    LOST.append(("effect", duplicate))

    await stumbling.give(duplicate, do.MergeInto(target=target), WORKER, facts=facts)

    handle = stumbling.client.get_workflow_handle(f"issue/{duplicate}")
    async with asyncio.timeout(15):
        assert await handle.result() == "CLOSED:MERGED"
    assert not LOST
    async with stumbling.storage.connect() as connection:
        case = await case_now(connection, ISSUE, duplicate)
    assert case is not None
    assert not case.pending
    assert not await incidents(stumbling, duplicate)


async def test_an_effect_that_a_command_has_overtaken_is_settled_once(stumbling: Office) -> None:
    target, _ = await stumbling.open(submit(), GRID)
    duplicate, _ = await stumbling.open(submit(), GRID)
    facts = {"target": {"id": target, "community": C1, "closed": False}}
    LOST.extend([("effect", duplicate)] * 2)

    await stumbling.give(duplicate, do.MergeInto(target=target), WORKER, facts=facts)
    async with asyncio.timeout(15):
        while len(LOST) > 1:
            await asyncio.sleep(0.01)
    # The task comes again with this command, which takes over what was written before the effect is settled.
    undone = await stumbling.give(duplicate, do.UndoMerge(target=target), SYSTEM)

    assert undone.version == 4
    case = await same_in_both(stumbling, duplicate)
    assert (case.position, case.version, case.pending) == ("REGISTERED", 4, ())
    assert not await incidents(stumbling, duplicate)


async def test_two_lost_tasks_at_one_time(stumbling: Office) -> None:
    case_id, _ = await stumbling.open(submit(), GRID)
    await stumbling.give(case_id, at_once(), WORKER)
    await stumbling.give(case_id, do.ClaimCompletion(text="text:0000000000000003"), GRID)
    LOST.extend([("command", case_id)] * 2)

    note = do.ContactReporter(note="text:0000000000000007")
    answers = await asyncio.gather(*(stumbling.give(case_id, note, who) for who in (WORKER, WORKER_B)))

    assert not LOST
    last = (await same_in_both(stumbling, case_id)).version
    assert {answer.version for answer in answers} == {last - 1, last}


@pytest.fixture(autouse=True)
def _nothing_is_lost() -> None:
    LOST.clear()
