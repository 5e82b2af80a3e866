"""S44 to S48 of scenarios.md: a committee is formed, with the exact times of the text."""

import pytest

from tests.scenarios.committees import (
    C1,
    MET,
    NAMES,
    Forming,
    in_notice,
    on_list,
    resident,
    with_committees,
    without_committee,
)
from tests.scenarios.street import PEOPLE, Town, moment, world, written
from workflows.formation import commands as do
from workflows.formation.data import Category, Kind, Post, Posting, Standing, Way
from workflows.formation.process import FORMATION
from workflows.kernel.clocks import Start
from workflows.kernel.process import SYSTEM, GuardFailed
from workflows.kernel.step import Order, decide
from workflows.notice import commands as on_board
from workflows.objection import rules as against
from workflows.objection.data import Outcome


def refused(forming: Forming, who: str, command: object, **facts: object) -> str:
    """The reason why a command is refused."""
    with pytest.raises(GuardFailed) as no:
        forming.say(who, command, **facts)
    return no.value.reason


# --- S44 组建 ---------------------------------------------------------------------------------------------------


def test_s44_a_committee_is_formed_from_call_to_certificates() -> None:
    town = without_committee(Town("05-11 09:00"), C1)
    forming = Forming(town).start(13).call()
    ways = (Way.VOLUNTEER_CALL, Way.SELF, Way.RESIDENT, Way.UNIT)

    # 22 nominations by four ways are 18 persons: four are named twice.
    people = (*NAMES, "secretary1")
    for nth, name in enumerate((*people, *people[:4])):
        command = do.Nominate(way=ways[nth % 4], person=name, category=Category.VETERAN, consent=True)
        forming.say("worker", command)
    assert forming.case.data.nominations == 22
    assert len(forming.case.data.candidates) == 18
    assert forming.candidate("p1").ways == (Way.VOLUNTEER_CALL, Way.RESIDENT)
    assert town.due("f", "CALL") == "05-18 24:00"

    town.at("05-19 00:00")
    assert forming.case.state == "SHORTLISTING"
    assert town.due("f", "SHORTLIST") == "05-25 18:00"

    town.at("05-22 15:00")
    forming.verify(*NAMES).shortlist(*NAMES[:12]).decide(*NAMES[:12])
    assert forming.case.state == "STREET_REVIEW"
    assert town.state("f", "SHORTLIST") == "MET"
    assert town.due("f", "STREET") == "05-29 18:00"
    posts = [one.post for one in forming.case.data.candidates.values() if one.standing is Standing.PARTY_APPROVED]
    assert (len(posts), posts.count(Post.VICE_CHAIR), posts.count(Post.CHAIR)) == (13, 4, 1)

    town.at("05-28 10:00")
    forming.approve()
    assert town.state("f", "STREET") == "MET"
    assert town.due(forming.notice(), "NOTICE") == "06-01 24:00"

    town.at("06-02 00:00")
    assert forming.case.state == "APPOINTING"
    assert town.when("f", "notice_ended") == "06-01 24:00"
    assert town.due("f", "APPOINT") == "06-08 18:00"

    town.at("06-02 11:00")
    forming.appoint()
    assert forming.case.state == "APPOINTED"
    assert town.state("f", "APPOINT") == "MET"
    assert len(forming.seated()) == 13
    assert forming.seated()["secretary1"] == "CHAIR"
    assert forming.books.rollout[C1] == "FORMED"
    assert town.street.refused == []


def test_s44_every_member_has_a_certificate_of_his_own() -> None:
    forming = in_notice()
    forming.town.at("06-02 11:00")
    forming.appoint()

    numbers = [one.cert_no for one in forming.case.data.candidates.values() if one.standing is Standing.APPOINTED]
    assert len(set(numbers)) == 13
    assert all(number.startswith(forming.case.number) for number in numbers)
    assert {forming.books.certificates[number][1] for number in numbers} == {None}


def test_the_period_counts_from_the_end_of_the_notice_however_late_it_is_heard() -> None:
    forming = in_notice()
    forming.town.at("06-01 20:00")
    ended, heard = moment("06-01 24:00"), moment("06-02 07:30")

    late = Order(command=do.NoticeEnded(notice=forming.notice(), at=ended), actor=SYSTEM)
    events = decide(FORMATION, forming.case, late, world().policy, heard)
    (begun,) = (op for event in events for op in event.change.clocks if isinstance(op, Start))
    assert (begun.code, written(begun.since)) == ("APPOINT", "06-01 23:59")


