"""From approval to entry (进驻): agreements, mediation, money, registration (pure; 000 §三(三)1, 004 §二(三)2)."""

from collections.abc import Mapping
from typing import Any

from workflows.admission import commands as do
from workflows.admission.data import (
    IN_FORCE,
    Admission,
    Agreement,
    AgreementState,
    FundingKind,
)
from workflows.admission.deciding import agreement_required
from workflows.admission.filing import today
from workflows.admission.people import community_of, is_applicant
from workflows.admission.term import term_clocks
from workflows.kernel.amending import amend
from workflows.kernel.calendar import Duration, Unit
from workflows.kernel.clocks import ClockOp, Meet, Start
from workflows.kernel.process import Case, Change, GuardFailed, Notice, Turn

ADMITTED = "004 §二(三)2"
SETTLED = (AgreementState.SIGNED, AgreementState.MEDIATION, AgreementState.WITHDRAWN)


def sign_agreement(case: Case[Admission], cmd: do.SignAgreement, turn: Turn) -> Change:
    """项目协议书: the applicant signs for all or for one, each community for itself."""
    mine = _by_applicant(case, cmd, turn) if is_applicant(turn) else _by_community(case, cmd, turn)
    signed = {code: _both(one) for code, one in mine.items()}
    agreements = {**case.data.agreements, **signed}
    late = tuple(code for code, one in signed.items() if one.state is AgreementState.SIGNED)
    clocks: tuple[ClockOp, ...] = tuple(Meet(code="MEDIATE", ref=code) for code in late)
    if case.state in IN_FORCE:
        # A community that came to terms after the others had begun.
        entered = tuple(dict.fromkeys((*case.data.communities, *late)))
        return Change(
            type="agreement_signed",
            sets={"communities": entered},
            puts={"agreements": signed},
            clocks=clocks,
            notices=tuple(Notice(code, "admission_entered") for code in late),
        )
    return _agreed(case, "agreement_signed", signed, agreements, clocks, turn)


def refuse_terms(case: Case[Admission], cmd: do.RefuseTerms, turn: Turn) -> Change:
    """The community cannot do it so: the office mediates, and the others are not held up (S33)."""
    code = community_of(case, None, turn)
    agreement = case.data.agreements.get(code)
    if agreement is None or agreement.state is not AgreementState.ASKED:
        raise GuardFailed("NOT_ASKED_TO_SIGN", field="community", clause=ADMITTED)
    refused = {code: amend(agreement, state=AgreementState.MEDIATION, refusal=cmd.reason, community_signed_at=None)}
    return _agreed(
        case,
        "terms_refused",
        refused,
        {**case.data.agreements, **refused},
        (Start(code="MEDIATE", ref=code),),
        turn,
        notices=(
            Notice(f"role:office_reviewer@{case.data.county}", "admission_mediation", "MEDIATE"),
            Notice(case.data.applicant_org, "admission_mediation", "MEDIATE"),
        ),
    )


def amend_permit(case: Case[Admission], cmd: do.AmendPermit, turn: Turn) -> Change:
    """After mediation: new terms for those that stay, none for those that drop out."""
    stay = tuple(dict.fromkeys(cmd.communities))
    before = case.data.concerned
    mediated = {code for code, one in case.data.agreements.items() if one.state is AgreementState.MEDIATION}
    if not set(stay) <= set(before):
        raise GuardFailed("COMMUNITY_NOT_APPLIED_FOR", field="communities", clause=ADMITTED)
    if not mediated or not set(before) - set(stay) <= mediated:
        raise GuardFailed("NO_MEDIATION", field="communities", clause="processes P4")
    changed: dict[str, Agreement] = {}
    for code in sorted(mediated):
        if code not in stay:
            changed[code] = amend(case.data.agreements[code], state=AgreementState.WITHDRAWN)
        elif cmd.terms is not None:
            changed[code] = Agreement(terms=cmd.terms)
    if not changed:
        raise GuardFailed("TERMS_REQUIRED", field="terms", clause="processes P4")
    kept = tuple(code for code in case.data.communities if code in stay)
    return _agreed(
        case,
        "permit_amended",
        changed,
        {**case.data.agreements, **changed},
        tuple(Meet(code="MEDIATE", ref=code) for code in sorted(changed)),
        turn,
        sets={"communities": kept},
        notices=tuple(Notice(to, "admission_amended") for to in (case.data.applicant_org, *sorted(mediated))),
    )


