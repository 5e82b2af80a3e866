"""The whole tree as a workbook: out and in again unchanged; every error by cell, and then nothing is written."""

from io import BytesIO
from typing import Any

import httpx
from openpyxl import Workbook, load_workbook
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.actors import Directory
from services.importing.tree import take_in
from services.storage.database import database
from services.storage.migrating import migrate
from services.storage.tree import Tree
from services.storage.tree_rules import Limits
from tests.identity.conftest import C1, PASSWORD, POLICY, Call, bearer, token
from workflows.kernel.process import Grant
from workflows.policy.packs import load

HEADERS = {
    "区划": ("代码", "名称", "级别", "上级代码", "户数"),
    "人员": ("用户名", "姓名", "电话", "所住社区代码"),
    "网格与单元": ("社区代码", "种类", "代码", "名称", "户数", "责任人用户名"),
    "楼栋": ("社区代码", "名称", "网格代码"),
    "任职": ("用户名", "身份", "区划或网格代码", "组织代码", "开始日期"),
}
NEW = "620199001009"


def book(**sheets: list[tuple[Any, ...]]) -> bytes:
    made = Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in (HEADERS[title], *rows):
            sheet.append(row)
    written = BytesIO()
    made.save(written)
    return written.getvalue()


def community() -> dict[str, list[tuple[Any, ...]]]:
    """A community with one grid, its worker and a building; codes as spreadsheets like to have them: as numbers."""
    return {
        "区划": [(int(NEW), "新村社区", "COMMUNITY", 620199001, 300)],
        "人员": [("newgrid", "小新", "13800000000", NEW)],
        "网格与单元": [(NEW, "GRID", NEW + "001", "第1网格", 300, "newgrid")],
        "楼栋": [(NEW, "1号楼", NEW + "001")],
        "任职": [("newgrid", "grid_worker", NEW, "", "2026-01-01")],
    }


async def sent(
    client: httpx.AsyncClient, content: bytes, *, dry_run: bool = False, who: str = "admin"
) -> httpx.Response:
    return await client.post(
        f"/tree/import?dry_run={int(dry_run)}",
        files={"file": ("tree.xlsx", content)},
        headers=bearer(await token(client, who)),
    )


async def test_what_goes_out_comes_in_again_unchanged(client: httpx.AsyncClient, call: Call) -> None:
    out = await call("admin", "GET", "/tree/export")
    assert out.status_code == 200
    assert {sheet.title for sheet in load_workbook(BytesIO(out.content)).worksheets} >= set(HEADERS)

    again = (await sent(client, out.content)).json()

    assert again["written"] is True
    assert all(counts["added"] == counts["changed"] == 0 for counts in again["sheets"].values())
    assert again["sheets"]["人员"]["unchanged"] > 100
    assert again["sheets"]["成员"]["unchanged"] > 50


async def test_a_preview_counts_and_writes_nothing(client: httpx.AsyncClient, call: Call) -> None:
    shown = (await sent(client, book(**community()), dry_run=True)).json()

    assert shown["written"] is False
    assert shown["errors"] == []
    assert {title: counts["added"] for title, counts in shown["sheets"].items()} == dict.fromkeys(HEADERS, 1)
    assert (await call("admin", "GET", f"/regions/{NEW}")).status_code == 404


async def test_every_error_is_named_by_its_cell_and_nothing_is_written(client: httpx.AsyncClient, call: Call) -> None:
    rows = community()
    rows["区划"].append(("62019900101", "短码", "COMMUNITY", 620199001, "许多"))
    rows["网格与单元"].append((NEW, "GRID", NEW + "002", "第2网格", 900, "newgrid"))
    rows["网格与单元"].append((NEW, "SQUARE", NEW + "003", "第3网格", 300, "nobody"))
    rows["楼栋"].append((NEW, "2号楼", NEW + "777"))
    rows["任职"].append(("newgrid", "grid_worker", "999999", "", "2026-01-01"))

    preview = (await sent(client, book(**rows), dry_run=True)).json()
    refused = await sent(client, book(**rows))

    cells = {(one["sheet"], one["cell"]) for one in preview["errors"]}
    assert cells == {
        ("区划", "E3"),
        ("网格与单元", "E3"),
        ("网格与单元", "B4"),
        ("楼栋", "C3"),
        ("任职", "C3"),
    }
    assert all(one["message"] for one in preview["errors"])
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert {one["field"] for one in refused.json()["errors"]} == {f"{sheet}!{cell}" for sheet, cell in cells}
    assert (await call("admin", "GET", f"/regions/{NEW}")).status_code == 404


