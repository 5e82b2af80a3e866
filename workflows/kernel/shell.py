"""The only place where a process meets Temporal: one workflow a case, one update a command, one timer.

`CaseWorkflow` is the body of every workflow type; `registry.py` gives each process its own class with `__init__`
and `run`. All decisions are made by `step`; here is only the lock, the transaction, the timer and the effects.
"""

import asyncio
from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.neighbours import Answer, Errand, Neighbours
    from activities.records import CONFLICT, Records, Wanted
    from workflows.kernel.process import Case, Event, Pin, Process, Refusal
    from workflows.kernel.step import Batch, Stamps, commit, decide, embryo, next_moment, settle, stamp, step
    from workflows.kernel.wire import (
        Envelope,
        Json,
        Receipt,
        Recorded,
        Seed,
        carried,
        order_of,
        restored,
        stamps_of,
        transaction,
    )
    from workflows.policy.pack import Pack
    from workflows.policy.packs import pinned

QUICK_TRY = timedelta(seconds=2)
QUICK_TRIES = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=3)
QUICK_IN_ALL = timedelta(seconds=3)
SLOW_TRY = timedelta(seconds=10)
SLOW_TRIES = RetryPolicy(maximum_interval=timedelta(seconds=5))
ERRAND_TRY = timedelta(seconds=15)
ERRAND_TRIES = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30))


