"""Tables that are taken home as files say everything in words, in the reader's language."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from services.api import columns, permits
from services.api.tables import Column, Says, table_response
from services.console.pages.board_pictures import MISSING, ROLLOUT, STANDINGS
from services.storage.people_tables import BODY_MEMBER_STATES, BODY_POSTS, MEMBER_CATEGORIES
from tests.web.twins import C1, PACK, TwinPeople
from workflows.admission.data import Variant
from workflows.issue.data import Difficulty, HandlingMode
from workflows.registry import PROCESSES

CODE = re.compile(r"[A-Z][A-Z0-9_]+")
PROCESS_BY_NAME = {process.name: process for process in PROCESSES.values()}
TABLES: Mapping[str, Sequence[Column]] = {
    **{name: value for name, value in vars(columns).items() if name.isupper()},
    "PERMITS": permits.COLUMNS,
}
COLORS = ("NONE", "BLUE", "YELLOW", "RED")
HELD: Mapping[str, Sequence[str]] = {
    "HandlingMode": tuple(HandlingMode),
    "Difficulty": tuple(Difficulty),
    "Covered": ("GRID", "BUILDING", "COMMUNITY", *STANDINGS),
    "Rollout": tuple(ROLLOUT),
    "Lacking": tuple(MISSING),
    "Post": BODY_POSTS,
    "Category": MEMBER_CATEGORIES,
    "Variant": tuple(Variant),
    "level": ("L1", "L2", "L3", "L4"),
    "color": COLORS,
    "status": BODY_MEMBER_STATES,
}


def held(column: Column) -> Iterator[Mapping[str, Any]]:
    """Everything that a column may hold, as rows."""
    match column.says:
        case Says.STATE:
            process = PROCESS_BY_NAME[column.of]
            for position in process.positions:
                state, _, phase = position.partition(":")
                yield {"process": process.name, "state": state, "phase": phase}
        case Says.CLOCK:
            for process in PROCESS_BY_NAME.values():
                yield from ({"process": process.name, column.name: code} for code in process.clock_rules)
        case Says.CODE:
            yield from ({column.name: str(code)} for code in HELD[column.of or column.name])
        case Says.NAME:
            yield {column.name: ["B01", C1, "property-1"]}
        case Says.MOMENT:
            yield {column.name: "2026-03-09T10:00:00+08:00"}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", sorted(TABLES))
async def test_no_code_is_left_in_a_file(name: str, language: str) -> None:
    rows = [row for column in TABLES[name] for row in held(column)]

    lines = await written(TABLES[name], rows, language)

    assert [cell for line in lines for cell in line if CODE.fullmatch(cell)] == []
    assert all("T10:00" not in cell for line in lines for cell in line)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_column_that_may_hold_codes_says_so(name: str) -> None:
    coded = {"state", "mode", "difficulty", "level", "color", "kind", "standing", "post", "category", "status",
             "clock", "missing", "variant", "helper_orgs", "communities", "category_code", "community"}  # fmt: skip

    assert [one.name for one in TABLES[name] if (one.name in coded) is not (one.says in WORDED)] == []


WORDED = frozenset({Says.CODE, Says.NAME, Says.STATE, Says.CLOCK})


async def test_what_stands_behind_a_code_is_said_in_the_readers_language() -> None:
    row = {
        "title": "RED",
        "category_code": "B01",
        "mode": "TIME_LIMITED",
        "state": "REGISTERED",
        "phase": "DECLINE_PROPOSED",
        "opened_at": "2026-03-09T00:00:00+08:00",
        "color": "RED",
    }

    zh, en = [dict(zip(*(await written(columns.PROBLEMS, [row], language)), strict=True)) for language in ("zh", "en")]

    assert (zh["诉求"], zh["办理方式"], zh["督办"], zh["登记时间"]) == ("RED", "限时办结", "红色", "2026-03-08 24:00")
    assert zh["类别"] == PACK.categories["B01"].title
    assert en["Category"] == PACK.categories["B01"].title_en
    assert zh["状态"] != en["State"]


async def written(table: Sequence[Column], rows: Sequence[Mapping[str, Any]], language: str) -> list[list[str]]:
    """The lines of a file, its heading first."""
    desk = SimpleNamespace(pack=PACK, people=TwinPeople(), door=SimpleNamespace(processes=PROCESS_BY_NAME))
    app = SimpleNamespace(state=SimpleNamespace(desk=desk))
    request = Request({"type": "http", "headers": [(b"accept", b"text/csv")], "app": app})
    answer = await table_response(request, table, rows, "x", language)
    assert answer is not None
    return list(csv.reader(bytes(answer.body).decode("utf-8-sig").splitlines()))
