"""Every date of scenarios.md that follows from a deadline, computed from its start (S01–S62, M1–M5)."""

from datetime import date, datetime, timedelta

import pytest

from services.storage.national_calendar import national_calendar
from workflows.kernel.calendar import (
    CHINA,
    Duration,
    HostCalendar,
    Unit,
    due,
    end_of,
    ladder,
    pause_shift,
    shift_working_days,
    whole_year,
)

CALENDAR = national_calendar()
REMIND = Duration(1, Unit.WORKING_DAYS)
RED = Duration(5, Unit.WORKING_DAYS)
RED_HOURS = Duration(24, Unit.HOURS)
STREET = Duration(30, Unit.CALENDAR_DAYS)


def moment(text: str) -> datetime:
    """A moment of 2026 such as `03-04 18:00`, of another year with its year; 24:00 is the end of the day."""
    day, _, clock = text.rpartition(" ")
    day = day if day.count("-") == 2 else f"2026-{day}"
    if clock == "24:00":
        return end_of(date.fromisoformat(day))
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=CHINA)


def duration(text: str) -> Duration:
    """A duration such as `3 wd`, `7 cd`, `3 cd roll`, `24 h`, `1 month`, `on 04-03`."""
    words = text.split()
    if words[0] == "on":
        return Duration(0, Unit.DATE, on=moment(f"{words[1]} 00:00").date())
    unit = {"wd": Unit.WORKING_DAYS, "cd": Unit.CALENDAR_DAYS, "h": Unit.HOURS, "month": Unit.MONTH}[words[1]]
    return Duration(float(words[0]), unit, roll="roll" in words)


