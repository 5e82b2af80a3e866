"""An issue through the five steps, each by the page of whoever acts; on a phone and at a desk, in both languages."""

import io
import re
from secrets import token_hex
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, expect

from tests.browser.conftest import House
from tests.browser.visitor import Visitor, fill

SAID = {
    "zh": {
        "receipt": "查询码",
        "result": "办理结果",
        "thanks": "感谢您的评价",
        "closed": "已办结",
        "steps": "结果反馈",
    },
    "en": {
        "receipt": "Check code",
        "result": "Result",
        "thanks": "Thank you",
        "closed": "Resolved",
        "steps": "Feedback",
    },
}


def photo() -> FilePayload:
    """A photo as a telephone takes it: larger than anybody needs."""
    drawn = Image.new("RGB", (2400, 1800), "#8a9a8a")
    ImageDraw.Draw(drawn).ellipse((700, 500, 1700, 1300), fill="#333a40")
    file = io.BytesIO()
    drawn.save(file, "JPEG", quality=90)
    return FilePayload(name="well.jpg", mimeType="image/jpeg", buffer=file.getvalue())


def report(grid: Visitor, title: str, *, with_photo: bool = True) -> tuple[str, str]:
    """A grid worker reports from one screen; gives the path of the case and the check code of its receipt."""
    grid.goes("/issues/new")
    form = grid.page.locator("#new-issue")
    form.locator("[name=title]").fill(title)
    if with_photo:
        form.locator("[data-album]").set_input_files(photo())
        expect(form.locator(".photo")).to_have_count(1)
    kind = form.get_by_role("combobox").first
    kind.fill("B01")
    kind.press("Enter")
    form.locator("[name=description]").fill("污水外溢，老人出行不便")
    form.locator("details > summary").first.click()
    fill(form, {"reporter.name": "王某", "reporter.phone": "13800000000"})
    form.locator("button[type=submit]").click()
    grid.page.wait_for_url(re.compile("/receipt$"))
    expect(grid.page.locator("img.qr")).to_be_visible()
    code = grid.page.locator(".code").inner_text().strip()
    return urlsplit(grid.page.url).path.removesuffix("/receipt"), code


@pytest.mark.parametrize(("size", "language"), [("phone", "zh"), ("desktop", "en")])
def test_from_the_rain_to_the_answer(house: House, size: str, language: str) -> None:
    said, title = SAID[language], f"3号楼下水道堵塞 {size}"
    grid = house.person("grid1", size, language)
    case, code = report(grid, title)
    grid.sees(title, said["receipt"])

    worker = house.person("worker1", size, language)
    worker.goes("/")
    worker.sees(title)
    worker.gives(
        case,
        "accept_to_problem_list",
        mode="TIME_LIMITED",
        category_code="B01",
        difficulty="EASY",
        lead_org="柳荫物业",
        clock_class="CONSULT",
    )
    expect(worker.page.locator("[aria-current=step]")).to_be_visible()

    lead = house.person("property1", size, language)
    lead.goes("/")
    lead.sees(title)
    lead.gives(case, "sign")
    lead.gives(case, "claim_completion", text="管道已疏通，现场冲洗干净", evidence=photo())

    checker = house.person("worker1b", size, language)
    checker.gives(case, "approve_completion")

    worker.gives(
        case,
        "give_feedback",
        audience="PUBLIC",
        timing="ANYTIME",
        channel="NOTICE_BOARD",
        text="3号楼下水道已疏通。",
    )
    worker.sees("3号楼下水道已疏通。", said["steps"])

    resident = house.anybody(size, language)
    resident.goes("/p/issues")
    ask = resident.page.locator("form[action='/p/issues']")
    fill(ask, {"number": case.rpartition("/")[2], "check_code": code})
    ask.locator("button[type=submit]").click()
    resident.sees(title, said["result"], "3号楼下水道已疏通。")
    assert "王某" not in resident.page.content()
    rating = resident.page.locator("form[action='/p/issues/rating']")
    rating.locator("label:has([name=satisfaction][value='5'])").click()
    rating.locator("label:has([name=solved][value=YES])").click()
    rating.locator("button[type=submit]").click()
    resident.sees(said["thanks"], "★★★★★")
    expect(rating).to_have_count(0)

    worker.goes(case)
    worker.sees(said["closed"])
    # Both photos are there: of what was wrong, and of what was done.
    photos = worker.page.locator("main img[src^='/files/']")
    assert photos.count() >= 2
    photos.last.scroll_into_view_if_needed()
    expect(photos.last).to_have_js_property("complete", True)
    assert photos.last.evaluate("one => one.naturalWidth") > 0


def test_a_wrong_check_code_opens_nothing(house: House) -> None:
    case, code = report(house.person("grid1", "phone"), "路灯闪烁", with_photo=False)
    resident = house.anybody("phone")
    resident.goes("/p/issues")
    ask = resident.page.locator("form[action='/p/issues']")
    fill(ask, {"number": case.rpartition("/")[2], "check_code": "AAAAAA" if code != "AAAAAA" else "BBBBBB"})
    ask.locator("button[type=submit]").click()
    expect(resident.page.get_by_role("alert")).to_be_visible()
    assert "路灯闪烁" not in resident.page.content()


def test_what_was_written_without_a_net_is_sent_once(house: House) -> None:
    title = f"地下室没有信号 {token_hex(4)}"
    grid = house.person("grid1", "phone", service_workers="allow")
    grid.goes("/issues/new")
    # The worker must have taken the page under its care, as it has the second time that somebody comes.
    is_ready = "navigator.serviceWorker.ready.then(() => 'ready')"
    late = "new Promise((done) => setTimeout(() => done('late'), 15000))"
    assert grid.page.evaluate(f"() => Promise.race([{is_ready}, {late}])") == "ready"
    grid.goes("/issues/new")
    grid.page.context.set_offline(True)
    form = grid.page.locator("#new-issue")
    form.locator("[name=title]").fill(title)
    form.locator("[name=description]").fill("积水")
    form.locator("button[type=submit]").click()
    expect(grid.page.locator("#stored")).to_be_visible()
    grid.sees(title)
    # It waits through a page that is closed, too.
    grid.page.reload()
    expect(grid.page.locator("#waiting, #outbox").first).to_be_visible()

    # A page without a net may complain that it has none.
    grid.complaints.clear()
    grid.page.context.set_offline(False)
    grid.goes("/issues/new")
    expect(grid.page.locator("#waiting")).to_be_hidden(timeout=40_000)
    grid.goes("/")
    grid.sees(title)
    status, found = house.product.ask("grid1", "GET", "/issues?limit=200")
    assert status == 200
    assert [one["title"] for one in found["items"]].count(title) == 1
