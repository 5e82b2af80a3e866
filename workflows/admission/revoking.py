"""Rectification and revocation (限期整改、撤销): the second only after the first has failed (pure; 000 §三(三)1)."""

from datetime import date, timedelta
from typing import Any

from workflows.admission import commands as do
from workflows.admission.data import Admission, Confirmed
from workflows.admission.deciding import last_inspection, months_later
from workflows.admission.ending import NOTHING_WAITS, hand_over
from workflows.admission.filing import today
from workflows.admission.people import is_office
from workflows.kernel.amending import amend
from workflows.kernel.calendar import CHINA, Duration, Unit
from workflows.kernel.clocks import Cancel, Clock, ClockOp, ClockState, Extend, Meet, Start
from workflows.kernel.process import Case, Change, GuardFailed, Notice, Turn

CLAUSE = "000 §三(三)1"
OVER: dict[str, Any] = {
    "findings": None,
    "rectification_due_on": None,
    "rectification_extended": 0,
    "rectification_reported_at": None,
    "revocation_findings": None,
    "statement": None,
}
"""What of a rectification falls away when the permit goes on."""


def order_rectification(case: Case[Admission], cmd: do.OrderRectification, turn: Turn) -> Change:
    """限期整改通知书."""
    return rectification(case, turn, due_on=cmd.due_on, findings=cmd.findings)


def rectification(case: Case[Admission], turn: Turn, *, due_on: date | None, findings: str | None) -> Change:
    """A time to put things right; a renewal that was asked for falls."""
    if due_on is not None:
        _in_time(today(turn), due_on, turn)
    day = Duration(0, Unit.DATE, on=due_on) if due_on is not None else None
    return Change(
        type="rectification_ordered",
        to="RECTIFYING",
        sets={
            **OVER,
            "findings": findings,
            "rectification_due_on": due_on,
            "breach_reported": False,
            "renewal_until": None,
        },
        clocks=(Cancel(code="REVIEW", reason="RECTIFYING"), Start(code="RECTIFY", duration=day)),
        notices=tuple(
            Notice(to, "admission_rectification", "RECTIFY") for to in (case.data.applicant_org, *case.data.communities)
        ),
    )


def may_extend(case: Case[Admission], turn: Turn) -> None:
    """Once, before the time has run out."""
    clock = case.clock("RECTIFY")
    if clock is None or clock.state is not ClockState.RUNNING:
        raise GuardFailed("ALREADY_DUE", clause=CLAUSE)
    if case.data.rectification_extended >= turn.policy.number("admission.rectify_extensions"):
        raise GuardFailed("RECTIFICATION_EXTENDED_ALREADY", clause="policy-packs §4 admission.rectify")


def extend_rectification(case: Case[Admission], cmd: do.ExtendRectification, turn: Turn) -> Change:
    """延期: later than before, by no more than the time that the pack gives."""
    clock = case.clock("RECTIFY")
    assert clock is not None
    assert clock.due_at is not None
    # The due time is the end of its day.
    due_on = (clock.due_at - timedelta(microseconds=1)).astimezone(CHINA).date()
    if cmd.to <= (case.data.rectification_due_on or due_on):
        raise GuardFailed("NOT_LATER", field="to", clause=CLAUSE)
    _in_time(case.data.rectification_due_on or due_on, cmd.to, turn)
    return Change(
        type="rectification_extended",
        sets={"rectification_due_on": cmd.to, "rectification_extended": case.data.rectification_extended + 1},
        clocks=(Extend(code="RECTIFY", duration=Duration(0, Unit.DATE, on=cmd.to)),),
        notices=(Notice(case.data.applicant_org, "admission_rectification", "RECTIFY"),),
        notes={"reason": cmd.reason},
    )


def report_rectified(case: Case[Admission], cmd: do.ReportRectified, turn: Turn) -> Change:
    """Put right, the applicant says: the office looks again."""
    return Change(
        type="rectification_reported",
        sets={"rectification_reported_at": turn.now},
        notices=(Notice(f"role:office_reviewer@{case.data.county}", "admission_rectification_reported", "RECTIFY"),),
        notes={"text": cmd.text, **({"evidence": cmd.evidence} if cmd.evidence else {})},
    )


def rectification_due(case: Case[Admission], clock: Clock, turn: Turn) -> Change:
    """The time is over: the office re-inspects."""
    return Change(
        type="rectification_overdue",
        notices=(Notice(f"role:office_reviewer@{case.data.county}", "admission_reinspect", "RECTIFY"),),
    )


def accept_rectification(case: Case[Admission], cmd: do.AcceptRectification, turn: Turn) -> Change:
    """验收合格: also what the inspection had found is put right with it."""
    return Change(
        type="rectification_accepted",
        to="ACTIVE",
        sets=OVER,
        puts=_rectified(case),
        notices=tuple(Notice(to, "admission_rectified") for to in (case.data.applicant_org, *case.data.communities)),
        notes={"text": cmd.text},
    )


