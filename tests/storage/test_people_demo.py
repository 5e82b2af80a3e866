"""The demonstration street is what api.md promises, and loading it twice changes nothing."""

import asyncio
import string
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.passwords import Passwords
from services.storage.database import database
from services.storage.demo import SeedReport, seed_demo
from services.storage.migrating import migrate

passwords = Passwords()

FOLDED = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t"
TABLES = (
    "region",
    "community",
    "organization",
    "person",
    "spatial_unit",
    "account",
    "person_role",
    "body",
    "body_member",
    "audit",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def street(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = database(database_url)
    assert await seed_demo(engine, "first", passwords) == SeedReport(created=True, password=None)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def fresh(empty_database_url: str) -> AsyncIterator[AsyncEngine]:
    await migrate(empty_database_url)
    engine = database(empty_database_url)
    yield engine
    await engine.dispose()


async def rows(engine: AsyncEngine, query: str) -> list[tuple[object, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def content(engine: AsyncEngine) -> list[object]:
    return [(await rows(engine, FOLDED.format(table=table)))[0][0] for table in TABLES]


async def accounts_that_accept(engine: AsyncEngine, password: str) -> set[bool]:
    kept = await rows(engine, "SELECT DISTINCT password_hash FROM account")
    return {passwords.verify(password, str(one[0])) for one in kept}


async def test_the_tree_of_regions(street: AsyncEngine) -> None:
    assert await rows(street, "SELECT code, name, level FROM region ORDER BY length(code), code") == [
        ("6201", "示范市", "CITY"),
        ("620199", "示范区", "COUNTY"),
        ("620199001", "安和街道", "SUBDISTRICT"),
        ("620199001001", "柳荫社区", "COMMUNITY"),
        ("620199001002", "河湾社区", "COMMUNITY"),
        ("620199001003", "机厂社区", "COMMUNITY"),
    ]


async def test_grids_share_the_households_of_their_community(street: AsyncEngine) -> None:
    query = """
        SELECT c.region_code, c.households, count(*), sum(s.households), min(s.code),
               bool_and(cardinality(responsible_person_ids) = 1)
          FROM community c JOIN spatial_unit s ON s.community_code = c.region_code AND s.kind = 'GRID'
         GROUP BY c.region_code ORDER BY 1
    """
    assert await rows(street, query) == [
        ("620199001001", 2100, 7, 2100, "620199001001001", True),
        ("620199001002", 2800, 9, 2800, "620199001002001", True),
        ("620199001003", 1500, 5, 1500, "620199001003001", True),
    ]


async def test_committees_have_their_sizes(street: AsyncEngine) -> None:
    query = """
        SELECT b.type, right(b.region_code, 1), count(*), count(*) FILTER (WHERE m.post = 'VICE_CHAIR'),
               count(*) FILTER (WHERE m.post = 'CHAIR')
          FROM body b JOIN body_member m ON m.body_id = b.id
         WHERE b.type IN ('CWC', 'EPC', 'TWO_COMMITTEES')
         GROUP BY 1, 2 ORDER BY 1, 2
    """
    assert await rows(street, query) == [
        ("CWC", "1", 13, 4, 1),
        ("CWC", "2", 11, 3, 1),
        ("CWC", "3", 9, 3, 1),
        ("EPC", "1", 9, 0, 1),
        ("EPC", "2", 9, 0, 1),
        ("EPC", "3", 9, 0, 1),
        ("TWO_COMMITTEES", "1", 8, 0, 1),
        ("TWO_COMMITTEES", "2", 8, 0, 1),
        ("TWO_COMMITTEES", "3", 8, 0, 1),
    ]


async def test_only_chair_and_vice_chairs_of_a_committee_also_sit_in_the_party_committee(
    street: AsyncEngine,
) -> None:
    query = """
        SELECT DISTINCT c.post
          FROM body_member c JOIN body cb ON cb.id = c.body_id AND cb.type = 'CWC'
          JOIN body_member e ON e.person_id = c.person_id JOIN body eb ON eb.id = e.body_id AND eb.type = 'EPC'
    """
    assert await rows(street, query) == [("CHAIR",)]


def promised(number: int) -> set[str]:
    """The accounts of api.md for one community."""
    names = {f"{prefix}{number}" for prefix in ("grid", "worker", "secretary", "vice", "clerk", "property", "resident")}
    names |= {f"worker{number}b", f"member{number}a", f"member{number}b", f"resident{number}b"}
    names |= {f"epc{number}{letter}" for letter in string.ascii_lowercase[:9]}
    return names | {f"tc{number}{letter}" for letter in string.ascii_lowercase[:8]}


async def test_every_account_of_the_api_page_is_there(street: AsyncEngine) -> None:
    others = {
        "department",
        "officer",
        "streetparty",
        "supervisor",
        "city",
        "reviewer",
        "approver",
        "cityapprover",
        "admin",
        "integration",
        "owners-2",
        "drainage",
        "heating",
        "power",
        "telecom",
        "builder",
        "elder-care",
        "statistics",
        "civil-affairs",
        "disabled-persons",
        "medical-insurance",
    }

    there = {str(name) for (name,) in await rows(street, "SELECT username FROM account")}

    assert promised(1) | promised(2) | promised(3) | others <= there


async def test_every_organisation_of_the_api_page_is_there_and_nothing_else(street: AsyncEngine) -> None:
    there = {str(code) for (code,) in await rows(street, "SELECT code FROM organization")}

    assert there == {
        "community-1",
        "community-2",
        "community-3",
        "property-1",
        "property-2",
        "property-3",
        "owners-2",
        "drainage",
        "heating",
        "power",
        "telecom",
        "builder",
        "elder-care",
        "subdistrict-office",
        "urban-management",
        "statistics",
        "civil-affairs",
        "disabled-persons",
        "medical-insurance",
    }


@pytest.mark.parametrize(
    ("username", "role", "place", "org"),
    [
        ("grid1", "grid_worker", "620199001001", "community-1"),
        ("worker2b", "community_worker", "620199001002", "community-2"),
        ("secretary3", "party_secretary", "620199001003", "community-3"),
        ("epc1a", "cwc_chair", "620199001001", "community-1"),
        ("vice1", "cwc_vice_chair", "620199001001", "community-1"),
        ("member1b", "cwc_member", "620199001001", "community-1"),
        ("epc1i", "epc_member", "620199001001", "community-1"),
        ("tc1h", "two_committees_member", "620199001001", "community-1"),
        ("clerk1", "meeting_secretary", "620199001001", "community-1"),
        ("property2", "unit_liaison", "620199001002", "property-2"),
        ("heating", "unit_liaison", "6201", "heating"),
        ("department", "department_officer", "620199", "urban-management"),
        ("medical-insurance", "department_officer", "6201", "medical-insurance"),
        ("officer", "subdistrict_officer", "620199001", "subdistrict-office"),
        ("streetparty", "street_party_officer", "620199001", None),
        ("supervisor", "supervisor", "620199001", None),
        ("city", "supervisor", "6201", None),
        ("reviewer", "office_reviewer", "620199", None),
        ("approver", "leading_group_approver", "620199", None),
        ("cityapprover", "leading_group_approver", "6201", None),
        ("resident1b", "resident", "620199001001", None),
        ("admin", "tenant_admin", "6201", None),
        ("integration", "integration", "6201", None),
    ],
)
async def test_accounts_have_their_roles(
    street: AsyncEngine, username: str, role: str, place: str, org: str | None
) -> None:
    query = f"""
        SELECT r.role, r.place, r.org_code
          FROM account a JOIN person_role r USING (person_id) WHERE a.username = '{username}'
    """
    assert (role, place, org) in await rows(street, query)


async def test_loading_twice_changes_nothing(street: AsyncEngine) -> None:
    before = await content(street)

    assert await seed_demo(street, None, passwords) == SeedReport(created=False, password=None)
    assert await seed_demo(street, "first", passwords) == SeedReport(created=False, password=None)

    assert await content(street) == before


async def test_another_password_given_later_is_that_of_every_account(fresh: AsyncEngine) -> None:
    await seed_demo(fresh, "first", passwords)

    await seed_demo(fresh, "second", passwords)

    assert await accounts_that_accept(fresh, "second") == {True}
    assert await accounts_that_accept(fresh, "first") == {False}


async def test_without_a_password_one_is_made_up_and_told_once(fresh: AsyncEngine) -> None:
    made = await seed_demo(fresh, None, passwords)
    again = await seed_demo(fresh, None, passwords)

    assert made.password is not None
    assert len(made.password) >= 12
    assert await accounts_that_accept(fresh, made.password) == {True}
    assert again == SeedReport(created=False, password=None)


async def test_two_programs_at_once_load_it_once(fresh: AsyncEngine) -> None:
    reports = await asyncio.gather(*(seed_demo(fresh, "x", passwords) for _ in range(3)))

    assert sorted(report.created for report in reports) == [False, False, True]
    assert await rows(fresh, "SELECT count(*) FROM tenant") == [(1,)]


async def test_a_real_town_is_left_alone(fresh: AsyncEngine) -> None:
    async with fresh.begin() as connection:
        await connection.execute(text("INSERT INTO tenant (id, name) VALUES (gen_random_uuid(), '真城')"))

    assert await seed_demo(fresh, "x", passwords) == SeedReport(created=False, password=None)
    assert await rows(fresh, "SELECT count(*) FROM region") == [(0,)]


async def test_no_name_and_no_hash_is_in_the_audit(street: AsyncEngine) -> None:
    [(everything,)] = await rows(street, "SELECT string_agg(coalesce(before::text, '') || after::text, '') FROM audit")

    assert "community-1" in str(everything)
    assert "李书记" not in str(everything)
    assert "argon2" not in str(everything)
