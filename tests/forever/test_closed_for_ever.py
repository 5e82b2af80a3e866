"""What was answered once is answered so for ever: after the end, after the engine has forgotten, to a stale run."""

import asyncio
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from services.engine import IdempotencyConflict
from services.storage.history import case_at, case_now
from tests.forever.test_neighbours import at_rest, events, incidents, target
from tests.workflow.conftest import GRID, ISSUE, SUPERVISOR, WORKER, Office
from tests.workflow.test_shell import at_once, closed, submit
from workflows.issue import commands as do
from workflows.kernel.process import WrongState


async def merged(office: Office, key: str) -> str:
    """A case that has ended and whose run is over."""
    other, _ = await office.open(submit(), GRID)
    case_id, _ = await office.open(submit(), GRID, key=key)
    await office.give(case_id, do.MergeInto(target=other), WORKER, facts=target(other))
    async with asyncio.timeout(10):
        await office.client.get_workflow_handle(f"issue/{case_id}").result()
    return case_id


async def forgotten(office: Office, case_id: str) -> None:
    """Take the history of the case's run away, as the engine does when its retention is over."""
    execution = WorkflowExecution(workflow_id=f"issue/{case_id}")
    asked = DeleteWorkflowExecutionRequest(namespace=office.client.namespace, workflow_execution=execution)
    async with asyncio.timeout(30):
        while True:
            try:
                await office.client.workflow_service.delete_workflow_execution(asked)
            except RPCError as trouble:
                if trouble.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return
            await asyncio.sleep(0.2)


async def stored(office: Office, case_id: str) -> Any:
    async with office.storage.connect() as connection:
        return await case_now(connection, ISSUE, case_id)


async def test_a_repeated_start_of_a_closed_case_opens_nothing(office: Office) -> None:
    case_id = await merged(office, "forever-1")
    before = await stored(office, case_id)
    last_run = (await office.client.get_workflow_handle(f"issue/{case_id}").describe()).run_id

    again = await office.open(submit(), GRID, key="forever-1")

    assert again[1].version == 1
    assert await stored(office, case_id) == before
    assert (await office.client.get_workflow_handle(f"issue/{case_id}").describe()).run_id == last_run


async def test_a_repeated_start_opens_nothing_after_the_history_is_gone(office: Office) -> None:
    case_id = await merged(office, "forever-2")
    before, told = await stored(office, case_id), await events(office, case_id)
    await forgotten(office, case_id)

    answers = [await office.open(submit(), GRID, key="forever-2") for _ in range(2)]
    with pytest.raises(IdempotencyConflict):
        await office.open(submit(danger=True), GRID, key="forever-2")

    assert [receipt.version for _, receipt in answers] == [1, 1]
    assert await stored(office, case_id) == before
    assert await events(office, case_id) == told
    assert not await incidents(office, case_id)


async def test_a_case_that_was_closed_and_forgotten_goes_on_with_the_next_number(office: Office) -> None:
    case_id = await closed(office)
    before = await stored(office, case_id)
    await forgotten(office, case_id)

    with pytest.raises(WrongState):
        await office.give(case_id, at_once(), WORKER)
    reopened = await office.give(case_id, do.Reopen(reason="text:0000000000000005"), SUPERVISOR)
    noted = await office.give(case_id, do.LogProgress(text="text:0000000000000006"), GRID)

    assert [reopened.version, noted.version] == [before.version + 1, before.version + 2]
    case = await at_rest(office, ISSUE, case_id)
    assert case.number == before.number
    async with office.storage.connect() as connection:
        assert await case_at(connection, ISSUE, case_id, noted.version) == case


async def test_a_run_that_holds_an_old_case_overwrites_nothing_and_takes_over_what_stands(office: Office) -> None:
    case_id, _ = await office.open(submit(), GRID)
    old = await stored(office, case_id)
    await office.give(case_id, at_once(), WORKER)
    told = await events(office, case_id)
    assert await office.engine.revive(ISSUE, old, replace=True)

    # To the old case this is lawful; what stands has been accepted already.
    with pytest.raises(WrongState):
        await office.give(case_id, at_once(), WORKER, key="stale")
    noted = await office.give(case_id, do.LogProgress(text="text:0000000000000006"), GRID)

    assert noted.version == len(told) + 1
    assert (await events(office, case_id))[: len(told)] == told
    assert not await incidents(office, case_id)
