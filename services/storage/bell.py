"""Ring for those who are waiting for news (实时提醒): one connection of each process listens for all of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.storage.outbox import BELL

AGAIN = 1.0

log = structlog.get_logger(__name__)


class Bell:
    """Wakes whoever waits for a person's news; listens only while somebody does.

    A ring may be missed while the database is away: who waits looks again now and then by himself.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._listening: asyncio.Task[None] | None = None
        self.ended = False

    @contextlib.asynccontextmanager
    async def heard(self, person: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever this person has something new; the one who waits clears it."""
        mine = asyncio.Event()
        self._waiting.setdefault(person, set()).add(mine)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        try:
            yield mine
        finally:
            self._waiting[person].discard(mine)
            if not self._waiting[person]:
                del self._waiting[person]
            if not self._waiting:
                await self.close()

    def end(self) -> None:
        """Let everybody go who waits: the process is about to end."""
        self.ended = True
        for events in self._waiting.values():
            for one in events:
                one.set()

    async def close(self) -> None:
        """Stop listening."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            await asyncio.wait({listening})

    async def _listen(self) -> None:
        while True:
            try:
                async with self._engine.connect() as connection:
                    driver = (await connection.get_raw_connection()).driver_connection
                    assert isinstance(driver, asyncpg.Connection)  # the only driver that `database` opens
                    gone = asyncio.Event()
                    await driver.add_listener(BELL, self._rung)
                    driver.add_termination_listener(partial(_told, gone))
                    try:
                        await gone.wait()
                    finally:
                        if not driver.is_closed():
                            await driver.remove_listener(BELL, self._rung)
            except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                log.warning("bell.away", reason=type(error).__name__)
            await asyncio.sleep(AGAIN)

    def _rung(self, driver: object, pid: int, name: str, person: object) -> None:
        for one in self._waiting.get(str(person), ()):
            one.set()


def _told(gone: asyncio.Event, driver: object) -> None:
    gone.set()
