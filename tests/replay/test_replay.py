"""Cases that began under this program's earlier code go on under today's: every kept history replays.

A change that asks the engine for other things on a path that histories took fails here. Before a release, `make
histories` records anew; after one, such a change needs `workflow.patched`.
"""

import ast
import gzip
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from activities.payloads import DATA_CONVERTER
from workflows.issue.process import ISSUE
from workflows.kernel import shell
from workflows.kernel.process import Process
from workflows.kernel.shell import CaseWorkflow
from workflows.kernel.wire import Receipt, Seed
from workflows.registry import PROCESSES, WORKFLOWS, IssueWorkflow

HISTORIES = Path(__file__).parent / "histories"
AT_LEAST = 60
# Histories of issues that replay in a second or two, for code of issues that is broken on purpose.
A_FEW = 25
OTHERS = [one for one in WORKFLOWS if one is not IssueWorkflow]


def listed() -> list[dict[str, Any]]:
    """What is kept: workflow, files, what they show."""
    found: list[dict[str, Any]] = []
    for file in sorted(HISTORIES.glob("*/*/list.json")):
        found += [{**one, "folder": file.parent} for one in json.loads(file.read_text(encoding="utf-8"))]
    return found


async def kept(found: Iterable[dict[str, Any]]) -> AsyncIterator[WorkflowHistory]:
    """Those of the kept histories."""
    for one in found:
        for name in one["files"]:
            text = gzip.decompress((one["folder"] / name).read_bytes()).decode()
            yield WorkflowHistory.from_json(f"{one['workflow']} {name}", text)


async def culprits(types: list[type], of: Iterable[dict[str, Any]]) -> list[str]:
    """Every history that does not replay, with the reason."""
    replayer = Replayer(
        workflows=types,
        data_converter=DATA_CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
        # Without the watch for hung workflows: on a machine that stood still for two seconds it never came to an end.
        debug_mode=True,
    )
    found: list[str] = []
    async with replayer.workflow_replay_iterator(kept(of)) as results:
        async for result in results:
            if result.replay_failure is not None:
                reason = str(result.replay_failure).partition("\n")[0][:160]
                found.append(f"{result.history.workflow_id}: {reason}")
    return found


async def test_every_kept_history_replays() -> None:
    found = await culprits(list(WORKFLOWS), listed())

    assert not found, "\n".join([f"{len(found)} histories do not replay:", *found])


def test_the_kept_histories_show_every_position_and_every_turn_of_fate() -> None:
    shown = {thing for one in listed() for thing in one["shows"]}
    wanted = {f"{process.name} was at {state.name}" for process in PROCESSES.values() for state in process.states}
    wanted |= {f"{process.name} rolled over" for process in PROCESSES.values()}
    wanted |= {"issue escalated", "issue return_order", "issue reject_completion", "issue reopen", "issue clock_red"}
    wanted |= {"supervision delist", "issue effect_done", "issue split", "issue merge_into"}

    assert sum(one["workflow"].startswith("issue/") for one in listed()) >= AT_LEAST
    assert not sorted(wanted - shown)


def test_the_kept_histories_name_no_machine() -> None:
    for file in HISTORIES.glob("*/*/*.json.gz"):
        text = gzip.decompress(file.read_bytes()).decode()
        assert "stackTrace" not in text
        assert "/work" not in text
        assert "/home/" not in text


# --- the test of the test ------------------------------------------------------------------------------------


def a_few() -> list[dict[str, Any]]:
    """The first histories of issues."""
    return [one for one in listed() if one["workflow"].startswith("issue/")][:A_FEW]


def _without_triage() -> Process[Any]:
    """A process whose issues wait for nobody to accept them: a clock less."""
    changed = tuple(
        replace(arrow, starts=tuple(code for code in arrow.starts if code != "TRIAGE")) for arrow in ISSUE.arrows
    )
    return replace(ISSUE, arrows=changed)


@workflow.defn(name="issue")
class Unchanged(CaseWorkflow):
    """The real shell under another class."""

    process = ISSUE

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """As the real one."""
        return await self.live()


@workflow.defn(name="issue")
class Impatient(CaseWorkflow):
    """A shell that waits a moment before each tick: a timer more."""

    process = ISSUE

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """As the real one."""
        return await self.live()

    async def _tick(self) -> None:
        await workflow.sleep(timedelta(seconds=1))
        await super()._tick()


@workflow.defn(name="issue")
class Anxious(CaseWorkflow):
    """A shell that reads its case again after each turn: an activity more."""

    process = ISSUE

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """As the real one."""
        return await self.live()

    async def _drive(self, walk: Any, envelope: Any) -> Receipt:
        receipt = await super()._drive(walk, envelope)
        await self._catch_up()
        return receipt


@workflow.defn(name="issue")
class Forgetful(CaseWorkflow):
    """A shell that carries out no effects: an activity less."""

    process = ISSUE

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """As the real one."""
        return await self.live()

    async def _carry_out(self) -> None:
        assert self._case is not None
        self._case = replace(self._case, pending=())


@workflow.defn(name="issue")
class Clockless(CaseWorkflow):
    """The real shell with another process: a timer less."""

    process = _without_triage()

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """As the real one."""
        return await self.live()


@pytest.mark.parametrize("broken", [Impatient, Anxious, Forgetful, Clockless])
async def test_a_change_that_running_cases_cannot_follow_is_found(broken: type[CaseWorkflow]) -> None:
    found = await culprits([broken, *OTHERS], a_few())

    assert found
    assert any("ondeterminism" in one for one in found), found


async def test_the_same_shell_under_another_class_is_not_found() -> None:
    assert not await culprits([Unchanged, *OTHERS], a_few())


# --- the order of commands -----------------------------------------------------------------------------------

ASKS = {
    "live": [
        "wait_condition",
        "_arm",
        "wait_condition",
        "_tick",
        "_carry_out",
        "wait_condition",
        "wait_condition",
        "continue_as_new",
    ],
    "_ring": ["sleep"],
    "_tick": ["_drive", "_catch_up"],
    "command": ["_drive", "_catch_up", "_catch_up"],
    "_drive": ["record"],
    "_carry_out": ["execute_activity_method", "_drive", "_catch_up"],
    "_catch_up": ["patiently"],
    "record": ["patiently"],
    "patiently": ["execute_local_activity_method", "execute_activity_method"],
}
"""What each part of the shell asks of the engine, in the order of the text. Running cases count on it: whoever
changes it needs `workflow.patched`, or histories that were never released."""

OF_THE_ENGINE = {
    "sleep",
    "wait_condition",
    "execute_activity_method",
    "execute_local_activity_method",
    "continue_as_new",
    "patched",
    "deprecate_patch",
    "start_child_workflow",
    "execute_child_workflow",
    "upsert_search_attributes",
    "upsert_memo",
}
OURS = {"_arm", "_tick", "_carry_out", "_drive", "_catch_up", "record", "patiently"}


def test_the_shell_asks_the_engine_in_the_order_that_running_cases_know() -> None:
    tree = ast.parse(Path(shell.__file__ or "").read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
        asked = [
            (call.lineno, call.col_offset, name)
            for call in calls
            if (name := call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", ""))
            in OF_THE_ENGINE | OURS
        ]
        if asked:
            found[function.name] = [name for _, _, name in sorted(asked)]

    assert found == ASKS
