"""The ledger in PostgreSQL and its twin in memory give the same answers to the same sequences of turns.

Turns come from random lives on the simulator; they are sent in order, twice, late, early, with a key that was used,
under a number that is taken, and while the calendar changes.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.calendar import Calendars
from activities.conflicts import Conflict
from services.storage.calendar import CalendarStore, load_calendar, set_local_day
from services.storage.database import database
from services.storage.history import Past
from services.storage.ledger import Ledger, LedgerFailed
from tests.equal.lives import Life
from tests.twins.ledger import TurnMissing, TwinLedger
from tests.workflow.conftest import SEAL
from workflows.kernel.wire import Transaction
from workflows.registry import PROCESSES

TURNS = int(os.environ.get("SHANGLIANG_TURNS", "400"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def storage(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A pool on an empty, migrated database."""
    engine = database(database_url, pool_size=2, application_name="test")
    yield engine
    await engine.dispose()


async def answer_of(ledger: Any, turn: Transaction) -> Any:
    """What a ledger answers, errors by what they mean."""
    try:
        recorded = await ledger.record(turn)
    except Conflict:
        return "conflict"
    except (TurnMissing, LedgerFailed):
        return "missing"
    # Nobody looks at the stamps of a repeated key: the case is read as it stands.
    return replace(recorded, stamps=[]) if recorded.repeat else recorded


async def test_the_ledger_and_its_twin_answer_alike(storage: AsyncEngine) -> None:
    rng = Random(20260303)
    real = Ledger(storage, calendars=Calendars(CalendarStore(storage), recheck=3600), seal=SEAL)
    async with storage.connect() as connection:
        twin = TwinLedger(await load_calendar(connection))
    waiting: dict[str, list[Transaction]] = {}
    sent: list[Transaction] = []
    seen: Counter[str] = Counter()
    lives = 0
    for number in range(TURNS):
        while sum(map(len, waiting.values())) < 30:
            lives += 1
            for one in Life(lives).turns():
                waiting.setdefault(one.case.id, []).append(one.transaction)
        case_id = rng.choice([one for one, turns in waiting.items() if turns])
        coming = waiting[case_id]
        kind = rng.choices(
            ("next", "again", "used key", "taken number", "too early", "new calendar"), (60, 12, 8, 8, 5, 3)
        )[0]
        older = [one for one in sent if one.case["id"] == case_id]
        keys = [one.command for one in older if one.command]
        if kind == "new calendar":
            day = date(2026, 3, 1) + timedelta(days=rng.randrange(60))
            async with storage.begin() as connection:
                await set_local_day(connection, day, rng.random() < 0.5, "地方调整", "clerk")
                twin.calendar = await load_calendar(connection)
            seen[kind] += 1
            continue
        if kind == "again" and sent:
            turn = rng.choice(sent)
        elif kind == "used key" and keys and coming[0].command:
            turn = replace(coming[0], command={**coming[0].command, "key": rng.choice(keys)["key"]})
        elif kind == "taken number" and older:
            turn = rng.choice(older)
            events = [{**event, "at": "2026-01-01T00:00:00+00:00"} for event in turn.events]
            turn = replace(turn, events=events, command={})
        elif kind == "too early" and len(coming) > 1:
            turn = coming[1]
        else:
            kind = "next"
            turn = coming.pop(0)
            sent.append(turn)
        answers = await answer_of(real, turn), await answer_of(twin, turn)
        assert answers[0] == answers[1], f"step {number}, {kind}: {turn}"
        seen[kind if answers[0] not in ("conflict", "missing") else answers[0]] += 1

    assert min(seen[kind] for kind in ("next", "again", "used key", "conflict", "missing", "new calendar")) >= 5, seen
    past = Past(storage)
    for case_id, book in twin.books.items():
        process = PROCESSES[book.row["process"]]
        assert await past.now(process, case_id) == await twin.now(process, case_id)
        assert await past.stands(process.name, case_id) == await twin.stands(process.name, case_id)