def _rectified(case: Case[Admission]) -> dict[str, dict[str, Any]]:
    last = last_inspection(case.data)
    if last is None or last.outcome is None:
        return {}
    return {"inspections": {max(case.data.inspections): amend(last, rectified=True)}}


def no_rectification(case: Case[Admission], turn: Turn) -> None:
    """A permit is never revoked out of the blue (S38)."""
    raise GuardFailed("NO_RECTIFICATION", clause=CLAUSE)


def may_propose(case: Case[Admission], turn: Turn) -> None:
    """The time must have run out, or the applicant have asked for the re-inspection himself."""
    clock = case.clock("RECTIFY")
    over = clock is None or clock.state is ClockState.BREACHED
    if not over and case.data.rectification_reported_at is None:
        raise GuardFailed("RECTIFICATION_RUNNING", clause=CLAUSE)


def propose_revocation(case: Case[Admission], cmd: do.ProposeRevocation, turn: Turn) -> Change:
    """限期整改不到位: the applicant is heard."""
    clocks: tuple[ClockOp, ...] = (Cancel(code="RECTIFY", reason="NOT_RECTIFIED"), Start(code="STATEMENT"))
    return Change(
        type="revocation_proposed",
        to="REVOCATION_PROPOSED",
        sets={"revocation_findings": cmd.findings},
        clocks=clocks,
        notices=(Notice(case.data.applicant_org, "admission_revocation_proposed", "STATEMENT"),),
    )


def state_views(case: Case[Admission], cmd: do.StateViews, turn: Turn) -> Change:
    """陈述申辩, within its five working days."""
    if case.clock("STATEMENT") is None:
        raise GuardFailed("STATEMENT_OVER", clause="policy-packs §9 STATEMENT")
    return Change(
        type="views_stated",
        sets={"statement": cmd.text},
        clocks=(Meet(code="STATEMENT"),),
        notices=(Notice(f"role:office_reviewer@{case.data.county}", "admission_views_stated"),),
    )


def may_revoke(case: Case[Admission], turn: Turn) -> None:
    """The statement is considered: given, or its time over."""
    if case.data.statement is None and case.clock("STATEMENT") is not None:
        raise GuardFailed("STATEMENT_RUNNING", clause="policy-packs §9 STATEMENT")


def revoke(case: Case[Admission], cmd: do.Revoke, turn: Turn) -> Change:
    """撤销决定书: hand over within ten working days; no new application for a year."""
    ban = months_later(today(turn), int(turn.policy.number("admission.reapply_ban")))
    people = (case.data.applicant_org, *case.data.communities, case.community)
    return Change(
        type="revoked",
        to="REVOKED",
        sets={**NOTHING_WAITS, "revoked_at": turn.now, "ban_until": ban},
        clocks=hand_over(case),
        notices=tuple(Notice(to, "admission_revoked", "HAND_OVER") for to in people),
        notes={"reason": cmd.reason, "clause": CLAUSE},
    )


def withdraw_proposal(case: Case[Admission], cmd: do.WithdrawProposal, turn: Turn) -> Change:
    """The permit goes on."""
    return Change(
        type="proposal_withdrawn",
        to="ACTIVE",
        sets=OVER,
        clocks=(Cancel(code="STATEMENT", reason="WITHDRAWN"),),
        notices=(Notice(case.data.applicant_org, "admission_proposal_withdrawn"),),
        notes={"reason": cmd.reason},
    )


def confirm_hand_over(case: Case[Admission], cmd: do.ConfirmHandOver, turn: Turn) -> Change:
    """移交: each community for itself, or the office for all that are left."""
    left = tuple(code for code in case.data.communities if code not in case.data.handed_over)
    mine = left if is_office(turn) else tuple(code for code in left if code.startswith(turn.grant.place))
    if not mine:
        raise GuardFailed("HANDED_OVER_ALREADY", clause=CLAUSE)
    word = Confirmed(by=turn.actor.id, at=turn.now)
    return Change(
        type="handed_over",
        puts={"handed_over": dict.fromkeys(mine, word)},
        clocks=tuple(Meet(code="HAND_OVER", ref=code) for code in mine),
    )


def _in_time(start: date, due_on: date, turn: Turn) -> None:
    if due_on < today(turn):
        raise GuardFailed("DAY_IN_PAST", field="due_on", clause=CLAUSE)
    if due_on > start + timedelta(days=int(turn.policy.duration("admission.rectify").value)):
        raise GuardFailed("DUE_TOO_LATE", field="due_on", clause="policy-packs §4 admission.rectify")
