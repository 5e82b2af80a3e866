"""The case rebuilt from PostgreSQL is the case, at every version and in every position (issue 3, part 5).

The simulator's lives are written by the real ledger, turn by turn. That a run holds the same case as the simulator is
shown by `tests/equal/test_simulator.py`.
"""

from dataclasses import replace
from string import ascii_uppercase
from typing import Any

from activities.calendar import Calendars
from services.storage.calendar import CalendarStore
from services.storage.database import database
from services.storage.history import broken_at, case_at, case_now
from services.storage.ledger import Ledger
from tests.equal.lives import Life
from tests.workflow.conftest import SEAL
from workflows.kernel.process import Case
from workflows.registry import PROCESSES

AT_LEAST = 15
MOST_LIVES = 120
COUNT = 4
LETTERS = ascii_uppercase + "-"
# The processes that the simulator's lives play.
LIVED = ("issue", "supervision", "meeting")
# Not every seed comes there; the kept histories and the arrows' own tests do.
RARE = {
    *(("issue", f"CLOSED:{code}") for code in ("MERGED", "WITHDRAWN", "PARTLY_RESOLVED")),
    *{("issue", "ASSIGNED:DESIGNATION_ASKED"), ("meeting", "MINUTES_SIGNED"), ("meeting", "FOLLOW_UP")},
}


def bare(case: Case[Any]) -> Case[Any]:
    """The case without the count in its number, which each street has for itself."""
    return replace(case, number=case.number.lstrip(LETTERS)[:-COUNT])


async def test_rows_and_events_give_the_case_at_every_version_and_position(database_url: str) -> None:
    storage = database(database_url, pool_size=2, application_name="test")
    ledger = Ledger(storage, calendars=Calendars(CalendarStore(storage), recheck=3600), seal=SEAL)
    wanted = {(process.name, state.name) for process in map(PROCESSES.__getitem__, LIVED) for state in process.states}
    seen: set[tuple[str, str]] = set()
    try:
        for seed in range(1, MOST_LIVES):
            if seed > AT_LEAST and wanted - seen <= RARE:
                break
            life = Life(seed)
            turns = life.turns()
            if seed > AT_LEAST and not {(one.case.process, one.case.position) for one in turns} - seen:
                continue
            async with storage.connect() as connection:
                for one in turns:
                    await ledger.record(one.transaction)
                    process = PROCESSES[one.case.process]
                    stands = await case_now(connection, process, one.case.id)
                    assert stands is not None
                    assert bare(stands) == bare(one.case)
                    assert await case_at(connection, process, one.case.id, one.case.version) == stands
                    seen.add((one.case.process, one.case.position))
                for case in life.street.cases.values():
                    assert await broken_at(connection, case.id) is None
                await connection.rollback()
    finally:
        await storage.dispose()
    assert wanted - seen <= RARE, wanted - seen
