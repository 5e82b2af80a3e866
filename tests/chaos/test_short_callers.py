"""The short forms of R3, R4 and R19: repeats, deciders at the same moment, and somebody who changes histories."""

from tests.chaos.conftest import Street
from tests.chaos.repeating import decide_at_once_in, repeat_in
from tests.chaos.tampering import tamper_in


async def test_a_request_that_is_repeated_is_carried_out_once(street: Street) -> None:
    outcome = await repeat_in(street.running, street.callers, seed=1, issues=6)

    assert outcome.deviations == []


async def test_of_many_deciders_one_decides(street: Street) -> None:
    outcome = await decide_at_once_in(street.running, street.callers, seed=1, issues=5)

    assert outcome.deviations == []


async def test_whoever_changes_a_history_is_found_out(street: Street) -> None:
    outcome = await tamper_in(street.running, street.callers, seed=1, lives=3, times=100)

    assert outcome.deviations == []
