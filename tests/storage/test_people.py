"""Writes of master data: their audit, their limits, and what must never happen."""

from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.identity.passwords import Passwords
from services.storage import people
from services.storage.database import database
from services.storage.demo import seed_demo
from services.storage.ids import uuid7

C1 = "620199001001"
MARCH = date(2026, 3, 1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = database(database_url)
    await seed_demo(made, "x", Passwords())
    yield made
    await made.dispose()


@pytest_asyncio.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction that is rolled back."""
    async with engine.connect() as open_connection:
        await people.act_as(open_connection, "tester")
        yield open_connection
        await open_connection.rollback()


async def somebody(connection: AsyncConnection, name: str = "某人") -> UUID:
    return await people.add_person(connection, region_code=C1, display_name=name, phone="13900000000")


async def audit_of(connection: AsyncConnection, entity: str, key: UUID) -> list[tuple[object, ...]]:
    query = text("SELECT actor, action, before, after FROM audit WHERE entity = :entity AND key = :key ORDER BY seq")
    return [tuple(row) for row in await connection.execute(query, {"entity": entity, "key": str(key)})]


async def test_a_new_role_is_audited_with_who_gave_it(connection: AsyncConnection) -> None:
    person = await somebody(connection)

    role = await people.give_role(connection, person_id=person, role="volunteer", place=C1, since=MARCH)

    [(actor, action, before, after)] = await audit_of(connection, "person_role", role)
    assert (actor, action, before) == ("tester", "INSERT", None)
    assert isinstance(after, dict)
    assert (after["role"], after["place"], after["person_id"]) == ("volunteer", C1, str(person))


async def test_a_change_is_audited_before_and_after(connection: AsyncConnection) -> None:
    person = await somebody(connection)
    role = await people.give_role(connection, person_id=person, role="volunteer", place=C1, since=MARCH)

    ended = await people.end_role(connection, person_id=person, role="volunteer", place=C1, last_day=date(2026, 3, 9))

    _, (_, action, before, after) = await audit_of(connection, "person_role", role)
    assert ended == 1
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert (action, before["until"], after["until"]) == ("UPDATE", None, "2026-03-09")


async def test_the_audit_of_a_person_names_what_changed_and_not_the_value(connection: AsyncConnection) -> None:
    person = await somebody(connection, "钱某")

    await connection.execute(text("UPDATE person SET phone = '13911111111' WHERE id = :id"), {"id": person})

    (_, _, _, created), (_, _, before, after) = await audit_of(connection, "person", person)
    assert isinstance(after, dict)
    assert after["masked_changes"] == ["phone"]
    assert not {"13900000000", "13911111111", "钱某"} & set(map(str, (created, before, after)))
    for written in (created, before, after):
        assert "139" not in str(written)
        assert "钱某" not in str(written)


async def test_a_change_that_changes_nothing_is_not_audited(connection: AsyncConnection) -> None:
    person = await somebody(connection)

    await connection.execute(text("UPDATE person SET phone = phone WHERE id = :id"), {"id": person})

    assert len(await audit_of(connection, "person", person)) == 1


async def test_a_change_by_hand_is_audited_under_the_database_user(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        person = await somebody(connection)
        [(actor, *_)] = await audit_of(connection, "person", person)
        user = await connection.scalar(text("SELECT session_user"))
        await connection.rollback()

    assert actor == f"database:{user}"


async def test_a_change_counts_the_version(connection: AsyncConnection) -> None:
    person = await somebody(connection)

    await connection.execute(text("UPDATE person SET phone = NULL WHERE id = :id"), {"id": person})

    query = text("SELECT version FROM person WHERE id = :id")
    assert await connection.scalar(query, {"id": person}) == 2


@pytest.mark.parametrize("table", ["audit", "access_log"])
@pytest.mark.parametrize("change", ["DELETE FROM {table}", "UPDATE {table} SET entity = 'x'"])
async def test_what_happened_is_never_changed(connection: AsyncConnection, table: str, change: str) -> None:
    await people.log_access(
        connection, actor_id="a", entity="contact", row_id="r", fields_class="contact", purpose="回访"
    )

    with pytest.raises(IntegrityError, match="never changed"):
        await connection.execute(text(change.format(table=table)))


async def test_who_read_contact_details_is_told(connection: AsyncConnection) -> None:
    case = str(uuid7())
    for purpose in ("核实", "回访"):
        await people.log_access(
            connection, actor_id="a", entity="contact", row_id=case, fields_class="contact", purpose=purpose
        )

    found = await people.accesses(connection, case)

    assert [(access.actor_id, access.purpose) for access in found] == [("a", "核实"), ("a", "回访")]
    assert all(access.at.tzinfo is not None for access in found)


async def test_a_role_is_not_held_twice(connection: AsyncConnection) -> None:
    person = await somebody(connection)
    await people.give_role(connection, person_id=person, role="volunteer", place=C1, since=MARCH)

    with pytest.raises(IntegrityError, match="uq_person_role_open"):
        await people.give_role(connection, person_id=person, role="volunteer", place=C1, since=MARCH)


async def test_a_role_may_be_held_again_after_it_ended(connection: AsyncConnection) -> None:
    person = await somebody(connection)
    await people.give_role(connection, person_id=person, role="volunteer", place=C1, since=MARCH)
    await people.end_role(connection, person_id=person, role="volunteer", place=C1, last_day=MARCH)

    await people.give_role(connection, person_id=person, role="volunteer", place=C1, since=date(2026, 4, 1))


async def test_a_username_belongs_to_one_account(connection: AsyncConnection) -> None:
    person = await somebody(connection)

    with pytest.raises(IntegrityError, match="uq_account_username"):
        await people.add_account(connection, person_id=person, username="worker1", password_hash="x")


async def test_a_committee_never_has_two_active_chairs(connection: AsyncConnection) -> None:
    person = await somebody(connection)
    query = text(
        """
        INSERT INTO body_member (id, tenant_id, body_id, person_id, post, since)
        SELECT :id, tenant_id, id, :person, 'CHAIR', '2026-03-01'
          FROM body WHERE type = 'CWC' AND region_code = :place
        """
    )

    with pytest.raises(IntegrityError, match="uq_body_member_chair"):
        await connection.execute(query, {"id": uuid7(), "person": person, "place": C1})


async def test_a_community_lies_in_its_subdistrict(connection: AsyncConnection) -> None:
    query = text(
        "INSERT INTO region (code, name, level, parent_code, tenant_id)"
        " SELECT '630000001001', '别处', 'COMMUNITY', '620199001', id FROM tenant"
    )

    with pytest.raises(IntegrityError, match="parent_is_prefix"):
        await connection.execute(query)


async def test_the_roster_of_a_day_has_the_chair_first(connection: AsyncConnection) -> None:
    today = await people.roster(connection, "CWC", C1, date(2026, 12, 1))
    before = await people.roster(connection, "CWC", C1, date(2024, 12, 31))

    assert [member.post for member in today] == ["CHAIR"] + ["VICE_CHAIR"] * 4 + ["MEMBER"] * 8
    assert today[0].category == "PARTY_ORG_MEMBER"
    assert before == []


async def test_an_erased_person_leaves_an_id_and_no_name(connection: AsyncConnection) -> None:
    person = await somebody(connection, "钱某")
    await people.add_account(connection, person_id=person, username="qian", password_hash="x")

    assert await people.erase_person(connection, person)

    query = text(
        "SELECT p::text || a::text FROM person p JOIN account a ON a.person_id = p.id WHERE p.id = :id AND NOT a.active"
    )
    left = await connection.scalar(query, {"id": person})
    assert left is not None
    assert str(person) in left
    assert not any(trace in left for trace in ("钱某", "139", "qian"))


async def test_a_new_password_forgets_failed_attempts(connection: AsyncConnection) -> None:
    await connection.execute(text("UPDATE account SET failed_attempts = 9 WHERE username = 'worker1'"))

    assert await people.set_password_hash(connection, "worker1", "new")

    query = text("SELECT password_hash, failed_attempts FROM account WHERE username = 'worker1'")
    assert tuple((await connection.execute(query)).one()) == ("new", 0)
    assert not await people.set_password_hash(connection, "nobody", "new")
