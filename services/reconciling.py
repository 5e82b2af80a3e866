"""Compare what the engine holds with what Postgres holds, name every difference, and put it right (对账)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from services.engine import Engine, EngineUnavailable
from services.storage.history import broken_at, case_now
from services.storage.living import FIRST, known_cases, living
from workflows.kernel.process import Case, Process
from workflows.kernel.step import next_moment
from workflows.kernel.wire import restored
from workflows.registry import PROCESSES

T = TypeVar("T")
R = TypeVar("R")

PAGE = 200
AT_ONCE = 8
LATE = timedelta(minutes=1)
"""How long after its moment a timer may still be on its way."""
LOOKS = 4
"""Looks at a difference before it counts: a turn may be between its two halves."""
BETWEEN_LOOKS = 0.5


class Kind(StrEnum):
    """What may differ (差异)."""

    RUN_MISSING = "RUN_MISSING"
    RUN_DIVERGED = "RUN_DIVERGED"
    RUN_WITHOUT_CASE = "RUN_WITHOUT_CASE"
    TIMER_LATE = "TIMER_LATE"
    HISTORY_BROKEN = "HISTORY_BROKEN"


WORDS: dict[Kind, tuple[str, str]] = {
    Kind.RUN_MISSING: ("没有流程实例", "no run"),
    Kind.RUN_DIVERGED: ("流程实例与数据库不一致", "the run holds another case"),
    Kind.RUN_WITHOUT_CASE: ("流程实例没有对应事项", "a run without a case"),
    Kind.TIMER_LATE: ("到期未触发", "a timer that should have fired"),
    Kind.HISTORY_BROKEN: ("历史记录的校验链断裂", "the chain of the history is broken"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: which case, what, and what was done about it, if anything."""

    kind: Kind
    process: str
    case_id: str
    number: str
    detail: str
    repaired: bool = False


class Connects(Protocol):
    """What this room needs of a database engine."""

    def connect(self) -> AbstractAsyncContextManager[Any]:
        """A connection from the pool."""


def kinds() -> dict[str, Process[Any]]:
    """Every process by its singular name."""
    return {process.name: process for process in PROCESSES.values()}


