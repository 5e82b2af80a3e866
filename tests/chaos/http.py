"""A client that expects anything: no pool, no library, a bound on every request, and a note of what it was told."""

import asyncio
import itertools
import json
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.check.history import Outcome, Request

TRY_WITHIN = 15.0
"""No request of the product may take longer; one that does is counted as hung."""
PAUSE = 0.25
AGAIN = (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: status 0 when there was no answer at all; times in seconds of the monotonic clock."""

    began: float
    seconds: float
    status: int
    body: Any = None
    retry_after: str = ""

    @property
    def ended(self) -> float:
        """When the answer was there."""
        return self.began + self.seconds


@dataclass(slots=True)
class Ask:
    """One request under one key, and every attempt at it."""

    actor: str
    path: str
    body: Any
    command: str
    case: str | None = None
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    tries: list[Try] = field(default_factory=list)

    @property
    def answer(self) -> Try | None:
        """The first definite answer."""
        return next((one for one in self.tries if one.status and one.status not in AGAIN), None)

    def noted(self) -> Request:
        """What the client knows in the end, for the history check."""
        answer = self.answer
        case, version, outcome = self.case, None, Outcome.UNKNOWN
        if answer is not None and answer.status < 300:
            case, version, outcome = answer.body["id"], answer.body["version"], Outcome.DONE
        elif answer is not None and answer.status < 500:
            outcome = Outcome.REFUSED
        return Request(
            actor=self.actor, key=self.key, command=self.command, outcome=outcome, case=case, version=version
        )


async def once(
    port: int,
    method: str,
    path: str,
    body: Any = None,
    *,
    token: str = "",
    key: str = "",
    kind: str = "",
    host: str = "",
) -> Try:
    """Send one request over a connection of its own and read the answer; never raises for a missing one."""
    began = time.monotonic()
    status, answer, after = 0, None, ""
    writer = None
    try:
        async with asyncio.timeout(TRY_WITHIN):
            reader, writer = await asyncio.open_connection(host or "127.0.0.1", port)
            content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            head = [f"{method} /api/v1{path} HTTP/1.1", "Host: chaos", "Connection: close"]
            head += [f"Content-Type: {kind or 'application/json'}", f"Content-Length: {len(content)}"]
            head += [f"Authorization: Bearer {token}"] if token else []
            head += [f"Idempotency-Key: {key}"] if key else []
            writer.write("\r\n".join([*head, "", ""]).encode() + content)
            raw = await reader.read(-1)
        status, answer, after = _read(raw)
    except (OSError, TimeoutError, ValueError):
        status = 0
    finally:
        if writer is not None:
            writer.transport.abort()
    return Try(began, time.monotonic() - began, status, answer, after)


def _read(raw: bytes) -> tuple[int, Any, str]:
    """Status, body and Retry-After of a whole answer; raises `ValueError` when it is cut."""
    head, cut, content = raw.partition(b"\r\n\r\n")
    if not cut:
        raise ValueError("no answer")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    if len(content) != int(headers.get("content-length", len(content))):
        raise ValueError("half an answer")
    is_json = "json" in headers.get("content-type", "")
    return int(lines[0].split(" ")[1]), json.loads(content) if is_json else None, headers.get("retry-after", "")


class Line:
    """A connection that is kept, for a client that must cost little: one request at a time, the body unread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> Try:
        """Send a whole request; status 0 when there is no answer."""
        began = time.monotonic()
        status, body, after = 0, b"", ""
        try:
            async with asyncio.timeout(TRY_WITHIN):
                if self._streams is None:
                    self._streams = await asyncio.open_connection("127.0.0.1", self._port)
                reader, writer = self._streams
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                body = await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r")[0]))
                status, after = int(head[9:12]), head.partition("retry-after: ")[2].partition("\r")[0]
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            self.close()
        return Try(began, time.monotonic() - began, status, json.loads(body) if 200 <= status < 300 else None, after)

    def close(self) -> None:
        """Close it, if it is open."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


class Callers:
    """Everybody who sends commands in a campaign: signed in once, every request noted."""

    def __init__(self, port: int, password: str, *, host: str = "") -> None:
        self.port = port
        self.host = host
        self.asks: list[Ask] = []
        self._password = password
        self._tokens: dict[str, str] = {}

    async def sign_in(self, *names: str) -> None:
        """Fetch a token for each name."""
        for name in names:
            form = f"username={name}&password={self._password}".encode()
            answer = await once(
                self.port, "POST", "/auth/token", form, kind="application/x-www-form-urlencoded", host=self.host
            )
            assert answer.status == 200, (answer.status, answer.body)
            self._tokens[name] = answer.body["access_token"]

    async def attempt(self, ask: Ask) -> Try:
        """Send a request once, under its key."""
        if ask not in self.asks:
            self.asks.append(ask)
        one = await once(
            self.port, "POST", ask.path, ask.body, token=self._tokens[ask.actor], key=ask.key, host=self.host
        )
        ask.tries.append(one)
        return one

    def written(self, ask: Ask) -> bytes:
        """A request as it goes over a `Line`; noted like every other."""
        self.asks.append(ask)
        content = json.dumps(ask.body).encode()
        head = [f"POST /api/v1{ask.path} HTTP/1.1", "Host: chaos", "Content-Type: application/json"]
        head += [f"Authorization: Bearer {self._tokens[ask.actor]}", f"Idempotency-Key: {ask.key}"]
        return "\r\n".join([*head, f"Content-Length: {len(content)}", "", ""]).encode() + content

    async def insist(self, ask: Ask, *, until: float = float("inf")) -> Try | None:
        """Send a request with its key until there is an answer, or until that moment of the monotonic clock."""
        while time.monotonic() < until:
            one = await self.attempt(ask)
            if ask.answer is not None:
                return one
            await asyncio.sleep(PAUSE * (0.5 + random.random()))
        return None

    async def read(self, path: str, actor: str) -> Try:
        """Ask a question."""
        return await once(self.port, "GET", path, token=self._tokens[actor], host=self.host)

    def requests(self) -> list[Request]:
        """Everything that was asked for, for the history check."""
        return [ask.noted() for ask in self.asks]

    def tries(self) -> list[Try]:
        """Every attempt, in the order of its end."""
        return sorted((one for ask in self.asks for one in ask.tries), key=lambda one: one.ended)

    def longest_silence(self, since: float, until: float) -> float:
        """The longest time in which nobody's command succeeded, in seconds."""
        ends = [
            since,
            *(one.ended for one in self.tries() if 0 < one.status < 300 and since < one.ended < until),
            until,
        ]
        return max(b - a for a, b in itertools.pairwise(ends))

    def slowest(self) -> float:
        """The longest attempt, in seconds."""
        return max((one.seconds for one in self.tries()), default=0.0)

    def odd(self) -> list[str]:
        """Answers that the product must never give: 5xx other than 503, and 429 or 503 without Retry-After."""
        found = []
        for ask in self.asks:
            for one in ask.tries:
                if (one.status >= 500 and one.status != 503) or (one.status in (429, 503) and not one.retry_after):
                    found.append(f"{ask.command} answered {one.status} {one.body}")
        return found
