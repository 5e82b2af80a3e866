"""S01–S24 of scenarios.md with their exact times: the rules of an issue on the simulator.

Meetings and notices are cases of their own, on the same street; what a consultation brings is told by hand.
"""

from typing import Any

import pytest

from tests.scenarios.street import C1, C2, C3, CONTACT, EVIDENCE, STREET, TWO_COMMITTEES, Town, day
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
    StreetOutcome,
    SuspensionClass,
    Timing,
)
from workflows.kernel.masking import find
from workflows.kernel.process import VersionConflict
from workflows.meeting import commands as sit
from workflows.meeting.data import Choice, Outcome
from workflows.notice import commands as hang
from workflows.supervision import rules as watch

IMMEDIATE, LIMITED, SCHEDULED = HandlingMode.IMMEDIATE, HandlingMode.TIME_LIMITED, HandlingMode.SCHEDULED
SIMPLE, COMPLEX = ClockClass.SIMPLE, ClockClass.COMPLEX
PHONE = do.GiveFeedback(audience=Audience.INDIVIDUAL, timing=Timing.ANYTIME, channel=Channel.PHONE, text="text:done")
BOARD = do.GiveFeedback(
    audience=Audience.PUBLIC, timing=Timing.ANYTIME, channel=Channel.NOTICE_BOARD, text="text:public"
)
CLAIM = do.ClaimCompletion(text="text:done", evidence=EVIDENCE)
SATISFIED = do.RecordVisit(contacted=True, solved=Solved.YES, satisfaction=5)
LEAKS_STILL = do.RecordVisit(contacted=True, solved=Solved.NO, satisfaction=1, demand_reasonable=True)


def s01() -> Town:
    """楼道堆物, handled on the spot and closed on 03-05."""
    town = Town("03-03 09:10")
    town.submit("i", "grid1", category_code="A02", evidence=EVIDENCE, reporter=CONTACT)
    town.at("03-03 09:40").accept("i", "worker1", IMMEDIATE, "A02", level="L1", helper_orgs=("property-1",))
    town.at("03-03 16:20").say("i", "grid1", CLAIM)
    town.at("03-03 17:20").say("i", "worker1", PHONE)
    town.at("03-05 10:00").say("i", "worker1", SATISFIED)
    return town


def topic(town: Town, key: str = "i", community: str = C1, category: str = "D02", **fields: object) -> None:
    """A topic of the 大党委, unless said otherwise."""
    number = community[-1]
    town.submit(key, f"grid{number}", community)
    given = {"difficulty": Difficulty.MODERATE, "difficulty_reasons": (DifficultyReason.MANY_HOUSEHOLDS,), **fields}
    town.accept(key, f"worker{number}", SCHEDULED, category, **given)


def opened(town: Town, meeting: str, key: str = "i") -> None:
    """A party is heard on the opened item."""
    town.open_item(meeting, key)
    town.heard(meeting, key)


def test_s01_goods_in_the_stairway_are_handled_on_the_spot() -> None:
    town = Town("03-03 09:10")
    town.submit("i", "grid1", category_code="A02", evidence=EVIDENCE, reporter=CONTACT)
    assert town.due("i", "TRIAGE") == "03-04 18:00"
    assert town.due("i", "RESPONSE") == "03-04 09:10"

    accepted = town.at("03-03 09:40").accept("i", "worker1", IMMEDIATE, "A02", level="L1", helper_orgs=("property-1",))
    assert accepted.position == "IN_PROGRESS"
    assert town.state("i", "TRIAGE") == "MET"
    assert town.due("i", "HANDLE") == "03-04 09:40"

    assert town.at("03-03 16:20").say("i", "grid1", CLAIM).position == "FEEDBACK_DUE"
    assert "auto_approved" in town.types("i")
    assert town.due("i", "FEEDBACK") == "03-05 18:00"

    assert town.at("03-03 17:20").say("i", "worker1", PHONE).position == "RETURN_VISIT"
    assert town.due("i", "RETURN") == "03-06 18:00"

    done = town.at("03-05 10:00").say("i", "worker1", SATISFIED)
    assert done.position == "CLOSED:RESOLVED"
    assert done.data.fast_path is IMMEDIATE
    assert done.data.decided_at is None
    states = {event.change.to.partition(":")[0] for event in town.street.histories["i"]}
    assert not states & {"TOPIC_PROPOSED", "ON_AGENDA", "UNDER_DISCUSSION", "DEFERRED"}


def test_s02_hour_clocks_run_through_the_spring_festival() -> None:
    town = Town("02-17 21:05")
    town.submit("i", "grid1", category_code="C01", reporter=CONTACT)
    town.accept("i", "worker1", IMMEDIATE, "C01", urgent=True, lead_org="heating")
    assert town.due("i", "HANDLE") == "02-17 23:05"

    town.at("02-17 22:30")
    assert town.marks("i", "HANDLE") == {"clock_reminded": "02-17 22:05"}
    town.at("02-17 22:40").say("i", "heating", CLAIM)
    assert town.state("i", "HANDLE") == "MET"
    assert town.due("i", "FEEDBACK") == "02-25 18:00"


def s03() -> Town:
    """下水道堵塞 in C1, nothing done until RED."""
    town = Town("03-09 10:00")
    town.submit("i", "grid1", category_code="B01")
    town.accept("i", "worker1", LIMITED, "B01", lead_org="property-1", clock_class=SIMPLE)
    return town


