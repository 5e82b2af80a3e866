"""Who may do what in a change of membership (委员变动): roles over the community, and the member (pure)."""

from typing import Any

from workflows.kernel.process import Address, Case, Turn, Who
from workflows.kernel.roles import TITLES, Role
from workflows.membership.data import Membership

MEMBERS = (Role.CWC_MEMBER, Role.CWC_VICE_CHAIR, Role.CWC_CHAIR)


def role(one: Role) -> Who:
    """Everybody with this role whose place reaches the community."""
    return Who(one, TITLES[one][0], lambda case: (Address(role=one, place=case.community),))


def _member(case: Case[Membership]) -> tuple[Address, ...]:
    return (Address(person=case.data.member),) if case.data.member else ()


def _requester(case: Case[Membership]) -> tuple[Address, ...]:
    return tuple(Address(person=one) for one in dict.fromkeys((case.data.requested_by, case.data.member)) if one)


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
SECRETARY = role(Role.PARTY_SECRETARY)
STREET_PARTY = role(Role.STREET_PARTY_OFFICER)
INTEGRATION = role(Role.INTEGRATION)
MEMBER = Who("member", "委员本人", _member)
REQUESTER = Who("requester", "申请人", _requester)

OPENERS = (
    SYSTEM,
    SECRETARY,
    STREET_PARTY,
    INTEGRATION,
    role(Role.COMMUNITY_WORKER),
    role(Role.UNIT_LIAISON),
    *map(role, MEMBERS),
    role(Role.TWO_COMMITTEES_MEMBER),
    role(Role.RESIDENT),
)
"""Who may open some kind of change; which one, the rule of that kind says."""


def holds(case: Case[Any], turn: Turn, *roles: Role) -> bool:
    """Say whether the caller holds one of these roles over the community."""
    return any(one.role in roles and case.community.startswith(one.place) for one in turn.actor.grants)


def community(case: Case[Any], ref: str) -> str:
    """The party organisation of the community owes it."""
    return case.community


def subdistrict(case: Case[Any], ref: str) -> str:
    """The street watches it."""
    return case.subdistrict
