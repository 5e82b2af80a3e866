"""PostgreSQL and Temporal of one machine: what was written stays, whatever ended the program or a server."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from services.embedded import temporal
from services.embedded.home import Home
from services.embedded.problems import ServerEnded
from services.embedded.servers import Servers, embedded
from services.embedded.temporal import temporal_program

WITHIN = 30.0

# Starts the servers, says so, and waits to be killed.
HOLD = """
import asyncio, sys
from pathlib import Path
from services.embedded.servers import embedded
async def hold():
    async with embedded(Path(sys.argv[1]), preferred_port=0) as servers:
        print(servers.postgres.child.pid, servers.temporal.child.pid, flush=True)
        await asyncio.sleep(600)
asyncio.run(hold())
"""


@pytest.fixture
def home() -> Iterator[Home]:
    made = Home(Path(tempfile.mkdtemp(prefix="shangliang-")).resolve())
    yield made
    shutil.rmtree(made.root)


async def _execute(servers: Servers, statement: str) -> object:
    connection = await asyncpg.connect(servers.database_url, timeout=10)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_what_was_written_is_there_at_the_next_start(home: Home) -> None:
    async with embedded(home, preferred_port=0) as servers:
        await _execute(servers, "CREATE TABLE wish AS SELECT '路灯不亮' AS words")
        assert servers.postgres is not None
        assert servers.temporal is not None
        children = [psutil.Process(servers.postgres.child.pid), psutil.Process(servers.temporal.child.pid)]

    assert not any(process.is_running() for process in children)

    async with embedded(home, preferred_port=0) as servers:
        assert await _execute(servers, "SELECT words FROM wish") == "路灯不亮"


async def test_a_killed_program_leaves_nothing_that_stops_the_next_start(home: Home) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(home.root)], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        children = [psutil.Process(int(pid)) for pid in program.stdout.readline().split()]
        sessions = children[0].children(recursive=True)
        program.kill()

    async with embedded(home, preferred_port=0) as servers:
        assert await _execute(servers, "SELECT 1") == 1
        assert psutil.wait_procs([*children, *sessions], timeout=WITHIN)[1] == []


async def test_a_pid_in_an_old_lock_that_is_somebody_elses_now_stops_nothing(home: Home) -> None:
    async with embedded(home, preferred_port=0):
        pass
    data = home.postgres.stat()
    sleeper = subprocess.Popen(["sleep", "600"], user=data.st_uid if os.geteuid() == 0 else None)
    try:
        for lock in (home.postgres / "postmaster.pid", home.root / "sockets" / ".s.PGSQL.5432.lock"):
            lock.write_text(f"{sleeper.pid}\n{home.postgres}\n1\n5432\n{home.root}\n\n")
            os.chown(lock, data.st_uid, data.st_gid)

        async with embedded(home, preferred_port=0) as servers:
            assert await _execute(servers, "SELECT 1") == 1
    finally:
        sleeper.kill()
        sleeper.wait()


async def test_a_start_that_was_killed_while_it_made_the_data_is_begun_again(home: Home) -> None:
    half = home.root / "postgres.new" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    async with embedded(home, preferred_port=0) as servers:
        assert await _execute(servers, "SELECT 1") == 1

    assert not half.exists()


@pytest.mark.parametrize("server", ["postgres", "temporal"])
async def test_a_killed_server_comes_back_at_the_same_address(home: Home, server: str) -> None:
    async with embedded(home, preferred_port=0) as servers:
        running = getattr(servers, server)
        killed = running.child.pid

        psutil.Process(killed).kill()

        async with asyncio.timeout(WITHIN):
            while running.child.pid in {None, killed} or not await _answers(servers):
                await asyncio.sleep(0.05)
        assert running.child.restarts == 1


async def _answers(servers: Servers) -> bool:
    try:
        await _execute(servers, "SELECT 1")
        client = await Client.connect(servers.temporal_address, namespace=servers.temporal_namespace)
        return await client.service_client.check_health()
    except (OSError, RuntimeError, asyncpg.PostgresError):
        return False


async def test_a_taken_port_of_the_engine_is_replaced(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        async with embedded(home, preferred_port=taken, database_url="postgresql://elsewhere/db") as servers:
            assert servers.temporal_address != f"127.0.0.1:{taken}"
            assert servers.postgres is None


async def test_the_engine_keeps_closed_runs_for_a_week(servers: Servers) -> None:
    client = await Client.connect(servers.temporal_address, namespace=servers.temporal_namespace)

    described = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=servers.temporal_namespace)
    )

    assert described.config.workflow_execution_retention_ttl.ToTimedelta().days == 7


async def test_the_database_is_for_us_alone(servers: Servers) -> None:
    assert servers.postgres is not None
    data = servers.postgres.child.program.arguments
    sockets = Path(next(part.split("=", 1)[1] for part in data if part.startswith("unix_socket_directories=")))

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host=str(sockets), user="shangliang", database="shangliang", password="guess")
    listening = [c for c in psutil.Process(servers.postgres.child.pid).net_connections("inet") if c.status == "LISTEN"]
    assert listening == []
    assert sockets.stat().st_mode & 0o077 == 0
    assert await _execute(servers, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert "shangliang:" not in repr(servers)


async def test_an_engine_that_finds_a_port_taken_tries_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.make()
    program, seen = home.root / "temporal", home.root / "tried"
    # As it dies of a port of its own: the reason stands far above the last lines.
    panics = 'echo "panic: bind: address already in use" >&2; seq 40 >&2; exit 2'
    program.write_text(f'#!/bin/sh\n[ -e {seen} ] || {{ touch {seen}; {panics}; }}\nexec {temporal_program()} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(temporal, "temporal_program", lambda: program)

    started = await temporal.start_temporal(home, namespace="gov", durable=False, preferred_port=0)
    try:
        client = await Client.connect(started.address, namespace="gov")
        served = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="gov"))
        assert served.namespace_info.name == "gov"
    finally:
        await started.child.stop()


async def test_an_engine_that_never_starts_is_told_of(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.make()
    monkeypatch.setattr(temporal, "temporal_program", lambda: Path(shutil.which("false") or ""))
    with pytest.raises(ServerEnded, match="code 1"):
        await temporal.start_temporal(home, namespace="gov", durable=False, preferred_port=0)
