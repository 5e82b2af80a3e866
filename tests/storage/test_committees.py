"""Committees on PostgreSQL: what deeds make of them, how they sat on any day, and rosters from spreadsheets."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from openpyxl import Workbook, load_workbook
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.embedded.servers import Servers
from services.identity.passwords import Passwords
from services.importing.committees import HEADERS, Books
from services.storage.committees import Committees
from services.storage.database import database
from services.storage.demo import seed_demo
from services.storage.doing import Deeds
from services.storage.ledger_tables import case_file, contact
from services.storage.people_tables import account, community, person, region, tenant
from services.storage.questions.committees import absences_to_review, committee, terms_ended
from services.storage.sealing import Seal
from tests.conftest import another_database, drop_database, execute_on
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import SYSTEM, Asked
from workflows.policy.packs import load

PACK = load("lanzhou_2021")
C1, C2, C3 = (f"62019900100{nth}" for nth in (1, 2, 3))
TODAY = datetime.now(CHINA).date()
SEAL = Seal({"k1": b"k" * 32}, "k1")
CITY = "7301"
_numbers = count()
HEADING = [titles[1] for titles in HEADERS.values()]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seeded(database_url: str) -> str:
    """The address of the demonstration street, to be copied."""
    engine = database(database_url)
    await seed_demo(engine, "secret", Passwords())
    await engine.dispose()
    return database_url


@pytest_asyncio.fixture(loop_scope="session")
async def street(servers: Servers, seeded: str) -> AsyncIterator[AsyncEngine]:
    """The demonstration street in a database of this test's own."""
    name = f"committees_{next(_numbers)}"
    await execute_on(servers.database_url, f"CREATE DATABASE {name} TEMPLATE {urlsplit(seeded).path[1:]}")
    engine = database(another_database(servers.database_url, name))
    yield engine
    await engine.dispose()
    await drop_database(servers.database_url, name)


async def who(engine: AsyncEngine, username: str) -> str:
    """The person behind an account."""
    async with engine.connect() as connection:
        found = await connection.scalar(select(account.c.person_id).where(account.c.username == username))
    return str(found)


async def posts(engine: AsyncEngine, place: str, day: date | None = None) -> dict[str, tuple[str, str]]:
    """Post and status by name on a day."""
    shown = await Committees(engine).on(place, day or TODAY, PACK)
    return {one["name"]: (one["post"], one["status"]) for one in shown["members"]}


async def roles(engine: AsyncEngine, person_id: str) -> set[str]:
    """Roles that somebody holds from today on."""
    async with engine.connect() as connection:
        found = await connection.scalars(
            text("SELECT role FROM person_role WHERE person_id = :p AND (until IS NULL OR until >= :d)"),
            {"p": UUID(person_id), "d": TODAY},
        )
        return set(found.all())


def leaving(person_id: str, place: str = C1) -> dict[str, Any]:
    """What the deed of leaving carries."""
    return {
        "community": place,
        "person": person_id,
        "why": "EXITED",
        "on": TODAY.isoformat(),
        "of": str(uuid4()),
    }


# --- deeds ------------------------------------------------------------------------------------------------------


async def test_who_leaves_has_no_seat_and_no_role_but_his_past(street: AsyncEngine) -> None:
    member = await who(street, "member1a")
    await Deeds(street).carry_out("unseat_member", "e1", leaving(member))

    assert "苏委员" not in await posts(street, C1)
    assert "苏委员" in await posts(street, C1, TODAY - timedelta(days=1))
    assert await roles(street, member) == set()


async def test_a_deed_counts_once(street: AsyncEngine) -> None:
    member, deeds = await who(street, "member1a"), Deeds(street)
    again = {
        "community": C1, "person": member, "post": "MEMBER", "category": "VOLUNTEER", "cert_no": "P-1",
        "on": TODAY.isoformat(), "of": str(uuid4()), "valid_until": None,
    }  # fmt: skip
    await deeds.carry_out("unseat_member", "e1", leaving(member))
    await deeds.carry_out("seat_member", "e2", again)
    await deeds.carry_out("unseat_member", "e1", leaving(member))

    assert (await posts(street, C1))["苏委员"] == ("MEMBER", "ACTIVE")
    assert "cwc_member" in await roles(street, member)