def test_s03_a_blocked_sewer_climbs_to_the_extended_party_committee() -> None:
    town = s03()
    assert (town.due("i", "SIGN"), town.due("i", "HANDLE")) == ("03-10 18:00", "03-18 18:00")

    # The 大党委 meets on 03-27 15:00; its agenda is frozen on 03-24 15:00, before the issue is RED.
    town.at("03-20 09:00").meet("m", "03-27 15:00")
    town.at("03-24 15:00")
    assert town.meeting("m").state == "AGENDA_FROZEN"
    town.say("m", "clerk1", sit.SendNotice(briefing=True))

    town.at("03-26 12:00")
    assert town.marks("i", "HANDLE") == {
        "clock_reminded": "03-17 18:00",
        "clock_breached": "03-18 18:00",
        "clock_red": "03-25 18:00",
        "escalated": "03-25 18:00",
    }
    assert town.told("i", "03-17 18:00") == {("property-1", "clock_blue")}
    assert town.told("i", "03-18 18:00") == {(to, "clock_yellow") for to in ("property-1", C1, STREET)}
    escalated = town.issue("i").data.escalated
    assert escalated is not None
    assert (escalated.body, escalated.reason) == ("EXTENDED_PARTY_COMMITTEE", "RED")
    listing = town.listing_id("i")
    assert (town.listing("i").position, town.due(listing, "LIST")) == ("OPENED", "03-26 18:00")

    town.at("03-26 15:00")
    town.say(listing, "supervisor", watch.ListCase(responsible_org="drainage", due_on=day("04-03"), public=False))
    assert town.meeting("m").state == "NOTICED"
    assert "i" not in {item.subject_id for item in town.meeting("m").data.items.values()}

    town.at("03-26 17:00")
    assert town.refused("m", "clerk1", sit.AddUrgentItem(topic="i")) == "NOT_IN_ROLE"
    town.say("m", "secretary1", sit.AddUrgentItem(topic="i"))
    town.at("03-27 15:00").open_session("m")
    decided = town.agree("m", "i", Outcome.ASSIGN, lead_org="drainage", due_on=day("04-03"))
    assert decided.position == "ASSIGNED"
    assert town.due("i", "HANDLE") == "04-03 18:00"
    for code in ("SIGN", "HANDLE"):
        old, new = town.clocks("i", code)
        assert (old.state, old.close_reason, new.state) == ("CANCELLED", "SUPERSEDED", "RUNNING")
        assert old.breached_at is not None
    assert town.listing("i").position == "LISTED"

    town.at("03-30 09:00").say("i", "drainage", do.Sign())
    town.at("04-02 09:00").say(listing, "drainage", watch.ReportRectified(evidence=EVIDENCE))
    town.say(listing, "supervisor", watch.Delist(evidence=EVIDENCE))
    assert (town.listing("i").position if town.issue("i").data.supervision_id else "gone") == "gone"
    assert town.street.cases[listing].position == "DELISTED"
    assert (town.issue("i").position, town.issue("i").data.red) == ("FEEDBACK_DUE", False)


def test_s03_an_issue_without_danger_or_red_is_no_urgent_item() -> None:
    town = Town("03-09 10:00")
    topic(town)
    town.meet("m", "03-27 15:00")

    assert town.refused("m", "secretary1", sit.AddUrgentItem(topic="i")) == "NOT_URGENT"


def test_s04_a_lift_goes_through_all_five_steps() -> None:
    town = Town("04-07 09:00")
    town.submit("i", "grid1", general_concern=True, reporter=CONTACT)
    hard = {"difficulty": Difficulty.HARD, "difficulty_reasons": (DifficultyReason.MANY_HOUSEHOLDS,)}
    easy = do.AcceptToProblemList(mode=SCHEDULED, category_code="E01", **hard)  # type: ignore[arg-type]
    assert town.refused("i", "worker1", easy) == "HARD_NEEDS_CHAIR"

    accepted = town.accept("i", "secretary1", SCHEDULED, "E01", **hard)
    assert (accepted.position, accepted.level) == ("TOPIC_PROPOSED", "L2")
    assert accepted.data.topic_body == "EXTENDED_PARTY_COMMITTEE"
    assert (town.due("i", "AGENDA"), town.due("i", "OVERALL")) == ("04-30 24:00", "07-06 24:00")

    town.at("04-14 09:00").meet("m1", "04-21 15:00")
    town.at("04-21 15:00").open_session("m1")
    opened(town, "m1")
    town.heard("m1", "i", written=True)
    assert town.issue("i").data.statements == 2
    assert town.decide("m1", "i", Outcome.CONSULT).position == "DEFERRED:CONSULTATION"
    assert town.due("i", "CONSULT") == "05-31 24:00"

    town.at("05-15 10:00")
    result = do.RecordConsultation(conclusion="PARTIAL", text="text:vote", evidence=EVIDENCE)
    back = town.say("i", "worker1", result)
    assert (back.position, back.data.topic_first, back.data.consultation) == ("TOPIC_PROPOSED", True, "PARTIAL")
    assert town.state("i", "CONSULT") == "MET"

    town.meet("m2", "05-20 15:00")
    town.at("05-20 15:00").open_session("m2")
    assert town.meeting("m2").data.items[town.item("m2", "i")].first
    item = town.open_item("m2", "i")
    town.vote("m2", "i", in_favour=9)
    adopted = sit.RecordDecision(item=item, outcome=Outcome.ADOPT, text="text:d", lead_org="owners-2")
    assert town.refused("m2", "secretary1", adopted) == "NOT_HEARD"
    town.heard("m2", "i")
    town.say("m2", "secretary1", adopted)
    assert town.issue("i").position == "PLANNING"
    assert town.due("i", "PLAN") == "05-27 18:00"

    town.at("05-26 10:00")
    project = do.AddToProjectList(
        measures="text:m",
        survey_note="text:s",
        feasibility="text:f",
        lead_org="community-1",
        helper_orgs=("owners-2",),
        budget=600000,
        funding_source="业主自筹",
        milestones=(do.Milestone(title="text:m1", due_on=day("06-10")),),
        due_on=day("07-03"),
    )
    assert town.say("i", "worker1", project).position == "IN_PROGRESS"
    assert (town.due("i", "HANDLE"), town.due("i", "MILESTONE")) == ("07-03 18:00", "06-10 18:00")
    town.at("06-09 10:00").say("i", "worker1", do.MilestoneDone(milestone="m1"))
    assert town.state("i", "MILESTONE") == "MET"
    town.at("06-30 10:00").say("i", "worker1", CLAIM)
    town.at("06-30 15:00").say("i", "worker1b", do.ApproveCompletion())
    assert town.state("i", "OVERALL") == "MET"

    assert town.say("i", "worker1b", PHONE).position == "FEEDBACK_DUE"
    assert town.say("i", "worker1b", BOARD).position == "RETURN_VISIT"
    assert town.due("i", "PUBLICATION") == "07-07 24:00"
    assert town.say("i", "worker1b", SATISFIED).position == "CLOSED:RESOLVED"


