"""The clocks of the kernel agree with a model that counts on the fingers, on random calendars, pauses, extensions."""

import os
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

from tests.equal import reference_clocks as fingers
from tests.equal.reference_clocks import DAY, Worked
from tests.twins.ledger import rungs_of
from workflows.kernel.calendar import CHINA, Day, Duration, HostCalendar, Unit
from workflows.kernel.clocks import Clock, ClockKind, Extend, Pause, Resume, StampRequest, apply, stamped
from workflows.kernel.stamping import answer
from workflows.policy.packs import load

EXAMPLES = int(os.environ.get("SHANGLIANG_CLOCKS", "10000"))
A_CALENDAR = 100
FIRST = date(2026, 1, 1)
ZERO = datetime(2026, 1, 1, tzinfo=CHINA)
RUNGS = rungs_of(load("lanzhou_2021"))
UNITS = (Unit.HOURS, Unit.CALENDAR_DAYS, Unit.WORKING_DAYS, Unit.WORKING_HOURS, Unit.MONTH, Unit.DATE)


def calendar_of(rng: Random) -> tuple[HostCalendar, Worked]:
    """A calendar with random rest days for a random while; the week decides afterwards."""
    known, density = rng.randint(0, 600), rng.choice((0.05, 0.3, 0.6))
    rest = {day for day in range(known) if rng.random() < density}
    days = [FIRST + timedelta(days=day) for day in range(known)]
    host = HostCalendar("drawn", {on: Day(on, number not in rest, "", False) for number, on in enumerate(days)})

    def worked(day: int) -> bool:
        return day not in rest if 0 <= day < known else (FIRST + timedelta(days=day)).weekday() < 5

    return host, worked


def moment(minutes: float) -> datetime:
    return ZERO + timedelta(minutes=minutes)


def minutes(at: datetime) -> float:
    return (at - ZERO) / timedelta(minutes=1)


