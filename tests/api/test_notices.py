"""Notices, objections, orders and exclusions over the API: what hangs is public, who objects is not."""

from typing import Any

import httpx

from tests.api.conftest import C1, Call
from tests.api.test_lifecycle import LIMITED, give, opened

BODY = {"kind": "GENERAL", "community_code": C1, "title": "停车位公示", "text": "现将停车位划定方案公示"}


async def test_a_notice_hangs_on_the_board_and_is_objected_to_in_confidence(
    call: Call, client: httpx.AsyncClient
) -> None:
    unmasked = await call("worker1", "POST", "/notices", {**BODY, "text": "联系13812345678"})
    by_hand = await call("worker1", "POST", "/notices", {**BODY, "kind": "MEMBER"})
    hidden = await call("worker1", "POST", "/notices", {**BODY, "tells": ["notice_ended"]})
    assert (unmasked.status_code, unmasked.json()["reason"]) == (409, "TEXT_NOT_MASKED")
    assert (by_hand.status_code, by_hand.json()["reason"]) == (409, "NOTICE_KIND_BY_CASE")
    assert hidden.status_code == 422
    made = await call("worker1", "POST", "/notices", BODY)
    assert made.status_code == 201, made.text
    notice = made.json()
    early = await call("worker1", "POST", f"/notices/{notice['id']}/commands/take_down")
    assert (early.status_code, early.json()["reason"]) == (409, "NOTICE_RUNNING")

    board = (await client.get(f"/public/communities/{C1}/board")).json()
    (shown,) = board["notices"]
    assert (shown["number"], shown["title"], shown["kind"]) == (notice["number"], "停车位公示", "GENERAL")
    assert shown["open_to_objections"]
    assert shown["ends_at"] == (await call("worker1", "GET", f"/notices/{notice['id']}/clocks")).json()[0]["due_at"]
    assert {one["post"] for one in board["rosters"]} == {"CHAIR", "VICE_CHAIR", "MEMBER", "GRID"}

    page = (await client.get(f"/public/notices/{notice['number']}")).json()
    assert (page["text"], page["state"], page["open_to_objections"]) == ("现将停车位划定方案公示", "RUNNING", True)
    assert page["ends_at"] == shown["ends_at"]
    assert (await client.get("/public/notices/G0")).status_code == 404

    path = f"/public/notices/{notice['number']}/objections"
    nameless = await client.post(path, json={"ground": "占用消防通道"})
    assert nameless.status_code == 422
    said = {"name": "刘某某", "contact": "13912345678", "ground": "占用消防通道"}
    raised = await client.post(path, json=said)
    assert raised.status_code == 201, raised.text
    receipt = raised.json()
    follow = f"/public/objections/{receipt['number']}?check_code={receipt['check_code']}"
    assert (await client.get(follow)).json()["state"] == "OPEN"
    assert (await client.get(f"/public/objections/{receipt['number']}?check_code=AAAAAA")).status_code == 404

    running = (await call("supervisor", "GET", "/running-notices?community_id=620199001")).json()["items"]
    assert [(one["number"], one["open_objections"]) for one in running if one["number"] == notice["number"]] == [
        (notice["number"], 1)
    ]
    assert (await call("resident1", "GET", "/running-notices")).status_code == 403

    # The community knows neither of it nor of him; the street knows the ground, and him by an own right.
    for who in ("worker1", "secretary1", "member1a", "resident1"):
        assert (await call(who, "GET", f"/objections/{receipt['number']}")).status_code == 404
    case = (await call("officer", "GET", f"/objections/{receipt['number']}")).json()
    assert case["data"]["ground"] == "占用消防通道"
    assert {"reporter", "reporter_id", "submitted_by", "check_code"} & set(case["data"]) == set()
    contact = await call("officer", "GET", f"/objections/{case['id']}/reporter?purpose=look into it")
    assert (contact.json()["name"], contact.json()["phone"]) == ("刘某某", "13912345678")

    answer = {"outcome": "DISMISSED", "answer": "方案已避开消防通道"}
    done = await call("officer", "POST", f"/objections/{case['id']}/commands/resolve", answer)
    assert (done.status_code, done.json()["state"]) == (200, "CLOSED"), done.text
    told = (await client.get(follow)).json()
    assert (told["outcome"], told["answer"]) == ("DISMISSED", "方案已避开消防通道")


