"""Commands as people start them: words in two languages, examples, and exit codes that scripts can trust."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import COMMANDS, build
from services.embedded.ports import free_port
from services.embedded.servers import Servers

WITHIN = 60.0
Alone = Callable[..., Any]
SHANGLIANG = [sys.executable, "-P", "-m", "services.cli"]


def variables(home: Path, **given: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHANGLIANG_")}
    # No engine and no database but those that a test names.
    return {**kept, "SHANGLIANG_HOME": str(home), "COLUMNS": "200", **given}


def call(*words: str, environment: dict[str, str]) -> tuple[int, str]:
    ended = subprocess.run(
        [*SHANGLIANG, *words], env=environment, capture_output=True, text=True, check=False, timeout=WITHIN
    )
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended.returncode, ended.stdout + ended.stderr


@contextlib.contextmanager
def running(*words: str, environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [*SHANGLIANG, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def connected(tmp_path: Path, servers: Servers, database_url: str) -> dict[str, str]:
    """The environment of a command that uses the test's servers."""
    return variables(
        tmp_path / "home",
        SHANGLIANG_DATABASE_URL=database_url,
        SHANGLIANG_TEMPORAL_ADDRESS=servers.temporal_address,
        SHANGLIANG_PORT=str(free_port(0)),
        SHANGLIANG_GRACE="2",
        SHANGLIANG_LOG_JSON="true",
    )


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Alone:
    """Call a command in this process, where starting one costs nothing."""
    for name in [name for name in os.environ if name.startswith("SHANGLIANG_")]:
        monkeypatch.delenv(name)
    runner = CliRunner(env={"SHANGLIANG_HOME": str(tmp_path), "COLUMNS": "200"})
    return lambda *words, **given: runner.invoke(build(), words, env=given)


@pytest.mark.parametrize("command", [name for name, _, _ in COMMANDS])
def test_every_command_explains_itself_with_examples(alone: Alone, command: str) -> None:
    called = alone(command, "--help")

    assert called.exit_code == 0
    assert "Examples" in called.output
    assert f"shangliang {command}" in called.output


def test_nothing_shows_the_help_and_nonsense_is_misuse(alone: Alone) -> None:
    assert alone("nonsense").exit_code == 2
    assert alone("up", "--nonsense").exit_code == 2
    assert "shangliang up" in alone().output


@pytest.mark.parametrize("command", ["worker", "serve", "migrate", "seed"])
def test_a_command_without_servers_is_a_failure(alone: Alone, command: str) -> None:
    assert alone(command).exit_code == 1


def test_a_pack_that_does_not_exist_is_misuse(alone: Alone) -> None:
    assert alone("up", SHANGLIANG_POLICY="nowhere").exit_code == 2


def test_migrate_says_when_it_is_needed_and_does_it(alone: Alone, empty_database_url: str) -> None:
    here = {"SHANGLIANG_DATABASE_URL": empty_database_url}

    assert alone("migrate", "--check", **here).exit_code == 1
    assert alone("migrate", **here).exit_code == 0
    assert alone("migrate", "--check", **here).exit_code == 0
    assert alone("migrate", **here).exit_code == 0


def test_a_database_that_is_away_is_a_failure_in_words(tmp_path: Path) -> None:
    away = f"postgresql://nobody@127.0.0.1:{free_port(0)}/nothing"

    code, said = call("migrate", environment=variables(tmp_path, SHANGLIANG_DATABASE_URL=away))

    assert code == 1
    assert "does not answer" in said


def test_doctor_is_content_before_the_first_start(tmp_path: Path) -> None:
    code, said = call("doctor", environment=variables(tmp_path, SHANGLIANG_PORT=str(free_port(0))))

    assert code == 0, said
    assert "not running" in said


async def test_doctor_misses_the_worker_until_one_carries_something_out(connected: dict[str, str]) -> None:
    code, said = call("doctor", environment=connected)
    assert code == 1
    assert "nobody carries out tasks" in said

    with running("worker", environment=connected) as worker:
        assert worker.stdout is not None
        assert any("worker.started" in line for line in worker.stdout)
        code, said = call("doctor", environment=connected)
        worker.send_signal(signal.SIGTERM)
        ended = worker.wait(WITHIN)

    assert code == 0, said
    assert ended == 0


async def test_a_worker_waits_for_an_engine_that_is_away_and_still_stops(connected: dict[str, str]) -> None:
    away = connected | {"SHANGLIANG_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port(0)}"}
    with running("worker", environment=away) as worker:
        assert worker.stdout is not None
        assert any("engine_not_there" in line for line in worker.stdout)

        worker.send_signal(signal.SIGTERM)

        assert worker.wait(WITHIN) == 0


async def test_the_api_tells_that_nobody_works_and_stops_when_told(connected: dict[str, str]) -> None:
    away = connected | {"SHANGLIANG_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port(0)}"}
    with running("serve", environment=away) as web:
        status, retry_after = _ready(int(away["SHANGLIANG_PORT"]))

        web.send_signal(signal.SIGTERM)

        assert web.wait(WITHIN) == 0
    assert (status, retry_after) == (503, "2")


async def test_serve_names_who_has_its_port(connected: dict[str, str]) -> None:
    with running("serve", environment=connected) as first:
        _ready(int(connected["SHANGLIANG_PORT"]))
        code, said = call("serve", environment=connected)

    assert code == 1
    assert f"pid {first.pid}" in said


def _ready(port: int) -> tuple[int, str | None]:
    deadline = time.monotonic() + WITHIN
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/api/v1/health/ready")
            answer = connection.getresponse()
            return answer.status, answer.getheader("Retry-After")
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        finally:
            connection.close()
