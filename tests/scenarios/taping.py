"""A simulated street that remembers what was said in it, so that it can be said again elsewhere."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows.kernel.process import Case, Process
from workflows.kernel.simulator import Street, World
from workflows.kernel.step import Order

Counts = Mapping[str, int]
"""How many events each case has."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was said from outside (一次操作): when, on which case, and what had happened before and after."""

    at: datetime
    process: str
    case_id: str
    order: Order
    opens: bool
    before: Counts
    after: Counts


class Taped(Street):
    """A street with a tape: what was said to it, and the register that it began with."""

    def __init__(self, world: World, now: datetime) -> None:
        super().__init__(world, now)
        self.acts: list[Act] = []
        self.began_with: dict[str, Any] = {}

    def counts(self) -> Counts:
        """How many events each case has by now."""
        return {case_id: len(events) for case_id, events in self.histories.items()}

    def _turn(self, process: Process[Any], case: Case[Any], order: Order | None) -> Case[Any]:
        # What a clock does has no order, and what a case tells another one happens while effects are carried out.
        if order is None or self.carrying:
            return super()._turn(process, case, order)
        if not self.acts:
            self.began_with = deepcopy(self.register)
        at, before = self.now, self.counts()
        after = super()._turn(process, case, order)
        self.acts.append(Act(at, process.name, case.id, order, case.version == 0, before, self.counts()))
        return after
