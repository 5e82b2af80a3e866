"""The second wall holds by itself: whoever forgets to ask what a person may know of shows him nothing more.

Cases are written as the role of web and worker, whose rights the second half tests.
"""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.calendar import Calendars
from services.storage import wall as walls
from services.storage.calendar import CalendarStore
from services.storage.contacts import keys_in_use, reporter, rotate
from services.storage.ledger import Ledger
from services.storage.ledger_tables import case_file, contact, prose
from services.storage.sealing import Seal
from services.storage.sight import single_sight
from services.storage.wall import Wall
from tests.storage.town import (
    ADMIN,
    CITY,
    CLERK,
    COMMUNITY,
    ELSEWHERE,
    NEIGHBOUR,
    OTHER_COMMUNITY,
    OTHER_WORKER,
    POWER,
    PROPERTY,
    RESIDENT,
    SECRETARY,
    SUPERVISOR,
    WORKER,
    Town,
    Wish,
    assign,
    at,
    person,
    submit,
)
from workflows.issue import commands as do
from workflows.issue.process import ISSUE
from workflows.kernel.process import Actor, Case, Pin
from workflows.kernel.roles import Role
from workflows.policy.packs import load

GRID = person("grid", Role.GRID_WORKER, place=f"{COMMUNITY}001")
NOBODY = Actor("nobody", "nobody", ())
EVERYBODY = (
    WORKER, SECRETARY, CLERK, RESIDENT, NEIGHBOUR, PROPERTY, POWER, SUPERVISOR, CITY, ADMIN, ELSEWHERE, OTHER_WORKER,
    GRID, NOBODY,
)  # fmt: skip
WALLED = ("event", "clock", "task", "prose", "contact")


@pytest.fixture(scope="module")
def seal() -> Seal:
    """The key of today."""
    return Seal({"k1": b"k" * 32}, "k1")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def street(application: AsyncEngine, seal: Seal) -> AsyncIterator[list[Case[Any]]]:
    """Cases of every kind of reach: of a place, an organisation, a resident, offered to the neighbours."""
    pack = load("lanzhou_2021")
    ledger = Ledger(application, calendars=Calendars(CalendarStore(application)), seal=seal, policy=lambda *_: pack)
    town = Town(application, ledger, seal, Pin(pack.pack, pack.version, pack.sha), pack)
    plain = await submit(town, Wish("甲", "一", name="李梅", phone="13800001234"), at("2026-03-02 09:00"))
    own = await submit(town, Wish("乙", "二"), at("2026-03-02 09:01"), by=RESIDENT, reporter=False)
    led = await assign(town, await submit(town, Wish("丙", "三"), at("2026-03-02 09:02")), at("2026-03-02 09:30"))
    offered = await submit(town, Wish("丁", "四"), at("2026-03-02 09:03"))
    offered = await town.give(
        ISSUE, offered, do.TransferCommunity(to_community=OTHER_COMMUNITY, reason=town.ref()), WORKER,
        at("2026-03-02 10:00"),
    )  # fmt: skip
    yield [plain, own, led, offered]


async def seen(connection: AsyncConnection, table: str, column: str = "case_id") -> set[str]:
    """Cases of which rows of a table are seen by somebody who asks for all of them."""
    return {str(one) for one in await connection.scalars(text(f"SELECT DISTINCT {column} FROM {table}"))}


@pytest.mark.parametrize("who", EVERYBODY, ids=lambda actor: actor.username)
async def test_a_query_without_any_condition_shows_what_he_may_open(wall: Wall, owner: AsyncEngine, who: Actor) -> None:
    async with owner.connect() as everything:
        may = {str(one) for one in await everything.scalars(select(case_file.c.id).where(single_sight(who)))}
    async with wall.looks(who, "回访") as looking:
        cases = await seen(looking, "case_file", "id")
        found = {table: await seen(looking, table) for table in WALLED}

    assert cases == may
    assert all(rows <= may for rows in found.values()), found
    assert found["event"] == may


async def test_the_wall_is_not_empty_and_not_everywhere(wall: Wall, street: list[Case[Any]]) -> None:
    async with wall.looks(WORKER) as looking:
        mine = await seen(looking, "case_file", "id")
    async with wall.looks(PROPERTY) as looking:
        led = await seen(looking, "case_file", "id")
    async with wall.looks(ELSEWHERE) as looking:
        nothing = await seen(looking, "case_file", "id")

    assert mine == {case.id for case in street}
    assert led == {street[2].id}
    assert nothing == set()


async def test_who_has_not_said_who_he_is_sees_nothing(reader: AsyncEngine) -> None:
    async with reader.connect() as connection:
        await connection.execute(walls._NAME, dict.fromkeys(walls.KINDS, ""))
        assert [await seen(connection, table) for table in WALLED] == [set()] * len(WALLED)
        assert await seen(connection, "case_file", "id") == set()


