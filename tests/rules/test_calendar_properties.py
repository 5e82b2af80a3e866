"""What holds for every deadline, and agreement with a reference model that counts day by day."""

from datetime import UTC, date, datetime, time, timedelta
from datetime import timezone as fixed

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.kernel.calendar import (
    CHINA,
    Day,
    Duration,
    HostCalendar,
    Scale,
    Unit,
    due,
    end_of_month,
    ladder,
    pause_shift,
    shift_working_days,
    whole_year,
)

FIRST = date(2026, 1, 1)
SPAN = 500
DRILL = Scale(hours=0.1, working_hours=0.1, calendar_days=2, working_days=2, month=60)


@st.composite
def calendars(draw: st.DrawFn) -> HostCalendar:
    """A calendar of any rest days; the week decides, provisionally, outside the days that it has."""
    rest = draw(st.sets(st.integers(0, SPAN), max_size=150))
    known = draw(st.integers(0, SPAN))
    days = [FIRST + timedelta(days=number) for number in range(known)]
    return HostCalendar(
        "drawn",
        {day: Day(day, number not in rest, "假" if number in rest else "班", False) for number, day in enumerate(days)},
    )


moments = st.datetimes(
    datetime(2026, 1, 5),  # noqa: DTZ001 - limits are given without a zone
    datetime(2026, 9, 30),  # noqa: DTZ001 - and the zone apart
    timezones=st.just(CHINA),
)
day_counts = st.integers(1, 60)
day_units = st.sampled_from([Unit.CALENDAR_DAYS, Unit.WORKING_DAYS])


# --- the reference model: written apart, one day after the other, with strings for 24:00 -----------------------


def reference_day(calendar: HostCalendar, day: date) -> bool:
    found = calendar.days.get(day)
    return found.working if found is not None else day.isoweekday() <= 5


def reference_due(start: datetime, count: int, unit: Unit, roll: bool, calendar: HostCalendar) -> str:
    """The end of a day clock as text, such as `2026-03-18 18:00` or `2026-04-22 24:00`."""
    today = date(start.year, start.month, start.day)
    counted = 0
    while counted < count:
        today = date.fromordinal(today.toordinal() + 1)
        if unit is Unit.CALENDAR_DAYS or reference_day(calendar, today):
            counted += 1
    if unit is Unit.WORKING_DAYS:
        return f"{today} 18:00"
    while roll and not reference_day(calendar, today):
        today = date.fromordinal(today.toordinal() + 1)
    return f"{today} 24:00"


def as_text(moment: datetime) -> str:
    if (moment.hour, moment.minute) == (0, 0):
        return f"{moment.date() - timedelta(days=1)} 24:00"
    return f"{moment.date()} {moment:%H:%M}"


@settings(max_examples=400, deadline=None)
@given(calendars(), moments, day_counts, day_units, st.booleans())
def test_day_clocks_agree_with_the_reference_model(
    calendar: HostCalendar, start: datetime, count: int, unit: Unit, roll: bool
) -> None:
    duration = Duration(count, unit, roll=roll and unit is Unit.CALENDAR_DAYS)

    found = due(start, duration, calendar)

    assert as_text(found.at) == reference_due(start, count, unit, duration.roll, calendar)


def reference_pause(ends: datetime, paused: date, resumed: date, unit: Unit, calendar: HostCalendar) -> datetime:
    """Hand back one day for every day of the kind that the pause took, the last one not counted."""
    while paused < resumed:
        if unit is Unit.CALENDAR_DAYS or reference_day(calendar, paused):
            ends += timedelta(days=1)
            while unit is Unit.WORKING_DAYS and not reference_day(calendar, (ends - timedelta(seconds=1)).date()):
                ends += timedelta(days=1)
        paused += timedelta(days=1)
    return ends


