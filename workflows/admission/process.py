"""P4, admission 准入 (AdmissionWorkflow), of units (seed 000) and of work items (seed 004): states, clocks, arrows (pure).

Read the table row by row beside processes.md P4. The rules behind the rows: `filing` (application), `checking` (lists,
conditions, opinions), `deciding`, `entering` (agreement, money, registration), `living`, `revoking`.
"""

from collections.abc import Mapping
from typing import Any

from workflows.admission import checking, deciding, entering, filing, living, revoking
from workflows.admission import commands as do
from workflows.admission import people as who
from workflows.admission.data import IN_FORCE, Admission, Closure
from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Case, Moment, Paper, Process, State, arrows
from workflows.kernel.upkeep import upkeep

# --- positions ---------------------------------------------------------------------------------------------

CLOSED_TITLES = {
    Closure.NOT_REQUIRED: ("无需准入", "Not required"),
    Closure.REJECTED: ("不予准入", "Rejected"),
    Closure.REJECTED_PROHIBITED: ("禁止事项不予准入", "Rejected, prohibited"),
    Closure.LAPSED: ("逾期失效", "Lapsed"),
    Closure.COMPLETED: ("完成撤销", "Completed"),
    Closure.EXPIRED: ("到期终止", "Expired"),
    Closure.WITHDRAWN: ("已撤回", "Withdrawn"),
    Closure.ABSORBED: ("转入清单", "Absorbed into a list"),
}

# fmt: off
STATES = (
    State("EMERGENCY_ASKED", "应急进入待确认", "Emergency entry asked", work=("confirm_emergency",)),
    State("ACTIVE_PROVISIONAL", "先进后批", "Active before approval", work=("submit",)),
    State("SUBMITTED", "已提交", "Submitted", work=("request_correction",)),
    State("CORRECTION", "补正中", "Correction", work=("resubmit",)),
    State("LIST_CHECKED", "已对照清单", "Lists checked", work=("confirm_list_check",)),
    State("REGISTERED_ONLY", "仅登记", "Registered only"),
    State("UNDER_REVIEW", "审批中", "Under review", work=("decide",)),
    State("APPROVED", "已批准", "Approved"),
    State("AGREED", "已签协议", "Agreed"),
    State("FUNDED", "经费已落实", "Funded", work=("register_and_enter",)),
    State("ACTIVE", "已进驻", "Active"),
    State("RENEWAL_REVIEW", "续期审批中", "Renewal under review", work=("decide",)),
    State("RECTIFYING", "限期整改", "Rectifying", work=("accept_rectification", "report_rectified")),
    State("REVOCATION_PROPOSED", "拟撤销", "Revocation proposed", work=("revoke", "withdraw_proposal", "state_views")),
    State("REVOKED", "已撤销", "Revoked", ends=True),
    *(State(f"CLOSED:{code.value}", zh, en, ends=True) for code, (zh, en) in CLOSED_TITLES.items()),
)
# fmt: on

REJECTED = ("CLOSED:REJECTED", "CLOSED:REJECTED_PROHIBITED")
EXPIRED = "CLOSED:EXPIRED"
BEFORE_ACTIVE = (
    "EMERGENCY_ASKED",
    "ACTIVE_PROVISIONAL",
    "SUBMITTED",
    "CORRECTION",
    "LIST_CHECKED",
    "REGISTERED_ONLY",
    "UNDER_REVIEW",
    "APPROVED",
    "AGREED",
    "FUNDED",
)
SIGNABLE = ("AGREED", "FUNDED", *IN_FORCE)
"""Positions in which a community that was in mediation may still come to terms."""
PAYABLE = ("AGREED", "FUNDED", *IN_FORCE)
ENDED = tuple(state.name for state in STATES if state.ends)
OPEN = tuple(state.name for state in STATES if not state.ends)
AFTER_ENTRY = (
    *IN_FORCE,
    "REVOKED",
    *(name for name in ENDED if name in (EXPIRED, "CLOSED:COMPLETED", "CLOSED:ABSORBED")),
)
"""Positions in which an inspection may open or end: it is concluded also when the permit ends before."""


