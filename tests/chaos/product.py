"""The real product as processes that a campaign may kill, stop and cut off: only those that it started itself.

`Whole` is `shangliang up`, which starts its parts again by itself. `Apart` runs the same servers, worker and API with a
proxy in every connection between them, so that each can be cut or slowed down.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil

from services.commands.seed import seed_street
from services.embedded.child import Child, Program
from services.embedded.home import Home
from services.embedded.ports import free_port
from services.embedded.servers import Servers, embedded
from services.storage.calendar import bring_national
from services.storage.migrating import migrate
from tests.chaos.http import once
from tests.chaos.proxy import Proxy

PASSWORD = "chaos-street-2026"
READY_WITHIN = 90.0
STOP_WITHIN = 15.0
PARTS = ("web", "worker", "temporal", "postgres")
_SIGNS = {
    "web": "services.cli serve",
    "worker": "services.cli worker",
    "temporal": "server start-dev",
    "postgres": "postgres -D",
}


class NotReady(Exception):
    """The product did not become ready in time; carries the ends of its logs."""


def clean_environment(**more: str) -> dict[str, str]:
    """Our environment without the settings of whoever started us; nothing begins there by itself, so that it counts."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SHANGLIANG_")}
    return ours | {"SHANGLIANG_CADENCES": "false", "SHANGLIANG_DEMO_PERMITS": "false"} | more