@settings(max_examples=300, deadline=None)
@given(calendars(), moments, day_counts, day_units, st.integers(0, 40 * 24), st.integers(0, 40 * 24))
def test_pauses_agree_with_the_reference_model(
    calendar: HostCalendar, start: datetime, count: int, unit: Unit, until_pause: int, length: int
) -> None:
    duration = Duration(count, unit)
    ends = due(start, duration, calendar).at
    paused = start + timedelta(hours=until_pause)
    resumed = paused + timedelta(hours=length)

    moved = pause_shift(ends, paused, resumed, duration, calendar)

    assert moved == reference_pause(ends, paused.date(), resumed.date(), unit, calendar)


# --- properties ---------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(calendars(), moments, day_counts, day_units)
def test_a_deadline_never_ends_before_it_starts_and_one_more_day_is_never_earlier(
    calendar: HostCalendar, start: datetime, count: int, unit: Unit
) -> None:
    one, more = (due(start, Duration(count + extra, unit), calendar).at for extra in (0, 1))

    assert start < one < more


@settings(deadline=None)
@given(calendars(), moments, day_counts)
def test_a_working_day_clock_ends_at_closing_time_of_a_working_day(
    calendar: HostCalendar, start: datetime, count: int
) -> None:
    found = due(start, Duration(count, Unit.WORKING_DAYS), calendar)

    assert calendar.day(found.at.date()).working
    assert found.at.time() == calendar.business_close
    assert all(not calendar.day(skipped.date).working for skipped in found.skipped)
    assert (found.at.date() - start.date()).days == count + len(found.skipped)


@settings(deadline=None)
@given(calendars(), moments, day_counts)
def test_a_rolling_clock_ends_with_a_working_day(calendar: HostCalendar, start: datetime, count: int) -> None:
    plain = due(start, Duration(count, Unit.CALENDAR_DAYS), calendar)
    rolled = due(start, Duration(count, Unit.CALENDAR_DAYS, roll=True), calendar)

    assert calendar.day(rolled.at.date() - timedelta(days=1)).working
    assert rolled.at == plain.at + timedelta(days=len(rolled.skipped))


@settings(deadline=None)
@given(calendars(), moments, st.integers(0, 30))
def test_moving_forth_and_back_by_working_days_comes_home(calendar: HostCalendar, start: datetime, count: int) -> None:
    on_working_day = due(start, Duration(1, Unit.WORKING_DAYS), calendar).at

    there = shift_working_days(on_working_day, count, calendar)

    assert shift_working_days(there, -count, calendar) == on_working_day


@settings(deadline=None)
@given(calendars(), moments, st.integers(1, 200))
def test_working_hours_are_counted_inside_business_hours_only(
    calendar: HostCalendar, start: datetime, hours: int
) -> None:
    found = due(start, Duration(hours, Unit.WORKING_HOURS), calendar)

    minutes = int((found.at - start) / timedelta(minutes=1)) + 1
    counted = sum(
        _inside(start.replace(second=0, microsecond=0) + timedelta(minutes=n), calendar) for n in range(minutes)
    )
    assert abs(counted - hours * 60) <= 1
    assert calendar.day(found.at.date()).working
    assert time(9) < found.at.time() <= time(18)


def _inside(moment: datetime, calendar: HostCalendar) -> bool:
    return reference_day(calendar, moment.date()) and 9 <= moment.hour < 18


@settings(deadline=None)
@given(calendars(), moments, day_counts, day_units, st.integers(0, 24 * 30))
def test_the_same_moment_in_another_zone_gives_the_same_end(
    calendar: HostCalendar, start: datetime, count: int, unit: Unit, shift: int
) -> None:
    elsewhere = start.astimezone(fixed(timedelta(hours=shift % 24 - 12)))

    assert due(elsewhere, Duration(count, unit), calendar) == due(start, Duration(count, unit), calendar)
    assert due(start.astimezone(UTC), Duration(1, Unit.MONTH), calendar).at.tzinfo is CHINA


