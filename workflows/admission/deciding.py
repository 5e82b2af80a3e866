"""The decision (审批): by the body of the applicant's level, never by silence (pure; seed 004 §二(三)2)."""

import calendar
from datetime import date, timedelta
from typing import Any

from workflows.admission import commands as do
from workflows.admission.checking import reconsideration
from workflows.admission.data import (
    FOUR_CANCELLATIONS,
    Admission,
    Agreement,
    Closure,
    Inspected,
    Ledgers,
    Outcome,
    Term,
)
from workflows.admission.ending import closed
from workflows.admission.filing import means, plan, today
from workflows.admission.term import longer_term
from workflows.kernel.clocks import Cancel, Clock, ClockState, Extend, Meet, Start
from workflows.kernel.process import Case, Change, GuardFailed, Notice, Turn

MEANS = "000 §三(三)1"
ADMITTED = "004 §二(三)2"


def decide(case: Case[Admission], cmd: do.Decide, turn: Turn) -> Change:
    """批准、不予批准、暂缓 on an application."""
    if cmd.outcome is Outcome.DEFER:
        return _defer(case, cmd, turn)
    if cmd.outcome is Outcome.REJECT:
        return closed(
            case,
            Closure.REJECTED,
            told="admission_rejected",
            type="rejected",
            sets={"rejection": _reason(cmd), "rejection_clause": ADMITTED},
            clocks=(Meet(code="REVIEW"), *reconsideration(case)),
        )
    return _approve(case, cmd, turn)


def decide_renewal(case: Case[Admission], cmd: do.Decide, turn: Turn) -> Change:
    """续期: a new term and a new number, or active until the old term ends."""
    if cmd.outcome is Outcome.DEFER:
        raise GuardFailed("RENEWAL_NOT_DEFERRED", field="outcome", clause="processes P4")
    if cmd.outcome is Outcome.REJECT:
        return Change(
            type="renewal_rejected",
            to="ACTIVE",
            sets={"renewal_until": None, "rejection": _reason(cmd)},
            clocks=(Meet(code="REVIEW"),),
            notices=(Notice(case.data.applicant_org, "admission_renewal_rejected"),),
        )
    data = case.data
    assert data.valid_until is not None
    assert data.renewal_until is not None
    _in_good_standing(case, turn)
    begins, ends = cmd.valid_from or data.valid_until + timedelta(days=1), cmd.valid_until or data.renewal_until
    _term(begins, ends, cmd, turn)
    if ends <= data.valid_until:
        raise GuardFailed("NOT_LATER", field="valid_until", clause="000 §三(三)1")
    number = _number(case)
    days = data.term_days + (ends - (data.interim_until or data.valid_until)).days
    sets = _granted(case, cmd) | {
        "permit_no": number,
        "valid_from": begins,
        "valid_until": ends,
        "term_days": days,
        "renewal_until": None,
        "interim_until": None,
        "approved_at": turn.now,
        "approved_by": turn.actor.id,
    }
    return Change(
        type="renewed",
        to="ACTIVE",
        sets=sets,
        puts={"terms": {number: Term(valid_from=begins, valid_until=ends)}},
        clocks=(Meet(code="REVIEW"), *longer_term(case, days, turn)),
        notices=tuple(Notice(to, "admission_renewed") for to in (data.applicant_org, *data.communities)),
    )


def review_overdue(case: Case[Admission], clock: Clock, turn: Turn) -> Change:
    """Nobody has decided: the leading group hears of it, and nothing is approved by that (S40)."""
    return Change(
        type="review_overdue",
        notices=(Notice(f"role:leading_group_approver@{case.community}", "admission_review_overdue", "REVIEW"),),
    )


def may_reconsider(case: Case[Admission], turn: Turn) -> None:
    """Once, and within its ten working days."""
    if case.data.reconsidered:
        raise GuardFailed("RECONSIDERED_ALREADY", clause="processes P4")
    if case.clock("RECONSIDER") is None:
        raise GuardFailed("RECONSIDER_OVER", clause="policy-packs §9 RECONSIDER")


def reconsider(case: Case[Admission], cmd: do.Reconsider, turn: Turn) -> Change:
    """复议: the approving body looks again."""
    role, place = (
        ("office_reviewer", case.data.county)
        if case.data.office_approves
        else ("leading_group_approver", case.community)
    )
    return Change(
        type="reconsideration_asked",
        to="UNDER_REVIEW",
        sets={"reconsidered": True, "closure_code": None, "deferred": False},
        clocks=(Meet(code="RECONSIDER"), Start(code="REVIEW")),
        notices=(Notice(f"role:{role}@{place}", "admission_review", "REVIEW"),),
        notes={"reason": cmd.reason},
    )


# --- the outcomes -----------------------------------------------------------------------------------------


