"""A process is kept alive, its output is kept, and it ends when it is told to."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from services.embedded.child import Child, Program
from services.embedded.log_file import LogFile
from services.embedded.problems import ServerFailed

WITHIN = 20.0


def program(folder: Path, code: str, *, stop_within: float = 5.0) -> Program:
    arguments = [sys.executable, "-u", "-c", code]
    return Program("clock", arguments, log=folder / "clock.log", stop_within=stop_within)


async def _eventually(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while not fact():
            await asyncio.sleep(0.02)


async def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    restarts: list[tuple[str, int]] = []
    child = Child(
        program(tmp_path, "import time; time.sleep(600)"),
        on_restart=lambda name, code, pause: restarts.append((name, code)),
    )
    await child.start()
    first = child.pid
    assert first is not None

    psutil.Process(first).kill()

    await _eventually(lambda: child.pid not in {None, first})
    await child.stop()
    assert restarts == [("clock", -9)]
    assert child.pid is None


async def test_a_process_that_does_not_listen_is_killed_in_time(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    heard: list[str] = []
    child = Child(program(tmp_path, deaf, stop_within=0.2), on_line=heard.append)
    await child.start()
    await _eventually(lambda: heard == ["deaf"])
    process = psutil.Process(child.pid)

    await child.stop()

    assert not process.is_running()


async def test_a_process_that_ends_before_it_answers_shows_why(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    child = Child(program(tmp_path, "print('no such port'); raise SystemExit(3)"))

    with pytest.raises(ServerFailed, match=r"(?s)code 3.*no such port") as failed:
        await child.start(never)

    assert "代码 3" in failed.value.zh


async def test_a_process_that_never_answers_is_ended(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    child = Child(program(tmp_path, "import time; time.sleep(600)"))

    with pytest.raises(ServerFailed, match="did not answer"):
        await child.start(never, within=0.2)

    assert child.pid is None


async def test_what_a_process_prints_is_kept_and_seen_line_by_line(tmp_path: Path) -> None:
    seen: list[str] = []
    child = Child(program(tmp_path, "print('one'); print('第二行'); import time; time.sleep(600)"), on_line=seen.append)
    await child.start()

    await _eventually(lambda: len(seen) == 2)
    await child.stop()

    assert seen == ["one", "第二行"]
    assert (tmp_path / "clock.log").read_text() == "one\n第二行\n"


def test_a_full_log_is_moved_aside_and_the_oldest_part_goes(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "web.log", part_bytes=10, older_parts=2)

    for line in (b"first___\n", b"second__\n", b"third___\n", b"fourth__\n"):
        log.write(line)
    log.close()

    parts = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert parts == {"web.log": b"fourth__\n", "web.log.1": b"third___\n", "web.log.2": b"second__\n"}
