"""S49 to S51 and the rows of M2 and M3 about members: who leaves, who follows, with the times of the text."""

from typing import Any

import pytest

from services.rehearsal_committees import register
from tests.scenarios.committees import C1, C2, C3, MET, Forming, opened, sitting, with_committees
from tests.scenarios.street import PEOPLE, Town, moment
from workflows.formation import commands as forming
from workflows.formation.data import Category, Way
from workflows.formation.data import Kind as Formed
from workflows.issue import commands as issue
from workflows.kernel.process import SYSTEM, Actor, Forbidden, Grant, GuardFailed
from workflows.membership import commands as do
from workflows.membership.data import Ground, Outcome, Post

BAD = {"ground": Ground.NOT_PERFORMING, "adverse_effect": "text:effect"}


def said(town: Town, key: str, who: Actor | str, command: object, **facts: object) -> None:
    """Somebody gives a command."""
    town.street.command(key, command, PEOPLE[who] if isinstance(who, str) else who, facts=facts)


def refused(town: Town, key: str, who: Actor | str, command: object, **facts: object) -> str:
    """The reason why a command is refused."""
    with pytest.raises((GuardFailed, Forbidden)) as no:
        said(town, key, who, command, **facts)
    return no.value.reason


def seats(town: Town, place: str) -> dict[str, str]:
    """Who sits in a committee today, with his post."""
    return {one.person: one.post for one in register(town.street).sitting("CWC", place, town.street.now.date())}


def status(town: Town, place: str, person: str) -> str:
    """How somebody sits today."""
    (found,) = (
        one for one in register(town.street).sitting("CWC", place, town.street.now.date()) if one.person == person
    )
    return found.status


def exited(start: str, member: str = "member1a", place: str = C1, key: str = "x") -> Town:
    """A member who asked to leave."""
    town = with_committees(Town(start))
    opened(town, key, sitting(member, place), "EXIT", member=member, reason="text:moves", place=place)
    return town


def replaced(town: Town, key: str, name: str, place: str = C1) -> Forming:
    """The child formation of a vacancy, from its call to its notice; the text's calls are that short."""
    child = Forming(town, town.street.cases[key].data.replacement or "", place)
    child.call()
    child.say("worker", forming.Nominate(way=Way.RESIDENT, person=name, category=Category.VOLUNTEER, consent=True))
    return child


# --- S49 退出与增补 ---------------------------------------------------------------------------------------------


def test_s49_an_exit_is_approved_by_the_party_organisation_and_the_seat_is_vacant() -> None:
    town = exited("06-08 09:00")
    assert town.street.cases["x"].state == "EXIT_REQUESTED"
    assert town.due("x", "DECIDE") == "06-15 18:00"

    town.at("06-10 10:00")
    assert refused(town, "x", "streetparty", do.ApproveExit()) == "NOT_IN_ROLE"
    assert refused(town, "x", "officer", do.ApproveExit()) == "NOT_IN_ROLE"
    said(town, "x", "secretary1", do.ApproveExit())

    case = town.street.cases["x"]
    assert case.position == "EXITED:VACANCY"
    assert town.state("x", "DECIDE") == "MET"
    assert town.due("x", "FILL") == "07-10 24:00"
    assert "member1a" not in seats(town, C1)
    assert (case.data.members, case.data.under_strength) == (12, False)
    ended = [day for who, day in register(town.street).certificates.values() if who == "member1a"]
    assert ended == [moment("06-10 00:00").date()]


def test_s49_the_seat_is_filled_by_the_whole_procedure() -> None:
    town = exited("06-08 09:00").at("06-10 10:00")
    said(town, "x", "secretary1", do.ApproveExit())
    said(town, "x", "secretary1", do.StartReplacement(category="VOLUNTEER", post=Post.MEMBER))
    assert town.street.cases["x"].position == "EXITED:FILLING"

    child = replaced(town, "x", "p1")
    assert child.case.state == "ANNOUNCED"
    assert child.case.data.kind is Formed.REPLACEMENT
    assert town.due(child.key, "CALL") == "06-17 24:00"
    town.at("06-18 09:00")
    child.verify("p1").shortlist("p1", vices=0).decide("p1").approve()
    town.at("06-23 09:00")
    child.appoint()

    assert child.case.state == "APPOINTED"
    assert town.street.cases["x"].position == "EXITED:FILLED"
    assert town.state("x", "FILL") == "MET"
    assert seats(town, C1)["p1"] == "MEMBER"
    assert len(seats(town, C1)) == 13
    assert town.street.refused == []


