"""Bound what one request may cost, its time and its size, and how many are worked on at once."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from services.api.errors import BUSY, UNAVAILABLE, Invalid, NotFound, TooLarge, TooSlow, respond
from services.api.faults import Fault

# One process works on so many at once: more would only wait longer, until all of them came too late. A command takes
# some ten milliseconds of a busy machine, so that the last of these is still answered well within its time.
WRITES_AT_ONCE = 64
READS_AT_ONCE = 128
# So many are always let in, however slow it goes: they keep the machine busy, and show when it goes faster again.
ALWAYS_LET_IN = 8
# What the latest to leave counts in the pace of leaving.
LATEST = 0.1
READING = ("GET", "HEAD", "OPTIONS")
BODY_LIMIT = 1024 * 1024
DROPPED_LIMIT = 8 * BODY_LIMIT
BODY_TIMEOUT = 10.0


class Room:
    """Counts the requests that are worked on; a slow sender takes no place until his body is there.

    It has so many `places`, and fewer when those inside leave so slowly that the next one would wait longer than
    `patience` seconds: a machine that others share may lose most of its speed from one second to the next, and with
    places for a fast one every request would then come too late. `clock` gives seconds.
    """

    def __init__(
        self, places: int, patience: float = float("inf"), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._places = places
        self._patience = patience
        self._clock = clock
        self._taken = 0
        self._pace = 0.0
        self._left_at: float | None = None

    def is_full(self) -> bool:
        """Say whether the next one would be one too many."""
        return self._taken >= self._places or (
            self._taken >= ALWAYS_LET_IN and (self._taken + 1) * self._pace > self._patience
        )

    def __enter__(self) -> None:
        self._taken += 1

    def __exit__(self, *ended: object) -> None:
        self._taken -= 1
        now = self._clock()
        if self._left_at is not None:
            self._pace += LATEST * (now - self._left_at - self._pace)
        # How fast one leaves after the other tells of the machine only while enough of them are at work.
        self._left_at = now if self._taken + 1 >= ALWAYS_LET_IN else None


class TimedRoute(APIRoute):
    """A route whose handler answers within `app.state.request_timeout` seconds, if only by 503.

    The body is read first and has a limit of its own, so that a slow sender is not told that we are slow. Whoever
    comes when there is no room is told so at once, by 429, before anything is read or looked up.
    """

    patience = 1.0

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        self.know_its_ends()

    def know_its_ends(self) -> None:
        """Take from the path what an address of this route begins and ends with: the letters around its parameters."""
        self._beginning = self.path.partition("{")[0]
        self._ending = self.path.rpartition("}")[2]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether an address is this route's.

        Each of some hundred commands has a route, so that most questions must cost less than a regular expression.
        """
        path = scope["path"]
        if not (path.endswith(self._ending) and path.startswith(self._beginning)):
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handler = super().get_route_handler()

        async def timed(request: Request) -> Response:
            room: Room = request.app.state.reading if request.method in READING else request.app.state.writing
            if room.is_full():
                return respond(request, BUSY)
            require_text(request)
            await read_body(request)
            if room.is_full():  # others were quicker
                return respond(request, BUSY)
            with room:
                try:
                    async with asyncio.timeout(request.app.state.request_timeout * self.patience):
                        return await handler(request)
                except TimeoutError:
                    return respond(request, UNAVAILABLE)

        return timed


class PatientRoute(TimedRoute):
    """A route that carries out many things in one call, and may take as long as some of them."""

    patience = 6.0


def require_text(request: Request) -> None:
    """Refuse an address with a character that PostgreSQL cannot hold, before it is asked about it."""
    if "\0" in request.url.path or "\0" in request.scope["path"]:
        raise NotFound
    wrong = [Fault(name, "characters") for name, value in request.query_params.multi_items() if "\0" in name + value]
    if wrong:
        raise Invalid(*wrong)


async def read_body(request: Request) -> None:
    """Read the body into the request; raises `TooLarge` past the limit.

    A body that is somewhat too large is read to its end and dropped: who is still sending would not see the answer.
    """
    if request.method in ("GET", "HEAD", "DELETE", "OPTIONS"):
        return
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > DROPPED_LIMIT:
        raise TooLarge(limit="1 MB")
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            async for part in request.stream():
                size += len(part)
                if size > DROPPED_LIMIT:
                    break
                if size <= BODY_LIMIT:
                    parts.append(part)
    except TimeoutError:
        raise TooSlow from None
    if size > BODY_LIMIT:
        raise TooLarge(limit="1 MB")
    # Starlette keeps a body that was read once under this name; handlers and forms read it from there.
    request._body = b"".join(parts)
