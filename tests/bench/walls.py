"""What rights in the database and encryption cost: the same lives with both and without, in turn."""

import statistics

from tests.bench.measuring import COMMANDS, Figure
from tests.bench.people import street

TURNS = 3
WARM, LIVES, CLIENTS = 60, 150, 16


async def walls() -> list[Figure]:
    """Decisions a second and CPU a life, guarded beside bare."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    costs: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * TURNS):
        # Each on servers of its own; bare, guarded, guarded, bare …: what gets slower slows both.
        guarded = turn % 4 in (1, 2)
        async with street(guarded=guarded) as bench:
            await bench.round(bench.issue_life, WARM, CLIENTS)
            found = await bench.round(bench.issue_life, LIVES, CLIENTS)
        rates[guarded].append(found.rate * (COMMANDS + 1))
        costs[guarded].append(found.cpu_ms("temporal", "worker", "web", "postgres"))
    return [
        _beside("decisions/s with rights and encryption", rates, "≥ 0.85"),
        _beside("CPU ms a life with rights and encryption", costs, ""),
    ]


def _beside(name: str, found: dict[bool, list[float]], goal: str) -> Figure:
    guarded, bare = statistics.median(found[True]), statistics.median(found[False])
    return Figure(name, f"{guarded:.1f}", f"{bare:.1f} bare", guarded / bare, goal)
