"""What was admitted is asked, inspected and counted; what was not is refused: through the API on real servers."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from openpyxl import Workbook

from tests.api.conftest import C1, C2, Call
from workflows.kernel.calendar import CHINA

TODAY = datetime.now(UTC).astimezone(CHINA).date()
UNIT = {
    "variant": "UNIT",
    "applicant_org": "telecom",
    "item_name": "通信便民服务点",
    "basis": "市委完善社区管理体制意见",
    "need_reason": "便民服务",
    "content": "受理通信业务",
    "delivery_mode": "OWN_STAFF",
    "communities": [C1, C2],
    "planned_from": TODAY.isoformat(),
    "planned_until": (TODAY + timedelta(days=180)).isoformat(),
    "staffing": "每个社区一人",
    "funding": {"source": "自筹", "amount": 20000},
    "hours_month": 6,
}
FILED = {"panel": 40, "valid": 34, "satisfied": 31}


async def done(call: Call, who: str, path: str, body: Any = None, *, status: int = 200) -> dict[str, Any]:
    answer = await call(who, "POST", path, body or {})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def refused(call: Call, who: str, path: str, body: Any = None) -> str:
    answer = await call(who, "POST", path, body or {})
    assert answer.status_code in (403, 409), answer.text
    found: str = answer.json().get("reason") or answer.json()["code"]
    return found


async def permit(client: httpx.AsyncClient, call: Call, name: str) -> dict[str, Any]:
    """A unit's permit that is in force."""
    case = await done(call, "telecom", "/admissions", UNIT | {"item_name": name}, status=201)
    path = f"/admissions/{case['id']}/commands"
    conditions = {"met": ["有固定场所"], "unmet": [], "function_split": "企业服务"}
    await done(call, "reviewer", f"{path}/check_conditions", conditions)
    await done(call, "reviewer", f"{path}/decide", {"outcome": "APPROVE"})
    evidence = {"kind": "COMMITTED", "evidence": [await upload(client, call, "telecom")]}
    await done(call, "telecom", f"{path}/confirm_funding", evidence)
    return await done(call, "reviewer", f"{path}/register_and_enter")


async def upload(client: httpx.AsyncClient, call: Call, who: str) -> str:
    token = (await call(who, "GET", "/me")).request.headers["Authorization"]
    files = {"file": ("promise.txt", "承诺".encode(), "text/plain")}
    answer = await client.post("/attachments", files=files, data={"kind": "FILE"}, headers={"Authorization": token})
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


# --- admission check and burden -------------------------------------------------------------------------------


async def test_one_item_or_many_are_checked(call: Call) -> None:
    one = await call("worker1", "POST", "/admission-check", {"community_code": C1, "item_name": "低保入户核查协助"})
    assert one.status_code == 200, one.text
    assert (one.json()["allowed"], one.json()["because"]) == (True, "LIST_B")
    assert one.json()["list_item"]["item_code"] == "B001"

    many = await call(
        "worker1", "POST", "/admission-check", {"community_code": C1, "items": ["低保入户核查协助", "三天入户300户"]}
    )

    assert [item["allowed"] for item in many.json()["items"]] == [True, False]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"community_code": C1},
        {"item_name": "某事"},
        {"community_code": "000000000000", "item_name": "某事"},
        {"community_code": C1, "items": []},
        {"community_code": C1, "items": ["某事"] * 1001},
        {"community_code": C1, "item_name": "某事", "more": 1},
    ],
)
async def test_a_check_that_asks_nothing_clear_is_refused(call: Call, body: dict[str, Any]) -> None:
    answer = await call("worker1", "POST", "/admission-check", body)

    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_a_permit_covers_its_item_in_its_communities(client: httpx.AsyncClient, call: Call) -> None:
    case = await permit(client, call, "社区充值代办服务")
    asked = {"item_name": "社区充值代办 服务"}

    here = (await call("worker1", "POST", "/admission-check", {"community_code": C1, **asked})).json()
    there = (await call("worker3", "POST", "/admission-check", {"community_code": "620199001003", **asked})).json()
    others = (
        await call("worker1", "POST", "/admission-check", {"community_code": C1, "department": "statistics", **asked})
    ).json()

    assert (here["allowed"], here["because"], here["permit_no"]) == (True, "PERMIT", case["data"]["permit_no"])
    assert (there["allowed"], there["because"]) == (False, "NOT_ADMITTED")
    assert not others["allowed"]


async def test_the_burden_of_a_community_counts_what_was_admitted(client: httpx.AsyncClient, call: Call) -> None:
    before = (await call("secretary2", "GET", f"/burden/{C2}")).json()["totals"]
    case = await permit(client, call, "宽带安装咨询")

    meter = (await call("secretary2", "GET", f"/burden/{C2}")).json()

    assert meter["totals"]["items"] == before["items"] + 1
    assert meter["totals"]["hours_month"] == before["hours_month"] + 6
    assert meter["totals"]["money_promised"] == before["money_promised"] + 10000
    mine = next(one for one in meter["items"] if one["admission"] == case["id"])
    assert (mine["item_name"], mine["applicant_org"]) == ("宽带安装咨询", "telecom")
    assert meter["trend"][-1]["month"] == f"{TODAY:%Y-%m}"
    assert meter["trend"][-1]["items"] == meter["totals"]["items"]
    assert (await call("worker1", "GET", f"/burden/{C2}")).status_code == 403


