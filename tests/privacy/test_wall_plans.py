"""Behind the wall, too, every question goes by an index and reads few pages."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event as listening
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.storage.wall import Wall
from tests.storage import test_reads_plans as town
from tests.storage.test_reads_plans import Ask
from workflows.kernel.process import Actor

EVERYBODY = (town.WORKER, town.STREET, town.COUNTY, town.CITY, town.OFFICER, town.RESIDENT)
# Twice as many as without the wall: a row that is looked at is also checked.
MOST_PAGES = 2 * town.MOST_PAGES


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def filled(owner: AsyncEngine) -> AsyncIterator[None]:
    """A city's worth of cases."""
    async with owner.begin() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in town.FILL:
            await connection.execute(text(statement))
    yield


async def plans(reader: AsyncEngine, wall: Wall, who: Actor, ask: Ask) -> list[dict[str, Any]]:
    """The plan of every statement that a question sends behind the wall, with what it really read."""
    sent: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        sent.append((statement, parameters))

    async with wall.looks(who) as connection:
        listening.listen(reader.sync_engine, "before_cursor_execute", note)
        try:
            await ask(connection)
        finally:
            listening.remove(reader.sync_engine, "before_cursor_execute", note)
        driver: Any = (await connection.get_raw_connection()).driver_connection
        found = [await driver.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {one}", *given) for one, given in sent]
    return [one[0]["Plan"] for one in found]


@pytest.mark.parametrize("who", EVERYBODY, ids=lambda actor: actor.username)
@pytest.mark.parametrize("name", town._asks(town.WORKER))
async def test_a_question_goes_by_an_index(reader: AsyncEngine, wall: Wall, who: Actor, name: str) -> None:
    found = await plans(reader, wall, who, town._asks(who)[name])

    assert found
    big = {"case_file", "clock", "task", "prose", "event"}
    assert set().union(*(town.scans(plan) for plan in found)) & big == set()
    assert max(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in found) < MOST_PAGES


@pytest.mark.parametrize("name", town.OTHERS)
async def test_a_list_of_a_community_goes_by_an_index(reader: AsyncEngine, wall: Wall, name: str) -> None:
    found = await plans(reader, wall, town.WORKER, town.OTHERS[name])

    assert set().union(*(town.scans(plan) for plan in found)) <= {"organization", "region"}
    assert max(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in found) < MOST_PAGES