async def test_a_vice_chair_acts_and_the_new_secretary_leads_every_body(street: AsyncEngine) -> None:
    deeds, day = Deeds(street), TODAY.isoformat()
    old, vice, new = [await who(street, name) for name in ("secretary3", "vice3", "tc3b")]
    left = {"community": C3, "old": old, "new": None, "on": day, "of": str(uuid4())}
    await deeds.carry_out("change_secretary", "e1", left)
    await deeds.carry_out("act_as_chair", "e2", {"community": C3, "person": vice, "on": day})
    assert (await posts(street, C3))["洪主任"] == ("VICE_CHAIR", "ACTING")
    assert {"cwc_chair", "cwc_vice_chair"} <= await roles(street, vice)
    assert "party_secretary" not in await roles(street, old)

    await deeds.carry_out("change_secretary", "e3", {**left, "old": None, "new": new})
    sitting = await posts(street, C3)
    assert (sitting["申副书记"], sitting["洪主任"]) == (("CHAIR", "ACTIVE"), ("VICE_CHAIR", "ACTIVE"))
    assert {"party_secretary", "cwc_chair", "epc_member", "two_committees_member"} <= await roles(street, new)
    assert await roles(street, vice) == {"cwc_vice_chair"}
    asked = Asked(name="committee", about={"community_code": C3}, now=datetime.now(UTC), actor=SYSTEM)
    async with street.connect() as connection:
        seen = await committee(connection, asked)
    assert (seen["secretary"], seen["chair"], seen["acting"]) == (new, new, None)


async def test_somebody_without_an_account_comes_into_the_register_by_name(street: AsyncEngine) -> None:
    case, ref = uuid4(), "contact:00000000000000aa"
    async with street.begin() as connection:
        kept = {"name": SEAL.close("王某某", ref), "phone": SEAL.close("13900000000", ref)}
        await connection.execute(insert(contact).values(case_id=case, ref=ref, wants_reply=True, **kept))
    seat = {
        "community": C1, "person": ref, "post": "MEMBER", "category": "SOCIAL_ORG", "cert_no": "P-2",
        "on": TODAY.isoformat(), "of": str(case), "valid_until": None,
    }  # fmt: skip
    await Deeds(street, SEAL).carry_out("seat_member", "e1", seat)

    assert (await posts(street, C1))["王某某"] == ("MEMBER", "ACTIVE")
    found = await Committees(street).certificate("P-2")
    assert found is not None
    assert (found["name"], found["post"], found["community"]) == ("王某某", "MEMBER", "柳荫社区")


async def test_a_whole_committee_takes_the_place_of_the_old_one(street: AsyncEngine) -> None:
    keep = [await who(street, name) for name in ("secretary1", "vice1", "member1a")]
    finish = {"community": C1, "on": TODAY.isoformat(), "keep": keep, "of": str(uuid4())}
    await Deeds(street).carry_out("complete_committee", "e1", finish)
    assert set(await posts(street, C1)) == {"李书记", "韩主任", "苏委员"}
    shown = await Committees(street).on(C1, TODAY, PACK)
    assert shown["strength"]["flags"] == ["UNDER_STRENGTH"]
    assert {rule["rule"] for rule in shown["rules"] if not rule["met"]} == {"I1", "I4"}


# --- spreadsheets -----------------------------------------------------------------------------------------------


