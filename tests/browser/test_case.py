"""The page of a case and my work: what it says, what stands beside it, and who is told."""

import re
import struct
import zlib

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, expect

from tests.browser.conftest import SHOTS, House
from tests.browser.test_forms import ACCEPT, opened


def png() -> bytes:
    """A picture of one point."""

    def part(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    points = zlib.compress(bytes([0, 200, 30, 30]))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", points) + part(b"IEND", b"")


@pytest.mark.parametrize(("size", "language"), [("phone", "zh"), ("desktop", "en")])
def test_a_case_says_where_it_stands_and_why_it_is_due_then(house: House, size: str, language: str) -> None:
    case = opened(house, f"楼道灯损坏 {size}")
    worker = house.person("worker1", size, language)
    page = worker.page
    worker.gives(case, "accept_to_problem_list", **ACCEPT, clock_class="SIMPLE")

    # The organisation by its name, never by its code.
    worker.sees("柳荫物业公司")
    expect(page.locator("[aria-current=step]")).to_have_count(1)
    first = page.locator("details.clock").first
    first.locator("summary").click()
    expect(first.locator(".why")).to_be_visible()
    expect(first.locator(".why")).to_contain_text("issue.")
    picture = page.locator(".diagram")
    picture.scroll_into_view_if_needed()
    expect(picture.locator(".djs-shape").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in serious] == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"case-{size}-{language}.png", full_page=True)


def test_who_follows_is_told_of_a_comment_and_sees_its_photo(house: House) -> None:
    case = opened(house, "井盖边缘破损")
    follower, worker = house.person("supervisor"), house.person("worker1", "phone")
    follower.goes(case)
    follower.page.locator("form[action$='/follow'] button").click()
    expect(follower.page.locator("form[action$='/follow'] button")).to_have_attribute("aria-pressed", "true")

    worker.goes(case)
    talk = worker.page.locator("#talk form")
    talk.locator("[name=text]").fill("师傅明早九点到场")
    photo: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": png()}
    talk.locator("[name=attachments]").set_input_files([photo])
    talk.locator("button[type=submit]").dblclick()

    expect(worker.page.locator("#talk article")).to_have_count(1)
    expect(worker.page.locator("#talk article img")).to_have_count(1)
    # He sets right what he has said; the photo stays.
    own = worker.page.locator("#talk article.mine")
    own.locator("summary").last.click()
    own.locator("textarea").fill("师傅明早十点到场")
    own.locator("button.btn-primary").click()
    expect(own.locator(".prose").first).to_have_text("师傅明早十点到场")
    expect(worker.page.locator("#talk article img")).to_have_count(1)
    follower.page.reload()
    follower.sees("师傅明早十点到场")
    expect(follower.page.locator("#talk article img")).to_have_js_property("naturalWidth", 1)
    follower.goes("/")
    follower.sees("井盖边缘破损")


def test_my_work_leads_to_the_form_in_one_tap(house: House) -> None:
    case = opened(house, "围栏倾斜待修")
    worker, grid = house.person("worker1", "phone"), house.person("grid1")
    worker.goes("/")
    task = worker.page.locator(".task", has_text="围栏倾斜待修")
    task.locator(f"a[href^='{case}/commands/']").first.click()
    expect(worker.page.locator(f"form[action^='{case}/commands/']")).to_be_visible()
    # What he reported others hold now.
    grid.goes("/")
    waiting = grid.page.locator("section", has=grid.page.locator("#waiting"))
    expect(waiting.locator(f"a[href='{case}']")).to_contain_text(re.compile("柳荫社区"))


def test_the_same_form_from_two_windows_is_carried_out_once(house: House) -> None:
    case = opened(house, "垃圾桶满溢")
    one = house.person("worker1")
    form = one.asks_for(case, "decline")
    form.locator("[name=reason]").fill("已由环卫清运，不再受理")
    key = form.locator("[name=key]").input_value()
    body: dict[str, str | float | bool] = {"reason": "已由环卫清运，不再受理", "key": key}
    token = form.locator("[name=form_token]").input_value()
    headers = {"X-Form-Token": token, "Sec-Fetch-Site": "same-origin"}
    address = f"{house.address}{case}/commands/decline"
    answers = [one.page.request.post(address, form=body, headers=headers, max_redirects=0) for _ in range(2)]

    assert [answer.status for answer in answers] == [303, 303]
    status, history = house.product.ask("worker1", "GET", f"{case}/events")
    assert status == 200
    assert sum("decline" in event["type"] for event in history["items"]) == 1
