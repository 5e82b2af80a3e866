"""What is kept too long goes, what somebody asks to forget goes, and every history stays whole."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.calendar import Calendars
from services.identity.passwords import Passwords
from services.storage.audit import Signer, verify
from services.storage.calendar import CalendarStore
from services.storage.demo import seed_demo
from services.storage.ids import uuid7
from services.storage.ledger import Ledger
from services.storage.ledger_tables import attachment, case_file, contact, prose
from services.storage.people import ERASED
from services.storage.personal import (
    forget_person,
    forget_reporter,
    open_cases,
    person_of,
    personal_data,
    reported_data,
)
from services.storage.retention import RULES, due, forget
from services.storage.sealing import Seal
from tests.storage.town import RESIDENT, WORKER, Town, Wish, at, submit
from workflows.issue import commands as do
from workflows.issue.process import ISSUE
from workflows.kernel.process import Actor, Case, Pin
from workflows.policy.packs import load

NOW = datetime.now(UTC)
PACK = load("lanzhou_2021")
BY_CODE = {rule.code: rule for rule in RULES}


@pytest.fixture(scope="module")
def seal() -> Seal:
    return Seal({"k1": b"k" * 32}, "k1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(owner: AsyncEngine, seal: Seal) -> AsyncIterator[Town]:
    """The demonstration street with its people, who bring in issues."""
    await seed_demo(owner, "x" * 12, Passwords())
    ledger = Ledger(owner, calendars=Calendars(CalendarStore(owner)), seal=seal, policy=lambda *_: PACK)
    yield Town(owner, ledger, seal, Pin(PACK.pack, PACK.version, PACK.sha), PACK)


@pytest_asyncio.fixture(loop_scope="session")
async def connection(owner: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose changes are undone."""
    async with owner.connect() as opened:
        yield opened
        await opened.rollback()


async def count(connection: AsyncConnection, table: Any, *which: Any) -> int:
    found: int = (await connection.execute(select(func.count()).select_from(table).where(*which))).scalar_one()
    return found


async def whole(connection: AsyncConnection) -> bool:
    signer = Signer({"k": b"a" * 32})
    return not [one async for one in verify(connection, signer, NOW)]


async def as_person(connection: AsyncConnection, username: str, like: Actor) -> Actor:
    found = await person_of(connection, username)
    assert found is not None
    return Actor(str(found), username, like.grants)


# --- time ------------------------------------------------------------------------------------------------------------


async def test_a_contact_goes_two_years_after_the_end_and_not_before(town: Town, connection: AsyncConnection) -> None:
    old = await submit(town, Wish("甲", "一", name="李梅", phone="13800001234"), at("2026-03-02 09:00"))
    new = await submit(town, Wish("乙", "二", name="王强", phone="13800005678"), at("2026-03-02 09:01"))
    for case, days in ((old, 731), (new, 729)):
        ended = NOW - timedelta(days=days)
        await connection.execute(update(case_file).where(case_file.c.id == UUID(case.id)).values(closed_at=ended))
    rule = BY_CODE["CONTACTS"]

    waiting = await due(connection, rule, PACK, NOW)
    gone = await forget(connection, rule, PACK, NOW)

    assert waiting == 1
    assert [str(case) for case, _ in gone] == [old.id]
    assert await count(connection, contact, contact.c.case_id == UUID(new.id)) == 1
    assert await forget(connection, rule, PACK, NOW) == []
    assert await whole(connection)


async def test_notes_of_a_visit_go_after_a_year_and_the_visit_stays(town: Town, connection: AsyncConnection) -> None:
    case = await submit(town, Wish("走访", "一"), at("2026-03-02 09:02"))
    visits = {
        name: {"kind": "HOUSEHOLD", "at": (NOW - timedelta(days=days)).isoformat(), "notes": f"text:{name * 16}"}
        for name, days in (("a", 366), ("b", 364))
    }
    mine = case_file.c.id == UUID(case.id)
    opened = NOW - timedelta(days=400)
    await connection.execute(
        update(case_file).where(mine).values(process="round", data={"visits": visits}, opened_at=opened)
    )
    for name in visits:
        await connection.execute(
            prose.insert().values(case_id=UUID(case.id), ref=f"text:{name * 16}", value="不在家", searched=False)
        )

    gone = await forget(connection, BY_CODE["VISIT_NOTES"], PACK, NOW)

    assert [ref for _, ref in gone] == ["text:" + "a" * 16]
    assert (await connection.execute(select(case_file.c.data).where(mine))).scalar_one()["visits"].keys() == {"a", "b"}


