"""The pages for everybody: light, without signing in, and telling nobody more than his code opens."""

import gzip
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.requests import Request

import services.console.app
from services.api.communities import community_router
from services.api.ports import Json
from services.console.app import create_console
from services.console.session import FORM_TOKEN, VISITOR, form_token
from tests.web.conftest import ISSUE_BODY
from tests.web.product import TOKENS, app_over
from tests.web.twins import C1, PEOPLE, Twin
from workflows.issue.process import ISSUE
from workflows.kernel.calendar import CHINA

STATIC = Path(services.console.app.__file__ or "").parent / "static"
SECRET = b"a secret for the forms of this test"
DAY = datetime(2026, 3, 9, 9, 0, tzinfo=CHINA)
BUDGET = 150_000
"""Bytes of a page with everything that it loads, before pictures (issue 8, page 8)."""


class Town:
    """Two communities."""

    async def found(self, part: str, codes: Sequence[str]) -> list[dict[str, str]]:
        known = {C1: "柳荫社区", "620199001002": "河湾社区"}
        return [
            {"code": code, "name": name, "within": "安和街道"}
            for code, name in known.items()
            if part in name and (not codes or code in codes)
        ]


class Posting(Twin):
    """The product with a board on which something of everything stands."""

    async def board(self, community: str, months: tuple[str, ...]) -> Json:
        said = {"title": "三号楼楼道灯", "text": "联系 13800000000", "number": "G1", "state": "RUNNING"}
        posted = {"step": "FEEDBACK", "category_code": None, "month": months[0], "registered_at": DAY, "closed_at": DAY}
        return {
            "results": [{**said, **posted, "state": "CLOSED"}],
            "notices": [{**said, "kind": "RESULT", "posted_at": DAY, "ends_at": None, "open_to_objections": True}],
            "listed": [
                {
                    **said,
                    "state": "LISTED",
                    "responsible_org_name": "物业",
                    "listed_at": DAY,
                    "due_on": DAY.date(),
                    "relist_count": 0,
                    "delisted_at": None,
                }
            ],
            "problems": [{**said, **posted, "state": "SUBMITTED"}],
            "rosters": [{"where": "社工委", "post": "CHAIR", "name": "李书记"}],
        }


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody has signed in with."""
    app = app_over(Posting(), routers=(community_router(Town()),))
    app.router.routes.append(create_console(app, [ISSUE], secret=SECRET))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", cookies={VISITOR: "somebody"}
    ) as one:
        yield one


def filled(**fields: str) -> dict[str, str]:
    """A form of this browser."""
    scope = {"type": "http", "headers": [(b"cookie", f"{VISITOR}=somebody".encode())]}
    return {FORM_TOKEN: form_token(SECRET, Request(scope)), **fields}


async def reported(browser: httpx.AsyncClient) -> dict[str, Any]:
    """An issue that the grid worker reported for somebody."""
    headers = {"Authorization": f"Bearer {TOKENS.issue(PEOPLE['grid1'])}"}
    answer = await browser.post("/api/v1/issues", json=ISSUE_BODY, headers=headers)
    case: dict[str, Any] = answer.json()
    return case


async def test_everybody_finds_his_board_and_sees_it_masked(browser: httpx.AsyncClient) -> None:
    home = await browser.get("/p", params={"q": "柳荫"})
    board = await browser.get(f"/p/communities/{C1}")

    assert f'href="/p/communities/{C1}"' in home.text
    assert "河湾社区" not in home.text
    assert board.status_code == 200
    assert "13800000000" not in board.text
    assert "李书记" in board.text
    assert 'href="/p/notices/G1"' in board.text


@pytest.mark.parametrize("path", ["/p", f"/p/communities/{C1}", "/p/issues", "/p/verify", "/p/objections"])
async def test_a_public_page_is_light_and_works_without_a_script(browser: httpx.AsyncClient, path: str) -> None:
    page = await browser.get(path)
    loaded = [name for name in ("public.css", "public.js", "mark.svg") if f"/static/{name}" in page.text]

    assert page.status_code == 200
    assert "/static/vendor/" not in page.text
    assert "hx-" not in page.text
    assert len(page.text.encode()) + sum((STATIC / name).stat().st_size for name in loaded) < BUDGET


async def test_a_resident_follows_his_issue_by_number_and_code(browser: httpx.AsyncClient) -> None:
    case = await reported(browser)
    number, code = case["number"], case["data"]["check_code"]

    by_form = await browser.post("/p/issues", data=filled(number=f" {number} ", check_code=code.lower()))
    by_link = await browser.get(f"/p/issues/{number}", params={"check_code": code})

    for page in (by_form, by_link):
        assert page.status_code == 200
        assert case["title"] in page.text
        assert 'aria-current="step"' in page.text
        assert "王某" not in page.text


async def test_a_wrong_code_and_a_wrong_number_look_the_same(browser: httpx.AsyncClient) -> None:
    case = await reported(browser)

    wrong_code = await browser.post("/p/issues", data=filled(number=case["number"], check_code="WRONG2"))
    wrong_number = await browser.post("/p/issues", data=filled(number="620199001001202603A9999", check_code="WRONG2"))

    assert wrong_code.status_code == wrong_number.status_code == 404
    assert wrong_code.text.replace(case["number"], "") == wrong_number.text.replace("620199001001202603A9999", "")
    assert case["title"] not in wrong_code.text


async def test_a_rating_that_comes_too_early_is_refused_in_place(browser: httpx.AsyncClient) -> None:
    case = await reported(browser)
    fields = {"number": case["number"], "check_code": case["data"]["check_code"], "satisfaction": "5"}

    answer = await browser.post("/p/issues/rating", data=filled(**fields))

    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert case["title"] in answer.text


async def test_what_is_not_there_is_said_on_a_light_page(browser: httpx.AsyncClient) -> None:
    for path in ("/p/communities/999999999999", "/p/nothing/1?check_code=A", "/p/notices/G1"):
        page = await browser.get(path)

        assert page.status_code == 404
        assert "/static/public.css" in page.text


async def test_the_pages_speak_english_too(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/p/issues", headers={"Accept-Language": "en"})

    assert page.headers["content-language"] == "en"
    assert "How far is my issue" in page.text


def test_the_style_sheet_is_small_on_the_wire() -> None:
    assert len(gzip.compress((STATIC / "public.css").read_bytes())) < 8_000
