"""The composition root of the API process: what it is made of, from the settings to the socket."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from types import FrameType

import uvicorn
from fastapi import FastAPI

from activities.calendar import Calendars
from activities.payloads import opened_json
from services.api.accounts import account_router
from services.api.admission_check import check_router
from services.api.app import create_app
from services.api.ballots import ballot_router
from services.api.burden import burden_router
from services.api.comments import comment_router
from services.api.committees import committee_router
from services.api.communities import community_router
from services.api.connections import guarded
from services.api.documents import Archive
from services.api.feeds import feed_router
from services.api.lists import list_router
from services.api.master_forms import master_form_router
from services.api.meetings import meeting_router
from services.api.mine import mine_router
from services.api.names import name_router
from services.api.notifications import notification_router
from services.api.overdue import overdue_router
from services.api.packs import pack_router
from services.api.people import people_router
from services.api.postgres import PostgresReads
from services.api.privacy import privacy_router
from services.api.saved_views import view_router
from services.api.templates import template_router
from services.api.tree import tree_router
from services.api.upkeep import upkeep_router
from services.api.workbooks import workbook_router
from services.api.workdays import workday_router
from services.console.app import create_console
from services.documents.filling import Templates
from services.documents.papers import Marks
from services.engine import TASK_QUEUE, Engine, connect, newest
from services.identity.accounts import Accounts
from services.identity.actors import Directory
from services.identity.provider import Client, Provider
from services.identity.rates import Rates
from services.identity.second_factor import APPROVERS, SecondFactors
from services.identity.tokens import Tokens
from services.importing.committees import Books
from services.importing.lists import read_list
from services.importing.tree import TreeBooks
from services.memory import keep_what_is_loaded
from services.mending import Mending
from services.readiness import Engine as Readiness
from services.settings import Settings
from services.storage.audit import Signer
from services.storage.bell import Bell
from services.storage.calendar import CalendarStore
from services.storage.comments import Conversation
from services.storage.committees import Committees
from services.storage.communities import Communities
from services.storage.database import database, healthy
from services.storage.feeds import Dates
from services.storage.files import Files
from services.storage.history import Past
from services.storage.incidents import Incidents
from services.storage.keys import AUDIT, PAYLOADS, found_in
from services.storage.mine import Desk as OwnDesk
from services.storage.naming import Naming
from services.storage.notifications import Notifications
from services.storage.outbox import Outbox
from services.storage.overdue_counts import OverdueCounts
from services.storage.personal import Personal
from services.storage.saved_views import SavedViews
from services.storage.sealing import Seal
from services.storage.templates import OwnTemplates
from services.storage.tree import Tree
from services.storage.tree_rules import Limits
from services.storage.wall import Wall
from workflows.policy.packs import load
from workflows.registry import PROCESSES


async def serve_api(settings: Settings, listener: socket.socket) -> None:
    """Serve the API on `listener` until SIGTERM or SIGINT, then let requests finish within the grace."""
    app = await build_app(settings)
    keep_what_is_loaded()
    server = _Server(
        app,
        uvicorn.Config(
            app,
            loop="none",  # we run in one already
            http=guarded(),
            ws="none",
            lifespan="on",
            log_config=None,  # services/logs.py has it
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, int(settings.grace)),
        ),
    )
    # The server takes the two signals while it serves and sends them on when it is done; that is our end too.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, frame: None)
    await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Lets go of those who wait for news before it waits for open requests: theirs would never end."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._loop.call_soon_threadsafe(self._app.state.bell.end)
        super().handle_exit(sig, frame)


async def build_app(settings: Settings) -> FastAPI:
    """Put the application together; servers are first asked at the first request."""
    assert settings.database_url is not None, "a composition root gets complete settings"
    assert settings.temporal_address is not None, "a composition root gets complete settings"
    assert settings.token_key is not None, "a composition root gets complete settings"
    storage = database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool,
        application_name="shangliang-web",
    )
    walled = settings.database_reader and database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool,
        application_name="shangliang-web-reads",
        role=settings.database_reader,
    )
    client = await connect(
        settings.temporal_address,
        settings.temporal_namespace,
        settings.keys_for(PAYLOADS),
        found_in(settings.secrets, PAYLOADS),
    )
    readiness = Readiness(settings.temporal_address, settings.temporal_namespace)
    seal_keys = settings.seal_keys
    seal = Seal(seal_keys, next(iter(seal_keys)), found_in(settings.secrets, ""))

    token_key = settings.token_key.get_secret_value()
    tokens = Tokens(token_key, lifetime=timedelta(minutes=settings.token_minutes))
    codes = SecondFactors(storage, seal, lambda: datetime.now(UTC))
    people = Directory(storage, codes=codes, guarded=APPROVERS if settings.guards_approvers else frozenset())
    accounts = Accounts(
        storage,
        directory=people,
        tokens=tokens,
        codes=codes,
        provider=Provider(_at_provider(settings), token_key) if settings.oidc_issuer else None,
        session_life=timedelta(days=settings.session_days),
    )

    inbox, bell = Notifications(storage, seal), Bell(storage)

    past, own_templates = Past(storage), OwnTemplates(storage)
    archive = Archive(
        Templates(settings.templates), Marks(tuple(seal_keys.values())), settings.public_url, own_templates
    )
    engine = Engine(client, past, newest(settings.policy), timeout=settings.request_timeout)
    tree = Tree(storage, Limits.of(load(settings.policy)))

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await bell.close()
        await storage.dispose()
        if walled:
            await walled.dispose()

    processes = tuple({process.name: process for process in PROCESSES.values()}.values())
    app = create_app(
        processes=processes,
        engine=engine,
        reads=PostgresReads(storage, Calendars(CalendarStore(storage)), seal, Wall(walled) if walled else None),
        people=people,
        tokens=tokens,
        sealing=seal,
        secrets=tuple(seal_keys.values()),
        store=Files(settings.store_url),
        pack=load(settings.policy),
        archive=archive,
        probes={
            "postgres": lambda: healthy(storage),
            "temporal": readiness.answers,
            "worker": lambda: readiness.is_worked(TASK_QUEUE),
        },
        routers=(
            name_router(Naming(storage)),
            account_router(accounts, people.keys, public_url=settings.public_url),
            master_form_router(),
            tree_router(tree),
            people_router(tree, accounts),
            workbook_router(TreeBooks(tree)),
            notification_router(inbox, bell),
            feed_router(inbox, Dates(storage), settings.public_url),
            privacy_router(Personal(storage, seal), partial(opened_json, client.data_converter), load(settings.policy)),
            list_router(storage, read_list),
            committee_router(Committees(storage), Books(storage)),
            check_router(storage),
            burden_router(storage),
            overdue_router(OverdueCounts(storage, Wall(walled) if walled else None)),
            meeting_router(),
            ballot_router(storage),
            mine_router(OwnDesk(storage)),
            comment_router(processes, Conversation(storage, seal)),
            community_router(Communities(storage)),
            pack_router(),
            workday_router(storage),
            upkeep_router(
                storage,
                Mending(engine, past, Incidents(storage)),
                Signer(settings.keys_for(AUDIT)),
                load(settings.policy),
            ),
            template_router(storage, archive, own_templates, processes, load(settings.policy)),
            view_router(SavedViews(storage)),
        ),
        waiting=Outbox(storage, seal).age,
        rates=Rates(account=settings.rate_account, sign_in=settings.rate_sign_in),
        request_timeout=settings.request_timeout,
        secure=settings.public_url.startswith("https://"),
        cors_origins=settings.cors_origins,
        codec_origins=settings.codec_origins,
        lifespan=lifespan,
    )
    app.router.routes.append(
        create_console(
            app,
            processes,
            secret=token_key.encode(),
            secure=settings.public_url.startswith("https://"),
            engine_ui=_engine_pages(settings),
        )
    )
    app.state.bell = bell
    return app


def _engine_pages(settings: Settings) -> str:
    """Where the engine shows our own workflows; empty where it shows none."""
    address = settings.engine_ui.rstrip("/")
    return f"{address}/namespaces/{settings.temporal_namespace}" if address else ""


def _at_provider(settings: Settings) -> Client:
    assert settings.oidc_issuer is not None, "asked for only where there is a provider"
    return Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        username_claim=settings.oidc_username_claim,
    )
