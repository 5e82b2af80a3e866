"""Lists of cases of any process: filters in the address, so that a view can be kept and sent on (清单)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from services.console.client import Problem
from services.console.pages.routing import At
from services.console.schematic import Sketch, sketch
from services.console.visit import Visit
from services.console.words import Words
from services.texts.columns import Column, columns_of, usual, value_of
from workflows.kernel.process import Process

FILTERS = (
    "q", "state", "open", "color", "step", "level", "community_id", "category_code", "lead_org", "month",
    "created_from", "created_to",
)  # fmt: skip
PAGE, ON_THE_MAP = 30, 200
MOST_CODES = 200
FILES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
USUAL_VIEWS = (("全部", ""), ("在办", "open=true"), ("严重超期", "open=true&color=RED"), ("已办结", "open=false"))
"""What everybody finds above a list before he kept anything."""


async def listing(visit: Visit) -> Response:
    """A page of cases, or the same on a map."""
    process = process_of(visit)
    wanted, chosen = narrowed(visit), chosen_columns(visit, process)
    on_map = visit.query("view") == "map" and can_be_drawn(process)
    if visit.is_partial and visit.query("cursor"):
        return await visit.show("parts/rows.html", **await _rows(visit, process, wanted, chosen, PAGE))
    rows, places, kinds, views = await asyncio.gather(
        _rows(visit, process, wanted, chosen, ON_THE_MAP if on_map else PAGE),
        _places(visit),
        visit.api.get("/categories") if process.name == "issue" else _none(),
        visit.api.get("/me/views"),
    )
    here = address(wanted, chosen if visit.query("columns") else (), visit)
    values = {
        **rows,
        "here": here,
        "places": places,
        "kinds": kinds["items"],
        "columns": columns_of(process),
        "views": [
            (name, query, True) for name, query in USUAL_VIEWS if not query.endswith("RED") or process.clock_rules
        ]
        + [(one["name"], one["query"], False) for one in views["items"] if one["list"] == process.plural],
        "oldest": visit.query("oldest") == "true",
        "has_map": can_be_drawn(process),
        "map": await _map(visit, wanted, rows["cases"]) if on_map else None,
    }
    return await visit.show("list.html", **values)


async def export(visit: Visit) -> Response:
    """The list as a file: everything that fits, not the page alone."""
    process, ending = process_of(visit), visit.request.path_params["ending"]
    if ending not in FILES:
        raise Problem(404, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    columns = ",".join(chosen_columns(visit, process))
    oldest = "true" if visit.query("oldest") == "true" else ""
    try:
        file = await visit.api.file(
            f"/{process.plural}/export", FILES[ending], columns=columns, oldest=oldest, **narrowed(visit)
        )
    except Problem as no:
        raise Problem(no.status, {"detail": next(iter(no.by_field.values()), no.detail)}) from None
    headers = {"Content-Disposition": file.headers["content-disposition"]}
    return Response(file.content, media_type=FILES[ending], headers=headers)


async def keep(visit: Visit) -> Response:
    """Keep the filters and columns of a list under a name, or forget them."""
    process, form = process_of(visit), await visit.form()
    name, query = str(form.get("name", "")).strip(), str(form.get("query", ""))
    kept = (await visit.api.get("/me/views"))["items"]
    items = [one for one in kept if (one["list"], one["name"]) != (process.plural, name)]
    if "forget" not in form and name:
        items.append({"list": process.plural, "name": name, "query": query})
    await visit.api.put("/me/views", {"items": items})
    return visit.go(f"/{process.plural}?{query}" if query and "forget" not in form else f"/{process.plural}")


# --- what an address says ------------------------------------------------------------------------------------


def process_of(visit: Visit) -> Process[Any]:
    """The process whose list it is; raises `Problem` for one that there is not."""
    process = visit.house.processes.get(visit.request.path_params["plural"])
    if process is None:
        raise Problem(404, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    return process


def narrowed(visit: Visit) -> dict[str, str]:
    """The filters of an address."""
    return {name: visit.query(name) for name in FILTERS if visit.query(name)}


def chosen_columns(visit: Visit, process: Process[Any]) -> tuple[str, ...]:
    """The columns of an address, those of the process's own choice where it names none."""
    named = [one for part in visit.request.query_params.getlist("columns") for one in part.split(",")]
    known = columns_of(process)
    return tuple(dict.fromkeys(one for one in named if one in known)) or usual(process)