# --- clocks (policy-packs §9) ------------------------------------------------------------------------------


def _office(case: Case[Admission], ref: str) -> str:
    return case.data.county


def _group(case: Case[Admission], ref: str) -> str:
    return case.community


def _approver(case: Case[Admission], ref: str) -> str:
    return case.data.county if case.data.office_approves else case.community


def _applicant(case: Case[Admission], ref: str) -> str:
    return case.data.applicant_org


def _community(case: Case[Admission], ref: str) -> str:
    return ref


# fmt: off
WINDOW = ClockKind.WINDOW

CLOCKS = (
    ClockRule("COMPLETENESS", "admission.completeness", "材料审核", "Completeness", _office, _group),
    ClockRule("APPLICANT", "clock.admission.applicant", "补正", "Correction", _applicant, _group),
    ClockRule("REVIEW", "admission.review", "审批", "Review", _approver, _group),
    ClockRule("OPINION", "clock.admission.opinion", "提出意见", "Opinion", _community, _office, WINDOW),
    ClockRule("RECONSIDER", "clock.admission.reconsider", "申请复议期", "Reconsideration", _applicant, _group, WINDOW, outlives=True),
    ClockRule("AGREE", "clock.admission.agree", "签订协议", "Agreement", _applicant, _office),
    ClockRule("MEDIATE", "clock.admission.mediate", "协调条款", "Mediation", _applicant, _office),
    ClockRule("FUND", "clock.admission.fund", "经费落实", "Funding", _applicant, _office),
    ClockRule("INSTALMENT", "admission.instalment", "拨付", "Instalment", _applicant, _office),
    ClockRule("SUSPEND_RIGHT", "clock.admission.suspend_right", "可暂停履行前的等待期", "Wait before performance may stop", _applicant, _office, WINDOW),
    ClockRule("TERM", "admission.term", "进驻期限", "Term", _applicant, _office, WINDOW),
    ClockRule("EXPIRY", "admission.expiry.remind", "到期提醒", "Reminder before the end", _applicant, _office, WINDOW),
    ClockRule("RECTIFY", "admission.rectify", "整改", "Rectification", _applicant, _office),
    ClockRule("STATEMENT", "clock.admission.statement", "陈述申辩期", "Statement", _applicant, _office, WINDOW),
    ClockRule("HAND_OVER", "clock.admission.hand_over", "移交", "Hand-over", _applicant, _office, outlives=True),
    ClockRule("SETTLE", "clock.admission.settle", "结清", "Settlement", _applicant, _office),
    ClockRule("LATE_FILE", "clock.admission.late_file", "应急补报", "Filing after emergency entry", _applicant, _office),
)

# --- arrows ------------------------------------------------------------------------------------------------

APPLICATION = (
    arrows("", do.Submit, ("SUBMITTED", "EMERGENCY_ASKED"), by=who.OPENER, rule=filing.submit, clause="004 §二(三)2"),
    arrows("EMERGENCY_ASKED", do.ConfirmEmergency, ("ACTIVE_PROVISIONAL", "CLOSED:REJECTED"), by=who.DECIDERS, rule=filing.confirm_emergency, may=who.may_approve, clause="practice R11"),
    arrows("ACTIVE_PROVISIONAL", do.Submit, "SUBMITTED", by=who.APPLICANT, rule=filing.submit, clause="practice R11"),
    arrows("ACTIVE_PROVISIONAL", Moment("DUE", "LATE_FILE"), "CLOSED:LAPSED", by=who.SYSTEM, rule=filing.not_filed),
    arrows("SUBMITTED", do.RequestCorrection, "CORRECTION", by=who.OFFICE, rule=filing.request_correction, starts=("APPLICANT",)),
    arrows("CORRECTION", do.Resubmit, "SUBMITTED", by=who.APPLICANT, rule=filing.resubmit, meets=("APPLICANT",)),
    arrows("CORRECTION", Moment("DUE", "APPLICANT"), "CLOSED:LAPSED", by=who.SYSTEM, rule=filing.not_corrected),
    arrows(BEFORE_ACTIVE, do.Withdraw, "CLOSED:WITHDRAWN", by=who.APPLICANT, rule=filing.withdraw),
)

