"""The life of a permit (在册): money, breaches, inspection, completion, renewal, the county's lists (pure)."""

from typing import Any

from workflows.admission import commands as do
from workflows.admission.data import Admission, Breach, Closure, Confirmed, Inspected, Stopped
from workflows.admission.deciding import is_poor
from workflows.admission.ending import closed, hand_over
from workflows.admission.filing import today
from workflows.admission.people import community_of, is_office
from workflows.admission.revoking import rectification
from workflows.admission.term import renewal_window
from workflows.kernel.amending import amend
from workflows.kernel.calendar import Duration, Unit
from workflows.kernel.clocks import Cancel, Clock, ClockState, Meet, Start
from workflows.kernel.process import Case, Change, GuardFailed, Notice, Turn

MONEY = "000 §三(三)1"
END = "004 §二(三)2"

# --- money -------------------------------------------------------------------------------------------------


def instalment_due(case: Case[Admission], clock: Clock, turn: Turn) -> Change:
    """Not paid on its day: after ten working days more the communities may stop (S41)."""
    return Change(
        type="instalment_overdue",
        sets={"funding_overdue": True},
        clocks=(Start(code="SUSPEND_RIGHT", ref=clock.ref),),
        notices=(Notice(f"role:office_reviewer@{case.data.county}", "admission_instalment_overdue", "INSTALMENT"),),
    )


def may_suspend(case: Case[Admission], turn: Turn) -> None:
    """Some instalment must have been overdue for ten working days."""
    if not any(case.clock("SUSPEND_RIGHT", number) is None for number in _overdue(case)):
        raise GuardFailed("SUSPEND_RIGHT_NOT_YET", clause=MONEY)


def suspend_performance(case: Case[Admission], cmd: do.SuspendPerformance, turn: Turn) -> Change:
    """暂停履行 in one community; the department's own clocks run on."""
    code = community_of(case, cmd.community, turn)
    if code in case.data.stopped or code not in case.data.communities:
        raise GuardFailed("SUSPENDED_ALREADY", field="community", clause=MONEY)
    return Change(
        type="performance_suspended",
        puts={"stopped": {code: Stopped(reason=cmd.reason, since=turn.now, by=turn.actor.id)}},
        notices=tuple(
            Notice(to, "admission_performance_suspended")
            for to in (case.data.applicant_org, f"role:office_reviewer@{case.data.county}")
        ),
    )


def record_payment(case: Case[Admission], cmd: do.RecordPayment, turn: Turn) -> Change:
    """拨付: what was stopped goes on once nothing is overdue any more."""
    number = str(cmd.instalment)
    instalment = case.data.instalments.get(number)
    if instalment is None:
        raise GuardFailed("NO_SUCH_INSTALMENT", field="instalment", clause=MONEY)
    if instalment.paid_on is not None:
        raise GuardFailed("PAID_ALREADY", field="instalment", clause=MONEY)
    if cmd.paid_on > today(turn):
        raise GuardFailed("DAY_IN_FUTURE", field="paid_on", clause=MONEY)
    settled = not [one for one in _overdue(case) if one != number]
    resumed: dict[str, Any] = dict.fromkeys(case.data.stopped) if settled else {}
    return Change(
        type="payment_recorded",
        sets={"funding_overdue": not settled},
        puts={
            "instalments": {number: amend(instalment, paid_on=cmd.paid_on, receipt=cmd.receipt)},
            **({"stopped": resumed} if resumed else {}),
        },
        clocks=(Meet(code="INSTALMENT", ref=number), Cancel(code="SUSPEND_RIGHT", ref=number, reason="PAID")),
        notices=tuple(Notice(code, "admission_performance_resumed") for code in sorted(resumed)),
    )


def _overdue(case: Case[Admission]) -> tuple[str, ...]:
    return tuple(
        clock.ref for clock in case.clocks if clock.code == "INSTALMENT" and clock.state is ClockState.BREACHED
    )


# --- breach -----------------------------------------------------------------------------------------------


