"""The term of a permit (进驻期限) as clocks: its end, its reminders, and the time for a renewal (pure).

All are counted in calendar days from the start of the term, so that they keep their distances in a drill too.
"""

from datetime import datetime

from workflows.admission.data import Admission
from workflows.kernel.calendar import Duration, Unit
from workflows.kernel.clocks import Cancel, ClockOp, Start
from workflows.kernel.process import Case, Turn


def term_clocks(days: int, turn: Turn, *, since: datetime | None = None) -> tuple[ClockOp, ...]:
    """TERM ends at 24:00 of its last day; reminders at 00:00 of the days so many days before it."""
    least, most = (int(one) for one in turn.policy.span("admission.renewal.window"))
    # The window opens with a day and closes with one: 11-01 to 12-01 for a term until 12-31.
    limits = tuple(_days(left) for left in (days - most - 1, days - least) if left > 0)
    reminders = sorted({int(one) for one in turn.policy.span("admission.expiry.remind")}, reverse=True)
    return (
        Start(code="TERM", duration=_days(days), since=since, limits=limits),
        *(
            Start(code="EXPIRY", ref=str(before), duration=_days(days - before - 1), since=since)
            for before in reminders
            if days - before - 1 > 0
        ),
    )


def longer_term(case: Case[Admission], days: int, turn: Turn) -> tuple[ClockOp, ...]:
    """The same term, counted from its start, with another last day."""
    term = case.clock("TERM")
    assert term is not None
    return (
        Cancel(code="TERM", reason="SUPERSEDED"),
        Cancel(code="EXPIRY", reason="SUPERSEDED"),
        *term_clocks(days, turn, since=term.started_at),
    )


def renewal_window(case: Case[Admission], turn: Turn) -> tuple[datetime | None, datetime | None]:
    """From when until before when a renewal may be asked for; None: from the start, or not at all."""
    term = case.clock("TERM")
    least, most = turn.policy.span("admission.renewal.window")
    limits = list(term.limits) if term is not None else []
    opens = limits.pop(0) if limits and case.data.term_days > most + 1 else None
    closes = limits.pop(0) if limits and case.data.term_days > least else None
    return opens, closes


def _days(count: int) -> Duration:
    return Duration(count, Unit.CALENDAR_DAYS)
