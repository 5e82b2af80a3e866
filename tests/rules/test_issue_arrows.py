"""The state table of the issue, row by row: every row is taken, and nothing happens where there is no row."""

from datetime import datetime
from functools import cache
from typing import Any

import pytest

from tests.rules.issue_scenes import (
    ACTORS,
    CLAIM,
    FACTS,
    FIRST,
    NO_ROLE,
    OUTSIDER,
    PHONE,
    SATISFIED,
    WAYS,
    another,
    play,
    played,
    samples,
)
from tests.rules.rows import UPKEEP, keeps_its_word, name, operations, outcome, rows
from tests.scenarios.street import C1, CONTACT, PEOPLE, Town, moment, world
from workflows.issue import commands as do
from workflows.issue.data import Difficulty, HandlingMode, Source
from workflows.issue.process import CLOCKS, ISSUE
from workflows.kernel.clocks import ClockKind
from workflows.kernel.process import SYSTEM, Actor, Arrow, Case, Event, Moment, Refusal, named
from workflows.kernel.step import MARKS, MOMENTS, Order, commit, decide, embryo, evolve, fire, next_moment

POLICY = world().policy
ROWS = rows(ISSUE)
COMMANDS = [arrow for arrow in ROWS if isinstance(arrow.on, type) and arrow.source]
TIMED = [arrow for arrow in ROWS if isinstance(arrow.on, Moment)]
POSITIONS = [state.name for state in ISSUE.states]
BY_FUNCTION = (
    # Rights that hang on what has happened to the case, so that nobody may have them where it stands.
    do.AcceptTransfer,
    do.RefuseTransfer,
    do.ReplyReferral,
    do.ReportArrival,
    do.Sign,
    do.ReturnOrder,
    do.LogProgress,
    do.MilestoneDone,
    do.RequestExtension,
    do.RequestSuspension,
    do.ClaimCompletion,
    do.ReportInfeasible,
)


def ways(position: str) -> list[str]:
    """The scenes that end at a position."""
    return [way for way in WAYS if way.partition("/")[0] == position]


@cache
def takers(source: str, on: type) -> tuple[str, Any, Actor] | None:
    """A scene, a command and a person by which a row is taken; the first that the rules agree to."""
    for way in ways(source):
        case = played(way)
        for command in samples(case)[on]:
            for actor in ACTORS:
                if isinstance(outcome(ISSUE, case, command, actor, POLICY, FACTS), tuple):
                    return way, command, actor
    return None


@pytest.mark.parametrize("position", POSITIONS)
def test_every_position_is_reached(position: str) -> None:
    assert [way for way in ways(position) if played(way).position == position]


def taken(arrow: Arrow) -> tuple[Town, Case[Any], Actor]:
    """A town in which a row has just been taken; the case before that, and who took it."""
    assert isinstance(arrow.on, type)
    found = takers(arrow.source, arrow.on)
    assert found is not None, "no scene takes this row: it is dead, or the rules are too narrow"
    way, command, actor = found
    town = play(way)
    before = town.issue("i")
    if arrow.on in (do.MergeInto, do.AbsorbDuplicate) and "other" not in town.street.cases:
        another(town)
    town.street.command("i", command, actor, facts=FACTS)
    return town, before, actor


@pytest.mark.parametrize("arrow", COMMANDS, ids=name)
def test_every_command_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    town, before, actor = taken(arrow)

    decided = [event for event in town.street.histories["i"] if event.seq > before.version and event.actor != "system"]
    if actor is not SYSTEM:
        assert decided[0].role in {who.name for who in arrow.by} | {grant.role for grant in actor.grants}
    after = last_of(town, before, actor)
    keeps_its_word(arrow, before, after, [clock for key, clock in town.street.clocks.items() if key[0] == "i"])


def last_of(town: Town, before: Case[Any], actor: Actor) -> Case[Any]:
    """The case after the turn of this actor, without what came of its effects."""
    settled = [e for e in town.street.histories["i"] if e.type in ("effect_done", "effect_refused")]
    after = town.issue("i")
    assert all(event.change.to == "" for event in settled)
    assert after.version > before.version
    return after


