"""A worker that dies, kill -9, right after its ledger has written a command for the first time.

`python -m tests.forever.dying ADDRESS NAMESPACE QUEUE DATABASE_URL COMMAND`.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.calendar import Calendars
from activities.neighbours import Neighbours
from activities.payloads import DATA_CONVERTER
from activities.records import Records
from services.engine import Engine, newest
from services.storage.answers import Answers
from services.storage.calendar import CalendarStore
from services.storage.database import database
from services.storage.doing import Deeds
from services.storage.history import Past
from services.storage.ledger import Ledger
from tests.workflow.conftest import SEAL
from workflows.kernel.wire import Recorded, Transaction
from workflows.registry import PROCESSES, WORKFLOWS


class DeadlyLedger(Ledger):
    """Writes, and takes the process with it before anybody learns of it."""

    deadly = ""

    async def record(self, t: Transaction) -> Recorded:
        """As the ledger, but for the deadly command."""
        recorded = await super().record(t)
        if t.command.get("name") == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return recorded


async def main(address: str, namespace: str, queue: str, database_url: str, command: str) -> None:
    """Work until the command comes."""
    client = await Client.connect(address, namespace=namespace, data_converter=DATA_CONVERTER)
    storage = database(database_url, pool_size=2, application_name="dying")
    past = Past(storage)
    ledger = DeadlyLedger(storage, calendars=Calendars(CalendarStore(storage)), seal=SEAL)
    ledger.deadly = command
    records = Records(ledger, past)
    door = Engine(client, past, newest("lanzhou_2021"), task_queue=queue)
    neighbours = Neighbours(door, Answers(storage, PROCESSES), Deeds(storage))
    worker = Worker(
        client,
        task_queue=queue,
        workflows=list(WORKFLOWS),
        activities=[
            records.record,
            records.stands,
            neighbours.carry_out,
        ],
        workflow_runner=UnsandboxedWorkflowRunner(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
