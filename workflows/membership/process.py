"""P6, exit, dismissal and replacement 退出、解聘、增补 (MembershipChangeWorkflow): states, clocks, arrows (pure).

Read the table beside processes.md P6. A case is one change of one member; its state is the member's. The seat that
he leaves goes through the phases VACANCY, FILLING, FILLED. Seed 001 §三4.
"""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Cadence, Case, Paper, Process, State, arrows
from workflows.kernel.upkeep import upkeep
from workflows.membership import commands as do
from workflows.membership import leaving, office, opening, vacancy
from workflows.membership import people as who
from workflows.membership.data import Membership

LEFT = {"EXITED": ("已退出", "Exited"), "DISMISSED": ("已解聘", "Dismissed"), "TERM_ENDED": ("任期届满", "Term ended")}
STATES = (
    State("EXIT_REQUESTED", "申请退出", "Exit requested", work=("approve_exit", "decline_exit")),
    State("DISMISSAL_REVIEW", "解聘审议", "Dismissal under review", work=("state_views", "decide")),
    State("TERM_ENDED", "任期届满", "Term ended"),
    State("EX_OFFICIO_ENDED", "主任缺位", "Chair vacant", work=("secretary_changed",)),
    State("EX_OFFICIO_ENDED:SUCCEEDED", "新任主任已到任", "Succeeded", ends=True),
    State("ACTING", "代理主任", "Acting chair"),
    *(
        State(f"{state}:{phase}", f"{zh}，{title}", f"{en}, {title_en}", work=work, ends=phase == "FILLED")
        for state, (zh, en) in LEFT.items()
        for phase, title, title_en, work in (
            ("VACANCY", "空缺", "vacant", ("start_replacement",)),
            ("FILLING", "增补中", "being filled", ()),
            ("FILLED", "已增补", "filled", ()),
        )
    ),
    State("ACTIVE:DECLINED", "不同意退出", "Exit declined", ends=True),
    State("ACTIVE:WITHDRAWN", "撤回申请", "Request withdrawn", ends=True),
    State("ACTIVE:WARNED", "警告", "Warned", ends=True),
    State("ACTIVE:RETAINED", "留任", "Retained", ends=True),
    State("ACTIVE:REAPPOINTED", "续聘", "Appointed again", ends=True),
    State("ACTIVE:RETURNED", "代理结束", "No longer acting", ends=True),
    State("ACTIVE:REVIEW_SUGGESTED", "建议了解情况", "Review suggested", ends=True),
)
VACANT = tuple(f"{state}:VACANCY" for state in LEFT)
FILLING = tuple(f"{state}:FILLING" for state in LEFT)
DISMISSED = tuple(f"DISMISSED:{phase}" for phase in ("VACANCY", "FILLING", "FILLED"))
ENDED = tuple(state.name for state in STATES if state.ends)

# fmt: off
CLOCKS = (
    ClockRule("DECIDE", "clock.membership.decide", "退出审批", "Decision on the exit", who.community, who.subdistrict),
    ClockRule("STATEMENT", "clock.membership.statement", "陈述申辩", "Statement", who.community, who.subdistrict, ClockKind.WINDOW),
    ClockRule("DECIDE_DISMISSAL", "clock.membership.decide_dismissal", "解聘决定", "Decision on the dismissal", who.community, who.subdistrict),
    ClockRule("FILE", "clock.membership.file", "解聘备案", "Filing of the dismissal", who.community, who.subdistrict, outlives=True),
    ClockRule("FILL", "vacancy.fill", "增补", "Filling of the vacancy", who.community, who.subdistrict),
    ClockRule("ACTING_MAX", "clock.membership.acting_max", "代理主任期限", "Acting chair", who.community, who.subdistrict),
    ClockRule("REAPPOINT", "clock.membership.reappoint", "换届聘任", "Re-appointment", who.community, who.subdistrict),
)

