"""A month of a street on the virtual clock: the same seed the same month, and every figure adds up."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from services.simulating import Outcomes, Plan, Simulation
from services.storage.ledger import rungs_of
from services.storage.national_calendar import national_calendar
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Pin
from workflows.kernel.simulator import World
from workflows.kernel.wire import command_of
from workflows.policy.packs import load
from workflows.registry import PROCESSES

MARCH = datetime(2026, 3, 1, tzinfo=CHINA)
PLAN = Plan(communities=2, begins=MARCH, per_month=40)


def world() -> World:
    pack = load("lanzhou_2021")
    return World(
        processes={process.name: process for process in PROCESSES.values()},
        calendar=national_calendar(),
        policy=pack,
        pin=Pin(pack.pack, pack.version, pack.sha),
        rungs=rungs_of(pack),
        commands=command_of,
    )


def figures(found: Outcomes) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Outcomes.__slots__ if "seconds" not in name}


def test_the_same_seed_gives_the_same_month_and_another_seed_another() -> None:
    first, again = (Simulation(PLAN, world()).run() for _ in range(2))
    other = Simulation(replace(PLAN, seed=8), world()).run()

    assert figures(first) == figures(again)
    assert figures(first) != figures(other)


def test_every_issue_is_counted_once_and_the_street_is_not_idle() -> None:
    found = Simulation(PLAN, world()).run()

    assert found.issues == found.states.total() > 40
    assert found.states["CLOSED:RESOLVED"] > found.issues / 4
    assert found.breaches.total() >= found.red.total() > 0
    assert found.supervisions > 0
    assert sum(found.agendas.values()) > 0
    assert found.commands.total() > found.issues * 3
    assert found.refused.total() < found.commands.total() / 20


def test_people_who_are_silent_make_more_red_than_people_who_act() -> None:
    diligent = Simulation(replace(PLAN, silence=0.0), world()).run()
    silent = Simulation(replace(PLAN, silence=0.6), world()).run()

    assert diligent.red.total() < silent.red.total()


@pytest.mark.parametrize("hour", [3, 22])
def test_messages_come_at_the_hours_of_the_real_ones(hour: int) -> None:
    times = tuple(datetime(2019, 7, day, hour, 15, tzinfo=CHINA) for day in range(1, 8))
    simulation = Simulation(replace(PLAN, times=times), world())

    simulation.run()

    opened = [case.opened_at for case in simulation.street.cases.values() if case.process == "issue"]
    assert {at.astimezone(CHINA).hour for at in opened if at is not None} <= {hour, hour + 1}
