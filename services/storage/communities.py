"""The communities of the deployment, for whoever must name one of them."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.people_tables import community, region


async def community_names(connection: AsyncConnection) -> dict[str, str]:
    """Give the name of every community by its 12-digit code, in the order of the codes."""
    found = await connection.execute(
        select(community.c.region_code, region.c.name)
        .join(region, region.c.code == community.c.region_code)
        .order_by(community.c.region_code)
    )
    return {row.region_code: row.name for row in found}
