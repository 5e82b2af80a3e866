"""Clocks (时限): their states, their ladder of colours, pauses, and the next moment at which one speaks (pure).

A clock is `RUNNING → MET | BREACHED | PAUSED | CANCELLED`, `BREACHED → MET_LATE` (processes §0.3). Its due, BLUE
and RED moments are stamps: `record` computes them where the calendar is and hands them back, so that a replay
never depends on an edition of the calendar. Here they are only compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from workflows.kernel.amending import amend
from workflows.kernel.calendar import Duration


class ClockState(StrEnum):
    """Where a clock stands (时限状态)."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    BREACHED = "BREACHED"
    MET = "MET"
    MET_LATE = "MET_LATE"
    CANCELLED = "CANCELLED"


class Color(StrEnum):
    """Rungs of the escalation ladder (三色督办), processes §0.4."""

    NONE = "NONE"
    BLUE = "BLUE"
    YELLOW = "YELLOW"
    RED = "RED"


class ClockKind(StrEnum):
    """What the end of a clock means."""

    DUTY = "DUTY"
    """Somebody owes something until then; silence is a breach."""
    WINDOW = "WINDOW"
    """A right or a minimum period that simply ends."""


@dataclass(frozen=True, slots=True)
class ClockRule:
    """A row of the clock register (时限登记, policy-packs §9): which value, who owes, who watches.

    `ladder`: HANDLE-type, with BLUE before and RED after its due time. `red_at_due`: RED at once (OVERALL).
    `outlives`: goes on when the case has ended (reopening, minimum publication).
    """

    code: str
    parameter: str
    zh: str
    en: str
    owner: Callable[[Any, str], str]
    """Code of the place or organisation that owes it, from the case and the clock's ref."""
    supervisor: Callable[[Any, str], str]
    kind: ClockKind = ClockKind.DUTY
    ladder: bool = False
    red_at_due: bool = False
    outlives: bool = False


# --- what a change may do to clocks --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start a clock; without a duration the register's parameter is taken."""

    code: str
    ref: str = ""
    duration: Duration | None = None
    parameter: str = ""
    since: datetime | None = None
    """Counted from here instead of the moment of the event (90 days from registration)."""
    limits: tuple[Duration, ...] = ()
    """Further moments of the same start that guards need: a validator cannot wait for a calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meet:
    """The owed thing is done: MET, or MET_LATE after a breach; `at` when it was done earlier than it was seen."""

    code: str
    ref: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The clock no longer matters; a breach that already happened stays in the figures."""

    code: str
    ref: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Stop the time of a running clock; a breached one stays breached."""

    code: str
    ref: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Let a paused clock run on with its remaining time."""

    code: str
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """Move the due time of a running clock to the end of a day; the original due time is kept."""

    code: str
    duration: Duration
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment of the ladder has come: `BLUE`, `YELLOW` (breach), `RED`, `RED_PLUS_PLUS`, or a window's `END`."""

    number: int
    rung: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restamp:
    """Compute the moments again: the calendar knows more than when the clock started."""

    number: int


ClockOp = Start | Meet | Cancel | Pause | Resume | Extend | Mark | Restamp


# --- a clock -------------------------------------------------------------------------------------------


_RUNNING, _PAUSED, _BREACHED = ClockState.RUNNING, ClockState.PAUSED, ClockState.BREACHED


@dataclass(frozen=True, kw_only=True)
class Clock:
    """One clock of one case. `number` is its place among all clocks of the case, from 1."""

    number: int
    code: str
    ref: str
    kind: ClockKind
    ladder: bool
    red_at_due: bool
    outlives: bool
    duration: Duration
    parameter: str
    owner: str
    supervisor: str
    started_at: datetime
    after_end: bool = False
    """Started by the end of another clock at 24:00, so its start day is the day that ended."""
    state: ClockState = ClockState.RUNNING
    color: Color = Color.NONE
    due_at: datetime | None = None
    original_due_at: datetime | None = None
    blue_at: datetime | None = None
    red_at: datetime | None = None
    red_plus_plus_at: datetime | None = None
    limits: tuple[datetime, ...] = ()
    provisional: bool = False
    paused_at: datetime | None = None
    breached_at: datetime | None = None
    closed_at: datetime | None = None
    close_reason: str = ""

    @property
    def live(self) -> bool:
        """Say whether the clock still counts: running, paused or breached and not yet met."""
        state = self.state
        return state is _RUNNING or state is _BREACHED or state is _PAUSED

    def next_moment(self) -> tuple[datetime, str] | None:
        """The next moment at which this clock speaks, and the rung it reaches then."""
        if self.state is ClockState.RUNNING:
            if self.blue_at is not None and self.color is Color.NONE:
                return self.blue_at, "BLUE"
            if self.due_at is not None:
                return self.due_at, "END" if self.kind is ClockKind.WINDOW else "YELLOW"
        if self.state is ClockState.BREACHED:
            if self.color is Color.YELLOW and self.red_at is not None:
                return self.red_at, "RED"
            if self.color is Color.RED and self.red_plus_plus_at is not None:
                return self.red_plus_plus_at, "RED_PLUS_PLUS"
        return None


