"""S28–S32 of scenarios.md with their exact times, and what else processes P3 and §0.5 say of a session."""

from typing import Any

import pytest

from tests.scenarios.street import C1, C2, EPC, STREET, TWO_COMMITTEES, Town, day, moment
from workflows.issue import commands as issue
from workflows.issue.data import Difficulty, DifficultyReason, HandlingMode
from workflows.meeting import commands as do
from workflows.meeting.data import Choice, MeetingType, Outcome

MODERATE = {"difficulty": Difficulty.MODERATE, "difficulty_reasons": (DifficultyReason.MANY_HOUSEHOLDS,)}


def topic(town: Town, key: str, number: int = 1, **fields: Any) -> None:
    """A topic of the 大党委, unless said otherwise."""
    town.submit(key, f"grid{number}", f"{STREET}{number:03}")
    town.accept(key, f"worker{number}", HandlingMode.SCHEDULED, "D02", **(fields or MODERATE))


def in_session(town: Town, *topics: str, at: str = "06-24 15:00", number: int = 1, present: int | None = None) -> None:
    """Topics before a 大党委 that is noticed on time and opened at its time."""
    for key in topics:
        topic(town, key, number)
    town.meet("m", at, number)
    town.at("06-21 15:00").say("m", f"clerk{number}", do.SendNotice(briefing=not topics))
    town.at(at).open_session("m", present)


# --- S28 -------------------------------------------------------------------------------------------------


def s28() -> Town:
    """C1 大党委 set for 06-24 15:00, with a topic."""
    town = Town("06-01 00:00")
    town.month("2026-06")
    topic(town, "i")
    town.meet("m", "06-24 15:00")
    town.at("06-21 15:00").say("m", "clerk1", do.SendNotice())
    return town


def test_s28_without_quorum_the_items_are_carried_over_and_the_month_is_missed() -> None:
    town = s28()
    four = do.OpenSession(present=town.members("m")[:4])
    town.at("06-24 15:29")
    assert town.refused("m", "secretary1", four) == "NO_QUORUM_YET"

    assert town.at("06-24 15:30").say("m", "secretary1", four).state == "INQUORATE"
    assert town.due("m", "RECONVENE") == "07-01 24:00"
    assert town.issue("i").position == "TOPIC_PROPOSED"
    assert town.slot("2026-06").position == "SLOT_OPEN"
    town.at("06-30 24:00")
    assert town.slot("2026-06").position == "SLOT_MISSED"
    assert town.meeting("m").state == "INQUORATE"
    town.at("07-01 24:00")
    assert town.meeting("m").position == "CANCELLED:NOT_HELD"
    assert town.street.refused == []


def test_s28_it_is_reconvened_inside_the_month_with_a_days_notice() -> None:
    town = s28()
    town.at("06-24 15:30").open_session("m", present=4)

    soon, late = (do.Reconvene(scheduled_at=moment(at)) for at in ("06-25 15:00", "07-02 09:00"))
    assert town.refused("m", "secretary1", soon) == "NOTICE_TOO_SHORT"
    assert town.refused("m", "secretary1", late) == "AFTER_RECONVENE"
    again = town.say("m", "secretary1", do.Reconvene(scheduled_at=moment("06-26 15:00")))
    assert (again.state, town.state("m", "RECONVENE")) == ("NOTICED", "MET")
    assert town.issue("i").position == "ON_AGENDA"
    assert town.slot("2026-06").position == "SLOT_FILLED"

    town.at("06-26 15:00").open_session("m")
    town.agree("m", "i", Outcome.ADOPT, lead_org="property-1")
    town.adjourn("m")
    assert town.slot("2026-06").position == "SLOT_DONE"
    assert (town.state(town.slot("2026-06").id, "SLOT"), town.issue("i").data.carry_over) == ("MET", 0)


def test_s28_a_session_that_was_reconvened_after_its_month_makes_up_for_it() -> None:
    town = s28()
    town.at("06-24 15:30").open_session("m", present=4)
    town.say("m", "secretary1", do.Reconvene(scheduled_at=moment("07-01 15:00")))

    town.at("07-01 15:00").open_session("m")
    town.adjourn("m")
    assert town.slot("2026-06").position == "SLOT_MADE_UP"


