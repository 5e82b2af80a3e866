"""R14: what can never succeed is parked and listed, its neighbours notice nothing, and a hand can end it."""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable
from statistics import quantiles
from typing import Any

import asyncpg
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.update.v1 import Input, Meta, Request
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from services.engine import newest
from tests.chaos.http import Ask, Callers
from tests.chaos.lives import ORDER, SIGN, open_ask, step_ask
from tests.chaos.outcome import Outcome, engine_of, history_holds
from tests.chaos.product import Whole, clean_environment, whole
from tests.chaos.repeating import people
from workflows.kernel.wire import Seed

LISTED_WITHIN = 60.0
GOES_ON_WITHIN = 60.0

# Every write of these cases fails, as with a constraint that a defect of ours breaks.
POISON = """
CREATE TABLE IF NOT EXISTS poisoned (case_id uuid PRIMARY KEY);
CREATE OR REPLACE FUNCTION refuse_poisoned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM poisoned AS p WHERE p.case_id = NEW.case_id) THEN
        RAISE EXCEPTION 'poisoned';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER refuse_poisoned BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION refuse_poisoned();
"""
ANTIDOTE = "DROP TRIGGER refuse_poisoned ON event; DROP FUNCTION refuse_poisoned; DROP TABLE poisoned;"


async def poison(seed: int, *, neighbours: int = 40) -> Outcome:
    """R14 on a product of its own."""
    async with whole() as running:
        return await poison_in(running, await people(running), seed, neighbours=neighbours)


async def poison_in(running: Whole, callers: Callers, seed: int, *, neighbours: int) -> Outcome:
    """R14 on a product that runs already: poisons on a case of its own each, among neighbours that live on."""
    outcome = Outcome("R14", seed)
    rng = random.Random(seed)
    before = await _neighbours(callers, rng, neighbours)
    unwritable, stuck, garbled, edited = [await _opened(callers, rng) for _ in range(4)]
    client = await engine_of(running)
    await _sql(running, POISON)
    await _sql(running, "INSERT INTO poisoned VALUES ($1)", unwritable)
    # The turn before the next one is not there any more: nothing can be written until somebody puts it back.
    await _sql(running, "UPDATE case_file SET version = version - 1 WHERE id = $1", edited)
    await _stick(client, stuck)
    began = time.monotonic()
    outcome.none_of("garbled commands that were taken", await _garble(client, garbled))
    large = Ask("grid1", f"/issues/{garbled}/commands/log_progress", {"text": "灯" * 700_000}, "log_progress", garbled)
    told = await callers.attempt(large)
    outcome.none_of("2 MB commands that were not refused by 413", [str(told.status)] if told.status != 413 else [])
    asks = {case: step_ask(case, ORDER) for case in (unwritable, edited, stuck)}
    waiting = [asyncio.create_task(callers.insist(asks[case])) for case in (unwritable, edited)]
    tries = [await callers.attempt(asks[stuck]) for _ in range(2)]
    outcome.none_of("answers of a stuck case that were not 503", [str(one) for one in tries if one.status != 503])
    during = await _neighbours(callers, rng, neighbours)
    async with asyncio.timeout(LISTED_WITHIN * 2):
        while {one["case_id"] for one in await _listed(callers)} < asks.keys():
            await asyncio.sleep(0.5)
    outcome.at_most("all listed after", time.monotonic() - began, LISTED_WITHIN)
    outcome.at_most("neighbours' commands, 90 of 100, while poisoned ÷ before", during / before, 1.1, "")
    times = Counter((one["case_id"], one["kind"]) for one in await _listed(callers))
    outcome.none_of("troubles listed twice", [f"{one} {count} times" for one, count in times.items() if count > 1])
    outcome.none_of("commands of operators that failed", await _by_hand(running, asks.keys(), stuck, unwritable))
    await _sql(running, ANTIDOTE)
    await _sql(running, "UPDATE case_file SET version = version + 1 WHERE id = $1", edited)
    mended = time.monotonic()
    async with asyncio.timeout(GOES_ON_WITHIN):
        await asyncio.gather(*waiting, callers.insist(asks[stuck]))
        while listed := await _listed(callers):
            await asyncio.sleep(0.5)
    outcome.none_of("troubles left on the list", [str(one) for one in listed])
    outcome.at_most("all go on after mending", time.monotonic() - mended, GOES_ON_WITHIN)
    answers = [ask.answer for ask in asks.values()]
    outcome.none_of(
        "commands that were not carried out in the end", [str(a) for a in answers if not a or a.status != 200]
    )
    outcome.done = f"4 poisoned cases and a 2 MB command among {neighbours} neighbours"
    await history_holds(outcome, running, callers)
    return outcome


