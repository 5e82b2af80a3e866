"""`shangliang up`: everything on this machine, with one command."""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, TextIO

import typer

from services.commands.connected import given_settings, with_keys
from services.commands.production import refused_by, require_fit_machine
from services.commands.seed import seed_street
from services.commands.terminal import fail
from services.driving.api import Api, ApiAway, SignInFailed
from services.driving.permits import NotAdmitted, admit_units
from services.embedded.child import Child, Program
from services.embedded.home import Home
from services.embedded.ports import bind, holder_of
from services.embedded.postgres import READER
from services.embedded.problems import HomeUnusable, PortTaken, StartRefused
from services.embedded.servers import Servers, embedded
from services.settings import Settings
from services.storage.calendar import bring_national
from services.storage.database import NoDatabaseError
from services.storage.migrating import SchemaAheadError, migrate
from workflows.kernel.calendar import local
from workflows.policy.packs import load

EPILOG = "例 Examples: shangliang up · shangliang up --port 8080 · SHANGLIANG_POLICY=drill shangliang up"

PORT_PATIENCE = 2.0
READY_LOOK_EVERY = 0.1
DEMO_PASSWORD = "demo_password"
# Longer than any start that goes well, on a machine ten times slower than ours.
READY_WITHIN = 90.0
# Both are told at once; PostgreSQL and Temporal have five more: together below ten seconds.
PROCESS_STOP_WITHIN = 4.0
PROCESS_GRACE = 3.0


def up(
    port: Annotated[
        int | None, typer.Option(help="接口与控制台的端口。Port of API and console.", min=1, max=65535)
    ] = None,
) -> None:
    """启动数据库、流程引擎、工作进程和接口,就绪后打印 ready。Start everything on this machine.

    首次启动会建库并载入示范街道;再次启动接着上次继续。Ctrl-C 或 SIGTERM 全部停止。
    The first start makes the databases and loads the demonstration street; the next ones go on where it was.
    Ctrl-C or SIGTERM stops all of it.
    """
    given = given_settings(port=port)
    settings = with_keys(given)
    require_fit_machine(given, settings)
    try:
        asyncio.run(_until_told(Instance(settings)))
    except StartRefused as refused:
        fail(refused.zh, refused.en)
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except OSError as refused:
        # A disk that is full, mostly; every folder that is written is below the home.
        unusable = HomeUnusable(settings.home, refused)
        fail(unusable.zh, unusable.en)
    except SchemaAheadError as refused:
        fail("数据库由更新的程序升级过,本程序不能使用。", str(refused))


async def _until_told(instance: "Instance") -> None:
    """Run the instance until a signal; a start that is under way ends too."""
    running = asyncio.create_task(instance.run())
    told: list[bool] = []

    def stop() -> None:
        # Only the first: a second Ctrl-C must not interrupt the stopping, which is bounded by itself.
        if not told:
            told.append(True)
            running.cancel()
            _say("正在停止 stopping …")

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        await running
    except asyncio.CancelledError:
        if not told:
            raise
    _say("已停止 stopped")


