"""R3, R4 and R15: callers who repeat themselves, who decide at the same moment, and who are far too many."""

import asyncio
import contextlib
import random
import statistics
import time
from collections import Counter
from dataclasses import replace
from uuid import UUID

import psutil
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from services.engine import Engine, newest
from services.storage.database import database
from services.storage.history import Past
from tests.chaos.http import Ask, Callers, Line, Try
from tests.chaos.lives import CLAIM, ORDER, PEOPLE, PROGRESS, SIGN, open_ask, step_ask
from tests.chaos.outcome import Outcome, engine_of, history_holds
from tests.chaos.product import PASSWORD, Whole, whole
from tests.check.history import install_counter
from workflows.registry import PROCESSES

CONNECTIONS = 5
LINES = 200
"""Connections of an overload: three times as many as one process takes commands."""
ROLES = {
    "grid1": "grid_worker",
    "worker1": "community_worker",
    "worker1b": "community_worker",
    "property1": "unit_liaison",
}


async def repeat(seed: int, *, issues: int = 60) -> Outcome:
    """R3 on a product of its own."""
    async with whole() as running:
        return await repeat_in(running, await people(running), seed, issues=issues)


async def repeat_in(running: Whole, callers: Callers, seed: int, *, issues: int) -> Outcome:
    """R3: each request is sent one to five times under its key, one after the other or all at once, and much later."""
    outcome = Outcome("R3", seed)
    rng = random.Random(seed)
    unlike: list[str] = []
    first: list[tuple[Ask, Try]] = []
    times = 0
    for _ in range(issues):
        ask = open_ask(rng)
        answers = await _several(callers, ask, rng)
        times += len(answers)
        unlike += _unlike(ask, answers, opening=True)
        case = str(answers[0].body["id"])
        first.append((ask, answers[0]))
        for step in rng.choice(((ORDER,), (ORDER, SIGN), (ORDER, SIGN, PROGRESS, CLAIM))):
            ask = step_ask(case, step)
            answers = await _several(callers, ask, rng)
            times += len(answers)
            unlike += _unlike(ask, answers)
            first.append((ask, answers[0]))
    outcome.none_of("repeats with another answer", unlike)
    other = [await _other_body(callers, ask) for ask, _ in rng.sample(first, min(len(first), 20))]
    outcome.none_of(
        "other bodies under a used key that were not refused", [str(one) for one in other if one.status != 409]
    )
    gone = rng.sample([ask for ask, _ in first if ask.case is None], min(issues, 5))
    ids = [str(ask.answer.body["id"]) for ask in gone if ask.answer]
    late = await _after_the_runs_are_gone(running, callers, ids, first)
    outcome.none_of("late repeats with another answer", late)
    outcome.done = f"{len(first)} requests sent {times} times, {len(ids)} cases asked again after their runs were gone"
    await history_holds(outcome, running, callers)
    return outcome


async def _several(callers: Callers, ask: Ask, rng: random.Random) -> list[Try]:
    """Send one request one to five times, by chance all at the same moment; only definite answers, the first first."""
    count = rng.randint(1, CONNECTIONS)
    if rng.random() < 0.5:
        found = await asyncio.gather(*(callers.insist(ask) for _ in range(count)))
    else:
        found = [await callers.insist(ask) for _ in range(count)]
    answers = [one for one in found if one is not None]
    return sorted(answers, key=lambda one: (one.status != 201, one.ended))


def _unlike(ask: Ask, answers: list[Try], *, opening: bool = False) -> list[str]:
    """Answers that differ from the first; an opening says 201 once and 200 from then on (api.md)."""
    again = 200 if opening else answers[0].status
    told = [f"{ask.command} answered {answers[0].status} {answers[0].body}"] if answers[0].status >= 300 else []
    for one in answers[1:]:
        if one.status != again or one.body != answers[0].body:
            told.append(f"{ask.command} answered {one.status} {one.body}, first {answers[0].status} {answers[0].body}")
    if opening and Counter(one.status for one in answers)[201] > 1:
        told.append(f"{ask.command} was created {Counter(one.status for one in answers)[201]} times")
    return told


async def _other_body(callers: Callers, ask: Ask) -> Try:
    """Send another body under a key that was used; not noted, since it must leave no trace."""
    changed = replace(ask, body={**ask.body, "acting_role": ROLES[ask.actor]}, tries=[])
    answer = await callers.insist(changed)
    callers.asks.remove(changed)
    assert answer is not None
    return answer


async def _after_the_runs_are_gone(
    running: Whole, callers: Callers, ids: list[str], first: list[tuple[Ask, Try]]
) -> list[str]:
    """Take the runs of some cases away, as retention does one day, and repeat everything that was sent to them."""
    client = await engine_of(running)
    for case in ids:
        await _forget(client, f"issue/{case}")
    unlike = []
    for ask, answer in first:
        case = str(answer.body["id"])
        if case in ids:
            again = await callers.insist(ask)
            assert again is not None
            unlike += _unlike(ask, [answer, again], opening=ask.case is None)
    storage = database(running.database_url, pool_size=1, application_name="chaos")
    try:
        past = Past(storage)
        engine = Engine(client, past, newest("lanzhou_2021"), timeout=10)
        for case in ids:
            found = await past.now(PROCESSES["issue"], str(UUID(case)))
            assert found is not None
            await engine.revive(PROCESSES["issue"], found)
    finally:
        await storage.dispose()
    return unlike