def report_breach(case: Case[Admission], cmd: do.ReportBreach, turn: Turn) -> Change:
    """Work outside the scope or not as approved, or a ledger that nobody approved (S37)."""
    community = (cmd.community or "") if is_office(turn) else community_of(case, cmd.community, turn)
    number = str(len(case.data.breaches) + 1)
    breach = Breach(
        text=cmd.text,
        by=turn.actor.id,
        at=turn.now,
        community=community,
        ledgers=cmd.ledgers,
        evidence=cmd.evidence,
    )
    return Change(
        type="breach_reported",
        sets={"breach_reported": True},
        puts={"breaches": {number: breach}},
        notices=(Notice(f"role:office_reviewer@{case.data.county}", "admission_breach_reported"),),
    )


# --- inspection -------------------------------------------------------------------------------------------


def inspection_opened(case: Case[Admission], cmd: do.InspectionOpened, turn: Turn) -> Change:
    """年检 of a year began."""
    return Change(
        puts={"inspections": {str(cmd.year): Inspected(inspection=cmd.inspection)}},
        notices=(Notice(case.data.applicant_org, "admission_inspection_opened"),),
    )


def inspection_concluded(case: Case[Admission], cmd: do.InspectionConcluded, turn: Turn) -> Change | tuple[Change, ...]:
    """Its conclusion; what does not pass is put right, also where the communities are not satisfied."""
    one = Inspected(inspection=cmd.inspection, outcome=cmd.outcome, satisfied_share=cmd.satisfied_share)
    written = Change(puts={"inspections": {str(cmd.year): one}})
    in_order = cmd.outcome == "PASS" and not is_poor(one, turn)
    if in_order or case.state not in ("ACTIVE", "RENEWAL_REVIEW"):
        # Joins a rectification or revocation that runs, or comes after the end.
        return written
    # An order of its own, so that the notice to rectify is written for it too.
    return written, rectification(case, turn, due_on=None, findings=None)


# --- completion and renewal -------------------------------------------------------------------------------


def report_completion(case: Case[Admission], cmd: do.ReportCompletion, turn: Turn) -> Change:
    """The work is done: communities and office confirm, money is settled within twenty working days."""
    if case.state == "REGISTERED_ONLY":
        return closed(case, Closure.COMPLETED, told="admission_completed", notes={"text": cmd.text})
    if case.data.completion_reported_at is not None:
        raise GuardFailed("COMPLETION_REPORTED_ALREADY", clause=END)
    return Change(
        type="completion_reported",
        sets={"completion_reported_at": turn.now},
        clocks=(Start(code="SETTLE"),),
        notices=tuple(
            Notice(to, "admission_completion_reported", "SETTLE")
            for to in (*case.data.communities, f"role:office_reviewer@{case.data.county}")
        ),
        notes={"text": cmd.text},
    )


def may_confirm(case: Case[Admission], turn: Turn) -> None:
    """There must be something to confirm."""
    if case.data.completion_reported_at is None:
        raise GuardFailed("COMPLETION_NOT_REPORTED", clause=END)


def confirm_completion(case: Case[Admission], cmd: do.ConfirmCompletion, turn: Turn) -> Change:
    """工作完成后撤销: the end of the work ends the permit; no sanction, no revocation."""
    data = case.data
    if not is_office(turn):
        code = community_of(case, cmd.community, turn)
        if code in data.completions:
            raise GuardFailed("CONFIRMED_ALREADY", field="community", clause=END)
        word = Confirmed(by=turn.actor.id, at=turn.now)
        return Change(type="completion_confirmed", puts={"completions": {code: word}})
    if missing := tuple(code for code in data.communities if code not in data.completions):
        raise GuardFailed("COMMUNITIES_NOT_CONFIRMED", clause=END, missing=len(missing))
    if data.unpaid:
        raise GuardFailed("FUND_UNSETTLED", clause=MONEY)
    return closed(case, Closure.COMPLETED, told="admission_completed", clocks=(Meet(code="SETTLE"),))


def may_renew(case: Case[Admission], turn: Turn) -> None:
    """Sixty to thirty days before the end, with every instalment paid that is due (S39)."""
    opens, closes = renewal_window(case, turn)
    if opens is not None and turn.now < opens:
        raise GuardFailed("RENEWAL_TOO_EARLY", clause="policy-packs §4 admission.renewal.window")
    if closes is None or turn.now >= closes:
        raise GuardFailed("RENEWAL_TOO_LATE", clause="policy-packs §4 admission.renewal.window")


