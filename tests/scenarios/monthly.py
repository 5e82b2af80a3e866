"""Shorthand for the months of scenarios.md §6: how they begin, what their steps take for granted, their totals."""

from collections import Counter
from dataclasses import replace
from datetime import date

from services.storage.national_calendar import national_days
from tests.scenarios import test_round_scenarios as collecting
from tests.scenarios.street import C1, C2, C3, EVIDENCE, STREET, Town, moment
from workflows.issue import commands as do
from workflows.issue.data import (
    Audience,
    Channel,
    ClockClass,
    Difficulty,
    DifficultyReason,
    HandlingMode,
    Solved,
    Timing,
)
from workflows.kernel.calendar import HostCalendar, whole_year
from workflows.kernel.clocks import ClockState
from workflows.kernel.process import Pin
from workflows.kernel.simulator import World
from workflows.meeting import commands as sit
from workflows.meeting.data import MeetingType
from workflows.round import commands as rounds

IMMEDIATE, LIMITED, SCHEDULED = HandlingMode.IMMEDIATE, HandlingMode.TIME_LIMITED, HandlingMode.SCHEDULED
MODERATE = {"difficulty": Difficulty.MODERATE, "difficulty_reasons": (DifficultyReason.SEVERAL_ORGANIZATIONS,)}
CLAIM = do.ClaimCompletion(text="text:done", evidence=EVIDENCE)
PHONE = do.GiveFeedback(audience=Audience.INDIVIDUAL, timing=Timing.ANYTIME, channel=Channel.PHONE, text="text:t")
SATISFIED = do.RecordVisit(contacted=True, solved=Solved.YES, satisfaction=5)
REPORTED = "inspection_reported"
COMPLEX, SIMPLE = ClockClass.COMPLEX, ClockClass.SIMPLE
EPC, RRA = MeetingType.EXTENDED_PARTY_COMMITTEE, MeetingType.RESIDENT_REPRESENTATIVES
ALL = (C1, C2, C3)
REF = "text:0000000000000001"


def told_and_visited(town: Town, key: str, number: int, when: str) -> None:
    """The result is told and the reporter says that it is solved."""
    town.at(when).say(key, f"worker{number}", PHONE)
    assert town.say(key, f"worker{number}", SATISFIED).position == "CLOSED:RESOLVED"


def contacted(town: Town, key: str, number: int) -> None:
    """The first contact, which the steps of the month take for granted."""
    town.say(key, f"worker{number}", do.ContactReporter(note="text:n"))


def on_agenda(town: Town, meeting: str, key: str) -> None:
    """The topic stands on the agenda of the 大党委 since it froze."""
    assert town.issue(key).data.topic_body == "EXTENDED_PARTY_COMMITTEE"
    assert (town.issue(key).position, town.issue(key).data.meeting) == ("ON_AGENDA", meeting)


def minuted(town: Town, meeting: str) -> None:
    """The session is closed and its minutes are signed."""
    town.adjourn(meeting)
    town.say(meeting, f"secretary{town.meeting(meeting).community[-1]}", sit.SignMinutes())


def months(town: Town, period: str) -> dict[int, str]:
    """Where the months of the three 大党委 stand."""
    return {number: town.slot(period, number).position for number in (1, 2, 3)}


def verdicts(town: Town, keys: tuple[str, ...], until: str) -> Counter[str]:
    """HANDLE clocks that ended with a verdict: met in time, or breached at any time (also when superseded later)."""
    found: Counter[str] = Counter()
    for key in keys:
        for clock in town.clocks(key, "HANDLE"):
            if clock.breached_at is not None and clock.breached_at <= moment(until):
                found["breached"] += 1
            elif clock.state is ClockState.MET:
                found["met"] += 1
    return found


def overdue(town: Town) -> list[tuple[str, str]]:
    """Breached clocks of open cases, by case and code."""
    return [
        (case.id, clock.code)
        for case in town.street.cases.values()
        for clock in case.clocks
        if clock.state is ClockState.BREACHED
    ]


def begin(town: Town, month: str) -> None:
    """A month begins with its rounds and the months of the bodies."""
    town.month(month)
    collecting.begin(town, month)


def open_rounds(town: Town, month: str, *numbers: int) -> None:
    """The chairs open their rounds, and enough households and units are visited."""
    for number in numbers:
        key = collecting.round_of(f"{STREET}{number:03}", month)
        collecting.opened(town, key, f"secretary{number}", (f"grid{number}",))
        collecting.visits(town, key, f"grid{number}", 10, 1)


def close_rounds(town: Town, month: str, *numbers: int) -> None:
    """Collected, and the problem list published."""
    for number in numbers:
        key = collecting.round_of(f"{STREET}{number:03}", month)
        town.say(key, f"secretary{number}", rounds.CloseCollection())
        town.say(key, f"worker{number}", rounds.PublishProblemList())


def rounds_of(town: Town, month: str) -> list[str]:
    """Where the three rounds stand."""
    return [town.street.cases[collecting.round_of(one, month)].state for one in ALL]


def issues(town: Town, *keys: str) -> dict[str, str]:
    """Where the issues stand."""
    return {key: town.issue(key).position for key in keys}


def with_2027(town: Town) -> None:
    """The calendar of 2027 is loaded: 01-01 to 01-03 are off (test data of the scenario)."""
    rest = {date(2027, 1, number): "元旦" for number in (1, 2, 3)}
    calendar = HostCalendar("with 2027", {**national_days(), **whole_year(2027, rest=rest, make_up=[])})
    before = town.street.world

    def under(pin: Pin) -> World:
        return replace(before.under(pin), calendar=calendar)

    town.street.world = replace(before, calendar=calendar, others=under)
