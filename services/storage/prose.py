"""What people wrote, found by its references and put back where it belongs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import prose

TEXT = re.compile(r"text:[0-9a-f]{16}")
_QUOTED = re.compile(rb'"(text:[0-9a-f]{16})"')


async def texts_of(connection: AsyncConnection, cases: Sequence[str | UUID], values: Iterable[Any]) -> dict[str, Any]:
    """The clear values behind every reference in these values, for one case or for a page of them, in one query.

    Contact details are never among them; those have a read of their own (contacts.py).
    """
    wanted = sorted({ref for value in values for ref in references(value)})
    if not wanted or not cases:
        return {}
    rows = await connection.execute(
        select(prose.c.ref, prose.c.value).where(
            prose.c.case_id.in_([UUID(str(one)) for one in cases]), prose.c.ref.in_(wanted)
        )
    )
    return {row.ref: row.value for row in rows}


def references(value: Any) -> list[str]:
    """Every reference to a text in a value made of mappings, sequences, dataclasses and strings."""
    # Written out and searched: walking through the values of a page of cases takes ten times as long.
    return [found.decode() for found in _QUOTED.findall(to_json(value))]


def resolve(value: Any, texts: Mapping[str, Any]) -> Any:
    """The same plain value with texts in place of their references; a text that was erased becomes None."""
    if isinstance(value, str):
        return texts.get(value) if value.startswith("text:") and TEXT.fullmatch(value) else value
    if isinstance(value, Mapping):
        return {name: resolve(one, texts) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(one, texts) for one in value]
    return value


def said(value: Any, texts: Mapping[str, Any]) -> str:
    """One text for a person to read; empty when there is none."""
    clear = resolve(value, texts)
    return clear if isinstance(clear, str) else ""