def test_too_few_candidates_are_called_once_more() -> None:
    forming = Forming(without_committee(Town("05-11 09:00"), C1)).start(13).call().nominate("p1", "p2")
    forming.town.at("05-19 09:00")
    forming.say("secretary", do.ExtendCall(reason="text:few"))
    assert forming.case.state == "ANNOUNCED"
    assert forming.town.state("f", "SHORTLIST") == "CANCELLED"
    assert forming.town.due("f", "CALL") == "05-26 24:00"

    forming.nominate("p3")
    forming.town.at("05-27 09:00")
    assert refused(forming, "secretary", do.ExtendCall(reason="text:again")) == "EXTENDED_ALREADY"


def test_enough_candidates_need_no_longer_call() -> None:
    forming = on_list()
    assert refused(forming, "secretary", do.ExtendCall(reason="text:few")) == "ENOUGH_CANDIDATES"


# --- S45 软约束 -------------------------------------------------------------------------------------------------


def test_s45_seventeen_members_need_a_reason() -> None:
    forming = on_list().shortlist(*NAMES[:16])
    command = do.PartyMeetingDecide(candidates=NAMES[:16], text="text:d")
    assert refused(forming, "secretary", command, party_meeting=MET) == "SIZE_OUTSIDE_RANGE"

    forming.decide(*NAMES[:16], reason="text:why")
    assert forming.case.state == "STREET_REVIEW"
    assert forming.case.data.exceptions == {"I1": "text:why"}


def test_s45_two_vice_chairs_need_a_reason() -> None:
    forming = on_list().shortlist(*NAMES[:12], vices=2)
    command = do.PartyMeetingDecide(candidates=NAMES[:12], text="text:d")
    assert refused(forming, "secretary", command, party_meeting=MET) == "VICE_COUNT_OUTSIDE_RANGE"

    forming.decide(*NAMES[:12], reason="text:why")
    assert forming.case.data.exceptions == {"I4": "text:why"}


def test_s45_a_member_who_sits_in_the_epc_needs_a_reason() -> None:
    town = without_committee(Town("05-11 09:00"), C1)
    forming = Forming(town).start().call().nominate(*NAMES[:11], "epc1b")
    town.at("05-19 09:00")
    forming.verify(*NAMES[:11], "epc1b").shortlist(*NAMES[:11], "epc1b")
    assert forming.candidate("epc1b").overlap
    command = do.PartyMeetingDecide(candidates=(*NAMES[:11], "epc1b"), text="text:d")
    assert refused(forming, "secretary", command, party_meeting=MET) == "OVERLAP_WITH_EPC"

    forming.decide(*NAMES[:11], "epc1b", reason="text:why")
    assert forming.case.data.exceptions == {"I5": "text:why"}


def test_s45_chair_and_vice_chairs_may_sit_in_the_epc() -> None:
    town = without_committee(Town("05-11 09:00"), C1)
    forming = Forming(town).start().call().nominate("epc1b", *NAMES[:11])
    town.at("05-19 09:00")
    forming.verify("epc1b", *NAMES[:11]).shortlist("epc1b", *NAMES[:11]).decide("epc1b", *NAMES[:11])
    assert forming.case.state == "STREET_REVIEW"
    assert forming.case.data.exceptions == {}


def test_s45_a_second_chair_is_refused_always() -> None:
    forming = on_list()
    two = (do.Choice(candidate="p1", post=Post.CHAIR), do.Choice(candidate="p2", post=Post.MEMBER))
    assert refused(forming, "worker", do.ProposeShortlist(candidates=two)) == "TWO_CHAIRS"

    forming.shortlist(*NAMES[:12])
    chosen: do.Choices = (do.Choice(candidate="p1", post=Post.CHAIR), *NAMES[1:12])
    command = do.PartyMeetingDecide(candidates=chosen, text="text:d", exception_reason="text:why")
    assert refused(forming, "secretary", command, party_meeting=MET) == "TWO_CHAIRS"


