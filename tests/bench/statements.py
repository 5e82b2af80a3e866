"""How many statements and writing transactions a command is, counted by PostgreSQL itself."""

import asyncio
import re
from collections import Counter
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from services.embedded.home import Home
from services.embedded.postgres import SUPERUSER
from services.embedded.servers import Servers
from tests.bench.measuring import COMMANDS, Figure
from tests.bench.people import street

WARM, LIVES = 10, 20
# Which program sent it; how it was sent; its first word, or the function that writes.
LINE = re.compile(r"^(shangliang-\w+)\|LOG: +(?:statement|execute [^:]*): *(.*)$")
NEXT_XID = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


async def statements() -> list[Figure]:
    """Count on servers of their own, where every statement is logged."""
    async with street(_log_everything) as bench:
        await bench.round(bench.issue_life, WARM, 2)
        await asyncio.sleep(1)
        watch = await asyncpg.connect(bench.servers.database_url)
        log = bench.home.logs / "postgres.log"
        # A number is given to each transaction that writes and to no other: their count is exact.
        begun, written = log.stat().st_size, await watch.fetchval(NEXT_XID)
        await bench.round(bench.issue_life, LIVES, 2)
        transactions = await watch.fetchval(NEXT_XID) - written
        sent = _sent(log, begun)
        await watch.close()
    commands = LIVES * (COMMANDS + 1)
    writes = sent["shangliang-worker", "record"]
    framing = sum(number for (_, what), number in sent.items() if what in {"BEGIN", "COMMIT", "ROLLBACK"})
    figures = [
        Figure("writing transactions a command", f"{transactions / commands:.2f}", goal="1"),
        Figure("statements that write a command", f"{writes / commands:.2f}", goal="1"),
        Figure("BEGIN, COMMIT and ROLLBACK a command", f"{framing / commands:.2f}", goal="≤ 2"),
    ]
    for (program, what), number in sorted(sent.items()):
        if what not in {"record", "BEGIN", "COMMIT", "ROLLBACK"}:
            figures.append(Figure(f"  {program.removeprefix('shangliang-')}: {what}", f"{number / commands:.2f}"))
    return figures


def _sent(log: Path, begun: int) -> Counter[tuple[str, str]]:
    """What was sent since then, by program and kind."""
    sent: Counter[tuple[str, str]] = Counter()
    with log.open("rb") as file:
        file.seek(begun)
        for raw in file:
            if (match := LINE.match(raw.decode(errors="replace").rstrip())) is not None:
                program, statement = match.groups()
                word = statement.split(" ", 1)[0].rstrip(";").upper() or "of several lines"
                sent[program, "record" if "record($1" in statement else word] += 1
    return sent


async def _log_everything(servers: Servers, home: Home) -> None:
    """Let PostgreSQL log the product's statements; the home with its log is gone after the run."""
    url = make_url(servers.database_url)
    admin = await asyncpg.connect(
        host=str(url.query["host"]),
        user=SUPERUSER,
        password=home.secret("postgres_superuser"),
        database=url.database,
    )
    await admin.execute("ALTER SYSTEM SET log_line_prefix = '%a|'")
    # The housekeeping writes too, and would be counted.
    await admin.execute("ALTER SYSTEM SET autovacuum = off")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.execute(f"ALTER ROLE \"{url.username}\" SET log_statement = 'all'")
    await admin.close()