CHECK = (
    arrows("SUBMITTED", do.RunListCheck, "LIST_CHECKED", by=who.OFFICE, rule=checking.run_list_check, clause="004 §二(三)2"),
    arrows("SUBMITTED", do.CheckConditions, ("UNDER_REVIEW", "CLOSED:REJECTED"), by=who.OFFICE, rule=checking.check_conditions, clause="000 §三(三)1"),
    arrows("LIST_CHECKED", do.ConfirmListCheck, ("UNDER_REVIEW", "REGISTERED_ONLY", "CLOSED:NOT_REQUIRED", "CLOSED:REJECTED_PROHIBITED"), by=who.OFFICE, rule=checking.confirm_list_check, clause="004 §二(三)1,2"),
    arrows("REGISTERED_ONLY", Moment("ENDED", "TERM"), "CLOSED:COMPLETED", by=who.SYSTEM, rule=checking.planned_end),
    arrows("UNDER_REVIEW", do.GiveOpinion, by=(who.WITHOUT_WORD, who.SECRETARY, who.FINANCE), rule=checking.give_opinion),
)

DECISION = (
    arrows("UNDER_REVIEW", do.Decide, ("APPROVED", "CLOSED:REJECTED"), by=who.DECIDERS, rule=deciding.decide, may=who.may_approve, clause="004 §二(三)2; 000 §三(三)1"),
    arrows("RENEWAL_REVIEW", do.Decide, "ACTIVE", by=who.DECIDERS, rule=deciding.decide_renewal, may=who.may_approve),
    arrows(("UNDER_REVIEW", "RENEWAL_REVIEW"), Moment("DUE", "REVIEW"), by=who.SYSTEM, rule=deciding.review_overdue),
    arrows(REJECTED, do.Reconsider, "UNDER_REVIEW", by=who.APPLICANT, rule=deciding.reconsider, may=deciding.may_reconsider),
)

ENTRY = (
    arrows("APPROVED", do.SignAgreement, "AGREED", by=(who.APPLICANT_UNSIGNED, who.MAYBE_APPLICANT, who.UNSIGNED, who.SECRETARY), rule=entering.sign_agreement, clause="004 §二(三)2"),
    arrows(SIGNABLE, do.SignAgreement, by=(who.APPLICANT_UNSIGNED, who.MAYBE_APPLICANT, who.UNSIGNED, who.SECRETARY), rule=entering.sign_agreement, clause="004 §二(三)2"),
    arrows("APPROVED", do.RefuseTerms, "AGREED", by=(who.UNSIGNED, who.SECRETARY), rule=entering.refuse_terms),
    arrows(("AGREED", "FUNDED"), do.RefuseTerms, by=(who.UNSIGNED, who.SECRETARY), rule=entering.refuse_terms),
    arrows("APPROVED", do.AmendPermit, "AGREED", by=who.OFFICE, rule=entering.amend_permit),
    arrows(SIGNABLE, do.AmendPermit, by=who.OFFICE, rule=entering.amend_permit),
    arrows(("APPROVED", "AGREED"), do.ConfirmFunding, "FUNDED", by=(who.APPLICANT, who.OFFICE), rule=entering.confirm_funding, clause="000 §三(三)1"),
    arrows("FUNDED", do.RegisterAndEnter, "ACTIVE", by=who.OFFICE, rule=entering.register_and_enter, clause="000 §三(三)1; 004 §二(三)2"),
)