def test_s28_when_one_of_five_leaves_nothing_more_is_voted_on() -> None:
    town = Town("06-01 00:00")
    town.month("2026-06")
    in_session(town, "a", "b", "c", "d", present=5)
    for key in ("a", "b"):
        town.agree("m", key, Outcome.ADOPT, lead_org="property-1")
    item = town.open_item("m", "c")

    left = town.members("m")[4]
    town.say("m", "clerk1", do.RecordAttendance(left=(left,)))
    vote = do.RecordVote(item=item, votes=(do.Cast(member=town.members("m")[0], choice=Choice.FOR),))
    assert town.refused("m", "clerk1", vote) in ("NO_QUORUM", "ITEM_NOT_OPEN")
    assert town.refused("m", "secretary1", do.OpenItem(item=town.item("m", "d"))) == "NO_QUORUM"
    for key in ("c", "d"):
        assert (town.issue(key).position, town.issue(key).data.carry_over) == ("TOPIC_PROPOSED", 1)
    presence = town.meeting("m").data.attendance[left]
    assert presence.until == moment("06-24 15:00")

    town.adjourn("m")
    assert town.slot("2026-06").position == "SLOT_DONE"
    assert town.street.refused == []


# --- S29 -------------------------------------------------------------------------------------------------


def test_s29_a_missed_month_is_made_up_and_stays_missed() -> None:
    town = Town("10-01 00:00")
    town.month("2026-10")
    topic(town, "i", 2)
    october = town.slot("2026-10", 2).id
    assert town.due(october, "SLOT") == "10-31 24:00"

    town.at("10-31 24:00")
    town.month("2026-11")
    assert town.slot("2026-10", 2).position == "SLOT_MISSED"
    assert (town.state(october, "SLOT"), town.due(october, "MAKE_UP")) == ("BREACHED", "11-10 24:00")
    assert (STREET, "slot_missed") in town.told(october, "10-31 24:00")
    assert town.issue("i").data.topic_first

    town.at("11-02 09:00")
    town.meet("m", "11-05 15:00", 2, make_up_for="2026-10")
    assert town.slot("2026-11", 2).position == "SLOT_OPEN"
    town.at("11-05 15:00").open_session("m")
    town.agree("m", "i", Outcome.ADOPT, lead_org="property-2")
    town.adjourn("m")
    assert town.slot("2026-10", 2).position == "SLOT_MADE_UP"
    assert (town.state(october, "SLOT"), town.state(october, "MAKE_UP")) == ("MET_LATE", "MET")
    assert town.slot("2026-11", 2).position == "SLOT_OPEN"


def test_s29_what_is_not_made_up_in_ten_days_is_told_to_the_street() -> None:
    town = Town("10-01 00:00")
    town.month("2026-10")
    october = town.slot("2026-10").id

    town.at("11-10 24:00")
    assert town.slot("2026-10").position == "SLOT_MISSED:NOT_MADE_UP"
    assert (STREET, "slot_not_made_up") in town.told(october, "11-10 24:00")
    with pytest.raises(Exception, match="NOTHING_TO_MAKE_UP"):
        town.meet("m", "11-20 15:00", make_up_for="2026-10")


def test_the_secretary_is_reminded_on_day_22_and_the_street_after_that() -> None:
    town = Town("10-01 00:00")
    town.month("2026-10")
    town.at("10-05 09:00").meet("m", "10-23 15:00", 2)
    open_one, filled = town.slot("2026-10", 1).id, town.slot("2026-10", 2).id

    town.at("10-31 12:00")
    assert {to for to, _ in town.told(open_one, "10-21 24:00")} == {
        f"role:party_secretary@{C1}",
        f"role:meeting_secretary@{C1}",
    }
    assert town.told(open_one, "10-24 24:00") == {(STREET, "slot_unset")}
    assert town.told(filled, "10-21 24:00") == set()


