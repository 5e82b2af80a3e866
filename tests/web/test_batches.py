"""Several commands in one call: each has its own answer, and one that is refused holds up no other."""

from tests.web.conftest import ISSUE_BODY, Call

ACCEPT = {
    "command": "accept_to_problem_list",
    "mode": "TIME_LIMITED",
    "category_code": "B01",
    "difficulty": "EASY",
    "lead_org": "property-1",
    "clock_class": "SIMPLE",
}


async def _issue(call: Call) -> str:
    started = await call("grid1", "POST", "/issues", ISSUE_BODY)
    return str(started.json()["id"])


async def test_each_command_of_a_batch_has_its_own_answer(call: Call) -> None:
    case = await _issue(call)
    sent = await call(
        "worker1",
        "POST",
        f"/issues/{case}/commands",
        {"items": [ACCEPT, {"command": "sign"}, {"command": "nothing"}, {"command": "contact_reporter", "note": ""}]},
    )
    assert sent.status_code == 200
    accepted, forbidden, unknown, invalid = sent.json()["items"]
    assert (accepted["status"], accepted["body"]["state"]) == (200, "ASSIGNED")
    assert (forbidden["status"], forbidden["problem"]["code"]) == (403, "forbidden")
    assert (unknown["status"], unknown["problem"]["errors"][0]["field"]) == (422, "command")
    assert (invalid["status"], invalid["problem"]["errors"][0]["field"]) == (422, "note")


async def test_a_batch_that_is_repeated_is_carried_out_once(call: Call) -> None:
    case = await _issue(call)
    batch = {"items": [ACCEPT]}
    first = await call("worker1", "POST", f"/issues/{case}/commands", batch, key="once")
    again = await call("worker1", "POST", f"/issues/{case}/commands", batch, key="once")
    assert first.json()["items"][0]["body"]["version"] == again.json()["items"][0]["body"]["version"]
    assert again.json()["items"][0]["status"] == 200


async def test_a_batch_of_a_case_that_one_may_not_know_of_finds_nothing(call: Call) -> None:
    case = await _issue(call)
    sent = await call("worker2", "POST", f"/issues/{case}/commands", {"items": [{"command": "sign"}]})
    assert [item["status"] for item in sent.json()["items"]] == [404]


async def test_a_batch_has_bounds(call: Call) -> None:
    case = await _issue(call)
    empty = await call("worker1", "POST", f"/issues/{case}/commands", {"items": []})
    long = await call("worker1", "POST", f"/issues/{case}/commands", {"items": [{"command": "sign"}] * 101})
    assert (empty.status_code, long.status_code) == (422, 422)
