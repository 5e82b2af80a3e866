"""The processes of a bench run, and the street that its load clients sign in to."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil

from services.commands.seed import seed_street as load_street
from services.embedded.home import Home
from services.embedded.ports import free_port
from services.embedded.postgres import READER
from services.embedded.servers import Servers, embedded
from services.storage.calendar import bring_national
from services.storage.migrating import migrate
from tests.bench.http import Connection
from tests.bench.measuring import PASSWORD, Bench


@contextlib.asynccontextmanager
async def street(
    prepare: Callable[[Servers, Home], Awaitable[None]] | None = None, *, guarded: bool = False
) -> AsyncIterator[Bench]:
    """Run the product and the floor on servers of their own; `prepare` comes before the processes.

    `guarded`: with payloads encrypted, under roles that own nothing, and with the second wall, as `up` runs it.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Home(Path(folder).resolve())
        async with embedded(home, durable=True, preferred_port=0) as servers:
            await migrate(servers.database_url)
            await bring_national(servers.database_url)
            await load_street(servers.database_url, PASSWORD)
            if prepare is not None:
                await prepare(servers, home)
            async with processes(servers, folder, guarded=guarded) as (running, port):
                bench = Bench(servers, home, running, port)
                await bench.connect()
                yield bench


def surroundings(servers: Servers, folder: str, *, guarded: bool = False) -> dict[str, str]:
    """The environment of a process of the product on these servers."""
    guards = (
        {"SHANGLIANG_DATABASE_URL": servers.application_url, "SHANGLIANG_DATABASE_READER": READER}
        if guarded
        else {"SHANGLIANG_DATABASE_URL": servers.database_url, "SHANGLIANG_ENCRYPT_PAYLOADS": "false"}
    )
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SHANGLIANG_")},
        "SHANGLIANG_HOME": folder,
        **guards,
        "SHANGLIANG_TEMPORAL_ADDRESS": servers.temporal_address,
        "SHANGLIANG_LOG_LEVEL": "WARNING",
    }


@contextlib.asynccontextmanager
async def processes(
    servers: Servers, folder: str, *, guarded: bool = False
) -> AsyncIterator[tuple[dict[str, psutil.Process], int]]:
    """Start the floor's worker, the product's worker and its API; yields them by name with the API's port."""
    port = free_port(0)
    environment = {**surroundings(servers, folder, guarded=guarded), "SHANGLIANG_PORT": str(port)}
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
