"""Why a turn can never be written, however often it is tried."""


class Conflict(Exception):
    """Another turn already stands in the ledger under these numbers (并发冲突): two runs write one case."""

    def __init__(self, case_id: str, first: int) -> None:
        super().__init__(f"case {case_id}: another turn stands at {first}")
        self.case_id = case_id
        self.first = first