class Instance:
    """One running product: two servers, a worker and the API, all kept alive until it is cancelled."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = Home(settings.home)

    async def run(self) -> None:
        """Start everything in its order, say when it is ready, and stop all of it when cancelled."""
        settings = self._settings
        self._home.make()
        with self._home.locked(), await self._listener() as listener:
            async with embedded(
                self._home,
                database_url=settings.database_url.get_secret_value() if settings.database_url else None,
                temporal_address=settings.temporal_address,
                namespace=settings.temporal_namespace,
                on_restart=_say_restart,
            ) as servers:
                await migrate(servers.database_url)
                await bring_national(servers.database_url)
                password = await self._load_street(servers)
                await refused_by(servers.application_url, READER if servers.postgres else None, settings)
                self._note(servers)
                try:
                    await self._run_processes(servers, listener, password)
                finally:
                    self._home.forget_running()

    async def _listener(self) -> socket.socket:
        """Take the port for as long as we run; raises `PortTaken`."""
        settings = self._settings
        deadline = time.monotonic() + PORT_PATIENCE
        while (listener := bind(settings.host, settings.port)) is None:
            # The process of an instance that was just killed may take a moment to end.
            if time.monotonic() > deadline:
                raise PortTaken(settings.port, holder_of(settings.port))
            await asyncio.sleep(READY_LOOK_EVERY)
        # Listening from here on, so that the port is ours; who comes too early waits in the queue.
        listener.listen(1024)
        return listener

    async def _load_street(self, servers: Servers) -> str | None:
        """Load the demonstration street once; gives the password when one was made up."""
        settings = self._settings
        if not settings.demo:
            return None
        given = settings.demo_password.get_secret_value() if settings.demo_password else None
        made = (await seed_street(servers.database_url, given)).password
        if kept := given or made:
            # `drive` signs in with it from another terminal; readable by the owner of the home alone.
            (self._home.secrets / DEMO_PASSWORD).unlink(missing_ok=True)
            self._home.secret(DEMO_PASSWORD, lambda: kept)
        return made

    def _note(self, servers: Servers) -> None:
        self._home.remember_running(
            {
                "database_url": servers.database_url,
                "temporal_address": servers.temporal_address,
                "temporal_namespace": servers.temporal_namespace,
                "api": self._api(),
                "policy": self._settings.policy,
                **({"temporal_ui": servers.ui_url} if servers.ui_url else {}),
            }
        )

    async def _run_processes(self, servers: Servers, listener: socket.socket, password: str | None) -> None:
        environment = self._environment(servers)
        keep_open = {"serve": (listener.fileno(),)}
        commands = {"worker": ["worker"], "web": ["serve", "--listener", str(listener.fileno())]}
        children = [
            Child(
                Program(
                    name=name,
                    # -P: a folder named `services` where somebody stands is not ours.
                    arguments=[sys.executable, "-P", "-m", "services.cli", *command],
                    log=self._home.logs / f"{name}.log",
                    environment=environment,
                    stop_within=PROCESS_STOP_WITHIN,
                    keep_open=keep_open.get(command[0], ()),
                ),
                on_line=_Errors(name).see,
                on_restart=_say_restart,
            )
            for name, command in commands.items()
        ]
        try:
            for child in children:
                await child.start()
            self._say_addresses(servers, password)
            await self._say_ready()
            await self._admit_units()
            await asyncio.Event().wait()
        finally:
            await asyncio.gather(*(child.stop() for child in children))

    async def _admit_units(self) -> None:
        """Let the units of the demonstration street apply, where days last a day: a drill's terms end in a minute."""
        kept = self._home.secrets / DEMO_PASSWORD
        wanted = self._settings.demo and self._settings.demo_permits
        if not wanted or load(self._settings.policy).scale is not None or not kept.is_file():
            return
        try:
            async with Api(self._api(), kept.read_text().strip(), parallel=1) as api:
                await admit_units(api, local(datetime.now(UTC)).date())
        except (ApiAway, LookupError, NotAdmitted, SignInFailed) as trouble:
            _warn(f"! 示范准入单位未载入 units of the demonstration are missing: {trouble}")

    def _environment(self, servers: Servers) -> Mapping[str, str]:
        settings = self._settings
        return {
            "SHANGLIANG_LOG_JSON": "true",
            **{name: value for name, value in os.environ.items() if name != "SHANGLIANG_DEMO_PASSWORD"},
            "SHANGLIANG_HOME": str(settings.home),
            "SHANGLIANG_HOST": settings.host,
            "SHANGLIANG_PORT": str(settings.port),
            "SHANGLIANG_DATABASE_URL": servers.application_url,
            **({"SHANGLIANG_DATABASE_READER": READER} if servers.postgres else {}),
            **({"SHANGLIANG_CODEC_ORIGINS": servers.ui_url} if servers.ui_url and not settings.codec_origins else {}),
            **({"SHANGLIANG_ENGINE_UI": servers.ui_url} if servers.ui_url and not settings.engine_ui else {}),
            "SHANGLIANG_TEMPORAL_ADDRESS": servers.temporal_address,
            "SHANGLIANG_TEMPORAL_NAMESPACE": servers.temporal_namespace,
            "SHANGLIANG_GRACE": str(min(settings.grace, PROCESS_GRACE)),
        }

    def _api(self) -> str:
        host = self._settings.host
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # only compared  # nosec B104
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self._settings.port}"

    def _say_addresses(self, servers: Servers, password: str | None) -> None:
        rows = [
            ("接口 API", f"{self._api()}/api/v1"),
            ("接口文档 docs", f"{self._api()}/docs"),
            ("流程引擎 Temporal", servers.ui_url or servers.temporal_address),
            ("数据目录 home", str(self._home.root)),
            ("日志 logs", str(self._home.logs)),
        ]
        if password:
            rows.append(("示范账户密码 demo password", f"{password}  (只显示这一次 shown this once)"))
        for name, value in rows:
            _say(f"  {name}: {value}")

    async def _say_ready(self) -> None:
        """Print `ready` when `/health/ready` is 200."""
        deadline = time.monotonic() + READY_WITHIN
        late = False
        while not await asyncio.to_thread(_is_ready, self._settings):
            if not late and time.monotonic() > deadline:
                late = True
                logs = self._home.logs
                _warn(f"! 尚未就绪,仍在等待;原因见 {logs}")
                _warn(f"  Not ready yet, still waiting; see {logs}")
            await asyncio.sleep(READY_LOOK_EVERY)
        _say("ready")


class _Errors:
    """Shows the errors of a process at the terminal; everything is in its log."""

    def __init__(self, name: str) -> None:
        self._name = name

    def see(self, line: str) -> None:
        """Print a line that reports an error, or that is no log line at all."""
        try:
            entry = json.loads(line)
        except ValueError:
            if line.strip():
                _warn(f"[{self._name}] {line}")
            return
        if isinstance(entry, dict) and entry.get("level") in {"error", "critical"}:
            _warn(f"[{self._name}] {entry.get('event')}")


def _say_restart(name: str, code: int, pause: float) -> None:
    _warn(f"! {name} 已退出(代码 {code}),{pause:.1f} 秒后重新启动")
    _warn(f"  {name} ended with code {code}; started again in {pause:.1f} s")


def _say(line: str, stream: TextIO | None = None) -> None:
    """Print a line for whoever still watches; a closed terminal ends nothing and stops no restart."""
    with contextlib.suppress(OSError, ValueError):
        # Not through rich, which ends the program on a closed pipe.
        print(line, file=stream or sys.stdout, flush=True)


def _warn(line: str) -> None:
    _say(line, sys.stderr)


def _is_ready(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # only compared  # nosec B104
    connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/api/v1/health/ready")
        return connection.getresponse().status == 200
    return False