def test_s05_two_ties_raise_the_level() -> None:
    town = Town("04-07 09:00")
    topic(town, community=C2, category="F01", difficulty=Difficulty.EASY, difficulty_reasons=())
    assert (town.issue("i").level, town.issue("i").data.topic_body) == ("L1", "TWO_COMMITTEES")
    for key, at, position, level in (
        ("m1", "04-13 15:00", "DEFERRED", "L1"),
        ("m2", "04-20 15:00", "TOPIC_PROPOSED", "L2"),
    ):
        town.meet(key, at, 2, TWO_COMMITTEES)
        town.at(at).open_session(key)
        opened(town, key)
        town.vote(key, "i", in_favour=4, against=4)
        item = town.meeting(key).data.items[town.item(key, "i")]
        assert (item.result, item.outcome) == ("TIE", None)
        assert (town.issue("i").position, town.issue("i").level) == (position, level)
        town.adjourn(key)
    assert town.issue("i").data.topic_body == "EXTENDED_PARTY_COMMITTEE"
    assert town.street.refused == []


def test_s05_a_tie_is_no_majority_for_the_chair_to_break() -> None:
    town = Town("04-07 09:00")
    topic(town, community=C2)
    town.meet("m", "04-22 15:00", 2)
    town.at("04-22 15:00").open_session("m")
    opened(town, "m")
    town.vote("m", "i", in_favour=3, against=4, abstain=2)

    item = town.item("m", "i")
    decision = sit.RecordDecision(item=item, outcome=Outcome.ADOPT, text="text:d", lead_org="property-2")
    assert town.refused("m", "secretary2", decision) == "VOTE_NOT_PASSED"


def s06(interested: int) -> Town:
    """地面停车收费方案 of C2 before nine members, of whom so many declare an interest."""
    town = Town("03-11 09:00")
    topic(town, community=C2)
    town.meet("m", "03-25 14:30", 2)
    town.at("03-22 15:00").say("m", "clerk2", sit.SendNotice())
    for member in town.members("m")[-interested:]:
        town.say("m", member, sit.DeclareInterest(item=town.item("m", "i")))
    town.at("03-25 14:30").open_session("m")
    return town


def test_s06_a_vote_passes_without_those_who_are_interested() -> None:
    town = s06(2)
    opened(town, "m")
    assert town.refused("m", "epc2i", sit.RecordVote(item=town.item("m", "i"), choice=Choice.FOR)) == "RECUSED"
    town.vote("m", "i", in_favour=4, against=3)

    assert (town.issue("i").position, town.issue("i").data.tally) == ("UNDER_DISCUSSION", "PASSED")
    notes = next(one.change.notes for one in town.street.histories["i"] if one.type == "record_tally")
    assert (notes["members"], notes["recused"], notes["in_favour"], notes["against"]) == (9, 2, 4, 3)
    assert town.decide("m", "i", Outcome.ADOPT, lead_org="property-2").position == "PLANNING"


def test_s06_too_few_eligible_members_send_it_to_the_street() -> None:
    town = s06(5)

    item = town.open_item("m", "i")
    assert town.meeting("m").data.items[item].result == "INSUFFICIENT_ELIGIBLE"
    sent = town.issue("i")
    assert (sent.position, sent.level) == ("TOPIC_PROPOSED", "L3")
    assert (sent.data.topic_body, sent.data.topic_reason) == ("SUBDISTRICT", "INSUFFICIENT_ELIGIBLE")


def test_s07_the_third_return_is_none_and_the_street_designates() -> None:
    town = Town("10-12 09:00")
    town.submit("i", "grid3", C3)
    town.accept("i", "worker3", LIMITED, "Z99", lead_org="power", clock_class=COMPLEX)
    assert town.due("i", "HANDLE") == "11-02 18:00"

    for when, lead, following in (("10-13 10:00", "power", "telecom"), ("10-14 10:00", "telecom", "property-3")):
        returned = town.at(when).say("i", lead, do.ReturnOrder(reason="text:r"))
        assert returned.position == "ON_PROBLEM_LIST"
        assert town.due("i", "TRIAGE") == f"10-{int(when[3:5]) + 1} 18:00"
        town.say("i", "worker3", do.Dispatch(mode=LIMITED, lead_org=following))

    asked = town.at("10-15 10:00").say("i", "property3", do.ReturnOrder(reason="text:r"))
    assert (asked.position, asked.data.lead_org, asked.data.returns) == ("ASSIGNED:DESIGNATION_ASKED", "property-3", 2)
    assert town.due("i", "DESIGNATE") == "10-19 18:00"
    assert town.clock("i", "DESIGNATE").owner == STREET

    named = town.at("10-16 10:00").say("i", "officer", do.Designate(lead_org="telecom"))
    assert (named.position, named.data.designated) == ("ASSIGNED", True)
    assert town.refused("i", "telecom", do.ReturnOrder(reason="text:r")) == "DESIGNATED"
    (handle,) = town.clocks("i", "HANDLE")
    assert (town.due("i", "HANDLE"), handle.state) == ("11-02 18:00", "RUNNING")


def test_s07_an_order_is_returned_within_one_working_day_or_not_at_all() -> None:
    town = Town("10-12 09:00")
    town.submit("i", "grid3", C3)
    town.accept("i", "worker3", LIMITED, "Z99", lead_org="power", clock_class=COMPLEX)

    town.at("10-13 18:01")
    assert town.refused("i", "power", do.ReturnOrder(reason="text:r")) == "RETURN_WINDOW_OVER"