LIFE = (
    arrows(IN_FORCE, Moment("DUE", "INSTALMENT"), by=who.SYSTEM, rule=living.instalment_due),
    arrows(PAYABLE, do.RecordPayment, by=(who.APPLICANT, who.OFFICE, who.INTEGRATION), rule=living.record_payment, clause="000 §三(三)1"),
    arrows(IN_FORCE, do.SuspendPerformance, by=who.SECRETARY, rule=living.suspend_performance, may=living.may_suspend),
    arrows(("ACTIVE", "RENEWAL_REVIEW", "REGISTERED_ONLY", "ACTIVE_PROVISIONAL"), do.ReportBreach, by=(who.SECRETARY, who.WORKER, who.OFFICE), rule=living.report_breach),
    arrows("ACTIVE", do.ReportCompletion, by=who.APPLICANT, rule=living.report_completion, clause="004 §二(三)2"),
    arrows("REGISTERED_ONLY", do.ReportCompletion, "CLOSED:COMPLETED", by=who.APPLICANT, rule=living.report_completion),
    arrows("ACTIVE", do.ConfirmCompletion, "CLOSED:COMPLETED", by=(who.UNCONFIRMED, who.SECRETARY, who.OFFICE), rule=living.confirm_completion, may=living.may_confirm, clause="004 §二(三)2"),
    arrows("ACTIVE", do.ApplyRenewal, "RENEWAL_REVIEW", by=who.APPLICANT, rule=living.apply_renewal, may=living.may_renew),
    arrows("RENEWAL_REVIEW", do.GrantInterim, by=who.OFFICE, rule=living.grant_interim),
    arrows(IN_FORCE, Moment("ENDED", "EXPIRY"), by=who.SYSTEM, rule=living.expiring),
    arrows(IN_FORCE, Moment("ENDED", "TERM"), EXPIRED, by=who.SYSTEM, rule=living.expired),
    arrows("ACTIVE", do.TransferToList, "CLOSED:ABSORBED", by=who.OFFICE, rule=living.transfer_to_list, clause="004 §二(三)1"),
    arrows(AFTER_ENTRY, do.InspectionOpened, by=who.SYSTEM, rule=living.inspection_opened, clause="000 §三(三)1"),
    arrows(("ACTIVE", "RENEWAL_REVIEW"), do.InspectionConcluded, "RECTIFYING", by=who.SYSTEM, rule=living.inspection_concluded, clause="000 §三(三)1"),
    arrows(tuple(name for name in AFTER_ENTRY if name not in ("ACTIVE", "RENEWAL_REVIEW")), do.InspectionConcluded, by=who.SYSTEM, rule=living.inspection_concluded),
    arrows((*OPEN, *ENDED), do.SupervisionOpened, by=who.SYSTEM, rule=living.supervision_opened),
    arrows((*OPEN, *ENDED), do.SupervisionDelisted, by=who.SYSTEM, rule=living.supervision_delisted),
)

REVOCATION = (
    arrows("ACTIVE", do.OrderRectification, "RECTIFYING", by=who.DECIDERS, rule=revoking.order_rectification, may=who.may_approve, clause="000 §三(三)1"),
    arrows("RECTIFYING", do.ExtendRectification, by=who.OFFICE, rule=revoking.extend_rectification, may=revoking.may_extend),
    arrows("RECTIFYING", do.ReportRectified, by=who.APPLICANT, rule=revoking.report_rectified),
    arrows("RECTIFYING", Moment("DUE", "RECTIFY"), by=who.SYSTEM, rule=revoking.rectification_due),
    arrows("RECTIFYING", do.AcceptRectification, "ACTIVE", by=who.OFFICE, rule=revoking.accept_rectification, meets=("RECTIFY",)),
    arrows("RECTIFYING", do.ProposeRevocation, "REVOCATION_PROPOSED", by=who.OFFICE, rule=revoking.propose_revocation, may=revoking.may_propose, clause="000 §三(三)1"),
    arrows("ACTIVE", do.ProposeRevocation, by=who.OFFICE, may=revoking.no_rectification, clause="000 §三(三)1"),
    arrows("ACTIVE", do.Revoke, by=who.REVOKER, may=revoking.no_rectification, clause="000 §三(三)1"),
    arrows("REVOCATION_PROPOSED", do.StateViews, by=who.APPLICANT, rule=revoking.state_views),
    arrows("REVOCATION_PROPOSED", do.Revoke, "REVOKED", by=who.REVOKER, rule=revoking.revoke, may=revoking.may_revoke, clause="000 §三(三)1"),
    arrows("REVOCATION_PROPOSED", do.WithdrawProposal, "ACTIVE", by=who.REVOKER, rule=revoking.withdraw_proposal),
    arrows(("REVOKED", EXPIRED), do.ConfirmHandOver, by=(who.STILL_HOLDING, who.SECRETARY, who.OFFICE), rule=revoking.confirm_hand_over),
)


