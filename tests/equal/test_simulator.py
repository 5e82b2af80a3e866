"""The simulator and Temporal write the same events for the same script: random people, commands, leaps of time.

`SHANGLIANG_SCRIPTS` asks for more scripts than the suite plays, `SHANGLIANG_SEED` for others. A difference is
told with the whole script that led to it.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import nullcontext, suppress
from random import Random

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from services.storage.national_calendar import national_calendar
from tests.equal.lockstep import Differs, FaultyLedger, Script, side_by_side, told_of
from tests.twins.ledger import street_world
from tests.twins.skipping import skipping_engine, skipping_server
from workflows.policy.packs import load

SCRIPTS = int(os.environ.get("SHANGLIANG_SCRIPTS", "100"))
SEED = int(os.environ.get("SHANGLIANG_SEED", "20260303"))
AT_ONCE = 50
ROUNDS = 18
LOST_WRITES = 0.01
PACK = "lanzhou_2021"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock leaps, shared by every case of this module."""
    async with skipping_server() as environment:
        yield environment


async def played_under(
    environment: WorkflowEnvironment, pack: str, seed: int, scripts: int, *, street: int = 0
) -> list[Script]:
    """Play scripts under a policy pack; raises at the first difference."""
    calendar = national_calendar()
    ledger = FaultyLedger(calendar)
    ledger.rng, ledger.share = Random(seed), LOST_WRITES
    world = street_world(load(pack), calendar)
    played: list[Script] = []
    async with skipping_engine(environment, ledger, world) as engine:
        for first in range(0, scripts, AT_ONCE):
            try:
                played += await side_by_side(
                    environment,
                    engine,
                    ledger,
                    world,
                    seed=seed + first,
                    scripts=min(AT_ONCE, scripts - first),
                    rounds=ROUNDS,
                    first_place=street + first,
                )
            finally:
                await _end(environment, ledger)
    return played


async def _end(environment: WorkflowEnvironment, ledger: FaultyLedger) -> None:
    """End what goes on when its script is over: every leap of time would age it once more."""
    for case_id, book in list(ledger.books.items()):
        handle = environment.client.get_workflow_handle(f"{book.row['process']}/{case_id}")
        if (await handle.describe()).close_time is None:
            await handle.terminate("its script is over")
    ledger.books.clear()


async def test_simulator_and_temporal_write_the_same_events(skipping: WorkflowEnvironment) -> None:
    played = await played_under(skipping, PACK, SEED, SCRIPTS)

    total = told_of(played)
    events = Counter(event.type for one in played for found in one.street.histories.values() for event in found)
    assert len(played) == SCRIPTS
    # A run that met none of these would prove little.
    assert (
        min(total["roll over"], total["repeat"], total["refused guard_failed"], total["refused version_conflict"]) > 0
    )
    assert min(events["clock_breached"], events["clock_red"], events["effect_done"]) > 0


@pytest.mark.parametrize("pack", ["drill"])
async def test_they_agree_under_the_fast_clock_too(skipping: WorkflowEnvironment, pack: str) -> None:
    # In a drill a second of the machine is half a day: a difference counts when it comes in every try.
    played: list[Script] = []
    for street in (900, 930, 960):
        with suppress(Differs) if street < 960 else nullcontext():
            played = await played_under(skipping, pack, SEED + 1, max(8, SCRIPTS // 10), street=street)
            break

    assert told_of(played)["submit_issue"] >= len(played)
