"""Step 4, 组织实施: project, order, progress, extension, suspension, calls, completion (pure; seed 001 §四4)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from workflows.issue import commands as do
from workflows.issue.data import ClosureCode, Difficulty, Handle, HandlingMode, HelpKind, Issue, at_least
from workflows.issue.orders import handling, led, sent, signing, until, working_days_about
from workflows.issue.people import handled_by
from workflows.issue.topic import escalate, overall, propose
from workflows.kernel.calendar import CHINA, Duration, Unit
from workflows.kernel.clocks import Cancel, Clock, ClockState, Extend, Meet, Pause, Resume, Start
from workflows.kernel.process import Case, Change, GuardFailed, Turn

SOLVABLE = ("ON_PROBLEM_LIST", "PLANNING", "ASSIGNED", "IN_PROGRESS", "SUSPENDED", "COMPLETION_REVIEW")
"""States in which 销号 approves the completion; a topic before a body is that body's to end."""

CALL_PARAMETERS = {
    HelpKind.EMERGENCY: "clock.issue.attend.emergency",
    HelpKind.JOINT_ENFORCEMENT: "clock.issue.attend.enforcement",
    HelpKind.HARD: "clock.issue.attend.hard",
}


# --- planning -----------------------------------------------------------------------------------------------


def add_to_project_list(case: Case[Issue], cmd: do.AddToProjectList, turn: Turn) -> Change:
    """Measures and plan after a survey; the project's day is the handling time."""
    today = turn.now.astimezone(CHINA).date()
    if cmd.due_on < today:
        raise GuardFailed("DAY_IN_PAST", field="due_on", clause="processes §0.3")
    limit = case.data.decision_due_on
    if limit is not None and cmd.due_on > limit:
        raise GuardFailed("AFTER_DECISION_LIMIT", field="due_on", clause="processes P1")
    if any(milestone.due_on > cmd.due_on for milestone in cmd.milestones):
        raise GuardFailed("MILESTONE_AFTER_DUE", field="milestones", clause="001 §四4")
    notes: dict[str, Any] = {}
    if (
        cmd.budget is not None
        and cmd.budget > turn.policy.number("issue.moderate.amount")
        and case.data.difficulty is Difficulty.EASY
        and not case.data.heard_by_epc
    ):
        if cmd.exception_reason is None:
            raise GuardFailed("MODERATE_BY_AMOUNT", field="budget", clause="001 §四2", soft=True)
        notes = {"exception": "MODERATE_BY_AMOUNT", "exception_reason": cmd.exception_reason}
    milestones = [
        {"ref": f"m{place}", "title": one.title, "due_on": one.due_on.isoformat(), "done": False}
        for place, one in enumerate(cmd.milestones, start=1)
    ]
    project = {
        "measures": cmd.measures,
        "survey_note": cmd.survey_note,
        "feasibility": cmd.feasibility,
        "budget": cmd.budget,
        "funding_source": cmd.funding_source,
        "milestones": milestones,
        "due_on": cmd.due_on.isoformat(),
    }
    steps = tuple(
        Start(
            code="MILESTONE",
            ref=f"m{place}",
            parameter="issue.decision.due",
            duration=Duration(0, Unit.DATE, on=one.due_on),
        )
        for place, one in enumerate(cmd.milestones, start=1)
    )
    return Change(
        to="IN_PROGRESS",
        sets={
            "project": project,
            "lead_org": cmd.lead_org,
            "helper_orgs": cmd.helper_orgs,
            "leads": led(case, cmd.lead_org),
            "handle": Handle(value=working_days_about(cmd.due_on, turn), unit=Unit.WORKING_DAYS.value),
        },
        clocks=(
            Cancel(code="HANDLE", reason="SUPERSEDED"),
            *handling(until(cmd.due_on, turn), "issue.decision.due", turn),
            *steps,
        ),
        notes=notes,
    )


def report_infeasible(case: Case[Issue], cmd: do.ReportInfeasible, turn: Turn) -> Change:
    """Planning shows it cannot be done: back to the same body."""
    change = propose(case, case.level, "INFEASIBLE", turn, first=True)
    return replace(change, notes={"reason": cmd.reason, "evidence": list(cmd.evidence)})


