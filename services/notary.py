"""Seal every day soon after it is over, without anybody's help."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from services.storage.audit import Signer, seal_days
from services.storage.outage import is_outage

EVERY = timedelta(minutes=10)

log = structlog.get_logger(__name__)


class Storage(Protocol):
    """What this room needs of a database."""

    def begin(self) -> AbstractAsyncContextManager[Any]:
        """A connection in a transaction."""


class Notary:
    """Looks every ten minutes whether a day has ended; several may, a day is sealed once."""

    def __init__(self, storage: Storage, signer: Signer) -> None:
        self._storage = storage
        self._signer = signer

    async def run(self) -> None:
        """Seal until cancelled; a database that is away is asked again."""
        while True:
            try:
                async with self._storage.begin() as connection:
                    for seal in await seal_days(connection, self._signer, datetime.now(UTC)):
                        log.info("audit.sealed", day=seal.day.isoformat(), tenant=seal.tenant, head=seal.head)
            except Exception as error:  # a day that could not be sealed must not end the sealing of the next
                if not is_outage(error):
                    log.exception("audit.defect")
            await asyncio.sleep(EVERY.total_seconds())
