"""Supervision cases by the same shape as issues: opened, listed, rectified, checked by somebody else, delisted."""

from tests.api.conftest import Call
from tests.api.test_lifecycle import LIMITED, give, opened


async def test_a_supervisor_lists_a_matter_until_it_is_solved(call: Call) -> None:
    issue = await opened(call)
    await give(call, "worker1", issue, "accept_to_problem_list", LIMITED)
    body = {"subject_type": "issue", "subject_id": issue["number"], "reason": "久拖未决"}

    forbidden = await call("worker1", "POST", "/supervisions", body)
    unknown = await call("supervisor", "POST", "/supervisions", {**body, "subject_id": "7"})
    made = await call("supervisor", "POST", "/supervisions", body, key="s1")
    again = await call("supervisor", "POST", "/supervisions", body, key="s1")

    assert (forbidden.status_code, unknown.status_code) == (403, 422)
    assert (made.status_code, again.status_code) == (201, 200), made.text
    case = made.json()
    assert (case["process"], case["state"]) == ("supervision", "OPENED")
    assert case["title"] == issue["title"]
    assert case["data"]["reason"] == "久拖未决"
    assert case["data"]["responsible_org"] == "property-1"
    assert case["data"]["subject_id"] == issue["id"]
    assert [one["id"] for one in (await call("supervisor", "GET", "/supervisions")).json()["items"]] == [case["id"]]

    path = f"/supervisions/{case['id']}/commands"
    public = {
        "responsible_org": "property-1",
        "responsible_person": "property1",
        "due_on": "2099-01-01",
        "public": True,
    }
    unmasked = await call("supervisor", "POST", f"{path}/list", {**public, "text": "3-2-501漏水久拖未决"})
    late = await call("supervisor", "POST", f"{path}/list", {**public, "text": "漏水久拖未决"})

    assert (unmasked.status_code, unmasked.json()["reason"]) == (409, "TEXT_NOT_MASKED"), unmasked.text
    assert (late.status_code, late.json()["reason"]) == (409, "DUE_TOO_LATE"), late.text