def _approve(case: Case[Admission], cmd: do.Decide, turn: Turn) -> Change:
    data = case.data
    if cmd.communities is not None and not set(cmd.communities) <= set(data.communities):
        raise GuardFailed("COMMUNITY_NOT_APPLIED_FOR", field="communities", clause=ADMITTED)
    communities = cmd.communities or data.communities
    begins, ends = cmd.valid_from or data.planned_from, cmd.valid_until or data.planned_until
    assert begins is not None
    assert ends is not None
    _term(begins, ends, cmd, turn)
    if data.funding is None and cmd.funding is None:
        raise GuardFailed("MEANS_NOT_STATED", field="funding", clause=MEANS)
    if data.staffing is None and cmd.staffing is None:
        raise GuardFailed("MEANS_NOT_STATED", field="staffing", clause=MEANS)
    ledgers = _ledgers(case, cmd)
    number = _number(case)
    sets = (
        _granted(case, cmd)
        | ledgers
        | {
            "permit_no": number,
            "communities": communities,
            "valid_from": begins,
            "valid_until": ends,
            "approved_at": turn.now,
            "approved_by": turn.actor.id,
        }
    )
    puts: dict[str, Any] = {
        "terms": {number: Term(valid_from=begins, valid_until=ends)},
        "agreements": {code: Agreement() for code in communities},
    }
    if cmd.funding is not None:
        puts["instalments"] = plan(data, cmd.funding)
    # Where no agreement is required the money is what comes next.
    next_clock = "AGREE" if agreement_required(case, turn) else "FUND"
    return Change(
        type="approved",
        to="APPROVED",
        sets=sets,
        puts=puts,
        clocks=(Meet(code="REVIEW"), Cancel(code="OPINION", reason="DECIDED"), Start(code=next_clock)),
        notices=tuple(Notice(to, "admission_approved", next_clock) for to in (data.applicant_org, *communities)),
    )


def _defer(case: Case[Admission], cmd: do.Decide, turn: Turn) -> Change:
    if case.data.deferred:
        raise GuardFailed("DEFERRED_ALREADY", field="outcome", clause="processes P4")
    clock = case.clock("REVIEW")
    if clock is None or clock.state is not ClockState.RUNNING:
        raise GuardFailed("ALREADY_DUE", field="outcome", clause="processes P4")
    return Change(
        type="deferred",
        sets={"deferred": True},
        clocks=(Extend(code="REVIEW", duration=turn.policy.duration("admission.review")),),
        notices=(Notice(case.data.applicant_org, "admission_deferred", "REVIEW"),),
        notes={"reason": cmd.reason} if cmd.reason else {},
    )


# --- guards and parts -------------------------------------------------------------------------------------


def agreement_required(case: Case[Admission], turn: Turn) -> bool:
    """Say whether an agreement must be signed before entry (项目协议书 for work items, 责任书 as one likes)."""
    assert case.data.variant is not None
    return case.data.variant.value in turn.policy.words("admission.agreement")


def last_inspection(data: Admission) -> Inspected | None:
    """The inspection of the latest year, concluded or not."""
    return data.inspections[max(data.inspections)] if data.inspections else None


def is_poor(one: Inspected, turn: Turn) -> bool:
    """Say whether the communities are less satisfied than the threshold (下评上)."""
    least = turn.policy.number("assessment.upward.threshold")
    return one.satisfied_share is not None and one.satisfied_share < least


def _in_good_standing(case: Case[Admission], turn: Turn) -> None:
    last = last_inspection(case.data)
    if last is None:
        return
    if last.outcome is None:
        raise GuardFailed("INSPECTION_NOT_CONCLUDED", clause="000 §三(三)1")
    if last.outcome != "PASS" and not last.rectified:
        raise GuardFailed("INSPECTION_NOT_PASSED", clause="000 §三(三)1")
    if is_poor(last, turn):
        raise GuardFailed("UPWARD_ASSESSMENT_LOW", clause="000 §三(三)2")


def _term(begins: date, ends: date, cmd: do.Decide, turn: Turn) -> None:
    if ends < begins:
        raise GuardFailed("ENDS_BEFORE_IT_BEGINS", field="valid_until", clause="000 §三(三)1")
    if ends <= today(turn):
        raise GuardFailed("DAY_IN_PAST", field="valid_until", clause="000 §三(三)1")
    longest = int(turn.policy.number("admission.term.max"))
    if ends >= months_later(begins, longest) and cmd.exception_reason is None:
        raise GuardFailed("TERM_TOO_LONG", field="exception_reason", clause="policy-packs §4 admission.term.max")


def months_later(day: date, months: int) -> date:
    """The same day so many months on; the last of the month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _reason(cmd: do.Decide) -> str:
    if cmd.reason is None:
        raise GuardFailed("REASON_REQUIRED", field="reason", clause=ADMITTED)
    return cmd.reason


def _ledgers(case: Case[Admission], cmd: do.Decide) -> dict[str, Any]:
    """An approved task adds no ledger: it is taken out, or derived from what the platform has (S43)."""
    if FOUR_CANCELLATIONS not in case.data.warnings:
        return {}
    if cmd.ledgers is None:
        raise GuardFailed("FOUR_CANCELLATIONS", field="ledgers", clause="004 §三(二)")
    warnings = tuple(one for one in case.data.warnings if one != FOUR_CANCELLATIONS)
    removed = cmd.ledgers is Ledgers.REMOVED
    return {"warnings": warnings, **({"ledgers_required": ()} if removed else {"ledgers_derived": True})}


def _granted(case: Case[Admission], cmd: do.Decide) -> dict[str, Any]:
    """What the decision sets anew."""
    given = {name: value for name in ("scope", "staffing", "conditions") if (value := getattr(cmd, name)) is not None}
    if cmd.funding is not None:
        given["funding"] = means(cmd.funding)
    return given


def _number(case: Case[Admission]) -> str:
    """The number of a permit (批准文书号): the application's, and which of its permits it is."""
    return f"{case.number}-{len(case.data.terms) + 1}"
