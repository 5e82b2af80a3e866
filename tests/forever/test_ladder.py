"""The ladder of a silent case in the pack `drill`, where a working day lasts two seconds: every rung, in order."""

import asyncio
import uuid
from datetime import datetime, timedelta

from services.storage.national_calendar import national_calendar
from tests.twins.ledger import TwinLedger, street_world
from tests.twins.skipping import skipping_engine, skipping_server
from tests.workflow.conftest import GRID, ISSUE, WORKER, Office
from tests.workflow.test_shell import submit
from workflows.issue import commands as do
from workflows.issue.data import ClockClass, Difficulty, HandlingMode
from workflows.policy.packs import load

RUNGS = ("clock_reminded", "clock_breached", "clock_red", "clock_red_plus_plus")
A_DAY = timedelta(seconds=2)


async def test_silence_climbs_every_rung_in_order() -> None:
    ledger = TwinLedger(national_calendar())
    world = street_world(load("drill"), national_calendar())
    async with skipping_server() as environment, skipping_engine(environment, ledger, world) as engine:
        case_id = str(uuid.uuid4())
        door = Office(engine, environment.client, None, "")  # type: ignore[arg-type]  # no database behind it
        await engine.open(ISSUE, case_id, door.envelope(submit(reporter=None), GRID))
        order = do.AcceptToProblemList(
            mode=HandlingMode.TIME_LIMITED,
            category_code="B01",
            difficulty=Difficulty.EASY,
            lead_org="property-1",
            clock_class=ClockClass.CONSULT,
        )
        await door.give(case_id, order, WORKER)
        accepted = datetime.fromisoformat(ledger.books[case_id].events[-1]["at"])
        await environment.sleep(50 * A_DAY)
        async with asyncio.timeout(10):
            while not any(row["type"] == RUNGS[-1] for row in ledger.books[case_id].events):
                await asyncio.sleep(0.05)

    climbed = [
        (row["type"], datetime.fromisoformat(row["at"]))
        for row in ledger.books[case_id].events
        if row["payload"].get("notes", {}).get("clock") == "HANDLE" and row["type"] in RUNGS
    ]
    assert [rung for rung, _ in climbed] == list(RUNGS)
    moments = [moment - accepted for _, moment in climbed]
    # Three working days to handle: a reminder a day before, RED five after, the county thirty days on.
    assert moments == [2 * A_DAY, 3 * A_DAY, 8 * A_DAY, 38 * A_DAY]
    case = ledger.books[case_id].row
    assert case["data"]["supervision_id"] in ledger.books