def confirm_funding(case: Case[Admission], cmd: do.ConfirmFunding, turn: Turn) -> Change:
    """费随事转: no entry before the money is promised, or on the account, as the pack says."""
    if case.state == "APPROVED" and agreement_required(case, turn):
        raise GuardFailed("AGREEMENT_REQUIRED", clause=ADMITTED)
    gate = turn.policy.text("admission.funding_gate")
    clause = turn.policy.parameter("admission.funding_gate").source
    if gate != "NONE" and not cmd.evidence:
        raise GuardFailed("NO_EVIDENCE", field="evidence", clause=clause)
    if gate == "RECEIVED" and cmd.kind is not FundingKind.RECEIVED:
        raise GuardFailed("FUNDING_NOT_RECEIVED", field="kind", clause=clause)
    return Change(
        type="funding_confirmed",
        to="FUNDED",
        sets={"funding_status": cmd.kind},
        clocks=(Meet(code="AGREE"), Meet(code="FUND")),
        notices=(Notice(f"role:office_reviewer@{case.data.county}", "admission_funded"),),
        notes={"evidence": cmd.evidence} if cmd.evidence else {},
    )


def register_and_enter(case: Case[Admission], cmd: do.RegisterAndEnter, turn: Turn) -> Change:
    """登记备案: in force in the communities that have agreed; its term and its instalments run."""
    data = case.data
    assert data.valid_until is not None
    assert data.permit_no is not None
    days = (data.valid_until - today(turn)).days
    if days < 1:
        raise GuardFailed("TERM_OVER", clause="000 §三(三)1")
    needed = agreement_required(case, turn)
    communities = tuple(code for code in data.communities if _enters(data.agreements[code], needed=needed))
    if not communities:
        raise GuardFailed("NOBODY_AGREED", clause=ADMITTED)
    return Change(
        type="registered",
        to="ACTIVE",
        sets={"communities": communities, "entered_at": turn.now, "term_days": days, "provisional": False},
        clocks=(
            *term_clocks(days, turn),
            *(
                Start(
                    code="INSTALMENT", ref=number, duration=Duration(0, Unit.DATE, on=data.instalments[number].due_on)
                )
                for number in data.unpaid
            ),
        ),
        notices=tuple(Notice(to, "admission_entered") for to in (data.applicant_org, *communities)),
    )


# --- parts ------------------------------------------------------------------------------------------------


def _by_applicant(case: Case[Admission], cmd: do.SignAgreement, turn: Turn) -> dict[str, Agreement]:
    open_ones = {
        code: one
        for code, one in sorted(case.data.agreements.items())
        if one.state in (AgreementState.ASKED, AgreementState.MEDIATION)
        and one.applicant_signed_at is None
        and cmd.community in (None, code)
    }
    if not open_ones:
        raise GuardFailed("SIGNED_ALREADY", field="community", clause=ADMITTED)
    return {
        code: amend(one, applicant_signed_at=turn.now, file=cmd.file or one.file) for code, one in open_ones.items()
    }


def _by_community(case: Case[Admission], cmd: do.SignAgreement, turn: Turn) -> dict[str, Agreement]:
    code = community_of(case, cmd.community, turn)
    one = case.data.agreements.get(code)
    if one is None or one.community_signed_at is not None:
        raise GuardFailed("SIGNED_ALREADY", field="community", clause=ADMITTED)
    return {
        code: amend(
            one,
            community_signed_at=turn.now,
            community_signed_by=turn.actor.id,
            file=cmd.file or one.file,
        )
    }


def _both(one: Agreement) -> Agreement:
    signed = one.applicant_signed_at is not None and one.community_signed_at is not None
    return amend(one, state=AgreementState.SIGNED) if signed else one


def _agreed(
    case: Case[Admission],
    type: str,  # the name that `Change` has for it
    changed: Mapping[str, Agreement],
    agreements: Mapping[str, Agreement],
    clocks: tuple[ClockOp, ...],
    turn: Turn,
    *,
    sets: Mapping[str, Any] | None = None,
    notices: tuple[Notice, ...] = (),
) -> Change:
    """The change, and AGREED with it once nobody is left who has neither signed nor gone into mediation."""
    states = [one.state for one in agreements.values()]
    agreed = case.state == "APPROVED" and AgreementState.SIGNED in states and all(state in SETTLED for state in states)
    if not agreed:
        return Change(type=type, sets=sets or {}, puts={"agreements": changed}, clocks=clocks, notices=notices)
    fund: tuple[ClockOp, ...] = () if case.clock("FUND") else (Start(code="FUND"),)
    return Change(
        type=type,
        to="AGREED",
        sets=sets or {},
        puts={"agreements": changed},
        clocks=(*clocks, Meet(code="AGREE"), *fund),
        notices=(*notices, Notice(case.data.applicant_org, "admission_agreed", "FUND")),
    )


def _enters(one: Agreement, *, needed: bool) -> bool:
    if needed:
        return one.state is AgreementState.SIGNED
    return one.state not in (AgreementState.MEDIATION, AgreementState.WITHDRAWN)
