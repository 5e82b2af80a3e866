"""What somebody was told (通知): the bell that rings by itself, and the list behind it."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from services.console.pages.routing import At
from services.console.visit import Visit

PAGE = 30


async def listing(visit: Visit) -> Response:
    """What I was told, unread first."""
    found = await visit.api.get(
        "/notifications", limit=PAGE, unread=visit.query("unread") and "true", cursor=visit.query("cursor")
    )
    values: dict[str, Any] = {
        "items": found["items"],
        "unread": found["unread"],
        "following": found["next_cursor"],
        "only": bool(visit.query("unread")),
        "now": datetime.now(UTC),
    }
    part = "parts/notifications.html" if visit.is_partial and visit.query("cursor") else "notifications.html"
    return await visit.show(part, **values)


async def read_all(visit: Visit) -> Response:
    """Mark everything as read."""
    await visit.api.post("/notifications/read")
    return visit.go("/notifications")


async def look_at(visit: Visit) -> Response:
    """Go to the case that it is about; it is read with that."""
    told = await visit.api.post(f"/notifications/{visit.request.path_params['told']}/read")
    return visit.go(f"/{visit.words.plural(told['case']['process'])}/{told['case']['number']}")


async def count(visit: Visit) -> Response:
    """How many are unread, for browsers that cannot listen."""
    found = await visit.api.get("/notifications", limit=1)
    return JSONResponse({"unread": found["unread"]}, headers={"Cache-Control": "no-store"})


async def stream(visit: Visit) -> Response:
    """The bell: what I am told as it happens. Asked first who I am, so that a session is renewed before."""
    await visit.me()
    return visit.api.stream("/notifications/stream")


PAGES = (
    At("/notifications", listing),
    At("/notifications/read", read_all, ("POST",)),
    At("/notifications/count", count),
    At("/notifications/stream", stream),
    At("/notifications/{told}", look_at),
)