def test_a_cancelled_meeting_opens_the_month_again() -> None:
    town = Town("10-01 00:00")
    town.month("2026-10")
    town.meet("m", "10-23 15:00")
    assert town.slot("2026-10").position == "SLOT_FILLED"

    town.at("10-10 09:00").say("m", "secretary1", do.Cancel(reason="text:r"))
    assert town.slot("2026-10").position == "SLOT_OPEN"
    assert (f"role:party_secretary@{C1}", "slot_reopened") in town.told(town.slot("2026-10").id, "10-10 09:00")


def test_a_meeting_that_was_set_before_its_month_fills_the_slot_when_that_opens() -> None:
    town = Town("10-26 09:00")
    town.meet("m", "11-20 15:00")
    assert town.meeting("m").data.slot is None

    town.at("10-31 24:00").month("2026-11")
    assert town.slot("2026-11").position == "SLOT_FILLED"
    assert town.meeting("m").data.slot == town.slot("2026-11").id


@pytest.mark.parametrize("state", ["MINUTES_DRAFT", "CLOSED"])
def test_a_month_that_begins_late_knows_what_was_held_in_it(state: str) -> None:
    town = Town("10-26 09:00")
    town.meet("m", "11-03 15:00")
    town.at("11-03 15:00").open_session("m")
    town.adjourn("m")
    if state == "CLOSED":
        town.say("m", "secretary1", do.SignMinutes())
    assert town.meeting("m").position == state

    town.at("11-04 09:00").month("2026-11")
    assert town.slot("2026-11").position == "SLOT_DONE"
    assert (town.slot("2026-11").data.held, town.meeting("m").position) == ("m", state)
    assert town.street.refused == []


def test_a_month_that_begins_late_does_not_count_what_was_called_off() -> None:
    town = Town("10-26 09:00")
    town.meet("m", "11-20 15:00")
    town.at("11-02 09:00").say("m", "secretary1", do.Cancel(reason="text:r"))

    town.at("11-04 09:00").month("2026-11")
    assert (town.slot("2026-11").position, town.meeting("m").data.slot) == ("SLOT_OPEN", None)


def test_postponed_out_of_its_month_it_leaves_the_month_open() -> None:
    town = Town("10-01 00:00")
    town.month("2026-10")
    topic(town, "i")
    town.meet("m", "10-20 15:00")
    town.at("10-18 09:00").say("m", "secretary1", do.Postpone(scheduled_at=moment("11-05 15:00"), reason="text:r"))
    assert town.slot("2026-10").position == "SLOT_OPEN"
    assert (town.meeting("m").state, town.due("m", "FREEZE")) == ("AGENDA_OPEN", "11-02 15:00")

    town.at("10-31 24:00")
    assert town.slot("2026-10").position == "SLOT_MISSED"
    assert town.meeting("m").state == "AGENDA_OPEN"


def test_there_is_one_slot_a_month() -> None:
    town = Town("10-01 00:00")
    town.month("2026-10")
    town.month("2026-10")
    town.meet("m", "10-20 15:00")
    town.meet("extra", "10-27 15:00")

    found = [case.id for case in town.street.cases.values() if case.process == "slot"]
    assert len(found) == 3
    assert town.slot("2026-10").data.meetings == ("m", "extra")
    town.at("10-20 15:00").open_session("m")
    town.adjourn("m")
    town.at("10-27 15:00").open_session("extra")
    town.adjourn("extra")
    assert (town.slot("2026-10").position, town.slot("2026-10").data.held) == ("SLOT_DONE", "m")
    assert town.street.refused == []


# --- S30 -------------------------------------------------------------------------------------------------


