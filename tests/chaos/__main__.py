"""Break the product on purpose, protocol by protocol, and count what breaks with it (design/reliability.md).

    python -m tests.chaos [--only R1,R4] [--seed N] [--long]

Every run is bounded in count and time and ends only processes that it started itself. `--long` takes the counts of
reliability.md: hours, not minutes.
"""

import argparse
import asyncio
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.table import Table

from tests import stolen
from tests.chaos.disk import full_disk
from tests.chaos.killing import kill_all, kill_anything, rolling_restart
from tests.chaos.links import partition, slow_database
from tests.chaos.outcome import Outcome
from tests.chaos.poison import poison
from tests.chaos.repeating import decide_at_once, overload, repeat
from tests.chaos.skew import wrong_clock
from tests.chaos.tampering import tamper

Protocol = Callable[[int], Awaitable[Outcome]]

SHORT: dict[str, Protocol] = {
    "R1": lambda seed: kill_anything(seed),
    "R2": lambda seed: kill_all(seed),
    "R3": lambda seed: repeat(seed),
    "R4": lambda seed: decide_at_once(seed),
    "R5": lambda seed: partition(seed),
    "R6": lambda seed: slow_database(seed),
    "R7": lambda seed: full_disk(seed),
    "R8": lambda seed: wrong_clock(seed),
    "R14": lambda seed: poison(seed),
    "R15": lambda seed: overload(seed),
    "R16": lambda seed: rolling_restart(seed),
    "R19": lambda seed: tamper(seed),
}
LONG: dict[str, Protocol] = {
    **SHORT,
    "R1": lambda seed: kill_anything(seed, lives=500, kills=80),
    "R2": lambda seed: kill_all(seed, times=20),
    "R3": lambda seed: repeat(seed, issues=300),
    "R4": lambda seed: decide_at_once(seed, issues=1000),
    "R5": lambda seed: partition(seed, cuts=(5.0, 30.0, 120.0)),
    "R6": lambda seed: slow_database(seed, each=30.0, frozen=30.0),
    "R7": lambda seed: full_disk(seed, full_for=60.0),
    "R8": lambda seed: wrong_clock(seed, each=10.0),
    "R14": lambda seed: poison(seed, neighbours=400),
    "R15": lambda seed: overload(seed, seconds=300.0),
    "R16": lambda seed: rolling_restart(seed, rounds=20),
}
LONGEST = {False: 600.0, True: 3 * 3600.0}
"""Seconds after which a protocol is given up, short and long."""
SEEDS_OF_LONG_R1 = 10
WIDTH = 150


async def run(only: list[str], seed: int, *, long: bool) -> list[Outcome]:
    """Carry the protocols out one after the other; one that fails itself is a deviation, not the end."""
    outcomes = []
    for name in only:
        seeds = range(seed, seed + SEEDS_OF_LONG_R1) if long and name == "R1" else (seed,)
        for one in seeds:
            began, taken = time.monotonic(), stolen.watch()
            try:
                async with asyncio.timeout(LONGEST[long]):
                    outcome = await (LONG if long else SHORT)[name](one)
            except Exception as error:  # the outermost loop of the campaign: the others are to be carried out too
                traceback.print_exc()
                outcome = Outcome(name, one, deviations=[f"the campaign itself failed: {error!r}"])
            outcomes.append(outcome)
            spent = f"{time.monotonic() - began:.0f} s, {taken():.0%} of the machine taken by others"
            print(f"{outcome}\n  [{spent}]", flush=True)  # noqa: T201 - a program's output
    return outcomes


def report(outcomes: list[Outcome]) -> None:
    """Print the table."""
    table = Table(title="chaos", show_lines=True)
    for name in ("protocol", "seed", "what was done", "pass figures", "deviations"):
        table.add_column(name, overflow="fold")
    for one in outcomes:
        figures = "\n".join(f"{'✓' if figure.reached else '✗'} {figure.name}: {figure.value}" for figure in one.figures)
        done = f"skipped: {one.skipped}" if one.skipped else one.done
        table.add_row(one.protocol, str(one.seed), done, figures, str(len(one.deviations)))
    console = Console()
    Console(width=max(console.width, WIDTH)).print(table)


def main() -> int:
    """Read the arguments, run, and give the exit code: 0 when every protocol passed or was skipped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SHORT), help="protocols, separated by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--long", action="store_true")
    given = parser.parse_args()
    only = [name.strip().upper() for name in given.only.split(",")]
    if unknown := [name for name in only if name not in SHORT]:
        parser.error(f"no such protocol: {', '.join(unknown)}")
    outcomes = asyncio.run(run(only, given.seed, long=given.long))
    report(outcomes)
    return 0 if all(one.passed or one.skipped for one in outcomes) else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the engine's runtime may abort in an orderly exit
