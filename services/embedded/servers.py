"""Both servers that the product needs, for one machine and for as long as somebody uses them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from services.embedded.home import Home
from services.embedded.postgres import Postgres, start_postgres
from services.embedded.temporal import PREFERRED_PORT, Temporal, start_temporal

NAMESPACE = "shangliang"


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are. What came from outside has no child here."""

    database_url: str = field(repr=False)
    """`postgresql://…` of a database that exists and may be empty."""
    application_url: str = field(repr=False)
    """The same as the role of web and worker; of somebody else's server the same address."""
    temporal_address: str
    """`host:port`."""
    temporal_namespace: str
    ui_url: str | None
    """Temporal's own pages; None when the engine is somebody else's."""
    postgres: Postgres | None = None
    temporal: Temporal | None = None


@contextlib.asynccontextmanager
async def embedded(
    home: Path | Home,
    *,
    database_url: str | None = None,
    temporal_address: str | None = None,
    namespace: str = NAMESPACE,
    durable: bool = True,
    preferred_port: int = PREFERRED_PORT,
    on_restart: Callable[[str, int, float], None] | None = None,
) -> AsyncIterator[Servers]:
    """Run PostgreSQL and Temporal below `home` while the block runs; they end with it, and with this process.

    An address given is taken as it is, and that server is not started. `durable=False` is for tests: it saves
    the waits for the disk. One program may hold a home at a time: see `Home.locked`, which the caller takes.

    Raises `StartRefused` with a text for the person who started us.
    """
    where = home if isinstance(home, Home) else Home(home.resolve())
    await asyncio.to_thread(where.make)
    postgres = temporal = None
    if database_url is None:
        postgres = asyncio.create_task(start_postgres(where, durable=durable, on_restart=on_restart))
    if temporal_address is None:
        temporal = asyncio.create_task(
            start_temporal(
                where,
                namespace=namespace,
                durable=durable,
                preferred_port=preferred_port,
                on_restart=on_restart,
            )
        )
    try:
        # Waited for one after the other, started together.
        ours, engine = await postgres if postgres else None, await temporal if temporal else None
        yield Servers(
            database_url=ours.database_url if ours else database_url or "",
            application_url=ours.application_url if ours else database_url or "",
            temporal_address=engine.address if engine else temporal_address or "",
            temporal_namespace=namespace,
            ui_url=engine.ui_url if engine else None,
            postgres=ours,
            temporal=engine,
        )
    finally:
        await asyncio.gather(*(_stop(started) for started in (postgres, temporal) if started is not None))


async def _stop(started: asyncio.Task[Postgres] | asyncio.Task[Temporal]) -> None:
    started.cancel()  # one that is still starting stops what it has begun
    await asyncio.wait({started})
    if not started.cancelled() and started.exception() is None:
        await started.result().child.stop()
