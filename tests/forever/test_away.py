"""The database goes away while commands arrive: nothing is lost or doubled, and what was asked is answered after."""

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest_asyncio
from sqlalchemy import func, select

from services.embedded.servers import Servers
from services.engine import EngineUnavailable
from services.storage.database import database
from services.storage.history import broken_at, case_now
from services.storage.incidents import open_incidents
from services.storage.ledger_tables import command
from tests.workflow.conftest import GRID, ISSUE, WORKER, Office, office_under
from tests.workflow.test_shell import at_once, submit
from workflows.issue import commands as do
from workflows.kernel.wire import restored

AWAY = 5.0
SOCKET = ".s.PGSQL.5432"


class Passage:
    """Lets connections through to a server, until it is shut; then those that are open are cut too."""

    def __init__(self, there: Path, here: Path) -> None:
        self._there, self._here = there, here
        self._open = True
        self._writers: set[asyncio.StreamWriter] = set()

    async def begin(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._pass, self._here)

    def shut(self) -> None:
        """Cut every connection and let none through."""
        self._open = False
        for writer in self._writers:
            writer.transport.abort()

    def clear(self) -> None:
        """Let connections through again."""
        self._open = True

    async def end(self) -> None:
        """Stop listening."""
        self.shut()
        self._server.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_unix_connection(self._there)
        self._writers |= {writer, there_writer}
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        self._writers -= {writer, there_writer}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        # Cut: both ends learn it by the end of their stream.
        pass
    finally:
        writer.close()


@pytest_asyncio.fixture(loop_scope="session")
async def passage(database_url: str) -> AsyncIterator[tuple[Passage, str]]:
    """A way to PostgreSQL that can be shut, and the database's address by that way."""
    parts = urlsplit(database_url)
    there = Path(parse_qs(parts.query)["host"][0])
    # A short path: the name of a socket may have a hundred letters.
    with tempfile.TemporaryDirectory(prefix="way-") as here:
        way = Passage(there / SOCKET, Path(here) / SOCKET)
        await way.begin()
        yield way, urlunsplit(parts._replace(query=urlencode({"host": here})))
        await way.end()


async def until_taken(office: Office, case_id: str, number: int) -> int:
    """Give a command with one key until it is answered, as a caller does who is told 503."""
    note = do.LogProgress(text=f"text:{number:016x}")
    while True:
        try:
            return (await office.give(case_id, note, GRID, key=f"{case_id}-{number}")).version
        except EngineUnavailable:
            await asyncio.sleep(0.2)


async def test_a_database_that_is_away_loses_and_doubles_nothing(
    servers: Servers, database_url: str, passage: tuple[Passage, str]
) -> None:
    way, through = passage
    direct = database(database_url, pool_size=2, application_name="test")
    async for office in office_under(servers, through, "lanzhou_2021"):
        cases = [(await office.open(submit(), GRID))[0] for _ in range(4)]
        for case_id in cases:
            await office.give(case_id, at_once(), WORKER)
        way.shut()
        asked = [asyncio.create_task(until_taken(office, case_id, n)) for case_id in cases for n in range(3)]
        await asyncio.sleep(AWAY)
        assert not any(one.done() for one in asked)
        way.clear()

        async with asyncio.timeout(40):
            versions = await asyncio.gather(*asked)

        assert sorted(versions) == sorted([4, 5, 6] * len(cases))
        for case_id in cases:
            held = await office.engine.case(ISSUE, case_id)
            assert held is not None
            async with direct.connect() as connection:
                stands = await case_now(connection, ISSUE, case_id)
                assert stands == restored(ISSUE, held)
                assert await broken_at(connection, case_id) is None
                counted = select(func.count()).where(command.c.case_id == uuid.UUID(case_id))
                assert await connection.scalar(counted) == 5
        async with direct.connect() as connection:
            assert not [one for one in await open_incidents(connection) if str(one.case_id) in cases]
    await direct.dispose()
