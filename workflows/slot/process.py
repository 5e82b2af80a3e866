"""Cadence of a body (MeetingCadenceWorkflow, 每月例会): one slot for each community, body and month (pure)."""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Address, Cadence, Case, Moment, Process, State, Who, arrows
from workflows.kernel.roles import Role
from workflows.kernel.upkeep import upkeep
from workflows.slot import rules
from workflows.slot.data import Slot

STATES = (
    State("SLOT_OPEN", "待排会", "Open"),
    State("SLOT_FILLED", "已排会", "Filled"),
    State("SLOT_DONE", "已开会", "Done", ends=True),
    State("SLOT_MISSED", "当月未开会", "Missed"),
    State("SLOT_MISSED:NOT_MADE_UP", "未补开", "Missed and not made up", ends=True),
    State("SLOT_MADE_UP", "已补开", "Made up", ends=True),
)
RUNNING = ("SLOT_OPEN", "SLOT_FILLED")
OVER = ("SLOT_DONE", "SLOT_MISSED:NOT_MADE_UP", "SLOT_MADE_UP")

SYSTEM = Who(Role.SYSTEM, "系统定时", lambda case: (Address(role=Role.SYSTEM),))


def _community(case: Case[Any], ref: str) -> str:
    return case.community


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


def _nobody(case: Case[Any], ref: str) -> str:
    return ""


# fmt: off
CLOCKS = (
    ClockRule("SLOT", "clock.meeting.slot", "当月例会", "Meeting of the month", _community, _subdistrict),
    ClockRule("MAKE_UP", "meeting.makeup", "补会", "Making up", _community, _subdistrict),
    ClockRule("REMIND", "meeting.slot_reminder", "排会提醒", "Reminder", _nobody, _nobody, ClockKind.WINDOW),
    ClockRule("REMIND_STREET", "meeting.slot_street", "报街道", "Street is told", _nobody, _nobody, ClockKind.WINDOW),
)

ARROWS = (
    arrows("", rules.OpenSlot, ("SLOT_OPEN", "SLOT_FILLED"), by=SYSTEM, rule=rules.open_slot, event="slot_opened", clause="001 §四2"),
    arrows(RUNNING, rules.FillSlot, "SLOT_FILLED", by=SYSTEM, rule=rules.fill),
    arrows(RUNNING, rules.ReopenSlot, "SLOT_OPEN", by=SYSTEM, rule=rules.reopen),
    arrows(RUNNING, rules.SlotHeld, "SLOT_DONE", by=SYSTEM, rule=rules.held, meets=("SLOT",), clause="001 §四2"),
    arrows("SLOT_MISSED", rules.SlotHeld, "SLOT_MADE_UP", by=SYSTEM, rule=rules.made_up, meets=("MAKE_UP", "SLOT")),
    arrows(("SLOT_MISSED", *OVER), rules.FillSlot, by=SYSTEM, rule=rules.too_late),
    arrows(("SLOT_MISSED", *OVER), rules.ReopenSlot, by=SYSTEM, rule=rules.too_late),
    arrows(OVER, rules.SlotHeld, by=SYSTEM, rule=rules.too_late),
    arrows("SLOT_OPEN", Moment("ENDED", "REMIND"), by=SYSTEM, rule=rules.remind),
    arrows("SLOT_OPEN", Moment("ENDED", "REMIND_STREET"), by=SYSTEM, rule=rules.remind_street),
    arrows(RUNNING, Moment("DUE", "SLOT"), "SLOT_MISSED", by=SYSTEM, rule=rules.missed),
    arrows("SLOT_MISSED", Moment("DUE", "MAKE_UP"), "SLOT_MISSED:NOT_MADE_UP", by=SYSTEM, rule=rules.not_made_up),
)
# fmt: on


def facets(case: Case[Slot]) -> Mapping[str, Any]:
    """Lists filter by the month."""
    return {"problem_month": case.data.period if len(case.data.period) == len("2026-11") else None}


SLOT: Process[Slot] = Process(
    name="slot",
    plural="slots",
    zh="当月例会",
    en="Meeting of the month",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Slot,
    place=lambda command, facts: command.community_code,
    facets=facets,
    cadences=(
        Cadence(code="monthly", every="MONTH", level="SUBDISTRICT", question="slots_to_open", command="open_slot"),
    ),
)
