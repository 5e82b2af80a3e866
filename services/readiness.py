"""Say whether the engine would carry out a command now: its front end answers, and a worker asks for work."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from services.ping import Ping

# A worker that waits for work asks again after a minute at the latest; a dead one is remembered for five.
POLLED_WITHIN = timedelta(seconds=70)
ANSWER_WITHIN = timedelta(seconds=2)
CARRIED_OUT_WITHIN = timedelta(seconds=10)
LOOK_EVERY = 0.05


class Engine:
    """The engine at one address, as far as its health goes. Nothing is connected before the first question."""

    def __init__(self, address: str, namespace: str) -> None:
        self._address = address
        self._namespace = namespace
        self._client: Client | None = None

    async def answers(self) -> bool:
        """Say whether the front end serves requests; never raises for one that does not."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
                return await (await self._connected()).service_client.check_health(retry=False)
        except (RPCError, RuntimeError, TimeoutError):
            return False

    async def is_worked(self, task_queue: str) -> bool:
        """Say whether a worker has asked for work on `task_queue` lately; never raises for a silent engine."""
        request = DescribeTaskQueueRequest(
            namespace=self._namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        try:
            async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
                client = await self._connected()
                answer = await client.workflow_service.describe_task_queue(request)
        except (RPCError, RuntimeError, TimeoutError):
            return False
        since = datetime.now(UTC) - POLLED_WITHIN
        return any(poller.last_access_time.ToDatetime(UTC) > since for poller in answer.pollers)

    async def carries_out(self, task_queue: str) -> bool:
        """Have a worker of `task_queue` carry something out, and say whether it did; for a person who asks."""
        try:
            async with asyncio.timeout(CARRIED_OUT_WITHIN.total_seconds()):
                client = await self._connected()
                word = secrets.token_hex(8)
                run = await client.start_workflow(
                    Ping.run,
                    word,
                    id=f"ping/{word}",
                    task_queue=task_queue,
                    execution_timeout=CARRIED_OUT_WITHIN,
                )
                # The answer is encrypted with a key that who asks need not have: that it ended well is enough.
                while (status := (await run.describe()).status) is WorkflowExecutionStatus.RUNNING:
                    await asyncio.sleep(LOOK_EVERY)
        except (RPCError, RuntimeError, TimeoutError):
            return False
        return status is WorkflowExecutionStatus.COMPLETED

    async def _connected(self) -> Client:
        if self._client is None:
            self._client = await Client.connect(self._address, namespace=self._namespace, lazy=True)
        return self._client
