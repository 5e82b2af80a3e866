"""Open what begins with a month or a year: everything that the processes' rhythms ask for in a region (周期启动)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from temporalio import activity


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of a period in a region; `month` is that of a yearly rhythm, `at` a moment in RFC 3339."""

    region: str
    level: str
    every: str
    month: int
    period: str
    at: str


class Opener(Protocol):
    """Who knows which rhythms there are and opens what they ask for."""

    async def begin(self, beginning: Beginning) -> Mapping[str, int]:
        """Open what is not open yet; gives how many cases of each process were opened."""


class Rhythms:
    """The activity by which months begin."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    @activity.defn(name="begin")
    async def begin(self, beginning: Beginning) -> dict[str, Any]:
        """Open everything that begins; a repeat opens only what is missing."""
        return dict(await self._opener.begin(beginning))
