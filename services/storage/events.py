"""The history of a case, oldest first, in clear words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import event
from services.storage.prose import resolve, texts_of
from workflows.kernel.calendar import CHINA


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a history (事件); `payload` with texts in place of their references, `hash` in hexadecimal."""

    seq: int
    type: str
    actor: str
    acting_role: str
    org: str | None
    on_behalf_of: str | None
    occurred_at: datetime
    recorded_at: datetime
    payload: Mapping[str, Any]
    hash: str


async def events_of(
    connection: AsyncConnection, case_id: str | UUID, *, after: int = 0, limit: int = 10_000, clear: bool = True
) -> tuple[Entry, ...]:
    """The entries after a number, oldest first; without `clear` texts stay references.

    Who may see the case has been decided by its reading.
    """
    rows = await connection.execute(
        select(event)
        .where(event.c.case_id == UUID(str(case_id)), event.c.seq > after)
        .order_by(event.c.seq)
        .limit(limit)
    )
    entries = rows.mappings().all()
    texts = await texts_of(connection, [case_id], [one["payload"] for one in entries]) if clear else {}
    return tuple(
        Entry(
            seq=one["seq"],
            type=one["type"],
            actor=one["actor"],
            acting_role=one["role"],
            org=one["org"],
            on_behalf_of=one["on_behalf_of"],
            occurred_at=one["at"].astimezone(CHINA),
            recorded_at=one["recorded_at"].astimezone(CHINA),
            payload=resolve(one["payload"], texts) if clear else one["payload"],
            hash=one["hash"].hex(),
        )
        for one in entries
    )