def test_s30_minutes_need_who_is_responsible_and_never_change() -> None:
    town = Town("06-08 09:00")
    in_session(town, "i")
    town.agree("m", "i", Outcome.ADOPT)
    town.adjourn("m")
    assert town.due("m", "MINUTES") == "06-29 18:00"

    assert town.refused("m", "secretary1", do.SignMinutes()) == "MINUTES_INCOMPLETE"
    item = town.item("m", "i")
    town.say("m", "clerk1", do.CompleteDecision(item=item, lead_org="property-1"))
    signed = town.say("m", "secretary1", do.SignMinutes())
    assert (signed.position, town.state("m", "MINUTES")) == ("CLOSED", "MET")
    assert town.types("m").count("minutes_signed") == 1

    before = town.meeting("m").data
    assert town.refused("m", "clerk1", do.CompleteDecision(item=item, lead_org="drainage")) == "WRONG_STATE"
    assert town.refused("m", "secretary1", do.SignMinutes()) == "WRONG_STATE"
    corrected = town.say("m", "clerk1", do.Correction(reason="text:r", text="text:c"))
    assert [one.text for one in corrected.data.corrections.values()] == ["text:c"]
    assert (corrected.data.items, corrected.data.signed_at) == (before.items, before.signed_at)


def test_s30_nobody_but_the_chair_signs() -> None:
    town = Town("06-08 09:00")
    in_session(town)
    town.adjourn("m")

    assert town.refused("m", "clerk1", do.SignMinutes()) == "NOT_IN_ROLE"
    assert town.refused("m", "secretary2", do.SignMinutes()) == "NOT_IN_ROLE"


# --- S31, S32 --------------------------------------------------------------------------------------------


def test_s31_an_absent_party_needs_a_waiver_and_a_written_statement_counts() -> None:
    town = Town("06-08 09:00")
    in_session(town, "a", "b")
    for key in ("a", "b"):
        assert town.meeting("m").data.items[town.item("m", key)].invitations == 1
        town.open_item("m", key)
        town.vote("m", key, in_favour=9)

    unheard = do.RecordDecision(item=town.item("m", "a"), outcome=Outcome.ADOPT, text="text:d", lead_org="property-1")
    assert town.refused("m", "secretary1", unheard) == "NOT_HEARD"
    waived = town.decide("m", "a", Outcome.ADOPT, lead_org="property-1", waiver_reason="text:两次邀请未到")
    assert waived.position == "PLANNING"
    town.heard("m", "b", written=True)
    assert town.decide("m", "b", Outcome.ADOPT, lead_org="property-1").position == "PLANNING"


def test_s32_the_committee_speaks_and_does_not_vote() -> None:
    town = Town("06-08 09:00")
    in_session(town, "i")
    item = town.open_item("m", "i")

    statement = do.RecordStatement(item=item, party="text:p", position="text:q", need="text:n")
    town.say("m", "member1a", statement)
    assert town.refused("m", "member1a", do.RecordVote(item=item, choice=Choice.FOR)) == "NOT_BODY_MEMBER"
    assert town.refused("m", "grid1", do.RecordVote(item=item, choice=Choice.FOR)) == "NOT_IN_ROLE"
    town.say("m", "epc1b", do.RecordVote(item=item, choice=Choice.FOR))
    assert town.refused("m", "epc1b", do.RecordVote(item=item, choice=Choice.AGAINST)) == "VOTED_ALREADY"
    assert town.meeting("m").data.votes == {f"{item}/epc1b": Choice.FOR}


# --- the agenda ------------------------------------------------------------------------------------------


def test_the_agenda_takes_what_waits_in_its_order_behind_the_tasks_of_the_last_meeting() -> None:
    town = Town("06-01 00:00")
    in_session(town, "done", "left")
    town.agree("m", "done", Outcome.ADOPT, lead_org="property-1")
    town.adjourn("m")
    town.say("m", "secretary1", do.SignMinutes())
    town.submit("red", "grid1")
    limited = HandlingMode.TIME_LIMITED
    town.accept("red", "worker1", limited, "B01", lead_org="property-1", clock_class="SIMPLE")
    town.at("07-01 09:00")
    topic(town, "new")
    topic(town, "other", 2)
    topic(town, "easy", difficulty=Difficulty.EASY)

    town.at("07-13 09:00").meet("next", "07-22 15:00")
    town.at("07-19 15:00")
    items = sorted(town.meeting("next").data.items.values(), key=lambda item: item.order)
    assert [(item.subject_id, item.reason) for item in items] == [
        ("m", "TASKS"),
        ("left", "CARRIED_OVER"),
        ("red", "RED"),
        ("new", "PROPOSED"),
    ]
    assert [item.number for item in items[1:]] == [town.issue(key).number for key in ("left", "red", "new")]
    assert [town.issue(key).data.meeting for key in ("left", "red", "new")] == ["next"] * 3
    assert town.street.refused == []