DUES = (
    ("S01 TRIAGE", "03-03 09:10", "1 wd", "03-04 18:00"),
    ("S01 HANDLE", "03-03 09:40", "24 h", "03-04 09:40"),
    ("S01 FEEDBACK", "03-03 16:20", "2 wd", "03-05 18:00"),
    ("S01 RETURN", "03-03 17:20", "3 wd", "03-06 18:00"),
    ("S02 HANDLE on the first day of the year", "02-17 21:05", "2 h", "02-17 23:05"),
    ("S02 FEEDBACK after the holiday", "02-17 22:40", "2 wd", "02-25 18:00"),
    ("S03 SIGN", "03-09 10:00", "1 wd", "03-10 18:00"),
    ("S03 HANDLE", "03-09 10:00", "7 wd", "03-18 18:00"),
    ("S03 LIST", "03-25 18:00", "1 wd", "03-26 18:00"),
    ("S03 HANDLE as decided", "03-27 15:00", "on 04-03", "04-03 18:00"),
    ("S07 HANDLE", "10-12 09:00", "15 wd", "11-02 18:00"),
    ("S07 DESIGNATE", "10-15 09:00", "2 wd", "10-19 18:00"),
    ("S08 SUSPEND_REVIEW", "08-20 10:00", "30 cd", "09-19 24:00"),
    ("S08 SUSPEND_MAX", "08-20 10:00", "180 cd", "2027-02-16 24:00"),
    ("S12 OBJECT_DECLINE over Qingming", "04-01 09:00", "5 wd", "04-09 18:00"),
    ("S13 TRANSFER", "03-23 10:00", "1 wd", "03-24 18:00"),
    ("S14 PUBLICATION", "04-15 09:00", "7 cd", "04-22 24:00"),
    ("S15 HANDLE again", "04-08 10:00", "4 wd", "04-14 18:00"),
    ("S16 reopen window", "03-05 10:00", "15 cd roll", "03-20 24:00"),
    ("S17 SIGN of a department", "05-20 10:00", "3 wd", "05-25 18:00"),
    ("S17 REFER_REPLY", "05-20 10:00", "5 wd", "05-27 18:00"),
    ("S19 VERIFY", "11-05 10:00", "3 wd", "11-10 18:00"),
    ("S26 MONTH", "02-01 00:00", "1 month", "02-28 24:00"),
    ("S28 RECONVENE", "06-24 15:30", "7 cd", "07-01 24:00"),
    ("S29 SLOT", "10-01 00:00", "1 month", "10-31 24:00"),
    ("S33 COMPLETENESS on a make-up Sunday", "09-14 10:00", "5 wd", "09-20 18:00"),
    ("S33 REVIEW over the National Day", "09-16 10:00", "15 wd", "10-13 18:00"),
    ("S33 AGREE", "10-12 10:00", "10 wd", "10-26 18:00"),
    ("S33 MEDIATE", "10-20 10:00", "5 wd", "10-27 18:00"),
    ("S33 FUND", "10-20 10:00", "20 wd", "11-17 18:00"),
    ("S36 CHECK", "10-12 10:00", "1 wd", "10-13 18:00"),
    ("S38 RECTIFY", "11-10 10:00", "30 cd roll", "12-10 24:00"),
    ("S38 STATEMENT", "12-11 10:00", "5 wd", "12-18 18:00"),
    ("S39 REVIEW", "11-25 10:00", "15 wd", "12-16 18:00"),
    ("S40 REVIEW", "08-05 10:00", "15 wd", "08-26 18:00"),
    ("S41 SUSPEND_RIGHT", "11-30 18:00", "10 wd", "12-14 18:00"),
    ("S42 LATE_FILE", "07-09 10:00", "5 wd", "07-16 18:00"),
    ("S44 CALL", "05-11 09:00", "7 cd roll", "05-18 24:00"),
    ("S44 STREET", "05-22 15:00", "5 wd", "05-29 18:00"),
    ("S44 NOTICE rolls over the weekend", "05-28 10:00", "3 cd roll", "06-01 24:00"),
    ("S46 INVESTIGATE", "05-30 10:00", "5 wd", "06-05 18:00"),
    ("S47 NOTICE again", "06-03 10:00", "3 cd roll", "06-08 24:00"),
    ("S49 DECIDE", "06-08 10:00", "5 wd", "06-15 18:00"),
    ("S49 FILL", "06-10 10:00", "30 cd roll", "07-10 24:00"),
    ("S50 STATEMENT", "07-15 10:00", "5 wd", "07-22 18:00"),
    ("S50 DECIDE_DISMISSAL", "07-15 10:00", "15 wd", "08-05 18:00"),
    ("S54 STREET", "07-28 10:00", "15 wd", "08-18 18:00"),
    ("S54 NOTICE", "08-12 10:00", "5 wd", "08-19 18:00"),
    ("S61 HAND_OVER", "12-21 10:00", "10 wd", "2027-01-04 18:00"),
    ("M1 I-4 HANDLE", "03-10 19:45", "24 h", "03-11 19:45"),
    ("M1 I-5 HANDLE", "03-11 09:00", "7 wd", "03-20 18:00"),
    ("M1 I-6 HANDLE", "03-12 09:00", "7 wd", "03-23 18:00"),
    ("M1 I-10 HANDLE", "03-18 10:00", "7 wd", "03-27 18:00"),
    ("M1 I-11 HANDLE", "03-23 15:00", "7 wd", "04-01 18:00"),
    ("M1 I-8 PLAN", "03-24 14:30", "5 wd", "03-31 18:00"),
    ("M1 I-2 PLAN", "03-25 14:30", "5 wd", "04-01 18:00"),
    ("M1 I-9 SIGN", "03-25 14:30", "3 wd", "03-30 18:00"),
    ("M1 I-9 REFER_REPLY", "03-25 14:30", "5 wd", "04-01 18:00"),
    ("M2 I-21 HANDLE", "02-10 10:00", "15 wd", "03-09 18:00"),
    ("M2 NOTICE into the festival", "02-12 10:00", "3 cd roll", "02-24 24:00"),
    ("M2 I-23 HANDLE", "02-14 16:30", "7 wd", "03-03 18:00"),
    ("M2 I-24 HANDLE", "02-16 09:00", "24 h", "02-17 09:00"),
    ("M2 I-25 TRIAGE", "02-20 18:30", "1 wd", "02-24 18:00"),
    ("M2 I-25 HANDLE", "02-24 10:00", "7 wd", "03-04 18:00"),
    ("M3 I-30 HANDLE", "07-06 10:00", "7 wd", "07-15 18:00"),
    ("M3 REVIEW of the emergency", "07-09 08:00", "7 cd", "07-16 24:00"),
    ("M3 I-31 HANDLE", "07-09 09:00", "15 wd", "07-30 18:00"),
    ("M3 I-32 HANDLE", "07-09 09:05", "2 h", "07-09 11:05"),
    ("M3 DECIDE", "07-10 10:00", "5 wd", "07-17 18:00"),
    ("M3 FILL over a Saturday", "07-16 10:00", "30 cd roll", "08-17 24:00"),
    ("M3 VERIFY", "07-13 10:00", "10 wd", "07-27 18:00"),
    ("M4 NOTICE into the National Day", "09-30 16:00", "3 cd roll", "10-08 24:00"),
    ("M4 I-44 HANDLE", "10-03 08:30", "24 h", "10-04 08:30"),
    ("M4 I-44 FEEDBACK", "10-03 18:00", "2 wd", "10-09 18:00"),
    ("M4 I-42 HANDLE", "10-09 10:00", "7 wd", "10-19 18:00"),
    ("M4 I-42 LIST", "10-26 18:00", "1 wd", "10-27 18:00"),
    ("M4 REVIEW", "10-19 10:00", "15 wd", "11-09 18:00"),
    ("M5 SELF_REPORT", "11-01 00:00", "15 wd", "11-20 18:00"),
    ("M5 RECTIFY", "12-15 10:00", "30 cd roll", "2027-01-14 24:00"),
    ("M5 STATEMENT", "12-11 10:00", "5 wd", "12-18 18:00"),
)