def address(wanted: Mapping[str, str], columns: Sequence[str], visit: Visit) -> str:
    """The end of an address that shows the same again."""
    more = {name: visit.query(name) for name in ("oldest", "view") if visit.query(name)}
    return urlencode({**wanted, **more, **({"columns": ",".join(columns)} if columns else {})}, safe=",")


def can_be_drawn(process: Process[Any]) -> bool:
    """Whether its cases say where they are."""
    return "location" in getattr(process.data, "__dataclass_fields__", {})


# --- what stands on the page ---------------------------------------------------------------------------------


async def _none() -> dict[str, Any]:
    return {"items": []}


async def _rows(
    visit: Visit, process: Process[Any], wanted: Mapping[str, str], chosen: Sequence[str], limit: int
) -> dict[str, Any]:
    oldest = "true" if visit.query("oldest") == "true" else ""
    found = await visit.api.get(
        f"/{process.plural}", limit=limit, cursor=visit.query("cursor"), oldest=oldest, **wanted
    )
    shown = [columns_of(process)[name] for name in chosen]
    await name_codes(visit, found["items"], shown)
    return {
        "process": process,
        "cases": found["items"],
        "following": found["next_cursor"],
        "wanted": wanted,
        "shown": shown,
        "value_of": value_of,
        "now": datetime.now(UTC),
        "here": address(wanted, chosen if visit.query("columns") else (), visit),
    }


async def name_codes(visit: Visit, cases: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> None:
    """Let the words of this page know what the codes in these columns stand for."""
    values = [value_of(case, column) for case in cases for column in columns if column.kind is None]
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    codes = list(dict.fromkeys(one for one in flat if isinstance(one, str) and 0 < len(one) <= 64))[:MOST_CODES]
    named = [one for one in codes if " " not in one and one.isascii()]
    names = (await visit.api.get("/names", of=named))["names"] if named else {}
    if any(column.name == "category_code" for column in columns):
        kinds = (await visit.api.get("/categories"))["items"]
        names |= {one["code"]: one["path"][-1] for one in kinds}
    visit.words = replace(visit.words, names={**visit.words.names, **names})


async def _places(visit: Visit) -> list[dict[str, str]]:
    """The communities below the places that somebody works in, where there are several."""
    me = await visit.me()
    wide = {role["place"] for role in me["roles"] if len(role["place"]) < Words.COMMUNITY_DIGITS}
    found: dict[str, str] = {}
    for place in sorted(wide):
        rows = await visit.api.get("/regions", within=place, level="COMMUNITY", limit=200)
        found |= {row["code"]: row["name"] for row in rows["items"]}
    return [{"code": code, "name": name} for code, name in found.items()]


async def _map(visit: Visit, wanted: Mapping[str, str], cases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The grids of the place that the list is about, and where its cases lie."""
    me = await visit.me()
    own = min((role["place"][: Words.COMMUNITY_DIGITS] for role in me["roles"]), key=len, default="")
    place = wanted.get("community_id") or own
    units = (await visit.api.get("/spatial-units", within=place, kind="GRID", limit=200))["items"] if place else []
    drawn: Sketch | None = sketch(sorted(units, key=lambda one: one["code"])) if units else None
    dots: list[dict[str, Any]] = []
    crowd: dict[tuple[int, int], int] = {}
    for case in cases:
        at = drawn.at(case["data"].get("location")) if drawn else None
        if at is None:
            continue
        spot = (round(at[0] / 12), round(at[1] / 12))
        turn = crowd[spot] = crowd.get(spot, -1) + 1
        # Several at one place stand beside one another.
        dots.append({"x": at[0] + turn % 5 * 15, "y": at[1] + turn // 5 * 15, "case": case})
    placed = {dot["case"]["id"] for dot in dots}
    return {
        "drawn": drawn,
        "dots": dots,
        "unplaced": [case for case in cases if case["id"] not in placed],
        "wide": len({unit["community_code"] for unit in units}) > 1,
    }


PAGES = (
    At("/{plural}/export.{ending}", export),
    At("/{plural}/views", keep, ("POST",)),
    At("/{plural}", listing),
)
