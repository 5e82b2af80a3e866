"""Bring messages in through the door of the API, many at a time, each exactly once however often it is tried."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from pydantic_core import to_json

from services.api.actions import opening
from services.api.door import Door, Letter, idempotency_key, read, start_facts
from services.api.errors import Invalid
from services.engine import Engine, EngineUnavailable, IdempotencyConflict, TooMany
from services.importing.messages import Message
from services.importing.reasons import Reject, Why
from services.importing.sheets import Unreadable
from services.storage.openings import opened
from services.storage.outage import is_outage
from services.texts.catalogue import catalogue
from workflows.issue.process import ISSUE
from workflows.kernel.process import Actor, Pin, Refusal, derived_id
from workflows.policy.pack import Pack

T = TypeVar("T")

BATCH = 64
KEY_LENGTH = 255
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
PATIENCE = 60.0
"""Seconds that one message waits for a service that is away before the import gives up."""

Busy = (EngineUnavailable, TooMany)


class ServiceAway(Exception):
    """The service stayed away too long; what is in is in, and the import may be repeated."""


class Connects(Protocol):
    """What this room needs of a database engine."""

    def connect(self) -> AbstractAsyncContextManager[Any]:
        """A connection from the pool."""


@dataclass(slots=True)
class Counts:
    """How an import went so far."""

    read: int = 0
    new: int = 0
    already: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A message on its way: the letter for the door, its id and key."""

    message: Message
    letter: Letter
    case_id: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Everything that an import needs: who imports from which source, the door, the engine and the ledger.

    `pin` and `pack` belong together: the policy that the new cases are opened under.
    """

    actor: Actor
    source: str
    door: Door
    engine: Engine
    storage: Connects
    pack: Pack
    parallel: int = 16
    patience: float = PATIENCE
    counts: Counts = field(default_factory=Counts)

    async def take(
        self,
        messages: Iterable[Message | Reject],
        *,
        reject: Callable[[Reject], None],
        progress: Callable[[], None] = lambda: None,
    ) -> Counts:
        """Bring all of them in; raises `ServiceAway` when the service does not answer for too long, `Unreadable`
        when the file breaks off.

        `reject` is told of each row that stays outside, `progress` that some rows are done.
        """
        pieces: asyncio.Queue[_Piece | None] = asyncio.Queue(BATCH)

        def refuse(one: Reject) -> None:
            self.counts.rejected += 1
            reject(one)

        async def work() -> None:
            while (piece := await pieces.get()) is not None:
                await self._bring(piece, refuse)
                progress()

        cut: list[Unreadable] = []

        async def feed() -> None:
            try:
                async for piece in self._new(messages, refuse, progress):
                    await pieces.put(piece)
            except Unreadable as broken:
                # What was read before the file broke off still goes in.
                cut.append(broken)
            for _ in range(self.parallel):
                await pieces.put(None)

        away: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(feed())
                for _ in range(self.parallel):
                    group.create_task(work())
        except* ServiceAway as trouble:
            away = trouble.exceptions[0]
        if away is not None:
            raise away
        if cut:
            raise cut[0]
        return self.counts

    async def _new(
        self, messages: Iterable[Message | Reject], refuse: Callable[[Reject], None], progress: Callable[[], None]
    ) -> AsyncIterator[_Piece]:
        """What is not in yet, batch by batch: one look-up tells for a whole batch."""
        batch: dict[str, _Piece] = {}
        # What is on its way is not in the database yet; of these few, twins are known by memory.
        under_way: dict[str, str] = {}
        for one in messages:
            self.counts.read += 1
            if isinstance(one, Reject):
                refuse(one)
                continue
            piece = self._piece(one, refuse)
            if piece is None:
                continue
            if (twin := under_way.get(piece.case_id)) is not None:
                self._again(piece, twin, refuse)
                continue
            batch[piece.case_id] = piece
            under_way[piece.case_id] = piece.letter.body_hash
            if len(under_way) > self.parallel + 3 * BATCH:
                del under_way[next(iter(under_way))]
            if len(batch) == BATCH:
                async for fresh in self._unknown(batch, refuse):
                    yield fresh
                batch = {}
                progress()
        async for fresh in self._unknown(batch, refuse):
            yield fresh

    async def _unknown(self, batch: Mapping[str, _Piece], refuse: Callable[[Reject], None]) -> AsyncIterator[_Piece]:
        keys = {case_id: piece.key for case_id, piece in batch.items()}

        async def look() -> dict[str, str]:
            async with self.storage.connect() as connection:
                return await opened(connection, keys)

        known = await self._patiently(look)
        for case_id, piece in batch.items():
            if case_id in known:
                self._again(piece, known[case_id], refuse)
            else:
                yield piece

    def _piece(self, message: Message, refuse: Callable[[Reject], None]) -> _Piece | None:
        try:
            letter = read(opening(ISSUE), to_json(message.fields))
        except Refusal as no:
            refuse(_refused(message, no))
            return None
        key = idempotency_key(import_key(self.source, message.external_id), self.actor)
        case_id = derived_id("open", ISSUE.name, self.actor.id, key)
        return _Piece(message=message, letter=letter, case_id=case_id, key=key)

    def _again(self, piece: _Piece, body_hash: str, refuse: Callable[[Reject], None]) -> None:
        if body_hash == piece.letter.body_hash:
            self.counts.already += 1
        else:
            refuse(_other_content(piece.message))

    async def _bring(self, piece: _Piece, refuse: Callable[[Reject], None]) -> None:
        async def start() -> None:
            envelope = await self.door.envelope(
                piece.letter,
                actor=self.actor,
                case_id=piece.case_id,
                key=piece.key,
                categories=self.pack.categories,
                facts=start_facts(self.actor),
            )
            pin = Pin(self.pack.pack, self.pack.version, self.pack.sha)
            await self.engine.open(ISSUE, piece.case_id, envelope, pin=pin)

        try:
            await self._patiently(start)
        except IdempotencyConflict:
            refuse(_other_content(piece.message))
        except Refusal as no:
            refuse(_refused(piece.message, no))
        else:
            self.counts.new += 1

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try again while the service is away, ever slower; the key makes every repeat harmless."""
        until = time.monotonic() + self.patience
        pause = FIRST_PAUSE
        while True:
            try:
                return await attempt()
            except Exception as trouble:
                if not isinstance(trouble, Busy) and not is_outage(trouble):
                    raise
                if time.monotonic() + pause > until:
                    raise ServiceAway(type(trouble).__name__) from trouble
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def import_key(source: str, external_id: str) -> str:
    """The idempotency key of a message: `import|<source>|<id>`, with what a header cannot hold written as %XX."""
    key = f"import|{quote(source, safe='')}|{quote(external_id, safe='')}"
    return key if len(key) <= KEY_LENGTH else f"import|{derived_id('import', source, external_id)}"


def _other_content(message: Message) -> Reject:
    return Reject(message.row, message.line, message.external_id, Why.OTHER_CONTENT)


def _refused(message: Message, no: Refusal) -> Reject:
    """A lawful no of the door or of the rules, in the words of the API."""
    words = catalogue()

    def say(language: str) -> str:
        if isinstance(no, Invalid):
            return "；".join(f"{fault.field}：{fault.say(words, language)}" for fault in no.faults)
        if words.has("reason", no.reason, language):
            return words.say("reason", no.reason, language, **no.details)
        return no.reason

    return Reject(message.row, message.line, message.external_id, Why.REFUSED, say("zh"), say("en"))
