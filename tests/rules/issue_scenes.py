"""Ways by which an issue comes to each of its positions, and samples of every command: for the tests of the table.

A scene is a legal path on the simulator, from registration on; no case here is made by hand. Cases are frozen, so
that a scene is played once and looked at many times.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any

from tests.scenarios.street import C1, C2, EVIDENCE, ORGANIZATIONS, PEOPLE, STREET, Town, day
from workflows.issue import commands as do
from workflows.issue.data import (
    Audience,
    Body,
    Channel,
    ClockClass,
    Difficulty,
    DifficultyReason,
    HandlingMode,
    HelpKind,
    NotHeld,
    Result,
    Solved,
    Source,
    StreetOutcome,
    SuspensionClass,
    Timing,
)
from workflows.issue.data import Outcome as Decided
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import SYSTEM, Actor, Case, Grant
from workflows.kernel.roles import Role
from workflows.meeting import commands as sit
from workflows.meeting.data import MeetingType, Outcome
from workflows.meeting.decisions import BINDING

IMMEDIATE, LIMITED, SCHEDULED = HandlingMode.IMMEDIATE, HandlingMode.TIME_LIMITED, HandlingMode.SCHEDULED
CLAIM = do.ClaimCompletion(text="text:done", evidence=EVIDENCE)
PHONE = do.GiveFeedback(audience=Audience.INDIVIDUAL, timing=Timing.ANYTIME, channel=Channel.PHONE, text="text:t")
BOARD = do.GiveFeedback(audience=Audience.PUBLIC, timing=Timing.ANYTIME, channel=Channel.NOTICE_BOARD, text="text:t")
SATISFIED = do.RecordVisit(contacted=True, solved=Solved.YES, satisfaction=5)
ANGRY = do.RecordVisit(contacted=True, solved=Solved.NO, satisfaction=1)
UNREASONABLE = do.RecordVisit(contacted=True, satisfaction=1, demand_reasonable=False)
RETURN = do.ReturnOrder(reason="text:r")
Path = Callable[[Town], None]
Scene = tuple[str, str, tuple[Path, ...]]
"""Position, name of the way, and the steps of it."""


# --- steps -------------------------------------------------------------------------------------------------


def start(when: str, **fields: Any) -> Path:
    """A resident reports."""

    def step(town: Town) -> None:
        town.at(when).submit("i", "resident1", source=Source.RESIDENT, **fields)

    return step


def told(who: str, command: Any) -> Path:
    """Somebody gives a command."""

    def step(town: Town) -> None:
        town.say("i", who, command)

    return step


def until(when: str) -> Path:
    """Time passes."""

    def step(town: Town) -> None:
        town.at(when)

    return step


def accepted(mode: HandlingMode, lead: str | None = None, *, hard: bool = True) -> Path:
    """On the problem list and on its way."""
    difficulty = Difficulty.MODERATE if hard and mode is SCHEDULED else Difficulty.EASY
    reasons = (DifficultyReason.MONEY,) if difficulty is Difficulty.MODERATE else ()
    command = do.AcceptToProblemList(
        mode=mode,
        category_code="Z99",
        difficulty=difficulty,
        difficulty_reasons=reasons,
        lead_org=lead,
        clock_class=ClockClass.SIMPLE if mode is LIMITED else None,
    )
    return told("worker1", command)


def dispatched(mode: HandlingMode, lead: str | None = None) -> Path:
    """Sent on its way again."""
    return told("worker1", do.Dispatch(mode=mode, lead_org=lead))


def on_agenda(town: Town) -> None:
    """A meeting of the body that the topic is for is set in four days, and takes it."""
    data = town.issue("i").data
    wanted = (data.escalated.body if data.escalated else data.topic_body) or Body.TWO_COMMITTEES
    key = f"m{sum(case.process == 'meeting' for case in town.street.cases.values()) + 1}"
    command = sit.ScheduleMeeting(
        community_code=C1,
        type=MeetingType(wanted.value),
        scheduled_at=town.street.now + timedelta(days=4),
        place="text:place",
    )
    town.street.open("meeting", key, command, PEOPLE["clerk1"])
    town.propose(key, "i")


def meeting_of(town: Town) -> str:
    """The meeting that has the topic before it."""
    meeting = town.issue("i").data.meeting
    assert meeting is not None
    return meeting


def opened(town: Town) -> None:
    """Everybody has come, and the chair opens the item."""
    meeting = meeting_of(town)
    if town.meeting(meeting).state != "IN_SESSION":
        town.open_session(meeting)
    town.open_item(meeting, "i")


def heard(town: Town) -> None:
    """A party is heard."""
    town.heard(meeting_of(town), "i")


def decided(outcome: Outcome, **fields: Any) -> Path:
    """Everybody votes for it, and the chair records the decision."""

    def step(town: Town) -> None:
        meeting = meeting_of(town)
        if outcome in BINDING:
            town.vote(meeting, "i", in_favour=99)
        town.decide(meeting, "i", outcome, waiver_reason="text:w", **fields)

    return step


def system(command: Any) -> Path:
    """Another case tells the issue something."""

    def step(town: Town) -> None:
        town.street.command("i", command, SYSTEM, facts=FACTS)

    return step


def project(due_on: date) -> do.AddToProjectList:
    """A project with one step."""
    return do.AddToProjectList(
        measures="text:m",
        survey_note="text:s",
        feasibility="text:f",
        lead_org="property-1",
        milestones=(do.Milestone(title="text:m1", due_on=due_on),),
        due_on=due_on,
    )


FIRST = "04-07 09:00"
"""A Tuesday after the Qingming days: AGENDA is due 04-30 24:00, OVERALL 07-06 24:00."""
SENT = accepted(LIMITED, "property-1")
TOPIC = accepted(SCHEDULED)
SIGN = told("property1", do.Sign())
ADMIT, OPEN_ITEM = on_agenda, opened
RAISE = told("secretary1", do.RaiseLevel(reason="text:r"))
GIVE_BACK = told("property1", RETURN)
ASK_TO_WAIT = told("property1", do.RequestSuspension(class_=SuspensionClass.FUNDING, reason="text:r"))
SUSPEND = told("officer", do.DecideSuspension(approve=True))
REFER = (TOPIC, ADMIT, OPEN_ITEM, decided(Outcome.REFER_DEPARTMENT, lead_org="urban-management"))
THREE_RETURNS = (
    SENT,
    GIVE_BACK,
    dispatched(LIMITED, "drainage"),
    told("drainage", RETURN),
    dispatched(LIMITED, "power"),
    told("power", RETURN),
)


# --- ways --------------------------------------------------------------------------------------------------


def _beginnings() -> Iterator[tuple[str, tuple[Path, ...]]]:
    yield "plain", (start(FIRST),)
    # Told in public, closed and reopened without ever having had a lead: a posting hangs.
    yield (
        "posted",
        (
            start(FIRST),
            TOPIC,
            ADMIT,
            OPEN_ITEM,
            decided(Outcome.NOT_FEASIBLE, explanation="text:e"),
            told("worker1", BOARD),
            told("worker1", SATISFIED),
            told("resident1", do.Reopen(reason="text:r")),
            until("04-17 09:00"),
        ),
    )
    # Taken up so late that the ninety days end while the topic is on its way.
    yield "late", (start("01-12 09:00"), until("04-10 09:00"))


def _topics() -> Iterator[tuple[str, tuple[Path, ...]]]:
    """Ways to TOPIC_PROPOSED."""
    for name, begin in _beginnings():
        yield name, (*begin, TOPIC)
    yield "handled", (start(FIRST), SENT, GIVE_BACK, dispatched(SCHEDULED))
    # RED on 04-28, after which no agenda of April can take it: on the next one the county is told.
    red = (start("04-10 09:00"), SENT, GIVE_BACK, dispatched(SCHEDULED), until("04-29 09:00"))
    yield "red", red


def scenes() -> Iterator[Scene]:
    """Every way to every position."""
    for name, begin in _beginnings():
        yield "REGISTERED", name, begin
        yield "REGISTERED:DECLINE_PROPOSED", name, (*begin, told("worker1", do.Decline(reason="text:r")))
        transfer = do.TransferCommunity(to_community=C2, reason="text:r")
        yield "REGISTERED:TRANSFER_PENDING", name, (*begin, told("worker1", transfer))
        yield "VERIFYING", name, (*begin, told("worker1", do.RequestVerification()))
        yield from _ordered(name, begin)
        yield from _closed_early(name, begin)
    yield "REGISTERED", "asked", (start(FIRST), told("worker1", do.AskReporter(info="text:i")))
    yield (
        "REGISTERED:TRANSFER_PENDING",
        "silent",
        (
            start(FIRST),
            told("worker1", do.TransferCommunity(to_community=C2, reason="text:r")),
            until("04-09 09:00"),
        ),
    )
    for name, topic in _topics():
        yield from _discussed(name, topic)
    yield from _special()


def _ordered(name: str, begin: tuple[Path, ...]) -> Iterator[Scene]:
    sent = (*begin, SENT)
    signed = (*sent, SIGN)
    yield "ON_PROBLEM_LIST", f"{name}-returned", (*sent, GIVE_BACK)
    yield "ASSIGNED", name, sent
    yield "IN_PROGRESS", name, signed
    yield "SUSPENDED", name, (*signed, ASK_TO_WAIT, SUSPEND)
    yield "COMPLETION_REVIEW", name, (*signed, told("property1", CLAIM))
    yield "ASSIGNED:DESIGNATION_ASKED", name, (*begin, *THREE_RETURNS)
    done = (*begin, accepted(IMMEDIATE), told("grid1", CLAIM))
    yield "FEEDBACK_DUE", name, done
    visit = (*done, told("worker1", PHONE))
    yield "RETURN_VISIT", name, visit
    yield "RETURN_VISIT:DISPUTED", name, (*visit, told("worker1", UNREASONABLE))
    closed = (*visit, told("worker1", SATISFIED))
    yield "CLOSED:RESOLVED", name, closed
    partly = do.RecordVisit(contacted=True, solved=Solved.PARTLY, satisfaction=3)
    yield "CLOSED:PARTLY_RESOLVED", name, (*visit, told("worker1", partly))
    explained = do.DecideDispute(outcome="CLOSE", explanation="text:e")
    yield "CLOSED:EXPLAINED", name, (*visit, told("worker1", UNREASONABLE), told("supervisor", explained))


def _closed_early(name: str, begin: tuple[Path, ...]) -> Iterator[Scene]:
    declined = (told("worker1", do.Decline(reason="text:r")), told("vice1", do.ConfirmDecline()))
    yield "CLOSED:NOT_ACCEPTED", name, (*begin, *declined)
    yield (
        "CLOSED:TRANSFERRED_OUT",
        name,
        (
            *begin,
            told("worker1", do.TransferOut(channel="12345", reason="text:r")),
        ),
    )
    yield "CLOSED:WITHDRAWN", name, (*begin, told("resident1", do.Withdraw(reason="text:r")))
    yield "CLOSED:MERGED", name, (*begin, another, told("worker1", do.MergeInto(target="other")))
    parts = tuple(do.Child(title=f"text:{n}", description=f"text:d{n}", lead_org="property-1") for n in (1, 2))
    yield "CLOSED:SPLIT", name, (*begin, TOPIC, told("worker1", do.Split(children=parts)))


def another(town: Town) -> None:
    """Another open issue, to merge into."""
    town.submit("other", "resident1b", source=Source.RESIDENT)


def _discussed(name: str, topic: tuple[Path, ...]) -> Iterator[Scene]:
    discussed = (*topic, ADMIT, OPEN_ITEM)
    yield "TOPIC_PROPOSED", name, topic
    yield "ON_AGENDA", name, (*topic, ADMIT)
    yield "UNDER_DISCUSSION", name, (*discussed, heard)
    deferred = decided(Outcome.DEFER, until=day("12-31"), reason="text:r")
    yield "DEFERRED", name, (*discussed, deferred)
    due = decided(Outcome.DEFER, until=day("05-12"), reason="text:r")
    yield "ON_AGENDA", f"{name}-due", (*discussed, due, until("05-13 09:00"))
    yield "DEFERRED:CONSULTATION", name, (*discussed, decided(Outcome.CONSULT))
    planned = (*discussed, decided(Outcome.ADOPT, lead_org="property-1"))
    yield "PLANNING", name, planned
    assigned = (*discussed, decided(Outcome.ASSIGN, lead_org="property-1", due_on=day("12-31")))
    yield "ASSIGNED", f"{name}-decided", assigned
    yield "IN_PROGRESS", f"{name}-decided", (*assigned, SIGN)
    yield "COMPLETION_REVIEW", f"{name}-decided", (*assigned, SIGN, told("property1", CLAIM))
    yield "ON_PROBLEM_LIST", f"{name}-back", (*topic, told("secretary1", do.ReturnTopic(reason="text:r")))


def _special() -> Iterator[Scene]:
    begin = (start(FIRST),)
    sent = (*begin, SENT)
    for steps, name in (((RAISE,), "raised"), ((RAISE, RAISE), "street")):
        yield "ASSIGNED", name, (*sent, *steps)
        yield "IN_PROGRESS", name, (*sent, SIGN, *steps)
        yield "SUSPENDED", name, (*sent, SIGN, *steps, ASK_TO_WAIT, SUSPEND)
    yield "COMPLETION_REVIEW", "raised", (*sent, SIGN, RAISE, told("property1", CLAIM))
    # Late in the month: the slot of the escalated topic ends before the handling time does.
    yield "ON_PROBLEM_LIST", "raised", (start("04-22 09:00"), SENT, RAISE, GIVE_BACK)
    yield "ASSIGNED:DESIGNATION_ASKED", "raised", (*begin, *THREE_RETURNS, RAISE)
    yield "ASSIGNED:DESIGNATION_ASKED", "street", (*begin, *THREE_RETURNS, RAISE, RAISE)
    late = (start("01-12 09:00"), until("04-10 09:00"))
    three = (
        *late,
        TOPIC,
        ADMIT,
        OPEN_ITEM,
        decided(Outcome.ASSIGN, lead_org="property-1", due_on=day("12-31")),
        *THREE_RETURNS[1:],
    )
    yield "ASSIGNED:DESIGNATION_ASKED", "late-decided", three
    yield (
        "DEFERRED",
        "street",
        (
            *begin,
            TOPIC,
            RAISE,
            told(
                "officer",
                do.RecordStreetDecision(
                    outcome=StreetOutcome.DEFER, text="text:t", document_no="1", until=day("04-20")
                ),
            ),
        ),
    )
    yield "TOPIC_PROPOSED", "street", (*begin, TOPIC, RAISE)
    # A handling time that was over before the work was suspended or claimed: it turns red there.
    overdue = (*sent, SIGN, until("04-17 09:00"))
    yield "SUSPENDED", "overdue", (*overdue, ASK_TO_WAIT, SUSPEND)
    yield "COMPLETION_REVIEW", "overdue", (*overdue, told("property1", CLAIM))
    yield "COMPLETION_REVIEW", "red", (*sent, SIGN, until("04-24 09:00"), told("property1", CLAIM))
    referred = (*begin, *REFER)
    signed = (*referred, told("department", do.Sign()))
    wait = told("department", do.RequestSuspension(class_=SuspensionClass.LAND_OR_LAW, reason="text:r"))
    yield "ASSIGNED", "referred", referred
    yield "IN_PROGRESS", "referred", signed
    yield "SUSPENDED", "referred", (*signed, wait, SUSPEND)
    yield "COMPLETION_REVIEW", "referred", (*signed, told("department", CLAIM))
    yield (
        "ASSIGNED:DESIGNATION_ASKED",
        "referred",
        (
            *begin,
            *THREE_RETURNS[:4],
            dispatched(SCHEDULED),
            told("secretary1", do.RaiseLevel(reason="text:r")),
            ADMIT,
            OPEN_ITEM,
            REFER[-1],
            told("department", RETURN),
        ),
    )
    planned = (*begin, TOPIC, ADMIT, OPEN_ITEM, decided(Outcome.ADOPT, lead_org="property-1"))
    yield "IN_PROGRESS", "project", (*planned, told("worker1", project(day("05-15"))))
    longer = told("property1", do.RequestExtension(to=day("04-20"), reason="text:r"))
    yield "IN_PROGRESS", "longer", (*sent, SIGN, longer)
    yield "IN_PROGRESS", "waits", (*sent, SIGN, ASK_TO_WAIT)
    call = do.CallForHelp(departments=("urban-management",), kind=HelpKind.JOINT_ENFORCEMENT)
    yield "IN_PROGRESS", "called", (*sent, SIGN, told("secretary1", call))
    yield (
        "IN_PROGRESS",
        "redone",
        (
            *begin,
            accepted(IMMEDIATE),
            told("grid1", CLAIM),
            told("worker1", PHONE),
            told("worker1", ANGRY),
        ),
    )


@cache
def played(name: str) -> Case[Any]:
    """The case of a scene, named `POSITION/way`."""
    return play(name).issue("i")


def play(name: str, more: tuple[Path, ...] = ()) -> Town:
    """Walk a scene again, for a test that goes on from there."""
    town = Town("01-12 08:00")
    for step in (*WAYS[name], *more):
        step(town)
    return town


WAYS: dict[str, tuple[Path, ...]] = {f"{position}/{way}": steps for position, way, steps in scenes()}

# --- samples -----------------------------------------------------------------------------------------------


def tally(result: Result, meeting: str = "m1") -> do.RecordTally:
    """The result of a vote of nine, as the meeting tells it."""
    return do.RecordTally(meeting=meeting, item="i1", result=result, members=9, present=9, in_favour=6, against=1)


PARTS = tuple(do.Child(title=f"text:{n}", description=f"text:d{n}", lead_org="property-1") for n in (1, 2))


def samples(case: Case[Any]) -> dict[type, tuple[Any, ...]]:
    """A few lawful ways to say each command, fit for the days of the case."""
    assert case.updated_at is not None
    today = case.updated_at.astimezone(CHINA).date()
    later = date.fromordinal(today.toordinal() + 20)
    meeting = case.data.meeting or "m1"
    handle = case.clock("HANDLE")
    longer = date.fromordinal(handle.due_at.astimezone(CHINA).toordinal() + 1) if handle and handle.due_at else later
    return {
        do.OpenSplitChild: (),
        do.RequestVerification: (do.RequestVerification(),),
        do.ReportFacts: (do.ReportFacts(evidence=EVIDENCE),),
        do.ContactReporter: (do.ContactReporter(note="text:n"),),
        do.AskReporter: (do.AskReporter(info="text:i"),),
        do.ReceiveInfo: (do.ReceiveInfo(text="text:t"),),
        do.MergeInto: (do.MergeInto(target="other"),),
        do.AbsorbDuplicate: (
            do.AbsorbDuplicate(duplicate="other", counted_from="2026-03-01T09:00:00+08:00", followers=("resident1b",)),
        ),
        do.UndoMerge: (do.UndoMerge(target="other"),),
        do.Decline: (do.Decline(reason="text:r"),),
        do.ConfirmDecline: (do.ConfirmDecline(),),
        do.RefuseDecline: (do.RefuseDecline(reason="text:r"),),
        do.ObjectToDecline: (do.ObjectToDecline(reason="text:r"),),
        do.TransferOut: (do.TransferOut(channel="12345", reason="text:r"),),
        do.TransferCommunity: (do.TransferCommunity(to_community=C2, reason="text:r"),),
        do.AcceptTransfer: (do.AcceptTransfer(),),
        do.RefuseTransfer: (do.RefuseTransfer(reason="text:r"),),
        do.DecideTransfer: (do.DecideTransfer(community=C2),),
        do.AcceptToProblemList: (
            do.AcceptToProblemList(mode=IMMEDIATE, category_code="Z99", difficulty=Difficulty.EASY),
        ),
        do.Dispatch: (do.Dispatch(mode=LIMITED, lead_org="drainage"),),
        do.Split: (do.Split(children=PARTS),),
        do.Withdraw: (do.Withdraw(reason="text:r"),),
        do.Unsubscribe: (do.Unsubscribe(),),
        do.AdmitToAgenda: (do.AdmitToAgenda(meeting="m1", bodies=("TWO_COMMITTEES",), meets_at=case.updated_at),),
        do.ReturnTopic: (do.ReturnTopic(reason="text:r"),),
        do.CarryOver: (do.CarryOver(meeting=meeting, reason=NotHeld.CANCELLED),),
        do.RaiseLevel: (do.RaiseLevel(reason="text:r"),),
        do.OpenItem: (do.OpenItem(meeting=meeting, item="i1"),),
        do.RecordStatement: (
            do.RecordStatement(meeting=meeting, item="i1", party="text:p", position="text:q", need="text:n"),
        ),
        do.RecordTally: (tally(Result.PASSED, meeting),),
        do.RecordDecision: (
            do.RecordDecision(
                meeting=meeting,
                item="i1",
                outcome=Decided.ASSIGN,
                text="text:d",
                lead_org="drainage",
                due_on=later,
                waiver_reason="text:w",
            ),
        ),
        do.RecordStreetDecision: (
            do.RecordStreetDecision(
                outcome=StreetOutcome.ASSIGN, text="text:t", document_no="1", lead_org="drainage", due_on=later
            ),
        ),
        do.RecordConsultation: (do.RecordConsultation(conclusion="PARTIAL", text="text:t", evidence=EVIDENCE),),
        do.AddToProjectList: (project(later),),
        do.ReportInfeasible: (do.ReportInfeasible(reason="text:r", evidence=EVIDENCE),),
        do.Sign: (do.Sign(),),
        do.ReturnOrder: (RETURN,),
        do.Designate: (do.Designate(lead_org="telecom"),),
        do.ReplyReferral: (do.ReplyReferral(text="text:t", due_on=later),),
        do.LogProgress: (do.LogProgress(text="text:t"),),
        do.MilestoneDone: (do.MilestoneDone(milestone="m1"),),
        do.RequestExtension: (do.RequestExtension(to=longer, reason="text:r"),),
        do.DecideExtension: (do.DecideExtension(approve=True),),
        do.RequestSuspension: (do.RequestSuspension(class_=SuspensionClass.SEASONAL, reason="text:r"),),
        do.DecideSuspension: (do.DecideSuspension(approve=True),),
        do.ReviewSuspension: (do.ReviewSuspension(conditions_exist=True),),
        do.Resume: (do.Resume(reason="text:r"),),
        do.CallForHelp: (do.CallForHelp(departments=("urban-management",), kind=HelpKind.HARD),),
        do.ReportArrival: (do.ReportArrival(department="urban-management"),),
        do.ClaimCompletion: (CLAIM,),
        do.ApproveCompletion: (do.ApproveCompletion(),),
        do.RejectCompletion: (do.RejectCompletion(reason="text:r"),),
        do.SupervisionOpened: (do.SupervisionOpened(supervision="listing"),),
        do.SupervisionDelisted: (do.SupervisionDelisted(supervision=case.data.supervision_id or "listing"),),
        do.PauseForEmergency: (do.PauseForEmergency(emergency="e"),),
        do.ResumeAfterEmergency: (do.ResumeAfterEmergency(emergency="e"),),
        do.GiveFeedback: (PHONE, BOARD),
        do.RecordVisit: (SATISFIED,),
        do.DecideDispute: (do.DecideDispute(outcome="CLOSE", explanation="text:e"),),
        do.Reopen: (do.Reopen(reason="text:r"),),
    }


FACTS: dict[str, Any] = {
    "organizations": ORGANIZATIONS,
    "target": {"id": "other", "community": C1, "closed": False, "title": "text:other"},
}
"""What the door knows of the organisations and of the other issue."""

ACTORS: tuple[Actor, ...] = (*PEOPLE.values(), SYSTEM)
ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
OUTSIDER = Actor("outsider", "outsider", tuple(Grant(role, "620199002001", "elsewhere") for role in ROLES))
"""Somebody with every role there is, in another street."""
NO_ROLE = Actor("keeper", "keeper", (Grant(Role.SEAL_KEEPER, C1, "community-1"), Grant(Role.LIAISON_LEADER, STREET)))
"""Somebody of the very place, in roles that have nothing to do with issues."""