async def test_an_account_that_objects_is_named_nowhere(call: Call) -> None:
    notice = (await call("worker1", "POST", "/notices", BODY)).json()
    body = {"notice": notice["number"], "ground": "不同意"}
    raised = await call("resident1", "POST", "/objections", body)
    assert raised.status_code == 201, raised.text
    case = raised.json()
    mine = (await call("resident1", "GET", f"/objections/{case['id']}/events")).json()["items"]
    me = mine[0]["actor"]
    assert me
    assert (await call("resident1", "GET", "/objections")).json()["items"][0]["id"] == case["id"]
    assert (await call("resident1b", "GET", f"/objections/{case['id']}")).status_code == 404

    for path in (f"/objections/{case['id']}", f"/objections/{case['id']}/events", "/objections"):
        assert me not in (await call("supervisor", "GET", path)).text
    # The notice learns that there is one, and against what.
    for path in (f"/notices/{notice['id']}", f"/notices/{notice['id']}/events"):
        assert me not in (await call("worker1", "GET", path)).text
    withdrawn = await call("resident1", "POST", f"/objections/{case['id']}/commands/withdraw", {"reason": "已说明"})
    assert withdrawn.status_code == 200, withdrawn.text
    assert me not in (await call("supervisor", "GET", f"/objections/{case['id']}/events")).text


async def test_an_interrupted_notice_is_posted_again(call: Call) -> None:
    notice = (await call("secretary1", "POST", "/notices", BODY)).json()
    path = f"/notices/{notice['id']}/commands"

    fallen = await call("grid1", "POST", f"{path}/interrupt", {"reason": "被风吹落"})
    again = await call("worker1", "POST", f"{path}/repost")
    assert (fallen.json()["state"], again.json()["state"]) == ("INTERRUPTED", "RUNNING"), again.text
    gone = await call("secretary1", "POST", f"{path}/cancel", {"reason": "另行公示"})
    assert gone.json()["state"] == "CANCELLED"


async def test_a_supervision_order_demands_a_reply(call: Call) -> None:
    issue = await opened(call)
    await give(call, "worker1", issue, "accept_to_problem_list", LIMITED)
    body = {"subject_id": issue["number"], "color": "YELLOW", "text": "请说明进展"}

    assert (await call("worker1", "POST", "/supervision-orders", body)).status_code == 403
    made = await call("supervisor", "POST", "/supervision-orders", body)
    assert made.status_code == 201, made.text
    order = made.json()
    assert (order["number"][:1], order["data"]["responsible_org"]) == ("B", "property-1")
    tasks = (await call("property1", "GET", "/worklist?limit=200")).json()["items"]
    assert ["reply"] in [one["commands"] for one in tasks if one["case"]["id"] == order["id"]]
    path = f"/supervision-orders/{order['id']}/commands"
    replied = await call("property1", "POST", f"{path}/reply", {"text": "配件已到"})
    accepted = await call("supervisor", "POST", f"{path}/accept_reply")
    assert (replied.json()["state"], accepted.json()["state"]) == ("REPLIED", "CLOSED"), accepted.text


async def test_a_case_is_left_out_of_a_figure_by_decision_and_appeal(call: Call) -> None:
    issue = await opened(call)
    issue = (await give(call, "worker1", issue, "accept_to_problem_list", LIMITED)).json()
    body = {"subject_id": issue["id"], "figure": "overdue_open", "reason": "停电"}

    bare = await call("supervisor", "POST", "/exclusions", body)
    assert (bare.status_code, bare.json()["reason"]) == (409, "DOCUMENT_REQUIRED")
    asked = (await call("property1", "POST", "/exclusions", body)).json()
    assert asked["state"] == "REQUESTED"
    path = f"/exclusions/{asked['id']}/commands"
    kept = await call("officer", "POST", f"{path}/decide", {"outcome": "KEEP", "reason": "不属停电影响"})
    assert kept.json()["state"] == "KEPT", kept.text
    appealed = await call("property1", "POST", f"{path}/appeal", {"reason": "有供电证明"})
    assert appealed.json()["state"] == "APPEALED"
    ruling: dict[str, Any] = {"outcome": "EXCLUDE", "reason": "属实", "document_no": "示督〔2026〕1号"}
    assert (await call("supervisor", "POST", f"{path}/decide", ruling)).status_code == 403
    final = await call("city", "POST", f"{path}/decide", ruling)
    assert (final.json()["state"], final.json()["data"]["excluded"]) == ("EXCLUDED", True)
