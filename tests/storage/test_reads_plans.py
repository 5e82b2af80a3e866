"""No question reads a whole table: every plan goes by an index, and reads few pages, however many cases there are."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event as listening
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage import agendas, board, cases, collection, measures, overdue, problem_lists, worklist
from services.storage.cases import Filters
from services.storage.clocks import clocks_of
from services.storage.events import events_of
from services.storage.history import case_now
from services.storage.overdue import Narrowed
from tests.storage.town import person
from workflows.issue.process import ISSUE
from workflows.kernel.process import Actor
from workflows.kernel.roles import Role

CASES = 10_000
COMMUNITIES = 427
# A page of fifty rows with the look-ups beside it; a scan of one of the tables would be thousands.
MOST_PAGES = 1_500
NOW = datetime(2026, 6, 1, tzinfo=UTC)
COMMUNITY = "620101001001"
WORKER = person("p1", Role.COMMUNITY_WORKER, place=COMMUNITY, org="community-1")
STREET = person("p2", Role.SUPERVISOR, place=COMMUNITY[:9])
COUNTY = person("p3", Role.SUPERVISOR, place=COMMUNITY[:6])
CITY = person("p4", Role.SUPERVISOR, place="6201")
OFFICER = person("p5", Role.UNIT_LIAISON, place="6201", org="org-7")
RESIDENT = person("p6", Role.RESIDENT, place=COMMUNITY)

FILL = (
    f"""
    INSERT INTO case_file (id, process, number, community, origin, state, step, level, title, version, hash, pack,
                           pack_version, pack_sha, lead_org, category_code, persons, orgs, problem_month, color,
                           agenda_body, agenda_since, opened_at, updated_at, next_due_at)
    SELECT gen_random_uuid(), 'issue', 'N' || i, com, com,
           (ARRAY['CLOSED', 'IN_PROGRESS', 'REGISTERED', 'TOPIC_PROPOSED'])[1 + i % 4], 'IMPLEMENT', 'L1',
           'text:' || lpad(to_hex(i), 16, '0'), 5, sha256('x'), 'lanzhou_2021', 1, 'x', 'org-' || i % 900,
           'B0' || (i / 7) % 9, ARRAY['p' || i % 5000], ARRAY['org-' || i % 900], '2026-0' || 1 + i % 9,
           CASE WHEN i % 10 = 0 THEN 'RED' WHEN i % 10 < 3 THEN 'YELLOW' ELSE 'NONE' END,
           CASE WHEN i % 4 = 3 THEN 'TWO_COMMITTEES' END, timestamptz '2026-05-01', t, t, t
      FROM (SELECT i, timestamptz '2026-06-01' - i * interval '10 minutes' AS t,
                   '6201' || lpad((i % {COMMUNITIES} % 5)::text, 2, '0') || lpad((i % {COMMUNITIES} % 40)::text, 3, '0')
                          || lpad((i % {COMMUNITIES})::text, 3, '0') AS com
              FROM generate_series(1, {CASES}) AS i) AS given
    """,
    """
    INSERT INTO clock (case_id, number, process, code, kind, state, color, parameter, duration_value, duration_unit,
                       owner, supervisor, community, started_at, due_at, original_due_at, breached_at, red_at)
    SELECT id, k, 'issue', (ARRAY['HANDLE', 'OVERALL', 'RESPONSE'])[k], 'DUTY',
           CASE WHEN color = 'NONE' OR k > 1 THEN 'RUNNING' ELSE 'BREACHED' END,
           CASE WHEN k > 1 THEN 'NONE' ELSE color END, 'p', 7, 'working_days', lead_org, subdistrict, community,
           opened_at, opened_at + k * interval '100 days', opened_at, opened_at, updated_at
      FROM case_file, generate_series(1, 3) AS k
    """,
    """
    INSERT INTO task (case_id, n, process, role, place, org, commands, due_at, color, community)
    SELECT id, 1, 'issue', 'community_worker', community, NULL, ARRAY['x'], next_due_at, color, community FROM case_file
    UNION ALL
    SELECT id, 2, 'issue', 'unit_liaison', NULL, lead_org, ARRAY['x'], next_due_at, color, community FROM case_file
    UNION ALL
    SELECT id, 3, 'issue', 'supervisor', community, NULL, ARRAY['x'], next_due_at, color, community FROM case_file
    """,
    """
    INSERT INTO prose (case_id, ref, value, searched)
    SELECT id, title, to_jsonb('小区' || number || '号楼漏水' || md5(number)), true FROM case_file
    """,
    """
    INSERT INTO event (case_id, seq, type, at, actor, role, payload, batch_hash, prev_hash, hash)
    SELECT id, k, CASE WHEN k = 3 THEN 'record_visit' ELSE 'signed' END, updated_at, 'a', 'r', '{}', '', '', ''
      FROM case_file, generate_series(1, 3) AS k
    """,
    "ANALYZE",
)

Ask = Callable[[AsyncConnection], Awaitable[Any]]


async def _first(connection: AsyncConnection) -> str:
    return str((await connection.execute(text("SELECT id FROM case_file LIMIT 1"))).scalar_one())


def _asks(actor: Actor) -> dict[str, Ask]:
    return {
        "list": lambda c: cases.cases(c, actor, ISSUE, Filters()),
        "list by state": lambda c: cases.cases(c, actor, ISSUE, Filters(state="REGISTERED")),
        "list by lead": lambda c: cases.cases(c, actor, ISSUE, Filters(lead_org="org-7")),
        "list by category": lambda c: cases.cases(c, actor, ISSUE, Filters(category_code="B03")),
        "list of a community": lambda c: cases.cases(c, actor, ISSUE, Filters(community_id=COMMUNITY)),
        "words": lambda c: cases.cases(c, actor, ISSUE, Filters(q="号楼漏水e4da3b7f")),
        "by number": lambda c: cases.known(c, actor, ISSUE, "N77"),
        "overdue": lambda c: overdue.overdue(c, actor, Narrowed(), now=NOW),
        "overdue within": lambda c: overdue.overdue(c, actor, Narrowed(within=timedelta(hours=48)), now=NOW),
        "overdue of a community": lambda c: overdue.overdue(c, actor, Narrowed(community_id=COMMUNITY), now=NOW),
        "worklist": lambda c: worklist.worklist(c, actor),
    }


MASTER = {"organization", "region", "community", "spatial_unit", "building"}
"""Master data of a town: so few rows that a scan of them is the shorter way."""

OTHERS: dict[str, Ask] = {
    "problem list": lambda c: problem_lists.problem_list(c, COMMUNITY, "2026-03", actor=WORKER),
    "project list": lambda c: problem_lists.project_list(c, COMMUNITY, actor=WORKER),
    "agenda": lambda c: agendas.agenda(c, COMMUNITY, "TWO_COMMITTEES", actor=WORKER),
    "measures": lambda c: measures.measures(c, COMMUNITY, "2026-03", actor=WORKER),
    "coverage": lambda c: collection.coverage(c, COMMUNITY, "2026-03", actor=WORKER),
    "published lists": lambda c: collection.versions(c, COMMUNITY, "2026-03", actor=WORKER),
    "notices": lambda c: board.notices(c, COMMUNITY),
    "running notices": lambda c: board.running(c, COMMUNITY, actor=WORKER),
    "listed problems": lambda c: board.listed(c, COMMUNITY),
    "results": lambda c: board.results(c, COMMUNITY),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def large(ledger_engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """A city's worth of cases."""
    async with ledger_engine.begin() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in FILL:
            await connection.execute(text(statement))
    yield ledger_engine