@settings(deadline=None)
@given(calendars(), moments, day_counts, day_units)
def test_the_ladder_climbs_in_order(calendar: HostCalendar, start: datetime, count: int, unit: Unit) -> None:
    duration = Duration(count, unit)
    ends = due(start, duration, calendar).at

    moments = ladder(
        start,
        ends,
        duration,
        calendar,
        remind_before=Duration(1, Unit.WORKING_DAYS),
        red_after=Duration(5, Unit.WORKING_DAYS),
        red_after_hours=Duration(24, Unit.HOURS),
        red_street_max=Duration(30, Unit.CALENDAR_DAYS),
    )

    assert moments.blue is None or start < moments.blue < ends
    assert moments.red is not None
    assert moments.red_plus_plus is not None
    assert ends < moments.red < moments.red_plus_plus


@settings(deadline=None)
@given(calendars(), moments, day_counts, day_units)
def test_only_days_that_nobody_published_make_an_end_provisional(
    calendar: HostCalendar, start: datetime, count: int, unit: Unit
) -> None:
    found = due(start, Duration(count, unit), calendar)

    looked_at = [start.date() + timedelta(days=n) for n in range(1, (found.at.date() - start.date()).days + 1)]
    unpublished = any(day not in calendar.days for day in looked_at)
    assert found.provisional == (unit is Unit.WORKING_DAYS and unpublished)


# --- single cases -------------------------------------------------------------------------------------------

WEEK = HostCalendar("2026", whole_year(2026, rest={}, make_up=[]))


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), CHINA)


MONDAY, FRIDAY, SATURDAY = date(2026, 3, 9), date(2026, 3, 13), date(2026, 3, 14)


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        (_at(MONDAY, 10), 8, _at(MONDAY, 18)),
        (_at(MONDAY, 10), 9, _at(date(2026, 3, 10), 10)),
        (_at(MONDAY, 7), 1, _at(MONDAY, 10)),
        (_at(FRIDAY, 17, 30), 1, _at(date(2026, 3, 16), 9, 30)),
        (_at(SATURDAY, 12), 9, _at(date(2026, 3, 16), 18)),
    ],
)
def test_working_hours_stop_at_night_and_over_the_weekend(start: datetime, hours: int, expected: datetime) -> None:
    assert due(start, Duration(hours, Unit.WORKING_HOURS), WEEK).at == expected


def test_other_business_hours_end_working_days_earlier() -> None:
    calendar = WEEK.with_hours(time(8, 30), time(17, 30))

    assert due(_at(MONDAY, 10), Duration(1, Unit.WORKING_DAYS), calendar).at == _at(date(2026, 3, 10), 17, 30)


def test_business_hours_that_are_empty_are_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        WEEK.with_hours(time(18), time(9))


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (date(2026, 2, 10), 1, date(2026, 3, 1)),
        (date(2026, 12, 31), 1, date(2027, 1, 1)),
        (date(2026, 11, 30), 2, date(2027, 1, 1)),
        (date(2028, 2, 1), 1, date(2028, 3, 1)),
    ],
)
def test_a_month_ends_with_its_last_day(start: date, months: int, expected: date) -> None:
    assert end_of_month(start, months) == _at(expected, 0)
    assert due(_at(start, 23, 59), Duration(months, Unit.MONTH), WEEK).at == _at(expected, 0)


def test_a_month_after_an_end_at_midnight_is_the_month_that_ended() -> None:
    first = _at(date(2026, 3, 1), 0)

    assert due(first, Duration(1, Unit.MONTH), WEEK).at == _at(date(2026, 4, 1), 0)
    assert due(first, Duration(1, Unit.MONTH), WEEK, after_end=True).at == first


def test_a_date_ends_at_closing_time_and_never_rolls() -> None:
    assert due(_at(MONDAY, 10), Duration(0, Unit.DATE, on=SATURDAY), WEEK).at == _at(SATURDAY, 18)


