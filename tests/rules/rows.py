"""Look at a state table from outside: who could take which row where, and what the row says of its clocks."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from workflows.kernel.clocks import Cancel, Clock, ClockState, Meet, Start
from workflows.kernel.process import Actor, Arrow, Case, Event, Moment, Process, Refusal, named
from workflows.kernel.step import Order, decide
from workflows.kernel.upkeep import RebasePolicy, RecomputeClocks

UPKEEP = (RebasePolicy, RecomputeClocks)
"""Rows that the kernel adds to every process; they are tested there."""
DONE = (ClockState.MET, ClockState.MET_LATE)


def name(arrow: Arrow) -> str:
    """A row as a failing test should name it."""
    on = arrow.on
    what = f"{on.kind} {on.code}" if isinstance(on, Moment) else named(on).name
    return f"{arrow.source or '-'} {what}"


def rows(process: Process[Any]) -> list[Arrow]:
    """The rows of the process itself."""
    return [arrow for arrow in process.arrows if arrow.on not in UPKEEP]


def outcome(
    process: Process[Any], case: Case[Any], command: Any, actor: Actor, policy: Any, facts: Mapping[str, Any]
) -> str | tuple[Event, ...]:
    """What comes of a command: its events, or the code of the refusal."""
    assert case.updated_at is not None
    try:
        return decide(process, case, Order(command=command, actor=actor, facts=facts), policy, case.updated_at)
    except Refusal as no:
        return no.code


def keeps_its_word(arrow: Arrow, before: Case[Any], after: Case[Any], clocks: Iterable[Clock]) -> None:
    """The clocks that the row names have ended or started, and the case stands where the row leads to."""
    assert after.position == before.position or after.position in arrow.to
    every = {clock.number: clock for clock in clocks}
    begun = [every[number] for number in range(before.clock_count + 1, after.clock_count + 1)]
    for code in arrow.meets:
        for old in (clock for clock in before.clocks if clock.code == code):
            assert every[old.number].state in DONE, (code, every[old.number])
    for code in arrow.cancels:
        for old in (clock for clock in before.clocks if clock.code == code):
            assert every[old.number].state is ClockState.CANCELLED, (code, every[old.number])
    for code in arrow.starts:
        found = [clock for clock in begun if clock.code == code]
        assert found, code
        assert all(clock.due_at is not None for clock in found if clock.live)


def operations(events: Iterable[Event]) -> list[tuple[type, str]]:
    """What events do to clocks, in order."""
    return [
        (type(op), op.code) for event in events for op in event.change.clocks if isinstance(op, (Meet, Cancel, Start))
    ]


# --- refusals ----------------------------------------------------------------------------------------------

RULES = Path(__file__).parents[2] / "workflows"


def raise_sites(folder: str) -> set[str]:
    """Every place in the rules of a process that refuses, as `module.function REASON`."""
    return {site for file in sorted((RULES / folder).glob("*.py")) for site in _sites(file)}


def _sites(file: Path) -> Iterator[str]:
    for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                reason = node.exc.args[0]
                if isinstance(reason, ast.Constant) and isinstance(reason.value, str):
                    yield f"{file.stem}.{function.name} {reason.value}"


def site_of(refusal: Refusal) -> str:
    """Where in the rules a refusal was raised, as `module.function REASON`."""
    trace = refusal.__traceback__
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{Path(code.co_filename).stem}.{code.co_name} {refusal.reason}"
