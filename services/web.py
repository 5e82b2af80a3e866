"""The composition root of the API process: what it is made of, from the settings to the socket."""

import contextlib
import signal
import socket
from collections.abc import AsyncIterator

import uvicorn
from fastapi import APIRouter, FastAPI

from services.api.health import health_router
from services.readiness import Engine
from services.settings import Settings
from services.storage.database import database, healthy

TASK_QUEUE = "gov"


async def serve_api(settings: Settings, listener: socket.socket) -> None:
    """Serve the API on `listener` until SIGTERM or SIGINT, then let requests finish within the grace."""
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(settings),
            loop="none",  # we run in one already
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,  # services/logs.py has it
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, int(settings.grace)),
        )
    )
    # The server takes the two signals while it serves and sends them on when it is done; that is our end too.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, frame: None)
    await server.serve(sockets=[listener])


def build_app(settings: Settings) -> FastAPI:
    """Put the application together; servers are first asked at the first request."""
    assert settings.database_url is not None, "a composition root gets complete settings"
    assert settings.temporal_address is not None, "a composition root gets complete settings"
    storage = database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool,
        application_name="shangliang-web",
    )
    engine = Engine(settings.temporal_address, settings.temporal_namespace)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await storage.dispose()

    app = FastAPI(title="商量 Shangliang", version="1", lifespan=lifespan)
    api = APIRouter(prefix="/api/v1")
    api.include_router(
        health_router(
            {
                "postgres": lambda: healthy(storage),
                "temporal": engine.answers,
                "worker": lambda: engine.is_worked(TASK_QUEUE),
            }
        )
    )
    app.include_router(api)
    return app
