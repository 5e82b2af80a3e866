"""R7: the disk under the database, then under the engine's store, is full; reads go on, and writes come back."""

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.chaos.http import Callers
from tests.chaos.lives import PEOPLE, open_ask
from tests.chaos.outcome import Outcome, history_holds
from tests.chaos.product import PASSWORD, Whole
from tests.check.history import install_counter

WRITES_AGAIN = 60.0


class NoSmallDisk(Exception):
    """A file system of a limited size cannot be made here."""


@contextlib.asynccontextmanager
async def small_disk(megabytes: int) -> AsyncIterator[Path]:
    """A file system in memory of that size; raises `NoSmallDisk` where mounting is not allowed."""
    place = Path(tempfile.mkdtemp(prefix="chaos-disk-")).resolve()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(place)]
    try:
        try:
            made = subprocess.run(mount, check=False, capture_output=True, text=True)
        except FileNotFoundError:
            raise NoSmallDisk("there is no program `mount`") from None
        if made.returncode != 0:
            raise NoSmallDisk(made.stderr.strip())
        try:
            yield place
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)
    finally:
        place.rmdir()


async def full_disk(seed: int, *, full_for: float = 10.0) -> Outcome:
    """R7: fill the disk of each store under load, then free it."""
    outcome = Outcome("R7", seed)
    done = []
    for store, megabytes in (("postgres", 128), ("temporal", 64)):
        try:
            async with small_disk(megabytes) as disk:
                await _fill_under(outcome, seed, store, disk, full_for)
        except NoSmallDisk as refused:
            outcome.skipped = f"no file system of a limited size can be made: {refused}"
            return outcome
        done.append(f"{store} on {megabytes} MB")
    outcome.done = f"{', '.join(done)}, full for {full_for:g} s each"
    return outcome


async def _fill_under(outcome: Outcome, seed: int, store: str, disk: Path, full_for: float) -> None:
    home = Path(tempfile.mkdtemp(prefix="chaos-")).resolve()
    running = Whole(home)
    try:
        await running.start()
        await running.stop()
        _move(home, store, disk)
        await running.start()
        await install_counter(running.database_url)
        callers = Callers(running.port, PASSWORD)
        await callers.sign_in(*PEOPLE)
        rng = random.Random(seed)
        first = await callers.insist(open_ask(rng))
        assert first is not None
        ballast = _fill(disk)
        reads, writes = [], []
        began = time.monotonic()
        while time.monotonic() < began + full_for:
            _fill(disk, ballast)
            writes.append((await callers.attempt(open_ask(rng))).status)
            reads.append((await callers.read(f"/issues/{first.body['id']}", "worker1")).status)
            await asyncio.sleep(0.1)
        ballast.unlink()
        freed = time.monotonic()
        again = await callers.insist(open_ask(rng), until=freed + 2 * WRITES_AGAIN)
        outcome.at_most(f"writes again after {store} was freed", time.monotonic() - freed, WRITES_AGAIN)
        outcome.none_of(f"{store}: writes that did not come back", [] if again else ["no answer"])
        odd = [str(one) for one in writes if one not in (201, 503, 507, 0)]
        outcome.none_of(f"{store} full: writes neither done nor refused by 503", odd)
        outcome.at_least(f"{store} full: writes refused", len([one for one in writes if one >= 500]), 1)
        outcome.none_of(f"{store} full: reads that failed", [str(one) for one in reads if one != 200])
        for ask in list(callers.asks):
            # Whoever was told to come again does.
            await callers.insist(ask)
        log = (running.home.logs / f"{store}.log").read_text(errors="replace").lower()
        outcome.none_of(
            f"{store}: logs that do not show it", [] if "no space left" in log or "disk is full" in log else [store]
        )
        await history_holds(outcome, running, callers)
    finally:
        await running.stop()
        shutil.rmtree(home, ignore_errors=True)


def _move(home: Path, store: str, disk: Path) -> None:
    """Move a store to the small disk and leave a link in its place."""
    if store == "postgres":
        data = home / "postgres"
        owner = data.stat()
        subprocess.run(["cp", "-a", str(data), str(disk / "postgres")], check=True)
        shutil.rmtree(data)
        os.chown(disk, owner.st_uid, owner.st_gid)
        data.symlink_to(disk / "postgres")
        return
    for file in home.glob("temporal.db*"):
        shutil.move(file, disk / file.name)
    (home / "temporal.db").symlink_to(disk / "temporal.db")


def _fill(disk: Path, ballast: Path | None = None) -> Path:
    """Take all the room that is left."""
    file = ballast or disk / "ballast"
    with contextlib.suppress(OSError), file.open("ab", buffering=0) as out:
        while True:
            out.write(bytes(4096))
    return file
