"""Take the national calendar out of the library that ships with the program: no database, no network."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType

import chinese_calendar

from workflows.kernel.calendar import Day, HostCalendar, whole_year

# Earlier years concern no case, and only from here on a second library was compared day by day.
FIRST_YEAR = 2018
LIBRARY = "chinese-calendar"
HOLIDAY_NAMES: Mapping[str, str] = MappingProxyType(
    {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}
)


def national_edition() -> str:
    """Name and version of the national data, e.g. `chinese-calendar 1.11.0`."""
    return f"{LIBRARY} {chinese_calendar.__version__}"


def national_years() -> range:
    """The years that the library has; the next year is published in November of the year before."""
    return range(FIRST_YEAR, max(day.year for day in chinese_calendar.holidays) + 1)


@cache
def national_days() -> Mapping[date, Day]:
    """Every day of the published years: holidays by their Chinese names, make-up working days, the week."""
    days: dict[date, Day] = {}
    for year in national_years():
        days |= whole_year(
            year,
            rest={day: HOLIDAY_NAMES[name] for day, name in chinese_calendar.holidays.items() if day.year == year},
            make_up=[day for day in chinese_calendar.workdays if day.year == year],
        )
    return MappingProxyType(days)


def national_calendar() -> HostCalendar:
    """The national calendar without local days, for a calculation that needs no running service."""
    return HostCalendar(national_edition(), national_days())
