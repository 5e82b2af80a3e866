"""One turn of a case on a process of four states: what is refused first, what speaks first, what outlives what."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.storage.national_calendar import national_calendar
from workflows.kernel.calendar import CHINA, Duration, Unit
from workflows.kernel.clocks import (
    Cancel,
    Clock,
    ClockKind,
    ClockRule,
    ClockState,
    Color,
    Extend,
    Meet,
    Pause,
    Resume,
    Start,
)
from workflows.kernel.process import (
    SYSTEM,
    Actor,
    Address,
    Case,
    Change,
    Effect,
    Forbidden,
    Grant,
    GuardFailed,
    Moment,
    Pin,
    Process,
    Refusal,
    State,
    Turn,
    VersionConflict,
    Who,
    WrongState,
    arrows,
    command,
)
from workflows.kernel.simulator import Street, World
from workflows.kernel.stamping import Rungs
from workflows.kernel.step import Order, decide, embryo, fire, next_moment
from workflows.kernel.wire import command_of

PLACE = "620199001001"


@command("开始", "Begin")
class Begin:
    """Open a case, with another one to tell of it."""

    tells: str = ""
    starts: str = ""


@command("做", "Work")
class Work:
    """What may be done while the case is open."""

    ops: tuple[Any, ...] = ()
    fail: bool = False


@command("结束", "Finish")
class Finish:
    """End the case."""


@command("告知", "Hear")
class Hear:
    """What another case tells."""

    word: str = ""


@command("隐秘", "Hide")
class Hide:
    """A command of nobody in particular."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy:
    """Data of the toy."""

    heard: tuple[str, ...] = ()


def begin(case: Case[Toy], cmd: Begin, turn: Turn) -> Change:
    """Tell another case, or start one, if asked to."""
    effects: tuple[Effect, ...] = ()
    if cmd.tells:
        effects = (
            Effect("TELL", "toy", cmd.tells, "hear", {"word": "a"}),
            Effect("TELL", "toy", cmd.tells, "hear", {"word": "b"}),
        )
    if cmd.starts:
        effects = (Effect("START", "toy", cmd.starts, "begin", {}),)
    return Change(to="OPEN", effects=effects)


def work(case: Case[Toy], cmd: Work, turn: Turn) -> Change:
    """Whatever the test wants done to the clocks."""
    if cmd.fail:
        raise GuardFailed("TOLD_TO_FAIL")
    return Change(clocks=cmd.ops)


def may_work(case: Case[Toy], turn: Turn) -> None:
    """Somebody is always too late."""
    if turn.actor.id == "late":
        raise GuardFailed("TOO_LATE")


def hear(case: Case[Toy], cmd: Hear, turn: Turn) -> Change:
    """Keep the word."""
    return Change(sets={"heard": (*case.data.heard, cmd.word)})


def lapsed(case: Case[Toy], clock: Clock, turn: Turn) -> Change:
    """A window's end closes the case."""
    return Change(type="lapsed", to="ENDED", clocks=(Start(code="AFTER"),))


def _place(case: Case[Any], ref: str) -> str:
    return case.community


STAFF = Who("community_worker", "社区工作者", lambda case: (Address(role="community_worker", place=case.community),))
TIMER = Who("system", "系统定时", lambda case: (Address(role="system"),))
STATES = (State("OPEN", "办理中", "Open", work=("work",)), State("ENDED", "已结束", "Ended", ends=True))
TOY: Process[Toy] = Process(
    name="toy",
    plural="toys",
    zh="样例",
    en="Toy",
    states=STATES,
    arrows=(
        *arrows("", Begin, "OPEN", by=(STAFF, TIMER), rule=begin, starts=("DUTY",)),
        *arrows("OPEN", Work, by=STAFF, rule=work, may=may_work),
        *arrows("OPEN", Finish, "ENDED", by=STAFF, meets=("DUTY",)),
        *arrows("OPEN", Hear, by=TIMER, rule=hear),
        *arrows("OPEN", Moment("ENDED", "WINDOW"), "ENDED", by=TIMER, rule=lapsed),
        *arrows("ENDED", Hide, by=STAFF),
    ),
    clocks=(
        ClockRule("DUTY", "issue.triage.due", "责", "Duty", _place, _place),
        ClockRule("LADDER", "issue.mode.limited.simple", "梯", "Ladder", _place, _place, ladder=True),
        ClockRule("ATONCE", "issue.overall.max", "总", "At once", _place, _place, red_at_due=True),
        ClockRule("WINDOW", "issue.info_wait.max", "窗", "Window", _place, _place, ClockKind.WINDOW),
        ClockRule("KEEP", "issue.reopen.window", "留", "Keep", _place, _place, ClockKind.WINDOW, outlives=True),
        ClockRule("AFTER", "issue.triage.due", "后", "After", _place, _place),
    ),
    data=Toy,
    place=lambda cmd, facts: PLACE,
)


