"""Remember answers for a few seconds, so that a burst of requests asks the database once."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

FULL = 10_000


class Remembered(Generic[K, V]):
    """Answers by question, each forgotten after `span`; only answers that exist are kept.

    Keeping "there is none" would let a stranger fill the memory with names that he makes up.
    """

    def __init__(self, span: timedelta, now: Callable[[], datetime]) -> None:
        self._span = span
        self._now = now
        self._kept: dict[K, tuple[datetime, V]] = {}

    def known(self, keys: Iterable[K]) -> dict[K, V]:
        """Give what is remembered and still fresh."""
        now = self._now()
        kept = ((key, self._kept.get(key)) for key in keys)
        return {key: found[1] for key, found in kept if found is not None and now < found[0]}

    def keep(self, answers: dict[K, V]) -> None:
        """Remember these answers from now on."""
        if len(self._kept) + len(answers) > FULL:
            self._kept.clear()
        until = self._now() + self._span
        self._kept.update((key, (until, answer)) for key, answer in answers.items())

    def forget(self) -> None:
        """Forget everything, after a change that must be seen at once."""
        self._kept.clear()
