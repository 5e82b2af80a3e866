"""R1, R2 and R16: processes are killed one by one, all at once, or asked to end, while people work."""

import asyncio
import random
import signal
import time
from collections import Counter

from tests.chaos.http import Ask, Callers
from tests.chaos.lives import Lived, live, open_ask
from tests.chaos.outcome import Outcome, history_holds
from tests.chaos.product import PARTS, Whole, until_ready, whole
from tests.chaos.repeating import people

SILENCE = 12.0
AFTER_LAST_KILL = 60.0
NEVER_LONGER = 10.0
READY_AGAIN = 30.0


async def kill_anything(
    seed: int, *, lives: int = 120, clients: int = 8, kills: int = 6, every: tuple[float, float] = (5.0, 10.0)
) -> Outcome:
    """R1: kill -9 one of API, worker, engine and database every few seconds while clients live whole lives."""
    async with whole() as running:
        callers = await people(running)
        return await kill_anything_in(running, callers, seed, lives=lives, clients=clients, kills=kills, every=every)


async def kill_anything_in(
    running: Whole, callers: Callers, seed: int, *, lives: int, clients: int, kills: int, every: tuple[float, float]
) -> Outcome:
    """R1 on a product that runs already."""
    outcome = Outcome("R1", seed)
    rng = random.Random(seed)
    lived, left = Lived(0, []), iter(range(lives))
    killed: list[tuple[float, str]] = []
    began = time.monotonic()

    async def client(number: int) -> None:
        own = random.Random(f"{seed}/{number}")
        for _ in left:
            await live(callers, own, lived)

    async def killer() -> None:
        for _ in range(kills):
            await asyncio.sleep(rng.uniform(*every))
            part = rng.choice(PARTS)
            if running.send(part, signal.SIGKILL):
                killed.append((time.monotonic(), part))

    working = [asyncio.create_task(client(number)) for number in range(clients)]
    killing = asyncio.create_task(killer())
    async with asyncio.timeout(lives * 10 + 120):
        await asyncio.gather(*working)
    killing.cancel()
    await asyncio.gather(killing, return_exceptions=True)
    ended = time.monotonic()
    parts = ", ".join(f"{count} × {part}" for part, count in sorted(Counter(part for _, part in killed).items()))
    outcome.done = f"{lives} lives by {clients} clients in {ended - began:.0f} s, killed {parts or 'nothing'}"
    outcome.at_least("kills", len(killed), 1)
    outcome.at_most("longest time without a success", callers.longest_silence(began, ended), SILENCE)
    last = killed[-1][0] if killed else began
    outcome.at_most(
        "requests of that moment done after the last kill", _answered(callers, last) - last, AFTER_LAST_KILL
    )
    outcome.at_most("longest request", callers.slowest(), SILENCE)
    outcome.none_of("unexpected answers", lived.surprises)
    await history_holds(outcome, running, callers)
    return outcome


def _answered(callers: Callers, moment: float) -> float:
    """When the last of the requests that were under way at a moment had its answer."""
    under_way = [ask for ask in callers.asks if ask.tries and ask.tries[0].began <= moment <= ask.tries[-1].ended]
    return max((ask.answer.ended for ask in under_way if ask.answer), default=moment)


async def kill_all(seed: int, *, times: int = 6, clients: int = 4) -> Outcome:
    """R2: kill -9 every process in one instant, and start the product again."""
    async with whole() as running:
        return await kill_all_of(running, await people(running), seed, times=times, clients=clients)


async def kill_all_of(running: Whole, callers: Callers, seed: int, *, times: int, clients: int) -> Outcome:
    """R2 on a product that runs already."""
    outcome = Outcome("R2", seed)
    rng = random.Random(seed)
    lived, stop = Lived(0, []), asyncio.Event()
    slowest = 0.0

    async def client(number: int) -> None:
        own = random.Random(f"{seed}/{number}")
        while not stop.is_set():
            await live(callers, own, lived)

    working = [asyncio.create_task(client(number)) for number in range(clients)]
    for _ in range(times):
        await asyncio.sleep(rng.uniform(1.0, 4.0))
        await running.kill_all()
        slowest = max(slowest, await running.start())
    stop.set()
    async with asyncio.timeout(AFTER_LAST_KILL):
        await asyncio.gather(*working)
    outcome.done = f"{times} times everything killed under {clients} clients, {lived.whole} whole lives"
    outcome.at_most("ready after the restart", slowest, READY_AGAIN)
    outcome.none_of("unexpected answers", lived.surprises)
    await history_holds(outcome, running, callers)
    return outcome


async def rolling_restart(seed: int, *, rounds: int = 3, rate: float = 2.0) -> Outcome:
    """R16: ask each process in turn to end, while requests come at an even rate; a second worker stands by."""
    outcome = Outcome("R16", seed)
    async with whole() as running, running.standby():
        callers = await people(running)
        rng = random.Random(seed)
        stop = asyncio.Event()
        pending: set[asyncio.Task[object]] = set()
        asked: dict[str, list[Ask]] = {part: [] for part in PARTS}
        during = PARTS[0]

        async def offer() -> None:
            while not stop.is_set():
                ask = open_ask(rng)
                asked[during].append(ask)
                task: asyncio.Task[object] = asyncio.create_task(callers.insist(ask))
                pending.add(task)
                task.add_done_callback(pending.discard)
                await asyncio.sleep(1 / rate)

        offering = asyncio.create_task(offer())
        slowest = 0.0
        for _ in range(rounds):
            for part in PARTS:
                during = part
                process = running.part(part)
                assert process is not None, part
                began = time.monotonic()
                process.send_signal(signal.SIGINT if part == "postgres" else signal.SIGTERM)
                while process.is_running() and process.status() != "zombie":
                    await asyncio.sleep(0.02)
                slowest = max(slowest, time.monotonic() - began)
                await until_ready(running.port)
                await asyncio.sleep(1.5)
        stop.set()
        await offering
        await asyncio.gather(*pending)
        outcome.done = f"{rounds} rounds through {', '.join(PARTS)} at {rate:g} requests/s, two workers"
        outcome.at_most("longest exit", slowest, 30.0)
        for part in ("web", "worker"):
            failed = [
                f"{one.status} {one.body}"
                for ask in asked[part]
                for one in ask.tries
                if one.status >= 400 or not one.status
            ]
            outcome.none_of(f"requests that failed while {part} was restarted", failed)
        for part in ("temporal", "postgres"):
            lost = [ask.command for ask in asked[part] if ask.answer is None or ask.answer.status >= 300]
            outcome.none_of(f"requests that failed for good while {part} was restarted", lost)
        outcome.at_most("longest request", callers.slowest(), NEVER_LONGER)
        await history_holds(outcome, running, callers)
    return outcome