# --- orders -------------------------------------------------------------------------------------------------


def sign(case: Case[Issue], cmd: do.Sign, turn: Turn) -> Change:
    """The lead takes the order; who signs, leads."""
    return Change(to="IN_PROGRESS", sets={"handlers": _with(case, turn)})


def may_return(case: Case[Issue], turn: Turn) -> None:
    """Within its window, and never after the street has designated the lead."""
    if case.data.designated:
        raise GuardFailed("DESIGNATED", clause="processes P1")
    signing_clock = case.clock("SIGN")
    if signing_clock is None or not signing_clock.limits or turn.now > signing_clock.limits[0]:
        raise GuardFailed("RETURN_WINDOW_OVER", clause="issue.return.window")


def return_order(case: Case[Issue], cmd: do.ReturnOrder, turn: Turn) -> Change:
    """退单: twice back to the community; the third time the street designates. The handling time never restarts."""
    notes = {"reason": cmd.reason, **({"suggested_owner": cmd.suggested_owner} if cmd.suggested_owner else {})}
    # A department that gives a referral back has thereby said that it is not its matter: that is its reply.
    replied = {"referred": False, "replied": True} if case.data.referred else {}
    answered = (Meet(code="REFER_REPLY"),) if case.data.referred else ()
    if case.data.returns >= turn.policy.number("issue.return.max"):
        return Change(
            type="designation_asked", to="ASSIGNED:DESIGNATION_ASKED", clocks=(Start(code="DESIGNATE"),), notes=notes
        )
    return Change(
        to="ON_PROBLEM_LIST",
        sets={"returns": case.data.returns + 1, **replied},
        clocks=(*answered, Start(code="TRIAGE")),
        notes=notes,
    )


def designate(case: Case[Issue], cmd: do.Designate, turn: Turn) -> Change:
    """The street names the lead; no further return.

    A referral ends when somebody else is named; a lead whose time was still to be set by the reply gets one now.
    """
    sets: dict[str, Any] = {"lead_org": cmd.lead_org, "leads": led(case, cmd.lead_org), "designated": True}
    clocks: tuple[Any, ...] = (signing(cmd.lead_org, turn),)
    if case.data.referred and cmd.lead_org != case.data.lead_org:
        sets |= {"referred": False}
        clocks = (Cancel(code="REFER_REPLY", reason="SUPERSEDED"), *clocks)
        if case.clock("HANDLE") is None:
            parameter = "issue.mode.limited.complex"
            clocks = (*clocks, *handling(turn.policy.duration(parameter), parameter, turn))
    return Change(to="ASSIGNED", sets=sets, clocks=clocks, notices=sent(cmd.lead_org))


def reply_referral(case: Case[Issue], cmd: do.ReplyReferral, turn: Turn) -> Change:
    """The department's day becomes the handling time; without a day the 大党委 deals with it again."""
    today = turn.now.astimezone(CHINA).date()
    if case.data.replied:
        raise GuardFailed("REPLIED_ALREADY", clause="processes P1")
    if cmd.due_on is None:
        back = escalate(case, "L2", "REFERRAL_DECLINED", turn)
        return replace(back, sets={**back.sets, "replied": True}, notes={"text": cmd.text})
    if cmd.due_on < today:
        raise GuardFailed("DAY_IN_PAST", field="due_on", clause="processes §0.3")
    return Change(
        sets={
            "replied": True,
            "handle": Handle(value=working_days_about(cmd.due_on, turn), unit=Unit.WORKING_DAYS.value),
        },
        clocks=(
            Cancel(code="HANDLE", reason="SUPERSEDED"),
            *handling(until(cmd.due_on, turn), "issue.decision.due", turn),
            *overall(case),
        ),
        notes={"text": cmd.text},
    )


def log_progress(case: Case[Issue], cmd: do.LogProgress, turn: Turn) -> Change:
    """What was done so far."""
    return Change(notes={"text": cmd.text, **({"evidence": list(cmd.evidence)} if cmd.evidence else {})})


