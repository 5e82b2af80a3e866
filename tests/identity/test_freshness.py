"""Answers are remembered for a moment, and not for longer."""

from datetime import UTC, datetime, timedelta

from services.identity.freshness import FULL, Remembered


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_an_answer_is_known_until_its_span_is_over() -> None:
    clock = Clock()
    remembered: Remembered[str, int] = Remembered(timedelta(seconds=3), clock)
    remembered.keep({"a": 1})

    clock.now += timedelta(seconds=2)
    assert remembered.known(["a", "b"]) == {"a": 1}

    clock.now += timedelta(seconds=1)
    assert remembered.known(["a", "b"]) == {}


def test_it_never_holds_more_than_it_may() -> None:
    remembered: Remembered[int, int] = Remembered(timedelta(seconds=3), Clock())

    for number in range(FULL + 10):
        remembered.keep({number: number})

    assert len(remembered.known(range(FULL + 10))) <= FULL
