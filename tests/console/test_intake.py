"""A new issue and lists, page by page: the console over the API over twins, no server and no browser."""

import re
from collections.abc import AsyncIterator, Collection, Sequence
from html import unescape
from typing import Any, ClassVar

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter
from starlette.requests import Request

from services.api.names import name_router
from services.api.saved_views import view_router
from services.console.app import Console, create_console
from services.console.schematic import outline_of, sketch
from services.console.session import ACCESS, FORM_TOKEN, VISITOR, form_token
from services.storage.saved_views import SavedView
from tests.web.product import TOKENS, app_over
from tests.web.twins import C1, PEOPLE, Twin, TwinPeople
from workflows.issue.process import ISSUE
from workflows.kernel.process import Actor

SECRET = b"a secret for the forms of this test"
SQUARE: dict[str, Any] = {
    "type": "Polygon",
    "coordinates": [[[103.0, 36.0], [103.01, 36.0], [103.01, 36.01], [103.0, 36.01], [103.0, 36.0]]],
}
GRID = {"code": f"{C1}001", "name": "第1网格", "community_code": C1, "geometry": SQUARE, "responsible": []}
ISSUE_FORM = {
    "community_code": C1,
    "title": "楼道堆放纸箱",
    "description": "二楼",
    "source": "VISIT",
    "category_code": "A02",
}


class People(TwinPeople):
    """The twin's people, who know what they are and where."""

    async def me(self, actor: Actor, language: str = "zh-CN") -> dict[str, Any]:
        named = {"title": "", "place_name": "柳荫社区", "org_name": "", "level": "COMMUNITY"}
        roles = [{"role": one.role, "place": one.place, "org": one.org, **named} for one in actor.grants]
        return {**await super().me(actor, language), "roles": roles}


class Views:
    """Kept views in memory."""

    kept: ClassVar[dict[str, list[SavedView]]] = {}

    async def of(self, actor: Actor) -> list[SavedView]:
        return self.kept.get(actor.id, [])

    async def replace(self, actor: Actor, views: Sequence[SavedView]) -> None:
        self.kept[actor.id] = list(views)


class Nobody:
    """Finds no names."""

    async def organizations(self, part: str) -> list[dict[str, str]]:
        return []

    async def communities(self, part: str) -> list[dict[str, str]]:
        return []

    async def people(self, part: str, places: list[str]) -> list[dict[str, str]]:
        return []

    async def cases(self, actor: Actor, ids: Collection[str]) -> dict[str, dict[str, str]]:
        return {}

    async def find_cases(self, actor: Actor, part: str, process: str) -> list[dict[str, str]]:
        return []


def tree() -> APIRouter:
    """One grid, for which the grid worker answers."""
    router = APIRouter()
    mine = {**GRID, "responsible": [{"id": PEOPLE["grid1"].id, "name": "小周"}]}

    @router.get("/spatial-units", operation_id="spatial-units.list")
    async def units() -> dict[str, Any]:
        return {"items": [mine], "next_cursor": None}

    @router.get("/spatial-units/{key}", operation_id="spatial-units.one")
    async def unit(key: str) -> dict[str, Any]:
        return mine

    @router.get("/regions", operation_id="regions.list")
    async def regions() -> dict[str, Any]:
        return {"items": [{"code": C1, "name": "柳荫社区"}], "next_cursor": None}

    return router


