"""What a supervisor must know before he delists: whether the reporter was reached and is satisfied (销号)."""

from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file, clock
from workflows.kernel.process import Asked

REACHED = ("MET", "MET_LATE")


async def supervised_subject(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Of the case under supervision: is its reporter known, was he contacted, how satisfied was he (1 to 5)."""
    if asked.case is None:
        raise ValueError("asked about a supervision case")
    wanted = UUID(asked.case.data.subject_id)
    contacted = exists().where(clock.c.case_id == wanted, clock.c.code == "RESPONSE", clock.c.state.in_(REACHED))
    data = (await connection.execute(select(case_file.c.data, contacted).where(case_file.c.id == wanted))).one()
    known, reached = data
    return {
        "reporter_known": not known.get("anonymous") and bool(known.get("reporter") or known.get("reporter_id")),
        "contacted": reached or bool(known.get("visits")),
        "satisfaction": known.get("satisfaction"),
    }


QUESTIONS = {"supervised_subject": supervised_subject}
