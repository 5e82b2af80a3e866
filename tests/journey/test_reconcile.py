"""What differs between engine and database is named, put right, and then agrees."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from services.reconciling import Kind, Reconciliation
from services.storage.database import database
from services.storage.history import case_now
from tests.journey.product import Product
from workflows.issue.process import ISSUE
from workflows.kernel.process import Case
from workflows.kernel.wire import Seed, carried

BODY = {
    "community_code": "620199001001",
    "title": "路灯不亮",
    "description": "东侧一排路灯不亮",
    "source": "VISIT",
    "category_code": "A02",
}


@pytest_asyncio.fixture(loop_scope="session")
async def temporal(product: Product) -> Client:
    """A client of the product's own engine, to do harm with."""
    running = product.running
    return await Client.connect(
        running["temporal_address"], namespace=running["temporal_namespace"], data_converter=pydantic_data_converter
    )


@pytest_asyncio.fixture(loop_scope="session")
async def storage(product: Product) -> AsyncIterator[Any]:
    """A pool on the product's own database."""
    one = database(product.running["database_url"], pool_size=2)
    yield one
    await one.dispose()


def opened(product: Product) -> str:
    """An issue of three months, so that no clock speaks while it is looked at."""
    status, case = product.ask("grid1", "POST", "/issues", BODY)
    assert status == 201, case
    accept = {"mode": "SCHEDULED", "category_code": "B01", "difficulty": "EASY"}
    assert product.ask("worker1", "POST", f"/issues/{case['id']}/commands/accept_to_problem_list", accept)[0] == 200
    return str(case["id"])


async def stored(storage: Any, case_id: str) -> Case[Any]:
    async with storage.connect() as connection:
        case = await case_now(connection, ISSUE, case_id)
    assert case is not None
    return case


def told(product: Product, *options: str) -> tuple[int, dict[str, Any]]:
    ended = product.run("reconcile", "--json", *options)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


async def test_every_difference_is_named_and_put_right(product: Product, temporal: Client, storage: Any) -> None:
    gone, other, stray = opened(product), opened(product), str(uuid4())
    await temporal.get_workflow_handle(f"issue/{gone}").terminate()
    right = await stored(storage, other)
    await temporal.get_workflow_handle(f"issue/{other}").terminate()
    for case in (replace(right, title="text:ffffffffffffffff"), replace(right, id=stray, clocks=())):
        seed = Seed("issue", case.id, case.pin, carried(ISSUE, case))
        await temporal.start_workflow("issue", seed, id=f"issue/{case.id}", task_queue="gov")

    code, found = told(product)

    named = {(one["case_id"], one["kind"]) for one in found["differences"]}
    assert code == 1
    assert named == {(gone, Kind.RUN_MISSING), (other, Kind.RUN_DIVERGED), (stray, Kind.RUN_WITHOUT_CASE)}
    repaired = told(product, "--repair")
    assert (repaired[0], [one["repaired"] for one in repaired[1]["differences"]]) == (0, [True] * 3)
    code, agreed = told(product)
    assert (code, agreed["left"], agreed["differences"]) == (0, 0, [])
    for case_id in (gone, other):
        path = f"/issues/{case_id}/commands/return_topic"
        status, case = product.ask("secretary1", "POST", path, {"reason": "补充材料"})
        assert (status, case["state"]) == (200, "ON_PROBLEM_LIST"), case


async def test_a_history_that_was_changed_is_named_and_never_repaired(product: Product) -> None:
    case_id = opened(product)
    connection = await asyncpg.connect(product.running["database_url"])
    try:
        await _tampered(connection, case_id, """'{"forged": true}'::jsonb || payload""")
        code, found = told(product, "--repair")
        await _tampered(connection, case_id, "payload - 'forged'")
    finally:
        await connection.close()

    assert code == 1
    assert [(one["case_id"], one["kind"], one["repaired"]) for one in found["differences"]] == [
        (case_id, Kind.HISTORY_BROKEN, False)
    ]
    assert told(product)[0] == 0


async def _tampered(connection: asyncpg.Connection, case_id: str, payload: str) -> None:
    async with connection.transaction():
        # Only the owner can, and he must first give himself the right.
        await connection.execute("GRANT UPDATE ON event TO CURRENT_USER; ALTER TABLE event DISABLE TRIGGER USER")
        await connection.execute(f"UPDATE event SET payload = {payload} WHERE case_id = $1 AND seq = 1", case_id)
        await connection.execute("REVOKE UPDATE ON event FROM CURRENT_USER; ALTER TABLE event ENABLE TRIGGER USER")


class Sleeping:
    """An engine whose runs hold what Postgres holds, but whose timers never ring."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage

    async def runs(self) -> AsyncIterator[str]:
        for run in list[str]():
            yield run

    async def is_running(self, run: str) -> bool:
        return True

    async def case(self, process: Any, case_id: str) -> dict[str, Any] | None:
        async with self._storage.connect() as connection:
            case = await case_now(connection, process, case_id)
        return carried(process, case) if case is not None else None


async def test_a_timer_that_should_have_fired_is_named(product: Product, temporal: Client, storage: Any) -> None:
    case_id = opened(product)
    await temporal.get_workflow_handle(f"issue/{case_id}").terminate()
    query = "UPDATE clock SET due_at = due_at - interval '1 hour' WHERE case_id = $1 AND state = 'RUNNING' RETURNING 1"
    assert await product.rows(query, case_id)
    twin = Sleeping(storage)

    found = await Reconciliation(twin, storage).compare()  # type: ignore[arg-type]  # as much of an engine as is asked

    mine = [(one.kind, one.case_id) for one in found if one.case_id == case_id]
    assert mine == [(Kind.TIMER_LATE, case_id)]
    assert told(product, "--repair")[0] == 0
