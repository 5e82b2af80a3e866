"""Who may do what in an admission: applicant, office, approving body, communities (pure)."""

from collections.abc import Callable

from workflows.admission.data import Admission, AgreementState
from workflows.kernel.process import Address, Case, Forbidden, GuardFailed, Turn, Who
from workflows.kernel.roles import TITLES, Role

APPLICANT_ROLES = (Role.DEPARTMENT_OFFICER, Role.UNIT_LIAISON)
COMMUNITY_ROLES = (Role.PARTY_SECRETARY, Role.COMMUNITY_WORKER)

Addresses = Callable[[Case[Admission]], tuple[Address, ...]]


def _applicant(case: Case[Admission]) -> tuple[Address, ...]:
    return tuple(Address(role=role, org=case.data.applicant_org) for role in APPLICANT_ROLES)


def _office(case: Case[Admission]) -> tuple[Address, ...]:
    """The office that works on the lists of the communities' county, or the city's above it."""
    return (Address(role=Role.OFFICE_REVIEWER, place=case.data.county),)


def _approving_office(case: Case[Admission]) -> tuple[Address, ...]:
    return _office(case) if case.data.office_approves else ()


def _group(case: Case[Admission]) -> tuple[Address, ...]:
    """The leading group at the applicant's level (seed 004 §二(三)2)."""
    if case.data.office_approves:
        return ()
    return (Address(role=Role.LEADING_GROUP_APPROVER, place=case.community),)


def _other_group(case: Case[Admission]) -> tuple[Address, ...]:
    if case.data.office_approves:
        return ()
    return (Address(role=Role.LEADING_GROUP_APPROVER, place=case.data.county),)


def _revoker(case: Case[Admission]) -> tuple[Address, ...]:
    return _office(case) if case.data.office_revokes else _group(case)


def _of(role: Role) -> Addresses:
    def addresses(case: Case[Admission]) -> tuple[Address, ...]:
        return tuple(Address(role=role, place=code) for code in case.data.concerned)

    return addresses


def _unsigned(case: Case[Admission]) -> tuple[Address, ...]:
    return tuple(
        Address(role=Role.PARTY_SECRETARY, place=code)
        for code, one in sorted(case.data.agreements.items())
        if one.state is AgreementState.ASKED and one.community_signed_at is None
    )


def _applicant_unsigned(case: Case[Admission]) -> tuple[Address, ...]:
    missing = any(
        one.state is AgreementState.ASKED and one.applicant_signed_at is None for one in case.data.agreements.values()
    )
    return _applicant(case) if missing else ()


def _without_word(case: Case[Admission]) -> tuple[Address, ...]:
    return tuple(
        Address(role=Role.PARTY_SECRETARY, place=code)
        for code in case.data.communities
        if code not in case.data.opinions
    )


def _unconfirmed(case: Case[Admission]) -> tuple[Address, ...]:
    return tuple(
        Address(role=Role.PARTY_SECRETARY, place=code)
        for code in case.data.communities
        if code not in case.data.completions
    )


def _still_holding(case: Case[Admission]) -> tuple[Address, ...]:
    return tuple(
        Address(role=Role.PARTY_SECRETARY, place=code)
        for code in case.data.communities
        if code not in case.data.handed_over
    )


SYSTEM = Who(Role.SYSTEM, "系统定时", lambda case: (Address(role=Role.SYSTEM),))
OPENER = Who("applicant", "申请单位", lambda case: tuple(Address(role=role) for role in APPLICANT_ROLES))
APPLICANT = Who("applicant", "申请单位", _applicant)
OFFICE = Who(Role.OFFICE_REVIEWER, TITLES[Role.OFFICE_REVIEWER][0], _office)
FINANCE = Who("finance", "领导小组办公室（转财政意见）", _office, owes=False)
APPROVING_OFFICE = Who("approving_office", "领导小组办公室（审批）", _approving_office)
GROUP = Who(Role.LEADING_GROUP_APPROVER, TITLES[Role.LEADING_GROUP_APPROVER][0], _group)
OTHER_GROUP = Who("other_leading_group", "其他层级领导小组成员", _other_group, owes=False)
REVOKER = Who("revoker", "撤销机构", _revoker)
INTEGRATION = Who(Role.INTEGRATION, TITLES[Role.INTEGRATION][0], _of(Role.INTEGRATION), owes=False)
SECRETARY = Who(Role.PARTY_SECRETARY, TITLES[Role.PARTY_SECRETARY][0], _of(Role.PARTY_SECRETARY), owes=False)
WORKER = Who(Role.COMMUNITY_WORKER, TITLES[Role.COMMUNITY_WORKER][0], _of(Role.COMMUNITY_WORKER), owes=False)
MAYBE_APPLICANT = Who("applicant", "申请单位", _applicant, owes=False)
APPLICANT_UNSIGNED = Who("unsigned_applicant", "待签协议申请单位", _applicant_unsigned)
UNSIGNED = Who("unsigned_community", "待签协议社区书记", _unsigned)
WITHOUT_WORD = Who("community_without_opinion", "待提意见社区书记", _without_word)
UNCONFIRMED = Who("unconfirmed_community", "待确认社区书记", _unconfirmed)
STILL_HOLDING = Who("community_in_hand_over", "待移交社区书记", _still_holding)

DECIDERS = (APPROVING_OFFICE, GROUP, OTHER_GROUP)


def may_approve(case: Case[Admission], turn: Turn) -> None:
    """The level follows the applicant's; nobody decides on what he or his own organisation asked for."""
    if turn.grant.role == Role.LEADING_GROUP_APPROVER and turn.grant.place != case.community:
        raise GuardFailed("WRONG_LEVEL", clause="004 §二(三)2")
    if turn.actor.id == case.data.submitted_by or turn.grant.org == case.data.applicant_org:
        raise GuardFailed("SEGREGATION", clause="processes §0.1")


def is_applicant(turn: Turn) -> bool:
    """Say whether this person acts for the applicant."""
    return turn.grant.role in APPLICANT_ROLES


def is_office(turn: Turn) -> bool:
    """Say whether this person acts for the leading group's office."""
    return turn.grant.role == Role.OFFICE_REVIEWER


def community_of(case: Case[Admission], named: str | None, turn: Turn) -> str:
    """The community for which somebody of a community speaks: his own, or the one he names where he has several.

    Raises `Forbidden` for another's, `GuardFailed` where it is not clear which.
    """
    own = tuple(code for code in case.data.concerned if code.startswith(turn.grant.place))
    if named is not None:
        if named not in own:
            raise Forbidden("NOT_IN_ROLE", field="community")
        return named
    if len(own) != 1:
        raise GuardFailed("COMMUNITY_REQUIRED", field="community", clause="processes P4")
    return own[0]
