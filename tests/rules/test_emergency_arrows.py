"""The state table of emergencies (应急): every row is taken, everything else is refused, every clock speaks."""

from typing import Any

import pytest

from tests.rules.rows import name
from tests.rules.tables import Table, every_refusal_is_provoked
from tests.scenarios.street import C1, PEOPLE, Town, moment
from workflows.emergency import commands as do
from workflows.emergency.data import Emergency, Kind, Level
from workflows.emergency.process import EMERGENCY
from workflows.issue.data import ClockClass, HandlingMode, Source
from workflows.kernel.process import Arrow, Case

REF = "text:0000000000000001"
DETECT = do.Detect(community_code=C1, kind=Kind.NATURAL_DISASTER, place_text=REF)
REPORT = do.Report(text=REF)
REVIEW = do.Review(lessons=REF)
TASK = do.GiveTask(team="property-1", text=REF)


def detected(**fields: Any) -> Town:
    """An emergency `e` of community 1 at 16:20."""
    town = Town("07-08 16:20")
    town.street.open(
        "emergency", "e", do.Detect(**{"community_code": C1, "kind": Kind.ACCIDENT, "place_text": REF, **fields}),
        PEOPLE["grid1"],
    )  # fmt: skip
    return town


def graded(level: Level = Level.III, **fields: Any) -> Town:
    """Called at 16:23 and graded at 16:35."""
    town = detected(**fields)
    town.at("07-08 16:23").say("e", "worker1", do.Call())
    town.at("07-08 16:35").say("e", "secretary1", do.Grade(level=level))
    return town


def at_position(position: str) -> Town:
    """The emergency there, with a task waiting where one may."""
    town = detected()
    if position == "DETECTED":
        return town
    town.at("07-08 16:23").say("e", "worker1", do.Call())
    if position == "CALLED":
        return town
    if position == "CLOSED:FALSE_ALARM":
        town.say("e", "grid1", do.FalseAlarm(reason=REF))
        return town
    town = graded()
    town.say("e", "secretary1", REPORT)
    town.say("e", "secretary1", TASK)
    if position == "RESPONDING":
        return town
    town.say("e", "secretary1", do.Contain())
    if position == "CONTAINED":
        return town
    town.say("e", "officer", do.PauseClocks(reason=REF))
    town.say("e", "secretary1", do.StandDown())
    if position == "CLOSED:REVIEWED":
        town.say("e", "officer", do.ResumeClocks())
        town.say("e", "secretary1", REVIEW)
    return town


def sample(town: Town, on: type) -> Any:
    """A lawful command; clocks are paused before they are resumed, and run before the review."""
    case = the(town)
    if on is do.ResumeClocks and not case.data.paused and case.state in ("RESPONDING", "CONTAINED"):
        town.say("e", "officer", do.PauseClocks(reason=REF))
    if on is do.Review and case.data.paused:
        town.say("e", "officer", do.ResumeClocks())
    return {
        do.Detect: DETECT,
        do.Call: do.Call(),
        do.Grade: do.Grade(level=Level.III),
        do.FalseAlarm: do.FalseAlarm(reason=REF),
        do.Report: REPORT,
        do.GiveTask: TASK,
        do.AckTask: do.AckTask(task="t1"),
        do.FinishTask: do.FinishTask(task="t1"),
        do.Upgrade: do.Upgrade(level=Level.II, reason=REF),
        do.Downgrade: do.Downgrade(level=Level.IV, reason=REF),
        do.HandOver: do.HandOver(commander="officer", reason=REF),
        do.Contain: do.Contain(),
        do.FlareUp: do.FlareUp(reason=REF),
        do.StandDown: do.StandDown(),
        do.PauseClocks: do.PauseClocks(reason=REF),
        do.TakeIssues: do.TakeIssues(issues=(), pause=1),
        do.ResumeClocks: do.ResumeClocks(),
        do.Review: REVIEW,
    }[on]


def the(town: Town) -> Case[Emergency]:
    """The emergency as it now is."""
    return town.street.cases["e"]


