"""P5, formation and appointment of a committee 组建与聘任 (FormationWorkflow): states, clocks, arrows (pure).

Read the table beside processes.md P5. The rules stand in one file a step: `call`, `selection`, `appointment`; the
composition of a committee (I1 to I13) in `checks`. Seed 001 §三1-3.
"""

from collections.abc import Mapping
from typing import Any

from workflows.formation import appointment, call, selection
from workflows.formation import commands as do
from workflows.formation import people as who
from workflows.formation.data import Formation, Standing, standing
from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Case, Moment, Paper, Process, State, arrows
from workflows.kernel.upkeep import upkeep

STATES = (
    State("PREPARING", "筹备", "Preparing", work=("publish_call",)),
    State("ANNOUNCED", "征集中", "Announced"),
    State(
        "SHORTLISTING",
        "提出初步人选",
        "Shortlisting",
        work=("verify_candidate", "propose_shortlist", "party_meeting_decide"),
    ),
    State("STREET_REVIEW", "街道审批备案", "Street review", work=("approve_and_file", "return_list")),
    State("PUBLIC_NOTICE", "公示中", "Public notice"),
    State("APPOINTING", "聘任中", "Appointing", work=("issue_certificate",)),
    State("APPOINTED", "已聘任", "Appointed", ends=True),
    State("ABORTED", "已终止", "Aborted", ends=True),
)
OPEN = tuple(state.name for state in STATES if not state.ends)
BEFORE_STREET = ("PREPARING", "ANNOUNCED", "SHORTLISTING")
AFTER_NOTICE = ("SHORTLISTING", "STREET_REVIEW", "PUBLIC_NOTICE", "APPOINTING")
"""Positions in which candidates of an earlier round may be on notice, objected to, cleared and appointed."""
ENDED = ("APPOINTED", "ABORTED")

# fmt: off
CLOCKS = (
    ClockRule("CALL", "formation.call", "征集期", "Call", who.community, who.subdistrict, ClockKind.WINDOW),
    ClockRule("SHORTLIST", "clock.formation.shortlist", "确定人选", "Shortlist", who.community, who.subdistrict),
    ClockRule("STREET", "formation.street_due", "街道审批备案", "Street approval", who.subdistrict, who.county),
    ClockRule("INVESTIGATE", "clock.formation.investigate", "异议调查", "Investigation", who.community, who.subdistrict),
    ClockRule("APPOINT", "clock.formation.appoint", "聘任", "Appointment", who.community, who.subdistrict),
)

CALL = (
    arrows("", do.StartFormation, ("PREPARING", "SHORTLISTING"), by=(who.SECRETARY, who.SYSTEM), rule=call.start, event="started", clause="001 §三1"),
    arrows("PREPARING", do.PublishCall, "ANNOUNCED", by=who.SECRETARY, rule=call.publish_call, starts=("CALL",), event="call_published", clause="001 §三3"),
    arrows("ANNOUNCED", do.Nominate, by=who.NOMINATORS, rule=call.nominate, event="nominated", clause="001 §三3"),
    arrows(("ANNOUNCED", "SHORTLISTING"), do.GiveConsent, by=(who.CANDIDATE, who.WORKER, who.SECRETARY), rule=call.give_consent, event="consent_given"),
    arrows("ANNOUNCED", Moment("ENDED", "CALL"), "SHORTLISTING", by=who.SYSTEM, rule=call.call_over),
    arrows("SHORTLISTING", do.ExtendCall, "ANNOUNCED", by=who.SECRETARY, rule=call.extend_call, may=call.may_extend, cancels=("SHORTLIST",), starts=("CALL",), event="call_extended"),
    arrows(BEFORE_STREET, do.ShareVacancy, by=who.SYSTEM, rule=call.share_vacancy, clause="001 §三4"),
    arrows(("STREET_REVIEW", "PUBLIC_NOTICE", "APPOINTING", *ENDED), do.ShareVacancy, by=who.SYSTEM, rule=call.share_too_late),
)