async def test_a_workbook_makes_a_community_that_works(
    client: httpx.AsyncClient, call: Call, storage: AsyncEngine
) -> None:
    made = (await sent(client, book(**community()))).json()

    assert made["written"] is True
    assert (await call("admin", "GET", f"/regions/{NEW}/grid-check")).json()["fits"] is True
    # The account has no password yet: nobody can guess one that is not there.
    assert (await client.post("/auth/token", data={"username": "newgrid", "password": "!"})).status_code == 401
    given = await call("admin", "PATCH", "/people/newgrid/accounts/newgrid", {"password": PASSWORD})
    assert given.status_code == 200
    me = (await client.get("/me", headers=bearer(await token(client, "newgrid")))).json()
    assert [(one["role"], one["place"]) for one in me["roles"]] == [("grid_worker", NEW)]
    async with storage.connect() as connection:
        actors = await connection.execute(text("SELECT actor FROM audit WHERE key = :key"), {"key": NEW})
    assert set(actors.scalars()) == {(await call("admin", "GET", "/me")).json()["id"]}


async def test_a_changed_cell_changes_one_row(client: httpx.AsyncClient, call: Call) -> None:
    rows = {"网格与单元": [(C1, "GRID", C1 + "001", "东一网格", 300, "grid1、grid1b")]}

    made = (await sent(client, book(**rows))).json()

    assert made["sheets"]["网格与单元"] == {"added": 0, "changed": 1, "unchanged": 0}
    unit = (await call("grid1", "GET", f"/spatial-units/{C1}001")).json()
    assert (unit["name"], len(unit["responsible"])) == ("东一网格", 2)


async def test_an_administrator_of_one_place_imports_there_only(client: httpx.AsyncClient, call: Call) -> None:
    await call("admin", "POST", "/people", {"display_name": "管理员", "username": "book1", "password": PASSWORD})
    role = {"person": "book1", "role": "tenant_admin", "place": C1, "since": "2026-01-01"}
    assert (await call("admin", "POST", "/roles", role)).status_code == 201

    refused = await sent(client, book(区划=[("620199001002", "改名", "COMMUNITY", "620199001", 1)]), who="book1")
    export = await call("book1", "GET", "/tree/export?within=6201")

    assert [one["field"] for one in refused.json()["errors"]] == ["区划!A2"]
    assert export.status_code == 403


async def test_nobody_else_imports_or_exports(client: httpx.AsyncClient, call: Call) -> None:
    assert (await sent(client, book(**community()), who="secretary1")).status_code == 403
    assert (await call("secretary1", "GET", "/tree/export")).status_code == 403


async def test_a_file_that_is_no_workbook_is_one_error(client: httpx.AsyncClient) -> None:
    refused = await sent(client, b"no workbook")

    assert (refused.status_code, len(refused.json()["errors"])) == (422, 1)


async def test_a_name_that_looks_like_a_formula_stays_a_name(client: httpx.AsyncClient, call: Call) -> None:
    await call("admin", "PATCH", f"/regions/{C1}", {"name": "=1+1"})

    out = await call("admin", "GET", f"/tree/export?within={C1}")

    sheet = load_workbook(BytesIO(out.content))["区划"]
    names = [cell for cell in sheet["B"] if cell.value == "=1+1"]
    assert [cell.data_type for cell in names] == ["s"]


async def test_no_telephone_leaves_with_the_workbook(client: httpx.AsyncClient, call: Call) -> None:
    out = await call("admin", "GET", "/tree/export")

    rows = list(load_workbook(BytesIO(out.content))["人员"].values)
    assert any("newgrid" in row for row in rows)
    assert not any("13800000000" in str(row) for row in rows)


async def test_a_new_deployment_begins_with_a_workbook(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    engine = database(empty_database_url)
    books = Tree(engine, Limits.of(load(POLICY)))
    first = {
        "区划": [("6202", "新市", "CITY", "", ""), ("620201", "新区", "COUNTY", "6202", "")],
        "人员": [("root", "管理员", "", "")],
        "任职": [("root", "tenant_admin", "6202", "", "2026-01-01")],
    }

    taken = await take_in(books, BytesIO(book(**first)), actor="tree-command")  # type: ignore[arg-type]  # rows differ

    root = (await Directory(engine).by_username(["root"]))["root"]
    await engine.dispose()
    assert (taken.written, taken.faults) == (True, [])
    assert root.grants == (Grant("tenant_admin", "6202"),)