async def _forget(client: Client, run: str) -> None:
    execution = WorkflowExecution(workflow_id=run)
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    )
    with contextlib.suppress(RPCError):
        while True:
            await client.get_workflow_handle(run).describe()
            await asyncio.sleep(0.05)


async def decide_at_once(seed: int, *, issues: int = 60) -> Outcome:
    """R4 on a product of its own."""
    async with whole() as running:
        return await decide_at_once_in(running, await people(running), seed, issues=issues)


async def decide_at_once_in(running: Whole, callers: Callers, seed: int, *, issues: int, most: int = 50) -> Outcome:
    """R4: two to fifty callers decide the same step of an issue at once; one may, and leaves one event."""
    outcome = Outcome("R4", seed)
    rng = random.Random(seed)
    wrong: list[str] = []
    deciders = 0
    for number in range(issues):
        opened = await callers.insist(open_ask(rng))
        assert opened is not None
        case = str(opened.body["id"])
        # The two ends are always among them.
        count = (2, most)[number] if number < 2 else rng.randint(2, most)
        deciders += count
        asks = [step_ask(case, ORDER) for _ in range(count)]
        answers = await asyncio.gather(*(callers.insist(ask) for ask in asks))
        told = Counter(one.status for one in answers if one is not None)
        if told != Counter({200: 1, 409: count - 1}):
            wrong.append(f"{count} callers on {case}: {dict(told)}")
        events = await callers.read(f"/issues/{case}/events", "worker1")
        decisions = [one for one in events.body["items"] if one["actor"] != "system" and one["seq"] > 1]
        listed = {one["type"] for one in decisions}
        if len(decisions) != len(listed):
            wrong.append(f"{case} has {[one['type'] for one in decisions]}")
    outcome.done = f"{deciders} callers on {issues} issues"
    outcome.none_of("issues that not exactly one decided", wrong)
    await history_holds(outcome, running, callers)
    return outcome


async def overload(seed: int, *, seconds: float = 20.0) -> Outcome:
    """R15: ten times as many requests as the product can carry out."""
    outcome = Outcome("R15", seed)
    async with whole() as running:
        callers = await people(running)
        web = running.part("web")
        assert web is not None
        await _goodput(callers, seed, 5.0)
        capacity = await _goodput(callers, seed + 1, seconds)
        before = web.memory_info().rss
        offered, goodput = await _flood(callers, seed, 10 * capacity, seconds)
        refused = [one.seconds for one in callers.tries() if one.status == 429]
        late = len([one for one in callers.tries() if one.status == 503])
        recovered = await _goodput(callers, seed + 2, min(seconds, 30.0))
        grown = web.memory_info().rss / before - 1 if psutil.pid_exists(web.pid) else float("inf")
        outcome.done = (
            f"capacity {capacity:.0f} openings/s, offered {offered:.0f}/s for {seconds:.0f} s, {len(refused)} refused, "
            f"{late} too late; "
            "the load client runs on the same cores"
        )
        outcome.at_least("goodput ÷ capacity", goodput / capacity, 0.8)
        outcome.at_least("refused by 429", len(refused), 1)
        if refused:
            outcome.at_most("median time of a 429", 1000 * statistics.median(refused), 100, "ms")
        outcome.at_least("rate afterwards ÷ capacity", recovered / capacity, 0.8)
        outcome.at_most("memory of the API grown by", 100 * grown, 20, "%")
        outcome.at_most("longest request", callers.slowest(), 10)
        await history_holds(outcome, running, callers)
    return outcome


async def _goodput(callers: Callers, seed: int, seconds: float, clients: int = 16) -> float:
    """Openings carried out a second, with so many clients that wait for their answers."""
    until = time.monotonic() + seconds
    began = time.monotonic()

    async def client(number: int) -> None:
        rng = random.Random(f"{seed}/{number}")
        while time.monotonic() < until:
            await callers.insist(open_ask(rng), until=until)

    await asyncio.gather(*(client(number) for number in range(clients)))
    return _done_between(callers, began, until) / seconds


async def _flood(callers: Callers, seed: int, rate: float, seconds: float) -> tuple[float, float]:
    """Offer so many openings a second over many connections; offered and carried out a second."""
    rng = random.Random(seed)
    # Written before, and sent over connections that are kept: the client must not take the product's processor.
    asks = [open_ask(rng) for _ in range(int(rate * seconds))]
    ready = iter([(ask, callers.written(ask)) for ask in asks])
    began = time.monotonic()
    sent = 0

    async def line() -> None:
        nonlocal sent
        connection = Line(callers.port)
        for ask, request in ready:
            await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
            if time.monotonic() > began + seconds:
                callers.asks.remove(ask)
                break
            sent += 1
            ask.tries.append(await connection.send(request))
        connection.close()

    await asyncio.gather(*(line() for _ in range(LINES)))
    for ask, _ in ready:
        callers.asks.remove(ask)
    return sent / seconds, _done_between(callers, began, began + seconds) / seconds


def _done_between(callers: Callers, began: float, ended: float) -> int:
    return len([one for one in callers.tries() if 0 < one.status < 300 and began <= one.ended <= ended])


async def people(running: Whole) -> Callers:
    """Everybody who works in the demonstration street, signed in, every effect counted from here on."""
    await install_counter(running.database_url)
    callers = Callers(running.port, PASSWORD)
    await callers.sign_in(*PEOPLE)
    return callers
