"""Answers and deeds as a simulated street gives them, over the cases of a ledger in memory."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.twins.ledger import TwinLedger
from workflows.kernel.process import SYSTEM, Asked
from workflows.kernel.simulator import Street, World


async def by_this_machine() -> datetime:
    """What time it is."""
    return datetime.now(UTC)


class TwinNeighbours:
    """What is outside of a case, for a worker without a database; `clock` tells the time of its engine."""

    def __init__(
        self, ledger: TwinLedger, world: World, clock: Callable[[], Awaitable[datetime]] = by_this_machine
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self.street = Street(world, datetime.now(UTC))

    async def answer(self, process: str, case_id: str, question: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a question of a case as the ledger stands now."""
        now = await self._look()
        asked = Asked(name=question, about=about, now=now, actor=SYSTEM, case=self.street.cases.get(case_id))
        return dict(self.street.world.questions[question](self.street, asked))

    async def carry_out(self, deed: str, errand_id: str, fields: Mapping[str, Any]) -> None:
        """Carry out a deed on the street."""
        await self._look()
        self.street.world.deeds[deed](self.street, errand_id, fields)

    async def _look(self) -> datetime:
        """Let the street show what the ledger holds now."""
        self.street.now = now = await self._clock()
        for key, book in self._ledger.books.items():
            known = self.street.cases.get(key)
            if known is not None and known.version == len(book.events):
                continue
            case = await self._ledger.now(self.street.world.processes[book.row["process"]], key)
            assert case is not None
            self.street.cases[key] = case
            self.street.clocks |= {(key, number): clock for number, clock in book.clocks.items()}
        return now
