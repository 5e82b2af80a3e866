"""The whole API on real servers: PostgreSQL, Temporal, a worker, the demonstration street."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.calendar import Calendars
from activities.neighbours import Neighbours
from activities.payloads import data_converter
from activities.records import Records
from services.api.admission_check import check_router
from services.api.app import create_app
from services.api.ballots import ballot_router
from services.api.burden import burden_router
from services.api.lists import list_router
from services.api.postgres import PostgresReads
from services.embedded.servers import Servers
from services.engine import Engine, connect, newest
from services.identity.actors import Directory
from services.identity.passwords import Passwords
from services.identity.tokens import Tokens
from services.importing.lists import read_list
from services.storage.answers import Answers
from services.storage.calendar import CalendarStore
from services.storage.database import database, healthy
from services.storage.demo import seed_demo
from services.storage.doing import Deeds
from services.storage.files import Files
from services.storage.history import Past
from services.storage.ledger import Ledger
from services.storage.sealing import Seal
from workflows.policy.packs import load
from workflows.registry import PROCESSES, WORKFLOWS

PASSWORD = "an example only"
PAYLOAD_KEYS = {"k1": b"p" * 32}
POLICY = "lanzhou_2021"
C1, C2 = "620199001001", "620199001002"
_queues = itertools.count(1)

Call = Callable[..., Awaitable[httpx.Response]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(servers: Servers, database_url: str, tmp_path_factory: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app with a worker behind it, in a database of this module's own."""
    files: Path = tmp_path_factory.mktemp("files")
    storage = database(database_url)
    await seed_demo(storage, PASSWORD, Passwords())
    seal = Seal({"test": b"s" * 32}, "test")
    calendars = Calendars(CalendarStore(storage))
    queue = f"api-{next(_queues)}"
    door = Engine(
        await connect(servers.temporal_address, servers.temporal_namespace, PAYLOAD_KEYS),
        Past(storage),
        newest(POLICY),
        task_queue=queue,
    )
    records = Records(Ledger(storage, calendars=calendars, seal=seal), Past(storage))
    neighbours = Neighbours(door, Answers(storage, PROCESSES), Deeds(storage))

    async def fine() -> bool:
        return await healthy(storage)

    app = create_app(
        processes=tuple({process.name: process for process in PROCESSES.values()}.values()),
        engine=door,
        reads=PostgresReads(storage, calendars, seal),
        people=Directory(storage),
        tokens=Tokens("k" * 32),
        sealing=seal,
        secrets=[b"s" * 32],
        store=Files(files.as_uri()),
        pack=load(POLICY),
        probes={"postgres": fine},
        routers=(
            list_router(storage, read_list),
            check_router(storage),
            burden_router(storage),
            ballot_router(storage),
        ),
    )
    worker = Worker(
        await Client.connect(
            servers.temporal_address, namespace=servers.temporal_namespace, data_converter=data_converter(PAYLOAD_KEYS)
        ),
        task_queue=queue,
        workflows=list(WORKFLOWS),
        activities=[records.record, records.stands, neighbours.carry_out],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with (
        worker,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/api/v1", timeout=30) as one,
    ):
        yield one
    await storage.dispose()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def call(client: httpx.AsyncClient) -> Call:
    """Call the API as somebody of the street: `await call("worker1", "GET", "/me")`."""
    tokens: dict[str, str] = {}

    async def as_somebody(
        who: str, method: str, path: str, body: Any = None, *, key: str = "", **headers: str
    ) -> httpx.Response:
        if who not in tokens:
            form = {"username": who, "password": PASSWORD}
            signed_in = await client.post("/auth/token", data=form)
            assert signed_in.status_code == 200, signed_in.text
            tokens[who] = signed_in.json()["access_token"]
        sent = {"Authorization": f"Bearer {tokens[who]}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            sent["Idempotency-Key"] = key
        return await client.request(method, path, json=body, headers=sent)

    return as_somebody


BODY = {
    "community_code": C1,
    "title": "下水道堵塞反水",
    "description": "三号楼北侧下水道堵塞，污水外溢",
    "source": "RESIDENT",
    "category_code": "B01",
    "location": {"lat": 36.06, "lon": 103.83},
    "reporter": {"name": "王某", "phone": "13800000000"},
}