SELECT = (
    arrows("SHORTLISTING", do.VerifyCandidate, by=who.WORKER, rule=selection.verify, event="candidate_verified"),
    arrows("SHORTLISTING", do.ProposeShortlist, by=who.WORKER, rule=selection.propose_shortlist, event="shortlist_proposed", clause="001 §三3"),
    arrows("SHORTLISTING", do.PartyMeetingDecide, "STREET_REVIEW", by=who.SECRETARY, rule=selection.decide, meets=("SHORTLIST",), starts=("STREET",), event="party_decided", clause="001 §三3"),
    arrows("STREET_REVIEW", do.ApproveAndFile, "PUBLIC_NOTICE", by=who.STREET_PARTY, rule=selection.approve, meets=("STREET",), event="approved_and_filed", clause="001 §三3"),
    arrows("STREET_REVIEW", do.ReturnList, "SHORTLISTING", by=who.STREET_PARTY, rule=selection.return_list, meets=("STREET",), starts=("SHORTLIST",), event="list_returned"),
    arrows("PUBLIC_NOTICE", do.ReturnList, "SHORTLISTING", by=who.STREET_PARTY, rule=selection.return_list, may=appointment.all_dropped, starts=("SHORTLIST",), event="list_returned"),
)

APPOINT = (
    arrows(AFTER_NOTICE, do.ObjectTo, by=who.OBJECTORS, rule=appointment.object_to, event="objected", clause="001 §三3"),
    arrows("PUBLIC_NOTICE", do.ResolveObjection, ("APPOINTING", "APPOINTED"), by=who.INVESTIGATORS, rule=appointment.resolve, event="objection_resolved"),
    arrows("APPOINTING", do.ResolveObjection, "APPOINTED", by=who.INVESTIGATORS, rule=appointment.resolve, event="objection_resolved"),
    arrows(("SHORTLISTING", "STREET_REVIEW"), do.ResolveObjection, by=who.INVESTIGATORS, rule=appointment.resolve, event="objection_resolved"),
    arrows(("PUBLIC_NOTICE", "APPOINTING"), do.Supplement, "SHORTLISTING", by=who.SECRETARY, rule=appointment.supplement, may=appointment.may_supplement, starts=("SHORTLIST",), event="supplement_asked"),
    arrows("SHORTLISTING", do.ContinueWithout, ("APPOINTING", "APPOINTED"), by=who.SECRETARY, rule=appointment.continue_without, cancels=("SHORTLIST",), event="continued_without"),
    arrows(("PUBLIC_NOTICE", "APPOINTING"), do.ContinueWithout, "APPOINTED", by=who.SECRETARY, rule=appointment.continue_without, may=appointment.may_supplement, event="continued_without"),
    arrows("PUBLIC_NOTICE", do.IssueCertificate, ("APPOINTING", "APPOINTED"), by=who.SECRETARY, rule=appointment.issue, event="certificate_issued", clause="001 §三3"),
    arrows("APPOINTING", do.IssueCertificate, "APPOINTED", by=who.SECRETARY, rule=appointment.issue, event="certificate_issued", clause="001 §三3"),
    arrows(("SHORTLISTING", "STREET_REVIEW"), do.IssueCertificate, by=who.SECRETARY, rule=appointment.issue, event="certificate_issued"),
    arrows("APPOINTING", do.RecordDeclined, "APPOINTED", by=who.SECRETARY, rule=appointment.record_declined, event="declined"),
    arrows(("SHORTLISTING", "STREET_REVIEW", "PUBLIC_NOTICE"), do.RecordDeclined, by=who.SECRETARY, rule=appointment.record_declined, event="declined"),
    arrows(OPEN, do.Abort, "ABORTED", by=who.STREET_PARTY, rule=appointment.abort, event="aborted"),
)

