"""Which cases wait for a calendar that was not published when their clocks started."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import clock


async def provisional_cases(connection: AsyncConnection) -> Sequence[tuple[str, str]]:
    """Process and id of every case with a running clock whose due time is provisional, each once."""
    rows = await connection.execute(
        select(clock.c.process, clock.c.case_id)
        .where(clock.c.state == "RUNNING", clock.c.provisional)
        .distinct()
        .order_by(clock.c.process, clock.c.case_id)
    )
    return [(row.process, str(row.case_id)) for row in rows]
