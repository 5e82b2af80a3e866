"""P2, the monthly collection round 每月征集 (CollectionRoundWorkflow): states, clocks, table of arrows (pure)."""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Address, Cadence, Case, Moment, Paper, Process, State, Who, arrows
from workflows.kernel.roles import TITLES, Role
from workflows.kernel.upkeep import upkeep
from workflows.round import commands as do
from workflows.round import rules
from workflows.round.data import Round

STATES = (
    State("PLANNED", "待启动", "Planned", work=("open_round",)),
    State("OPEN", "征集中", "Open", work=("record_visit", "close_collection")),
    State("CONSOLIDATING", "汇总中", "Consolidating", work=("publish_problem_list",)),
    State("CLOSED", "已发布清单", "Closed", ends=True),
    State("CLOSED:NOT_NEEDED", "当月已达标", "Not needed", ends=True),
    State("MISSED", "当月未征集", "Missed", ends=True),
    State("WAIVED", "已免除", "Waived", ends=True),
)
RUNNING = ("PLANNED", "OPEN")
EVERYWHERE = tuple(state.name for state in STATES)


def _role(role: Role) -> Who:
    return Who(role, TITLES[role][0], lambda case: (Address(role=role, place=case.community),))


def _collectors(case: Case[Round]) -> tuple[Address, ...]:
    return tuple(Address(person=person) for person in case.data.collectors)


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
CHAIR = _role(Role.CWC_CHAIR)
LEADERS = (CHAIR, _role(Role.CWC_VICE_CHAIR))
COLLECTOR = Who("collector", "征集人员", _collectors)
"""Whoever the plan of the round names (processes P2)."""
WORKER = _role(Role.COMMUNITY_WORKER)
OFFICER = _role(Role.SUBDISTRICT_OFFICER)


def _community(case: Case[Any], ref: str) -> str:
    return case.community


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


def _nobody(case: Case[Any], ref: str) -> str:
    return ""


# fmt: off
CLOCKS = (
    ClockRule("MONTH", "clock.round.month", "当月征集", "Round of the month", _community, _subdistrict),
    ClockRule("MONTH_END", "clock.round.month", "月末", "End of the month", _nobody, _nobody, ClockKind.WINDOW),
    ClockRule("REMIND", "round.remind_days", "征集提醒", "Reminder", _nobody, _nobody, ClockKind.WINDOW),
    ClockRule("CONSOLIDATE", "clock.round.consolidate", "汇总", "Consolidation", _community, _subdistrict),
)

ARROWS = (
    arrows("", do.PlanRound, "PLANNED", by=(SYSTEM, *LEADERS), rule=rules.plan, event="planned", clause="001 §四1"),
    arrows("PLANNED", do.OpenRound, "OPEN", by=LEADERS, rule=rules.open_round, event="opened", clause="001 §四1"),
    arrows(("OPEN", "MISSED"), do.RecordVisit, by=(COLLECTOR, *LEADERS), rule=rules.record_visit, event="visited", clause="001 §四1"),
    arrows("OPEN", do.CloseCollection, "CONSOLIDATING", by=CHAIR, rule=rules.close_collection, meets=("MONTH",), cancels=("MONTH_END", "REMIND"), starts=("CONSOLIDATE",), event="collected"),
    arrows("CONSOLIDATING", do.PublishProblemList, "CLOSED", by=WORKER, rule=rules.publish, meets=("CONSOLIDATE",), event="published", clause="001 §四1"),
    arrows(RUNNING, Moment("ENDED", "REMIND"), by=SYSTEM, rule=rules.remind),
    arrows(RUNNING, Moment("ENDED", "MONTH_END"), ("CONSOLIDATING", "CLOSED:NOT_NEEDED"), by=SYSTEM, rule=rules.month_ends),
    arrows(RUNNING, Moment("DUE", "MONTH"), "MISSED", by=SYSTEM, rule=rules.missed, clause="001 §四1"),
    arrows(RUNNING, do.Waive, "WAIVED", by=OFFICER, rule=rules.waive, cancels=("MONTH",), event="waived", clause="001 §四1"),
    arrows(EVERYWHERE, do.SiblingPlanned, by=SYSTEM, rule=rules.sibling_planned),
    arrows(EVERYWHERE, do.SiblingValid, by=SYSTEM, rule=rules.sibling_valid),
)
# fmt: on


def facets(case: Case[Round]) -> Mapping[str, Any]:
    """Lists filter by the month; the system stands behind every round, so that no resident may look into it."""
    month = case.data.month
    return {
        "problem_month": month if len(month) == len("2026-11") else None,
        "reporter_id": case.data.opened_by or Role.SYSTEM.value,
        "people": list(case.data.collectors),
    }


ROUND: Process[Round] = Process(
    name="round",
    plural="rounds",
    zh="征集轮次",
    en="Collection round",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Round,
    place=lambda command, facts: str(command.community_code),
    facets=facets,
    needs={
        do.PlanRound: ("rounds_of_month",),
        do.OpenRound: ("collection_ground",),
        do.RecordVisit: ("visited_place",),
        do.PublishProblemList: ("problem_list_of_month",),
        do.Waive: ("emergency",),
    },
    papers=(Paper("PROBLEM_LIST", "问题清单", "Problem list", on=("published",)),),
    cadences=(
        Cadence(code="monthly", every="MONTH", level="SUBDISTRICT", question="rounds_to_open", command="plan_round"),
    ),
)
