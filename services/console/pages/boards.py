"""Boards (看板): pictures where people would rather look than read, each beside its table and its download."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from services.console.client import Problem
from services.console.pages import board_pictures as pictures
from services.console.pages.routing import At
from services.console.visit import Visit
from workflows.kernel.calendar import CHINA
from workflows.kernel.roles import MEMBERS, STAFF, Role

COMMUNITY_DIGITS = 12
TREND_MONTHS = 6
BODIES = ("EXTENDED_PARTY_COMMITTEE", "TWO_COMMITTEES", "PARTY_BUILDING_JOINT", "SUBDISTRICT", "COUNTY")
FILES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Board:
    """A board: its name in addresses, icon, titles, who may see it, and whether it is of one community."""

    name: str
    icon: str
    zh: str
    about: str
    roles: frozenset[Role]
    of_community: bool = False


BOARDS = (
    Board("supervision", "alert-triangle", "督查看板", "超期多少、在哪里、谁负责、接下来怎样升级", STAFF),
    Board("measures", "chart-bar", "月度指标", "各项指标、算法和背后的事项", STAFF),
    Board("projects", "checklist", "项目看板", "项目清单、节点和完成期限", STAFF | MEMBERS, of_community=True),
    Board("coverage", "map-pin", "征集覆盖", "哪些网格和楼栋走访过，哪些没有", STAFF | MEMBERS, of_community=True),
    Board("agenda", "calendar-event", "下次会议", "下次会议将审议什么，为什么", STAFF | MEMBERS, of_community=True),
    Board("committee", "users", "社工委名册", "名册、结构和规则核对", STAFF | MEMBERS, of_community=True),
    Board("rollout", "building-community", "组建推行", "各社区组建到哪一步，还缺什么", STAFF),
    Board("permits", "certificate", "准入登记", "谁获准进入、到什么时候、经费到位多少", STAFF),
    Board("burden", "scale", "社区负担", "社区承担了什么，趋势和预警", STAFF | MEMBERS, of_community=True),
)
NAMED = {board.name: board for board in BOARDS}


def boards_for(me: Mapping[str, Any] | None) -> tuple[Board, ...]:
    """The boards that somebody may see."""
    held = {role["role"] for role in me["roles"]} if me else set()
    return tuple(board for board in BOARDS if held & board.roles)


async def index(visit: Visit) -> Response:
    """All boards that this person may see."""
    return await visit.show("boards/index.html", boards=boards_for(await visit.me()))


async def supervision(visit: Visit) -> Response:
    """What is overdue, the worst first, and the orders that were given; the counts come once the page is there."""
    values = await _board(visit, "supervision")
    place, narrowed = values["place"], _asked(visit, "color", "owner", "process")
    late, listed, orders = await asyncio.gather(
        visit.api.get("/overdue", limit=20, cursor=visit.query("cursor"), **_within(place), **narrowed),
        _cases(visit, "/supervisions", place),
        _cases(visit, "/supervision-orders", place),
    )
    more = {"late": late["items"], "following": late["next_cursor"], "narrowed": narrowed}
    return await visit.show("boards/supervision.html", **values, listed=listed, orders=orders, now=_now(), **more)


async def overdue_counts(visit: Visit) -> Response:
    """How much is overdue by place, owner, step and deadline: the part that takes longer to count."""
    values, counts = await asyncio.gather(
        _board(visit, "supervision"), visit.api.get("/overdue/counts", place=visit.query("place"))
    )
    charts = pictures.overdue(visit, counts, counts["place"])
    return await visit.show("boards/supervision_counts.html", **values, charts=charts, counts=counts)


async def measures(visit: Visit) -> Response:
    """The figures of a month; what it takes longer to count is drawn once the page is there."""
    values = await _board(visit, "measures")
    found = await visit.api.get("/measures", month=values["month"], community_id=values["place"])
    return await visit.show("boards/measures.html", **values, items=found["items"])


async def months_compared(visit: Visit) -> Response:
    """The picture of the figures of a month beside those of the month before."""
    values = await _board(visit, "measures")
    found, before = await _months(visit, values, 2)
    earlier = {one["formula"]["name"]: one["value"] for one in before}
    return JSONResponse(pictures.rates(visit, found, earlier, values))


async def measure(visit: Visit) -> Response:
    """One figure: its formula, how it went, and the cases behind it."""
    values = await _board(visit, "measures")
    name, month, place = visit.request.path_params["name"], values["month"], values["place"]
    behind = await visit.api.get(
        f"/measures/{name}/cases", month=month, community_id=place, cursor=visit.query("cursor"), limit=50
    )
    return await visit.show("boards/measure.html", **values, name=name, behind=behind)


async def trend(visit: Visit) -> Response:
    """The picture of how a figure went."""
    values, name = await _board(visit, "measures"), visit.request.path_params["name"]
    past = reversed(await _months(visit, values, TREND_MONTHS))
    found = [next((one for one in items if one["formula"]["name"] == name), None) for items in past]
    months = [_earlier(values["month"], back) for back in reversed(range(TREND_MONTHS))]
    return JSONResponse(pictures.trend(visit, months, found))


async def _months(visit: Visit, values: Mapping[str, Any], count: int) -> list[list[dict[str, Any]]]:
    """The figures of a month and of those before it, the latest first."""
    months = [_earlier(values["month"], back) for back in range(count)]
    found = [await visit.api.get("/measures", month=one, community_id=values["place"]) for one in months]
    return [one["items"] for one in found]


async def projects(visit: Visit) -> Response:
    """The project list on a line of time."""
    values = await _board(visit, "projects")
    found = await visit.api.get(f"/project-lists/{values['place']}") if values["place"] else {"items": []}
    chart = pictures.plan(visit, found["items"], _now().date().isoformat())
    return await visit.show("boards/projects.html", **values, items=found["items"], chart=chart)


async def coverage(visit: Visit) -> Response:
    """What was asked where."""
    values = await _board(visit, "coverage")
    found = await visit.api.get(f"/coverage/{values['place']}/{values['month']}")
    grids = [one for one in found["items"] if one["kind"] == "GRID"]
    charts = pictures.asked(visit, grids)
    return await visit.show("boards/coverage.html", **values, items=found["items"], grids=grids, charts=charts)


async def agenda(visit: Visit) -> Response:
    """What the next meeting of a body finds on its table."""
    values = await _board(visit, "agenda")
    body = visit.query("body") if visit.query("body") in BODIES else BODIES[0]
    found = await visit.api.get(f"/agendas/{values['place']}/next", body=body)
    chart = pictures.reasons(visit, found["items"])
    return await visit.show("boards/agenda.html", **values, body=body, bodies=BODIES, found=found, chart=chart)


async def committee(visit: Visit) -> Response:
    """The roster on a day, and which rules it meets."""
    values = await _board(visit, "committee")
    found = await visit.api.get(f"/committees/{values['place']}", on=visit.query("on"))
    chart = pictures.categories(visit, found["categories"])
    people = [person for rule in found["rules"] if isinstance(rule["found"], list) for person in rule["found"]]
    await _know(visit, people)
    return await visit.show("boards/committee.html", **values, found=found, chart=chart, rules=pictures.RULES)


async def rollout(visit: Visit) -> Response:
    """How far the communities are."""
    values = await _board(visit, "rollout")
    found = await visit.api.get("/rollout", place=values["place"])
    values |= {"states": pictures.ROLLOUT, "missing": pictures.MISSING}
    return await visit.show("boards/rollout.html", **values, found=found, chart=pictures.stages(visit, found["states"]))


async def permits(visit: Visit) -> Response:
    """The register, what ends first in front, and what nobody has paid."""
    values = await _board(visit, "permits")
    asked = {"community": values["place"], "expiring_within": visit.query("expiring_within")}
    found, owed = await asyncio.gather(
        visit.api.get("/permits", limit=50, cursor=visit.query("cursor"), **asked), visit.api.get("/permits/unpaid")
    )
    await _know(visit, [code for one in found["items"] for code in one["communities"]])
    chart = pictures.money(visit, found["items"])
    more = {"items": found["items"], "following": found["next_cursor"], "owed": owed["items"], "asked": asked}
    return await visit.show("boards/permits.html", **values, chart=chart, **more)


async def burden(visit: Visit) -> Response:
    """What a community carries."""
    values = await _board(visit, "burden")
    found = await visit.api.get(f"/burden/{values['place']}")
    return await visit.show("boards/burden.html", **values, found=found, charts=pictures.load(visit, found["trend"]))


async def file(visit: Visit) -> Response:
    """The table of a board, to keep."""
    name, ending = visit.request.path_params["name"], visit.request.path_params["ending"]
    if name not in NAMED or ending not in FILES:
        raise Problem(404, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    values = await _board(visit, name)
    path, asked = _table(visit, name, values)
    found = await visit.api.file(path, FILES[ending], **asked)
    headers = {one: found.headers[one] for one in ("content-disposition",) if one in found.headers}
    return Response(found.content, media_type=FILES[ending], headers=headers)


def _table(visit: Visit, name: str, values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Where the API has the table of a board."""
    place, month = values["place"], values["month"]
    tables: dict[str, tuple[str, Mapping[str, Any]]] = {
        "supervision": ("/overdue", {**_within(place), **_asked(visit, "color", "owner", "process")}),
        "measures": ("/measures", {"month": month, "community_id": place}),
        "projects": (f"/project-lists/{place}", {}),
        "coverage": (f"/coverage/{place}/{month}", {}),
        "agenda": (f"/agendas/{place}/next", _asked(visit, "body")),
        "committee": (f"/committees/{place}", _asked(visit, "on")),
        "rollout": ("/rollout", {"place": place}),
        "permits": ("/permits", {"community": place, "limit": 200, **_asked(visit, "expiring_within")}),
        "burden": (f"/burden/{place}", {}),
    }
    return tables[name]