def test_a_topic_is_proposed_admitted_and_returned_by_hand() -> None:
    town = Town("06-01 09:00")
    for key in ("a", "b"):
        topic(town, key)
    town.meet("m", "06-24 15:00")
    town.say("m", "member1a", do.ProposeItem(topic="a"))
    town.say("m", "worker1", do.ProposeItem(topic="b"))
    assert town.refused("m", "worker1", do.ProposeItem(topic="b")) == "ITEM_ALREADY_THERE"

    town.say("m", "clerk1", do.Admit(item=town.item("m", "a")))
    assert (town.issue("a").position, town.state("a", "AGENDA")) == ("ON_AGENDA", "MET")
    returned = do.ReturnItem(item=town.item("m", "b"), reason="text:r")
    assert town.refused("m", "clerk1", returned) == "NOT_IN_ROLE"
    town.say("m", "secretary1", returned)
    assert (town.issue("b").position, town.issue("b").data.topic_returns) == ("ON_PROBLEM_LIST", 1)


def test_what_is_solved_before_the_meeting_is_shown_as_solved() -> None:
    town = Town("03-09 10:00")
    town.submit("i", "grid1")
    simple = HandlingMode.TIME_LIMITED
    town.accept("i", "worker1", simple, "B01", lead_org="property-1", clock_class="SIMPLE")
    town.say("i", "property1", issue.Sign())
    town.at("03-26 09:00").meet("m", "03-30 15:00")
    town.at("03-27 15:00")
    assert town.issue("i").data.meeting == "m"

    town.say("i", "property1", issue.ClaimCompletion(text="text:t", evidence=("photo-1",)))
    assert town.meeting("m").data.items[town.item("m", "i")].state == "SOLVED"
    assert town.issue("i").data.meeting is None
    town.at("03-30 15:00").open_session("m")
    town.adjourn("m")
    assert town.issue("i").position == "COMPLETION_REVIEW"
    assert town.street.refused == []


def test_an_issue_that_its_reporter_withdraws_leaves_the_agenda() -> None:
    town = Town("06-08 09:00")
    town.submit("i", "resident1", source="RESIDENT")
    town.accept("i", "worker1", HandlingMode.SCHEDULED, "D02", **MODERATE)
    town.meet("m", "06-24 15:00")
    town.propose("m", "i")

    town.say("i", "resident1", issue.Withdraw(reason="text:r"))
    assert town.meeting("m").data.items[town.item("m", "i")].state == "SOLVED"


# --- votes -----------------------------------------------------------------------------------------------


def test_of_a_secret_ballot_only_counts_are_kept() -> None:
    town = Town("06-08 09:00")
    in_session(town, "i")
    item = town.item("m", "i")
    town.say("m", "secretary1", do.OpenItem(item=item, secret=True))
    assert town.refused("m", "epc1b", do.RecordVote(item=item, choice=Choice.FOR)) == "SECRET_BALLOT"
    counted = do.RecordVote(item=item, count=do.Count(in_favour=6, against=3), voters=town.members("m"))
    assert town.refused("m", "epc1b", counted) == "NOT_IN_ROLE"

    town.say("m", "clerk1", counted)
    data = town.meeting("m").data
    assert (data.votes, data.items[item].result) == ({}, "PASSED")
    assert len(data.ballots) == 9
    told = next(one.change.notes for one in town.street.histories["i"] if one.type == "record_tally")
    assert (told["in_favour"], told["against"]) == (6, 3)


def test_a_reported_interest_waits_for_the_chair() -> None:
    town = Town("06-08 09:00")
    in_session(town, "i")
    item = town.item("m", "i")
    town.say("m", "resident1", do.DeclareInterest(item=item, member="epc1b"))
    assert town.meeting("m").data.interests[f"{item}/epc1b"].accepted is None
    town.say("m", "secretary1", do.RuleOnInterest(item=item, member="epc1b", accepted=True))

    town.open_item("m", "i")
    assert town.refused("m", "epc1b", do.RecordVote(item=item, choice=Choice.FOR)) == "RECUSED"


