"""A worker is killed between the ledger's write and the engine's learning of it (issue 3, part 5)."""

import asyncio
import signal
import sys
import uuid
from pathlib import Path

from temporalio.client import Client

from activities.payloads import DATA_CONVERTER
from services.embedded.servers import Servers
from services.engine import Engine, EngineUnavailable, newest
from services.storage.database import database
from services.storage.history import Past, broken_at
from tests.forever.test_lost_tasks import incidents, same_in_both
from tests.workflow.conftest import GRID, WORKER, Office, worker_on
from tests.workflow.test_shell import at_once, submit
from workflows.issue import commands as do

ROOT = Path(__file__).parents[2]


async def test_a_worker_that_dies_right_after_the_write_has_written_once(servers: Servers, database_url: str) -> None:
    client = await Client.connect(
        servers.temporal_address, namespace=servers.temporal_namespace, data_converter=DATA_CONVERTER
    )
    storage = database(database_url, pool_size=4, application_name="test")
    queue = f"gov-{uuid.uuid4().hex[:8]}"
    engine = Engine(client, Past(storage), newest("lanzhou_2021"), task_queue=queue, timeout=20)
    office = Office(engine, client, storage, queue)
    dying = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.forever.dying",
        servers.temporal_address,
        servers.temporal_namespace,
        queue,
        database_url,
        "accept_to_problem_list",
        cwd=ROOT,
    )
    try:
        case_id, _ = await office.open(submit(), GRID)
        asked = asyncio.create_task(office.give(case_id, at_once(), WORKER, key="deadly"))
        assert await asyncio.wait_for(dying.wait(), 20) == -signal.SIGKILL
    finally:
        if dying.returncode is None:
            dying.kill()
            await dying.wait()

    async with worker_on(client, storage, engine, queue):
        try:
            receipt = await asked
        except EngineUnavailable:
            receipt = await office.give(case_id, at_once(), WORKER, key="deadly")
        case = await same_in_both(office, case_id)
        assert receipt.version == case.version == 3
        noted = await office.give(case_id, do.LogProgress(text="text:0000000000000005"), GRID)
        assert noted.version == 4
        async with storage.connect() as connection:
            assert await broken_at(connection, case_id) is None
        assert not await incidents(office, case_id)
    await storage.dispose()
