"""Every refusal that the rules of the issue know: who hears it, saying what, in which situation."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.rules.issue_scenes import (
    ADMIT,
    CLAIM,
    FACTS,
    PHONE,
    RAISE,
    SATISFIED,
    SENT,
    Path,
    another,
    decided,
    play,
    project,
    start,
    system,
    told,
    until,
)
from tests.rules.rows import raise_sites, site_of
from tests.scenarios.street import C1, C2, CONTACT, PEOPLE, Town, day, moment, world
from workflows.issue import commands as do
from workflows.issue.data import (
    Audience,
    Channel,
    Difficulty,
    DifficultyReason,
    HandlingMode,
    HelpKind,
    Outcome,
    Source,
    StreetOutcome,
    Timing,
)
from workflows.issue.process import ISSUE
from workflows.kernel.process import SYSTEM, Actor, Grant, Refusal
from workflows.kernel.step import Order, decide, embryo
from workflows.meeting.data import Outcome as Decided

IMMEDIATE, LIMITED, SCHEDULED = HandlingMode.IMMEDIATE, HandlingMode.TIME_LIMITED, HandlingMode.SCHEDULED
Z99: Mapping[str, Any] = {"category_code": "Z99", "difficulty": Difficulty.EASY}
MODERATE: Mapping[str, Any] = {"category_code": "Z99", "difficulty": Difficulty.MODERATE}


def wish(**fields: Any) -> do.SubmitIssue:
    """A registration."""
    given = {"title": "text:t", "description": "text:d", "source": Source.VISIT, **fields}
    return do.SubmitIssue(community_code=C1, **given)


def target(**known: Any) -> Mapping[str, Any]:
    """Facts of the issue to merge into."""
    return {"target": {"id": "other", "community": C1, "closed": False, **known}}


def decision(outcome: Outcome, **fields: Any) -> do.RecordDecision:
    """A decision as a meeting tells it."""
    return do.RecordDecision(meeting="m1", item="i1", outcome=outcome, text="text:d", **fields)


def street(outcome: StreetOutcome, **fields: Any) -> do.RecordStreetDecision:
    """A decision of the street."""
    return do.RecordStreetDecision(outcome=outcome, text="text:t", document_no="1", **fields)


def feedback(audience: Audience, channel: Channel) -> do.GiveFeedback:
    """A result told in some way."""
    return do.GiveFeedback(audience=audience, timing=Timing.ANYTIME, channel=channel, text="text:t")


def accept(**fields: Any) -> do.AcceptToProblemList:
    """An acceptance."""
    return do.AcceptToProblemList(**{"mode": LIMITED, **Z99, "lead_org": "property-1", **fields})


def deferred(town: Town) -> None:
    """Deferred, and on the agenda again."""
    put_off = decision(Outcome.DEFER, until=day("12-31"), reason="text:r")
    for step in (system(put_off), system(ADMITTED), system(OPENED)):
        step(town)


ADMITTED = do.AdmitToAgenda(meeting="m1", bodies=("TWO_COMMITTEES",), meets_at=moment("04-30 09:00"))
OPENED = do.OpenItem(meeting="m1", item="i1")
BY_GRID = told("worker1", accept(mode=IMMEDIATE, lead_org=None))

LONGER = (
    told("property1", do.RequestExtension(to=day("04-20"), reason="text:r")),
    told("secretary1", do.DecideExtension(approve=True)),
    told("property1", do.RequestExtension(to=day("04-22"), reason="text:r")),
    told("officer", do.DecideExtension(approve=True)),
)
BOTH = do.CallForHelp(departments=("urban-management", "statistics"), kind=HelpKind.HARD)
TWO_POSTS = Actor(
    "both", "both", (Grant("community_worker", C1, "community-1"), Grant("cwc_vice_chair", C1, "community-1"))
)


def by_phone(town: Town) -> None:
    """Somebody without an account calls the grid worker."""
    town.at("04-07 09:00").submit("i", "grid1", reporter=CONTACT)


def followed(town: Town) -> None:
    """Another resident's report of the same matter is merged into this one."""
    another(town)
    town.say("other", "worker1", do.MergeInto(target="i"))