class Values:
    """A policy with the few values that the toy asks for."""

    scale = None

    def duration(self, key: str) -> Duration:
        """One working day, but ninety days for the whole and a window of five."""
        return {
            "issue.overall.max": Duration(90, Unit.CALENDAR_DAYS),
            "issue.info_wait.max": Duration(5, Unit.WORKING_DAYS),
            "issue.mode.limited.simple": Duration(7, Unit.WORKING_DAYS),
            "issue.reopen.window": Duration(15, Unit.CALENDAR_DAYS),
        }.get(key, Duration(1, Unit.WORKING_DAYS))


WORLD = World(
    processes={"toy": TOY},
    calendar=national_calendar(),
    policy=Values(),
    pin=Pin("toy", 1, "0"),
    rungs=Rungs(
        remind_before=Duration(1, Unit.WORKING_DAYS),
        red_after=Duration(5, Unit.WORKING_DAYS),
        red_after_hours=Duration(24, Unit.HOURS),
        red_street_max=Duration(30, Unit.CALENDAR_DAYS),
    ),
    commands=command_of,
)
WORKER = Actor("worker", "worker", (Grant("community_worker", PLACE, "community-1"),))
STRANGER = Actor("stranger", "stranger", (Grant("community_worker", "620199001002"),))
LATE = replace(WORKER, id="late")