async def until_ready(port: int, *, within: float = READY_WITHIN, host: str = "") -> float:
    """Wait until the product says that it is ready; the seconds it took. Raises `TimeoutError`."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        while (await once(port, "GET", "/health/ready", host=host)).status != 200:
            await asyncio.sleep(0.1)
    return time.monotonic() - began


class Whole:
    """One `shangliang up` on a home."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = Home(home)
        self.port = free_port(0)
        self._variables = variables
        self._process: asyncio.subprocess.Process | None = None
        self._family: list[psutil.Process] = []
        self._reader: asyncio.Task[None] | None = None
        self.said: list[str] = []

    async def start(self, *, within: float = READY_WITHIN) -> float:
        """Start it and wait until it is ready; the seconds it took. Raises `NotReady`."""
        began = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "services.cli", "up",
            env=clean_environment(
                SHANGLIANG_HOME=str(self.home.root),
                SHANGLIANG_PORT=str(self.port),
                SHANGLIANG_DEMO_PASSWORD=PASSWORD,
                **self._variables,
            ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        ready = asyncio.Event()
        self._reader = asyncio.create_task(self._read(self._process, ready))
        try:
            await asyncio.wait_for(ready.wait(), within)
        except TimeoutError:
            raise NotReady("\n".join(self.said[-20:])) from None
        self._family = psutil.Process(self._process.pid).children(recursive=True)
        return time.monotonic() - began

    async def _read(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.said.append(line.decode(errors="replace").rstrip())
            if self.said[-1] == "ready":
                ready.set()

    @property
    def database_url(self) -> str:
        """Where its database is."""
        return self.home.running_now()["database_url"]

    @property
    def temporal_address(self) -> str:
        """Where its engine is."""
        return self.home.running_now()["temporal_address"]

    @property
    def temporal_namespace(self) -> str:
        """The namespace of its engine."""
        return self.home.running_now()["temporal_namespace"]

    def part(self, name: str) -> psutil.Process | None:
        """The process that does this part now; None while it is being started again."""
        assert self._process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children():
                with contextlib.suppress(psutil.Error):
                    if _SIGNS[name] in " ".join(child.cmdline()):
                        return child
        return None

    def send(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to one part; False while it is not there."""
        process = self.part(name)
        if process is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
            return True
        return False

    def freeze(self, name: str, *, frozen: bool) -> None:
        """Stop a part with all its processes where they stand, or let them go on."""
        process = self.part(name)
        if process is None:
            return
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    async def kill_all(self) -> None:
        """Kill every process of it in one instant, and wait until they are gone."""
        assert self._process is not None
        root = psutil.Process(self._process.pid)
        family = [root, *root.children(recursive=True)]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        await self._gone(family)

    async def stop(self) -> int:
        """Tell it to stop, insist after its time, and leave nothing behind; its exit code."""
        if self._process is None:
            return 0
        if self._process.returncode is None:
            root = psutil.Process(self._process.pid)
            self._family = [root, *root.children(recursive=True)]
            root.terminate()
        await self._gone(self._family)
        return self._process.returncode or 0

    @contextlib.asynccontextmanager
    async def standby(self) -> AsyncIterator[None]:
        """A second worker beside the one that `up` keeps, for as long as the block runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "services.cli", "worker",
            env=clean_environment(SHANGLIANG_HOME=str(self.home.root), **self._variables),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdout is not None
        async with asyncio.timeout(READY_WITHIN):
            while b"worker.started" not in (line := await process.stdout.readline()):
                if not line:
                    raise NotReady("the second worker ended")
        drained = asyncio.create_task(process.stdout.read())
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            await drained

    async def _gone(self, family: list[psutil.Process]) -> None:
        assert self._process is not None
        deadline = time.monotonic() + STOP_WITHIN
        while time.monotonic() < deadline and any(_lives(one) for one in family):
            await asyncio.sleep(0.02)
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        await self._process.wait()
        if self._reader is not None:
            await self._reader
            self._reader = None


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


@contextlib.asynccontextmanager
async def whole(**variables: str) -> AsyncIterator[Whole]:
    """A running product in a home of its own, stopped and cleared away afterwards."""
    home = Path(tempfile.mkdtemp(prefix="chaos-")).resolve()
    running = Whole(home, **variables)
    try:
        await running.start()
        yield running
    finally:
        await running.stop()
        shutil.rmtree(home, ignore_errors=True)


@dataclass(slots=True)
class Apart:
    """Servers, worker and API with a proxy between each two of them; links are named `web-postgres` and so on."""

    servers: Servers
    home: Home
    port: int
    links: dict[str, Proxy]
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        """The database itself, past all proxies."""
        return self.servers.database_url

    @property
    def temporal_address(self) -> str:
        """The engine itself, past all proxies."""
        return self.servers.temporal_address

    @property
    def temporal_namespace(self) -> str:
        """The namespace of its engine."""
        return self.servers.temporal_namespace

    def between(self, one: str, other: str) -> list[Proxy]:
        """The proxies in a connection; `*` means everybody."""
        return [
            proxy
            for name, proxy in self.links.items()
            if (one == "*" or name.startswith(f"{one}-")) and (other == "*" or name.endswith(f"-{other}"))
        ]

    def pid(self, name: str) -> int:
        """The process of one part; raises `LookupError` while it is being started again."""
        servers = {"postgres": self.servers.postgres, "temporal": self.servers.temporal}
        server = servers.get(name)
        child = server.child if server is not None else self.children[name]
        if child.pid is None:
            raise LookupError(name)
        return child.pid

    def freeze(self, name: str, *, frozen: bool) -> None:
        """Stop a part with all its processes where they stand, or let them go on."""
        process = psutil.Process(self.pid(name))
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)


@contextlib.asynccontextmanager
async def apart(
    *,
    order: tuple[str, ...] = ("worker", "web"),
    environment: Mapping[str, Mapping[str, str]] | None = None,
    home: Path | None = None,
) -> AsyncIterator[Apart]:
    """Run the product with a proxy in each link; `environment` adds variables to `worker` or `web`."""
    root = home or Path(tempfile.mkdtemp(prefix="chaos-")).resolve()
    where = Home(root)
    try:
        async with contextlib.AsyncExitStack() as stack:
            servers = await stack.enter_async_context(embedded(where, preferred_port=0))
            await migrate(servers.database_url)
            await bring_national(servers.database_url)
            await seed_street(servers.database_url, PASSWORD)
            links = {}
            for part in ("web", "worker"):
                database = _socket_of(servers.database_url)
                host, _, port = servers.temporal_address.rpartition(":")
                links[f"{part}-postgres"] = await stack.enter_async_context(Proxy(database))
                links[f"{part}-temporal"] = await stack.enter_async_context(Proxy((host, int(port))))
            running = Apart(servers, where, free_port(0), links)
            for part in order:
                running.children[part] = _child(running, part, (environment or {}).get(part, {}))
                stack.push_async_callback(running.children[part].stop)
                await running.children[part].start()
            await until_ready(running.port)
            yield running
    finally:
        if home is None:
            shutil.rmtree(root, ignore_errors=True)


def _child(running: Apart, part: str, more: Mapping[str, str]) -> Child:
    url = urlsplit(running.servers.database_url)
    account = url.netloc.rpartition("@")[0]
    database = f"postgresql://{account}@127.0.0.1:{running.links[f'{part}-postgres'].port}{url.path}"
    return Child(
        Program(
            name=part,
            arguments=[sys.executable, "-P", "-m", "services.cli", "serve" if part == "web" else part],
            log=running.home.logs / f"{part}.log",
            environment=clean_environment(
                SHANGLIANG_HOME=str(running.home.root),
                SHANGLIANG_PORT=str(running.port),
                SHANGLIANG_DATABASE_URL=database,
                SHANGLIANG_TEMPORAL_ADDRESS=f"127.0.0.1:{running.links[f'{part}-temporal'].port}",
                SHANGLIANG_TEMPORAL_NAMESPACE=running.servers.temporal_namespace,
                SHANGLIANG_LOG_JSON="true",
                SHANGLIANG_GRACE="3",
                **more,
            ),
        )
    )


def _socket_of(database_url: str) -> str:
    """The path of the socket of a server that listens on nothing else."""
    folder = parse_qs(urlsplit(database_url).query)["host"][0]
    return f"{folder}/.s.PGSQL.5432"
