"""Lines of the log name routes and ids of requests; never a person, a number or a word that somebody wrote."""

import structlog

from tests.web.conftest import ISSUE_BODY, Call


async def test_a_request_is_one_line_without_a_word_about_anybody(call: Call) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        case = (await call("grid1", "POST", "/issues", ISSUE_BODY)).json()
        await call("worker1", "GET", f"/issues/{case['number']}/reporter?purpose=回访王某")
        await call("worker1", "GET", f"/public/issues/{case['number']}?check_code=ABCDEF")
        await call("grid1", "POST", "/issues", {**ISSUE_BODY, "title": ""})

    assert [line["status"] for line in lines] == [201, 200, 404, 422]
    assert all(line["request_id"] for line in lines)
    text = repr(lines)
    for secret in ("王某", "13800000000", "纸箱", case["number"], case["id"], "ABCDEF", "grid1", "Bearer"):
        assert secret not in text
