"""R19: whatever is changed, taken away or moved in the history is found and named; so is a whole case that is gone."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.calendar import Calendars
from services.storage.audit import Finding, Signer, has_head, last_seals, seal_days, verify
from services.storage.calendar import CalendarStore
from services.storage.database import database
from services.storage.ledger import Ledger
from services.storage.sealing import Seal
from tests.chaos.tampering import CHANGES, _act
from tests.storage.town import Town, Wish, assign, at, finish, submit
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Pin
from workflows.policy.packs import load

SIGNER = Signer({"now": b"a" * 32, "then": b"b" * 32})
TODAY = datetime.now(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
TOMORROW = TODAY + timedelta(days=1, hours=1)
BOOKED = "INSERT INTO audit (actor, action, entity, key) VALUES ('a', 'INSERT', 'person', '1')"
TABLES = ("event", "sealed_day", "sealed_case", "audit", "access_log")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database with five lives, sealed."""
    engine = database(database_url, pool_size=2)
    pack, seal = load("lanzhou_2021"), Seal({"k1": b"k" * 32}, "k1")
    ledger = Ledger(engine, calendars=Calendars(CalendarStore(engine)), seal=seal, policy=lambda *_: pack)
    town = Town(engine, ledger, seal, Pin(pack.pack, pack.version, pack.sha), pack)
    for number in range(5):
        case = await submit(town, Wish(f"第{number}件", "一"), at("2026-03-02 09:00"))
        await finish(town, await assign(town, case, at("2026-03-02 09:30")), at("2026-03-02 10:00"))
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO audit (actor, action, entity, key) VALUES ('a', 'INSERT', 'e', '1')")
        )
        await seal_days(connection, SIGNER, TOMORROW)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def harmed(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection of an administrator who has taken off every guard; nothing of it stays."""
    async with engine.connect() as connection:
        for table in TABLES:
            await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            await connection.execute(text(f"GRANT UPDATE, DELETE ON {table} TO CURRENT_USER"))
        yield connection
        await connection.rollback()


async def findings(connection: AsyncConnection, **more: Any) -> list[Finding]:
    return [one async for one in verify(connection, more.get("signer", SIGNER), more.get("now", TOMORROW))]


async def test_a_history_that_nobody_touched_is_whole(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await findings(connection) == []
        [last] = await last_seals(connection)
        assert last.cases == 5
        assert await has_head(connection, last.head)
        assert not await has_head(connection, "00" * 32)


async def test_a_day_is_sealed_once_and_only_when_it_is_over(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await seal_days(connection, SIGNER, TOMORROW) == []
        [tomorrow] = await seal_days(connection, SIGNER, TOMORROW + timedelta(days=1))
        assert tomorrow.cases == 0
        await connection.rollback()


async def test_every_act_of_a_hundred_is_found_with_its_case_and_entry(engine: AsyncEngine) -> None:
    rng = random.Random(19)
    async with engine.connect() as connection:
        cases = [tuple(row) for row in await connection.execute(text("SELECT id, version FROM case_file ORDER BY id"))]
    missed = []
    for number in range(100):
        act, (case, version) = ("change", "delete", "reorder")[number % 3], rng.choice(cases)
        seq, column = rng.randint(1, version), CHANGES[number // 3 % len(CHANGES)]
        async with harmed(engine) as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await _act(driver, act, case, seq, version, column)
            found = await findings(connection)
        # Two entries change places in a reorder; the first of them is where it shows.
        if not any(one.case_id == case and one.seq and one.seq <= seq + 1 for one in found):
            missed.append((act, str(case), seq, column, found))

    assert missed == []


GONE = "DELETE FROM event WHERE case_id = '{0}'; DELETE FROM case_file WHERE id = '{0}'"
# Who knows how, writes a whole chain anew that holds by itself.
ANEW = """
DO $$ DECLARE head bytea := decode(repeat('00', 32), 'hex'); one event; BEGIN
    UPDATE event SET payload = payload || '{{"notes": {{"reason": "another"}}}}' WHERE case_id = '{0}' AND seq = 2;
    FOR one IN SELECT * FROM event WHERE case_id = '{0}' ORDER BY seq LOOP
        UPDATE event SET prev_hash = head, hash = event_hash(head, one.case_id, one.seq, one.type, one.at, one.actor,
               one.role, one.org, one.on_behalf_of, one.payload, one.stamps)
         WHERE case_id = '{0}' AND seq = one.seq RETURNING hash INTO head;
    END LOOP;
    UPDATE case_file SET hash = head WHERE id = '{0}';
END $$
"""


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (GONE, {"CASE_GONE"}),
        ("DELETE FROM case_file WHERE id = '{0}'", {"ORPHANED"}),
        (ANEW, {"REWRITTEN"}),
        (GONE + "; DELETE FROM sealed_case WHERE case_id = '{0}'", {"DAY_CHANGED"}),
        ("UPDATE sealed_case SET number = '1' WHERE case_id = '{0}'", {"DAY_CHANGED"}),
        ("UPDATE sealed_day SET head = sha256('x')", {"DAY_CHANGED", "SIGNATURE_WRONG"}),
        ("UPDATE sealed_day SET signature = sha256('x')", {"SIGNATURE_WRONG"}),
        ("UPDATE sealed_day SET prev = sha256('x')", {"DAY_CHANGED"}),
        ("UPDATE audit SET actor = 'somebody else'", {"AUDIT_CHANGED"}),
        ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", {"AUDIT_CHANGED"}),
    ],
)
async def test_what_the_chain_of_one_case_cannot_show_the_sealed_days_do(
    engine: AsyncEngine, harm: str, why: set[str]
) -> None:
    async with engine.connect() as connection:
        some = (await connection.execute(text("SELECT id, number FROM case_file ORDER BY id LIMIT 1"))).one()
    async with harmed(engine) as connection:
        for part in harm.format(some.id).split("; ") if "$$" not in harm else [harm.format(some.id)]:
            await connection.execute(text(part.replace(":", r"\:")))
        found = await findings(connection)

    assert {one.why for one in found} == why
    named = [one for one in found if one.case_id is not None]
    assert all(one.case_id == some.id for one in named)
    assert all(one.number == some.number for one in named if one.why in ("CASE_GONE", "REWRITTEN"))


async def test_days_that_are_thrown_away_are_missed(engine: AsyncEngine) -> None:
    async with harmed(engine) as connection:
        [last] = await last_seals(connection)
        await seal_days(connection, SIGNER, TOMORROW + timedelta(days=3))
        await connection.execute(text("DELETE FROM sealed_day WHERE day = :day"), {"day": last.day + timedelta(days=1)})
        found = await findings(connection, now=TOMORROW + timedelta(days=3))
        assert {"DAY_MISSING", "DAY_CHANGED"} == {one.why for one in found}
        late = await findings(connection, now=TOMORROW + timedelta(days=9))

    # A worker that has not sealed for days is told of, too.
    assert sum(one.why == "DAY_MISSING" for one in late) > 4


async def test_only_the_key_makes_a_seal(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        other = await findings(connection, signer=Signer({"now": b"x" * 32}))
        unknown = await findings(connection, signer=Signer({"new": b"x" * 32}))
        rotated = await findings(connection, signer=Signer({"new": b"x" * 32, "now": b"a" * 32}))

    assert {one.why for one in other} == {"SIGNATURE_WRONG"}
    assert {one.why for one in unknown} == {"KEY_UNKNOWN"}
    assert rotated == []
