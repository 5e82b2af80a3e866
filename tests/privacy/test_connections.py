"""Slow, silent and oversized clients are told so in a line and let go; everybody else is served meanwhile."""

import asyncio
import contextlib
import re
import resource
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from services.api import connections
from services.api.connections import guarded, most_connections

MOST = 40
ASK = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


async def _said(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _endless(request: Request) -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536
            await asyncio.sleep(0)

    return StreamingResponse(pieces())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def port() -> AsyncIterator[int]:
    """A server with room for a few connections."""
    app = Starlette(routes=[Route("/", _said, methods=["GET", "POST"]), Route("/endless", _endless)])
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    server = uvicorn.Server(uvicorn.Config(app, http=guarded(MOST), lifespan="off", log_config=None, loop="none"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the test run has its own
    serving = asyncio.create_task(_serve(server, listener))
    while not server.started:
        await asyncio.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving
    listener.close()


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await server._serve(sockets=[listener])


class Wire:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    async def answer(self) -> bytes:
        """One whole answer, or what there is when the server closes."""
        said = b""
        with contextlib.suppress(ConnectionError):
            while part := await asyncio.wait_for(self.reader.read(65536), 20):
                said += part
                head, _, body = said.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                if length and len(body) >= int(length[1]):
                    break
        return said

    def close(self) -> None:
        self.writer.close()


@pytest_asyncio.fixture(loop_scope="session")
async def wire(port: int) -> AsyncIterator[Any]:
    """Open raw connections, closed at the end."""
    opened: list[Wire] = []

    async def connect() -> Wire:
        opened.append(Wire(*await asyncio.open_connection("127.0.0.1", port)))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()
    await asyncio.sleep(0.05)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_an_ordinary_client_is_served_again_and_again(wire: Any) -> None:
    client = await wire()
    for _ in range(3):
        await client.say(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc")
        answer = await client.answer()
        assert status(answer) == 200
        assert answer.endswith(b"3")


async def test_a_head_that_does_not_end_is_refused(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await wire()
    await client.say(b"GET / HTTP/1.1\r\nHost: here\r\n")
    for _ in range(40):
        await client.say(b"X-Filler: " + b"x" * 1000 + b"\r\n")

    answer = await client.answer()

    assert status(answer) == 431
    assert b'"code":"head_too_large"' in answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: here\r\nX-Large: " + b"x" * 40_000 + b"\r\n\r\n",
        b"GET /?q=" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: here\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n",
    ],
    ids=["one large header", "a long address", "many headers"],
)
async def test_a_head_that_comes_at_once_is_measured_too(wire: Any, head: bytes) -> None:
    client = await wire()
    await client.say(head)

    assert status(await client.answer()) == 431


async def test_who_says_nothing_is_let_go(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_WITHIN", 0.2)
    silent, slow = await wire(), await wire()
    await slow.say(b"GET / HT")

    assert status(await silent.answer()) == 408
    assert status(await slow.answer()) == 408


async def test_who_does_not_take_his_answer_is_let_go(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "TAKEN_WITHIN", 0.2)
    client = await wire()
    client.writer.transport.pause_reading()
    await client.say(b"GET /endless HTTP/1.1\r\nHost: here\r\n\r\n")
    await asyncio.sleep(1)
    client.writer.transport.resume_reading()

    # All that was on its way, and then the end.
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionError):
            while await client.reader.read(1 << 20):
                pass


async def test_silent_connections_make_room_for_the_next(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SILENT_FOR", 0.0)
    crowd = [await wire() for _ in range(MOST)]
    clients = [await wire() for _ in range(10)]
    for client in clients:
        await client.say(ASK)

    assert [status(await client.answer()) for client in clients] == [200] * 10
    # The first ones had been silent the longest.
    assert {status(await one.answer()) for one in crowd[:10]} == {408}


async def test_a_crowd_that_has_just_come_is_refused_politely(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SILENT_FOR", 60.0)
    crowd = [await wire() for _ in range(MOST)]
    late = [await wire() for _ in range(5)]
    answers = [await one.answer() for one in late]

    assert len(crowd) == MOST
    assert [status(one) for one in answers] == [503] * 5
    assert all(b"Retry-After: 5" in one and b"application/problem+json" in one for one in answers)


async def test_ten_thousand_slow_connections_keep_nobody_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many of the ten thousand as this machine lets one process open, both ends of each counted."""
    monkeypatch.setattr(connections, "SILENT_FOR", 0.05)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    crowd = min(10_000, soft - MOST - 512)
    opened: list[socket.socket] = []
    served = []
    try:
        for number in range(crowd):
            one = socket.socket()
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.1", port))
            opened.append(one)
            if number % 500 == 0:
                await asyncio.sleep(0.1)
                client = Wire(*await asyncio.open_connection("127.0.0.1", port))
                await client.say(ASK)
                served.append(status(await client.answer()))
                client.close()
    finally:
        for one in opened:
            one.close()

    assert len(opened) == crowd
    # Some may be asked to come again, as they are told; nobody waits in vain, and most are served at once.
    assert set(served) <= {200, 503}
    assert served.count(200) >= len(served) // 2


def test_there_is_room_for_files_besides() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert 16 <= most_connections() <= max(16, min(connections.MOST_CONNECTIONS, soft - connections.SPARE_FILES))
