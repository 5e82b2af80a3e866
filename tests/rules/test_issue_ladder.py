"""The ladder of an issue nobody handles: hour clocks, the drill in which months pass in a minute, the way up."""

from datetime import timedelta

import pytest

from tests.scenarios.street import C1, STREET, Town, written
from workflows.issue import commands as do
from workflows.issue.data import ClockClass, Difficulty, HandlingMode
from workflows.meeting.data import Outcome

RUNGS = ["clock_reminded", "clock_breached", "clock_red", "clock_red_plus_plus"]


def handled(town: Town, mode: HandlingMode, *, urgent: bool = False) -> None:
    """An issue whose handling time runs."""
    town.submit("i", "grid1")
    command = do.AcceptToProblemList(
        mode=mode,
        category_code="Z99",
        difficulty=Difficulty.EASY,
        lead_org="property-1",
        urgent=urgent,
        clock_class=ClockClass.SIMPLE if mode is HandlingMode.TIME_LIMITED else None,
    )
    town.say("i", "worker1", command)


def rungs(town: Town) -> list[tuple[str, str]]:
    """The rungs of HANDLE with their moments."""
    return [
        (event.type, written(event.at))
        for event in town.street.histories["i"]
        if event.change.notes.get("clock") == "HANDLE" and event.type in RUNGS
    ]


@pytest.mark.parametrize(
    ("urgent", "moments"),
    [
        (False, ["03-14 09:00", "03-14 21:00", "03-15 21:00", "04-14 24:00"]),
        (True, ["03-13 22:00", "03-13 23:00", "03-14 23:00", "04-13 24:00"]),
    ],
)
def test_an_hour_clock_reminds_at_half_time_and_is_red_a_day_late(urgent: bool, moments: list[str]) -> None:
    """On a Friday evening: hour clocks know no weekend."""
    town = Town("03-13 21:00")
    handled(town, HandlingMode.IMMEDIATE, urgent=urgent)

    town.at("04-20 09:00")
    assert rungs(town) == list(zip(RUNGS, moments, strict=True))


@pytest.mark.parametrize("mode", [HandlingMode.IMMEDIATE, HandlingMode.TIME_LIMITED])
@pytest.mark.parametrize("start", ["03-13 21:00", "10-01 09:00", "03-31 23:59"])
def test_in_a_drill_the_rungs_come_in_their_order(mode: HandlingMode, start: str) -> None:
    town = Town(start, "drill")
    handled(town, mode)
    handle = town.clock("i", "HANDLE")
    begun = handle.started_at

    town.street.run_to(begun + timedelta(seconds=150))
    spoken = [e for e in town.street.histories["i"] if e.change.notes.get("clock") == "HANDLE" and e.type in RUNGS]
    assert [event.type for event in spoken] == RUNGS
    seconds = [(event.at - begun).total_seconds() for event in spoken]
    hours = mode is HandlingMode.IMMEDIATE
    # 24 h last 2.4 s and turn red after 24 h; 7 wd last 14 s, remind 1 wd before and turn red after 5 wd.
    assert seconds == pytest.approx([1.2, 2.4, 4.8, 64.8] if hours else [12, 14, 24, 84])


def test_in_a_drill_a_forgotten_issue_reaches_the_county_within_minutes() -> None:
    town = Town("03-13 21:00", "drill")
    handled(town, HandlingMode.TIME_LIMITED)

    # Sixty seconds a month: a slot until RED+ sends it to the street, two of the next ones until the county.
    town.street.run_to(town.street.now + timedelta(minutes=8))
    case = town.issue("i")
    assert case.data.escalated is not None
    assert case.data.escalated.level == "L4"
    assert town.listing("i").position == "OPENED"


def test_red_plus_sends_what_the_committee_left_undecided_to_the_street() -> None:
    town = Town("03-09 10:00")
    handled(town, HandlingMode.TIME_LIMITED)

    town.at("03-25 18:00")
    topic = town.issue("i").data.escalated
    assert topic is not None
    assert (topic.level, town.due("i", "ESCALATED")) == ("L2", "03-31 24:00")

    town.at("03-31 24:00")
    topic = town.issue("i").data.escalated
    assert topic is not None
    assert (topic.level, topic.body) == ("L3", "SUBDISTRICT")
    assert (STREET, "red_plus") in town.told("i", "03-31 24:00")


def test_an_issue_nobody_takes_up_becomes_a_topic_after_ninety_days() -> None:
    town = Town("03-09 10:00")
    town.submit("i", "grid1")

    town.at("03-10 18:00")
    assert town.told("i", "03-10 18:00") == {(C1, "clock_yellow"), (STREET, "clock_yellow")}
    town.at("06-07 24:00")
    case = town.issue("i")
    assert (case.position, case.level, case.data.topic_reason) == ("TOPIC_PROPOSED", "L2", "RED")
    assert case.data.problem_month == "2026-06"
    assert town.clock("i", "TRIAGE").breached_at is not None
    assert town.listing("i").data.reason_code == "RED_OVERALL"


def test_a_second_failure_after_the_committee_goes_to_the_street() -> None:
    """The body that has decided keeps the matter: RED again does not start at the beginning."""
    town = Town("03-09 10:00")
    handled(town, HandlingMode.TIME_LIMITED)
    town.at("03-26 10:00").meet("m", "03-30 15:00")
    town.at("03-27 15:00").open_session("m")
    due = town.street.now.date() + timedelta(days=8)
    assert town.agree("m", "i", Outcome.KEEP, due_on=due).level == "L2"

    town.at("04-20 10:00")
    topic = town.issue("i").data.escalated
    assert topic is not None
    assert topic.level == "L3"
