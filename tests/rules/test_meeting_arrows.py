"""The state table of the meeting, row by row: every row is taken, and nothing happens where there is no row."""

from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

import pytest

from tests.rules.issue_scenes import NO_ROLE, OUTSIDER
from tests.rules.meeting_scenes import said
from tests.rules.rows import UPKEEP, keeps_its_word, name, outcome, rows
from tests.scenarios.street import C1, ORGANIZATIONS, PEOPLE, Town, day, moment, world
from workflows.issue.data import Difficulty, DifficultyReason, HandlingMode
from workflows.kernel.process import SYSTEM, Actor, Arrow, Forbidden, Moment, named
from workflows.kernel.step import tasks
from workflows.meeting import commands as do
from workflows.meeting.agenda import ordered
from workflows.meeting.data import Choice, MeetingType, Outcome
from workflows.meeting.process import ENDED, MEETING, OPEN

POLICY = world().policy
ROWS = rows(MEETING)
TOLD = (do.TakeTopics, do.LearnTitles, do.TakeSlot, do.WithdrawTopic)
COMMANDS = [arrow for arrow in ROWS if isinstance(arrow.on, type) and arrow.source]
TIMED = [arrow for arrow in ROWS if isinstance(arrow.on, Moment)]
POSITIONS = [state.name for state in MEETING.states]
UNSEEN = ("MINUTES_SIGNED",)
"""Positions that the system leaves in the turn in which it comes there."""
ACTORS: tuple[Actor, ...] = (*PEOPLE.values(), SYSTEM)


def topic(town: Town, key: str, **fields: Any) -> None:
    """A topic of the 大党委."""
    town.submit(key, "grid1", **fields)
    reasons = (DifficultyReason.MONEY,)
    town.accept(
        key, "worker1", HandlingMode.SCHEDULED, "D02", difficulty=Difficulty.MODERATE, difficulty_reasons=reasons
    )


def prepared() -> Town:
    """A 大党委 meeting in its month, with a proposed and an admitted topic, and a matter; one more topic waits."""
    town = Town("06-01 00:00")
    town.month("2026-06")
    for key in ("a", "b", "c"):
        topic(town, key)
    town.at("06-08 09:00").meet("m", "06-24 15:00")
    town.propose("m", "a")
    town.say("m", "worker1", do.ProposeItem(topic="b"))
    town.say("m", "worker1", do.ProposeItem(title="text:t", document="text:d"))
    return town


@cache
def _steps(position: str) -> tuple[str, ...]:
    order = ("AGENDA_OPEN", "AGENDA_FROZEN", "NOTICED", "IN_SESSION", "MINUTES_DRAFT", "FOLLOW_UP", "CLOSED")
    return order[: order.index(position) + 1] if position in order else ("AGENDA_OPEN", "AGENDA_FROZEN", "NOTICED")


def at_position(position: str) -> Town:
    """The meeting there, by the shortest way."""
    town = prepared()
    if position == "CANCELLED":
        town.say("m", "secretary1", do.Cancel(reason="text:r"))
        return town
    for step in _steps(position)[1:]:
        _next(town, step)
    # Something that cannot wait, and came up after the agenda had taken what waited.
    topic(town, "u", danger=True)
    if position == "INQUORATE":
        town.at("06-24 15:30").open_session("m", present=4)
    if position == "CANCELLED:NOT_HELD":
        town.at("06-30 24:00")
    assert town.meeting("m").position == position
    return town


