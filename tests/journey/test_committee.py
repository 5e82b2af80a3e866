"""Committees on the whole product, through the API alone: one is formed, a member leaves, another takes the seat."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.journey.product import Product

C1, C3 = "620199001001", "620199001003"
LAST_SECOND = 30
"""A drill's month is a minute, and a meeting that its month ends before is not held."""
BEFORE_SESSION = 10


class Hall:
    """The community's hall: whoever says something there says it through the API."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.address = f"http://127.0.0.1:{product.port}/api/v1"

    def opens(self, who: str, path: str, **fields: Any) -> dict[str, Any]:
        """Start a case."""
        status, case = self.product.ask(who, "POST", path, fields)
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

    def reads(self, who: str, path: str) -> Any:
        """Look at something."""
        status, found = self.product.ask(who, "GET", path)
        assert status == 200, found
        return found

    def waits(self, who: str, path: str, state: str) -> dict[str, Any]:
        """Wait until a case stands there."""
        found: dict[str, Any] = self.product.until(who, path, lambda case: case["state"] == state)
        return found

    def meets(self, number: int, subject_type: str, subject: str, votes: int = 8) -> str:
        """The party organisation meets on something and votes for it; gives the meeting's id."""
        while datetime.now(UTC).second > LAST_SECOND:
            time.sleep(1)
        at = datetime.now(UTC) + timedelta(seconds=BEFORE_SESSION)
        clerk, chair, present = f"clerk{number}", f"secretary{number}", [f"tc{number}{one}" for one in "abcdefgh"]
        body = {"community_code": f"62019900100{number}", "type": "TWO_COMMITTEES", "place": "会议室"}
        meeting = self.opens(clerk, "/meetings", scheduled_at=at.isoformat(), **body)
        path = f"/meetings/{meeting['id']}"
        items = self.says(clerk, path, "propose_item", subject_type=subject_type, subject_id=subject, title="人选")
        item = next(iter(items["data"]["items"]))
        self.says(chair, path, "admit", item=item)
        self.says(clerk, path, "send_notice")
        while datetime.now(UTC) < at:
            time.sleep(0.2)
        self.says(chair, path, "open_session", present=present)
        self.says(chair, path, "open_item", item=item)
        self.says(chair, path, "deliberate", item=item)
        choices = ["FOR"] * votes + ["AGAINST"] * (8 - votes)
        given = [{"member": who, "choice": choice} for who, choice in zip(present, choices, strict=True)]
        self.says(clerk, path, "record_vote", item=item, votes=given)
        self.says(chair, path, "record_decision", item=item, outcome="ADOPT", text="同意", waiver_reason="无利益涉事方")
        self.says(chair, path, "adjourn")
        return str(meeting["id"])

    def roster(self, number: int, day: str = "") -> dict[str, Any]:
        """The committee of a community."""
        found: dict[str, Any] = self.reads("officer", f"/committees/62019900100{number}{day}")
        return found


def test_a_committee_is_formed_from_call_to_certificates(product: Product) -> None:
    hall = Hall(product)
    formation = hall.opens(
        "secretary1", "/formations", community_code=C1, kind="INITIAL", target_size=9, seats={"VETERAN": 3}
    )
    path = f"/formations/{formation['id']}"
    hall.says("secretary1", path, "publish_call", text="现征集委员", conditions="热心公益", contact="社区服务站")
    people = ["vice1", "vice1b", "vice1c", "member1a", "member1b", "member1c"]
    for name in people:
        hall.says("worker1", path, "nominate", way="RESIDENT", person=name, category="VETERAN", consent=True)
    hall.says("resident1", path, "nominate", way="SELF", person="resident1", category="RESIDENT_REPRESENTATIVE")
    # The same person by two ways, written differently, is one candidate.
    by_name = {"category": "SOCIAL_ORG", "consent": True}
    first = {"name": "王某某", "phone": "13900000000"}
    hall.says("worker1", path, "nominate", way="UNIT", person=first, **by_name)
    again = {"name": "王 某某", "phone": "139-0000-0000"}
    case = hall.says("worker1", path, "nominate", way="RESIDENT", person=again, **by_name)
    assert len(case["data"]["candidates"]) == 8
    assert case["data"]["nominations"] == 9
    assert "王某某" not in str(case)

    keys = list(hall.waits("worker1", path, "SHORTLISTING")["data"]["candidates"])
    for key in keys:
        hall.says("worker1", path, "verify_candidate", candidate=key, eligible=True)
    listed = [{"candidate": key, "post": "VICE_CHAIR" if nth < 3 else "MEMBER"} for nth, key in enumerate(sorted(keys))]
    hall.says("worker1", path, "propose_shortlist", candidates=listed)
    decision = {"candidates": keys, "text": "会议决定以上人选", "exception_reason": "按实际情况"}
    assert hall.refused("secretary1", path, "party_meeting_decide", **decision) == (409, "PARTY_MEETING_REQUIRED")
    meeting = hall.meets(1, "formation", formation["id"])
    case = hall.says("secretary1", path, "party_meeting_decide", meeting=meeting, **decision)
    assert case["state"] == "STREET_REVIEW"

    case = hall.says("streetparty", path, "approve_and_file", filing_no="安和党工〔2026〕7号")
    objected = keys[-1]
    case = hall.says("resident1b", path, "object", candidate=objected, ground="长期不住本社区")
    assert case["data"]["candidates"][objected]["standing"] == "FROZEN"
    # Effects of the same moment may be told after it, so the event is asked for by its type.
    [seen] = [one for one in hall.reads("member1d", f"{path}/events")["items"] if one["type"] == "objected"]
    assert seen["actor"] is None
    assert "objector" not in str(seen)

    case = hall.waits("secretary1", path, "APPOINTING")
    ready = {key: one["post"] for key, one in case["data"]["candidates"].items() if one["standing"] == "CLEARED"}
    for key, post in ready.items():
        case = hall.says("secretary1", path, "issue_certificate", member=key, post=post)
    assert case["state"] == "APPOINTING"
    case = hall.says("secretary1", path, "resolve_objection", objection="o1", outcome="UPHELD", answer="情况属实")
    assert case["state"] == "APPOINTED"

    product.until("officer", f"/committees/{C1}", lambda found: found["strength"]["members"] == 8)
    roster = hall.roster(1)
    assert {rule["rule"] for rule in roster["rules"] if not rule["met"]} == {"I1"}
    assert (roster["rules"][0]["found"], roster["rules"][0]["excepted_by"]) == (8, None)
    assert roster["members"][0]["post"] == "CHAIR"
    assert hall.roster(1, "?on=2026-03-01")["strength"]["members"] == 13
    member = next(one for one in roster["members"] if one["name"] == "王某某")
    proof = f"{hall.address}/public/certificates/{member['cert_no']}"
    shown = httpx.get(proof, params={"check_code": member["check_code"]}).json()
    assert (shown["name"], shown["valid"]) == ("王某某", True)
    assert httpx.get(proof, params={"check_code": "AAAAAA"}).status_code == 404


