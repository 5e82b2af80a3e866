"""The short form of R14: what can never succeed is parked, listed, tried again by hand, and harms no neighbour."""

from tests.chaos.conftest import Street
from tests.chaos.poison import poison_in


async def test_what_cannot_go_on_is_listed_and_goes_on_when_it_can(street: Street) -> None:
    outcome = await poison_in(street.running, street.callers, seed=1, neighbours=3)

    assert outcome.deviations == []
