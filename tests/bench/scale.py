"""The same questions over ten thousand and over a million open clocks: an index makes the difference small."""

import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event as listening
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.calendar import Calendars
from services.api.ports import Filters, OverdueFilters
from services.api.postgres import PostgresReads
from services.embedded.home import Home
from services.embedded.postgres import SUPERUSER
from services.embedded.servers import Servers, embedded
from services.storage.calendar import CalendarStore, bring_national
from services.storage.database import database
from services.storage.migrating import migrate
from services.storage.sealing import Seal
from tests.bench.measuring import Figure
from workflows.issue.process import ISSUE
from workflows.kernel.process import Actor, Grant
from workflows.kernel.roles import Role

SMALL = 10_000
CLOCKS_A_CASE = 4
COMMUNITIES = 427
TIMES = 15
PREPARING = 6
"""Askings that do not count: they prepare the statements and read the pages."""
PAGE = 50
LARGE_TABLES = {"case_file", "clock", "task", "prose", "event"}
COMMUNITY = "620101001001"

# Spread over 5 counties with 8 subdistricts each, as the city of the field has them; three in ten cases are late.
FILL = (
    """
    INSERT INTO case_file (id, process, number, community, origin, state, step, level, title, version, hash, pack,
                           pack_version, pack_sha, lead_org, category_code, persons, orgs, problem_month, color,
                           opened_at, updated_at, next_due_at)
    SELECT gen_random_uuid(), 'issue', 'N' || i, com, com,
           (ARRAY['ASSIGNED', 'IN_PROGRESS', 'REGISTERED', 'TOPIC_PROPOSED'])[1 + i % 4], 'IMPLEMENT', 'L1',
           'text:' || lpad(to_hex(i), 16, '0'), 5, sha256('x'), 'lanzhou_2021', 1, 'x', 'org-' || i % 900,
           'B0' || (i / 7) % 9, ARRAY['p' || i % 5000], ARRAY['org-' || i % 900], '2026-0' || 1 + i % 9,
           CASE WHEN i % 10 = 0 THEN 'RED' WHEN i % 10 < 3 THEN 'YELLOW' ELSE 'NONE' END, t, t, t
      FROM (SELECT i, timestamptz '2026-06-01' - i * interval '1 minute' AS t,
                   '6201' || lpad((1 + i % {communities} % 5)::text, 2, '0')
                          || lpad((1 + i % {communities} % 8)::text, 3, '0')
                          || lpad((1 + i % {communities})::text, 3, '0') AS com
              FROM generate_series(0, {cases} - 1) AS i) AS given
    """,
    """
    INSERT INTO clock (case_id, number, process, code, kind, state, color, parameter, duration_value, duration_unit,
                       owner, supervisor, community, started_at, due_at, original_due_at, breached_at, red_at)
    SELECT id, k, 'issue', (ARRAY['HANDLE', 'OVERALL', 'RESPONSE', 'SIGN'])[k], 'DUTY',
           CASE WHEN color = 'NONE' OR k > 1 THEN 'RUNNING' ELSE 'BREACHED' END,
           CASE WHEN k > 1 THEN 'NONE' ELSE color END, 'p', 7, 'working_days', lead_org, subdistrict, community,
           opened_at, opened_at + k * interval '100 days', opened_at, opened_at, updated_at
      FROM case_file, generate_series(1, {clocks}) AS k
    """,
    """
    INSERT INTO task (case_id, n, process, role, place, org, commands, due_at, color, community)
    SELECT id, 1, 'issue', 'community_worker', community, NULL, ARRAY['x'], next_due_at, color, community FROM case_file
    UNION ALL
    SELECT id, 2, 'issue', 'unit_liaison', NULL, lead_org, ARRAY['x'], next_due_at, color, community FROM case_file
    """,
    """
    INSERT INTO prose (case_id, ref, value) SELECT id, title, to_jsonb('小区' || number || '号楼漏水') FROM case_file
    """,
)
INDEXES = """
    SELECT i.relname AS name, pg_get_indexdef(x.indexrelid) AS made
      FROM pg_index x
      JOIN pg_class i ON i.oid = x.indexrelid
      JOIN pg_class t ON t.oid = x.indrelid
     WHERE t.relname = ANY($1) AND NOT x.indisunique
"""

Ask = Callable[[PostgresReads], Awaitable[Any]]


def _actor(name: str, role: str, place: str) -> Actor:
    return Actor(name, name, (Grant(role, place, None),))


WORKER = _actor("p1", Role.COMMUNITY_WORKER, COMMUNITY)
STREET = _actor("p2", Role.SUPERVISOR, COMMUNITY[:9])
CITY = _actor("p3", Role.SUPERVISOR, "6201")
EVERYTHING = OverdueFilters()
ASKS: dict[str, Ask] = {
    "overdue, the city": lambda r: r.overdue(CITY, EVERYTHING, cursor=None, limit=PAGE),
    "overdue, a subdistrict": lambda r: r.overdue(STREET, EVERYTHING, cursor=None, limit=PAGE),
    "overdue, a community": lambda r: r.overdue(WORKER, EVERYTHING, cursor=None, limit=PAGE),
    "worklist, a community worker": lambda r: r.worklist(WORKER, cursor=None, limit=PAGE),
    "list, the city, by state": lambda r: r.page(CITY, ISSUE, Filters(state="IN_PROGRESS"), cursor=None, limit=PAGE),
    "list, the city, by category and colour": lambda r: r.page(
        CITY, ISSUE, Filters(category_code="B03", color="RED"), cursor=None, limit=PAGE
    ),
    "list, a subdistrict, by state": lambda r: r.page(
        STREET, ISSUE, Filters(state="IN_PROGRESS"), cursor=None, limit=PAGE
    ),
    "list, a community": lambda r: r.page(WORKER, ISSUE, Filters(), cursor=None, limit=PAGE),
}


