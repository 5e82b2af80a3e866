"""Exclusion of a case from a figure 剔除与申诉: states, clocks and the table of arrows (pure; glossary §7)."""

from collections.abc import Mapping
from typing import Any

from workflows.exclusion import rules
from workflows.exclusion.data import Exclusion
from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Address, Case, Moment, Paper, Process, State, Who, arrows
from workflows.kernel.roles import TITLES, Role
from workflows.kernel.upkeep import upkeep

STATES = (
    State("REQUESTED", "待裁定", "Requested", work=("decide",)),
    State("EXCLUDED", "已剔除", "Excluded"),
    State("KEPT", "不予剔除", "Kept"),
    State("APPEALED", "申诉中", "Appealed", work=("decide",)),
    State("EXCLUDED:FINAL", "剔除生效", "Excluded for good", ends=True),
    State("KEPT:FINAL", "维持计入", "Kept for good", ends=True),
)
COUNTY_DIGITS = 6
CONCERNED = (Role.UNIT_LIAISON, Role.DEPARTMENT_OFFICER, Role.COMMUNITY_WORKER, Role.PARTY_SECRETARY)
"""Who speaks for an organisation whose figure it is."""


def _supervisor(case: Case[Exclusion]) -> tuple[Address, ...]:
    return (Address(role=Role.SUPERVISOR, place=case.community),)


def _organization(case: Case[Exclusion]) -> tuple[Address, ...]:
    """The organisation itself; the community where no other one is responsible."""
    data = case.data
    if data.org is not None:
        return tuple(Address(role=role, org=data.org) for role in CONCERNED)
    outside = () if case.state else tuple(Address(role=role) for role in CONCERNED[:2])
    inside = tuple(Address(role=role, place=case.community) for role in CONCERNED[2:])
    return outside + inside


def _street(case: Case[Exclusion]) -> tuple[Address, ...]:
    return tuple(Address(role=role, place=case.subdistrict) for role in (Role.SUBDISTRICT_OFFICER, Role.SUPERVISOR))


def _county(case: Case[Exclusion]) -> tuple[Address, ...]:
    """A supervisor of the county or the city: his place reaches the county."""
    return (Address(role=Role.SUPERVISOR, place=case.county),)


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
SUPERVISOR = Who(Role.SUPERVISOR, TITLES[Role.SUPERVISOR][0], _supervisor)
ORGANIZATION = Who("organization", "被考核单位", _organization)
STREET = Who("street", "街道", _street)
COUNTY = Who("county", "县区", _county)


def _owner_street(case: Case[Any], ref: str) -> str:
    return case.county if case.level == "L4" else case.subdistrict


def _above(case: Case[Any], ref: str) -> str:
    return case.county


def _concerned(case: Case[Any], ref: str) -> str:
    return case.data.org or case.community


# fmt: off
CLOCKS = (
    ClockRule("DECIDE", "clock.exclusion.decide", "剔除裁定", "Decision on an exclusion", _owner_street, _above),
    ClockRule("APPEAL", "clock.exclusion.appeal", "申诉期", "Appeal", _concerned, _owner_street, ClockKind.WINDOW),
)

RULED = ("EXCLUDED", "KEPT")

ARROWS = (
    arrows("", rules.Exclude, ("EXCLUDED", "REQUESTED"), by=(SUPERVISOR, ORGANIZATION), rule=rules.open_exclusion, event="opened", clause="glossary §7"),
    arrows("REQUESTED", rules.Decide, RULED, by=STREET, rule=rules.decide, may=rules.may_decide, meets=("DECIDE",), event="decided"),
    arrows(RULED, rules.Appeal, "APPEALED", by=(ORGANIZATION, SUPERVISOR), rule=rules.appeal, may=rules.may_appeal, cancels=("APPEAL",), starts=("DECIDE",), event="appealed"),
    arrows("APPEALED", rules.Decide, ("EXCLUDED:FINAL", "KEPT:FINAL"), by=COUNTY, rule=rules.decide, may=rules.may_decide, meets=("DECIDE",), event="decided"),
    arrows("EXCLUDED", Moment("ENDED", "APPEAL"), "EXCLUDED:FINAL", by=SYSTEM, rule=rules.settled),
    arrows("KEPT", Moment("ENDED", "APPEAL"), "KEPT:FINAL", by=SYSTEM, rule=rules.settled),
)
# fmt: on


def facets(case: Case[Exclusion]) -> Mapping[str, Any]:
    """The columns that lists filter by."""
    data = case.data
    return {
        "lead_org": data.org,
        "orgs": [data.org] if data.org else [],
        "category_code": data.figure.value if data.figure else None,
        "submitted_by": data.asked_by or None,
        "reporter_id": data.asked_by or None,
    }


EXCLUSION: Process[Exclusion] = Process(
    name="exclusion",
    plural="exclusions",
    zh="剔除申诉",
    en="Exclusion",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Exclusion,
    place=lambda command, facts: str(facts["subject_id"]["community"]),
    facets=facets,
    papers=(Paper("EXCLUSION_RULING", "剔除裁定书", "Ruling on an exclusion", on=("decided",)),),
)
