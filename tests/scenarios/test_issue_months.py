"""Issues and meetings of the months M1 and M4 of scenarios.md, step by step, with the totals at its end."""

from collections import Counter

from tests.scenarios.street import C1, C2, C3, CONTACT, EVIDENCE, Town, day, moment
from workflows.issue import commands as do
from workflows.issue.data import (
    Audience,
    Channel,
    ClockClass,
    ClosureCode,
    Difficulty,
    DifficultyReason,
    HandlingMode,
    Solved,
    Source,
    Timing,
)
from workflows.kernel.clocks import ClockState
from workflows.meeting import commands as sit
from workflows.meeting.data import Outcome
from workflows.supervision import rules as watch

IMMEDIATE, LIMITED, SCHEDULED = HandlingMode.IMMEDIATE, HandlingMode.TIME_LIMITED, HandlingMode.SCHEDULED
MODERATE = {"difficulty": Difficulty.MODERATE, "difficulty_reasons": (DifficultyReason.SEVERAL_ORGANIZATIONS,)}
CLAIM = do.ClaimCompletion(text="text:done", evidence=EVIDENCE)
PHONE = do.GiveFeedback(audience=Audience.INDIVIDUAL, timing=Timing.ANYTIME, channel=Channel.PHONE, text="text:t")
SATISFIED = do.RecordVisit(contacted=True, solved=Solved.YES, satisfaction=5)


def told_and_visited(town: Town, key: str, number: int, when: str) -> None:
    """The result is told and the reporter says that it is solved."""
    town.at(when).say(key, f"worker{number}", PHONE)
    assert town.say(key, f"worker{number}", SATISFIED).position == "CLOSED:RESOLVED"


def contacted(town: Town, key: str, number: int) -> None:
    """The first contact, which the steps of the month take for granted."""
    town.say(key, f"worker{number}", do.ContactReporter(note="text:n"))


def on_agenda(town: Town, meeting: str, key: str) -> None:
    """The topic stands on the agenda of the 大党委 since it froze."""
    assert town.issue(key).data.topic_body == "EXTENDED_PARTY_COMMITTEE"
    assert (town.issue(key).position, town.issue(key).data.meeting) == ("ON_AGENDA", meeting)


def minuted(town: Town, meeting: str) -> None:
    """The session is closed and its minutes are signed."""
    town.adjourn(meeting)
    town.say(meeting, f"secretary{town.meeting(meeting).community[-1]}", sit.SignMinutes())


def months(town: Town, period: str) -> dict[int, str]:
    """Where the months of the three 大党委 stand."""
    return {number: town.slot(period, number).position for number in (1, 2, 3)}


def verdicts(town: Town, keys: tuple[str, ...], until: str) -> Counter[str]:
    """HANDLE clocks that ended with a verdict: met in time, or breached at any time (also when superseded later)."""
    found: Counter[str] = Counter()
    for key in keys:
        for clock in town.clocks(key, "HANDLE"):
            if clock.breached_at is not None and clock.breached_at <= moment(until):
                found["breached"] += 1
            elif clock.state is ClockState.MET:
                found["met"] += 1
    return found


def overdue(town: Town) -> list[tuple[str, str]]:
    """Breached clocks of open cases, by case and code."""
    return [
        (case.id, clock.code)
        for case in town.street.cases.values()
        for clock in case.clocks
        if clock.state is ClockState.BREACHED
    ]


