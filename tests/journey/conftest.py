"""One running product for all journeys but those that kill it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.product import Product

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """The whole product, running."""
    one = Product()
    try:
        one.start()
        yield one
        assert one.stop() == 0
    finally:
        one.remove()


@pytest.fixture
def own_product() -> Iterator[Product]:
    """A product of this test's own, not started yet."""
    one = Product()
    try:
        yield one
    finally:
        one.remove()


@pytest.fixture(scope="session")
def messages() -> Path:
    """Real messages of residents; they lie beside the checkout and are never part of it."""
    shared = Path(os.environ.get("SHANGLIANG_SHARED", ROOT.parent / "shared"))
    found = shared / "data" / "messages" / "with_replies.csv.gz"
    if not found.exists():
        pytest.skip("the shared messages are not on this machine")
    return found