def written(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    """A workbook with these rows under the heading of our own export."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADING)
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


def nine(code: str, **changes: tuple[int, Any]) -> list[list[Any]]:
    """A committee of nine; `changes` replace a column in one row."""
    columns = list(HEADERS)
    posts = ["主任", "副主任", "副主任", "副主任", *["委员"] * 5]
    categories = ["社区党组织成员", "退役军人", "居民代表", "社会组织负责人", *["志愿者"] * 5]
    rows = [
        [code, None, f"委员{nth}", None, None, post, kind, "2025-06-01", None]
        for nth, (post, kind) in enumerate(zip(posts, categories, strict=True))
    ]
    for name, (row, value) in changes.items():
        rows[row][columns.index(name)] = value
    return rows


async def a_city(engine: AsyncEngine, communities: int) -> list[str]:
    """Another city with so many communities and nobody in them."""
    codes = [f"{CITY}02{nth // 60 + 1:03}{nth % 60 + 1:03}" for nth in range(communities)]
    async with engine.begin() as connection:
        of = await connection.scalar(select(tenant.c.id))
        streets = sorted({code[:9] for code in codes})
        above = [(CITY, "大城市", "CITY", None), (f"{CITY}02", "大区", "COUNTY", CITY)]
        above += [(code, f"街道{code}", "SUBDISTRICT", f"{CITY}02") for code in streets]
        above += [(code, f"社区{code}", "COMMUNITY", code[:9]) for code in codes]
        await connection.execute(
            insert(region),
            [{"tenant_id": of, "code": c, "name": n, "level": k, "parent_code": p} for c, n, k, p in above],
        )
        await connection.execute(insert(community), [{"tenant_id": of, "region_code": code} for code in codes])
    return codes


async def test_a_city_of_427_committees_comes_in_once(street: AsyncEngine, tmp_path: Path) -> None:
    codes = await a_city(street, 427)
    file = written(tmp_path / "city.xlsx", [row for code in codes for row in nine(code)])
    books = Books(street)
    args: dict[str, Any] = {"places": [CITY], "pack": PACK, "actor": "tester"}

    preview = await books.take_in(file, dry_run=True, **args)
    assert preview["totals"] == {"READY": 427, "WRITTEN": 0, "UNCHANGED": 0, "ERRORS": 0}
    assert all(rule["met"] for rule in preview["communities"][0]["rules"])
    rollout = await Committees(street).rollout(CITY, PACK, TODAY)
    assert (rollout["formed"], rollout["formation_rate"]) == (0, 0.0)
    assert rollout["items"][0]["missing"] == ["COMMITTEE", "FORMATION"]

    assert (await books.take_in(file, dry_run=False, **args))["totals"]["WRITTEN"] == 427
    assert (await books.take_in(file, dry_run=False, **args))["totals"]["UNCHANGED"] == 427
    rollout = await Committees(street).rollout(CITY, PACK, TODAY)
    assert (rollout["communities"], rollout["formed"], rollout["formation_rate"]) == (427, 427, 1.0)
    assert rollout["states"] == {"FORMED": 427}


async def test_what_was_given_out_comes_in_unchanged(street: AsyncEngine, tmp_path: Path) -> None:
    file = tmp_path / "out.xlsx"
    file.write_bytes(await Books(street).give_out("620199001"))
    sheet = load_workbook(file).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert list(rows[0]) == HEADING
    assert len(rows) == 1 + 13 + 11 + 9

    found = await Books(street).take_in(file, places=["6201"], pack=PACK, actor="tester", dry_run=False)
    assert found["totals"] == {"READY": 0, "WRITTEN": 0, "UNCHANGED": 3, "ERRORS": 0}


FAULTS: dict[str, tuple[str, tuple[int, Any], int]] = {
    "BLANK": ("name", (4, None), 6),
    "POST": ("post", (4, "书记员"), 6),
    "CATEGORY": ("category", (4, "亲戚"), 6),
    "DATE": ("since", (4, "去年"), 6),
    "FUTURE": ("since", (4, "2999-01-01"), 6),
    "USERNAME": ("username", (4, "nobody"), 6),
    "TWICE": ("name", (5, "委员4"), 7),
    "TOO_LONG": ("name", (4, "长" * 51), 6),
}


@pytest.mark.parametrize("code", FAULTS)
async def test_a_fault_is_named_by_its_cell_and_its_community_stays_out(
    street: AsyncEngine, tmp_path: Path, code: str
) -> None:
    column, change, row = FAULTS[code]
    first, second = await a_city(street, 2)
    file = written(tmp_path / "two.xlsx", [*nine(first, **{column: change}), *nine(second)])
    found = await Books(street).take_in(file, places=[CITY], pack=PACK, actor="tester", dry_run=False)

    wrong, right = found["communities"]
    assert wrong["errors"][0] | {"message": "", "message_en": ""} == {
        "row": row, "column": column, "code": code, "message": "", "message_en": "",
    }  # fmt: skip
    assert (wrong["state"], right["state"]) == ("ERRORS", "WRITTEN")
    assert await posts(street, first) == {}
    assert len(await posts(street, second)) == 9


async def codes_of(engine: AsyncEngine, file: Path, places: Sequence[str] = (CITY,)) -> list[tuple[int, str, str]]:
    """Row, column and code of every fault."""
    found = await Books(engine).take_in(file, places=places, pack=PACK, actor="tester", dry_run=False)
    every = [*found["errors"], *(fault for one in found["communities"] for fault in one["errors"])]
    return [(one["row"], one["column"], one["code"]) for one in every]


async def test_a_committee_has_one_chair_who_is_the_secretary(street: AsyncEngine, tmp_path: Path) -> None:
    (code,) = await a_city(street, 1)
    two = written(tmp_path / "a.xlsx", nine(code, post=(3, "主任")))
    assert await codes_of(street, two) == [(5, "post", "CHAIRS")]
    none = written(tmp_path / "b.xlsx", nine(code, post=(0, "委员")))
    assert await codes_of(street, none) == [(2, "post", "CHAIRS")]

    async with street.begin() as connection:
        of = await connection.scalar(select(tenant.c.id))
        key = uuid4()
        await connection.execute(
            insert(person).values(id=key, tenant_id=of, display_name="另一书记", home_community_code=code)
        )
        await connection.execute(
            text(
                "INSERT INTO person_role (id, tenant_id, person_id, role, place, since) "
                "VALUES (gen_random_uuid(), :t, :p, 'party_secretary', :c, '2025-01-01')"
            ),
            {"t": of, "p": key, "c": code},
        )
    assert await codes_of(street, written(tmp_path / "c.xlsx", nine(code))) == [(2, "name", "NOT_SECRETARY")]
    named = written(tmp_path / "d.xlsx", nine(code, name=(0, "另一书记")))
    assert await codes_of(street, named) == []
    assert (await posts(street, code))["另一书记"] == ("CHAIR", "ACTIVE")


async def test_another_roster_of_a_community_that_has_one_is_refused(street: AsyncEngine, tmp_path: Path) -> None:
    file = written(tmp_path / "a.xlsx", nine(C1, username=(0, "secretary1")))
    assert (2, "community_code", "SEATED") in await codes_of(street, file, ["6201"])
    assert len(await posts(street, C1)) == 13


async def test_communities_of_other_places_are_refused(street: AsyncEngine, tmp_path: Path) -> None:
    file = written(tmp_path / "a.xlsx", nine("999999999999"))
    assert await codes_of(street, file) == [(2, "community_code", "COMMUNITY")]
    assert await codes_of(street, written(tmp_path / "b.xlsx", nine(C1))) == [(2, "community_code", "COMMUNITY")]


async def test_a_file_that_is_no_roster_says_so(street: AsyncEngine, tmp_path: Path) -> None:
    other = tmp_path / "a.csv"
    other.write_text("a,b\n1,2\n", "utf-8")
    assert {code for _, _, code in await codes_of(street, other)} == {"NO_COLUMN"}
    old = tmp_path / "b.xls"
    old.write_bytes(b"x")
    assert await codes_of(street, old) == [(1, "", "UNREADABLE")]
    assert await codes_of(street, written(tmp_path / "c.xlsx", [])) == [(2, "", "EMPTY")]


async def test_namesakes_must_be_told_apart(street: AsyncEngine, tmp_path: Path) -> None:
    (code,) = await a_city(street, 1)
    async with street.begin() as connection:
        of = await connection.scalar(select(tenant.c.id))
        twins = [
            {"id": uuid4(), "tenant_id": of, "display_name": "委员4", "phone": phone, "home_community_code": code}
            for phone in ("1", "2")
        ]
        await connection.execute(insert(person), twins)
    assert await codes_of(street, written(tmp_path / "a.xlsx", nine(code))) == [(6, "name", "AMBIGUOUS")]
    assert await codes_of(street, written(tmp_path / "b.xlsx", nine(code, phone=(4, "2")))) == []


# --- rhythms ----------------------------------------------------------------------------------------------------


async def test_a_member_whose_certificate_ran_out_is_opened_once_by_its_number(street: AsyncEngine) -> None:
    member = await who(street, "member1a")
    seat = {
        "community": C1, "person": member, "post": "MEMBER", "category": "VOLUNTEER", "cert_no": "P-3",
        "on": "2025-01-01", "of": str(uuid4()), "valid_until": (TODAY - timedelta(days=1)).isoformat(),
    }  # fmt: skip
    await Deeds(street).carry_out("seat_member", "e1", seat)

    asked = Asked(name="terms_ended", about={"region": C1[:9]}, now=datetime.now(UTC), actor=SYSTEM)
    async with street.connect() as connection:
        (opening,) = (await terms_ended(connection, asked))["openings"]
    assert opening["key"] == "term|P-3"
    assert opening["fields"] | {"post": "MEMBER"} == {
        "community_code": C1, "kind": "TERM_END", "member": member, "post": "MEMBER", "category": "VOLUNTEER",
    }  # fmt: skip


async def test_sessions_that_a_member_missed_in_a_row_are_counted(street: AsyncEngine) -> None:
    member, other = await who(street, "member1a"), await who(street, "member1b")
    rosters = {"CWC_SESSION": [{"person": member}, {"person": other}]}
    async with street.begin() as connection:
        for nth in (1, 2, 3):
            held = {
                "type": "CWC_SESSION", "held": True, "opened_at": f"2026-0{nth}-10T15:00:00+08:00",
                "rosters": rosters, "attendance": {other: {"since": f"2026-0{nth}-10T15:00:00+08:00", "member": True}},
            }  # fmt: skip
            await connection.execute(
                insert(case_file).values(
                    id=uuid4(), process="meeting", number=f"H{nth}", community=C1, state="CLOSED", level="L1",
                    version=1, hash=b"h" * 32, origin=C1, pack="lanzhou_2021", pack_version=1, pack_sha="", data=held,
                    opened_at=datetime(2026, nth, 1, tzinfo=CHINA), updated_at=datetime(2026, nth, 10, tzinfo=CHINA),
                )
            )  # fmt: skip

    asked = Asked(name="absences_to_review", about={"region": C1[:9]}, now=datetime.now(UTC), actor=SYSTEM)
    async with street.connect() as connection:
        (opening,) = (await absences_to_review(connection, asked))["openings"]
    assert (opening["fields"]["member"], opening["fields"]["absences"]) == (member, 3)
    shown = await Committees(street).on(C1, TODAY, PACK)
    assert [one["person"] for one in shown["members"] if one["review_suggested"]] == [member]
