"""The history check: what clients were told, beside what the database, the engine and a counter hold (H1 to H7).

H1 every acknowledged request has its effect; H2 no effect twice per key; H3 every effect has a request; H4 no step
skipped or reversed, versions without gaps; H5 the read model is the engine's state; H6 the chain of hashes verifies;
H7 nothing is unfinished that should be finished (design/reliability.md).

Every test that sends commands can use it: write a `Request` for each key, call `install_counter` before the first
and `check` when everything is quiet.
"""

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from services.identity.actors import Directory
from services.storage.database import database
from services.storage.history import broken_at, case_at, case_now, standing
from services.storage.ledger_tables import case_file, clock, event
from workflows.kernel.process import SYSTEM, Case, Pin, Process
from workflows.kernel.step import evolve, next_moment
from workflows.kernel.wire import event_of, restored
from workflows.registry import PROCESSES

AT_ONCE = 8
"""Engine questions at a time."""
QUESTION_WITHIN = 20.0
LOOKS, BETWEEN_LOOKS = 6, 0.5
LOST_AFTER = timedelta(seconds=30)
"""A clock that should have struck this long ago has been lost."""

COUNTER = """
CREATE TABLE IF NOT EXISTS effect_count (
    n bigint GENERATED ALWAYS AS IDENTITY, kind text NOT NULL, case_id uuid NOT NULL, what text NOT NULL
);
CREATE OR REPLACE FUNCTION count_effect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO effect_count (kind, case_id, what)
    SELECT TG_TABLE_NAME, NEW.case_id, CASE TG_TABLE_NAME
           WHEN 'event' THEN to_jsonb(NEW) ->> 'seq'
           WHEN 'command' THEN to_jsonb(NEW) ->> 'key'
           ELSE (to_jsonb(NEW) ->> 'seq') || '.' || (to_jsonb(NEW) ->> 'place') END;
    RETURN NULL;
END $$;
"""
COUNTED = ("event", "command", "outbox")


class Outcome(StrEnum):
    """What a client knows of its request when it has stopped asking."""

    DONE = "DONE"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a client under one key: who asked for what, and what he was told in the end.

    `case` is None for an opening until an answer has named the case; `version` is the one that the answer showed.
    """

    actor: str
    """Username."""
    key: str
    """The `Idempotency-Key` header as it was sent."""
    command: str
    """Wire name of the command; `POST /{plural}` has that of the opening."""
    outcome: Outcome
    case: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that is not as it must be: the rule (`H1` …), the case it concerns, what was found."""

    rule: str
    case: str
    found: str

    def __str__(self) -> str:
        return f"{self.rule} {self.case}: {self.found}"


@dataclass(slots=True)
class Report:
    """What was looked at, and what deviates."""

    seen: Counter[str] = field(default_factory=Counter)
    deviations: list[Deviation] = field(default_factory=list)

    def add(self, rule: str, case: object, found: str) -> None:
        """Write a deviation down."""
        self.deviations.append(Deviation(rule, str(case), found))

    @property
    def broken(self) -> set[str]:
        """The rules that do not hold."""
        return {one.rule for one in self.deviations}

    def __str__(self) -> str:
        seen = ", ".join(f"{count} {name}" for name, count in sorted(self.seen.items()))
        return "\n".join([f"looked at {seen}; {len(self.deviations)} deviations", *map(str, self.deviations[:40])])


