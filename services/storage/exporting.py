"""Everything of one process as rows for a spreadsheet, in a steady stream; and a connection for staff tools."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.cases import Narrowing, conditions
from services.storage.clocks import name_of
from services.storage.database import answering, single_connection
from services.storage.ledger_tables import case_file
from services.storage.people_tables import region
from services.storage.prose import said, texts_of
from workflows.kernel.calendar import CHINA

BATCH = 500

COLUMNS: Sequence[tuple[str, str]] = (
    ("编号", "number"),
    ("流程", "process"),
    ("状态", "state"),
    ("细分", "phase"),
    ("步骤", "step"),
    ("层级", "level"),
    ("社区", "community"),
    ("社区名称", "community_name"),
    ("类别", "category_code"),
    ("处理方式", "mode"),
    ("难易", "difficulty"),
    ("牵头单位", "lead_org"),
    ("牵头单位名称", "lead_org_name"),
    ("颜色", "color"),
    ("最近到期", "next_due_at"),
    ("问题清单月份", "problem_month"),
    ("重办次数", "rework_count"),
    ("重开次数", "reopen_count"),
    ("满意度", "satisfaction"),
    ("结案方式", "closure_code"),
    ("登记时间", "opened_at"),
    ("更新时间", "updated_at"),
    ("办结时间", "closed_at"),
    ("政策包", "pack"),
)
"""Heading and name of each column, without anything that people wrote."""

WORDS: Sequence[tuple[str, str]] = (("标题", "title"), ("内容", "description"), ("地点", "place_text"))
"""Columns of what people wrote: personal data."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One case as a row: values in the order of `COLUMNS`, then of `WORDS` where they were asked for."""

    values: tuple[str | int | datetime | None, ...]


@asynccontextmanager
async def reading(url: str, *, application_name: str) -> AsyncIterator[AsyncConnection]:
    """A connection in one read-only view of the database, for commands; raises `NoDatabaseError`."""
    engine = single_connection(url, application_name=application_name)
    try:
        with answering():
            connection = await engine.connect()
        try:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection
        finally:
            await connection.close()
    finally:
        await engine.dispose()


async def knows_place(connection: AsyncConnection, code: str) -> bool:
    """Say whether there is a region with this code."""
    return await connection.scalar(select(region.c.code).where(region.c.code == code)) is not None


async def every_case(
    connection: AsyncConnection, process: str, filters: Narrowing, *, words: bool = False
) -> AsyncIterator[Exported]:
    """Every case of a process (its singular name) that fits, oldest first, whoever asks.

    `words` adds what people wrote, which is personal data.
    """
    data = case_file.c.data
    columns = {
        **{column.name: column for column in case_file.c},
        "community_name": name_of(cast(case_file.c.community, Text)),
        "lead_org_name": name_of(case_file.c.lead_org),
        **{name: data[name].astext for name in ("mode", "difficulty", "rework_count", "reopen_count", "satisfaction")},
    }
    chosen = [columns[name].label(name) for _, name in COLUMNS]
    refs = [case_file.c.id, case_file.c.title, data["description"].astext, data["place_text"].astext]
    found = await connection.stream(
        select(*chosen, *(one.label(f"ref_{place}") for place, one in enumerate(refs)))
        .where(case_file.c.process == process, *conditions(filters))
        .order_by(case_file.c.opened_at, case_file.c.id)
        .execution_options(yield_per=BATCH)
    )
    async for batch in found.partitions(BATCH):
        texts = (
            await texts_of(connection, [row.ref_0 for row in batch], [tuple(row)[-3:] for row in batch])
            if words
            else {}
        )
        for row in batch:
            values = [_plain(value) for value in tuple(row)[: len(COLUMNS)]]
            if words:
                values += [said(ref, texts) for ref in tuple(row)[-3:]]
            yield Exported(tuple(values))


def _plain(value: Any) -> str | int | datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(CHINA)
    if isinstance(value, str) and value.isdecimal() and len(value) < len("1000"):
        return int(value)
    return value if value is None or isinstance(value, int) else str(value)
