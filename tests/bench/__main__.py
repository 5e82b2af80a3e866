"""Measure the product beside the bare engine, on the same servers in one run, and print every figure as a ratio.

    python -m tests.bench [--rounds 5] [--lives 100] [--only rounds,scale] [--long]

Part by part: rounds of whole lives, requests at leisure, the import, what rights and encryption cost, statements,
questions over a million clocks, memory with many open cases, pages over 100,000 issues, the simulator, the start.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.table import Table

from tests import stolen
from tests.bench.imports import imports
from tests.bench.leisure import leisure
from tests.bench.measuring import Figure
from tests.bench.memory import memory
from tests.bench.pages import pages
from tests.bench.people import street
from tests.bench.rounds import rounds
from tests.bench.scale import scale
from tests.bench.simulator import simulator
from tests.bench.start import start
from tests.bench.statements import statements
from tests.bench.walls import walls

SHARED = ("rounds", "leisure", "import")
PARTS = (*SHARED, "walls", "statements", "scale", "memory", "pages", "simulator", "start")


async def main(given: argparse.Namespace) -> None:
    """Run the parts that are asked for and print their tables."""
    # In a file lines may be long; at a terminal they are as long as it is wide.
    console = Console(width=None if sys.stdout.isatty() else 150)
    wanted = given.only
    if wanted & set(SHARED):
        async with street() as bench:
            if "rounds" in wanted:
                await rounds(bench, console, given.rounds, given.lives, given.quick)
            if "leisure" in wanted:
                await _part(console, "leisure", lambda: leisure(bench))
            if "import" in wanted:
                await _part(console, "import", lambda: imports(bench, rows=given.rows))
    apart: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
        "walls": walls,
        "statements": statements,
        "scale": lambda: scale(large=given.clocks),
        "memory": lambda: memory(long=given.long),
        "pages": pages,
        "simulator": simulator,
        "start": start,
    }
    for name, part in apart.items():
        if name in wanted:
            await _part(console, name, part)


async def _part(console: Console, name: str, part: Callable[[], Awaitable[list[Figure]]]) -> None:
    begun, taken = time.perf_counter(), stolen.watch()
    figures = await part()
    spent = f"{time.perf_counter() - begun:.0f} s, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    table = Table(title=f"{name}: {spent}, {taken():.0%} taken by others")
    for column in ("figure", "measured", "beside it", "ratio", "goal"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for one in figures:
        ratio = "–" if one.ratio is None else f"{one.ratio:.2f}"
        table.add_row(one.name, one.value, one.beside or "–", ratio, one.goal)
    console.print(table)


def _parts(text: str) -> set[str]:
    named = set(text.split(","))
    if unknown := named - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return named


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=_parts, default=set(PARTS), metavar="PART,…", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lives", type=int, default=100)
    parser.add_argument("--quick", type=int, default=30, help="lives of a round with one client")
    parser.add_argument("--rows", type=int, default=300, help="messages to import")
    parser.add_argument("--clocks", type=int, default=1_000_000, help="open clocks of the large database")
    parser.add_argument("--long", action="store_true", help="memory with 10,000 and rate with 50,000 open cases")
    asyncio.run(main(parser.parse_args()))
    sys.stdout.flush()
    os._exit(0)
