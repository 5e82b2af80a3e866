"""The rules alone: lives in the simulator, in CPU time of one process without any server."""

import time
from datetime import timedelta

from tests.bench.measuring import COMMANDS, Figure
from tests.scenarios.street import C1, ORGANIZATIONS, PEOPLE, moment, world
from workflows.issue import commands as do
from workflows.issue.data import Audience, Channel, ClockClass, Difficulty, HandlingMode, Source, Timing
from workflows.kernel.simulator import Street

CASES = 1_000
TRIES = 5
STEPS = 1_000_000


async def simulator() -> list[Figure]:
    """Cases a second of CPU: create and five commands; the best of five, as all others were disturbed."""
    _lives(100)
    cases, steps = 0.0, 0.0
    for _ in range(TRIES):
        steps = max(steps, _counted())
        cases = max(cases, _lives(CASES))
    return [
        Figure(
            "simulated cases a second of CPU",
            f"{cases:.0f}/s",
            f"bare loop {steps / 1e6:.1f} M steps/s",
            goal="≥ 5000/s",
        ),
        Figure("steps of a bare loop that a command costs", f"{steps / cases / (COMMANDS + 1):.0f}"),
    ]


def _lives(count: int) -> float:
    """Live so many lives, and give how many go into a second of CPU."""
    street = Street(world(), moment("03-02 09:00"))
    people = PEOPLE
    facts = {"organizations": ORGANIZATIONS}
    submit = do.SubmitIssue(community_code=C1, title="text:1", description="text:2", source=Source.VISIT)
    accept = do.AcceptToProblemList(
        mode=HandlingMode.TIME_LIMITED,
        category_code="B03",
        difficulty=Difficulty.EASY,
        lead_org="property-1",
        clock_class=ClockClass.SIMPLE,
    )
    feedback = do.GiveFeedback(
        audience=Audience.PUBLIC, timing=Timing.ANYTIME, channel=Channel.NOTICE_BOARD, text="text:4"
    )
    life = (
        ("worker1", accept),
        ("property1", do.Sign()),
        ("property1", do.ClaimCompletion(text="text:3")),
        ("worker1b", do.ApproveCompletion()),
        ("worker1", feedback),
    )
    minute = timedelta(minutes=1)
    begun = time.process_time()
    for number in range(count):
        key = str(number)
        street.open("issue", key, submit, people["grid1"])
        for who, command in life:
            street.command(key, command, people[who], facts=facts)
        # A new case each minute, so that the clocks of earlier ones pass through the queue as they would.
        street.run_to(street.now + minute)
    return count / (time.process_time() - begun)


def _counted() -> float:
    """Steps a second of the simplest loop that Python has."""
    begun = time.process_time()
    total = 0
    for number in range(STEPS):
        total += number
    return STEPS / (time.process_time() - begun)
