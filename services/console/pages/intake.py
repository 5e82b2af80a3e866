"""Start a case of any process; a new issue has a page of its own, made for a phone in the rain (新建)."""

from typing import Any

from starlette.responses import Response

from services.console.client import Problem
from services.console.forms import filled, inputs
from services.console.pages.new_issue import PAGES as NEW_ISSUE
from services.console.pages.routing import At
from services.console.pages.sending import body_with_files, key_of
from services.console.visit import Visit
from services.console.words import Words


async def ask(visit: Visit) -> Response:
    """An empty form; the key in it makes sending it twice safe."""
    process, schema = await _opening(visit)
    fields = inputs(schema, await _first_values(visit))
    return await visit.show("start.html", process=process, fields=fields, wrong={}, problem="", key=key_of(None))


async def start(visit: Visit) -> Response:
    """Send it; what is wrong is said at the field, and nothing that was typed is lost."""
    process, schema = await _opening(visit)
    form = await visit.form()
    given, key = filled(schema, form), key_of(form)
    body = dict(given.body)
    try:
        body = await body_with_files(visit, given, key)
        case = await visit.api.post(f"/{process.plural}", body, key=key)
    except Problem as no:
        fields = inputs(schema, body)
        return await visit.show(
            "start.html",
            status=no.status,
            process=process,
            fields=fields,
            wrong=no.by_field,
            problem=no.detail,
            key=key,
        )
    return visit.go(f"/{process.plural}/{case['number']}", said="opened")


async def _opening(visit: Visit) -> tuple[Any, dict[str, Any]]:
    process = visit.house.processes.get(visit.request.path_params["plural"])
    if process is None:
        raise Problem(404, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    schema: dict[str, Any] = await visit.api.get(f"/{process.plural}/opening")
    return process, schema


async def _first_values(visit: Visit) -> dict[str, Any]:
    """What is known before anything is typed: where this person works."""
    me = await visit.me()
    places = [role["place"] for role in me["roles"] if len(role["place"]) >= Words.COMMUNITY_DIGITS]
    known = {name: value for name, value in visit.request.query_params.items() if name.isidentifier()}
    return {"community_code": places[0][: Words.COMMUNITY_DIGITS] if places else "", **known}


PAGES = (*NEW_ISSUE, At("/{plural}/new", ask), At("/{plural}/new", start, ("POST",)))
