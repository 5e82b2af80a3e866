"""Which pages of other hosts a browser lets call this API (CORS): those that were named, and no others."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TAKEN = ("Authorization", "Content-Type", "Accept-Language", "Idempotency-Key", "If-Match", "X-Request-ID")
SHOWN = ("ETag", "Location", "Retry-After", "X-Request-ID", "Content-Disposition")
CODEC = "/codec/"
AN_HOUR = 3600


class Origins:
    """Answers browsers for the named origins; those of the engine's own pages reach the codec and nothing else.

    Never with cookies: who calls the API names himself by a token.
    """

    def __init__(self, app: ASGIApp, *, api: Sequence[str], codec: Sequence[str]) -> None:
        self._app = app
        self._api = _for(app, api, TAKEN) if api else app
        self._codec = _for(app, codec, (*TAKEN, "X-Namespace")) if codec else self._api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        app = self._codec if scope["type"] == "http" and CODEC in scope["path"] else self._api
        await app(scope, receive, send)


def _for(app: ASGIApp, origins: Sequence[str], headers: Sequence[str]) -> CORSMiddleware:
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=METHODS, allow_headers=headers, expose_headers=SHOWN, max_age=AN_HOUR
    )
