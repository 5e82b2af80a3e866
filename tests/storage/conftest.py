"""A real ledger for the tests of this folder."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.calendar import Calendars
from services.storage.calendar import CalendarStore, load_national
from services.storage.database import database
from services.storage.ledger import Ledger
from services.storage.sealing import Seal
from tests.storage.town import Town, without_cases
from workflows.kernel.process import Pin
from workflows.policy.packs import load


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

    def make(pack: Any = None, policy: Any = None) -> Town:
        pack = pack or load("lanzhou_2021")
        seal = Seal({"k1": b"k" * 32}, "k1")
        ledger = Ledger(
            ledger_engine,
            calendars=Calendars(CalendarStore(ledger_engine)),
            seal=seal,
            policy=policy or (lambda name, version, sha: pack),
        )
        return Town(ledger_engine, ledger, seal, Pin(pack.pack, pack.version, pack.sha), pack)

    return make


@pytest.fixture
def town(new_town: Callable[..., Town]) -> Town:
    """A town under the policy of Lanzhou."""
    return new_town()


@pytest_asyncio.fixture(loop_scope="session")
async def connection(town: Town) -> AsyncIterator[AsyncConnection]:
    """A connection on an empty set of cases."""
    await without_cases(town.engine)
    async with town.engine.connect() as opened:
        yield opened
