"""The state table of commendations (表彰): every row is taken, everything else is refused, the order is fixed."""

from typing import Any, Literal

import pytest

from tests.rules.rows import name
from tests.rules.tables import Table, every_refusal_is_provoked
from tests.scenarios.street import C1, PEOPLE, Town, day
from workflows.commendation import commands as do
from workflows.commendation.data import SubjectKind, Verdict
from workflows.commendation.process import COMMENDATION
from workflows.kernel.process import SYSTEM, Arrow
from workflows.meeting import commands as sit
from workflows.meeting.data import MeetingType, Outcome
from workflows.policy.packs import load

REF = "text:0000000000000001"
VERIFY = do.VerifyDeeds(fulfilled=True, open_violation=False, finding=REF)
COMMEND = do.DecideCommendation(verdict=Verdict.COMMEND, decision_no="安和〔2026〕31号", text=REF)
REJECT = do.DecideCommendation(verdict=Verdict.REJECT, decision_no="安和〔2026〕32号", text=REF)


def nominated() -> Town:
    """A construction company is nominated in C1 on Monday 07-13."""
    town = Town("07-13 09:00")
    command = do.NominateSubject(
        community_code=C1, subject_kind=SubjectKind.UNIT, subject=REF, org="property-1", deeds=REF, agreement=REF
    )
    town.street.open("commendation", "c", command, PEOPLE["worker1"])
    return town


def summoned(town: Town, key: str, when: str, kind: MeetingType) -> None:
    """A session of a body with the commendation on its agenda."""
    town.meet(key, when, kind=kind)
    town.say(key, "worker1", sit.ProposeItem(subject_type="commendation", subject_id="c", title=REF))


def held(town: Town, key: str, when: str, kind: MeetingType, in_favour: int = 99, against: int = 0) -> None:
    """A session of a body that votes on the commendation."""
    assemble = kind is MeetingType.RESIDENT_REPRESENTATIVES
    if key not in town.street.cases:
        summoned(town, key, when, kind)
    town.at(when)
    if town.meeting(key).state in ("AGENDA_OPEN", "AGENDA_FROZEN"):
        town.say(key, "clerk1", sit.SendNotice())
    if assemble:
        town.say(key, "secretary1", sit.OpenSession(headcount=sit.Headcount(members=60, present=42)))
    else:
        town.open_session(key)
    item = town.open_item(key, "c")
    if assemble:
        town.say(
            key, "clerk1", sit.RecordVote(item=item, count=sit.Count(in_favour=min(in_favour, 40), against=against))
        )
    else:
        town.heard(key, "c")
        town.vote(key, "c", in_favour=in_favour, against=against)
    if town.meeting(key).data.items[item].result in (None, "PASSED"):
        decided = sit.RecordDecision(
            item=item, outcome=Outcome.ADOPT, text=REF, lead_org="property-1", due_on=day("08-31"), waiver_reason=REF
        )
        town.say(key, "secretary1", decided)


def at_position(position: str, meetings: bool = True) -> Town:
    """The commendation there, by the shortest way; both meetings have been held for what comes next."""
    town = nominated()
    if position in ("NOMINATED", "CLOSED:DROPPED"):
        if position == "CLOSED:DROPPED":
            town.say("c", "worker1", do.DropNomination(reason=REF))
        return town
    town.at("07-17 09:00").say("c", "worker1", VERIFY)
    against = position == "CLOSED:NOT_SUPPORTED"
    held(town, "m1", "07-22 15:00", MeetingType.EXTENDED_PARTY_COMMITTEE, *((2, 7) if against else (99, 0)))
    if position == "VERIFIED":
        return town
    town.say("c", "secretary1", do.Deliberate(meeting="m1"))
    if against:
        return town
    held(town, "m2", "07-28 15:00", MeetingType.RESIDENT_REPRESENTATIVES)
    if position == "EPC_SUPPORTED":
        return town
    town.say("c", "secretary1", do.Discuss(meeting="m2"))
    if position == "RRA_SUPPORTED":
        return town
    town.at("08-10 10:00").say("c", "streetparty", REJECT if position == "CLOSED:REJECTED" else COMMEND)
    if position in ("COMMENDED", "REVOKED"):
        town.at("08-18 10:00")
    if position == "REVOKED":
        town.say("c", "streetparty", do.RevokeCommendation(reason=REF))
    return town


def sample(town: Town, on: type) -> Any:
    """A lawful command."""
    return {
        do.NominateSubject: do.NominateSubject(
            community_code=C1, subject_kind=SubjectKind.UNIT, subject=REF, deeds=REF, agreement=REF
        ),
        do.VerifyDeeds: VERIFY,
        do.DropNomination: do.DropNomination(reason=REF),
        do.Deliberate: do.Deliberate(meeting="m1" if "m1" in town.street.cases else "c"),
        do.Discuss: do.Discuss(meeting="m2" if "m2" in town.street.cases else "c"),
        do.DecideCommendation: COMMEND,
        do.NoticeEnded: do.NoticeEnded(notice="n"),
        do.ObjectionRaised: do.ObjectionRaised(notice="n", objection="o"),
        do.ObjectionResolved: do.ObjectionResolved(notice="n", objection="o", outcome="UPHELD"),
        do.RevokeCommendation: do.RevokeCommendation(reason=REF),
    }[on]


