"""The bare engine: a workflow opened by update-with-start that takes five more updates and writes nothing.

It is the yardstick of every figure: what Temporal itself costs on this machine, in this run.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "floor"
UPDATES = 6


@workflow.defn(name="floor")
class Floor:
    """Takes six updates and ends."""

    def __init__(self) -> None:
        self._taken = 0

    @workflow.run
    async def run(self) -> int:
        """Wait for the sixth."""
        await workflow.wait_condition(lambda: self._taken >= UPDATES)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._taken

    @workflow.update(name="command")
    async def command(self, number: int) -> int:
        """Count."""
        self._taken += 1
        return self._taken


async def work(address: str, namespace: str) -> None:
    """Serve until SIGTERM, with the settings of the product's worker."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await Client.connect(address, namespace=namespace, data_converter=pydantic_data_converter)
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[Floor],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=2000,
        max_concurrent_workflow_task_polls=10,
        nonsticky_to_sticky_poll_ratio=0.5,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=3),
    ):
        print("ready", flush=True)
        await stop.wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(work(sys.argv[1], sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)
