"""Slow down whoever guesses passwords, without ever locking anybody out for good (pure)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FREE_ATTEMPTS = 5
LONGEST_PAUSE = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Failures:
    """Wrong passwords for one name: how many in a row, and until when the next attempt must wait.

    A pause of zero is kept as the moment of the failure itself, so that old failures can be forgotten.
    """

    count: int = 0
    until: datetime | None = None

    def pause(self, now: datetime) -> timedelta:
        """Give how long the next attempt must still wait; zero when it need not."""
        return max(timedelta(0), self.until - now) if self.until else timedelta(0)

    def another(self, now: datetime) -> "Failures":
        """Count one more wrong password: from the fifth on, 1, 2, 4 … seconds, at most a minute."""
        forgotten = self.until is None or now - self.until > FORGOTTEN_AFTER
        count = 1 if forgotten else self.count + 1
        if count < FREE_ATTEMPTS:
            return Failures(count, now)
        # The exponent is bounded first: nobody needs two to the power of a million.
        pause = timedelta(seconds=2 ** min(count - FREE_ATTEMPTS, 10))
        return Failures(count, now + min(pause, LONGEST_PAUSE))