async def test_the_next_asker_on_a_connection_is_somebody_else(wall: Wall) -> None:
    counts = []
    for who in (WORKER, ELSEWHERE, PROPERTY, WORKER, NOBODY):
        async with wall.looks(who) as looking:
            counts.append(await looking.scalar(select(func.count()).select_from(case_file)))

    assert counts == [4, 0, 1, 4, 0]


async def test_contact_details_are_seen_only_for_a_purpose(wall: Wall, street: list[Case[Any]], seal: Seal) -> None:
    told = street[0].id
    async with wall.looks(WORKER) as looking:
        without = await reporter(looking, told, seal)
    async with wall.looks(WORKER, "回访") as looking:
        found = await reporter(looking, told, seal)

    assert without is not None
    assert without.phone is None
    assert found is not None
    assert (found.name, found.phone) == ("李梅", "13800001234")


async def test_a_search_by_words_shows_only_ids_of_what_he_may_not_see(wall: Wall) -> None:
    async with wall.looks(ELSEWHERE) as looking:
        ids = list(await looking.scalars(select(func.cases_that_say("甲").column_valued("id"))))
        cases = await looking.scalar(select(func.count()).where(case_file.c.id.in_(ids)))

    assert len(ids) == 1
    assert cases == 0


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE event SET type = 'declined'",
        "DELETE FROM event",
        "TRUNCATE event",
        "INSERT INTO event SELECT * FROM event",
        "ALTER TABLE event DISABLE TRIGGER refuse_change",
        "UPDATE case_file SET state = 'CLOSED'",
        "DELETE FROM case_file",
        "UPDATE prose SET value = '\"\"'",
        "UPDATE contact SET phone = NULL",
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM access_log",
        "ALTER TABLE case_file DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON case_file FOR UPDATE USING (true)",
        "CREATE OR REPLACE FUNCTION record(body jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT body'",
        "SET ROLE shangliang",
    ],
)
async def test_web_and_worker_can_change_no_history(application: AsyncEngine, act: str) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with application.begin() as connection:
            await connection.execute(text(act))

    assert isinstance(refused.value.orig, Exception)
    assert isinstance(refused.value.orig.__cause__, asyncpg.InsufficientPrivilegeError)


async def test_nor_give_itself_the_right_to(application: AsyncEngine) -> None:
    async with application.begin() as connection:
        # PostgreSQL answers a grant of what one does not own by a warning alone.
        await connection.execute(text("GRANT UPDATE, DELETE ON event TO CURRENT_USER"))
        may = [
            await connection.scalar(text(f"SELECT has_table_privilege('event', '{right}')"))
            for right in ("UPDATE", "DELETE", "TRUNCATE", "INSERT", "SELECT")
        ]

    assert may == [False, False, False, False, True]


@pytest.mark.parametrize(
    "act",
    [
        "SELECT record('{}'::jsonb)",
        "SELECT password_hash FROM account",
        "INSERT INTO incident (id, kind) VALUES (gen_random_uuid(), 'X')",
        "UPDATE person SET display_name = 'x'",
    ],
)
async def test_the_role_that_answers_people_only_reads(reader: AsyncEngine, act: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with reader.begin() as connection:
            await connection.execute(text(act))


async def test_keys_change_while_both_are_read(owner: AsyncEngine, street: list[Case[Any]], seal: Seal) -> None:
    told = street[0].id
    async with owner.begin() as connection:
        # One from before there was encryption.
        await connection.execute(update(contact).where(contact.c.case_id != told).values(phone="13900009999"))
    both = Seal({"k2": b"n" * 32, "k1": b"k" * 32}, "k2")
    async with owner.begin() as connection:
        before = await keys_in_use(connection)
        assert await reporter(connection, told, both) == await reporter(connection, told, seal)
        done = 0
        while moved := await rotate(connection, both):
            done += moved
        after = await keys_in_use(connection)
        again = await reporter(connection, told, Seal({"k2": b"n" * 32}, "k2"))

    assert set(before) == {"k1", ""}
    assert done > 0
    assert after == {"k2": sum(before.values())}
    assert again is not None
    assert again.phone == "13800001234"


async def test_what_people_wrote_is_in_no_place_of_the_ledger_but_its_own(owner: AsyncEngine) -> None:
    async with owner.connect() as connection:
        dump = [
            str(row)
            for table in ("case_file", "event", "clock", "task", "outbox", "command", "contact")
            for row in await connection.execute(text(f"SELECT t::text FROM {table} AS t"))
        ]
        words = await connection.scalar(select(func.count()).select_from(prose))

    assert words
    assert not [row for row in dump if "李梅" in row or "13800001234" in row]
