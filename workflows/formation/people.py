"""Who may do what in a formation (组建): roles with reach over the community, and its candidates (pure)."""

from typing import Any

from workflows.formation.data import Formation
from workflows.kernel.process import Address, Case, Who
from workflows.kernel.roles import TITLES, Role


def role(one: Role) -> Who:
    """Everybody with this role whose place reaches the community."""
    return Who(one, TITLES[one][0], lambda case: (Address(role=one, place=case.community),))


def _candidates(case: Case[Formation]) -> tuple[Address, ...]:
    return tuple(Address(person=key) for key in case.data.candidates if not key.startswith("contact:"))


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
SECRETARY = role(Role.PARTY_SECRETARY)
WORKER = role(Role.COMMUNITY_WORKER)
STREET_PARTY = role(Role.STREET_PARTY_OFFICER)
CANDIDATE = Who("candidate", "人选", _candidates)

NOMINATORS = (
    role(Role.RESIDENT),
    role(Role.UNIT_LIAISON),
    WORKER,
    SECRETARY,
    *(
        role(one)
        for one in (
            Role.BUILDING_HEAD,
            Role.RESIDENT_GROUP_HEAD,
            Role.VOLUNTEER,
            Role.VETERAN,
            Role.SOCIAL_WORKER,
            Role.RESIDENT_REPRESENTATIVE,
            Role.DEPUTY_OR_DELEGATE,
            Role.GRID_WORKER,
            Role.CWC_VICE_CHAIR,
            Role.CWC_MEMBER,
            Role.TWO_COMMITTEES_MEMBER,
            Role.EPC_MEMBER,
        )
    ),
)
"""Residents, units, and whoever stands for himself; staff enter what came on paper (推荐表)."""

OBJECTORS = (
    role(Role.RESIDENT),
    *(role(one) for one in (Role.RESIDENT_REPRESENTATIVE, Role.UNIT_LIAISON, Role.GRID_WORKER, Role.CWC_MEMBER)),
)

INVESTIGATORS = (SECRETARY, STREET_PARTY)
"""The secretary, and in his place the street where he is concerned himself."""


def community(case: Case[Any], ref: str) -> str:
    """The community owes it."""
    return case.community


def subdistrict(case: Case[Any], ref: str) -> str:
    """The street owes or watches it."""
    return case.subdistrict


def county(case: Case[Any], ref: str) -> str:
    """The organisation department of the county watches it (县区委组织部)."""
    return case.county