def test_personnel_matters_need_two_thirds() -> None:
    town = Town("06-08 09:00")
    town.meet("m", "06-24 15:00")
    matter = do.ProposeItem(title="text:appointment", document="text:d", personnel=True)
    town.say("m", "worker1", matter)
    town.at("06-21 15:00").say("m", "clerk1", do.SendNotice())
    town.at("06-24 15:00").open_session("m", present=5)
    town.say("m", "secretary1", do.OpenItem(item="i1"))

    vote = do.RecordVote(item="i1", votes=(do.Cast(member="epc1b", choice=Choice.FOR),))
    assert town.refused("m", "clerk1", vote) == "NO_QUORUM"
    town.say("m", "clerk1", do.RecordAttendance(joined=("epc1f",)))
    town.say("m", "clerk1", vote)


def test_a_joint_session_has_a_quorum_for_each_body() -> None:
    town = Town("06-08 09:00")
    topic(town, "i")
    town.meet("m", "06-24 15:00", kind=TWO_COMMITTEES, joint_with=EPC)
    town.at("06-21 15:00").say("m", "clerk1", do.SendNotice())
    epc = ("secretary1", *(f"epc1{letter}" for letter in "bcdefghi"))
    assert town.at("06-24 15:30").say("m", "secretary1", do.OpenSession(present=epc)).state == "INQUORATE"

    town.say("m", "secretary1", do.Reconvene(scheduled_at=moment("06-26 15:00")))
    town.at("06-26 15:00").open_session("m")
    decided = town.agree("m", "i", Outcome.REFER_DEPARTMENT, lead_org="urban-management")
    assert decided.position == "ASSIGNED"


def test_bodies_that_decide_by_consensus_say_whether_they_have_it() -> None:
    town = Town("06-08 09:00")
    topic(town, "i")
    for key, at, position in (("m1", "06-24 15:00", "DEFERRED"), ("m2", "07-08 15:00", "TOPIC_PROPOSED")):
        town.meet(key, at, kind=MeetingType.PARTY_BUILDING_JOINT)
        town.at(at).open_session(key)
        item = town.open_item(key, "i")
        town.heard(key, "i")
        silent = do.RecordDecision(item=item, outcome=Outcome.ADOPT, text="text:d", lead_org="property-1")
        assert town.refused(key, "secretary1", silent) == "CONSENSUS_REQUIRED"
        assert town.decide(key, "i", Outcome.ADOPT, lead_org="property-1", consensus=False).position == position
        town.adjourn(key)
    assert town.issue("i").level == "L3"


def test_an_assembly_is_counted_by_heads() -> None:
    """M3 step 13: 42 of 60 present, 40 for."""
    town = Town("07-20 09:00")
    town.meet("m", "07-28 15:00", kind=MeetingType.RESIDENT_REPRESENTATIVES)
    town.say("m", "worker1", do.ProposeItem(title="text:commendation", document="text:d"))
    town.at("07-25 15:00").say("m", "clerk1", do.SendNotice())
    heads = do.Headcount(members=60, present=42)
    town.at("07-28 15:00")
    assert town.refused("m", "secretary1", do.OpenSession(present=("worker1",))) == "HEADCOUNT_REQUIRED"
    town.say("m", "secretary1", do.OpenSession(headcount=heads))
    town.say("m", "secretary1", do.OpenItem(item="i1"))

    town.say("m", "clerk1", do.RecordVote(item="i1", count=do.Count(in_favour=40, against=2)))
    assert town.meeting("m").data.items["i1"].result == "PASSED"
    below = Town("07-20 09:00")
    below.meet("m", "07-28 15:00", kind=MeetingType.RESIDENT_REPRESENTATIVES, briefing=True)
    below.at("07-28 15:30").say("m", "clerk1", do.SendNotice())
    few = do.OpenSession(headcount=do.Headcount(members=60, present=39))
    assert below.say("m", "secretary1", few).state == "INQUORATE"