class CommendationTable(Table):
    """A meeting that is not there is known as little as the door would know of it."""

    def facts(self, town: Town, command: Any, actor: Any) -> Any:
        """What the door would know."""
        if getattr(command, "meeting", None) == "c":
            return {"meeting_record": {}}
        return Table.facts(self, town, command, actor)


TABLE = CommendationTable(process=COMMENDATION, at_position=at_position, sample=sample, key="c")
WAITS = ("DECIDED",)
"""The notice hangs, and its own clock runs."""


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert TABLE.takes(arrow).position in (arrow.to or (arrow.source,))


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    TABLE.refuses_strangers(arrow)


@pytest.mark.parametrize("position", TABLE.positions)
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    TABLE.refuses_everything_else(position)
    if position not in WAITS:
        TABLE.is_owed(position)


def test_what_the_party_committee_supports_is_asked_of_the_residents() -> None:
    def told(town: Town) -> set[str]:
        return {notice.template for event in town.street.histories["c"] for notice in event.change.notices}

    assert "commendation_to_residents" in told(at_position("EPC_SUPPORTED"))
    assert "commendation_to_residents" not in told(at_position("CLOSED:NOT_SUPPORTED"))


def test_the_whole_way_ends_with_the_notice() -> None:
    assert TABLE.timed == []
    town = at_position("RRA_SUPPORTED")
    assert (town.due("c", "VERIFY"), town.due("c", "STREET")) == ("07-27 18:00", "08-18 18:00")
    decided = town.at("08-10 10:00").say("c", "streetparty", COMMEND)
    assert town.due(decided.data.notice, "NOTICE") == "08-17 18:00"
    assert town.at("08-17 17:59").street.cases["c"].state == "DECIDED"
    assert town.at("08-17 18:00").street.cases["c"].state == "COMMENDED"
    assert town.state("c", "STREET") == "MET"


def test_an_objection_is_waited_for_and_decides() -> None:
    endings: tuple[tuple[Literal["UPHELD", "DISMISSED"], str], ...] = (
        ("DISMISSED", "COMMENDED"),
        ("UPHELD", "CLOSED:REJECTED"),
    )
    for outcome, position in endings:
        town = at_position("DECIDED")
        town.street.command("c", do.ObjectionRaised(notice="n", objection="o"), SYSTEM)
        town.at("08-18 10:00")
        assert town.street.cases["c"].state == "DECIDED"
        answered = do.ObjectionResolved(notice="n", objection="o", outcome=outcome)
        assert town.street.command("c", answered, SYSTEM).position == position
    town = at_position("DECIDED")
    town.street.command("c", do.ObjectionRaised(notice="n", objection="o"), SYSTEM)
    dismissed = do.ObjectionResolved(notice="n", objection="o", outcome="DISMISSED")
    assert town.street.command("c", dismissed, SYSTEM).state == "DECIDED"


def test_every_refusal_is_provoked() -> None:
    early = nominated()
    held(early, "m1", "07-22 15:00", MeetingType.EXTENDED_PARTY_COMMITTEE)
    early.at("07-23 09:00").say("c", "worker1", VERIFY)
    undecided = nominated()
    undecided.say("c", "worker1", VERIFY)
    undecided.meet("m1", "07-22 15:00")
    supported = at_position("EPC_SUPPORTED")
    unfulfilled = do.VerifyDeeds(fulfilled=False, open_violation=False, finding=REF)
    violation = do.VerifyDeeds(fulfilled=True, open_violation=True, finding=REF)
    community = do.NominateSubject(
        community_code=C1, subject_kind=SubjectKind.COMMUNITY, subject=REF, deeds=REF, agreement=REF
    )
    every_refusal_is_provoked(
        "commendation",
        {
            "rules.nominate PROJECT_APPROVAL_REQUIRED": lambda: _strict().street.open(
                "commendation", "d", community, PEOPLE["worker1"]
            ),
            "rules.verify AGREEMENT_NOT_FULFILLED": lambda: nominated().say("c", "worker1", unfulfilled),
            "rules.verify VIOLATION_OPEN": lambda: nominated().say("c", "worker1", violation),
            "rules._decided MEETING_OF_ANOTHER_BODY": lambda: supported.say(
                "c", "secretary1", do.Discuss(meeting="m1")
            ),
            "rules._decided NOT_DECIDED_THERE": lambda: undecided.say("c", "secretary1", do.Deliberate(meeting="m1")),
            "rules._decided MEETING_TOO_EARLY": lambda: early.say("c", "secretary1", do.Deliberate(meeting="m1")),
        },
    )


def _strict() -> Town:
    """A street under the pack that wants an approved project for appraisals of communities."""
    town = Town("07-13 09:00", "panzhihua_2016")
    assert load("panzhihua_2016").flag("commendation.requires_project_approval")
    return town