def proposed_by_both(town: Town) -> None:
    """Somebody with two posts proposes to decline."""
    town.street.command("i", do.Decline(reason="text:r"), TWO_POSTS)


# reason, scene, further steps, who, what, further facts
Row = tuple[str, str, tuple[Path, ...], str | Actor, Any, Mapping[str, Any]]
TABLE: tuple[Row, ...] = (
    ("collect.submit NOTHING_DESCRIBED", "", (), "grid1", wish(description=""), {}),
    ("collect.submit ANONYMOUS_WITH_REPORTER", "", (), "grid1", wish(anonymous=True, reporter=CONTACT), {}),
    ("collect.submit REPORTED_IN_FUTURE", "", (), "grid1", wish(reported_at=moment("12-31 09:00")), {}),
    ("collect.report_facts NO_EVIDENCE", "VERIFYING/plain", (), "grid1", do.ReportFacts(), {}),
    (
        "collect.may_contact NO_REPORTER",
        "REGISTERED/plain",
        (told("resident1", do.Unsubscribe()),),
        "worker1",
        do.ContactReporter(note="text:n"),
        {},
    ),
    ("collect.ask_reporter ALREADY_ASKED", "REGISTERED/asked", (), "worker1", do.AskReporter(info="text:i"), {}),
    (
        "collect.ask_reporter ALREADY_ASKED",
        "REGISTERED/asked",
        (until("04-15 09:00"),),
        "worker1",
        do.AskReporter(info="text:i"),
        {},
    ),
    ("collect.receive_info NOT_ASKED", "REGISTERED/plain", (), "worker1", do.ReceiveInfo(text="text:t"), {}),
    ("collect.merge MERGE_WITH_ITSELF", "REGISTERED/plain", (), "worker1", do.MergeInto(target="i"), target(id="i")),
    (
        "collect.merge TARGET_CLOSED",
        "REGISTERED/plain",
        (),
        "worker1",
        do.MergeInto(target="other"),
        target(closed=True),
    ),
    (
        "collect.merge TARGET_ELSEWHERE",
        "REGISTERED/plain",
        (),
        "worker1",
        do.MergeInto(target="other"),
        target(community=C2),
    ),
    (
        "collect.merge TARGET_ELSEWHERE",
        "REGISTERED/plain",
        (),
        "officer",
        do.MergeInto(target="other"),
        target(community="620199002001"),
    ),
    ("collect.undo_merge OTHER_TARGET", "CLOSED:MERGED/plain", (), "system", do.UndoMerge(target="third"), {}),
    (
        "collect.transfer_community SAME_COMMUNITY",
        "REGISTERED/plain",
        (),
        "worker1",
        do.TransferCommunity(to_community=C1, reason="text:r"),
        {},
    ),
    (
        "collect.transfer_community OTHER_TENANT",
        "REGISTERED/plain",
        (),
        "worker1",
        do.TransferCommunity(to_community="620198001001", reason="text:r"),
        {},
    ),
    (
        "collect.may_decide_transfer RECEIVER_HAS_TIME",
        "REGISTERED:TRANSFER_PENDING/plain",
        (),
        "officer",
        do.DecideTransfer(community=C2),
        {},
    ),
    (
        "collect.decide_transfer OTHER_SUBDISTRICT",
        "REGISTERED:TRANSFER_PENDING/silent",
        (),
        "officer",
        do.DecideTransfer(community="620199002001"),
        {},
    ),
    ("collect.accept HARD_NEEDS_CHAIR", "REGISTERED/plain", (), "worker1", accept(difficulty=Difficulty.HARD), {}),
    (
        "collect.accept EASY_WITH_REASONS",
        "REGISTERED/plain",
        (),
        "worker1",
        accept(difficulty_reasons=(DifficultyReason.MONEY,)),
        {},
    ),
    (
        "collect.accept DIFFICULT_NOT_IMMEDIATE",
        "REGISTERED/plain",
        (),
        "worker1",
        accept(mode=IMMEDIATE, difficulty=Difficulty.MODERATE),
        {},
    ),
    (
        "collect.accept LEVEL_TOO_LOW",
        "REGISTERED/plain",
        (),
        "worker1",
        accept(mode=SCHEDULED, difficulty=Difficulty.MODERATE, level="L1"),
        {},
    ),
    (
        "collect.accept LEVEL_TOO_HIGH",
        "REGISTERED/plain",
        (),
        "worker1",
        accept(mode=SCHEDULED, level="L3"),
        {},
    ),
    ("collect.soft_mode CATEGORY_MODE", "REGISTERED/plain", (), "worker1", accept(category_code="D02"), {}),
    ("collect.route LEAD_REQUIRED", "REGISTERED/plain", (), "worker1", accept(lead_org=None), {}),
    (
        "collect.route LEAD_OUTSIDE_COMMUNITY",
        "REGISTERED/plain",
        (),
        "worker1",
        accept(mode=IMMEDIATE, lead_org="urban-management"),
        {},
    ),
    (
        "collect.dispatch DIFFICULT_NOT_IMMEDIATE",
        "ON_PROBLEM_LIST/plain-back",
        (),
        "worker1",
        do.Dispatch(mode=IMMEDIATE),
        {},
    ),
    (
        "collect.may_object WINDOW_OVER",
        "CLOSED:NOT_ACCEPTED/plain",
        (until("04-20 09:00"),),
        "resident1",
        do.ObjectToDecline(reason="text:r"),
        {},
    ),
    (
        "collect.may_object OBJECTED_ALREADY",
        "CLOSED:NOT_ACCEPTED/plain",
        (
            told("resident1", do.ObjectToDecline(reason="text:r")),
            told("worker1", do.Decline(reason="text:r")),
            told("vice1", do.ConfirmDecline()),
        ),
        "resident1",
        do.ObjectToDecline(reason="text:r"),
        {},
    ),
    (
        "collect.may_confirm_decline SEGREGATION",
        "REGISTERED/plain",
        (proposed_by_both,),
        TWO_POSTS,
        do.ConfirmDecline(),
        {},
    ),
    (
        "collect.contact HIDDEN_FROM_LEAD",
        "",
        (start("04-07 09:00", hidden_from_lead=True), SENT),
        "property1",
        do.ContactReporter(note="text:n"),
        {},
    ),
    (
        "collect.may_withdraw WITHDRAW_DANGER",
        "",
        (start("04-07 09:00", danger=True),),
        "resident1",
        do.Withdraw(reason="text:r"),
        {},
    ),
    (
        "collect.may_withdraw WITHDRAW_PUBLIC_INTEREST",
        "",
        (start("04-07 09:00", general_concern=True),),
        "resident1",
        do.Withdraw(reason="text:r"),
        {},
    ),
    (
        "collect.may_withdraw WITHDRAW_FOLLOWERS",
        "REGISTERED/plain",
        (followed,),
        "resident1",
        do.Withdraw(reason="text:r"),
        {},
    ),
    ("collect.may_withdraw NOT_THE_REPORTER", "", (by_phone,), "resident1", do.Withdraw(reason="text:r"), {}),
    ("collect.unsubscribe NOT_A_FOLLOWER", "", (by_phone,), "resident1", do.Unsubscribe(), {}),
    ("topic.may_meet BODY_OUTSIDE", "TOPIC_PROPOSED/street", (), "system", ADMITTED, {}),
    ("topic.beside NO_ESCALATED_TOPIC", "IN_PROGRESS/plain", (), "system", ADMITTED, {}),
    ("topic.may_meet_escalated BODY_OUTSIDE", "IN_PROGRESS/street", (), "system", ADMITTED, {}),
    (
        "topic.raise_level HIGHEST_LEVEL",
        "TOPIC_PROPOSED/street",
        (RAISE,),
        "secretary1",
        do.RaiseLevel(reason="text:r"),
        {},
    ),
    (
        "topic.raise_escalated HIGHEST_LEVEL",
        "IN_PROGRESS/street",
        (RAISE,),
        "secretary1",
        do.RaiseLevel(reason="text:r"),
        {},
    ),
    (
        "discuss.record_street_decision NOT_AT_STREET_LEVEL",
        "TOPIC_PROPOSED/plain",
        (),
        "officer",
        street(StreetOutcome.ASSIGN, lead_org="drainage"),
        {},
    ),
    (
        "discuss.record_street_decision_escalated NOT_AT_STREET_LEVEL",
        "IN_PROGRESS/raised",
        (),
        "officer",
        street(StreetOutcome.ASSIGN, lead_org="drainage"),
        {},
    ),
    (
        "discuss._street_decision EXPLANATION_REQUIRED",
        "TOPIC_PROPOSED/street",
        (),
        "officer",
        street(StreetOutcome.NOT_FEASIBLE),
        {},
    ),
    (
        "discuss._carried_out DEFERRED_TOO_OFTEN",
        "UNDER_DISCUSSION/plain",
        (deferred, deferred),
        "system",
        decision(Outcome.DEFER, reason="text:r"),
        {},
    ),
    (
        "discuss._carried_out KEEP_ONLY_ESCALATED",
        "UNDER_DISCUSSION/plain",
        (),
        "system",
        decision(Outcome.KEEP, due_on=day("06-01")),
        {},
    ),
    ("discuss._on_escalated DUE_REQUIRED", "IN_PROGRESS/raised", (), "system", decision(Outcome.KEEP), {}),
    (
        "discuss._on_escalated OUTCOME_WHILE_HANDLING",
        "IN_PROGRESS/raised",
        (),
        "system",
        decision(Outcome.CONSULT),
        {},
    ),
    ("discuss._assigned LEAD_REQUIRED", "UNDER_DISCUSSION/plain", (), "system", decision(Outcome.ASSIGN), {}),
    (
        "discuss._referred LEAD_REQUIRED",
        "UNDER_DISCUSSION/plain",
        (),
        "system",
        decision(Outcome.REFER_DEPARTMENT),
        {},
    ),
    (
        "implement.add_to_project_list DAY_IN_PAST",
        "PLANNING/plain",
        (),
        "worker1",
        replace(project(day("04-01")), milestones=()),
        {},
    ),
    (
        "implement.add_to_project_list AFTER_DECISION_LIMIT",
        "UNDER_DISCUSSION/plain",
        (decided(Decided.ADOPT, lead_org="property-1", due_on=day("05-01")),),
        "worker1",
        project(day("05-08")),
        {},
    ),
    (
        "implement.add_to_project_list MILESTONE_AFTER_DUE",
        "PLANNING/plain",
        (),
        "worker1",
        replace(project(day("05-08")), due_on=day("05-07")),
        {},
    ),
    (
        "implement.add_to_project_list MODERATE_BY_AMOUNT",
        "PLANNING/handled",
        (),
        "worker1",
        replace(project(day("05-08")), budget=5001),
        {},
    ),
    (
        "implement.may_return DESIGNATED",
        "ASSIGNED:DESIGNATION_ASKED/plain",
        (told("officer", do.Designate(lead_org="telecom")),),
        "telecom",
        do.ReturnOrder(reason="text:r"),
        {},
    ),
    (
        "implement.may_return RETURN_WINDOW_OVER",
        "ASSIGNED/plain",
        (until("04-09 09:00"),),
        "property1",
        do.ReturnOrder(reason="text:r"),
        {},
    ),
    (
        "implement.reply_referral REPLIED_ALREADY",
        "IN_PROGRESS/referred",
        (told("department", do.ReplyReferral(text="text:t")),),
        "department",
        do.ReplyReferral(text="text:t"),
        {},
    ),
    (
        "implement.reply_referral DAY_IN_PAST",
        "IN_PROGRESS/referred",
        (),
        "department",
        do.ReplyReferral(text="text:t", due_on=day("04-01")),
        {},
    ),
    (
        "implement.milestone_done NO_SUCH_MILESTONE",
        "IN_PROGRESS/project",
        (),
        "property1",
        do.MilestoneDone(milestone="m2"),
        {},
    ),
    (
        "implement._running_handle ALREADY_DUE",
        "IN_PROGRESS/plain",
        (until("04-20 09:00"),),
        "property1",
        do.RequestExtension(to=day("05-01"), reason="text:r"),
        {},
    ),
    (
        "implement._running_handle ALREADY_DUE",
        "IN_PROGRESS/longer",
        (until("04-20 09:00"),),
        "secretary1",
        do.DecideExtension(approve=True),
        {},
    ),
    (
        "implement.may_extend EXTENSIONS_USED",
        "IN_PROGRESS/plain",
        LONGER,
        "property1",
        do.RequestExtension(to=day("04-24"), reason="text:r"),
        {},
    ),
    (
        "implement.request_extension NOT_LATER",
        "IN_PROGRESS/plain",
        (),
        "property1",
        do.RequestExtension(to=day("04-16"), reason="text:r"),
        {},
    ),
    (
        "implement.request_extension EXTENSION_TOO_LONG",
        "IN_PROGRESS/plain",
        (),
        "property1",
        do.RequestExtension(to=day("04-28"), reason="text:r"),
        {},
    ),
    (
        "implement.may_decide_extension NOTHING_ASKED",
        "IN_PROGRESS/plain",
        (),
        "secretary1",
        do.DecideExtension(approve=True),
        {},
    ),
    (
        "implement.may_decide_suspension NOTHING_ASKED",
        "IN_PROGRESS/plain",
        (),
        "officer",
        do.DecideSuspension(approve=True),
        {},
    ),
    (
        "implement.report_arrival NOT_CALLED",
        "IN_PROGRESS/called",
        (),
        "secretary1",
        do.ReportArrival(department="statistics"),
        {},
    ),
    (
        "implement.report_arrival OTHER_DEPARTMENT",
        "IN_PROGRESS/plain",
        (told("secretary1", BOTH),),
        "statistics",
        do.ReportArrival(department="urban-management"),
        {},
    ),
    (
        "implement.claim_completion EVIDENCE_REQUIRED",
        "REGISTERED/plain",
        (
            told("worker1", accept(difficulty=Difficulty.MODERATE)),
            told("property1", do.Sign()),
        ),
        "property1",
        do.ClaimCompletion(text="text:t"),
        {},
    ),
    (
        "implement.may_review SEGREGATION",
        "REGISTERED/plain",
        (
            told("worker1", accept(lead_org="community-1")),
            told("worker1", do.Sign()),
            told("worker1", CLAIM),
        ),
        "worker1",
        do.ApproveCompletion(),
        {},
    ),
    (
        "feedback.give_feedback CHANNEL_NOT_PUBLIC",
        "FEEDBACK_DUE/plain",
        (),
        "worker1",
        feedback(Audience.PUBLIC, Channel.PHONE),
        {},
    ),
    (
        "feedback.give_feedback CHANNEL_NOT_INDIVIDUAL",
        "FEEDBACK_DUE/plain",
        (),
        "worker1",
        feedback(Audience.INDIVIDUAL, Channel.NOTICE_BOARD),
        {},
    ),
    (
        "feedback.give_feedback NO_REPORTER",
        "FEEDBACK_DUE/plain",
        (told("resident1", do.Unsubscribe()),),
        "worker1",
        PHONE,
        {},
    ),
    (
        "feedback.may_visit SEGREGATION",
        "REGISTERED/plain",
        (BY_GRID, told("worker1", CLAIM), told("worker1b", PHONE)),
        "worker1",
        SATISFIED,
        {},
    ),
    (
        "feedback.may_visit NOT_THE_REPORTER",
        "",
        (by_phone, BY_GRID, told("grid1", CLAIM), told("worker1", PHONE)),
        "resident1",
        SATISFIED,
        {},
    ),
    (
        "feedback.record_visit NO_ANSWER",
        "RETURN_VISIT/plain",
        (),
        "resident1",
        do.RecordVisit(contacted=False),
        {},
    ),
    (
        "feedback.record_visit NO_ANSWER",
        "RETURN_VISIT/plain",
        (),
        "worker1",
        do.RecordVisit(contacted=True),
        {},
    ),
    (
        "feedback.may_reopen WINDOW_OVER",
        "CLOSED:RESOLVED/plain",
        (until("05-12 09:00"),),
        "resident1",
        do.Reopen(reason="text:r"),
        {},
    ),
    ("topic.admit ON_AGENDA_ALREADY", "ON_AGENDA/plain", (), "system", ADMITTED, {}),
    ("topic.admit_escalated ON_AGENDA_ALREADY", "IN_PROGRESS/raised", (ADMIT,), "system", ADMITTED, {}),
    (
        "discuss._checked DAY_IN_PAST",
        "TOPIC_PROPOSED/street",
        (),
        "officer",
        street(StreetOutcome.ASSIGN, lead_org="drainage", due_on=day("04-01")),
        {},
    ),
)


