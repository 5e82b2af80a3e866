"""Data of a case are shown for people: names for codes, links for cases, tables for rows, and nothing that is empty."""

from typing import Any

import pytest
from pydantic_core import to_jsonable_python

from services.api.rights import specimens
from services.console.shown import Showing, files_of
from services.console.words import Words
from workflows.issue.process import ISSUE
from workflows.kernel.process import Process
from workflows.registry import PROCESSES

CASE_ID, PERSON = "01a200e0-2c92-7483-8e66-a8537f7a722c", "01a200ad-c5b1-7eb1-ab5e-39ef72ad2967"
BY_PLURAL = {one.plural: one for one in PROCESSES.values()}
CASES = {CASE_ID: {"process": "issues", "number": "6201990010012026110001", "title": "路灯不亮"}}


def showing(language: str = "zh") -> Showing:
    return Showing(Words(language, BY_PLURAL, {PERSON: "小吴", "property-1": "柳荫物业公司"}), ISSUE, CASES)


def test_what_is_empty_is_not_shown_and_what_people_entered_comes_first() -> None:
    entered, kept = showing().fields(
        {"lead_org": "property-1", "danger": False, "calls": [], "returns": 0, "handlers": [PERSON], "phase": "X"}
    )

    assert [(one.title, one.text) for one in entered] == [("牵头单位", "柳荫物业公司")]
    assert [[part.text for part in one.parts] for one in kept] == [["小吴"]]


def test_a_case_behind_an_id_is_a_link() -> None:
    one = showing().value("merged_into", CASE_ID)

    assert (one.kind, one.href) == ("case", "/issues/6201990010012026110001")
    assert one.text == "6201990010012026110001 路灯不亮"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("location", {"lat": 36.06, "lon": 103.83}, "36.06000, 103.83000"),
        ("handle", {"value": 7.0, "unit": "working_days"}, "7 工作日"),
        ("registered_at", "2026-11-22T09:30:21.247263+08:00", "2026-11-22 09:30"),
        ("mode", "TIME_LIMITED", "限时办结"),
        ("urgent", True, "是"),
    ],
)
def test_values_are_said_in_words(name: str, value: Any, text: str) -> None:
    assert showing().value(name, value).text.replace("个", "") == text


def test_several_rows_are_a_table_and_keys_are_named() -> None:
    rows = showing().value("calls", [{"at": "2026-11-22T09:30:00+08:00", "by": PERSON}, {"at": None, "by": PERSON}])
    votes = showing().value("votes", {f"item-1/{PERSON}": {"value": "APPROVE"}})

    assert rows.kind == "table"
    assert [[cell.text for cell in row][-1] for row in rows.rows] == ["小吴", "小吴"]
    assert [part.title for part in votes.parts] == ["item-1 · 小吴"]


@pytest.mark.parametrize("process", BY_PLURAL.values(), ids=lambda one: one.name)
def test_the_data_of_every_process_can_be_shown(process: Process[Any]) -> None:
    for case in specimens(process):
        shown = Showing(Words("zh", BY_PLURAL), process).fields(to_jsonable_python(case.data))
        assert all(one.title for part in shown for one in part)


def test_what_was_counted_is_numbered_and_stands_in_its_order() -> None:
    items = {"i1": {"order": 3001, "title": "路灯"}, "i2": {"order": 1001, "title": "电梯"}}

    table = showing().value("items", items)
    assert [[cell.text for cell in row] for row in table.rows] == [["第 2 项", "电梯"], ["第 1 项", "路灯"]]
    assert len(table.head) == 2
    alone = showing("en").value("items", {"o3": {"order": 7, "title": "x"}})
    assert [one.title for one in alone.parts] == ["No. 3"]


def test_files_are_known_by_the_commands_that_take_them() -> None:
    assert showing().value("evidence", [CASE_ID]).kind == "files"
    assert {name: "evidence" in files_of(one) for name, one in PROCESSES.items() if name in ("issue", "round")} == {
        "issue": True,
        "round": True,
    }
