"""Say on the engine what the scenes of admissions say on the simulator: a case at every position, one that lives years.

The time-skipping server begins today, so that every day of a scene is moved to a later year; what a permit lives
through in years passes in a moment. `python -m tests.replay.admissions` records their histories for the replays.
"""

import asyncio
import json
import logging
import re
import sys
import tomllib
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.neighbours import Neighbours
from activities.payloads import DATA_CONVERTER
from activities.records import Records
from services.engine import Engine, newest
from services.storage.national_calendar import national_calendar
from tests.equal.lockstep import SkippingEngine
from tests.replay.record import HISTORIES, Kept, save
from tests.rules.admission_scenes import WAYS
from tests.scenarios.admitting import Act, County, on
from tests.scenarios.street import C1, C2
from tests.twins.ledger import TwinLedger, street_world
from tests.twins.neighbours import TwinNeighbours
from workflows.admission import commands as do
from workflows.admission.data import Outcome, Variant
from workflows.admission.process import ADMISSION
from workflows.kernel.process import Case, named
from workflows.kernel.wire import Envelope, fields_of, restored
from workflows.policy.packs import load
from workflows.registry import WORKFLOWS

PACK = "lanzhou_2021"
YEARS = 3
LOOK_EVERY = 0.02
Ends = dict[str, Case[Any]]
"""The case of each scene, as it stood when the scene was over."""
PATIENCE = 30.0


def years() -> County:
    """A unit's permit that is renewed year after year, then runs out and is handed over."""
    town = County("09-14 10:00")
    town.admit(
        "a", "telecom", Variant.UNIT, communities=(C1, C2), planned_from=on("10-01"), planned_until=on("2027-09-30")
    )
    for year in range(2027, 2027 + YEARS):
        town.at(f"{year}-08-16 10:00").say("a", "telecom", do.ApplyRenewal(valid_until=date(year + 1, 9, 30)))
        town.at(f"{year}-08-20 10:00").say("a", "reviewer", do.Decide(outcome=Outcome.APPROVE))
    end = f"{2027 + YEARS}-10-08 10:00"
    town.at(end).say("a", "secretary1", do.ConfirmHandOver())
    town.say("a", "reviewer", do.ConfirmHandOver())
    return town