def test_s45_a_chair_who_is_not_the_secretary_is_refused_always() -> None:
    forming = on_list().shortlist(*NAMES[:12])
    forming.books.secretaries[C1] = "somebody-else"
    command = do.PartyMeetingDecide(candidates=NAMES[:12], text="text:d", exception_reason="text:why")
    assert refused(forming, "secretary", command, party_meeting=MET) == "CHAIR_NOT_SECRETARY"


def test_a_committee_of_party_members_alone_needs_a_reason() -> None:
    town = without_committee(Town("05-11 09:00"), C1)
    forming = Forming(town).start(9).call()
    for name in NAMES[:8]:
        named = do.Nominate(way=Way.RESIDENT, person=name, category=Category.PARTY_ORG_MEMBER, consent=True)
        forming.say("worker", named)
    town.at("05-19 09:00")
    forming.verify(*NAMES[:8]).shortlist(*NAMES[:8], vices=3)
    command = do.PartyMeetingDecide(candidates=NAMES[:8], text="text:d")
    assert refused(forming, "secretary", command, party_meeting=MET) == "ALL_OF_TWO_COMMITTEES"


@pytest.mark.parametrize(
    ("meeting", "reason"),
    [
        ({}, "PARTY_MEETING_REQUIRED"),
        ({**MET, "of_party_organisation": False}, "NOT_A_PARTY_MEETING"),
        ({**MET, "quorate": False}, "MEETING_NOT_QUORATE"),
    ],
)
def test_nothing_is_decided_without_a_quorate_meeting_of_the_party_organisation(
    meeting: dict[str, object], reason: str
) -> None:
    forming = on_list().shortlist(*NAMES[:12])
    command = do.PartyMeetingDecide(candidates=NAMES[:12], text="text:d", exception_reason="text:why")
    assert refused(forming, "secretary", command, party_meeting=meeting) == reason


def test_nobody_is_listed_without_his_consent() -> None:
    forming = Forming(without_committee(Town("05-11 09:00"), C1)).start().call().nominate("p1", consent=False)
    forming.town.at("05-19 09:00")
    forming.verify("p1")
    command = do.ProposeShortlist(candidates=(do.Choice(candidate="p1", post=Post.MEMBER),))
    assert refused(forming, "worker", command) == "CONSENT_MISSING"

    forming.town.street.command("f", do.GiveConsent(), resident("p1"))
    forming.say("worker", command)
    assert forming.candidate("p1").standing is Standing.SHORTLISTED


# --- S46 公示异议 -----------------------------------------------------------------------------------------------


def objected(forming: Forming, key: str = "p5", by: str = "resident1") -> None:
    """Somebody objects to a candidate."""
    forming.town.street.command("f", do.ObjectTo(candidate=key, ground="text:g", evidence=("photo-1",)), PEOPLE[by])


def test_s46_only_the_candidate_concerned_waits() -> None:
    forming = in_notice()
    forming.town.at("05-30 11:00")
    objected(forming)
    assert forming.candidate("p5").standing is Standing.FROZEN
    assert forming.town.due("f", "INVESTIGATE") == "06-05 18:00"

    forming.town.at("06-02 11:00")
    forming.appoint()
    assert forming.case.state == "APPOINTING"
    assert len(forming.seated()) == 12

    forming.town.at("06-04 10:00")
    forming.say("secretary", do.ResolveObjection(objection="o1", outcome="UPHELD", answer="text:a"))
    assert forming.candidate("p5").standing is Standing.DROPPED
    assert forming.case.state == "APPOINTED"
    assert ("person:resident1", "formation_objection_answered") in forming.town.told("f", "06-04 10:00")
    assert ("620199001", "formation_objection_resolved") in forming.town.told("f", "06-04 10:00")


def test_s46_a_candidate_who_is_cleared_later_follows() -> None:
    forming = in_notice()
    forming.town.at("05-30 11:00")
    objected(forming)
    forming.town.at("06-02 11:00")
    forming.appoint()

    forming.say("secretary", do.ResolveObjection(objection="o1", outcome="DISMISSED", answer="text:a"))
    assert forming.candidate("p5").standing is Standing.CLEARED
    forming.appoint()
    assert forming.case.state == "APPOINTED"
    assert len(forming.seated()) == 13


