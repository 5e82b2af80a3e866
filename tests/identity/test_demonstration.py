"""A drill may run only where everybody is invented."""

from collections.abc import AsyncIterator

import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.actors import Directory
from services.identity.passwords import Passwords
from services.storage import people
from services.storage.database import database
from services.storage.demo import seed_demo


@pytest_asyncio.fixture(loop_scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = database(database_url)
    yield made
    await made.dispose()


async def test_one_real_person_ends_the_demonstration(engine: AsyncEngine) -> None:
    directory = Directory(engine)
    assert not await directory.is_demonstration(), "nobody is there yet"

    await seed_demo(engine, "a password", Passwords())
    assert await directory.is_demonstration()

    async with engine.begin() as connection:
        await people.add_person(connection, region_code="6201", display_name="新人")
    assert not await directory.is_demonstration()
