"""P1, the issue lifecycle 居民诉求五步闭环 (IssueWorkflow): states, clocks and the table of arrows (pure).

Read the table row by row beside processes.md P1: from where, on which command, whereto, by whom. The rules behind
the rows stand in one file a step: `collect`, `topic`, `discuss`, `implement`, `feedback`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workflows.issue import collect, discuss, emergency, feedback, implement, topic, urging
from workflows.issue import commands as do
from workflows.issue import people as who
from workflows.issue.data import ClosureCode, Issue
from workflows.issue.papers import PAPERS
from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Case, Moment, Process, State, arrows
from workflows.kernel.upkeep import upkeep

# fmt: off
# --- positions ---------------------------------------------------------------------------------------------

CLOSED_TITLES = {
    ClosureCode.RESOLVED: ("已办结", "Resolved"),
    ClosureCode.PARTLY_RESOLVED: ("部分办结", "Partly resolved"),
    ClosureCode.EXPLAINED: ("解释办结", "Explained"),
    ClosureCode.NOT_ACCEPTED: ("不予受理", "Not accepted"),
    ClosureCode.TRANSFERRED_OUT: ("已转出", "Transferred out"),
    ClosureCode.WITHDRAWN: ("已撤回", "Withdrawn"),
    ClosureCode.MERGED: ("已合并", "Merged"),
    ClosureCode.SPLIT: ("已拆分", "Split"),
}

STATES = (
    State(
        "REGISTERED",
        "已登记",
        "Registered",
        "COLLECT",
        work=("accept_to_problem_list", "request_verification", "decline", "transfer_community", "transfer_out", "merge_into"),
    ),
    State("REGISTERED:DECLINE_PROPOSED", "拟不予受理", "Decline proposed", "COLLECT", work=("confirm_decline", "refuse_decline")),
    State(
        "REGISTERED:TRANSFER_PENDING",
        "待接收",
        "Transfer pending",
        "COLLECT",
        work=("accept_transfer", "refuse_transfer"),
    ),
    State("VERIFYING", "核实中", "Verifying", "COLLECT", work=("report_facts",)),
    State("ON_PROBLEM_LIST", "已列入问题清单", "On the problem list", "COLLECT", work=("dispatch", "split")),
    State("TOPIC_PROPOSED", "已提出议题", "Topic proposed", "RAISE"),
    State("ON_AGENDA", "已列入议程", "On the agenda", "RAISE"),
    State("UNDER_DISCUSSION", "审议中", "Under discussion", "DISCUSS"),
    State("DEFERRED", "暂缓", "Deferred", "DISCUSS"),
    State("DEFERRED:CONSULTATION", "协商中", "In consultation", "DISCUSS", work=("record_consultation",)),
    State("PLANNING", "制定方案", "Planning", "IMPLEMENT", work=("add_to_project_list", "report_infeasible")),
    State("ASSIGNED", "已派单", "Assigned", "IMPLEMENT", work=("sign", "return_order")),
    State("ASSIGNED:DESIGNATION_ASKED", "待街道指定", "Designation asked", "IMPLEMENT", work=("designate",)),
    State("IN_PROGRESS", "办理中", "In progress", "IMPLEMENT", work=("claim_completion", "log_progress")),
    State("SUSPENDED", "挂账", "Suspended", "IMPLEMENT", work=("review_suspension", "resume")),
    State(
        "COMPLETION_REVIEW",
        "核查中",
        "Completion under review",
        "IMPLEMENT",
        work=("approve_completion", "reject_completion"),
    ),
    State("FEEDBACK_DUE", "待反馈", "Feedback due", "FEEDBACK", work=("give_feedback",)),
    State("RETURN_VISIT", "待回访", "Return visit", "FEEDBACK", work=("record_visit",)),
    State("RETURN_VISIT:DISPUTED", "有争议", "Disputed", "FEEDBACK", work=("decide_dispute",)),
    *(
        State(f"CLOSED:{code.value}", zh, en, "FEEDBACK", ends=True)
        for code, (zh, en) in CLOSED_TITLES.items()
    ),
)

# fmt: on
OPEN = tuple(state.name for state in STATES if not state.ends)
BEFORE_FEEDBACK = tuple(name for name in OPEN if name.partition(":")[0] not in ("FEEDBACK_DUE", "RETURN_VISIT"))
DECIDABLE = ("ASSIGNED", "ASSIGNED:DESIGNATION_ASKED", "IN_PROGRESS")
HEARD = ("ON_AGENDA", "UNDER_DISCUSSION")
"""Positions in which a meeting has the topic before it; what is owed there the meeting owes."""
TOPICS = ("TOPIC_PROPOSED", "ON_AGENDA", "UNDER_DISCUSSION", "DEFERRED", "DEFERRED:CONSULTATION")
ORDERED = ("ASSIGNED", "ASSIGNED:DESIGNATION_ASKED", "IN_PROGRESS", "SUSPENDED", "COMPLETION_REVIEW")
"""Positions in which an order runs: raising the level makes an escalated topic there."""
HANDLED = ("ON_PROBLEM_LIST", *TOPICS, *ORDERED)
"""Positions in which the handling time may run: also on the problem list and as a topic, since 退单 never stops it."""
COUNTED = tuple(name for name in BEFORE_FEEDBACK if name != "SUSPENDED")
"""Positions in which the 90 days may end: not while SUSPENDED."""
PAUSING = ("SUSPENDED", "COMPLETION_REVIEW")
"""Positions in which a running handling time is paused, so that only an older breach speaks there."""
BESIDE = ("ON_PROBLEM_LIST", *ORDERED)
"""Positions in which an escalated topic may wait for a body beside the work."""
SOLVABLE = ("PLANNING", *BESIDE)
UNSOLVABLE = tuple(name for name in OPEN if name not in SOLVABLE)
REOPENABLE = tuple(
    f"CLOSED:{code.value}" for code in ClosureCode if code not in (ClosureCode.MERGED, ClosureCode.SPLIT)
)
CLOSED = tuple(state.name for state in STATES if state.ends)


# --- clocks (policy-packs §9) ------------------------------------------------------------------------------


def _community(case: Case[Any], ref: str) -> str:
    return case.community


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


def _county(case: Case[Any], ref: str) -> str:
    return case.county


def _lead(case: Case[Any], ref: str) -> str:
    return case.data.lead_org or case.community


def _receiver(case: Case[Any], ref: str) -> str:
    return case.data.transfer_to or case.community


def _called(case: Case[Any], ref: str) -> str:
    return ref


def _above_lead(case: Case[Any], ref: str) -> str:
    """The community watches a lead at its own level, the street every other (register: community or subdistrict)."""
    return case.community if case.level in ("L0", "L1") and case.data.lead_org else case.subdistrict


def _nobody(case: Case[Any], ref: str) -> str:
    return ""


# fmt: off
WINDOW = ClockKind.WINDOW

CLOCKS = (
    ClockRule("TRIAGE", "issue.triage.due", "受理", "Triage", _community, _subdistrict),
    ClockRule("RESPONSE", "issue.response.due", "首次联系", "First contact", _lead, _community),
    ClockRule("VERIFY", "issue.verify.due", "核实", "Verification", _community, _community),
    ClockRule("TRANSFER", "clock.issue.transfer", "接收", "Transfer", _receiver, _subdistrict),
    ClockRule("INFO_WAIT", "issue.info_wait.max", "等待补充", "Wait for information", _nobody, _nobody, WINDOW),
    ClockRule("OBJECT_DECLINE", "clock.issue.object_decline", "异议期", "Objection", _nobody, _nobody, WINDOW, outlives=True),
    ClockRule("SIGN", "issue.sign.due", "签收", "Sign", _lead, _community),
    ClockRule("DESIGNATE", "clock.issue.designate", "指定", "Designate", _subdistrict, _county),
    ClockRule("AGENDA", "clock.issue.agenda", "上会", "Agenda", _community, _subdistrict),
    ClockRule("DEFER", "clock.issue.agenda", "暂缓期", "Deferred until", _nobody, _nobody, WINDOW),
    ClockRule("HEARING", "clock.issue.agenda", "议程期", "On the agenda", _community, _subdistrict, WINDOW),
    ClockRule("ESCALATED", "clock.issue.agenda", "提级议题待议期", "Escalated topic", _community, _subdistrict, WINDOW),
    ClockRule("CONSULT", "clock.issue.agenda", "协商", "Consultation", _community, _subdistrict),
    ClockRule("REFER_REPLY", "clock.issue.refer_reply", "部门答复", "Reply to referral", _lead, _subdistrict, ladder=True),
    ClockRule("PLAN", "issue.plan.due", "制定方案", "Plan", _community, _subdistrict),
    ClockRule("HANDLE", "issue.mode.limited.simple", "办理", "Handling", _lead, _above_lead, ladder=True),
    ClockRule("ATTEND", "clock.issue.attend.hard", "报到", "Attend", _called, _subdistrict),
    ClockRule("MILESTONE", "issue.decision.due", "节点", "Milestone", _lead, _community),
    ClockRule("REVIEW", "issue.review.due", "核查", "Review", _community, _subdistrict),
    ClockRule("SUSPEND_REVIEW", "issue.suspend.review", "挂账复核", "Review of suspension", _lead, _subdistrict),
    ClockRule("SUSPEND_MAX", "issue.suspend.max", "挂账最长", "Longest suspension", _lead, _subdistrict, WINDOW),
    ClockRule("FEEDBACK", "issue.feedback.due", "反馈", "Feedback", _community, _subdistrict),
    ClockRule("PUBLICATION", "issue.public_result.min", "公示最短", "Publication", _community, _subdistrict, WINDOW, outlives=True),
    ClockRule("RETURN", "issue.return_visit.due", "回访", "Return visit", _community, _subdistrict),
    ClockRule("DISPUTE", "clock.issue.dispute", "争议裁定", "Dispute", _subdistrict, _subdistrict),
    ClockRule("OVERALL", "issue.overall.max", "总时限", "Overall", _community, _subdistrict, red_at_due=True),
    ClockRule("REOPEN", "issue.reopen.window", "重新打开期", "Reopening", _nobody, _nobody, WINDOW, outlives=True),
)
# fmt: on

# --- arrows ------------------------------------------------------------------------------------------------

# fmt: off
ROUTED = ("ON_PROBLEM_LIST", "IN_PROGRESS", "ASSIGNED", "TOPIC_PROPOSED")
DECIDED = ("PLANNING", "ASSIGNED", "TOPIC_PROPOSED", "DEFERRED", "DEFERRED:CONSULTATION", "FEEDBACK_DUE")
DECLINED = "REGISTERED:DECLINE_PROPOSED"
PENDING = "REGISTERED:TRANSFER_PENDING"
AFTER_VISIT = (
    "IN_PROGRESS",
    "RETURN_VISIT:DISPUTED",
    "CLOSED:RESOLVED",
    "CLOSED:PARTLY_RESOLVED",
    "CLOSED:EXPLAINED",
)

COLLECT = (
    arrows("", do.SubmitIssue, "REGISTERED", by=(*who.SUBMITTERS, who.SYSTEM), rule=collect.submit, starts=("TRIAGE", "OVERALL"), event="registered", clause="001 §四1"),
    arrows("", do.OpenSplitChild, "ON_PROBLEM_LIST", by=who.SYSTEM, rule=collect.open_child, starts=("TRIAGE",), event="registered"),
    arrows("REGISTERED", do.RequestVerification, "VERIFYING", by=who.COMMUNITY_WORKER, rule=collect.request_verification, meets=("TRIAGE",), cancels=("INFO_WAIT",), starts=("VERIFY",)),
    arrows("VERIFYING", do.ReportFacts, "REGISTERED", by=who.GRID_WORKER, rule=collect.report_facts, meets=("VERIFY",), starts=("TRIAGE",)),
    arrows(OPEN, do.ContactReporter, by=(who.COMMUNITY_WORKER, who.LEAD), rule=collect.contact, may=collect.may_contact, meets=("RESPONSE",)),
    arrows("REGISTERED", do.AskReporter, by=who.COMMUNITY_WORKER, rule=collect.ask_reporter, may=collect.may_contact),
    arrows("REGISTERED", do.ReceiveInfo, by=(who.COMMUNITY_WORKER, who.REPORTER), rule=collect.receive_info),
    arrows("REGISTERED", Moment("ENDED", "INFO_WAIT"), by=who.SYSTEM, rule=collect.info_wait_over),
    arrows("REGISTERED", do.MergeInto, "CLOSED:MERGED", by=(who.COMMUNITY_WORKER, who.SUBDISTRICT_OFFICER), rule=collect.merge),
    arrows(OPEN, do.AbsorbDuplicate, by=who.SYSTEM, rule=collect.absorb),
    arrows(CLOSED, do.AbsorbDuplicate, by=who.SYSTEM, rule=collect.absorb_too_late),
    arrows("CLOSED:MERGED", do.UndoMerge, "REGISTERED", by=who.SYSTEM, rule=collect.undo_merge, starts=("TRIAGE",)),
    arrows("REGISTERED", do.Decline, DECLINED, by=who.COMMUNITY_WORKER, rule=collect.decline),
    arrows(DECLINED, do.ConfirmDecline, "CLOSED:NOT_ACCEPTED", by=(who.CWC_VICE_CHAIR, who.CWC_CHAIR), rule=collect.confirm_decline, may=collect.may_confirm_decline, meets=("TRIAGE",)),
    arrows(DECLINED, do.RefuseDecline, "REGISTERED", by=(who.CWC_VICE_CHAIR, who.CWC_CHAIR), rule=collect.refuse_decline),
    arrows("CLOSED:NOT_ACCEPTED", do.ObjectToDecline, "REGISTERED", by=who.REPORTER, rule=collect.object_to_decline, may=collect.may_object, meets=("OBJECT_DECLINE",), starts=("TRIAGE",)),
    arrows("REGISTERED", do.TransferOut, "CLOSED:TRANSFERRED_OUT", by=who.COMMUNITY_WORKER, rule=collect.transfer_out, meets=("TRIAGE",)),
    arrows("REGISTERED", do.TransferCommunity, PENDING, by=who.COMMUNITY_WORKER, rule=collect.transfer_community, meets=("TRIAGE",), starts=("TRANSFER",)),
    arrows(PENDING, do.AcceptTransfer, "REGISTERED", by=who.RECEIVER, rule=collect.accept_transfer, meets=("TRANSFER",), starts=("TRIAGE",)),
    arrows(PENDING, do.RefuseTransfer, "REGISTERED", by=who.RECEIVER, rule=collect.refuse_transfer, meets=("TRANSFER",), starts=("TRIAGE",)),
    arrows(PENDING, do.DecideTransfer, "REGISTERED", by=who.SUBDISTRICT_OFFICER, rule=collect.decide_transfer, may=collect.may_decide_transfer, meets=("TRANSFER",), starts=("TRIAGE",)),
    arrows("REGISTERED", do.AcceptToProblemList, ROUTED, by=(who.COMMUNITY_WORKER, who.CWC_CHAIR), rule=collect.accept, meets=("TRIAGE",), event="accepted", clause="001 §四1"),
    arrows("ON_PROBLEM_LIST", do.Dispatch, ROUTED, by=who.COMMUNITY_WORKER, rule=collect.dispatch, meets=("TRIAGE",)),
    arrows(("ON_PROBLEM_LIST", "TOPIC_PROPOSED"), do.Split, "CLOSED:SPLIT", by=who.COMMUNITY_WORKER, rule=collect.split),
    arrows(OPEN, do.Withdraw, "CLOSED:WITHDRAWN", by=who.REPORTER, rule=collect.withdraw, may=collect.may_withdraw),
    arrows(OPEN, do.Unsubscribe, by=who.REPORTER, rule=collect.unsubscribe),
)

RAISE = (
    arrows("TOPIC_PROPOSED", do.AdmitToAgenda, "ON_AGENDA", by=who.SYSTEM, rule=topic.admit, may=topic.may_meet, meets=("AGENDA",), clause="001 §四2"),
    arrows(("DEFERRED", "ON_AGENDA"), do.AdmitToAgenda, "ON_AGENDA", by=who.SYSTEM, rule=topic.admit, may=topic.may_meet, cancels=("DEFER",)),
    arrows(DECIDABLE, do.AdmitToAgenda, by=who.SYSTEM, rule=topic.admit_escalated, may=topic.may_meet_escalated),
    arrows("TOPIC_PROPOSED", do.ReturnTopic, ("ON_PROBLEM_LIST", "TOPIC_PROPOSED"), by=(*who.CHAIR, who.SYSTEM), rule=topic.return_topic, may=topic.may_meet),
    arrows("TOPIC_PROPOSED", Moment("DUE", "AGENDA"), by=who.SYSTEM, rule=topic.agenda_due),
    arrows(HEARD, do.CarryOver, "TOPIC_PROPOSED", by=who.SYSTEM, rule=topic.carry_over),
    arrows(tuple(name for name in OPEN + CLOSED if name not in HEARD), do.CarryOver, by=who.SYSTEM, rule=topic.carry_over),
    arrows(HEARD, Moment("ENDED", "HEARING"), "TOPIC_PROPOSED", by=who.SYSTEM, rule=topic.not_heard),
    arrows(BESIDE, Moment("ENDED", "ESCALATED"), by=who.SYSTEM, rule=topic.escalated_not_heard),
    arrows(tuple(name for name in BEFORE_FEEDBACK if name not in ORDERED), do.RaiseLevel, "TOPIC_PROPOSED", by=(who.PARTY_SECRETARY, who.SUPERVISOR), rule=topic.raise_level, cancels=("TRIAGE", "VERIFY", "TRANSFER", "INFO_WAIT", "DEFER", "CONSULT", "PLAN")),
    arrows(ORDERED, do.RaiseLevel, by=(who.PARTY_SECRETARY, who.SUPERVISOR), rule=topic.raise_escalated),
    arrows(tuple(name for name in HANDLED if name not in PAUSING), Moment("DUE", "HANDLE"), by=who.SYSTEM, rule=topic.on_yellow),
    arrows(ORDERED, Moment("DUE", "REFER_REPLY"), by=who.SYSTEM, rule=topic.on_yellow),
    arrows(HANDLED, Moment("RED", "HANDLE"), "TOPIC_PROPOSED", by=who.SYSTEM, rule=topic.on_red, clause="000 §五三是"),
    arrows(ORDERED, Moment("RED", "REFER_REPLY"), by=who.SYSTEM, rule=topic.on_red),
    arrows(COUNTED, Moment("RED", "OVERALL"), "TOPIC_PROPOSED", by=who.SYSTEM, rule=topic.on_red),
    arrows(HANDLED, Moment("RED_PLUS_PLUS", "HANDLE"), by=who.SYSTEM, rule=topic.on_red_plus_plus),
    arrows(ORDERED, Moment("RED_PLUS_PLUS", "REFER_REPLY"), by=who.SYSTEM, rule=topic.on_red_plus_plus),
)

DISCUSS = (
    arrows("ON_AGENDA", do.OpenItem, "UNDER_DISCUSSION", by=who.SYSTEM, clause="001 §四3"),
    arrows(DECIDABLE, do.OpenItem, by=who.SYSTEM, may=topic.may_have_escalated),
    arrows("UNDER_DISCUSSION", do.RecordStatement, by=who.SYSTEM, rule=discuss.record_statement, clause="001 §四3"),
    arrows(DECIDABLE, do.RecordStatement, by=who.SYSTEM, rule=discuss.record_statement, may=topic.may_have_escalated),
    arrows("UNDER_DISCUSSION", do.RecordTally, ("DEFERRED", "TOPIC_PROPOSED"), by=who.SYSTEM, rule=discuss.record_tally),
    arrows(DECIDABLE, do.RecordTally, by=who.SYSTEM, rule=discuss.record_tally, may=topic.may_have_escalated),
    arrows("UNDER_DISCUSSION", do.RecordDecision, DECIDED, by=who.SYSTEM, rule=discuss.record_decision, cancels=("HEARING",), clause="001 §四3"),
    arrows(DECIDABLE, do.RecordDecision, ("ASSIGNED", "PLANNING"), by=who.SYSTEM, rule=discuss.record_decision_escalated, may=topic.may_have_escalated),
    arrows("TOPIC_PROPOSED", do.RecordStreetDecision, DECIDED, by=who.SUBDISTRICT_OFFICER, rule=discuss.record_street_decision, meets=("AGENDA",)),
    arrows(DECIDABLE, do.RecordStreetDecision, ("ASSIGNED", "PLANNING"), by=who.SUBDISTRICT_OFFICER, rule=discuss.record_street_decision_escalated, may=topic.may_have_escalated),
    arrows("DEFERRED", Moment("ENDED", "DEFER"), ("ON_AGENDA", "TOPIC_PROPOSED"), by=who.SYSTEM, rule=discuss.back_on_agenda),
    arrows("DEFERRED:CONSULTATION", do.RecordConsultation, "TOPIC_PROPOSED", by=who.COMMUNITY_WORKER, rule=discuss.record_consultation, meets=("CONSULT",)),
)

IMPLEMENT = (
    arrows("PLANNING", do.AddToProjectList, "IN_PROGRESS", by=(who.COMMUNITY_WORKER, who.CWC_MEMBER), rule=implement.add_to_project_list, meets=("PLAN",), clause="001 §四4"),
    arrows("PLANNING", do.ReportInfeasible, "TOPIC_PROPOSED", by=who.LEAD, rule=implement.report_infeasible, cancels=("PLAN",)),
    arrows("ASSIGNED", do.Sign, "IN_PROGRESS", by=who.LEAD, rule=implement.sign, meets=("SIGN",)),
    arrows("ASSIGNED", do.ReturnOrder, ("ON_PROBLEM_LIST", "ASSIGNED:DESIGNATION_ASKED"), by=who.LEAD, rule=implement.return_order, may=implement.may_return, cancels=("SIGN",)),
    arrows("ASSIGNED:DESIGNATION_ASKED", do.Designate, "ASSIGNED", by=who.SUBDISTRICT_OFFICER, rule=implement.designate, meets=("DESIGNATE",)),
    arrows(DECIDABLE, do.ReplyReferral, by=who.REFERRED, rule=implement.reply_referral, meets=("REFER_REPLY",), clause="001 §四3"),
    arrows("IN_PROGRESS", do.LogProgress, by=who.LEAD, rule=implement.log_progress),
    arrows("IN_PROGRESS", do.MilestoneDone, by=who.LEAD, rule=implement.milestone_done),
    arrows("IN_PROGRESS", do.RequestExtension, by=who.LEAD, rule=implement.request_extension, may=implement.may_extend),
    arrows("IN_PROGRESS", do.DecideExtension, by=who.EXTENSION_APPROVER, rule=implement.decide_extension, may=implement.may_decide_extension),
    arrows("IN_PROGRESS", do.RequestSuspension, by=who.LEAD, rule=implement.request_suspension),
    arrows("IN_PROGRESS", do.DecideSuspension, "SUSPENDED", by=who.SUBDISTRICT_OFFICER, rule=implement.decide_suspension, may=implement.may_decide_suspension),
    arrows("SUSPENDED", do.ReviewSuspension, "IN_PROGRESS", by=(who.SUPERVISOR, who.SUBDISTRICT_OFFICER), rule=implement.review_suspension),
    arrows("SUSPENDED", do.Resume, "IN_PROGRESS", by=who.SUBDISTRICT_OFFICER, rule=implement.resume),
    arrows("SUSPENDED", Moment("ENDED", "SUSPEND_MAX"), "TOPIC_PROPOSED", by=who.SYSTEM, rule=implement.suspended_too_long),
    arrows("IN_PROGRESS", do.CallForHelp, by=(who.PARTY_SECRETARY, who.SUBDISTRICT_OFFICER), rule=implement.call_for_help),
    arrows("IN_PROGRESS", do.ReportArrival, by=(who.CALLED, who.PARTY_SECRETARY), rule=implement.report_arrival),
    arrows("IN_PROGRESS", do.ClaimCompletion, ("COMPLETION_REVIEW", "FEEDBACK_DUE"), by=who.LEAD, rule=implement.claim_completion),
    arrows("COMPLETION_REVIEW", do.ApproveCompletion, "FEEDBACK_DUE", by=who.REVIEWER, rule=implement.approve_completion, may=implement.may_review, meets=("REVIEW",), clause="000 §五三是"),
    arrows("COMPLETION_REVIEW", do.RejectCompletion, "IN_PROGRESS", by=who.REVIEWER, rule=implement.reject_completion, may=implement.may_review, meets=("REVIEW",)),
    arrows(OPEN + CLOSED, do.SupervisionOpened, by=who.SYSTEM, rule=implement.supervision_opened),
    arrows(SOLVABLE, do.SupervisionDelisted, "FEEDBACK_DUE", by=who.SYSTEM, rule=implement.supervision_delisted),
    arrows(UNSOLVABLE + CLOSED, do.SupervisionDelisted, by=who.SYSTEM, rule=implement.supervision_delisted),
    arrows(OPEN + CLOSED, do.PauseForEmergency, by=who.SYSTEM, rule=emergency.pause, event="paused_for_emergency"),
    arrows(OPEN + CLOSED, do.ResumeAfterEmergency, by=who.SYSTEM, rule=emergency.resume, event="resumed_after_emergency"),
)

FEEDBACK = (
    arrows("FEEDBACK_DUE", do.GiveFeedback, ("RETURN_VISIT", "CLOSED:RESOLVED", "CLOSED:EXPLAINED", "CLOSED:PARTLY_RESOLVED"), by=(who.COMMUNITY_WORKER, who.CWC_MEMBER), rule=feedback.give_feedback, clause="001 §四5"),
    arrows("RETURN_VISIT", do.RecordVisit, AFTER_VISIT, by=(who.COMMUNITY_WORKER, who.SUPERVISOR, who.REPORTER), rule=feedback.record_visit, may=feedback.may_visit),
    arrows("RETURN_VISIT:DISPUTED", do.DecideDispute, ("CLOSED:EXPLAINED", "IN_PROGRESS"), by=who.SUPERVISOR, rule=feedback.decide_dispute, meets=("DISPUTE",)),
    arrows(REOPENABLE, do.Reopen, ("IN_PROGRESS", "REGISTERED"), by=(who.SUPERVISOR, who.REPORTER), rule=feedback.reopen, may=feedback.may_reopen),
)

# fmt: on


def work(case: Case[Issue]) -> tuple[str, ...]:
    """What is owed besides the work of the position."""
    owed: list[str] = []
    if case.data.waiting_info:
        owed.append("receive_info")
    if case.data.extension_asked is not None:
        owed.append("decide_extension")
    if case.data.suspension_asked is not None:
        owed.append("decide_suspension")
    if case.data.referred and not case.data.replied:
        owed.append("reply_referral")
    if case.clock("RESPONSE") is not None:
        owed.append("contact_reporter")
    if case.clock("ATTEND") is not None:
        owed.append("report_arrival")
    transfer = case.clock("TRANSFER")
    if transfer is not None and transfer.state == "BREACHED":
        owed.append("decide_transfer")
    if case.data.escalated is not None:
        if case.data.escalated.body not in topic.MEETING_BODIES:
            owed.append("record_street_decision")
    elif case.state == "TOPIC_PROPOSED":
        meets = case.data.topic_body in topic.MEETING_BODIES
        owed.append("return_topic" if meets else "record_street_decision")
    return tuple(owed)


def facets(case: Case[Issue]) -> Mapping[str, Any]:
    """The columns that lists and agendas filter by."""
    data = case.data
    topic_open = case.state in ("TOPIC_PROPOSED", "ON_AGENDA", "UNDER_DISCUSSION", "DEFERRED")
    escalated = data.escalated
    agenda: dict[str, Any] = {}
    if escalated is not None:
        agenda = {
            "agenda_body": escalated.body.value,
            "agenda_reason": escalated.reason,
            "agenda_since": escalated.since.isoformat(),
            "agenda_first": data.carry_over > 0,
        }
    elif topic_open and data.topic_body is not None:
        agenda = {
            "agenda_body": data.topic_body.value,
            "agenda_reason": data.topic_reason,
            "agenda_since": data.topic_since.isoformat() if data.topic_since else None,
            "agenda_first": data.topic_first,
        }
    return {
        **agenda,
        "lead_org": data.lead_org,
        "category_code": data.category_code,
        "red": data.red,
        "problem_month": data.problem_month,
        "closure_code": data.closure_code.value if data.closure_code else None,
        "submitted_by": data.submitted_by or None,
        "reporter_id": data.reporter_id,
        "followers": list(data.followers),
        "orgs": list(dict.fromkeys((*data.leads, *data.helper_orgs, *data.calls))),
        "external_id": data.external_id,
        "transfer_to": data.transfer_to,
    }


ISSUE: Process[Issue] = Process(
    name="issue",
    plural="issues",
    zh="居民诉求",
    en="Issue",
    states=STATES,
    arrows=(
        *(
            replace(arrow, rule=urging.settled(topic.released(arrow.rule))) if arrow.rule else arrow
            for group in (COLLECT, RAISE, DISCUSS, IMPLEMENT, FEEDBACK)
            for row in group
            for arrow in row
        ),
        *upkeep(STATES),
    ),
    clocks=CLOCKS,
    data=Issue,
    place=lambda command, facts: command.community_code,
    facets=facets,
    work=work,
    papers=PAPERS,
)