@pytest.mark.parametrize(("start", "given", "expected"), [row[1:] for row in DUES], ids=[row[0] for row in DUES])
def test_a_deadline_of_the_scenarios_ends_at_its_moment(start: str, given: str, expected: str) -> None:
    assert due(moment(start), duration(given), CALENDAR).at == moment(expected)


AFTER_END = (
    ("S29 MAKE_UP after SLOT", "10-31 24:00", "10 cd", "11-10 24:00"),
    ("S44 SHORTLIST after CALL", "05-18 24:00", "5 wd", "05-25 18:00"),
    ("S44 APPOINT after NOTICE", "06-01 24:00", "5 wd", "06-08 18:00"),
)


@pytest.mark.parametrize(
    ("start", "given", "expected"), [row[1:] for row in AFTER_END], ids=[row[0] for row in AFTER_END]
)
def test_a_clock_started_by_the_end_of_another_counts_from_the_day_that_ended(
    start: str, given: str, expected: str
) -> None:
    assert due(moment(start), duration(given), CALENDAR, after_end=True).at == moment(expected)


LADDERS = (
    ("S02 hour clock", "02-17 21:05", "2 h", "02-17 22:05", "02-18 23:05"),
    ("S03", "03-09 10:00", "7 wd", "03-17 18:00", "03-25 18:00"),
    ("S03 as decided", "03-27 15:00", "on 04-03", "04-02 18:00", "04-13 18:00"),
    ("M4 I-42", "10-09 10:00", "7 wd", "10-16 18:00", "10-26 18:00"),
)


@pytest.mark.parametrize(
    ("start", "given", "blue", "red"), [row[1:] for row in LADDERS], ids=[row[0] for row in LADDERS]
)
def test_blue_and_red_come_at_their_moments(start: str, given: str, blue: str, red: str) -> None:
    ends = due(moment(start), duration(given), CALENDAR).at

    moments = ladder(
        moment(start),
        ends,
        duration(given),
        CALENDAR,
        remind_before=REMIND,
        red_after=RED,
        red_after_hours=RED_HOURS,
        red_street_max=STREET,
    )

    assert (moments.blue, moments.red) == (moment(blue), moment(red))


def test_red_plus_plus_comes_thirty_days_after_red() -> None:
    moments = ladder(
        moment("03-09 10:00"),
        moment("03-18 18:00"),
        duration("7 wd"),
        CALENDAR,
        remind_before=REMIND,
        red_after=RED,
        red_after_hours=RED_HOURS,
        red_street_max=STREET,
    )

    assert moments.red_plus_plus == moment("04-24 24:00")


def test_a_clock_of_one_day_started_late_has_no_reminder() -> None:
    moments = ladder(
        moment("03-09 18:00"),
        moment("03-10 18:00"),
        duration("1 wd"),
        CALENDAR,
        remind_before=REMIND,
        red_after=RED,
        red_after_hours=RED_HOURS,
        red_street_max=STREET,
    )

    assert moments.blue is None


def test_m3_a_pause_over_night_adds_the_pause_day() -> None:
    ends = pause_shift(moment("07-15 18:00"), moment("07-08 16:40"), moment("07-09 08:00"), duration("7 wd"), CALENDAR)

    assert ends == moment("07-16 18:00")


def test_s08_an_extension_by_seven_working_days() -> None:
    assert shift_working_days(moment("08-14 18:00"), 7, CALENDAR) == moment("08-25 18:00")


def test_s61_the_hand_over_is_provisional_until_the_year_is_published() -> None:
    ten_days, start = duration("10 wd"), moment("12-21 10:00")
    new_year = {date(2027, 1, number): "元旦" for number in (1, 2, 3)}
    published = HostCalendar("2027", {**CALENDAR.days, **whole_year(2027, rest=new_year, make_up=())})

    before, after = due(start, ten_days, CALENDAR), due(start, ten_days, published)

    assert (before.at, before.provisional) == (moment("2027-01-04 18:00"), True)
    assert (after.at, after.provisional) == (moment("2027-01-05 18:00"), False)
    assert [skipped.why for skipped in after.skipped[-3:]] == ["元旦"] * 3


def test_s33_the_make_up_sunday_is_worked_and_the_holidays_are_named() -> None:
    review = due(moment("09-16 10:00"), duration("15 wd"), CALENDAR)

    skipped = {day.date: day.why for day in review.skipped}

    assert date(2026, 9, 20) not in skipped
    assert date(2026, 10, 10) not in skipped
    assert skipped[date(2026, 9, 19)] == "周六"
    assert skipped[date(2026, 9, 25)] == "中秋"
    assert skipped[date(2026, 10, 1)] == "国庆节"


@pytest.mark.parametrize(("month", "days"), [(2, 16), (3, 22), (7, 23), (10, 18), (12, 23)])
def test_the_months_of_the_simulations_have_their_working_days(month: int, days: int) -> None:
    first = date(2026, month, 1)

    worked = [first + timedelta(days=number) for number in range(31)]

    assert sum(CALENDAR.day(day).working for day in worked if day.month == month) == days
