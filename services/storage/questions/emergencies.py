"""What emergencies must know: the open issues of their community, whose clocks the street stops (应急)."""

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file
from workflows.kernel.process import Asked


async def open_issues(connection: AsyncConnection, asked: Asked) -> dict[str, object]:
    """Ids of the issues of the community that are not closed; `about`: pause, the number of the pause."""
    if asked.case is None:
        raise ValueError("asked about an emergency")
    rows = await connection.scalars(
        select(cast(case_file.c.id, Text))
        .where(
            case_file.c.process == "issue",
            case_file.c.community == asked.case.community,
            case_file.c.closed_at.is_(None),
        )
        .order_by(case_file.c.number)
    )
    return {"issues": list(rows.all()), "pause": asked.about["pause"]}


QUESTIONS = {"open_issues": open_issues}
