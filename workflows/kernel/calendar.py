"""Count deadlines in hours, days, working days and months, the way an official notice counts them.

Everything here is arithmetic on values: the calendar of working days is handed in, nothing is read and
nothing remembers. The rules are those of processes.md §0.3 and §0.4. The end of a day, 24:00, is written as
00:00 of the next day; all times are Beijing time.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, Self

# A fixed offset: China keeps no summer time, and a ZoneInfo does not survive the workflow sandbox.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

ONE_DAY = timedelta(days=1)
MIDNIGHT = time(0, 0)
SATURDAY = 5
LONGEST_YEARS = 100
WEEKDAY_NAMES = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


class Unit(StrEnum):
    """What a deadline is counted in (时限单位)."""

    HOURS = "hours"
    CALENDAR_DAYS = "calendar_days"
    WORKING_DAYS = "working_days"
    WORKING_HOURS = "working_hours"
    MONTH = "month"
    DATE = "date"


# The most of each unit that a deadline may have: a hundred years, so that a slip of the pen cannot loop on.
LONGEST = MappingProxyType(
    {
        Unit.HOURS: LONGEST_YEARS * 366 * 24,
        Unit.CALENDAR_DAYS: LONGEST_YEARS * 366,
        Unit.WORKING_DAYS: LONGEST_YEARS * 260,
        Unit.WORKING_HOURS: LONGEST_YEARS * 260 * 8,
        Unit.MONTH: LONGEST_YEARS * 12,
    }
)
WHOLE_UNITS = frozenset({Unit.CALENDAR_DAYS, Unit.WORKING_DAYS, Unit.MONTH})
HOUR_UNITS = frozenset({Unit.HOURS, Unit.WORKING_HOURS})


@dataclass(frozen=True, slots=True)
class Scale:
    """Let a drill watch months in a minute: the seconds that each unit lasts (演练比例).

    Under a scale business hours are always and no day is skipped.
    """

    hours: float
    working_hours: float
    calendar_days: float
    working_days: float
    month: float

    def __post_init__(self) -> None:
        for unit in (Unit.HOURS, Unit.WORKING_HOURS, Unit.CALENDAR_DAYS, Unit.WORKING_DAYS, Unit.MONTH):
            if not (math.isfinite(self.seconds(unit)) and self.seconds(unit) > 0):
                raise ValueError(f"scale of {unit}: seconds per unit must be above 0")

    def seconds(self, unit: Unit) -> float:
        """Seconds that one of `unit` lasts; a `DATE` is measured in calendar days."""
        match unit:
            case Unit.HOURS:
                return self.hours
            case Unit.WORKING_HOURS:
                return self.working_hours
            case Unit.CALENDAR_DAYS | Unit.DATE:
                return self.calendar_days
            case Unit.WORKING_DAYS:
                return self.working_days
            case Unit.MONTH:
                return self.month

    def length(self, value: float, unit: Unit) -> timedelta:
        """How long `value` of `unit` lasts in the drill."""
        return timedelta(seconds=value * self.seconds(unit))


@dataclass(frozen=True, slots=True)
class Duration:
    """Say how long somebody has (时限): so many of a unit, or until a date.

    `roll` moves the end of a calendar-day clock from a rest day to the next working day; `on` is the day of a
    `DATE` and only of that. Days and months are whole numbers. Raises `ValueError` for what cannot be counted.
    """

    value: float
    unit: Unit
    roll: bool = False
    on: date | None = None

    def __post_init__(self) -> None:
        if (self.unit is Unit.DATE) != (self.on is not None):
            raise ValueError("a day (`on`) belongs to unit `date`, and only to it")
        if self.roll and self.unit is not Unit.CALENDAR_DAYS:
            raise ValueError(f"only calendar days roll to a working day, not {self.unit}")
        if self.unit is Unit.DATE:
            return
        if not (math.isfinite(self.value) and 0 < self.value <= LONGEST[self.unit]):
            raise ValueError(f"{self.value} {self.unit}: must be above 0 and at most {LONGEST[self.unit]}")
        if self.unit in WHOLE_UNITS and self.value != int(self.value):
            raise ValueError(f"{self.value} {self.unit}: days and months are whole numbers")
        # One spelling of a number: 3 and 3.0 must hash and read the same in a case's history.
        object.__setattr__(self, "value", float(self.value))

    @property
    def is_hours(self) -> bool:
        """Whether the ladder of hour clocks applies (小时类时限)."""
        return self.unit in HOUR_UNITS


@dataclass(frozen=True, slots=True)
class Day:
    """Tell whether a day is worked, and why (工作日/休息日); `provisional` before its year is published."""

    date: date
    working: bool
    why: str
    provisional: bool


class Calendar(Protocol):
    """What the arithmetic asks of a calendar of working days (日历)."""

    @property
    def edition(self) -> str:
        """Name of the edition, to be written beside every due time."""

    @property
    def business_open(self) -> time:
        """Start of business hours on a working day."""

    @property
    def business_close(self) -> time:
        """End of business hours on a working day, when working-day clocks end."""

    def day(self, on: date) -> Day:
        """The given day, also where no data is published yet."""


@dataclass(frozen=True, slots=True)
class HostCalendar:
    """Keep a whole calendar in memory (日历); days it does not have are Monday to Friday, provisionally."""

    edition: str
    days: Mapping[date, Day] = field(repr=False)
    business_open: time = time(9, 0)
    business_close: time = time(18, 0)

    def __post_init__(self) -> None:
        if not self.business_open < self.business_close:
            raise ValueError(f"business hours {self.business_open}–{self.business_close} are empty")
        object.__setattr__(self, "days", MappingProxyType(dict(self.days)))

    def day(self, on: date) -> Day:
        """The given day; a weekday is worked and a weekend is not where the year is not published yet."""
        return self.days.get(on) or weekly_day(on, provisional=True)

    def with_hours(self, business_open: time, business_close: time) -> Self:
        """The same days with other business hours."""
        return replace(self, business_open=business_open, business_close=business_close)


def weekly_day(on: date, *, provisional: bool) -> Day:
    """A day as the week alone would have it: Monday to Friday worked."""
    working = on.weekday() < SATURDAY
    return Day(on, working, "工作日" if working else WEEKDAY_NAMES[on.weekday()], provisional)


def whole_year(year: int, *, rest: Mapping[date, str], make_up: Iterable[date]) -> dict[date, Day]:
    """Lay out a published year: its holidays with their names, its make-up working days, the week for the rest.

    Raises `ValueError` for a day of another year or one that is both holiday and make-up day.
    """
    worked = frozenset(make_up)
    strange = sorted(day for day in (*rest, *worked) if day.year != year) + sorted(worked & rest.keys())
    if strange:
        raise ValueError(f"not days of the calendar {year}: {', '.join(map(str, strange))}")
    first = date(year, 1, 1)
    days = (first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days))
    return {day: _published_day(day, rest.get(day), made_up=day in worked) for day in days}


def _published_day(on: date, holiday: str | None, *, made_up: bool) -> Day:
    if holiday is not None:
        return Day(on, False, holiday, False)
    if made_up:
        return Day(on, True, "调休上班", False)
    return weekly_day(on, provisional=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Name a day that a deadline did not count, and why (跳过的日子)."""

    date: date
    why: str


