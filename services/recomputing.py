"""Let cases count their deadlines anew once a calendar was published that was not known when their clocks started."""

import uuid
from collections.abc import Iterable
from typing import Any, Protocol

from workflows.kernel.process import SYSTEM, GuardFailed, Process
from workflows.kernel.wire import Envelope, Receipt
from workflows.registry import PROCESSES

COMMAND = "recompute_clocks"


class Commanding(Protocol):
    """What gives a case a command (services/engine.py)."""

    async def command(self, process: Process[Any], case_id: str, envelope: Envelope) -> Receipt: ...


async def recompute(engine: Commanding, cases: Iterable[tuple[str, str]]) -> int:
    """Tell each case, given by process and id; one that has nothing to move any more is no trouble. Gives how many."""
    moved = 0
    for process, case_id in cases:
        envelope = Envelope(command=COMMAND, fields={}, actor=SYSTEM, key=uuid.uuid4().hex, body_hash=COMMAND)
        try:
            await engine.command(PROCESSES[process], case_id, envelope)
        except GuardFailed:
            continue
        moved += 1
    return moved