async def install_counter(database_url: str) -> None:
    """Count every event, command and notice that is ever written, in a table that refuses nothing."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(COUNTER)
        for table in COUNTED:
            await connection.execute(
                f"CREATE OR REPLACE TRIGGER count_effect AFTER INSERT ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION count_effect()"
            )
    finally:
        await connection.close()


async def check(requests: Iterable[Request], *, database_url: str, client: Client | None = None) -> Report:
    """Compare what clients know with what is stored; with a `client`, also with what the engine holds.

    Call it when nothing is under way any more: `settled` waits for that.
    """
    report = Report()
    storage = database(database_url, pool_size=AT_ONCE, application_name="history-check")
    try:
        asked = await _bound(list(requests), storage)
        # One picture of all tables, also while clocks strike.
        async with storage.execution_options(isolation_level="REPEATABLE READ").connect() as connection:
            cases = await _cases(connection)
            commands = await _commands(connection)
            _requests_and_effects(report, asked, commands, cases)
            await _counted_once(report, connection)
            for one in cases.values():
                await _written_in_order(report, connection, one, commands)
                await _unfinished(report, connection, one)
            report.seen.update(requests=len(asked), cases=len(cases), commands=len(commands))
        if client is not None:
            room = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(_engine_agrees(report, storage, client, room, one) for one in cases.values()))
            await _no_failed_run(report, client)
    finally:
        await storage.dispose()
    report.deviations.sort(key=lambda one: (one.rule, one.case))
    return report


async def settled(database_url: str, *, within: float) -> float:
    """Wait until no effect of a case is on its way; the seconds it took.

    Raises `TimeoutError` when something still is after `within` seconds.
    """
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(within):
        while True:
            try:
                connection = await asyncpg.connect(database_url, timeout=5)
                try:
                    if not await connection.fetchval("SELECT EXISTS (SELECT FROM case_file WHERE pending <> '[]')"):
                        return asyncio.get_running_loop().time() - began
                finally:
                    await connection.close()
            except (OSError, asyncpg.PostgresError):
                pass  # starting again; looked at once more
            await asyncio.sleep(0.2)


# --- what is read ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stored:
    """A case with its pin of the beginning, which replaying its events starts from."""

    id: UUID
    process: Process[Any]
    case: Case[Any]
    origin: str


@dataclass(frozen=True, slots=True)
class _Command:
    """A command that was carried out."""

    case: UUID
    key: str
    name: str
    actor: str
    seq: int


async def _bound(requests: list[Request], storage: AsyncEngine) -> dict[str, Request]:
    """The requests by the key under which the product keeps them: bound to the person who sent them."""
    people = await Directory(storage).by_username({one.actor for one in requests})
    return {_digest(people[one.actor].id, one.key): one for one in requests}


def _digest(actor: str, header: str) -> str:
    return hashlib.sha256(b"|".join((actor.encode(), header.encode()))).hexdigest()


async def _cases(connection: AsyncConnection) -> dict[UUID, _Stored]:
    rows = (await connection.execute(select(case_file).order_by(case_file.c.id))).mappings().all()
    found = {}
    for row in rows:
        process = PROCESSES[row["process"]]
        found[row["id"]] = _Stored(row["id"], process, standing(process, row), row["origin"])
    return found


async def _commands(connection: AsyncConnection) -> list[_Command]:
    rows = await connection.execute(text("SELECT case_id, key, name, actor, seq FROM command ORDER BY case_id, seq"))
    return [_Command(*row) for row in rows]


# --- H1, H2, H3 -----------------------------------------------------------------------------------------


def _requests_and_effects(
    report: Report, asked: Mapping[str, Request], commands: list[_Command], cases: Mapping[UUID, _Stored]
) -> None:
    by_key: dict[str, list[_Command]] = defaultdict(list)
    for one in commands:
        by_key[one.key].append(one)
    errands = {
        _digest("effect", f"{case.id}#{seq}.{place}")
        for case in cases.values()
        for seq in range(1, case.case.version + 1)
        for place in range(4)
    }
    for key, request in asked.items():
        done = by_key.get(key, [])
        where = request.case or (str(done[0].case) if done else request.key)
        if request.outcome is Outcome.DONE and not done:
            report.add("H1", where, f"{request.command} was acknowledged and has no effect")
        if request.outcome is Outcome.DONE and done and request.version not in (None, done[0].seq):
            report.add("H1", where, f"{request.command} answered version {request.version}, led to {done[0].seq}")
        if request.case is not None and done and str(done[0].case) != request.case:
            report.add("H1", where, f"{request.command} was carried out on {done[0].case}")
        if request.outcome is Outcome.REFUSED and done:
            report.add("H3", where, f"{request.command} was refused and carried out all the same")
        if done and done[0].name != request.command:
            report.add("H3", where, f"{request.command} was asked for, {done[0].name} was carried out")
    for key, done in by_key.items():
        if len(done) > 1:
            report.add("H2", done[0].case, f"{done[0].name} was carried out {len(done)} times under one key")
        if key not in asked and key not in errands:
            report.add("H3", done[0].case, f"{done[0].name} was carried out and nobody asked for it")
    turns = Counter((one.case, one.seq) for one in commands)
    for (case, seq), times in turns.items():
        if times > 1:
            report.add("H2", case, f"{times} commands led to version {seq}")
    begun = {one.case for one in commands if one.case in cases and one.name in cases[one.case].process.openings}
    for case in cases.keys() - begun:
        report.add("H3", case, "the case was opened by no command")


async def _counted_once(report: Report, connection: AsyncConnection) -> None:
    """The counter guards nothing, so whatever happened twice is in it twice."""
    if not await connection.scalar(text("SELECT to_regclass('effect_count') IS NOT NULL")):
        return
    rows = await connection.execute(
        text("SELECT kind, case_id, what, count(*) FROM effect_count GROUP BY 1, 2, 3 HAVING count(*) > 1")
    )
    for kind, case, what, times in rows:
        report.add("H2", case, f"{kind} {what} happened {times} times")
    for table in COUNTED:
        counted = await connection.scalar(text("SELECT count(*) FROM effect_count WHERE kind = :t"), {"t": table})
        stored = await connection.scalar(text(f"SELECT count(*) FROM {table}"))
        report.seen[f"counted {table}s"] += counted or 0
        if counted != stored:
            report.add("H2", "-", f"{counted} {table} rows were written and {stored} are there")


# --- H4, H6 ---------------------------------------------------------------------------------------------


async def _written_in_order(
    report: Report, connection: AsyncConnection, stored: _Stored, commands: list[_Command]
) -> None:
    rows = (
        (await connection.execute(select(event).where(event.c.case_id == stored.id).order_by(event.c.seq)))
        .mappings()
        .all()
    )
    report.seen["events"] += len(rows)
    if (broken := await broken_at(connection, stored.id)) is not None:
        report.add("H6", stored.id, f"the chain is {broken[1]} at {broken[0]}")
    if [row["seq"] for row in rows] != list(range(1, stored.case.version + 1)):
        report.add("H4", stored.id, f"version {stored.case.version} has events {[row['seq'] for row in rows]}")
        return
    given = {one.seq: one.name for one in commands if one.case == stored.id}
    case: Case[Any] = Case(
        id=str(stored.id),
        process=stored.process.name,
        community=stored.origin,
        pin=Pin("", 0, ""),
        data=stored.process.data(),
    )
    for _, rows_of_turn in groupby(rows, key=lambda row: row["batch_hash"]):
        turn = list(rows_of_turn)
        before = case
        for row in turn:
            case = evolve(stored.process, case, event_of(stored.process, dict(row))).case
        name = given.pop(turn[-1]["seq"], None)
        if name is not None:
            _lawful(report, stored, before, case, name)
        elif turn[0]["actor"] != SYSTEM.id:
            report.add("H4", stored.id, f"{turn[0]['type']} at {turn[0]['seq']} was no command")
    for seq, name in given.items():
        report.add("H4", stored.id, f"{name} ended at {seq}, where no turn ends")
    if case.position != stored.case.position:
        report.add("H4", stored.id, f"the events lead to {case.position}, the case stands in {stored.case.position}")


def _lawful(report: Report, stored: _Stored, before: Case[Any], after: Case[Any], name: str) -> None:
    position = before.position if before.state else ""
    arrow = stored.process.table.get((position, stored.process.commands[name]))
    if arrow is None:
        report.add("H4", stored.id, f"{name} was carried out in {position or 'nothing'}, where it is not lawful")
    elif after.position != position and after.position not in arrow.to:
        report.add("H4", stored.id, f"{name} led from {position} to {after.position}")


# --- H7 in the database -----------------------------------------------------------------------------------


async def _unfinished(report: Report, connection: AsyncConnection, stored: _Stored) -> None:
    for waiting in stored.case.pending:
        report.add("H7", stored.id, f"the effect {waiting.id} has not been carried out")
    limit = datetime.now(UTC) - LOST_AFTER
    late = await connection.execute(
        select(clock.c.code, clock.c.due_at).where(
            clock.c.case_id == stored.id, clock.c.state == "RUNNING", clock.c.due_at < limit
        )
    )
    for code, due_at in late:
        report.add("H7", stored.id, f"{code} was due at {due_at:%F %T} and did not strike")


# --- H5, H7 in the engine ---------------------------------------------------------------------------------


async def _engine_agrees(
    report: Report, storage: AsyncEngine, client: Client, room: asyncio.Semaphore, stored: _Stored
) -> None:
    async with room:
        async with storage.connect() as connection:
            now = await _now(connection, stored)
            if await _rebuilt(connection, stored, now.version) != now:
                report.add("H5", stored.id, "its events lead to another case than its row")
        handle = client.get_workflow_handle(f"{stored.process.name}/{stored.id}")
        try:
            async with asyncio.timeout(QUESTION_WITHIN):
                described = await handle.describe()
        except (RPCError, TimeoutError) as refused:
            report.add("H5", stored.id, f"the engine does not show it: {refused}")
            return
        if described.status is not WorkflowExecutionStatus.RUNNING:
            if not stored.process.ended(now) or next_moment(now) is not None:
                report.add("H7", stored.id, f"no run, though it stands in {now.position}")
            return
        report.seen["open runs"] += 1
        await _same_case(report, storage, handle, stored)
        for activity in described.raw_description.pending_activities:
            report.add("H7", stored.id, f"the activity {activity.activity_type.name} is on try {activity.attempt}")
        task = described.raw_description.pending_workflow_task
        if task.attempt > 1:
            report.add("H7", stored.id, f"a workflow task is on try {task.attempt}")


async def _same_case(report: Report, storage: AsyncEngine, handle: WorkflowHandle[Any, Any], stored: _Stored) -> None:
    """Ask both for the case; when they differ, look again: a clock may have struck between the two questions."""
    told = ""
    for _ in range(LOOKS):
        try:
            async with asyncio.timeout(QUESTION_WITHIN):
                held = await handle.query("case", result_type=dict[str, Any])
        except (RPCError, TimeoutError) as refused:
            report.add("H7", stored.id, f"its run does not answer: {refused}")
            return
        async with storage.connect() as connection:
            now = await _now(connection, stored)
        if held is not None and restored(stored.process, held) == now:
            return
        told = f"the engine holds version {(held or {}).get('version')}, Postgres {now.version}"
        await asyncio.sleep(BETWEEN_LOOKS)
    report.add("H5", stored.id, told)


async def _now(connection: AsyncConnection, stored: _Stored) -> Case[Any]:
    now = await case_now(connection, stored.process, stored.id)
    assert now is not None
    return now


async def _rebuilt(connection: AsyncConnection, stored: _Stored, version: int) -> Case[Any] | None:
    try:
        return await case_at(connection, stored.process, stored.id, version)
    except LookupError:
        return None


async def _no_failed_run(report: Report, client: Client) -> None:
    """A run may fail at the door, with a refused opening, and nowhere else."""
    async for one in client.list_workflows("ExecutionStatus = 'Failed'"):
        history = await client.get_workflow_handle(one.id, run_id=one.run_id).fetch_history()
        failure = history.events[-1].workflow_execution_failed_event_attributes.failure
        kind = failure.application_failure_info.type
        if kind != "refused_at_the_door":
            report.add("H7", one.id, f"its run failed: {kind or failure.message}")
