"""Keep the bytes of attachments in a folder or a bucket, by key."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

import obstore
import obstore.exceptions
from obstore.store import ObjectStore, from_url

CHUNK = 256 * 1024


class StoreAway(OSError):
    """The store does not answer or has no room; the same file may be sent again."""


class Files:
    """The store behind a URL: `file:///…` for a folder, which is made at the first use, `s3://…` for a bucket.

    Every call raises `StoreAway` when the store is not there.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: ObjectStore | None = None

    async def keep(self, key: str, content: bytes | IO[bytes]) -> None:
        """Write one object whole; a reader never sees half of it."""
        with _away():
            await obstore.put_async(self._store(), key, content)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Give the object piece by piece; raises `FileNotFoundError` before the first piece."""
        with _away():
            found = await obstore.get_async(self._store(), key)

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in found.stream(min_chunk_size=CHUNK):
                yield bytes(piece)

        return pieces()

    async def forget(self, keys: Sequence[str]) -> None:
        """Delete objects for good; one that is not there is as good as deleted."""
        for key in keys:
            with _away(), suppress(FileNotFoundError):
                await obstore.delete_async(self._store(), key)

    def _store(self) -> ObjectStore:
        if self._opened is None:
            is_folder = self._url.startswith("file:")
            self._opened = from_url(self._url, mkdir=True) if is_folder else from_url(self._url)
        return self._opened


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (obstore.exceptions.BaseError, OSError) as trouble:
        # What the library says names keys and addresses: that is for the log, not for the caller.
        raise StoreAway(type(trouble).__name__) from trouble
