"""How long `shangliang up` takes from the key press to `ready`, beside the two servers alone."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil

from services.embedded.home import Home
from services.embedded.ports import free_port
from services.embedded.servers import embedded
from tests.bench.measuring import Figure

PATIENCE = 120.0


async def start() -> list[Figure]:
    """Seconds to `ready` in a fresh home and at the second start."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="bench-") as bare, tempfile.TemporaryDirectory(prefix="bench-") as ours:
        for which in ("in a fresh home", "the second time"):
            servers = await _servers(bare)
            product, used = await _up(ours)
            figures.append(
                Figure(
                    f"up to ready, {which}",
                    f"{product:.1f} s",
                    f"both servers alone {servers:.1f} s",
                    product / servers,
                    "≤ 8 s",
                )
            )
            figures.append(Figure("  CPU of all its processes, whatever else ran", f"{used:.1f} s"))
    return figures


async def _servers(folder: str) -> float:
    begun = time.perf_counter()
    async with embedded(Home(Path(folder).resolve()), preferred_port=0):
        return time.perf_counter() - begun


async def _up(folder: str) -> tuple[float, float]:
    """Seconds until `ready`, and CPU seconds by then of all processes that it started."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHANGLIANG_")}
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.cli", "up"),
        env={**environment, "SHANGLIANG_HOME": folder, "SHANGLIANG_PORT": str(free_port(0))},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            said = b""
            async for line in process.stdout:
                said += line
                if line.strip() == b"ready":
                    return time.perf_counter() - begun, _used(process.pid)
        raise SystemExit(f"up ended:\n{said.decode()[-2000:]}")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


def _used(pid: int) -> float:
    above = psutil.Process(pid)
    total = 0.0
    for one in (above, *above.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            # Those that have ended, such as initdb, count with who waited for them.
            total += times.user + times.system + times.children_user + times.children_system
    return total
