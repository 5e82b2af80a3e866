"""What all measurements share: an instance of the product beside the floor, lives, and how a figure is shown."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psutil
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter

from services.embedded.home import Home
from services.embedded.servers import Servers
from tests.bench.floor import QUEUE, UPDATES
from tests.bench.http import Connection

PASSWORD = "bench-street-2026"
C1 = "620199001001"
COMMANDS = 5
"""Commands of a life after its creation."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what was measured, what stands beside it in the same run, their ratio, the goal."""

    name: str
    value: str
    beside: str = ""
    ratio: float | None = None
    goal: str = ""


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


class Pace:
    """Offers one request every so many seconds; 0 offers the next as soon as the last is answered."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._next = time.perf_counter()

    async def slot(self) -> float:
        """Wait for the next request's moment, and give the moment from which its latency counts."""
        if not self._seconds:
            return time.perf_counter()
        self._next += self._seconds
        await asyncio.sleep(max(0.0, self._next - time.perf_counter()))
        return time.perf_counter()


class Bench:
    """Servers, processes and load clients of one instance."""

    def __init__(self, servers: Servers, home: Home, processes: dict[str, psutil.Process], port: int) -> None:
        self.servers = servers
        self.home = home
        self.processes = processes
        self.port = port
        self.client: Client
        self.pace = Pace()
        self.tokens: dict[str, str] = {}
        self.cases: list[str] = []
        self.floors: list[str] = []

    async def connect(self) -> None:
        """Connect the floor's client and sign everybody in."""
        self.client = await Client.connect(
            self.servers.temporal_address,
            namespace=self.servers.temporal_namespace,
            data_converter=pydantic_data_converter,
        )
        await self.sign_in("grid1", "worker1", "worker1b", "property1")

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

    async def round(self, life: Callable[[Connection, Round], Awaitable[object]], lives: int, clients: int) -> Round:
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
        name = await self.floor_create(connection, result)
        handle = self.client.get_workflow_handle(name)
        for number in range(UPDATES - 1):
            started = await self.pace.slot()
            await handle.execute_update("command", number, id=str(number), rpc_timeout=timedelta(seconds=30))
            result.decisions.append(time.perf_counter() - started)

    async def floor_create(self, connection: Connection, result: Round) -> str:
        """Open a bare workflow and leave it open."""
        started = await self.pace.slot()
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
        self.floors.append(name)
        return name

    async def issue_life(self, connection: Connection, result: Round) -> None:
        """An issue from registration to the word to its reporter: create and five commands through the API."""
        case = await self.issue_create(connection, result)
        for actor, command, body in LIFE:
            started = await self.pace.slot()
            status, answer = await connection.request(
                "POST", f"/api/v1/issues/{case}/commands/{command}", body, token=self.tokens[actor]
            )
            result.decisions.append(time.perf_counter() - started)
            assert status == 200, (command, answer)

    async def issue_create(self, connection: Connection, result: Round) -> str:
        """Register an issue and leave it open."""
        started = await self.pace.slot()
        status, case = await connection.request(
            "POST",
            "/api/v1/issues",
            {
                "community_code": C1,
                "title": "路灯不亮",
                "description": "三号楼前的路灯三天没有亮,老人晚上出门不便。",
                "source": "VISIT",
                "category_code": "B03",
                "reporter": {"name": "王某某", "phone": "13900000000", "wants_reply": True},
            },
            token=self.tokens["grid1"],
        )
        result.creates.append(time.perf_counter() - started)
        assert status == 201, case
        name: str = case["id"]
        self.cases.append(name)
        return name


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
        # In person: told to everybody it would open a second case, the notice, with a life of its own.
        {"audience": "INDIVIDUAL", "timing": "ANYTIME", "channel": "PHONE", "text": "路灯已修复。"},
    ),
)
