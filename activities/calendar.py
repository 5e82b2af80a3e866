"""Keep the calendar of working days at hand, so that stamping a deadline reads nothing."""

import asyncio
import time
from typing import Protocol

from workflows.kernel.calendar import HostCalendar


class CalendarSource(Protocol):
    """Where the calendar is kept."""

    async def edition(self) -> str:
        """Name of the calendar as it stands; another one after every change."""

    async def load(self) -> HostCalendar:
        """The whole calendar."""


class Calendars:
    """Give the calendar as it stands; it is loaded again only when its edition has changed.

    Between two looks at the edition, `recheck` seconds apart, nothing is read at all. A change is seen that much
    later; the recomputation of running deadlines calls `refresh` first.
    """

    def __init__(self, source: CalendarSource, *, recheck: float = 10.0) -> None:
        self._source = source
        self._recheck = recheck
        self._held: HostCalendar | None = None
        self._looked_at = 0.0
        self._loading = asyncio.Lock()

    async def current(self) -> HostCalendar:
        """The calendar, not older than `recheck` seconds."""
        held = self._held
        if held is not None and time.monotonic() - self._looked_at < self._recheck:
            return held
        async with self._loading:
            if self._held is not None and time.monotonic() - self._looked_at < self._recheck:
                return self._held
            return await self._look()

    async def refresh(self) -> HostCalendar:
        """The calendar as it is this moment."""
        async with self._loading:
            return await self._look()

    async def _look(self) -> HostCalendar:
        held = self._held
        if held is None or await self._source.edition() != held.edition:
            held = await self._source.load()
        self._held, self._looked_at = held, time.monotonic()
        return held


def edition_number(edition: str) -> int:
    """The number in the name of a stored edition (`… #3`), by which a write notices a calendar that has changed."""
    return int(edition.rpartition("#")[2])
