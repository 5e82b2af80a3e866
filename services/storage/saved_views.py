"""Lists as somebody wants to see them again (常用视图): filters, columns and order under a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.storage.view_tables import saved_view
from workflows.kernel.process import Actor


@dataclass(frozen=True, slots=True)
class SavedView:
    """One of them; `list` is the plural name of a process, `query` the end of an address."""

    list: str
    name: str
    query: str


class SavedViews:
    """Reads and replaces what one person keeps."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, actor: Actor) -> list[SavedView]:
        """What this person keeps, in his own order."""
        columns = saved_view.c
        wanted = select(columns.list, columns.name, columns.query).where(columns.person_id == UUID(actor.id))
        async with self._engine.connect() as connection:
            rows = await connection.execute(wanted.order_by(columns.place))
            return [SavedView(row.list, row.name, row.query) for row in rows]

    async def replace(self, actor: Actor, views: Sequence[SavedView]) -> None:
        """Keep these and no others."""
        person = UUID(actor.id)
        rows = [
            {"person_id": person, "place": place, "list": one.list, "name": one.name, "query": one.query}
            for place, one in enumerate(views)
        ]
        async with self._engine.begin() as connection:
            await connection.execute(delete(saved_view).where(saved_view.c.person_id == person))
            if rows:
                await connection.execute(insert(saved_view), rows)
