"""Seal what every day wrote, and find what was changed since (审计): which case, which entry, which day.

Each case's history is a chain of hashes, and the case itself keeps the last one; who rewrites a whole chain, or takes
a whole case away, is found by the sealed days. The signature needs a key that the database does not have; who also
throws away the last days is found by the head of the last one, if it is kept elsewhere (`shangliang audit key`).
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import RowMapping, func, insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.seal_tables import sealed_case, sealed_day
from workflows.kernel.calendar import CHINA

NOTHING = bytes(32)
LOCK = 0x5348_4155_4449
BATCH = 500
# A turn that was being written at midnight is there by then.
AFTER_MIDNIGHT = timedelta(minutes=10)

_FIRST = text("SELECT min(recorded_at) FROM event")
_TENANTS = text("SELECT DISTINCT tenant FROM case_file UNION SELECT DISTINCT tenant FROM sealed_day ORDER BY 1")
_MOVED = text(
    """
    SELECT c.id AS case_id, c.number, e.seq, e.hash
      FROM (SELECT case_id, max(seq) AS seq FROM event
             WHERE recorded_at >= :since AND recorded_at < :until GROUP BY case_id) AS moved
      JOIN event AS e ON e.case_id = moved.case_id AND e.seq = moved.seq
      JOIN case_file AS c ON c.id = moved.case_id AND c.tenant = :tenant
     ORDER BY c.id
    """
)
_BOOKS = {
    # Everything that is written once and stands in no chain; of the log of readings, as long as it is kept.
    name: text(
        f"""
        SELECT count(*) AS rows, max(seq) AS last,
               encode(sha256(convert_to(coalesce(string_agg(to_jsonb(t)::text, '|' ORDER BY seq), ''), 'UTF8')), 'hex')
               AS digest
          FROM {name} AS t WHERE at >= :since AND at < :until
        """
    )
    for name in ("audit", "access_log")
}
_CASES = text(
    """
    SELECT ids.id FROM (SELECT id FROM case_file UNION SELECT case_id FROM event) AS ids
     WHERE ids.id > :after ORDER BY ids.id LIMIT :batch
    """
)
_BROKEN = text(
    """
    SELECT ids.id AS case_id, c.number, v.seq, v.why
      FROM unnest(CAST(:ids AS uuid[])) AS ids(id)
      CROSS JOIN LATERAL verify_case(ids.id) AS v
      LEFT JOIN case_file AS c ON c.id = ids.id
    """
)
_UNLIKE = text(
    """
    SELECT s.case_id, s.number, s.seq,
           CASE WHEN e.hash IS NOT NULL THEN 'REWRITTEN'
                WHEN EXISTS (SELECT FROM event AS any_of WHERE any_of.case_id = s.case_id) THEN 'MISSING'
                ELSE 'CASE_GONE' END AS why
      FROM sealed_case AS s
      LEFT JOIN event AS e ON e.case_id = s.case_id AND e.seq = s.seq
     WHERE s.tenant = :tenant AND s.day = :day AND e.hash IS DISTINCT FROM s.hash
     ORDER BY s.case_id
    """
)


class Signer:
    """Signs and checks heads by Ed25519; `keys` are 32 bytes each by id, the first signs, all of them check."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {name: Ed25519PrivateKey.from_private_bytes(key) for name, key in keys.items()}
        self.current = next(iter(keys))

    def sign(self, message: bytes) -> bytes:
        """Sign with the key in use."""
        return self._keys[self.current].sign(message)

    def holds(self, key_id: str, message: bytes, signature: bytes) -> bool | None:
        """Say whether a signature is ours; None when its key is not here."""
        key = self._keys.get(key_id)
        if key is None:
            return None
        try:
            key.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def public_keys(self) -> dict[str, str]:
        """Keys by which anybody can check a signature, in hexadecimal, by id."""
        return {name: key.public_key().public_bytes_raw().hex() for name, key in self._keys.items()}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not as it was written: a case and an entry of it, or a day."""

    why: str
    case_id: UUID | None = None
    number: str | None = None
    seq: int | None = None
    day: date | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """The sealed head of a day, in hexadecimal."""

    tenant: str
    day: date
    cases: int
    head: str
    key_id: str


async def seal_days(connection: AsyncConnection, signer: Signer, now: datetime) -> list[Seal]:
    """Seal every day that is over and not sealed yet; the caller commits. Two at once: one waits for the other."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    began = await connection.scalar(_FIRST)
    if began is None:
        return []
    over = (now - AFTER_MIDNIGHT).astimezone(CHINA).date()
    made: list[Seal] = []
    for tenant in (await connection.scalars(_TENANTS)).all():
        last = (
            await connection.execute(
                select(sealed_day.c.day, sealed_day.c.head)
                .where(sealed_day.c.tenant == tenant)
                .order_by(sealed_day.c.day.desc())
                .limit(1)
            )
        ).first()
        day, prev = (last.day + timedelta(days=1), last.head) if last else (began.astimezone(CHINA).date(), NOTHING)
        while day < over:
            seal, prev = await _seal(connection, signer, tenant, day, prev)
            made.append(seal)
            day += timedelta(days=1)
    return made


