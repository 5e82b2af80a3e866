"""Troubles that a person must look at (异常): noted once, listed until somebody closes them with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.ids import uuid7
from services.storage.ledger_tables import case_file, event, incident


@dataclass(frozen=True, slots=True)
class Incident:
    """A trouble (异常): `kind` is CONFLICT, RECORD_FAILS, REFUSED_TELL or another of the engine's."""

    id: UUID
    case_id: UUID | None
    number: str | None
    process: str | None
    kind: str
    key: str
    detail: Mapping[str, Any]
    at: datetime


async def note(
    connection: AsyncConnection, kind: str, *, case_id: str | None = None, key: str = "", detail: Mapping[str, Any]
) -> bool:
    """Write an incident; False when the same one is open already. `detail` holds codes and ids, no texts."""
    row = {"id": uuid7(), "case_id": case_id, "kind": kind, "key": key, "detail": dict(detail)}
    made = await connection.execute(insert(incident).values(row).on_conflict_do_nothing().returning(incident.c.id))
    return made.first() is not None


async def open_incidents(connection: AsyncConnection, *, limit: int = 200) -> tuple[Incident, ...]:
    """Everything that waits for somebody, newest first."""
    rows = await connection.execute(
        select(
            incident.c.id,
            incident.c.case_id,
            case_file.c.number,
            case_file.c.process,
            incident.c.kind,
            incident.c.key,
            incident.c.detail,
            incident.c.at,
        )
        .outerjoin_from(incident, case_file, case_file.c.id == incident.c.case_id)
        .where(incident.c.closed_at.is_(None))
        .order_by(incident.c.at.desc())
        .limit(limit)
    )
    return tuple(Incident(**row) for row in rows.mappings())


async def close_incident(connection: AsyncConnection, incident_id: UUID, *, by: str, reason: str) -> bool:
    """Take an incident off the list; False when it is not on it."""
    done = await connection.execute(
        update(incident)
        .where(incident.c.id == incident_id, incident.c.closed_at.is_(None))
        .values(closed_at=func.clock_timestamp(), closed_by=by, reason=reason)
        .returning(incident.c.id)
    )
    return done.first() is not None


async def close_incidents_of(connection: AsyncConnection, kind: str, *, case_id: str, reason: str) -> None:
    """Take troubles of a case that mended themselves off the list."""
    await connection.execute(
        update(incident)
        .where(
            incident.c.kind == kind,
            incident.c.case_id == case_id,
            incident.c.closed_at.is_(None),
        )
        .values(closed_at=func.clock_timestamp(), closed_by="system", reason=reason)
    )


class Incidents:
    """The list of troubles (异常), each call a transaction of its own: for the watch and for operators."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def listed(self, *, limit: int = 200) -> tuple[Incident, ...]:
        """Everything that waits for somebody, newest first."""
        async with self._engine.connect() as connection:
            return await open_incidents(connection, limit=limit)

    async def note(self, kind: str, *, case_id: str | None, key: str, detail: Mapping[str, Any]) -> bool:
        """Write an incident; False when the same one is open already."""
        async with self._engine.begin() as connection:
            return await note(connection, kind, case_id=case_id, key=key, detail=detail)

    async def mended(self, kind: str, *, case_id: str, reason: str) -> None:
        """Take troubles of a case that mended themselves off the list."""
        async with self._engine.begin() as connection:
            await close_incidents_of(connection, kind, case_id=case_id, reason=reason)

    async def close(self, incident_id: UUID, *, by: str, reason: str) -> bool:
        """Take one off the list; False when it is not on it."""
        async with self._engine.begin() as connection:
            return await close_incident(connection, incident_id, by=by, reason=reason)

    async def effect(self, case_id: UUID, seq: int, place: int) -> Mapping[str, Any] | None:
        """What a case told another one in that event, as it was written; None when it told nothing there."""
        async with self._engine.connect() as connection:
            payload: Mapping[str, Any] | None = await connection.scalar(
                select(event.c.payload).where(event.c.case_id == case_id, event.c.seq == seq)
            )
        told = (payload or {}).get("effects", ())
        return told[place] if place < len(told) else None
