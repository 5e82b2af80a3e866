"""Turn the lists of the demonstration county (demo_lists.toml) into rows of tables."""

import tomllib
from datetime import date
from importlib.resources import files
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ids import uuid7
from services.storage.list_tables import duty_item, duty_list
from services.storage.lists import FIELDS


async def load_demo_lists(connection: AsyncConnection) -> None:
    """Write every version of every list; the same entries stand in all versions of one."""
    plan = tomllib.loads(files("services.storage").joinpath("demo_lists.toml").read_text("utf-8"))
    for each in plan["lists"]:
        for number, begins in enumerate(each["versions"], start=1):
            await _version(connection, plan["county"], each, number, date.fromisoformat(begins))


async def _version(connection: AsyncConnection, county: str, plan: dict[str, Any], number: int, begins: date) -> None:
    row = {"id": uuid7(), "county": county, "list_type": plan["type"], "version": number, "effective_from": begins}
    await connection.execute(insert(duty_list).values(**row, source=plan["source"], published_by="demo"))
    items = [{"list_id": row["id"], **dict(zip(FIELDS, item, strict=True))} for item in plan["items"]]
    await connection.execute(insert(duty_item), items)
