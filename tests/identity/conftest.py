"""The door of the product on a real database with the demonstration street; no worker, so that no case moves."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.calendar import Calendars
from services.api.accounts import account_router
from services.api.app import create_app
from services.api.people import people_router
from services.api.postgres import PostgresReads
from services.api.tree import tree_router
from services.api.workbooks import workbook_router
from services.embedded.servers import Servers
from services.engine import Engine, connect, newest
from services.identity.accounts import Accounts
from services.identity.actors import Directory
from services.identity.passwords import Passwords
from services.identity.provider import Provider
from services.identity.rates import Rates
from services.identity.second_factor import APPROVERS, SecondFactors
from services.identity.tokens import Tokens
from services.importing.tree import TreeBooks
from services.storage.calendar import CalendarStore
from services.storage.database import database, healthy
from services.storage.demo import seed_demo
from services.storage.files import Files
from services.storage.history import Past
from services.storage.sealing import Seal
from services.storage.tree import Tree
from services.storage.tree_rules import Limits
from workflows.policy.packs import load
from workflows.registry import PROCESSES

PASSWORD = "heard, decided, done"
POLICY = "lanzhou_2021"
KEY = "k" * 32
C1, C2 = "620199001001", "620199001002"

Call = Callable[..., Awaitable[httpx.Response]]
Make = Callable[..., FastAPI]


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> Iterator[None]:
    """Lines as in production: a traceback without its local variables, which take seconds to draw."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def storage(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The module's database with the demonstration street."""
    made = database(database_url)
    await seed_demo(made, PASSWORD, Passwords())
    yield made
    await made.dispose()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def make(servers: Servers, storage: AsyncEngine, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make the app, on another clock, with guarded roles, a provider or rates when a test wants them."""
    door = Engine(
        await connect(servers.temporal_address, servers.temporal_namespace, {"test": b"p" * 32}),
        Past(storage),
        newest(POLICY),
    )
    seal = Seal({"test": b"s" * 32}, "test")
    tree = Tree(storage, Limits.of(load(POLICY)))
    files = Files(tmp_path_factory.mktemp("files").as_uri())

    async def fine() -> bool:
        return await healthy(storage)

    def made(
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        guarded: bool = False,
        provider: Provider | None = None,
        rates: Rates | None = None,
    ) -> FastAPI:
        tokens = Tokens(KEY, now=clock)
        codes = SecondFactors(storage, seal, clock)
        people = Directory(storage, codes=codes, guarded=APPROVERS if guarded else frozenset(), now=clock)
        accounts = Accounts(storage, directory=people, tokens=tokens, codes=codes, provider=provider, now=clock)
        return create_app(
            processes=tuple({process.name: process for process in PROCESSES.values()}.values()),
            engine=door,
            reads=PostgresReads(storage, Calendars(CalendarStore(storage)), seal),
            people=people,
            tokens=tokens,
            sealing=seal,
            secrets=[b"s" * 32],
            store=files,
            pack=load(POLICY),
            probes={"postgres": fine},
            routers=(
                account_router(accounts, people.keys),
                tree_router(tree),
                people_router(tree, accounts),
                workbook_router(TreeBooks(tree)),
            ),
            rates=rates,
        )

    return made


def browser(app: FastAPI) -> httpx.AsyncClient:
    """A client of the app."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/api/v1", timeout=30)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(make: Make) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app as it comes."""
    async with browser(make()) as one:
        yield one


async def token(client: httpx.AsyncClient, who: str, password: str = PASSWORD, **more: str) -> str:
    """Sign in; gives the access token."""
    answer = await client.post("/auth/token", data={"username": who, "password": password, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def bearer(shown: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {shown}"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def call(client: httpx.AsyncClient) -> Call:
    """Call the API as somebody of the street: `await call("worker1", "GET", "/me")`."""
    tokens: dict[str, str] = {}

    async def as_somebody(who: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        if who not in tokens:
            tokens[who] = await token(client, who)
        return await client.request(method, path, json=body, headers={**bearer(tokens[who]), **headers})

    return as_somebody
