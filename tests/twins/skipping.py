"""The engine on a server whose clock leaps, over a ledger in memory: all of the program but its database."""

import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.neighbours import Neighbours
from activities.payloads import DATA_CONVERTER
from activities.records import Records
from services.engine import Engine
from tests.twins.ledger import TwinLedger
from tests.twins.neighbours import TwinNeighbours
from workflows.kernel.simulator import World
from workflows.kernel.wire import Receipt
from workflows.registry import WORKFLOWS

SERVER = Path(sys.executable).with_name("temporal-test-server")


class SkippingEngine(Engine):
    """The engine on the time-skipping server, which words one of its answers differently."""

    async def _start(self, *arguments: Any) -> Receipt:
        try:
            return await super()._start(*arguments)
        except RPCError as trouble:
            if trouble.status is RPCStatusCode.ALREADY_EXISTS:
                raise WorkflowAlreadyStartedError("", "") from trouble
            raise


@asynccontextmanager
async def skipping_server() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock leaps, up for a moment."""
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=DATA_CONVERTER, test_server_existing_path=str(SERVER), identity="twin"
    ) as environment:
        yield environment


@asynccontextmanager
async def skipping_engine(
    environment: WorkflowEnvironment, ledger: TwinLedger, world: World, register: Mapping[str, Any] | None = None
) -> AsyncIterator[SkippingEngine]:
    """An engine with its worker, over a ledger in memory; what is outside of a case is as in the simulator's world.

    `register` is the master data that it begins with.
    """
    queue = f"gov-{uuid.uuid4().hex[:8]}"
    engine = SkippingEngine(environment.client, ledger, world.pin, task_queue=queue, timeout=30, attributes=False)
    twin = TwinNeighbours(ledger, world, environment.get_current_time)
    twin.street.register = deepcopy(dict(register or {}))
    records = Records(ledger, ledger)
    async with Worker(
        environment.client,
        task_queue=queue,
        workflows=list(WORKFLOWS),
        activities=[records.record, records.stands, Neighbours(engine, twin, twin).carry_out],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield engine
