"""Put the API together from what it is given; nothing is read from the environment here."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

from services.api import openapi
from services.api.attachments import Store, attachment_router
from services.api.auth import auth_router
from services.api.batches import batch_router
from services.api.cases import case_router
from services.api.contacts import contact_router
from services.api.deps import PREFIX, Desk
from services.api.documents import Archive, document_router, public_document_router
from services.api.door import Door
from services.api.errors import install
from services.api.exports import export_router
from services.api.health import Probe, health_router
from services.api.intake import intake_router
from services.api.limits import READS_AT_ONCE, WRITES_AT_ONCE, Room
from services.api.middleware import Figures, Surroundings
from services.api.objections import objection_router
from services.api.operations import Waiting, operation_router
from services.api.origins import Origins
from services.api.permits import permit_router
from services.api.ports import Engine, People, Reads, Sealing
from services.api.public import public_router
from services.api.questions import question_router
from services.api.rights import rights_router
from services.api.shelf import shelve
from services.api.views import CheckCodes
from services.documents.filling import Templates
from services.documents.papers import Marks
from services.identity.rates import Rates
from services.identity.tokens import Tokens
from services.storage.outage import is_outage
from workflows.kernel.process import Process
from workflows.policy.pack import Pack

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


ISSUE, ADMISSION = "issue", "admission"
OBJECTION = "objection"


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


@asynccontextmanager
async def _nothing(app: FastAPI) -> AsyncIterator[None]:
    yield


def create_app(
    *,
    processes: Sequence[Process[Any]],
    engine: Engine,
    reads: Reads,
    people: People,
    tokens: Tokens,
    sealing: Sealing,
    secrets: Sequence[bytes],
    store: Store,
    pack: Pack,
    probes: Mapping[str, Probe],
    routers: Sequence[APIRouter] = (),
    archive: Archive | None = None,
    waiting: Waiting | None = None,
    request_timeout: float = 5.0,
    registry: CollectorRegistry | None = None,
    rates: Rates | None = None,
    secure: bool = False,
    cors_origins: Sequence[str] = (),
    codec_origins: Sequence[str] = (),
    lifespan: Lifespan = _nothing,
) -> FastAPI:
    """Make the app.

    The first of the `secrets` makes the check codes, those of the others stay valid; `pack` is pinned by new cases;
    `routers` are those of other rooms of master data, each with its own store; `archive` makes the documents; `waiting`
    says how long messages wait; `secure` means that browsers reach this host by TLS alone; the origins are those whose
    pages may call the API, and the codec of the engine; times are seconds.
    """
    archive = archive or Archive(Templates(), Marks(secrets))
    registry = registry or _registry()
    app = FastAPI(
        title="商量 Shangliang",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.request_timeout = request_timeout
    # Whoever is let in has the other half of his time for being worked on.
    patience = request_timeout / 2
    app.state.reading, app.state.writing = Room(READS_AT_ONCE, patience), Room(WRITES_AT_ONCE, patience)
    app.state.desk = Desk(
        engine=engine,
        reads=reads,
        people=people,
        tokens=tokens,
        door=Door(reads, people, sealing, {process.name: process for process in processes}, secret=secrets[0]),
        codes=CheckCodes(secrets),
        pack=pack,
        rates=rates or Rates(account=0, sign_in=0),
    )
    install(app)
    shelf: list[APIRouter] = [
        health_router(probes),
        auth_router(processes),
        rights_router(processes),
        question_router(),
        attachment_router(store),
        operation_router(registry, waiting),
        # Before the cases: what they add below `/inspections/{key}` is not one of a case's own routes.
        *routers,
    ]
    named = {process.name: process for process in processes}
    for process in processes:
        if process.name == ISSUE:
            # Before the cases: `/issues/{key}/reporter` is not one of a case's own routes.
            shelf.append(contact_router(process))
            shelf.append(public_router(process))
            shelf.append(intake_router(process))
        if process.name == OBJECTION:
            shelf.append(objection_router(named["notice"], process))
        shelf.append(document_router(process, archive))
        shelf.append(export_router(process))
        shelf.append(batch_router(process))
        if process.name == ADMISSION:
            shelf.append(permit_router(process))
        shelf.append(case_router(process))
    shelf.append(public_document_router(processes, archive))
    shelve(app, PREFIX, shelf)
    openapi.install(app, processes)
    app.add_middleware(
        Surroundings, figures=Figures(registry), is_outage=is_outage, writing=app.state.writing, secure=secure
    )
    if cors_origins or codec_origins:
        app.add_middleware(Origins, api=cors_origins, codec=codec_origins)
    return app
