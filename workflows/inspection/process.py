"""P4, the yearly inspection 年度检查评估 (AnnualInspectionWorkflow): states, clocks, table of arrows (pure).

Every unit's permit is inspected once a year [seed: 000 §三(三)1]; the communities in which it works assess it, and
result and opinion are reported upwards [seed: 000 §三(三)2].
"""

from collections.abc import Mapping
from typing import Any

from workflows.inspection import commands as do
from workflows.inspection import rules
from workflows.inspection.data import Inspection
from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Address, Cadence, Case, Moment, Paper, Process, State, Who, arrows
from workflows.kernel.roles import TITLES, Role
from workflows.kernel.upkeep import upkeep

STATES = (
    State("SELF_REPORT", "待自查", "Self report due", work=("submit_self_report",)),
    State("ASSESSING", "检查评议中", "Being assessed"),
    State("CONCLUDING", "待结论", "To be concluded", work=("conclude",)),
    State("DONE", "已结论", "Concluded", ends=True),
)
OPENING_MONTH = 11
"""`admission.inspection.open` lies in it; what begins on another day of the year begins with this month."""


def _applicant(case: Case[Inspection]) -> tuple[Address, ...]:
    return tuple(
        Address(role=role, org=case.data.applicant_org)
        for role in (Role.DEPARTMENT_OFFICER, Role.UNIT_LIAISON)
        if case.data.applicant_org
    )


def _office(case: Case[Inspection]) -> tuple[Address, ...]:
    return (Address(role=Role.OFFICE_REVIEWER, place=case.community),)


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
OFFICE = Who(Role.OFFICE_REVIEWER, TITLES[Role.OFFICE_REVIEWER][0], _office)
APPLICANT = Who("applicant", "准入单位", _applicant)
"""Who was admitted; he reports, and never sees a ballot."""


def _county(case: Case[Any], ref: str) -> str:
    return case.community


def _city(case: Case[Any], ref: str) -> str:
    return str(case.community[:4])


def _admitted(case: Case[Any], ref: str) -> str:
    return str(case.data.applicant_org)


# fmt: off
CLOCKS = (
    ClockRule("SELF_REPORT", "clock.inspection.self_report", "自查报告", "Self report", _admitted, _county),
    ClockRule("INSPECT", "admission.inspection.conclude", "年检", "Inspection", _county, _city),
    ClockRule("COLLECT", "clock.assessment.collect", "评议投票", "Ballot", _county, _city, ClockKind.WINDOW),
)

ARROWS = (
    arrows("", do.OpenInspection, "SELF_REPORT", by=(SYSTEM, OFFICE), rule=rules.open_inspection, event="opened", clause="000 §三(三)1"),
    arrows(("SELF_REPORT", "ASSESSING"), do.SubmitSelfReport, "ASSESSING", by=APPLICANT, rule=rules.submit_self_report),
    arrows("SELF_REPORT", Moment("DUE", "SELF_REPORT"), "ASSESSING", by=SYSTEM, rule=rules.self_report_due),
    arrows("ASSESSING", do.OpenBallot, by=OFFICE, rule=rules.open_ballot, may=rules.may_open_ballot, clause="000 §三(三)2"),
    arrows("ASSESSING", Moment("ENDED", "COLLECT"), by=SYSTEM, rule=rules.collected),
    arrows("ASSESSING", do.TallyBallot, "CONCLUDING", by=SYSTEM, rule=rules.tally_ballot),
    arrows("ASSESSING", do.RecordBallotResult, "CONCLUDING", by=OFFICE, rule=rules.record_ballot_result, clause="000 §三(三)2"),
    arrows("ASSESSING", do.RecordSiteCheck, "CONCLUDING", by=OFFICE, rule=rules.record_site_check, clause="000 §三(三)1"),
    arrows("CONCLUDING", do.Conclude, "DONE", by=OFFICE, rule=rules.conclude, event="concluded", clause="000 §三(三)2"),
)
# fmt: on


def work(case: Case[Inspection]) -> tuple[str, ...]:
    """What the office still owes while the assessment goes on."""
    if case.state != "ASSESSING":
        return ()
    ballot = case.data.ballot
    unheld = ballot is None or (not ballot.is_result and case.clock("COLLECT") is None)
    return (
        *(("open_ballot", "record_ballot_result") if unheld else ()),
        *(("record_site_check",) if case.data.site_check is None else ()),
    )


def facets(case: Case[Inspection]) -> Mapping[str, Any]:
    """The columns that lists filter by; the communities in which it works know of it, and no resident."""
    data = case.data
    return {
        "lead_org": data.applicant_org or None,
        "orgs": [data.applicant_org] if data.applicant_org else [],
        "places": list(data.communities),
        "category_code": data.variant or None,
        "closure_code": data.outcome.value if data.outcome else None,
        "submitted_by": data.opened_by or None,
        "reporter_id": Role.SYSTEM.value,
    }


def place(command: Any, facts: Mapping[str, Any]) -> str:
    """The county of the communities in which the permit is in force."""
    return str(command.county or facts["permit_of"]["county"])


INSPECTION: Process[Inspection] = Process(
    name="inspection",
    plural="inspections",
    zh="年度检查评估",
    en="Yearly inspection",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Inspection,
    place=place,
    facets=facets,
    work=work,
    needs={do.OpenInspection: ("permit_of",), do.Conclude: ("permit_of",)},
    papers=(Paper("ASSESSMENT_REPORT", "评议报告", "Assessment report", on=("concluded",)),),
    wide=True,
    cadences=(
        Cadence(
            code="yearly",
            every="YEAR",
            level="COUNTY",
            question="permits_to_inspect",
            command="open_inspection",
            month=OPENING_MONTH,
        ),
    ),
)