def s08() -> Town:
    """补植树木 in C1, in progress, HANDLE due 08-14 18:00."""
    town = Town("08-05 09:00")
    town.submit("i", "grid1", category_code="J01")
    town.accept("i", "worker1", LIMITED, "J01", lead_org="property-1", clock_class=SIMPLE)
    town.at("08-05 15:00").say("i", "property1", do.Sign())
    assert town.due("i", "HANDLE") == "08-14 18:00"
    return town


def test_s08_extensions_climb_and_a_suspension_is_no_silent_parking() -> None:
    town = s08()
    # Seven working days after 08-14: 08-25.
    town.at("08-12 10:00").say("i", "property1", do.RequestExtension(to=day("08-25"), reason="text:r"))
    assert town.refused("i", "officer", do.DecideExtension(approve=True)) == "NOT_IN_ROLE"
    extended = town.say("i", "secretary1", do.DecideExtension(approve=True))
    handle = town.clock("i", "HANDLE")
    assert (town.due("i", "HANDLE"), extended.data.extensions) == ("08-25 18:00", 1)
    assert handle.original_due_at is not None
    assert handle.original_due_at.strftime("%m-%d %H:%M") == "08-14 18:00"

    town.at("08-18 10:00").say("i", "property1", do.RequestExtension(to=day("09-03"), reason="text:r"))
    assert town.refused("i", "secretary1", do.DecideExtension(approve=True)) == "NOT_IN_ROLE"
    town.say("i", "officer", do.DecideExtension(approve=True))
    assert town.due("i", "HANDLE") == "09-03 18:00"
    third = do.RequestExtension(to=day("09-10"), reason="text:r")
    assert town.refused("i", "property1", third) == "EXTENSIONS_USED"

    town.at("08-20 10:00")
    town.say("i", "property1", do.RequestSuspension(class_=SuspensionClass.SEASONAL, reason="text:r"))
    assert town.refused("i", "secretary1", do.DecideSuspension(approve=True)) == "NOT_IN_ROLE"
    suspended = town.say("i", "officer", do.DecideSuspension(approve=True))
    assert (suspended.position, town.state("i", "HANDLE")) == ("SUSPENDED", "PAUSED")
    assert (town.due("i", "SUSPEND_REVIEW"), town.due("i", "SUSPEND_MAX")) == ("09-19 24:00", "2027-02-16 24:00")

    town.at("2027-02-16 24:00")
    returned = town.issue("i")
    assert (returned.position, returned.data.topic_body) == ("TOPIC_PROPOSED", "EXTENDED_PARTY_COMMITTEE")
    assert returned.data.topic_reason == "SUSPENDED_TOO_LONG"
    assert town.when("i", "suspended_too_long") == "2027-02-16 24:00"
    assert town.due("i", "AGENDA") == "2027-02-28 24:00"


def test_s08_a_suspension_is_looked_at_every_thirty_days_and_its_days_are_added() -> None:
    town = s08()
    town.at("08-10 10:00")
    town.say("i", "property1", do.RequestSuspension(class_=SuspensionClass.FUNDING, reason="text:r"))
    town.say("i", "officer", do.DecideSuspension(approve=True))

    town.at("09-09 10:00").say("i", "supervisor", do.ReviewSuspension(conditions_exist=False))
    assert [clock.state.value for clock in town.clocks("i", "SUSPEND_REVIEW")] == ["MET", "RUNNING"]
    assert town.due("i", "SUSPEND_REVIEW") == "10-09 24:00"

    # Paused on Monday 08-10, resumed on Monday 09-14: 25 working days, so 08-14 becomes 09-18.
    assert town.at("09-14 10:00").say("i", "officer", do.Resume(reason="text:r")).position == "IN_PROGRESS"
    assert town.due("i", "HANDLE") == "09-18 18:00"


def test_s09_two_reports_of_one_lamp_are_one_issue() -> None:
    town = Town("03-12 09:00")
    town.submit("lamp", "grid1", category_code="B03", reporter=CONTACT)
    town.at("03-12 19:00").submit("again", "resident1", category_code="B03", source=Source.RESIDENT)

    merged = town.at("03-13 09:00").say("again", "worker1", do.MergeInto(target="lamp"))
    assert (merged.position, merged.data.merged_into) == ("CLOSED:MERGED", "lamp")
    target = town.issue("lamp").data
    assert (target.followers, target.duplicates) == (("resident1",), ("again",))
    assert target.counted_from == target.registered_at == town.street.histories["lamp"][0].at
    assert town.refused("again", "resident1", do.Reopen(reason="text:r")) == "WRONG_STATE"


def test_s09_the_earliest_registration_counts_whichever_way_they_are_merged() -> None:
    town = Town("03-12 09:00")
    town.submit("first", "grid1", category_code="B03")
    town.at("03-12 19:00").submit("second", "resident1", category_code="B03", source=Source.RESIDENT)

    town.say("first", "worker1", do.MergeInto(target="second"))
    target = town.issue("second").data
    assert target.registered_at == town.street.histories["second"][0].at
    assert target.counted_from == town.street.histories["first"][0].at


def test_s09_an_anonymous_issue_answers_the_reporter_of_its_duplicate() -> None:
    town = Town("03-12 09:00")
    town.submit("lamp", "grid1", category_code="B03", anonymous=True)
    town.submit("again", "grid1", category_code="B03", reporter=CONTACT)
    town.say("again", "worker1", do.MergeInto(target="lamp"))

    town.accept("lamp", "worker1", IMMEDIATE, "B03")
    town.say("lamp", "grid1", CLAIM)
    assert town.say("lamp", "worker1", PHONE).position == "RETURN_VISIT"


