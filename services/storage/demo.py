"""Load the demonstration street (示范街道), to try the product with."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage import people_tables as tables
from services.storage.demo_lists import load_demo_lists
from services.storage.demo_street import SOURCE, Street
from services.storage.people import act_as

# One number for everybody who seeds a database of ours: the second program waits, and finds the street there.
SEED_LOCK = 0x5348_414E_5345


class Hashing(Protocol):
    """How passwords are kept; `services.identity.passwords.Passwords` is the one."""

    def hash(self, password: str) -> str: ...
    def verify(self, password: str, kept: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What loading did: `created` when the street was not there; `password` when one was made up for it."""

    created: bool
    password: str | None


async def seed_demo(engine: AsyncEngine, password: str | None, hashing: Hashing) -> SeedReport:
    """Load the demonstration street once, with one password for all its accounts.

    Without a password a random one is made, and is in the report of this one call only. A repeat changes
    nothing, but for this: a given password that is not theirs becomes the password of all demonstration
    accounts. A database that already serves a real town is left alone.
    """
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SEED_LOCK})
        await act_as(connection, "demo")
        if await connection.scalar(select(func.count()).select_from(tables.tenant)):
            if password is not None:
                await _renew_password(connection, password, hashing)
            return SeedReport(created=False, password=None)
        chosen = password or secrets.token_urlsafe(12)
        kept = await asyncio.to_thread(hashing.hash, chosen)
        for table, rows in Street(kept).rows().items():
            await connection.execute(insert(table), rows)
        await load_demo_lists(connection)
    return SeedReport(created=True, password=None if password else chosen)


async def _renew_password(connection: AsyncConnection, password: str, hashing: Hashing) -> None:
    account, person = tables.account, tables.person
    ours = account.c.person_id.in_(select(person.c.id).where(person.c.source == SOURCE))
    kept = (await connection.scalars(select(account.c.password_hash).where(ours).distinct())).all()
    stale = [one for one in kept if not await asyncio.to_thread(hashing.verify, password, one)]
    if stale:
        fresh = await asyncio.to_thread(hashing.hash, password)
        await connection.execute(
            update(account)
            .where(ours, account.c.password_hash.in_(stale))
            .values(password_hash=fresh, failed_attempts=0, locked_until=None)
        )
