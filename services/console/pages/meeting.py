"""The meeting desk (会议台): agenda, sign-in, statements, votes and decisions on one page that keeps itself new.

Several people look at it at once, one of them on a wall: every few seconds the page asks whether the case has a new
version, and is given the parts that show it. What somebody is typing stands apart from these parts and stays.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from secrets import token_hex
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response

from services.console.client import Problem
from services.console.forms import filled, inputs
from services.console.pages.routing import At
from services.console.pages.sending import body_with_files
from services.console.pages.sitting import FIRST_FIELDS, OPEN, batch, named, seats, sitting
from services.console.visit import Visit

MOST_AT_ONCE = 100
"""Commands that the API takes in one call."""
UNCHANGED = 204


async def desk(visit: Visit) -> Response:
    """The whole page."""
    return await visit.show("meeting/desk.html", **await sitting(visit, _key(visit), focus=visit.query("item")))


async def live(visit: Visit) -> Response:
    """The parts that show the meeting, if they are older than the case."""
    case = await visit.api.get(f"/meetings/{_key(visit)}")
    if visit.query("version") == str(case["version"]):
        return Response(status_code=UNCHANGED)
    return await visit.show("meeting/live.html", **await sitting(visit, _key(visit), focus=visit.query("item")))


async def ask(visit: Visit) -> Response:
    """The form of one command, beside the meeting."""
    values = await sitting(visit, _key(visit), focus=visit.query("item"))
    action = values["may"].get(_command(visit))
    if action is None:
        raise Problem(409, {"detail": visit.say("现在不能办理这项操作，请刷新页面。")})
    values["form"] = _form(action, dict(visit.request.query_params), values)
    return await visit.show("meeting/form.html" if visit.is_partial else "meeting/desk.html", **values)


async def give(visit: Visit) -> Response:
    """Carry out one command; the answer is what has changed, or what is wrong where it was filled in."""
    key, command = _key(visit), _command(visit)
    form = await visit.form()
    item, sent_with = str(form.get("item", "")), str(form.get("key", "")) or token_hex(16)
    focus = str(form.get("focus", item))
    actions = await visit.api.get(f"/meetings/{key}/actions")
    action = next((one for one in actions if one["command"] == command), None)
    schema = action["fields"] if action else {"properties": {}}
    given = filled(schema, form)
    body: dict[str, Any] = {}
    try:
        body = {**await body_with_files(visit, given), **_votes(form)}
        await visit.api.post(f"/meetings/{key}/commands/{command}", body, key=sent_with)
    except Problem as no:
        values = await sitting(visit, key, focus=focus)
        values["problem"] = no.detail
        if form.get("panel") and action is not None:
            values["form"] = _form(action, body or given.body, values, wrong=no.by_field, key=sent_with)
        return await _answer(visit, values, status=no.status)
    if not visit.is_partial:
        return visit.go(f"/meetings/{key}/desk?item={focus}", said=command)
    values = await sitting(visit, key, focus=focus)
    values["done"] = visit.say("已办理：{what}").format(what=action["title"] if action else command)
    return await _answer(visit, values)


async def sheet(visit: Visit) -> Response:
    """Every item that is still to be decided, one line each."""
    values = await sitting(visit, _key(visit), focus=visit.query("item"))
    return await _sheet(visit, values, rows={}, wrong={}, key=token_hex(16))


async def decide(visit: Visit) -> Response:
    """Carry out the lines that were filled in; a line that is refused stays with what was typed, and says why."""
    key, form = _key(visit), await visit.form()
    values = await sitting(visit, key)
    rows = _rows(form)
    commands = list(batch(values["items"], values["standing"], rows))
    wrong = await _carried_out(visit, key, commands, str(form.get("key", "")) or token_hex(16))
    values = await sitting(visit, key)
    done = {item for item, _ in commands} - wrong.keys()
    if done:
        values["done"] = visit.say("已记录 {n} 项决定。").format(n=len(done))
    left = {item: row for item, row in rows.items() if item not in done}
    return await _sheet(visit, values, rows=left, wrong=wrong, key=token_hex(16))


async def minutes(visit: Visit) -> Response:
    """The minutes as they stand, to read and to print."""
    values = await sitting(visit, _key(visit))
    return await visit.show("meeting/minutes.html", seats=seats(values["standing"]), **values)


async def _carried_out(
    visit: Visit, key: str, commands: Sequence[tuple[str, Mapping[str, Any]]], sent_with: str
) -> dict[str, str]:
    """The first thing that was wrong with each item."""
    wrong: dict[str, str] = {}
    for start in range(0, len(commands), MOST_AT_ONCE):
        part = commands[start : start + MOST_AT_ONCE]
        body = {"items": [command for _, command in part]}
        answer = await visit.api.post(f"/meetings/{key}/commands", body, key=f"{sent_with}-{start}")
        for (item, _), one in zip(part, answer["items"], strict=True):
            if "problem" in one:
                wrong.setdefault(item, _said(one["problem"]))
    return wrong


def _said(problem: Mapping[str, Any]) -> str:
    faults = "; ".join(one["message"] for one in problem.get("errors", ()))
    return faults or str(problem.get("detail", ""))


def _form(
    action: Mapping[str, Any],
    given: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    wrong: Mapping[str, str] | None = None,
    key: str = "",
) -> dict[str, Any]:
    """What the form of a command is made of; fields that are seldom filled in are folded away."""
    fields = inputs(action["fields"], given)
    first = FIRST_FIELDS.get(action["command"])
    shown = [one for one in fields if one.name != "item" and (first is None or one.name in first)]
    wrong = wrong or {}
    awaited = values["standing"]["items"].get(given.get("item", ""), {}).get("awaited", ())
    return {
        "action": action,
        "item": given.get("item", ""),
        "fields": shown,
        "more": [one for one in fields if one.name != "item" and one not in shown],
        "wrong": wrong,
        "key": key or token_hex(16),
        "seats": seats(values["standing"]),
        "voters": named(values["standing"], awaited),
        "given": given,
    }


async def _answer(visit: Visit, values: dict[str, Any], *, status: int = 200) -> Response:
    if visit.is_partial:
        return await visit.show("meeting/answer.html", **values)
    return await visit.show("meeting/desk.html", status=status, **values)


async def _sheet(visit: Visit, values: dict[str, Any], **more: Any) -> Response:
    left = [one for one in values["items"] if one["state"] in OPEN and one["kind"] != "INFORMATION"]
    schema = values["may"].get("record_decision", {"fields": {"properties": {}}})["fields"]
    outcome = next((one for one in inputs(schema) if one.name == "outcome"), None)
    by_consensus = any(body["mode"] == "CONSENSUS" for body in values["standing"]["bodies"])
    values |= {"left": left, "outcome": outcome, "by_consensus": by_consensus, **more}
    return await visit.show("meeting/sheet.html" if visit.is_partial else "meeting/decisions.html", **values)


def _votes(form: FormData) -> dict[str, Any]:
    """Everybody's vote as the secretary ticked it; who was left out has not voted."""
    numbers = [name.split(".")[1] for name in form if name.startswith("votes.") and name.endswith(".choice")]
    votes = [
        {"member": str(form[f"votes.{one}.member"]), "choice": str(form[f"votes.{one}.choice"])} for one in numbers
    ]
    return {"votes": votes} if votes else {}


def _rows(form: FormData) -> dict[str, dict[str, str]]:
    """What was filled in, line by line: fields are called `item.field`."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for item, field, value in _cells(form):
        found[item][field] = value
    return found


def _cells(form: FormData) -> Iterator[tuple[str, str, str]]:
    for name, value in form.items():
        item, dot, field = name.partition(".")
        if dot and str(value).strip():
            yield item, field, str(value).strip()


def _key(visit: Visit) -> str:
    return str(visit.request.path_params["key"])


def _command(visit: Visit) -> str:
    return str(visit.request.path_params["command"])


PAGES = (
    At("/meetings/{key}/desk", desk),
    At("/meetings/{key}/desk/live", live),
    At("/meetings/{key}/desk/decisions", sheet),
    At("/meetings/{key}/desk/decisions", decide, ("POST",)),
    At("/meetings/{key}/desk/{command}", ask),
    At("/meetings/{key}/desk/{command}", give, ("POST",)),
    At("/meetings/{key}/minutes", minutes),
)
