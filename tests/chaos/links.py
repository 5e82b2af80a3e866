"""R5 and R6: connections are cut, one way or both, and the database is slow, frozen, locked or out of connections."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator

import asyncpg

from tests.chaos.http import Callers, Try, once
from tests.chaos.lives import PEOPLE, Lived, live
from tests.chaos.outcome import Outcome, history_holds
from tests.chaos.product import PASSWORD, Apart, apart
from tests.check.history import install_counter

ANSWER_WITHIN = 6.0
"""Five seconds, and one for a busy machine."""
OWN_LIMIT = 10.0
LINKS = (("web", "postgres"), ("web", "temporal"), ("worker", "postgres"), ("worker", "temporal"))


async def partition(seed: int, *, cuts: tuple[float, ...] = (5.0,), clients: int = 4) -> Outcome:
    """R5: every link is cut for some seconds, both ways and one way; the proxy swallows what is sent."""
    outcome = Outcome("R5", seed)
    async with apart() as running, at_work(running, seed, clients) as work:
        callers = work.callers
        slowest_recovery = 0.0
        began = time.monotonic()
        for one, other in LINKS:
            for there, back in ((True, True), (True, False), (False, True)):
                for seconds in cuts:
                    await _cut(running, one, other, seconds, there=there, back=back)
                    slowest_recovery = max(slowest_recovery, await _recovered(callers))
        outcome.done = (
            f"{len(LINKS)} links cut both ways and each way for {', '.join(f'{cut:g}' for cut in cuts)} s by a "
            f"proxy, in {time.monotonic() - began:.0f} s "
            "(no namespaces: the servers listen on a socket and the loopback only)"
        )
        outcome.at_most("recovery after the link was back", slowest_recovery, 15.0)
        outcome.at_most("longest answered request", _slowest_answered(callers.tries()), ANSWER_WITHIN)
        outcome.none_of(
            "requests without any answer", [f"{one.seconds:.1f} s" for one in callers.tries() if not one.status]
        )
        await _end(outcome, running, work)
    return outcome


async def _cut(running: Apart, one: str, other: str, seconds: float, *, there: bool, back: bool) -> None:
    proxies = running.between(one, other)
    for proxy in proxies:
        proxy.close(there=there, back=back)
    try:
        await asyncio.sleep(seconds)
    finally:
        for proxy in proxies:
            proxy.open()


async def _recovered(callers: Callers) -> float:
    """Seconds until a command that began from now on has succeeded."""
    now = time.monotonic()
    async with asyncio.timeout(60):
        while not (done := [one for one in callers.tries() if 0 < one.status < 300 and one.began > now]):
            await asyncio.sleep(0.1)
    return done[0].ended - now


async def slow_database(
    seed: int,
    *,
    delays: tuple[float, ...] = (0.05, 0.5, 5.0),
    each: float = 8.0,
    frozen: float = 12.0,
    clients: int = 4,
) -> Outcome:
    """R6: the database answers late, stands still, is locked, or has no connection left."""
    outcome = Outcome("R6", seed)
    async with apart() as running, at_work(running, seed, clients) as work:
        callers = work.callers
        for delay in delays:
            for proxy in running.between("*", "postgres"):
                proxy.delay = delay
            await asyncio.sleep(each)
            for proxy in running.between("*", "postgres"):
                proxy.delay = 0.0
            outcome.at_most(f"recovery after {delay * 1000:.0f} ms on each way", await _recovered(callers), 10.0)
        for name, trouble in (("frozen", _frozen), ("locked", _locked), ("out of connections", _exhausted)):
            truth = await trouble(running, frozen)
            outcome.none_of(f"lies of the health page while the database is {name}", truth)
            outcome.at_most(f"recovery after the database was {name}", await _recovered(callers), 10.0)
        outcome.done = (
            f"delays of {', '.join(f'{1000 * one:g}' for one in delays)} ms, then {frozen:g} s of standing still each"
        )
        outcome.at_most("longest request", callers.slowest(), OWN_LIMIT)
        storm = [f"{one.status}" for one in callers.tries() if one.status >= 500 and one.seconds < 0.001]
        outcome.none_of("answers of a storm", storm)
        await _end(outcome, running, work)
    return outcome


async def _frozen(running: Apart, seconds: float) -> list[str]:
    running.freeze("postgres", frozen=True)
    try:
        return await _health(running, seconds, expected=503)
    finally:
        running.freeze("postgres", frozen=False)


async def _locked(running: Apart, seconds: float) -> list[str]:
    connection = await asyncpg.connect(running.database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE case_file IN ACCESS EXCLUSIVE MODE")
            # The database answers; that one table is locked is for its log to say.
            return await _health(running, seconds, expected=200)
    finally:
        await connection.close()


async def _exhausted(running: Apart, seconds: float) -> list[str]:
    """Take every connection there is; those that the product holds stay its own."""
    taken: list[asyncpg.Connection[asyncpg.Record]] = []
    try:
        with contextlib.suppress(asyncpg.TooManyConnectionsError):
            while True:
                taken.append(await asyncpg.connect(running.database_url))
        await asyncio.sleep(seconds / 2)
        return []
    finally:
        for connection in taken:
            await connection.close()


async def _health(running: Apart, seconds: float, *, expected: int) -> list[str]:
    """What the health page said otherwise during these seconds, after one to notice."""
    until = time.monotonic() + seconds
    await asyncio.sleep(1.0)
    lies = []
    while time.monotonic() < until:
        said = await once(running.port, "GET", "/health/ready")
        # An answer that came after the end of the trouble is about another moment.
        if time.monotonic() < until and said.status != expected:
            lies.append(f"{said.status} {said.body}")
        await asyncio.sleep(0.5)
    return lies


class Work:
    """People who live lives until they are told to go home."""

    def __init__(self, callers: Callers, seed: int, clients: int) -> None:
        self.callers = callers
        self.lived = Lived(0, [])
        self._stop = asyncio.Event()
        self._clients = [asyncio.create_task(self._client(random.Random(f"{seed}/{one}"))) for one in range(clients)]

    async def _client(self, rng: random.Random) -> None:
        while not self._stop.is_set():
            await live(self.callers, rng, self.lived)

    async def end(self) -> None:
        """Let everybody finish the life he is at."""
        self._stop.set()
        _, late = await asyncio.wait(self._clients, timeout=60)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._clients)


@contextlib.asynccontextmanager
async def at_work(running: Apart, seed: int, clients: int) -> AsyncIterator[Work]:
    """People at work for as long as the block runs."""
    await install_counter(running.database_url)
    callers = Callers(running.port, PASSWORD)
    await callers.sign_in(*PEOPLE)
    work = Work(callers, seed, clients)
    try:
        await asyncio.sleep(1.0)
        yield work
    finally:
        await work.end()


async def _end(outcome: Outcome, running: Apart, work: Work) -> None:
    await work.end()
    outcome.none_of("unexpected answers", work.lived.surprises)
    await history_holds(outcome, running, work.callers)


def _slowest_answered(tries: list[Try]) -> float:
    return max((one.seconds for one in tries if one.status), default=0.0)
