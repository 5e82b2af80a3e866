"""Write a turn of a case: one activity, one transaction, safe to repeat."""

from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.conflicts import Conflict
from workflows.kernel.wire import Recorded, Transaction


class Writer(Protocol):
    """Where turns are written."""

    async def record(self, t: Transaction) -> Recorded:
        """Write a turn and say what was stamped; the same turn again gives the same answer."""


class Records:
    """The activity by which a case reaches the ledger (台账)."""

    def __init__(self, ledger: Writer) -> None:
        self._ledger = ledger

    @activity.defn(name="record")
    async def record(self, t: Transaction) -> Recorded:
        """Write one turn; a conflict can never succeed and is not tried again."""
        try:
            return await self._ledger.record(t)
        except Conflict as refused:
            raise ApplicationError(str(refused), type=type(refused).__name__, non_retryable=True) from refused
