"""Speak to the product as people do: its JSON API, signed in under their accounts."""

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

Json = dict[str, Any]

TIMEOUT = 30.0
TRIES = 12
LONGEST_PAUSE = 5.0
AGAIN = (429, 503)
OK = 300


class ApiAway(Exception):
    """The API does not answer, however often it is asked."""


class SignInFailed(Exception):
    """A demonstration account and its password do not belong together."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said: the body, or the problem with its stable code and reason."""

    status: int
    body: Any

    @property
    def is_yes(self) -> bool:
        """Say whether it was done."""
        return self.status < OK

    @property
    def code(self) -> str:
        """The stable code of a refusal, with its reason."""
        told = self.body if isinstance(self.body, dict) else {}
        return ":".join(filter(None, (str(told.get("code", self.status)), str(told.get("reason", "")))))


class Api:
    """The API under many accounts, at most `parallel` requests at a time.

    A request that meets an absent service is sent again with the same key, so that it is carried out once.
    """

    def __init__(self, url: str, password: str, *, parallel: int, transport: httpx.AsyncBaseTransport | None = None):
        limits = httpx.Limits(max_connections=parallel, max_keepalive_connections=parallel)
        self._client = httpx.AsyncClient(
            base_url=f"{url.rstrip('/')}/api/v1", timeout=TIMEOUT, limits=limits, transport=transport
        )
        self._password = password
        self._room = asyncio.Semaphore(parallel)
        self._tokens: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.requests: Counter[str] = Counter()
        """Requests by method; `again` counts those that had to be repeated."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, who: str, path: str, **query: Any) -> Any:
        """Read something as somebody; raises `LookupError` when he is not given it."""
        answer = await self._send(who, "GET", path, None, query)
        if not answer.is_yes:
            raise LookupError(f"GET {path} as {who}: {answer.code}")
        return answer.body

    async def post(self, who: str, path: str, body: Json) -> Answer:
        """Send a command as somebody, once."""
        return await self._send(who, "POST", path, body, {})

    async def attach(self, who: str, name: str, content: str) -> str:
        """Upload a text as a file; gives its id. Raises `LookupError` when it is refused."""
        sent = {"file": (name, content.encode(), "text/plain")}
        headers = {"Authorization": f"Bearer {await self._token(who)}"}
        async with self._room:
            response = await self._client.post("/attachments", files=sent, data={"kind": "FILE"}, headers=headers)
        if not response.is_success:
            raise LookupError(f"POST /attachments as {who}: {response.status_code}")
        return str(response.json()["id"])

    async def _send(self, who: str, method: str, path: str, body: Json | None, query: Json) -> Answer:
        key = {"Idempotency-Key": secrets.token_hex(16)} if method == "POST" else {}
        pause = 0.1
        for attempt in range(TRIES):
            headers = {"Authorization": f"Bearer {await self._token(who)}", "Accept-Language": "en", **key}
            self.requests["again" if attempt else method] += 1
            try:
                async with self._room:
                    response = await self._client.request(method, path, json=body, params=query, headers=headers)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code == httpx.codes.UNAUTHORIZED and attempt == 0:
                self._tokens.pop(who, None)
                continue
            if response is not None and response.status_code not in AGAIN:
                return Answer(response.status_code, _json(response))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        raise ApiAway(f"{method} {path}")

    async def _token(self, who: str) -> str:
        lock = self._locks.setdefault(who, asyncio.Lock())
        async with lock:
            if who not in self._tokens:
                self._tokens[who] = await self._sign_in(who)
            return self._tokens[who]

    async def _sign_in(self, who: str) -> str:
        form = {"username": who, "password": self._password}
        for attempt in range(TRIES):
            try:
                async with self._room:
                    response = await self._client.post("/auth/token", data=form)
            except httpx.TransportError as trouble:
                if attempt == TRIES - 1:
                    raise ApiAway("POST /auth/token") from trouble
                response = None
            if response is not None and response.is_success:
                return str(response.json()["access_token"])
            if response is not None and response.status_code not in AGAIN:
                raise SignInFailed(who)
            await asyncio.sleep(0.5)
        raise ApiAway("POST /auth/token")


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return {"code": str(response.status_code)}
