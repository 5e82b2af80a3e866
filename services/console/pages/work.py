"""My work (工作台): what I must do now, most urgent first, what I wait for, and what I did last."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from services.console.pages.case import named
from services.console.pages.routing import At
from services.console.visit import Visit

SHOWN = 30
WAITING, RECENT = 12, 8
RUNGS = ("RED", "YELLOW", "BLUE", "NONE")


async def work(visit: Visit) -> Response:
    """The worklist as cards, one tap from what is owed."""
    if visit.is_partial:
        tasks = await visit.api.get("/worklist", limit=SHOWN, cursor=visit.query("cursor"))
        await named(visit, [one["case"] for one in tasks["items"]])
        return await visit.show("parts/tasks.html", **_tasks(tasks))
    tasks, counts, waiting, recent = await asyncio.gather(
        visit.api.get("/worklist", limit=SHOWN, cursor=visit.query("cursor")),
        visit.api.get("/worklist/counts"),
        visit.api.get("/waiting", limit=WAITING),
        visit.api.get("/recent", limit=RECENT),
    )
    await named(visit, [tasks["items"], waiting["items"]])
    return await visit.show(
        "work.html", **_tasks(tasks), counts=counts, rungs=RUNGS, waiting=waiting["items"], recent=recent["items"]
    )


def _tasks(tasks: dict[str, Any]) -> dict[str, Any]:
    return {"tasks": tasks["items"], "following": tasks["next_cursor"], "now": datetime.now(UTC)}


PAGES = (At("/", work),)
