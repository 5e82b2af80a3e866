"""What stands around the writing down of an issue: kinds, what is known already, and lists as files."""

import io
from typing import Any

import docx

from services.api import exports
from tests.web.conftest import ISSUE_BODY, Call
from tests.web.twins import C1, C2

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


async def test_kinds_of_issues_are_found_by_a_part_of_their_name_in_the_readers_language(call: Call) -> None:
    found = (await call("grid1", "GET", "/categories?q=楼道")).json()["items"]
    english = (await call("grid1", "GET", "/categories?q=stairways", accept_language="en")).json()["items"]

    assert [one["code"] for one in found] == [one["code"] for one in english] == ["A02"]
    assert found[0]["path"] == ["市容环境", "乱堆乱放", "楼道堆物"]
    assert english[0]["note"] == "Dangerous if it blocks the escape"


async def test_what_is_known_already_is_shown_to_whom_may_know_of_it(call: Call) -> None:
    case = (await call("worker1", "POST", "/issues", ISSUE_BODY, key="1")).json()

    async def known_to(who: str, place: str, words: str) -> list[Any]:
        items = (await call(who, "GET", f"/issues/similar?community_id={place}&q={words}")).json()["items"]
        return [(one["number"], one["likeness"]) for one in items]

    assert await known_to("worker1", C1, "楼道堆放") == [(case["number"], 1.0)]
    assert await known_to("worker1", C2, "楼道堆放") == []
    assert await known_to("worker1", C1, "路灯不亮") == []
    assert await known_to("resident1", C1, "楼道堆放") == []


async def test_a_list_is_a_file_with_the_columns_that_one_chose_in_words(call: Call) -> None:
    await call("worker1", "POST", "/issues", {**ISSUE_BODY, "title": "=1+1"}, key="1")

    path = "/issues/export?columns=title,state,category_code,source,community_id"
    lines = (await call("worker1", "GET", path, accept="text/csv")).text.lstrip("\ufeff").splitlines()
    english = (await call("worker1", "GET", path, accept="application/json", accept_language="en")).json()
    paper = docx.Document(io.BytesIO((await call("worker1", "GET", path, accept=DOCX)).content))

    assert lines == ["标题,状态,类别,来源,社区", f"'=1+1,已登记,市容环境/乱堆乱放/楼道堆物,居民反映,{C1}"]
    assert english["items"][0]["state"] == "Registered"
    assert [cell.text for cell in paper.tables[0].rows[0].cells] == lines[0].split(",")
    assert paper.tables[0].rows[1].cells[1].text == "已登记"


async def test_an_export_refuses_what_it_does_not_know_and_what_is_too_much(call: Call, monkeypatch: Any) -> None:
    foreign = await call("worker1", "GET", "/issues/export?columns=title,phone")
    assert foreign.json()["errors"][0]["field"] == "columns"

    monkeypatch.setattr(exports, "MOST", 1)
    for number in range(2):
        await call("worker1", "POST", "/issues", ISSUE_BODY, key=str(number))
    large = await call("worker1", "GET", "/issues/export", accept="text/csv")

    assert large.status_code == 422
    assert "1" in large.json()["errors"][0]["message"]