def test_s10_an_issue_with_three_matters_becomes_three() -> None:
    town = Town("05-12 09:00")
    topic(town, community=C2, category="F01")
    registered = town.issue("i").data.registered_at
    children = tuple(
        do.Child(title=f"text:t{n}", description=f"text:d{n}", lead_org=lead)
        for n, lead in enumerate(("property-2", "owners-2", "community-2"))
    )

    parent = town.at("05-13 10:00").say("i", "worker2", do.Split(children=children))
    assert parent.position == "CLOSED:SPLIT"
    parts = [case for key, case in town.street.cases.items() if key != "i"]
    assert [part.position for part in parts] == ["ON_PROBLEM_LIST"] * 3
    assert {part.data.registered_at for part in parts} == {registered}
    assert {part.data.group_id for part in (*parts, parent)} == {"i"}
    assert {town.due(part.id, "TRIAGE") for part in parts} == {"05-14 18:00"}

    sent = town.say(parts[0].id, "worker2", do.Dispatch(mode=LIMITED))
    assert (sent.position, sent.data.lead_org) == ("ASSIGNED", "property-2")


def test_s11_a_resident_withdraws_his_own_issue() -> None:
    town = Town("03-03 09:00")
    town.submit("i", "resident1", category_code="A05", source=Source.RESIDENT)

    assert town.refused("i", "resident1b", do.Withdraw(reason="text:r")) == "NOT_IN_ROLE"
    assert town.say("i", "resident1", do.Withdraw(reason="text:r")).position == "CLOSED:WITHDRAWN"
    assert {clock.state for clock in town.clocks("i", "TRIAGE")} == {"CANCELLED"}


def test_s11_danger_stays_when_its_reporter_leaves() -> None:
    town = Town("03-03 09:00")
    town.submit("i", "resident2", C2, category_code="G02", source=Source.RESIDENT)
    assert town.issue("i").data.danger

    assert town.refused("i", "resident2", do.Withdraw(reason="text:r")) == "WITHDRAW_DANGER"
    left = town.say("i", "resident2", do.Unsubscribe())
    assert (left.position, left.data.reporter_id, left.data.identified) == ("REGISTERED", None, False)
    assert town.state("i", "RESPONSE") == "CANCELLED"


@pytest.mark.parametrize(("fields", "by"), [({}, "resident1"), ({"anonymous": True}, "resident1b")])
def test_s11_nobody_withdraws_what_somebody_else_brought_in(fields: dict[str, Any], by: str) -> None:
    town = Town("03-03 09:00")
    town.submit("i", "grid1", category_code="A05", **fields)

    assert town.refused("i", by, do.Withdraw(reason="text:r")) == "NOT_THE_REPORTER"


def test_s12_a_decline_can_be_objected_to_once() -> None:
    town = Town("04-01 09:00")
    town.submit("i", "grid1", reporter=CONTACT)
    town.at("04-01 10:00").say("i", "worker1", do.Decline(reason="text:12315"))
    assert town.state("i", "TRIAGE") == "RUNNING"

    declined = town.at("04-01 15:00").say("i", "vice1", do.ConfirmDecline())
    assert declined.position == "CLOSED:NOT_ACCEPTED"
    assert (town.state("i", "TRIAGE"), town.due("i", "OBJECT_DECLINE")) == ("MET", "04-09 18:00")

    objected = town.at("04-08 10:00").say("i", "resident1b", do.ObjectToDecline(reason="text:r"))
    assert (objected.position, town.state("i", "OBJECT_DECLINE")) == ("REGISTERED", "MET")
    assert town.street.histories["i"][-1].change.notes["reviewer"] == "party_secretary"
    assert town.due("i", "TRIAGE") == "04-09 18:00"

    town.say("i", "worker1", do.Decline(reason="text:12315"))
    town.say("i", "vice1", do.ConfirmDecline())
    assert town.refused("i", "resident1b", do.ObjectToDecline(reason="text:r")) == "OBJECTED_ALREADY"


def test_s12_the_window_for_an_objection_ends() -> None:
    town = Town("04-01 09:00")
    town.submit("i", "grid1")
    town.say("i", "worker1", do.Decline(reason="text:12315"))
    town.say("i", "vice1", do.ConfirmDecline())

    town.at("04-09 18:01")
    assert town.refused("i", "resident1b", do.ObjectToDecline(reason="text:r")) == "WINDOW_OVER"


def test_s13_another_community_takes_it_with_its_old_time() -> None:
    town = Town("03-23 10:00")
    town.submit("i", "grid2", C2)
    registered = town.issue("i").data.registered_at

    pending = town.say("i", "worker2", do.TransferCommunity(to_community=C1, reason="text:r"))
    assert (pending.position, town.due("i", "TRANSFER")) == ("REGISTERED:TRANSFER_PENDING", "03-24 18:00")
    assert (town.clock("i", "TRANSFER").owner, town.state("i", "TRIAGE")) == (C1, "MET")
    assert town.refused("i", "worker2", do.AcceptTransfer()) == "NOT_IN_ROLE"
    assert town.refused("i", "officer", do.DecideTransfer(community=C1)) == "RECEIVER_HAS_TIME"

    taken = town.at("03-23 15:00").say("i", "worker1", do.AcceptTransfer())
    assert (taken.community, taken.position, taken.data.registered_at) == (C1, "REGISTERED", registered)
    assert (town.state("i", "TRANSFER"), town.due("i", "TRIAGE")) == ("MET", "03-24 18:00")


def test_s13_the_street_decides_when_the_receiver_is_silent() -> None:
    town = Town("03-23 10:00")
    town.submit("i", "grid2", C2)
    town.say("i", "worker2", do.TransferCommunity(to_community=C1, reason="text:r"))

    town.at("03-24 18:00")
    assert town.state("i", "TRANSFER") == "BREACHED"
    assert town.refused("i", "officer", do.DecideTransfer(community="620199002001")) == "OTHER_SUBDISTRICT"
    decided = town.at("03-25 09:00").say("i", "officer", do.DecideTransfer(community=C1))
    assert (decided.community, town.state("i", "TRANSFER"), town.due("i", "TRIAGE")) == (C1, "MET_LATE", "03-26 18:00")


