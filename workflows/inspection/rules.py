"""Rules of the yearly inspection (年度检查评估): report, upward assessment, check on the spot, conclusion (pure)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from workflows.inspection import commands as do
from workflows.inspection.data import Ballot, BallotState, Finding, Inspection, Outcome, SelfReport, SiteCheck
from workflows.inspection.indicators import check_indicators
from workflows.kernel.calendar import CHINA, Duration, Unit
from workflows.kernel.clocks import Clock, Meet, Start
from workflows.kernel.periods import period_of
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn, ask
from workflows.kernel.roles import Role

YEARLY = "000 §三(三)1"
UPWARD = "000 §三(三)2"


def open_inspection(case: Case[Inspection], cmd: do.OpenInspection, turn: Turn) -> Change:
    """年检开始: the applicant reports within its time, the office concludes by the end of the year."""
    found = _permit(cmd, turn)
    for other in found.get("inspections", ()):
        if other["period"] == found["period"]:
            raise GuardFailed("ALREADY_INSPECTED", field="permit", clause=YEARLY, inspection=other["id"])
    end = _day_of_year(found["year"], turn.policy.text("admission.inspection.conclude"))
    return Change(
        to="SELF_REPORT",
        title=found["permit_no"],
        level="L4",
        sets={
            **{name: found[name] for name in ("permit_no", "variant", "applicant_org", "year", "period")},
            "permit": cmd.permit,
            "communities": tuple(found["communities"]),
            "opened_by": turn.actor.id,
        },
        clocks=(
            Start(code="SELF_REPORT"),
            Start(
                code="INSPECT",
                parameter="admission.inspection.conclude",
                duration=Duration(0, Unit.DATE, on=max(end, turn.now.astimezone(CHINA).date())),
            ),
        ),
        effects=(_tell(cmd.permit, "inspection_opened", turn, inspection=case.id, year=found["year"]),),
        notices=(Notice(found["applicant_org"], "inspection_opened", "SELF_REPORT"),),
    )


def _permit(cmd: do.OpenInspection, turn: Turn) -> Mapping[str, Any]:
    """What is inspected: the calendar says all of it; the office names the permit, and the question knows it."""
    names = ("permit_no", "variant", "applicant_org", "communities", "year", "period")
    if turn.grant.role == Role.SYSTEM:
        return {name: getattr(cmd, name) for name in names}
    found = turn.facts["permit_of"]
    if not found["in_force"]:
        raise GuardFailed("PERMIT_NOT_IN_FORCE", field="permit", clause=YEARLY)
    year = turn.now.astimezone(CHINA).year
    return {**found, "year": year, "period": period_of(turn.now, "YEAR", turn.policy.scale)}


def submit_self_report(case: Case[Inspection], cmd: do.SubmitSelfReport, turn: Turn) -> Change:
    """自查报告; one that comes late stays a finding."""
    if case.data.self_report is not None:
        raise GuardFailed("SELF_REPORTED_ALREADY", clause=YEARLY)
    report = SelfReport(staff=cmd.staff, funds=cmd.funds, results=cmd.results, by=turn.actor.id, at=turn.now)
    return Change(
        to="ASSESSING", type="self_reported", sets={"self_report": report}, clocks=(Meet(code="SELF_REPORT"),)
    )


def self_report_due(case: Case[Inspection], clock: Clock, turn: Turn) -> Change:
    """No report in time is itself a finding; the assessment goes on without it."""
    return Change(
        type="self_report_missing",
        to="ASSESSING",
        sets={"findings": (*case.data.findings, Finding.NO_SELF_REPORT)},
        notices=(Notice(case.community, "inspection_no_self_report", "SELF_REPORT"),),
    )


# --- upward assessment (下评上) -----------------------------------------------------------------------------


def may_open_ballot(case: Case[Inspection], turn: Turn) -> None:
    """One ballot at a time, and one result."""
    if case.data.ballot is not None and case.data.ballot.state is not BallotState.INVALID:
        raise GuardFailed("BALLOT_EXISTS", clause=UPWARD)


def open_ballot(case: Case[Inspection], cmd: do.OpenBallot, turn: Turn) -> Change:
    """The communities' panel may answer; nobody is asked for what he may not be assessed by."""
    check_indicators(cmd.indicators, turn.facts)
    before = case.data.ballot.round if case.data.ballot else 0
    ballot = Ballot(round=before + 1, panel=cmd.panel, state=BallotState.COLLECTING)
    return Change(
        type="ballot_opened",
        sets={"ballot": ballot},
        clocks=(Start(code="COLLECT"),),
        notices=tuple(Notice(code, "ballot_opened", "COLLECT") for code in case.data.communities),
        notes={"indicators": [one.kind.value for one in cmd.indicators]} if cmd.indicators else {},
    )


def collected(case: Case[Inspection], clock: Clock, turn: Turn) -> Change:
    """The time to answer is over: count."""
    assert case.data.ballot is not None
    return Change(
        type="ballot_closed", effects=(ask(case, "ballot_tally", "tally_ballot", round=case.data.ballot.round),)
    )


