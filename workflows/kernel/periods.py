"""The months and years by which cases begin, and their names (周期) (pure)."""

from datetime import datetime, timedelta

from workflows.kernel.calendar import CHINA, LONGEST, Duration, Scale, Unit, end_of_month, local
from workflows.kernel.clocks import Start

MONTHS = {"MONTH": 1, "YEAR": 12}
HOUR = 3600.0


def period_of(at: datetime, every: str, scale: Scale | None = None) -> str:
    """The period in which a moment lies: `2026-11`, `2026`; under a scale the minute in which its month began."""
    return named_period(at, every, scale.seconds(Unit.MONTH) if scale is not None else None)


def named_period(at: datetime, every: str, seconds: float | None) -> str:
    """The same where a scaled month lasts so many seconds; those are counted from 1970 on, without a gap."""
    if seconds is None:
        return f"{local(at):%Y-%m}" if every == "MONTH" else f"{local(at):%Y}"
    length = seconds * MONTHS[every]
    start = datetime.fromtimestamp(0, CHINA) + timedelta(seconds=at.timestamp() // length * length)
    return f"{start:%Y-%m-%dT%H:%M}"


def beginning_of(period: str) -> datetime:
    """The moment at which a month, or a scaled month, of this name begins."""
    form = "%Y-%m-%dT%H:%M" if "T" in period else "%Y-%m"
    return datetime.strptime(period, form).replace(tzinfo=CHINA)


def end_of_period(at: datetime, scale: Scale | None = None) -> datetime:
    """The moment at which the month ends in which a moment lies."""
    if scale is None:
        return end_of_month(local(at).date())
    seconds = scale.seconds(Unit.MONTH)
    return datetime.fromtimestamp(0, CHINA) + timedelta(seconds=(at.timestamp() // seconds + 1) * seconds)


def day_of_period(period: str, day: int, scale: Scale | None = None) -> datetime:
    """The moment at which a day of a month begins; under a scale the same part of it, of 31."""
    start = beginning_of(period)
    length = timedelta(days=31) if scale is None else timedelta(seconds=scale.seconds(Unit.MONTH))
    return start + length * (day - 1) / 31


def clock_until(
    code: str, at: datetime, now: datetime, parameter: str, *, scale: Scale | None = None, ref: str = ""
) -> Start:
    """Start a clock that ends exactly at a moment, and at once when that has passed."""
    hour = scale.seconds(Unit.HOURS) if scale is not None else HOUR
    hours = (at - now).total_seconds() / hour
    if 0 < hours <= LONGEST[Unit.HOURS]:
        return Start(code=code, ref=ref, parameter=parameter, duration=Duration(hours, Unit.HOURS))
    # Passed already, or so far ahead that a drill has no number for it: the last hour before it tells the moment.
    since = at - timedelta(seconds=hour)
    return Start(code=code, ref=ref, parameter=parameter, duration=Duration(1, Unit.HOURS), since=since)
