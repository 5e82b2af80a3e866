"""The bell rings by itself, in every window of a browser; and the public pages need no script."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import House

C1 = "620199001001"
ISSUE = {"community_code": C1, "description": "说明文字", "source": "RESIDENT", "category_code": "B01"}
ACCEPT = {"mode": "TIME_LIMITED", "category_code": "B01", "difficulty": "EASY", "lead_org": "property-1"}


def test_whoever_is_told_hears_it_at_once_in_every_window(house: House) -> None:
    unit = house.person("property1")
    unit.goes("/account")
    second = unit.page.context.new_page()
    second.goto(f"{house.address}/notifications")

    status, case = house.product.ask("worker1", "POST", "/issues", {**ISSUE, "title": "铃声响起"})
    assert status == 201, case
    # Nobody signs: the unit is told that its deadline has passed.
    house.hurries(f"/issues/{case['number']}")
    accept = f"/issues/{case['number']}/commands/accept_to_problem_list"
    status, answer = house.product.ask("worker1", "POST", accept, ACCEPT)
    assert status == 200, answer

    for page in (unit.page, second):
        expect(page.locator("#bell")).to_have_text(re.compile(r"\d"))
    second.reload()
    second.locator("a.list-group-item", has_text="铃声响起").first.click()
    second.wait_for_url(re.compile(rf"/issues/{case['number']}"))


def test_a_resident_without_scripts_follows_his_issue(house: House) -> None:
    status, case = house.product.ask("grid1", "POST", "/issues", {**ISSUE, "title": "没有脚本也能看"})
    assert status == 201, case
    anybody = house.anybody("phone", java_script_enabled=False)

    anybody.goes("/p/issues")
    anybody.page.locator("#number").fill(case["number"])
    anybody.page.locator("#check_code").fill(case["data"]["check_code"])
    anybody.page.locator("main button[type=submit]").click()

    anybody.sees("没有脚本也能看")
    assert case["data"]["check_code"] not in anybody.page.url
