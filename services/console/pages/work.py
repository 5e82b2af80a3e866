"""My work (工作台): what I must do now, most urgent first, and what I began last."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from services.console.client import Problem
from services.console.pages.routing import At
from services.console.visit import Visit

SHOWN = 50
RECENT = 5


async def work(visit: Visit) -> Response:
    """The worklist as cards, one tap from what is owed."""
    tasks, recent = await asyncio.gather(
        visit.api.get("/worklist", limit=SHOWN, cursor=visit.query("cursor")), _recent(visit)
    )
    now = datetime.now(UTC)
    values: dict[str, Any] = {"tasks": tasks["items"], "following": tasks["next_cursor"], "now": now, "recent": recent}
    if visit.is_partial:
        return await visit.show("parts/tasks.html", **values)
    return await visit.show("work.html", **values)


async def _recent(visit: Visit) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = (await visit.api.get("/issues", limit=RECENT))["items"]
    except Problem:
        return []
    return found


PAGES = (At("/", work),)