def nearest(clocks: tuple[Clock, ...]) -> tuple[datetime, str, Clock] | None:
    """The earliest moment of all clocks; of two at one moment the older clock speaks first."""
    found: tuple[datetime, str, Clock] | None = None
    for clock in clocks:
        moment = clock.next_moment()
        if moment is not None and (found is None or moment[0] < found[0]):
            found = (moment[0], moment[1], clock)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRequest:
    """What only the calendar can tell: the moments of a clock that starts, resumes or is extended."""

    number: int
    op: str
    """`START`, `RESUME` or `EXTEND`."""
    duration: Duration
    started_at: datetime
    after_end: bool
    ladder: bool
    red_at_due: bool
    limits: tuple[Duration, ...] = ()
    due_at: datetime | None = None
    paused_at: datetime | None = None
    resumed_at: datetime | None = None
    limits_at: tuple[datetime, ...] = ()
    """Limits as they stood before the pause."""
    not_before: datetime | None = None
    """A clock counted from an earlier moment speaks at the earliest when it was really started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The calendar's answer to a request (时限计算结果); moments are aware, 24:00 is 00:00 of the next day."""

    number: int
    due_at: datetime
    blue_at: datetime | None = None
    red_at: datetime | None = None
    red_plus_plus_at: datetime | None = None
    limits: tuple[datetime, ...] = ()
    provisional: bool = False
    skipped: tuple[tuple[str, str], ...] = ()
    """Days that did not count, as (ISO date, reason); for people, not for rules."""


def stamped(clock: Clock, stamp: Stamp) -> Clock:
    """Put the computed moments into a clock; the first due time is kept as the original one."""
    return amend(
        clock,
        due_at=stamp.due_at,
        original_due_at=clock.original_due_at or stamp.due_at,
        blue_at=stamp.blue_at,
        red_at=stamp.red_at,
        red_plus_plus_at=stamp.red_plus_plus_at,
        limits=stamp.limits or clock.limits,
        provisional=stamp.provisional,
    )


def apply(clock: Clock, op: ClockOp, at: datetime) -> tuple[Clock, StampRequest | None]:
    """Apply one operation to a live clock; pausing what is breached and the like change nothing."""
    match op:
        case Meet():
            done = op.at or at
            if clock.state is ClockState.BREACHED:
                return amend(clock, state=ClockState.MET_LATE, closed_at=done), None
            return amend(clock, state=ClockState.MET, closed_at=done, paused_at=None), None
        case Cancel():
            return amend(clock, state=ClockState.CANCELLED, closed_at=at, close_reason=op.reason), None
        case Pause() if clock.state is ClockState.RUNNING:
            return amend(clock, state=ClockState.PAUSED, paused_at=at), None
        case Resume() if clock.state is ClockState.PAUSED:
            request = StampRequest(
                number=clock.number,
                op="RESUME",
                duration=clock.duration,
                started_at=clock.started_at,
                after_end=clock.after_end,
                ladder=clock.ladder,
                red_at_due=clock.red_at_due,
                due_at=clock.due_at,
                paused_at=clock.paused_at,
                resumed_at=at,
                limits_at=clock.limits,
            )
            return amend(clock, state=ClockState.RUNNING, paused_at=None), request
        case Extend():
            request = StampRequest(
                number=clock.number,
                op="EXTEND",
                duration=op.duration,
                started_at=at,
                after_end=False,
                ladder=clock.ladder,
                red_at_due=clock.red_at_due,
            )
            return amend(clock, duration=op.duration, color=Color.NONE), request
        case Restamp():
            request = StampRequest(
                number=clock.number,
                op="START",
                duration=clock.duration,
                started_at=clock.started_at,
                after_end=clock.after_end,
                ladder=clock.ladder,
                red_at_due=clock.red_at_due,
            )
            return amend(clock, original_due_at=None), request
        case Mark():
            return _marked(clock, op.rung, at), None
        case _:
            return clock, None


def _marked(clock: Clock, rung: str, at: datetime) -> Clock:
    match rung:
        case "BLUE":
            return amend(clock, color=Color.BLUE)
        case "YELLOW":
            return amend(clock, state=ClockState.BREACHED, color=Color.YELLOW, breached_at=at)
        case "RED":
            return amend(clock, color=Color.RED)
        case "RED_PLUS_PLUS":
            return amend(clock, red_plus_plus_at=None)
        case "END":
            return amend(clock, state=ClockState.MET, closed_at=at)
    raise ValueError(f"no such rung: {rung}")