def _listen(
    case: Case[Any], at: datetime, found: dict[tuple[str, Moment], tuple[Case[Any], tuple[Event, ...]]]
) -> None:
    """Note what the clocks of a case say at a moment; one rung may follow another at once (OVERALL)."""
    while events := fire(ISSUE, case, POLICY, at):
        kind: Any = MOMENTS[next(rung for rung, event in MARKS.items() if event == events[0].type)]
        found.setdefault((case.position, Moment(kind, events[0].change.notes["clock"])), (case, events))
        if len(events) > 1:
            return
        case = evolve(ISSUE, case, events[0]).case


@pytest.fixture(scope="module")
def spoken() -> dict[tuple[str, Moment], tuple[Case[Any], tuple[Event, ...]]]:
    """What the clocks say when every scene is left alone for a year: first case and events by position and moment."""
    found: dict[tuple[str, Moment], tuple[Case[Any], tuple[Event, ...]]] = {}
    for way in WAYS:
        town = play(way)
        for _ in range(60):
            case = town.issue("i")
            at = next_moment(case)
            if at is None or at > moment("2027-06-30 00:00"):
                break
            _listen(case, at, found)
            town.street.run_to(at)
    return found


@pytest.mark.parametrize("arrow", TIMED, ids=name)
def test_every_timed_row_is_taken(
    arrow: Arrow, spoken: dict[tuple[str, Moment], tuple[Case[Any], tuple[Event, ...]]]
) -> None:
    assert isinstance(arrow.on, Moment)
    assert (arrow.source, arrow.on) in spoken, "no clock ever speaks here: the row is dead"
    case, events = spoken[arrow.source, arrow.on]

    walk = commit(ISSUE, case, events)
    after = next(walk).case
    assert after.position == case.position or after.position in arrow.to
    assert {event.actor for event in events} == {"system"}


def test_windows_that_no_row_answers_only_close(
    spoken: dict[tuple[str, Moment], tuple[Case[Any], tuple[Event, ...]]],
) -> None:
    """Every end of a window has a row where it matters; the others are rights that lapse."""
    kinds = {rule.code: rule.kind for rule in CLOCKS}
    silent = {
        on.code
        for (position, on) in spoken
        if on.kind == "ENDED" and kinds[on.code] is ClockKind.WINDOW and (position, on) not in ISSUE.table
    }
    assert silent <= {"REOPEN", "OBJECT_DECLINE", "PUBLICATION"}


@pytest.mark.parametrize(
    "on", [one for one in ISSUE.commands.values() if one not in UPKEEP], ids=lambda on: named(on).name
)
def test_a_command_without_a_row_changes_nothing(on: type) -> None:
    if on in ISSUE.openings.values():
        return
    rightful = 0
    for position in POSITIONS:
        if (position, on) in ISSUE.table:
            continue
        case = played(ways(position)[0])
        for command in samples(case)[on]:
            codes = {actor.id: outcome(ISSUE, case, command, actor, POLICY, FACTS) for actor in ACTORS}
            assert set(codes.values()) <= {"wrong_state", "forbidden"}
            for stranger in (OUTSIDER, NO_ROLE):
                assert outcome(ISSUE, case, command, stranger, POLICY, FACTS) == "forbidden"
            rightful += "wrong_state" in codes.values()
    assert rightful or on in BY_FUNCTION or all((position, on) in ISSUE.table for position in POSITIONS)


@pytest.mark.parametrize("position", POSITIONS)
def test_who_has_the_right_hears_wrong_state(position: str) -> None:
    """Where the right is a role and a place, and nothing else, somebody of the street always has it."""
    case = played(ways(position)[0])
    for on in ISSUE.commands.values():
        if (position, on) in ISSUE.table or on in UPKEEP or on in BY_FUNCTION or on in ISSUE.openings.values():
            continue
        for command in samples(case)[on]:
            codes = [outcome(ISSUE, case, command, actor, POLICY, FACTS) for actor in ACTORS]
            assert "wrong_state" in codes, named(on).name


