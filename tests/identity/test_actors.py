"""Sign-in and the roles of people, on a real database with the demonstration street."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.actors import FRESH, Directory
from services.identity.errors import SignInRefused, SignInTooOften
from services.identity.passwords import Passwords
from services.identity.places import Community, Org, Region
from services.storage import people
from services.storage.database import database
from services.storage.demo import seed_demo
from workflows.kernel.process import Actor, Grant

PASSWORD = "heard, decided, done"


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = database(database_url)
    await seed_demo(made, PASSWORD, Passwords())
    yield made
    await made.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(engine: AsyncEngine, clock: Clock) -> Directory:
    return Directory(engine, now=clock)


async def by_name(directory: Directory, username: str) -> Actor:
    return (await directory.by_username([username]))[username]


async def newcomer(engine: AsyncEngine, username: str, password: str = PASSWORD) -> str:
    """Somebody new with an account and no role; gives the actor id."""
    async with engine.begin() as connection:
        person = await people.add_person(connection, region_code="6201", display_name="新人")
        kept = Passwords().hash(password)
        await people.add_account(connection, person_id=person, username=username, password_hash=kept)
    return str(person)


async def test_name_and_password_give_the_person_with_his_roles(directory: Directory) -> None:
    actor = (await directory.sign_in("worker1", PASSWORD)).actor

    assert actor.username == "worker1"
    assert actor.grants == (Grant("community_worker", "620199001001", "community-1"),)


async def test_two_accounts_of_one_person_are_one_actor(directory: Directory) -> None:
    secretary = (await directory.sign_in("secretary1", PASSWORD)).actor
    seat = (await directory.sign_in("epc1a", PASSWORD)).actor

    assert seat.id == secretary.id
    assert seat.username == "epc1a"
    assert {grant.role for grant in seat.grants} == {
        "party_secretary",
        "cwc_chair",
        "two_committees_member",
        "epc_member",
    }


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("worker1", "wrong"),
        ("worker1", ""),
        ("worker1", "x" * 100_000),
        ("nobody-here", PASSWORD),
        ("", PASSWORD),
        ("Worker1", PASSWORD),
        ("worker1\x00", PASSWORD),
        ("\ud800", PASSWORD),
        ("w" * 10_000, PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ],
)
async def test_any_other_name_or_password_is_refused_alike(directory: Directory, username: str, password: str) -> None:
    with pytest.raises(SignInRefused) as refused:
        await directory.sign_in(username, password)

    assert refused.value.reason == "BAD_CREDENTIALS"
    await directory.sign_in("worker1", PASSWORD)


async def test_a_closed_account_is_refused_like_a_wrong_password(engine: AsyncEngine, directory: Directory) -> None:
    await newcomer(engine, "leaver")
    async with engine.begin() as connection:
        assert await people.set_account_active(connection, "leaver", active=False)

    with pytest.raises(SignInRefused):
        await directory.sign_in("leaver", PASSWORD)


async def test_one_closed_account_of_a_person_is_refused_while_the_other_opens(
    engine: AsyncEngine, directory: Directory
) -> None:
    person = UUID(await newcomer(engine, "two-hats"))
    async with engine.begin() as connection:
        kept = Passwords().hash(PASSWORD)
        await people.add_account(connection, person_id=person, username="old-hat", password_hash=kept)
        await people.set_account_active(connection, "old-hat", active=False)

    with pytest.raises(SignInRefused):
        await directory.sign_in("old-hat", PASSWORD)
    assert (await directory.sign_in("two-hats", PASSWORD)).actor.id == str(person)
    assert await directory.actor(str(person), "old-hat") is None


async def fail(directory: Directory, username: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused):
            await directory.sign_in(username, "wrong")


@pytest.mark.parametrize("username", ["guessed", "not-there"])
async def test_after_five_failures_even_the_right_password_must_wait(
    engine: AsyncEngine, directory: Directory, clock: Clock, username: str
) -> None:
    if username == "guessed":
        await newcomer(engine, username)
    await fail(directory, username, 5)

    with pytest.raises(SignInTooOften) as refused:
        await directory.sign_in(username, PASSWORD)

    assert refused.value.retry_after == timedelta(seconds=1)


async def test_after_the_pause_the_right_password_opens_and_clears_the_count(
    engine: AsyncEngine, directory: Directory, clock: Clock
) -> None:
    await newcomer(engine, "clumsy")
    await fail(directory, "clumsy", 5)

    clock.now += timedelta(seconds=1)
    await directory.sign_in("clumsy", PASSWORD)

    await fail(directory, "clumsy", 4)
    await directory.sign_in("clumsy", PASSWORD)


async def test_many_guesses_at_once_are_counted_one_by_one(engine: AsyncEngine, directory: Directory) -> None:
    await newcomer(engine, "besieged")

    guesses = [directory.sign_in("besieged", f"guess {number}") for number in range(20)]
    answers = await asyncio.gather(*guesses, return_exceptions=True)

    # Two are checked at a time, so one more may be under way when the fifth is counted.
    checked = [answer for answer in answers if isinstance(answer, SignInRefused)]
    assert 5 <= len(checked) <= 6
    assert all(isinstance(answer, SignInRefused | SignInTooOften) for answer in answers)


async def test_failures_are_no_change_of_the_account_for_the_audit(engine: AsyncEngine, directory: Directory) -> None:
    await newcomer(engine, "unlucky")
    query = text(
        "SELECT a.version, (SELECT count(*) FROM audit WHERE entity = 'account' AND key = a.id::text)"
        " FROM account a WHERE username = 'unlucky'"
    )

    await fail(directory, "unlucky", 2)

    async with engine.connect() as connection:
        assert (await connection.execute(query)).one() == (1, 1)


async def test_an_actor_is_found_by_id_under_his_first_account_or_the_named_one(directory: Directory) -> None:
    secretary = await by_name(directory, "secretary1")

    assert await directory.actor(secretary.id) == secretary
    assert await directory.actor(secretary.id, "tc1a") == await by_name(directory, "tc1a")


async def test_an_account_of_somebody_else_is_not_his(directory: Directory) -> None:
    secretary = await by_name(directory, "secretary1")

    assert await directory.actor(secretary.id, "worker1") is None


@pytest.mark.parametrize("actor_id", ["", "system", "x", "00000000-0000-7000-8000-000000000000"])
async def test_an_unknown_id_is_nobody(directory: Directory, actor_id: str) -> None:
    assert await directory.actor(actor_id) is None


async def test_a_role_change_is_seen_after_a_few_seconds(
    engine: AsyncEngine, directory: Directory, clock: Clock
) -> None:
    actor_id = await newcomer(engine, "promoted")
    before = await directory.actor(actor_id)
    assert before is not None
    assert before.grants == ()

    async with engine.begin() as connection:
        await people.give_role(
            connection,
            person_id=UUID(actor_id),
            role="volunteer",
            place="620199001001",
            since=date(2026, 1, 1),
        )
    assert await directory.actor(actor_id) == before

    clock.now += FRESH
    after = await directory.actor(actor_id)
    assert after is not None
    assert after.grants == (Grant("volunteer", "620199001001", None),)


async def test_a_closed_account_is_nobody_after_a_few_seconds(
    engine: AsyncEngine, directory: Directory, clock: Clock
) -> None:
    actor_id = await newcomer(engine, "gone")
    assert await directory.actor(actor_id)
    async with engine.begin() as connection:
        await people.set_account_active(connection, "gone", active=False)

    clock.now += FRESH

    assert await directory.actor(actor_id) is None
    assert await directory.by_username(["gone"]) == {}


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [
        (date(2026, 3, 2), None, True),
        (date(2026, 3, 2), date(2026, 3, 2), True),
        (date(2026, 3, 3), None, False),
        (date(2026, 1, 1), date(2026, 3, 1), False),
    ],
)
async def test_a_role_holds_from_its_first_day_through_its_last_in_china(
    engine: AsyncEngine, clock: Clock, since: date, until: date | None, holds: bool
) -> None:
    # 17:00 in UTC on the first is 01:00 on the second in China.
    clock.now = datetime(2026, 3, 1, 17, tzinfo=UTC)
    actor_id = await newcomer(engine, f"term-{since}-{until}".lower())
    async with engine.begin() as connection:
        await people.give_role(
            connection,
            person_id=UUID(actor_id),
            role="volunteer",
            place="6201",
            since=since,
            until=until,
        )

    actor = await Directory(engine, now=clock).actor(actor_id)

    assert actor is not None
    assert bool(actor.grants) is holds


async def test_several_names_are_looked_up_together_and_unknown_ones_left_out(
    engine: AsyncEngine, directory: Directory
) -> None:
    statements: list[str] = []

    def note(*call: object) -> None:
        statements.append(str(call[2]))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    found = await directory.by_username(["grid1", "grid2", "nobody", "x\x00"])
    again = await directory.by_username(["grid2"])
    event.remove(engine.sync_engine, "before_cursor_execute", note)

    assert set(found) == {"grid1", "grid2"}
    assert again["grid2"] == found["grid2"]
    assert len(statements) == 1


async def test_holders_of_a_role_over_a_place(directory: Directory) -> None:
    secretary = await by_name(directory, "secretary2")
    supervisor = await by_name(directory, "supervisor")
    city = await by_name(directory, "city")

    assert await directory.holders("party_secretary", "620199001002") == (secretary.id,)
    assert await directory.holders("party_secretary", "620199001002003") == (secretary.id,)
    assert await directory.holders("party_secretary", "620199001") == ()
    assert set(await directory.holders("supervisor", "620199001001")) == {supervisor.id, city.id}
    assert await directory.holders("supervisor", "6201") == (city.id,)


async def test_holders_may_be_asked_for_one_organisation(directory: Directory) -> None:
    heating = await by_name(directory, "heating")

    assert await directory.holders("unit_liaison", "620199001001", "heating") == (heating.id,)
    assert await directory.holders("unit_liaison", "620199001001", "no-such") == ()


async def test_organisations_by_code(directory: Directory) -> None:
    found = await directory.organizations(["builder", "community-1", "nope", "x\x00"])

    assert set(found) == {"builder", "community-1"}
    assert found["builder"] == Org("builder", "安和建筑公司", "ENTERPRISE", "OTHER", "620199001001", True)


async def test_communities_and_regions_by_code(directory: Directory) -> None:
    communities = await directory.communities(["620199001001", "620199001", "999999999999"])
    regions = await directory.regions(["6201", "620199001001001", "7"])

    assert communities == {"620199001001": Community("620199001001", "柳荫社区", "620199001", 2100)}
    assert regions == {
        "6201": Region("6201", "示范市", "CITY", None),
        "620199001001001": Region("620199001001001", "第1网格", "GRID", "620199001001"),
    }
    assert await directory.region("620199") == Region("620199", "示范区", "COUNTY", "6201")
    assert await directory.region("nope") is None


async def test_me_says_who_and_where(directory: Directory) -> None:
    department = await by_name(directory, "department")

    assert await directory.me(department) == {
        "id": department.id,
        "username": "department",
        "display_name": "城管局经办",
        "roles": [
            {
                "role": "department_officer",
                "title": "部门经办",
                "place": "620199",
                "place_name": "示范区",
                "level": "COUNTY",
                "org": "urban-management",
                "org_name": "示范区城市管理局",
                "substitute_for": None,
            }
        ],
    }


async def test_me_has_english_titles_for_who_reads_english(directory: Directory) -> None:
    me = await directory.me(await by_name(directory, "clerk1"), "en-GB")

    assert [role["title"] for role in me["roles"]] == ["Meeting secretary"]


async def test_names_of_another_day_are_known_until_somebody_is_erased(engine: AsyncEngine) -> None:
    directory = Directory(engine)
    renamed = text("UPDATE person SET display_name = :name WHERE id = :id")
    async with engine.begin() as connection:
        person = await people.add_person(connection, region_code="6201", display_name="贾某", source="DEMO")
    before = datetime.now(UTC)
    async with engine.begin() as connection:
        await connection.execute(renamed, {"id": person, "name": "甄某"})
        await connection.execute(text("UPDATE organization SET name = '示范管网公司' WHERE code = 'drainage'"))
    codes = [str(person), "drainage", "heating"]

    assert await directory.former_names(codes, before) == {str(person): "贾某", "drainage": "示范排水公司"}
    assert await directory.former_names(codes, datetime.now(UTC)) == {}

    async with engine.begin() as connection:
        await people.erase_person(connection, person)
    assert await directory.former_names(codes, before) == {"drainage": "示范排水公司"}
