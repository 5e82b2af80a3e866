"""Cases that something can still happen to, for whoever compares them with their runs."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.history import LIVE, live_clocks, standing
from services.storage.ledger_tables import case_file, clock
from workflows.kernel.process import Case, Process

FIRST = UUID(int=0)


async def living(
    connection: AsyncConnection, processes: Mapping[str, Process[Any]], *, after: str = str(FIRST), limit: int = 200
) -> list[Case[Any]]:
    """Give the next cases by id that are open, have a live clock or a pending effect."""
    found = await connection.execute(
        select(case_file, live_clocks())
        .where(
            case_file.c.id > UUID(after),
            case_file.c.process.in_(list(processes)),
            or_(
                case_file.c.closed_at.is_(None),
                case_file.c.pending != [],
                exists().where(clock.c.case_id == case_file.c.id, clock.c.state.in_(LIVE)),
            ),
        )
        .order_by(case_file.c.id)
        .limit(limit)
    )
    return [standing(processes[row["process"]], row) for row in found.mappings()]


async def known_cases(connection: AsyncConnection, ids: Iterable[str]) -> frozenset[str]:
    """Give which of these ids are those of cases."""
    wanted = []
    for one in ids:
        try:
            wanted.append(UUID(one))
        except ValueError:
            continue
    found = await connection.scalars(select(case_file.c.id).where(case_file.c.id.in_(wanted)))
    return frozenset(str(one) for one in found)