def test_s46_a_supplement_has_a_notice_of_its_own() -> None:
    forming = in_notice()
    forming.town.at("05-30 11:00")
    objected(forming)
    forming.say("secretary", do.ResolveObjection(objection="o1", outcome="UPHELD", answer="text:a"))
    forming.town.at("06-02 11:00")
    forming.say("secretary", do.Supplement())
    assert forming.case.state == "SHORTLISTING"
    assert forming.town.due("f", "SHORTLIST") == "06-09 18:00"

    # Those who are cleared are appointed meanwhile.
    forming.appoint()
    assert len(forming.seated()) == 12
    assert forming.case.state == "SHORTLISTING"

    forming.shortlist("p13", vices=0).decide("p13")
    forming.town.at("06-04 10:00")
    forming.approve()
    assert forming.town.due(forming.notice(2), "NOTICE") == "06-08 24:00"
    assert forming.candidate("p13").standing is Standing.IN_NOTICE
    forming.town.at("06-09 09:00")
    assert forming.case.state == "APPOINTING"
    forming.appoint()
    assert forming.case.state == "APPOINTED"
    assert len(forming.seated()) == 13


def test_s46_nobody_looks_into_his_own_objection() -> None:
    forming = in_notice()
    forming.town.at("05-30 11:00")
    objected(forming, "secretary1")
    command = do.ResolveObjection(objection="o1", outcome="DISMISSED", answer="text:a")
    assert refused(forming, "secretary", command) == "SEGREGATION"

    forming.say("streetparty", command)
    assert forming.candidate("secretary1").standing is Standing.IN_NOTICE


def test_s46_an_objection_through_the_notice_freezes_as_well() -> None:
    forming = in_notice()
    forming.town.at("05-30 11:00")
    street, notice = forming.town.street, forming.notice()
    street.open("objection", "x", against.Object(notice=notice, about="p5", ground="text:g"), PEOPLE["resident1"])
    assert forming.candidate("p5").standing is Standing.FROZEN
    assert "resident1" not in str(forming.case.data)

    street.command("x", against.Resolve(outcome=Outcome.UPHELD, answer="text:a"), PEOPLE["officer"])
    assert forming.candidate("p5").standing is Standing.DROPPED
    assert forming.town.state("f", "INVESTIGATE") == "MET"


def test_after_the_period_nobody_objects() -> None:
    forming = in_notice()
    forming.town.at("06-02 09:00")
    assert refused(forming, "resident", do.ObjectTo(candidate="p5", ground="text:g")) == "NOTICE_OVER"


def test_while_everybody_is_frozen_nothing_is_appointed() -> None:
    forming = in_notice()
    forming.town.at("05-30 11:00")
    for key in (*NAMES[:12], "secretary1"):
        objected(forming, key)
    forming.town.at("06-02 11:00")
    assert forming.case.state == "PUBLIC_NOTICE"

    forming.say("streetparty", do.ResolveObjection(objection="o13", outcome="DISMISSED", answer="text:a"))
    assert forming.case.state == "APPOINTING"
    assert forming.town.due("f", "APPOINT") == "06-09 18:00"


def test_the_street_takes_the_list_back_when_nobody_is_left() -> None:
    forming = in_notice()
    forming.town.at("05-30 11:00")
    assert refused(forming, "streetparty", do.ReturnList(reason="text:r")) == "CANDIDATES_LEFT"
    for key in (*NAMES[:12], "secretary1"):
        objected(forming, key)
    for nth in range(1, 14):
        forming.say("streetparty", do.ResolveObjection(objection=f"o{nth}", outcome="UPHELD", answer="text:a"))

    assert ("620199001", "formation_all_dropped") in forming.town.told("f", "05-30 11:00")
    forming.say("streetparty", do.ReturnList(reason="text:r"))
    assert forming.case.state == "SHORTLISTING"


# --- S47 公示中断 -----------------------------------------------------------------------------------------------


