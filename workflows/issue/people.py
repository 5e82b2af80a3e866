"""Who may do what in an issue: roles with reach over its place, and functions in the case (pure)."""

from typing import Any

from workflows.issue.data import Issue
from workflows.kernel.process import Address, Case, Who
from workflows.kernel.roles import TITLES, Role

LEAD_ROLES = (
    Role.UNIT_LIAISON,
    Role.DEPARTMENT_OFFICER,
    Role.COMMUNITY_WORKER,
    Role.GRID_WORKER,
    Role.SUBDISTRICT_OFFICER,
)
"""Roles in which a person acts for the organisation that has the order."""


def role(one: Role) -> Who:
    """Everybody with this role whose place reaches the case's community."""
    return Who(one, TITLES[one][0], lambda case: (Address(role=one, place=case.community),))


def _lead(case: Case[Issue]) -> tuple[Address, ...]:
    if case.data.accepted_at is None:
        return ()
    if case.data.lead_org is None:
        return tuple(Address(role=one, place=case.community) for one in (Role.COMMUNITY_WORKER, Role.GRID_WORKER))
    return tuple(Address(role=one, org=case.data.lead_org) for one in LEAD_ROLES)


def _reporter(case: Case[Issue]) -> tuple[Address, ...]:
    """The account that reported, and followers of merged issues; without an account any resident of the place."""
    people = tuple(dict.fromkeys(filter(None, (case.data.reporter_id, *case.data.followers))))
    if people:
        return tuple(Address(role=Role.RESIDENT, person=person) for person in people)
    return (Address(role=Role.RESIDENT, place=case.community),)


def _receiver(case: Case[Issue]) -> tuple[Address, ...]:
    if case.data.transfer_to is None:
        return ()
    return (Address(role=Role.COMMUNITY_WORKER, place=case.data.transfer_to),)


def _departments(case: Case[Issue]) -> tuple[Address, ...]:
    return tuple(
        Address(role=one, org=org) for org in case.data.calls for one in (Role.DEPARTMENT_OFFICER, Role.UNIT_LIAISON)
    )


def _referred(case: Case[Issue]) -> tuple[Address, ...]:
    if not case.data.referred or case.data.lead_org is None:
        return ()
    return (Address(role=Role.DEPARTMENT_OFFICER, org=case.data.lead_org),)


def _extension(case: Case[Issue]) -> tuple[Address, ...]:
    """First extension: the secretary; second: the street (processes P1)."""
    approver = Role.PARTY_SECRETARY if case.data.extensions == 0 else Role.SUBDISTRICT_OFFICER
    return (Address(role=approver, place=case.community),)


def _reviewer(case: Case[Issue]) -> tuple[Address, ...]:
    """A community worker; only a supervisor once the issue is RED, until it is delisted."""
    if case.data.red:
        return (Address(role=Role.SUPERVISOR, place=case.community),)
    return (
        Address(role=Role.COMMUNITY_WORKER, place=case.community),
        Address(role=Role.SUPERVISOR, place=case.community),
    )


SYSTEM = Who(Role.SYSTEM, "系统定时", lambda case: (Address(role=Role.SYSTEM),))
LEAD = Who("lead", "牵头方", _lead)
REPORTER = Who("reporter", "反映人", _reporter)
RECEIVER = Who("receiver", "接收社区", _receiver)
CALLED = Who("called_department", "被吹哨部门", _departments)
REFERRED = Who("referred_department", "受反馈部门", _referred)
EXTENSION_APPROVER = Who("extension_approver", "延期审批人", _extension)
REVIEWER = Who("reviewer", "核查人", _reviewer)

RESIDENT = role(Role.RESIDENT)
GRID_WORKER = role(Role.GRID_WORKER)
COMMUNITY_WORKER = role(Role.COMMUNITY_WORKER)
CWC_CHAIR = role(Role.CWC_CHAIR)
CWC_VICE_CHAIR = role(Role.CWC_VICE_CHAIR)
CWC_MEMBER = role(Role.CWC_MEMBER)
PARTY_SECRETARY = role(Role.PARTY_SECRETARY)
SUBDISTRICT_OFFICER = role(Role.SUBDISTRICT_OFFICER)
SUPERVISOR = role(Role.SUPERVISOR)

SUBMITTERS = tuple(
    role(one)
    for one in (
        Role.GRID_WORKER,
        Role.COMMUNITY_WORKER,
        Role.CWC_MEMBER,
        Role.CWC_VICE_CHAIR,
        Role.CWC_CHAIR,
        Role.BUILDING_HEAD,
        Role.UNIT_HEAD,
        Role.CLUSTER_HEAD,
        Role.RESIDENT_GROUP_HEAD,
        Role.VETERAN,
        Role.VOLUNTEER,
        Role.UNIT_LIAISON,
        Role.RESIDENT,
        Role.SUPERVISOR,
        Role.INTEGRATION,
    )
)
"""Who may bring an issue in (seed 001 §四1: 社区工作者、网格员、楼院长、退役军人、志愿者)."""

CHAIR = (PARTY_SECRETARY, CWC_CHAIR)
"""Chair and convenor of 两委 and 大党委 meetings (processes P3)."""


CHECK_CODE = "check-code"
"""Account id of somebody without an account who has shown by the check code that the issue is his."""


def asked(case: Case[Any], actor: str) -> bool:
    """Say whether this resident is somebody whose answer is wanted: the reporter or a follower."""
    return actor in (case.data.reporter_id, *case.data.followers, CHECK_CODE)


def handled_by(case: Case[Any], actor: str) -> bool:
    """Say whether this person signed for the work or claimed its end (职责分离, processes §0.1)."""
    return actor in case.data.handlers