def test_midnight_belongs_to_the_day_that_ends_when_moments_move() -> None:
    friday_24 = _at(SATURDAY, 0)

    assert shift_working_days(friday_24, 1, WEEK) == _at(date(2026, 3, 17), 0)
    assert shift_working_days(friday_24, -1, WEEK) == _at(FRIDAY, 0)


@pytest.mark.parametrize(
    ("duration", "ends", "expected"),
    [
        (Duration(24, Unit.HOURS), _at(MONDAY, 20), _at(date(2026, 3, 11), 21)),
        (Duration(7, Unit.CALENDAR_DAYS), _at(MONDAY, 0), _at(date(2026, 3, 11), 0)),
        (Duration(0, Unit.DATE, on=MONDAY), _at(MONDAY, 18), _at(date(2026, 3, 11), 18)),
        (Duration(1, Unit.MONTH), _at(date(2026, 4, 1), 0), _at(date(2026, 4, 3), 0)),
        (Duration(10, Unit.WORKING_DAYS), _at(FRIDAY, 18), _at(date(2026, 3, 17), 18)),
        (Duration(3, Unit.CALENDAR_DAYS, roll=True), _at(FRIDAY, 0), _at(date(2026, 3, 17), 0)),
        (Duration(10, Unit.WORKING_HOURS), _at(FRIDAY, 18), _at(date(2026, 3, 17), 18)),
    ],
    ids=["hours", "calendar days", "date", "month", "working days", "rolls again", "working hours"],
)
def test_a_pause_from_monday_ten_to_wednesday_eleven(duration: Duration, ends: datetime, expected: datetime) -> None:
    paused, resumed = _at(date(2026, 3, 9), 10), _at(date(2026, 3, 11), 11)
    if duration.unit is Unit.WORKING_HOURS:
        resumed = _at(date(2026, 3, 11), 10)

    assert pause_shift(ends, paused, resumed, duration, WEEK) == expected


@pytest.mark.parametrize("unit", [Unit.CALENDAR_DAYS, Unit.WORKING_DAYS])
def test_a_pause_within_a_day_moves_no_day_clock(unit: Unit) -> None:
    ends = _at(FRIDAY, 18)

    assert pause_shift(ends, _at(MONDAY, 9), _at(MONDAY, 23, 59), Duration(5, unit), WEEK) == ends


def test_a_pause_over_the_weekend_moves_no_working_day_clock() -> None:
    ends = _at(date(2026, 3, 18), 18)

    moved = pause_shift(ends, _at(SATURDAY, 9), _at(date(2026, 3, 16), 9), Duration(5, Unit.WORKING_DAYS), WEEK)

    assert moved == ends


def test_a_pause_of_no_business_hours_leaves_a_working_hour_clock_where_it_is() -> None:
    ends = _at(FRIDAY, 18)

    moved = pause_shift(ends, _at(MONDAY, 20), _at(MONDAY, 22), Duration(5, Unit.WORKING_HOURS), WEEK)

    assert moved == ends


def test_a_pause_that_ends_before_it_began_is_refused() -> None:
    with pytest.raises(ValueError, match="before it began"):
        pause_shift(_at(FRIDAY, 18), _at(MONDAY, 10), _at(MONDAY, 9), Duration(1, Unit.HOURS), WEEK)


