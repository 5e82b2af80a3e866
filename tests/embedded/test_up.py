"""The whole product with one command: ready means ready, stopped means stopped, and a kill is no harm."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.embedded.home import Home
from services.embedded.ports import free_port
from services.embedded.servers import Servers

READY_WITHIN = 90
# The promise (issue 2): a clean stop in ten seconds.
STOPPED_WITHIN = 10

Start = Callable[..., "Running"]


class Running:
    """One `shangliang up` and what it printed."""

    def __init__(self, home: Path, port: int, **variables: str) -> None:
        self.home = Home(home)
        self.port = port
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SHANGLIANG_")}
        environment |= {"SHANGLIANG_HOME": str(home), "SHANGLIANG_PORT": str(port), **variables}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "services.cli", "up"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []

    def until_ready(self) -> "Running":
        """Read what it prints until the line `ready`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if self.lines[-1] == "ready":
                return self
        raise AssertionError(f"ended with {self.process.wait()}: {self.lines}")

    def family(self) -> list[psutil.Process]:
        """Everything that it started."""
        children: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return children

    def part(self, command: str) -> psutil.Process | None:
        """Find the part whose command line has these words; None while it is not there."""
        for process in self.family():
            # One that has just ended, or is not yet what it is going to be, has no command line.
            with contextlib.suppress(psutil.Error):
                if command in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    return process
        return None

    def stop(self) -> int:
        """Tell it to stop, and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOPPED_WITHIN)
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().splitlines()
        return code

    def is_ready(self) -> bool:
        """Say whether its API says so; one that was killed in the middle of an answer does not."""
        try:
            return self.get("/api/v1/health/ready")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def get(self, path: str) -> tuple[int, dict[str, object]]:
        """Ask its API."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.load(answer)


@pytest.fixture
def start() -> Iterator[Start]:
    home = Path(tempfile.mkdtemp(prefix="shangliang-")).resolve()
    started: list[Running] = []

    def begin(*, port: int | None = None, **variables: str) -> Running:
        started.append(Running(home, port or free_port(0), **variables))
        return started[-1]

    yield begin

    left = [process for running in started if running.process.poll() is None for process in running.family()]
    for running in started:
        running.process.kill()
        running.process.wait()
        assert running.process.stdout is not None
        running.process.stdout.close()
    psutil.wait_procs(left, timeout=STOPPED_WITHIN)
    shutil.rmtree(home)


def test_up_serves_refuses_a_second_one_and_stops_cleanly(start: Start) -> None:
    running = start().until_ready()

    assert running.get("/api/v1/health/ready") == (
        200,
        {"status": "ready", "checks": {"postgres": True, "temporal": True, "worker": True}},
    )
    password = [line for line in running.lines if "password" in line]
    assert len(password) == 1

    second = start()
    assert second.process.stdout is not None
    said = second.process.stdout.read()
    assert (second.process.wait(READY_WITHIN), f"pid {running.process.pid}" in said) == (1, True)
    assert "Traceback" not in said

    family = running.family()
    assert running.stop() == 0
    assert psutil.wait_procs(family, timeout=0)[1] == []
    assert running.home.running_now() == {}

    again = start(SHANGLIANG_DEMO_PASSWORD="a password of mine").until_ready()

    assert [line for line in again.lines if "password" in line] == []
    assert again.stop() == 0


def test_a_killed_up_leaves_nothing_and_starts_again_on_its_port(start: Start) -> None:
    running = start().until_ready()
    family = running.family()

    running.process.kill()

    again = start(port=running.port).until_ready()
    assert psutil.wait_procs(family, timeout=STOPPED_WITHIN)[1] == []
    assert again.get("/api/v1/health/ready")[0] == 200
    assert again.stop() == 0


def test_a_killed_part_comes_back_without_a_hand(start: Start) -> None:
    running = start().until_ready()
    for name in ("postgres -D", "temporal server", "services.cli worker", "services.cli serve"):
        part = running.part(name)
        assert part is not None
        part.kill()

    deadline = time.monotonic() + READY_WITHIN
    while not running.is_ready():
        assert time.monotonic() < deadline, "not ready again"
    assert running.stop() == 0
    assert len([line for line in running.lines if "started again" in line]) == 4


def test_a_closed_terminal_ends_nothing_and_stops_no_restart(start: Start) -> None:
    running = start().until_ready()
    assert running.process.stdout is not None
    running.process.stdout.close()
    worker = running.part("services.cli worker")
    assert worker is not None

    worker.kill()

    deadline = time.monotonic() + READY_WITHIN
    while running.part("services.cli worker") in {None, worker}:
        assert time.monotonic() < deadline, "not started again"
    assert running.is_ready()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(STOPPED_WITHIN) == 0


def test_servers_that_are_given_are_used_and_none_is_started(
    start: Start, servers: Servers, empty_database_url: str
) -> None:
    running = start(
        SHANGLIANG_DATABASE_URL=empty_database_url, SHANGLIANG_TEMPORAL_ADDRESS=servers.temporal_address
    ).until_ready()

    started = {process.name() for process in running.family()}
    assert not started & {"postgres", "temporal"}
    assert not running.home.postgres.exists()
    assert running.stop() == 0


def test_a_taken_port_is_named_and_nothing_is_left_running(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        running = start(port=other.getsockname()[1])
        assert running.process.stdout is not None
        said = running.process.stdout.read()

    assert running.process.wait(READY_WITHIN) == 1
    assert f"pid {os.getpid()}" in said
    assert "SHANGLIANG_PORT" in said
    assert "Traceback" not in said


def test_a_stop_during_the_start_stops(start: Start) -> None:
    running = start()
    deadline = time.monotonic() + READY_WITHIN
    while not running.home.postgres.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    family = running.family()

    assert running.stop() == 0
    assert psutil.wait_procs(family, timeout=0)[1] == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SHANGLIANG_PORT", "many"), ("SHANGLIANG_SEAL_KEY", "short"), ("SHANGLIANG_DATABASE_URL", "mysql://here")],
)
def test_a_variable_that_cannot_be_used_is_named(start: Start, variable: str, value: str) -> None:
    running = start(**{variable: value})
    assert running.process.stdout is not None
    said = running.process.stdout.read()

    assert running.process.wait(READY_WITHIN) == 2
    assert variable in said
    assert "Traceback" not in said
