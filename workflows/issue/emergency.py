"""Clocks of an issue in an emergency (应急): the street stops those counted in days, and resumes them (pure; P8)."""

from workflows.issue import commands as do
from workflows.issue.data import Issue
from workflows.kernel.calendar import Unit
from workflows.kernel.clocks import ClockState, Pause, Resume
from workflows.kernel.process import Case, Change, Turn

DUTIES = (
    "TRIAGE", "VERIFY", "TRANSFER", "SIGN", "DESIGNATE", "REFER_REPLY", "PLAN", "HANDLE", "REVIEW", "FEEDBACK",
    "RETURN", "DISPUTE",
)  # fmt: skip
"""What the community and its leads owe; rights of people and promised days of a decision never stop."""
DAYS = (Unit.WORKING_DAYS, Unit.CALENDAR_DAYS)
WAITS_ANYWAY = ("SUSPENDED", "COMPLETION_REVIEW")
"""Where the handling time is stopped for a reason of its own."""


def pause(case: Case[Issue], cmd: do.PauseForEmergency, turn: Turn) -> Change:
    """Hours are for what cannot wait: they run on."""
    stopped = tuple(
        clock.code
        for clock in case.clocks
        if clock.code in DUTIES and clock.state is ClockState.RUNNING and clock.duration.unit in DAYS
    )
    return Change(
        sets={"emergency_paused": tuple(dict.fromkeys((*case.data.emergency_paused, *stopped)))},
        clocks=tuple(Pause(code=code, why="EMERGENCY") for code in stopped),
    )


def resume(case: Case[Issue], cmd: do.ResumeAfterEmergency, turn: Turn) -> Change:
    """With the time that was left."""
    running = tuple(
        Resume(code=code)
        for code in case.data.emergency_paused
        if not (code == "HANDLE" and case.state in WAITS_ANYWAY) and _stopped(case, code)
    )
    return Change(sets={"emergency_paused": ()}, clocks=running)


def _stopped(case: Case[Issue], code: str) -> bool:
    clock = case.clock(code)
    return clock is not None and clock.state is ClockState.PAUSED
