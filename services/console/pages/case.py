"""A case of any process: what it is, where it stands, why it is due then, and what I may do now (事项)."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from services.console.client import Problem
from services.console.forms import Input, filled, inputs
from services.console.pages.routing import At
from services.console.pages.sending import body_with_files, key_of, roles_of
from services.console.shown import Showing
from services.console.visit import Visit

CODE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{4,15}|[a-z][a-z0-9-]{2,40}|[A-Z][0-9]{2}")
MOST_CODES = 200
LATEST = 25
"""So many entries of the history are shown at first."""
PAPERS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
KEPT = ("category", "organization")
AS_WHOM = ("acting_role", "acting_org", "on_behalf_of")


async def show(visit: Visit) -> Response:
    """The whole page."""
    return await visit.show("case.html", **await whole(visit), said=visit.query("done"))


async def command_form(visit: Visit) -> Response:
    """The form of one command, in place."""
    values = await _brief(visit)
    name = visit.request.path_params["command"]
    action = next((one for one in values["actions"] if one["command"] == name), None)
    if action is None:
        return await _too_late(visit)
    fields = inputs(action["fields"], {**_as_it_stands(values["case"], action), **visit.request.query_params})
    await named(visit, [one.value for one in fields if one.widget in ("pick", "picks")])
    return await _form(visit, values, action, fields, key=key_of(None))


async def give(visit: Visit) -> Response:
    """Give the command; faults are shown at their fields. The same form twice is carried out once."""
    process, key = address(visit)
    name = visit.request.path_params["command"]
    form = await visit.form()
    schema = await visit.api.get(f"/{process.plural}/forms/{name}")
    given, sent_with = filled(schema, form), key_of(form)
    body: dict[str, Any] = dict(given.body)
    as_whom = {one: str(form[one]) for one in AS_WHOM if form.get(one)}
    try:
        body = await body_with_files(visit, given, sent_with)
        case = await visit.api.post(f"/{process.plural}/{key}/commands/{name}", {**body, **as_whom}, key=sent_with)
    except Problem as no:
        values = await _brief(visit)
        action = next((one for one in values["actions"] if one["command"] == name), None)
        if action is None:
            return await _too_late(visit)
        return await _form(visit, values, action, inputs(schema, body), key=sent_with, no=no, as_whom=as_whom)
    return visit.go(f"/{process.plural}/{case['number']}", said=name)


def _as_it_stands(case: Mapping[str, Any], action: Mapping[str, Any]) -> dict[str, Any]:
    """What the case says already of what a command asks for by name: whoever changes nothing types nothing."""
    fields, data = action["fields"].get("properties", {}), case["data"]
    return {name: data[name] for name, one in fields.items() if one.get("x-kind") in KEPT and data.get(name)}


async def _form(
    visit: Visit,
    values: dict[str, Any],
    action: Mapping[str, Any],
    fields: tuple[Input, ...],
    *,
    key: str,
    no: Problem | None = None,
    as_whom: Mapping[str, str] = {},
) -> Response:
    values |= {
        "action": action,
        "fields": fields,
        "wrong": no.by_field if no else {},
        "problem": no.detail if no else "",
        "as_whom": as_whom,
        "mine": roles_of(await visit.me()),
        "key": key,
    }
    if any(_asks_for_somebody(one) for one in fields):
        base = f"/{values['process'].plural}/{values['case']['id']}"
        found = tuple((one["code"], one["name"]) for one in (await visit.api.get(f"{base}/people"))["items"])
        values["fields"] = tuple(one.offering(found) for one in fields)
        visit.words = replace(visit.words, names={**visit.words.names, **dict(found)})
    if visit.is_partial:
        return await visit.show("parts/command.html", **values)
    return await visit.show("command.html", status=no.status if no else 200, **values)


def _asks_for_somebody(one: Input) -> bool:
    return one.kind == "somebody" or any(map(_asks_for_somebody, one.inner))


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
    process, key = address(visit)
    file = await visit.api.file(f"/{process.plural}/{key}/diagram", "application/xml", highlight="1")
    return Response(file.content, media_type="application/xml")


async def paper(visit: Visit) -> Response:
    """A document, to keep or to print."""
    process, key = address(visit)
    kind, ending = visit.request.path_params["kind"], visit.request.path_params["ending"]
    if ending not in PAPERS:
        raise Problem(404, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    file = await visit.api.file(f"/{process.plural}/{key}/documents/{kind}", PAPERS[ending], seq=visit.query("seq"))
    headers = {name: file.headers[name] for name in ("content-disposition",) if name in file.headers}
    return Response(file.content, media_type=PAPERS[ending], headers=headers)


def address(visit: Visit) -> tuple[Any, str]:
    """The process and the id or number that an address names; raises `Problem` for a process that there is not."""
    process = visit.house.processes.get(visit.request.path_params["plural"])
    if process is None:
        raise Problem(404, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    return process, visit.request.path_params["key"]


# --- what the page is made of ---------------------------------------------------------------------------


async def _brief(visit: Visit) -> dict[str, Any]:
    """As much as a form needs."""
    process, key = address(visit)
    base = f"/{process.plural}/{key}"
    case, actions = await asyncio.gather(visit.api.get(base), visit.api.get(f"{base}/actions"))
    return {"process": process, "case": case, "actions": actions, "now": datetime.now(UTC)}


async def whole(visit: Visit) -> dict[str, Any]:
    """Everything about a case that the reader may see."""
    process, key = address(visit)
    base = f"/{process.plural}/{key}"
    case, events, clocks, actions, papers, files, talk = await asyncio.gather(
        visit.api.get(base),
        visit.api.get(f"{base}/events"),
        visit.api.get(f"{base}/clocks"),
        visit.api.get(f"{base}/actions"),
        visit.api.get(f"{base}/documents"),
        visit.api.get(f"{base}/attachments"),
        talk_of(visit, base),
    )
    history = events["items"] if visit.query("history") == "all" else events["items"][-LATEST:]
    mentioned = [case["data"], case["community_id"], talk["followers"], talk["items"], history, files]
    found = await named(visit, mentioned)
    if "contact:" in str(case["data"]):
        people = (await visit.api.get(f"{base}/people"))["items"]
        names = {**visit.words.names, **{one["code"]: one["name"] for one in people}}
        visit.words = replace(visit.words, names=names)
    showing = Showing(visit.words, process, found["cases"])
    entered, kept = showing.fields({name: value for name, value in case["data"].items() if name != "description"})
    shown = {one["id"]: one for one in files}
    return {
        "process": process,
        "case": case,
        "events": history,
        "earlier": len(events["items"]) - len(history),
        "clocks": sorted(clocks, key=_standing),
        "actions": actions,
        "papers": papers,
        "files": shown,
        "talk": talk,
        "entered": entered,
        "kept": kept,
        "showing": showing,
        "key": key_of(None),
        "now": datetime.now(UTC),
    }


async def named(visit: Visit, mentioned: Any) -> dict[str, Any]:
    """Ask what the codes in these values stand for; the words of this visit know it from now on."""
    codes = list(dict.fromkeys(_codes(mentioned)))[:MOST_CODES]
    found: dict[str, Any] = await visit.api.get("/names", of=codes) if codes else {"names": {}, "cases": {}}
    visit.words = replace(visit.words, names=found["names"])
    return found


async def talk_of(visit: Visit, base: str, **query: Any) -> dict[str, Any]:
    """What was said beside a case, and who follows it."""
    found: dict[str, Any] = await visit.api.get(f"{base}/comments", **query)
    return found


LIVE = ("BREACHED", "RUNNING", "PAUSED")


def _standing(clock: Mapping[str, Any]) -> tuple[int, str]:
    """Deadlines that run come first, the worst before the others; then those that are over."""
    place = LIVE.index(clock["state"]) if clock["state"] in LIVE else len(LIVE)
    return place, clock["due_at"] or ""


def _codes(value: Any) -> Iterator[str]:
    """Every string that may stand for a person, an organisation, a place, a category or a case."""
    if isinstance(value, str):
        if CODE.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from (part for part in name.split("/") if "-" in part and CODE.fullmatch(part))
            yield from _codes(one)
    elif isinstance(value, list):
        for one in value:
            yield from _codes(one)


PAGES = (
    At("/{plural}/{key}/diagram.bpmn", picture),
    At("/{plural}/{key}/papers/{kind}.{ending}", paper),
    At("/{plural}/{key}/commands/{command}", command_form),
    At("/{plural}/{key}/commands/{command}", give, ("POST",)),
    At("/{plural}/{key}", show),
)
