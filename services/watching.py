"""Find the cases that cannot go on and put them on the list of incidents (异常), and take them off when they can.

A case that is stuck harms nobody else: it waits, listed, until its cause is gone or somebody tries it again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from activities.neighbours import Errand
from services.engine import Engine
from services.storage.history import Past
from services.storage.incidents import Incident, Incidents
from services.storage.outage import is_outage
from workflows.kernel.process import Refusal
from workflows.registry import PROCESSES

EVERY = timedelta(seconds=10)
LOOK_BACK = timedelta(minutes=10)
"""How far back ended runs are looked at, so that a pause of the watch hides nothing."""
LOOK_WITHIN = 10.0
PROBLEMS = "TemporalReportedProblems"

STUCK = "STUCK"
RUN_FAILED = "RUN_FAILED"
FAILS = {"record": "RECORD_FAILS", "stands": "RECORD_FAILS", "carry_out": "EFFECT_FAILS"}
"""Kind of the incident of each activity that fails again and again."""
WENT_ON = "WENT_ON"

log = structlog.get_logger(__name__)


class Watch:
    """Looks every ten seconds for runs that fail or stand still. Several may watch at once: an incident is noted once.

    It is also told by `activities.attempts` of activities that fail again and again.
    """

    def __init__(self, client: Client, past: Past, incidents: Incidents) -> None:
        self._client = client
        self._past = past
        self._incidents = incidents

    async def run(self) -> None:
        """Watch until cancelled; an engine or a database that is away is asked again."""
        while True:
            try:
                with _best_effort():
                    async with asyncio.timeout(LOOK_WITHIN):
                        await self.look()
            except Exception:  # a defect of the watch must not end it: nobody would look any more
                log.exception("watch.defect")
            await asyncio.sleep(EVERY.total_seconds())

    async def look(self) -> None:
        """Note what stands still now, and close what goes on again."""
        stuck = {run: problems async for run, problems in self._stuck()}
        for one in await self._incidents.listed():
            if one.case_id is not None and (
                (one.kind == STUCK and one.key not in stuck)
                or (one.kind == RUN_FAILED and await self._goes_on(one.key))
            ):
                await self._incidents.mended(one.kind, case_id=str(one.case_id), reason=WENT_ON)
        for run, problems in stuck.items():
            await self._note(STUCK, run, {"problems": problems})
        async for run in self._lost():
            await self._note(RUN_FAILED, run, {})

    async def failing(self, workflow: str, name: str, attempt: int, error: str) -> None:
        """Note an activity that fails again and again; `error` is a class, never a text of somebody."""
        with _best_effort():
            await self._note(_kind(name), workflow, {"activity": name, "error": error, "seen_at_try": attempt})

    async def mended(self, workflow: str, name: str) -> None:
        """Take the trouble of an activity that went well at last off the list."""
        if (case_id := _case_of(workflow)) is not None:
            with _best_effort():
                await self._incidents.mended(_kind(name), case_id=case_id, reason=WENT_ON)

    async def _note(self, kind: str, run: str, detail: dict[str, object]) -> None:
        if await self._incidents.note(kind, case_id=_case_of(run), key=run, detail=detail):
            log.error("incident", kind=kind, run=run)

    async def _stuck(self) -> AsyncIterator[tuple[str, list[str]]]:
        """Runs whose tasks fail, with what the engine says of them."""
        async for run in self._client.list_workflows(f"{PROBLEMS} IS NOT NULL AND ExecutionStatus = 'Running'"):
            told = [pair.value for pair in run.typed_search_attributes if pair.key.name == PROBLEMS]
            yield run.id, [str(one) for value in told for one in value]

    async def _lost(self) -> AsyncIterator[str]:
        """Runs that failed lately though their case goes on; most failed ones are openings refused at the door."""
        since = (datetime.now(UTC) - LOOK_BACK).strftime("%Y-%m-%dT%H:%M:%SZ")
        async for run in self._client.list_workflows(f"ExecutionStatus = 'Failed' AND CloseTime > '{since}'"):
            process, case_id = PROCESSES.get(run.id.partition("/")[0]), _case_of(run.id)
            if process is None or case_id is None or await self._past.now(process, case_id) is None:
                continue
            if not await self._goes_on(run.id):
                yield run.id

    async def _goes_on(self, run: str) -> bool:
        """Say whether the last run of that id runs, or came to its regular end."""
        described = await self._client.get_workflow_handle(run).describe()
        return described.status is not WorkflowExecutionStatus.FAILED


@dataclass(frozen=True, slots=True)
class Retried:
    """What trying again came to: whether it goes on, and why not."""

    goes_on: bool
    why: str = ""


async def retry(engine: Engine, past: Past, incidents: Incidents, one: Incident) -> Retried:
    """Try a case again: start its run anew from the books, or send a refused message once more."""
    process = PROCESSES.get(one.process or one.key.partition("/")[0])
    if one.case_id is None or process is None:
        return Retried(False, "NOTHING_TO_RETRY")
    case = await past.now(process, str(one.case_id))
    if case is None:
        # Nothing of it was ever written: whoever asked for it may ask again under the same key.
        await engine.forget(f"{process.name}/{one.case_id}")
        return Retried(True)
    if one.kind != "REFUSED_TELL":
        return Retried(await engine.revive(process, case, replace=True), "RUNS_ALREADY")
    effect = str(one.detail.get("effect", ""))
    seq, _, place = effect.rpartition("#")[2].partition(".")
    told = await incidents.effect(one.case_id, int(seq), int(place)) if place.isdecimal() else None
    if told is None:
        return Retried(False, "NOTHING_TO_RETRY")
    errand = Errand(
        effect, told["kind"], told["process"], told["case"], told["command"], told.get("fields", {}), case.pin
    )
    try:
        await engine.carry_out(errand)
    except Refusal as no:
        return Retried(False, no.reason)
    return Retried(True)


def _kind(activity: str) -> str:
    return FAILS.get(activity, "ACTIVITY_FAILS")


def _case_of(run: str) -> str | None:
    """The case of a run, `issue/<id>`; None for a run that is no case's."""
    with contextlib.suppress(ValueError):
        return str(UUID(run.partition("/")[2]))
    return None


@contextlib.contextmanager
def _best_effort() -> Iterator[None]:
    """What cannot be asked or written now is tried again by whoever looks next."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, RPCError | RuntimeError | TimeoutError) and not is_outage(error):
            raise
        log.warning("watch.away", reason=type(error).__name__)
