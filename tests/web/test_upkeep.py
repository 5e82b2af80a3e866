"""The administrator keeps cases going without knowing what they are about."""

from tests.web.conftest import ISSUE_BODY, Call
from tests.web.twins import Twin, TwinPeople

REBASE = {"pack": "drill", "reason": "演练"}


async def opened(call: Call) -> str:
    return f"/issues/{(await call('grid1', 'POST', '/issues', ISSUE_BODY)).json()['id']}"


async def test_an_administrator_rebases_a_case_that_he_cannot_read(call: Call) -> None:
    path = await opened(call)

    done = await call("admin", "POST", f"{path}/commands/rebase_policy", REBASE, key="a")
    again = await call("admin", "POST", f"{path}/commands/rebase_policy", REBASE, key="a")

    assert (done.status_code, done.json()["policy"]["pack"]) == (200, "drill")
    assert (done.json()["title"], done.json()["data"]) == (None, {"phase": ""})
    assert again.json() == done.json()
    assert (await call("admin", "GET", path)).status_code == 404


async def test_other_commands_and_other_people_find_nothing(call: Call) -> None:
    path = await opened(call)

    other = await call("admin", "POST", f"{path}/commands/request_verification", {})
    elsewhere = await call("worker2", "POST", f"{path}/commands/rebase_policy", REBASE)
    staff = await call("worker1", "POST", f"{path}/commands/rebase_policy", REBASE)

    assert (other.status_code, elsewhere.status_code, staff.status_code) == (404, 404, 403)


async def test_a_pack_that_there_is_not_is_named(call: Call) -> None:
    path = await opened(call)

    answer = await call("admin", "POST", f"{path}/commands/rebase_policy", {"pack": "nowhere", "reason": "x"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "pack")


async def test_a_drill_is_refused_where_real_people_are(call: Call, twin: Twin) -> None:
    path = await opened(call)
    TwinPeople.invented = False
    try:
        answer = await call("admin", "POST", f"{path}/commands/rebase_policy", REBASE)
    finally:
        TwinPeople.invented = True

    assert (answer.status_code, answer.json()["reason"]) == (409, "DRILL_ONLY_IN_DEMONSTRATION")
