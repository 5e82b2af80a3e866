"""Around every request: an id, one line of log, its figures, and an answer whatever happens."""

import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.errors import BUSY, DEFECT, UNAVAILABLE, answer
from services.api.limits import READING, Room

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_log: Any = structlog.get_logger("shangliang.access")
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    # Answers are data: whatever somebody smuggles into one, no browser runs it. Pages bring a policy of their own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Nearly everything is somebody's; what may be kept says so itself.
    "Cache-Control": "no-store",
}
TRANSPORT = "max-age=31536000; includeSubDomains"
LARGEST_UPLOAD = "/attachments"


class Figures:
    """What Prometheus is told of requests: how many, how long."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self.requests = Counter("shangliang_http_requests", "Requests by route and status", labels, registry=registry)
        self.seconds = Histogram(
            "shangliang_http_request_seconds", "Time of a request", ("method", "route"), registry=registry
        )


class Surroundings:
    """The outermost layer. `is_outage` tells errors of a service that is away from defects; while `writing` is full,
    commands are refused here. `secure` tells browsers that this host is reached by TLS alone.

    Logs and figures name the route (`/issues/{key}`), never the address: that may hold what belongs to somebody.
    """

    def __init__(
        self,
        app: ASGIApp,
        figures: Figures,
        is_outage: Callable[[BaseException], bool],
        writing: Room,
        secure: bool = False,
    ) -> None:
        self._app = app
        self._figures = figures
        self._is_outage = is_outage
        self._writing = writing
        self._headers = SECURITY | ({"Strict-Transport-Security": TRANSPORT} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = scope["request_id"] = given if _ID.fullmatch(given) else uuid4().hex
        started, status = time.perf_counter(), 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                changed = MutableHeaders(scope=message)
                changed["X-Request-ID"] = request_id
                for name, value in self._headers.items():
                    changed.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                if scope["method"] not in READING and self._writing.is_full():
                    # Before the route is looked up: a no must cost next to nothing when there are many to be said.
                    await answer(BUSY, headers.get("accept-language"), request_id)(scope, receive, note)
                    return
                await self._app(scope, receive, note)
            except Exception as error:  # the outermost loop of a request: whatever it is, the caller gets an answer
                outage = self._is_outage(error)
                if outage:
                    _log.warning("service away", error=type(error).__name__)
                else:
                    _log.exception("defect")
                if not status:
                    problem = UNAVAILABLE if outage else DEFECT
                    await answer(problem, headers.get("accept-language"), request_id)(scope, receive, note)
            finally:
                self._finish(scope, status, time.perf_counter() - started)

    def _finish(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._figures.requests.labels(scope["method"], route, status).inc()
        self._figures.seconds.labels(scope["method"], route).observe(seconds)
        _log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))