@pytest.mark.parametrize("arrow", COMMANDS, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    assert isinstance(arrow.on, type)
    found = takers(arrow.source, arrow.on)
    assert found is not None
    way, command, actor = found
    case = played(way)

    strangers = [OUTSIDER, NO_ROLE, Actor("nobody", "nobody", ())]
    # The very person who may, had he his roles in the neighbouring street and no office in an organisation.
    strangers.append(
        Actor("moved", "moved", tuple(type(g)(g.role, "620199002", None) for g in actor.grants if g.role != "system"))
    )
    for stranger in strangers:
        assert outcome(ISSUE, case, command, stranger, POLICY, FACTS) == "forbidden"


# --- the first rows ----------------------------------------------------------------------------------------

WISH = do.SubmitIssue(community_code=C1, title="text:t", description="text:d", source=Source.VISIT, reporter=CONTACT)


def begun(actor: Actor, command: Any = WISH) -> tuple[Event, ...] | str:
    """What comes of an opening command."""
    order = Order(command=command, actor=actor)
    case = embryo(ISSUE, "i", order, world().pin)
    try:
        return decide(ISSUE, case, order, POLICY, moment(FIRST))
    except Refusal as no:
        return no.code


@pytest.mark.parametrize(
    ("username", "may"),
    [
        ("grid1", True),
        ("worker1", True),
        ("member1a", True),
        ("vice1", True),
        ("secretary1", True),
        ("property1", True),
        ("resident1", True),
        ("supervisor", True),
        ("integration", True),
        ("clerk1", False),
        ("officer", False),
        ("department", False),
        ("grid2", False),
        ("resident2", False),
    ],
)
def test_who_may_register_an_issue_where(username: str, may: bool) -> None:
    events = begun(PEOPLE[username])

    assert (events != "forbidden") is may
    if isinstance(events, tuple):
        assert [code for _, code in operations(events)] == ["TRIAGE", "OVERALL", "RESPONSE"]


def test_only_a_known_reporter_waits_for_a_first_contact() -> None:
    unknown = do.SubmitIssue(community_code=C1, title="text:t", description="text:d", source=Source.VISIT)
    hidden = do.SubmitIssue(
        community_code=C1, title="text:t", description="text:d", source=Source.RESIDENT, anonymous=True
    )

    for actor, command in (("grid1", unknown), ("resident1", hidden)):
        events = begun(PEOPLE[actor], command)
        assert isinstance(events, tuple)
        assert [code for _, code in operations(events)] == ["TRIAGE", "OVERALL"]


def test_parts_of_a_split_issue_are_opened_by_their_parent_only() -> None:
    part = do.OpenSplitChild(community_code=C1, title="text:t", description="text:d", parent="i", inherited={})

    assert {begun(actor, part) for actor in PEOPLE.values()} == {"forbidden"}


def test_a_closed_issue_takes_only_what_may_still_follow() -> None:
    allowed = {
        do.AbsorbDuplicate,
        do.UndoMerge,
        do.ObjectToDecline,
        do.SupervisionOpened,
        do.SupervisionDelisted,
        do.Reopen,
        do.CarryOver,
        do.PauseForEmergency,
        do.ResumeAfterEmergency,
    }
    taken = {arrow.on for arrow in ROWS if arrow.source.startswith("CLOSED")}

    assert taken == allowed
    assert {a.source for a in ROWS if a.on is do.UndoMerge} == {"CLOSED:MERGED"}
    reopened = {a.source for a in ROWS if a.on is do.Reopen}
    assert not reopened & {"CLOSED:MERGED", "CLOSED:SPLIT"}


def test_the_fast_path_keeps_its_name_in_the_history() -> None:
    town = Town("03-03 09:00")
    town.submit("i", "grid1", reporter=CONTACT)
    easy = do.AcceptToProblemList(mode=HandlingMode.IMMEDIATE, category_code="Z99", difficulty=Difficulty.EASY)
    town.say("i", "worker1", easy)
    town.say("i", "grid1", CLAIM)
    town.say("i", "worker1", PHONE)
    town.say("i", "worker1", SATISFIED)

    kept = [event.change.sets["fast_path"] for event in town.street.histories["i"] if "fast_path" in event.change.sets]
    assert kept == [HandlingMode.IMMEDIATE]