def refuse(row: Row) -> Refusal | None:
    """What the person of a row is told; nothing may have changed."""
    _, way, steps, who, command, facts = row
    actor = who if isinstance(who, Actor) else SYSTEM if who == "system" else PEOPLE[who]
    given = {**FACTS, **facts}
    if isinstance(command, do.SubmitIssue):
        order = Order(command=command, actor=actor)
        case = embryo(ISSUE, "i", order, world().pin)
        try:
            decide(ISSUE, case, order, world().policy, moment("04-07 09:00"))
        except Refusal as no:
            return no
        return None
    town = play(way, steps) if way else _walked(steps)
    before, events = town.issue("i"), town.types("i")
    try:
        town.street.command("i", command, actor, facts=given)
    except Refusal as no:
        assert (town.issue("i"), town.types("i")) == (before, events)
        return no
    return None


def _walked(steps: tuple[Path, ...]) -> Town:
    town = Town("01-12 08:00")
    for step in steps:
        step(town)
    return town


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]} {row[1]}".strip())
def test_the_rules_refuse(row: Row) -> None:
    no = refuse(row)

    assert no is not None, "not refused"
    assert site_of(no) == row[0]


def test_every_refusal_of_the_rules_is_provoked() -> None:
    """A reason that no test can provoke is dead, or nobody has thought of how it comes about."""
    provoked = {row[0] for row in TABLE}

    assert raise_sites("issue") == provoked


