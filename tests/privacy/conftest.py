"""Databases as web and worker see them: by roles that own nothing."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from services.embedded.postgres import READER
from services.embedded.servers import Servers
from services.storage.database import database
from services.storage.wall import Wall
from tests.conftest import another_database


@pytest.fixture(scope="module")
def application_url(servers: Servers, database_url: str) -> str:
    """The module's database as the role of web and worker."""
    return another_database(servers.application_url, urlsplit(database_url).path.removeprefix("/"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine of the owner."""
    engine = database(database_url, pool_size=2)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def application(application_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine of web and worker."""
    engine = database(application_url, pool_size=2)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reader(application_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine that answers people."""
    engine = database(application_url, pool_size=2, role=READER)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
def wall(reader: AsyncEngine) -> Wall:
    """The second wall."""
    return Wall(reader)