TABLE = Table(process=EMERGENCY, at_position=at_position, sample=sample, key="e")


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert TABLE.takes(arrow).position in (arrow.to or (arrow.source,))


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    TABLE.refuses_strangers(arrow)


@pytest.mark.parametrize("position", TABLE.positions)
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    TABLE.refuses_everything_else(position)
    TABLE.is_owed(position)


def test_a_call_that_does_not_come_goes_to_the_secretary_and_the_street() -> None:
    assert [(arrow.source, arrow.on.code) for arrow in TABLE.timed] == [("DETECTED", "CALL")]  # type: ignore[union-attr]
    town = detected().at("07-08 16:25")
    assert the(town).state == "DETECTED"
    assert town.told("e", "07-08 16:25") >= {
        (f"role:party_secretary@{C1}", "emergency_not_called"),
        (C1[:9], "emergency_not_called"),
    }


def test_the_minutes_are_those_of_the_pack() -> None:
    town = graded()
    assert town.due("e", "CALL") == "07-08 16:25"
    assert town.due("e", "GRADE") == "07-08 16:38"
    assert (town.due("e", "REPORT"), town.due("e", "SITUATION")) == ("07-08 16:50", "07-08 17:35")
    assert graded(Level.IV).due("e", "REPORT") == "07-08 17:05"
    town.say("e", "secretary1", TASK)
    assert town.due("e", "ACK") == "07-08 16:45"
    town.at("07-08 16:40").say("e", "property1", do.AckTask(task="t1"))
    assert town.state("e", "ACK") == "MET"
    town.say("e", "property1", do.FinishTask(task="t1"))
    assert the(town).data.tasks["t1"].done_at is not None


def test_there_is_one_commander_at_any_time() -> None:
    town = graded()
    assert the(town).data.commander == "secretary1"
    town.say("e", "secretary1", do.HandOver(commander="officer", reason=REF))
    assert the(town).data.commander == "officer"
    assert town.refused("e", "secretary1", do.Contain()) == "NOT_IN_ROLE"
    assert town.say("e", "officer", do.Contain()).state == "CONTAINED"
    assert town.say("e", "officer", do.FlareUp(reason=REF)).state == "RESPONDING"


def test_issues_that_closed_or_are_counted_in_hours_run_on() -> None:
    town = detected()
    town.submit("day", "grid1")
    town.accept(
        "day", "worker1", HandlingMode.TIME_LIMITED, "B01", lead_org="property-1", clock_class=ClockClass.SIMPLE
    )
    town.submit("hour", "grid1")
    town.accept("hour", "worker1", HandlingMode.IMMEDIATE, "A02")
    town.say("e", "worker1", do.Call())
    town.say("e", "secretary1", do.Grade(level=Level.III))
    town.say("e", "officer", do.PauseClocks(reason=REF))
    assert (town.state("day", "HANDLE"), town.state("hour", "HANDLE")) == ("PAUSED", "RUNNING")
    assert set(the(town).data.paused_issues) == {"day", "hour"}
    due = town.due("day", "HANDLE")
    town.say("e", "officer", do.ResumeClocks())
    assert (town.state("day", "HANDLE"), town.due("day", "HANDLE")) == ("RUNNING", due)
    assert town.issue("day").data.emergency_paused == ()
    late = do.TakeIssues(issues=("day",), pause=1)
    assert town.street.world.commands(EMERGENCY, "take_issues", {"issues": ["day"], "pause": 1}) == late


def test_what_is_left_to_do_becomes_issues() -> None:
    town = at_position("STOOD_DOWN")
    town.say("e", "officer", do.ResumeClocks())
    follow = do.FollowUp(title="text:f", description="text:d")
    closed = town.say("e", "secretary1", do.Review(lessons=REF, follow_ups=(follow,)))
    (issue,) = closed.data.follow_ups
    assert (town.issue(issue).state, town.issue(issue).data.source) == ("REGISTERED", "EMERGENCY")


def test_an_exercise_alerts_nobody_outside() -> None:
    town = graded(drill=True)
    town.say("e", "secretary1", TASK)
    told = {notice.to for event in town.street.histories["e"] for notice in event.change.notices}
    assert told == {C1, f"role:community_worker@{C1}", f"role:party_secretary@{C1}"}