async def plans(engine: AsyncEngine, ask: Ask) -> list[dict[str, Any]]:
    """The plan of every statement that a question sends, with what it really read."""
    sent: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        sent.append((statement, parameters))

    listening.listen(engine.sync_engine, "before_cursor_execute", note)
    async with engine.connect() as connection:
        try:
            await ask(connection)
        finally:
            listening.remove(engine.sync_engine, "before_cursor_execute", note)
        driver: Any = (await connection.get_raw_connection()).driver_connection
        found = [await driver.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {one}", *given) for one, given in sent]
    return [one[0]["Plan"] for one in found]


def scans(plan: dict[str, Any]) -> set[str]:
    """Tables that a plan read from end to end; one that is empty, or was not come to, has nothing to read."""
    read = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    whole = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" and read else set()
    return whole.union(*(scans(part) for part in plan.get("Plans", ())))


@pytest.mark.parametrize("who", [WORKER, STREET, COUNTY, CITY, OFFICER, RESIDENT], ids=lambda actor: actor.username)
@pytest.mark.parametrize("name", _asks(WORKER))
async def test_a_question_goes_by_an_index(large: AsyncEngine, who: Actor, name: str) -> None:
    found = await plans(large, _asks(who)[name])

    assert found
    big = {"case_file", "clock", "task", "prose", "event"}
    assert set().union(*(scans(plan) for plan in found)) & big == set()
    assert max(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in found) < MOST_PAGES


@pytest.mark.parametrize("name", OTHERS)
async def test_a_list_of_a_community_goes_by_an_index(large: AsyncEngine, name: str) -> None:
    found = await plans(large, OTHERS[name])

    assert set().union(*(scans(plan) for plan in found)) <= MASTER
    assert max(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in found) < MOST_PAGES


async def test_one_case_takes_one_statement_and_a_page_of_it_two(large: AsyncEngine) -> None:
    async with large.connect() as connection:
        some = await _first(connection)

    assert len(await plans(large, lambda c: case_now(c, ISSUE, some))) == 1
    assert len(await plans(large, lambda c: cases.cases(c, CITY, ISSUE, Filters()))) == 2
    assert len(await plans(large, lambda c: overdue.overdue(c, CITY, Narrowed(), now=NOW))) == 2
    assert len(await plans(large, lambda c: worklist.worklist(c, WORKER))) == 2
    assert len(await plans(large, lambda c: clocks_of(c, some))) <= 2
    assert len(await plans(large, lambda c: events_of(c, some))) <= 2