def test_an_aborted_replacement_leaves_the_seat_vacant_and_its_time_running() -> None:
    town = exited("06-08 09:00").at("06-10 10:00")
    said(town, "x", "secretary1", do.ApproveExit())
    said(town, "x", "secretary1", do.StartReplacement(post=Post.MEMBER))
    said(town, town.street.cases["x"].data.replacement or "", "streetparty", forming.Abort(reason="text:r"))

    assert town.street.cases["x"].position == "EXITED:VACANCY"
    assert town.state("x", "FILL") == "RUNNING"
    said(town, "x", "secretary1", do.StartReplacement(post=Post.MEMBER))
    assert town.street.cases["x"].position == "EXITED:FILLING"
    assert town.street.cases["x"].data.replacements == 2


def test_exits_that_come_together_share_one_replacement() -> None:
    town = exited("06-08 09:00")
    opened(town, "y", sitting("member1b"), "EXIT", member="member1b", reason="text:r")
    for key in ("x", "y"):
        said(town, key, "secretary1", do.ApproveExit())
        said(town, key, "secretary1", do.StartReplacement(category="VOLUNTEER", post=Post.MEMBER))

    first, second = (town.street.cases[key].data.replacement for key in ("x", "y"))
    assert first == second
    child = Forming(town, first or "")
    assert child.case.data.target_size == 2
    child.call().nominate("p1", "p2")
    town.at("06-17 09:00")
    child.verify("p1", "p2").shortlist("p1", "p2", vices=0).decide("p1", "p2").approve()
    town.at("06-23 09:00")
    child.appoint()
    assert {town.street.cases[key].position for key in ("x", "y")} == {"EXITED:FILLED"}


def test_a_replacement_that_finds_one_of_two_leaves_one_seat_vacant() -> None:
    town = exited("06-08 09:00")
    opened(town, "y", sitting("member1b"), "EXIT", member="member1b", reason="text:r")
    for key in ("x", "y"):
        said(town, key, "secretary1", do.ApproveExit())
        said(town, key, "secretary1", do.StartReplacement(post=Post.MEMBER))
    child = Forming(town, town.street.cases["x"].data.replacement or "").call().nominate("p1")
    town.at("06-17 09:00")
    child.verify("p1").shortlist("p1", vices=0).decide("p1").approve()
    town.at("06-23 09:00")
    child.appoint()
    assert town.street.cases["x"].position == "EXITED:FILLED"
    assert town.street.cases["y"].position == "EXITED:VACANCY"


def test_an_exit_that_is_declined_or_withdrawn_changes_no_seat() -> None:
    town = exited("06-08 09:00")
    said(town, "x", "secretary1", do.DeclineExit(reason="text:r"))
    assert town.street.cases["x"].position == "ACTIVE:DECLINED"
    opened(town, "y", sitting("member1a"), "EXIT", member="member1a", reason="text:r")
    said(town, "y", sitting("member1a"), do.WithdrawRequest())
    assert town.street.cases["y"].position == "ACTIVE:WITHDRAWN"
    assert town.state("y", "DECIDE") == "CANCELLED"
    assert "member1a" in seats(town, C1)


def test_a_worker_says_that_somebody_lost_his_category() -> None:
    town = with_committees(Town("06-08 09:00"))
    case = opened(town, "x", "worker1", "EXIT", member="member1a", reason="text:left his unit")
    assert case.data.category_lost
    assert town.types("x")[0] == "category_lost"


def test_work_of_a_member_who_left_belongs_to_his_role_so_that_nothing_is_orphaned() -> None:
    town = with_committees(Town("06-08 09:00"))
    opened(town, "x", sitting("vice1", role="cwc_vice_chair"), "EXIT", member="vice1", reason="text:r")
    town.submit("i", "grid1")
    town.say("i", "worker1", issue.Decline(reason="text:r"))
    said(town, "x", "secretary1", do.ApproveExit())

    successor = Actor("vice1b", "vice1b", (Grant("cwc_vice_chair", C1),))
    town.street.command("i", issue.ConfirmDecline(), successor)
    assert town.street.cases["i"].state == "CLOSED"


# --- S50 解聘 ---------------------------------------------------------------------------------------------------