class Repeated(Exception):
    """The command was carried out before, by an earlier run; `receipt` is its first answer."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__("repeated")
        self.receipt = receipt


class Overtaken(Exception):
    """Postgres holds turns that this run does not know of: a task was lost after it had written them."""


class CaseWorkflow:
    """The life of one case."""

    process: ClassVar[Process[Any]]

    def begin(self, seed: Seed) -> None:
        """Set all state before any handler runs (call from `@workflow.init`)."""
        self._id = seed.case_id
        self._pin: Pin = seed.pin
        self._case: Case[Any] | None = restored(self.process, seed.case) if seed.case else None
        self._lock = asyncio.Lock()
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at: datetime | None = None
        self._rang = False
        self._roll_over = False

    @property
    def _pack(self) -> Pack:
        """The pinned policy; without exactly this content the task fails and waits for a worker that has it."""
        pin = self._case.pin if self._case is not None else self._pin
        return pinned(pin.pack, pin.version, pin.sha)

    # --- life ----------------------------------------------------------------------------------------------

    async def live(self) -> str:
        """Fire clocks and carry out effects until nothing can happen any more; then say where the case ended."""
        await workflow.wait_condition(lambda: self._case is not None or workflow.all_handlers_finished())
        while self._case is not None:
            self._arm()
            await workflow.wait_condition(self._something_to_do)
            if self._rang:
                self._rang = False
                await self._tick()
            elif self._case.pending:
                await self._carry_out()
            elif self._over():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self._over():
                    return self._case.position
            elif self._wants_new_run():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._case.pending and not self._lock.locked():
                    seed = Seed(self.process.name, self._id, self._case.pin, carried(self.process, self._case))
                    workflow.continue_as_new(seed)
        # Failing frees the id: the same key may come again with a body that is not refused.
        raise ApplicationError("refused at the door", type="refused_at_the_door", non_retryable=True)

    def _something_to_do(self) -> bool:
        case = self._case
        return case is not None and (
            self._rang or bool(case.pending) or self._over() or self._wants_new_run() or self._sooner() is not None
        )

    def _over(self) -> bool:
        """Nothing can happen by itself any more and no effect waits."""
        case = self._case
        return case is not None and self.process.ended(case) and not case.pending and next_moment(case) is None

    def _wants_new_run(self) -> bool:
        return self._roll_over or workflow.info().is_continue_as_new_suggested()

    # --- the one timer --------------------------------------------------------------------------------------

    def _sooner(self) -> datetime | None:
        """The next moment, if no timer is set for it or for an earlier one."""
        if self._case is None:
            return None
        moment = next_moment(self._case)
        if moment is None or (self._alarm_at is not None and self._alarm_at <= moment):
            return None
        return moment

    def _arm(self) -> None:
        """Set the timer nearer, never farther: one that rings early costs less than one cancelled each time."""
        moment = self._sooner()
        if moment is None:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = moment
        self._alarm = asyncio.create_task(self._ring(moment))

    async def _ring(self, moment: datetime) -> None:
        await workflow.sleep(max(0.0, (moment - workflow.now()).total_seconds()))
        self._alarm = self._alarm_at = None
        self._rang = True

    async def _tick(self) -> None:
        async with self._lock:
            if self._case is None:
                return
            try:
                await self._drive(step(self.process, self._case, None, self._pack, workflow.now()), None)
            except Overtaken:
                await self._catch_up()

    # --- commands -------------------------------------------------------------------------------------------

    @workflow.update(name="command")
    async def command(self, envelope: Envelope) -> Receipt:
        """Carry out one command, or refuse it without a trace."""
        async with self._lock:
            order = order_of(self.process, envelope)
            while True:
                case = self._case or self._embryo(envelope)
                walk = step(self.process, case, order, self._pack, workflow.now())
                try:
                    return await self._drive(walk, envelope)
                except Overtaken:
                    await self._catch_up()
                except Repeated as earlier:
                    if self._case is None or self._case.version < earlier.receipt.version:
                        await self._catch_up()
                    return earlier.receipt
                except Refusal as no:
                    raise refused(no) from None

    @command.validator
    def check(self, envelope: Envelope) -> None:
        """Refuse here what can be refused: it leaves no event in the history.

        Updates that arrive together are all checked before one has changed the case, so `command` decides again.
        """
        case = self._case or self._embryo(envelope)
        now = workflow.now()
        moment = next_moment(case)
        if moment is not None and moment <= now:
            return
        try:
            decide(self.process, case, order_of(self.process, envelope), self._pack, now)
        except Refusal as no:
            raise refused(no) from None

    @workflow.signal(name="roll_over")
    def roll_over(self) -> None:
        """Go on in a new run: for operators, and for upgrades that want short histories."""
        self._roll_over = True

    @workflow.query(name="case")
    def case(self) -> Json | None:
        """The case as this run holds it, to compare with what Postgres holds."""
        return carried(self.process, self._case) if self._case is not None else None

    def _embryo(self, envelope: Envelope) -> Case[Any]:
        return embryo(self.process, self._id, order_of(self.process, envelope), self._pin)

    # --- transactions ---------------------------------------------------------------------------------------

    async def _drive(self, walk: Generator[Batch, Stamps, Case[Any]], envelope: Envelope | None) -> Receipt:
        """Write each transaction that the step asks for; the case here is never ahead of Postgres."""
        try:
            batch = next(walk)
            while True:
                recorded = await record(self.process, batch, envelope)
                if recorded.repeat:
                    raise Repeated(Receipt(recorded.repeat, recorded.repeat_hash))
                stamps = stamps_of(recorded)
                self._case = stamp(batch.case, stamps)
                batch = walk.send(stamps)
        except StopIteration as done:
            after: Case[Any] = done.value
            return Receipt(after.version, envelope.body_hash if envelope else "")
        finally:
            walk.close()

    async def _carry_out(self) -> None:
        """Carry out the oldest effect outside the lock: two cases that tell each other never wait in a ring."""
        assert self._case is not None
        waiting = self._case.pending[0]
        effect = waiting.effect
        errand = Errand(
            waiting.id, effect.kind, effect.process, effect.case, effect.command, dict(effect.fields), self._case.pin
        )
        answer: Answer = await workflow.execute_activity_method(
            Neighbours.carry_out, errand, start_to_close_timeout=ERRAND_TRY, retry_policy=ERRAND_TRIES
        )
        async with self._lock:
            # A command that had to catch up may have taken it over as settled: the task that wrote so was lost.
            if waiting.id not in {one.id for one in self._case.pending}:
                return
            event: Event = settle(self._case, waiting.id, workflow.now(), refused=answer.refused or None)
            try:
                await self._drive(commit(self.process, self._case, (event,)), None)
            except Overtaken:
                await self._catch_up()

    async def _catch_up(self) -> None:
        """Take over the case as Postgres holds it.

        A task that is lost after it has written is carried out again at another moment, so that its turn is another
        one; what was written stands.
        """
        content = await patiently(Records.stands, Wanted(self.process.name, self._id))
        if content is not None:
            self._case = restored(self.process, content)


async def record(process: Process[Any], batch: Batch, envelope: Envelope | None) -> Recorded:
    """Write one transaction; raises `Overtaken` when another turn stands there."""
    try:
        recorded: Recorded = await patiently(Records.record, transaction(process, batch, envelope))
    except FailureError as trouble:
        cause = trouble.cause if isinstance(trouble, ActivityError) else trouble
        if isinstance(cause, ApplicationError) and cause.type == CONFLICT:
            raise Overtaken from None
        raise
    return recorded


async def patiently(activity: Callable[..., Any], content: Any) -> Any:
    """Some quick tries inside the workflow task, then as long as it takes outside of it."""
    try:
        return await workflow.execute_local_activity_method(
            activity,
            content,
            start_to_close_timeout=QUICK_TRY,
            schedule_to_close_timeout=QUICK_IN_ALL,
            retry_policy=QUICK_TRIES,
        )
    except FailureError as trouble:
        # A failed local activity raises the bare ApplicationError, only its time-outs an ActivityError.
        if is_cancelled_exception(trouble) or (isinstance(trouble, ApplicationError) and trouble.non_retryable):
            raise
        return await workflow.execute_activity_method(
            activity, content, start_to_close_timeout=SLOW_TRY, retry_policy=SLOW_TRIES
        )


def refused(no: Refusal) -> ApplicationError:
    """A lawful no as Temporal carries it: type is the code, the details tell reason, field and clause."""
    details = {"reason": no.reason, "field": no.field, "clause": no.clause, "details": no.details}
    return ApplicationError(no.reason, details, type=no.code, non_retryable=True)
