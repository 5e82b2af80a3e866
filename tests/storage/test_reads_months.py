"""The figures of M1, M2 and M4: months of the simulator, written turn by turn, counted by the database."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.identity.passwords import Passwords
from services.storage import measures
from services.storage.demo import seed_demo
from services.storage.measures import Measure
from services.storage.questions.meetings import slots_to_open
from tests.scenarios import street, test_months, test_round_scenarios
from tests.storage.town import CITY, SUBDISTRICT, without_cases
from tests.storage.town import Town as Written
from workflows.kernel.process import SYSTEM, Asked, derived_id
from workflows.kernel.simulator import Street
from workflows.kernel.step import Batch, Stamps
from workflows.kernel.wire import Transaction, transaction

HELD = text("SELECT id, state FROM case_file WHERE process = 'meeting' AND data ->> 'held' = 'true' ORDER BY id")


@dataclass(slots=True)
class Recorded(Street):
    """A simulated street that keeps every turn as the shell would write it."""

    turns: list[Transaction] = field(default_factory=list)

    def _record(self, batch: Batch) -> Stamps:
        stamps = Street._record(self, batch)
        self.turns.append(transaction(self.world.processes[batch.case.process], batch, None))
        return stamps


@pytest_asyncio.fixture(loop_scope="session")
async def written(town: Written) -> AsyncIterator[Written]:
    """The demonstration street without cases."""
    await seed_demo(town.engine, "first", Passwords())
    await without_cases(town.engine)
    yield town


async def lived(written: Written, monkeypatch: pytest.MonkeyPatch, month: Callable[[], None], module: Any) -> None:
    """Play a month on the simulator and write all of its turns."""
    towns: list[street.Town] = []

    class Town(street.Town):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self.street = Recorded(self.street.world, self.street.now)
            towns.append(self)

    monkeypatch.setattr(module, "Town", Town)
    month()
    for one in towns:
        assert isinstance(one.street, Recorded)
        for turn in one.street.turns:
            # The simulator calls its cases as the scenarios do; the ledger wants an id of its own for each.
            turn.case["id"] = derived_id("month", month.__name__, turn.case["id"])
            await written.write(turn)


async def figures(written: Written, month: str) -> dict[str, Measure]:
    async with written.engine.connect() as connection:
        return {one.formula.name: one for one in await measures.measures(connection, SUBDISTRICT, month, actor=CITY)}


def parts(found: dict[str, Measure], *names: str) -> dict[str, tuple[int, int]]:
    """Part and whole of some figures."""
    return {name: (found[name].part, found[name].whole) for name in names}


async def test_m1_march_2026(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    month = test_months.test_m1_march_2026_an_ordinary_month
    await lived(written, monkeypatch, month, test_months)
    found = await figures(written, "2026-03")

    assert found["on_time_rate"].value == pytest.approx(0.833, abs=0.001)
    assert parts(
        found, "on_time_rate", "overdue_open", "resolution_rate", "satisfaction_rate", "epc_compliance", "delist_rate"
    ) == {
        "on_time_rate": (5, 6),
        "overdue_open": (0, 0),
        "resolution_rate": (5, 5),
        "satisfaction_rate": (5, 5),
        "epc_compliance": (3, 3),
        "delist_rate": (0, 1),
    }

    # A slot of the month that is opened only now would know what was held.
    async with written.engine.connect() as connection:
        held = (await connection.execute(HELD)).mappings().all()
    assert {one["state"] for one in held} == {"CLOSED"}
    assert {str(one["id"]) for one in held} == set(await meetings_of_slots(written, "2026-03"))
    assert await meetings_of_slots(written, "2026-04") == []


async def meetings_of_slots(written: Written, period: str) -> list[str]:
    """The meetings that the slots of a month would be filled with, were they opened now."""
    about = {"region": SUBDISTRICT, "period": period}
    asked = Asked(name="slots_to_open", about=about, now=datetime.now(UTC), actor=SYSTEM)
    async with written.engine.connect() as connection:
        opened = await slots_to_open(connection, asked)
    return [one for opening in opened["openings"] for one in opening["fields"]["meetings"]]


async def test_m4_october_2026(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    month = test_months.test_m4_october_2026_the_national_day
    await lived(written, monkeypatch, month, test_months)
    found = await figures(written, "2026-10")

    assert found["on_time_rate"].value == 0.5
    assert parts(found, "on_time_rate", "overdue_open", "epc_compliance", "delist_rate") == {
        "on_time_rate": (1, 2),
        "overdue_open": (1, 1),
        "epc_compliance": (2, 3),
        "delist_rate": (0, 1),
    }


@pytest.mark.parametrize(
    ("month", "valid", "compliance"),
    [
        ("2026-03", {street.C1, street.C2, street.C3}, (3, 3)),
        ("2026-02", {street.C1, street.C2}, (2, 3)),
        ("2026-10", {street.C1, street.C2, street.C3}, (3, 3)),
    ],
    ids=["M1", "M2", "M4"],
)
async def test_the_rounds_of_the_months(
    written: Written, monkeypatch: pytest.MonkeyPatch, month: str, valid: set[str], compliance: tuple[int, int]
) -> None:
    def collected() -> None:
        test_round_scenarios.test_the_compliance_of_the_months(month, valid)

    collected.__name__ = month
    await lived(written, monkeypatch, collected, test_round_scenarios)
    found = (await figures(written, month))["round_compliance"]

    assert (found.part, found.whole) == compliance
    assert set(found.part_cases) == valid