@dataclass(frozen=True, slots=True)
class Due:
    """Say when a deadline ends (到期时间), whether that may still move, and which days were not counted."""

    at: datetime
    provisional: bool
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Moments:
    """Say when a deadline warns and climbs (蓝、红时刻); `blue` is None where there is no time to warn."""

    blue: datetime | None
    red: datetime | None
    red_plus_plus: datetime | None


def due(
    start: datetime,
    duration: Duration,
    calendar: Calendar,
    *,
    after_end: bool = False,
    scale: Scale | None = None,
) -> Due:
    """Say when a deadline that starts at `start` ends (processes.md §0.3).

    `after_end`: the end of another clock at 24:00 started this one, so the day that ended is its start day.
    Raises `ValueError` for a moment without time zone or an end outside the years that dates have.
    """
    start = local(start)
    start_day = day_that_ends(start) if after_end else start.date()
    try:
        if scale is not None:
            return Due(start + _scaled(start_day, duration, scale), False, ())
        return _due(start, start_day, duration, calendar)
    except OverflowError as error:
        raise ValueError(f"{duration.value} {duration.unit} from {start}: no such date") from error


def _scaled(start_day: date, duration: Duration, scale: Scale) -> timedelta:
    if duration.on is not None:
        return scale.length(max(1, (duration.on - start_day).days), Unit.CALENDAR_DAYS)
    return scale.length(duration.value, duration.unit)