def proposed(start: str = "07-15 09:00", **fields: object) -> Town:
    """A dismissal that was proposed in C3."""
    town = with_committees(Town(start))
    opened(town, "d", "secretary3", "DISMISSAL", member="member3a", place=C3, **{**BAD, **fields})
    return town


def vote(*choices: Any) -> tuple[do.Vote, ...]:
    """Votes of the 两委 of C3, one after the other."""
    return tuple(
        do.Vote(member=f"tc3{letter}", choice=choice) for letter, choice in zip("bcdefghi", choices, strict=False)
    )


def test_s50_the_member_is_heard_before_it_is_decided() -> None:
    town = proposed()
    assert town.due("d", "STATEMENT") == "07-22 18:00"
    assert town.due("d", "DECIDE_DISMISSAL") == "08-05 18:00"
    command = do.DecideDismissal(outcome=Outcome.DISMISS, votes=vote(*["FOR"] * 8))
    assert refused(town, "d", "secretary3", command, party_meeting=MET) == "MEMBER_NOT_HEARD"

    said(town, "d", sitting("member3a", C3), do.StateViews(text="text:views"))
    assert town.state("d", "STATEMENT") == "MET"
    said(town, "d", "secretary3", command, party_meeting=MET)
    assert town.street.cases["d"].position == "DISMISSED:VACANCY"
    assert town.due("d", "FILE") == "07-20 18:00"
    assert town.due("d", "FILL") == "08-14 24:00"
    assert town.street.cases["d"].data.under_strength
    assert ("620199001", "under_strength") in town.told("d", "07-15 09:00")

    said(town, "d", "secretary3", do.FileWithStreet(filing_no="安和〔2026〕9号"))
    assert town.state("d", "FILE") == "MET"
    assert town.street.cases["d"].state == "DISMISSED"


def test_s50_a_tie_retains_and_the_same_facts_are_not_proposed_again() -> None:
    town = proposed(evidence=("photo-1",)).at("07-24 15:00")
    command = do.DecideDismissal(outcome=Outcome.DISMISS, votes=vote(*["FOR"] * 4, *["AGAINST"] * 4))
    said(town, "d", "secretary3", command, party_meeting=MET)
    case = town.street.cases["d"]
    assert case.position == "ACTIVE:RETAINED"
    assert (case.data.outcome, case.data.tie) == (Outcome.RETAIN, True)
    assert len(seats(town, C3)) == 9

    for evidence in ((), ("photo-1",)):
        with pytest.raises(GuardFailed, match="SAME_FACTS"):
            opened(town, "e", "secretary3", "DISMISSAL", member="member3a", place=C3, evidence=evidence, **BAD)
    opened(town, "e", "secretary3", "DISMISSAL", member="member3a", place=C3, evidence=("photo-2",), **BAD)
    assert town.street.cases["e"].state == "DISMISSAL_REVIEW"


def test_s50_without_adverse_effect_nothing_is_proposed() -> None:
    town = with_committees(Town("07-15 09:00"))
    with pytest.raises(GuardFailed, match="ADVERSE_EFFECT_REQUIRED"):
        opened(town, "d", "secretary3", "DISMISSAL", member="member3a", place=C3, ground=Ground.RULE_BREACH)
    with pytest.raises(GuardFailed, match="GROUND_REQUIRED"):
        opened(town, "d", "secretary3", "DISMISSAL", member="member3a", place=C3, adverse_effect="text:e")


def test_s50_three_absences_only_suggest_a_review() -> None:
    town = with_committees(Town("07-15 09:00"))
    case = opened(town, "r", SYSTEM, "REVIEW", member="member3a", place=C3, absences=3)
    assert case.position == "ACTIVE:REVIEW_SUGGESTED"
    assert "member3a" in seats(town, C3)
    assert ("role:party_secretary@620199001003", "absences_review") in town.told("r", "07-15 09:00")


def test_a_meeting_without_quorum_retains() -> None:
    town = proposed().at("07-24 15:00")
    command = do.DecideDismissal(outcome=Outcome.DISMISS, votes=vote(*["FOR"] * 3))
    said(town, "d", "secretary3", command, party_meeting={**MET, "quorate": False})
    assert town.street.cases["d"].position == "ACTIVE:RETAINED"


def test_the_votes_of_the_meetings_record_count_where_none_are_given() -> None:
    town = proposed().at("07-24 15:00")
    meeting = {**MET, "tallies": {"d": {"FOR": 5, "ALL": 8}}}
    said(town, "d", "secretary3", do.DecideDismissal(outcome=Outcome.DISMISS), party_meeting=meeting)
    assert town.street.cases["d"].state == "DISMISSED"


