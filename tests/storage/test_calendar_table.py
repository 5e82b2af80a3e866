"""The calendar in PostgreSQL: national data, local days, editions, audit."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime

import pytest
import pytest_asyncio
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.calendar import Calendars, edition_number
from services.storage.calendar import (
    CalendarStore,
    bring_national,
    clear_local_day,
    edition,
    load_calendar,
    load_national,
    load_year,
    set_local_day,
)
from services.storage.calendar_tables import calendar_day, calendar_edition
from services.storage.database import database
from services.storage.national_calendar import national_calendar, national_days, national_edition
from services.storage.people_tables import audit
from workflows.kernel.calendar import CHINA, Duration, Unit, due

NEW_YEAR_2027 = {date(2027, 1, day): "元旦" for day in (1, 2, 3)}
FOUNDING_DAY = date(2026, 9, 3)


@pytest_asyncio.fixture(loop_scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = database(database_url)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction for the test, rolled back."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()


async def _number(connection: AsyncConnection) -> int:
    return (await connection.scalar(select(func.count()).select_from(calendar_edition))) or 0


async def test_the_loaded_calendar_is_the_one_of_the_library(connection: AsyncConnection) -> None:
    await connection.execute(calendar_day.delete())

    changed = await load_national(connection)
    loaded = await load_calendar(connection)

    assert changed == len(national_days()) > 3_000
    assert dict(loaded.days) == dict(national_days())
    assert loaded.edition.startswith(f"{national_edition()} #")
    assert loaded.edition == await edition(connection)


async def test_loading_the_same_data_again_changes_nothing(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await load_national(connection)
    async with engine.begin() as connection:
        before, number = await edition(connection), await _number(connection)
        changed = await load_national(connection)

        assert changed == 0
        assert await edition(connection) == before
        assert await _number(connection) == number
        assert edition_number(before) == await connection.scalar(select(func.max(calendar_edition.c.number)))


async def test_a_loading_by_two_programs_at_once_makes_one_calendar(engine: AsyncEngine) -> None:
    async def load() -> None:
        async with engine.begin() as connection:
            await load_national(connection)

    await asyncio.gather(load(), load())

    async with engine.connect() as connection:
        assert dict((await load_calendar(connection)).days) == dict(national_days())


async def test_a_local_day_stands_before_the_national_one_and_can_be_taken_back(connection: AsyncConnection) -> None:
    await load_national(connection)

    await set_local_day(connection, FOUNDING_DAY, False, "建区纪念日", "admin")
    local = await load_calendar(connection)
    await clear_local_day(connection, FOUNDING_DAY, "admin")
    national = await load_calendar(connection)

    assert (local.day(FOUNDING_DAY).working, local.day(FOUNDING_DAY).why) == (False, "建区纪念日")
    assert national.day(FOUNDING_DAY).working
    assert not await clear_local_day(connection, FOUNDING_DAY, "admin")


async def test_a_new_load_keeps_local_days(connection: AsyncConnection) -> None:
    await set_local_day(connection, FOUNDING_DAY, False, "建区纪念日", "admin")

    await load_national(connection)

    assert not (await load_calendar(connection)).day(FOUNDING_DAY).working


async def test_every_transaction_that_changes_a_day_makes_one_edition(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        start = await _number(connection)
    async with engine.begin() as connection:
        await set_local_day(connection, date(2026, 8, 3), False, "停电", "admin")
        await set_local_day(connection, date(2026, 8, 4), False, "停电", "admin")
        after_two = await _number(connection)
    async with engine.begin() as connection:
        await set_local_day(connection, date(2026, 8, 4), False, "停电", "admin")
        after_same = await _number(connection)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM calendar_day WHERE local AND date = '2026-08-04'"))
        after_sql = await _number(connection)

    assert (after_two, after_same, after_sql) == (start + 1, start + 1, start + 2)


async def test_a_local_day_is_audited_with_who_and_what(connection: AsyncConnection) -> None:
    await set_local_day(connection, FOUNDING_DAY, False, "建区纪念日", "admin")
    await clear_local_day(connection, FOUNDING_DAY, "officer")

    rows = (
        await connection.execute(
            select(audit.c.actor, audit.c.action, audit.c.key, audit.c.after)
            .where(audit.c.entity == "calendar_day")
            .order_by(audit.c.seq.desc())
            .limit(2)
        )
    ).all()

    assert [(row.actor, row.action, row.key) for row in reversed(rows)] == [
        ("admin", "INSERT", "2026-09-03"),
        ("officer", "DELETE", "2026-09-03"),
    ]
    assert rows[1].after["why"] == "建区纪念日"


async def test_national_days_are_not_copied_into_the_audit(connection: AsyncConnection) -> None:
    before = await connection.scalar(select(func.count()).select_from(audit))

    await load_national(connection)

    assert await connection.scalar(select(func.count()).select_from(audit)) == before


async def test_editions_are_never_changed(connection: AsyncConnection) -> None:
    await set_local_day(connection, FOUNDING_DAY, False, "建区纪念日", "admin")

    with pytest.raises(DBAPIError, match="never changed"):
        await connection.execute(text("UPDATE calendar_edition SET actor = 'somebody'"))


@pytest.mark.parametrize("why", ["  ", "长" * 61])
async def test_a_local_day_needs_a_short_reason(connection: AsyncConnection, why: str) -> None:
    with pytest.raises(ValueError, match="reason"):
        await set_local_day(connection, FOUNDING_DAY, False, why, "admin")


async def test_a_year_published_by_hand_ends_provisional_times(connection: AsyncConnection) -> None:
    await load_national(connection)
    ten_days = Duration(10, Unit.WORKING_DAYS)
    start = datetime(2026, 12, 21, 15, 0, tzinfo=CHINA)

    before = due(start, ten_days, await load_calendar(connection))
    await load_year(connection, 2027, rest=NEW_YEAR_2027, make_up=[], source="test 2027", by="admin")
    after = due(start, ten_days, await load_calendar(connection))

    assert (before.at, before.provisional) == (datetime(2027, 1, 4, 18, 0, tzinfo=CHINA), True)
    assert (after.at, after.provisional) == (datetime(2027, 1, 5, 18, 0, tzinfo=CHINA), False)
    assert "test 2027" in await edition(connection)


async def test_a_year_with_a_day_of_another_year_is_refused(connection: AsyncConnection) -> None:
    with pytest.raises(ValueError, match="2026-12-31"):
        await load_year(connection, 2027, rest={date(2026, 12, 31): "元旦"}, make_up=[], source="test", by="admin")


async def test_a_day_that_somebody_spoiled_is_put_right(engine: AsyncEngine, database_url: str) -> None:
    await bring_national(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE calendar_day SET is_working = true WHERE date = '2026-10-01'"))

    changed = await bring_national(database_url)

    async with engine.connect() as connection:
        assert not (await load_calendar(connection)).day(date(2026, 10, 1)).working
    assert changed == 1


async def test_an_empty_table_is_monday_to_friday_provisionally(connection: AsyncConnection) -> None:
    await connection.execute(calendar_day.delete())

    calendar = await load_calendar(connection)

    assert calendar.edition.startswith("weekdays #")
    assert calendar.day(date(2026, 10, 1)).provisional


async def test_activities_see_a_change_when_they_look_again(engine: AsyncEngine) -> None:
    day = date(2026, 8, 10)
    calendars = Calendars(CalendarStore(engine), recheck=3_600)
    first = await calendars.current()

    async with engine.begin() as connection:
        await set_local_day(connection, day, False, "台风停工", "admin")
    held = await calendars.current()
    refreshed = await calendars.refresh()

    assert held is first
    assert held.day(day).working
    assert not refreshed.day(day).working
    assert await calendars.refresh() is refreshed
    assert await calendars.current() is refreshed


async def test_activities_without_patience_look_every_time(engine: AsyncEngine) -> None:
    day = date(2026, 8, 11)
    calendars = Calendars(CalendarStore(engine), recheck=0)
    first = await calendars.current()

    async with engine.begin() as connection:
        await set_local_day(connection, day, False, "台风停工", "admin")

    assert first.day(day).working
    assert not (await calendars.current()).day(day).working


def test_the_library_alone_gives_a_calendar() -> None:
    calendar = national_calendar()

    assert calendar.edition == national_edition()
    assert not calendar.day(date(2026, 2, 17)).working
    assert calendar.day(date(2026, 2, 14)).why == "调休上班"
