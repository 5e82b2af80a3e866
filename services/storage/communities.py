"""The communities of the deployment, for whoever must name one of them."""

from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.people_tables import community, region

MOST = 200


async def community_names(connection: AsyncConnection) -> dict[str, str]:
    """Give the name of every community by its 12-digit code, in the order of the codes."""
    found = await connection.execute(
        select(community.c.region_code, region.c.name)
        .join(region, region.c.code == community.c.region_code)
        .order_by(community.c.region_code)
    )
    return {row.region_code: row.name for row in found}


class Communities:
    """The communities by name, for those who have not signed in: their names are no secret."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def found(self, part: str, codes: Sequence[str]) -> list[dict[str, str]]:
        """Communities by a part of the name or by their codes, each with its subdistrict; in the order of the codes."""
        above = region.alias("above")
        fits = region.c.name.contains(part, autoescape=True)
        wanted = (
            select(region.c.code, region.c.name, func.coalesce(above.c.name, "").label("within"))
            .outerjoin(above, above.c.code == region.c.parent_code)
            .where(
                region.c.level == "COMMUNITY",
                and_(
                    or_(fits, region.c.code.startswith(part, autoescape=True)) if part else true(),
                    region.c.code.in_(codes) if codes else true(),
                ),
            )
            .order_by(region.c.code)
            .limit(MOST)
        )
        async with self._engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(wanted)).mappings()]
