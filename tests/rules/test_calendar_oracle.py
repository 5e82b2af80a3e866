"""Two libraries, made by different people from the yearly notices, agree on every day of 2018–2026."""

from datetime import date, timedelta

import holidays
import pytest

from services.storage.national_calendar import FIRST_YEAR, national_calendar, national_days, national_years
from workflows.kernel.calendar import Day

YEARS = range(2018, 2027)
PUBLISHED_2026 = {
    "make_up": ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10"),
    "rest": (
        *("01-01", "01-02", "01-03"),
        *(f"02-{day}" for day in range(15, 24)),
        *("04-04", "04-05", "04-06"),
        *(f"05-0{day}" for day in range(1, 6)),
        *("06-19", "06-20", "06-21"),
        *("09-25", "09-26", "09-27"),
        *(f"10-0{day}" for day in range(1, 8)),
    ),
}


def _days(year: int) -> list[Day]:
    return [day for on, day in national_days().items() if on.year == year]


@pytest.mark.parametrize("year", YEARS)
def test_the_second_library_agrees_on_every_day(year: int) -> None:
    # No difference is known in these years; in 2005, before our first year, the libraries differ on 12-31.
    oracle = holidays.country_holidays("CN", years=range(year - 1, year + 2))

    differences = [day.date for day in _days(year) if day.working != oracle.is_working_day(day.date)]

    assert differences == []


@pytest.mark.parametrize("year", YEARS)
def test_every_day_of_a_published_year_is_there_and_final(year: int) -> None:
    days = _days(year)

    assert [day.date for day in days] == [date(year, 1, 1) + timedelta(days=number) for number in range(len(days))]
    assert len(days) == (date(year + 1, 1, 1) - date(year, 1, 1)).days
    assert not any(day.provisional for day in days)
    assert all(day.why for day in days)


def test_2026_is_the_year_of_the_notice() -> None:
    calendar = national_calendar()

    for text in PUBLISHED_2026["make_up"]:
        day = calendar.day(date.fromisoformat(f"2026-{text}"))
        assert (day.working, day.why) == (True, "调休上班"), text
    for text in PUBLISHED_2026["rest"]:
        assert not calendar.day(date.fromisoformat(f"2026-{text}")).working, text
    assert calendar.day(date(2026, 2, 17)).why == "春节"


def test_a_year_that_is_not_published_is_the_week_and_provisional() -> None:
    beyond = date(max(national_years()) + 1, 3, 1)
    calendar = national_calendar()

    week = [calendar.day(beyond + timedelta(days=number)) for number in range(7)]

    assert sum(day.working for day in week) == 5
    assert all(day.provisional for day in week)


def test_the_library_has_the_years_of_the_product() -> None:
    assert national_years()[0] == FIRST_YEAR == 2018
    assert 2026 in national_years()
