"""The months and years by which cases begin, and their names (周期) (pure)."""

from datetime import datetime, timedelta

from workflows.kernel.calendar import CHINA, Scale, Unit, local

MONTHS = {"MONTH": 1, "YEAR": 12}


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
