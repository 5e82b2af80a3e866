"""Committees and real meetings: what the party organisation decided in one, and who stays away from many."""

import pytest

from tests.scenarios.committees import C3, NAMES, Forming, on_list, opened, sitting, with_committees
from tests.scenarios.street import PEOPLE, STREET, Town
from workflows.formation import commands as form
from workflows.kernel.process import GuardFailed
from workflows.meeting import commands as sit
from workflows.meeting.data import Choice, MeetingType
from workflows.membership import commands as change
from workflows.membership.data import Ground
from workflows.membership.data import Outcome as Decision

TWO_COMMITTEES, CWC_SESSION = MeetingType.TWO_COMMITTEES, MeetingType.CWC_SESSION


def met(town: Town, at: str, about: tuple[str, str], *, number: int = 1, late: str = "") -> None:
    """A meeting `m` of the 两委 with an item about a case; opened at its time, or late and with three members."""
    town.meet("m", at, number, TWO_COMMITTEES)
    kind, subject = about
    item = sit.ProposeItem(subject_type=kind, subject_id=subject, title="text:t", personnel=True)
    town.say("m", f"clerk{number}", item)
    town.say("m", f"secretary{number}", sit.Admit(item="i1"))
    town.at(late or at).open_session("m", 3 if late else None)


def decided(forming: Forming, **fields: str) -> None:
    """The secretary records the decision; nothing is told of the meeting but its id."""
    command = form.PartyMeetingDecide(candidates=NAMES[:12], text="text:decision", **fields)
    forming.town.street.command("f", command, PEOPLE["secretary1"])


def test_a_list_is_decided_in_a_meeting_that_had_its_quorum() -> None:
    forming = on_list().shortlist(*NAMES[:12])
    with pytest.raises(GuardFailed, match="PARTY_MEETING_REQUIRED"):
        decided(forming)

    met(forming.town, "05-22 15:00", ("formation", "f"))
    decided(forming)
    assert forming.case.state == "STREET_REVIEW"
    assert forming.case.data.meeting == "m"


def test_a_meeting_without_quorum_decides_nothing() -> None:
    forming = on_list().shortlist(*NAMES[:12])
    met(forming.town, "05-22 15:00", ("formation", "f"), late="05-22 15:40")
    with pytest.raises(GuardFailed, match="PARTY_MEETING_REQUIRED"):
        decided(forming)
    with pytest.raises(GuardFailed, match="MEETING_NOT_QUORATE"):
        decided(forming, meeting="m")


def test_a_meeting_of_another_body_or_community_is_none_of_the_party_organisation() -> None:
    forming = on_list().shortlist(*NAMES[:12])
    forming.town.meet("epc", "05-22 15:00")
    met(forming.town, "05-22 15:00", ("formation", "f"), number=2)
    for meeting in ("epc", "m"):
        with pytest.raises(GuardFailed, match="NOT_A_PARTY_MEETING"):
            decided(forming, meeting=meeting)


def test_s50_four_to_four_in_the_meeting_retains() -> None:
    town = with_committees(Town("07-15 09:00"))
    fields = {"ground": Ground.NOT_PERFORMING, "adverse_effect": "text:e"}
    opened(town, "d", "secretary3", "DISMISSAL", member="member3a", place=C3, **fields)
    town.say("d", sitting("member3a", C3).id, change.StateViews(text="text:v"))
    met(town, "07-24 15:00", ("membership", "d"), number=3)
    town.say("m", "secretary3", sit.OpenItem(item="i1"))
    voters = town.members("m")
    choices = [Choice.FOR] * 4 + [Choice.AGAINST] * 4
    votes = tuple(sit.Cast(member=one, choice=choice) for one, choice in zip(voters, choices, strict=True))
    town.say("m", "clerk3", sit.RecordVote(item="i1", votes=votes))

    command = change.DecideDismissal(outcome=Decision.DISMISS)
    town.street.command("d", command, PEOPLE["secretary3"])
    case = town.street.cases["d"]
    assert (case.position, case.data.tie, case.data.meeting) == ("ACTIVE:RETAINED", True, "m")


def test_s50_three_sessions_missed_suggest_a_review_once() -> None:
    town = with_committees(Town("05-04 09:00"))
    for key, at in (("s1", "05-12 15:00"), ("s2", "06-09 15:00"), ("s3", "07-07 15:00")):
        town.meet(key, at, 1, CWC_SESSION)
        town.say(key, "clerk1", sit.SendNotice(briefing=True))
        town.at(at)
        present = tuple(one for one in town.members(key) if one != "member1a")
        town.say(key, "secretary1", sit.OpenSession(present=present))
        town.say(key, "secretary1", sit.Adjourn())

    town.at("08-01 00:00").street.begin("membership", "absences", STREET, "2026-08")
    town.at("09-01 00:00").street.begin("membership", "absences", STREET, "2026-09")
    reviews = [one for one in town.street.cases.values() if one.process == "membership"]
    assert [(one.data.member, one.data.absences, one.position) for one in reviews] == [
        ("member1a", 3, "ACTIVE:REVIEW_SUGGESTED")
    ]
