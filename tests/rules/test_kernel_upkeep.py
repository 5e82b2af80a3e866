"""Commands that every process takes: a published calendar moves provisional clocks and un-breaches nothing (S61)."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from services.storage.national_calendar import national_calendar, national_days
from workflows.issue import commands as do
from workflows.issue.data import ClockClass, Difficulty, HandlingMode, Source
from workflows.issue.process import ISSUE
from workflows.kernel.calendar import CHINA, HostCalendar, whole_year
from workflows.kernel.process import SYSTEM, Actor, Grant, GuardFailed, Pin
from workflows.kernel.simulator import Street, World
from workflows.kernel.stamping import Rungs
from workflows.kernel.upkeep import RecomputeClocks
from workflows.kernel.wire import command_of
from workflows.policy.packs import load
from workflows.supervision_order.process import SUPERVISION_ORDER

C1 = "620199001001"
GRID = Actor("grid1", "grid1", (Grant("grid_worker", C1, "community-1"),))
WORKER = Actor("worker1", "worker1", (Grant("community_worker", C1, "community-1"),))


def street(now: datetime) -> Street:
    pack = load("lanzhou_2021")
    rungs = Rungs(
        remind_before=pack.duration("issue.remind_before"),
        red_after=pack.duration("issue.red_after"),
        red_after_hours=pack.duration("issue.red_after_hours"),
        red_street_max=pack.duration("issue.red_street_max"),
    )
    world = World(
        processes={"issue": ISSUE, "supervision_order": SUPERVISION_ORDER},
        calendar=national_calendar(),
        policy=pack,
        pin=Pin(pack.pack, pack.version, pack.sha),
        rungs=rungs,
        commands=command_of,
    )
    return Street(world, now)


def dispatched(town: Street, case_id: str) -> None:
    submit = do.SubmitIssue(community_code=C1, title="t", description="d", source=Source.VISIT)
    town.open("issue", case_id, submit, GRID)
    accept = do.AcceptToProblemList(
        mode=HandlingMode.TIME_LIMITED,
        category_code="D03",
        difficulty=Difficulty.EASY,
        lead_org="property-1",
        clock_class=ClockClass.COMPLEX,
    )
    town.command(case_id, accept, WORKER)


def with_2027(town: Street) -> None:
    days = {**national_days(), **whole_year(2027, rest={date(2027, 1, 1): "元旦"}, make_up=[])}
    town.world = replace(town.world, calendar=HostCalendar("with 2027", days))


def test_s61_a_published_year_moves_what_was_provisional() -> None:
    town = street(datetime(2026, 12, 21, 10, tzinfo=CHINA))
    dispatched(town, "one")
    before = town.cases["one"].clock("HANDLE")
    assert before is not None
    assert (before.due_at, before.provisional) == (datetime(2027, 1, 11, 18, tzinfo=CHINA), True)

    with_2027(town)
    town.command("one", RecomputeClocks(), SYSTEM)

    after = town.cases["one"].clock("HANDLE")
    assert after is not None
    assert (after.due_at, after.provisional) == (datetime(2027, 1, 12, 18, tzinfo=CHINA), False)
    assert after.original_due_at == after.due_at
    with pytest.raises(GuardFailed, match="NOTHING_PROVISIONAL"):
        town.command("one", RecomputeClocks(), SYSTEM)


def test_s61_a_breach_is_not_taken_back() -> None:
    town = street(datetime(2026, 12, 21, 10, tzinfo=CHINA))
    dispatched(town, "one")
    town.run_to(datetime(2027, 1, 11, 19, tzinfo=CHINA))

    with_2027(town)
    with pytest.raises(GuardFailed, match="NOTHING_PROVISIONAL"):
        town.command("one", RecomputeClocks(), SYSTEM)

    breached = town.cases["one"].clock("HANDLE")
    assert breached is not None
    assert breached.breached_at == datetime(2027, 1, 11, 18, tzinfo=CHINA)
