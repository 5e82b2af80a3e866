"""One shape for every process, on the real issue process behind a twin of the engine."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.web.conftest import ISSUE_BODY, Call
from tests.web.twins import C1, PEOPLE, Twin

ACCEPT = {
    "mode": "TIME_LIMITED",
    "category_code": "A02",
    "difficulty": "EASY",
    "clock_class": "SIMPLE",
    "lead_org": "property-1",
}


async def opened(call: Call, who: str = "grid1", **changed: Any) -> dict[str, Any]:
    answer = await call(who, "POST", "/issues", {**ISSUE_BODY, **changed})
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def give(
    call: Call, who: str, case: dict[str, Any], command: str, body: Any = None, **more: str
) -> httpx.Response:
    return await call(who, "POST", f"/issues/{case['id']}/commands/{command}", body or {}, **more)


async def test_a_new_case_is_201_with_its_place_and_its_version(call: Call) -> None:
    answer = await call("grid1", "POST", "/issues", ISSUE_BODY)

    assert answer.status_code == 201
    shown = answer.json()
    assert answer.headers["location"] == f"/api/v1/issues/{shown['id']}"
    assert answer.headers["etag"] == '"1"'
    assert set(shown) == {
        "id", "number", "process", "state", "step", "title", "version", "community_id", "level", "created_at",
        "updated_at", "closed_at", "policy", "next_due_at", "color", "data",
    }  # fmt: skip
    assert (shown["state"], shown["step"], shown["community_id"]) == ("REGISTERED", "COLLECT", C1)
    assert shown["title"] == ISSUE_BODY["title"]
    assert shown["data"]["description"] == ISSUE_BODY["description"]
    assert shown["data"]["location"] == ISSUE_BODY["location"]
    assert shown["policy"] == {"pack": "lanzhou_2021", "version": 2}
    assert len(shown["data"]["check_code"]) == 6


async def test_what_people_wrote_reaches_the_engine_as_references_only(call: Call, twin: Twin) -> None:
    case = await opened(call)

    inside = repr(twin.street.cases[case["id"]]) + repr(twin.street.histories[case["id"]])
    assert "王某" not in inside
    assert "13800000000" not in inside
    assert "纸箱" not in inside
    assert "103.83" not in inside


async def test_the_same_key_and_body_gives_the_same_case_with_200(call: Call, twin: Twin) -> None:
    first = await call("grid1", "POST", "/issues", ISSUE_BODY, key="k1")
    again = await call("grid1", "POST", "/issues", ISSUE_BODY, key="k1")

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(twin.street.cases) == 1


async def test_of_five_starts_at_once_with_one_key_one_is_the_first(call: Call, twin: Twin) -> None:
    answers = await asyncio.gather(*(call("grid1", "POST", "/issues", ISSUE_BODY, key="k") for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.text for answer in answers}) == 1
    assert len(twin.street.cases) == 1


async def test_the_same_key_with_another_body_is_a_conflict(call: Call) -> None:
    await call("grid1", "POST", "/issues", ISSUE_BODY, key="k1")
    answer = await call("grid1", "POST", "/issues", {**ISSUE_BODY, "title": "另一件事"}, key="k1")

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")


async def test_a_key_belongs_to_its_caller(call: Call, twin: Twin) -> None:
    await call("grid1", "POST", "/issues", ISSUE_BODY, key="k1")
    answer = await call("worker1", "POST", "/issues", ISSUE_BODY, key="k1")

    assert answer.status_code == 201
    assert len(twin.street.cases) == 2


async def test_a_default_that_is_written_out_is_the_same_body(call: Call) -> None:
    await call("grid1", "POST", "/issues", ISSUE_BODY, key="k1")
    answer = await call("grid1", "POST", "/issues", {**ISSUE_BODY, "danger": False}, key="k1")

    assert answer.status_code == 200


async def test_a_case_is_found_by_id_and_by_number(call: Call) -> None:
    case = await opened(call)

    by_id = await call("worker1", "GET", f"/issues/{case['id']}")
    by_number = await call("worker1", "GET", f"/issues/{case['number']}")

    assert by_id.json()["id"] == by_number.json()["id"] == case["id"]
    assert by_id.headers["etag"] == '"1"'


async def test_a_case_of_another_place_is_not_found_and_not_forbidden(call: Call) -> None:
    case = await opened(call)

    for path in ("", "/events", "/clocks", "/actions", "/diagram"):
        answer = await call("worker2", "GET", f"/issues/{case['id']}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await give(call, "worker2", case, "accept_to_problem_list", ACCEPT)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await call("worker2", "GET", "/issues")).json() == {"items": [], "next_cursor": None}


async def test_a_command_answers_with_the_case_after_it(call: Call) -> None:
    case = await opened(call)

    answer = await give(call, "worker1", case, "accept_to_problem_list", ACCEPT)

    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "ASSIGNED"
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    assert (await call("worker1", "GET", f"/issues/{case['id']}")).json() == answer.json()


async def test_a_repeated_command_gets_its_first_answer_even_when_the_case_went_on(call: Call) -> None:
    case = await opened(call)
    first = await give(call, "worker1", case, "accept_to_problem_list", ACCEPT, key="a")
    await give(call, "property1", case, "sign")

    again = await give(call, "worker1", case, "accept_to_problem_list", ACCEPT, key="a")

    assert again.status_code == 200
    assert again.json() == first.json()
    assert again.json()["state"] == "ASSIGNED"


async def test_a_known_person_in_the_wrong_role_is_forbidden(call: Call) -> None:
    case = await opened(call)

    answer = await give(call, "grid1", case, "accept_to_problem_list", ACCEPT)

    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (403, "forbidden", "NOT_IN_ROLE")


async def test_rights_come_before_faults_of_the_body(call: Call) -> None:
    case = await opened(call)

    assert (await give(call, "grid1", case, "accept_to_problem_list", {"mode": "X"})).status_code == 403
    assert (await give(call, "worker1", case, "accept_to_problem_list", {"mode": "X"})).status_code == 422


async def test_a_command_that_the_state_does_not_take(call: Call) -> None:
    case = await opened(call)

    answer = await give(call, "worker1", case, "give_feedback", FEEDBACK)

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


async def test_a_guard_names_its_reason_and_its_source(call: Call) -> None:
    answer = await call("grid1", "POST", "/issues", {**ISSUE_BODY, "description": ""})

    body = answer.json()
    assert (answer.status_code, body["code"], body["reason"]) == (409, "guard_failed", "NOTHING_DESCRIBED")
    assert body["clause"]
    assert [error["field"] for error in body["errors"]] == ["description"]


async def test_an_older_version_is_refused(call: Call) -> None:
    case = await opened(call)
    await give(call, "worker1", case, "contact_reporter", {"note": "已电话联系"})

    stale = await give(call, "worker1", case, "accept_to_problem_list", ACCEPT, If_Match='"1"')
    fresh = await give(call, "worker1", case, "accept_to_problem_list", ACCEPT, If_Match='"2"')

    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    assert fresh.status_code == 200, fresh.text


async def test_headers_are_checked(call: Call) -> None:
    case = await opened(call)

    version = await give(call, "worker1", case, "accept_to_problem_list", ACCEPT, If_Match="soon")
    key = await give(call, "worker1", case, "accept_to_problem_list", ACCEPT, key="k" * 256)

    assert (version.status_code, version.json()["errors"][0]["field"]) == (422, "If-Match")
    assert (key.status_code, key.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_the_history_is_told_oldest_first_in_clear_words(call: Call) -> None:
    case = await opened(call)
    await give(call, "worker1", case, "contact_reporter", {"note": "已电话联系"})

    items = (await call("worker1", "GET", f"/issues/{case['id']}/events")).json()["items"]

    assert [entry["seq"] for entry in items] == [1, 2]
    assert items[1]["payload"]["notes"]["note"] == "已电话联系"
    assert items[1]["actor"] == PEOPLE["worker1"].id
    assert {"seq", "type", "actor", "acting_role", "occurred_at", "recorded_at", "payload", "hash"} <= set(items[0])


async def test_actions_tell_what_one_may_do_and_with_which_fields(call: Call) -> None:
    case = await opened(call)

    mine = {one["command"]: one for one in (await call("worker1", "GET", f"/issues/{case['id']}/actions")).json()}
    grids = {one["command"] for one in (await call("grid1", "GET", f"/issues/{case['id']}/actions")).json()}

    accept = mine["accept_to_problem_list"]
    assert accept["title"] == "列入问题清单"
    assert accept["due_at"] is not None
    assert set(accept["fields"]["required"]) == {"mode", "category_code", "difficulty"}
    assert accept["fields"]["properties"]["mode"]["title"] == "办理方式"
    assert "accept_to_problem_list" not in grids
    assert "open_split_child" not in mine
    english = await call("worker1", "GET", f"/issues/{case['id']}/actions", Accept_Language="en")
    titles = {one["command"]: one["title"] for one in english.json()}
    assert titles["accept_to_problem_list"] == "Accept to the problem list"


async def test_actions_say_why_not(call: Call) -> None:
    case = await opened(call, reporter=None, anonymous=True)

    answer = await call("worker1", "GET", f"/issues/{case['id']}/actions")

    contact = next(one for one in answer.json() if one["command"] == "contact_reporter")
    assert contact["why_not"]["reason"] == "NO_REPORTER"
    assert contact["why_not"]["message"] != "NO_REPORTER"


async def test_a_list_is_narrowed_and_paged(call: Call) -> None:
    for _ in range(3):
        await opened(call)

    first = (await call("worker1", "GET", "/issues?limit=2")).json()
    rest = (await call("worker1", "GET", f"/issues?limit=2&cursor={first['next_cursor']}")).json()
    none = (await call("worker1", "GET", "/issues?state=CLOSED")).json()

    assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [2, 1, None]
    assert none["items"] == []


async def test_a_wrong_filter_is_named(call: Call) -> None:
    answer = await call("worker1", "GET", "/issues?limit=201&stat=X&created_from=gestern&cursor=zz")

    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"limit", "stat", "created_from"}
    answer = await call("worker1", "GET", "/issues?cursor=zz")
    assert [error["field"] for error in answer.json()["errors"]] == ["cursor"]


FEEDBACK = {"audience": "PUBLIC", "timing": "ANYTIME", "channel": "NOTICE_BOARD", "text": "已清理完毕"}


async def at_feedback(call: Call) -> dict[str, Any]:
    case = await opened(call)
    await give(call, "worker1", case, "accept_to_problem_list", ACCEPT)
    await give(call, "property1", case, "sign")
    await give(call, "property1", case, "claim_completion", {"text": "已清理"})
    answer = await give(call, "worker1", case, "approve_completion")
    assert answer.json()["state"] == "FEEDBACK_DUE", answer.text
    return case


async def test_a_public_text_with_a_room_or_a_phone_is_refused_with_the_place_of_it(call: Call) -> None:
    case = await at_feedback(call)

    answer = await give(
        call, "worker1", case, "give_feedback", {**FEEDBACK, "text": "3-2-501 门前已清理，可电 13800000000"}
    )

    body = answer.json()
    assert (answer.status_code, body["code"], body["reason"]) == (409, "guard_failed", "TEXT_NOT_MASKED")
    assert [error["field"] for error in body["errors"]] == ["text", "text"]
    assert "第 1 个字" in body["errors"][0]["message"]
    assert "13800000000" not in answer.text
    individual = {**FEEDBACK, "audience": "INDIVIDUAL", "channel": "PHONE", "text": "3-2-501 门前已清理"}
    assert (await give(call, "worker1", case, "give_feedback", individual)).status_code == 200


async def test_rights_come_before_the_check_of_public_texts(call: Call) -> None:
    case = await at_feedback(call)

    answer = await give(call, "property1", case, "give_feedback", {**FEEDBACK, "text": "3-2-501 门前已清理"})

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_the_lead_sees_no_reporter_who_wants_to_be_hidden(call: Call) -> None:
    case = await opened(call, "worker1", hidden_from_lead=True, description="我住3-2-501，电话13800000000")
    await give(call, "worker1", case, "accept_to_problem_list", ACCEPT)

    lead = await call("property1", "GET", f"/issues/{case['id']}")
    events = await call("property1", "GET", f"/issues/{case['id']}/events")
    contact = await call("property1", "GET", f"/issues/{case['id']}/reporter?purpose=%E8%81%94%E7%B3%BB")

    for secret in ("13800000000", "3-2-501", "王某", PEOPLE["worker1"].id):
        assert secret not in lead.text
    assert "submitted_by" not in lead.json()["data"]
    assert "13800000000" not in events.text
    assert "3-2-501" not in events.text
    assert (contact.status_code, contact.json()["reason"]) == (403, "HIDDEN_FROM_LEAD")


async def test_a_neighbour_learns_nothing_of_the_reporter(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Twin, "_sees", lambda *_: True)
    case = await opened(call, description="我住3-2-501，电话13800000000")

    seen = await call("resident1b", "GET", f"/issues/{case['id']}")
    contact = await call("resident1b", "GET", f"/issues/{case['id']}/reporter?purpose=好奇")

    assert "3-2-501" not in seen.text
    assert "13800000000" not in seen.text
    assert "check_code" not in seen.json()["data"]
    assert contact.status_code == 403


async def test_the_diagram_marks_where_the_case_stands(call: Call) -> None:
    case = await opened(call)

    answer = await call("worker1", "GET", f"/issues/{case['id']}/diagram?highlight=1")
    plain = await call("worker1", "GET", f"/issues/{case['id']}/diagram")

    assert answer.headers["content-type"] == "application/xml"
    assert "color:background-color" in answer.text
    assert "color:background-color" not in plain.text