def _signed(payload: Mapping[str, Any]) -> bool:
    """Say whether an agreement has both signatures now."""
    return any(one["state"] == "SIGNED" for one in payload["puts"]["agreements"].values())


PAPERS = (
    Paper("ADMISSION_APPLICATION", "准入申请表", "Application for admission", on=("submitted", "resubmitted")),
    Paper("CORRECTION_NOTICE", "补正通知", "Notice of correction", on=("correction_requested",)),
    Paper("ADMISSION_APPROVAL", "批准文书", "Approval", on=("approved", "permit_amended", "renewed")),
    Paper("PROJECT_AGREEMENT", "项目协议书", "Project agreement", on=("agreement_signed",), when=_signed),
    Paper("ADMISSION_REGISTRATION", "登记备案", "Registration", on=("registered", "registered_only")),
    Paper("RECTIFICATION_ORDER", "限期整改通知书", "Order to rectify", on=("rectification_ordered", "rectification_extended")),
    Paper("REVOCATION_DECISION", "撤销决定书", "Decision to revoke", on=("revoked",)),
)
# fmt: on

OWED = {
    "OPINION": "give_opinion",
    "AGREE": "sign_agreement",
    "MEDIATE": "amend_permit",
    "FUND": "confirm_funding",
    "SETTLE": "confirm_completion",
    "HAND_OVER": "confirm_hand_over",
}
"""Commands owed while a clock of this code lives."""


def work(case: Case[Admission]) -> tuple[str, ...]:
    """What is owed besides the work of the position."""
    owed = [name for code, name in OWED.items() if case.clock(code) is not None]
    if case.state == "SUBMITTED":
        owed.append("check_conditions" if case.data.variant == "UNIT" else "run_list_check")
    if case.state == "ACTIVE" and case.data.breach_reported:
        owed.append("order_rectification")
    if case.data.funding_overdue:
        owed.append("record_payment")
    rectify = case.clock("RECTIFY")
    if rectify is not None and rectify.state == "BREACHED":
        owed.append("propose_revocation")
    return tuple(owed)


def facets(case: Case[Admission]) -> Mapping[str, Any]:
    """The columns that lists filter by; the communities know of what concerns them."""
    data = case.data
    return {
        "lead_org": data.applicant_org or None,
        "orgs": [data.applicant_org] if data.applicant_org else [],
        "places": list(data.concerned),
        "submitted_by": data.submitted_by or None,
        "closure_code": data.closure_code.value if data.closure_code else None,
    }


ADMISSION: Process[Admission] = Process(
    name="admission",
    plural="admissions",
    zh="准入",
    en="Admission",
    states=STATES,
    arrows=(
        *(arrow for group in (APPLICATION, CHECK, DECISION, ENTRY, LIFE, REVOCATION) for row in group for arrow in row),
        *upkeep(STATES),
    ),
    clocks=CLOCKS,
    data=Admission,
    place=filing.place,
    facets=facets,
    work=work,
    needs={
        do.Submit: ("bans",),
        do.ConfirmListCheck: ("bans",),
        do.RunListCheck: ("lists_in_force",),
        do.TransferToList: ("lists_in_force",),
    },
    papers=PAPERS,
    wide=True,
)