def test_a_member_leaves_and_another_takes_the_seat(product: Product) -> None:
    hall = Hall(product)
    change = {"community_code": C3, "kind": "EXIT", "member": "member3a"}
    status, problem = product.ask("member3a", "POST", "/memberships", change)
    assert (status, problem["reason"]) == (409, "REASON_REQUIRED")
    leaving = hall.opens("member3a", "/memberships", reason="搬离本社区", **change)
    path = f"/memberships/{leaving['id']}"
    assert hall.refused("streetparty", path, "approve_exit") == (403, "NOT_IN_ROLE")
    assert hall.says("secretary3", path, "approve_exit")["data"]["phase"] == "VACANCY"
    product.until("officer", f"/committees/{C3}", lambda found: found["strength"]["members"] == 8)
    assert hall.roster(3)["strength"]["flags"] == ["UNDER_STRENGTH"]

    case = hall.says("secretary3", path, "start_replacement", category="VOLUNTEER", post="MEMBER")
    child = f"/formations/{case['data']['replacement']}"
    hall.waits("secretary3", child, "PREPARING")
    hall.says("secretary3", child, "publish_call", text="增补委员一名", conditions="热心公益", contact="社区服务站")
    hall.says("resident3", child, "nominate", way="SELF", person="resident3", category="VOLUNTEER")
    hall.waits("worker3", child, "SHORTLISTING")
    hall.says("worker3", child, "verify_candidate", candidate="resident3", eligible=True)
    listed = [{"candidate": "resident3", "post": "MEMBER"}]
    hall.says("worker3", child, "propose_shortlist", candidates=listed)
    hall.meets(3, "formation", case["data"]["replacement"])
    hall.says("secretary3", child, "party_meeting_decide", candidates=["resident3"], text="同意增补")
    hall.says("streetparty", child, "approve_and_file", filing_no="安和党工〔2026〕8号")
    hall.waits("secretary3", child, "APPOINTING")
    appointed = hall.says("secretary3", child, "issue_certificate", member="resident3", post="MEMBER")
    assert appointed["state"] == "APPOINTED"

    filled = product.until("secretary3", path, lambda case: case["data"]["phase"] == "FILLED")
    assert filled["state"] == "EXITED"
    product.until("officer", f"/committees/{C3}", lambda found: found["strength"]["members"] == 9)
    holds = product.until("resident3", "/me", lambda me: "cwc_member" in {one["role"] for one in me["roles"]})
    assert holds["username"] == "resident3"


def test_rosters_are_given_out_and_taken_in(product: Product) -> None:
    address = f"http://127.0.0.1:{product.port}/api/v1/committees"
    officer = {"Authorization": f"Bearer {product.token('officer')}"}
    book = httpx.get(f"{address}/export", headers=officer)
    assert book.status_code == 200

    files = {"file": ("rosters.xlsx", book.content, "application/octet-stream")}
    admin = {"Authorization": f"Bearer {product.token('admin')}"}
    assert httpx.post(f"{address}/import", files=files, headers=officer).status_code == 403
    found = httpx.post(f"{address}/import", params={"dry_run": 1}, files=files, headers=admin).json()
    assert found["totals"]["UNCHANGED"] == 3
    assert found["errors"] == []