def milestone_done(case: Case[Issue], cmd: do.MilestoneDone, turn: Turn) -> Change:
    """A step of the project is done; named by its ref (`m1`)."""
    project = dict(case.data.project or {})
    milestones = project.get("milestones", [])
    if not any(one["ref"] == cmd.milestone and not one["done"] for one in milestones):
        raise GuardFailed("NO_SUCH_MILESTONE", field="milestone", clause="001 §四4")
    project["milestones"] = [{**one, "done": True} if one["ref"] == cmd.milestone else one for one in milestones]
    return Change(sets={"project": project}, clocks=(Meet(code="MILESTONE", ref=cmd.milestone),))


# --- extension and suspension -------------------------------------------------------------------------------


def may_extend(case: Case[Issue], turn: Turn) -> None:
    """Before it is due, and never a third time."""
    _running_handle(case)
    if case.data.extensions >= turn.policy.number("issue.extension.max"):
        raise GuardFailed("EXTENSIONS_USED", clause="issue.extension.max")


def _running_handle(case: Case[Issue]) -> tuple[Clock, datetime]:
    """The handling time that may still be moved, and when it ends."""
    handle = case.clock("HANDLE")
    if handle is None or handle.due_at is None or handle.state is not ClockState.RUNNING:
        raise GuardFailed("ALREADY_DUE", clause="processes P1")
    return handle, handle.due_at


def request_extension(case: Case[Issue], cmd: do.RequestExtension, turn: Turn) -> Change:
    """More time: later than now due, at most 100 % of the first time each (S08)."""
    handle, due_at = _running_handle(case)
    scaled = turn.policy.scale is not None
    if cmd.to <= (turn.now if scaled else due_at).astimezone(CHINA).date():
        raise GuardFailed("NOT_LATER", field="to", clause="processes P1")
    limit = handle.limits[min(case.data.extensions, len(handle.limits) - 1)]
    if not scaled and cmd.to > limit.astimezone(CHINA).date():
        raise GuardFailed("EXTENSION_TOO_LONG", field="to", clause="issue.extension.length", limit=limit.isoformat())
    return Change(sets={"extension_asked": cmd.to}, notes={"reason": cmd.reason, "to": cmd.to.isoformat()})


def may_decide_extension(case: Case[Issue], turn: Turn) -> None:
    """Only what was asked for can be decided."""
    if case.data.extension_asked is None:
        raise GuardFailed("NOTHING_ASKED", clause="processes P1")


def decide_extension(case: Case[Issue], cmd: do.DecideExtension, turn: Turn) -> Change:
    """The due time moves; the first one is kept for the figures."""
    notes = {"approve": cmd.approve, **({"reason": cmd.reason} if cmd.reason else {})}
    asked = case.data.extension_asked
    if not cmd.approve or asked is None:
        return Change(sets={"extension_asked": None}, notes=notes)
    _running_handle(case)
    return Change(
        sets={"extension_asked": None, "extensions": case.data.extensions + 1},
        clocks=(Extend(code="HANDLE", duration=Duration(0, Unit.DATE, on=asked)),),
        notes=notes,
    )


def request_suspension(case: Case[Issue], cmd: do.RequestSuspension, turn: Turn) -> Change:
    """挂账 is asked of the street."""
    return Change(sets={"suspension_asked": cmd.class_}, notes={"class": cmd.class_, "reason": cmd.reason})


def may_decide_suspension(case: Case[Issue], turn: Turn) -> None:
    """Only what was asked for can be decided."""
    if case.data.suspension_asked is None:
        raise GuardFailed("NOTHING_ASKED", clause="processes P1")


def decide_suspension(case: Case[Issue], cmd: do.DecideSuspension, turn: Turn) -> Change:
    """The work waits; it is looked at every 30 days and never longer than 180."""
    notes = {"approve": cmd.approve, **({"reason": cmd.reason} if cmd.reason else {})}
    if not cmd.approve:
        return Change(sets={"suspension_asked": None}, notes=notes)
    return Change(
        to="SUSPENDED",
        sets={"suspension_asked": None, "suspension": case.data.suspension_asked, "extension_asked": None},
        clocks=(
            # The 90 days count no day of a suspension, also where no body had to do with the issue so far.
            *overall(case),
            Pause(code="HANDLE", why="SUSPENDED"),
            Pause(code="OVERALL", why="SUSPENDED"),
            Start(code="SUSPEND_REVIEW"),
            Start(code="SUSPEND_MAX"),
        ),
        notes=notes,
    )


