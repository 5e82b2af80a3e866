"""The second wall (第二道墙): PostgreSQL itself shows a person only what he may know of, whatever a query forgets.

The first are the conditions of sight.py, which also choose the indexes. This one is row-level security (migration 0006)
for a database role that may only read; settings of the session say who asks. They stay until somebody else asks by
the same connection, so that most questions cost no statement more.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.sight import organizations, places
from workflows.kernel.process import Actor
from workflows.kernel.roles import Role

KINDS = ("within", "places", "orgs", "homes", "person", "purpose")
_NAME = text("SELECT " + ", ".join(f"set_config('shangliang.{kind}', :{kind}, false)" for kind in KINDS))
_ASKER = "asker"


class Wall:
    """Looks of people at the database of `engine`, whose sessions work as the role that the wall holds back."""

    def __init__(self, engine: AsyncEngine) -> None:
        # Each look is one statement or two, none of which needs a transaction around it.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def looks(self, actor: Actor, purpose: str = "") -> AsyncIterator[AsyncConnection]:
        """A connection that sees what this person may know of; contact details only with a purpose."""
        async with self._engine.connect() as connection:
            asker = (actor.id, actor.grants, bool(purpose))
            if connection.info.get(_ASKER) != asker:
                # Forgotten first: should the statement not arrive, the next one names the asker again.
                connection.info.pop(_ASKER, None)
                await connection.execute(_NAME, named(actor, purpose))
                connection.info[_ASKER] = asker
            yield connection


def named(actor: Actor, purpose: str = "") -> dict[str, str]:
    """Who asks, as the settings have it: codes apart by spaces; the same as `single_sight` asks of a row."""
    held = places(actor)
    homes = sorted({grant.place for grant in actor.grants if grant.role == Role.RESIDENT})
    return {
        "within": " ".join(f"{place}%" for place in held if place.isdigit() or not place),
        "places": " ".join(held),
        "orgs": " ".join(organizations(actor)),
        "homes": " ".join(f"{home}%" for home in homes if home.isdigit()),
        "person": actor.id,
        # What it is read for stands in the access log; here it matters only that something was said.
        "purpose": "said" if purpose else "",
    }
