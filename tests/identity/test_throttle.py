"""Guessing passwords becomes slow, and nobody is locked out for good."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.identity.throttle import FORGOTTEN_AFTER, LONGEST_PAUSE, Failures

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def failed(times: int) -> Failures:
    failures = Failures()
    for _ in range(times):
        failures = failures.another(NOON)
    return failures


def test_four_wrong_passwords_cost_nothing() -> None:
    assert failed(4).pause(NOON) == timedelta(0)


def test_from_the_fifth_on_the_pause_doubles() -> None:
    pauses = [failed(times).pause(NOON).total_seconds() for times in range(5, 10)]

    assert pauses == [1, 2, 4, 8, 16]


def test_the_pause_ends_by_itself() -> None:
    assert failed(7).pause(NOON + timedelta(seconds=4)) == timedelta(0)


def test_after_a_quiet_quarter_of_an_hour_counting_starts_again() -> None:
    later = NOON + LONGEST_PAUSE + FORGOTTEN_AFTER + timedelta(seconds=1)

    assert failed(50).another(later) == Failures(1, later)


@given(st.integers(min_value=1, max_value=5000))
def test_no_number_of_wrong_passwords_locks_for_longer_than_a_minute(times: int) -> None:
    assert failed(times).pause(NOON) <= LONGEST_PAUSE
