"""Admissions on the whole product, through the API alone: one is inspected, not put right and revoked; one renewed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from tests.journey.product import Product
from workflows.kernel.calendar import CHINA

C1, C2 = "620199001001", "620199001002"


def today() -> date:
    """The day in Beijing."""
    return datetime.now(UTC).astimezone(CHINA).date()


class Counter:
    """The counter of the office: whoever says something there says it through the API."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.address = f"http://127.0.0.1:{product.port}/api/v1"

    def opens(self, who: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Start a case."""
        status, case = self.product.ask(who, "POST", path, body)
        assert status == 201, case
        found: dict[str, Any] = case
        return found

    def says(self, who: str, path: str, command: str, **fields: Any) -> dict[str, Any]:
        """Give a command that is taken."""
        status, case = self.product.ask(who, "POST", f"{path}/commands/{command}", fields)
        assert status == 200, (command, case)
        found: dict[str, Any] = case
        return found

    def refused(self, who: str, path: str, command: str, **fields: Any) -> tuple[int, str]:
        """Give a command that is refused."""
        status, problem = self.product.ask(who, "POST", f"{path}/commands/{command}", fields)
        return status, problem["reason"]

    def uploads(self, who: str) -> str:
        """Upload a file; gives its id."""
        answer = httpx.post(
            f"{self.address}/attachments",
            files={"file": ("promise.txt", "经费承诺".encode(), "text/plain"), "kind": (None, "FILE")},
            headers={"Authorization": f"Bearer {self.product.token(who)}"},
        )
        assert answer.status_code == 201, answer.text
        found: str = answer.json()["id"]
        return found

    def looks(self, path: str) -> tuple[int, Any]:
        """Look at something without signing in."""
        answer = httpx.get(f"{self.address}{path}")
        return answer.status_code, answer.json()

    def admits(self, org: str, *, until: date, item: str) -> tuple[str, dict[str, Any]]:
        """A unit is admitted to two communities; gives the path of its case."""
        application = {
            "variant": "UNIT",
            "applicant_org": org,
            "item_name": item,
            "basis": "市委完善社区管理体制意见",
            "need_reason": "方便居民",
            "content": "设点服务",
            "delivery_mode": "OWN_STAFF",
            "communities": [C1, C2],
            "planned_from": today().isoformat(),
            "planned_until": until.isoformat(),
            "staffing": "每个社区一人",
            "funding": {"source": "自筹", "amount": 20000},
        }
        case = self.opens(org, "/admissions", application)
        path = f"/admissions/{case['id']}"
        conditions = {"met": ["有固定场所"], "unmet": [], "function_split": "企业服务"}
        assert self.says("reviewer", path, "check_conditions", **conditions)["state"] == "UNDER_REVIEW"
        # Where the office approves, the leading group does not (seed 000 §三(三)1).
        assert self.refused("approver", path, "decide", outcome="APPROVE") == (403, "NOT_IN_ROLE")
        self.says("reviewer", path, "decide", outcome="APPROVE")
        self.says(org, path, "confirm_funding", kind="COMMITTED", evidence=[self.uploads(org)])
        active = self.says("reviewer", path, "register_and_enter")
        assert active["state"] == "ACTIVE"
        return path, active

    def inspects(self, permit: str, org: str, outcome: str, satisfied: int) -> dict[str, Any]:
        """The yearly inspection with its ballot, concluded; gives the permit once it knows."""
        case = self.opens("reviewer", "/inspections", {"permit": permit.rpartition("/")[2]})
        path = f"/inspections/{case['id']}"
        self.says(org, path, "submit_self_report", staff="两人", funds="到位", results="服务一千人次")
        self.says("reviewer", path, "record_ballot_result", panel=40, valid=34, satisfied=satisfied)
        self.says("reviewer", path, "record_site_check", notes="到现场查看")
        self.says("reviewer", path, "conclude", outcome=outcome, opinion="考核意见")
        found: dict[str, Any] = self.product.until("reviewer", permit, _is_inspected)
        return found


def _is_inspected(case: dict[str, Any]) -> bool:
    return any(one["outcome"] for one in case["data"]["inspections"].values())


def test_what_is_not_put_right_is_revoked(product: Product) -> None:
    office = Counter(product)
    path, active = office.admits("telecom", until=today() + timedelta(days=300), item="通信便民服务点")
    number = active["data"]["permit_no"]
    assert office.refused("reviewer", path, "revoke", reason="违规") == (409, "NO_RECTIFICATION")

    inspected = office.inspects(path, "telecom", "RECTIFY", satisfied=15)
    assert inspected["state"] == "RECTIFYING"
    assert office.refused("reviewer", path, "propose_revocation", findings="未改") == (409, "RECTIFICATION_RUNNING")
    office.says("telecom", path, "report_rectified", text="已整改")
    assert office.says("reviewer", path, "propose_revocation", findings="仍未整改")["state"] == "REVOCATION_PROPOSED"
    assert office.refused("reviewer", path, "revoke", reason="未整改到位") == (409, "STATEMENT_RUNNING")
    office.says("telecom", path, "state_views", text="请再给时间")
    revoked = office.says("reviewer", path, "revoke", reason="未整改到位")
    assert revoked["state"] == "REVOKED"
    for who in ("secretary1", "secretary2"):
        office.says(who, path, "confirm_hand_over")

    clocks = product.ask("reviewer", "GET", f"{path}/clocks")[1]
    assert {clock["state"] for clock in clocks if clock["code"] == "HAND_OVER"} <= {"MET", "MET_LATE"}
    status, problem = product.ask("telecom", "POST", "/admissions", _again(active))
    assert (status, problem["reason"]) == (409, "REAPPLY_BAN"), problem
    listed = product.ask("secretary1", "GET", "/permits?state=REVOKED")[1]["items"]
    assert number in [one["permit_no"] for one in listed]
    documents = product.ask("reviewer", "GET", f"{path}/documents")[1]
    kinds = {one["kind"] for one in documents}
    assert {"ADMISSION_APPLICATION", "ADMISSION_APPROVAL", "RECTIFICATION_ORDER", "REVOCATION_DECISION"} <= kinds


def test_a_permit_is_renewed_and_anybody_can_check_it(product: Product) -> None:
    office = Counter(product)
    path, active = office.admits("power", until=today() + timedelta(days=50), item="电力便民服务点")
    first = active["data"]["permit_no"]

    office.inspects(path, "power", "PASS", satisfied=31)
    until = today() + timedelta(days=300)
    asked = office.says("power", path, "apply_renewal", valid_until=until.isoformat(), changes="无")
    assert asked["state"] == "RENEWAL_REVIEW"
    renewed = office.says("reviewer", path, "decide", outcome="APPROVE")

    data = renewed["data"]
    assert (renewed["state"], data["valid_until"]) == ("ACTIVE", until.isoformat())
    assert data["permit_no"] != first
    mine = product.ask("power", "GET", path)[1]
    code = mine["data"]["check_code"]
    for number, current in ((data["permit_no"], True), (first, False)):
        status, shown = office.looks(f"/public/permits/{number}?check_code={code}")
        assert (status, shown["item"], shown["current"]) == (200, "电力便民服务点", current), shown
    assert office.looks(f"/public/permits/{first}?check_code=WRONG1")[0] == 404
    public = office.looks(f"/public/permits?community={C1}")[1]["items"]
    assert data["permit_no"] in [one["permit_no"] for one in public]


def _again(case: dict[str, Any]) -> dict[str, Any]:
    """The same application once more."""
    data = case["data"]
    wanted = (
        "variant",
        "applicant_org",
        "item_name",
        "basis",
        "need_reason",
        "content",
        "delivery_mode",
        "communities",
    )
    later = {"planned_from": today().isoformat(), "planned_until": (today() + timedelta(days=99)).isoformat()}
    return {name: data[name] for name in wanted} | later
