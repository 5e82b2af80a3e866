"""A meeting of twenty items on one page: called, signed in, decided in a row, signed; several people look at it."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.conftest import House

C2 = "620199001002"
ITEMS = 20


def test_a_meeting_of_twenty_items(house: House) -> None:
    at = (datetime.now(UTC) + timedelta(days=10)).isoformat()
    body = {"community_code": C2, "type": "TWO_COMMITTEES", "place": "会议室", "scheduled_at": at}
    status, meeting = house.product.ask("clerk2", "POST", "/meetings", body)
    assert status == 201, meeting
    case = f"/meetings/{meeting['number']}"
    items = [
        {"command": "propose_item", "title": f"第{number}号事项", "document": "附说明一份"}
        for number in range(1, ITEMS)
    ]
    status, answers = house.product.ask("clerk2", "POST", f"{case}/commands", {"items": items})
    assert [one["status"] for one in answers["items"]] == [200] * (ITEMS - 1)

    # The last is proposed at the desk itself.
    clerk, chair, wall = house.person("clerk2"), house.person("secretary2", "phone"), house.person("member2a")
    clerk.goes(case)
    clerk.page.locator(f"main a[href='{case}/desk']").first.click()
    clerk.page.locator("#p-propose_item-").click()
    form = clerk.page.locator("#form form")
    form.locator("[name=title]").fill("第20号事项")
    form.locator("[name=document]").fill("附说明一份")
    form.locator("button[type=submit]").click()
    agenda = clerk.page.locator("#agenda li")
    expect(agenda).to_have_count(ITEMS)

    status, known = house.product.ask("clerk2", "GET", case)
    admitted = [{"command": "admit", "item": key} for key in known["data"]["items"]]
    house.product.ask("secretary2", "POST", f"{case}/commands", {"items": admitted})
    clerk.page.reload()
    # Put in order by a tap; and it stays so for everybody.
    agenda.nth(1).locator(".move-up").click()
    expect(agenda.nth(0)).to_contain_text("第2号事项")
    wall.goes(f"{case}/desk?projector=1")
    expect(wall.page.locator("#agenda li").nth(0)).to_contain_text("第2号事项")

    clerk.page.locator("#q-send_notice-all").click()
    expect(clerk.page.locator("#q-send_notice-all")).to_have_count(0)
    chair.goes(f"{case}/desk")
    chair.page.locator("#p-open_session-").click()
    sign_in = chair.page.locator("#form form")
    expect(sign_in.locator("[name=present]").first).to_be_attached()
    sign_in.locator("button[type=submit]").click()
    expect(chair.page.locator("#strength .bg-green.quorum")).to_be_visible()
    # Whoever looks at the wall sees it within seconds, without touching anything.
    expect(wall.page.locator("#strength .bg-green.quorum")).to_be_visible(timeout=15_000)

    clerk.goes(f"{case}/desk/decisions")
    rows = clerk.page.locator(".sheet-row")
    expect(rows).to_have_count(ITEMS)
    for row in rows.all():
        row.locator("select[name$='.votes']").select_option("FOR")
        row.locator("select[name$='.outcome']").select_option("ADOPT")
        row.locator("[name$='.text']").fill("同意")
        row.locator("[name$='.due_on']").fill(f"{datetime.now(UTC) + timedelta(days=40):%Y-%m-%d}")
        # Who shall do it, by what it is called.
        lead = row.locator(".pick input[role=combobox]")
        lead.fill("property-2")
        lead.press("Tab")
        row.locator("summary").click()
        row.locator("[name$='.waiver_reason']").fill("无利益涉事方")
    # One is left without its text: it stays, says why, and the others go.
    rows.nth(4).locator("[name$='.text']").fill("")
    clerk.page.locator("#sheet button[type=submit]").click()
    expect(clerk.page.locator(".sheet-row")).to_have_count(1, timeout=60_000)
    expect(clerk.page.locator(".sheet-row [role=alert]")).to_be_visible()
    clerk.page.locator(".sheet-row [name$='.text']").fill("同意")
    clerk.page.locator("#sheet button[type=submit]").click()
    expect(clerk.page.locator(".sheet-row")).to_have_count(0, timeout=30_000)

    chair.page.on("dialog", lambda dialog: dialog.accept())
    chair.page.reload()
    chair.page.locator("#q-adjourn-all").click()
    expect(chair.page.locator("#q-adjourn-all")).to_have_count(0)
    clerk.goes(f"{case}/minutes")
    expect(clerk.page.locator(".minutes-item")).to_have_count(ITEMS)
    clerk.sees("草稿", "第20号事项", "同意")
    chair.page.locator("#q-sign_minutes-all").click()
    expect(chair.page.locator("#q-sign_minutes-all")).to_have_count(0)
    clerk.page.reload()
    expect(clerk.page.locator(".draft-mark")).to_have_count(0)
    status, known = house.product.ask("clerk2", "GET", case)
    assert {one["state"] for one in known["data"]["items"].values()} == {"DECIDED"}
