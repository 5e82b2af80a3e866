"""Rounds, notices, listings and figures on a real database: what the rules are told and what people are shown."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from pydantic_core import to_jsonable_python
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.identity.passwords import Passwords
from services.storage import board, cases, collection, measures
from services.storage.answers import questions
from services.storage.cases import Filters
from services.storage.contacts import reporter
from services.storage.demo import seed_demo
from services.storage.ids import uuid7
from services.storage.measures import Measure
from tests.storage.town import (
    CITY,
    COMMUNITY,
    OTHER_COMMUNITY,
    RESIDENT,
    SECRETARY,
    SUBDISTRICT,
    SUPERVISOR,
    WORKER,
    Town,
    Wish,
    assign,
    at,
    person,
    submit,
    without_cases,
)
from workflows.exclusion import rules as exclude
from workflows.exclusion.data import Figure, Ruling
from workflows.exclusion.process import EXCLUSION
from workflows.issue.commands import SubmitIssue
from workflows.issue.data import Source
from workflows.issue.process import ISSUE
from workflows.kernel.process import SYSTEM, Actor, Asked, Case, Process
from workflows.kernel.roles import Role
from workflows.notice import commands as post
from workflows.notice.data import Kind
from workflows.notice.process import NOTICE
from workflows.objection import rules as against
from workflows.objection.process import OBJECTION
from workflows.refusal.commands import LogIncomingTask
from workflows.refusal.data import Nature
from workflows.refusal.process import REFUSAL
from workflows.round import commands as do
from workflows.round.data import Round, VisitKind
from workflows.round.process import ROUND
from workflows.supervision import rules as watch
from workflows.supervision.process import SUPERVISION

THIRD = f"{SUBDISTRICT}003"
CHAIR = person("secretary1", Role.CWC_CHAIR)
OFFICER = person("officer", Role.SUBDISTRICT_OFFICER, place=SUBDISTRICT)
GRID = f"{COMMUNITY}001"


@pytest_asyncio.fixture(loop_scope="session")
async def connection(town: Town) -> AsyncIterator[AsyncConnection]:
    """A connection on the demonstration street without cases."""
    await seed_demo(town.engine, "first", Passwords())
    await without_cases(town.engine)
    async with town.engine.connect() as opened:
        yield opened


async def told(
    connection: AsyncConnection, process: Process[Any], command: Any, case: Case[Any] | None, actor: Actor
) -> dict[str, Any]:
    """The answers that the door would give to the rule of a command."""
    about = to_jsonable_python(command)
    every = questions()
    return {
        name: await every[name](
            connection, Asked(name=name, about=about, now=datetime.now(UTC), actor=actor, case=case)
        )
        for name in process.needs.get(type(command), ())
    }


async def give(
    town: Town,
    connection: AsyncConnection,
    process: Process[Any],
    case: Case[Any],
    command: Any,
    actor: Actor,
    now: str,
) -> Case[Any]:
    """Give a command with what its rule must know."""
    facts = await told(connection, process, command, case, actor)
    return await town.give(process, case, command, actor, at(now), facts=facts)


async def planned(town: Town, community: str = COMMUNITY, month: str = "2026-03", **fields: Any) -> Case[Round]:
    """The monthly round, as its rhythm opens it."""
    command = do.PlanRound(community_code=community, month=month, **fields)
    return await town.open(ROUND, str(uuid7()), command, SYSTEM, at(f"{month}-01 00:00"))


async def opened(
    town: Town, connection: AsyncConnection, case: Case[Round], now: str = "2026-03-02 09:00"
) -> Case[Round]:
    """The chair opens it with the first grid worker."""
    command = do.OpenRound(plan=town.ref(), collectors=(await account(connection, "grid1"),), sample=5)
    return await give(town, connection, ROUND, case, command, CHAIR, now)


async def account(connection: AsyncConnection, username: str) -> str:
    """The person behind an account."""
    found = await connection.scalar(text("SELECT person_id FROM account WHERE username = :name"), {"name": username})
    return str(found)


async def visited(
    town: Town, connection: AsyncConnection, case: Case[Round], now: str = "2026-03-03 10:00", **fields: Any
) -> Case[Round]:
    """The grid worker visits."""
    given = {"kind": VisitKind.HOUSEHOLD, "target": town.ref(), "at": at(now), **fields}
    collector = person(case.data.collectors[0], Role.GRID_WORKER)
    return await give(town, connection, ROUND, case, do.RecordVisit(**given), collector, now)


def wish(town: Town) -> do.Wish:
    """Something that a household wishes."""
    return do.Wish(title=town.ref(), description=town.ref())


# --- what rounds must know ---------------------------------------------------------------------------------


async def openings(connection: AsyncConnection, period: str) -> dict[str, dict[str, Any]]:
    about = {"region": SUBDISTRICT, "period": period}
    asked = Asked(name="rounds_to_open", about=about, now=at(f"{period}-01 00:00"), actor=SYSTEM)
    found = (await questions()["rounds_to_open"](connection, asked))["openings"]
    return {one["key"]: one["fields"] for one in found}


async def test_a_month_opens_one_round_for_each_community_with_a_committee(
    town: Town, connection: AsyncConnection
) -> None:
    assert await openings(connection, "2026-03") == {
        f"{code}|2026-03": {"community_code": code, "month": "2026-03"} for code in (COMMUNITY, OTHER_COMMUNITY, THIRD)
    }
    ended = (
        "UPDATE body_member SET until = '2026-02-15' "
        "WHERE body_id = (SELECT id FROM body WHERE type = 'CWC' AND region_code = :code)"
    )
    async with town.engine.begin() as writer:
        await writer.execute(text(ended), {"code": THIRD})
    assert f"{THIRD}|2026-03" not in await openings(connection, "2026-03")
    async with town.engine.begin() as writer:
        await writer.execute(text("UPDATE body_member SET until = NULL"))


async def test_a_missed_month_gives_the_next_one_priority(town: Town, connection: AsyncConnection) -> None:
    february = await planned(town, month="2026-02")
    await town.wait(ROUND, february, at("2026-03-01 00:00"))
    # In the moment in which the month begins, this one has not yet been called missed.
    await planned(town, OTHER_COMMUNITY, month="2026-02")
    waived = await planned(town, THIRD, month="2026-02")
    order = do.Waive(reason=town.ref(), order_no="7")
    await give(town, connection, ROUND, waived, order, OFFICER, "2026-02-05 09:00")

    found = await openings(connection, "2026-03")
    assert found[f"{COMMUNITY}|2026-03"].get("priority") is True
    assert found[f"{OTHER_COMMUNITY}|2026-03"].get("priority") is True
    assert "priority" not in found[f"{THIRD}|2026-03"]


async def test_rounds_of_a_month_know_of_each_other(town: Town, connection: AsyncConnection) -> None:
    case = await planned(town)
    command = do.PlanRound(community_code=COMMUNITY, month="2026-03")

    found = await told(connection, ROUND, command, None, CHAIR)
    assert found["rounds_of_month"] == {"rounds": [case.id], "valid": False}
    elsewhere = await told(connection, ROUND, do.PlanRound(community_code=THIRD, month="2026-03"), None, CHAIR)
    assert elsewhere["rounds_of_month"] == {"rounds": [], "valid": False}


async def test_in_a_drill_the_month_of_the_calendar_is_the_one_that_goes_on(
    town: Town, connection: AsyncConnection
) -> None:
    scaled = do.PlanRound(community_code=COMMUNITY, month="2026-03-02T10:05")
    case = await town.open(ROUND, str(uuid7()), scaled, SYSTEM, at("2026-03-02 10:05"))

    found = await told(connection, ROUND, do.PlanRound(community_code=COMMUNITY, month="2026-03"), None, CHAIR)
    assert found["rounds_of_month"]["rounds"] == [case.id]


async def test_the_ground_of_a_round_is_that_of_its_community(town: Town, connection: AsyncConnection) -> None:
    case = await planned(town)
    grid_worker = await account(connection, "grid1")
    command = do.OpenRound(plan=town.ref(), collectors=(grid_worker,), sample=30)

    ground = (await told(connection, ROUND, command, case, CHAIR))["collection_ground"]
    assert [one["code"] for one in ground["grids"]] == [f"{COMMUNITY}00{number}" for number in range(1, 8)]
    assert ground["grids"][0]["responsible"] == [grid_worker]
    assert ground["reach"] == [COMMUNITY]
    households = [(one["place"], one["ordinal"]) for one in ground["drawn"] if "ordinal" in one]
    assert len(set(households)) == 30
    assert all(place.startswith(COMMUNITY) and 1 <= ordinal <= 300 for place, ordinal in households)
    sizes = [len(await opened_sample(connection, case, grid_worker, size)) for size in (0, 3)]
    assert sizes == [0, 3]


async def opened_sample(connection: AsyncConnection, case: Case[Round], collector: str, size: int) -> list[Any]:
    command = do.OpenRound(plan="text:0000000000000001", collectors=(collector,), sample=size)
    ground = (await told(connection, ROUND, command, case, CHAIR))["collection_ground"]
    return [one for one in ground["drawn"] if "ordinal" in one]


async def test_a_visit_lies_where_it_says_or_in_the_collectors_own_grid(
    town: Town, connection: AsyncConnection
) -> None:
    case = await opened(town, connection, await planned(town))
    worker = person(case.data.collectors[0], Role.GRID_WORKER)
    other = person("chair", Role.CWC_CHAIR)
    house = uuid7()
    async with town.engine.begin() as writer:
        await writer.execute(
            text(
                "INSERT INTO building (id, tenant_id, community_code, name) "
                "SELECT :id, tenant_id, region_code, '3号楼' FROM community WHERE region_code = :code"
            ),
            {"id": house, "code": COMMUNITY},
        )

    async def place(actor: Actor, named: str | None) -> str | None:
        command = do.RecordVisit(kind=VisitKind.HOUSEHOLD, target=town.ref(), at=at("2026-03-03 10:00"), place=named)
        found = (await told(connection, ROUND, command, case, actor))["visited_place"]
        return found["code"]  # type: ignore[no-any-return]

    assert await place(worker, None) == GRID
    assert await place(other, None) is None
    assert await place(other, f"{COMMUNITY}004") == f"{COMMUNITY}004"
    assert await place(other, f"{OTHER_COMMUNITY}001") is None
    assert await place(other, "3号楼") == str(house)
    assert await place(other, str(house)) == str(house)
    async with town.engine.begin() as writer:
        await writer.execute(text("DELETE FROM building"))


# --- coverage and lists ------------------------------------------------------------------------------------


async def test_not_asked_is_not_no_problem(town: Town, connection: AsyncConnection) -> None:
    case = await opened(town, connection, await planned(town))
    case = await visited(town, connection, case, place=f"{COMMUNITY}001", wishes=(wish(town), wish(town)))
    case = await visited(town, connection, case, place=f"{COMMUNITY}002")
    case = await visited(town, connection, case, place=f"{COMMUNITY}002", kind=VisitKind.UNIT)
    case = await visited(town, connection, case, place=f"{COMMUNITY}003", refused=True)

    lines = {one.code: one for one in await collection.coverage(connection, COMMUNITY, "2026-03", actor=SUPERVISOR)}
    standing = {code: one.standing for code, one in lines.items()}

    assert standing[f"{COMMUNITY}001"] == "WISHES"
    assert standing[f"{COMMUNITY}002"] == "NO_PROBLEM"
    assert standing[f"{COMMUNITY}003"] == "REFUSED"
    assert {standing[f"{COMMUNITY}00{number}"] for number in (4, 5, 6, 7)} == {"NOT_ASKED"}
    assert standing[COMMUNITY] == "NOT_ASKED", "no visit without a place"
    second = lines[f"{COMMUNITY}002"]
    assert (second.household_visits, second.unit_visits, second.refused, second.households) == (1, 1, 0, 300)
    assert lines[f"{COMMUNITY}001"].wishes == 2
    april = await collection.coverage(connection, COMMUNITY, "2026-04", actor=SUPERVISOR)
    assert {one.standing for one in april} == {"NOT_ASKED"}


async def collected(town: Town, connection: AsyncConnection) -> tuple[Case[Round], list[Case[Any]]]:
    """A round that is being put together, with two wishes: one accepted, one not yet."""
    case = await opened(town, connection, await planned(town))
    case = await visited(town, connection, case, wishes=(wish(town), wish(town)))
    for _ in range(9):
        case = await visited(town, connection, case)
    case = await visited(town, connection, case, kind=VisitKind.UNIT)
    issues = []
    for number, issue_id in enumerate(case.data.wishes):
        title, description = town.ref(), town.ref()
        command = SubmitIssue(
            community_code=COMMUNITY, title=title, description=description, source=Source.ROUND, round=case.id,
            collector=case.data.collectors[0],
        )  # fmt: skip
        texts = {title: f"第{number}件", description: "内容"}
        issues.append(await town.open(ISSUE, issue_id, command, SYSTEM, at("2026-03-03 10:00"), texts=texts))
    issues[0] = await assign(town, issues[0], at("2026-03-03 11:00"))
    case = await give(town, connection, ROUND, case, do.CloseCollection(), CHAIR, "2026-03-04 09:00")
    return case, issues


async def test_a_list_is_published_when_every_wish_is_triaged(town: Town, connection: AsyncConnection) -> None:
    case, issues = await collected(town, connection)
    found = await told(connection, ROUND, do.PublishProblemList(), case, WORKER)
    assert found["problem_list_of_month"]["untriaged"] == [issues[1].id]
    assert await collection.versions(connection, COMMUNITY, "2026-03") == ()

    issues[1] = await assign(town, issues[1], at("2026-03-04 10:00"))
    case = await give(town, connection, ROUND, case, do.PublishProblemList(), WORKER, "2026-03-04 11:00")

    (version,) = await collection.versions(connection, COMMUNITY, "2026-03", actor=SUPERVISOR)
    assert (version.version, version.round_number, version.count) == (1, case.number, 2)
    lines = await collection.published(connection, COMMUNITY, "2026-03", 1, actor=SUPERVISOR)
    assert lines is not None
    assert [(one.title, one.state, one.lead_org) for one in lines] == [
        ("第0件", "ASSIGNED", "property-1"), ("第1件", "ASSIGNED", "property-1"),
    ]  # fmt: skip
    assert lines[0].lead_org_name is not None
    assert await collection.published(connection, COMMUNITY, "2026-03", 2) is None
    assert await collection.published(connection, OTHER_COMMUNITY, "2026-03", 1) is None


async def test_a_published_version_stays_as_it_was(town: Town, connection: AsyncConnection) -> None:
    case, issues = await collected(town, connection)
    issues[1] = await assign(town, issues[1], at("2026-03-04 10:00"))
    await give(town, connection, ROUND, case, do.PublishProblemList(), WORKER, "2026-03-04 11:00")
    before = await collection.published(connection, COMMUNITY, "2026-03", 1)

    await town.wait(ISSUE, issues[0], at("2026-03-20 09:00"))
    await assign(town, await submit(town, Wish("新", "一"), at("2026-03-05 09:00")), at("2026-03-05 10:00"))
    assert await collection.published(connection, COMMUNITY, "2026-03", 1) == before

    extra = do.PlanRound(community_code=COMMUNITY, month="2026-03")
    facts = await told(connection, ROUND, extra, None, CHAIR)
    second = await town.open(ROUND, str(uuid7()), extra, CHAIR, at("2026-03-10 09:00"), facts=facts)
    assert second.data.covered
    found = await told(connection, ROUND, do.PublishProblemList(), second, WORKER)
    assert (found["problem_list_of_month"]["version"], len(found["problem_list_of_month"]["entries"])) == (2, 3)


async def test_an_emergency_is_what_goes_on_in_the_community(town: Town, connection: AsyncConnection) -> None:
    case = await planned(town)

    found = await told(connection, ROUND, do.Waive(reason=town.ref()), case, OFFICER)
    assert found == {"emergency": {"active": False}}


# --- notices and the board ---------------------------------------------------------------------------------


async def posted(town: Town, kind: Kind = Kind.GENERAL, words: str = "公示内容", **fields: Any) -> Case[Any]:
    """Something goes on notice on 2026-05-28."""
    ref = town.ref()
    command = post.PostNotice(kind=kind, community_code=COMMUNITY, text=ref, **fields)
    return await town.open(NOTICE, str(uuid7()), command, SYSTEM, at("2026-05-28 10:00"), texts={ref: words})


async def test_the_board_shows_what_hangs_and_until_when(town: Town, connection: AsyncConnection) -> None:
    first = await posted(town, words="一般公示")
    second = await posted(town, Kind.MEMBER, words="人选公示")
    gone = await posted(town, words="已取消")
    await town.give(NOTICE, gone, post.Cancel(), SYSTEM, at("2026-05-28 11:00"))
    second = await town.wait(NOTICE, second, at("2026-06-02 09:00"))

    shown = {one.number: one for one in await board.notices(connection, COMMUNITY)}
    assert {one.text for one in shown.values()} == {"一般公示", "人选公示"}
    assert shown[first.number].ends_at == at("2026-06-05 00:00")
    assert (shown[first.number].open_to_objections, shown[second.number].open_to_objections) == (True, False)
    assert shown[second.number].ends_at == at("2026-06-02 00:00")

    await town.give(NOTICE, second, post.TakeDown(), WORKER, at("2026-06-03 09:00"))
    assert {one.number for one in await board.notices(connection, COMMUNITY)} == {first.number}
    assert await board.notices(connection, OTHER_COMMUNITY) == ()


async def test_the_board_shows_rosters_by_name_and_post_only(town: Town, connection: AsyncConnection) -> None:
    shown = await board.rosters(connection, COMMUNITY, at("2026-05-28 10:00").date())
    committee = [one for one in shown if one.post != "GRID"]
    grids = [one for one in shown if one.post == "GRID"]

    assert [one.post for one in committee[:2]] == ["CHAIR", "VICE_CHAIR"]
    assert len(committee) == 13
    assert (len(grids), grids[0].where) == (7, "第1网格")
    assert {one.where for one in committee} == {"柳荫社区社区建设工作委员会"}


async def listed(town: Town, *, public: bool = True) -> Case[Any]:
    """A supervision case that is listed."""
    case = await assign(town, await submit(town, Wish("漏", "一"), at("2026-03-02 09:00")), at("2026-03-02 10:00"))
    words = town.ref()
    command = watch.OpenSupervision(subject_id=case.id, community_code=COMMUNITY)
    opened_case = await town.open(SUPERVISION, str(uuid7()), command, SYSTEM, at("2026-03-18 18:00"))
    order = watch.ListCase(
        responsible_org="property-1", due_on=at("2026-04-03 00:00").date(), public=public, text=words
    )
    return await town.give(
        SUPERVISION, opened_case, order, SUPERVISOR, at("2026-03-19 09:00"), texts={words: "下水道堵塞"}
    )


async def test_the_board_shows_what_is_listed_in_public(town: Town, connection: AsyncConnection) -> None:
    case = await listed(town)
    await listed(town, public=False)

    (shown,) = await board.listed(connection, COMMUNITY)
    assert (shown.number, shown.text, shown.state) == (case.number, "下水道堵塞", "LISTED")
    assert (shown.due_on, shown.listed_at) == (at("2026-04-03 00:00").date(), at("2026-03-19 09:00"))
    assert shown.responsible_org_name


# --- objections --------------------------------------------------------------------------------------------


async def objected(town: Town, connection: AsyncConnection, notice: Case[Any]) -> Case[Any]:
    """A resident objects with his name."""
    ground, contact = town.ref(), town.contact_ref()
    named: Any = contact
    command = against.Object(notice=notice.id, ground=ground, objector=named)
    facts = await told(connection, OBJECTION, command, None, RESIDENT)
    return await town.open(
        OBJECTION, str(uuid7()), command, RESIDENT, at("2026-05-30 10:00"), facts=facts,
        texts={ground: "不符合条件"}, contacts={contact: {"name": "刘某", "phone": "13900000000"}},
    )  # fmt: skip


async def test_an_objection_is_known_to_the_street_and_to_the_objector_only(
    town: Town, connection: AsyncConnection
) -> None:
    case = await objected(town, connection, await posted(town, Kind.MEMBER))
    assert (case.community, case.number[:10]) == (SUBDISTRICT, f"Y{SUBDISTRICT}")

    async def sees(actor: Actor) -> bool:
        return await cases.known(connection, actor, OBJECTION, case.id) is not None

    staff = [person("x", role) for role in Role if role not in (Role.SYSTEM, Role.TENANT_ADMIN)]
    assert [actor.grants[0].role for actor in staff if await sees(actor)] == []
    assert [await sees(actor) for actor in (OFFICER, SUPERVISOR, CITY, RESIDENT)] == [True] * 4
    found = await reporter(connection, case.id, town.seal)
    assert found is not None
    assert (found.name, found.phone) == ("刘某", "13900000000")


async def test_the_notice_tells_the_objection_who_has_an_interest(town: Town, connection: AsyncConnection) -> None:
    notice = await posted(town, Kind.MEMBER, about=("c1",), interested=("yang",))
    command = against.Object(notice=notice.id, ground=town.ref())

    found = (await told(connection, OBJECTION, command, None, RESIDENT))["objected_notice"]
    assert found == {
        "id": notice.id,
        "number": notice.number,
        "community": COMMUNITY,
        "state": "RUNNING",
        "about": ["c1"],
        "interested": ["yang"],
        "posted_by": "system",
    }


async def test_before_delisting_the_supervisor_knows_of_the_reporter(town: Town, connection: AsyncConnection) -> None:
    case = await listed(town)
    found = await told(connection, SUPERVISION, watch.Delist(text=town.ref()), case, SUPERVISOR)

    assert found == {"supervised_subject": {"reporter_known": True, "contacted": False, "satisfaction": None}}


# --- figures -----------------------------------------------------------------------------------------------


async def figures(connection: AsyncConnection, place: str, month: str) -> dict[str, Measure]:
    found = await measures.measures(connection, place, month, actor=CITY)
    return {one.formula.name: one for one in found}


async def test_every_figure_of_the_glossary_is_there_with_its_formula(connection: AsyncConnection) -> None:
    found = await figures(connection, SUBDISTRICT, "2026-03")

    assert set(found) == {
        "response_rate", "resolution_rate", "satisfaction_rate", "on_time_rate", "overdue_open", "delist_rate",
        "rework_rate", "round_compliance", "epc_compliance", "formation_rate", "agreement_fulfilment",
        "unapproved_task_count", "funding_arrival_rate",
    }  # fmt: skip
    assert all(one.formula.zh and one.formula.en for one in found.values())
    assert (found["formation_rate"].part, found["formation_rate"].whole) == (3, 3)


async def test_a_month_without_a_valid_round_counts_against_its_community(
    town: Town, connection: AsyncConnection
) -> None:
    case = await opened(town, connection, await planned(town))
    for _ in range(10):
        case = await visited(town, connection, case)
    await visited(town, connection, case, kind=VisitKind.UNIT)
    await planned(town, OTHER_COMMUNITY)
    waived = await planned(town, THIRD)
    order = do.Waive(reason=town.ref(), order_no="7")
    await give(town, connection, ROUND, waived, order, OFFICER, "2026-03-05 09:00")

    found = (await figures(connection, SUBDISTRICT, "2026-03"))["round_compliance"]
    assert (found.value, found.cases, found.part_cases) == (0.5, (COMMUNITY, OTHER_COMMUNITY), (COMMUNITY,))
    assert found.besides == {"waived": 1}
    assert (await figures(connection, COMMUNITY, "2026-03"))["round_compliance"].value == 1.0
    assert (await figures(connection, SUBDISTRICT, "2026-04"))["round_compliance"].value == 0.0


async def broken(town: Town) -> Case[Any]:
    """An issue whose handling time is over: seven working days from 03-02 to 03-11."""
    case = await assign(town, await submit(town, Wish("漏", "一"), at("2026-03-02 09:00")), at("2026-03-02 10:00"))
    return await town.wait(ISSUE, case, at("2026-03-12 09:00"))


async def excluded(town: Town, case: Case[Any], figure: Figure, by: Actor = SUPERVISOR, **fields: Any) -> Case[Any]:
    """Somebody takes a case out of a figure, or asks for it."""
    subject = {
        "id": case.id, "process": case.process, "community": case.community, "number": case.number, "closed": False,
        "lead_org": "property-1",
    }  # fmt: skip
    command = exclude.Exclude(subject_id=case.id, figure=figure, reason=town.ref(), **fields)
    return await town.open(EXCLUSION, str(uuid7()), command, by, at("2026-03-13 09:00"), facts={"subject_id": subject})


async def test_a_decision_takes_a_case_out_of_a_figure_and_both_are_shown(
    town: Town, connection: AsyncConnection
) -> None:
    case = await broken(town)
    before = (await figures(connection, COMMUNITY, "2026-03"))["on_time_rate"]
    assert (before.value, before.raw_value, before.excluded) == (0.0, 0.0, ())

    await excluded(town, case, Figure.ON_TIME_RATE, document_no="督〔2026〕3号")
    after = await figures(connection, COMMUNITY, "2026-03")
    rate = after["on_time_rate"]
    assert (rate.value, rate.whole, rate.excluded) == (None, 0, (case.number,))
    assert (rate.raw_value, rate.raw_part, rate.raw_whole) == (0.0, 0, 1)
    assert after["response_rate"].excluded == ()


async def test_an_organisation_asks_and_the_figure_waits_for_the_street(
    town: Town, connection: AsyncConnection
) -> None:
    case = await broken(town)
    liaison = person("property1", Role.UNIT_LIAISON, org="property-1")
    asked = await excluded(town, case, Figure.ON_TIME_RATE, by=liaison)
    assert (await figures(connection, COMMUNITY, "2026-03"))["on_time_rate"].excluded == ()

    ruling = exclude.Decide(outcome=Ruling.EXCLUDE, reason=town.ref())
    await town.give(EXCLUSION, asked, ruling, OFFICER, at("2026-03-16 09:00"))
    assert (await figures(connection, COMMUNITY, "2026-03"))["on_time_rate"].excluded == (case.number,)


async def incoming(town: Town, nature: Nature = Nature.ORDINARY) -> Case[Any]:
    """A county department asks something of the community."""
    words = town.ref()
    command = LogIncomingTask(community_code=COMMUNITY, department="statistics", text=words, nature=nature)
    return await town.open(
        REFUSAL, str(uuid7()), command, WORKER, at("2026-03-12 09:00"), texts={words: "三天内入户三百户"}
    )


async def test_tasks_that_were_never_admitted_are_counted(town: Town, connection: AsyncConnection) -> None:
    case = await incoming(town)
    await incoming(town, Nature.EMERGENCY_ORDER)

    assert (await figures(connection, COMMUNITY, "2026-03"))["unapproved_task_count"].cases == (case.number,)
    assert (await figures(connection, COMMUNITY, "2026-04"))["unapproved_task_count"].value == 0.0


async def test_instalments_count_in_the_month_in_which_they_are_due(town: Town, connection: AsyncConnection) -> None:
    case = await incoming(town)
    plan = {
        "1": {"amount": 100.0, "due_on": "2026-03-15", "paid_on": "2026-03-14"},
        "2": {"amount": 100.0, "due_on": "2026-03-31", "paid_on": None},
        "3": {"amount": 100.0, "due_on": "2026-04-30", "paid_on": None},
    }
    async with town.engine.begin() as writer:
        # A permit as its row is, without the months that it takes to get one.
        await writer.execute(
            text(
                "UPDATE case_file SET process = 'admission', community = '620199', places = :places, "
                "data = jsonb_build_object('instalments', CAST(:plan AS jsonb)) WHERE id = CAST(:id AS uuid)"
            ),
            {"id": case.id, "plan": json.dumps(plan), "places": [COMMUNITY]},
        )

    rate = (await figures(connection, "620199", "2026-03"))["funding_arrival_rate"]
    assert (rate.value, rate.cases, rate.part_cases) == (
        0.5, (f"{case.number}/1", f"{case.number}/2"), (f"{case.number}/1",),
    )  # fmt: skip
    assert (await figures(connection, COMMUNITY, "2026-03"))["funding_arrival_rate"].whole == 2
    assert (await figures(connection, SUBDISTRICT, "2026-04"))["funding_arrival_rate"].value == 0.0
    assert (await figures(connection, OTHER_COMMUNITY, "2026-03"))["funding_arrival_rate"].whole == 0


async def test_the_cases_behind_a_figure_are_shown_page_by_page(town: Town, connection: AsyncConnection) -> None:
    late = [await broken(town) for _ in range(3)]
    await excluded(town, late[0], Figure.ON_TIME_RATE, document_no="1")
    rate = (await figures(connection, COMMUNITY, "2026-03"))["on_time_rate"]

    first, following = await measures.behind(connection, rate, COMMUNITY, actor=SUPERVISOR, limit=2)
    rest, end = await measures.behind(connection, rate, COMMUNITY, actor=SUPERVISOR, after=following or "", limit=2)
    assert [one.number for one in (*first, *rest)] == sorted(one.number for one in late)
    assert ([one.excluded for one in (*first, *rest)], end) == ([True, False, False], None)
    assert {(one.title, one.process, one.in_part) for one in first} == {("漏", "issue", False)}
    stranger = person("far", Role.COMMUNITY_WORKER, place=THIRD)
    hidden, _ = await measures.behind(connection, rate, COMMUNITY, actor=stranger)
    assert {(one.case_id, one.title) for one in hidden} == {(None, "")}


async def test_what_is_overdue_now_names_the_worst_and_pages_through_all(
    town: Town, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = sorted([await broken(town) for _ in range(4)], key=lambda one: one.number)
    numbers = tuple(one.number for one in late)
    await excluded(town, late[1], Figure.OVERDUE_OPEN, document_no="1")
    monkeypatch.setattr(measures, "NAMED", 2)

    figure = (await figures(connection, COMMUNITY, "2026-03"))["overdue_open"]
    # The first contact, the signature and the handling of each: three deadlines are missed.
    assert (figure.value, figure.part, figure.raw_value, figure.excluded) == (9.0, 9, 12.0, (numbers[1],))
    assert len(figure.cases) == 2
    assert set(figure.cases) < {*numbers} - {numbers[1]}

    first, following = await measures.behind(connection, figure, COMMUNITY, actor=SUPERVISOR, limit=3)
    rest, end = await measures.behind(connection, figure, COMMUNITY, actor=SUPERVISOR, after=following or "", limit=3)
    assert (tuple(one.key for one in (*first, *rest)), end) == (numbers, None)
    assert [(one.in_part, one.excluded) for one in (*first, *rest)] == [
        (True, False), (False, True), (True, False), (True, False),
    ]  # fmt: skip
    stranger = person("far", Role.COMMUNITY_WORKER, place=THIRD)
    assert (await measures.behind(connection, figure, COMMUNITY, actor=stranger))[0] == ()


async def test_behind_a_figure_of_communities_stand_communities(town: Town, connection: AsyncConnection) -> None:
    await planned(town)
    found = (await figures(connection, SUBDISTRICT, "2026-03"))["round_compliance"]

    rows, _ = await measures.behind(connection, found, SUBDISTRICT, actor=SUPERVISOR)
    assert (rows[0].key, rows[0].title, rows[0].community) == (COMMUNITY, "柳荫社区", COMMUNITY)
    assert len(rows) == 3


@pytest.mark.parametrize("actor", [SECRETARY, WORKER], ids=["secretary", "worker"])
async def test_staff_of_a_community_see_its_rounds(town: Town, connection: AsyncConnection, actor: Actor) -> None:
    case = await planned(town)
    page = await cases.cases(connection, actor, ROUND, Filters(month="2026-03"), limit=10)
    assert [one.case.id for one in page.items] == [case.id]
    assert await cases.known(connection, RESIDENT, ROUND, case.id) is None
