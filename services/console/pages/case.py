"""A case of any process: what it is, where it stands, why it is due then, and what I may do now (事项)."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from starlette.responses import Response

from services.console.client import Problem
from services.console.forms import filled, inputs
from services.console.pages.routing import At
from services.console.pages.sending import body_with_files
from services.console.visit import Visit

CODE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{4,15}|[a-z][a-z0-9-]{2,40}")
MOST_CODES = 150
PAPERS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


async def show(visit: Visit) -> Response:
    """The whole page."""
    return await visit.show("case.html", **await _case(visit))


async def command_form(visit: Visit) -> Response:
    """The form of one command, in place."""
    values = await _case(visit)
    name = visit.request.path_params["command"]
    action = next((one for one in values["actions"] if one["command"] == name), None)
    if action is None:
        raise Problem(409, {"detail": visit.say("现在不能办理这项操作，请刷新页面。")})
    values |= {"action": action, "fields": inputs(action["fields"], visit_values(visit)), "wrong": {}, "problem": ""}
    return await visit.show("parts/command.html" if visit.is_partial else "command.html", key=token_hex(16), **values)


async def give(visit: Visit) -> Response:
    """Give the command; faults are shown at their fields."""
    process, key = _address(visit)
    name = visit.request.path_params["command"]
    form = await visit.form()
    actions = await visit.api.get(f"/{process.plural}/{key}/actions")
    action = next((one for one in actions if one["command"] == name), None)
    if action is None:
        return await _too_late(visit)
    schema = action["fields"]
    given = filled(schema, form)
    sent_with = str(form.get("key", "")) or token_hex(16)
    try:
        body = await body_with_files(visit, given, sent_with)
        case = await visit.api.post(f"/{process.plural}/{key}/commands/{name}", body, key=sent_with)
    except Problem as no:
        values = await _case(visit)
        values |= {
            "action": action,
            "fields": inputs(schema, given.body),
            "wrong": no.by_field,
            "problem": no.detail,
        }
        part = "parts/command.html" if visit.is_partial else "command.html"
        return await visit.show(part, status=200 if visit.is_partial else no.status, key=sent_with, **values)
    return visit.go(f"/{process.plural}/{case['number']}", said=name)


async def _too_late(visit: Visit) -> Response:
    """Somebody else has been faster: say so above the form, and leave what was typed where it is."""
    text = visit.say("现在不能办理这项操作，请刷新页面。")
    if not visit.is_partial:
        raise Problem(409, {"detail": text})
    answer = await visit.show("parts/problem.html", text=text, problem_status=409)
    answer.headers["HX-Reswap"] = "afterbegin"
    return answer


async def picture(visit: Visit) -> Response:
    """The process as BPMN, with the place where the case stands."""
    process, key = _address(visit)
    file = await visit.api.file(f"/{process.plural}/{key}/diagram", "application/xml", highlight="1")
    return Response(file.content, media_type="application/xml")


def visit_values(visit: Visit) -> dict[str, Any]:
    """Values that an address brings along, for links that fill in a form."""
    return dict(visit.request.query_params)


def _codes(value: Any) -> Iterator[str]:
    """Every string that may stand for a person, an organisation or a place."""
    if isinstance(value, str):
        if CODE.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _codes(one)
    elif isinstance(value, list):
        for one in value:
            yield from _codes(one)


async def paper(visit: Visit) -> Response:
    """A document, to keep or to print."""
    process, key = _address(visit)
    kind, ending = visit.request.path_params["kind"], visit.request.path_params["ending"]
    if ending not in PAPERS:
        raise Problem(404, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    file = await visit.api.file(f"/{process.plural}/{key}/documents/{kind}", PAPERS[ending], seq=visit.query("seq"))
    headers = {name: file.headers[name] for name in ("content-disposition",) if name in file.headers}
    return Response(file.content, media_type=PAPERS[ending], headers=headers)


def _address(visit: Visit) -> tuple[Any, str]:
    process = visit.house.processes.get(visit.request.path_params["plural"])
    if process is None:
        raise Problem(404, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    return process, visit.request.path_params["key"]


async def _case(visit: Visit) -> dict[str, Any]:
    process, key = _address(visit)
    base = f"/{process.plural}/{key}"
    case, events, clocks, actions, papers = await asyncio.gather(
        visit.api.get(base),
        visit.api.get(f"{base}/events"),
        visit.api.get(f"{base}/clocks"),
        visit.api.get(f"{base}/actions"),
        visit.api.get(f"{base}/documents"),
    )
    codes = list(dict.fromkeys(_codes([case["data"], case["community_id"], events["items"]])))[:MOST_CODES]
    found = await visit.api.get("/names", of=codes) if codes else {"names": {}}
    visit.words = replace(visit.words, names=found["names"])
    return {
        "papers": papers,
        "process": process,
        "case": case,
        "events": events["items"],
        "clocks": clocks,
        "actions": actions,
        "now": datetime.now(UTC),
    }


PAGES = (
    At("/{plural}/{key}/diagram.bpmn", picture),
    At("/{plural}/{key}/papers/{kind}.{ending}", paper),
    At("/{plural}/{key}/commands/{command}", command_form),
    At("/{plural}/{key}/commands/{command}", give, ("POST",)),
    At("/{plural}/{key}", show),
)