def close(one: float | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return abs(one - minutes(other)) < 1 / 600


def a_start(rng: Random) -> float:
    """Any minute, midnights and the edges of business hours more often than their share."""
    day = rng.randint(10, 300)
    return day * DAY + rng.choice((0, 0, 9 * 60, 18 * 60, rng.randrange(DAY), rng.randrange(DAY)))


def a_duration(rng: Random, start: float) -> Duration:
    unit = rng.choice(UNITS)
    match unit:
        case Unit.HOURS | Unit.WORKING_HOURS:
            return Duration(rng.choice((0.5, 2, 24, 72, rng.randint(1, 200))), unit)
        case Unit.DATE:
            return Duration(0, unit, on=FIRST + timedelta(days=int(start // DAY) + rng.randint(1, 60)))
        case Unit.MONTH:
            return Duration(rng.randint(1, 3), unit)
        case Unit.CALENDAR_DAYS:
            return Duration(rng.randint(1, 60), unit, roll=rng.random() < 0.5)
        case Unit.WORKING_DAYS:
            return Duration(rng.randint(1, 40), unit)


def longer(rng: Random, duration: Duration) -> Duration:
    """A further moment of the same kind, as rules ask for them."""
    more = rng.randint(1, 30)
    if duration.on is not None:
        return replace(duration, on=duration.on + timedelta(days=more))
    return replace(duration, value=duration.value + more)


def counted(start: float, duration: Duration, worked: Worked, *, after_end: bool) -> float:
    count = float((duration.on - FIRST).days) if duration.on else duration.value
    return fingers.due(start, count, duration.unit.value, worked, roll=duration.roll, after_end=after_end)


def test_stamps_agree_with_the_fingers_through_start_pause_resume_and_extension() -> None:
    rng = Random(20260303)
    paused = extended = 0
    host, worked = calendar_of(rng)
    for number in range(EXAMPLES):
        if number % A_CALENDAR == 0:
            host, worked = calendar_of(rng)
        start = a_start(rng)
        duration = a_duration(rng, start)
        after_end = start % DAY == 0 and rng.random() < 0.5
        limits = tuple(longer(rng, duration) for _ in range(rng.randint(0, 2)))
        climbs = rng.choice(("no", "ladder", "red at due"))
        request = StampRequest(
            number=1,
            op="START",
            duration=duration,
            started_at=moment(start),
            after_end=after_end,
            ladder=climbs == "ladder",
            red_at_due=climbs == "red at due",
            limits=limits,
        )
        told = f"example {number}: {request}"
        stamp = answer(request, host, RUNGS)
        end = counted(start, duration, worked, after_end=after_end)
        ends = [counted(start, limit, worked, after_end=after_end) for limit in limits]
        assert close(end, stamp.due_at), told
        assert all(close(one, other) for one, other in zip(ends, stamp.limits, strict=True)), told
        clock = stamped(a_clock(request), stamp)
        climbs_as_counted(clock, start, end, worked, told)

        if rng.random() < 0.5 and end > start:
            paused += 1
            pause = start + rng.random() * (end - start)
            midnight = pause // DAY * DAY + DAY
            # What is over is not paused.
            pause = midnight if midnight < end and rng.random() < 0.2 else pause // 1
            back = pause + rng.choice((0, 5, rng.randrange(20 * DAY), rng.randrange(200 * DAY)))
            clock, _ = apply(clock, Pause(code="X"), moment(pause))
            clock, asked = apply(clock, Resume(code="X"), moment(back))
            assert asked is not None
            clock = stamped(clock, answer(asked, host, RUNGS))
            unit = duration.unit.value
            before = end
            # It is never due before it runs again.
            end = max(back, fingers.resumed(end, pause, back, unit, worked, roll=duration.roll))
            assert close(end, clock.due_at), f"{told} paused {moment(pause)} back {moment(back)}"
            ends = [fingers.resumed(one, pause, back, unit, worked, roll=duration.roll) for one in ends]
            assert all(close(one, other) for one, other in zip(ends, clock.limits, strict=True)), told
            # Half of the time that counts: for hours the pause is taken out by starting later.
            climbs_as_counted(clock, start + (end - before if duration.is_hours else 0), end, worked, told, floor=back)

        if rng.random() < 0.3:
            extended += 1
            day = int(end // DAY) + rng.randint(1, 30)
            asked_at = moment(end - 1)
            clock, asked = apply(
                clock, Extend(code="X", duration=Duration(0, Unit.DATE, on=FIRST + timedelta(days=day))), asked_at
            )
            assert asked is not None
            first = clock.original_due_at
            clock = stamped(clock, answer(asked, host, RUNGS))
            assert close(day * DAY + 18 * 60, clock.due_at), told
            assert clock.original_due_at == first, told
            climbs_as_counted(clock, end - 1, day * DAY + 18 * 60, worked, told)
    assert min(paused, extended) > EXAMPLES / 10


def a_clock(request: StampRequest) -> Clock:
    return Clock(
        number=1,
        code="X",
        ref="",
        kind=ClockKind.DUTY,
        ladder=request.ladder,
        red_at_due=request.red_at_due,
        outlives=False,
        duration=request.duration,
        parameter="",
        owner="",
        supervisor="",
        started_at=request.started_at,
        after_end=request.after_end,
    )


def climbs_as_counted(clock: Clock, start: float, end: float, worked: Worked, told: str, *, floor: float = 0) -> None:
    """The rungs of a clock are where the fingers put them, none before the floor."""
    if clock.red_at_due:
        assert (clock.blue_at, clock.red_at, clock.red_plus_plus_at) == (None, clock.due_at, None), told
    elif clock.ladder:
        rungs = fingers.ladder(start, end, clock.duration.unit.value, worked)
        blue = max(rungs.blue, floor) if rungs.blue is not None else None
        found = (clock.blue_at, clock.red_at, clock.red_plus_plus_at)
        for one, other in zip((blue, rungs.red, rungs.county), found, strict=True):
            assert close(one, other), f"{told} {rungs} {found}"
    else:
        assert (clock.blue_at, clock.red_at, clock.red_plus_plus_at) == (None, None, None), told