def test_half_time_of_working_hours_lies_inside_business_hours() -> None:
    start, duration = _at(FRIDAY, 15), Duration(8, Unit.WORKING_HOURS)

    moments = ladder(
        start,
        due(start, duration, WEEK).at,
        duration,
        WEEK,
        remind_before=Duration(1, Unit.WORKING_DAYS),
        red_after=Duration(5, Unit.WORKING_DAYS),
        red_after_hours=Duration(24, Unit.HOURS),
        red_street_max=Duration(30, Unit.CALENDAR_DAYS),
    )

    assert moments.blue == _at(date(2026, 3, 16), 10)
    assert moments.red == _at(date(2026, 3, 17), 14)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (Duration(24, Unit.HOURS), 2.4),
        (Duration(8, Unit.WORKING_HOURS), 0.8),
        (Duration(7, Unit.WORKING_DAYS), 14),
        (Duration(3, Unit.CALENDAR_DAYS, roll=True), 6),
        (Duration(1, Unit.MONTH), 60),
        (Duration(0, Unit.DATE, on=date(2026, 3, 13)), 8),
        (Duration(0, Unit.DATE, on=date(2026, 3, 1)), 2),
    ],
)
def test_a_drill_counts_seconds_and_skips_nothing(duration: Duration, seconds: float) -> None:
    start = _at(date(2026, 3, 9), 23)

    found = due(start, duration, WEEK, scale=DRILL)

    assert (found.at - start, found.skipped, found.provisional) == (timedelta(seconds=seconds), (), False)


def test_a_drill_scales_the_ladder_and_pauses_exactly() -> None:
    start, duration = _at(SATURDAY, 10), Duration(7, Unit.WORKING_DAYS)
    ends = due(start, duration, WEEK, scale=DRILL).at

    moments = ladder(
        start,
        ends,
        duration,
        WEEK,
        remind_before=Duration(1, Unit.WORKING_DAYS),
        red_after=Duration(5, Unit.WORKING_DAYS),
        red_after_hours=Duration(24, Unit.HOURS),
        red_street_max=Duration(30, Unit.CALENDAR_DAYS),
        scale=DRILL,
    )
    moved = pause_shift(ends, start, start + timedelta(seconds=3), duration, WEEK, scale=DRILL)

    assert moments.blue == ends - timedelta(seconds=2)
    assert moments.red == ends + timedelta(seconds=10)
    assert moments.red_plus_plus == ends + timedelta(seconds=70)
    assert moved == ends + timedelta(seconds=3)


@pytest.mark.parametrize(
    ("value", "unit", "roll", "on"),
    [
        (0, Unit.WORKING_DAYS, False, None),
        (-1, Unit.HOURS, False, None),
        (2.5, Unit.WORKING_DAYS, False, None),
        (2.5, Unit.MONTH, False, None),
        (float("nan"), Unit.HOURS, False, None),
        (float("inf"), Unit.HOURS, False, None),
        (10**9, Unit.WORKING_DAYS, False, None),
        (1, Unit.WORKING_DAYS, True, None),
        (1, Unit.DATE, False, None),
        (1, Unit.HOURS, False, date(2026, 3, 9)),
    ],
)
def test_what_cannot_be_counted_is_refused(value: float, unit: Unit, roll: bool, on: date | None) -> None:
    with pytest.raises(ValueError):
        Duration(value, unit, roll=roll, on=on)


def test_one_number_has_one_spelling() -> None:
    assert repr(Duration(3, Unit.WORKING_DAYS)) == repr(Duration(3.0, Unit.WORKING_DAYS))


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        due(datetime(2026, 3, 9, 10), Duration(1, Unit.HOURS), WEEK)  # noqa: DTZ001 - that is the fault


def test_an_end_beyond_all_dates_is_refused() -> None:
    with pytest.raises(ValueError, match="no such date"):
        due(datetime(9999, 12, 1, tzinfo=CHINA), Duration(60, Unit.WORKING_DAYS), WEEK)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_scale_without_length_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Scale(hours=seconds, working_hours=1, calendar_days=1, working_days=1, month=1)


def test_a_step_of_the_ladder_counted_in_months_is_refused() -> None:
    with pytest.raises(ValueError, match="step of the ladder"):
        ladder(
            _at(MONDAY, 9),
            _at(FRIDAY, 18),
            Duration(4, Unit.WORKING_DAYS),
            WEEK,
            remind_before=Duration(1, Unit.MONTH),
            red_after=Duration(5, Unit.WORKING_DAYS),
            red_after_hours=Duration(24, Unit.HOURS),
            red_street_max=Duration(30, Unit.CALENDAR_DAYS),
        )
