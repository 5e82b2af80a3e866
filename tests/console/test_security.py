"""What keeps others out of the console: forged forms, foreign scripts, stolen cookies, tempting addresses."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

import services.console.app
from services.console.app import Console, create_console
from services.console.pages.all import ROUTES
from services.console.pages.routing import At
from services.console.pages.signing import inside
from services.console.session import ACCESS, FORM_TOKEN, HEADER, RENEW, VISITOR, Cookies, form_token, is_own_form
from tests.web.product import TOKENS, app_over
from tests.web.twins import PEOPLE, Twin
from workflows.issue.process import ISSUE

HERE = Path(services.console.app.__file__ or "").parent
TEMPLATES = sorted((HERE / "templates").rglob("*.html"))
OWN_ASSETS = sorted(path for path in (HERE / "static").iterdir() if path.is_file())
SECRET = b"a secret for the forms of this test"
MINE = {VISITOR: "my-browser"}
SAMPLES = {"plural": "issues", "key": "620199001001202603A0001", "command": "close", "language": "en"}
POSTS = [one for one in ROUTES if "POST" in one.methods]
READS = [one for one in ROUTES if "GET" in one.methods]
# Where a name is given to what has no address: the vocabulary of drawings.
NAMESPACE = re.compile(r"https?://www\.w3\.org/[\w/.#]+")
FOREIGN = re.compile(r"(?:https?:)?//[a-z0-9-]+\.[a-z]{2,}", re.IGNORECASE)


def address(of: At) -> str:
    """An address of a page, with something in its holes."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda hole: SAMPLES.get(hole[1], "1"), of.path)


class Counted:
    """The API, and how often the console has asked it."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def api() -> Counted:
    """The API with twins behind it."""
    return Counted(app_over(Twin()))


@pytest.fixture(scope="module")
def console(api: Counted) -> Console:
    """The console; its templates are read once."""
    return create_console(api, [ISSUE], secret=SECRET)


@pytest_asyncio.fixture
async def browser(console: Console) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a cookie."""
    transport = httpx.ASGITransport(console, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://street") as one:
        yield one


def token_of(visitor: str) -> str:
    """The token in the forms of a browser."""
    scope = {"type": "http", "headers": [(b"cookie", f"{VISITOR}={visitor}".encode())]}
    return form_token(SECRET, Request(scope))


@pytest.mark.parametrize("one", POSTS, ids=lambda one: one.path)
@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ("", {}),
        (token_of("another-browser"), {}),
        (token_of(MINE[VISITOR]), {"Sec-Fetch-Site": "cross-site"}),
        (token_of(MINE[VISITOR]), {"Sec-Fetch-Site": "same-site"}),
    ],
    ids=["no token", "another browser's", "from another site", "from a sister site"],
)
async def test_a_forged_form_does_nothing(
    browser: httpx.AsyncClient, api: Counted, one: At, given: str, headers: dict[str, str]
) -> None:
    browser.cookies.update({**MINE, ACCESS: TOKENS.issue(PEOPLE["worker1"])})
    before = api.asked
    answer = await browser.post(address(one), data={FORM_TOKEN: given, "key": "k"}, headers=headers)
    assert answer.status_code == 403
    # To say so it may ask who is there, and nothing more.
    assert api.asked - before <= 1


def test_a_token_is_taken_from_the_form_or_the_header_of_the_same_browser() -> None:
    headers = [(b"cookie", f"{VISITOR}=mine".encode()), (b"sec-fetch-site", b"same-origin")]
    request = Request({"type": "http", "headers": headers})
    assert is_own_form(SECRET, request, token_of("mine"))
    assert not is_own_form(b"another secret", request, token_of("mine"))
    assert not is_own_form(SECRET, request, None)
    assert HEADER.lower() == "x-form-token"


