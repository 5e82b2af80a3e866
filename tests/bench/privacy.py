"""What encryption and the second wall cost: .venv/bin/python -m tests.bench.privacy

Micro figures on a database of some ten thousand cases; the share of a whole decision is what `make bench` shows.
"""

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.payloads import DATA_CONVERTER, data_converter
from services.embedded.home import Home
from services.embedded.postgres import READER
from services.embedded.servers import embedded
from services.storage import cases, overdue, worklist
from services.storage.calendar import bring_national
from services.storage.cases import Filters
from services.storage.database import database
from services.storage.migrating import migrate
from services.storage.overdue import Narrowed
from services.storage.sealing import Seal
from services.storage.wall import Wall
from tests.storage import test_reads_plans as town
from workflows.issue.process import ISSUE
from workflows.kernel.process import Actor

ROUNDS, WARM = 60, 10
ENVELOPE = {
    "command": "accept_to_problem_list",
    "fields": {"mode": "TIME_LIMITED"},
    "actor": "0" * 36,
    "sealed": "x" * 600,
}
Ask = Callable[[AsyncConnection], Awaitable[Any]]


async def codec(table: Table) -> None:
    """There and back of one payload of a command, without and with encryption."""
    for name, converter in (("plain", DATA_CONVERTER), ("encrypted", data_converter({"k": b"k" * 32}))):
        began = time.perf_counter()
        for _ in range(5000):
            await converter.decode(await converter.encode([ENVELOPE]))
        table.add_row(f"payload there and back, {name}", f"{(time.perf_counter() - began) / 5000 * 1e6:.1f} µs")
    seal = Seal({"k": b"k" * 32}, "k")
    began = time.perf_counter()
    for _ in range(5000):
        seal.open(seal.close("13800001234", "contact:0"), "contact:0")
    table.add_row("field closed and opened", f"{(time.perf_counter() - began) / 5000 * 1e6:.1f} µs")


async def walls(table: Table, owner: AsyncEngine, wall: Wall) -> None:
    """Medians of a question without the wall, behind it, and behind it when somebody else asks every time."""
    number = await _some(owner)
    asks: dict[str, Callable[[Actor], Ask]] = {
        "one case": lambda who: lambda c: cases.known(c, who, ISSUE, number),
        "list": lambda who: lambda c: cases.cases(c, who, ISSUE, Filters()),
        "overdue": lambda who: lambda c: overdue.overdue(c, who, Narrowed(), now=town.NOW),
        "worklist": lambda who: lambda c: worklist.worklist(c, who),
    }
    plain = owner.execution_options(isolation_level="AUTOCOMMIT")
    for name, ask in asks.items():
        for who in (town.WORKER, town.CITY, town.OFFICER):
            times: dict[str, list[float]] = {"plain": [], "wall": [], "others": []}
            for turn in range(ROUNDS + WARM):
                for way in times:
                    if way == "others":
                        async with wall.looks(town.RESIDENT):
                            pass
                    began = time.perf_counter()
                    if way == "plain":
                        async with plain.connect() as connection:
                            await ask(who)(connection)
                    else:
                        async with wall.looks(who) as connection:
                            await ask(who)(connection)
                    if turn >= WARM:
                        times[way].append(time.perf_counter() - began)
            medians = [f"{statistics.median(one) * 1000:.2f}" for one in times.values()]
            table.add_row(
                f"{name}, {who.username}", f"{medians[0]} ms → {medians[1]} ms; another asker {medians[2]} ms"
            )


async def _some(owner: AsyncEngine) -> str:
    async with owner.connect() as connection:
        return str(
            await connection.scalar(text(f"SELECT number FROM case_file WHERE community = '{town.COMMUNITY}' LIMIT 1"))
        )


async def main() -> None:
    """Measure and print."""
    table = Table(title="privacy")
    table.add_column("what")
    table.add_column("costs", justify="right")
    await codec(table)
    home = Home(Path(tempfile.mkdtemp(prefix="shangliang-")).resolve())
    try:
        async with embedded(home, durable=False, preferred_port=0) as servers:
            await migrate(servers.database_url)
            await bring_national(servers.database_url)
            owner = database(servers.database_url, pool_size=1)
            reader = database(servers.application_url, pool_size=1, role=READER)
            async with owner.begin() as connection:
                await connection.execute(text("SET LOCAL statement_timeout = 0"))
                for statement in town.FILL:
                    await connection.execute(text(statement))
            await walls(table, owner, Wall(reader))
            await owner.dispose()
            await reader.dispose()
    finally:
        shutil.rmtree(home.root, ignore_errors=True)
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main())
