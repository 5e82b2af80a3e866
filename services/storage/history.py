"""A case as it is and as it was: from its row, or from its events alone."""

from collections.abc import Mapping
from datetime import date, datetime
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.incidents import close_incidents_of
from services.storage.ledger import stamp_of
from services.storage.ledger_tables import case_file, clock, command, event
from workflows.kernel.calendar import CHINA, Duration, Unit
from workflows.kernel.clocks import Clock, ClockKind, ClockState, Color
from workflows.kernel.process import Case, Pin, Process
from workflows.kernel.step import Stamps, evolve, stamp
from workflows.kernel.wire import Json, carried, case_of, event_of
from workflows.registry import PROCESSES

D = TypeVar("D")

LIVE = (ClockState.RUNNING, ClockState.PAUSED, ClockState.BREACHED)


class Past:
    """What the engine asks of Postgres when a run does not answer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def now(self, process: Process[Any], case_id: str) -> Case[Any] | None:
        """The case as it stands, with its live clocks."""
        async with self._engine.connect() as connection:
            return await case_now(connection, process, case_id)

    async def done(self, case_id: str, key: str) -> tuple[str, int] | None:
        """Body hash and version of the command that had this key; None when none had it."""
        async with self._engine.connect() as connection:
            return await command_done(connection, case_id, key)

    async def stands(self, process: str, case_id: str) -> Json | None:
        """The case for a run that was overtaken; its conflicts have mended themselves with that."""
        kind = PROCESSES[process]
        async with self._engine.begin() as connection:
            case = await case_now(connection, kind, case_id)
            await close_incidents_of(connection, "CONFLICT", case_id=case_id, reason="TAKEN_OVER")
        return carried(kind, case) if case is not None else None


async def case_now(connection: AsyncConnection, process: Process[D], case_id: str | UUID) -> Case[D] | None:
    """The case as it stands, with its live clocks; None when there is no such case of this process."""
    which = (case_file.c.id == UUID(str(case_id)), case_file.c.process == process.name)
    row = (await connection.execute(select(case_file, live_clocks()).where(*which))).mappings().first()
    return standing(process, row) if row is not None else None


def live_clocks() -> ColumnElement[Any]:
    """The live clocks of a case as a column `live` beside its row: one statement, so that both are of one version."""
    rows = select(clock).where(clock.c.case_id == case_file.c.id, clock.c.state.in_(LIVE)).correlate(case_file)
    one = rows.subquery("running")
    return select(func.jsonb_agg(func.to_jsonb(one.table_valued()))).scalar_subquery().label("live")


async def case_at(connection: AsyncConnection, process: Process[D], case_id: str | UUID, version: int) -> Case[D]:
    """The case as it stood at a version, from its events and their stamps alone.

    Raises `LookupError` when the case never stood there.
    """
    wanted = UUID(str(case_id))
    row = (
        (
            await connection.execute(
                select(
                    case_file.c.number,
                    case_file.c.origin,
                    case_file.c.pack,
                    case_file.c.pack_version,
                    case_file.c.pack_sha,
                ).where(case_file.c.id == wanted, case_file.c.process == process.name)
            )
        )
        .mappings()
        .first()
    )
    found = await connection.execute(
        select(event).where(event.c.case_id == wanted, event.c.seq <= version).order_by(event.c.seq)
    )
    events = found.mappings().all()
    if row is None or version < 1 or len(events) != version:
        raise LookupError(f"{process.name} {case_id} has no version {version}")
    case: Case[D] = Case(
        id=str(wanted),
        process=process.name,
        community=row["origin"],
        pin=await _first_pin(connection, wanted) or Pin(row["pack"], row["pack_version"], row["pack_sha"]),
        data=process.data(),
    )
    for _, turn in groupby(events, key=lambda one: one["batch_hash"]):
        stamps: list[Mapping[str, Any]] = []
        for one in turn:
            stamps += one["stamps"] or []
            case = evolve(process, case, event_of(process, _in_china(one))).case
        case = stamp(case, Stamps(number=row["number"], clocks=tuple(stamp_of(each) for each in stamps)))
    return case


async def _first_pin(connection: AsyncConnection, case_id: UUID) -> Pin | None:
    """The pack that the case was opened under, when it was ever rebased; else its row tells."""
    found = await connection.scalar(
        select(event.c.payload["notes"]["from"])
        .where(event.c.case_id == case_id, event.c.type == "rebase_policy")
        .order_by(event.c.seq)
        .limit(1)
    )
    return Pin(**found) if found else None


async def command_done(connection: AsyncConnection, case_id: str | UUID, key: str) -> tuple[str, int] | None:
    """Body hash and resulting version of the command that had this key; None when none had it."""
    row = (
        await connection.execute(
            select(command.c.body_hash, command.c.seq).where(
                command.c.case_id == UUID(str(case_id)), command.c.key == key
            )
        )
    ).first()
    return (row.body_hash, row.seq) if row is not None else None


async def broken_at(connection: AsyncConnection, case_id: str | UUID) -> tuple[int, str] | None:
    """The first entry of a history that is not what was once written, and why; None when all of it is.

    CHANGED, MISSING, UNCHAINED (does not follow the one before), HEAD (the case's row knows another end),
    ORPHANED (events without a case).
    """
    verified = func.verify_case(UUID(str(case_id))).table_valued("seq", "why")
    row = (await connection.execute(select(verified.c.seq, verified.c.why))).first()
    return (row.seq, row.why) if row is not None else None


def standing(process: Process[D], row: RowMapping) -> Case[D]:
    """The case that a row of `case_file` means, in Beijing time; with its clocks where `live` was selected too."""
    clocks = tuple(_clock(one) for one in row.get("live") or ())
    case: Case[D] = case_of(process, _in_china(row), clocks)
    return case


def _clock(row: Mapping[str, Any]) -> Clock:
    """The clock that a row of `clock` means, read as JSON, in Beijing time."""
    on = row["duration_on"]
    unit = Unit(row["duration_unit"])
    return Clock(
        number=row["number"],
        code=row["code"],
        ref=row["ref"],
        kind=ClockKind(row["kind"]),
        ladder=row["ladder"],
        red_at_due=row["red_at_due"],
        outlives=row["outlives"],
        duration=Duration(row["duration_value"], unit, row["duration_roll"], date.fromisoformat(on) if on else None),
        parameter=row["parameter"],
        owner=row["owner"],
        supervisor=row["supervisor"],
        started_at=datetime.fromisoformat(row["started_at"]).astimezone(CHINA),
        after_end=row["after_end"],
        state=ClockState(row["state"]),
        color=Color(row["color"]),
        due_at=_read(row["due_at"]),
        original_due_at=_read(row["original_due_at"]),
        blue_at=_read(row["blue_at"]),
        red_at=_read(row["red_at"]),
        red_plus_plus_at=_read(row["red_plus_plus_at"]),
        limits=tuple(datetime.fromisoformat(limit) for limit in row["limits"]),
        provisional=row["provisional"],
        paused_at=_read(row["paused_at"]),
        breached_at=_read(row["breached_at"]),
        closed_at=_read(row["closed_at"]),
        close_reason=row["close_reason"],
    )


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(CHINA) if text else None


def _china(moment: datetime | None) -> datetime | None:
    return moment.astimezone(CHINA) if moment else None


def _in_china(row: RowMapping) -> dict[str, Any]:
    return {name: _china(value) if isinstance(value, datetime) else value for name, value in row.items()}
