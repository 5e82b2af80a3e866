"""Two requests a second, as a street office offers them: nobody waits for anybody else."""

import asyncio

from tests.bench.measuring import COMMANDS, Bench, Figure, Pace, Round, quantile

EVERY = 0.5
SECONDS = 15


async def leisure(bench: Bench) -> list[Figure]:
    """Latencies of creates and decisions at two requests a second, beside the floor's at the same pace."""
    lives = round(SECONDS / EVERY / (COMMANDS + 1))
    # What has rested for a while answers its first request slower; that is not what is asked here.
    await bench.round(bench.floor_life, 5, 5)
    await bench.round(bench.issue_life, 5, 5)
    await asyncio.sleep(1)
    both: list[Round] = []
    for life in (bench.floor_life, bench.issue_life):
        bench.pace = Pace(EVERY)
        both.append(await bench.round(life, lives, 1))
    bench.pace = Pace()
    floor, product = both
    figures = []
    for kind in ("creates", "decisions"):
        for share in (0.5, 0.99):
            ours, bare = (quantile(getattr(one, kind), share) for one in (product, floor))
            number = len(getattr(product, kind))
            figures.append(
                Figure(
                    f"{kind} p{share * 100:.0f} at 2 requests/s ({number})",
                    f"{ours:.1f} ms",
                    f"floor {bare:.1f} ms",
                    ours / bare,
                )
            )
    return figures
