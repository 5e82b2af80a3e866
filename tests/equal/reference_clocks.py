"""Deadlines counted on the fingers: a model written apart from the kernel, minute by minute and day by day.

A moment is a number of minutes since the start of 2026 in Beijing, 24:00 of a day the first minute of the next. A
calendar is a function that says of the number of a day whether it is worked. Nothing of the kernel is used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

DAY = 24 * 60
OPEN, CLOSE = 9 * 60, 18 * 60
Worked = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Ladder:
    """When an unmet deadline reminds, is listed, and goes to the county."""

    blue: float | None
    red: float
    county: float


def day_of(moment: float) -> int:
    """The day that a moment lies in."""
    return int(moment // DAY)


def ended_day(moment: float) -> int:
    """The day that a moment lies in, where 24:00 belongs to the day that ends."""
    return day_of(moment) - 1 if moment % DAY == 0 else day_of(moment)


def due(start: float, count: float, unit: str, worked: Worked, *, roll: bool = False, after_end: bool = False) -> float:
    """The end of a deadline; for `date` the count is the number of the day."""
    today = ended_day(start) if after_end else day_of(start)
    if unit == "hours":
        return start + count * 60
    if unit == "date":
        return count * DAY + CLOSE
    if unit == "month":
        first = date(2026, 1, 1) + timedelta(days=today)
        for _ in range(int(count)):
            month = first.month
            while first.month == month:
                first += timedelta(days=1)
        return (first - date(2026, 1, 1)).days * DAY
    if unit == "working_hours":
        return business_after(start, count * 60, worked)
    left = count
    while left:
        today += 1
        left -= 1 if unit == "calendar_days" or worked(today) else 0
    if unit == "working_days":
        return today * DAY + CLOSE
    while roll and not worked(today):
        today += 1
    return (today + 1) * DAY


def business_after(start: float, minutes: float, worked: Worked) -> float:
    """The moment when so many minutes of business hours have passed."""
    while minutes > 0:
        in_day = start % DAY
        if not worked(day_of(start)) or in_day >= CLOSE:
            start = (day_of(start) + 1) * DAY + OPEN
        elif in_day < OPEN:
            start = day_of(start) * DAY + OPEN
        elif in_day + minutes <= CLOSE:
            return start + minutes
        else:
            minutes -= CLOSE - in_day
            start = day_of(start) * DAY + CLOSE
    return start


def business_between(start: float, end: float, worked: Worked) -> float:
    """How many minutes of business hours lie between two moments."""
    total = 0.0
    for day in range(day_of(start), day_of(end) + 1):
        if worked(day):
            total += max(0.0, min(end, day * DAY + CLOSE) - max(start, day * DAY + OPEN))
    return total


def move(moment: float, days: int, worked: Worked) -> float:
    """So many working days later (or earlier), at the same time of day."""
    day = ended_day(moment)
    left, step = abs(days), 1 if days > 0 else -1
    while left:
        day += step
        left -= worked(day)
    return moment + (day - ended_day(moment)) * DAY


def resumed(end: float, paused: float, back: float, unit: str, worked: Worked, *, roll: bool = False) -> float:
    """The end after a pause: what the pause took is given back, in days of the deadline's own kind."""
    if unit == "hours":
        return end + back - paused
    if unit == "working_hours":
        return business_after(end, business_between(paused, back, worked), worked)
    days = range(day_of(paused), day_of(back))
    if unit == "working_days":
        taken = sum(worked(day) for day in days)
        return move(end, taken, worked) if taken else end
    end += len(days) * DAY
    while roll and days and not worked(ended_day(end)):
        end += DAY
    return end


def ladder(start: float, end: float, unit: str, worked: Worked) -> Ladder:
    """The steps of the default pack: one working day before, five after, 30 days on; hours at half time, 24 h."""
    if unit in ("hours", "working_hours"):
        half = start + (end - start) / 2
        if unit == "working_hours":
            half = business_after(start, business_between(start, end, worked) / 2, worked)
        red = end + 24 * 60
    else:
        half, red = move(end, -1, worked), move(end, 5, worked)
    return Ladder(half if half > start else None, red, due(red, 30, "calendar_days", worked))
