"""Supervision order 督办单 in three colours, with a reply demanded: states, clock, table of arrows (pure; §0.4)."""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import ClockRule
from workflows.kernel.process import Address, Case, Paper, Process, State, Who, arrows
from workflows.kernel.roles import TITLES, Role
from workflows.kernel.upkeep import upkeep
from workflows.supervision_order import rules
from workflows.supervision_order.data import SupervisionOrder

STATES = (
    State("ISSUED", "待回复", "Issued", work=("reply",)),
    State("REPLIED", "已回复", "Replied", work=("accept_reply", "return_reply")),
    State("CLOSED:ACCEPTED", "已认可", "Accepted", ends=True),
    State("CLOSED:WITHDRAWN", "已撤销", "Withdrawn", ends=True),
    State("CLOSED:SETTLED", "事项已了结", "Settled with its case", ends=True),
)
ENDED = tuple(state.name for state in STATES if state.ends)
FOR_AN_ORGANIZATION = (
    Role.UNIT_LIAISON,
    Role.DEPARTMENT_OFFICER,
    Role.COMMUNITY_WORKER,
    Role.GRID_WORKER,
    Role.PARTY_SECRETARY,
    Role.SUBDISTRICT_OFFICER,
)
FOR_THE_COMMUNITY = (Role.COMMUNITY_WORKER, Role.PARTY_SECRETARY)


def _responsible(case: Case[SupervisionOrder]) -> tuple[Address, ...]:
    if case.data.responsible_org is None:
        return tuple(Address(role=one, place=case.community) for one in FOR_THE_COMMUNITY)
    return tuple(Address(role=one, org=case.data.responsible_org) for one in FOR_AN_ORGANIZATION)


def _supervisor(case: Case[SupervisionOrder]) -> tuple[Address, ...]:
    return (Address(role=Role.SUPERVISOR, place=case.community),)


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
SUPERVISOR = Who(Role.SUPERVISOR, TITLES[Role.SUPERVISOR][0], _supervisor)
RESPONSIBLE = Who("responsible", "责任单位", _responsible)


def _owner(case: Case[Any], ref: str) -> str:
    return case.data.responsible_org or case.community


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


# fmt: off
CLOCKS = (
    ClockRule("REPLY", rules.REPLY, "督办单回复", "Reply to an order", _owner, _subdistrict),
)

ARROWS = (
    arrows("", rules.IssueOrder, "ISSUED", by=(SUPERVISOR, SYSTEM), rule=rules.issue, event="issued", clause="processes §0.4"),
    arrows("ISSUED", rules.Reply, "REPLIED", by=RESPONSIBLE, rule=rules.reply, meets=("REPLY",), event="replied"),
    arrows("REPLIED", rules.AcceptReply, "CLOSED:ACCEPTED", by=SUPERVISOR, rule=rules.accept, may=rules.may_judge, event="accepted"),
    arrows("REPLIED", rules.ReturnReply, "ISSUED", by=SUPERVISOR, rule=rules.return_reply, may=rules.may_judge, event="returned"),
    arrows(("ISSUED", "REPLIED"), rules.WithdrawOrder, "CLOSED:WITHDRAWN", by=SUPERVISOR, rule=rules.withdraw, event="withdrawn"),
    arrows(("ISSUED", "REPLIED"), rules.SubjectSettled, "CLOSED:SETTLED", by=SYSTEM, rule=rules.settle, event="settled"),
    arrows(ENDED, rules.SubjectSettled, by=SYSTEM, rule=rules.settled_already, event="settled_already"),
)
# fmt: on


def facets(case: Case[SupervisionOrder]) -> Mapping[str, Any]:
    """The columns that lists filter by."""
    data = case.data
    return {
        "lead_org": data.responsible_org,
        "orgs": [data.responsible_org] if data.responsible_org else [],
        "category_code": data.color.value if data.color else None,
        "submitted_by": data.issued_by or None,
        "reporter_id": data.issued_by or None,
    }


def place(command: Any, facts: Mapping[str, Any]) -> str:
    """The community of the subject: looked up by the door, whatever the caller says; or told by the late case."""
    if "subject_id" in facts:
        return str(facts["subject_id"]["community"])
    return str(command.community_code)


SUPERVISION_ORDER: Process[SupervisionOrder] = Process(
    name="supervision_order",
    plural="supervision-orders",
    zh="督办单",
    en="Supervision order",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=SupervisionOrder,
    place=place,
    facets=facets,
    papers=(Paper("SUPERVISION_ORDER", "督办单", "Supervision order", on=("issued", "returned")),),
)
