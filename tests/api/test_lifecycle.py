"""Issues on real servers, from a resident's wish to the answer he gets, by each of the paths."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.api.conftest import BODY, C1, Call

LIMITED = {
    "mode": "TIME_LIMITED",
    "category_code": "B01",
    "difficulty": "EASY",
    "clock_class": "SIMPLE",
    "lead_org": "property-1",
}
TOLD = {"audience": "INDIVIDUAL", "timing": "ANYTIME", "channel": "PHONE", "text": "已疏通，请留意"}


async def opened(call: Call, who: str = "grid1", **changed: Any) -> dict[str, Any]:
    answer = await call(who, "POST", "/issues", {**BODY, **changed})
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


async def give(
    call: Call, who: str, case: dict[str, Any], command: str, body: Any = None, **more: str
) -> httpx.Response:
    return await call(who, "POST", f"/issues/{case['id']}/commands/{command}", body or {}, **more)


async def walk(call: Call, case: dict[str, Any], *steps: tuple[str, str, dict[str, Any], str]) -> dict[str, Any]:
    """Give commands one after the other; each must lead to the state beside it, and be seen at once."""
    for who, command, body, state in steps:
        answer = await give(call, who, case, command, body)
        assert answer.status_code == 200, (command, answer.text)
        shown: dict[str, Any] = answer.json()
        assert shown["state"] == state, (command, shown["state"])
        assert (await call("worker1", "GET", f"/issues/{case['id']}")).json()["version"] >= shown["version"]
        case = shown
    return case


async def test_handled_at_once(call: Call) -> None:
    case = await opened(call)

    case = await walk(
        call,
        case,
        (
            "worker1",
            "accept_to_problem_list",
            {"mode": "IMMEDIATE", "category_code": "A02", "difficulty": "EASY"},
            "IN_PROGRESS",
        ),
        ("grid1", "claim_completion", {"text": "已清理"}, "FEEDBACK_DUE"),
        ("worker1", "give_feedback", TOLD, "RETURN_VISIT"),
        ("worker1b", "record_visit", {"contacted": True, "solved": "YES", "satisfaction": 5}, "CLOSED"),
    )

    assert (case["data"]["phase"], case["data"]["fast_path"]) == ("RESOLVED", "IMMEDIATE")
    assert case["closed_at"] is not None
    assert case["next_due_at"] is None


async def test_handled_in_limited_time(call: Call) -> None:
    case = await opened(call)

    case = await walk(
        call,
        case,
        ("worker1", "request_verification", {}, "VERIFYING"),
        ("grid1", "report_facts", {"evidence": [], "text": "情况属实"}, "REGISTERED"),
        ("worker1", "contact_reporter", {"note": "已联系"}, "REGISTERED"),
        ("worker1", "accept_to_problem_list", LIMITED, "ASSIGNED"),
        ("property1", "sign", {}, "IN_PROGRESS"),
        ("property1", "log_progress", {"text": "已联系疏通车"}, "IN_PROGRESS"),
        ("property1", "claim_completion", {"text": "已疏通"}, "COMPLETION_REVIEW"),
        ("worker1", "reject_completion", {"reason": "仍有积水"}, "IN_PROGRESS"),
        ("property1", "claim_completion", {"text": "已再次疏通"}, "COMPLETION_REVIEW"),
        ("worker1", "approve_completion", {}, "FEEDBACK_DUE"),
        ("worker1", "give_feedback", TOLD, "RETURN_VISIT"),
        ("worker1", "record_visit", {"contacted": True, "solved": "YES", "satisfaction": 4}, "CLOSED"),
    )

    assert case["data"]["rework_count"] >= 0
    events = (await call("worker1", "GET", f"/issues/{case['id']}/events")).json()["items"]
    assert [entry["seq"] for entry in events] == list(range(1, len(events) + 1))
    assert len({entry["hash"] for entry in events}) == len(events)
    clocks = {one["code"]: one for one in (await call("worker1", "GET", f"/issues/{case['id']}/clocks")).json()}
    assert (clocks["HANDLE"]["title"], clocks["HANDLE"]["state"]) == ("办理", "MET")
    rule = clocks["HANDLE"]["rule"]
    assert (rule["parameter"], rule["value"], rule["unit"]) == ("issue.mode.limited.simple", 7.0, "working_days")
    assert rule["strength"]
    assert {"clause", "days_skipped", "pauses"} <= set(rule)


async def in_session(call: Call, issue: str) -> tuple[str, str]:
    """A session of the 大党委 in which the item of an issue is open; gives meeting and item."""
    body = {
        "community_code": C1,
        "type": "EXTENDED_PARTY_COMMITTEE",
        "scheduled_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "place": "会议室",
    }
    meeting = (await call("clerk1", "POST", "/meetings", body)).json()
    path = f"/meetings/{meeting['id']}/commands"
    present = [f"epc1{letter}" for letter in "abcdefghi"]
    noticed = (await call("clerk1", "POST", f"{path}/send_notice")).json()
    items = {one["subject_id"]: key for key, one in noticed["data"]["items"].items()}
    opened = await call("secretary1", "POST", f"{path}/open_session", {"present": present})
    assert opened.json()["state"] == "IN_SESSION", opened.text
    begun = await call("secretary1", "POST", f"{path}/open_item", {"item": items[issue]})
    assert begun.status_code == 200, begun.text
    return meeting["id"], items[issue]


async def until(call: Call, case: dict[str, Any], state: str) -> dict[str, Any]:
    """The issue when it has heard of the decision."""
    async with asyncio.timeout(20):
        while True:
            found: dict[str, Any] = (await call("worker1", "GET", f"/issues/{case['id']}")).json()
            if found["state"] == state:
                return found
            await asyncio.sleep(0.1)


async def test_decided_by_a_meeting(call: Call) -> None:
    case = await opened(call)
    await walk(
        call,
        case,
        (
            "secretary1",
            "accept_to_problem_list",
            {
                "mode": "SCHEDULED",
                "category_code": "B01",
                "difficulty": "HARD",
                "difficulty_reasons": ["SEVERAL_ORGANIZATIONS"],
            },
            "TOPIC_PROPOSED",
        ),
    )

    agenda = (await call("clerk1", "GET", f"/agendas/{C1}/next?body=EXTENDED_PARTY_COMMITTEE")).json()
    item = next(one for one in agenda["items"] if one["case"]["id"] == case["id"])
    assert (item["reason"], item["why"]) == ("PROPOSED", "按办理方式提交会议讨论")
    assert item["file"]["description"] == BODY["description"]

    meeting, item = await in_session(call, case["id"])
    told = {"party": "住户代表", "position": "同意改造", "need": "尽快施工"}
    votes = [{"member": f"epc1{letter}", "choice": "FOR" if letter < "h" else "AGAINST"} for letter in "abcdefghi"]
    for who, command, fields in (
        ("clerk1", "record_statement", told),
        ("clerk1", "record_vote", {"votes": votes}),
        ("secretary1", "record_decision", {"outcome": "ADOPT", "text": "同意改造"}),
    ):
        given = await call(who, "POST", f"/meetings/{meeting}/commands/{command}", {"item": item, **fields})
        assert given.status_code == 200, given.text
    case = await until(call, case, "PLANNING")

    case = await walk(
        call,
        case,
        (
            "worker1",
            "add_to_project_list",
            {
                "measures": "更换管道",
                "survey_note": "已实地查看",
                "feasibility": "可行",
                "lead_org": "property-1",
                "due_on": "2099-12-31",
                "milestones": [{"title": "开工", "due_on": "2099-06-30"}],
            },
            "IN_PROGRESS",
        ),
    )

    projects = (await call("worker1", "GET", f"/project-lists/{C1}")).json()["items"]
    project = next(one for one in projects if one["case_id"] == case["id"])
    assert project["project"]["measures"] == "更换管道"
    table = await call("worker1", "GET", f"/project-lists/{C1}", Accept="text/csv")
    assert "更换管道" in table.content.decode("utf-8-sig")


async def test_of_five_starts_with_one_key_one_issue_comes_and_one_is_new(call: Call) -> None:
    before = len((await call("worker3", "GET", "/issues?limit=200")).json()["items"])
    body = {**BODY, "community_code": "620199001003"}

    answers = await asyncio.gather(*(call("grid3", "POST", "/issues", body, key="five") for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.text for answer in answers}) == 1
    assert len((await call("worker3", "GET", "/issues?limit=200")).json()["items"]) == before + 1


async def test_of_five_commands_with_one_key_one_is_carried_out(call: Call) -> None:
    case = await opened(call)

    answers = await asyncio.gather(
        *(give(call, "worker1", case, "accept_to_problem_list", LIMITED, key="five-a") for _ in range(5))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    events = (await call("worker1", "GET", f"/issues/{case['id']}/events")).json()["items"]
    assert len(events) == answers[0].json()["version"]


async def test_a_repeat_gets_the_first_answer_also_after_the_case_went_on_and_out_of_sight(call: Call) -> None:
    case = await opened(call)
    await give(call, "worker1", case, "accept_to_problem_list", LIMITED)
    first = await give(
        call, "property1", case, "return_order", {"reason": "不属本公司职责", "suggested_owner": "drainage"}, key="r"
    )
    await give(
        call, "worker1", case, "dispatch", {**{k: LIMITED[k] for k in ("mode", "clock_class")}, "lead_org": "drainage"}
    )

    again = await give(
        call, "property1", case, "return_order", {"reason": "不属本公司职责", "suggested_owner": "drainage"}, key="r"
    )
    other = await give(
        call, "property1", case, "return_order", {"reason": "其他理由", "suggested_owner": "drainage"}, key="r"
    )

    assert (first.status_code, again.status_code) == (200, 200), (first.text, again.text)
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_the_same_key_with_another_body_is_a_conflict(call: Call) -> None:
    await call("grid1", "POST", "/issues", BODY, key="once")
    answer = await call("grid1", "POST", "/issues", {**BODY, "title": "另一件"}, key="once")

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")


async def test_of_two_deciders_on_one_version_one_wins(call: Call) -> None:
    case = await opened(call)

    answers = await asyncio.gather(
        *(
            give(call, who, case, "accept_to_problem_list", LIMITED, If_Match='"1"')
            for who in ("worker1", "worker1b", "worker1", "worker1b")
        )
    )

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"version_conflict"}


async def test_what_one_may_not_know_of_is_not_found_and_what_one_may_not_do_is_forbidden(call: Call) -> None:
    case = await opened(call)

    for who in ("worker2", "resident2", "heating", "admin"):
        assert (await call(who, "GET", f"/issues/{case['id']}")).status_code == 404, who
        answer = await give(call, who, case, "accept_to_problem_list", LIMITED)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), who
    answer = await give(call, "grid1", case, "accept_to_problem_list", LIMITED)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_refusals_of_the_engine_keep_their_codes(call: Call) -> None:
    case = await opened(call)

    state = await give(call, "worker1", case, "give_feedback", TOLD)
    guard = await call("grid1", "POST", "/issues", {**BODY, "description": ""})
    again = await call("grid1", "POST", "/issues", {**BODY, "description": ""}, key="free")
    freed = await call("grid1", "POST", "/issues", BODY, key="free")

    assert (state.status_code, state.json()["code"]) == (409, "wrong_state")
    assert (guard.status_code, guard.json()["code"], guard.json()["reason"]) == (
        409,
        "guard_failed",
        "NOTHING_DESCRIBED",
    )
    assert guard.json()["clause"]
    assert again.status_code == 409
    assert freed.status_code == 201, freed.text


async def test_a_closed_case_answers_like_an_open_one(call: Call) -> None:
    case = await opened(call, source="RESIDENT", reporter=None, who="resident1")
    closed = await give(call, "resident1", case, "withdraw", {"reason": "已解决"})
    assert closed.json()["state"] == "CLOSED", closed.text

    assert (await give(call, "worker2", case, "accept_to_problem_list", LIMITED)).status_code == 404
    assert (await give(call, "grid1", case, "accept_to_problem_list", LIMITED)).status_code == 403
    answer = await give(call, "worker1", case, "accept_to_problem_list", LIMITED)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


async def test_lists_and_worklists_show_what_was_written(call: Call) -> None:
    case = await opened(call, title="亮化工程路灯不亮七号")

    found = (await call("worker1", "GET", "/issues?q=路灯不亮七号")).json()["items"]
    number = (await call("worker1", "GET", f"/issues/{case['number']}")).json()
    mine = (await call("worker1", "GET", "/worklist?limit=200")).json()["items"]
    elsewhere = (await call("worker2", "GET", "/issues?q=路灯不亮七号")).json()["items"]

    assert [one["id"] for one in found] == [case["id"]]
    assert number["id"] == case["id"]
    work = next(one for one in mine if one["case"]["id"] == case["id"])
    assert "accept_to_problem_list" in work["commands"]
    assert elsewhere == []


async def test_pages_follow_each_other(call: Call) -> None:
    for _ in range(3):
        await opened(call)
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await call("worker1", "GET", f"/issues?limit=2{cursor}")).json()
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen))
    assert (await call("worker1", "GET", "/issues?cursor=x")).status_code == 422
    assert (await call("worker1", "GET", f"/overdue{cursor.replace('&', '?', 1)}")).status_code == 422


async def test_the_parts_of_a_split_issue_are_cases_with_their_own_words(call: Call) -> None:
    case = await opened(call, title="东门垃圾和停车")
    scheduled = {"mode": "SCHEDULED", "category_code": "B01", "difficulty": "EASY"}
    proposed = await give(call, "secretary1", case, "accept_to_problem_list", scheduled)
    assert proposed.json()["state"] == "TOPIC_PROPOSED", proposed.text
    parts = [
        {"title": "东门垃圾清运", "description": "每日清运", "lead_org": "property-1"},
        {"title": "东门停车划线", "description": "重新划线", "lead_org": "community-1"},
    ]

    done = await give(call, "worker1", case, "split", {"children": parts})

    assert (done.json()["state"], done.json()["data"]["phase"]) == ("CLOSED", "SPLIT"), done.text
    for part in parts:
        found: list[Any] = []
        for _ in range(100):
            found = (await call("worker1", "GET", f"/issues?q={part['title']}")).json()["items"]
            if found:
                break
            await asyncio.sleep(0.1)
        assert [one["title"] for one in found] == [part["title"]]
        assert found[0]["data"]["description"] == part["description"]
