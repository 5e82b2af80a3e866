"""How often one account and one address may ask (限流): more is answered by 429 with the seconds to wait.

Each API process counts for itself, in memory: the limit is against one runaway caller, not a bill.
"""

import time
from datetime import timedelta

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from services.identity.errors import SignInTooOften


class Rates:
    """Requests a minute: of one account, and of one address that signs in. Zero is no limit."""

    def __init__(self, *, account: int, sign_in: int) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._account = RateLimitItemPerMinute(account) if account else None
        self._sign_in = RateLimitItemPerMinute(sign_in) if sign_in else None

    async def account(self, actor_id: str) -> None:
        """Count a request of an account; raises `SignInTooOften` (TOO_OFTEN)."""
        await self._count(self._account, "account", actor_id)

    async def sign_in(self, address: str) -> None:
        """Count an attempt to sign in from an address, whatever the name; raises `SignInTooOften` (TOO_OFTEN)."""
        await self._count(self._sign_in, "sign_in", address)

    async def _count(self, item: RateLimitItemPerMinute | None, kind: str, who: str) -> None:
        if item is None or await self._limiter.hit(item, kind, who):
            return
        stats = await self._limiter.get_window_stats(item, kind, who)
        raise SignInTooOften(timedelta(seconds=max(1.0, stats.reset_time - time.time())), "TOO_OFTEN")