def review_suspension(case: Case[Issue], cmd: do.ReviewSuspension, turn: Turn) -> Change:
    """Conditions exist: the work goes on. They do not: looked at again in 30 days."""
    if cmd.conditions_exist:
        return _running_on({"conditions_exist": True})
    return Change(clocks=(Meet(code="SUSPEND_REVIEW"), Start(code="SUSPEND_REVIEW")), notes={"conditions_exist": False})


def resume(case: Case[Issue], cmd: do.Resume, turn: Turn) -> Change:
    """The street lets the work go on."""
    return _running_on({"reason": cmd.reason})


def _running_on(notes: dict[str, Any]) -> Change:
    return Change(
        to="IN_PROGRESS",
        sets={"suspension": None},
        clocks=(
            Meet(code="SUSPEND_REVIEW"),
            Cancel(code="SUSPEND_MAX", reason="RESUMED"),
            Resume(code="HANDLE"),
            Resume(code="OVERALL"),
        ),
        notes=notes,
    )


def suspended_too_long(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """No silent parking: after the longest time the 大党委 must decide."""
    change = propose(
        case,
        at_least(case.level, "L2"),
        "SUSPENDED_TOO_LONG",
        turn,
        first=True,
        sets={"suspension": None, "referred": False},
    )
    return replace(
        change,
        type="suspended_too_long",
        clocks=(
            Cancel(code="SUSPEND_REVIEW", reason="SUPERSEDED"),
            Cancel(code="HANDLE", reason="SUPERSEDED"),
            Cancel(code="REFER_REPLY", reason="SUPERSEDED"),
            Cancel(code="MILESTONE", reason="SUPERSEDED"),
            Resume(code="OVERALL"),
            *change.clocks,
        ),
    )


# --- calls --------------------------------------------------------------------------------------------------


def call_for_help(case: Case[Issue], cmd: do.CallForHelp, turn: Turn) -> Change:
    """吹哨: each department has its own clock to arrive."""
    parameter = CALL_PARAMETERS[cmd.kind]
    departments = tuple(dict.fromkeys(cmd.departments))
    return Change(
        sets={"calls": tuple(dict.fromkeys(case.data.calls + departments))},
        clocks=tuple(
            Start(code="ATTEND", ref=one, parameter=parameter, duration=turn.policy.duration(parameter))
            for one in departments
        ),
        notes={"kind": cmd.kind, "departments": list(departments)},
    )


def report_arrival(case: Case[Issue], cmd: do.ReportArrival, turn: Turn) -> Change:
    """A department is there; another department cannot say so for it."""
    if cmd.department not in case.data.calls or case.clock("ATTEND", cmd.department) is None:
        raise GuardFailed("NOT_CALLED", field="department", clause="processes P1")
    if turn.grant.org != cmd.department and turn.grant.role in ("department_officer", "unit_liaison"):
        raise GuardFailed("OTHER_DEPARTMENT", field="department", clause="processes P1")
    return Change(clocks=(Meet(code="ATTEND", ref=cmd.department),), notes={"department": cmd.department})


# --- completion ---------------------------------------------------------------------------------------------


def claim_completion(case: Case[Issue], cmd: do.ClaimCompletion, turn: Turn) -> tuple[Change, ...]:
    """The lead says it is done; what was solved on the spot needs no second look unless it is RED.

    A difficult issue that no 大党委 ever heard may only end with evidence (invariant 3).
    """
    unheard = case.data.difficulty in (Difficulty.MODERATE, Difficulty.HARD) and not case.data.heard_by_epc
    if unheard and not cmd.evidence:
        raise GuardFailed("EVIDENCE_REQUIRED", field="evidence", clause="001 §四2")
    claimed = Change(
        to="COMPLETION_REVIEW",
        sets={
            "handlers": _with(case, turn),
            "claimed_at": turn.now,
            "extension_asked": None,
            "suspension_asked": None,
            "evidence": case.data.evidence + cmd.evidence,
        },
        clocks=(Pause(code="HANDLE", why="REVIEW"),),
        notes={"text": cmd.text},
    )
    on_the_spot = case.data.fast_path is HandlingMode.IMMEDIATE and case.data.mode is HandlingMode.IMMEDIATE
    if on_the_spot and not case.data.red and case.data.rework_count == 0:
        clocks = (Meet(code="HANDLE"),)
        merged = replace(claimed, clocks=())
        return merged, replace(completed(case, turn), type="auto_approved", clocks=clocks + _done_clocks())
    return (replace(claimed, clocks=(*claimed.clocks, Start(code="REVIEW"))),)


def may_review(case: Case[Issue], turn: Turn) -> None:
    """Somebody other than the lead (invariant 6)."""
    if handled_by(case, turn.actor.id):
        raise GuardFailed("SEGREGATION", clause="processes §0.1")


def approve_completion(case: Case[Issue], cmd: do.ApproveCompletion, turn: Turn) -> Change:
    """核查: done, and met at the moment of the claim."""
    change = completed(case, turn)
    return replace(change, clocks=(Meet(code="HANDLE", at=case.data.claimed_at), *_done_clocks()))


def completed(case: Case[Issue], turn: Turn) -> Change:
    """The work is found done: the result must be told."""
    return Change(
        to="FEEDBACK_DUE",
        sets={
            "completed_at": case.data.claimed_at or turn.now,
            "outcome": ClosureCode.RESOLVED,
            "escalated": None,
            "suspension": None,
            "extension_asked": None,
            "suspension_asked": None,
            "feedbacks": (),
        },
    )


def _done_clocks() -> tuple[Any, ...]:
    """Clocks that completed work ends, and the one to tell the result."""
    return (
        Meet(code="OVERALL"),
        Meet(code="MILESTONE"),
        Cancel(code="SIGN", reason="COMPLETED"),
        Cancel(code="ATTEND", reason="COMPLETED"),
        Cancel(code="REFER_REPLY", reason="COMPLETED"),
        Cancel(code="SUSPEND_REVIEW", reason="COMPLETED"),
        Cancel(code="SUSPEND_MAX", reason="COMPLETED"),
        Cancel(code="ESCALATED", reason="COMPLETED"),
        Start(code="FEEDBACK"),
    )


def reject_completion(case: Case[Issue], cmd: do.RejectCompletion, turn: Turn) -> Change:
    """Not done; the remaining time runs on."""
    return Change(
        to="IN_PROGRESS",
        sets={"rework_count": case.data.rework_count + 1, "claimed_at": None},
        clocks=(Resume(code="HANDLE"),),
        notes={"reason": cmd.reason},
    )


def supervision_opened(case: Case[Issue], cmd: do.SupervisionOpened, turn: Turn) -> Change:
    """挂牌 by hand: known here, so that 销号 approves the completion and RED opens no second case."""
    if case.data.supervision_id is not None or case.state == "CLOSED":
        return Change(notes={"supervision": cmd.supervision})
    return Change(sets={"supervision_id": cmd.supervision})


def supervision_delisted(case: Case[Issue], cmd: do.SupervisionDelisted, turn: Turn) -> Change:
    """销号: the supervisor's check on the spot approves the completion."""
    if cmd.supervision != case.data.supervision_id:
        return Change(notes={"supervision": cmd.supervision})
    if case.state not in SOLVABLE:
        return Change(sets={"supervision_id": None, "red": False})
    change = completed(case, turn)
    return replace(
        change,
        sets={**change.sets, "supervision_id": None, "red": False},
        clocks=(
            Cancel(code="DESIGNATE", reason="COMPLETED"),
            Cancel(code="TRIAGE", reason="COMPLETED"),
            Cancel(code="PLAN", reason="COMPLETED"),
            Meet(code="REVIEW"),
            Meet(code="HANDLE", at=case.data.claimed_at),
            *_done_clocks(),
        ),
    )


def _with(case: Case[Issue], turn: Turn) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*case.data.handlers, turn.actor.id)))