async def test_every_rule_runs_and_only_a_real_run_forgets(town: Town, connection: AsyncConnection) -> None:
    loose = uuid7()
    await connection.execute(
        attachment.insert().values(
            id=loose, kind="PHOTO", media_type="image/jpeg", size=1, sha256="0", object_key="2026/01/a",
            uploaded_by="x", uploaded_at=NOW - timedelta(days=31),
        )
    )  # fmt: skip

    waiting = {rule.code: await due(connection, rule, PACK, NOW) for rule in RULES}
    assert await count(connection, attachment, attachment.c.id == loose) == 1
    gone = {rule.code: len(await forget(connection, rule, PACK, NOW)) for rule in RULES}

    assert waiting == gone
    assert gone["LOOSE_FILES"] == 1


# --- one person ------------------------------------------------------------------------------------------------------


async def test_a_person_is_told_everything_that_is_kept_of_him(
    town: Town, connection: AsyncConnection, seal: Seal
) -> None:
    resident = await as_person(connection, "resident1", RESIDENT)
    case = await submit(town, Wish("路灯不亮", "楼下一片漆黑"), at("2026-03-02 09:05"), by=resident)

    found = await personal_data(connection, UUID(resident.id), seal)

    assert found is not None
    assert found["person"]["id"] == UUID(resident.id)
    assert [one["username"] for one in found["accounts"]] == ["resident1"]
    assert "password_hash" not in str(found)
    [told] = found["cases"]
    assert (told["number"], told["title"], told["description"]) == (case.number, "路灯不亮", "楼下一片漆黑")
    assert told["acts"][0]["wrote"]["sets"]["description"] == "楼下一片漆黑"
    assert await personal_data(connection, uuid7(), seal) is None


async def test_who_is_erased_is_nowhere_and_the_history_is_whole(
    town: Town, connection: AsyncConnection, seal: Seal
) -> None:
    resident = await as_person(connection, "resident1b", RESIDENT)
    worker = await as_person(connection, "worker1", WORKER)
    case: Case[Any] = await submit(town, Wish("漏水", "三楼漏水"), at("2026-03-02 09:06"), by=resident)
    note = town.ref()
    await town.give(
        ISSUE, case, do.ContactReporter(note=note), worker, at("2026-03-02 10:00"), texts={note: "已电话联系"}
    )
    person, mine = UUID(resident.id), prose.c.case_id == UUID(case.id)
    before = await count(connection, prose, mine)
    waiting = await open_cases(connection, person)

    forgotten = await forget_person(connection, person)

    found = await personal_data(connection, person, seal)
    assert waiting == [case.number]
    assert found is not None
    assert found["person"]["display_name"] == ERASED
    assert [one["active"] for one in found["accounts"]] == [False]
    assert "resident1b" not in str(found["accounts"])
    assert "漏水" not in str(found)
    # What the office wrote is the office's.
    assert before - await count(connection, prose, mine) == forgotten.texts == 2
    assert await count(connection, contact, contact.c.case_id == UUID(case.id)) == 0
    assert await connection.scalar(text("SELECT count(*) FROM event WHERE case_id = :id"), {"id": case.id}) == 2
    assert await whole(connection)


async def test_a_reporter_without_an_account_is_found_by_his_phone(
    town: Town, connection: AsyncConnection, seal: Seal
) -> None:
    wish = Wish("井盖缺失", "北门外", name="赵六", phone="137 0000 4321")
    case = await submit(town, wish, at("2026-03-02 09:07"))

    found = await reported_data(connection, "+86 13700004321", seal)
    nobody = await reported_data(connection, "13700000000", seal)
    forgotten = await forget_reporter(connection, "13700004321", seal)
    after = await reported_data(connection, "13700004321", seal)

    assert [one["number"] for one in found["cases"]] == [case.number]
    assert found["cases"][0]["contact"] == {"name": "赵六", "phone": "137 0000 4321"}
    assert nobody["cases"] == after["cases"] == []
    assert (forgotten.contacts, forgotten.texts) == (1, 2)
    assert await whole(connection)
