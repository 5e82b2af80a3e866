"""Cases that were begun by the previous commit's worker finish under this one's, and go back to it unharmed."""

import asyncio
import base64
import io
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.payloads import data_converter
from services.embedded.servers import Servers
from services.engine import TASK_QUEUE, Engine, EngineUnavailable, newest
from services.storage.database import database
from services.storage.history import Past, case_at, case_now
from services.storage.keys import PAYLOADS, derived, key_id
from tests.workflow.conftest import GRID, ISSUE, WORKER, WORKER_B, Office
from tests.workflow.test_shell import TOLD, at_once, submit
from workflows.issue import commands as do
from workflows.issue.data import Solved
from workflows.kernel.process import Actor
from workflows.kernel.wire import Receipt, restored

ROOT = Path(__file__).parents[2]
PACK = "lanzhou_2021"
KEY = bytes(32)
CONVERTER = data_converter(derived({key_id(KEY): KEY}, PAYLOADS))
"""What the workers' engine keeps is encrypted, and so is what it answers."""
STEPS: tuple[tuple[object, Actor], ...] = (
    (at_once(), WORKER),
    (do.ClaimCompletion(text="text:0000000000000003"), GRID),
    (TOLD, WORKER),
    (do.RecordVisit(contacted=True, solved=Solved.NO), WORKER_B),
    (do.LogProgress(text="text:0000000000000005"), GRID),
)


def previous(folder: Path) -> None:
    """Lay out the previous commit in a folder; skips the test where there is none."""
    packed = subprocess.run(["git", "archive", "HEAD~1"], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode != 0:
        pytest.skip("no previous commit: this is not a clone with a history")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(folder, filter="data")


@asynccontextmanager
async def worker_of(code: Path, servers: Servers, database_url: str, home: Path) -> AsyncIterator[None]:
    """A worker process that runs the code of a folder."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(code),
        "SHANGLIANG_HOME": str(home),
        "SHANGLIANG_DATABASE_URL": database_url,
        "SHANGLIANG_TEMPORAL_ADDRESS": servers.temporal_address,
        "SHANGLIANG_TEMPORAL_NAMESPACE": servers.temporal_namespace,
        "SHANGLIANG_SEAL_KEY": base64.b64encode(KEY).decode(),
        "SHANGLIANG_POLICY": PACK,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "worker", cwd=code, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        yield
        assert process.returncode is None
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def patiently_given(office: Office, case_id: str, number: int) -> Receipt:
    """Give the step with this number; a worker that is still starting answers later."""
    command, actor = STEPS[number]
    async with asyncio.timeout(60):
        while True:
            try:
                return await office.give(case_id, command, actor, key=f"{case_id}-{number}")
            except EngineUnavailable:
                await asyncio.sleep(0.2)


async def patiently_opened(office: Office, key: str) -> str:
    async with asyncio.timeout(60):
        while True:
            try:
                return (await office.open(submit(), GRID, key=key))[0]
            except EngineUnavailable:
                await asyncio.sleep(0.2)


async def test_cases_of_the_previous_commit_finish_under_this_one_and_back(
    servers: Servers, database_url: str, tmp_path: Path
) -> None:
    old, home = tmp_path / "old", tmp_path / "home"
    previous(old)
    client = await Client.connect(
        servers.temporal_address, namespace=servers.temporal_namespace, data_converter=CONVERTER
    )
    storage = database(database_url, pool_size=4, application_name="test")
    engine = Engine(client, Past(storage), newest(PACK), task_queue=TASK_QUEUE, timeout=10)
    office = Office(engine, client, storage, TASK_QUEUE)
    cases: list[str] = []
    done: dict[str, int] = {}
    async with worker_of(old, servers, database_url, home):
        for number in range(len(STEPS)):
            case_id = await patiently_opened(office, f"upgraded-{number}")
            cases.append(case_id)
            for step in range(number):
                await patiently_given(office, case_id, step)
            done[case_id] = number
    async with worker_of(ROOT, servers, database_url, home):
        for case_id in cases[:-1]:
            await patiently_given(office, case_id, done[case_id])
            done[case_id] += 1
    # Back to the earlier code, as after a release that is withdrawn, and forward again.
    async with worker_of(old, servers, database_url, home):
        for case_id in cases:
            if done[case_id] < len(STEPS) - 1:
                await patiently_given(office, case_id, done[case_id])
                done[case_id] += 1
    async with worker_of(ROOT, servers, database_url, home):
        for case_id in cases:
            for step in range(done[case_id], len(STEPS)):
                await patiently_given(office, case_id, step)
            held = await office.engine.case(ISSUE, case_id)
            assert held is not None
            async with storage.connect() as connection:
                stands = await case_now(connection, ISSUE, case_id)
                assert stands is not None
                assert stands.position == "IN_PROGRESS"
                assert stands == restored(ISSUE, held)
                assert await case_at(connection, ISSUE, case_id, stands.version) == stands
    await storage.dispose()
