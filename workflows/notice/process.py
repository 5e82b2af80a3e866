"""Public notice as a service (公示): states, clock and the table of arrows (pure; processes §0.6)."""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Address, Case, Moment, Paper, Process, State, Who, arrows
from workflows.kernel.roles import TITLES, Role
from workflows.kernel.upkeep import upkeep
from workflows.notice import commands as do
from workflows.notice import rules
from workflows.notice.data import PublicNotice

STATES = (
    State("RUNNING", "公示中", "Running"),
    State("INTERRUPTED", "公示中断", "Interrupted", work=("repost",)),
    State("ENDED", "公示期满", "Ended", ends=True),
    State("ENDED:TAKEN_DOWN", "已撤下", "Taken down", ends=True),
    State("CANCELLED", "已取消", "Cancelled", ends=True),
)
HANGING = ("RUNNING", "INTERRUPTED")
EVERYWHERE = tuple(state.name for state in STATES)


def _role(role: Role) -> Who:
    return Who(role, TITLES[role][0], lambda case: (Address(role=role, place=case.community),))


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
WORKER = _role(Role.COMMUNITY_WORKER)
SECRETARY = _role(Role.PARTY_SECRETARY)
KEEPERS = (WORKER, SECRETARY)
"""Who puts notices up and takes them down."""
WITNESSES = (*KEEPERS, _role(Role.GRID_WORKER), _role(Role.CWC_MEMBER), _role(Role.SUPERVISOR))
"""Who may say that a notice hangs no longer."""


def _community(case: Case[Any], ref: str) -> str:
    return case.community


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


# fmt: off
CLOCKS = (
    ClockRule("NOTICE", "notice.general.days", "公示期", "Public notice", _community, _subdistrict, ClockKind.WINDOW),
)

ARROWS = (
    arrows("", do.PostNotice, "RUNNING", by=(SYSTEM, *KEEPERS), rule=rules.post, event="posted", clause="processes §0.6"),
    arrows("RUNNING", Moment("ENDED", "NOTICE"), "ENDED", by=SYSTEM, rule=rules.ended),
    arrows(HANGING, do.TakeDown, by=KEEPERS, may=rules.too_early, clause="001 §四5"),
    arrows("ENDED", do.TakeDown, "ENDED:TAKEN_DOWN", by=KEEPERS, event="taken_down"),
    arrows("RUNNING", do.Interrupt, "INTERRUPTED", by=WITNESSES, rule=rules.interrupt, event="interrupted"),
    arrows("INTERRUPTED", do.Repost, "RUNNING", by=KEEPERS, rule=rules.repost, event="reposted"),
    arrows(HANGING, do.Revise, "RUNNING", by=KEEPERS, rule=rules.revise, event="revised"),
    arrows(HANGING, do.Cancel, "CANCELLED", by=(SYSTEM, SECRETARY), rule=rules.cancel, may=rules.may_cancel, event="cancelled"),
    arrows(("ENDED", "ENDED:TAKEN_DOWN", "CANCELLED"), do.Cancel, by=SYSTEM, rule=rules.too_late),
    arrows(EVERYWHERE, do.ObjectionRaised, by=SYSTEM, rule=rules.objection_raised),
    arrows(EVERYWHERE, do.ObjectionResolved, by=SYSTEM, rule=rules.objection_resolved),
)
# fmt: on


def facets(case: Case[PublicNotice]) -> Mapping[str, Any]:
    """The columns that lists filter by."""
    return {"category_code": case.data.kind.value if case.data.kind else None, "submitted_by": case.data.posted_by}


NOTICE: Process[PublicNotice] = Process(
    name="notice",
    plural="notices",
    zh="公示",
    en="Public notice",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=PublicNotice,
    place=lambda command, facts: str(command.community_code),
    facets=facets,
    papers=(Paper("PUBLIC_NOTICE", "公示", "Public notice", on=("posted", "reposted", "revised"), public=True),),
)