FOUR_WAYS = (
    (Audience.PUBLIC, Timing.CENTRALIZED, Channel.SYMPOSIUM),
    (Audience.PUBLIC, Timing.ANYTIME, Channel.NOTICE_BOARD),
    (Audience.INDIVIDUAL, Timing.CENTRALIZED, Channel.LETTER),
    (Audience.INDIVIDUAL, Timing.ANYTIME, Channel.PHONE),
)


def solved_on(when: str, **fields: object) -> Town:
    """An issue of C1 whose result has to be told."""
    town = Town(when)
    town.submit("i", "grid1", category_code="A01", **{"reporter": CONTACT, **fields})
    town.accept("i", "worker1", IMMEDIATE, "A01")
    town.say("i", "grid1", CLAIM)
    return town


@pytest.mark.parametrize(("audience", "timing", "channel"), FOUR_WAYS)
def test_s14_there_are_four_ways_of_feedback(audience: Audience, timing: Timing, channel: Channel) -> None:
    town = solved_on("04-15 09:00")
    given = do.GiveFeedback(audience=audience, timing=timing, channel=channel, text="text:t")

    assert town.say("i", "worker1", given).position == "RETURN_VISIT"
    assert town.state("i", "FEEDBACK") == "MET"


def test_s14_a_posting_stays_seven_days() -> None:
    town = solved_on("04-15 09:00")
    town.say("i", "worker1", BOARD)
    notice = town.issue("i").data.notice
    assert notice is not None
    assert (town.due("i", "PUBLICATION"), town.due(notice, "NOTICE")) == ("04-22 24:00", "04-22 24:00")
    town.at("04-16 09:00").say("i", "worker1", SATISFIED)

    town.at("04-20 09:00")
    assert town.refused(notice, "worker1", hang.TakeDown()) == "NOTICE_RUNNING"
    assert town.at("04-23 09:00").say(notice, "worker1", hang.TakeDown()).position == "ENDED:TAKEN_DOWN"


def test_s14_what_concerns_everybody_is_told_in_public_too() -> None:
    town = solved_on("04-15 09:00", general_concern=True)

    told = town.say("i", "worker1", PHONE)
    assert (told.position, town.state("i", "FEEDBACK")) == ("FEEDBACK_DUE", "RUNNING")
    assert town.refused("i", "worker1", SATISFIED) == "WRONG_STATE"
    assert town.say("i", "worker1", BOARD).position == "RETURN_VISIT"


def s15() -> Town:
    """A SIMPLE issue, done and told, on its return visit on 04-08."""
    town = Town("03-30 09:00")
    town.submit("i", "grid1", category_code="B01", reporter=CONTACT)
    town.accept("i", "worker1", LIMITED, "B01", lead_org="property-1", clock_class=SIMPLE)
    town.say("i", "property1", do.Sign())
    _done(town.at("04-07 09:00"))
    town.at("04-08 10:00")
    return town


def _done(town: Town) -> None:
    town.say("i", "property1", CLAIM)
    town.say("i", "worker1", do.ApproveCompletion())
    town.say("i", "worker1", PHONE)


def test_s15_a_dissatisfied_reporter_has_it_done_again_in_half_the_time() -> None:
    town = s15()
    redone = town.say("i", "worker1", LEAKS_STILL)
    assert (redone.position, redone.data.rework_count) == ("IN_PROGRESS", 1)
    assert (town.state("i", "RETURN"), town.due("i", "HANDLE")) == ("MET", "04-14 18:00")

    town.at("04-10 09:00")
    _done(town)
    disputed = town.say("i", "worker1", LEAKS_STILL)
    assert (disputed.position, town.due("i", "DISPUTE")) == ("RETURN_VISIT:DISPUTED", "04-15 18:00")
    closed = town.say("i", "supervisor", do.DecideDispute(outcome="CLOSE", explanation="text:letter"))
    assert (closed.position, town.state("i", "DISPUTE")) == ("CLOSED:EXPLAINED", "MET")


def test_s15_the_supervisor_may_list_a_dispute() -> None:
    town = s15()
    town.say("i", "worker1", LEAKS_STILL)
    town.at("04-10 09:00")
    _done(town)
    town.say("i", "worker1", LEAKS_STILL)

    again = town.say("i", "supervisor", do.DecideDispute(outcome="SUPERVISE", explanation="text:letter"))
    assert (again.position, town.due("i", "HANDLE")) == ("IN_PROGRESS", "04-16 18:00")
    assert town.listing("i").position == "OPENED"


def test_s15_a_demand_that_is_not_reasonable_goes_to_the_supervisor_at_once() -> None:
    town = s15()
    visit = do.RecordVisit(contacted=True, satisfaction=1, demand_reasonable=False)

    assert town.say("i", "worker1", visit).position == "RETURN_VISIT:DISPUTED"


def test_s16_a_closed_issue_is_reopened_within_fifteen_days() -> None:
    town = s01()
    assert town.due("i", "REOPEN") == "03-20 24:00"

    reopened = town.at("03-19 10:00").say("i", "resident1b", do.Reopen(reason="text:r"))
    assert (reopened.position, reopened.data.reopen_count) == ("IN_PROGRESS", 1)
    assert reopened.closed_at is None
    # Hour clocks are just halved: 24 hours become 12.
    assert town.due("i", "HANDLE") == "03-19 22:00"


def test_s16_after_the_window_only_a_spot_check_reopens() -> None:
    town = s01()
    town.at("03-23 10:00")

    assert town.refused("i", "resident1b", do.Reopen(reason="text:r")) == "WINDOW_OVER"
    assert town.at("06-01 10:00").say("i", "supervisor", do.Reopen(reason="text:r")).position == "IN_PROGRESS"


