"""Record histories of cases at every position, for the replays: `make histories`.

Random scripts run on the time-skipping server; of all their cases the few are kept that together stand at every
position and take every kind of event, roll over, climb, return, are done again and are
reopened. No person, machine or path is in them: people are invented, texts are references.
"""

import asyncio
import gzip
import json
import logging
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.neighbours import Neighbours
from activities.payloads import DATA_CONVERTER
from activities.records import Records
from services.engine import newest
from services.storage.national_calendar import national_calendar
from tests.equal.lockstep import FaultyLedger, Script, SkippingEngine, side_by_side
from tests.twins.ledger import street_world
from tests.twins.neighbours import TwinNeighbours
from workflows.policy.packs import load
from workflows.registry import PROCESSES, WORKFLOWS

HISTORIES = Path(__file__).parent / "histories"
PACK = "lanzhou_2021"
SEED = 7
AT_ONCE = 40
ROUNDS = 24
MOST_PASSES = 4
AT_LEAST = 60
LOST_WRITES = 0.004

PLAYED = ("issue", "supervision", "meeting")
"""Processes whose every position the scripts shall reach; the others have recordings of their own."""

Kept = tuple[str, str, frozenset[str]]
"""Workflow id, position of the case, and everything that its history shows."""


def shown(script: Script) -> Iterator[Kept]:
    """What the history of each case of a script shows: positions, events, roll-overs."""
    for case_id, case in script.street.cases.items():
        found = {f"{case.process} stands at {case.position}"}
        for event in script.street.histories[case_id]:
            found.add(f"{case.process} {event.type}")
            if event.change.to:
                found.add(f"{case.process} was at {event.change.to}")
        if case_id in script.rolled:
            found.add(f"{case.process} rolled over at {case.position}")
        yield f"{case.process}/{case_id}", case.position, frozenset(found)


def chosen(all_shown: list[Kept]) -> list[Kept]:
    """As few as show everything that any of them shows, and not fewer than the least."""
    missing = set().union(*(found for _, _, found in all_shown))
    kept: list[Kept] = []
    rest = sorted(all_shown)
    while rest and (missing or len(kept) < AT_LEAST):
        best = max(rest, key=lambda one: (len(one[2] & missing), -len(one[2])))
        rest.remove(best)
        kept.append(best)
        missing -= best[2]
    return kept


async def save(client: Client, one: Kept, folder: Path, number: int) -> dict[str, Any]:
    """Write the history of every run of a case; gives the entry of the list."""
    workflow_id, position, found = one
    files: list[str] = []
    run_id: str | None = None
    while True:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        name = f"{number:03d}-{workflow_id.partition('/')[0]}-{position.replace(':', '-')}-{len(files)}.json.gz"
        (folder / name).write_bytes(gzip.compress(bare(history).encode(), mtime=0))
        files.append(name)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run_id:
            return {"workflow": workflow_id, "files": files, "shows": sorted(found)}


def bare(history: WorkflowHistory) -> str:
    """A history without traces of the machine that it was recorded on."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: cleaned(one) for name, one in value.items() if name not in ("stackTrace", "identity")}
        if isinstance(value, list):
            return [cleaned(one) for one in value]
        return value

    return json.dumps(cleaned(json.loads(history.to_json())), separators=(",", ":"), sort_keys=True)


async def main() -> None:
    """Record as long as a position is missing, at most so many passes, and write what was chosen."""
    logging.disable(logging.WARNING)
    version = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    folder = HISTORIES / version
    folder.mkdir(parents=True, exist_ok=True)
    server = Path(sys.executable).with_name("temporal-test-server")
    calendar = national_calendar()
    ledger = FaultyLedger(calendar)
    ledger.rng, ledger.share = Random(SEED), LOST_WRITES
    twin = TwinNeighbours(ledger, street_world(load(PACK), calendar))
    wanted = {f"{name} was at {state.name}" for name in PLAYED for state in PROCESSES[name].states}
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=DATA_CONVERTER, test_server_existing_path=str(server), identity="recorder"
    ) as environment:
        queue = f"gov-{uuid.UUID(int=SEED).hex[:8]}"
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
            found: list[Kept] = []
            for number in range(MOST_PASSES):
                played = await side_by_side(
                    environment,
                    engine,
                    ledger,
                    street_world(load(PACK), calendar),
                    seed=SEED + number,
                    scripts=AT_ONCE,
                    rounds=ROUNDS,
                    first_place=number * AT_ONCE,
                )
                found += [one for script in played for one in shown(script)]
                missing = wanted - set().union(*(one[2] for one in found))
                print(f"pass {number + 1}: {len(found)} cases, missing: {', '.join(sorted(missing)) or 'nothing'}")  # noqa: T201
                for workflow_id, _, _ in found:
                    handle = environment.client.get_workflow_handle(workflow_id)
                    if (await handle.describe()).close_time is None:
                        await handle.terminate("its script is over")
                if not missing:
                    break
            kept = chosen(found)
            for old in folder.glob("*"):
                old.unlink()
            listed = [await save(environment.client, one, folder, number) for number, one in enumerate(kept, 1)]
    text = json.dumps(listed, ensure_ascii=False, indent=1)
    if re.search(r"/work|/home|/root|/tmp", text):
        raise SystemExit("a path of this machine is in the list")
    (folder / "list.json").write_text(text + "\n", encoding="utf-8")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{len(listed)} cases, {sum(len(one['files']) for one in listed)} histories, {size // 1024} KB")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
