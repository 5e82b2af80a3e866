"""Write dates as an iCalendar that every calendar program can subscribe to (RFC 5545)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workflows.kernel.calendar import CHINA

MEETING_LASTS = timedelta(hours=2)
"""How long a meeting is shown; nobody plans its end. [assumption]"""
REFRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One date: a meeting, or with `lasts` None the moment until which something is owed."""

    uid: str
    at: datetime
    summary: str
    changed: datetime
    sequence: int = 0
    lasts: timedelta | None = MEETING_LASTS
    location: str = ""
    description: str = ""
    status: str = "CONFIRMED"
    """CONFIRMED, TENTATIVE or CANCELLED."""


def calendar_of(name: str, entries: Sequence[Entry]) -> bytes:
    """Give a calendar with these dates; what is owed does not make anybody busy."""
    # Only those who subscribe need it.
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("PRODID", "-//Shangliang//shangliang//ZH")
    calendar.add("VERSION", "2.0")
    calendar.add("X-WR-CALNAME", name)
    calendar.add("REFRESH-INTERVAL", REFRESH, parameters={"VALUE": "DURATION"})
    for one in entries:
        event = Event()
        event.add("UID", f"{one.uid}@shangliang")
        event.add("DTSTAMP", one.changed.astimezone(UTC))
        event.add("LAST-MODIFIED", one.changed.astimezone(UTC))
        # In UTC, so that no program needs to know our time zone.
        event.add("DTSTART", one.at.astimezone(UTC))
        if one.lasts is not None:
            event.add("DTEND", (one.at + one.lasts).astimezone(UTC))
        event.add("SUMMARY", one.summary)
        event.add("SEQUENCE", one.sequence)
        event.add("STATUS", one.status)
        event.add("TRANSP", "TRANSPARENT" if one.lasts is None else "OPAQUE")
        if one.location:
            event.add("LOCATION", one.location)
        if one.description:
            event.add("DESCRIPTION", one.description)
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def at_local(moment: datetime) -> str:
    """A moment for a description: 2026-03-02 09:00."""
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"
