"""M1 on the whole product, through the API alone: a month of a community in a minute of the drill.

A wish is told at a visit of the round; the company that should handle it does nothing, so that it climbs to the next
大党委 by itself, is decided there beside two other topics, done, delisted and told to who wished it.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.journey.product import Product
from tests.journey.test_committee import Hall

C2 = "620199001002"
EPC = "EXTENDED_PARTY_COMMITTEE"
MEMBERS = [f"epc2{one}" for one in "abcdefghi"]
BEFORE_SESSION = 13
"""The agenda freezes 72 hours of the drill before, 7.2 s."""
LATEST_CALL = 32
IN_TIME = 40
REPORTER = {"name": "杨某", "phone": "13900000002", "wants_reply": True}
OVERFLOWING = "河道旁污水外溢,已三天"


class Community(Hall):
    """C2 and who works for it."""

    def issue(self, title: str, category: str, **fields: Any) -> str:
        """An issue of the grid worker, taken up as a topic of the 大党委; gives its id."""
        given = {"community_code": C2, "title": title, "description": title, "source": "VISIT", "reporter": REPORTER}
        case = self.opens("grid2", "/issues", category_code=category, **given)
        path = f"/issues/{case['id']}"
        self.says("worker2", path, "contact_reporter", note="已电话联系")
        accepted = {"mode": "SCHEDULED", "category_code": category, "difficulty": "MODERATE"}
        case = self.says(
            "worker2", path, "accept_to_problem_list", difficulty_reasons=["SEVERAL_ORGANIZATIONS"], **accepted
        )
        assert case["state"] == "TOPIC_PROPOSED"
        return str(case["id"])

    def batch(self, who: str, path: str, *items: dict[str, Any]) -> None:
        """Many commands in one call, each with its own result."""
        status, answer = self.product.ask(who, "POST", f"{path}/commands", {"items": items})
        assert (status, [one["status"] for one in answer["items"]]) == (200, [200] * len(items)), answer

    def collected(self) -> str:
        """The month's round is opened, enough is visited, a wish is told; gives the issue that it became."""

        def planned(found: Any) -> bool:
            return any(_is_of_this_month(one) and one["state"] == "PLANNED" for one in found["items"])

        listed = f"/rounds?community_id={C2}&limit=3"
        found = self.product.until("secretary2", listed, planned, seconds=90)
        case = next(one for one in found["items"] if _is_of_this_month(one) and one["state"] == "PLANNED")
        path, at = f"/rounds/{case['id']}", datetime.now(UTC).isoformat()
        self.says("secretary2", path, "open_round", plan="逐格走访", collectors=["grid2"], exception_reason="人手不足")
        homes = [{"command": "record_visit", "kind": "HOUSEHOLD", "target": f"第{n}户", "at": at} for n in range(10)]
        wish = {"title": "下水道堵塞", "description": OVERFLOWING, "category_code": "B01", "reporter": REPORTER}
        unit = {"command": "record_visit", "kind": "UNIT", "target": "沿河商铺", "at": at, "wishes": [wish]}
        self.batch("grid2", path, *homes, unit)
        case = self.says("secretary2", path, "close_collection")
        [issue] = [wish for visit in case["data"]["visits"].values() for wish in visit["wishes"]]
        self.waits("worker2", f"/issues/{issue}", "REGISTERED")
        limited = {"mode": "TIME_LIMITED", "category_code": "B01", "difficulty": "EASY", "clock_class": "CONSULT"}
        self.says("worker2", f"/issues/{issue}", "accept_to_problem_list", lead_org="property-2", **limited)
        assert self.says("worker2", path, "publish_problem_list")["state"] == "CLOSED"
        return str(issue)

    def board(self, number: str) -> tuple[str, str]:
        """What everybody reads of a listed problem."""
        listed = self.reads("resident2", f"/public/communities/{C2}/board")["listed"]
        [found] = [one for one in listed if one["number"] == number]
        return found["text"], found["state"]

    def meeting(self, *topics: str) -> tuple[str, dict[str, str]]:
        """The next 大党委 takes what waits for it when its agenda freezes; gives the meeting and the items."""
        while datetime.now(UTC).second > LATEST_CALL:
            time.sleep(0.5)
        at = datetime.now(UTC) + timedelta(seconds=BEFORE_SESSION)
        place = {"community_code": C2, "type": EPC, "place": "社区会议室"}
        case = self.opens("clerk2", "/meetings", scheduled_at=at.isoformat(), **place)
        path = f"/meetings/{case['id']}"

        def frozen(found: Any) -> bool:
            return found["state"] == "AGENDA_FROZEN" and bool(found["data"]["items"])

        case = self.product.until("clerk2", path, frozen)
        items = {one["subject_id"]: key for key, one in case["data"]["items"].items()}
        assert set(topics) <= set(items)
        return str(case["id"]), items


def _is_of_this_month(case: Any) -> bool:
    """The drill's month began with this minute, and enough of it is left."""
    now = datetime.now(UTC) + timedelta(hours=8)
    return bool(case["data"]["month"] == f"{now:%Y-%m-%dT%H:%M}" and now.second < IN_TIME)


