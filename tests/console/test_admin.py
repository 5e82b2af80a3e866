"""Administration on a real database: every page, what it changes, and whom it lets in."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
import structlog
from sqlalchemy import select

from services.console.pages.admin import PARTS
from services.console.pages.admin_rules import _months
from services.console.pages.admin_tree import _changes
from services.documents.filling import Templates
from services.embedded.servers import Servers
from services.identity.passwords import Passwords
from services.settings import Settings
from services.storage.database import database
from services.storage.demo import seed_demo
from services.storage.incidents import Incidents
from services.storage.people_records import person_id_of
from services.storage.people_tables import audit
from services.storage.templates import OwnTemplates
from services.web import build_app
from tests.conftest import another_database
from tests.documents.test_checking import saying
from tests.documents.test_filling import printed

PASSWORD = "heard, decided, done"
POLICY = "lanzhou_2021"
C1 = "620199001001"
PAGES = (
    "/admin",
    *(f"/admin/{path}" for path, _, _ in PARTS),
    f"/admin/tree?within={C1}",
    f"/admin/data/regions/{C1}",
    "/admin/data/people/worker1",
    "/admin/data/roles/new",
    "/admin/lists/620199/LIST_A?before=1",
    "/admin/packs/lanzhou_2021?q=issue",
    "/admin/templates?pack=default_2026",
    "/admin/templates/lanzhou_2021/SUPERVISION_ORDER",
    "/admin/templates/lanzhou_2021/GENERAL",
    "/admin/packs?before=lanzhou_2021&after=panzhihua_2016",
    "/admin/tree/import",
    "/account",
    "/notifications",
)
TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


@pytest.fixture(scope="module", autouse=True)
def _plain_logs() -> Iterator[None]:
    """Lines as in production: a traceback without its local variables, which take seconds to draw."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


class Browser:
    """A browser in which somebody has signed in."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.token = ""

    async def sign_in(self, who: str) -> None:
        """Sign in by the form."""
        self.token = TOKEN.findall((await self.client.get("/sign-in")).text)[0]
        answer = await self.send("/sign-in", username=who, password=PASSWORD)
        assert answer.status_code == 303
        self.token = TOKEN.findall((await self.client.get("/account")).text)[0]

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of ours."""
        return await self.client.post(path, data={"form_token": self.token, **fields})

    async def send_file(self, path: str, content: bytes, **fields: str) -> httpx.Response:
        """Send a form with a file."""
        file = {"file": ("changed.docx", content)}
        return await self.client.post(path, data={"form_token": self.token, **fields}, files=file)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def product(
    servers: Servers, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[httpx.ASGITransport, Incidents]]:
    """The product on the demonstration street, and its list of troubles; no worker, so that no case moves."""
    storage = database(database_url)
    await seed_demo(storage, PASSWORD, Passwords())
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        # As the service itself is known to the database, which owns nothing there.
        database_url=another_database(servers.application_url, urlsplit(database_url).path.removeprefix("/")),
        temporal_address=servers.temporal_address,
        temporal_namespace=servers.temporal_namespace,
        token_key="k" * 32,
        seal_key=base64.b64encode(b"s" * 32).decode(),
        policy=POLICY,
        rate_sign_in=0,
        engine_ui="http://engine.test/",
    )
    app = await build_app(settings)
    # Its connections end with it, or nobody could drop the database.
    async with app.router.lifespan_context(app):
        yield httpx.ASGITransport(app), Incidents(storage)
    await storage.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def admin(product: tuple[httpx.ASGITransport, Incidents]) -> AsyncIterator[Browser]:
    """The administrator of the whole."""
    async with httpx.AsyncClient(transport=product[0], base_url="http://test", timeout=60) as client:
        browser = Browser(client)
        await browser.sign_in("admin")
        yield browser


async def test_every_page_answers_in_both_languages(admin: Browser) -> None:
    for language in ("zh", "en"):
        await admin.client.get(f"/language/{language}")
        for path in PAGES:
            page = await admin.client.get(path)
            assert (path, page.status_code) == (path, 200)


async def test_nobody_else_is_let_in(product: tuple[httpx.ASGITransport, Incidents]) -> None:
    async with httpx.AsyncClient(transport=product[0], base_url="http://test", timeout=60) as client:
        worker = Browser(client)
        await worker.sign_in("worker1")
        for path in ("/admin", "/admin/tree", "/admin/data/people", "/admin/audit", "/admin/incidents", "/admin/keys"):
            assert (path, (await client.get(path)).status_code) == (path, 403)
        # The rules that he works by he may read, and not change.
        for path in ("/admin/packs", "/admin/calendar", "/admin/lists"):
            page = await client.get(path)
            assert (path, page.status_code, "/admin/tree" in page.text) == (path, 200, False)
        refused = await worker.send("/admin/calendar/days", on="2026-12-31", working="false", why="市庆")
        assert refused.status_code == 403


