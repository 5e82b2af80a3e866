"""Which cases were opened before, by the keys of their opening commands: for imports that are repeated."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import command


async def opened(connection: AsyncConnection, keys: Mapping[str, str]) -> dict[str, str]:
    """Give the body hash of each of these cases that was opened with its key; `keys` are by case id."""
    if not keys:
        return {}
    found = await connection.execute(
        select(command.c.case_id, command.c.key, command.c.body_hash).where(
            command.c.case_id.in_([UUID(case_id) for case_id in keys])
        )
    )
    return {str(row.case_id): row.body_hash for row in found if keys[str(row.case_id)] == row.key}
