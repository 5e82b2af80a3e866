"""A process of ours: tied to our life, its output kept, started again when it dies."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.embedded.log_file import LogFile
from services.embedded.problems import ServerEnded, ServerFailed, StartRefused

LEASH = Path(__file__).with_name("leash.py")
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
STEADY_AFTER = 30.0
LOOK_EVERY = 0.05

Probe = Callable[[], Awaitable[bool]]


async def _nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Program:
    """How a process is started and ended; times in seconds."""

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    user: tuple[int, int] | None = None
    """The uid and gid to become, or None to stay who we are."""
    folder: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 5.0
    death_signal: signal.Signals = signal.SIGKILL
    """What the process is sent when we die without stopping it."""
    keep_open: Sequence[int] = ()
    """File descriptors that the process gets from us."""
    prepare: Callable[[], Awaitable[None]] = _nothing
    """What must be done before every start."""


class Child:
    """One running `Program`, kept alive until `stop`.

    `on_line` sees each line that the process prints, `on_restart` the exit code and the pause in seconds
    before the next start.
    """

    def __init__(
        self,
        program: Program,
        *,
        on_line: Callable[[str], None] | None = None,
        on_restart: Callable[[str, int, float], None] | None = None,
    ) -> None:
        self.program = program
        self.restarts = 0
        self._on_line = on_line
        self._on_restart = on_restart
        self._log = LogFile(program.log)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def start(self, answers: Probe | None = None, *, within: float = 30.0) -> None:
        """Start the process, wait until `answers` is true, and from then on keep it alive.

        Raises `ServerEnded` when it ends first, `ServerFailed` when it does not answer `within` these seconds.
        """
        await self._spawn()
        try:
            if answers is not None:
                await self._until(answers, within)
        except BaseException:
            await self.stop()
            raise
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")

    async def stop(self) -> None:
        """Ask the process to end, insist after its time, and keep what it printed until then."""
        self._stopping.set()
        process = self._process
        if process is not None:
            self._signal(self.program.stop_signal)
            try:
                async with asyncio.timeout(self.program.stop_within):
                    await _ended(process)
            except TimeoutError:
                self._kill()
                await _ended(process)
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._reader is not None:
            # Its end of the pipe closes with the process, unless a grandchild holds it.
            await asyncio.wait({self._reader}, timeout=0.5)
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        self._log.close()

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            assert self._process is not None
            began = time.monotonic()
            code = await _ended(self._process)
            if self._stopping.is_set():
                return
            pause = FIRST_PAUSE if time.monotonic() - began > STEADY_AFTER else pause
            self.restarts += 1
            if self._on_restart is not None:
                self._on_restart(self.program.name, code, pause)
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
            # A full process table or disk must not end the keeping: the next turn tries again.
            with contextlib.suppress(OSError, StartRefused):
                await self._spawn()

    async def _spawn(self) -> None:
        await self.program.prepare()
        if self._stopping.is_set():
            return
        if self._reader is not None:
            self._reader.cancel()
        user = "-" if self.program.user is None else "{}:{}".format(*self.program.user)
        leash = [
            sys.executable,
            "-I",
            "-S",
            str(LEASH),
            str(int(self.program.death_signal)),
            str(os.getpid()),
            user,
        ]
        process = subprocess.Popen(  # noqa: ASYNC220 - the death signal belongs to the thread that starts it: this one
            [*leash, *self.program.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(self.program.environment),
            cwd=self.program.folder,
            # A session of its own: Ctrl-C reaches us alone, and we stop the children in their order.
            start_new_session=True,
            pass_fds=self.program.keep_open,
        )
        self._process = process
        self._reader = asyncio.create_task(self._read(process), name=f"read {self.program.name}")

    async def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), process.stdout
        )
        rest = b""
        try:
            while output := await stream.read(65536):
                self._log.write(output)
                *lines, rest = (rest + output).split(b"\n")
                if self._on_line is not None:
                    for line in lines:
                        self._on_line(line.decode(errors="replace"))
        finally:
            transport.close()

    async def _until(self, answers: Probe, within: float) -> None:
        process = self._process
        assert process is not None
        deadline = time.monotonic() + within
        while not await answers():
            if (code := process.poll()) is not None:
                await asyncio.sleep(LOOK_EVERY)
                raise self._failed(ServerEnded, f"进程已退出(代码 {code})", f"it ended with code {code}")
            if time.monotonic() > deadline:
                zh, en = f"{within:.0f} 秒内没有应答", f"it did not answer within {within:.0f} s"
                raise self._failed(ServerFailed, zh, en)
            await asyncio.sleep(LOOK_EVERY)

    def _failed(self, kind: type[ServerFailed], zh: str, en: str) -> ServerFailed:
        return kind(self.program.name, zh, en, log=self.program.log, last_lines=self._log.last_lines())

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _kill(self) -> None:
        if self._process is not None:
            # The whole session, so that nothing the process started stays behind.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


async def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for the process itself; a grandchild that still holds its output does not count."""
    loop = asyncio.get_running_loop()
    if process.poll() is None and hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            watched = os.pidfd_open(process.pid)
            ended = asyncio.Event()
            try:
                loop.add_reader(watched, ended.set)
                await ended.wait()
            finally:
                loop.remove_reader(watched)
                os.close(watched)
    while (code := process.poll()) is None:
        await asyncio.sleep(LOOK_EVERY)
    return code
