"""P4-R, the right to refuse 可拒绝执行 (RefusalWorkflow): states, clocks, table of arrows (pure; seed 004 §二(三)2)."""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import ClockRule
from workflows.kernel.process import Address, Case, Paper, Process, State, Who, arrows
from workflows.kernel.roles import TITLES, Role
from workflows.kernel.upkeep import upkeep
from workflows.refusal import commands as do
from workflows.refusal import rules
from workflows.refusal.data import Refusal

STATES = (
    State("CHECKING", "核对中", "Being checked", work=("refuse", "accept_voluntarily")),
    State("REFUSED", "已拒绝", "Refused"),
    State(
        "REFUSED:MUST_APPLY",
        "已拒绝,部门须申请准入",
        "Refused, the department must apply",
        work=("department_applies",),
    ),
    State("ARBITRATION", "裁定中", "Arbitration", work=("arbitrate",)),
    State("ESCALATED", "已上报", "Escalated", work=("settle",)),
    State("ACCEPTED_VOLUNTARILY", "自愿承担", "Accepted voluntarily", ends=True),
    State("LINKED", "转入准入", "Linked to an admission", ends=True),
    State("CLOSED:COVERED", "在清单或已准入", "Covered", ends=True),
    State("CLOSED:WITHDRAWN", "部门已撤回", "Withdrawn", ends=True),
    State("CLOSED:SETTLED", "已处理", "Settled", ends=True),
)
REFUSED = ("REFUSED", "REFUSED:MUST_APPLY")
AFTER_CHECK = tuple(state.name for state in STATES if state.name != "CHECKING")


def _role(role: Role) -> Who:
    return Who(role, TITLES[role][0], lambda case: (Address(role=role, place=case.community),))


def _department(case: Case[Refusal]) -> tuple[Address, ...]:
    if not case.data.department:
        return ()
    return tuple(Address(role=role, org=case.data.department) for role in (Role.DEPARTMENT_OFFICER, Role.UNIT_LIAISON))


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
WORKER = _role(Role.COMMUNITY_WORKER)
SECRETARY = _role(Role.PARTY_SECRETARY)
OFFICE = _role(Role.OFFICE_REVIEWER)
GROUP = _role(Role.LEADING_GROUP_APPROVER)
DEPARTMENT = Who("department", "来件单位", _department)


def _community(case: Case[Any], ref: str) -> str:
    return case.community


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


def _county(case: Case[Any], ref: str) -> str:
    return case.county


def _city(case: Case[Any], ref: str) -> str:
    return str(case.community[:4])


# fmt: off
CLOCKS = (
    ClockRule("CHECK", "clock.refusal.check", "来件核对", "Check of the task", _community, _county),
    ClockRule("ARBITRATE", "clock.refusal.arbitrate", "争议裁定", "Arbitration", _county, _city),
)

ARROWS = (
    arrows("", do.LogIncomingTask, "CHECKING", by=WORKER, rule=rules.log, event="logged", clause="004 §二(三)2"),
    arrows("CHECKING", do.CheckCoverage, "CLOSED:COVERED", by=SYSTEM, rule=rules.check, clause="004 §二(三)1"),
    arrows(AFTER_CHECK, do.CheckCoverage, by=SYSTEM, rule=rules.late_check),
    arrows("CHECKING", do.Refuse, "REFUSED", by=SECRETARY, rule=rules.refuse, clause="004 §二(三)2"),
    arrows("CHECKING", do.AcceptVoluntarily, "ACCEPTED_VOLUNTARILY", by=SECRETARY, rule=rules.accept),
    arrows(REFUSED, do.DepartmentApplies, "LINKED", by=DEPARTMENT, rule=rules.applies),
    arrows(REFUSED, do.DepartmentWithdraws, "CLOSED:WITHDRAWN", by=DEPARTMENT, rule=rules.withdraws),
    arrows("REFUSED", do.Dispute, "ARBITRATION", by=DEPARTMENT, rule=rules.dispute),
    arrows("ARBITRATION", do.Arbitrate, tuple(rules.POSITIONS.values()), by=OFFICE, rule=rules.arbitrate),
    arrows(REFUSED, do.Escalate, "ESCALATED", by=SECRETARY, rule=rules.escalate),
    arrows("ESCALATED", do.Settle, "CLOSED:SETTLED", by=GROUP, rule=rules.settle),
)
# fmt: on


def facets(case: Case[Refusal]) -> Mapping[str, Any]:
    """The columns that lists filter by; the department knows of it, and no resident."""
    data = case.data
    return {
        "lead_org": data.department or None,
        "orgs": [data.department] if data.department else [],
        "submitted_by": data.logged_by or None,
        "reporter_id": Role.SYSTEM.value,
        "closure_code": case.phase or None,
    }


REFUSAL: Process[Refusal] = Process(
    name="refusal",
    plural="refusals",
    zh="拒绝执行",
    en="Right to refuse",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Refusal,
    place=lambda command, facts: str(command.community_code),
    facets=facets,
    needs={do.Refuse: ("coverage_check",), do.AcceptVoluntarily: ("coverage_check",)},
    papers=(Paper("REFUSAL_LETTER", "拒绝函", "Letter of refusal", on=("refused",)),),
)
