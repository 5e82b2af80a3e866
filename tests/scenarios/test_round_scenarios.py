"""S25–S27 and the rows of the months about rounds of collection, with their exact moments (scenarios.md §2, §6)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.rehearsal import answers
from tests.scenarios.street import C1, C2, C3, EVIDENCE, PEOPLE, STREET, Town, moment, person, world_of
from workflows.issue import commands as issue
from workflows.issue.data import Difficulty, HandlingMode
from workflows.kernel.process import Case, Forbidden, GuardFailed, WrongState, derived_id
from workflows.kernel.simulator import Street
from workflows.policy.packs import load
from workflows.registry import PROCESSES
from workflows.round import commands as do
from workflows.round.data import Round, VisitKind

HOUSEHOLD, UNIT = VisitKind.HOUSEHOLD, VisitKind.UNIT
REF = "text:0000000000000001"


def round_of(community: str, month: str) -> str:
    """Id of the monthly round of a community."""
    return derived_id("round", f"{community}|{month}")


def begun(month: str, pack: str = "lanzhou_2021") -> Town:
    """The street at 00:00 of the first day of a month, with its monthly rounds."""
    town = Town(f"{month}-01 00:00", pack)
    begin(town, month)
    return town


def begin(town: Town, month: str) -> None:
    """A month begins."""
    town.at(f"{month}-01 00:00")
    town.street.begin("round", "monthly", STREET, month)


def the_round(town: Town, key: str) -> Case[Round]:
    """A round as it now is."""
    return town.street.cases[key]


def opened(town: Town, key: str, by: str, collectors: Iterable[str]) -> Case[Round]:
    """The chair opens it."""
    return town.say(key, by, do.OpenRound(plan=REF, collectors=tuple(collectors)))


def visit(town: Town, key: str, by: str, kind: VisitKind = HOUSEHOLD, **fields: Any) -> Case[Round]:
    """A visit, now."""
    given: dict[str, Any] = {"at": town.street.now, "target": REF, **fields}
    return town.say(key, by, do.RecordVisit(kind=kind, **given))


def visits(town: Town, key: str, by: str, households: int, units: int = 0) -> None:
    """So many visits without a wish."""
    for _ in range(households):
        visit(town, key, by)
    for _ in range(units):
        visit(town, key, by, UNIT)


def accept(town: Town, wish: str, by: str) -> None:
    """Triage: on the problem list at once."""
    town.say(
        wish,
        by,
        issue.AcceptToProblemList(
            mode=HandlingMode.IMMEDIATE, category_code="A01", difficulty=Difficulty.EASY, lead_org="community-1"
        ),
    )


def wish(title: str, **fields: Any) -> do.Wish:
    """A wish as the door leaves it."""
    return do.Wish(title=f"text:{title:0>16}", description=REF, **fields)


# --- S25 ---------------------------------------------------------------------------------------------------


def s25() -> tuple[Town, str]:
    """C1 opens the March round on 03-02: 14 households, 3 units, 6 wishes, two of them the same."""
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    assert the_round(town, key).state == "PLANNED"
    assert town.due(key, "MONTH") == "03-31 24:00"
    town.at("03-02 09:00")
    opened(town, key, "secretary1", ("grid1", "worker1"))
    town.at("03-03 10:00")
    for number in range(14):
        wishes = (wish(f"{number}"),) if number < 6 else ()
        visit(town, key, "grid1", wishes=wishes, place=f"{C1}00{number % 7 + 1}")
    for _ in range(3):
        visit(town, key, "worker1", UNIT)
    return town, key


def test_s25_every_wish_becomes_an_issue_of_the_round() -> None:
    town, key = s25()
    wishes = the_round(town, key).data.wishes

    assert len(set(wishes)) == 6
    for number, one in enumerate(wishes):
        case = town.issue(one)
        assert (case.state, case.community, case.title) == ("REGISTERED", C1, f"text:{number:016}")
        assert (case.data.source, case.data.round_id, case.data.submitted_by) == ("ROUND", key, "grid1")
        assert town.due(one, "TRIAGE") == "03-04 18:00"
    assert the_round(town, key).data.valid
    assert town.street.refused == []


def test_s25_a_month_version_of_the_list_is_published_once_all_is_triaged() -> None:
    town, key = s25()
    wishes = the_round(town, key).data.wishes
    town.at("03-04 09:00")
    town.say(key, "secretary1", do.CloseCollection())
    assert (the_round(town, key).state, town.state(key, "MONTH")) == ("CONSOLIDATING", "MET")
    assert town.due(key, "CONSOLIDATE") == "03-09 18:00"
    assert town.refused(key, "worker1", do.PublishProblemList()) == "WISHES_NOT_TRIAGED"

    town.say(wishes[5], "worker1", issue.MergeInto(target=wishes[0]))
    for one in wishes[:5]:
        accept(town, one, "worker1")
    case = town.say(key, "worker1", do.PublishProblemList())

    assert (case.position, case.data.list_version, len(case.data.entries)) == ("CLOSED", 1, 5)
    assert {entry.issue for entry in case.data.entries} == set(wishes[:5])
    assert town.state(key, "CONSOLIDATE") == "MET"
    # What becomes of the issues later changes nothing in the version.
    town.say(wishes[0], "grid1", issue.ClaimCompletion(text=REF, evidence=EVIDENCE))
    assert the_round(town, key).data.entries == case.data.entries


def test_s25_a_second_round_counts_once_and_makes_the_second_version() -> None:
    town, key = s25()
    town.say(key, "secretary1", do.CloseCollection())
    for one in the_round(town, key).data.wishes:
        accept(town, one, "worker1")
    town.say(key, "worker1", do.PublishProblemList())

    town.at("03-10 09:00")
    extra = town.street.open("round", "extra", do.PlanRound(community_code=C1, month="2026-03"), PEOPLE["vice1"])
    assert (extra.state, extra.data.covered, extra.data.siblings) == ("PLANNED", True, (key,))
    opened(town, "extra", "vice1", ("grid1",))
    visits(town, "extra", "grid1", 10, 1)
    town.say("extra", "secretary1", do.CloseCollection())
    assert town.say("extra", "worker1", do.PublishProblemList()).data.list_version == 2


# --- S26 ---------------------------------------------------------------------------------------------------


def s26() -> tuple[Town, str]:
    """C3 has four household visits by the end of February."""
    town = begun("2026-02")
    key = round_of(C3, "2026-02")
    town.at("02-10 09:00")
    opened(town, key, "secretary3", ("grid3",))
    visits(town, key, "grid3", 4)
    town.at("02-28 24:00")
    return town, key


def test_s26_a_month_without_a_valid_round_is_missed() -> None:
    town, key = s26()

    assert the_round(town, key).state == "MISSED"
    assert town.when(key, "missed") == "02-28 24:00"
    # The case has ended, so that nothing is overdue any more; the breach stays in the figures.
    clock = town.clock(key, "MONTH")
    assert (clock.state, clock.breached_at) == ("CANCELLED", moment("02-28 24:00"))
    assert (STREET, "round_missed") in town.told(key, "02-28 24:00")
    assert not the_round(town, key).data.valid


def test_s26_it_is_never_made_good_afterwards() -> None:
    town, key = s26()
    begin(town, "2026-03")
    march = round_of(C3, "2026-03")
    assert (the_round(town, march).state, the_round(town, march).data.priority) == ("PLANNED", True)
    assert not the_round(town, round_of(C1, "2026-02")).data.priority
    town.at("03-03 09:00")
    opened(town, march, "secretary3", ("grid3", "secretary3"))

    february = do.RecordVisit(kind=HOUSEHOLD, target=REF, at=moment("02-20 10:00"))
    for round_id in (key, march):
        assert town.refused(round_id, "secretary3", february) == "BACKDATED"
    with pytest.raises(GuardFailed, match="BACKDATED"):
        town.street.open("round", "late", do.PlanRound(community_code=C3, month="2026-02"), PEOPLE["secretary3"])
    with pytest.raises(WrongState):
        town.say(key, "secretary3", do.CloseCollection())
    assert the_round(town, key).state == "MISSED"


# --- S27 ---------------------------------------------------------------------------------------------------


def test_s27_a_round_is_waived_in_an_emergency_only() -> None:
    town = begun("2026-07")
    key = round_of(C1, "2026-07")
    town.at("07-08 17:00")

    assert town.refused(key, "officer", do.Waive(reason=REF)) == "NO_EMERGENCY"
    with pytest.raises(Forbidden):
        town.say(key, "secretary1", do.Waive(reason=REF, order_no="安街发〔2026〕7号"))
    case = town.say(key, "officer", do.Waive(reason=REF, order_no="安街发〔2026〕7号"))

    assert (case.state, town.state(key, "MONTH")) == ("WAIVED", "CANCELLED")
    town.at("07-31 24:00")
    assert the_round(town, key).state == "WAIVED"


def test_s27_an_emergency_of_level_iii_needs_no_order() -> None:
    pure = world_of(load("lanzhou_2021"))
    questions = {**pure.questions, "emergency": lambda street, asked: {"active": True}}
    town = begun("2026-07")
    town.street.world = replace(pure, questions=questions)
    key = round_of(C1, "2026-07")

    assert town.say(key, "officer", do.Waive(reason=REF)).state == "WAIVED"


# --- the month's end ---------------------------------------------------------------------------------------


def test_enough_visits_are_closed_by_the_calendar() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    opened(town, key, "vice1", ("grid1",))
    visits(town, key, "grid1", 10, 1)
    town.at("03-31 24:00")

    case = the_round(town, key)
    assert (case.state, case.data.closed_by_calendar, town.state(key, "MONTH")) == ("CONSOLIDATING", True, "MET")
    assert town.when(key, "closed_by_calendar") == "03-31 24:00"
    # Started by the end of the month, so that its day is 03-31: three working days to 04-03.
    assert town.due(key, "CONSOLIDATE") == "04-03 18:00"


def test_another_valid_round_of_the_month_makes_the_first_one_unneeded() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    town.street.open("round", "extra", do.PlanRound(community_code=C1, month="2026-03"), PEOPLE["vice1"])
    assert the_round(town, key).data.siblings == ("extra",)
    opened(town, "extra", "vice1", ("grid1",))
    visits(town, "extra", "grid1", 10)
    assert not the_round(town, key).data.covered
    visits(town, "extra", "grid1", 0, 1)
    assert the_round(town, key).data.covered
    town.at("03-31 24:00")

    assert the_round(town, key).position == "CLOSED:NOT_NEEDED"
    assert town.state(key, "MONTH") == "CANCELLED"
    assert the_round(town, "extra").state == "CONSOLIDATING"


def test_an_open_round_beside_a_valid_one_is_closed_by_the_calendar() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    opened(town, key, "secretary1", ("grid1",))
    visits(town, key, "grid1", 3)
    town.street.open("round", "extra", do.PlanRound(community_code=C1, month="2026-03"), PEOPLE["vice1"])
    opened(town, "extra", "vice1", ("grid1",))
    visits(town, "extra", "grid1", 10)
    town.say("extra", "secretary1", do.CloseCollection(exception_reason=REF))
    town.at("03-31 24:00")

    assert the_round(town, key).state == "CONSOLIDATING"
    assert not the_round(town, key).data.valid


def test_reminders_go_to_the_chair_and_then_to_the_secretary() -> None:
    town = begun("2026-03")
    key = round_of(C2, "2026-03")
    town.at("03-31 12:00")

    assert [town.when(key, "reminded", nth) for nth in (0, 1)] == ["03-19 24:00", "03-24 24:00"]
    assert (f"role:cwc_chair@{C2}", "round_reminder") in town.told(key, "03-20 00:00")
    assert (f"role:party_secretary@{C2}", "round_reminder") in town.told(key, "03-25 00:00")


def test_nobody_is_reminded_of_what_is_done() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    opened(town, key, "vice1", ("grid1",))
    visits(town, key, "grid1", 10, 1)
    town.at("03-28 09:00")

    assert "reminded" not in town.types(key)
    assert town.types(key).count("reminder_not_needed") == 2


# --- visits ------------------------------------------------------------------------------------------------


def test_who_refuses_counts_and_nothing_is_kept_of_him() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    opened(town, key, "vice1", ("grid1",))

    refused = do.RecordVisit(
        kind=HOUSEHOLD, target=REF, at=town.street.now, refused=True, wishes=(wish("1"),), place=f"{C1}001"
    )
    assert town.refused(key, "grid1", refused) == "REFUSED_WITHOUT_DATA"
    case = visit(town, key, "grid1", refused=True, place=f"{C1}001")
    (kept,) = case.data.visits.values()
    assert (kept.refused, kept.target, kept.notes, kept.wishes, kept.place) == (True, None, None, (), f"{C1}001")
    visits(town, key, "grid1", 9, 1)
    assert town.say(key, "secretary1", do.CloseCollection()).state == "CONSOLIDATING"


def test_only_who_is_named_in_the_plan_collects() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    opened(town, key, "secretary1", ("grid1",))
    now = town.street.now
    one = do.RecordVisit(kind=HOUSEHOLD, target=REF, at=now)

    assert town.say(key, "grid1", one).version
    assert town.say(key, "secretary1", one).version
    for other in ("worker1", "grid2", "officer", "resident1"):
        with pytest.raises(Forbidden):
            town.say(key, other, one)


def test_a_visit_lies_in_the_community_and_not_in_the_future() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    opened(town, key, "secretary1", ("grid1",))
    elsewhere = do.RecordVisit(kind=HOUSEHOLD, target=REF, at=town.street.now, place=f"{C2}001")
    tomorrow = do.RecordVisit(kind=HOUSEHOLD, target=REF, at=town.street.now + timedelta(days=1))

    assert town.refused(key, "grid1", elsewhere) == "PLACE_ELSEWHERE"
    assert town.refused(key, "grid1", tomorrow) == "VISIT_IN_FUTURE"


def test_a_danger_found_at_a_visit_is_a_danger_of_the_issue() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    opened(town, key, "secretary1", ("grid1",))
    case = visit(town, key, "grid1", wishes=(wish("1", danger=True, reporter="contact:0000000000000001"),))

    found = town.issue(case.data.wishes[0])
    assert found.data.danger
    assert town.state(found.id, "RESPONSE") == "RUNNING"


def test_enough_households_are_not_a_matter_of_reasons_but_units_are() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    opened(town, key, "secretary1", ("grid1",))
    visits(town, key, "grid1", 9)
    assert town.refused(key, "secretary1", do.CloseCollection(exception_reason=REF)) == "TOO_FEW_HOUSEHOLDS"
    visits(town, key, "grid1", 1)
    assert town.refused(key, "secretary1", do.CloseCollection()) == "TOO_FEW_UNITS"

    case = town.say(key, "secretary1", do.CloseCollection(exception_reason=REF))
    assert (case.state, case.data.valid) == ("CONSOLIDATING", True)


def test_the_chair_closes_the_collection() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    opened(town, key, "vice1", ("grid1",))
    visits(town, key, "grid1", 10, 1)

    for other in ("vice1", "worker1", "officer"):
        with pytest.raises(Forbidden):
            town.say(key, other, do.CloseCollection())
    assert town.say(key, "secretary1", do.CloseCollection()).state == "CONSOLIDATING"


def test_a_nil_report_is_a_report() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    town.at("03-05 09:00")
    opened(town, key, "secretary1", ("grid1",))
    visits(town, key, "grid1", 10, 1)
    town.say(key, "secretary1", do.CloseCollection())

    case = town.say(key, "worker1", do.PublishProblemList())
    assert (case.state, case.data.list_version, case.data.entries) == ("CLOSED", 1, ())


def test_every_grid_has_a_collector_or_a_reason() -> None:
    town = begun("2026-03")
    key = round_of(C1, "2026-03")
    volunteer = person("volunteer1", ("volunteer", f"{C1}001"))
    grids = [{"code": f"{C1}00{n}", "responsible": []} for n in (1, 2)]
    ground = {"collection_ground": {"grids": grids, "reach": [f"{C1}001"], "drawn": []}}
    command = do.OpenRound(plan=REF, collectors=(volunteer.id,))

    with pytest.raises(GuardFailed, match="GRID_WITHOUT_COLLECTOR"):
        town.street.command(key, command, PEOPLE["secretary1"], facts=ground)
    reasoned = do.OpenRound(plan=REF, collectors=(volunteer.id,), exception_reason=REF)
    assert town.street.command(key, reasoned, PEOPLE["secretary1"], facts=ground).state == "OPEN"


def test_a_round_may_only_be_planned_for_the_month_that_goes_on() -> None:
    town = begun("2026-03")
    for month, reason in (("2026-02", "BACKDATED"), ("2026-04", "MONTH_NOT_BEGUN")):
        with pytest.raises(GuardFailed, match=reason):
            town.street.open("round", "x", do.PlanRound(community_code=C1, month=month), PEOPLE["secretary1"])
    assert "x" not in town.street.cases


def test_a_month_begins_once() -> None:
    town = begun("2026-03")
    before = dict(town.street.cases)
    town.street.begin("round", "monthly", STREET, "2026-03")

    assert town.street.cases == before
    assert len(before) == 3


# --- the drill ---------------------------------------------------------------------------------------------


def test_a_drill_runs_through_its_month_in_a_minute() -> None:
    town = Town("11-21 22:05", "drill")
    street: Street = town.street
    period = "2026-11-21T22:05"
    street.begin("round", "monthly", STREET, period)
    key = round_of(C1, period)
    start: datetime = street.now

    street.run_to(start + timedelta(seconds=5))
    # Whoever names the month of the calendar means the one that goes on.
    extra = street.open("round", "extra", do.PlanRound(community_code=C1, month="2026-11"), PEOPLE["vice1"])
    assert extra.data.month == period
    opened(town, key, "secretary1", ("grid1",))
    visits(town, key, "grid1", 10, 1)
    street.run_to(start + timedelta(seconds=59))
    assert the_round(town, key).state == "OPEN"
    street.run_to(start + timedelta(seconds=60))
    assert the_round(town, key).state == "CONSOLIDATING"
    assert the_round(town, round_of(C2, period)).state == "MISSED"
    reminded = [event.at - start for event in street.histories[round_of(C2, period)] if event.type == "reminded"]
    assert [round(one.total_seconds()) for one in reminded] == [37, 46]


# --- the months --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "valid"),
    [("2026-03", {C1, C2, C3}), ("2026-02", {C1, C2}), ("2026-10", {C1, C2, C3})],
    ids=["M1", "M2", "M4"],
)
def test_the_compliance_of_the_months(month: str, valid: set[str]) -> None:
    """M1 3/3, M2 2/3 (C3 has four visits), M4 3/3."""
    town = begun(month)
    last = {"2026-03": "03-26", "2026-02": "02-27", "2026-10": "10-30"}[month]
    assert town.street.now == moment(f"{month}-01 00:00")
    town.at("10-08 09:00" if month == "2026-10" else f"{month}-02 09:00")
    for number, community in enumerate((C1, C2, C3), start=1):
        key = round_of(community, month)
        opened(town, key, f"secretary{number}", (f"grid{number}",))
        enough = community in valid
        visits(town, key, f"grid{number}", 10 if enough else 4, int(enough))
    town.at(f"{last} 10:00")
    for number, community in enumerate((C1, C2, C3), start=1):
        if community in valid:
            town.say(round_of(community, month), f"secretary{number}", do.CloseCollection())
            town.say(round_of(community, month), f"worker{number}", do.PublishProblemList())
    town.at({"2026-03": "03-31 24:00", "2026-02": "02-28 24:00", "2026-10": "10-31 24:00"}[month])

    states = {community: the_round(town, round_of(community, month)).state for community in (C1, C2, C3)}
    assert states == {one: "CLOSED" if one in valid else "MISSED" for one in (C1, C2, C3)}


def test_the_pure_answers_are_those_that_the_rules_ask_for() -> None:
    asked = {
        name
        for one in ("round", "objection", "supervision")
        for names in PROCESSES[one].needs.values()
        for name in names
    }
    rhythms = {cadence.question for cadence in PROCESSES["round"].cadences}
    assert asked | rhythms | {"open_issues"} == set(answers({}))