@dataclass(slots=True)
class Stage:
    """The time-skipping server with a worker on it, and the ledger in memory that it writes to."""

    environment: WorkflowEnvironment
    engine: Engine
    ledger: TwinLedger

    async def play(self, scenes: Mapping[str, County], rolls: Callable[[Act], bool] = lambda act: False) -> Ends:
        """Say everything that was said in these scenes, in the order of its time; gives each one's case at its end.

        After an act for which `rolls` says so, the case goes on in a new run. Where a scene ends its case ends too, or
        it would live on while others are played.
        """
        ids = {name: str(uuid.uuid5(uuid.NAMESPACE_OID, name)) for name in scenes}
        said = [(act.at, name, act) for name, town in scenes.items() for act in town.street.acts if act.case_id == "a"]
        ends = [(town.street.now, name, None) for name, town in scenes.items()]
        now = await self.environment.get_current_time()
        ahead = next(years for years in range(50) if _later(min(at for at, _, _ in said), years) > now)
        found: Ends = {}
        for count, (at, name, act) in enumerate(sorted([*said, *ends], key=lambda one: one[0])):
            await self._wait_until(_later(at, ahead))
            if act is None:
                found[name] = await self._end(ids[name], scenes[name].street.cases["a"].position)
                continue
            await self._say(ids[name], act, scenes[name].pack, ahead, f"{name}-{count}")
            if rolls(act):
                await self._roll_over(ids[name])
        return found

    async def _end(self, case_id: str, position: str) -> Case[Any]:
        """The case as the ledger has it, once it stands there; the run, if it goes on, holds the same and ends."""
        async with asyncio.timeout(PATIENCE):
            while True:
                case = await self.ledger.now(ADMISSION, case_id)
                if case is not None and case.position == position and not case.pending:
                    break
                await asyncio.sleep(LOOK_EVERY)
        handle = self.environment.client.get_workflow_handle(f"admission/{case_id}")
        if (await handle.describe()).close_time is None:
            held = await self.engine.case(ADMISSION, case_id)
            assert held is not None
            assert restored(ADMISSION, held) == case
            await handle.terminate("its scene is over")
        return case

    async def runs(self, case_id: str) -> int:
        """How many runs the case has had."""
        count, run_id = 0, None
        while True:
            history = await self.environment.client.get_workflow_handle(
                f"admission/{case_id}", run_id=run_id
            ).fetch_history()
            count += 1
            run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
            if not run_id:
                return count

    async def shown(self, case: Case[Any]) -> Kept:
        """What the history of a case shows: positions, events, roll-overs."""
        rows = self.ledger.books[case.id].events
        found = {f"admission stands at {case.position}"} | {f"admission {row['type']}" for row in rows}
        found |= {f"admission was at {row['payload']['to']}" for row in rows if "to" in row["payload"]}
        if await self.runs(case.id) > 1:
            found.add(f"admission rolled over at {case.position}")
        return f"admission/{case.id}", case.position, frozenset(found)

    async def _say(self, case_id: str, act: Act, pack: str, ahead: int, key: str) -> None:
        command = _moved(act.command, ahead)
        values = fields_of(command)
        envelope = Envelope(
            command=named(type(command)).name,
            fields=values,
            actor=act.actor,
            key=key,
            body_hash=f"body of {key}",
            facts=dict(act.facts),
        )
        if act.opens:
            pin = newest(pack) if pack != PACK else None
            await self.engine.open(ADMISSION, case_id, envelope, pin=pin)
        else:
            await self.engine.command(ADMISSION, case_id, envelope)

    async def _wait_until(self, moment: datetime) -> None:
        left = moment - await self.environment.get_current_time()
        if left > timedelta(0):
            await self.environment.sleep(left)

    async def _roll_over(self, case_id: str) -> None:
        handle = self.environment.client.get_workflow_handle(f"admission/{case_id}")
        before = (await handle.describe()).run_id
        await self.engine.roll_over(ADMISSION, case_id)
        while (await handle.describe()).run_id == before:
            await asyncio.sleep(LOOK_EVERY)


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Set the stage and take it down."""
    server = Path(sys.executable).with_name("temporal-test-server")
    calendar = national_calendar()
    ledger = TwinLedger(calendar)
    twin = TwinNeighbours(ledger, street_world(load(PACK), calendar))
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=DATA_CONVERTER, test_server_existing_path=str(server), identity="recorder"
    ) as environment:
        queue = f"gov-{uuid.uuid4().hex[:8]}"
        engine = SkippingEngine(
            environment.client, ledger, newest(PACK), task_queue=queue, timeout=30, attributes=False
        )
        records = Records(ledger, ledger)
        async with Worker(
            environment.client,
            task_queue=queue,
            workflows=list(WORKFLOWS),
            activities=[records.record, records.stands, Neighbours(engine, twin, twin).carry_out],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield Stage(environment, engine, ledger)


def is_renewed(act: Act) -> bool:
    """A decision on a renewal, after which the permit goes on in a new run."""
    return isinstance(act.command, do.Decide)


def _later(moment: datetime, years: int) -> datetime:
    return moment.replace(year=moment.year + years)


def _moved(value: Any, years: int) -> Any:
    """A command with every day in it so many years later."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.replace(year=value.year + years)
    if isinstance(value, tuple):
        return tuple(_moved(one, years) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _moved(getattr(value, one.name), years) for one in fields(value)})
    return value


async def main() -> None:
    """Record a case at every position and the permit of years, into a folder of their own."""
    logging.disable(logging.WARNING)
    version = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    folder = HISTORIES / f"{version}-admissions"
    folder.mkdir(parents=True, exist_ok=True)
    scenes = {name: way() for name, way in WAYS.items()} | {"years": years()}
    async with stage() as on_stage:
        ended = await on_stage.play(scenes, rolls=is_renewed)
        kept = [await on_stage.shown(case) for case in ended.values()]
        for old in folder.glob("*"):
            old.unlink()
        client = on_stage.environment.client
        listed = [await save(client, one, folder, number) for number, one in enumerate(sorted(kept), 1)]
    text = json.dumps(listed, ensure_ascii=False, indent=1)
    if re.search(r"/work|/home|/root|/tmp", text):
        raise SystemExit("a path of this machine is in the list")
    (folder / "list.json").write_text(text + "\n", encoding="utf-8")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{len(listed)} cases, {sum(len(one['files']) for one in listed)} histories, {size // 1024} KB")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
