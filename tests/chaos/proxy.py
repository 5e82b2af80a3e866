"""A TCP proxy that a campaign puts into a connection: passes, delays, swallows or cuts what goes through."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

PIECE = 65536


class Proxy:
    """A listener on a free port of this machine that passes on to `target`, a socket's path or `(host, port)`.

    `delay` is in seconds for each piece and way. While a way is closed, nothing passes it and nobody is told, as with
    a cable that is pulled; pieces that wait are passed when it is open again.
    """

    def __init__(self, target: str | tuple[str, int], *, host: str = "127.0.0.1") -> None:
        self.delay = 0.0
        self.port = 0
        self._host = host
        self._target = target
        self._there = asyncio.Event()
        self._back = asyncio.Event()
        self._there.set()
        self._back.set()
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self._server.wait_closed()

    def close(self, *, there: bool = True, back: bool = True) -> None:
        """Close the way to the target, the way back, or both."""
        if there:
            self._there.clear()
        if back:
            self._back.clear()

    def open(self) -> None:
        """Let everything pass again."""
        self._there.set()
        self._back.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pumps.add(task)
        try:
            # A new connection waits like everything else while the way is closed.
            await self._there.wait()
            await self._back.wait()
            if isinstance(self._target, str):
                theirs = await asyncio.open_unix_connection(self._target)
            else:
                theirs = await asyncio.open_connection(*self._target)
            try:
                ways = (self._pump(reader, theirs[1], self._there), self._pump(theirs[0], writer, self._back))
                pumps = [asyncio.create_task(way) for way in ways]
                try:
                    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for pump in pumps:
                        pump.cancel()
                    await asyncio.gather(*pumps, return_exceptions=True)
            finally:
                theirs[1].transport.abort()
        except (OSError, asyncio.CancelledError):
            pass  # the target is away, or the campaign is over
        finally:
            writer.transport.abort()
            self._pumps.discard(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(PIECE):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await way.wait()
                sink.write(piece)
                await sink.drain()