@pytest.mark.parametrize("one", READS, ids=lambda one: one.path)
async def test_every_page_forbids_what_is_not_ours(browser: httpx.AsyncClient, one: At) -> None:
    answer = await browser.get(address(one))
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert FOREIGN.search(NAMESPACE.sub("", answer.text)) is None


@pytest.mark.parametrize("one", [one for one in READS if one.signed_in], ids=lambda one: one.path)
async def test_nobody_sees_a_page_of_those_who_work_here(browser: httpx.AsyncClient, one: At) -> None:
    answer = await browser.get(address(one))
    # What he is asked to sign in for may also not be there at all, or lead to a page that asks.
    target = answer.headers.get("location", "").partition("?")[0]
    assert answer.status_code == 404 or target == "/sign-in" or target in {one.path for one in READS} | {"/issues"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_script_and_no_sheet_stands_in_a_page(path: Path) -> None:
    text = path.read_text("utf-8")
    for attributes, inside_it in re.findall(r"<script\b([^>]*)>(.*?)</script>", text, re.DOTALL):
        assert "src=" in attributes, attributes
        assert not inside_it.strip()
    assert "<style" not in text
    assert "javascript:" not in text
    assert re.findall(r"<[^>]*\son[a-z]+\s*=", text) == []
    assert re.findall(r"\|\s*safe\b", text) == [], "what people wrote is escaped, always"


@pytest.mark.parametrize("path", [*TEMPLATES, *OWN_ASSETS], ids=lambda path: path.name)
def test_nothing_is_asked_of_third_parties(path: Path) -> None:
    assert FOREIGN.findall(NAMESPACE.sub("", path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", sorted((HERE / "static" / "vendor").glob("*.css")), ids=lambda path: path.name)
def test_no_sheet_of_others_fetches_from_elsewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    fetched = re.findall(r"(?:url\(|@import\s)\s*[\"']?([^\"')]+)", text)
    assert [one for one in fetched if not one.startswith(("data:", "#", "%23"))] == []


@pytest.mark.parametrize("secure", [True, False])
def test_cookies_are_kept_from_scripts_and_other_sites(secure: bool) -> None:
    response = Response()
    cookies = Cookies(secure)
    cookies.keep(response, {"access_token": "a", "refresh_token": "r", "expires_in": 60})
    cookies.know(response, "me")
    cookies.speak(response, "en")
    set_them = response.headers.getlist("set-cookie")
    assert {one.partition("=")[0] for one in set_them} >= {ACCESS, RENEW, VISITOR}
    for one in set_them:
        attributes = {part.strip().lower() for part in one.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= attributes
        assert ("secure" in attributes) is secure


@pytest.mark.parametrize(
    "tempting",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil",
        "",
    ],
)
async def test_nobody_is_sent_elsewhere(browser: httpx.AsyncClient, tempting: str) -> None:
    assert inside(tempting) == "/"
    answer = await browser.get("/language/en", params={"next": tempting})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_what_people_write_is_never_markup(browser: httpx.AsyncClient) -> None:
    browser.cookies.update(MINE)
    evil = "<img src=x onerror=alert(1)>\"'"
    answer = await browser.post(
        "/sign-in", data={FORM_TOKEN: token_of(MINE[VISITOR]), "username": evil, "password": "x"}
    )
    assert "<img src=x" not in answer.text
    assert "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;" in answer.text


async def test_a_form_over_which_we_break_is_answered_by_a_page() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a defect of ours")

    transport = httpx.ASGITransport(create_console(broken, [ISSUE], secret=SECRET), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", cookies=MINE) as client:
        form = {FORM_TOKEN: token_of(MINE[VISITOR]), "username": "worker1", "password": "x"}
        answer = await client.post("/sign-in", data=form)
        nowhere = await client.post("/no/such/page/at/all", data={})

    assert (answer.status_code, nowhere.status_code) == (500, 404)
    assert "<h1" in answer.text
    assert answer.headers["content-security-policy"]