async def _seal(connection: AsyncConnection, signer: Signer, tenant: str, day: date, prev: bytes) -> tuple[Seal, bytes]:
    rows = (await connection.execute(_MOVED, {"tenant": tenant, **_span(day)})).mappings().all()
    books = await _books(connection, day)
    head = _head(tenant, day, prev, rows, books)
    for place in range(0, len(rows), BATCH):
        part = [{"tenant": tenant, "day": day, **row} for row in rows[place : place + BATCH]]
        await connection.execute(insert(sealed_case), part)
    await connection.execute(
        insert(sealed_day).values(
            tenant=tenant,
            day=day,
            cases=len(rows),
            books=books,
            prev=prev,
            head=head,
            key_id=signer.current,
            signature=signer.sign(head),
        )
    )
    return Seal(tenant, day, len(rows), head.hex(), signer.current), head


async def verify(connection: AsyncConnection, signer: Signer, now: datetime) -> AsyncIterator[Finding]:
    """Give everything that is not as it was written; nothing when all is well. Reads the whole history."""
    async for one in _chains(connection):
        yield one
    for tenant in (await connection.scalars(_TENANTS)).all():
        async for one in _days(connection, signer, tenant, now):
            yield one


async def last_seals(connection: AsyncConnection) -> list[Seal]:
    """The last sealed head of every tenant, to be kept where nobody of the database can reach it."""
    by_day = (sealed_day.c.tenant, sealed_day.c.day.desc())
    newest = select(sealed_day).ext(distinct_on(sealed_day.c.tenant)).order_by(*by_day)
    return [
        Seal(row["tenant"], row["day"], row["cases"], row["head"].hex(), row["key_id"])
        for row in (await connection.execute(newest)).mappings()
    ]


async def sealed_days(connection: AsyncConnection, most: int) -> Sequence[RowMapping]:
    """The last days that were sealed, the newest first: head in hexadecimal, cases that moved, by which key."""
    head = func.encode(sealed_day.c.head, "hex").label("head")
    shown = (sealed_day.c.day, sealed_day.c.cases, head, sealed_day.c.key_id, sealed_day.c.sealed_at)
    return (await connection.execute(select(*shown).order_by(sealed_day.c.day.desc()).limit(most))).mappings().all()


async def has_head(connection: AsyncConnection, head: str) -> bool:
    """Say whether a head that was kept elsewhere is still one of the sealed days."""
    found = select(sealed_day.c.day).where(sealed_day.c.head == bytes.fromhex(head))
    return (await connection.execute(found)).first() is not None


async def _chains(connection: AsyncConnection) -> AsyncIterator[Finding]:
    after = UUID(int=0)
    while ids := (await connection.scalars(_CASES, {"after": after, "batch": BATCH})).all():
        for row in (await connection.execute(_BROKEN, {"ids": ids})).mappings():
            yield Finding(row["why"], row["case_id"], row["number"], row["seq"])
        after = ids[-1]


async def _days(connection: AsyncConnection, signer: Signer, tenant: str, now: datetime) -> AsyncIterator[Finding]:
    wanted = select(sealed_day).where(sealed_day.c.tenant == tenant).order_by(sealed_day.c.day)
    days = (await connection.execute(wanted)).mappings().all()
    prev, expected = NOTHING, days[0]["day"] if days else None
    for row in days:
        day = row["day"]
        while expected is not None and expected < day:
            yield Finding("DAY_MISSING", day=expected, tenant=tenant)
            expected += timedelta(days=1)
        expected = day + timedelta(days=1)
        kept = select(sealed_case).where(sealed_case.c.tenant == tenant, sealed_case.c.day == day)
        cases = (await connection.execute(kept.order_by(sealed_case.c.case_id))).mappings().all()
        if row["prev"] != prev or _head(tenant, day, row["prev"], cases, row["books"]) != row["head"]:
            yield Finding("DAY_CHANGED", day=day, tenant=tenant)
        signed = signer.holds(row["key_id"], row["head"], row["signature"])
        if not signed:
            yield Finding("KEY_UNKNOWN" if signed is None else "SIGNATURE_WRONG", day=day, tenant=tenant)
        for name, book in (await _books(connection, day)).items():
            was = row["books"].get(name, {})
            # Readings are forgotten after their time (data-model §7.4): none of a day left is no sign of harm.
            if book != was and not (name == "access_log" and book["rows"] == 0):
                yield Finding(f"{name.upper()}_CHANGED", day=day, tenant=tenant)
        for one in (await connection.execute(_UNLIKE, {"tenant": tenant, "day": day})).mappings():
            yield Finding(one["why"], one["case_id"], one["number"], one["seq"], day, tenant)
        prev = row["head"]
    # Yesterday may not have been sealed yet when nobody ran; a day before it must be.
    latest = (now - AFTER_MIDNIGHT).astimezone(CHINA).date() - timedelta(days=1)
    while expected is not None and expected < latest:
        yield Finding("DAY_MISSING", day=expected, tenant=tenant)
        expected += timedelta(days=1)


async def _books(connection: AsyncConnection, day: date) -> dict[str, Any]:
    return {name: dict((await connection.execute(book, _span(day))).mappings().one()) for name, book in _BOOKS.items()}


def _span(day: date) -> dict[str, datetime]:
    since = datetime(day.year, day.month, day.day, tzinfo=CHINA)
    return {"since": since, "until": since + timedelta(days=1)}


def _head(tenant: str, day: date, prev: bytes, rows: Sequence[RowMapping], books: Mapping[str, Any]) -> bytes:
    """The hash of a day over the one before it."""
    digest = hashlib.sha256(prev)
    digest.update(json.dumps([tenant, day.isoformat(), books], sort_keys=True, ensure_ascii=False).encode())
    for row in rows:
        digest.update(f"{row['case_id']}|{row['number']}|{row['seq']}|{row['hash'].hex()}\n".encode())
    return digest.digest()
