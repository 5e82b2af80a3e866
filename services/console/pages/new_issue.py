"""A new issue on a phone (新建诉求): one screen, twenty seconds, with or without a net; and the receipt."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import segno
from starlette.datastructures import FormData
from starlette.responses import JSONResponse, Response

from services.console.client import Problem
from services.console.forms import filled
from services.console.pages.routing import At
from services.console.pages.sending import body_with_files, key_of
from services.console.schematic import outline_of, sketch
from services.console.session import form_token
from services.console.visit import Visit
from services.console.words import Words
from workflows.kernel.roles import Role

SHORTEST_QUESTION = 2
MOST_GRIDS = 200
SOURCES: Mapping[str, str] = {
    Role.GRID_WORKER: "VISIT",
    Role.COMMUNITY_WORKER: "RESIDENT",
    Role.RESIDENT: "RESIDENT",
    Role.UNIT_LIAISON: "UNIT",
    Role.SUPERVISOR: "PATROL",
    Role.BUILDING_HEAD: "GROUP_HEAD",
    Role.UNIT_HEAD: "GROUP_HEAD",
    Role.CLUSTER_HEAD: "GROUP_HEAD",
    Role.RESIDENT_GROUP_HEAD: "GROUP_HEAD",
}
"""How an issue usually comes in that somebody in this role writes down."""


@dataclass(frozen=True, slots=True)
class Place:
    """A community that one may choose, with the grid that one answers for there, if any."""

    code: str
    name: str


async def ask(visit: Visit) -> Response:
    """The empty screen."""
    return await _screen(visit, typed={}, wrong={}, problem="", key=key_of(None), kept=())


async def send(visit: Visit) -> Response:
    """Take it in; the waiting ones of a telephone come here too and are answered in JSON."""
    form = await visit.form()
    schema = await visit.api.get("/issues/opening")
    given, key = filled(schema, form), key_of(form)
    by_script = visit.request.headers.get("accept", "").startswith("application/json")
    body = dict(given.body)
    try:
        body = await _whole(visit, await body_with_files(visit, given, key), form)
        case = await visit.api.post("/issues", body, key=key)
    except Problem as no:
        if by_script:
            return JSONResponse({"detail": no.detail, "code": no.code, "errors": no.by_field}, no.status)
        typed = {name: value for name, value in form.items() if isinstance(value, str)}
        kept = body.get("evidence", ())
        return await _screen(
            visit, typed=typed, wrong=no.by_field, problem=no.detail, key=key, kept=kept, status=no.status
        )
    receipt = f"/issues/{case['number']}/receipt"
    return JSONResponse({"number": case["number"], "receipt": receipt}, 201) if by_script else visit.go(receipt)


async def ticket(visit: Visit) -> Response:
    """Who would send now, and the token for it: for what waits on a telephone."""
    me = await visit.me()
    token = form_token(visit.house.secret, visit.request)
    return JSONResponse({"who": me["id"], "form_token": token}, headers={"Cache-Control": "no-store"})


async def place(visit: Visit) -> Response:
    """The grids of another community, in place."""
    values = await _grids(visit, visit.query("community_code"))
    return await visit.show("parts/new_issue_place.html", typed={}, wrong={}, **values)


async def similar(visit: Visit) -> Response:
    """What is known already that says much the same as is being typed."""
    words, community = visit.query("title"), visit.query("community_code")
    found: Sequence[Any] = ()
    if len(words) >= SHORTEST_QUESTION and len(community) == Words.COMMUNITY_DIGITS:
        found = (await visit.api.get("/issues/similar", community_id=community, q=words[:200]))["items"]
    return await visit.show("parts/similar.html", found=found)


async def receipt(visit: Visit) -> Response:
    """What the reporter takes home: the number, and the code by which he follows it."""
    key = visit.request.path_params["key"]
    case, clocks = await asyncio.gather(visit.api.get(f"/issues/{key}"), visit.api.get(f"/issues/{key}/clocks"))
    code = case["data"].get("check_code", "")
    names = (await visit.api.get("/names", of=[case["community_id"]]))["names"]
    address = f"{visit.request.base_url}p/issues/{case['number']}"
    address += f"?{urlencode({'check_code': code})}" if code else ""
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=2, dark="#182433", light="#ffffff")
    running = [one for one in clocks if one.get("state") == "RUNNING"]
    return await visit.show(
        "receipt.html",
        case=case,
        code=code,
        address=address,
        picture=picture,
        place=names.get(case["community_id"], case["community_id"]),
        clocks=sorted(running, key=lambda one: one["due_at"])[:3],
    )


async def offline(visit: Visit) -> Response:
    """What a browser shows that has no net; kept by it when it comes here first."""
    return await visit.show("offline.html", signed_in=False)


# --- what stands on the screen -------------------------------------------------------------------------------


async def _screen(
    visit: Visit,
    *,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    problem: str,
    key: str,
    kept: Sequence[str],
    status: int = 200,
) -> Response:
    me = await visit.me()
    if not any(one["process"] == "issues" for one in me["may"]["start"]):
        return await visit.show("new_issue_refused.html", status=403)
    places, kinds = await asyncio.gather(_places(visit, me["roles"]), visit.api.get("/categories"))
    wanted = typed.get("community_code") or visit.query("community_code")
    chosen = wanted if any(one.code == wanted for one in places) else (places[0].code if places else "")
    groups: dict[str, list[Any]] = {}
    for one in kinds["items"]:
        groups.setdefault(one["path"][0], []).append(one)
    schema = await visit.api.get("/issues/opening")
    roles = [role["role"] for role in me["roles"]]
    return await visit.show(
        "new_issue.html",
        status=status,
        typed={"source": next((SOURCES[one] for one in roles if one in SOURCES), "RESIDENT"), **typed},
        wrong=wrong,
        problem=problem,
        key=key,
        kept=kept,
        places=places,
        chosen=chosen,
        groups=groups,
        sources=schema["properties"]["source"]["enum"],
        is_resident=set(roles) == {Role.RESIDENT.value},
        **await _grids(visit, chosen),
    )


async def _places(visit: Visit, roles: Sequence[Mapping[str, Any]]) -> list[Place]:
    """The communities that somebody works or lives in; those below a wider place are looked up."""
    digits = Words.COMMUNITY_DIGITS
    own = {role["place"][:digits]: role.get("place_name") or "" for role in roles if len(role["place"]) >= digits}
    if own:
        # A grid is named after itself, so its community is asked for.
        names = (await visit.api.get("/names", of=list(own)))["names"]
        return [Place(code, names.get(code) or name or code) for code, name in own.items()]
    found: dict[str, Place] = {}
    for wide in dict.fromkeys(role["place"] for role in roles):
        rows = await visit.api.get("/regions", within=wide, level="COMMUNITY", limit=MOST_GRIDS)
        found |= {row["code"]: Place(row["code"], row["name"]) for row in rows["items"]}
    return list(found.values())


async def _grids(visit: Visit, community: str) -> dict[str, Any]:
    """The grids of a community, drawn; the one that this person answers for is chosen."""
    units: list[Any] = []
    if len(community) == Words.COMMUNITY_DIGITS:
        rows = await visit.api.get("/spatial-units", within=community, kind="GRID", limit=MOST_GRIDS)
        units = sorted(rows["items"], key=lambda one: one["code"])
    me = await visit.me()
    mine = next(
        (one["code"] for one in units if any(who["id"] == me["id"] for who in one.get("responsible") or ())), ""
    )
    return {"units": units, "drawn": sketch(units) if units else None, "mine": mine}


async def _whole(visit: Visit, body: dict[str, Any], form: FormData) -> dict[str, Any]:
    """The body with what one screen says in its own way: an empty description, a grid for a place, a tick taken out."""
    whole = {"description": "", **body}
    if "reporter" in whole:
        whole["reporter"] = {**whole["reporter"], "wants_reply": "reporter.wants_reply" in form}
    if grid := str(form.get("grid", "")).strip():
        try:
            unit = await visit.api.get(f"/spatial-units/{grid}")
        except Problem:
            return whole
        said = whole.get("place_text", "")
        whole["place_text"] = said if unit["name"] in said else " ".join(filter(None, (unit["name"], said)))
        if "location" not in whole and outline_of(unit["geometry"]):
            lon, lat = sketch([unit]).shapes[0].centre or (0.0, 0.0)
            whole["location"] = {"lat": round(lat, 6), "lon": round(lon, 6)}
    return whole


PAGES = (
    At("/offline", offline, signed_in=False),
    At("/issues/new", ask),
    At("/issues/new", send, ("POST",)),
    At("/issues/new/ticket", ticket),
    At("/issues/new/place", place),
    At("/issues/new/similar", similar),
    At("/issues/{key}/receipt", receipt),
)