def _next(town: Town, position: str) -> None:
    if position == "AGENDA_FROZEN":
        town.at("06-21 15:00")
    elif position == "NOTICED":
        town.say("m", "clerk1", do.SendNotice())
        town.say("m", "resident1", do.DeclareInterest(item="i1", member="epc1b"))
    elif position == "IN_SESSION":
        town.at("06-24 15:00").open_session("m")
        for item in ("i1", "i3"):
            town.say("m", "secretary1", do.OpenItem(item=item))
            town.say("m", "clerk1", do.RecordStatement(item=item, party="text:p", position="text:q", need="text:n"))
        town.say("m", "epc1c", do.RecordVote(item="i3", choice=Choice.FOR))
    elif position == "MINUTES_DRAFT":
        for item, due in (("i1", None), ("i3", day("07-10"))):
            votes = tuple(
                do.Cast(member=one, choice=Choice.FOR)
                for one in town.members("m")
                if f"{item}/{one}" not in town.meeting("m").data.votes
            )
            town.say("m", "clerk1", do.RecordVote(item=item, votes=votes))
            decided = do.RecordDecision(
                item=item, outcome=Outcome.ADOPT, text="text:d", lead_org="property-1", due_on=due
            )
            town.say("m", "secretary1", decided)
        town.adjourn("m")
    elif position == "FOLLOW_UP":
        town.say("m", "secretary1", do.SignMinutes())
    else:
        town.say("m", "clerk1", do.TaskDone(task="t2"))


def quiet() -> Town:
    """A session in which no item is open."""
    town = at_position("NOTICED")
    town.at("06-24 15:00").open_session("m")
    return town


def scene(position: str, on: object = None) -> Town:
    """The meeting where somebody can say this."""
    return quiet() if on is do.Adjourn and position == "IN_SESSION" else at_position(position)


@cache
def standing(position: str, on: object = None) -> Town:
    """The same, to look at only."""
    return scene(position, on)


def facts(town: Town, command: Any, actor: Actor) -> dict[str, Any]:
    """What the door would tell the rules."""
    return {"organizations": ORGANIZATIONS, **town.street.facts(MEETING, town.meeting("m"), command, actor)}


def samples(town: Town, on: type) -> list[Any]:
    """Many ways to say a command there."""
    told: dict[type, Any] = {
        do.TakeTopics: do.TakeTopics(),
        do.LearnTitles: do.LearnTitles(titles={"a": "text:a"}),
        do.TakeSlot: do.TakeSlot(slot=town.slot("2026-06").id),
        do.WithdrawTopic: do.WithdrawTopic(topic="a"),
    }
    if on in told:
        return [told[on]]
    rng = Random(7)
    found = [said(rng, town.meeting("m"), town.street.cases)[on]() for _ in range(40)]
    known: dict[type, Any] = {
        do.AddUrgentItem: do.AddUrgentItem(topic="u"),
        do.RuleOnInterest: do.RuleOnInterest(item="i1", member="epc1b", accepted=True),
        do.CompleteDecision: do.CompleteDecision(item="i1", due_on=day("07-30")),
    }
    return [*([known[on]] if on in known else []), *found]


@cache
def takers(position: str, on: type) -> tuple[Any, Actor] | None:
    """A command and somebody by which a row is taken."""
    town = standing(position, on)
    case = town.meeting("m")
    for command in samples(town, on):
        for actor in ACTORS:
            if isinstance(outcome(MEETING, case, command, actor, POLICY, facts(town, command, actor)), tuple):
                return command, actor
    return None


@pytest.mark.parametrize("arrow", [a for a in COMMANDS if a.source not in UNSEEN], ids=name)
def test_every_command_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert isinstance(arrow.on, type)
    found = takers(arrow.source, arrow.on)
    assert found is not None, "nobody can take this row: it is dead, or the rules are too narrow"
    command, actor = found
    town = scene(arrow.source, arrow.on)
    before = town.meeting("m")

    town.street.command("m", command, actor, facts={"organizations": ORGANIZATIONS})
    clocks = [clock for key, clock in town.street.clocks.items() if key[0] == "m"]
    keeps_its_word(arrow, before, town.meeting("m"), clocks)


