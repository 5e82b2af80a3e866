"""R8: the clock of the API or of the worker is wrong, jumps, or stands in another time zone."""

import asyncio
import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from tests.chaos.links import at_work
from tests.chaos.outcome import Outcome, history_holds
from tests.chaos.product import apart

HOUR = 3600
DAY = 24 * HOUR
SOURCE = Path(__file__).with_name("skew.c")
TOKEN_TOLERANCE = 60


def jumps() -> dict[str, int]:
    """Seconds by which a clock is wrong, by name: to the eve of a leap day and of a new year, too."""
    now = datetime.now(UTC)
    leap = next(
        year for year in range(now.year, now.year + 9) if year % 4 == 0 and datetime(year, 2, 29, tzinfo=UTC) > now
    )
    return {
        "an hour fast": HOUR,
        "an hour slow": -HOUR,
        "two days fast": 2 * DAY,
        "two days slow": -2 * DAY,
        "back by five minutes": -300,
        "29 February": int((datetime(leap, 2, 28, 15, 59, 50, tzinfo=UTC) - now).total_seconds()),
        "the end of the year": int((datetime(now.year, 12, 31, 15, 59, 50, tzinfo=UTC) - now).total_seconds()),
    }


async def wrong_clock(seed: int, *, each: float = 3.0, clients: int = 3) -> Outcome:
    """R8: with libfaketime's way, a clock of our own preloaded into API and worker; the engine cannot be preloaded."""
    outcome = Outcome("R8", seed)
    compiler = shutil.which("cc")
    if compiler is None:
        outcome.skipped = "there is no C compiler to make the preloaded clock with"
        return outcome
    folder = Path(tempfile.mkdtemp(prefix="chaos-clock-")).resolve()
    try:
        library = folder / "skew.so"
        made = subprocess.run(
            [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"],
            check=False,
            capture_output=True,
        )
        if made.returncode != 0:
            outcome.skipped = f"the preloaded clock cannot be made: {made.stderr.decode()[:200]}"
            return outcome
        await _turned(outcome, seed, folder, library, each, clients)
    finally:
        shutil.rmtree(folder)
    return outcome


async def _turned(outcome: Outcome, seed: int, folder: Path, library: Path, each: float, clients: int) -> None:
    clocks = {part: folder / part for part in ("web", "worker")}
    for file in clocks.values():
        file.write_text("0")
    environment = {
        part: {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(file), "TZ": "America/Los_Angeles"}
        for part, file in clocks.items()
    }
    environment["web"]["SHANGLIANG_POLICY"] = environment["worker"]["SHANGLIANG_POLICY"] = "drill"
    async with apart(environment=environment) as running, at_work(running, seed, clients) as work:
        callers = work.callers
        told, silent = 0, []
        for part, file in clocks.items():
            for name, seconds in jumps().items():
                file.write_text(str(seconds))
                began = time.monotonic()
                await asyncio.sleep(each)
                tries = [one for one in callers.tries() if one.began >= began and one.ended < time.monotonic()]
                file.write_text("0")
                # A token is only as old as the API's clock says; any other answer must not depend on a clock.
                refused = [one for one in tries if one.status == 401]
                told += len(refused)
                if part == "worker" and not any(0 < one.status < 300 for one in tries):
                    silent.append(f"{part} {name}")
                if part == "worker" and refused:
                    silent.append(f"{part} {name}: {len(refused)} tokens refused")
        file_of_web = clocks["web"]
        for seconds in (-TOKEN_TOLERANCE + 5, TOKEN_TOLERANCE - 5):
            file_of_web.write_text(str(seconds))
            fresh = await callers.read("/me", "worker1")
            outcome.none_of(f"tokens refused at {seconds:+d} s", [str(fresh.status)] if fresh.status != 200 else [])
        file_of_web.write_text("0")
        await work.end()
        outcome.done = (
            f"{len(jumps())} jumps of the clock of each of API and worker, {told} tokens refused meanwhile by "
            "an API that is hours off, time zone of both America/Los_Angeles; the engine's clock cannot be preloaded"
        )
        outcome.none_of("times at which a worker's clock stopped the work", silent)
        outcome.none_of("clocks that struck wrongly", await _struck(running.database_url))
        expected = [one for one in work.lived.surprises if " 401 " not in one]
        outcome.none_of("unexpected answers", expected)
        await history_holds(outcome, running, callers)


async def _struck(database_url: str) -> list[str]:
    """Clocks of the drill that struck twice, or not at all, or not at their moment."""
    connection = await asyncpg.connect(database_url)
    try:
        twice = await connection.fetch(
            "SELECT case_id, payload #>> '{notes,clock}' AS code, payload #> '{clocks,0,number}' AS number, count(*) "
            "FROM event WHERE type IN ('clock_breached', 'window_ended') GROUP BY 1, 2, 3 HAVING count(*) > 1"
        )
        late = await connection.fetch(
            "SELECT case_id, code, breached_at - due_at AS late FROM clock "
            "WHERE breached_at IS NOT NULL AND abs(extract(epoch FROM breached_at - due_at)) > $1",
            timedelta(seconds=1).total_seconds(),
        )
    finally:
        await connection.close()
    return [f"{one['case_id']} {one['code']} struck {one['count']} times" for one in twice] + [
        f"{one['case_id']} {one['code']} struck {one['late']} after its moment" for one in late
    ]
