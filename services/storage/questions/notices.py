"""What an objection must know of the notice that it is against (公示异议)."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file
from workflows.kernel.process import Asked


async def objected_notice(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Where the notice stands, what it is about, and who has an interest in it; `about` holds its id as `notice`."""
    data = case_file.c.data
    row = (
        await connection.execute(
            select(case_file.c.id, case_file.c.number, case_file.c.community, case_file.c.state, data).where(
                case_file.c.id == UUID(str(asked.about["notice"])), case_file.c.process == "notice"
            )
        )
    ).one()
    return {
        "id": str(row.id),
        "number": row.number,
        "community": row.community,
        "state": row.state,
        "about": row.data.get("about", []),
        "interested": row.data.get("interested", []),
        "posted_by": row.data["posted_by"],
    }


QUESTIONS = {"objected_notice": objected_notice}
