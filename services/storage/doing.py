"""Deeds on master data that follow from cases (办理结果落地): a module for each topic.

Each is carried out at least once, in a transaction of its own; the id of its errand tells a repeat from another one.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import ModuleType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.deeds import committees
from services.storage.sealing import Seal

Deed = Callable[[AsyncConnection, str, Mapping[str, Any], datetime], Awaitable[None]]
TOPICS: tuple[ModuleType, ...] = (committees,)
"""Modules with a mapping `DEEDS` from the name of a deed to what it does; `SEALED_DEEDS` take the seal besides."""


class Deeds:
    """Deeds on PostgreSQL."""

    def __init__(self, engine: AsyncEngine, seal: Seal | None = None) -> None:
        self._engine = engine
        self._deeds: dict[str, Deed] = {name: deed for topic in TOPICS for name, deed in topic.DEEDS.items()}
        for topic in TOPICS:
            for name, deed in getattr(topic, "SEALED_DEEDS", {}).items():
                self._deeds[name] = partial(deed, seal=seal)

    async def carry_out(self, deed: str, errand_id: str, fields: Mapping[str, Any]) -> None:
        """Carry out a deed; the same errand again changes nothing more."""
        async with self._engine.begin() as connection:
            await self._deeds[deed](connection, errand_id, fields, datetime.now(UTC))
