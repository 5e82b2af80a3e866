"""Bring messages from the outbox to people (通知): find out who is told, then send what they chose to get elsewhere.

Both halves may be repeated at any moment, by several workers at once: the box hands each message to one of them, and
what was sent twice after all carries the same key.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from workflows.kernel.calendar import CHINA

EVERY = timedelta(seconds=1)
WITHIN = 60.0
SENT_AT_ONCE = 4
MOST_TRIES = 14
"""Tries before a message is given up: with the waits between them most of a working day."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=20), timedelta(hours=1)
URGENT = frozenset(
    {
        "clock_red",
        "clock_red_plus_plus",
        "red_plus",
        "supervision_opened",
        "supervision_breached",
        "supervision_to_county",
        "slot_missed",
        "slot_not_made_up",
    }
)
"""Templates that wait neither for the morning nor for a digest (红色督办)."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """One message (通知): from which template, about which case; its title is masked, nothing else says who."""

    template: str
    process: str
    number: str
    title: str
    clock: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes through a channel in one piece: one message, or those of a day (汇总)."""

    deliveries: tuple[int, ...]
    channel_id: UUID
    url: str
    language: str
    told: tuple[Told, ...]
    tries: int

    @property
    def key(self) -> str:
        """The same at every try, so that a receiver can tell a repeat."""
        return "-".join(map(str, (self.channel_id, self.deliveries[0], len(self.deliveries))))


class NotDelivered(Exception):
    """A channel did not take a message; `reason` is a code and holds nothing of an address or a text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Box(Protocol):
    """Where messages wait."""

    async def dispatch(self) -> int:
        """Find out whom waiting messages go to and write it down; how many there were."""

    async def due(self) -> Sequence[Parcel]:
        """Take what is to be sent now; nobody else gets it until its try has had time to end."""

    async def sent(self, parcel: Parcel) -> None:
        """A channel has taken it."""

    async def failed(self, parcel: Parcel, reason: str) -> None:
        """A channel has not; later again, or given up with an incident."""


class Carrier(Protocol):
    """What brings a message to an address outside."""

    async def send(self, parcel: Parcel) -> None:
        """Send it; raises `NotDelivered`."""


class Dispatcher:
    """Brings messages out once a second, as long as the worker runs."""

    def __init__(self, box: Box, carrier: Carrier) -> None:
        self._box = box
        self._carrier = carrier

    async def run(self) -> None:
        """Work until cancelled; a database that is away is asked again."""
        while True:
            try:
                async with asyncio.timeout(WITHIN):
                    await self.once()
            except Exception as error:  # a defect must not end it: nobody would be told anything any more
                log.warning("notices.away", reason=type(error).__name__)
            await asyncio.sleep(EVERY.total_seconds())

    async def once(self) -> None:
        """Bring out everything that waits now."""
        while await self._box.dispatch():
            pass
        room = asyncio.Semaphore(SENT_AT_ONCE)
        while parcels := await self._box.due():
            await asyncio.gather(*(self._carry(parcel, room) for parcel in parcels))

    async def _carry(self, parcel: Parcel, room: asyncio.Semaphore) -> None:
        async with room:
            try:
                await self._carrier.send(parcel)
            except NotDelivered as refused:
                log.warning("notices.refused", channel=str(parcel.channel_id), reason=refused.reason)
                await self._box.failed(parcel, refused.reason)
            else:
                await self._box.sent(parcel)


def opens_at(
    now: datetime,
    *,
    urgent: bool,
    quiet: tuple[time, time] | None = None,
    digest: time | None = None,
) -> datetime:
    """When a channel takes a message of now: at once, at the end of its quiet hours, or with the digest of the day.

    Times of day are Beijing's; quiet hours may go over midnight; what is urgent never waits.
    """
    if urgent:
        return now
    if digest is not None:
        return _next(now, digest)
    if quiet is not None and _within(now.astimezone(CHINA).time(), *quiet):
        return _next(now, quiet[1])
    return now


def wait_after(tries: int) -> timedelta:
    """How long a channel is left alone after so many tries in vain: twice as long each time, at most an hour."""
    return min(FIRST_WAIT * (1 << min(tries, 20)), LONGEST_WAIT)


def _within(at: time, since: time, until: time) -> bool:
    return since <= at < until if since <= until else at >= since or at < until


def _next(now: datetime, at: time) -> datetime:
    here = now.astimezone(CHINA)
    found = here.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=0)
    return found if found > here else found + timedelta(days=1)
