"""The processes of a bench run, and the street that its load clients sign in to."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

from services.commands.seed import seed_street as load_street
from services.embedded.servers import Servers
from tests.bench.http import Connection

PASSWORD = "bench-street-2026"


async def seed_street(database_url: str) -> None:
    """Load the demonstration street with a password that the bench knows."""
    await load_street(database_url, PASSWORD)


@contextlib.asynccontextmanager
async def processes(servers: Servers, folder: str) -> AsyncIterator[tuple[dict[str, psutil.Process], int]]:
    """Start the floor's worker, the product's worker and its API; yields them by name with the API's port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {
        **os.environ,
        "SHANGLIANG_HOME": folder,
        "SHANGLIANG_DATABASE_URL": servers.database_url,
        "SHANGLIANG_TEMPORAL_ADDRESS": servers.temporal_address,
        "SHANGLIANG_PORT": str(port),
        "SHANGLIANG_LOG_LEVEL": "WARNING",
    }
    commands = {
        "floor worker": ["tests.bench.floor", servers.temporal_address, servers.temporal_namespace],
        "worker": ["services.cli", "worker"],
        "web": ["services.cli", "serve"],
    }
    children: dict[str, asyncio.subprocess.Process] = {}
    output = os.open(Path(folder, "output.log"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        for name, command in commands.items():
            children[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *command, env=environment, stdout=output, stderr=output
            )
        await _ready(port, Path(folder, "output.log"))
        running = {name: psutil.Process(child.pid) for name, child in children.items()}
        running["temporal"] = _ours("temporal")
        running["postgres"] = _ours("postgres")
        running["client"] = psutil.Process()
        yield running, port
    finally:
        for child in children.values():
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        await asyncio.gather(*(child.wait() for child in children.values()))
        os.close(output)


def _ours(name: str) -> psutil.Process:
    """The server of this name that this run started."""
    for child in psutil.Process().children(recursive=True):
        if child.name() == name:
            return child
    raise SystemExit(f"{name} does not run")


async def _ready(port: int, output: Path) -> None:
    for _ in range(120):
        connection = Connection("127.0.0.1", port)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            status, _ = await connection.request("GET", "/api/v1/health/ready")
            if status == 200:
                return
        await asyncio.sleep(0.25)
    raise SystemExit(f"the product does not become ready:\n{output.read_text()[-3000:]}")
