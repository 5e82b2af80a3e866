"""The composition root of a worker process: it carries out what the engine gives it, and ends without losing any."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from services.ping import Ping
from services.settings import Settings

TASK_QUEUE = "gov"
CONNECT_PAUSE = 0.5
# How long the cases that a dead worker kept in memory wait for it, before another worker takes them.
STICKY_FOR = timedelta(seconds=3)
CACHED_CASES = 2000
ACTIVITIES_AT_ONCE = 50
# With these a new case waits a third as long behind sixteen others (architecture.md, "Known facts").
WORKFLOW_POLLS = 10
FRESH_SHARE_OF_POLLS = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker can do: the types of workflows, the activities with everything they need, and the converter."""

    task_queue: str
    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]]
    data_converter: DataConverter


def work_of(settings: Settings) -> Work:
    """Put together what this program can carry out."""
    return Work(task_queue=TASK_QUEUE, workflows=[Ping], activities=[], data_converter=pydantic_data_converter)


async def carry_out(work: Work, settings: Settings) -> None:
    """Carry out `work` until SIGTERM or SIGINT, then finish within the grace what has begun.

    Waits for an engine that is not there yet. Raises what made the engine refuse this worker, so that whoever
    watches the process starts it again.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Without a handler of ours the signal ends the process in the middle of a task.
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await _connected(settings, work.data_converter, stop)
    if client is None:
        return
    runner: WorkflowRunner = SandboxedWorkflowRunner() if settings.sandbox else UnsandboxedWorkflowRunner()
    worker = Worker(
        client,
        task_queue=work.task_queue,
        workflows=work.workflows,
        activities=work.activities,
        workflow_runner=runner,
        graceful_shutdown_timeout=timedelta(seconds=settings.grace),
        sticky_queue_schedule_to_start_timeout=STICKY_FOR,
        max_cached_workflows=CACHED_CASES,
        max_concurrent_activities=ACTIVITIES_AT_ONCE,
        max_concurrent_workflow_task_polls=WORKFLOW_POLLS,
        nonsticky_to_sticky_poll_ratio=FRESH_SHARE_OF_POLLS,
    )
    async with worker:
        log.info("worker.started", task_queue=work.task_queue, workflows=len(work.workflows))
        await stop.wait()
        log.info("worker.stopping")
    log.info("worker.stopped")


async def _connected(settings: Settings, converter: DataConverter, stop: asyncio.Event) -> Client | None:
    """Connect as soon as the engine answers; None when we are told to stop before."""
    assert settings.temporal_address is not None, "a composition root gets complete settings"
    runtime = _runtime(settings)
    while not stop.is_set():
        try:
            return await Client.connect(
                settings.temporal_address,
                namespace=settings.temporal_namespace,
                data_converter=converter,
                runtime=runtime,
            )
        except RuntimeError as refused:
            # The port opens before the service is healthy, and a server may be starting again.
            log.warning("worker.engine_not_there", reason=str(refused))
            await asyncio.sleep(CONNECT_PAUSE)
    return None


def _runtime(settings: Settings) -> Runtime | None:
    if settings.metrics_port is None:
        return None
    address = f"{settings.host}:{settings.metrics_port}"
    metrics = PrometheusConfig(bind_address=address, durations_as_seconds=True)
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))
