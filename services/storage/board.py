"""公示栏 of a community: results that were published, and problems that are listed. The caller masks the texts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file
from services.storage.prose import said, texts_of
from workflows.kernel.calendar import CHINA

MOST = 200


@dataclass(frozen=True, slots=True)
class Posted:
    """A line of the board: a result (结果公示) with its text, or a listed problem with how far it is."""

    number: str
    title: str
    category_code: str | None
    state: str
    step: str
    month: str | None
    text: str
    registered_at: datetime
    closed_at: datetime | None


async def results(connection: AsyncConnection, community: str) -> tuple[Posted, ...]:
    """Results that are posted now, the latest first."""
    return await _posted(connection, community, case_file.c.data["published"].as_boolean())


async def problems(connection: AsyncConnection, community: str, months: tuple[str, ...]) -> tuple[Posted, ...]:
    """Problems on the lists of these months (问题清单), the latest first."""
    return await _posted(connection, community, case_file.c.problem_month.in_(months))


async def _posted(connection: AsyncConnection, community: str, which: Any) -> tuple[Posted, ...]:
    rows = (
        (
            await connection.execute(
                select(case_file)
                .where(case_file.c.process == "issue", case_file.c.community == community, which)
                .order_by(case_file.c.updated_at.desc(), case_file.c.id)
                .limit(MOST)
            )
        )
        .mappings()
        .all()
    )
    texts = await texts_of(
        connection, [row["id"] for row in rows], [(row["title"], row["data"].get("public_text")) for row in rows]
    )
    return tuple(_line(row, texts) for row in rows)


def _line(row: RowMapping, texts: dict[str, Any]) -> Posted:
    is_posted = bool(row["data"].get("published"))
    return Posted(
        number=row["number"],
        title=said(row["title"], texts),
        category_code=row["category_code"],
        state=row["state"],
        step=row["step"],
        month=row["problem_month"],
        text=said(row["data"].get("public_text"), texts) if is_posted else "",
        registered_at=row["opened_at"].astimezone(CHINA),
        closed_at=row["closed_at"].astimezone(CHINA) if row["closed_at"] else None,
    )