def at(text: str) -> datetime:
    """A moment of 2026."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=CHINA)


def street(**fields: str) -> Street:
    """A street with one case `t`, begun on Tuesday 03-03 at 09:00."""
    made = Street(WORLD, at("03-03 09:00"))
    made.open("toy", "t", Begin(**fields), WORKER)
    return made


def do_to_clocks(made: Street, *ops: Any) -> Case[Toy]:
    """Let the worker do something to the clocks."""
    return made.command("t", Work(ops=ops), WORKER)


def days(value: float) -> Duration:
    """So many calendar days."""
    return Duration(value, Unit.CALENDAR_DAYS)


# --- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "expected", "cmd", "refusal"),
    [
        # Everything is wrong at once; each line mends what the one before was refused for.
        (STRANGER, 9, Hide(), Forbidden),
        (WORKER, 9, Hide(), VersionConflict),
        (WORKER, 1, Hide(), WrongState),
        (LATE, 1, Work(fail=True), GuardFailed),
    ],
)
def test_rights_come_first_then_version_then_state_then_guards(
    actor: Actor, expected: int, cmd: Any, refusal: type[Refusal]
) -> None:
    case = street().cases["t"]

    with pytest.raises(refusal) as caught:
        decide(TOY, case, Order(command=cmd, actor=actor, expected_version=expected), Values(), at("03-03 10:00"))
    assert type(caught.value) is refusal


def test_the_guard_without_fields_speaks_before_the_one_with_fields() -> None:
    case = street().cases["t"]

    for actor, reason in ((LATE, "TOO_LATE"), (WORKER, "TOLD_TO_FAIL")):
        with pytest.raises(GuardFailed) as caught:
            decide(TOY, case, Order(command=Work(fail=True), actor=actor), Values(), at("03-03 10:00"))
        assert caught.value.reason == reason


def test_an_acting_role_or_organisation_that_one_has_not_is_no_right() -> None:
    case = street().cases["t"]

    for role, org in (("party_secretary", None), (None, "community-2")):
        order = Order(command=Work(), actor=WORKER, acting_role=role, acting_org=org)
        with pytest.raises(Forbidden):
            decide(TOY, case, order, Values(), at("03-03 10:00"))


def test_who_wakes_a_sleeping_case_fires_its_clocks_before_his_order() -> None:
    made = street()
    made.now = at("03-04 19:00")

    with pytest.raises(GuardFailed):
        made.command("t", Work(fail=True), WORKER)
    assert list(made.events("t")) == ["begin", "clock_breached"]
    assert made.histories["t"][-1].at == at("03-04 18:00")


# --- what speaks first -------------------------------------------------------------------------------------


def test_of_two_moments_at_one_time_the_older_clock_speaks_first() -> None:
    made = street()
    do_to_clocks(made, Start(code="DUTY", ref="b"), Start(code="AFTER"))

    made.run_to(at("03-04 18:00"))
    spoken = [(event.at, event.change.notes) for event in made.histories["t"][2:]]
    assert [notes for _, notes in spoken] == [{"clock": "DUTY"}, {"clock": "DUTY", "ref": "b"}, {"clock": "AFTER"}]
    assert {moment for moment, _ in spoken} == {at("03-04 18:00")}


def test_the_earliest_moment_speaks_first_and_nothing_before_its_time() -> None:
    made = street()
    case = do_to_clocks(made, Start(code="LADDER"))

    assert next_moment(case) == at("03-04 18:00")
    assert fire(TOY, case, Values(), at("03-04 17:59")) == ()
    assert [event.at for event in fire(TOY, case, Values(), at("12-31 00:00"))] == [at("03-04 18:00")]


def test_a_clock_that_is_red_at_once_takes_both_rungs_at_one_moment() -> None:
    made = street()
    do_to_clocks(made, Meet(code="DUTY"), Start(code="ATONCE"))

    made.run_to(at("06-02 00:00"))
    assert [(e.type, e.at) for e in made.histories["t"][2:]] == [
        ("clock_breached", at("06-02 00:00")),
        ("clock_red", at("06-02 00:00")),
    ]


def test_the_ladder_has_four_rungs() -> None:
    made = street()
    do_to_clocks(made, Meet(code="DUTY"), Start(code="LADDER"))

    made.run_to(at("12-31 00:00"))
    assert [(e.type, e.at) for e in made.histories["t"][2:]] == [
        ("clock_reminded", at("03-11 18:00")),
        ("clock_breached", at("03-12 18:00")),
        ("clock_red", at("03-19 18:00")),
        ("clock_red_plus_plus", at("04-19 00:00")),
    ]
    assert next_moment(made.cases["t"]) is None


# --- clocks of a case that ends ----------------------------------------------------------------------------


def test_a_case_that_ends_cancels_its_clocks_but_those_that_outlive_it() -> None:
    made = street()
    do_to_clocks(made, Start(code="LADDER"), Start(code="KEEP"), Start(code="AFTER"), Pause(code="AFTER"))

    ended = made.command("t", Finish(), WORKER)
    states = {clock.code: (clock.state, clock.close_reason) for clock in made.clocks.values()}
    assert states == {
        "DUTY": (ClockState.MET, ""),
        "LADDER": (ClockState.CANCELLED, "CASE_ENDED"),
        "AFTER": (ClockState.CANCELLED, "CASE_ENDED"),
        "KEEP": (ClockState.RUNNING, ""),
    }
    assert [clock.code for clock in ended.clocks] == ["KEEP"]
    assert ended.closed_at == at("03-03 09:00")


def test_what_the_last_row_starts_goes_on() -> None:
    made = street()
    do_to_clocks(made, Meet(code="DUTY"), Start(code="WINDOW"))

    made.run_to(at("03-10 18:00"))
    assert made.cases["t"].position == "ENDED"
    assert [(clock.code, clock.state) for clock in made.cases["t"].clocks] == [("AFTER", ClockState.RUNNING)]


def test_a_breach_of_a_case_that_ended_stays_in_the_figures() -> None:
    made = street()
    do_to_clocks(made, Start(code="AFTER"))
    made.run_to(at("03-05 09:00"))

    made.command("t", Finish(), WORKER)
    duty, after = made.clocks["t", 1], made.clocks["t", 2]
    assert (duty.state, after.state) == (ClockState.MET_LATE, ClockState.CANCELLED)
    assert duty.breached_at == after.breached_at == at("03-04 18:00")


# --- start days --------------------------------------------------------------------------------------------


def test_what_the_end_of_a_day_starts_has_that_day_as_its_start_day() -> None:
    made = street()
    do_to_clocks(made, Meet(code="DUTY"), Start(code="WINDOW", duration=days(1)))

    # The window ends on Wednesday 03-04 at 24:00; one working day after that day is Thursday.
    made.run_to(at("03-05 00:00"))
    after = made.cases["t"].clock("AFTER")
    assert after is not None
    assert (after.after_end, after.due_at) == (True, at("03-05 18:00"))


def test_what_a_person_starts_at_midnight_belongs_to_the_new_day() -> None:
    made = street()
    made.run_to(at("03-05 00:00"))

    case = do_to_clocks(made, Start(code="AFTER"))
    after = case.clock("AFTER")
    assert after is not None
    assert (after.after_end, after.due_at) == (False, at("03-06 18:00"))


def test_a_clock_counted_from_long_ago_speaks_when_it_starts_and_not_before() -> None:
    made = street()
    made.run_to(at("03-05 09:00"))
    do_to_clocks(made, Meet(code="DUTY"), Start(code="ATONCE", since=at("01-05 00:00") - timedelta(days=300)))

    clock = made.cases["t"].clock("ATONCE")
    assert clock is not None
    assert clock.due_at == at("03-05 09:00")
    made.run_to(at("03-05 09:00"))
    assert [event.at for event in made.histories["t"]][-2:] == [at("03-05 09:00")] * 2


# --- pausing and moving ------------------------------------------------------------------------------------


def test_a_paused_clock_says_nothing_and_runs_on_with_what_was_left() -> None:
    made = street()
    do_to_clocks(made, Meet(code="DUTY"), Start(code="AFTER", duration=Duration(10, Unit.HOURS)))
    made.run_to(at("03-03 10:00"))
    paused = do_to_clocks(made, Pause(code="AFTER"))
    assert next_moment(paused) is None

    made.run_to(at("03-09 10:00"))
    resumed = do_to_clocks(made, Resume(code="AFTER")).clock("AFTER")
    assert resumed is not None
    assert resumed.due_at == at("03-09 19:00")


def test_a_breached_clock_cannot_be_paused_back_to_life() -> None:
    made = street()
    made.run_to(at("03-05 09:00"))

    case = do_to_clocks(made, Pause(code="DUTY"), Resume(code="DUTY"))
    duty = case.clock("DUTY")
    assert duty is not None
    assert (duty.state, duty.breached_at) == (ClockState.BREACHED, at("03-04 18:00"))


def test_nothing_is_due_before_the_act_that_made_it_so() -> None:
    """Resumed after closing time: the day of a pause does not count, and the clock is over at once."""
    made = street()
    do_to_clocks(made, Meet(code="DUTY"), Start(code="LADDER", duration=Duration(1, Unit.WORKING_DAYS)))
    made.run_to(at("03-04 10:00"))
    do_to_clocks(made, Pause(code="LADDER"))
    made.run_to(at("03-04 20:00"))

    do_to_clocks(made, Resume(code="LADDER"))
    made.run_to(at("03-04 20:00"))
    assert (made.histories["t"][-1].type, made.histories["t"][-1].at) == ("clock_breached", at("03-04 20:00"))
    today = Duration(0, Unit.DATE, on=at("03-04 00:00").date())
    again = do_to_clocks(made, Start(code="AFTER", duration=today)).clock("AFTER")
    assert again is not None
    assert again.due_at == at("03-04 20:00")


def test_an_extension_keeps_the_first_due_time_and_reminds_again() -> None:
    made = street()
    do_to_clocks(made, Meet(code="DUTY"), Start(code="LADDER"))
    made.run_to(at("03-11 18:00"))

    later = Duration(0, Unit.DATE, on=at("03-20 00:00").date())
    ladder = do_to_clocks(made, Extend(code="LADDER", duration=later)).clock("LADDER")
    assert ladder is not None
    assert (ladder.due_at, ladder.original_due_at) == (at("03-20 18:00"), at("03-12 18:00"))
    assert (ladder.color, ladder.blue_at) == (Color.NONE, at("03-19 18:00"))


def test_an_operation_with_a_ref_means_that_clock_only() -> None:
    made = street()
    do_to_clocks(made, Start(code="AFTER", ref="a"), Start(code="AFTER", ref="b"))

    case = do_to_clocks(made, Meet(code="AFTER", ref="a"))
    assert [clock.ref for clock in case.clocks if clock.code == "AFTER"] == ["b"]
    assert do_to_clocks(made, Cancel(code="AFTER")).clock("AFTER") is None


# --- effects -----------------------------------------------------------------------------------------------


def test_effects_are_carried_in_the_case_and_settled_in_order() -> None:
    made = Street(WORLD, at("03-03 09:00"))
    made.open("toy", "other", Begin(), WORKER)
    order = Order(command=Begin(tells="other"), actor=WORKER)
    (event,) = decide(TOY, embryo(TOY, "t", order, WORLD.pin), order, Values(), made.now)
    assert [effect.fields["word"] for effect in event.change.effects] == ["a", "b"]

    made.open("toy", "t", Begin(tells="other"), WORKER)
    assert made.cases["other"].data.heard == ("a", "b")
    assert made.cases["t"].pending == ()
    settled = [event.change for event in made.histories["t"] if event.type == "effect_done"]
    assert [change.done for change in settled] == ["t#1.0", "t#1.1"]


def test_a_refused_tell_comes_back_to_the_sender() -> None:
    made = Street(WORLD, at("03-03 09:00"))
    made.open("toy", "other", Begin(), WORKER)
    made.command("other", Finish(), WORKER)

    made.open("toy", "t", Begin(tells="other"), WORKER)
    back = [event for event in made.histories["t"] if event.type == "effect_refused"]
    assert [event.change.notes["reason"] for event in back] == ["WRONG_STATE", "WRONG_STATE"]
    assert made.refused == [("t#1.0", "WRONG_STATE"), ("t#1.1", "WRONG_STATE")]
    assert made.cases["t"].pending == ()


def test_a_case_is_started_once_however_often_it_is_asked_for() -> None:
    made = street(starts="child")
    version = made.cases["child"].version

    made.open("toy", "t2", Begin(starts="child"), WORKER)
    assert made.cases["child"].version == version
    assert made.histories["child"][0].actor == SYSTEM.id


# --- declarations ------------------------------------------------------------------------------------------


def test_a_table_with_two_rows_for_one_thing_is_refused() -> None:
    row = arrows("OPEN", Finish, "ENDED", by=STAFF)

    with pytest.raises(ValueError, match="two arrows"):
        replace(TOY, arrows=(*row, *row))


def test_a_row_to_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown position"):
        replace(TOY, arrows=arrows("OPEN", Finish, "NOWHERE", by=STAFF))


def test_a_rule_may_not_lead_where_its_row_does_not() -> None:
    wrong = arrows("OPEN", Finish, by=STAFF, rule=lambda case, cmd, turn: Change(to="ENDED"))
    process = replace(TOY, arrows=(*TOY.arrows[:1], *wrong))

    with pytest.raises(AssertionError, match="does not lead to"):
        decide(process, street().cases["t"], Order(command=Finish(), actor=WORKER), Values(), at("03-03 10:00"))
