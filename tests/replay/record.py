"""Record histories for the replays: `make histories`, or `python -m tests.replay.record [process …]` for some of them.

What is said in the towns of the state tables is said on the engine, and the history of the case is kept. No person,
machine or path is in it: people are invented, texts are references.
"""

import asyncio
import gzip
import json
import logging
import os
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from tests.replay.lives import lives
from tests.replay.stage import Life, stage
from workflows.registry import PROCESSES

ROOT = Path(__file__).parents[2]
HISTORIES = Path(__file__).parent / "histories"


class Folder:
    """The kept histories of one process, written anew."""

    def __init__(self, name: str) -> None:
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
        self.path = HISTORIES / version / name
        self.path.mkdir(parents=True, exist_ok=True)
        for old in self.path.iterdir():
            old.unlink()
        self.listed: list[dict[str, Any]] = []

    def keep(self, life: Life, runs: Sequence[WorkflowHistory]) -> None:
        """Write the history of every run of a life, oldest first."""
        files: list[str] = []
        for run in runs:
            where = life.case.position.replace(":", "-")
            name = f"{len(self.listed) + 1:03d}-{life.case.process}-{where}-{len(files)}.json.gz"
            (self.path / name).write_bytes(gzip.compress(bare(run).encode(), mtime=0))
            files.append(name)
        found = sorted(life.shown | ({f"{life.case.process} rolled over"} if len(files) > 1 else set()))
        self.listed.append({"workflow": life.workflow_id, "files": files, "shows": found})

    def close(self) -> None:
        """Write the list of what is kept."""
        text = json.dumps(self.listed, ensure_ascii=False, indent=1)
        if re.search(r"/work|/home|/root|/tmp", text):
            raise SystemExit("a path of this machine is in the list")
        (self.path / "list.json").write_text(text + "\n", encoding="utf-8")
        files, size = list(self.path.iterdir()), sum(file.stat().st_size for file in self.path.iterdir())
        print(f"{self.path.name}: {len(self.listed)} cases, {len(files) - 1} histories, {size // 1024} KB", flush=True)  # noqa: T201


def bare(history: WorkflowHistory) -> str:
    """A history without traces of the machine that it was recorded on."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: cleaned(one) for name, one in value.items() if name not in ("stackTrace", "identity")}
        if isinstance(value, list):
            return [cleaned(one) for one in value]
        return value

    return json.dumps(cleaned(json.loads(history.to_json())), separators=(",", ":"), sort_keys=True)


async def record(process: str) -> None:
    """Record what is in the table of lives, each on a stage of its own."""
    folder = Folder(process)
    for life in lives(process):
        async with stage(life.street) as on_stage:
            await on_stage.play(life)
            folder.keep(life, await on_stage.histories(life))
    folder.close()


async def main(asked: list[str]) -> None:
    """Record the named processes, or all."""
    logging.disable(logging.WARNING)
    names = sorted({process.name for process in PROCESSES.values()})
    if strange := sorted(set(asked) - set(names)):
        raise SystemExit(f"no such process: {', '.join(strange)}; there are {', '.join(names)}")
    for name in asked or names:
        await record(name)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
    sys.stdout.flush()
    # The engine's native runtime may abort in an orderly exit.
    os._exit(0)