def test_the_member_concerned_does_not_vote() -> None:
    town = proposed().at("07-24 15:00")
    votes = (*vote("FOR"), do.Vote(member="member3a", choice="AGAINST"))
    command = do.DecideDismissal(outcome=Outcome.DISMISS, votes=votes)
    assert refused(town, "d", "secretary3", command, party_meeting=MET) == "RECUSED"


def test_a_suspended_member_sits_again_when_he_is_retained() -> None:
    town = proposed()
    said(town, "d", "secretary3", do.SuspendDuty(reason="text:r"))
    assert status(town, C3, "member3a") == "SUSPENDED_DUTY"
    town.at("07-24 15:00")
    said(town, "d", "secretary3", do.DecideDismissal(outcome=Outcome.WARN, votes=vote(*["FOR"] * 8)), party_meeting=MET)
    assert town.street.cases["d"].position == "ACTIVE:WARNED"
    assert status(town, C3, "member3a") == "ACTIVE"


# --- S51 书记调整 and M2 ------------------------------------------------------------------------------------------


def left(start: str = "02-05 09:00") -> Town:
    """孙书记 has left C3, and nobody follows yet."""
    town = with_committees(Town(start))
    opened(town, "c", "streetparty", "EX_OFFICIO", member="secretary3", place=C3)
    return town


def test_s51_the_chair_leaves_with_the_office_and_a_vice_chair_stands_in() -> None:
    town = left()
    assert town.street.cases["c"].state == "EX_OFFICIO_ENDED"
    assert "secretary3" not in seats(town, C3)
    ended = [day for who, day in register(town.street).certificates.values() if who == "secretary3"]
    assert ended == [moment("02-05 00:00").date()]

    town.at("02-06 10:00")
    opened(town, "a", "streetparty", "ACTING", member="vice3", place=C3)
    assert town.street.cases["a"].state == "ACTING"
    assert town.due("a", "ACTING_MAX") == "04-07 24:00"
    assert status(town, C3, "vice3") == "ACTING"


def test_s51_the_new_secretary_is_chair_the_same_day_without_a_notice() -> None:
    town = left().at("02-06 10:00")
    opened(town, "a", "streetparty", "ACTING", member="vice3", place=C3)
    town.at("03-02 10:00")
    said(town, "c", "streetparty", do.SecretaryChanged(new="p1"))

    assert town.street.cases["c"].position == "EX_OFFICIO_ENDED:SUCCEEDED"
    assert town.street.cases["a"].position == "ACTIVE:RETURNED"
    assert town.state("a", "ACTING_MAX") == "MET"
    assert seats(town, C3)["p1"] == "CHAIR"
    assert seats(town, C3)["vice3"] == "VICE_CHAIR"
    assert status(town, C3, "vice3") == "ACTIVE"
    number = f"{town.street.cases['c'].number}-01"
    assert register(town.street).certificates[number] == ("p1", None)


def test_a_new_secretary_who_is_known_at_once_follows_in_the_same_case() -> None:
    town = with_committees(Town("02-05 09:00"))
    case = opened(town, "c", "integration", "EX_OFFICIO", member="secretary3", new="p1", place=C3)
    assert case.position == "EX_OFFICIO_ENDED:SUCCEEDED"
    chairs = [who for who, post in seats(town, C3).items() if post == "CHAIR"]
    assert chairs == ["p1"]


def test_a_later_change_names_the_chair_for_the_vacancy_that_waits() -> None:
    town = left().at("02-09 10:00")
    opened(town, "n", "streetparty", "EX_OFFICIO", member="secretary3", new="p1", place=C3)
    assert town.street.cases["c"].position == "EX_OFFICIO_ENDED:SUCCEEDED"
    assert seats(town, C3)["p1"] == "CHAIR"


def test_sixty_days_without_a_secretary_are_a_breach_that_the_street_hears_of() -> None:
    town = left().at("02-06 10:00")
    opened(town, "a", "streetparty", "ACTING", member="vice3", place=C3)
    town.at("04-08 00:00")
    assert town.state("a", "ACTING_MAX") == "BREACHED"
    assert ("620199001", "clock_yellow") in town.told("a", "04-07 24:00")
    assert town.street.cases["a"].state == "ACTING"


