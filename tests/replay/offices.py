"""Say on the engine what the tables of inspections and refusals say on the simulator: a case at every position.

`python -m tests.replay.offices` records their histories for the replays. Their permits live on the simulator only:
what an inspection tells one comes back refused, as it would after a permit was lost.
"""

import asyncio
import contextlib
import json
import logging
import re
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.service import RPCError

from tests.replay.admissions import LOOK_EVERY, PATIENCE, Stage, stage
from tests.replay.record import HISTORIES, Kept, save
from tests.rules import test_inspection_arrows as inspections
from tests.rules import test_refusal_arrows as refusals
from tests.scenarios.admitting import Act
from tests.scenarios.street import PEOPLE, Town
from workflows.inspection import commands as do
from workflows.inspection.process import INSPECTION
from workflows.kernel.process import Process, named
from workflows.kernel.wire import Envelope, fields_of
from workflows.refusal.process import REFUSAL


@dataclass(frozen=True, slots=True)
class Scene:
    """A case that stands somewhere, and everything that was said to bring it there."""

    name: str
    process: Process[Any]
    key: str
    town: Town

    @property
    def case_id(self) -> str:
        """The case of this scene on the engine."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, self.name))

    @property
    def acts(self) -> list[Act]:
        """What was said on the case itself."""
        taped: Any = self.town.street
        return [act for act in taped.acts if act.case_id == self.key]

    @property
    def position(self) -> str:
        """Where it ends."""
        return self.town.street.cases[self.key].position


def scenes() -> Iterator[Scene]:
    """A case at every position of both tables, and one whose ballot is counted in vain twice."""
    for process, module, key in ((INSPECTION, inspections, "i"), (REFUSAL, refusals, "r")):
        for state in process.states:
            yield Scene(f"{process.name}-{state.name}", process, key, module.at_position(state.name))
    town = inspections.at_position("ASSESSING")
    town.street.command("i", do.OpenBallot(panel=40), PEOPLE["reviewer"])
    yield Scene("inspection-in-vain", INSPECTION, "i", town.at("12-31 09:00"))
    yield Scene("inspection-unreported", INSPECTION, "i", inspections.opened().at("12-31 09:00"))


async def play(on_stage: Stage, scenes: list[Scene]) -> list[Kept]:
    """Say everything of all scenes in the order of its time; gives what the history of each case shows."""
    now = await on_stage.environment.get_current_time()
    said = [(act.at, 0, count, scene, act) for scene in scenes for count, act in enumerate(scene.acts)]
    ends = [(scene.town.street.now, 1, 0, scene, None) for scene in scenes]
    ahead = next(years for years in range(50) if _later(min(one[0] for one in said), years) > now)
    kept: list[Kept] = []
    for at, _, count, scene, act in sorted([*said, *ends], key=lambda one: one[:3]):
        await _wait_until(on_stage, _later(at, ahead))
        if act is None:
            kept.append(await _ended(on_stage, scene))
        else:
            await _say(on_stage, scene, act, count)
    return kept


async def _say(on_stage: Stage, scene: Scene, act: Act, count: int) -> None:
    envelope = Envelope(
        command=named(type(act.command)).name,
        fields=fields_of(act.command),
        actor=act.actor,
        key=f"{scene.name}-{count}",
        body_hash=f"body of {scene.name}-{count}",
        facts=dict(act.facts),
    )
    say = on_stage.engine.open if act.opens else on_stage.engine.command
    await say(scene.process, scene.case_id, envelope)


async def _ended(on_stage: Stage, scene: Scene) -> Kept:
    case_id = scene.case_id
    async with asyncio.timeout(PATIENCE):
        while True:
            case = await on_stage.ledger.now(scene.process, case_id)
            if case is not None and case.position == scene.position and not case.pending:
                break
            await asyncio.sleep(LOOK_EVERY)
    workflow = f"{scene.process.name}/{case_id}"
    handle = on_stage.environment.client.get_workflow_handle(workflow)
    with contextlib.suppress(RPCError):  # where the case is over, its run is
        await handle.terminate("its scene is over")
    rows = on_stage.ledger.books[case_id].events
    return workflow, case.position, frozenset(_shown(scene.process.name, case.position, rows))


def _shown(process: str, position: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield f"{process} stands at {position}"
    for row in rows:
        yield f"{process} {row['type']}"
        if "to" in row["payload"]:
            yield f"{process} was at {row['payload']['to']}"


async def _wait_until(on_stage: Stage, moment: datetime) -> None:
    left = moment - await on_stage.environment.get_current_time()
    if left > timedelta(0):
        await on_stage.environment.sleep(left)


def _later(moment: datetime, years: int) -> datetime:
    return moment.replace(year=moment.year + years)


async def main() -> None:
    """Record every scene, into a folder of their own."""
    logging.disable(logging.WARNING)
    version = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    folder = HISTORIES / f"{version}-offices"
    folder.mkdir(parents=True, exist_ok=True)
    async with stage() as on_stage:
        kept = await play(on_stage, list(scenes()))
        for old in folder.glob("*"):
            old.unlink()
        client = on_stage.environment.client
        listed = [await save(client, one, folder, number) for number, one in enumerate(sorted(kept), 1)]
    text = json.dumps(listed, ensure_ascii=False, indent=1)
    if re.search(r"/work|/home|/root|/tmp", text):
        raise SystemExit("a path of this machine is in the list")
    (folder / "list.json").write_text(text + "\n", encoding="utf-8")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{len(listed)} cases, {size // 1024} KB")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
