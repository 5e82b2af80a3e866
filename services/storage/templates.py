"""Templates of documents of the city's own (文书模板): every version is kept, and each document keeps its own.

A document is made of the template that held when its event was written, so that one which was issued never changes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncEngine

from services.storage.people import act_as
from services.storage.template_tables import document_template as kept

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('document_template', 0))")


@dataclass(frozen=True, slots=True)
class Version:
    """What was done when by whom; without `sha256` the template that ships serves again from then on."""

    pack: str
    kind: str
    version: int
    sha256: str | None
    put_by: str
    put_at: datetime


class OwnTemplates:
    """Templates on PostgreSQL, each call a transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def in_force(
        self, packs: Sequence[str], kinds: Sequence[str], at: datetime | None = None
    ) -> Mapping[tuple[str, str], bytes]:
        """The templates of these packs and kinds that held at a moment, or hold now, by pack and kind."""
        query = (
            select(kept.c.pack, kept.c.kind, kept.c.content)
            .where(kept.c.pack.in_(packs), kept.c.kind.in_(kinds))
            .ext(distinct_on(kept.c.pack, kept.c.kind))
            .order_by(kept.c.pack, kept.c.kind, kept.c.version.desc())
        )
        if at is not None:
            query = query.where(kept.c.put_at <= at)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return {(row.pack, row.kind): row.content for row in rows if row.content is not None}

    async def versions(self, pack: str | None = None, kind: str | None = None) -> Sequence[Version]:
        """What was ever put in the place of ours, the last first."""
        columns = (kept.c.pack, kept.c.kind, kept.c.version, kept.c.sha256, kept.c.put_by, kept.c.put_at)
        query = select(*columns).order_by(kept.c.put_at.desc(), kept.c.version.desc())
        if pack is not None:
            query = query.where(kept.c.pack == pack)
        if kind is not None:
            query = query.where(kept.c.kind == kind)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [Version(row.pack, row.kind, row.version, row.sha256, str(row.put_by), row.put_at) for row in rows]

    async def put(self, pack: str, kind: str, content: bytes | None, *, by: str) -> bool:
        """Let a template serve from now on, or ours again by None; False when that one serves already."""
        digest = None if content is None else hashlib.sha256(content).hexdigest()
        one = (kept.c.pack == pack, kept.c.kind == kind)
        last = select(kept.c.version, kept.c.sha256).where(*one).order_by(kept.c.version.desc()).limit(1)
        async with self._engine.begin() as connection:
            await connection.execute(_ONE_AT_A_TIME)
            await act_as(connection, by)
            before = (await connection.execute(last)).first()
            if (before.sha256 if before else None) == digest:
                return False
            number = 1 + (before.version if before else 0)
            values = {"pack": pack, "kind": kind, "version": number, "content": content, "sha256": digest}
            await connection.execute(insert(kept).values({**values, "put_by": UUID(by)}))
        return True
