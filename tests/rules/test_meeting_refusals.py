"""Every refusal that the rules of the meeting know: who hears it, saying what, in which situation."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.rules.rows import raise_sites, site_of
from tests.rules.test_meeting_arrows import at_position, prepared, quiet, topic
from tests.scenarios.street import C1, C2, EPC, PEOPLE, TWO_COMMITTEES, Town, day, moment
from workflows.issue import commands as issue
from workflows.issue.data import Difficulty, HandlingMode
from workflows.kernel.process import Refusal
from workflows.meeting import commands as do
from workflows.meeting.data import Choice, MeetingType, Outcome

Way = Callable[[], Town]
FOR, AGAINST = Choice.FOR, Choice.AGAINST


def at(position: str) -> Way:
    """The meeting at a position, by the shortest way."""
    return lambda: at_position(position)


def then(way: Way, *steps: tuple[str, Any]) -> Way:
    """And some commands after that."""

    def walked() -> Town:
        town = way()
        for who, command in steps:
            town.say("m", who, command)
        return town

    return walked


def elsewhere() -> Town:
    """A topic of another community."""
    town = prepared()
    town.submit("far", "grid2", C2)
    return town


def small() -> Town:
    """A topic of another body."""
    town = prepared()
    town.submit("small", "grid1")
    town.accept("small", "worker1", HandlingMode.SCHEDULED, "D02", difficulty=Difficulty.EASY)
    return town


def moved_on() -> Town:
    """A proposed topic that goes another way before it is admitted."""
    town = prepared()
    town.say("b", "secretary1", issue.RaiseLevel(reason="text:r"))
    return town


def again() -> Town:
    """A matter, and a topic that was carried over from a meeting that did not take place."""
    town = Town("06-01 09:00")
    town.month("2026-06")
    topic(town, "a")
    town.meet("z", "06-20 15:00")
    town.propose("z", "a")
    town.say("z", "secretary1", do.Cancel(reason="text:r"))
    town.meet("m", "06-24 15:00")
    town.say("m", "worker1", do.ProposeItem(title="text:t", document="text:d"))
    town.say("m", "clerk1", do.ProposeItem(topic="a"))
    return town


def escalated() -> Town:
    """A topic beside a running order, proposed by hand."""
    town = Town("06-01 09:00")
    town.submit("e", "grid1")
    town.accept("e", "worker1", HandlingMode.TIME_LIMITED, "B01", lead_org="property-1", clock_class="SIMPLE")
    town.say("e", "secretary1", issue.RaiseLevel(reason="text:r"))
    town.meet("m", "06-24 15:00")
    town.say("m", "clerk1", do.ProposeItem(topic="e"))
    return town


def escalated_open() -> Town:
    """The same, open in the session."""
    town = escalated()
    town.say("m", "clerk1", do.Admit(item="i1"))
    town.open_session("m")
    town.open_item("m", "e")
    town.heard("m", "e")
    town.vote("m", "e", in_favour=9)
    return town


def empty() -> Town:
    """Nothing waits for the body."""
    town = Town("06-08 09:00")
    town.meet("m", "06-24 15:00")
    return town


def assembly() -> Town:
    """A body whose seats nobody keeps."""
    town = Town("06-08 09:00")
    town.meet("m", "06-24 15:00", kind=MeetingType.RESIDENT_REPRESENTATIVES)
    town.say("m", "worker1", do.ProposeItem(title="text:t", document="text:d"))
    town.say("m", "clerk1", do.SendNotice())
    return town


def assembled() -> Town:
    """The same in session, with an open item."""
    town = assembly()
    town.say("m", "secretary1", do.OpenSession(headcount=do.Headcount(members=60, present=42)))
    town.say("m", "secretary1", do.OpenItem(item="i1"))
    return town


def joint() -> Town:
    """A 联席会议 with an open item."""
    town = Town("06-08 09:00")
    topic(town, "i")
    town.meet("m", "06-24 15:00", kind=MeetingType.PARTY_BUILDING_JOINT)
    town.open_session("m")
    town.open_item("m", "i")
    town.heard("m", "i")
    return town


def opened(*, secret: bool = False, present: int | None = None) -> Town:
    """A session with one open item, nobody heard and nobody voted."""
    town = Town("06-08 09:00")
    topic(town, "i")
    town.meet("m", "06-24 15:00")
    town.open_session("m", present)
    town.say("m", "secretary1", do.OpenItem(item="i1", secret=secret))
    return town


def personnel() -> Town:
    """A personnel matter before five of nine."""
    town = Town("06-08 09:00")
    town.meet("m", "06-24 15:00")
    town.say("m", "worker1", do.ProposeItem(title="text:t", document="text:d", personnel=True))
    town.open_session("m", present=5)
    town.say("m", "secretary1", do.OpenItem(item="i1"))
    return town


def deferred_twice() -> Town:
    """A topic that was put off twice already, open again."""
    town = Town("06-01 09:00")
    topic(town, "i")
    for turn, key in enumerate(("x", "y", "m")):
        town.meet(key, f"06-{8 + 7 * turn:02} 15:00")
        town.at(f"06-{8 + 7 * turn:02} 15:00").open_session(key)
        town.open_item(key, "i")
        if key != "m":
            town.decide(key, "i", Outcome.DEFER)
            town.adjourn(key)
    return town


def voted(choice: Choice) -> Town:
    """Heard, and voted on by everybody."""
    town = opened()
    town.heard("m", "i")
    votes = {"in_favour": 9} if choice is FOR else {"in_favour": 0, "against": 9}
    town.vote("m", "i", **votes)
    return town


def decision(outcome: Outcome, **fields: Any) -> do.RecordDecision:
    """A decision on the first item."""
    return do.RecordDecision(item="i1", outcome=outcome, text="text:d", **fields)


def cast(*votes: tuple[str, Choice]) -> do.RecordVote:
    """Votes as the clerk writes them down."""
    return do.RecordVote(item="i1", votes=tuple(do.Cast(member=one, choice=choice) for one, choice in votes))


def meeting(**fields: Any) -> do.ScheduleMeeting:
    """A meeting to set."""
    given = {"type": EPC, "scheduled_at": moment("06-24 15:00"), "place": "text:p", **fields}
    return do.ScheduleMeeting(community_code=C1, **given)


HEADS = do.Headcount(members=60, present=42)
ONE = do.RecordVote(item="i1", choice=FOR)
COUNT = do.RecordVote(item="i1", count=do.Count(in_favour=1), voters=("epc1b",))
POSTPONED = do.Postpone(scheduled_at=moment("06-29 15:00"), reason="text:r")
GONE = do.RecordAttendance(left=("epc1b", "epc1c", "epc1d", "epc1e", "epc1f"))
MARKED = do.DeclareInterest(item="i1")


def one_left() -> Town:
    """A personnel matter before six of nine, of whom one leaves after the first vote."""
    town = personnel()
    town.say("m", "clerk1", do.RecordAttendance(joined=("epc1f",)))
    town.say("m", "epc1b", ONE)
    town.say("m", "clerk1", do.RecordAttendance(left=("epc1f",)))
    return town


# refusal, way, who, what
TABLE: tuple[tuple[str, Way | None, str, Any], ...] = (
    ("calling.schedule SAME_BODY", None, "clerk1", meeting(joint_with=EPC)),
    ("calling._in_future MEETING_IN_PAST", None, "clerk1", meeting(scheduled_at=moment("06-01 15:00"))),
    ("calling._filled NOTHING_TO_MAKE_UP", None, "clerk1", meeting(make_up_for="2026-05")),
    ("calling._require_convenor NOT_IN_ROLE", None, "worker1", meeting(type=TWO_COMMITTEES)),
    ("calling.postpone POSTPONED_ALREADY", then(prepared, ("secretary1", POSTPONED)), "secretary1", POSTPONED),
    ("agenda.propose_item TOPIC_OR_MATTER", prepared, "worker1", do.ProposeItem()),
    ("agenda.propose_item TOPIC_OR_MATTER", prepared, "worker1", do.ProposeItem(topic="c", title="text:t")),
    ("agenda._matter NO_DOCUMENT", prepared, "worker1", do.ProposeItem(title="text:t")),
    ("agenda._waiting TOPIC_ELSEWHERE", elsewhere, "worker1", do.ProposeItem(topic="far")),
    ("agenda._waiting TOPIC_OF_OTHER_BODY", small, "worker1", do.ProposeItem(topic="small")),
    ("agenda._waiting TOPIC_NOT_WAITING", prepared, "worker1", do.ProposeItem(topic="a")),
    ("agenda.arrange_items ITEMS_DIFFER", prepared, "clerk1", do.ArrangeItems(items=("i1",))),
    ("agenda.arrange_items CARRIED_OVER_FIRST", again, "clerk1", do.ArrangeItems(items=("i1", "i2"))),
    ("agenda._waiting ITEM_ALREADY_THERE", prepared, "worker1", do.ProposeItem(topic="b")),
    ("agenda.admit TOPIC_NOT_WAITING", moved_on, "clerk1", do.Admit(item="i2")),
    ("agenda.item_at NO_SUCH_ITEM", prepared, "clerk1", do.Admit(item="i9")),
    ("agenda.item_at ITEM_NOT_PROPOSED", prepared, "clerk1", do.Admit(item="i1")),
    ("agenda.item_at ITEM_NOT_OPEN", quiet, "secretary1", decision(Outcome.DEFER)),
    ("agenda.item_at ITEM_NOT_ON_AGENDA", opened, "secretary1", do.OpenItem(item="i1")),
    (
        "agenda.item_at ITEM_NOT_DECIDED",
        then(quiet, ("secretary1", do.Adjourn())),
        "clerk1",
        do.CompleteDecision(item="i1"),
    ),
    ("agenda.return_item ESCALATED_NOT_RETURNED", escalated, "secretary1", do.ReturnItem(item="i1", reason="text:r")),
    ("agenda.add_urgent_item NOT_URGENT", prepared, "secretary1", do.AddUrgentItem(topic="c")),
    ("agenda.send_notice EMPTY_AGENDA", empty, "clerk1", do.SendNotice()),
    ("session.open_session NOBODY_PRESENT", at("NOTICED"), "secretary1", do.OpenSession()),
    ("session.open_session NO_QUORUM_YET", at("NOTICED"), "secretary1", do.OpenSession(present=("epc1b",))),
    ("session._counted HEADCOUNT_REQUIRED", assembly, "secretary1", do.OpenSession(present=("worker1",))),
    ("session._counted SEATS_ARE_LISTED", at("NOTICED"), "secretary1", do.OpenSession(headcount=HEADS)),
    (
        "session._counted MORE_PRESENT_THAN_MEMBERS",
        assembly,
        "secretary1",
        do.OpenSession(headcount=do.Headcount(members=4, present=5)),
    ),
    (
        "session.reconvene NOTICE_TOO_SHORT",
        at("INQUORATE"),
        "secretary1",
        do.Reconvene(scheduled_at=moment("06-25 09:00")),
    ),
    (
        "session.reconvene AFTER_RECONVENE",
        at("INQUORATE"),
        "secretary1",
        do.Reconvene(scheduled_at=moment("07-03 09:00")),
    ),
    ("session.record_attendance NOT_PRESENT", opened, "clerk1", do.RecordAttendance(left=("grid1",))),
    ("session.record_attendance SEATS_ARE_LISTED", opened, "clerk1", do.RecordAttendance(headcount=5)),
    ("session.may_decide NO_QUORUM", then(opened, ("clerk1", GONE)), "secretary1", do.OpenItem(item="i1")),
    ("session.adjourn ITEM_OPEN", opened, "secretary1", do.Adjourn()),
    ("votes.declare_interest DECLARED_ALREADY", then(opened, ("epc1b", MARKED)), "epc1b", MARKED),
    (
        "votes.rule_on_interest NOTHING_REPORTED",
        opened,
        "secretary1",
        do.RuleOnInterest(item="i1", member="epc1b", accepted=True),
    ),
    ("votes._interested VOTED_ALREADY", then(opened, ("epc1b", ONE)), "epc1b", MARKED),
    ("votes.record_vote ONE_WAY_TO_VOTE", opened, "epc1b", do.RecordVote(item="i1")),
    ("votes.record_vote NOT_IN_ROLE", opened, "epc1b", cast(("epc1c", FOR))),
    ("votes.record_vote VOTED_ALREADY", opened, "clerk1", cast(("epc1b", FOR), ("epc1b", AGAINST))),
    ("votes._require_members NOT_BODY_MEMBER", opened, "member1a", ONE),
    ("votes.record_vote BODY_DOES_NOT_VOTE", joint, "secretary1", ONE),
    ("votes.record_vote VOTE_CLOSED", lambda: voted(FOR), "epc1b", ONE),
    ("votes.record_vote NO_QUORUM", personnel, "epc1b", ONE),
    ("votes.record_vote SECRET_BALLOT", lambda: opened(secret=True), "epc1b", ONE),
    ("votes._require_free RECUSED", then(opened, ("epc1b", MARKED)), "epc1b", ONE),
    ("votes._require_free NOT_PRESENT", lambda: opened(present=6), "epc1i", ONE),
    ("votes._require_free VOTED_ALREADY", then(opened, ("epc1b", ONE)), "epc1b", ONE),
    ("votes._counted_vote NOT_A_SECRET_BALLOT", opened, "clerk1", COUNT),
    (
        "votes._counted_vote COUNT_AND_VOTERS_DIFFER",
        lambda: opened(secret=True),
        "clerk1",
        do.RecordVote(item="i1", count=do.Count(in_favour=2), voters=("epc1b",)),
    ),
    (
        "votes._counted_vote MORE_VOTES_THAN_ELIGIBLE",
        assembled,
        "clerk1",
        do.RecordVote(item="i1", count=do.Count(in_favour=43)),
    ),
    ("votes.close_vote NOTHING_VOTED", opened, "clerk1", do.CloseVote(item="i1")),
    ("votes.close_vote NO_QUORUM", one_left, "clerk1", do.CloseVote(item="i1")),
    ("votes.close_vote VOTE_CLOSED", lambda: voted(FOR), "clerk1", do.CloseVote(item="i1")),
    ("decisions._body_may BODY_NOT_ALLOWED", joint, "secretary1", decision(Outcome.REFER_DEPARTMENT)),
    ("decisions.record_decision NO_QUORUM", personnel, "secretary1", decision(Outcome.DEFER)),
    ("decisions._complete EXPLANATION_REQUIRED", opened, "secretary1", decision(Outcome.NOT_FEASIBLE)),
    ("decisions._complete DAY_IN_PAST", opened, "secretary1", decision(Outcome.DEFER, until=day("06-01"))),
    (
        "decisions._complete NOT_A_DEPARTMENT",
        opened,
        "secretary1",
        decision(Outcome.REFER_DEPARTMENT, lead_org="drainage"),
    ),
    ("decisions._complete LEAD_REQUIRED", opened, "secretary1", decision(Outcome.ASSIGN)),
    ("decisions._complete LEAD_REQUIRED", opened, "secretary1", decision(Outcome.REFER_DEPARTMENT)),
    ("decisions._heard NOT_HEARD", opened, "secretary1", decision(Outcome.ADOPT)),
    ("decisions._without_consensus CONSENSUS_REQUIRED", joint, "secretary1", decision(Outcome.ADOPT)),
    ("decisions._voted VOTE_REQUIRED", opened, "secretary1", decision(Outcome.ADOPT, waiver_reason="text:w")),
    ("decisions._voted VOTE_NOT_PASSED", lambda: voted(AGAINST), "secretary1", decision(Outcome.ADOPT)),
    ("decisions._issue_takes KEEP_ONLY_ESCALATED", lambda: voted(FOR), "secretary1", decision(Outcome.KEEP)),
    ("decisions._issue_takes OUTCOME_WHILE_HANDLING", escalated_open, "secretary1", decision(Outcome.DEFER)),
    ("decisions._issue_takes DUE_REQUIRED", escalated_open, "secretary1", decision(Outcome.KEEP)),
    ("decisions._issue_takes DEFERRED_TOO_OFTEN", deferred_twice, "secretary1", decision(Outcome.DEFER)),
    (
        "minutes.complete_decision DECIDED_OTHERWISE",
        at("MINUTES_DRAFT"),
        "clerk1",
        do.CompleteDecision(item="i1", lead_org="drainage"),
    ),
    (
        "minutes.complete_decision DECIDED_OTHERWISE",
        at("MINUTES_DRAFT"),
        "clerk1",
        do.CompleteDecision(item="i3", due_on=day("08-01")),
    ),
    (
        "minutes.complete_decision DAY_IN_PAST",
        at("MINUTES_DRAFT"),
        "clerk1",
        do.CompleteDecision(item="i1", due_on=day("06-01")),
    ),
    ("minutes.task_done NO_SUCH_TASK", at("FOLLOW_UP"), "clerk1", do.TaskDone(task="t1")),
)


def unsigned() -> Town:
    """Adopted without saying who is responsible."""
    town = voted(FOR)
    town.decide("m", "i", Outcome.ADOPT)
    town.adjourn("m")
    return town


def counted_twice() -> Town:
    """A secret count that did not bring everybody's ballot, twice."""
    town = opened(secret=True)
    town.say("m", "clerk1", COUNT)
    return town


