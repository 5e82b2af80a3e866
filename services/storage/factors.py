"""Secrets of second factors under a new key (services/identity/second_factor.py seals them, by this name)."""

from collections import Counter

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.sealing import Seal
from services.storage.sign_in_tables import second_factor

BATCH = 500


async def factors_in_use(connection: AsyncConnection) -> dict[str, int]:
    """How many secrets each key protects."""
    kept = await connection.scalars(select(second_factor.c.sealed_secret))
    return dict(Counter(one.partition(".")[0] for one in kept))


async def rotate_factors(connection: AsyncConnection, seal: Seal) -> int:
    """Seal one batch anew with the key in use; how many, 0 when none is left."""
    stale = second_factor.c.sealed_secret.not_like(f"{seal.current}.%")
    query = select(second_factor.c.account_id, second_factor.c.sealed_secret).where(stale).limit(BATCH)
    rows = (await connection.execute(query.with_for_update(skip_locked=True))).all()
    for row in rows:
        name = f"second-factor/{row.account_id}"
        anew = seal.seal(seal.unseal(row.sealed_secret, name), name)
        here = second_factor.c.account_id == row.account_id
        await connection.execute(update(second_factor).where(here).values(sealed_secret=anew))
    return len(rows)