def test_s17_only_the_extended_party_committee_refers_to_a_department() -> None:
    town = Town("05-12 09:00")
    topic(town, community=C2, category="A04", difficulty=Difficulty.EASY, difficulty_reasons=())
    town.meet("m", "05-20 10:00", 2, TWO_COMMITTEES)
    town.at("05-20 10:00").open_session("m")
    opened(town, "m")
    town.vote("m", "i", in_favour=8)

    refer = sit.RecordDecision(
        item=town.item("m", "i"), outcome=Outcome.REFER_DEPARTMENT, text="text:d", lead_org="urban-management"
    )
    assert town.refused("m", "secretary2", refer) == "BODY_NOT_ALLOWED"


def s17() -> Town:
    """违建 of C2, referred to 县城管局 on 05-20."""
    town = Town("05-12 09:00")
    topic(town, community=C2, category="A04")
    town.meet("m", "05-20 10:00", 2)
    town.at("05-20 10:00").open_session("m")
    town.agree("m", "i", Outcome.REFER_DEPARTMENT, lead_org="urban-management")
    return town


def test_s17_a_silent_department_is_seen_by_street_and_county() -> None:
    town = s17()
    assert (town.issue("i").position, town.issue("i").level) == ("ASSIGNED", "L4")
    assert (town.due("i", "SIGN"), town.due("i", "REFER_REPLY")) == ("05-25 18:00", "05-27 18:00")

    town.at("05-27 18:00")
    assert {(to, "clock_yellow") for to in ("urban-management", STREET)} <= town.told("i", "05-27 18:00")
    town.at("06-03 18:00")
    assert town.marks("i", "REFER_REPLY")["clock_red"] == "06-03 18:00"
    assert town.listing("i").position == "OPENED"
    # RED for thirty days: from Wednesday 06-03, to the end of 07-03.
    town.at("07-03 24:00")
    assert ("620199", "clock_red_plus_plus") in town.told("i", "07-03 24:00")


def test_s17_the_day_of_the_reply_is_the_handling_time() -> None:
    town = s17()
    town.at("05-21 10:00").say("i", "department", do.Sign())

    replied = town.say("i", "department", do.ReplyReferral(text="text:t", due_on=day("06-10")))
    assert (replied.position, town.state("i", "REFER_REPLY")) == ("IN_PROGRESS", "MET")
    assert town.due("i", "HANDLE") == "06-10 18:00"
    assert town.refused("i", "department", do.ReplyReferral(text="text:t")) == "REPLIED_ALREADY"


def test_s17_not_our_matter_goes_back_to_the_committee_and_is_not_forgotten() -> None:
    town = s17()
    town.at("05-21 10:00").say("i", "department", do.Sign())

    declined = town.say("i", "department", do.ReplyReferral(text="text:not-ours"))
    assert declined.data.escalated is not None
    assert (declined.data.escalated.reason, town.due("i", "ESCALATED")) == ("REFERRAL_DECLINED", "05-31 24:00")
    town.at("07-31 24:00")
    escalated = town.issue("i").data.escalated
    assert escalated is not None
    assert escalated.level == "L3"


def test_s18_an_anonymous_report_has_nobody_to_answer() -> None:
    town = Town("03-03 09:00")
    town.submit("i", "resident2", C2, source=Source.RESIDENT, anonymous=True)
    assert town.clocks("i", "RESPONSE") == []
    assert town.issue("i").data.reporter_id is None
    assert town.refused("i", "worker2", do.ContactReporter(note="text:n")) == "NO_REPORTER"
    assert town.refused("i", "worker2", do.AskReporter(info="text:n")) == "NO_REPORTER"

    town.accept("i", "worker2", IMMEDIATE, "A01")
    town.say("i", "grid2", CLAIM)
    assert town.refused("i", "worker2", PHONE) == "NO_REPORTER"
    told = town.say("i", "worker2", BOARD)
    assert (told.position, town.clocks("i", "RETURN")) == ("CLOSED:RESOLVED", [])


def test_s18_a_reporter_may_be_hidden_from_the_lead() -> None:
    town = Town("03-03 09:00")
    town.submit("i", "resident2", C2, source=Source.RESIDENT, hidden_from_lead=True)
    town.accept("i", "worker2", LIMITED, "D03", lead_org="property-2")

    assert town.issue("i").data.hidden_from_lead
    assert town.refused("i", "property2", do.ContactReporter(note="text:n")) == "HIDDEN_FROM_LEAD"
    town.say("i", "worker2", do.ContactReporter(note="text:n"))
    assert town.state("i", "RESPONSE") == "MET"


def s19() -> tuple[Town, str]:
    """A sewer of C3, listed for 排水公司 until 11-06."""
    town = Town("10-09 10:00")
    town.submit("i", "grid3", C3)
    town.accept("i", "worker3", LIMITED, "B01", lead_org="property-3", clock_class=SIMPLE)
    assert (town.due("i", "HANDLE"), town.at("10-26 18:00").due("i", "HANDLE")) == ("10-19 18:00", "10-19 18:00")
    listing = town.listing_id("i")
    town.at("10-27 10:00")
    listed = watch.ListCase(responsible_org="drainage", responsible_person="city", due_on=day("11-06"), public=False)
    town.say(listing, "supervisor", listed)
    return town, listing


def test_s19_a_listed_case_is_delisted_only_when_somebody_else_has_seen_it_solved() -> None:
    town, listing = s19()
    assert town.due(listing, "RECTIFY") == "11-06 18:00"

    town.at("11-05 10:00").say(listing, "drainage", watch.ReportRectified(evidence=EVIDENCE))
    assert town.street.cases[listing].position == "VERIFYING"
    assert (town.due(listing, "VERIFY"), town.state(listing, "RECTIFY")) == ("11-10 18:00", "PAUSED")

    town.at("11-06 10:00")
    refused = town.say(listing, "supervisor", watch.RefuseDelist(reason="text:r", due_on=day("11-13")))
    assert (refused.position, refused.data.relist_count) == ("LISTED", 1)
    assert ("620199", "supervision_relisted") in town.told(listing, "11-06 10:00")
    assert (town.due(listing, "RECTIFY"), town.state(listing, "VERIFY")) == ("11-13 18:00", "MET")

    town.at("11-12 10:00").say(listing, "drainage", watch.ReportRectified(evidence=EVIDENCE))
    assert town.refused(listing, "city", watch.Delist(evidence=EVIDENCE)) == "SEGREGATION"
    assert town.refused(listing, "supervisor", watch.Delist()) == "NO_EVIDENCE"
    assert town.say(listing, "supervisor", watch.Delist(evidence=EVIDENCE)).position == "DELISTED"
    assert town.issue("i").position == "FEEDBACK_DUE"
    assert (town.state("i", "HANDLE"), town.state(listing, "RECTIFY")) == ("MET_LATE", "MET")