async def test_master_data_is_added_changed_refused_and_removed(admin: Browser) -> None:
    added = await admin.send("/admin/data/buildings/new", community_code=C1, name="9号楼", floors="6")
    again = await admin.send("/admin/data/buildings/new", community_code=C1, name="9号楼", floors="6")
    tree = (await admin.client.get(f"/admin/tree?within={C1}")).text
    row = re.findall(r'/admin/data/buildings/([0-9a-f-]{36})">9号楼', tree)[0]
    changed = await admin.send(f"/admin/data/buildings/{row}", name="9号楼", floors="7")
    page = (await admin.client.get(f"/admin/data/buildings/{row}")).text
    removed = await admin.send(f"/admin/data/buildings/{row}/remove")

    assert [one.status_code for one in (added, changed, removed)] == [303, 303, 303]
    assert added.headers["location"] == f"/admin/tree?within={C1}&done=added"
    assert again.status_code == 409
    assert 'value="9号楼"' in again.text
    assert 'name="floors"' in page
    assert 'value="7"' in page
    assert "9号楼" not in (await admin.client.get(f"/admin/tree?within={C1}")).text


async def test_a_person_gets_a_sign_in_and_a_role_with_a_term(admin: Browser) -> None:
    added = await admin.send(
        "/admin/data/people/new", display_name="测试员", username="tester", password="a password of ours", phone=""
    )
    person = added.headers["location"].partition("?")[0]
    role = {"person": "tester", "role": "volunteer", "place": C1, "since": "2026-01-01"}
    given = await admin.send("/admin/data/roles/new", **role)
    listed = (await admin.client.get("/admin/data/roles?role=volunteer")).text
    key = re.findall(r"/admin/data/roles/([0-9a-f-]{36})/end", listed)[0]
    ended = await admin.send(f"/admin/data/roles/{key}/end", until="2026-06-30")
    closed = await admin.send(f"{person}/accounts/tester", act="close")

    assert [one.status_code for one in (added, given, ended, closed)] == [303] * 4
    assert "2026-06-30" in (await admin.client.get("/admin/data/roles?role=volunteer&on=2026-06-01")).text


async def test_a_local_day_makes_a_new_edition_and_is_taken_back(admin: Browser) -> None:
    before = (await admin.client.get("/admin/calendar?year=2026")).text
    set_to = await admin.send("/admin/calendar/days", on="2026-12-31", working="false", why="市庆")
    page = (await admin.client.get("/admin/calendar?year=2026")).text
    back = await admin.send("/admin/calendar/days/2026-12-31/clear")

    assert (set_to.status_code, back.status_code) == (303, 303)
    assert "2026-12-31 市庆" not in before
    assert "2026-12-31 市庆" in page
    assert "2026-12-31 市庆" not in (await admin.client.get("/admin/calendar?year=2026")).text


async def test_a_trouble_is_tried_again_and_closed_with_a_reason(
    admin: Browser, product: tuple[httpx.ASGITransport, Incidents]
) -> None:
    await product[1].note("NOTICE_DEAD", case_id=None, key="channel-1", detail={"channel": "1"})
    one = next(one for one in await product[1].listed() if one.key == "channel-1")

    retried = await admin.send(f"/admin/incidents/{one.id}/retry")
    closed = await admin.send(f"/admin/incidents/{one.id}/close", reason="已电话核实")

    assert retried.status_code == 409
    assert 'role="alert"' in retried.text
    assert closed.headers["location"] == "/admin/incidents?done=closed"
    assert "channel-1" not in (await admin.client.get("/admin/incidents")).text


async def test_the_engines_own_pages_are_found_in_its_namespace(
    admin: Browser, product: tuple[httpx.ASGITransport, Incidents], servers: Servers
) -> None:
    await product[1].note("STUCK", case_id=None, key="issue/one", detail={"errand": "x"})

    page = (await admin.client.get("/admin/incidents")).text

    assert f"http://engine.test/namespaces/{servers.temporal_namespace}/workflows?query=" in page


async def test_the_history_is_found_whole(admin: Browser) -> None:
    checked = await admin.send("/admin/audit/verification")

    assert checked.status_code == 200
    assert "历史完好" in checked.text


