"""Answer what only the calendar can tell: when a clock is due, when it warns, when it climbs (pure).

`record` and the simulator both call this, each with the calendar it holds, so that both stamp alike.
"""

from dataclasses import dataclass

from workflows.kernel.calendar import Calendar, Duration, Scale, due, ladder, pause_shift
from workflows.kernel.clocks import Stamp, StampRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Rungs:
    """The steps of the escalation ladder (processes §0.4) and the scale of a drill, from the pinned pack."""

    remind_before: Duration
    red_after: Duration
    red_after_hours: Duration
    red_street_max: Duration
    scale: Scale | None = None


def answer(request: StampRequest, calendar: Calendar, rungs: Rungs) -> Stamp:
    """The moments of a clock that starts, runs on after a pause, or is extended to a day."""
    scale = rungs.scale
    skipped: tuple[tuple[str, str], ...] = ()
    provisional = False
    if request.op == "RESUME":
        if request.due_at is None or request.paused_at is None or request.resumed_at is None:
            raise ValueError(f"clock {request.number} resumes without having been paused")
        end = pause_shift(
            request.due_at, request.paused_at, request.resumed_at, request.duration, calendar, scale=scale
        )
        limits = tuple(
            pause_shift(limit, request.paused_at, request.resumed_at, request.duration, calendar, scale=scale)
            for limit in request.limits_at
        )
    else:
        found = due(request.started_at, request.duration, calendar, after_end=request.after_end, scale=scale)
        end, provisional = found.at, found.provisional
        skipped = tuple((day.date.isoformat(), day.why) for day in found.skipped)
        limits = tuple(
            due(request.started_at, limit, calendar, after_end=request.after_end, scale=scale).at
            for limit in request.limits
        )
    # Nothing is due before the act that made it so: a day that is over, or the hour at which a pause ended.
    floor = request.resumed_at or request.not_before or request.started_at
    end = max(end, floor)
    stamp = Stamp(number=request.number, due_at=end, limits=limits, provisional=provisional, skipped=skipped)
    if not request.ladder and not request.red_at_due:
        return stamp
    # Half time of an hour clock is half of the time that counts: a pause is taken out by starting later, or the
    # reminder would fall into the pause.
    taken_out = (
        end - request.due_at if request.op == "RESUME" and request.due_at and request.duration.is_hours else None
    )
    moments = ladder(
        request.started_at + taken_out if taken_out is not None else request.started_at,
        end,
        request.duration,
        calendar,
        remind_before=rungs.remind_before,
        red_after=rungs.red_after,
        red_after_hours=rungs.red_after_hours,
        red_street_max=rungs.red_street_max,
        scale=scale,
    )
    if request.red_at_due:
        return Stamp(
            number=request.number,
            due_at=end,
            red_at=end,
            limits=limits,
            provisional=provisional,
            skipped=skipped,
        )
    return Stamp(
        number=request.number,
        due_at=end,
        blue_at=max(moments.blue, floor) if moments.blue is not None else None,
        red_at=moments.red,
        red_plus_plus_at=moments.red_plus_plus,
        limits=limits,
        provisional=provisional,
        skipped=skipped,
    )