ARROWS = (
    arrows("", do.OpenMembership, ("EXIT_REQUESTED", "DISMISSAL_REVIEW", "TERM_ENDED", "EX_OFFICIO_ENDED", "EX_OFFICIO_ENDED:SUCCEEDED", "ACTING", "ACTIVE:REVIEW_SUGGESTED"), by=who.OPENERS, rule=opening.open_case, clause="001 §三4"),
    arrows("EXIT_REQUESTED", do.ApproveExit, "EXITED:VACANCY", by=who.SECRETARY, rule=leaving.approve_exit, meets=("DECIDE",), event="exit_approved", clause="001 §三4"),
    arrows("EXIT_REQUESTED", do.DeclineExit, "ACTIVE:DECLINED", by=who.SECRETARY, rule=leaving.decline_exit, meets=("DECIDE",), event="exit_declined"),
    arrows("EXIT_REQUESTED", do.WithdrawRequest, "ACTIVE:WITHDRAWN", by=who.REQUESTER, cancels=("DECIDE",), event="request_withdrawn"),
    arrows("DISMISSAL_REVIEW", do.SuspendDuty, by=who.SECRETARY, rule=leaving.suspend_duty, event="duty_suspended"),
    arrows("DISMISSAL_REVIEW", do.StateViews, by=who.MEMBER, rule=leaving.state_views, meets=("STATEMENT",), event="views_stated"),
    arrows("DISMISSAL_REVIEW", do.DecideDismissal, ("DISMISSED:VACANCY", "ACTIVE:WARNED", "ACTIVE:RETAINED"), by=who.SECRETARY, rule=leaving.decide, may=leaving.may_decide, meets=("DECIDE_DISMISSAL",), cancels=("STATEMENT",), event="decided", clause="001 §三4"),
    arrows(DISMISSED, do.FileWithStreet, by=who.SECRETARY, rule=leaving.file_with_street, meets=("FILE",), event="filed"),
    *(arrows(f"{state}:VACANCY", do.StartReplacement, f"{state}:FILLING", by=who.SECRETARY, rule=vacancy.start_replacement, event="replacement_started", clause="001 §三4") for state in LEFT),
    *(arrows(f"{state}:FILLING", do.FormationAppointed, (f"{state}:FILLED", f"{state}:VACANCY"), by=who.SYSTEM, rule=vacancy.formation_appointed) for state in LEFT),
    *(arrows(f"{state}:FILLING", do.FormationAborted, f"{state}:VACANCY", by=who.SYSTEM, rule=vacancy.formation_aborted) for state in LEFT),
    arrows("TERM_ENDED", do.FormationAppointed, ("ACTIVE:REAPPOINTED", "TERM_ENDED:VACANCY"), by=who.SYSTEM, rule=vacancy.term_decided),
    arrows("TERM_ENDED", do.FormationAborted, by=who.SYSTEM),
    arrows("EX_OFFICIO_ENDED", do.SecretaryChanged, "EX_OFFICIO_ENDED:SUCCEEDED", by=(who.STREET_PARTY, who.INTEGRATION), rule=office.secretary_changed, event="secretary_changed", clause="001 §三2"),
    arrows("EX_OFFICIO_ENDED", do.ChairSeated, "EX_OFFICIO_ENDED:SUCCEEDED", by=who.SYSTEM, rule=office.chair_seated),
    arrows("ACTING", do.ChairSeated, "ACTIVE:RETURNED", by=who.SYSTEM, rule=office.acting_over, meets=("ACTING_MAX",), clause="001 §三2"),
    arrows(ENDED, do.ChairSeated, by=who.SYSTEM, event="told_too_late"),
)

PAPERS = (
    Paper("DISMISSAL_NOTICE", "解聘通知", "Notice of dismissal", on=("dismissed",)),
    Paper("APPOINTMENT_CERTIFICATE", "聘书", "Certificate of appointment", on=("secretary_changed",)),
)
# fmt: on


def facets(case: Case[Membership]) -> Mapping[str, Any]:
    """The columns that lists filter by; the member knows of his own case."""
    data = case.data
    people = [one for one in dict.fromkeys((data.member, data.requested_by)) if one and not one.startswith("contact:")]
    return {"category_code": data.kind.value, "people": people}


MEMBERSHIP: Process[Membership] = Process(
    name="membership",
    plural="memberships",
    zh="委员变动",
    en="Change of membership",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Membership,
    place=lambda command, facts: str(command.community_code),
    facets=facets,
    needs={
        do.OpenMembership: ("committee", "membership"),
        do.ApproveExit: ("committee",),
        do.DecideDismissal: ("committee", "party_meeting"),
        do.StartReplacement: ("committee",),
        do.SecretaryChanged: ("committee",),
    },
    papers=PAPERS,
    cadences=(
        Cadence(code="terms", every="MONTH", level="SUBDISTRICT", question="terms_ended", command="open_membership"),
        Cadence(
            code="absences",
            every="MONTH",
            level="SUBDISTRICT",
            question="absences_to_review",
            command="open_membership",
        ),
    ),
)