def test_a_matter_of_its_own_becomes_a_task_that_the_meeting_follows_up() -> None:
    town = Town("06-08 09:00")
    town.meet("m", "06-24 15:00")
    town.say("m", "worker1", do.ProposeItem(title="text:t", document="text:d"))
    town.at("06-21 15:00").say("m", "clerk1", do.SendNotice())
    town.at("06-24 15:00").open_session("m")
    town.say("m", "secretary1", do.OpenItem(item="i1"))
    town.say("m", "clerk1", do.RecordStatement(item="i1", party="text:p", position="text:q", need="text:n"))
    votes = tuple(do.Cast(member=one, choice=Choice.FOR) for one in town.members("m"))
    town.say("m", "clerk1", do.RecordVote(item="i1", votes=votes))
    adopt = do.RecordDecision(
        item="i1", outcome=Outcome.ADOPT, text="text:d", lead_org="property-1", due_on=day("07-10")
    )
    town.say("m", "secretary1", adopt)
    town.adjourn("m")

    assert town.say("m", "secretary1", do.SignMinutes()).state == "FOLLOW_UP"
    assert (town.due("m", "TASK"), town.clock("m", "TASK").owner) == ("07-10 18:00", "property-1")
    assert town.at("07-09 09:00").say("m", "property1", do.TaskDone(task="t1", text="text:t")).state == "CLOSED"
    assert town.state("m", "TASK") == "MET"


def test_a_chair_whom_the_convenor_names_leads_the_session() -> None:
    town = Town("06-08 09:00")
    in_session(town, "i")
    town.meet("n", "06-30 15:00")
    town.say("n", "secretary1", do.NameChair(chair="epc1b"))
    town.say("n", "clerk1", do.SendNotice(briefing=True))

    present = do.OpenSession(present=town.members("n"))
    assert town.refused("n", "secretary1", present) == "NOT_IN_ROLE"
    assert town.say("n", "epc1b", present).data.chaired_by == "epc1b"


def test_who_may_call_which_body() -> None:
    town = Town("06-08 09:00")
    for kind, number in ((EPC, 1), (TWO_COMMITTEES, 2), (MeetingType.CWC_SESSION, 3)):
        assert town.meet(f"m{number}", "06-24 15:00", number, kind).state == "AGENDA_OPEN"
    with pytest.raises(Exception, match="NOT_IN_ROLE"):
        town.meet("spc", "06-24 15:00", kind=MeetingType.SUBDISTRICT_PARTY)


def test_a_committee_session_only_proposes() -> None:
    town = Town("06-08 09:00")
    town.meet("m", "06-24 15:00", kind=MeetingType.CWC_SESSION)
    topic(town, "i")
    assert town.refused("m", "worker1", do.ProposeItem(topic="i")) == "TOPIC_OF_OTHER_BODY"
    town.say("m", "worker1", do.ProposeItem(title="text:t", document="text:d"))
    town.say("m", "clerk1", do.SendNotice())
    town.at("06-24 15:00").open_session("m")
    town.say("m", "secretary1", do.OpenItem(item="i1"))

    adopt = do.RecordDecision(item="i1", outcome=Outcome.ADOPT, text="text:d", lead_org="property-1", consensus=True)
    assert town.refused("m", "secretary1", adopt) == "BODY_NOT_ALLOWED"


def test_in_a_drill_a_month_of_a_body_lasts_a_minute() -> None:
    town = Town("03-13 21:00", "drill")
    town.street.begin("slot", "monthly", STREET, "2026-03-13T21:00")
    slot = town.slot("2026-03-13T21:00", 2)
    assert [clock.code for clock in slot.clocks] == ["SLOT", "REMIND", "REMIND_STREET"]
    assert slot.clock("SLOT").due_at == moment("03-13 21:01")  # type: ignore[union-attr]

    town.at("03-13 21:01")
    assert town.slot("2026-03-13T21:00", 2).position == "SLOT_MISSED"
    town.at("03-13 21:02")
    assert town.slot("2026-03-13T21:00", 2).position == "SLOT_MISSED:NOT_MADE_UP"
    assert f"{STREET}002" == C2
