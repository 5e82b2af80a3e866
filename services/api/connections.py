"""Connections with limits: how many, how long for a request to arrive and for an answer to be taken, how large a head.

Whoever is slow or too much is told so in one line and let go; when there is no room, the one who has been silent the
longest makes room for the next, so that a crowd of silent connections keeps nobody out.
"""

import asyncio
import resource
from collections import OrderedDict
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_CONNECTIONS = 4096
SPARE_FILES = 256
"""Descriptors left for the database, the engine, logs and files."""
HEAD_LIMIT = 32 * 1024
MOST_HEADERS = 100
HEAD_WITHIN = 10.0
TAKEN_WITHIN = 60.0
SILENT_FOR = 1.0
"""Who has been silent for less may just be about to speak."""

REASONS = {
    408: ("timeout", "Request Timeout", "请求未在规定时间内到达。 The request did not arrive in time."),
    431: ("head_too_large", "Request Header Fields Too Large", "请求头过大。 The head of the request is too large."),
    503: ("engine_unavailable", "Service Unavailable", "连接过多,请稍后再试。 Too many connections; come again later."),
}


def most_connections() -> int:
    """As many as this process may have files open, less what it needs besides."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(MOST_CONNECTIONS, soft - SPARE_FILES))


def _answer(status: int) -> bytes:
    code, title, detail = REASONS[status]
    body = (
        f'{{"type":"about:blank","title":"{title}","status":{status},"detail":"{detail}","code":"{code}","errors":[]}}'
    ).encode()
    again = "Retry-After: 5\r\n" if status == 503 else ""
    head = (
        f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
        f"{again}Connection: close\r\n\r\n"
    )
    return head.encode() + body


ANSWERS = {status: _answer(status) for status in REASONS}


class Waiting:
    """Connections that have not sent a whole head yet, the one that has waited longest first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.since: OrderedDict[GuardedConnection, float] = OrderedDict()


class GuardedConnection(HttpToolsProtocol):
    """One connection of a client, with limits; the class for the server comes from `guarded`."""

    waiting: Waiting

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._head = 0
        self._over = False
        self._timer: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the library
        """Take a connection if there is room, or somebody silent who makes room."""
        super().connection_made(transport)
        if len(self.connections) > self.waiting.most:
            oldest = next(iter(self.waiting.since), None)
            if oldest is None or self.loop.time() - self.waiting.since[oldest] < SILENT_FOR:
                self._end(503)
                return
            oldest._end(408)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._arrived()
        self._taken()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless the connection has been let go."""
        if self._over:
            return
        super().data_received(data)
        if self in self.waiting.since:
            # The end of the head is still to come.
            self._head += len(data)
            if self._head > HEAD_LIMIT:
                self._end(431)

    def pause_writing(self) -> None:
        """The client does not take its answer: it has a while."""
        super().pause_writing()
        self._taking = self.loop.call_later(TAKEN_WITHIN, self.transport.abort)

    def resume_writing(self) -> None:
        """It does."""
        self._taken()
        super().resume_writing()

    def on_message_begin(self) -> None:
        """The head of a request begins."""
        super().on_message_begin()
        if self not in self.waiting.since:
            self._wait()

    def on_headers_complete(self) -> None:
        """The head is there: serve the request, if the head is not too large."""
        self._arrived()
        self._head = 0
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if self._over or size > HEAD_LIMIT or len(self.headers) > MOST_HEADERS:
            if not self._over:
                self._end(431)
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """More of the body."""
        if not self._over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of the body."""
        if not self._over:
            super().on_message_complete()

    def _wait(self) -> None:
        self.waiting.since[self] = self.loop.time()
        self._cancel()
        self._timer = self.loop.call_later(HEAD_WITHIN, self._end, 408)

    def _arrived(self) -> None:
        self.waiting.since.pop(self, None)
        self._cancel()

    def _taken(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, status: int) -> None:
        self._over = True
        self._arrived()
        if not self.transport.is_closing():
            # An answer that is being written must not be cut in two by another.
            cycle: Any = self.cycle  # none before the first request, whatever the library says
            if cycle is None or cycle.response_complete:
                self.transport.write(ANSWERS[status])
            self.transport.close()


def guarded(most: int | None = None) -> type[GuardedConnection]:
    """The class of connections for one server; by default as many as the process can have."""
    return type("Guarded", (GuardedConnection,), {"waiting": Waiting(most or most_connections())})
