"""The table of a body's month, row by row: who tells it what, and what time makes of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.rules.issue_scenes import NO_ROLE, OUTSIDER
from tests.rules.rows import keeps_its_word, name, outcome, raise_sites, rows
from tests.scenarios.street import C1, PEOPLE, STREET, Town, moment, world
from workflows.kernel.calendar import CHINA
from workflows.kernel.periods import beginning_of, clock_until, day_of_period, end_of_period, period_of
from workflows.kernel.process import SYSTEM, Arrow, Moment, derived_id
from workflows.policy.packs import load
from workflows.slot import rules as month
from workflows.slot.process import SLOT

ROWS = rows(SLOT)
COMMANDS = [arrow for arrow in ROWS if isinstance(arrow.on, type) and arrow.source]
TIMED = [arrow for arrow in ROWS if isinstance(arrow.on, Moment)]
POSITIONS = [state.name for state in SLOT.states]
SAMPLES: dict[type, Any] = {
    month.FillSlot: month.FillSlot(meeting="m"),
    month.ReopenSlot: month.ReopenSlot(meeting="m"),
    month.SlotHeld: month.SlotHeld(meeting="m"),
}


def at_position(position: str) -> Town:
    """October of C1 there, with a meeting `m` that it is told of."""
    town = Town("10-01 00:00")
    town.meet("m", "12-20 15:00")
    command = month.OpenSlot(community_code=C1, body="EXTENDED_PARTY_COMMITTEE", period="2026-10")
    town.street.open("slot", "s", command, SYSTEM)
    if position != "SLOT_OPEN":
        town.street.command("s", SAMPLES[month.FillSlot], SYSTEM)
    if position == "SLOT_DONE":
        town.street.command("s", SAMPLES[month.SlotHeld], SYSTEM)
    if position.startswith("SLOT_MISSED") or position == "SLOT_MADE_UP":
        town.at("10-31 24:00")
    if position == "SLOT_MADE_UP":
        town.street.command("s", SAMPLES[month.SlotHeld], SYSTEM)
    if position == "SLOT_MISSED:NOT_MADE_UP":
        town.at("11-10 24:00")
    assert town.street.cases["s"].position == position
    return town


@pytest.mark.parametrize("arrow", COMMANDS, ids=name)
def test_every_row_is_taken_by_the_meeting_and_by_nobody_else(arrow: Arrow) -> None:
    assert isinstance(arrow.on, type)
    town = at_position(arrow.source)
    before, command = town.street.cases["s"], SAMPLES[arrow.on]
    for stranger in (*PEOPLE.values(), OUTSIDER, NO_ROLE):
        assert outcome(SLOT, before, command, stranger, world().policy, {}) == "forbidden"

    town.street.command("s", command, SYSTEM)
    clocks = [clock for key, clock in town.street.clocks.items() if key[0] == "s"]
    keeps_its_word(arrow, before, town.street.cases["s"], clocks)


@pytest.mark.parametrize("position", POSITIONS)
def test_whatever_a_meeting_tells_is_taken_everywhere(position: str) -> None:
    """A meeting and its month speak at the same midnight: neither may refuse the other."""
    assert all((position, on) in SLOT.table for on in SAMPLES)


def test_every_timed_row_is_taken() -> None:
    alone = at_position("SLOT_OPEN").at("11-30 00:00")
    filled = at_position("SLOT_FILLED").at("11-30 00:00")

    spoken = [event.type for event in alone.street.histories["s"]]
    assert spoken.count("slot_reminded") == 2
    for town in (alone, filled):
        assert {"slot_missed", "slot_not_made_up"} <= set(town.types("s"))
    assert filled.types("s").count("slot_reminded") == 0
    assert {name(arrow) for arrow in TIMED} == {
        "SLOT_OPEN ENDED REMIND",
        "SLOT_OPEN ENDED REMIND_STREET",
        "SLOT_OPEN DUE SLOT",
        "SLOT_FILLED DUE SLOT",
        "SLOT_MISSED DUE MAKE_UP",
    }


def test_another_meeting_keeps_the_month_filled() -> None:
    town = at_position("SLOT_FILLED")
    town.meet("n", "12-21 15:00")
    town.street.command("s", month.FillSlot(meeting="n"), SYSTEM)

    town.street.command("s", month.ReopenSlot(meeting="m"), SYSTEM)
    assert (town.street.cases["s"].position, town.street.cases["s"].data.meetings) == ("SLOT_FILLED", ("n",))
    town.street.command("s", month.ReopenSlot(meeting="n"), SYSTEM)
    assert town.street.cases["s"].position == "SLOT_OPEN"


def test_the_rules_refuse_nothing() -> None:
    assert raise_sites("slot") == set()


def test_a_month_is_opened_once_for_each_community_and_knows_its_meetings() -> None:
    town = Town("09-28 09:00")
    town.meet("m", "10-20 15:00", 2)
    town.at("10-01 00:00")
    for _ in range(2):
        town.month("2026-10")

    slots = {case.community: case for case in town.street.cases.values() if case.process == "slot"}
    assert {code: case.state for code, case in slots.items()} == {
        f"{STREET}001": "SLOT_OPEN",
        f"{STREET}002": "SLOT_FILLED",
        f"{STREET}003": "SLOT_OPEN",
    }
    assert slots[C1].id == derived_id("slot", C1, "EXTENDED_PARTY_COMMITTEE", "2026-10")


# --- periods ---------------------------------------------------------------------------------------------


def test_a_month_has_its_name_and_its_end() -> None:
    at = moment("10-22 15:00")

    assert period_of(at, "MONTH") == "2026-10"
    assert beginning_of("2026-10") == moment("10-01 00:00")
    assert end_of_period(at) == moment("10-31 24:00")
    assert day_of_period("2026-10", 22) == moment("10-22 00:00")


@pytest.mark.parametrize("second", [0, 1, 59])
def test_a_scaled_month_is_a_minute_of_the_clock(second: int) -> None:
    scale = load("drill").scale
    at = datetime(2026, 11, 21, 22, 5, second, tzinfo=CHINA)

    assert period_of(at, "MONTH", scale) == "2026-11-21T22:05"
    assert beginning_of("2026-11-21T22:05") == at.replace(second=0)
    assert end_of_period(at, scale) == at.replace(minute=6, second=0)
    assert day_of_period("2026-11-21T22:05", 22, scale) - at.replace(second=0) == timedelta(seconds=60 * 21 / 31)


@pytest.mark.parametrize("pack", ["lanzhou_2021", "drill"])
@pytest.mark.parametrize("hours", [-30, 1, 500.25])
def test_a_clock_ends_exactly_when_it_is_told_to(pack: str, hours: float) -> None:
    town = Town("10-01 09:00", pack)
    until = town.street.now + timedelta(hours=hours)
    started = clock_until("SLOT", until, town.street.now, "clock.meeting.slot", scale=load(pack).scale)
    scale = load(pack).scale
    assert started.duration is not None
    length = timedelta(hours=started.duration.value)
    if scale is not None:
        length = scale.length(started.duration.value, started.duration.unit)

    assert abs((started.since or town.street.now) + length - until) < timedelta(milliseconds=1)