def test_m1_march_2026_an_ordinary_month() -> None:
    town = Town("03-01 00:00")
    town.month("2026-03")
    keys = tuple(f"I-{n}" for n in range(1, 12))
    for number, when in ((3, "03-24 14:30"), (2, "03-25 14:30"), (1, "03-27 15:00")):
        town.at("03-02 09:00").meet(f"M-{number}", when, number)

    # step 2: as S01
    town.at("03-03 09:10").submit("I-1", "grid1", category_code="A02", evidence=EVIDENCE, reporter=CONTACT)
    town.at("03-03 09:40").accept("I-1", "worker1", IMMEDIATE, "A02", helper_orgs=("property-1",))
    town.at("03-03 16:20").say("I-1", "grid1", CLAIM)
    town.at("03-03 17:20").say("I-1", "worker1", PHONE)

    # step 3 (and the visit that ends step 2)
    town.at("03-04 10:00").submit("I-2", "grid2", C2, category_code="D02", reporter=CONTACT)
    contacted(town, "I-2", 2)
    assert town.accept("I-2", "worker2", SCHEDULED, "D02", **MODERATE).position == "TOPIC_PROPOSED"
    assert town.due("I-2", "AGENDA") == "03-31 24:00"
    assert town.at("03-05 10:00").say("I-1", "worker1", SATISFIED).position == "CLOSED:RESOLVED"

    # step 4
    town.at("03-09 10:00").submit("I-3", "grid1", category_code="B01")
    town.accept("I-3", "worker1", LIMITED, "B01", lead_org="property-1", clock_class=ClockClass.SIMPLE)
    assert town.due("I-3", "HANDLE") == "03-18 18:00"

    # steps 5 and 6
    town.at("03-10 19:30").submit("I-4", "grid3", C3, category_code="C01", reporter=CONTACT)
    town.at("03-10 19:45").accept("I-4", "worker3", IMMEDIATE, "C01", lead_org="heating")
    assert town.due("I-4", "HANDLE") == "03-11 19:45"
    town.at("03-11 09:00").submit("I-5", "grid2", C2, category_code="F01", reporter=CONTACT)
    town.accept("I-5", "worker2", LIMITED, "F01", lead_org="property-2", clock_class=ClockClass.SIMPLE)
    assert town.due("I-5", "HANDLE") == "03-20 18:00"
    town.say("I-5", "property2", do.Sign())
    town.at("03-11 11:00").say("I-4", "heating", CLAIM)
    assert town.state("I-4", "HANDLE") == "MET"

    # step 7
    town.at("03-12 09:00").submit("I-6", "grid1", category_code="B03", reporter=CONTACT)
    town.accept("I-6", "worker1", LIMITED, "B03", lead_org="property-1", clock_class=ClockClass.SIMPLE)
    assert town.due("I-6", "HANDLE") == "03-23 18:00"
    town.say("I-6", "property1", do.Sign())
    told_and_visited(town, "I-4", 3, "03-12 10:00")
    town.at("03-12 19:00").submit("I-7", "resident1", category_code="B03", source=Source.RESIDENT)
    assert town.at("03-13 09:00").say("I-7", "worker1", do.MergeInto(target="I-6")).position == "CLOSED:MERGED"

    # steps 8 and 9
    town.at("03-16 14:00").submit("I-8", "grid3", C3, category_code="I01", reporter=CONTACT)
    contacted(town, "I-8", 3)
    town.accept("I-8", "worker3", SCHEDULED, "I01", **MODERATE)
    town.at("03-17 09:00").submit("I-9", "grid2", C2, category_code="A04", reporter=CONTACT)
    contacted(town, "I-9", 2)
    town.accept("I-9", "worker2", SCHEDULED, "A04", **MODERATE)

    # steps 10 and 11
    town.at("03-18 10:00").submit("I-10", "grid1", category_code="G03", reporter=CONTACT)
    town.accept("I-10", "worker1", LIMITED, "G03", lead_org="property-1", clock_class=ClockClass.SIMPLE)
    town.say("I-10", "property1", do.Sign())
    assert town.due("I-10", "HANDLE") == "03-27 18:00"
    town.at("03-19 15:00").say("I-5", "property2", CLAIM)
    assert town.marks("I-3", "HANDLE")["clock_breached"] == "03-18 18:00"
    town.at("03-20 09:00").say("I-5", "worker2", do.ApproveCompletion())
    town.at("03-20 10:00").say("I-6", "property1", CLAIM)
    town.say("I-6", "worker1", do.ApproveCompletion())
    assert (town.state("I-5", "HANDLE"), town.state("I-6", "HANDLE")) == ("MET", "MET")

    # step 12
    town.at("03-23 10:00").submit("I-11", "grid2", C2, category_code="B01", reporter=CONTACT)
    contacted(town, "I-11", 2)
    town.say("I-11", "worker2", do.TransferCommunity(to_community=C1, reason="text:r"))
    town.at("03-23 15:00").say("I-11", "worker1", do.AcceptTransfer())
    town.accept("I-11", "worker1", LIMITED, "B01", lead_org="property-1", clock_class=ClockClass.SIMPLE)
    assert (town.issue("I-11").community, town.due("I-11", "HANDLE")) == (C1, "04-01 18:00")
    town.at("03-24 09:00").say("I-11", "property1", do.Sign())
    told_and_visited(town, "I-5", 2, "03-24 10:00")

    # step 13: 大党委 of C3
    on_agenda(town, "M-3", "I-8")
    town.at("03-24 14:30").open_session("M-3")
    assert town.agree("M-3", "I-8", Outcome.ADOPT, lead_org="elder-care").position == "PLANNING"
    minuted(town, "M-3")
    assert town.due("I-8", "PLAN") == "03-31 18:00"

    # steps 10 and 7
    town.at("03-25 09:00").say("I-10", "property1", CLAIM)
    rejected = town.at("03-25 11:00").say("I-10", "worker1", do.RejectCompletion(reason="text:r"))
    assert (rejected.data.rework_count, town.due("I-10", "HANDLE")) == (1, "03-27 18:00")
    told_and_visited(town, "I-6", 1, "03-25 12:00")

    # step 14: 大党委 of C2
    on_agenda(town, "M-2", "I-2")
    on_agenda(town, "M-2", "I-9")
    item = town.item("M-2", "I-2")
    town.at("03-25 14:30").open_session("M-2")
    for member in ("epc2h", "epc2i"):
        town.say("M-2", member, sit.DeclareInterest(item=item))
    town.open_item("M-2", "I-2")
    town.heard("M-2", "I-2")
    town.vote("M-2", "I-2", in_favour=5, against=2)
    town.decide("M-2", "I-2", Outcome.ADOPT, lead_org="property-2")
    town.agree("M-2", "I-9", Outcome.REFER_DEPARTMENT, lead_org="urban-management")
    minuted(town, "M-2")
    assert (town.issue("I-2").position, town.due("I-2", "PLAN")) == ("PLANNING", "04-01 18:00")
    assert (town.due("I-9", "SIGN"), town.due("I-9", "REFER_REPLY")) == ("03-30 18:00", "04-01 18:00")

    # steps 15, 16, 17
    town.at("03-26 09:00").say("I-9", "department", do.Sign())
    assert town.marks("I-3", "HANDLE")["clock_red"] == "03-25 18:00"
    assert (town.listing("I-3").position, town.listing_id("I-3") != "") == ("OPENED", True)
    town.at("03-26 10:00").say("I-10", "property1", CLAIM)
    town.at("03-26 15:00")
    listed = watch.ListCase(responsible_org="drainage", due_on=day("04-03"), public=False)
    assert town.say(town.listing_id("I-3"), "supervisor", listed).position == "LISTED"
    town.at("03-26 17:00")
    town.say("M-1", "clerk1", sit.SendNotice(briefing=True))
    town.say("M-1", "secretary1", sit.AddUrgentItem(topic="I-3"))
    town.at("03-27 09:00").say("I-10", "worker1", do.ApproveCompletion())
    town.at("03-27 15:00").open_session("M-1")
    town.agree("M-1", "I-3", Outcome.ASSIGN, lead_org="drainage", due_on=day("04-03"))
    minuted(town, "M-1")
    town.at("03-30 09:00").say("I-3", "drainage", do.Sign())

    # steps 13, 10, 14
    project = do.AddToProjectList(
        measures="text:m", survey_note="text:s", feasibility="text:f", lead_org="elder-care", due_on=day("05-29")
    )
    assert town.at("03-30 10:00").say("I-8", "worker3", project).position == "IN_PROGRESS"
    told_and_visited(town, "I-10", 1, "03-31 10:00")
    town.at("03-31 11:00").say("I-9", "department", do.ReplyReferral(text="text:t", due_on=day("04-15")))
    assert town.state("I-9", "REFER_REPLY") == "MET"

    town.at("03-31 24:00")
    issues = [town.issue(key) for key in keys]
    assert Counter(issue.data.closure_code for issue in issues if issue.data.closure_code) == {
        ClosureCode.RESOLVED: 5,
        ClosureCode.MERGED: 1,
    }
    assert {issue.id: issue.position for issue in issues if issue.closed_at is None} == {
        "I-2": "PLANNING",
        "I-3": "IN_PROGRESS",
        "I-8": "IN_PROGRESS",
        "I-9": "IN_PROGRESS",
        "I-11": "IN_PROGRESS",
    }
    assert verdicts(town, keys, "03-31 24:00") == {"met": 5, "breached": 1}
    assert overdue(town) == []
    assert town.street.cases[town.listing_id("I-3")].position == "LISTED"
    visited = [issue for issue in issues if issue.data.visits]
    assert [issue.data.satisfaction for issue in visited] == [5] * 5
    assert months(town, "2026-03") == {1: "SLOT_DONE", 2: "SLOT_DONE", 3: "SLOT_DONE"}
    assert town.street.refused == []