# --- the right to refuse ----------------------------------------------------------------------------------------


async def test_a_listed_task_is_covered_and_another_is_refused(call: Call) -> None:
    listed = {"community_code": C2, "department": "civil-affairs", "text": "低保入户核查协助", "form": "电话"}
    covered = await done(call, "worker2", "/refusals", listed, status=201)
    task = {"community_code": C2, "department": "statistics", "text": "三天内入户调查300户"}
    case = await done(call, "worker2", "/refusals", task, status=201)
    path = f"/refusals/{case['id']}"

    assert await refused(call, "worker2", f"{path}/commands/refuse", {"reason": "未准入"}) == "NOT_IN_ROLE"
    after = await done(call, "secretary2", f"{path}/commands/refuse", {"reason": "未准入"})

    assert (after["state"], after["data"]["check"]["because"]) == ("REFUSED", "NOT_ADMITTED")
    assert after["policy"]["pack"] == "demo_work_item"
    checked: dict[str, Any] = {"state": "CHECKING"}
    for _ in range(200):
        if checked["state"] != "CHECKING":
            break
        checked = (await call("worker2", "GET", f"/refusals/{covered['id']}")).json()
    assert checked["data"]["check"]["versions"]["LIST_B"] == 3
    assert checked["data"]["check"]["because"] == "LIST_B"
    disputed = await done(call, "statistics", f"{path}/commands/dispute", {"reason": "有文件依据"})
    assert disputed["state"] == "ARBITRATION"
    ruled = await done(call, "reviewer", f"{path}/commands/arbitrate", {"outcome": "MUST_APPLY", "reason": "须申请"})
    assert ruled["data"]["ruling"] == "MUST_APPLY"
    assert (await done(call, "statistics", f"{path}/commands/department_applies"))["state"] == "LINKED"


# --- the yearly inspection ---------------------------------------------------------------------------------------


async def test_a_permit_is_inspected_once_and_assessed_by_nobody_known(client: httpx.AsyncClient, call: Call) -> None:
    admission = await permit(client, call, "通信缴费点")
    case = await done(call, "reviewer", "/inspections", {"permit": admission["id"]}, status=201)
    path = f"/inspections/{case['id']}"
    assert await refused(call, "reviewer", "/inspections", {"permit": admission["id"]}) == "ALREADY_INSPECTED"
    report = {"staff": "两人", "funds": "到位", "results": "服务一千人次"}
    await done(call, "telecom", f"{path}/commands/submit_self_report", report)
    task = {"community_code": C2, "department": "statistics", "text": "三天内入户调查二百户"}
    refusal = await done(call, "worker2", "/refusals", task, status=201)
    await done(call, "secretary2", f"/refusals/{refusal['id']}/commands/refuse", {"reason": "未准入"})
    built = {"panel": 6, "indicators": [{"kind": "SERVICE", "built_on": refusal["number"]}]}
    assert await refused(call, "reviewer", f"{path}/commands/open_ballot", built) == "REFUSAL_NOT_NEGATIVE"
    await done(call, "reviewer", f"{path}/commands/open_ballot", {"panel": 6})

    tokens = [one["token"] for one in (await done(call, "reviewer", f"{path}/ballot-tokens", status=201))["items"]]

    assert len(set(tokens)) == 6
    assert await refused(call, "reviewer", f"{path}/ballot-tokens") == "BALLOT_TOKENS_ISSUED"
    assert await refused(call, "telecom", f"{path}/ballot-tokens") == "NOT_IN_ROLE"
    paper = (await client.get(f"/public/ballots/{tokens[0]}")).json()
    assert (paper["unit"], paper["open"], len(paper["communities"])) != ("", False, 0)
    for token in tokens:
        assert (await client.post(f"/public/ballots/{token}", json={"rating": 5})).status_code == 201
    again = await client.post(f"/public/ballots/{tokens[0]}", json={"rating": 1})
    assert (again.status_code, again.json()["reason"]) == (409, "BALLOT_USED")
    assert (await client.post("/public/ballots/not-a-token-of-ours", json={})).status_code == 404
    progress = (await call("reviewer", "GET", f"{path}/ballot")).json()
    assert (progress["answered"], progress["opinions"]) == (6, [])
    assert (await call("telecom", "GET", f"{path}/ballot")).status_code == 403