@dataclass(frozen=True, slots=True)
class Town:
    """A filled database and the reads of the API on it."""

    engine: AsyncEngine
    reads: PostgresReads


async def scale(*, large: int) -> list[Figure]:
    """Medians of each question in both sizes, and how the plan of the large one reads its tables."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        home = Home(Path(folder).resolve())
        # Not durable: only reads are timed here, and they wait for no disk.
        servers = await stack.enter_async_context(embedded(home, durable=False, preferred_port=0))
        admin = await _admin(servers, home)
        stack.push_async_callback(admin.close)
        towns, filled = [], 0.0
        for clocks in (SMALL, large):
            begun = time.perf_counter()
            town = await _town(servers, admin, clocks)
            stack.push_async_callback(town.engine.dispose)
            towns.append(town)
            filled = time.perf_counter() - begun
        figures = [Figure(f"filling {large:,} open clocks", f"{filled:.0f} s", goal="< 60 s")]
        for name, ask in ASKS.items():
            (few, small), (many, great) = await _medians(towns, ask)
            nodes = {node for plan in await _plans(towns[1], ask) for node in _nodes(plan)}
            figures.append(
                Figure(
                    name,
                    f"{great:.1f} ms, {many} rows",
                    f"{SMALL:,} clocks: {small:.1f} ms, {few} rows",
                    great / small,
                    # A community of the small town has no page full: there the ratio compares pages of two sizes.
                    "≤ 2" if few == many else "(rows differ)",
                )
            )
            figures.append(Figure(f"  by {', '.join(sorted(nodes))}", "", goal="no Seq Scan"))
    return figures


async def _admin(servers: Servers, home: Home) -> asyncpg.Connection:
    url = make_url(servers.database_url)
    return await asyncpg.connect(
        host=str(url.query["host"]),
        user=SUPERUSER,
        password=home.secret("postgres_superuser"),
        database="postgres",
    )


async def _town(servers: Servers, admin: asyncpg.Connection, clocks: int) -> Town:
    """A database of its own with so many open clocks."""
    url = make_url(servers.database_url)
    name = f"clocks_{clocks}"
    await admin.execute(f'CREATE DATABASE {name} OWNER "{url.username}"')
    address = url.set(database=name).render_as_string(hide_password=False)
    await migrate(address)
    await bring_national(address)
    connection = await asyncpg.connect(address)
    # An index that is built over the rows costs a fraction of one that grows with them.
    later = await connection.fetch(INDEXES, sorted(LARGE_TABLES))
    for index in later:
        await connection.execute(f"DROP INDEX {index['name']}")
    await connection.execute("SET synchronous_commit = off")
    await connection.execute("SET maintenance_work_mem = '512MB'")
    await connection.execute("SET work_mem = '128MB'")
    for statement in FILL:
        await connection.execute(
            statement.format(communities=COMMUNITIES, cases=clocks // CLOCKS_A_CASE, clocks=CLOCKS_A_CASE)
        )
    for index in later:
        await connection.execute(index["made"])
    # The map of visible rows is what index-only scans need; the housekeeping would make it a minute later.
    await connection.execute("VACUUM (ANALYZE) " + ", ".join(sorted(LARGE_TABLES)))
    await connection.close()
    engine = database(address, pool_size=1)
    return Town(engine, PostgresReads(engine, Calendars(CalendarStore(engine)), Seal({"bench": bytes(32)}, "bench")))


async def _medians(towns: list[Town], ask: Ask) -> list[tuple[int, float]]:
    """Rows of a page and median milliseconds of this question in each town, asked in turn."""
    taken: list[list[float]] = [[] for _ in towns]
    rows = [0 for _ in towns]
    for turn in range(TIMES + PREPARING):
        for place, town in enumerate(towns):
            begun = time.perf_counter()
            page = await ask(town.reads)
            seconds = time.perf_counter() - begun
            rows[place] = len(page[0] if isinstance(page, tuple) else page.items)
            if turn >= PREPARING:
                taken[place].append(1000 * seconds)
    return [(few, statistics.median(one)) for few, one in zip(rows, taken, strict=True)]


async def _plans(town: Town, ask: Ask) -> list[dict[str, Any]]:
    """The plan of every statement that a question sends."""
    sent: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        sent.append((statement, parameters))

    listening.listen(town.engine.sync_engine, "before_cursor_execute", note)
    try:
        await ask(town.reads)
    finally:
        listening.remove(town.engine.sync_engine, "before_cursor_execute", note)
    async with town.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        found = [await driver.fetchval(f"EXPLAIN (FORMAT JSON) {one}", *given) for one, given in sent]
    return [one[0]["Plan"] for one in found]


def _nodes(plan: dict[str, Any]) -> Iterator[str]:
    """How a plan reads the large tables."""
    if plan.get("Relation Name") in LARGE_TABLES:
        yield f"{plan['Node Type']} {plan['Relation Name']}"
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
