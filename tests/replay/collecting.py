"""Say on the engine what the tables of rounds, notices, objections, orders and exclusions say on the simulator.

`python -m tests.replay.collecting` records a case at every position for the replays. Each case lives alone there: what
it tells another one comes back refused, as it would after the other was lost.
"""

import asyncio
import json
import logging
import re
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.replay.admissions import LOOK_EVERY, PATIENCE, Stage, stage
from tests.replay.record import HISTORIES, Kept, save
from tests.rules import (
    test_exclusion_arrows,
    test_notice_arrows,
    test_objection_arrows,
    test_round_arrows,
    test_supervision_order_arrows,
)
from tests.rules.tables import Table
from tests.scenarios.admitting import Act, Taped
from tests.scenarios.street import Town
from workflows.kernel.process import named
from workflows.kernel.wire import Envelope, fields_of

TABLES: tuple[ModuleType, ...] = (
    test_round_arrows,
    test_notice_arrows,
    test_objection_arrows,
    test_supervision_order_arrows,
    test_exclusion_arrows,
)
YEAR = "2026"


class TapedTown(Town):
    """A town whose street remembers what was said in it."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.street = Taped(self.street.world, self.street.now)


def scenes() -> Iterator[tuple[str, Table, Town]]:
    """A case at every position of every table, and how it came there."""
    for module in TABLES:
        plain, module.Town = module.Town, TapedTown  # type: ignore[attr-defined]
        try:
            table: Table = module.TABLE
            for position in table.positions:
                yield f"{table.process.name}-{position}", table, table.at_position(position)
        finally:
            module.Town = plain  # type: ignore[attr-defined]


async def play(on_stage: Stage, name: str, table: Table, town: Town, ahead: int) -> Kept:
    """Say everything of a scene so many years later, wait for its end, and give what its history shows."""
    street: Any = town.street
    case_id = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    for count, act in enumerate(one for one in street.acts if one.case_id == table.key):
        await _wait_until(on_stage, _moved(act.at, ahead))
        await _say(on_stage, table, case_id, act, f"{name}-{count}", ahead)
    await _wait_until(on_stage, _moved(street.now, ahead))
    position = street.cases[table.key].position
    async with asyncio.timeout(PATIENCE):
        while True:
            case = await on_stage.ledger.now(table.process, case_id)
            if case is not None and case.position == position and not case.pending:
                break
            await asyncio.sleep(LOOK_EVERY)
    workflow = f"{table.process.name}/{case_id}"
    handle = on_stage.environment.client.get_workflow_handle(workflow)
    if (await handle.describe()).close_time is None:
        await handle.terminate("its scene is over")
    rows = on_stage.ledger.books[case_id].events
    shown = {f"{table.process.name} stands at {position}"} | {f"{table.process.name} {row['type']}" for row in rows}
    shown |= {f"{table.process.name} was at {row['payload']['to']}" for row in rows if "to" in row["payload"]}
    return workflow, position, frozenset(shown)


async def _say(on_stage: Stage, table: Table, case_id: str, act: Act, key: str, ahead: int) -> None:
    command = _moved(act.command, ahead)
    envelope = Envelope(
        command=named(type(command)).name,
        fields=fields_of(command),
        actor=act.actor,
        key=key,
        body_hash=f"body of {key}",
        facts=_moved(dict(act.facts), ahead),
    )
    say = on_stage.engine.open if act.opens else on_stage.engine.command
    await say(table.process, case_id, envelope)


async def _wait_until(on_stage: Stage, moment: datetime) -> None:
    left = moment - await on_stage.environment.get_current_time()
    if left > timedelta(0):
        await on_stage.environment.sleep(left)


def _moved(value: Any, years: int) -> Any:
    """A value with every day, moment and month in it so many years later."""
    if isinstance(value, date):
        return value.replace(year=value.year + years)
    if isinstance(value, str) and value.startswith(f"{YEAR}-") and len(value) == len("2026-03"):
        return f"{int(YEAR) + years}{value[len(YEAR) :]}"
    if isinstance(value, tuple):
        return tuple(_moved(one, years) for one in value)
    if isinstance(value, dict):
        return {name: _moved(one, years) for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _moved(getattr(value, one.name), years) for one in fields(value)})
    return value


async def main() -> None:
    """Record every scene, one after the other, into a folder of their own."""
    logging.disable(logging.WARNING)
    version = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    folder = HISTORIES / f"{version}-collecting"
    folder.mkdir(parents=True, exist_ok=True)
    async with stage() as on_stage:
        # The server's clock only goes on: each scene lies a year after the one before.
        now = await on_stage.environment.get_current_time()
        first = now.year - int(YEAR) + 1
        kept = [await play(on_stage, *scene, first + number) for number, scene in enumerate(scenes())]
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
