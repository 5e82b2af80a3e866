"""Bound what one request may cost, its time and its size, and how many are worked on at once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.api.errors import UNAVAILABLE, Invalid, NotFound, TooLarge, respond
from services.api.faults import Fault

BODY_LIMIT = 1024 * 1024
BODY_TIMEOUT = 10.0


class Room:
    """Counts the requests that are worked on; a slow sender takes no place until his body is there."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0

    @property
    def left(self) -> int:
        """Free places; never less than none."""
        return max(0, self._places - self._taken)

    def __enter__(self) -> None:
        self._taken += 1

    def __exit__(self, *ended: object) -> None:
        self._taken -= 1


class TimedRoute(APIRoute):
    """A route whose handler answers within `app.state.request_timeout` seconds, if only by 503.

    The body is read first and has a limit of its own, so that a slow sender is not told that we are slow. Whoever
    comes when there is no room is told so at once, by 429, before anything is read or looked up.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handler = super().get_route_handler()

        async def timed(request: Request) -> Response:
            require_text(request)
            await read_body(request)
            try:
                async with asyncio.timeout(request.app.state.request_timeout):
                    return await handler(request)
            except TimeoutError:
                return respond(request, UNAVAILABLE)

        return timed


def require_text(request: Request) -> None:
    """Refuse an address with a character that PostgreSQL cannot hold, before it is asked about it."""
    if "\0" in request.url.path or "\0" in request.scope["path"]:
        raise NotFound
    wrong = [Fault(name, "characters") for name, value in request.query_params.multi_items() if "\0" in name + value]
    if wrong:
        raise Invalid(*wrong)


async def read_body(request: Request) -> None:
    """Read the body into the request; raises `TooLarge` past the limit."""
    if request.method in ("GET", "HEAD", "DELETE", "OPTIONS"):
        return
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > BODY_LIMIT:
        raise TooLarge(limit="1 MB")
    parts, size = [], 0
    async with asyncio.timeout(BODY_TIMEOUT):
        async for part in request.stream():
            size += len(part)
            if size > BODY_LIMIT:
                raise TooLarge(limit="1 MB")
            parts.append(part)
    # Starlette keeps a body that was read once under this name; handlers and forms read it from there.
    request._body = b"".join(parts)
