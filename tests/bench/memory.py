"""What open cases cost the worker: memory, and speed while there are many of them."""

import asyncio

import asyncpg

from tests.bench.measuring import Bench, Figure
from tests.bench.people import street

CLIENTS = 16
LIVES = 40
PAIRS = 3
FEW = 100
KEPT = 2_000
MANY = 3_000
KEPT_LONG = 10_000
MANY_LONG = 50_000


async def memory(*, long: bool) -> list[Figure]:
    """Memory of the worker with 2,000 open cases and lives a second with 3,000; `long` takes 10,000 and 50,000."""
    kept, many = (KEPT_LONG, MANY_LONG) if long else (KEPT, MANY)
    async with street() as bench:
        await bench.round(bench.floor_life, 30, CLIENTS)
        await bench.round(bench.issue_life, 30, CLIENTS)
        await _fill(bench, FEW)
        few_open = await _open(bench)
        empty = _worker(bench)
        few = await _rates(bench)
        await _fill(bench, kept)
        kept_open = await _open(bench)
        await asyncio.sleep(1)
        full = _worker(bench)
        await _fill(bench, many)
        many_open = await _open(bench)
        crowded = await _rates(bench)
        end = _worker(bench)
    return [
        Figure(
            f"memory of the worker, {kept_open} open",
            f"{full:.0f} MB",
            f"{few_open} open: {empty:.0f} MB",
            full / empty,
            "≤ 300 MB with 10,000",
        ),
        Figure(
            f"memory of the worker, {many_open} open, after lives",
            f"{end:.0f} MB",
            f"{few_open} open: {empty:.0f} MB",
            end / empty,
        ),
        Figure(
            f"lives/s, {many_open} open",
            f"{crowded[1]:.1f}/s",
            f"{few_open} open: {few[1]:.1f}/s",
            crowded[1] / few[1],
            "≥ 0.9 with 50,000",
        ),
        Figure(
            "  of it the machine: floor lives/s then",
            f"{crowded[0]:.1f}/s",
            f"before: {few[0]:.1f}/s",
            crowded[0] / few[0],
        ),
        Figure(
            "  lives/s as shares of the floor's",
            f"{crowded[1] / crowded[0]:.2f}",
            f"before: {few[1] / few[0]:.2f}",
            crowded[1] / crowded[0] / (few[1] / few[0]),
            "≥ 0.9 with 50,000",
        ),
    ]


async def _fill(bench: Bench, wanted: int) -> None:
    """Register issues until so many cases are open."""
    missing = wanted - await _open(bench)
    if missing > 0:
        await bench.round(bench.issue_create, missing, 2 * CLIENTS)


async def _open(bench: Bench) -> int:
    connection = await asyncpg.connect(bench.servers.database_url)
    found: int = await connection.fetchval("SELECT count(*) FROM case_file WHERE closed_at IS NULL")
    await connection.close()
    return found


async def _rates(bench: Bench) -> tuple[float, float]:
    """Lives a second of the floor and of the product, in turn; sums, so that a pause counts where it fell."""
    seconds = [0.0, 0.0]
    for _ in range(PAIRS):
        for place, life in enumerate((bench.floor_life, bench.issue_life)):
            seconds[place] += (await bench.round(life, LIVES, CLIENTS)).seconds
    return PAIRS * LIVES / seconds[0], PAIRS * LIVES / seconds[1]


def _worker(bench: Bench) -> float:
    return float(bench.processes["worker"].memory_info().rss) / 2**20