def apply_renewal(case: Case[Admission], cmd: do.ApplyRenewal, turn: Turn) -> Change:
    """续期: a shortened file, changes only."""
    if case.data.funding_overdue:
        raise GuardFailed("FUND_UNSETTLED", clause=MONEY)
    assert case.data.valid_until is not None
    if cmd.valid_until <= case.data.valid_until:
        raise GuardFailed("NOT_LATER", field="valid_until", clause="processes P4")
    role, at = ("office_reviewer", case.data.county)
    if not case.data.office_approves:
        role, at = ("leading_group_approver", case.community)
    return Change(
        type="renewal_asked",
        to="RENEWAL_REVIEW",
        sets={"renewal_until": cmd.valid_until},
        clocks=(Start(code="REVIEW"),),
        notices=(Notice(f"role:{role}@{at}", "admission_renewal", "REVIEW"),),
        notes={"changes": cmd.changes} if cmd.changes else {},
    )


def grant_interim(case: Case[Admission], cmd: do.GrantInterim, turn: Turn) -> Change:
    """At most thirty days beyond the term, once, while the decision on a renewal is open."""
    data = case.data
    assert data.valid_until is not None
    longest = int(turn.policy.number("admission.interim.max"))
    extra = (cmd.until - data.valid_until).days
    if data.interim_until is not None:
        raise GuardFailed("INTERIM_ALREADY", clause="policy-packs §4 admission.interim.max")
    if not 1 <= extra <= longest:
        raise GuardFailed("INTERIM_TOO_LONG", field="until", clause="policy-packs §4 admission.interim.max")
    term = case.clock("TERM")
    assert term is not None
    days = data.term_days + extra
    return Change(
        type="interim_granted",
        sets={"interim_until": cmd.until, "term_days": days},
        clocks=(
            Cancel(code="TERM", reason="SUPERSEDED"),
            Start(code="TERM", duration=Duration(days, Unit.CALENDAR_DAYS), since=term.started_at),
        ),
        notices=tuple(Notice(to, "admission_interim") for to in (data.applicant_org, *data.communities)),
        notes={"reason": cmd.reason},
    )


def expiring(case: Case[Admission], clock: Clock, turn: Turn) -> Change:
    """到期提醒, sixty and thirty days before the end."""
    return Change(
        type="expiry_reminded",
        notices=tuple(
            Notice(to, "admission_expiring", "TERM")
            for to in (case.data.applicant_org, f"role:office_reviewer@{case.data.county}")
        ),
        notes={"days": int(clock.ref)},
    )


def expired(case: Case[Admission], clock: Clock, turn: Turn) -> Change:
    """The term is over and nothing prolongs it: the work must stop."""
    return closed(case, Closure.EXPIRED, told="admission_expired", type="expired", clocks=hand_over(case))


def transfer_to_list(case: Case[Admission], cmd: do.TransferToList, turn: Turn) -> Change:
    """The county's revised lists hold the item, which so needs no permit any more (seed 004 §二(三)1)."""
    found = turn.facts["lists_in_force"]
    codes = {hit["item_code"] for hit in found["hits"] if hit["list_type"] in ("LIST_A", "LIST_B")}
    if cmd.list_item not in codes:
        raise GuardFailed("NOT_ON_LIST", field="list_item", clause="004 §二(三)1")
    return closed(
        case,
        Closure.ABSORBED,
        told="admission_absorbed",
        sets={"absorbed_into": cmd.list_item},
        notes={"version": found["version"]},
    )


# --- what else is told --------------------------------------------------------------------------------------


def supervision_opened(case: Case[Admission], cmd: do.SupervisionOpened, turn: Turn) -> Change:
    """A supervisor watches it."""
    return Change(sets={"supervision_id": cmd.supervision})


def supervision_delisted(case: Case[Admission], cmd: do.SupervisionDelisted, turn: Turn) -> Change:
    """销号; whether the rectification is accepted stays with the office."""
    if case.data.supervision_id != cmd.supervision:
        return Change()
    return Change(
        sets={"supervision_id": None},
        notices=(Notice(f"role:office_reviewer@{case.data.county}", "admission_supervision_delisted"),),
    )