@pytest.mark.parametrize("arrow", [a for a in COMMANDS if a.source not in UNSEEN], ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    assert isinstance(arrow.on, type)
    found = takers(arrow.source, arrow.on)
    assert found is not None
    town = standing(arrow.source, arrow.on)

    for stranger in (OUTSIDER, NO_ROLE, Actor("nobody", "nobody", ())):
        given = facts(town, found[0], stranger)
        assert outcome(MEETING, town.meeting("m"), found[0], stranger, POLICY, given) == "forbidden"


@pytest.mark.parametrize("position", [one for one in POSITIONS if one not in UNSEEN])
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    town = standing(position)
    case = town.meeting("m")
    for on in MEETING.commands.values():
        if (position, on) in MEETING.table or on in UPKEEP or on in MEETING.openings.values():
            continue
        command = samples(town, on)[0]
        codes = {outcome(MEETING, case, command, actor, POLICY, {}) for actor in ACTORS}
        assert codes <= {"wrong_state", "forbidden"}, named(on).name


def _left_alone(position: str) -> Town:
    town = at_position(position)
    town.street.run_to(town.street.now + timedelta(days=200))
    return town


def test_every_timed_row_is_taken() -> None:
    seen: set[tuple[str, str]] = set()
    for position in ("AGENDA_OPEN", "AGENDA_FROZEN", "NOTICED", "INQUORATE"):
        seen |= _spoken(_left_alone(position))
    frozen = at_position("AGENDA_OPEN")
    frozen.say("m", "secretary1", do.Postpone(scheduled_at=moment("06-30 15:00"), reason="text:r"))
    frozen.at("07-02 09:00")
    joint = Town("06-01 09:00")
    joint.meet("m", "06-24 15:00", kind=MeetingType.PARTY_BUILDING_JOINT)
    joint.at("06-29 09:00")
    seen |= _spoken(frozen) | _spoken(joint)

    wanted = {(arrow.source, name(arrow).partition(" ")[2]) for arrow in TIMED}
    # Held-by ends where a postponement has opened the agenda again, so that an open agenda is never left to its month.
    assert wanted - seen <= {("AGENDA_OPEN", "ENDED HELD_BY")}


def _spoken(town: Town) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    position = ""
    for event in town.street.histories["m"]:
        if event.type == "window_ended":
            found.add((position, f"ENDED {event.change.notes['clock']}"))
        if event.type == "clock_breached":
            found.add((position, f"DUE {event.change.notes['clock']}"))
        position = event.change.to or position
    return found


@pytest.mark.parametrize("position", [one for one in OPEN if one not in UNSEEN])
def test_an_open_meeting_is_always_owed_by_somebody(position: str) -> None:
    case = standing(position).meeting("m")

    assert tasks(MEETING, case)
    assert position == "IN_SESSION" or [clock.code for clock in case.clocks if clock.live and clock.due_at]


@pytest.mark.parametrize("position", ["AGENDA_OPEN", "AGENDA_FROZEN", "NOTICED", "INQUORATE"])
def test_a_meeting_that_everybody_forgets_ends_by_itself_and_gives_its_topics_back(position: str) -> None:
    town = _left_alone(position)

    assert town.meeting("m").position == "CANCELLED:NOT_HELD"
    assert town.meeting("m").position in ENDED
    for key in ("a", "b", "c"):
        assert town.issue(key).data.meeting is None
        assert town.issue(key).position == "TOPIC_PROPOSED"
    assert town.street.refused == []


def test_who_sets_a_meeting_where() -> None:
    def may(actor: Actor, kind: MeetingType) -> bool:
        town = Town("06-08 09:00")
        command = do.ScheduleMeeting(community_code=C1, type=kind, scheduled_at=moment("06-24 15:00"), place="text:p")
        try:
            town.street.open("meeting", "m", command, actor)
        except Forbidden:
            return False
        return True

    epc, weekly = MeetingType.EXTENDED_PARTY_COMMITTEE, MeetingType.WEEKLY
    assert {who for who, actor in PEOPLE.items() if may(actor, epc)} == {"clerk1", "secretary1"}
    assert {who for who, actor in PEOPLE.items() if may(actor, weekly)} == {
        "clerk1",
        "secretary1",
        "worker1",
        "worker1b",
    }


def test_the_agenda_is_taken_in_the_order_that_the_secretary_gives_it() -> None:
    town = prepared()
    assert [key for key, _ in ordered(town.meeting("m").data.items)] == ["i1", "i2", "i3"]

    town.say("m", "clerk1", do.ArrangeItems(items=("i3", "i1", "i2")))

    assert [key for key, _ in ordered(town.meeting("m").data.items)] == ["i3", "i1", "i2"]