class Browser:
    """A browser in which somebody is signed in."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        scope = {"type": "http", "headers": [(b"cookie", f"{VISITOR}=mine".encode())]}
        self.token = form_token(SECRET, Request(scope))

    def as_(self, who: str) -> "Browser":
        self.client.cookies.update({VISITOR: "mine", ACCESS: TOKENS.issue(PEOPLE[who])})
        return self

    async def sees(self, path: str, **headers: str) -> str:
        answer = await self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    async def sends(self, path: str, form: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.client.post(path, data={FORM_TOKEN: self.token, **form}, headers=headers)

    async def reports(self, title: str, key: str, **more: str) -> str:
        answer = await self.sends("/issues/new", {**ISSUE_FORM, "title": title, "key": key, **more})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].split("/")[2]


@pytest.fixture(scope="module")
def product() -> tuple[Console, Twin]:
    """The console over the API over twins, made once."""
    twin = Twin()
    api = app_over(twin, people=People(), routers=[view_router(Views()), name_router(Nobody()), tree()])
    return create_console(api, [ISSUE], secret=SECRET), twin


@pytest.fixture
def twin(product: tuple[Console, Twin]) -> Twin:
    """What stands behind it, empty again for each test."""
    product[1].__init__()  # type: ignore[misc]  # a dataclass begins anew so
    Views.kept.clear()
    return product[1]


@pytest_asyncio.fixture
async def browser(product: tuple[Console, Twin], twin: Twin) -> AsyncIterator[Browser]:
    """A browser on an empty street."""
    transport = httpx.ASGITransport(product[0])
    async with httpx.AsyncClient(transport=transport, base_url="http://street") as one:
        yield Browser(one)


# --- a new issue -----------------------------------------------------------------------------------------------


async def test_the_screen_knows_who_writes_and_where(browser: Browser) -> None:
    shown = await browser.as_("grid1").sees("/issues/new")

    assert f'name="community_code" value="{C1}"' in shown
    assert f'<option value="{GRID["code"]}" selected>第1网格' in shown
    assert '<option value="VISIT" selected>' in shown
    assert '<option value="A02" data-words="市容环境 乱堆乱放 楼道堆物' in shown
    resident = await browser.as_("resident1").sees("/issues/new")
    assert 'name="source" value="RESIDENT"' in resident
    assert 'name="reporter.name"' not in resident
    assert (await browser.as_("admin").client.get("/issues/new")).status_code == 403


async def test_a_report_sent_twice_is_one_and_lies_in_its_grid(browser: Browser, twin: Twin) -> None:
    browser.as_("grid1")
    form = {**ISSUE_FORM, "key": "k1", "grid": GRID["code"], "place_text": "3号楼"}
    first = await browser.sends("/issues/new", form)
    again = await browser.sends("/issues/new", form, accept="application/json")

    assert first.headers["location"] == again.json()["receipt"]
    (case,) = twin.street.cases.values()
    assert twin.kept[case.id, case.data.place_text] == "第1网格 3号楼"
    assert twin.kept[case.id, case.data.location] == {"lat": 36.005, "lon": 103.005}


async def test_a_reporter_who_wants_no_answer_gets_none(browser: Browser, twin: Twin) -> None:
    await browser.as_("grid1").reports("甲", "k1", **{"reporter.name": "王某"})
    await browser.reports("乙", "k2", **{"reporter.name": "王某", "reporter.wants_reply": "true"})

    wants = [twin.kept[case.id, case.data.reporter].get("wants_reply", True) for case in twin.street.cases.values()]
    assert wants == [False, True]


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(browser: Browser) -> None:
    browser.as_("grid1")
    form = {**ISSUE_FORM, "description": "", "key": "k1", "place_text": "东门"}
    page = await browser.sends("/issues/new", form)
    queued = await browser.sends("/issues/new", form, accept="application/json")

    assert page.status_code == queued.status_code == 409
    assert 'value="楼道堆放纸箱"' in page.text
    assert 'value="东门"' in page.text
    assert 'value="k1"' in page.text
    fault = re.search(r'<div class="invalid-feedback d-block" id="description-fault">(.+?)</div>', page.text)
    assert fault is not None
    assert queued.json()["errors"] == {"description": unescape(fault[1])}


async def test_the_queue_learns_who_would_send(browser: Browser) -> None:
    ticket = (await browser.as_("grid1").client.get("/issues/new/ticket")).json()

    assert ticket == {"who": PEOPLE["grid1"].id, "form_token": browser.token}


async def test_what_is_known_already_is_shown_while_typing(browser: Browser) -> None:
    number = await browser.as_("grid1").reports("楼道堆放纸箱", "k1")

    known = await browser.sees(f"/issues/new/similar?community_code={C1}&title=堆放纸箱", hx_request="true")
    assert f'href="/issues/{number}"' in known
    assert "/issues/" not in await browser.sees(f"/issues/new/similar?community_code={C1}&title=堆")


async def test_the_receipt_has_number_code_and_a_picture_to_scan(browser: Browser) -> None:
    number = await browser.as_("grid1").reports("楼道堆放纸箱", "k1")
    shown = await browser.sees(f"/issues/{number}/receipt")

    code = re.search(r'class="h1 mb-0 code">([A-Z2-7]{6})<', shown)
    assert code is not None
    assert f'href="http://street/p/issues/{number}?check_code={code[1]}"' in shown
    assert 'src="data:image/svg+xml;' in shown
    assert number in shown


# --- lists -----------------------------------------------------------------------------------------------------


async def test_a_list_has_the_columns_of_its_address_in_words(browser: Browser) -> None:
    number = await browser.as_("grid1").reports("楼道堆放纸箱", "k1")
    shown = await browser.sees("/issues?columns=title,source,category_code,nothing")

    assert re.findall(r'<th scope="col">(.+?)</th>', shown) == ["标题", "来源", "类别"]
    assert f'href="/issues/{number}">楼道堆放纸箱' in shown
    cells = [re.sub(r"\s+|<.*?>", "", cell) for cell in re.findall(r"<td data-column.*?>(.*?)</td>", shown, re.DOTALL)]
    assert cells == ["楼道堆放纸箱", "走访", "楼道堆物"]
    file = await browser.client.get("/issues/export.csv?columns=title,source")
    assert file.text.lstrip("\ufeff").splitlines() == ["标题,来源", "楼道堆放纸箱,走访"]
    assert "attachment" in file.headers["content-disposition"]


async def test_more_of_a_list_comes_as_rows_alone(browser: Browser) -> None:
    browser.as_("grid1")
    for number in range(31):
        await browser.reports(f"第{number}件", f"k{number}")
    first = await browser.sees("/issues")
    following = re.search(r'hx-get="(/issues\?cursor=.+?)"', first)

    assert following is not None
    assert first.count('name="case"') == 30
    rest = await browser.sees(following[1], hx_request="true")
    assert rest.count('name="case"') == 1
    assert "<html" not in rest


async def test_a_view_is_kept_found_again_and_forgotten(browser: Browser) -> None:
    browser.as_("grid1")
    kept = await browser.sends("/issues/views", {"name": "我的一览", "query": "color=RED"})
    assert kept.headers["location"] == "/issues?color=RED"

    shown = await browser.sees("/issues?color=RED")
    assert re.search(r'<a class="nav-link active" href="/issues\?color=RED" aria-current="page">.+?我的一览</a>', shown)
    assert "我的一览" not in await browser.as_("worker1").sees("/issues")

    await browser.as_("grid1").sends("/issues/views", {"name": "我的一览", "forget": "1"})
    assert "我的一览" not in await browser.sees("/issues")


async def test_cases_with_a_place_are_on_the_map_and_the_others_beside_it(browser: Browser) -> None:
    inside = await browser.as_("grid1").reports("在图上", "k1", **{"location.lat": "36.005", "location.lon": "103.005"})
    outside = await browser.reports("在别处", "k2", **{"location.lat": "30", "location.lon": "100"})
    shown = await browser.sees("/issues?view=map")

    assert re.search(rf'<a href="/issues/{inside}" aria-label="在图上 · 已登记"><circle class="dot is-none"', shown)
    assert re.search(rf'list-group-item-action" href="/issues/{outside}"', shown)


async def test_one_command_for_several_and_each_answers_for_itself(browser: Browser, twin: Twin) -> None:
    first, second = [await browser.as_("grid1").reports(title, key) for title, key in (("甲", "k1"), ("乙", "k2"))]
    await browser.as_("worker1").sends(f"/issues/{first}/commands/request_verification", {"key": "v"})
    both = f"case={first}&case={second}"

    offered = await browser.sees(f"/issues/bulk?{both}")
    assert re.search(r"要求核实</span><span[^>]*>1 件可办", offered)
    ask = await browser.sees(f"/issues/bulk?{both}&command=request_verification")
    assert "不办理" in ask

    form = {"command": "request_verification", "key": "b1", "case": [first, second]}
    done = await browser.sends("/issues/bulk", form)
    again = await browser.sends("/issues/bulk", form)

    assert "已办理 1 件，未办理 0 件" in done.text
    assert "所选事项现在都不能办理这项操作" in again.text
    assert [case.state for case in twin.street.cases.values()] == ["VERIFYING", "VERIFYING"]


async def test_a_fault_of_the_form_is_shown_in_it_when_nobody_took_it(browser: Browser) -> None:
    numbers = [await browser.as_("grid1").reports(title, key) for title, key in (("甲", "k1"), ("乙", "k2"))]
    form = {"command": "decline", "key": "b1", "reason": "", "case": numbers}

    refused = await browser.as_("worker1").sends("/issues/bulk", form)

    assert refused.status_code == 422
    assert 'id="f-reason-fault"' in refused.text


# --- the map ---------------------------------------------------------------------------------------------------


def test_outlines_are_drawn_to_scale_with_the_north_above() -> None:
    north = {
        **GRID,
        "code": "n",
        "geometry": {**SQUARE, "coordinates": [[[x, y + 0.01] for x, y in SQUARE["coordinates"][0]]]},
    }
    drawn = sketch([GRID, north])
    below, above = drawn.shapes

    assert drawn.frame is not None
    assert above.middle[1] < below.middle[1] < drawn.height
    assert drawn.at({"lat": 36.005, "lon": 103.005}) == pytest.approx(below.middle)
    assert drawn.at({"lat": 40, "lon": 103.005}) is None
    assert drawn.at({"lat": "somewhere"}) is None
    # A kilometre is as long in both directions.
    across = abs(below.outline[1][0] - below.outline[0][0]) / 0.8090
    assert across == pytest.approx(abs(below.outline[2][1] - below.outline[1][1]), rel=0.01)


def test_grids_without_outlines_are_tiles() -> None:
    drawn = sketch([{**GRID, "code": str(number), "geometry": None} for number in range(5)])

    assert drawn.frame is None
    assert len({shape.middle for shape in drawn.shapes}) == 5
    assert drawn.at({"lat": 36.005, "lon": 103.005}) is None


@pytest.mark.parametrize(
    "geometry", [None, {}, {"type": "Point", "coordinates": [1, 2]}, {"type": "Polygon", "coordinates": [[["x"]]]}]
)
def test_what_is_no_outline_is_none(geometry: Any) -> None:
    assert outline_of(geometry) is None
    assert outline_of({"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]}) is not None