async def _board(visit: Visit, name: str) -> dict[str, Any]:
    """What every board has: itself, the places to choose from, the one that was chosen, the month."""
    board, me = NAMED[name], await visit.me()
    held = {role["place"][:COMMUNITY_DIGITS] for role in me["roles"] if role["role"] in board.roles}
    if not held:
        raise Problem(403, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    wide = sorted(place for place in held if len(place) < COMMUNITY_DIGITS)
    below = await asyncio.gather(
        *(visit.api.get("/regions", within=place, level="COMMUNITY", limit=200) for place in wide)
    )
    names = {row["code"]: row["name"] for page in below for row in page["items"]}
    own = sorted(held - names.keys(), key=lambda code: (len(code), code))
    names |= (await visit.api.get("/names", of=own))["names"] if own else {}
    known = (*own, *sorted(names.keys() - held))
    codes = [code for code in known if len(code) == COMMUNITY_DIGITS or not board.of_community]
    asked = visit.query("place")
    is_mine = asked.isdigit() and any(asked.startswith(place) for place in held)
    place = asked if is_mine and (len(asked) == COMMUNITY_DIGITS or not board.of_community) else next(iter(codes), "")
    if not place:
        raise Problem(404, {"detail": visit.say("这里还没有社区。")})
    if place not in names:
        names |= (await visit.api.get("/names", of=[place]))["names"]
    month = visit.query("month") or f"{_now():%Y-%m}"
    return {
        "board": board,
        "places": [(code, names.get(code, code)) for code in dict.fromkeys((*codes, place))],
        "place": place,
        "place_name": names.get(place, place),
        "month": month,
        "months": [_earlier(f"{_now():%Y-%m}", back) for back in range(MONTHS_SHOWN)],
        "boards": boards_for(me),
    }


async def _know(visit: Visit, codes: Sequence[str]) -> None:
    """Learn what these codes stand for."""
    wanted = sorted(set(codes))[:200]
    if wanted:
        found = await visit.api.get("/names", of=wanted)
        visit.words = replace(visit.words, names={**visit.words.names, **found["names"]})


async def _cases(visit: Visit, path: str, place: str) -> list[dict[str, Any]]:
    """Open cases of a kind in a place, the newest first."""
    asked = {"community_id": place} if len(place) == COMMUNITY_DIGITS else {}
    try:
        found = await visit.api.get(path, limit=50, **asked)
    except Problem:
        return []
    items: list[dict[str, Any]] = [
        one for one in found["items"] if one["closed_at"] is None and one["community_id"].startswith(place)
    ]
    await _know(visit, [one["data"]["responsible_org"] for one in items if one["data"].get("responsible_org")])
    return items


def _within(place: str) -> dict[str, str]:
    """How the overdue list is narrowed to a place."""
    return {"community_id" if len(place) == COMMUNITY_DIGITS else "subdistrict_id": place}


def _asked(visit: Visit, *names: str) -> dict[str, str]:
    return {name: visit.query(name) for name in names if visit.query(name)}


def _earlier(month: str, back: int) -> str:
    year, number = int(month[:4]), int(month[5:7]) - 1 - back
    return f"{year + number // 12}-{number % 12 + 1:02}"


def _now() -> datetime:
    return datetime.now(UTC).astimezone(CHINA)


PAGES = (
    At("/boards", index),
    At("/boards/{name}.{ending}", file),
    At("/boards/supervision", supervision),
    At("/boards/supervision/counts", overdue_counts),
    At("/boards/measures", measures),
    At("/boards/measures/compared.json", months_compared),
    At("/boards/measures/{name}/trend.json", trend),
    At("/boards/measures/{name}", measure),
    At("/boards/projects", projects),
    At("/boards/coverage", coverage),
    At("/boards/agenda", agenda),
    At("/boards/committee", committee),
    At("/boards/rollout", rollout),
    At("/boards/permits", permits),
    At("/boards/burden", burden),
)
