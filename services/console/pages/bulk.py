"""One command for several cases of a list (批量办理): each case answers for itself."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.responses import Response

from services.console.client import Problem
from services.console.forms import Filled, filled, inputs
from services.console.pages.listing import process_of
from services.console.pages.routing import At
from services.console.pages.sending import body_with_files, key_of
from services.console.visit import Visit
from workflows.kernel.process import Process

MOST = 50
AT_ONCE = 5
One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class Picked:
    """A case that was chosen, and what the reader may do with it now, by command."""

    case: dict[str, Any]
    actions: dict[str, dict[str, Any]]

    def why_not(self, command: str) -> str:
        """Why this command is not for this case; empty when it is."""
        action = self.actions.get(command)
        return "" if action is None else str(action.get("why_not", {}).get("message", ""))

    def may(self, command: str) -> bool:
        """Whether the command may be given now."""
        return command in self.actions and "why_not" not in self.actions[command]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one of them; `problem` is empty when it was done."""

    case: dict[str, Any]
    problem: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)


async def choose(visit: Visit) -> Response:
    """What was chosen, the commands that some of it takes, and the form of one of them."""
    process, numbers = process_of(visit), visit.request.query_params.getlist("case")
    if not numbers:
        return visit.go(f"/{process.plural}")
    return await _page(visit, process, numbers, visit.query("command"))


async def carry_out(visit: Visit) -> Response:
    """Give the command to each; one that refuses does not hold up the next."""
    process, form = process_of(visit), await visit.form()
    numbers, command = [str(one) for one in form.getlist("case")], str(form.get("command", ""))
    picked = [one for one in await _picked(visit, process, numbers) if one.may(command)]
    if not picked:
        return await _page(visit, process, numbers, command, problem=visit.say("所选事项现在都不能办理这项操作。"))
    schema, key = picked[0].actions[command]["fields"], key_of(form)
    given = filled(schema, form)

    async def give(one: Picked) -> Result:
        number = one.case["number"]
        for files in given.files.values():
            for file in files:
                await file.seek(0)
        try:
            # A file belongs to one case: each gets its own.
            body = await body_with_files(visit, given, f"{key}.{number}")
            case = await visit.api.post(f"/{process.plural}/{number}/commands/{command}", body, key=f"{key}.{number}")
        except Problem as no:
            return Result(one.case, no.detail, no.by_field)
        return Result(case)

    # With files one after the other, because they are read from the same form.
    results = await _each(picked, give, at_once=1 if given.files else AT_ONCE)
    failed = [one for one in results if one.problem]
    if len(failed) == len(results) and all(one.faults for one in failed):
        return await _page(visit, process, numbers, command, given=given, key=key, failed=failed)
    return await visit.show("bulk_done.html", process=process, command=command, results=results, failed=failed)


async def _page(
    visit: Visit,
    process: Process[Any],
    numbers: Sequence[str],
    command: str,
    *,
    problem: str = "",
    given: Filled | None = None,
    key: str = "",
    failed: Sequence[Result] = (),
) -> Response:
    picked = await _picked(visit, process, numbers)
    commands: dict[str, int] = {}
    for one in picked:
        for name in one.actions:
            if one.may(name):
                commands[name] = commands.get(name, 0) + 1
    chosen = command if command in commands else ""
    first = next((one for one in picked if one.may(chosen)), None) if chosen else None
    return await visit.show(
        "bulk.html",
        status=422 if failed else 200,
        process=process,
        picked=picked,
        left_out=max(0, len(set(numbers)) - len(picked)),
        commands=sorted(commands.items(), key=lambda one: -one[1]),
        chosen=chosen,
        fields=inputs(first.actions[chosen]["fields"], given.body if given else None) if first else (),
        # All of them said the same of the same form.
        problem=problem or (failed[0].problem if failed else ""),
        wrong=failed[0].faults if failed else {},
        key=key or key_of(None),
    )


async def _picked(visit: Visit, process: Process[Any], numbers: Sequence[str]) -> list[Picked]:
    """The cases that the reader may know of, with what he may do."""

    async def look(number: str) -> Picked | None:
        base = f"/{process.plural}/{number}"
        try:
            case, actions = await asyncio.gather(visit.api.get(base), visit.api.get(f"{base}/actions"))
        except Problem:
            return None
        return Picked(case, {one["command"]: one for one in actions})

    found = await _each(list(dict.fromkeys(numbers))[:MOST], look, at_once=AT_ONCE)
    return [one for one in found if one is not None]


async def _each(items: Sequence[Any], work: Callable[[Any], Awaitable[One]], *, at_once: int) -> list[One]:
    """Do something with each, a few at a time, in the order of the items."""
    room = asyncio.Semaphore(at_once)

    async def one(item: Any) -> One:
        async with room:
            return await work(item)

    return list(await asyncio.gather(*(one(item) for item in items)))


PAGES = (At("/{plural}/bulk", choose), At("/{plural}/bulk", carry_out, ("POST",)))