TABLE += (("minutes.may_sign MINUTES_INCOMPLETE", unsigned, "secretary1", do.SignMinutes()),)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_the_rules_refuse(row: tuple[str, Way | None, str, Any]) -> None:
    site, way, who, command = row
    town = Town("06-08 09:00") if way is None else way()
    before = dict(town.street.cases)

    given = town.say if way is not None else lambda key, who, what: town.street.open("meeting", key, what, PEOPLE[who])
    with pytest.raises(Refusal) as caught:
        given("m", who, command)
    assert site_of(caught.value) == site
    assert caught.value.clause or caught.value.field or caught.value.code == "forbidden"
    assert town.street.cases == before


def test_every_refusal_of_the_rules_is_provoked() -> None:
    provoked = {row[0] for row in TABLE if not row[0].startswith("agenda.item_at ITEM")}

    assert raise_sites("meeting") == provoked


def test_a_count_closes_the_vote_of_an_item() -> None:
    town = counted_twice()

    assert town.meeting("m").data.items["i1"].result == "NOT_PASSED"
    again = do.RecordVote(item="i1", count=do.Count(in_favour=1), voters=("epc1c",))
    assert town.refused("m", "clerk1", again) == "VOTE_CLOSED"


def test_a_topic_that_was_put_off_twice_lies_days_behind() -> None:
    town = deferred_twice()

    assert town.issue("i").data.defers == 2
    assert town.street.now - moment("06-08 15:00") == timedelta(days=14)
