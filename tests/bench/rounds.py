"""Rounds of the floor and of the product in turn, so that a machine that slows down slows both."""

import asyncio
import os
import platform
import statistics

import asyncpg
from rich.console import Console
from rich.table import Table

from tests import stolen
from tests.bench.measuring import COMMANDS, Bench, Round, quantile


async def rounds(bench: Bench, console: Console, count: int, lives: int, quick: int) -> None:
    """Warm up, alternate, and print."""
    taken = stolen.watch()
    await bench.round(bench.floor_life, 30, 8)
    await bench.round(bench.issue_life, 30, 8)
    await asyncio.sleep(1)
    books = await sizes(bench)
    await bench.round(bench.issue_life, lives, 16)
    grown = await sizes(bench)
    many: list[tuple[Round, Round]] = []
    single: list[tuple[Round, Round]] = []
    for number in range(count):
        floor, product = await bench.round(bench.floor_life, lives, 16), await bench.round(bench.issue_life, lives, 16)
        many.append((floor, product))
        alone = await bench.round(bench.floor_life, quick, 1), await bench.round(bench.issue_life, quick, 1)
        single.append(alone)
        console.print(
            f"round {number + 1}: floor {floor.rate:.1f}/s, product {product.rate:.1f}/s, "
            f"ratio {product.rate / floor.rate:.2f}"
        )
    report(console, many, single, taken())
    await details(console, bench, books, grown, lives)


def report(console: Console, many: list[tuple[Round, Round]], single: list[tuple[Round, Round]], taken: float) -> None:
    """Medians over the rounds, and ratios pair by pair; `taken` is the share of the machine that others had."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table(title=f"{machine}, {taken:.0%} taken by others")
    for name in ("figure", "floor", "product", "ratio", "goal"):
        table.add_column(name, justify="left" if name == "figure" else "right")

    def row(name: str, pairs: list[tuple[float, float]], goal: str, digits: int = 1) -> None:
        floors, products = [a for a, _ in pairs], [b for _, b in pairs]
        ratios = [b / a for a, b in pairs if a]
        table.add_row(
            name,
            f"{statistics.median(floors):.{digits}f}",
            f"{statistics.median(products):.{digits}f}",
            f"{statistics.median(ratios):.2f}" if ratios else "–",
            goal,
        )

    engine = ("temporal", "floor worker", "client")
    product = ("temporal", "worker", "web", "postgres")
    row("lives/s, 16 clients", [(a.rate, b.rate) for a, b in many], "≥ 0.75")
    row("CPU ms a life, load client apart", [(a.cpu_ms(*engine), b.cpu_ms(*product)) for a, b in many], "≤ 1.45")
    for name in ("temporal", "floor worker", "worker", "web", "postgres", "client"):
        row(f"  of it {name}", [(a.cpu_ms(name), b.cpu_ms(name)) for a, b in many], "")
    for kind in ("creates", "decisions"):
        for share in (0.5, 0.99):
            goal = "≤ 1.3" if kind == "decisions" and share == 0.99 else ""
            pairs = [(quantile(getattr(a, kind), share), quantile(getattr(b, kind), share)) for a, b in many]
            row(f"{kind} p{share * 100:.0f} ms, 16 clients", pairs, goal)
    for kind in ("creates", "decisions"):
        for share in (0.5, 0.99):
            goal = "≤ 1.7" if kind == "decisions" and share == 0.5 else ""
            pairs = [(quantile(getattr(a, kind), share), quantile(getattr(b, kind), share)) for a, b in single]
            row(f"{kind} p{share * 100:.0f} ms, 1 client", pairs, goal)
    console.print(table)


async def details(console: Console, bench: Bench, books: dict[str, int], grown: dict[str, int], lives: int) -> None:
    """History events, workflow tasks, bytes and memory."""
    events, tasks, sample = 0, 0, bench.cases[-20:]
    for case in sample:
        history = await bench.client.get_workflow_handle(f"issue/{case}").fetch_history()
        events += len(history.events)
        tasks += sum(1 for one in history.events if one.HasField("workflow_task_completed_event_attributes"))
    commands = len(sample) * (COMMANDS + 1)
    table = Table(title="in detail")
    for name in ("figure", "value", "goal"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    table.add_row("history events a command", f"{events / commands:.2f}", "≤ 6.7")
    table.add_row("workflow tasks a command", f"{tasks / commands:.2f}", "")
    for name in ("postgres bytes", "engine bytes"):
        table.add_row(f"{name} a life", f"{(grown[name] - books[name]) / lives / 1024:.1f} KB", "≤ 42 in both")
    for name in ("worker", "web", "temporal"):
        memory = bench.processes[name].memory_info().rss / 2**20
        table.add_row(f"memory of {name}", f"{memory:.0f} MB", "≤ 300" if name == "worker" else "")
    console.print(table)


async def sizes(bench: Bench) -> dict[str, int]:
    """Bytes of both stores, now."""
    await asyncio.sleep(1.5)
    connection = await asyncpg.connect(bench.servers.database_url)
    size: int = await connection.fetchval("SELECT pg_database_size(current_database())")
    await connection.close()
    engine = sum(file.stat().st_size for file in bench.home.root.rglob("temporal.db*"))
    return {"postgres bytes": size, "engine bytes": engine}
