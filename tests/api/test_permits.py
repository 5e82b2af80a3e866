"""An item of a city department through the API on real servers (S33), and the register that everybody reads."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.conftest import C1, C2, Call
from workflows.kernel.calendar import CHINA

C3 = "620199001003"
TODAY = datetime.now(UTC).astimezone(CHINA).date()


def item(name: str, **fields: Any) -> dict[str, Any]:
    """A work item for three communities, with money in two instalments."""
    return {
        "variant": "WORK_ITEM",
        "applicant_org": "medical-insurance",
        "item_name": name,
        "basis": "市政府文件",
        "need_reason": "须由两委入户",
        "content": "入户核查",
        "delivery_mode": "TWO_COMMITTEES",
        "communities": [C1, C2, C3],
        "planned_from": _day(60),
        "planned_until": _day(300),
        "staffing": "每社区两名专职人员",
        "funding": {
            "source": "市财政",
            "amount": 9000,
            "instalments": [{"amount": 4500, "due_on": _day(20)}, {"amount": 4500, "due_on": _day(200)}],
        },
        **fields,
    }


async def done(call: Call, who: str, path: str, body: Any = None, *, status: int = 200) -> dict[str, Any]:
    """Say something that is taken."""
    answer = await call(who, "POST", path, body or {})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def refused(call: Call, who: str, path: str, body: Any = None) -> str:
    """Say something that is refused; gives the reason."""
    answer = await call(who, "POST", path, body or {})
    assert answer.status_code == 409, answer.text
    reason: str = answer.json()["reason"]
    return reason


async def upload(client: httpx.AsyncClient, call: Call, who: str) -> str:
    """Upload a file; gives its id."""
    token = (await call(who, "GET", "/me")).request.headers["Authorization"]
    files: dict[str, Any] = {"file": ("promise.txt", "承诺".encode(), "text/plain"), "kind": (None, "FILE")}
    answer = await client.post("/attachments", files=files, headers={"Authorization": token})
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def _day(ahead: int) -> str:
    return (TODAY + timedelta(days=ahead)).isoformat()


async def admitted(client: httpx.AsyncClient, call: Call, name: str) -> dict[str, Any]:
    """From application to entry, one community in mediation and then out."""
    case = await done(call, "medical-insurance", "/admissions", item(name), status=201)
    path = f"/admissions/{case['id']}/commands"
    checked = await done(call, "reviewer", f"{path}/run_list_check")
    assert checked["data"]["list_check"]["version"] == 3
    await done(call, "reviewer", f"{path}/confirm_list_check", {"result": "OTHER"})
    await done(call, "secretary1", f"{path}/give_opinion", {"opinion": "SUPPORT"})
    assert await refused(call, "approver", f"{path}/decide", {"outcome": "APPROVE"}) == "WRONG_LEVEL"
    approved = await done(call, "cityapprover", f"{path}/decide", {"outcome": "APPROVE"})
    assert (approved["state"], approved["community_id"]) == ("APPROVED", "6201")
    await done(call, "medical-insurance", f"{path}/sign_agreement")
    await done(call, "secretary1", f"{path}/sign_agreement")
    await done(call, "secretary2", f"{path}/refuse_terms", {"reason": "能力不足"})
    agreed = await done(call, "secretary3", f"{path}/sign_agreement")
    assert agreed["state"] == "AGREED"
    await done(call, "reviewer", f"{path}/amend_permit", {"communities": [C1, C3]})
    evidence = [await upload(client, call, "medical-insurance")]
    funded = {"kind": "COMMITTED", "evidence": evidence}
    assert (await done(call, "medical-insurance", f"{path}/confirm_funding", funded))["state"] == "FUNDED"
    return await done(call, "reviewer", f"{path}/register_and_enter")


async def test_an_item_of_a_city_department_enters_two_of_three_communities(
    client: httpx.AsyncClient, call: Call
) -> None:
    case = await admitted(client, call, "医保参保入户核查")

    assert (case["state"], case["data"]["communities"]) == ("ACTIVE", [C1, C3])
    seen = {who: (await call(who, "GET", f"/admissions/{case['id']}")).status_code for who in ("secretary1", "worker3")}
    unseen = {
        who: (await call(who, "GET", f"/admissions/{case['id']}")).status_code for who in ("resident1", "statistics")
    }
    assert (set(seen.values()), set(unseen.values())) == ({200}, {404})
    receipt = await upload(client, call, "medical-insurance")
    path = f"/admissions/{case['id']}/commands"
    paid = {"instalment": 1, "paid_on": TODAY.isoformat(), "receipt": receipt}
    await done(call, "medical-insurance", f"{path}/record_payment", paid)
    own = await upload(client, call, "reviewer")
    await done(call, "reviewer", f"{path}/record_payment", {**paid, "instalment": 2, "receipt": own})
    await done(call, "medical-insurance", f"{path}/report_completion", {"text": "已完成"})
    await done(call, "secretary1", f"{path}/confirm_completion")
    assert await refused(call, "reviewer", f"{path}/confirm_completion") == "COMMUNITIES_NOT_CONFIRMED"
    await done(call, "secretary3", f"{path}/confirm_completion")
    closed = await done(call, "reviewer", f"{path}/confirm_completion")
    assert (closed["state"], closed["data"]["phase"]) == ("CLOSED", "COMPLETED")


async def test_the_register_says_what_is_in_force_and_what_is_owed(client: httpx.AsyncClient, call: Call) -> None:
    case = await admitted(client, call, "异地就医信息核实 13900001111")
    number = case["data"]["permit_no"]

    mine = (await call("medical-insurance", "GET", f"/permits?community={C1}&expiring_within=400d")).json()["items"]
    owed = (await call("medical-insurance", "GET", "/permits/unpaid?within=30d")).json()["items"]
    table = await call("reviewer", "GET", "/permits", Accept="text/csv")
    public = (await client.get(f"/public/permits?community={C3}")).json()["items"]

    [line] = [one for one in mine if one["permit_no"] == number]
    assert (line["promised"], line["paid"], line["communities"]) == (9000, 0, [C1, C3])
    assert [(one["instalment"], one["due_on"]) for one in owed if one["permit_no"] == number] == [(1, _day(20))]
    assert number in table.text
    assert table.headers["content-type"].startswith("text/csv")
    [shown] = [one for one in public if one["permit_no"] == number]
    # Everybody may read it, so a telephone number in it is hidden; and nothing of money.
    assert "13900001111" not in shown["item"]
    assert not {"promised", "paid", "case_id"} & shown.keys()
    assert (await call("statistics", "GET", "/permits")).json()["items"] == []
    assert number not in [
        one["permit_no"] for one in (await client.get(f"/public/permits?community={C2}")).json()["items"]
    ]


async def test_who_holds_a_permit_in_hand_can_have_it_checked(client: httpx.AsyncClient, call: Call) -> None:
    case = await admitted(client, call, "生育津贴材料核验")
    number = case["data"]["permit_no"]
    code = (await call("medical-insurance", "GET", f"/admissions/{case['id']}")).json()["data"]["check_code"]

    right = await client.get(f"/public/permits/{number}", params={"check_code": code})
    wrong = await client.get(f"/public/permits/{number}", params={"check_code": "AAAAAA"})
    unknown = await client.get("/public/permits/R620199202601999-1", params={"check_code": code})

    assert (right.status_code, right.json()["state"], right.json()["current"]) == (200, "ACTIVE", True)
    assert right.json()["valid_until"] == _day(300)
    assert (wrong.status_code, unknown.status_code) == (404, 404)


@pytest.mark.parametrize(
    "query", ["expiring_within=soon", "limit=0", "limit=201", "cursor=bm90aGluZw", "state=ACTIVE&more=1"]
)
async def test_a_question_to_the_register_that_is_not_one_is_refused(
    client: httpx.AsyncClient, call: Call, query: str
) -> None:
    assert (await call("reviewer", "GET", f"/permits?{query}")).status_code == 422
    assert (await client.get(f"/public/permits?{query}")).status_code == 422


async def test_an_application_names_every_field_that_is_wrong(call: Call) -> None:
    broken = item("某事", communities=["000000000000"], planned_until="soon", variant="OTHER")
    answer = await call("medical-insurance", "POST", "/admissions", broken)

    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} >= {"planned_until", "variant"}
