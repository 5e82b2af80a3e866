"""The history check finds what it is there to find: each rule is broken on purpose."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from tests.chaos.conftest import Street
from tests.chaos.lives import Lived, live
from tests.chaos.outcome import engine_of
from tests.check.history import Outcome, Request, check

GHOST = Request(
    actor="worker1", key="never-sent", command="sign", outcome=Outcome.DONE, case="00000000-0000-7000-8000-000000000000"
)


async def broken(street: Street, requests: list[Request], *, engine: bool = False) -> set[str]:
    client = await engine_of(street.running) if engine else None
    return (await check(requests, database_url=street.running.database_url, client=client)).broken


@asynccontextmanager
async def planted(street: Street, act: str, undo: str, *values: Any) -> AsyncIterator[None]:
    connection = await asyncpg.connect(street.running.database_url)
    try:
        await connection.execute(act, *values)
        try:
            yield
        finally:
            await connection.execute(undo, *values)
    finally:
        await connection.close()


@pytest.fixture
async def case(street: Street) -> str:
    found = await live(street.callers, random.Random(3), Lived(0, []))
    assert found is not None
    return found


async def test_all_is_well_before(street: Street, case: str) -> None:
    assert await broken(street, street.callers.requests(), engine=True) == set()


async def test_an_acknowledged_request_without_effect_breaks_h1(street: Street, case: str) -> None:
    requests = street.callers.requests()

    assert await broken(street, [*requests, GHOST]) == {"H1"}
    assert await broken(street, [*requests[:-1], replace(requests[-1], version=99)]) == {"H1"}


async def test_an_effect_without_a_request_breaks_h3(street: Street, case: str) -> None:
    requests = street.callers.requests()

    assert await broken(street, requests[:-1]) == {"H3"}
    assert await broken(street, [*requests[:-1], replace(requests[-1], outcome=Outcome.REFUSED)]) == {"H3"}


async def test_an_effect_that_happened_twice_breaks_h2(street: Street, case: str) -> None:
    act = "INSERT INTO effect_count (kind, case_id, what) VALUES ('event', $1, '1')"
    undo = "DELETE FROM effect_count WHERE n = (SELECT max(n) FROM effect_count WHERE case_id = $1 AND what = '1')"

    async with planted(street, act, undo, case):
        assert await broken(street, street.callers.requests()) == {"H2"}


async def test_a_version_without_its_event_breaks_h4_h5_and_h6(street: Street, case: str) -> None:
    act = "UPDATE case_file SET version = version {} 1 WHERE id = $1"

    async with planted(street, act.format("+"), act.format("-"), case):
        assert await broken(street, street.callers.requests(), engine=True) >= {"H4", "H5", "H6"}


async def test_an_effect_that_waits_for_ever_breaks_h7(street: Street, case: str) -> None:
    effect = '{"kind": "TELL", "process": "issue", "case": "a", "command": "sign", "fields": {}}'
    waiting = f"""'[{{"id": "a#1.0", "effect": {effect}}}]'"""
    put = "UPDATE case_file SET pending = {} WHERE id = $1"

    async with planted(street, put.format(waiting), put.format("'[]'"), case):
        assert "H7" in await broken(street, street.callers.requests())
