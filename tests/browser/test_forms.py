"""What happens to a form when people, sessions and networks are as they are."""

import re

import pytest
from playwright.sync_api import FilePayload, expect

from services.console.session import ACCESS, RENEW
from tests.browser.conftest import House
from tests.browser.visitor import Visitor, fill
from tests.journey.product import PASSWORD

C1 = "620199001001"
ISSUE = {"community_code": C1, "description": "说明", "source": "VISIT", "category_code": "B01"}
ACCEPT = {"mode": "TIME_LIMITED", "category_code": "B01", "difficulty": "EASY", "lead_org": "property-1"}


def opened(house: House, title: str) -> str:
    """An issue that a grid worker has reported; gives the path of its page."""
    status, case = house.product.ask("grid1", "POST", "/issues", {**ISSUE, "title": title})
    assert status == 201, case
    return f"/issues/{case['number']}"


def titled(house: House, title: str) -> int:
    """How many issues have this title."""
    status, found = house.product.ask("worker1", "GET", "/issues?limit=200")
    assert status == 200, found
    return sum(one["title"] == title for one in found["items"])


def test_twice_on_the_button_is_once(house: House) -> None:
    grid = house.person("grid1", "phone")
    grid.goes("/issues/new")
    form = grid.page.locator("form[action='/issues/new']")
    fill(form, {"title": "路灯两次不亮", "description": "东侧", "category_code": "B01", "source": "VISIT"})
    form.locator("button[type=submit]").last.dblclick()
    grid.page.wait_for_url(lambda url: "/new" not in url)
    grid.sees("路灯两次不亮")
    assert titled(house, "路灯两次不亮") == 1

    # Back is no second report: the form is there again, and empty.
    grid.page.go_back()
    expect(grid.page.locator("[name=title]")).to_have_value("")
    assert titled(house, "路灯两次不亮") == 1


def test_a_refused_command_says_why_and_keeps_what_was_typed(house: House) -> None:
    case = opened(house, "井盖松动")
    one, other = house.person("worker1"), house.person("worker1")
    one.goes(case)
    form = one.asks_for(case, "decline")
    other.gives(case, "accept_to_problem_list", **ACCEPT, clock_class="CONSULT")
    fill(form, {"reason": "不属于受理范围，已经电话说明"})
    form.locator("button[type=submit]").last.click()
    expect(one.page.get_by_role("alert").first).to_be_visible()
    expect(one.page.locator("[name=reason]")).to_have_value("不属于受理范围，已经电话说明")


def test_a_fault_is_shown_at_its_field(house: House) -> None:
    case = opened(house, "花坛破损")
    worker = house.person("worker1", "phone")
    form = worker.asks_for(case, "accept_to_problem_list")
    # Who leads is what the rule asks for in this mode; the form alone cannot know.
    fill(form, {"mode": "TIME_LIMITED", "category_code": "B01", "difficulty": "EASY", "lead_org": "nobody-9"})
    form.locator("button[type=submit]").last.click()
    expect(worker.page.locator("[aria-invalid=true]").first).to_be_visible()
    fault = worker.page.locator(".invalid-feedback").first
    expect(fault).to_be_visible()
    assert re.search(r"[一-鿿]", fault.inner_text())


def _ended(visitor: Visitor) -> None:
    """His session ends, as it does after a month, or when an administrator ends it."""
    for cookie in (ACCESS, RENEW):
        visitor.page.context.clear_cookies(name=cookie)


def test_a_session_that_ends_in_a_new_form_loses_nothing(house: House) -> None:
    grid = house.person("grid1", "phone")
    grid.goes("/issues/new")
    form = grid.page.locator("form[action='/issues/new']")
    # What is much the same is looked for a moment after the last letter; without a session that would ask for one.
    with grid.page.expect_response(lambda answer: "/issues/new/similar" in answer.url):
        fill(form, {"title": "会话已过期的一件"})
    fill(form, {"description": "写了很久的说明", "category_code": "B01", "source": "VISIT"})
    _ended(grid)
    form.locator("button[type=submit]").last.click()
    grid.page.wait_for_url(lambda url: "/sign-in" in url)
    grid.signs_in("grid1", PASSWORD)
    expect(grid.page.locator("[name=title]")).to_have_value("会话已过期的一件")
    expect(grid.page.locator("[name=description]")).to_have_value("写了很久的说明")
    grid.page.locator("form[action='/issues/new'] button[type=submit]").last.click()
    grid.page.wait_for_url(lambda url: "/new" not in url)
    assert titled(house, "会话已过期的一件") == 1


def test_a_session_that_ends_in_a_command_loses_nothing(house: House) -> None:
    case = opened(house, "围墙开裂")
    worker = house.person("worker1")
    form = worker.asks_for(case, "decline")
    fill(form, {"reason": "已上门见到反映人"})
    _ended(worker)
    form.locator("button[type=submit]").last.click()
    asked = worker.page.locator("dialog#signed-out")
    expect(asked).to_be_visible()
    with worker.page.context.expect_page() as opening:
        asked.get_by_role("link").click()
    beside = Visitor(opening.value, house.address)
    beside.signs_in("worker1", PASSWORD)
    beside.page.close()
    asked.get_by_role("button").click()
    expect(worker.page.locator("[name=reason]")).to_have_value("已上门见到反映人")
    form.locator("button[type=submit]").last.click()
    expect(form).to_have_count(0)
    worker.sees("已上门见到反映人")


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_another_language_is_one_tap_away(house: House, size: str) -> None:
    case = opened(house, "井盖丢失")
    worker = house.person("worker1", size)
    worker.goes(case)
    expect(worker.page.locator("html")).to_have_attribute("lang", "zh-CN")
    worker.page.locator("a[href^='/language/en']").first.click()
    expect(worker.page.locator("html")).to_have_attribute("lang", "en")
    assert worker.page.url.endswith(case)
    worker.sees("井盖丢失", "Registered")
    worker.goes("/")
    worker.sees("My work")
    worker.page.locator("a[href^='/language/zh']").first.click()
    expect(worker.page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_a_template_is_looked_at_in_another_tab_and_then_serves(house: House) -> None:
    admin = house.person("admin")
    page, path = admin.page, "/admin/templates/panzhihua_2016/RETURN_SLIP"
    ours = page.request.get(f"{house.address}{path}/docx").body()
    admin.goes(path)
    chosen = page.locator("[name=file]")
    wrong: FilePayload = {"name": "wrong.docx", "mimeType": "application/zip", "buffer": b"no document"}
    chosen.set_input_files([wrong])
    with page.context.expect_page() as other:
        page.locator("button[name=preview]").click()
    expect(other.value.get_by_role("alert").first).to_be_visible()
    other.value.close()
    right: FilePayload = {"name": "right.docx", "mimeType": "application/zip", "buffer": ours}
    chosen.set_input_files([right])
    page.locator("form[enctype] button.btn-primary").click()
    page.wait_for_url(lambda url: url.endswith("done=template_put"))
    page.locator(f"form[action='{path}/drop'] button").click()
    page.wait_for_url(lambda url: url.endswith("done=template_dropped"))