def test_s47_a_notice_that_fell_down_begins_again() -> None:
    forming = in_notice()
    forming.town.at("05-30 08:00")
    forming.town.say(forming.notice(), "worker1", on_board.Interrupt(reason="text:wind"))
    assert forming.case.data.notices[forming.notice()] is Posting.INTERRUPTED

    forming.town.at("06-03 10:00").say(forming.notice(), "worker1", on_board.Repost())
    assert forming.town.due(forming.notice(), "NOTICE") == "06-08 24:00"
    assert forming.case.state == "PUBLIC_NOTICE"
    forming.town.at("06-09 00:00")
    assert forming.case.state == "APPOINTING"
    assert forming.town.due("f", "APPOINT") == "06-15 18:00"


# --- S48 街道退回 -----------------------------------------------------------------------------------------------


def test_s48_a_list_of_party_members_comes_back_with_the_rule() -> None:
    town = without_committee(Town("05-11 09:00"), C1)
    forming = Forming(town).start(9).call()
    for name in NAMES[:8]:
        named = do.Nominate(way=Way.RESIDENT, person=name, category=Category.PARTY_ORG_MEMBER, consent=True)
        forming.say("worker", named)
    town.at("05-19 09:00")
    forming.verify(*NAMES[:8]).shortlist(*NAMES[:8], vices=3).decide(*NAMES[:8], reason="text:why")
    forming.say("streetparty", do.ReturnList(reason="text:r"))

    assert forming.case.state == "SHORTLISTING"
    assert town.state("f", "STREET") == "MET"
    returned = town.street.histories["f"][-1]
    assert "I8" in returned.change.notes["soft_rules"]
    assert forming.candidate("p1").standing is Standing.STREET_RETURNED


# --- exceptions of the text ---------------------------------------------------------------------------------------


def test_the_street_may_approve_person_by_person() -> None:
    forming = on_list().shortlist(*NAMES[:12]).decide(*NAMES[:12])
    forming.approve("secretary1", *NAMES[:11])
    assert forming.candidate("p12").standing is Standing.STREET_RETURNED
    assert forming.candidate("p1").standing is Standing.IN_NOTICE


def test_who_declines_is_not_appointed() -> None:
    forming = in_notice()
    forming.town.at("06-02 11:00")
    forming.say("secretary", do.RecordDeclined(member="p12"))
    forming.appoint()
    assert forming.case.state == "APPOINTED"
    assert "p12" not in forming.seated()


def test_the_chair_follows_the_office_when_the_secretary_changes_meanwhile() -> None:
    forming = in_notice()
    forming.town.at("06-02 11:00")
    forming.books.secretaries[C1] = "p14"
    command = do.IssueCertificate(member="secretary1", post=Post.CHAIR)
    assert refused(forming, "secretary", command) == "CHAIR_NOT_SECRETARY"

    forming.say("secretary", do.IssueCertificate(member="p14", post=Post.CHAIR))
    forming.appoint()
    assert forming.case.state == "APPOINTED"
    assert [who for who, post in forming.seated().items() if post == "CHAIR"] == ["p14"]
    assert forming.candidate("secretary1").standing is Standing.DROPPED


def test_a_formation_that_is_aborted_takes_its_notice_down() -> None:
    forming = in_notice()
    forming.say("streetparty", do.Abort(reason="text:r"))
    assert forming.case.state == "ABORTED"
    assert forming.town.street.cases[forming.notice()].state == "CANCELLED"
    forming.town.at("06-10 00:00")
    assert forming.case.state == "ABORTED"


def test_only_one_formation_runs_in_a_community() -> None:
    forming = in_notice()
    with pytest.raises(GuardFailed, match="FORMATION_UNDER_WAY"):
        Forming(forming.town, "g").start()


def test_a_whole_committee_takes_the_place_of_the_old_one() -> None:
    forming = in_notice(with_committees(Town("05-11 09:00")))
    forming.town.at("06-02 11:00")
    forming.appoint()
    assert forming.case.state == "APPOINTED"
    assert len(forming.seated()) == 13
    assert forming.seated()["secretary1"] == "CHAIR"


def test_a_reappointment_begins_with_who_sits() -> None:
    town = with_committees(Town("05-11 09:00"))
    forming = Forming(town).start(13, kind=Kind.REAPPOINTMENT)
    assert forming.case.state == "SHORTLISTING"
    assert town.due("f", "SHORTLIST") == "05-18 18:00"
    assert len(forming.case.data.candidates) == 13