TOLD = (
    arrows("PUBLIC_NOTICE", do.NoticeEnded, ("APPOINTING", "APPOINTED"), by=who.SYSTEM, rule=appointment.notice_ended, clause="001 §三3"),
    arrows("APPOINTING", do.NoticeEnded, "APPOINTED", by=who.SYSTEM, rule=appointment.notice_ended),
    arrows(("SHORTLISTING", "STREET_REVIEW"), do.NoticeEnded, by=who.SYSTEM, rule=appointment.notice_ended),
    arrows(AFTER_NOTICE, do.NoticeInterrupted, by=who.SYSTEM, rule=appointment.notice_interrupted),
    arrows(AFTER_NOTICE, do.NoticeReposted, by=who.SYSTEM, rule=appointment.notice_reposted),
    arrows(AFTER_NOTICE, do.ObjectionRaised, by=who.SYSTEM, rule=appointment.objection_raised),
    arrows("PUBLIC_NOTICE", do.ObjectionResolved, ("APPOINTING", "APPOINTED"), by=who.SYSTEM, rule=appointment.objection_resolved),
    arrows("APPOINTING", do.ObjectionResolved, "APPOINTED", by=who.SYSTEM, rule=appointment.objection_resolved),
    arrows(("SHORTLISTING", "STREET_REVIEW"), do.ObjectionResolved, by=who.SYSTEM, rule=appointment.objection_resolved),
    arrows("PUBLIC_NOTICE", do.SecretaryKnown, ("APPOINTING", "APPOINTED"), by=who.SYSTEM, rule=appointment.secretary_known, clause="001 §三2"),
    arrows("APPOINTING", do.SecretaryKnown, "APPOINTED", by=who.SYSTEM, rule=appointment.secretary_known),
    arrows((*BEFORE_STREET, "STREET_REVIEW"), do.SecretaryKnown, by=who.SYSTEM, rule=appointment.secretary_known),
    *(arrows(ENDED, told, by=who.SYSTEM, event="told_too_late") for told in (do.NoticeEnded, do.NoticeInterrupted, do.NoticeReposted, do.ObjectionRaised, do.ObjectionResolved, do.SecretaryKnown)),
)

PAPERS = (
    Paper("CALL_FOR_NOMINATIONS", "征集公告", "Call for nominations", on=("call_published", "call_extended"), public=True),
    Paper("NOMINATION_FORM", "推荐表", "Nomination form", on=("nominated",)),
    Paper("APPROVAL_FORM", "审批备案表", "Form of approval and filing", on=("party_decided", "approved_and_filed")),
    Paper("APPOINTMENT_CERTIFICATE", "聘书", "Certificate of appointment", on=("certificate_issued",)),
)
# fmt: on


def work(case: Case[Formation]) -> tuple[str, ...]:
    """Objections to look into, and certificates of those who are cleared while others still go their way."""
    owed: tuple[str, ...] = ()
    if any(not one.outcome and one.objector for one in case.data.objections.values()):
        owed += ("resolve_objection",)
    if case.position != "APPOINTING" and standing(case.data, Standing.CLEARED):
        owed += ("issue_certificate",)
    return owed


def facets(case: Case[Formation]) -> Mapping[str, Any]:
    """The columns that lists filter by."""
    return {"category_code": case.data.kind.value}


FORMATION: Process[Formation] = Process(
    name="formation",
    plural="formations",
    zh="社工委组建",
    en="Formation of a committee",
    states=STATES,
    arrows=(*(arrow for part in (CALL, SELECT, APPOINT, TOLD) for row in part for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Formation,
    place=lambda command, facts: str(command.community_code),
    facets=facets,
    work=work,
    needs={
        do.StartFormation: ("committee",),
        do.VerifyCandidate: ("eligibility",),
        do.ProposeShortlist: ("committee",),
        do.PartyMeetingDecide: ("committee", "party_meeting"),
        do.ReturnList: ("committee",),
        do.IssueCertificate: ("committee",),
    },
    papers=PAPERS,
)
