"""Servers and databases for every test that needs real ones; a test that asks for none starts none."""

import asyncio
import gc
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from services.embedded.home import Home
from services.embedded.servers import Servers, embedded
from services.storage.calendar import bring_national
from services.storage.migrating import migrate

# Fast ones first: whoever broke a rule need not wait for servers to learn it.
ORDER = ("unit", "rules", "arch", "web", "identity", "storage", "workflow", "replay", "embedded", "journey")
# The loop of Playwright never lets another one run in the same thread.
LAST = "browser"
TEMPLATE = "template_migrated"
_numbers = itertools.count(1)
_STATUS = pytest.StashKey[int]()


def pytest_configure() -> None:
    """Forget how wide the terminal of whoever runs the tests is: what a command prints must not hang on it."""
    os.environ.pop("COLUMNS", None)


def pytest_collection_finish() -> None:
    """Keep what was imported out of every collection: a full one takes seconds, in which a workflow seems to hang."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the folders in the order of their speed."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(here).parts[0]
        if folder == LAST:
            return len(ORDER) + 1
        return ORDER.index(folder) if folder in ORDER else len(ORDER)

    items.sort(key=place)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how the run ended."""
    session.config.stash[_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave at once after a run that used the engine: its native runtime may abort in an orderly exit."""
    if "temporalio.bridge.temporal_sdk_bridge" in sys.modules and _STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_STATUS])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers() -> AsyncIterator[Servers]:
    """PostgreSQL and Temporal for the whole run, in a home of their own; gone with it."""
    # A short path: the name of a socket may have a hundred letters.
    home = Home(Path(tempfile.mkdtemp(prefix="shangliang-")).resolve())
    try:
        async with embedded(home, durable=False, preferred_port=0) as started:
            yield started
    finally:
        shutil.rmtree(home.root, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template_database(servers: Servers) -> str:
    """The name of a migrated database that is only copied from."""
    await execute_on(servers.database_url, f"CREATE DATABASE {TEMPLATE}")
    await migrate(another_database(servers.database_url, TEMPLATE))
    await bring_national(another_database(servers.database_url, TEMPLATE))
    return TEMPLATE


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database_url(servers: Servers, template_database: str) -> AsyncIterator[str]:
    """The address of a migrated, empty database of this test module's own."""
    name = f"module_{next(_numbers)}"
    await execute_on(servers.database_url, f"CREATE DATABASE {name} TEMPLATE {template_database}")
    yield another_database(servers.database_url, name)
    await drop_database(servers.database_url, name)


@pytest_asyncio.fixture(loop_scope="session")
async def empty_database_url(servers: Servers) -> AsyncIterator[str]:
    """The address of a database without any table, of this test's own: for migrations."""
    name = f"empty_{next(_numbers)}"
    await execute_on(servers.database_url, f"CREATE DATABASE {name}")
    yield another_database(servers.database_url, name)
    await drop_database(servers.database_url, name)


def another_database(url: str, name: str) -> str:
    """Give the address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def drop_database(url: str, name: str) -> None:
    """Drop a database with whoever is still connected to it."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await execute_on(url, f"DROP DATABASE {name} WITH (FORCE)")
            except asyncpg.InsufficientPrivilegeError:
                # The server itself cleans up there, which is nobody's to end.
                await asyncio.sleep(0.2)


async def execute_on(url: str, statement: str) -> None:
    """Carry out one statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
