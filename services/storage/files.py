"""Keep the bytes of attachments in a folder or a bucket, by key."""

from collections.abc import AsyncIterator
from typing import IO

import obstore
from obstore.store import ObjectStore, from_url

CHUNK = 256 * 1024


class Files:
    """The store behind a URL: `file:///…` for a folder, which is made at the first use, `s3://…` for a bucket."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: ObjectStore | None = None

    async def keep(self, key: str, content: bytes | IO[bytes]) -> None:
        """Write one object whole; a reader never sees half of it."""
        await obstore.put_async(self._store(), key, content)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Give the object piece by piece; raises `FileNotFoundError` before the first piece."""
        found = await obstore.get_async(self._store(), key)

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in found.stream(min_chunk_size=CHUNK):
                yield bytes(piece)

        return pieces()

    def _store(self) -> ObjectStore:
        if self._opened is None:
            is_folder = self._url.startswith("file:")
            self._opened = from_url(self._url, mkdir=True) if is_folder else from_url(self._url)
        return self._opened
