"""What `record` and the simulator stamp: the ladder of a clock that was paused."""

from datetime import datetime, timedelta

from workflows.kernel.calendar import CHINA, Duration, HostCalendar, Unit
from workflows.kernel.clocks import StampRequest
from workflows.kernel.stamping import Rungs, answer

CALENDAR = HostCalendar("weekdays", {})
RUNGS = Rungs(
    remind_before=Duration(1, Unit.WORKING_DAYS),
    red_after=Duration(5, Unit.WORKING_DAYS),
    red_after_hours=Duration(24, Unit.HOURS),
    red_street_max=Duration(30, Unit.CALENDAR_DAYS),
)
BEGUN = datetime(2026, 3, 2, 9, 0, tzinfo=CHINA)
HOUR = timedelta(hours=1)


def resumed(duration: Duration, due_at: datetime, paused_at: datetime, resumed_at: datetime) -> StampRequest:
    return StampRequest(
        number=1,
        op="RESUME",
        duration=duration,
        started_at=BEGUN,
        after_end=False,
        ladder=True,
        red_at_due=False,
        due_at=due_at,
        paused_at=paused_at,
        resumed_at=resumed_at,
    )


def test_the_reminder_of_an_hour_clock_moves_by_the_pause() -> None:
    day = Duration(24, Unit.HOURS)

    # Ten hours had gone by, half time comes after twelve; the pause lasted thirty.
    stamp = answer(resumed(day, BEGUN + 24 * HOUR, BEGUN + 10 * HOUR, BEGUN + 40 * HOUR), CALENDAR, RUNGS)

    assert stamp.due_at == BEGUN + 54 * HOUR
    assert stamp.blue_at == BEGUN + 42 * HOUR
    assert stamp.red_at == BEGUN + 78 * HOUR


def test_the_reminder_of_a_day_clock_stays_its_working_day_before_the_end() -> None:
    week = Duration(7, Unit.WORKING_DAYS)
    due_at = datetime(2026, 3, 11, 18, 0, tzinfo=CHINA)

    stamp = answer(resumed(week, due_at, BEGUN + 24 * HOUR, BEGUN + 72 * HOUR), CALENDAR, RUNGS)

    assert stamp.due_at == datetime(2026, 3, 13, 18, 0, tzinfo=CHINA)
    assert stamp.blue_at == datetime(2026, 3, 12, 18, 0, tzinfo=CHINA)
    assert stamp.red_at == datetime(2026, 3, 20, 18, 0, tzinfo=CHINA)
