"""A ledger in memory: what `record` promises, in as few lines as it can be said; also the engine's `Past`.

Written apart from `services.storage.ledger`: it keeps whole turns and compares them, where that one keeps hashes.
`tests/equal/test_ledger.py` shows that both give the same answers.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from activities.conflicts import Conflict
from services.storage.numbers import scope
from tests.scenarios.street import DEEDS, QUESTIONS
from workflows.kernel.calendar import HostCalendar
from workflows.kernel.clocks import Clock, Stamp, stamped
from workflows.kernel.process import Case, Pin, Process
from workflows.kernel.simulator import World
from workflows.kernel.stamping import Rungs, answer
from workflows.kernel.wire import Json, Recorded, Transaction, carried, case_of, clock_of, command_of
from workflows.policy.pack import Pack
from workflows.policy.packs import pinned
from workflows.registry import PROCESSES


class TurnMissing(Exception):
    """A turn came before the one that it follows; it may be tried again."""


@dataclass(slots=True)
class Book:
    """Everything that is known of one case."""

    number: str
    turns: list[tuple[Transaction, list[Stamp]]] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    commands: dict[str, tuple[str, int]] = field(default_factory=dict)
    clocks: dict[int, Clock] = field(default_factory=dict)
    row: Json = field(default_factory=dict)


@dataclass(slots=True)
class TwinLedger:
    """The ledger of all cases, in memory. `calendar` may be replaced at any time."""

    calendar: HostCalendar
    books: dict[str, Book] = field(default_factory=dict)
    numbers: Counter[str] = field(default_factory=Counter)
    conflicts: list[tuple[str, int]] = field(default_factory=list)
    on_turn: Callable[[Transaction], None] | None = None

    async def record(self, t: Transaction) -> Recorded:
        """Write a turn; the same turn or the same key again gives the first answer. Raises `Conflict`."""
        book = self.books.get(t.case["id"])
        version = len(book.events) if book else 0
        if book is not None:
            for turn, stamps in book.turns:
                if turn.first == t.first and (turn.events, turn.command) == (t.events, t.command):
                    return Recorded(number=book.number, stamps=stamps)
            if t.command and t.command["key"] in book.commands:
                body_hash, led_to = book.commands[t.command["key"]]
                return Recorded(number=book.number, repeat=led_to, repeat_hash=body_hash)
        if version >= t.first:
            self.conflicts.append((t.case["id"], t.first))
            raise Conflict(t.case["id"], t.first)
        if version < t.first - 1:
            raise TurnMissing(f"{t.case['id']}: turn {version + 1} is missing")
        stamps = self._stamps(t)
        if book is None:
            book = self.books[t.case["id"]] = Book(self._number(t))
        book.turns.append((t, stamps))
        book.events += t.events
        book.row = {**t.case, "number": book.number}
        book.clocks |= {row["number"]: clock_of(row) for row in t.clocks}
        for one in stamps:
            book.clocks[one.number] = stamped(book.clocks[one.number], one)
        if t.command:
            book.commands[t.command["key"]] = (t.command["body_hash"], t.case["version"])
        if self.on_turn is not None:
            self.on_turn(t)
        return Recorded(number=book.number, stamps=stamps)

    async def now(self, process: Process[Any], case_id: str) -> Case[Any] | None:
        """The case as it stands; None when there is none of this process."""
        book = self.books.get(case_id)
        if book is None or book.row["process"] != process.name:
            return None
        case: Case[Any] = case_of(process, book.row, tuple(book.clocks.values()))
        return case

    async def stands(self, process: str, case_id: str) -> Json | None:
        """The case for a run that was overtaken."""
        case = await self.now(PROCESSES[process], case_id)
        return carried(PROCESSES[process], case) if case is not None else None

    async def done(self, case_id: str, key: str) -> tuple[str, int] | None:
        """Body hash and version of the command that had this key."""
        book = self.books.get(case_id)
        return book.commands.get(key) if book else None

    def _number(self, t: Transaction) -> str:
        where = scope(t.process, t.case["community"], datetime.fromisoformat(t.case["opened_at"]))
        self.numbers[where] += 1
        return f"{where}{self.numbers[where]:04d}"

    def _stamps(self, t: Transaction) -> list[Stamp]:
        pack = pinned(t.case["pack"], t.case["pack_version"], t.case["pack_sha"])
        calendar = in_office(self.calendar, pack)
        return [answer(request, calendar, rungs_of(pack)) for request in t.requests]


def in_office(calendar: HostCalendar, pack: Pack) -> HostCalendar:
    """The calendar with the business hours of a pack."""
    opened, closed = (time.fromisoformat(pack.text(f"calendar.business_{end}")) for end in ("open", "close"))
    return calendar.with_hours(opened, closed)


def rungs_of(pack: Pack) -> Rungs:
    """The steps of the ladder that a pack sets (processes §0.4)."""
    return Rungs(
        remind_before=pack.duration("issue.remind_before"),
        red_after=pack.duration("issue.red_after"),
        red_after_hours=pack.duration("issue.red_after_hours"),
        red_street_max=pack.duration("issue.red_street_max"),
        scale=pack.scale,
    )


def street_world(pack: Pack, calendar: HostCalendar) -> World:
    """The simulator's world under a pack, with every other shipped pack within reach."""
    return World(
        processes=PROCESSES,
        calendar=in_office(calendar, pack),
        policy=pack,
        pin=Pin(pack.pack, pack.version, pack.sha),
        rungs=rungs_of(pack),
        commands=command_of,
        questions=QUESTIONS,
        deeds=DEEDS,
        others=lambda pin: street_world(pinned(pin.pack, pin.version, pin.sha), calendar),
    )
