"""The one door to Temporal: start a case, give it a command, and understand every way in which that can end."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import (
    Client,
    GrpcCompression,
    RetryConfig,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.common import WorkflowIDConflictPolicy as OnConflict
from temporalio.common import WorkflowIDReusePolicy as OnReuse
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

from activities.neighbours import Errand
from activities.payloads import data_converter
from workflows.kernel.process import (
    SYSTEM,
    Case,
    Forbidden,
    GuardFailed,
    Pin,
    Process,
    Refusal,
    VersionConflict,
    WrongState,
    derived_id,
)
from workflows.kernel.shell import CaseWorkflow
from workflows.kernel.step import decide
from workflows.kernel.wire import Envelope, Receipt, Seed, carried, order_of
from workflows.policy.packs import chosen, load, pinned
from workflows.registry import PROCESSES

TASK_QUEUE = "gov"
REFUSALS: dict[str, type[Refusal]] = {kind.code: kind for kind in (Forbidden, WrongState, GuardFailed, VersionConflict)}
COMMUNITY = SearchAttributeKey.for_keyword("CommunityId")
PROCESS = SearchAttributeKey.for_keyword("Process")
PACK = SearchAttributeKey.for_keyword("PolicyPack")
# A dead server is reported after this much; the default retries would hold a request for ten seconds.
RETRIES = RetryConfig(max_retries=3, max_elapsed_time_millis=3000)
ENDED_MEANWHILE = "AcceptedUpdateCompletedWorkflow"
# The precondition that fails is a run whose tasks fail: it takes nothing until somebody has mended it.
ANSWERS_NO = (
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.FAILED_PRECONDITION,
)


class EngineUnavailable(Exception):
    """Temporal or its workers do not answer in time; the same key may be sent again."""


class TooMany(Exception):
    """The engine is asked for more than it takes at once; come again later."""


class NotFound(Refusal):
    """There is no such case."""

    code = "not_found"


class IdempotencyConflict(Refusal):
    """The same key was used with another body; nothing was written."""

    code = "idempotency_conflict"


async def connect(
    address: str, namespace: str, keys: Mapping[str, bytes], find: Callable[[str], bytes | None] = lambda name: None
) -> Client:
    """A client that reports a dead server soon instead of trying for ten seconds; connects at its first use.

    Payloads are encrypted with the first of the `keys`, 32 bytes each by id; all of them open, and those that `find`
    knows besides.
    """
    service = await ServiceClient.connect(
        ConnectConfig(
            target_host=address,
            retry_config=RETRIES,
            grpc_compression=GrpcCompression.NONE,
            lazy=True,
            identity="shangliang-door",
        )
    )
    return Client(service, namespace=namespace, data_converter=data_converter(keys, find))


def newest(pack: str) -> Pin:
    """The pin for cases that are opened now."""
    found = load(pack)
    return Pin(found.pack, found.version, found.sha)


def pin_for(pin: Pin, process: str, variant: str, place: str) -> Pin:
    """The pin of a new case: this one, or that of the pack to which it sends such cases."""
    found = chosen(pinned(pin.pack, pin.version, pin.sha), process, variant, place)
    return Pin(found.pack, found.version, found.sha)


class Past(Protocol):
    """What Postgres knows of cases whose run does not answer."""

    async def now(self, process: Process[Any], case_id: str) -> Case[Any] | None:
        """The case as it stands; None when there is none."""

    async def done(self, case_id: str, key: str) -> tuple[str, int] | None:
        """Body hash and version of the command that had this key."""


class Engine:
    """What the API and cases themselves ask of the engine. `timeout` bounds every call, in seconds."""

    def __init__(
        self,
        client: Client,
        past: Past,
        pin: Pin,
        *,
        task_queue: str = TASK_QUEUE,
        timeout: float = 5.0,
        attributes: bool = True,
    ) -> None:
        self._client = client
        self._past = past
        self._pin = pin
        self._task_queue = task_queue
        self._timeout = timeout
        self._attributes = attributes

    @property
    def pin(self) -> Pin:
        """The policy pack that new cases are opened under."""
        return self._pin

    async def open(self, process: Process[Any], case_id: str, envelope: Envelope, *, pin: Pin | None = None) -> Receipt:
        """Start a case with its opening command; the same key again gives the first answer, for ever.

        Raises a `Refusal`, `IdempotencyConflict` for another body under the same key, `EngineUnavailable`.
        """
        command = order_of(process, envelope).command
        community = process.place(command, envelope.facts)
        variant = str(getattr(command, "variant", ""))
        seed = Seed(process.name, case_id, pin or pin_for(self._pin, process.name, variant, community))
        try:
            async with self._in_time():
                receipt = await self._start(seed, community, envelope, "open", OnReuse.ALLOW_DUPLICATE_FAILED_ONLY)
        except WorkflowAlreadyStartedError:
            receipt = await self._earlier(case_id, envelope)
        except Refusal as no:
            receipt = await self._earlier(case_id, envelope, no)
        return _same_body(receipt, envelope)

    async def command(self, process: Process[Any], case_id: str, envelope: Envelope) -> Receipt:
        """Give a case a command; a closed case answers as an open one would.

        Raises a `Refusal` (also `NotFound`, `IdempotencyConflict`) or `EngineUnavailable`.
        """
        try:
            async with self._in_time():
                receipt = await self._update(process, case_id, envelope)
        except Refusal as no:
            receipt = await self._earlier(case_id, envelope, no)
        return _same_body(receipt, envelope)

    async def carry_out(self, errand: Errand) -> None:
        """Start or tell another case on behalf of one: the id of the errand is the key of its command."""
        process = PROCESSES[errand.process]
        body = json.dumps([errand.command, errand.fields], sort_keys=True, ensure_ascii=False)
        envelope = Envelope(
            command=errand.command,
            fields=errand.fields if errand.answer is None else errand.answer,
            actor=SYSTEM,
            key=hashlib.sha256(f"effect|{errand.id}".encode()).hexdigest(),
            body_hash=hashlib.sha256(body.encode()).hexdigest(),
        )
        if errand.kind == "START":
            await self.open(process, errand.case, envelope, pin=errand.pin)
        else:
            await self.command(process, errand.case, envelope)

    async def begin(self, process: Process[Any], command: str, key: str, fields: dict[str, Any]) -> None:
        """Open a case that begins by itself; its id follows from the key, so that it is opened once."""
        opening = hashlib.sha256(f"cadence|{process.name}|{command}|{key}".encode()).hexdigest()
        # What is known of the world may differ at the next try; it is the same opening all the same.
        envelope = Envelope(command=command, fields=fields, actor=SYSTEM, key=opening, body_hash=opening)
        await self.open(process, derived_id(process.name, key), envelope)

    async def revive(self, process: Process[Any], case: Case[Any], *, replace: bool = False) -> bool:
        """Start a run for a case from what Postgres holds, for `reconcile`; False when one runs already.

        `replace` ends a run that holds something else.
        """
        conflict = OnConflict.TERMINATE_EXISTING if replace else OnConflict.FAIL
        seed = Seed(process.name, case.id, case.pin, carried(process, case))
        try:
            async with self._in_time():
                await self._client.start_workflow(
                    process.name,
                    seed,
                    id=f"{process.name}/{case.id}",
                    task_queue=self._task_queue,
                    id_conflict_policy=conflict,
                    id_reuse_policy=OnReuse.ALLOW_DUPLICATE,
                    search_attributes=self._found_by(seed, case.community),
                )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def runs(self) -> AsyncIterator[str]:
        """Every run that goes on, as `issue/<case id>`, for `reconcile`."""
        kinds = " OR ".join(f"WorkflowType = '{name}'" for name in sorted({one.name for one in PROCESSES.values()}))
        try:
            async for run in self._client.list_workflows(f"ExecutionStatus = 'Running' AND ({kinds})"):
                yield run.id
        except (RPCError, RuntimeError) as trouble:
            raise EngineUnavailable(str(trouble)) from trouble

    async def is_running(self, run: str) -> bool:
        """Say whether a run goes on now; surer than `runs`, whose index may lag."""
        try:
            async with self._in_time():
                found = await self._client.get_workflow_handle(run).describe()
        except RPCError as trouble:
            if trouble.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return found.status is WorkflowExecutionStatus.RUNNING

    async def end(self, run: str, reason: str) -> bool:
        """End a run that no case stands behind; False when it had ended already."""
        try:
            async with self._in_time():
                await self._client.get_workflow_handle(run).terminate(reason)
        except RPCError as trouble:
            if trouble.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def forget(self, run: str) -> None:
        """End a run that no case stands behind and delete what the engine keeps of it.

        Ended only, it would go on answering: a repeated opening gets the outcome that its closed run remembers.
        """
        gone = DeleteWorkflowExecutionRequest(
            namespace=self._client.namespace, workflow_execution=WorkflowExecution(workflow_id=run)
        )
        try:
            async with self._in_time():
                await self._client.workflow_service.delete_workflow_execution(gone)
                while True:
                    await self._client.get_workflow_handle(run).describe()
                    await asyncio.sleep(0.05)
        except RPCError as trouble:
            if trouble.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def roll_over(self, process: Process[Any], case_id: str) -> None:
        """Ask a case to go on in a new run."""
        async with self._in_time():
            await self._client.get_workflow_handle(f"{process.name}/{case_id}").signal("roll_over")

    async def case(self, process: Process[Any], case_id: str) -> dict[str, Any] | None:
        """The case as its run holds it, for operators and for `reconcile`; None when no run knows it."""
        try:
            async with self._in_time():
                handle = self._client.get_workflow_handle(f"{process.name}/{case_id}")
                found: dict[str, Any] | None = await handle.query("case", result_type=dict[str, Any])
                return found
        except RPCError as trouble:
            if trouble.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    # --- one call ------------------------------------------------------------------------------------------

    async def _update(self, process: Process[Any], case_id: str, envelope: Envelope) -> Receipt:
        handle = self._client.get_workflow_handle(f"{process.name}/{case_id}")
        while True:
            try:
                receipt: Receipt = await handle.execute_update(
                    "command", envelope, id=envelope.key, result_type=Receipt, rpc_timeout=self._rpc_timeout
                )
                return receipt
            except WorkflowUpdateFailedError as failed:
                if not _ended_meanwhile(failed):
                    raise _refusal(failed) from None
                await asyncio.sleep(0.05)
            except RPCError as trouble:
                if trouble.status is RPCStatusCode.NOT_FOUND:
                    return await self._without_run(process, case_id, envelope)
                raise

    async def _without_run(self, process: Process[Any], case_id: str, envelope: Envelope) -> Receipt:
        """The case has no run: decide on its row; what is lawful starts a run seeded from Postgres."""
        case = await self._past.now(process, case_id)
        if case is None:
            raise NotFound("NO_SUCH_CASE")
        policy = pinned(case.pin.pack, case.pin.version, case.pin.sha)
        order = order_of(process, envelope)
        # Only a reopening may start a second run of an id; the check of versions in `record` keeps it the only writer.
        decide(process, case, order, policy, datetime.now(UTC))
        seed = Seed(process.name, case_id, case.pin, carried(process, case))
        return await self._start(seed, case.community, envelope, envelope.key, OnReuse.ALLOW_DUPLICATE)

    async def _start(self, seed: Seed, community: str, envelope: Envelope, update_id: str, reuse: OnReuse) -> Receipt:
        while True:
            operation: WithStartWorkflowOperation[CaseWorkflow, str] = WithStartWorkflowOperation(
                seed.process,
                seed,
                id=f"{seed.process}/{seed.case_id}",
                task_queue=self._task_queue,
                id_conflict_policy=OnConflict.USE_EXISTING,
                id_reuse_policy=reuse,
                search_attributes=self._found_by(seed, community),
            )
            try:
                receipt: Receipt = await self._client.execute_update_with_start_workflow(
                    "command",
                    envelope,
                    start_workflow_operation=operation,
                    id=update_id,
                    result_type=Receipt,
                    rpc_timeout=self._rpc_timeout,
                )
                return receipt
            except WorkflowUpdateFailedError as failed:
                if not _ended_meanwhile(failed):
                    raise _refusal(failed) from None
                await asyncio.sleep(0.05)
            finally:
                # Else «Future exception was never retrieved» lands in the log when the start itself failed.
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(operation.workflow_handle(), 0.01)

    def _found_by(self, seed: Seed, community: str) -> TypedSearchAttributes:
        if not self._attributes:
            return TypedSearchAttributes.empty
        return TypedSearchAttributes(
            [
                SearchAttributePair(COMMUNITY, community),
                SearchAttributePair(PROCESS, seed.process),
                SearchAttributePair(PACK, seed.pin.pack),
            ]
        )

    async def _earlier(self, case_id: str, envelope: Envelope, no: Refusal | None = None) -> Receipt:
        """The first answer to this key, if the command was carried out before; else the refusal stands."""
        done = await self._past.done(case_id, envelope.key)
        if done is None:
            raise no or IdempotencyConflict("CASE_EXISTS")
        body_hash, version = done
        return Receipt(version, body_hash)

    @property
    def _rpc_timeout(self) -> timedelta:
        return timedelta(seconds=self._timeout)

    @contextlib.asynccontextmanager
    async def _in_time(self) -> Any:
        """Turn every way of not answering into one; nothing hangs longer than the timeout."""
        try:
            async with asyncio.timeout(self._timeout):
                yield
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as late:
            raise EngineUnavailable("the engine did not answer in time") from late
        except RPCError as trouble:
            if trouble.status is RPCStatusCode.RESOURCE_EXHAUSTED:
                raise TooMany("the engine is busy") from trouble
            if trouble.status in ANSWERS_NO or trouble.status is RPCStatusCode.UNKNOWN:
                raise EngineUnavailable(str(trouble)) from trouble
            raise
        except RuntimeError as trouble:
            raise EngineUnavailable(str(trouble)) from trouble


def _ended_meanwhile(failed: WorkflowUpdateFailedError) -> bool:
    """The run ended or rolled over while the update ran: the same id again finds the next run, or none."""
    return isinstance(failed.cause, ApplicationError) and failed.cause.type == ENDED_MEANWHILE


def _refusal(failed: WorkflowUpdateFailedError) -> Exception:
    cause = failed.cause
    if isinstance(cause, ApplicationError) and cause.type in REFUSALS:
        told: dict[str, Any] = cause.details[0] if cause.details else {}
        kind = REFUSALS[cause.type]
        return kind(
            told.get("reason", str(cause)),
            field=told.get("field", ""),
            clause=told.get("clause", ""),
            **told.get("details", {}),
        )
    if isinstance(cause, ApplicationError) and cause.type == "Conflict":
        return EngineUnavailable("the case is being repaired")
    return failed


def _same_body(receipt: Receipt, envelope: Envelope) -> Receipt:
    if receipt.body_hash != envelope.body_hash:
        raise IdempotencyConflict("SAME_KEY_OTHER_BODY")
    return receipt


__all__ = [
    "Case",
    "Engine",
    "EngineUnavailable",
    "IdempotencyConflict",
    "NotFound",
    "TooMany",
    "connect",
    "newest",
]