def test_another_vice_chair_takes_over_from_the_one_who_acts() -> None:
    town = left().at("02-06 10:00")
    opened(town, "a", "streetparty", "ACTING", member="vice3", place=C3)
    opened(town, "b", "streetparty", "ACTING", member="vice3b", place=C3)
    assert town.street.cases["a"].position == "ACTIVE:RETURNED"
    assert (status(town, C3, "vice3"), status(town, C3, "vice3b")) == ("ACTIVE", "ACTING")


def test_the_acting_chair_does_not_leave_before_another_is_named() -> None:
    town = left().at("02-06 10:00")
    opened(town, "a", "streetparty", "ACTING", member="vice3", place=C3)
    opened(town, "x", sitting("vice3", C3, "cwc_vice_chair"), "EXIT", member="vice3", reason="text:r", place=C3)
    town.street.command("c", do.SecretaryChanged(new="secretary3b"), PEOPLE["streetparty"])
    said(town, "x", Actor("s", "s", (Grant("party_secretary", C3),)), do.ApproveExit())
    assert town.street.cases["x"].state == "EXITED"

    town = left().at("02-06 10:00")
    opened(town, "a", "streetparty", "ACTING", member="vice3", place=C3)
    opened(town, "x", sitting("vice3", C3, "cwc_vice_chair"), "EXIT", member="vice3", reason="text:r", place=C3)
    assert refused(town, "x", "secretary3", do.ApproveExit()) == "ACTING_CHAIR"


# --- M2 and M3 ----------------------------------------------------------------------------------------------------


def test_m2_one_replacement_of_c1_over_the_spring_festival() -> None:
    town = exited("01-20 09:00").at("01-21 10:00")
    said(town, "x", "secretary1", do.ApproveExit())
    said(town, "x", "secretary1", do.StartReplacement(category="VOLUNTEER", post=Post.MEMBER))
    child = replaced(town, "x", "p1")
    town.at("02-09 10:00")
    child.verify("p1").shortlist("p1", vices=0).decide("p1")
    town.at("02-12 10:00")
    child.approve()
    assert town.due(child.notice(), "NOTICE") == "02-24 24:00"

    town.at("02-26 10:00")
    assert child.case.state == "APPOINTING"
    child.appoint()
    assert len(seats(town, C1)) == 13


def test_m3_an_exit_in_july_leaves_c2_with_ten() -> None:
    town = exited("07-10 09:00", "member2a", C2)
    assert town.due("x", "DECIDE") == "07-17 18:00"
    town.at("07-16 10:00")
    said(town, "x", "secretary2", do.ApproveExit())
    assert town.state("x", "DECIDE") == "MET"
    assert town.due("x", "FILL") == "08-17 24:00"
    case = town.street.cases["x"]
    assert (case.data.members, case.data.under_strength) == (10, False)


# --- end of term --------------------------------------------------------------------------------------------------


def term_over() -> Town:
    """Two members of C1 whose term has ended."""
    town = with_committees(Town("06-08 09:00"))
    for key, member in (("t1", "member1a"), ("t2", "member1b")):
        fields = {"member": member, "post": Post.MEMBER, "category": "VOLUNTEER"}
        opened(town, key, SYSTEM, "TERM_END", **fields)
    return town


def test_who_is_appointed_again_after_his_term_is_active_and_the_other_seat_is_vacant() -> None:
    town = term_over()
    assert town.due("t1", "REAPPOINT") == "07-08 24:00"
    assert "member1a" not in seats(town, C1)

    again = Forming(town, "f").start(12, kind=Formed.REAPPOINTMENT)
    assert {"member1a", "member1b"} <= set(again.case.data.candidates)
    names = [name for name in again.case.data.candidates if name not in ("secretary1", "member1b")]
    vices = sorted(name for name in names if name.startswith("vice"))
    names = [*vices, *sorted(name for name in names if not name.startswith("vice"))]
    for name in names:
        again.say("worker", forming.GiveConsent(candidate=name, consent="paper"))
    again.verify(*names).shortlist(*names).decide(*names).approve()
    town.at("06-15 09:00")
    again.appoint()

    assert again.case.state == "APPOINTED"
    assert town.street.cases["t1"].position == "ACTIVE:REAPPOINTED"
    assert town.street.cases["t2"].position == "TERM_ENDED:VACANCY"
    assert town.state("t1", "REAPPOINT") == "MET"
    assert "member1a" in seats(town, C1)
