"""Run PostgreSQL's own programs on a server of ours, and ask it the few things that a copy needs."""

import asyncio
import contextlib
import os
import signal
import sys
from typing import TypeAlias
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from services.embedded.child import LEASH
from services.embedded.manifest import CopyFailed
from services.embedded.postgres import postgres_programs

SHOWN = 3
TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) AS quoted, c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = 'public'
ORDER BY 2
"""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def run_tool(name: str, *arguments: str, database_url: str) -> None:
    """Run one program to its end; it ends with us. Raises `CopyFailed` with what it said."""
    address, password = _without_password(database_url)
    leash = [sys.executable, "-I", "-S", str(LEASH), str(int(signal.SIGKILL)), str(os.getpid()), "-"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    process = await asyncio.create_subprocess_exec(
        *leash, str(postgres_programs() / name), f"--dbname={address}", *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        # Not on the command line, which every user of the machine can read.
        env={**kept, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"}, start_new_session=True,
    )  # fmt: skip
    try:
        _, said = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if process.returncode != 0:
        # Only its errors: the lines around them may quote what a resident wrote.
        errors = [line for line in said.decode(errors="replace").splitlines() if "error: " in line]
        raise CopyFailed(name, " · ".join(errors[:SHOWN]) or f"code {process.returncode}")


async def rows_of(connection: Connection) -> dict[str, int]:
    """Count every table, as this transaction sees it."""
    tables = await connection.fetch(TABLES)
    return {table["name"]: await connection.fetchval(f"SELECT count(*) FROM {table['quoted']}") for table in tables}


def _without_password(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    _, _, place = parts.netloc.rpartition("@")
    address = parts._replace(netloc=f"{parts.username or ''}@{place}")
    return urlunsplit(address), unquote(parts.password or "")
