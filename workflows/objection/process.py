"""Objection against a public notice (公示异议): states, clock and the table of arrows (pure; processes §0.6).

It lies with the subdistrict, so that nobody in the community whom it may concern knows of it.
"""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import ClockRule
from workflows.kernel.process import Address, Case, Paper, Process, State, Who, arrows
from workflows.kernel.roles import TITLES, Role
from workflows.kernel.upkeep import upkeep
from workflows.objection import rules
from workflows.objection.data import Objection

STATES = (
    State("OPEN", "处理中", "Open", work=("resolve", "assign")),
    State("CLOSED:UPHELD", "异议成立", "Upheld", ends=True),
    State("CLOSED:DISMISSED", "异议不成立", "Dismissed", ends=True),
    State("CLOSED:WITHDRAWN", "异议撤回", "Withdrawn", ends=True),
)
STREET = (Role.SUBDISTRICT_OFFICER, Role.STREET_PARTY_OFFICER, Role.SUPERVISOR)
OBJECTORS = (
    Role.RESIDENT,
    Role.RESIDENT_REPRESENTATIVE,
    Role.UNIT_LIAISON,
    Role.COMMUNITY_WORKER,
    Role.GRID_WORKER,
    Role.CWC_MEMBER,
    Role.INTEGRATION,
)


def _anywhere(role: Role) -> Who:
    """Whoever holds the role; which notices he may know of the door has asked before."""
    return Who(role, TITLES[role][0], lambda case: (Address(role=role),))


def _of_the_street(role: Role) -> Who:
    return Who(role, TITLES[role][0], lambda case: (Address(role=role, place=case.community),))


def _investigator(case: Case[Objection]) -> tuple[Address, ...]:
    if case.data.investigator is not None:
        return (Address(person=case.data.investigator),)
    return tuple(Address(role=role, place=case.community) for role in STREET)


def _objector(case: Case[Objection]) -> tuple[Address, ...]:
    return (Address(person=case.data.reporter_id),) if case.data.reporter_id is not None else ()


INVESTIGATOR = Who("investigator", "调查人", _investigator)
OBJECTOR = Who("objector", "异议人", _objector)


def _poster(case: Case[Any], ref: str) -> str:
    return case.data.community or case.community


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


# fmt: off
CLOCKS = (
    ClockRule("OBJECTION", "notice.objection.due", "异议处理", "Objection", _poster, _subdistrict),
)

ARROWS = (
    arrows("", rules.Object, "OPEN", by=tuple(map(_anywhere, OBJECTORS)), rule=rules.raise_objection, starts=("OBJECTION",), event="raised", clause="processes §0.6"),
    arrows("OPEN", rules.Assign, by=tuple(map(_of_the_street, STREET)), rule=rules.assign, may=rules.may_resolve, event="assigned"),
    arrows("OPEN", rules.Resolve, ("CLOSED:UPHELD", "CLOSED:DISMISSED"), by=INVESTIGATOR, rule=rules.resolve, may=rules.may_resolve, meets=("OBJECTION",), event="resolved"),
    arrows("OPEN", rules.Withdraw, "CLOSED:WITHDRAWN", by=OBJECTOR, rule=rules.withdraw, event="withdrawn"),
)
# fmt: on


def facets(case: Case[Objection]) -> Mapping[str, Any]:
    """The columns that lists filter by, and who may know of it besides the street."""
    data = case.data
    return {
        "submitted_by": data.submitted_by,
        "reporter_id": data.reporter_id,
        "people": [data.investigator] if data.investigator else [],
    }


OBJECTION: Process[Objection] = Process(
    name="objection",
    plural="objections",
    zh="公示异议",
    en="Objection",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Objection,
    place=lambda command, facts: str(facts["objected_notice"]["community"])[:9],
    facets=facets,
    needs={rules.Object: ("objected_notice",)},
    papers=(Paper("OBJECTION_ANSWER", "异议答复", "Answer to an objection", on=("resolved",)),),
)
