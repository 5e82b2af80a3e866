"""Answers and deeds as a simulated street gives them, over the cases of a ledger in memory."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.twins.ledger import TwinLedger
from workflows.kernel.process import SYSTEM, Asked
from workflows.kernel.simulator import Street, World


class TwinNeighbours:
    """What is outside of a case, for a worker without a database."""

    def __init__(self, ledger: TwinLedger, world: World) -> None:
        self._ledger = ledger
        self.street = Street(world, datetime.now(UTC))

    async def answer(self, process: str, case_id: str, question: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a question of a case as the ledger stands now."""
        found = self.street.world.processes
        for key, book in self._ledger.books.items():
            case = await self._ledger.now(found[book.row["process"]], key)
            assert case is not None
            self.street.cases[key] = case
        asked = Asked(
            name=question, about=about, now=datetime.now(UTC), actor=SYSTEM, case=self.street.cases.get(case_id)
        )
        return dict(self.street.world.questions[question](self.street, asked))

    async def carry_out(self, deed: str, errand_id: str, fields: Mapping[str, Any]) -> None:
        """Carry out a deed on the street."""
        self.street.world.deeds[deed](self.street, errand_id, fields)
