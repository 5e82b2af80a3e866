"""Lists of a county: versions, effective days, searches by part and by near wording, what may be asked today."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.identity.passwords import Passwords
from services.storage.coverage import coverage
from services.storage.database import database
from services.storage.demo import seed_demo
from services.storage.lists import (
    Entry,
    NotPublishable,
    Version,
    compare,
    entries_of,
    in_force,
    publish,
    search,
    version_of,
    versions,
)

COUNTY, COMMUNITY = "620199", "620199001002"
TODAY = date(2026, 10, 12)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seeded(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = database(database_url)
    await seed_demo(engine, "first", Passwords())
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def connection(seeded: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose work is taken back."""
    async with seeded.connect() as connection:
        yield connection


async def published(connection: AsyncConnection, *entries: Entry, begins: date, today: date = TODAY) -> Version:
    return await publish(
        connection,
        county=COUNTY,
        list_type="LIST_B",
        entries=entries,
        effective_from=begins,
        source="test",
        by="reviewer",
        today=today,
    )


async def latest(connection: AsyncConnection) -> tuple[Entry, ...]:
    found = await version_of(connection, COUNTY, "LIST_B", on=date(2030, 1, 1))
    assert found is not None
    return tuple(await entries_of(connection, found.id))


async def test_the_demonstration_county_has_its_lists(connection: AsyncConnection) -> None:
    found = await in_force(connection, COUNTY, TODAY)

    assert {kind: one.version for kind, one in found.items() if kind in ("LIST_A", "LIST_B")} == {
        "LIST_A": 3,
        "LIST_B": 3,
    }
    assert "低保入户核查协助" in {one.name for one in await entries_of(connection, found["LIST_B"].id)}
    assert set(found) == {"LIST_A", "LIST_B", "NEGATIVE", "CERTIFICATE", "CERTIFICATE_NEGATIVE", "SEAL_USE"}


async def test_the_version_of_a_day_is_the_last_that_had_begun(connection: AsyncConnection) -> None:
    for day, number in ((date(2024, 12, 31), 1), (date(2025, 1, 1), 2), (date(2026, 1, 1), 3)):
        assert (await in_force(connection, COUNTY, day))["LIST_B"].version == number
    assert await in_force(connection, COUNTY, date(2023, 12, 31)) == {}


async def test_a_new_version_is_in_force_from_its_day_and_ends_the_one_before(connection: AsyncConnection) -> None:
    entries = await latest(connection)

    new = await published(connection, *entries[1:], begins=date(2026, 11, 1))

    assert new.version == 4
    assert [one.until for one in await versions(connection, COUNTY, "LIST_B")][:2] == [None, date(2026, 10, 31)]
    assert (await in_force(connection, COUNTY, date(2026, 10, 31)))["LIST_B"].version == 3
    assert (await in_force(connection, COUNTY, date(2026, 11, 1)))["LIST_B"].version == 4


async def test_two_versions_are_compared_entry_by_entry(connection: AsyncConnection) -> None:
    first, second, *rest = await latest(connection)
    old = await version_of(connection, COUNTY, "LIST_B", number=3)
    extra = Entry(item_code="B999", name="残疾人辅具申请协助")
    new = await published(
        connection, replace(second, lead_department="示范区残联"), *rest, extra, begins=date(2026, 11, 1)
    )
    assert old is not None

    found = await compare(connection, old, new)

    assert found.removed == (first,)
    assert found.added == (extra,)
    assert found.changed == ((second, replace(second, lead_department="示范区残联")),)


@pytest.mark.parametrize(
    ("begins", "code"),
    [(date(2026, 10, 11), "EFFECTIVE_IN_PAST"), (date(2026, 1, 1), "EFFECTIVE_IN_PAST")],
)
async def test_the_past_is_not_rewritten(connection: AsyncConnection, begins: date, code: str) -> None:
    with pytest.raises(NotPublishable) as refused:
        await published(connection, Entry(item_code="B1", name="新"), begins=begins)

    assert refused.value.code == code


async def test_a_version_begins_after_the_one_before_and_says_something_new(connection: AsyncConnection) -> None:
    entries = await latest(connection)
    await published(connection, *entries[1:], begins=date(2026, 12, 1))

    with pytest.raises(NotPublishable, match="EFFECTIVE_BEFORE_LAST"):
        await published(connection, *entries, begins=date(2026, 11, 1))
    with pytest.raises(NotPublishable, match="SAME_AS_LAST"):
        await published(connection, *entries[1:], begins=date(2026, 12, 2))


@pytest.mark.parametrize("statement", ["UPDATE duty_item SET name = '改'", "DELETE FROM duty_list"])
async def test_a_version_is_never_edited(connection: AsyncConnection, statement: str) -> None:
    with pytest.raises(IntegrityError):
        await connection.execute(text(statement))


@pytest.mark.parametrize(
    ("words", "first", "likeness"),
    [
        ("低保入户核查协助", "低保入户核查协助", 1.0),
        (" 低保 入户核查(协助)。", "低保入户核查协助", 1.0),
        ("入户核查", "低保入户核查协助", 0.9),
        ("低保", "低保入户核查协助", 0.9),
        ("低保家庭入户核查", "低保入户核查协助", 0.5),
        ("招商引资指标", "社区招商引资任务指标", 0.5),
    ],
)
async def test_chinese_entries_are_found_by_part_and_by_near_wording(
    connection: AsyncConnection, words: str, first: str, likeness: float
) -> None:
    lists = (await in_force(connection, COUNTY, TODAY)).values()

    found = await search(connection, lists, words)

    assert found[0].entry.name == first
    assert found[0].likeness >= likeness
    assert [one.likeness for one in found] == sorted((one.likeness for one in found), reverse=True)


@pytest.mark.parametrize("words", ["", " 。", "航天员选拔", "%"])
async def test_what_is_in_no_list_is_not_found(connection: AsyncConnection, words: str) -> None:
    lists = (await in_force(connection, COUNTY, TODAY)).values()

    assert await search(connection, lists, words) == []


async def test_what_may_be_asked_of_a_community_today(connection: AsyncConnection) -> None:
    names = ["低保入户核查协助", "调解民间纠纷", "社区招商引资任务指标", "三天内入户调查300户", "低保家庭入户核查"]

    listed, own, banned, unknown, near = await coverage(connection, COMMUNITY, names, TODAY)

    assert (listed.allowed, listed.because) == (True, "LIST_B")
    assert listed.list_item is not None
    assert listed.list_item["funding_note"].startswith("按每户核定")
    assert (own.allowed, own.because) == (True, "LIST_A")
    assert (banned.allowed, banned.because) == (False, "NEGATIVE_LIST")
    assert (unknown.allowed, unknown.because, unknown.near) == (False, "NOT_ADMITTED", [])
    assert not near.allowed
    assert near.near[0]["name"] == "低保入户核查协助"


async def test_a_thousand_items_take_one_statement(connection: AsyncConnection) -> None:
    names = [f"第{n}项入户调查" for n in range(999)] + ["低保入户核查协助"]

    found = await coverage(connection, COMMUNITY, names, TODAY)

    assert len(found) == 1000
    assert [one.allowed for one in found].count(True) == 1
    assert found[-1].because == "LIST_B"
