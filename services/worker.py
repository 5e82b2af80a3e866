"""The composition root of a worker process: it carries out what the engine gives it, and ends without losing any."""

import asyncio
import signal
from datetime import timedelta

import structlog
from temporalio.client import Client, GrpcCompression
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.attempts import Attempts, Troubles
from activities.calendar import Calendars
from activities.neighbours import Neighbours
from activities.notices import Dispatcher
from activities.payloads import data_converter
from activities.records import Records
from activities.rhythms import Rhythms
from services.cadences import Beginner, Timekeeper
from services.channels.sending import Sender
from services.engine import TASK_QUEUE, Engine, newest
from services.memory import keep_what_is_loaded
from services.notary import Notary
from services.ping import Ping
from services.settings import Settings
from services.storage.answers import Answers
from services.storage.audit import Signer
from services.storage.calendar import CalendarStore
from services.storage.database import database
from services.storage.doing import Deeds
from services.storage.history import Past
from services.storage.incidents import Incidents
from services.storage.keys import AUDIT, PAYLOADS, found_in
from services.storage.ledger import Ledger
from services.storage.outbox import Outbox
from services.storage.regions import Tree
from services.storage.sealing import Seal
from services.watching import Watch
from workflows.policy.packs import load
from workflows.registry import PROCESSES, WORKFLOWS, CadenceWorkflow

CONNECT_PAUSE = 0.5
# How long the cases that a dead worker kept in memory wait for it, before another worker takes them.
STICKY_FOR = timedelta(seconds=3)
# A cached case takes some 85 KB; this many keep a worker under 300 MB.
CACHED_CASES = 1500
ACTIVITIES_AT_ONCE = 50
# With these a new case waits a third as long behind sixteen others (architecture.md, "Known facts").
WORKFLOW_POLLS = 10
FRESH_SHARE_OF_POLLS = 0.5
# Our pure rooms are watched by the linter; importing them again in every sandbox would only cost time.
PASSED_THROUGH = ("workflows", "activities", "pydantic", "pydantic_core")

log = structlog.get_logger(__name__)


async def carry_out(settings: Settings) -> None:
    """Carry out workflows and activities until SIGTERM or SIGINT, then finish within the grace what has begun.

    Waits for an engine that is not there yet. Raises what made the engine refuse this worker, so that whoever
    watches the process starts it again.
    """
    assert settings.database_url is not None, "a composition root gets complete settings"
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Without a handler of ours the signal ends the process in the middle of a task.
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await _connected(settings, stop)
    if client is None:
        return
    storage = database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool,
        application_name="shangliang-worker",
    )
    try:
        seal_keys = settings.seal_keys
        seal = Seal(seal_keys, next(iter(seal_keys)), found_in(settings.secrets, ""))
        ledger = Ledger(storage, calendars=Calendars(CalendarStore(storage)), seal=seal)
        past = Past(storage)
        door = Engine(client, past, newest(settings.policy), timeout=settings.request_timeout)
        watch = Watch(client, past, Incidents(storage))
        answers = Answers(storage, PROCESSES)
        neighbours = Neighbours(door, answers, Deeds(storage, seal))
        rhythms = Rhythms(Beginner(door, answers, PROCESSES.values()))
        dispatcher = Dispatcher(
            Outbox(storage, seal, settings.last_resort),
            Sender(
                mail_url=settings.mail_url.get_secret_value() if settings.mail_url else "",
                public_url=settings.public_url,
            ),
        )
        notary = Notary(storage, Signer(settings.keys_for(AUDIT)))
        timekeeper = Timekeeper(client, Tree(storage), PROCESSES.values(), load(settings.policy).scale)
        async with build_worker(settings, client, Records(ledger, past), neighbours, rhythms, watch):
            keep_what_is_loaded()
            log.info("worker.started", task_queue=TASK_QUEUE, workflows=len(WORKFLOWS), policy=settings.policy)
            running = (watch, notary, dispatcher, *((timekeeper,) if settings.cadences else ()))
            beside = [asyncio.create_task(one.run()) for one in running]
            await stop.wait()
            for one in beside:
                one.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            log.info("worker.stopping")
    finally:
        await storage.dispose()
    log.info("worker.stopped")


def build_worker(
    settings: Settings,
    client: Client,
    records: Records,
    neighbours: Neighbours,
    rhythms: Rhythms,
    troubles: Troubles,
) -> Worker:
    """Put the worker together: every process there is, and the activities that they need."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    runner: WorkflowRunner = (
        SandboxedWorkflowRunner(restrictions=restrictions) if settings.sandbox else UnsandboxedWorkflowRunner()
    )
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[*WORKFLOWS, CadenceWorkflow, Ping],
        activities=[records.record, records.stands, neighbours.carry_out, rhythms.begin],
        interceptors=[Attempts(troubles)],
        workflow_runner=runner,
        graceful_shutdown_timeout=timedelta(seconds=settings.grace),
        sticky_queue_schedule_to_start_timeout=STICKY_FOR,
        max_cached_workflows=CACHED_CASES,
        max_concurrent_activities=ACTIVITIES_AT_ONCE,
        max_concurrent_workflow_task_polls=WORKFLOW_POLLS,
        nonsticky_to_sticky_poll_ratio=FRESH_SHARE_OF_POLLS,
    )


async def _connected(settings: Settings, stop: asyncio.Event) -> Client | None:
    """Connect as soon as the engine answers; None when we are told to stop before."""
    assert settings.temporal_address is not None, "a composition root gets complete settings"
    runtime = _runtime(settings)
    while not stop.is_set():
        try:
            return await Client.connect(
                settings.temporal_address,
                namespace=settings.temporal_namespace,
                data_converter=data_converter(settings.keys_for(PAYLOADS), found_in(settings.secrets, PAYLOADS)),
                grpc_compression=GrpcCompression.NONE,
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