def test_every_refusal_names_its_source_or_its_field() -> None:
    for row in TABLE:
        no = refuse(row)
        assert no is not None
        assert no.clause or no.field or no.code == "forbidden", row[0]


# --- soft rules --------------------------------------------------------------------------------------------


def test_a_soft_rule_yields_to_a_reason_that_the_history_keeps() -> None:
    town = Town("04-07 09:00")
    town.submit("i", "grid1")
    soft = {"category_code": "D02", "exception_reason": "text:why"}

    assert town.say("i", "worker1", accept(**soft)).position == "ASSIGNED"
    accepted = next(event for event in town.street.histories["i"] if event.type == "accepted")
    assert accepted.change.notes == {"exception": "CATEGORY_MODE", "exception_reason": "text:why"}


def test_money_above_the_amount_needs_the_committee_or_a_reason() -> None:
    costly = replace(project(day("05-08")), budget=5001)
    town = play("PLANNING/handled")
    assert town.issue("i").data.difficulty is Difficulty.EASY

    assert town.refused("i", "worker1", costly) == "MODERATE_BY_AMOUNT"
    with_reason = replace(costly, exception_reason="text:why")
    assert town.say("i", "worker1", with_reason).position == "IN_PROGRESS"
    heard = play("PLANNING/plain")
    assert heard.say("i", "worker1", costly).position == "IN_PROGRESS"


@pytest.mark.parametrize("difficulty", [Difficulty.MODERATE, Difficulty.HARD])
def test_what_is_difficult_goes_at_least_to_the_committee(difficulty: Difficulty) -> None:
    town = Town("04-07 09:00")
    town.submit("i", "grid1")

    proposed = town.say("i", "secretary1", accept(mode=SCHEDULED, difficulty=difficulty))
    assert (proposed.level, proposed.data.topic_body) == ("L2", "EXTENDED_PARTY_COMMITTEE")
