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


class Crowd:
    """Requests in a room whose clock the test turns."""

    def __init__(self, places: int, patience: float) -> None:
        self.now = 0.0
        self.room = Room(places, patience, lambda: self.now)
        self.inside = 0

    def enter(self, wanted: int) -> int:
        """So many want to come in; gives how many are inside then."""
        while self.inside < wanted and not self.room.is_full():
            self.room.__enter__()
            self.inside += 1
        return self.inside

    def served(self, count: int, seconds: float) -> None:
        """So many leave, one after the other, each followed by the next who wants in."""
        for _ in range(count):
            self.now += seconds
            self.room.__exit__(None, None, None)
            self.inside -= 1
            self.enter(self.inside + 1)


def test_on_a_fast_machine_all_places_are_taken() -> None:
    crowd = Crowd(places=64, patience=2.5)
    crowd.enter(64)
    crowd.served(100, seconds=0.03)

    assert crowd.enter(100) == 64


def test_when_it_goes_slowly_fewer_are_let_in_so_that_they_are_served_in_time() -> None:
    crowd = Crowd(places=64, patience=2.5)
    crowd.enter(64)
    crowd.served(100, seconds=0.125)
    assert crowd.enter(100) == 2.5 / 0.125

    crowd.served(50, seconds=2.0)
    assert crowd.enter(100) == 8, "some are always let in"

    crowd.served(100, seconds=0.01)
    assert crowd.enter(100) == 64, "and show that it goes faster again"


def test_who_is_nearly_alone_tells_nothing_of_the_pace() -> None:
    crowd = Crowd(places=64, patience=2.5)
    for _ in range(50):
        crowd.enter(7)
        crowd.served(7, seconds=20.0)

    assert crowd.enter(100) == 64
