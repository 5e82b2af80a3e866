"""P8, an emergency 网格发现—社区呼叫—分级响应—协同处置 (EmergencyWorkflow): states, clocks, arrows (pure; seed 001 §二4)."""

from collections.abc import Mapping
from typing import Any

from workflows.emergency import commands as do
from workflows.emergency import rules
from workflows.emergency.data import Emergency
from workflows.kernel.clocks import ClockRule
from workflows.kernel.process import Address, Case, Moment, Process, State, Who, arrows
from workflows.kernel.roles import TITLES, Role
from workflows.kernel.upkeep import upkeep

STATES = (
    State("DETECTED", "已发现", "Detected", work=("call",)),
    State("CALLED", "已呼叫", "Called", work=("grade", "false_alarm")),
    State("RESPONDING", "响应中", "Responding", work=("report", "contain")),
    State("CONTAINED", "已受控", "Contained", work=("stand_down",)),
    State("STOOD_DOWN", "已解除", "Stood down", work=("review",)),
    State("CLOSED:REVIEWED", "已复盘", "Reviewed", ends=True),
    State("CLOSED:FALSE_ALARM", "误报", "False alarm", ends=True),
)
LIVE = ("RESPONDING", "CONTAINED")
BEYOND = (*LIVE, "STOOD_DOWN")
EVERYWHERE = tuple(state.name for state in STATES)


def _role(role: Role) -> Who:
    return Who(role, TITLES[role][0], lambda case: (Address(role=role, place=case.community),))


def _commander(case: Case[Emergency]) -> tuple[Address, ...]:
    return (Address(person=case.data.commander),) if case.data.commander else ()


def _teams(case: Case[Emergency]) -> tuple[Address, ...]:
    teams = dict.fromkeys(task.team for task in case.data.tasks.values() if task.done_at is None)
    return tuple(Address(role=Role.UNIT_LIAISON, org=team) for team in teams)


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
GRID, WORKER, SECRETARY = _role(Role.GRID_WORKER), _role(Role.COMMUNITY_WORKER), _role(Role.PARTY_SECRETARY)
DEPUTY, OFFICER = _role(Role.CWC_VICE_CHAIR), _role(Role.SUBDISTRICT_OFFICER)
FINDERS = tuple(
    _role(role)
    for role in (
        Role.GRID_WORKER,
        Role.COMMUNITY_WORKER,
        Role.BUILDING_HEAD,
        Role.VOLUNTEER,
        Role.PARTY_SECRETARY,
        Role.SUBDISTRICT_OFFICER,
        Role.RESIDENT,
    )
)
COMMANDER = Who("commander", "指挥人", _commander)
"""Whoever graded it, or took the command over: exactly one person (统一指挥)."""
TEAM = Who("team", "任务队伍", _teams)


def _community(case: Case[Any], ref: str) -> str:
    return case.community


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


def _team(case: Case[Any], ref: str) -> str:
    return case.data.tasks[ref].team if ref in case.data.tasks else case.community


# fmt: off
CLOCKS = (
    ClockRule("CALL", "clock.emergency.call", "社区呼叫", "Call", _community, _subdistrict),
    ClockRule("GRADE", "clock.emergency.grade", "分级", "Grading", _community, _subdistrict),
    ClockRule("REPORT", "clock.emergency.report", "首次上报", "First report", _community, _subdistrict),
    ClockRule("ACK", "clock.emergency.ack", "任务确认", "Acknowledgement", _team, _community),
    ClockRule("SITUATION", "clock.emergency.situation", "情况续报", "Situation report", _community, _subdistrict),
    ClockRule("REVIEW", "clock.emergency.review", "应急复盘", "Review", _community, _subdistrict),
)

ARROWS = (
    arrows("", do.Detect, "DETECTED", by=(*FINDERS, SYSTEM), rule=rules.detect, starts=("CALL",), event="detected", clause="001 §二4"),
    arrows("DETECTED", do.Call, "CALLED", by=(WORKER, SECRETARY), rule=rules.call, meets=("CALL",), starts=("GRADE",), event="called", clause="001 §二4"),
    arrows("DETECTED", Moment("DUE", "CALL"), by=SYSTEM, rule=rules.nobody_called),
    arrows("CALLED", do.Grade, "RESPONDING", by=(SECRETARY, DEPUTY), rule=rules.grade, meets=("GRADE",), starts=("SITUATION",), event="graded", clause="001 §二4"),
    arrows("CALLED", do.FalseAlarm, "CLOSED:FALSE_ALARM", by=GRID, rule=rules.false_alarm, cancels=("GRADE",)),
    arrows(LIVE, do.Report, by=(COMMANDER, WORKER, SECRETARY), rule=rules.report, event="reported"),
    arrows("RESPONDING", do.GiveTask, by=COMMANDER, rule=rules.give_task, event="tasked", clause="001 §二4"),
    arrows(LIVE, do.AckTask, by=(TEAM, WORKER), rule=rules.ack_task, event="task_acknowledged"),
    arrows(LIVE, do.FinishTask, by=(TEAM, WORKER), rule=rules.finish_task, event="task_finished"),
    arrows("RESPONDING", do.Upgrade, by=(COMMANDER, OFFICER), rule=rules.upgrade, event="upgraded"),
    arrows("RESPONDING", do.Downgrade, by=(COMMANDER, OFFICER), rule=rules.downgrade, event="downgraded"),
    arrows("RESPONDING", do.HandOver, by=(COMMANDER, OFFICER), rule=rules.hand_over, event="command_handed_over", clause="001 §二4"),
    arrows("RESPONDING", do.Contain, "CONTAINED", by=COMMANDER, rule=rules.contain, event="contained"),
    arrows("CONTAINED", do.FlareUp, "RESPONDING", by=COMMANDER, rule=rules.flare_up, starts=("SITUATION",), event="flared_up"),
    arrows("CONTAINED", do.StandDown, "STOOD_DOWN", by=COMMANDER, rule=rules.stand_down, may=rules.was_reported, starts=("REVIEW",), event="stood_down"),
    arrows(LIVE, do.PauseClocks, by=OFFICER, rule=rules.pause, may=rules.may_pause, event="clocks_paused"),
    arrows(EVERYWHERE, do.TakeIssues, by=SYSTEM, rule=rules.take_issues, event="issues_taken"),
    arrows(BEYOND, do.ResumeClocks, by=OFFICER, rule=rules.resume, may=rules.is_paused, event="clocks_resumed"),
    arrows("STOOD_DOWN", do.Review, "CLOSED:REVIEWED", by=SECRETARY, rule=rules.review, may=rules.may_review, meets=("REVIEW",), event="reviewed"),
)
# fmt: on


def work(case: Case[Emergency]) -> tuple[str, ...]:
    """Clocks that were stopped must run again."""
    return ("resume_clocks",) if case.data.paused and case.state == "STOOD_DOWN" else ()


def facets(case: Case[Emergency]) -> Mapping[str, Any]:
    """The columns that lists filter by; whoever commands and whoever is tasked may know of it."""
    data = case.data
    return {
        "category_code": data.kind.value if data.kind else None,
        "closure_code": case.phase or None,
        "reporter_id": data.detected_by or None,
        "orgs": list(dict.fromkeys(task.team for task in data.tasks.values())),
        "people": [data.commander] if data.commander else [],
    }


EMERGENCY: Process[Emergency] = Process(
    name="emergency",
    plural="emergencies",
    zh="应急",
    en="Emergency",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Emergency,
    place=lambda command, facts: str(command.community_code),
    facets=facets,
    work=work,
)