def tally_ballot(case: Case[Inspection], cmd: do.TallyBallot, turn: Turn) -> Change:
    """A result with enough valid answers; with too few once longer, then none (S55)."""
    ballot = case.data.ballot
    assert ballot is not None
    if ballot.state is not BallotState.COLLECTING or case.clock("COLLECT") is not None:
        return Change(type="tally_repeated")
    if not _enough(cmd.valid, ballot.panel, turn):
        return _too_few(ballot, turn)
    smallest = turn.policy.number("assessment.min_cell")
    counted = Ballot(
        round=ballot.round,
        panel=ballot.panel,
        state=BallotState.TALLIED,
        extended=ballot.extended,
        valid=cmd.valid,
        satisfied=cmd.satisfied,
        cells={rating: count if count >= smallest else None for rating, count in cmd.cells.items()},
    )
    return _then(case, Change(type="ballot_tallied", sets={"ballot": counted}), ballot=counted)


def _too_few(ballot: Ballot, turn: Turn) -> Change:
    state = BallotState.INVALID if ballot.extended else BallotState.COLLECTING
    after = Ballot(round=ballot.round, panel=ballot.panel, state=state, extended=True)
    if ballot.extended:
        return Change(type="ballot_invalid", sets={"ballot": after})
    return Change(
        type="ballot_extended",
        sets={"ballot": after},
        clocks=(Start(code="COLLECT", parameter="assessment.extend"),),
    )


def _enough(valid: int, panel: int, turn: Turn) -> bool:
    """Thirty answers, or sixty percent of the panel (`assessment.min_valid`)."""
    share = turn.policy.number("assessment.min_valid_share")
    return bool(valid >= turn.policy.number("assessment.min_valid") or valid * 100 >= share * panel)


def record_ballot_result(case: Case[Inspection], cmd: do.RecordBallotResult, turn: Turn) -> Change:
    """A ballot held elsewhere is filed as counts; it needs as many valid answers as one of ours."""
    may_open_ballot(case, turn)
    if not cmd.satisfied <= cmd.valid <= cmd.panel:
        raise GuardFailed("BALLOT_COUNTS", field="valid", clause=UPWARD)
    if not _enough(cmd.valid, cmd.panel, turn):
        raise GuardFailed("BALLOT_TOO_FEW", field="valid", clause="policy-packs §4 assessment.min_valid")
    number = case.data.ballot.round + 1 if case.data.ballot else 1
    counted = Ballot(round=number, panel=cmd.panel, state=BallotState.FILED, valid=cmd.valid, satisfied=cmd.satisfied)
    return _then(case, Change(type="ballot_filed", sets={"ballot": counted}), ballot=counted)


def record_site_check(case: Case[Inspection], cmd: do.RecordSiteCheck, turn: Turn) -> Change:
    """实地检查."""
    if case.data.site_check is not None:
        raise GuardFailed("SITE_CHECKED_ALREADY", clause=YEARLY)
    check = SiteCheck(notes=cmd.notes, by=turn.actor.id, at=turn.now)
    return _then(case, Change(type="site_checked", sets={"site_check": check}), site_check=check)


def _then(
    case: Case[Inspection], change: Change, *, ballot: Ballot | None = None, site_check: SiteCheck | None = None
) -> Change:
    """With the result of the ballot and the check on the spot at hand the office concludes."""
    result, check = ballot or case.data.ballot, site_check or case.data.site_check
    if result is None or not result.is_result or check is None:
        return change
    return Change(
        type=change.type,
        sets=change.sets,
        to="CONCLUDING",
        notices=(Notice(case.community, "inspection_concludable", "INSPECT"),),
    )


# --- conclusion --------------------------------------------------------------------------------------------


def conclude(case: Case[Inspection], cmd: do.Conclude, turn: Turn) -> Change:
    """年检结论: exactly one a year; result and opinion go to the city and to the superior department."""
    data, permit = case.data, turn.facts["permit_of"]
    assert data.ballot is not None
    if any(one["period"] == data.period and one["outcome"] for one in permit["inspections"] if one["id"] != case.id):
        raise GuardFailed("ALREADY_INSPECTED", clause=YEARLY)
    if cmd.outcome is Outcome.PROPOSE_REVOKE and not permit["rectification_failed"]:
        # 限期整改不到位的, 办公室撤销: without a failed rectification there is nothing to revoke for.
        raise GuardFailed("NO_RECTIFICATION", field="outcome", clause=YEARLY)
    city = case.community[:4]
    told = _tell(
        data.permit,
        "inspection_concluded",
        turn,
        inspection=case.id,
        year=data.year,
        outcome=cmd.outcome.value,
        satisfied_share=data.ballot.share,
    )
    return Change(
        type="concluded",
        to="DONE",
        sets={
            "outcome": cmd.outcome,
            "opinion": cmd.opinion,
            "concluded_by": turn.actor.id,
            "concluded_at": turn.now,
        },
        clocks=(Meet(code="INSPECT"),),
        effects=(told,),
        notices=(
            Notice(f"role:{Role.LEADING_GROUP_APPROVER.value}@{city}", "inspection_reported"),
            Notice(data.applicant_org, "inspection_concluded"),
            *(Notice(code, "inspection_concluded") for code in data.communities),
        ),
    )


def _tell(permit: str, command: str, turn: Turn, **fields: Any) -> Effect:
    return Effect("TELL", "admission", permit, command, fields, turn.now)


def _day_of_year(year: int, text: str) -> date:
    return date.fromisoformat(f"{year}-{text}")
