"""Questions across cases: who sees what, in which order, and what each row says."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage import agendas, attachments, cases, measures, overdue, overdue_counts, problem_lists, worklist
from services.storage.cases import Filters
from services.storage.clocks import clocks_of
from services.storage.contacts import reporter
from services.storage.cursors import CursorInvalid
from services.storage.events import events_of
from services.storage.ids import uuid7
from services.storage.ledger_tables import case_file, prose, task
from services.storage.overdue import Narrowed
from services.storage.prose import references, resolve, said
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
    SECOND_WORKER,
    SECRETARY,
    SUBDISTRICT,
    SUPERVISOR,
    WORKER,
    Town,
    Wish,
    assign,
    at,
    finish,
    person,
    propose,
    submit,
)
from workflows.issue import commands as do
from workflows.issue.data import Difficulty, NotHeld, Solved
from workflows.issue.process import ISSUE
from workflows.kernel.process import SYSTEM, Actor
from workflows.kernel.roles import Role
from workflows.supervision.process import SUPERVISION

EVERYBODY = (
    WORKER, SECRETARY, CLERK, RESIDENT, NEIGHBOUR, PROPERTY, POWER, SUPERVISOR, CITY, ADMIN, ELSEWHERE, OTHER_WORKER
)  # fmt: skip


async def titles(connection: AsyncConnection, actor: Actor, **filters: object) -> list[str]:
    page = await cases.cases(connection, actor, ISSUE, Filters(**filters), limit=200)  # type: ignore[arg-type]
    return [said(one.case.title, page.texts) for one in page.items]


# --- sight -----------------------------------------------------------------------------------------------


async def test_everybody_sees_in_lists_what_is_his_and_nothing_else(town: Town, connection: AsyncConnection) -> None:
    await submit(town, Wish("甲", "一"), at("2026-03-02 09:00"))
    await submit(town, Wish("乙", "二"), at("2026-03-02 09:01"), by=RESIDENT, reporter=False)
    await assign(town, await submit(town, Wish("丙", "三"), at("2026-03-02 09:02")), at("2026-03-02 10:00"))
    await submit(town, Wish("丁", "四"), at("2026-03-02 09:03"), place=OTHER_COMMUNITY, by=OTHER_WORKER)

    seen = {actor.username: "".join(sorted(await titles(connection, actor))) for actor in EVERYBODY}

    assert seen == {
        "worker1": "丙乙甲",
        "secretary1": "丙乙甲",
        "clerk1": "丙乙甲",
        "resident1": "乙",
        "resident1b": "",
        "property1": "丙",
        "power": "",
        "supervisor": "丁丙乙甲",
        "city": "丁丙乙甲",
        "admin": "",
        "elsewhere": "",
        "worker2": "丁",
    } | {"worker1": seen["worker1"], "supervisor": seen["supervisor"]}
    assert {name: len(shown) for name, shown in seen.items()} == {
        "worker1": 3, "secretary1": 3, "clerk1": 3, "resident1": 1, "resident1b": 0, "property1": 1, "power": 0,
        "supervisor": 4, "city": 4, "admin": 0, "elsewhere": 0, "worker2": 1,
    }  # fmt: skip


async def test_a_single_case_is_known_by_id_and_by_number_to_those_who_may_know(
    town: Town, connection: AsyncConnection
) -> None:
    own = await submit(town, Wish("乙", "二"), at("2026-03-02 09:01"), by=RESIDENT, reporter=False)
    visited = await submit(town, Wish("甲", "一"), at("2026-03-02 09:00"))

    async def known(actor: Actor, key: str) -> bool:
        return await cases.known(connection, actor, ISSUE, key) is not None

    assert await known(RESIDENT, own.id)
    assert await known(RESIDENT, own.number)
    assert not await known(NEIGHBOUR, own.id), "somebody else's own matter"
    assert await known(NEIGHBOUR, visited.id), "nobody's account stands behind it"
    assert not await known(person("far", Role.RESIDENT, place=OTHER_COMMUNITY), visited.id)
    assert not await known(ADMIN, own.id)
    assert not await known(WORKER, str(uuid4()))
    assert not await known(WORKER, "x" * 36)
    assert await cases.known(connection, WORKER, SUPERVISION, own.id) is None, "another process"
    found = await cases.known(connection, WORKER, ISSUE, own.id)
    assert found is not None
    assert found.case == own
    assert found.next_due_at == at("2026-03-03 09:01")
    assert (await cases.found(connection, ISSUE, own.id)) == found


async def test_a_case_offered_to_another_community_can_be_looked_at_there(
    town: Town, connection: AsyncConnection
) -> None:
    case = await submit(town, Wish("甲", "一"), at("2026-03-02 09:00"))
    why = town.ref()
    transfer = do.TransferCommunity(to_community=OTHER_COMMUNITY, reason=why)
    assert await titles(connection, OTHER_WORKER) == []

    await town.give(
        ISSUE, case, transfer, WORKER, at("2026-03-02 10:00"), texts={why: "属河湾"}, facts={"to_community": {}}
    )

    assert await titles(connection, OTHER_WORKER) == ["甲"]


# --- lists -----------------------------------------------------------------------------------------------


async def test_a_list_is_newest_first_and_pages_without_gap_or_double(town: Town, connection: AsyncConnection) -> None:
    for number in range(7):
        # Three of them in the same moment: their ids decide.
        await submit(town, Wish(f"第{number}件", "文"), at(f"2026-03-02 09:0{max(number, 2)}"))

    seen: list[str] = []
    after = None
    pages = 0
    while True:
        page = await cases.cases(connection, SUPERVISOR, ISSUE, Filters(), after=after, limit=2)
        seen += [said(one.case.title, page.texts) for one in page.items]
        pages += 1
        after = page.next_cursor
        if after is None:
            break

    assert pages == 4
    assert seen[:4] == ["第6件", "第5件", "第4件", "第3件"]
    assert sorted(seen[4:]) == ["第0件", "第1件", "第2件"]
    assert seen == await titles(connection, SUPERVISOR)


async def test_somebody_with_several_ways_of_knowing_sees_a_case_once(town: Town, connection: AsyncConnection) -> None:
    await submit(town, Wish("甲", "一"), at("2026-03-02 09:00"))
    both = Actor("worker1", "worker1", (*SUPERVISOR.grants, *WORKER.grants, *PROPERTY.grants))

    assert await titles(connection, both) == ["甲"]


async def test_filters_narrow_a_list(town: Town, connection: AsyncConnection) -> None:
    await submit(town, Wish("新", "一"), at("2026-03-31 23:30"))
    ordered = await assign(town, await submit(town, Wish("单", "二"), at("2026-04-01 00:00")), at("2026-04-01 10:00"))
    await finish(town, await assign(town, await submit(town, Wish("毕", "三"), at("2026-04-02 09:00")),
                                    at("2026-04-02 10:00")), at("2026-04-02 11:00"))  # fmt: skip
    await town.wait(ISSUE, ordered, at("2026-04-03 09:00"))

    async def shown(**filters: object) -> str:
        return "".join(await titles(connection, SUPERVISOR, **filters))

    assert await shown() == "毕单新"
    assert await shown(state="REGISTERED") == "新"
    assert await shown(state="ASSIGNED") == "单"
    assert await shown(step="FEEDBACK") == "毕"
    assert await shown(step="IMPLEMENT", lead_org="property-1") == "单"
    assert await shown(lead_org="power") == ""
    assert await shown(category_code="B01") == "毕单"
    assert await shown(level="L1") == "毕单新"
    assert await shown(color="YELLOW") == "单"
    assert await shown(month="2026-03") == "新"
    assert await shown(month="2026-04") == "毕单"
    assert await shown(created_from=at("2026-04-01 00:00").date()) == "毕单"
    assert await shown(created_to=at("2026-03-31 12:00").date()) == "新"
    assert await shown(created_from=at("2026-04-01 00:00"), created_to=at("2026-04-01 00:00")) == "单"
    assert await shown(community_id=COMMUNITY) == "毕单新"
    assert await shown(community_id=OTHER_COMMUNITY) == ""
    assert await shown(community_id=SUBDISTRICT) == "毕单新"
    assert await shown(community_id="620199") == "毕单新"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("漏水", "甲楼漏水"),
        ("水", "甲楼漏水"),
        ("三单元四楼", "甲楼漏水"),
        ("elevator", "Elevator 停运"),
        ("ELEV", "Elevator 停运"),
        ("100%", "Elevator 停运"),
        ("10_%", ""),
        ("漏电", ""),
        ("'; DROP TABLE case_file --", ""),
        ("\\", ""),
    ],
)
async def test_words_are_found_in_titles_and_descriptions(
    town: Town, connection: AsyncConnection, words: str, found: str
) -> None:
    await submit(town, Wish("甲楼漏水", "三单元四楼"), at("2026-03-02 09:00"))
    await submit(town, Wish("Elevator 停运", "每天100%停"), at("2026-03-02 09:01"))

    assert "".join(await titles(connection, WORKER, q=words)) == found


async def test_a_number_finds_its_case_and_erased_words_find_nothing(town: Town, connection: AsyncConnection) -> None:
    case = await submit(town, Wish("甲楼漏水", "三单元四楼"), at("2026-03-02 09:00"))
    assert await titles(connection, WORKER, q=case.number) == ["甲楼漏水"]

    async with town.engine.begin() as eraser:
        await eraser.execute(update(prose).where(prose.c.ref == case.title).values(value="（已删除）"))

    assert await titles(connection, WORKER, q="漏水") == []
    assert await titles(connection, WORKER) == ["（已删除）"]


@pytest.mark.parametrize("given", ["", "x", "e30", "WyJvdmVyZHVlIiwxXQ", "💧", "WyJjYXNlcyIsIjIwMjYiLCIxIl0"])
async def test_a_cursor_of_another_list_is_refused(connection: AsyncConnection, given: str) -> None:
    with pytest.raises(CursorInvalid):
        await cases.cases(connection, WORKER, ISSUE, Filters(), after=given)
    with pytest.raises(CursorInvalid):
        await worklist.worklist(connection, WORKER, after=given)


# --- texts and history -----------------------------------------------------------------------------------


def test_references_are_found_and_replaced_wherever_they_stand() -> None:
    ref, contact = "text:0123456789abcdef", "contact:0123456789abcdef"
    value = {"a": [ref, {"b": ref}], "c": contact, "d": "text:0123", "e": 1, "f": ("x", ref), "g": f"{ref}!"}

    assert list(references(value)) == [ref] * 3
    assert resolve(value, {ref: {"lat": 36.0}}) == {
        "a": [{"lat": 36.0}, {"b": {"lat": 36.0}}],
        "c": contact,
        "d": "text:0123",
        "e": 1,
        "f": ["x", {"lat": 36.0}],
        "g": f"{ref}!",
    }
    assert resolve(ref, {}) is None
    assert said(ref, {}) == ""


async def test_the_history_is_told_in_clear_words_and_without_contacts(town: Town, connection: AsyncConnection) -> None:
    case = await submit(town, Wish("甲楼漏水", "三单元四楼"), at("2026-03-02 09:00"))
    case = await finish(town, await assign(town, case, at("2026-03-02 10:00")), at("2026-03-03 09:00"))

    entries = await events_of(connection, case.id)

    assert [one.seq for one in entries] == list(range(1, case.version + 1))
    first = entries[0]
    assert (first.type, first.actor, first.acting_role, first.org) == (
        "registered", "worker1", "community_worker", "community-1",
    )  # fmt: skip
    assert first.occurred_at == at("2026-03-02 09:00")
    assert first.payload["title"] == "甲楼漏水"
    assert first.payload["sets"]["description"] == "三单元四楼"
    assert first.payload["sets"]["reporter"].startswith("contact:")
    assert len({one.hash for one in entries}) == len(entries)
    assert all(len(one.hash) == 64 for one in entries)
    assert await events_of(connection, case.id, after=2) == entries[2:]
    assert "已修好" in str([one.payload for one in entries])


async def test_contact_details_have_a_read_of_their_own(town: Town, connection: AsyncConnection) -> None:
    told = await submit(town, Wish("甲", "一", name="李梅", phone="13800001234"), at("2026-03-02 09:00"))
    own = await submit(town, Wish("乙", "二"), at("2026-03-02 09:01"), by=RESIDENT, reporter=False)

    found, account = await reporter(connection, told.id, town.seal), await reporter(connection, own.id, town.seal)

    assert found is not None
    assert (found.name, found.phone, found.wants_reply, found.account_id) == ("李梅", "13800001234", True, None)
    assert account is not None
    assert (account.name, account.account_id) == (None, "resident1")
    assert await reporter(connection, uuid4(), town.seal) is None


async def test_every_deadline_says_why_it_is_due_then(town: Town, connection: AsyncConnection) -> None:
    case = await submit(town, Wish("甲", "一"), at("2026-02-13 09:00"))
    case = await assign(town, case, at("2026-02-13 10:00"))

    found = {one.code: one for one in await clocks_of(connection, case.id)}

    handle = found["HANDLE"]
    assert (handle.owner, handle.supervisor, handle.state) == ("property-1", COMMUNITY, "RUNNING")
    assert handle.due_at == handle.original_due_at == at("2026-03-02 18:00")
    rule = handle.rule
    assert (rule.parameter, rule.value, rule.unit) == ("issue.mode.limited.simple", 7.0, "working_days")
    assert rule.clause
    assert rule.strength in {"HARD", "SOFT"}
    # 02-14 and 02-28 are make-up working days; the holiday runs from 02-15 to 02-23.
    assert [one["date"] for one in rule.days_skipped] == [f"2026-02-{day}" for day in range(15, 24)] + ["2026-03-01"]
    assert rule.pauses == ()
    assert found["TRIAGE"].state == "MET"
    assert found["TRIAGE"].closed_at == at("2026-02-13 10:00")


# --- overdue ---------------------------------------------------------------------------------------------


async def late_street(town: Town) -> None:
    """Three cases of two communities: red, yellow, and one due soon."""
    old = await assign(town, await submit(town, Wish("红", "一"), at("2026-03-02 09:00")), at("2026-03-02 10:00"))
    old = await town.give(ISSUE, old, do.Sign(), PROPERTY, at("2026-03-02 11:00"))
    later = await assign(town, await submit(town, Wish("黄", "二"), at("2026-03-09 09:00")), at("2026-03-09 10:00"))
    later = await town.give(ISSUE, later, do.Sign(), PROPERTY, at("2026-03-09 11:00"))
    soon = await submit(
        town, Wish("近", "三"), at("2026-03-19 09:00"), place=OTHER_COMMUNITY, by=OTHER_WORKER, reporter=False
    )
    for case in (old, later):
        note = town.ref()
        case = await town.give(
            ISSUE, case, do.ContactReporter(note=note), WORKER, case.updated_at or at("2026-03-09 11:00"),
            texts={note: "已联系"},
        )  # fmt: skip
        await town.wait(ISSUE, case, NOW)
    await town.wait(ISSUE, soon, NOW)


NOW = at("2026-03-20 09:00")


async def late(connection: AsyncConnection, actor: Actor, **filters: object) -> list[str]:
    page = await overdue.overdue(connection, actor, Narrowed(**filters), now=NOW)  # type: ignore[arg-type]
    return [f"{one.title} {one.clock} {one.color}" for one in page.items]


async def test_the_overdue_query_shows_the_worst_first_with_what_comes_next(
    town: Town, connection: AsyncConnection
) -> None:
    await late_street(town)

    page = await overdue.overdue(connection, SUPERVISOR, Narrowed(process="issue"), now=NOW)

    shown = [(one.title, one.clock, one.color) for one in page.items]
    assert shown[0] == ("红", "HANDLE", "RED")
    assert shown[1] == ("黄", "HANDLE", "YELLOW")
    red, yellow = page.items[:2]
    assert (red.since, red.owner, red.supervisor) == (at("2026-03-11 18:00"), "property-1", COMMUNITY)
    assert red.next_escalation is not None
    assert (red.next_escalation.what, red.next_escalation.at) == ("REPORT_TO_COUNTY", at("2026-04-18 00:00"))
    assert yellow.next_escalation is not None
    assert (yellow.next_escalation.what, yellow.next_escalation.color, yellow.next_escalation.at) == (
        "SUPERVISION_AND_TOPIC", "RED", at("2026-03-25 18:00"),
    )  # fmt: skip
    assert page.next_cursor is None


async def test_within_adds_what_is_due_soon_behind_what_is_late(town: Town, connection: AsyncConnection) -> None:
    await late_street(town)

    shown = await late(connection, SUPERVISOR, within=timedelta(hours=48), process="issue")

    assert shown[:2] == ["红 HANDLE RED", "黄 HANDLE YELLOW"]
    assert "近 TRIAGE NONE" in shown[2:]
    assert not any("TRIAGE" in one for one in await late(connection, SUPERVISOR, process="issue"))


async def test_the_overdue_query_is_narrowed_by_each_filter(town: Town, connection: AsyncConnection) -> None:
    await late_street(town)
    both = ["红 HANDLE RED", "黄 HANDLE YELLOW"]

    assert await late(connection, SUPERVISOR, color="RED") == ["红 HANDLE RED"]
    assert await late(connection, SUPERVISOR, owner="property-1") == both
    assert await late(connection, SUPERVISOR, owner="power") == []
    assert (await late(connection, SUPERVISOR, supervisor=COMMUNITY))[:2] == both
    assert await late(connection, SUPERVISOR, process="supervision") == []
    assert await late(connection, SUPERVISOR, community_id=OTHER_COMMUNITY) == []
    assert (await late(connection, SUPERVISOR, subdistrict_id=SUBDISTRICT))[:2] == both
    assert await late(connection, SUPERVISOR, older_than=timedelta(days=5)) == ["红 HANDLE RED"]
    assert await late(connection, SUPERVISOR, older_than=timedelta(days=50)) == []


async def test_overdue_work_is_shown_to_whom_it_concerns(town: Town, connection: AsyncConnection) -> None:
    await late_street(town)

    shown = {actor.username: (await late(connection, actor))[:2] for actor in EVERYBODY}

    both = ["红 HANDLE RED", "黄 HANDLE YELLOW"]
    everybody = {"worker1", "secretary1", "clerk1", "property1", "supervisor", "city"}
    assert {name for name, rows in shown.items() if rows == both} == everybody
    assert all(shown[name] == [] for name in shown.keys() - everybody)


async def test_what_is_overdue_is_counted_by_place_owner_step_and_deadline(
    town: Town, connection: AsyncConnection
) -> None:
    await late_street(town)

    by = await overdue_counts.counts(connection, SUPERVISOR, SUBDISTRICT, now=NOW)
    nothing = await overdue_counts.counts(connection, OTHER_WORKER, SUBDISTRICT, now=NOW)

    assert {one.code: (one.yellow, one.red) for one in by["place"]}[COMMUNITY] == (1, 1)
    owner = by["owner"][0]
    assert (owner.code, owner.yellow, owner.red, owner.oldest) == ("property-1", 1, 1, at("2026-03-11 18:00"))
    assert (by["step"][0].code, by["step"][0].red) == ("IMPLEMENT", 1)
    assert (by["clock"][0].process, by["clock"][0].code) == ("issue", "HANDLE")
    assert all(one.red == 0 for one in nothing["place"])


async def test_the_overdue_query_pages_without_gap_or_double(town: Town, connection: AsyncConnection) -> None:
    await late_street(town)
    filters = Narrowed(within=timedelta(days=30))
    whole = await overdue.overdue(connection, SUPERVISOR, filters, now=NOW)
    assert len(whole.items) >= 3

    seen: list[overdue.Overdue] = []
    after = None
    while True:
        page = await overdue.overdue(connection, SUPERVISOR, filters, now=NOW, after=after, limit=1)
        seen += page.items
        after = page.next_cursor
        if after is None:
            break

    assert tuple(seen) == whole.items
    everywhere = await overdue.overdue_everywhere(connection, filters, now=NOW)
    assert everywhere.items == whole.items


# --- work ------------------------------------------------------------------------------------------------


async def test_everybody_finds_his_own_work_most_urgent_first(town: Town, connection: AsyncConnection) -> None:
    await late_street(town)
    await submit(town, Wish("民", "四"), at("2026-03-20 08:00"), by=RESIDENT, reporter=False)

    async def works(actor: Actor) -> dict[str, set[str]]:
        page = await worklist.worklist(connection, actor)
        return {one.title: set(one.commands) for one in page.items}

    mine = await works(PROPERTY)
    assert list(mine) == ["红", "黄"]
    assert all("claim_completion" in commands for commands in mine.values())
    worker = await works(WORKER)
    assert {"accept_to_problem_list", "contact_reporter"} <= worker["民"]
    assert "近" not in worker
    assert set(await works(OTHER_WORKER)) == {"近"}
    assert await works(NEIGHBOUR) == {}
    assert await works(ADMIN) == {}
    page = await worklist.worklist(connection, PROPERTY)
    assert [(one.color, one.due_at) for one in page.items] == [
        ("RED", at("2026-03-11 18:00")),
        ("YELLOW", at("2026-03-18 18:00")),
    ]


async def test_a_worklist_pages_through_every_case(town: Town, connection: AsyncConnection) -> None:
    for number in range(5):
        await submit(town, Wish(f"第{number}件", "文"), at(f"2026-03-02 09:0{number}"))
    async with town.engine.begin() as writer:
        # The last three are due at no time, and come last.
        due_later = select(case_file.c.id).order_by(case_file.c.opened_at.desc()).limit(3)
        await writer.execute(update(task).where(task.c.case_id.in_(due_later)).values(due_at=text("'infinity'")))

    seen: list[str] = []
    after = None
    while True:
        page = await worklist.worklist(connection, WORKER, after=after, limit=2)
        seen += [one.title for one in page.items]
        after = page.next_cursor
        if after is None:
            break

    assert list(dict.fromkeys(seen))[:2] == ["第0件", "第1件"]
    assert sorted(dict.fromkeys(seen)) == [f"第{number}件" for number in range(5)]
    whole = await worklist.worklist(connection, WORKER)
    assert [one.due_at is None for one in whole.items] == [False, False, True, True, True]


async def test_a_resident_is_not_asked_to_do_what_any_neighbour_may(town: Town, connection: AsyncConnection) -> None:
    case = await submit(town, Wish("甲", "一"), at("2026-03-02 09:00"))
    ask = town.ref()
    await town.give(ISSUE, case, do.AskReporter(info=ask), WORKER, at("2026-03-02 10:00"), texts={ask: "几楼?"})

    assert (await worklist.worklist(connection, NEIGHBOUR)).items == ()


# --- lists of the five steps -----------------------------------------------------------------------------


async def test_the_problem_list_of_a_month_has_what_was_accepted_in_it(town: Town, connection: AsyncConnection) -> None:
    await assign(town, await submit(town, Wish("三月", "一"), at("2026-03-02 09:00")), at("2026-03-02 10:00"))
    await assign(town, await submit(town, Wish("四月", "二"), at("2026-03-31 17:00")), at("2026-04-01 09:00"))
    await submit(town, Wish("未受理", "三"), at("2026-03-03 09:00"))

    march = await problem_lists.problem_list(connection, COMMUNITY, "2026-03", actor=WORKER)
    april = await problem_lists.problem_list(connection, COMMUNITY, "2026-04", actor=WORKER)

    assert [one.title for one in march] == ["三月"]
    assert [one.title for one in april] == ["四月"]
    (entry,) = march
    assert (entry.mode, entry.category_code, entry.lead_org) == ("TIME_LIMITED", "B01", "property-1")
    assert await problem_lists.problem_list(connection, COMMUNITY, "2026-03", actor=OTHER_WORKER) == ()
    assert len(await problem_lists.problem_list(connection, SUBDISTRICT, "2026-03")) == 1


async def test_the_next_agenda_says_why_each_topic_is_there(town: Town, connection: AsyncConnection) -> None:
    await propose(town, await submit(town, Wish("议题", "一"), at("2026-03-02 09:00")), at("2026-03-02 10:00"))
    late_one = await assign(
        town, await submit(town, Wish("逾期", "二"), at("2026-03-02 09:00")), at("2026-03-02 10:00")
    )
    late_one = await town.give(ISSUE, late_one, do.Sign(), PROPERTY, at("2026-03-02 11:00"))
    await town.wait(ISSUE, late_one, NOW)

    small = await agendas.agenda(connection, COMMUNITY, "TWO_COMMITTEES", actor=CLERK)
    large = await agendas.agenda(connection, COMMUNITY, "EXTENDED_PARTY_COMMITTEE", actor=CLERK)

    assert [(one.title, one.reason, one.escalated) for one in small] == [("议题", "PROPOSED", False)]
    assert [(one.title, one.reason, one.escalated) for one in large] == [("逾期", "RED", True)]
    assert large[0].file["description"] == "二"
    assert large[0].level == "L2"
    assert await agendas.agenda(connection, COMMUNITY, "TWO_COMMITTEES", actor=OTHER_WORKER) == ()


async def test_s20_a_topic_taken_to_the_street_is_first_on_the_agenda_it_left_as_information(
    town: Town, connection: AsyncConnection
) -> None:
    case = await submit(town, Wish("两次未议", "一"), at("2026-03-02 09:00"))
    case = await propose(town, case, at("2026-03-02 10:00"), Difficulty.MODERATE)
    for month in ("03", "04"):
        meets_at = at(f"2026-{month}-20 15:00")
        admitted = do.AdmitToAgenda(meeting=month, bodies=("EXTENDED_PARTY_COMMITTEE",), meets_at=meets_at)
        case = await town.give(ISSUE, case, admitted, SYSTEM, at(f"2026-{month}-10 10:00"))
        missed = do.CarryOver(meeting=month, reason=NotHeld.INQUORATE)
        case = await town.give(ISSUE, case, missed, SYSTEM, meets_at)

    left = await agendas.agenda(connection, COMMUNITY, "EXTENDED_PARTY_COMMITTEE", actor=CLERK)
    street = await agendas.agenda(connection, COMMUNITY, "SUBDISTRICT")

    assert [(one.title, one.reason, one.information) for one in left] == [("两次未议", "CARRIED_OVER_TWICE", True)]
    assert left[0].first
    assert [(one.title, one.level, one.information) for one in street] == [("两次未议", "L3", False)]


async def test_the_figures_of_a_month_count_what_the_glossary_says(town: Town, connection: AsyncConnection) -> None:
    good = await assign(town, await submit(town, Wish("好", "一"), at("2026-03-02 09:00")), at("2026-03-02 10:00"))
    note = town.ref()
    good = await town.give(
        ISSUE, good, do.ContactReporter(note=note), WORKER, at("2026-03-02 10:30"), texts={note: "已联系"}
    )
    good = await finish(town, good, at("2026-03-02 11:00"))
    visit = do.RecordVisit(contacted=True, satisfaction=5, solved=Solved.YES)
    good = await town.give(ISSUE, good, visit, SECOND_WORKER, at("2026-03-03 10:00"))
    bad = await assign(town, await submit(town, Wish("差", "二"), at("2026-03-02 09:00")), at("2026-03-02 10:00"))
    await town.wait(ISSUE, bad, NOW)

    found = {
        one.formula.name: one for one in await measures.measures(connection, COMMUNITY, "2026-03", actor=SUPERVISOR)
    }

    # What is counted by community, permit or incoming task has a test of its own.
    counted = ("response_rate", "resolution_rate", "satisfaction_rate", "on_time_rate", "rework_rate", "delist_rate")
    assert {name: (found[name].part, found[name].whole) for name in counted} == {
        "response_rate": (1, 2),
        "resolution_rate": (1, 1),
        "satisfaction_rate": (1, 1),
        "on_time_rate": (1, 2),
        "rework_rate": (0, 1),
        "delist_rate": (0, 0),
    }
    assert found["response_rate"].value == 0.5
    assert found["delist_rate"].value is None
    assert found["on_time_rate"].part_cases == (good.number,)
    assert set(found["on_time_rate"].cases) == {good.number, bad.number}
    assert set(found["overdue_open"].cases) == {bad.number}
    april = {one.formula.name: one for one in await measures.measures(connection, COMMUNITY, "2026-04")}
    assert april["response_rate"].whole == 0
    with pytest.raises(ValueError):
        await measures.measures(connection, COMMUNITY, "2026-13")


# --- attachments -----------------------------------------------------------------------------------------


async def test_a_file_is_for_its_uploader_and_for_those_who_see_its_case(
    town: Town, connection: AsyncConnection
) -> None:
    file = uuid7()
    async with town.engine.begin() as writer:
        await attachments.add_attachment(
            writer, id=file, kind="PHOTO", media_type="image/jpeg", size=3, sha256="0" * 64, object_key="k",
            uploaded_by="worker1",
        )  # fmt: skip

    async def may(actor: Actor) -> bool:
        return await attachments.attachment_for(connection, actor, str(file)) is not None

    assert await may(WORKER)
    assert not await may(SUPERVISOR)
    await submit(town, Wish("甲", "一"), at("2026-03-02 09:00"), evidence=(str(file),))
    assert await may(SUPERVISOR)
    assert not await may(OTHER_WORKER)
    assert await attachments.attachments_for(connection, WORKER, ["no id", uuid4()]) == ()


async def test_files_that_no_command_ever_named_can_be_forgotten(town: Town) -> None:
    loose = uuid7()
    async with town.engine.begin() as writer:
        await attachments.add_attachment(
            writer, id=loose, kind="FILE", media_type="application/pdf", size=3, sha256="0" * 64,
            object_key=f"loose/{loose}", uploaded_by="worker1",
        )  # fmt: skip
        early = await attachments.forget_loose(writer, before=NOW)
        gone = await attachments.forget_loose(writer, before=at("2100-01-01 00:00"))

    assert f"loose/{loose}" not in early
    assert f"loose/{loose}" in gone
