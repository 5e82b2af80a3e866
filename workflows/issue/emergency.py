"""An issue and emergencies (应急): danger starts one; in one the street stops clocks counted in days (pure; P8)."""

from typing import Any

from workflows.issue import commands as do
from workflows.issue.data import Issue, Source
from workflows.kernel.calendar import Unit
from workflows.kernel.clocks import ClockState, Pause, Resume
from workflows.kernel.process import Case, Change, Effect, Turn, derived_id

DUTIES = (
    "TRIAGE", "VERIFY", "TRANSFER", "SIGN", "DESIGNATE", "REFER_REPLY", "PLAN", "HANDLE", "REVIEW", "FEEDBACK",
    "RETURN", "DISPUTE",
)  # fmt: skip
"""What the community and its leads owe; rights of people and promised days of a decision never stop."""
DAYS = (Unit.WORKING_DAYS, Unit.CALENDAR_DAYS)
WAITS_ANYWAY = ("SUSPENDED", "COMPLETION_REVIEW")
"""Where the handling time is stopped for a reason of its own."""


def raised(case: Case[Issue], cmd: do.SubmitIssue, category: Any, turn: Turn) -> tuple[Effect, ...]:
    """Who reports danger calls the community (processes P1): an emergency begins beside the issue.

    So does a category that is dangerous and cannot wait (燃气异味, policy-packs §6); one that is dangerous only in the
    long run does not. What an emergency has left behind, and what is entered afterwards, calls nobody.
    """
    at_once = category is not None and category.danger and category.clock_class == "URGENT"
    if not (cmd.danger or at_once) or cmd.source is Source.EMERGENCY or cmd.reported_at is not None:
        return ()
    fields: dict[str, Any] = {
        "community_code": cmd.community_code,
        "kind": "ACCIDENT",
        "place_text": cmd.place_text or cmd.title,
        "description": cmd.description or None,
        "danger": True,
        "issue": case.id,
        "found_by": cmd.collector or turn.actor.id,
    }
    return (Effect("START", "emergency", derived_id("emergency", case.id), "detect", fields, turn.now),)


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