def test_a_month_of_a_community(product: Product) -> None:
    hall = Community(product)
    lift, fence = hall.issue("加装电梯", "I01"), hall.issue("违建围栏", "A04")
    sewer = hall.collected()
    path = f"/issues/{sewer}"

    # left alone: reminded, breached, RED
    case = product.until("supervisor", path, lambda found: found["data"]["escalated"] is not None)
    assert (case["color"], case["state"]) == ("RED", "ASSIGNED")
    listing = f"/supervisions/{case['data']['supervision_id']}"
    hall.waits("supervisor", listing, "OPENED")
    late = hall.reads("supervisor", f"/overdue?community_id={C2}&process=issue&color=RED")["items"]
    assert sewer in {one["case"]["id"] for one in late}
    [order] = case["data"]["orders"]
    product.until("property2", f"/supervision-orders/{order}", lambda found: found["data"]["color"] == "RED")
    hall.says("property2", f"/supervision-orders/{order}", "reply", text="管道已改由排水公司养护")
    agenda = hall.reads("clerk2", f"/agendas/{C2}/next?body={EPC}")["items"]
    reasons = {one["case"]["id"]: one["reason"] for one in agenda}
    assert reasons[sewer] == "RED"
    assert {lift, fence} <= set(reasons)
    # 挂牌: on the board of the community
    due = f"{datetime.now(UTC) + timedelta(days=10):%Y-%m-%d}"
    shown = {"public": True, "text": "沿河路下水道堵塞,限期整改"}
    number = hall.says("supervisor", listing, "list", responsible_org="drainage", due_on=due, **shown)["number"]
    assert hall.board(number) == (shown["text"], "LISTED")

    # the 大党委, whose secretary writes everything down in one call
    meeting, items = hall.meeting(sewer, lift, fence)
    desk = f"/meetings/{meeting}"
    hall.says("clerk2", desk, "send_notice")
    hall.says("secretary2", desk, "open_session", present=MEMBERS)
    decisions = {
        sewer: {"outcome": "ASSIGN", "lead_org": "drainage", "due_on": due},
        lift: {"outcome": "ADOPT", "lead_org": "elder-care"},
        fence: {"outcome": "REFER_DEPARTMENT", "lead_org": "urban-management"},
    }
    written: list[dict[str, Any]] = []
    for topic, decided in decisions.items():
        votes = [{"member": one, "choice": "AGAINST" if one == "epc2i" else "FOR"} for one in MEMBERS]
        said = {"party": "沿河居民", "position": "支持", "need": "尽快解决"}
        written += [
            {"command": "open_item", "item": items[topic]},
            {"command": "record_statement", "item": items[topic], **said},
            {"command": "record_vote", "item": items[topic], "votes": votes},
            {"command": "record_decision", "item": items[topic], "text": "通过", **decided},
        ]
    hall.batch("clerk2", desk, *written)
    hall.says("secretary2", desk, "adjourn")
    assert hall.says("secretary2", desk, "sign_minutes")["state"] == "CLOSED", "all tasks run on in their issues"
    # The month may begin a while after its minute: it learns of the meeting then.
    held = product.until("clerk2", desk, lambda found: found["data"]["slot"] is not None)
    slot = f"/slots/{held['data']['slot']}"
    assert hall.waits("officer", slot, "SLOT_DONE")["data"]["held"] == meeting
    assert "MINUTES" in {one["kind"] for one in hall.reads("clerk2", f"{desk}/documents")}

    # what was decided is carried out
    assert hall.waits("drainage", path, "ASSIGNED")["data"]["lead_org"] == "drainage"
    assert hall.waits("supervisor", f"/supervision-orders/{order}", "CLOSED")["data"]["phase"] == "SETTLED"
    hall.says("drainage", path, "sign")
    hall.says("drainage", listing, "report_rectified", evidence=[], text="管道已疏通并更换")
    assert hall.refused("drainage", listing, "delist", evidence=[], text="自行核查")[0] == 403
    assert hall.says("supervisor", listing, "delist", evidence=[], text="现场核查,已畅通")["state"] == "DELISTED"
    hall.waits("worker2", path, "FEEDBACK_DUE")
    project = {"measures": "选址、安装", "survey_note": "已入户", "feasibility": "可行", "due_on": due}
    hall.waits("worker2", f"/issues/{lift}", "PLANNING")
    hall.says("worker2", f"/issues/{lift}", "add_to_project_list", lead_org="elder-care", **project)
    assert lift in str(hall.reads("worker2", f"/project-lists/{C2}"))
    hall.says("elder-care", f"/issues/{lift}", "claim_completion", evidence=[], text="已安装")
    hall.says("worker2", f"/issues/{lift}", "approve_completion")
    hall.says("department", f"/issues/{fence}", "sign")
    replied = hall.says("department", f"/issues/{fence}", "reply_referral", text="月内拆除", due_on=due)
    assert (replied["state"], replied["level"]) == ("IN_PROGRESS", "L4")

    # told to those who wished it
    for solved in (sewer, lift):
        told = {"audience": "INDIVIDUAL", "timing": "ANYTIME", "channel": "PHONE", "text": "问题已经解决"}
        hall.says("worker2", f"/issues/{solved}", "give_feedback", **told)
        visit = {"contacted": True, "solved": "YES", "satisfaction": 5}
        case = hall.says("worker2b", f"/issues/{solved}", "record_visit", **visit)
        assert (case["state"], case["data"]["closure_code"]) == ("CLOSED", "RESOLVED")
    handled = [one for one in hall.reads("worker2", f"{path}/clocks") if one["code"] == "HANDLE"]
    assert [one["state"] for one in handled] == ["CANCELLED", "MET"], (
        "the breach stays with the time that was set aside"
    )
    assert hall.board(number) == (shown["text"], "DELISTED")