async def _opened(callers: Callers, rng: random.Random) -> str:
    answer = await callers.insist(open_ask(rng))
    assert answer is not None
    assert answer.status == 201, answer
    return str(answer.body["id"])


async def _neighbours(callers: Callers, rng: random.Random, count: int) -> float:
    """Seconds within which nine of ten commands on healthy cases are answered."""
    seconds: list[float] = []
    for _ in range(count):
        case = await _opened(callers, rng)
        for step in (ORDER, SIGN):
            answer = await callers.insist(step_ask(case, step))
            assert answer is not None
            assert answer.status == 200, answer
            seconds.append(answer.seconds)
    return quantiles(seconds, n=10)[-1]


async def _stick(client: Client, case: str) -> None:
    """Put a run in the place of a case's that fails at every task, as after a bad release."""
    run = f"issue/{case}"
    await client.get_workflow_handle(run).terminate("poisoned")
    await client.start_workflow(
        "issue", Seed("issue", case, newest("lanzhou_2021"), {"nothing": "fits"}), id=run, task_queue="gov"
    )


async def _garble(client: Client, case: str) -> list[str]:
    """Send a case commands that cannot be decoded; those that it took all the same."""
    taken = []
    for number, encoding in enumerate((b"binary/unknown", b"json/plain", b"binary/encrypted")):
        content = Payload(metadata={"encoding": encoding}, data=b'{"half": ')
        request = UpdateWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=f"issue/{case}"),
            request=Request(
                meta=Meta(update_id=f"garbled-{number}", identity="chaos"),
                input=Input(name="command", args=Payloads(payloads=[content])),
            ),
        )
        request.wait_policy.lifecycle_stage = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
        try:
            async with asyncio.timeout(10):
                answer = await client.workflow_service.update_workflow_execution(request)
        except (RPCError, TimeoutError) as refused:
            taken.append(f"{encoding!r} was not answered: {type(refused).__name__}")
            continue
        if not answer.outcome.HasField("failure"):
            taken.append(f"{encoding!r} was carried out")
    return taken


async def _listed(callers: Callers) -> list[dict[str, Any]]:
    """What needs a hand, as the operator sees it."""
    answer = await callers.read("/incidents", "admin")
    assert answer.status == 200, answer
    items: list[dict[str, Any]] = answer.body["items"]
    return items


async def _by_hand(running: Whole, expected: Iterable[str], stuck: str, unwritable: str) -> list[str]:
    """Try the stuck case again and close another trouble, by the command that operators have; what went wrong."""
    listed = {one["case_id"]: one["id"] for one in json.loads(await _command(running, "--json"))}
    wrong = [f"{case} is not listed" for case in expected if case not in listed]
    tried = await _command(running, "--retry", listed[stuck])
    wrong += [] if "Tried again" in tried else [tried]
    closed = await _command(running, "--close", listed[unwritable][:24], "--reason", "已电话核实")
    return wrong + ([] if "Closed" in closed else [closed])


async def _command(running: Whole, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "services.cli", "incidents", *arguments,
        env=clean_environment(SHANGLIANG_HOME=str(running.home.root)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return output.decode()


async def _sql(running: Whole, statement: str, *values: Any) -> None:
    connection = await asyncpg.connect(running.database_url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()
