"""The demonstration street in a database of its own, cases on it, and real servers that take messages."""

import asyncio
import email
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.calendar import Calendars
from activities.notices import Dispatcher
from services.channels.sending import Sender
from services.identity.passwords import Passwords
from services.storage.calendar import CalendarStore, load_national
from services.storage.database import database
from services.storage.demo import seed_demo
from services.storage.ledger import Ledger
from services.storage.notifications import Notifications
from services.storage.outbox import Outbox
from services.storage.sealing import Seal
from tests.storage.town import Town
from workflows.kernel.process import Pin
from workflows.policy.packs import load

PASSWORD = "the street knows it"
SEAL = Seal({"k1": b"k" * 32}, "k1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def street(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The demonstration street."""
    engine = database(database_url, pool_size=6)
    async with engine.begin() as connection:
        await load_national(connection)
    await seed_demo(engine, PASSWORD, Passwords())
    yield engine
    await engine.dispose()


@pytest.fixture
def town(street: AsyncEngine) -> Town:
    """Cases on the street, under the policy of Lanzhou."""
    pack = load("lanzhou_2021")
    ledger = Ledger(
        street, calendars=Calendars(CalendarStore(street)), seal=SEAL, policy=lambda name, version, sha: pack
    )
    return Town(street, ledger, SEAL, Pin(pack.pack, pack.version, pack.sha), pack)


@dataclass(slots=True)
class Office:
    """What brings messages out, and looks into what became of them."""

    engine: AsyncEngine
    sender: Sender = field(default_factory=Sender)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.engine, SEAL, last_resort="admin")

    @property
    def inbox(self) -> Notifications:
        return Notifications(self.engine, SEAL)

    async def work(self) -> None:
        """Bring out everything that waits."""
        await Dispatcher(self.outbox, self.sender).once()

    async def say(
        self, case: Any, to: str, template: str = "clock_blue", clock: str = "TRIAGE", *, event: int | None = None
    ) -> int:
        """Put a message about a case into the outbox, each of an event of its own unless one is named."""
        query = text(
            "INSERT INTO outbox (case_id, seq, place, to_code, template, clock)"
            " SELECT :case, coalesce(:event, 100 + count(*)), 100 + count(*), :to, :template, :clock"
            " FROM outbox RETURNING id"
        )
        async with self.engine.begin() as connection:
            values = {"case": UUID(case.id), "to": to, "template": template, "clock": clock, "event": event}
            number: int = await connection.scalar(query, values)
        return number

    async def told(self, outbox_id: int) -> tuple[set[str], list[str]]:
        """The usernames of those who were told, and the path that led to them."""
        rows = await self.ask(
            "SELECT DISTINCT a.username, n.path::text AS path FROM notification n"
            " JOIN account a ON a.person_id = n.person_id WHERE n.outbox_id = :id",
            id=outbox_id,
        )
        return {row.username for row in rows}, json.loads(rows[0].path) if rows else []

    async def ask(self, query: str, **values: Any) -> list[Any]:
        """Look into the database."""
        async with self.engine.begin() as connection:
            found = await connection.execute(text(query), values)
            return list(found) if found.returns_rows else []

    async def person(self, username: str) -> str:
        """The id of somebody of the street."""
        [row] = await self.ask("SELECT person_id FROM account WHERE username = :name", name=username)
        return str(row.person_id)


@pytest_asyncio.fixture(loop_scope="session")
async def office(street: AsyncEngine) -> AsyncIterator[Office]:
    """An office whose outbox is empty; channels of earlier tests are closed."""
    one = Office(street)
    await one.ask("UPDATE outbox SET sent_at = now()")
    await one.ask("DELETE FROM delivery")
    await one.ask("DELETE FROM channel")
    await one.ask("DELETE FROM notification")
    await one.ask("DELETE FROM incident")
    yield one


@dataclass(slots=True)
class Post:
    """A real mail server on this machine, which keeps what it gets."""

    port: int
    letters: list[Message] = field(default_factory=list)
    refuses: bool = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuses:
            return "451 try again later"
        self.letters.append(email.message_from_bytes(envelope.content))
        return "250 OK"

    def url(self, to: str) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=sender@example.org&to={to}&mode=insecure"


@pytest.fixture
def post() -> Iterator[Post]:
    """A mail server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one = Post(port)
    controller = Controller(one, hostname="127.0.0.1", port=port)
    controller.start()
    yield one
    controller.stop()


@dataclass(slots=True)
class Gateway:
    """A real webhook on this machine; `answers` are its next statuses, then 200."""

    port: int = 0
    calls: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/sms"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A webhook, such as that of an SMS gateway."""
    one = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = one.answers.pop(0) if one.answers else 200
            one.calls.append((dict(self.headers), body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *told: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield one
    server.shutdown()
    server.server_close()
    thread.join()


async def soon(condition: Any, seconds: float = 20.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
