"""A committee is formed, and a unit admitted: each step by the page of whoever acts, the tenth alike by the API."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import FilePayload, expect

from tests.browser.conftest import House
from tests.browser.visitor import Visitor, fill
from workflows.kernel.calendar import CHINA

C1, C3 = "620199001001", "620199001003"
PROMISE = FilePayload(name="promise.txt", mimeType="text/plain", buffer="经费承诺".encode())


def begins(visitor: Visitor, plural: str, **fields: Any) -> str:
    """Start a case by its form; gives the path of its page."""
    visitor.goes(f"/{plural}/new")
    form = visitor.page.locator(f"form[action='/{plural}/new']")
    fill(form, fields)
    form.locator("button[type=submit]").last.click()
    visitor.page.wait_for_url(lambda url: "/new" not in url)
    return urlsplit(visitor.page.url).path


def asked(house: House, who: str, case: str) -> dict[str, Any]:
    """The case as the API has it."""
    status, found = house.product.ask(who, "GET", case)
    assert status == 200, found
    read: dict[str, Any] = found
    return read


def tells(house: House, who: str, case: str, command: str, **fields: Any) -> dict[str, Any]:
    """Give a command by the API."""
    status, found = house.product.ask(who, "POST", f"{case}/commands/{command}", fields)
    assert status == 200, (command, found)
    read: dict[str, Any] = found
    return read


def party_meets(house: House, number: int, subject: str) -> str:
    """The party organisation of a community meets on a formation and adopts it; gives the number of its meeting."""
    clerk, chair, present = f"clerk{number}", f"secretary{number}", [f"tc{number}{one}" for one in "abcdefgh"]
    at = (datetime.now(UTC) + timedelta(days=10)).isoformat()
    body = {"community_code": f"62019900100{number}", "type": "TWO_COMMITTEES", "place": "会议室", "scheduled_at": at}
    status, meeting = house.product.ask(clerk, "POST", "/meetings", body)
    assert status == 201, meeting
    path = f"/meetings/{meeting['number']}"
    about = {"subject_type": "formation", "subject_id": subject, "title": "人选"}
    item = next(iter(tells(house, clerk, path, "propose_item", **about)["data"]["items"]))
    tells(house, chair, path, "admit", item=item)
    tells(house, clerk, path, "send_notice")
    tells(house, chair, path, "open_session", present=present)
    tells(house, chair, path, "open_item", item=item)
    votes = [{"member": who, "choice": "FOR"} for who in present]
    tells(house, clerk, path, "record_vote", item=item, votes=votes)
    decision = {"outcome": "ADOPT", "text": "同意", "waiver_reason": "无利益涉事方"}
    tells(house, chair, path, "record_decision", item=item, **decision)
    tells(house, chair, path, "adjourn")
    return str(meeting["id"])


def test_a_committee_is_formed(house: House) -> None:
    secretary, worker = house.person("secretary3"), house.person("worker3", "phone")
    case = begins(secretary, "formations", community_code=C3, kind="INITIAL", target_size=9, seats__VETERAN=3)
    house.hurries(case)
    secretary.gives(case, "publish_call", text="现征集委员", conditions="热心公益", contact="社区服务站")

    way = {"way": "RESIDENT", "category": "VETERAN", "consent": True}
    worker.gives(
        case, "nominate", way="RESIDENT", category="VETERAN", person__name="王某某", person__phone="13900000000"
    )
    for name in ("vice3", "vice3b", "member3a", "member3b", "member3c", "member3d"):
        tells(house, "worker3", case, "nominate", person=name, **way)
    found = house.product.until("worker3", case, lambda one: one["state"] == "SHORTLISTING")
    assert "王某某" not in str(found)
    # Whoever has not agreed is not put forward.
    candidates = [key for key, one in found["data"]["candidates"].items() if one["consent"]]
    assert len(candidates) == len(found["data"]["candidates"]) - 1
    first, *others = candidates
    worker.gives(case, "verify_candidate", candidate=first, eligible=True)
    for key in others:
        tells(house, "worker3", case, "verify_candidate", candidate=key, eligible=True)
    listed = [{"candidate": key, "post": "VICE_CHAIR" if nth < 2 else "MEMBER"} for nth, key in enumerate(candidates)]
    worker.gives(case, "propose_shortlist", candidates=listed)

    chosen = [{"candidate": key} for key in candidates]
    form = secretary.asks_for(case, "party_meeting_decide")
    fill(form, {"candidates": chosen, "text": "会议决定以上人选", "exception_reason": "按实际情况"})
    form.locator("button[type=submit]").last.click()
    # No meeting has decided it: said in place.
    expect(secretary.page.locator(".is-invalid, [role=alert]").first).to_be_visible()
    meeting = party_meets(house, 3, asked(house, "secretary3", case)["id"])
    secretary.gives(
        case,
        "party_meeting_decide",
        candidates=chosen,
        text="会议决定以上人选",
        exception_reason="按实际情况",
        meeting=meeting,
    )
    house.person("streetparty").gives(case, "approve_and_file", filing_no="安和党工〔2026〕7号")
    found = house.product.until("secretary3", case, lambda one: one["state"] == "APPOINTING")
    ready = {key: one["post"] for key, one in found["data"]["candidates"].items() if one["standing"] == "CLEARED"}
    (member, post), *rest = ready.items()
    secretary.gives(case, "issue_certificate", member=member, post=post)
    for key, each in rest:
        tells(house, "secretary3", case, "issue_certificate", member=key, post=each)
    assert asked(house, "secretary3", case)["state"] == "APPOINTED"

    roster = house.product.until("officer", f"/committees/{C3}", lambda one: len(one["members"]) >= len(ready))
    issued = next(one for one in roster["members"] if one.get("check_code"))
    anybody = house.anybody("phone")
    anybody.goes(f"/p/certificates/{issued['cert_no']}?check_code={issued['check_code']}")
    anybody.sees(issued["name"])


def test_a_unit_is_admitted_and_anybody_can_check_it(house: House) -> None:
    today = datetime.now(UTC).astimezone(CHINA).date()
    liaison, office = house.person("heating"), house.person("reviewer")
    case = begins(
        liaison,
        "admissions",
        variant="UNIT",
        applicant_org="heating",
        item_name="供热便民服务点",
        basis="市委完善社区管理体制意见",
        need_reason="方便居民",
        content="设点服务",
        delivery_mode="OWN_STAFF",
        communities=[C1],
        planned_from=today.isoformat(),
        planned_until=(today + timedelta(days=300)).isoformat(),
        staffing="每个社区一人",
        funding__source="自筹",
        funding__amount=20000,
    )
    office.goes("/")
    office.sees("供热便民服务点")
    office.gives(case, "check_conditions", met=["有固定场所"], function_split="企业服务")
    office.gives(case, "decide", outcome="APPROVE")
    liaison.gives(case, "confirm_funding", kind="COMMITTED", evidence=PROMISE)
    office.gives(case, "register_and_enter")
    data = asked(house, "heating", case)["data"]

    anybody = house.anybody("phone")
    anybody.goes(f"/p/permits?community={C1}")
    anybody.sees("供热便民服务点")
    anybody.goes("/p/verify")
    ask = anybody.page.locator("form[action='/p/verify']")
    fill(ask, {"kind": "permits", "number": data["permit_no"], "check_code": data["check_code"]})
    ask.locator("button[type=submit]").click()
    anybody.sees("供热便民服务点", data["permit_no"])
    assert re.search("有效", anybody.page.locator("main").inner_text())
    assessed_by_residents(house, asked(house, "heating", case)["id"])


def assessed_by_residents(house: House, permit: str) -> None:
    """下评上: a resident answers on paper that he alone has, once."""
    status, inspection = house.product.ask("reviewer", "POST", "/inspections", {"permit": permit})
    assert status == 201, inspection
    path = f"/inspections/{inspection['id']}"
    tells(house, "heating", path, "submit_self_report", staff="两人", funds="到位", results="服务一千人次")
    tells(house, "reviewer", path, "open_ballot", panel=6)
    status, papers = house.product.ask("reviewer", "POST", f"{path}/ballot-tokens", {})
    assert status == 201, papers
    ballot = f"/p/ballots/{papers['items'][0]['token']}"

    resident = house.anybody("phone")
    resident.goes(ballot)
    resident.sees("供热", "柳荫社区")
    form = resident.page.locator(f"form[action='{ballot}']")
    fill(form, {"rating": "5", "opinion": "来得及时"})
    form.locator("button[type=submit]").click()
    expect(form).to_have_count(0)
    resident.goes(ballot)
    resident.sees("这张评议票已经用过。")
    status, progress = house.product.ask("reviewer", "GET", f"{path}/ballot")
    assert progress["answered"] == 1


def test_a_resident_objects_to_a_notice_and_reads_the_answer(house: House) -> None:
    body = {"kind": "GENERAL", "community_code": C1, "title": "停车位公示", "text": "现将停车位划定方案公示"}
    status, notice = house.product.ask("worker1", "POST", "/notices", body)
    assert status == 201, notice
    resident = house.anybody("phone")
    resident.goes(f"/p/notices/{notice['number']}")
    form = resident.page.locator(f"form[action^='/p/notices/{notice['number']}']")
    fill(form, {"name": "刘某某", "contact": "13912345678", "ground": "占用消防通道"})
    form.locator("button[type=submit]").click()
    resident.sees("异议已收到")
    number, code = (resident.page.locator(".facts.big dd").nth(nth).inner_text().strip() for nth in (0, 1))

    officer = house.person("officer")
    officer.gives(f"/objections/{number}", "resolve", outcome="DISMISSED", answer="方案已避开消防通道")
    resident.goes("/p/objections")
    ask = resident.page.locator("form[action='/p/objections']")
    fill(ask, {"number": number, "check_code": code})
    ask.locator("button[type=submit]").click()
    resident.sees("方案已避开消防通道")
