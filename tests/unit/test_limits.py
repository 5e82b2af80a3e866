"""A process takes so many requests at once; the rest is told so, at once and with a time to come again."""

import asyncio
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from services.api.limits import Room, TimedRoute


def busy(at_once: int) -> tuple[FastAPI, asyncio.Event, asyncio.Event]:
    """An app whose one command waits until it is let go."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    app, router = FastAPI(), APIRouter(route_class=TimedRoute)
    app.state.request_timeout = 30.0
    app.state.reading, app.state.writing = Room(1), Room(at_once)

    @router.post("/command")
    async def command() -> dict[str, Any]:
        begun.set()
        await go_on.wait()
        return {}

    @router.get("/question")
    async def question() -> dict[str, Any]:
        return {}

    app.include_router(router)
    return app, begun, go_on


async def test_one_command_too_many_is_refused_at_once_and_taken_later() -> None:
    app, begun, go_on = busy(at_once=1)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        first = asyncio.create_task(client.post("/command"))
        await begun.wait()

        refused = await client.post("/command")
        asked = await client.get("/question")
        go_on.set()

        assert (refused.status_code, refused.headers["retry-after"], refused.json()["code"]) == (429, "2", "too_many")
        assert asked.status_code == 200
        assert (await first).status_code == 200
        assert (await client.post("/command")).status_code == 200