async def test_an_inspection_is_concluded_and_the_permit_knows(client: httpx.AsyncClient, call: Call) -> None:
    admission = await permit(client, call, "宽带维护服务点")
    case = await done(call, "reviewer", "/inspections", {"permit": admission["id"]}, status=201)
    path = f"/inspections/{case['id']}/commands"
    report = {"staff": "两人", "funds": "到位", "results": "服务一千人次"}
    await done(call, "telecom", f"{path}/submit_self_report", report)
    few = {"panel": 40, "valid": 20, "satisfied": 20}
    assert await refused(call, "reviewer", f"{path}/record_ballot_result", few) == "BALLOT_TOO_FEW"
    await done(call, "reviewer", f"{path}/record_ballot_result", FILED)
    await done(call, "reviewer", f"{path}/record_site_check", {"notes": "按审批要求运行"})
    revoke = {"outcome": "PROPOSE_REVOKE", "opinion": "意见"}
    assert await refused(call, "reviewer", f"{path}/conclude", revoke) == "NO_RECTIFICATION"

    concluded = await done(call, "reviewer", f"{path}/conclude", {"outcome": "PASS", "opinion": "群众满意"})

    assert (concluded["state"], concluded["data"]["outcome"]) == ("DONE", "PASS")
    assert {concluded["policy"]["pack"], admission["policy"]["pack"]} == {"city_admission_000"}
    known: dict[str, Any] = {}
    for _ in range(100):
        known = (await call("reviewer", "GET", f"/admissions/{admission['id']}")).json()["data"]["inspections"]
        if any(one.get("outcome") for one in known.values()):
            break
    assert [one["satisfied_share"] for one in known.values()] == [91.2]


# --- lists -------------------------------------------------------------------------------------------------------


def workbook(*rows: tuple[str, ...]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("事项编码", "事项名称", "法律依据", "牵头部门", "经费说明"), *rows):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def imported(client: httpx.AsyncClient, call: Call, who: str, content: bytes, **query: str) -> httpx.Response:
    token = (await call(who, "GET", "/me")).request.headers["Authorization"]
    begins = query.pop("effective_from", (TODAY + timedelta(days=30)).isoformat())
    return await client.post(
        "/lists/620199/NEGATIVE/import",
        params={"effective_from": begins, **query},
        files={"file": ("清单.xlsx", content)},
        headers={"Authorization": token},
    )


async def test_the_lists_of_a_county_are_found_and_compared(call: Call) -> None:
    lists = (await call("worker1", "GET", "/lists/620199")).json()
    found = (await call("worker1", "GET", "/lists/620199/items?q=低保入户")).json()["items"]
    whole = (await call("worker1", "GET", "/lists/620199/LIST_B")).json()
    same = (await call("worker1", "GET", "/lists/620199/LIST_B/diff?before=2&after=3")).json()

    counties = (await call("worker1", "GET", "/lists")).json()["items"]
    assert [one["county"] for one in counties] == ["620199"]
    assert counties[0]["in_force"] == lists["in_force"]
    assert lists["in_force"]["LIST_A"]["version"] == 3
    assert found[0]["name"] == "低保入户核查协助"
    assert len(whole["entries"]) == whole["items"] == lists["in_force"]["LIST_B"]["items"]
    assert (same["added"], same["removed"], same["changed"]) == ([], [], [])
    as_csv = await call("worker1", "GET", "/lists/620199/LIST_B", Accept="text/csv")
    assert "低保入户核查协助" in as_csv.text


async def test_a_list_comes_in_from_a_spreadsheet_after_a_preview(client: httpx.AsyncClient, call: Call) -> None:
    content = workbook(("N001", "社区招商引资任务指标", "004", "", ""), ("N100", "代收商业保险费", "004", "", ""))

    preview = await imported(client, call, "reviewer", content, dry_run="true")
    assert (preview.status_code, preview.json()["published"], preview.json()["version"]) == (200, False, 2)
    assert [one["item_code"] for one in preview.json()["added"]] == ["N100"]
    assert (await imported(client, call, "worker1", content)).status_code == 403
    past = await imported(client, call, "reviewer", content, effective_from="2026-01-02")
    assert past.json()["reason"] == "EFFECTIVE_IN_PAST"

    written = await imported(client, call, "reviewer", content)

    assert written.status_code == 201, written.text
    diff = (await call("reviewer", "GET", "/lists/620199/NEGATIVE/diff?before=1&after=2")).json()
    assert (len(diff["added"]), len(diff["changed"])) == (1, 1)


async def test_a_broken_list_is_refused_cell_by_cell(client: httpx.AsyncClient, call: Call) -> None:
    content = workbook(("N1", "某事", "", "", ""), ("N1", "", "", "", ""), ("N2", "某事", "", "", ""))

    answer = await imported(client, call, "reviewer", content)
    preview = await imported(client, call, "reviewer", content, dry_run="true")

    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"3.item_code", "3.name", "4.name"}
    assert {(one["row"], one["code"]) for one in preview.json()["errors"]} == {(3, "TWICE"), (3, "BLANK"), (4, "TWICE")}