def alarms(**fields: Any) -> list[Case[Emergency]]:
    """The emergencies that a new issue starts."""
    town = Town("07-08 16:20")
    town.submit("i", "grid1", **fields)
    found = [case for case in town.street.cases.values() if case.process == "emergency"]
    assert [town.issue("i").data.emergency] == [one.id for one in found] or not found
    return found


def test_who_reports_danger_has_called_the_community() -> None:
    (alarm,) = alarms(danger=True, place_text=REF)

    assert (alarm.state, alarm.community, alarm.data.detected_by) == ("DETECTED", C1, "grid1")
    assert (alarm.data.issue, alarm.data.danger, alarm.data.place_text) == ("i", True, REF)
    assert [(clock.code, clock.due_at) for clock in alarm.clocks] == [("CALL", moment("07-08 16:25"))]
    (gas,) = alarms(category_code="C03")
    assert gas.data.place_text == "text:i", "without a place the title says it"


def test_what_can_wait_or_is_over_calls_nobody() -> None:
    assert alarms(category_code="G03") == [], "dangerous in the long run"
    assert alarms(danger=True, source=Source.EMERGENCY) == [], "an emergency has left it behind"
    assert alarms(danger=True, reported_at=moment("07-01 09:00")) == [], "entered afterwards"


def test_every_refusal_is_provoked() -> None:
    town = graded()
    unreported = graded()
    unreported.say("e", "secretary1", do.Contain())
    paused = graded()
    paused.say("e", "officer", do.PauseClocks(reason=REF))
    over = at_position("CONTAINED")
    over.say("e", "officer", do.PauseClocks(reason=REF))
    over.say("e", "secretary1", do.StandDown())
    done = at_position("RESPONDING")
    done.say("e", "worker1", do.FinishTask(task="t1"))
    again = do.HandOver(commander="secretary1", reason=REF)
    every_refusal_is_provoked(
        "emergency",
        {
            "rules._task UNKNOWN_TASK": lambda: town.say("e", "worker1", do.AckTask(task="t9")),
            "rules._task TASK_ALREADY_DONE": lambda: done.say("e", "worker1", do.AckTask(task="t1")),
            "rules.upgrade LEVEL_NOT_HIGHER": lambda: town.say("e", "officer", do.Upgrade(level=Level.III, reason=REF)),
            "rules.downgrade LEVEL_NOT_LOWER": lambda: town.say(
                "e", "officer", do.Downgrade(level=Level.III, reason=REF)
            ),
            "rules.downgrade CLOCKS_PAUSED": lambda: paused.say(
                "e", "officer", do.Downgrade(level=Level.IV, reason=REF)
            ),
            "rules.hand_over COMMANDS_ALREADY": lambda: town.say("e", "officer", again),
            "rules.was_reported NOT_REPORTED": lambda: unreported.say("e", "secretary1", do.StandDown()),
            "rules.may_pause ONLY_A_DRILL": lambda: graded(drill=True).say("e", "officer", do.PauseClocks(reason=REF)),
            "rules.may_pause LEVEL_BELOW_III": lambda: graded(Level.IV).say("e", "officer", do.PauseClocks(reason=REF)),
            "rules.may_pause CLOCKS_PAUSED": lambda: paused.say("e", "officer", do.PauseClocks(reason=REF)),
            "rules.is_paused CLOCKS_NOT_PAUSED": lambda: town.say("e", "officer", do.ResumeClocks()),
            "rules.may_review CLOCKS_PAUSED": lambda: over.say("e", "secretary1", REVIEW),
        },
    )


@pytest.mark.parametrize(("said", "kind"), [(None, Kind.ACCIDENT), (Kind.PUBLIC_HEALTH, Kind.PUBLIC_HEALTH)])
def test_whoever_grades_says_what_it_really_is(said: Kind | None, kind: Kind) -> None:
    town = at_position("CALLED")
    town.say("e", "secretary1", do.Grade(level=Level.III, kind=said))

    assert town.street.cases["e"].data.kind is kind