def _due(start: datetime, start_day: date, duration: Duration, calendar: Calendar) -> Due:
    match duration.unit:
        case Unit.HOURS:
            return Due(start + timedelta(hours=duration.value), False, ())
        case Unit.CALENDAR_DAYS:
            last = start_day + timedelta(days=int(duration.value))
            return _end_of_day(last, calendar) if duration.roll else Due(end_of(last), False, ())
        case Unit.WORKING_DAYS:
            seen = _walk(start_day, int(duration.value), calendar)
            return Due(at(seen[-1].date, calendar.business_close), _any_provisional(seen), _skipped(seen))
        case Unit.WORKING_HOURS:
            return _plus_business(start, timedelta(hours=duration.value), calendar)
        case Unit.MONTH:
            return Due(end_of_month(start_day, int(duration.value)), False, ())
        case Unit.DATE:
            assert duration.on is not None  # Duration refuses a date without a day
            return Due(at(duration.on, calendar.business_close), False, ())


def local(moment: datetime) -> datetime:
    """The moment in Beijing time; raises `ValueError` when it has no time zone."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()}: a moment needs a time zone")
    return moment.astimezone(CHINA)


def at(day: date, clock: time) -> datetime:
    """A time of day in Beijing."""
    return datetime.combine(day, clock, CHINA)


def end_of(day: date) -> datetime:
    """24:00 of a day, which is 00:00 of the next."""
    return at(day + ONE_DAY, MIDNIGHT)


def day_that_ends(moment: datetime) -> date:
    """The day a moment belongs to when 24:00 is counted to the day that ends."""
    return (local(moment) - timedelta.resolution).date()


def end_of_month(day: date, months: int = 1) -> datetime:
    """24:00 of the last day of a natural month; `months=1` is the month of `day`, 2 the next."""
    index = day.year * 12 + (day.month - 1) + months
    if index >= (date.max.year + 1) * 12:
        raise OverflowError("no such month")
    return at(date(index // 12, index % 12 + 1, 1), MIDNIGHT)


def _end_of_day(last: date, calendar: Calendar) -> Due:
    """24:00 of `last`, or of the next working day where `last` is a rest day."""
    day = calendar.day(last)
    seen = [day, *([] if day.working else _walk(last, 1, calendar))]
    return Due(end_of(seen[-1].date), _any_provisional(seen), _skipped(seen))


def _walk(day: date, count: int, calendar: Calendar) -> list[Day]:
    """The days after `day` (before it, if `count` is negative) up to and with the count-th working day."""
    step = ONE_DAY if count > 0 else -ONE_DAY
    left = abs(count)
    seen: list[Day] = []
    while left:
        day += step
        seen.append(calendar.day(day))
        left -= seen[-1].working
    return seen


def _any_provisional(seen: Iterable[Day]) -> bool:
    return any(day.provisional for day in seen)


def _skipped(seen: Iterable[Day]) -> tuple[Skipped, ...]:
    return tuple(Skipped(day.date, day.why) for day in seen if not day.working)


def _plus_business(start: datetime, length: timedelta, calendar: Calendar) -> Due:
    """Count a length inside business hours only; an end at closing time stays on that day."""
    if not length:
        return Due(start, False, ())
    seen: list[Day] = []
    on = start.date()
    while True:
        day = calendar.day(on)
        seen.append(day)
        begin = max(start, at(on, calendar.business_open))
        room = at(on, calendar.business_close) - begin
        if day.working and room > timedelta(0):
            if length <= room:
                return Due(begin + length, _any_provisional(seen), _skipped(seen))
            length -= room
        on += ONE_DAY


def _business_between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """How much of a span lies inside business hours."""
    total = timedelta(0)
    on = start.date()
    while on <= end.date():
        if calendar.day(on).working:
            opened = max(start, at(on, calendar.business_open))
            closed = min(end, at(on, calendar.business_close))
            total += max(timedelta(0), closed - opened)
        on += ONE_DAY
    return total


def shift_working_days(moment: datetime, days: int, calendar: Calendar, *, scale: Scale | None = None) -> datetime:
    """Move a moment by working days at the same time of day; 24:00 belongs to the day that ends."""
    moment = local(moment)
    if scale is not None:
        return moment + scale.length(days, Unit.WORKING_DAYS)
    if days == 0:
        return moment
    day = day_that_ends(moment)
    return moment + (_walk(day, days, calendar)[-1].date - day)


def ladder(
    start: datetime,
    due: datetime,
    duration: Duration,
    calendar: Calendar,
    *,
    remind_before: Duration,
    red_after: Duration,
    red_after_hours: Duration,
    red_street_max: Duration,
    scale: Scale | None = None,
) -> Moments:
    """Say when an unmet deadline reminds (BLUE), is listed (RED) and goes to the county (RED++) (§0.4).

    Hour clocks remind at half time and turn red after `red_after_hours`; all others remind `remind_before` the
    end and turn red `red_after` it, at the same time of day. RED++ is a deadline of its own that starts at RED.
    """
    start, due = local(start), local(due)
    if duration.is_hours:
        blue = _half_time(start, due, duration, calendar, scale)
        red = _move(due, red_after_hours, 1, calendar, scale)
    else:
        blue = _move(due, remind_before, -1, calendar, scale)
        red = _move(due, red_after, 1, calendar, scale)
    street = _due_at(red, red_street_max, calendar, scale)
    return Moments(blue if blue > start else None, red, street)


def _due_at(start: datetime, duration: Duration, calendar: Calendar, scale: Scale | None) -> datetime:
    return due(start, duration, calendar, scale=scale).at


def _half_time(start: datetime, end: datetime, duration: Duration, calendar: Calendar, scale: Scale | None) -> datetime:
    if duration.unit is Unit.WORKING_HOURS and scale is None:
        return _plus_business(start, _business_between(start, end, calendar) / 2, calendar).at
    return start + (end - start) / 2


def _move(moment: datetime, duration: Duration, sign: int, calendar: Calendar, scale: Scale | None) -> datetime:
    """Before or after a moment at the same time of day, for the steps of the ladder."""
    if scale is not None:
        return moment + sign * scale.length(duration.value, duration.unit)
    match duration.unit:
        case Unit.WORKING_DAYS:
            return shift_working_days(moment, sign * int(duration.value), calendar)
        case Unit.CALENDAR_DAYS:
            return moment + sign * timedelta(days=duration.value)
        case Unit.HOURS:
            return moment + sign * timedelta(hours=duration.value)
        case _:
            raise ValueError(f"a step of the ladder is counted in days or hours, not in {duration.unit}")


def pause_shift(
    due_at: datetime,
    paused_at: datetime,
    resumed_at: datetime,
    duration: Duration,
    calendar: Calendar,
    *,
    scale: Scale | None = None,
) -> datetime:
    """Say when a deadline ends after a pause (processes.md §0.3).

    An hour clock moves by the exact length of the pause, a working-hour clock by the business hours in it, a day
    clock by the days of its kind from the pause day to the day before resuming (none if resumed the same day);
    a rolling clock rolls again. Raises `ValueError` when the pause ends before it began.
    """
    due_at, paused_at, resumed_at = local(due_at), local(paused_at), local(resumed_at)
    if resumed_at < paused_at:
        raise ValueError("a pause cannot end before it began")
    if scale is not None or duration.unit is Unit.HOURS:
        return due_at + (resumed_at - paused_at)
    if duration.unit is Unit.WORKING_HOURS:
        return _plus_business(due_at, _business_between(paused_at, resumed_at, calendar), calendar).at
    # Plain dates: a pause from 00:00 takes all of that day, one until 24:00 all of the day that ended.
    length = (resumed_at.date() - paused_at.date()).days
    if duration.unit is Unit.WORKING_DAYS:
        days = (paused_at.date() + timedelta(days=number) for number in range(length))
        return shift_working_days(due_at, sum(calendar.day(day).working for day in days), calendar)
    moved = due_at + timedelta(days=length)
    return _end_of_day(day_that_ends(moved), calendar).at if duration.roll and length else moved
