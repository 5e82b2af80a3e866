"""The short forms of R1 and R2: no kill loses, doubles or reverses anything."""

from tests.chaos.conftest import Street
from tests.chaos.killing import kill_all_of, kill_anything_in


async def test_no_kill_of_a_part_loses_or_doubles_anything(street: Street) -> None:
    outcome = await kill_anything_in(
        street.running, street.callers, seed=1, lives=60, clients=4, kills=2, every=(2.0, 4.0)
    )

    assert outcome.deviations == []


async def test_nothing_is_lost_when_everything_is_killed_at_once(street: Street) -> None:
    outcome = await kill_all_of(street.running, street.callers, seed=1, times=2, clients=4)

    assert outcome.deviations == []