@dataclass(slots=True)
class Reconciliation:
    """One comparison of everything; `compared` counts the cases and runs that were looked at."""

    engine: Engine
    storage: Connects
    progress: Callable[[int], None] = lambda compared: None
    compared: int = 0
    differences: list[Difference] = field(default_factory=list)
    _absent: list[Case[Any]] = field(default_factory=list)

    async def compare(self) -> list[Difference]:
        """Find every difference; changes nothing. Raises `EngineUnavailable` when nobody answers."""
        runs = {run async for run in self.engine.runs()}
        after, found = str(FIRST), True
        seen: set[str] = set()
        while found:
            async with self.storage.connect() as connection:
                cases = await living(connection, kinds(), after=after, limit=PAGE)
            found = len(cases) == PAGE
            after = cases[-1].id if cases else after
            seen.update(map(_run_of, cases))
            await _each(cases, lambda case: self._case(case, runs))
            self.compared += len(cases)
            self.progress(self.compared)
        strays = await self._unknown(sorted(runs - seen))
        left = sorted(runs - seen - set(strays))
        if self._absent or strays or left:
            # One pause for all: what is being opened or is coming to its end has its run or its row by then.
            await asyncio.sleep(LOOKS * BETWEEN_LOOKS)
            await _each(self._absent, self._missing)
            await _each(strays, self._stray)
            await _each(left, self._left_over)
        return self.differences

    async def repair(self) -> list[Difference]:
        """Put right what was found: Postgres is the truth. Gives every difference with what became of it."""
        found, self.differences = self.differences, []

        async def repair(one: Difference) -> None:
            self.differences.append(await self._repaired(one))

        await _each(found, repair)
        return self.differences

    # --- one case ---------------------------------------------------------------------------------------------

    async def _case(self, case: Case[Any], runs: set[str]) -> None:
        async with self.storage.connect() as connection:
            broken = await broken_at(connection, case.id)
        if broken is not None:
            self._note(Kind.HISTORY_BROKEN, case, f"#{broken[0]} {broken[1]}")
        process = kinds()[case.process]
        if _is_over(process, case):
            return
        run = _run_of(case)
        if run not in runs and not await self.engine.is_running(run):
            self._absent.append(case)
        elif (detail := await self._differs(process, case.id)) is not None:
            self._note(Kind.RUN_DIVERGED, case, detail)
        else:
            await self._late(process, case)

    async def _missing(self, case: Case[Any]) -> None:
        """No run; unless the case came to its end, or to its run, between two looks."""
        process = kinds()[case.process]
        async with self.storage.connect() as connection:
            now = await case_now(connection, process, case.id)
        if now is not None and not _is_over(process, now) and not await self.engine.is_running(_run_of(case)):
            self._note(Kind.RUN_MISSING, case, case.position)

    async def _differs(self, process: Process[Any], case_id: str) -> str | None:
        """Say in what the run differs from the case, after several looks; None when it does not."""
        detail: str | None = None
        for _ in range(LOOKS):
            held = await self.engine.case(process, case_id)
            async with self.storage.connect() as connection:
                stored = await case_now(connection, process, case_id)
            detail = _difference(process, held, stored)
            if detail is None:
                return None
            await asyncio.sleep(BETWEEN_LOOKS)
        return detail

    async def _late(self, process: Process[Any], case: Case[Any]) -> None:
        until = datetime.now(UTC) - LATE
        moment = next_moment(case)
        if moment is None or moment > until:
            return
        # It may have fired since the page was read.
        async with self.storage.connect() as connection:
            now = await case_now(connection, process, case.id)
        moment = next_moment(now) if now is not None else None
        if moment is not None and moment <= until:
            self._note(Kind.TIMER_LATE, case, moment.isoformat(timespec="seconds"))

    async def _unknown(self, runs: list[str]) -> list[str]:
        """Runs whose case was never written."""
        found: list[str] = []
        for start in range(0, len(runs), PAGE):
            page = runs[start : start + PAGE]
            async with self.storage.connect() as connection:
                known = await known_cases(connection, [run.partition("/")[2] for run in page])
            found += [run for run in page if run.partition("/")[2] not in known]
            self.compared += len(page)
            self.progress(self.compared)
        return found

    async def _stray(self, run: str) -> None:
        process, _, case_id = run.partition("/")
        async with self.storage.connect() as connection:
            known = await known_cases(connection, [case_id])
        if not known and await self.engine.is_running(run):
            self.differences.append(Difference(Kind.RUN_WITHOUT_CASE, process, case_id, "", ""))

    async def _left_over(self, run: str) -> None:
        """A run that goes on although its case is over: of an earlier moment than the record, after a restore."""
        name, _, case_id = run.partition("/")
        process = kinds()[name]
        async with self.storage.connect() as connection:
            case = await case_now(connection, process, case_id)
        if case is not None and _is_over(process, case) and await self.engine.is_running(run):
            self._note(Kind.RUN_DIVERGED, case, f"the case is over: {case.position}")

    def _note(self, kind: Kind, case: Case[Any], detail: str) -> None:
        self.differences.append(Difference(kind, case.process, case.id, case.number, detail))

    # --- repair -----------------------------------------------------------------------------------------------

    async def _repaired(self, one: Difference) -> Difference:
        run = f"{one.process}/{one.case_id}"
        if one.kind is Kind.HISTORY_BROKEN:
            return one
        if one.kind is Kind.RUN_WITHOUT_CASE:
            await self.engine.forget(run)
            return replace(one, repaired=not await self.engine.is_running(run))
        process = kinds()[one.process]
        async with self.storage.connect() as connection:
            case = await case_now(connection, process, one.case_id)
        if case is None:
            return one
        await self.engine.revive(process, case, replace=one.kind is not Kind.RUN_MISSING)
        if await self._differs(process, one.case_id) is not None:
            return one
        if one.kind is Kind.TIMER_LATE:
            return replace(one, repaired=await self._caught_up(process, one.case_id))
        return replace(one, repaired=True)

    async def _caught_up(self, process: Process[Any], case_id: str) -> bool:
        for _ in range(LOOKS):
            async with self.storage.connect() as connection:
                case = await case_now(connection, process, case_id)
            moment = next_moment(case) if case is not None else None
            if moment is None or moment > datetime.now(UTC) - LATE:
                return True
            await asyncio.sleep(BETWEEN_LOOKS)
        return False


def _run_of(case: Case[Any]) -> str:
    return f"{case.process}/{case.id}"


def _is_over(process: Process[Any], case: Case[Any]) -> bool:
    """Say whether nothing can happen to a case by itself, so that it needs no run."""
    return process.ended(case) and not case.pending and next_moment(case) is None


def _difference(process: Process[Any], held: dict[str, Any] | None, stored: Case[Any] | None) -> str | None:
    if held is None or stored is None:
        return "the run holds nothing" if held is None else "no row"
    there = restored(process, held)
    if there == stored:
        return None
    if there.version != stored.version:
        return f"version {there.version} / {stored.version}"
    parts = [one.name for one in fields(stored) if getattr(there, one.name) != getattr(stored, one.name)]
    return f"version {stored.version}: {', '.join(parts)}"


async def _each(items: Iterable[T], work: Callable[[T], Awaitable[R]]) -> None:
    """Do something for each, a few at a time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(item: T) -> None:
        async with room:
            await work(item)

    away: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(one(item))
    except* EngineUnavailable as trouble:
        away = trouble.exceptions[0]
    if away is not None:
        raise away
