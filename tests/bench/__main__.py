"""Measure the product beside the bare engine, in one run on the same servers, and print every figure as a ratio.

    python -m tests.bench [--rounds 5] [--lives 100]

Rounds of the floor and of the product alternate, so that a machine that slows down slows both; the medians count.
"""

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter

from services.embedded.home import Home
from services.embedded.servers import Servers, embedded
from services.storage.calendar import bring_national
from services.storage.migrating import migrate
from tests.bench.floor import QUEUE, UPDATES
from tests.bench.http import Connection
from tests.bench.people import PASSWORD, seed_street

C1 = "620199001001"
COMMANDS = 5
"""Commands of a life after its creation."""


@dataclass(slots=True)
class Round:
    """What one round of lives took: seconds, latencies in seconds, CPU seconds by process."""

    lives: int = 0
    seconds: float = 0.0
    creates: list[float] = field(default_factory=list)
    decisions: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Lives a second."""
        return self.lives / self.seconds

    def cpu_ms(self, *names: str) -> float:
        """CPU milliseconds a life, of these processes."""
        return 1000 * sum(self.cpu.get(name, 0.0) for name in names) / self.lives


def quantile(values: list[float], share: float) -> float:
    """A quantile in milliseconds."""
    ordered = sorted(values)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Bench:
    """Servers, processes and load clients of one run."""

    def __init__(self, servers: Servers, processes: dict[str, psutil.Process], port: int, client: Client) -> None:
        self.servers = servers
        self.processes = processes
        self.port = port
        self.client = client
        self.tokens: dict[str, str] = {}
        self.cases: list[str] = []

    async def sign_in(self, *names: str) -> None:
        """Fetch a token for each name."""
        connection = Connection("127.0.0.1", self.port)
        for name in names:
            body = f"username={name}&password={PASSWORD}".encode()
            status, answer = await connection.request(
                "POST", "/api/v1/auth/token", body, kind="application/x-www-form-urlencoded"
            )
            assert status == 200, answer
            self.tokens[name] = answer["access_token"]
        await connection.close()

    async def round(self, life: Callable[[Connection, Round], Awaitable[None]], lives: int, clients: int) -> Round:
        """Live so many lives with so many clients at once, and account for them."""
        result = Round()
        before = self.cpu()
        left = iter(range(lives))
        started = time.perf_counter()

        async def one() -> None:
            connection = Connection("127.0.0.1", self.port)
            for _ in left:
                await life(connection, result)
                result.lives += 1
            await connection.close()

        await asyncio.gather(*(one() for _ in range(clients)))
        result.seconds = time.perf_counter() - started
        after = self.cpu()
        result.cpu = {name: after[name] - before.get(name, 0.0) for name in after}
        return result

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, by process; a server's children count with it."""
        used: dict[str, float] = {}
        for name, process in self.processes.items():
            total = 0.0
            # The load client is the parent of all of them.
            below = () if name == "client" else process.children(recursive=True)
            for one in (process, *below):
                try:
                    times = one.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                total += times.user + times.system
            used[name] = total
        return used

    async def floor_life(self, connection: Connection, result: Round) -> None:
        """A bare workflow: update-with-start and five more updates."""
        started = time.perf_counter()
        name = f"floor/{uuid.uuid4()}"
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            "floor",
            id=name,
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        )
        await self.client.execute_update_with_start_workflow(
            "command", 1, start_workflow_operation=operation, id="open", rpc_timeout=timedelta(seconds=30)
        )
        result.creates.append(time.perf_counter() - started)
        handle = self.client.get_workflow_handle(name)
        for number in range(UPDATES - 1):
            started = time.perf_counter()
            await handle.execute_update("command", number, id=str(number), rpc_timeout=timedelta(seconds=30))
            result.decisions.append(time.perf_counter() - started)

    async def issue_life(self, connection: Connection, result: Round) -> None:
        """An issue from registration to its published result: create and five commands through the API."""
        started = time.perf_counter()
        status, case = await connection.request(
            "POST",
            "/api/v1/issues",
            {
                "community_code": C1,
                "title": "路灯不亮",
                "description": "三号楼前的路灯三天没有亮,老人晚上出门不便。",
                "source": "VISIT",
                "category_code": "B03",
            },
            token=self.tokens["grid1"],
        )
        result.creates.append(time.perf_counter() - started)
        assert status == 201, case
        self.cases.append(case["id"])
        for actor, command, body in LIFE:
            started = time.perf_counter()
            status, answer = await connection.request(
                "POST", f"/api/v1/issues/{case['id']}/commands/{command}", body, token=self.tokens[actor]
            )
            result.decisions.append(time.perf_counter() - started)
            assert status == 200, (command, answer)


