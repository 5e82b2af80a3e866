"""The regions of a level (区划), for whatever is done region by region."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.storage.people_tables import region


class Tree:
    """The tree of regions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_level(self, level: str) -> Sequence[str]:
        """Give the codes of all regions of a level, in order."""
        async with self._engine.connect() as connection:
            rows = await connection.scalars(
                select(region.c.code).where(region.c.level == level).order_by(region.c.code)
            )
            return rows.all()