async def test_a_template_is_tried_put_in_its_place_and_taken_back(admin: Browser) -> None:
    page = "/admin/templates/lanzhou_2021/INTAKE_RECEIPT"
    ours = (await admin.client.get(f"{page}/docx")).content
    theirs = Templates().find("lanzhou_2021", "RETURN_SLIP")

    wrong = await admin.send_file(page, saying("{{ data.projct }}"))
    tried = await admin.send_file(page, theirs, preview="1")
    before = (await admin.client.get(f"{page}/docx")).content
    put = await admin.send_file(page, theirs)
    after = (await admin.client.get(f"{page}/docx")).content
    shown = (await admin.client.get(page)).text
    preview = await admin.client.get(f"{page}/preview")
    back = await admin.send(f"{page}/drop")

    assert (wrong.status_code, "没有这个可填内容：data.projct" in wrong.text) == (422, True)
    assert (tried.status_code, tried.headers["content-type"], before == ours) == (200, "application/pdf", True)
    assert put.headers["location"] == f"{page}?done=template_put"
    assert after == theirs
    assert "第 1 版" in shown
    assert "退单" in printed(preview.content)
    assert back.headers["location"] == f"{page}?done=template_dropped"
    assert (await admin.client.get(f"{page}/docx")).content == ours


async def test_a_document_keeps_the_template_of_its_day(servers: Servers, database_url: str) -> None:
    storage = database(database_url)
    kept, place = OwnTemplates(storage), ("lanzhou_2021", "MINUTES")
    async with storage.connect() as connection:
        by = str(await person_id_of(connection, "admin"))
    changed = [await kept.put(*place, content, by=by) for content in (b"first", b"first", b"second", None, None)]
    moments = [one.put_at for one in reversed(await kept.versions(*place))]
    held = [await kept.in_force(place[:1], place[1:], at) for at in (moments[0] - timedelta(1), *moments)]
    async with storage.connect() as connection:
        query = select(audit.c.actor, audit.c.after).where(audit.c.entity == "document_template")
        audited = [row for row in await connection.execute(query) if row.after["kind"] == "MINUTES"]
    await storage.dispose()

    assert changed == [True, False, True, True, False]
    assert [one.get(place) for one in held] == [None, b"first", b"second", None]
    assert [row.actor for row in audited] == [by] * 3
    assert all("content" not in row.after for row in audited)


async def test_a_key_is_shown_once(admin: Browser) -> None:
    wanted = {"name": "平台", "username": "worker1", "scopes": "issues.read", "expires_at": "2027-06-01"}
    made = await admin.send("/admin/keys", **wanted)
    key = re.findall(r"slk_[\w.-]+", made.text)[0]

    assert key not in (await admin.client.get("/admin/keys")).text


async def test_another_password_ends_the_session(product: tuple[httpx.ASGITransport, Incidents]) -> None:
    async with httpx.AsyncClient(transport=product[0], base_url="http://test", timeout=60) as client:
        one = Browser(client)
        await one.sign_in("resident1b")
        new = {"old_password": PASSWORD, "new_password": "another good one"}
        unlike = await one.send("/account/password", **new, again="something else")
        taken = await one.send("/account/password", **new, again="another good one")

        assert unlike.status_code == 422
        assert taken.headers["location"] == "/sign-in?done=password"
        assert (await client.get("/account")).status_code == 303


async def test_requests_that_come_together_renew_a_session_once(product: tuple[httpx.ASGITransport, Incidents]) -> None:
    async with httpx.AsyncClient(transport=product[0], base_url="http://test", timeout=60) as client:
        one = Browser(client)
        await one.sign_in("resident1")
        client.cookies.delete("shangliang_access")
        answers = await asyncio.gather(*(client.get("/notifications/count") for _ in range(4)))

        assert [answer.status_code for answer in answers] == [200] * 4
        client.cookies.delete("shangliang_access")
        assert (await client.get("/issues/none")).status_code == 404
        assert (await client.get("/account")).status_code == 200


def test_a_month_begins_on_its_weekday() -> None:
    march = _months(2026, [{"date": "2026-03-01", "working": True, "kind": "MAKEUP", "why": "补班"}])[2]

    assert march[:6] == [None] * 6
    assert (march[6] or {})["kind"] == "MAKEUP"
    assert (march[7] or {})["working"]


def test_only_what_differs_is_changed() -> None:
    nullable = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    schema = {"properties": {"name": {"type": "string"}, "floors": nullable, "active": {"type": "boolean"}}}
    row = {"name": "一", "floors": 6, "active": True}

    assert _changes(schema, {"name": "一"}, row) == {"floors": None, "active": False}
    assert _changes(schema, {"name": "二", "floors": 6, "active": True}, row) == {"name": "二"}