LIFE: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "worker1",
        "accept_to_problem_list",
        {
            "mode": "TIME_LIMITED",
            "category_code": "B03",
            "difficulty": "EASY",
            "lead_org": "property-1",
            "clock_class": "SIMPLE",
        },
    ),
    ("property1", "sign", {}),
    ("property1", "claim_completion", {"text": "已更换灯泡,测试正常。"}),
    ("worker1b", "approve_completion", {}),
    (
        "worker1",
        "give_feedback",
        {"audience": "PUBLIC", "timing": "ANYTIME", "channel": "NOTICE_BOARD", "text": "路灯已修复。"},
    ),
)


async def main(rounds: int, lives: int, quick: int) -> None:
    """Run everything and print the tables."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Home(Path(folder).resolve())
        async with embedded(home, durable=True, preferred_port=0) as servers:
            await migrate(servers.database_url)
            await bring_national(servers.database_url)
            await seed_street(servers.database_url)
            async with processes(servers, folder) as (running, port):
                client = await Client.connect(
                    servers.temporal_address,
                    namespace=servers.temporal_namespace,
                    data_converter=pydantic_data_converter,
                )
                bench = Bench(servers, running, port, client)
                await bench.sign_in("grid1", "worker1", "worker1b", "property1")
                await measure(bench, console, rounds, lives, quick, home)


async def measure(bench: Bench, console: Console, rounds: int, lives: int, quick: int, home: Home) -> None:
    """Warm up, alternate, and print."""
    await bench.round(bench.floor_life, 30, 8)
    await bench.round(bench.issue_life, 30, 8)
    await asyncio.sleep(1)
    books = await sizes(bench.servers, home)
    await bench.round(bench.issue_life, lives, 16)
    grown = await sizes(bench.servers, home)
    many: list[tuple[Round, Round]] = []
    single: list[tuple[Round, Round]] = []
    for number in range(rounds):
        floor, product = await bench.round(bench.floor_life, lives, 16), await bench.round(bench.issue_life, lives, 16)
        many.append((floor, product))
        alone = await bench.round(bench.floor_life, quick, 1), await bench.round(bench.issue_life, quick, 1)
        single.append(alone)
        console.print(
            f"round {number + 1}: floor {floor.rate:.1f}/s, product {product.rate:.1f}/s, "
            f"ratio {product.rate / floor.rate:.2f}"
        )
    report(console, many, single)
    await details(console, bench, books, grown, lives)


def report(console: Console, many: list[tuple[Round, Round]], single: list[tuple[Round, Round]]) -> None:
    """Medians over the rounds, and ratios pair by pair."""
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
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
    """History events, workflow tasks, transactions, bytes and memory."""
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
    done = lives * (COMMANDS + 1)
    table.add_row("transactions a command", f"{(grown['commits'] - books['commits']) / done:.2f}", "1 writing")
    for name in ("postgres bytes", "engine bytes"):
        table.add_row(f"{name} a life", f"{(grown[name] - books[name]) / lives / 1024:.1f} KB", "≤ 42 in both")
    for name in ("worker", "web", "temporal"):
        memory = bench.processes[name].memory_info().rss / 2**20
        table.add_row(f"memory of {name}", f"{memory:.0f} MB", "≤ 300" if name == "worker" else "")
    console.print(table)


async def sizes(servers: Servers, home: Home) -> dict[str, int]:
    """Bytes of both stores and counters of Postgres, now."""
    await asyncio.sleep(1.5)
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute("SELECT pg_stat_force_next_flush()")
    row = await connection.fetchrow(
        "SELECT pg_database_size(current_database()) AS size, xact_commit FROM pg_stat_database "
        "WHERE datname = current_database()"
    )
    await connection.close()
    assert row is not None
    engine = sum(file.stat().st_size for file in home.root.rglob("temporal.db*"))
    return {
        "postgres bytes": row["size"],
        "engine bytes": engine,
        "commits": row["xact_commit"],
    }


if __name__ == "__main__":
    from tests.bench.people import processes

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lives", type=int, default=100)
    parser.add_argument("--quick", type=int, default=30, help="lives of a round with one client")
    given = parser.parse_args()
    asyncio.run(main(given.rounds, given.lives, given.quick))
    sys.stdout.flush()
    os._exit(0)