def test_m4_october_2026_the_national_day() -> None:
    town = Town("10-01 00:00")
    town.month("2026-10")
    keys = tuple(f"I-{n}" for n in range(41, 47))

    # step 2
    town.at("10-03 08:20").submit("I-44", "grid3", C3, category_code="G01", reporter=CONTACT)
    town.at("10-03 08:30").accept("I-44", "worker3", IMMEDIATE, "G01")
    assert town.due("I-44", "HANDLE") == "10-04 08:30"
    town.at("10-03 18:00").say("I-44", "grid3", CLAIM)
    assert (town.state("I-44", "HANDLE"), town.due("I-44", "FEEDBACK")) == ("MET", "10-09 18:00")
    town.at("10-08 10:00").say("I-44", "worker3", PHONE)
    town.at("10-09 09:00").say("I-44", "worker3", SATISFIED)

    # step 4, and step 10's issue
    town.at("10-09 10:00").submit("I-42", "grid3", C3, category_code="B01")
    town.accept("I-42", "worker3", LIMITED, "B01", lead_org="property-3", clock_class=ClockClass.SIMPLE)
    assert town.due("I-42", "HANDLE") == "10-19 18:00"
    town.submit("I-43", "grid1", C1, category_code="E01")
    town.accept("I-43", "secretary1", SCHEDULED, "E01", **(MODERATE | {"difficulty": Difficulty.HARD}))

    # steps 7 and 8: as S07
    town.at("10-12 09:00").submit("I-46", "grid3", C3)
    town.accept("I-46", "worker3", LIMITED, "Z99", lead_org="power", clock_class=ClockClass.COMPLEX)
    town.at("10-12 11:00").submit("I-41", "resident2", C2, source=Source.RESIDENT, category_code="D02")
    contacted(town, "I-41", 2)
    town.accept("I-41", "worker2", SCHEDULED, "D02", **MODERATE)
    for when, lead, following in (("10-13 10:00", "power", "telecom"), ("10-14 10:00", "telecom", "property-3")):
        town.at(when).say("I-46", lead, do.ReturnOrder(reason="text:r"))
        town.say("I-46", "worker3", do.Dispatch(mode=LIMITED, lead_org=following))
    town.at("10-15 10:00").say("I-46", "property3", do.ReturnOrder(reason="text:r"))
    town.submit("I-45", "integration", C2, source=Source.HOTLINE, external_id="12345-1", category_code="D02")
    assert town.say("I-45", "worker2", do.MergeInto(target="I-41")).position == "CLOSED:MERGED"
    town.at("10-16 10:00").say("I-46", "officer", do.Designate(lead_org="telecom"))
    town.meet("M-1", "10-20 15:00", 1)
    town.meet("M-2", "10-22 15:00", 2)
    town.meet("M-3", "10-28 15:00", 3)

    # step 9
    town.at("10-19 10:00").say("I-46", "telecom", do.Sign())
    assert town.due("I-46", "HANDLE") == "11-02 18:00"
    town.at("10-19 18:00")
    assert town.marks("I-42", "HANDLE") == {"clock_reminded": "10-16 18:00", "clock_breached": "10-19 18:00"}

    # step 10: 大党委 of C1
    on_agenda(town, "M-1", "I-43")
    town.at("10-20 15:00").open_session("M-1")
    town.open_item("M-1", "I-43")
    town.heard("M-1", "I-43")
    assert town.decide("M-1", "I-43", Outcome.CONSULT).position == "DEFERRED:CONSULTATION"
    minuted(town, "M-1")

    # step 11: postponed once, on the day
    on_agenda(town, "M-2", "I-41")
    town.at("10-22 09:00")
    postponed = town.say("M-2", "secretary2", sit.Postpone(scheduled_at=moment("10-29 15:00"), reason="text:r"))
    assert postponed.position == "AGENDA_OPEN"
    again = sit.Postpone(scheduled_at=moment("10-30 15:00"), reason="text:r")
    assert town.refused("M-2", "secretary2", again) == "POSTPONED_ALREADY"

    # steps 9 and 11
    town.at("10-26 18:00")
    assert town.marks("I-42", "HANDLE")["clock_red"] == "10-26 18:00"
    listing = town.listing_id("I-42")
    assert town.due(listing, "LIST") == "10-27 18:00"
    town.at("10-27 10:00")
    town.say(listing, "supervisor", watch.ListCase(responsible_org="drainage", due_on=day("11-06"), public=False))

    # step 12: 大党委 of C3
    assert town.when("M-3", "agenda_frozen") == "10-25 15:00"
    town.at("10-28 09:00").say("M-3", "clerk3", sit.SendNotice(briefing=True))
    town.say("M-3", "secretary3", sit.AddUrgentItem(topic="I-42"))
    town.at("10-28 15:00").open_session("M-3")
    town.agree("M-3", "I-42", Outcome.ASSIGN, lead_org="drainage", due_on=day("11-06"))
    minuted(town, "M-3")
    town.at("10-29 09:00").say("I-42", "drainage", do.Sign())
    assert town.due("I-42", "HANDLE") == "11-06 18:00"
    town.at("10-29 15:00").say("M-2", "clerk2", sit.SendNotice())
    assert town.at("10-29 15:30").open_session("M-2", present=4).state == "INQUORATE"
    carried = town.issue("I-41")
    assert (carried.position, carried.data.carry_over) == ("TOPIC_PROPOSED", 1)

    # step 13
    town.at("10-31 24:00")
    missed = town.slot("2026-10", 2)
    assert (missed.position, town.due(missed.id, "MAKE_UP")) == ("SLOT_MISSED", "11-10 24:00")
    assert town.issue("I-41").data.carry_over == 1
    issues = [town.issue(key) for key in keys]
    assert Counter(issue.data.closure_code for issue in issues if issue.data.closure_code) == {
        ClosureCode.RESOLVED: 1,
        ClosureCode.MERGED: 1,
    }
    assert sum(issue.closed_at is None for issue in issues) == 4
    assert verdicts(town, keys, "10-31 24:00") == {"met": 1, "breached": 1}
    assert overdue(town) == [(missed.id, "SLOT")]
    assert months(town, "2026-10") == {1: "SLOT_DONE", 2: "SLOT_MISSED", 3: "SLOT_DONE"}
    assert town.street.cases[listing].position == "LISTED"
    assert town.street.refused == []