def test_s19_a_breached_listing_stays_and_reaches_the_county() -> None:
    town, listing = s19()

    town.at("11-06 18:00")
    assert (town.street.cases[listing].position, town.state(listing, "RECTIFY")) == ("LISTED", "BREACHED")
    town.at("12-07 00:00")
    assert town.street.cases[listing].level == "L4"
    assert town.when(listing, "reported_to_county") == "12-06 24:00"


def test_s20_two_months_without_a_meeting_turn_a_topic_red() -> None:
    town = Town("06-08 09:00")
    topic(town)
    town.meet("june", "06-24 15:00")
    town.at("06-21 15:00").say("june", "clerk1", sit.SendNotice())
    assert town.issue("i").position == "ON_AGENDA"
    assert town.at("06-24 15:30").open_session("june", present=4).state == "INQUORATE"
    carried = town.issue("i")
    assert (carried.position, carried.data.carry_over, carried.data.topic_first) == ("TOPIC_PROPOSED", 1, True)
    town.at("06-30 09:00").say("june", "secretary1", sit.Cancel(reason="text:r"))
    assert town.issue("i").data.carry_over == 1

    town.at("07-10 09:00").meet("july", "07-22 15:00")
    town.at("07-19 15:00")
    assert town.issue("i").position == "ON_AGENDA"
    town.at("07-31 24:00")
    assert town.meeting("july").position == "CANCELLED:NOT_HELD"
    raised = town.issue("i")
    assert (raised.position, raised.level, raised.data.red) == ("TOPIC_PROPOSED", "L3", True)
    assert (raised.data.carry_over, raised.data.carried_month) == (2, "2026-07")
    assert town.when("i", "carry_over") == "07-31 24:00"
    assert town.listing("i").position == "OPENED"
    # The next 大党委 only hears of it, first of all.
    town.at("08-03 09:00").meet("august", "08-20 15:00")
    town.at("08-17 15:00")
    (heard,) = town.meeting("august").data.items.values()
    assert (heard.kind, heard.reason, heard.first) == ("INFORMATION", "CARRIED_OVER_TWICE", True)

    decision = do.RecordStreetDecision(
        outcome=StreetOutcome.ASSIGN, text="text:t", document_no="安街办〔2026〕8号", lead_org="drainage"
    )
    assert town.say("i", "officer", decision).position == "ASSIGNED"


def test_s21_who_led_the_work_does_not_approve_it() -> None:
    town = Town("03-03 09:00")
    town.submit("i", "grid1")
    town.accept("i", "worker1", LIMITED, "L01", lead_org="community-1")
    town.say("i", "worker1", do.Sign())
    town.say("i", "worker1", CLAIM)
    assert town.due("i", "REVIEW") == "03-05 18:00"

    assert town.refused("i", "worker1", do.ApproveCompletion()) == "SEGREGATION"
    assert town.refused("i", "property1", do.ApproveCompletion()) == "NOT_IN_ROLE"
    assert town.say("i", "worker1b", do.ApproveCompletion()).position == "FEEDBACK_DUE"


def test_s21_a_lead_without_a_reviewing_role_is_forbidden() -> None:
    town = Town("03-03 09:00")
    town.submit("i", "grid2", C2)
    town.accept("i", "worker2", LIMITED, "D03", lead_org="property-2")
    town.say("i", "property2", do.Sign())
    town.say("i", "property2", CLAIM)

    assert town.refused("i", "property2", do.ApproveCompletion()) == "NOT_IN_ROLE"


def test_s22_the_second_of_two_deciders_on_one_version_is_refused() -> None:
    town = Town("03-03 09:00")
    version = town.submit("i", "grid1").version
    accept = do.AcceptToProblemList(mode=IMMEDIATE, category_code="A01", difficulty=Difficulty.EASY)

    town.say("i", "worker1", accept, expected_version=version)
    before = town.issue("i")
    with pytest.raises(VersionConflict):
        town.say("i", "worker1b", do.LogProgress(text="text:t"), expected_version=version)
    assert town.issue("i") == before


@pytest.mark.parametrize("text", ["请拨打13912345678联系", "3-2-501室的水管"])
def test_s23_numbers_of_people_are_found_in_public_texts(text: str) -> None:
    assert find(text)


def test_s23_public_texts_are_named_to_the_door() -> None:
    assert BOARD.public_fields == ("text",)
    assert PHONE.public_fields == ()


def test_s24_without_feedback_no_issue_is_closed() -> None:
    town = Town("03-03 09:00")
    town.submit("i", "grid1", reporter=CONTACT)
    town.accept("i", "worker1", LIMITED, "L01", lead_org="property-1")
    town.say("i", "property1", do.Sign())
    town.say("i", "property1", CLAIM)

    for by, command in (
        ("worker1", SATISFIED),
        ("supervisor", do.DecideDispute(outcome="CLOSE", explanation="text:t")),
        ("worker1", PHONE),
        ("worker1", do.TransferOut(channel="12345", reason="text:r")),
    ):
        assert town.refused("i", by, command) == "WRONG_STATE"
    assert town.say("i", "worker1", do.ApproveCompletion()).data.closure_code is None
    assert town.issue("i").position == "FEEDBACK_DUE"
    town.say("i", "worker1", PHONE)
    assert town.say("i", "worker1", SATISFIED).data.closure_code is ClosureCode.RESOLVED
