"""The console as a client of the API: in the same process, as the person who is signed in (内部调用).

A page knows nothing that this person could not ask the API himself, and does nothing that it would not let him do.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BASE = "http://console/api/v1"
# With the host, so that addresses which the API makes are those by which the browser came.
PASSED_ON = ("x-request-id", "user-agent", "host")


class Problem(Exception):
    """The API said no; `body` is its problem document in the reader's language."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code', '')}")
        self.status = status
        self.body = body

    @property
    def code(self) -> str:
        """The stable code."""
        return str(self.body.get("code", ""))

    @property
    def detail(self) -> str:
        """What it means, for people."""
        return str(self.body.get("detail", ""))

    @property
    def by_field(self) -> dict[str, str]:
        """What is wrong with each field."""
        return {one["field"]: one["message"] for one in self.body.get("errors", ())}


class SignedOut(Exception):
    """Nobody is signed in any more."""


@dataclass(slots=True)
class Api:
    """Calls of one page. `token` is the caller's, `language` the reader's."""

    app: ASGIApp
    token: str | None
    language: str
    address: tuple[str, int] = ("127.0.0.1", 0)
    headers: Mapping[str, str] = field(default_factory=dict)

    async def get(self, path: str, **query: Any) -> Any:
        """Read; raises `Problem` or `SignedOut`."""
        return await self._ask("GET", path, params={name: value for name, value in query.items() if value})

    async def post(self, path: str, body: Any = None, *, key: str = "", version: int | None = None) -> Any:
        """Do; a key makes it safe to send twice, a version lets it be done on that version only."""
        headers = {"Idempotency-Key": key} if key else {}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return await self._ask("POST", path, json={} if body is None else body, headers=headers)

    async def put(self, path: str, body: Any) -> Any:
        """Replace."""
        return await self._ask("PUT", path, json=body)

    async def patch(self, path: str, body: Any) -> Any:
        """Change."""
        return await self._ask("PATCH", path, json=body)

    async def delete(self, path: str) -> Any:
        """Take away."""
        return await self._ask("DELETE", path)

    async def form(self, path: str, values: Mapping[str, str]) -> Any:
        """Send a form, as the password grant wants it."""
        return await self._ask("POST", path, data=dict(values))

    async def upload(
        self, path: str, name: str, content: bytes, media_type: str, *, key: str = "", **values: str
    ) -> Any:
        """Send a file; a key makes it safe to send twice."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self._ask("POST", path, data=values, files={"file": (name, content, media_type)}, headers=headers)

    async def exchange(self, path: str, name: str, content: bytes, media_type: str) -> httpx.Response:
        """Send a file, and give what comes back for it as it is."""
        return await self._call("POST", path, files={"file": (name, content, media_type)})

    async def file(self, path: str, accept: str, **query: Any) -> httpx.Response:
        """Fetch a file as it is."""
        wanted = {name: value for name, value in query.items() if value}
        return await self._call("GET", path, params=wanted, headers={"Accept": accept})

    def stream(self, path: str) -> "Streamed":
        """Hand an answer on as it comes, for as long as it lasts."""
        return Streamed(self, path)

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = await self._call(method, path, **more)
        return answer.json() if answer.content else None

    async def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Accept-Language": "en" if self.language == "en" else "zh-CN", **self.headers}
        headers |= more.pop("headers", {})
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        transport = httpx.ASGITransport(self.app, client=self.address)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            answer = await client.request(method, path, headers=headers, **more)
        if answer.status_code == 401:
            raise SignedOut
        if answer.status_code >= 400:
            try:
                body = answer.json()
            except json.JSONDecodeError:
                body = {}
            raise Problem(answer.status_code, body)
        return answer


class Streamed(Response):
    """An answer of the API that has no end of its own; headers set on it go out with it."""

    media_type = "text/event-stream"

    def __init__(self, api: Api, path: str) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._api = api
        self._path = f"/api/v1{path}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the API in the browser's place; who goes away ends it."""
        asked = {
            **{name: scope[name] for name in ("type", "asgi", "http_version", "scheme", "client", "server")},
            "method": "GET",
            "path": self._path,
            "raw_path": self._path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [
                (b"authorization", f"Bearer {self._api.token}".encode()),
                (b"accept-language", self._api.language.encode()),
            ],
        }

        async def on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*self.raw_headers, *_others(message["headers"], self.raw_headers)]
            await send(message)

        await self._api.app(asked, receive, on)


def _others(
    headers: Iterable[tuple[bytes, bytes]], given: Sequence[tuple[bytes, bytes]]
) -> Iterator[tuple[bytes, bytes]]:
    """Headers that are not given already."""
    names = {name for name, _ in given}
    return ((name, value) for name, value in headers if name.lower() not in names)


def api_for(app: ASGIApp, request: Request, token: str | None, language: str) -> Api:
    """Calls on behalf of whoever sent this request; the API counts them to his address."""
    host = (request.client.host, request.client.port) if request.client else ("127.0.0.1", 0)
    passed = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    return Api(app, token, language, host, passed)
