"""A round of collection over the API: visits become issues, the list of the month becomes a version, gaps are seen."""

import asyncio
import io
from datetime import UTC, datetime
from typing import Any

from openpyxl import load_workbook

from tests.api.conftest import C1, C2, Call
from tests.api.test_lifecycle import give
from workflows.kernel.calendar import CHINA

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def month() -> str:
    """The month that goes on."""
    return datetime.now(UTC).astimezone(CHINA).strftime("%Y-%m")


def now() -> str:
    """This moment."""
    return datetime.now(UTC).isoformat()


async def do(call: Call, who: str, case: dict[str, Any], command: str, body: Any = None, status: int = 200) -> Any:
    """Give a command to a round."""
    answer = await call(who, "POST", f"/rounds/{case['id']}/commands/{command}", body or {})
    assert answer.status_code == status, answer.text
    return answer.json()


async def visited(call: Call, case: dict[str, Any], **fields: Any) -> Any:
    """One visit of the grid worker."""
    body = {"kind": "HOUSEHOLD", "target": "3号楼2单元王家", "at": now(), **fields}
    return await do(call, "grid1", case, "record_visit", body)


async def found(call: Call, issue_id: str) -> dict[str, Any]:
    """The issue that a wish became; the system opens it a moment later."""
    for _ in range(100):
        answer = await call("worker1", "GET", f"/issues/{issue_id}")
        if answer.status_code == 200:
            case: dict[str, Any] = answer.json()
            return case
        await asyncio.sleep(0.1)
    raise AssertionError(f"no issue {issue_id}")


async def test_a_round_from_its_plan_to_the_list_of_the_month(call: Call) -> None:
    forbidden = await call("worker1", "POST", "/rounds", {"community_code": C1, "month": month()})
    late = await call("secretary1", "POST", "/rounds", {"community_code": C1, "month": "2020-01"})
    made = await call("secretary1", "POST", "/rounds", {"community_code": C1, "month": month()})
    assert (forbidden.status_code, late.status_code, late.json()["reason"]) == (403, 409, "BACKDATED")
    assert made.status_code == 201, made.text
    case = made.json()
    assert (case["state"], case["number"][:1], case["data"]["month"]) == ("PLANNED", "Z", month())
    assert (await call("resident1", "GET", f"/rounds/{case['id']}")).status_code == 404

    case = await do(
        call, "secretary1", case, "open_round", {"plan": "逐户走访", "collectors": ["grid1", "worker1"], "sample": 12}
    )
    assert len([one for one in case["data"]["sample"] if one["ordinal"]]) == 12

    wish = {
        "title": "路灯不亮",
        "description": "三号楼前路灯不亮",
        "category_code": "B03",
        "reporter": {"name": "王某", "phone": "13800001234"},
    }
    case = await visited(call, case, place=f"{C1}002", wishes=[wish], notes="家中有老人")
    refused = {"kind": "HOUSEHOLD", "target": "x", "at": now(), "refused": True, "wishes": [wish]}
    no = await do(call, "grid1", case, "record_visit", refused, 409)
    elsewhere = {"kind": "HOUSEHOLD", "target": "x", "at": now(), "place": f"{C2}001"}
    assert (no["reason"], (await do(call, "grid1", case, "record_visit", elsewhere, 409))["reason"]) == (
        "REFUSED_WITHOUT_DATA",
        "PLACE_ELSEWHERE",
    )
    batch = [{"command": "record_visit", "kind": "HOUSEHOLD", "target": "住户", "at": now()} for _ in range(9)]
    batch += [{"command": "record_visit", "kind": "UNIT", "target": "小学", "at": now()}]
    answer = await call("grid1", "POST", f"/rounds/{case['id']}/commands", {"items": batch})
    assert [one["status"] for one in answer.json()["items"]] == [200] * 10, answer.text

    issue = await found(call, case["data"]["visits"]["v1"]["wishes"][0])
    assert (issue["title"], issue["data"]["source"], issue["data"]["round_id"]) == ("路灯不亮", "ROUND", case["id"])
    contact = await call("worker1", "GET", f"/issues/{issue['id']}/reporter?purpose=first contact")
    assert (contact.json()["name"], contact.json()["phone"]) == ("王某", "13800001234")

    case = await do(call, "secretary1", case, "close_collection")
    assert (await do(call, "worker1", case, "publish_problem_list", status=409))["reason"] == "WISHES_NOT_TRIAGED"
    accepted = {
        "mode": "TIME_LIMITED",
        "category_code": "B03",
        "difficulty": "EASY",
        "lead_org": "property-1",
        "clock_class": "SIMPLE",
    }
    issue = (await give(call, "worker1", issue, "accept_to_problem_list", accepted)).json()
    case = await do(call, "worker1", case, "publish_problem_list")
    assert (case["state"], case["data"]["list_version"], len(case["data"]["entries"])) == ("CLOSED", 1, 1)

    path = f"/problem-lists/{C1}/{month()}"
    live = (await call("worker1", "GET", path)).json()
    version = (await call("worker1", "GET", f"{path}?version=1")).json()
    assert [one["version"] for one in live["versions"]] == [1]
    assert (version["version"], version["items"][0]["title"], version["items"][0]["state"]) == (
        1,
        "路灯不亮",
        "ASSIGNED",
    )
    await give(call, "property1", issue, "sign", {})
    assert (await call("worker1", "GET", path)).json()["items"][0]["state"] == "IN_PROGRESS"
    assert (await call("worker1", "GET", f"{path}?version=1")).json()["items"] == version["items"]
    assert (await call("worker1", "GET", f"{path}?version=2")).status_code == 404
    sheet = await call("worker1", "GET", f"{path}?version=1", Accept=XLSX)
    (line,) = list(load_workbook(io.BytesIO(sheet.content)).active.iter_rows(min_row=2, values_only=True))
    assert "路灯不亮" in line
    comma = await call("worker1", "GET", f"{path}?version=1", Accept="text/csv")
    assert "路灯不亮" in comma.content.decode("utf-8-sig")

    coverage = (await call("worker1", "GET", f"/coverage/{C1}/{month()}")).json()["items"]
    standing = {one["code"]: one["standing"] for one in coverage}
    assert (standing[f"{C1}002"], standing[f"{C1}003"]) == ("WISHES", "NOT_ASKED")
    assert standing[f"{C1}001"] == "NO_PROBLEM", "the collector's own grid where none is named"
    assert (await call("worker2", "GET", f"/coverage/{C1}/{month()}")).status_code == 403

    figures = {one["formula"]["name"]: one for one in (await call("supervisor", "GET", "/measures")).json()["items"]}
    compliance = figures["round_compliance"]
    assert (compliance["part"], compliance["whole"], compliance["part_cases"]) == (1, 3, [C1])
    behind = (await call("supervisor", "GET", "/measures/round_compliance/cases?limit=2")).json()
    assert [one["key"] for one in behind["items"]] == [C1, C2]
    rest = await call("supervisor", "GET", f"/measures/round_compliance/cases?cursor={behind['next_cursor']}")
    assert [one["in_part"] for one in rest.json()["items"]] == [False]
    assert (await call("supervisor", "GET", "/measures/nothing/cases")).status_code == 404
    street = await call("supervisor", "GET", "/measures?community_id=620199001")
    assert street.json()["place"] == "620199001"
    assert (await call("worker1", "GET", "/measures?community_id=620199001")).status_code == 403
