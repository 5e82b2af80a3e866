"""Supervision case, 督查反馈 / 挂牌销号: states, clocks and the table of arrows (pure; seed 000 §五三是)."""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Address, Case, Moment, Paper, Process, State, Who, arrows
from workflows.kernel.roles import TITLES, Role
from workflows.kernel.upkeep import upkeep
from workflows.supervision import rules
from workflows.supervision.data import Supervision

STATES = (
    State("OPENED", "已立案", "Opened", work=("list", "report_rectified")),
    State("LISTED", "已挂牌", "Listed", work=("report_rectified",)),
    State("VERIFYING", "核查中", "Verifying", work=("delist", "refuse_delist")),
    State("DELISTED", "已销号", "Delisted", ends=True),
)
OPEN = ("OPENED", "LISTED", "VERIFYING")


def _responsible(case: Case[Supervision]) -> tuple[Address, ...]:
    if case.data.responsible_org is None:
        return tuple(Address(role=one, place=case.community) for one in (Role.COMMUNITY_WORKER, Role.PARTY_SECRETARY))
    return tuple(Address(role=one, org=case.data.responsible_org) for one in rules.RESPONSIBLE_ROLES)


def _supervisor(case: Case[Supervision]) -> tuple[Address, ...]:
    return (Address(role=Role.SUPERVISOR, place=case.community),)


def _worker(case: Case[Supervision]) -> tuple[Address, ...]:
    return (Address(role=Role.COMMUNITY_WORKER, place=case.community),)


SYSTEM = Who(Role.SYSTEM, "系统定时", lambda case: (Address(role=Role.SYSTEM),))
SUPERVISOR = Who(Role.SUPERVISOR, TITLES[Role.SUPERVISOR][0], _supervisor)
RESPONSIBLE = Who("responsible", "责任单位", _responsible)
WORKER = Who(Role.COMMUNITY_WORKER, TITLES[Role.COMMUNITY_WORKER][0], _worker)


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


def _county(case: Case[Any], ref: str) -> str:
    return case.county


def _owner(case: Case[Any], ref: str) -> str:
    return case.data.responsible_org or case.community


# fmt: off
CLOCKS = (
    ClockRule("LIST", "clock.supervision.list", "挂牌", "Listing", _subdistrict, _county),
    ClockRule("RECTIFY", "clock.supervision.rectify", "整改", "Rectification", _owner, _subdistrict),
    ClockRule("VERIFY", "clock.supervision.verify", "核查", "Verification", _subdistrict, _county),
    ClockRule("COUNTY", "issue.red_street_max", "报县区", "To the county", _owner, _county, ClockKind.WINDOW),
)

ARROWS = (
    arrows("", rules.OpenSupervision, "OPENED", by=(SYSTEM, SUPERVISOR), rule=rules.open_case, starts=("LIST",), event="opened"),
    arrows("OPENED", rules.ListCase, "LISTED", by=SUPERVISOR, rule=rules.list_case, meets=("LIST",), clause="000 §五三是"),
    arrows(("OPENED", "LISTED"), rules.ReportRectified, "VERIFYING", by=RESPONSIBLE, rule=rules.report_rectified, cancels=("LIST",), starts=("VERIFY",)),
    arrows(("LISTED", "VERIFYING"), rules.RecordSatisfaction, by=(SUPERVISOR, WORKER), rule=rules.record_satisfaction),
    arrows("VERIFYING", rules.Delist, "DELISTED", by=SUPERVISOR, rule=rules.delist, may=rules.may_delist, meets=("VERIFY",), clause="000 §五三是"),
    arrows("VERIFYING", rules.RefuseDelist, "LISTED", by=SUPERVISOR, rule=rules.refuse_delist, may=rules.may_delist, meets=("VERIFY",)),
    arrows("LISTED", Moment("DUE", "RECTIFY"), by=SYSTEM, rule=rules.rectify_due),
    arrows(("LISTED", "VERIFYING"), Moment("ENDED", "COUNTY"), by=SYSTEM, rule=rules.to_county),
)

# fmt: on


def facets(case: Case[Supervision]) -> Mapping[str, Any]:
    """The columns that lists filter by."""
    data = case.data
    return {
        "lead_org": data.responsible_org,
        "red": case.state in OPEN,
        "orgs": [data.responsible_org] if data.responsible_org else [],
        "submitted_by": data.opened_by or None,
        # Somebody stands behind each of them, so that no resident opens one by its number; what is public is posted.
        "reporter_id": data.opened_by or None,
    }


def place(command: Any, facts: Mapping[str, Any]) -> str:
    """The community of the subject: looked up by the door, whatever the caller says; or told by the sending case."""
    if "subject_id" in facts:
        return str(facts["subject_id"]["community"])
    return str(command.community_code)


SUPERVISION: Process[Supervision] = Process(
    name="supervision",
    plural="supervisions",
    zh="督查件",
    en="Supervision case",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Supervision,
    place=place,
    facets=facets,
    needs={rules.Delist: ("supervised_subject",)},
    papers=(
        Paper("RED_ORDER", "红色督办单", "Red order", on=("opened",)),
        Paper("LISTING_ORDER", "挂牌督办单", "Order of a listed case", on=("list", "refuse_delist")),
        Paper("DELISTING_NOTICE", "销号通知书", "Notice of delisting", on=("delist",)),
    ),
)
