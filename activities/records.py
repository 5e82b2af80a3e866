"""Write a turn of a case: one activity, one transaction, safe to repeat."""

from dataclasses import dataclass, replace
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.conflicts import Conflict
from workflows.kernel.wire import Json, Recorded, Transaction

CONFLICT = Conflict.__name__


class Writer(Protocol):
    """Where turns are written."""

    async def record(self, t: Transaction) -> Recorded:
        """Write a turn and say what was stamped; the same turn again gives the same answer."""


class Standing(Protocol):
    """Where a run that has lost its way finds its case."""

    async def stands(self, process: str, case_id: str) -> Json | None:
        """The case with its live clocks as it was last written; None when there is none."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which case is asked for."""

    process: str
    case_id: str


class Records:
    """The activities by which a case reaches the ledger (台账)."""

    def __init__(self, ledger: Writer, past: Standing) -> None:
        self._ledger = ledger
        self._past = past

    @activity.defn(name="record")
    async def record(self, t: Transaction) -> Recorded:
        """Write one turn; a conflict can never succeed and is not tried again."""
        try:
            recorded = await self._ledger.record(t)
        except Conflict as refused:
            raise ApplicationError(str(refused), type=CONFLICT, non_retryable=True) from refused
        # The days that did not count are for people, who read them in Postgres; a history needs the moments only.
        return replace(recorded, stamps=[replace(stamp, skipped=()) for stamp in recorded.stamps])

    @activity.defn(name="stands")
    async def stands(self, wanted: Wanted) -> Json | None:
        """The case as the ledger holds it, for a run that was overtaken."""
        return await self._past.stands(wanted.process, wanted.case_id)
