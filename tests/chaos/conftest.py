"""One product for the short forms: the real one, in processes of its own, with people who sign in once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from tests.chaos.http import Callers
from tests.chaos.product import Whole, whole
from tests.chaos.repeating import people


@dataclass(frozen=True, slots=True)
class Street:
    """A running product and everybody who works with it; what they were told is kept for the whole run."""

    running: Whole
    callers: Callers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def street() -> AsyncIterator[Street]:
    """The product as `shangliang up` starts it."""
    async with whole() as running:
        yield Street(running, await people(running))
