"""Real messages go in, each once, whatever happens on the way; bad rows stay outside with their reasons."""

import csv
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from services.importing.reasons import Why
from tests.journey.product import Product

C1, C2 = "620199001001", "620199001002"


def table(path: Path, rows: Sequence[tuple[str, ...]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([("id", "submitted_at", "topic", "detail", "community_code"), *rows])
    return path


def rejected(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["row"]: row["code"] for row in csv.DictReader(file)}


async def test_real_messages_go_in_once_however_often_they_come(
    product: Product, messages: Path, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.csv"
    command = ("import", messages, "--spread", "--limit", "150", "--rejects", rejects)
    first = product.run(*command)
    counted = await product.imported("R%")

    again = product.run(*command)

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert counted == await product.imported("R%") == 150
    assert not rejects.exists()
    case = (await product.rows("SELECT * FROM case_file WHERE external_id LIKE 'R%' ORDER BY number LIMIT 1"))[0]
    status, shown = product.ask("supervisor", "GET", f"/issues/{case['id']}")
    assert status == 200
    assert shown["data"]["source"] == "HOTLINE"
    assert datetime.fromisoformat(shown["data"]["reported_at"]).year < 2021
    assert shown["data"]["description"]
    places = await product.rows("SELECT DISTINCT community FROM case_file WHERE external_id LIKE 'R%'")
    assert len(places) == 3


async def test_an_import_that_was_killed_and_repeated_adds_nothing_twice(product: Product, tmp_path: Path) -> None:
    path = table(tmp_path / "k.csv", [(f"K{n}", "", f"第{n}件", "被中断的导入", C1) for n in range(200)])
    running = product.begin("import", path, "--parallel", "4")
    deadline = time.monotonic() + 60
    while await product.imported("K%") < 20:
        assert time.monotonic() < deadline

    running.kill()
    running.wait()
    half = await product.imported("K%")
    again = product.run("import", path)

    assert 20 <= half < 200
    assert again.returncode == 0, again.stderr
    assert await product.imported("K%") == 200
    keys = await product.rows("SELECT count(*), count(DISTINCT external_id) FROM case_file WHERE external_id LIKE 'K%'")
    assert tuple(keys[0]) == (200, 200)


async def test_each_kind_of_bad_row_stays_outside_and_the_rest_goes_in(product: Product, tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    rows = [
        ("B1", "2019-07-01 08:00", "好的一行", "内容", C1),
        ("B2", "", "", "", C1),
        ("B3", "1889-01-01", "太早", "内容", C1),
        ("B4", "2999-01-01", "将来", "内容", C1),
        ("B5", "昨天", "不是日期", "内容", C1),
        ("B6", "", "没有这个社区", "内容", "620199001099"),
        ("B7", "", "没有社区", "内容", ""),
        ("B8", "", "太大的单元格", "x" * 20_000_000, C1),
        ("B9", "", "太长", "长" * 10_001, C1),
        ("", "", "没有编号", "仍可导入", C2),
    ]
    table(path, rows)
    with path.open("ab") as file:
        file.write("B11,,坏编码,".encode() + "内容".encode("gb18030") + f",{C1}\n".encode())
        file.write(f'B12,,"引号没有结束,内容,{C1}\nB13,,好的一行,内容,{C2}\nB14,,少一列\n'.encode())

    ended = product.run("import", path)

    assert ended.returncode == 3, ended.stderr
    assert rejected(tmp_path / "b.csv.rejects.csv") == {
        "3": Why.NO_TEXT,
        "4": Why.DATE_TOO_EARLY,
        "5": Why.DATE_IN_FUTURE,
        "6": Why.BAD_DATE,
        "7": Why.UNKNOWN_COMMUNITY,
        "8": Why.NO_COMMUNITY,
        "9": Why.CELL_TOO_LARGE,
        "10": Why.TEXT_TOO_LONG,
        "12": Why.WRONG_ENCODING,
        "13": Why.BROKEN_QUOTING,
        "15": Why.WRONG_COLUMNS,
    }
    assert await product.imported("B%") == 2
    assert await product.imported("text-%") == 1


async def test_another_content_under_a_known_id_is_rejected_and_changes_nothing(
    product: Product, tmp_path: Path
) -> None:
    path = table(tmp_path / "o.csv", [("O1", "", "原来的", "内容", C1), ("O1", "", "原来的", "内容", C1)])
    first = product.run("import", path)
    table(path, [("O1", "", "后来改过的", "内容", C1)])

    second = product.run("import", path)

    assert (first.returncode, second.returncode) == (0, 3)
    assert rejected(tmp_path / "o.csv.rejects.csv") == {"2": Why.OTHER_CONTENT}
    assert await product.imported("O%") == 1


async def test_a_workbook_and_gb18030_go_in_with_their_own_headers(product: Product, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(("工单号", "工单标题", "留言详情", "日期"))
    sheet.append(("X1", "路灯不亮", "已经一周", datetime(2026, 1, 2, 8)))  # noqa: DTZ001 - as workbooks hold it
    book.save(tmp_path / "x.xlsx")
    chinese = tmp_path / "g.csv"
    chinese.write_text("编号,标题,内容,社区\nG1,下水道堵了,污水外溢,河湾社区\n", encoding="gb18030")

    first = product.run("import", tmp_path / "x.xlsx", "--community", C1, "--map", "id=工单号")
    second = product.run("import", chinese)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    found = await product.rows("SELECT external_id, community FROM case_file WHERE external_id IN ('X1', 'G1')")
    assert {row["external_id"]: row["community"] for row in found} == {"X1": C1, "G1": C2}


async def test_a_dry_run_writes_nothing(product: Product, tmp_path: Path) -> None:
    path = table(tmp_path / "d.csv", [("D1", "", "路灯", "不亮", C1), ("D2", "", "", "", C1)])

    ended = product.run("import", path, "--dry-run")

    assert ended.returncode == 3
    assert "D1" in ended.stdout
    assert Why.NO_TEXT in ended.stdout
    assert await product.imported("D%") == 0
    assert [one.name for one in tmp_path.iterdir()] == ["d.csv"]


async def test_a_service_that_is_away_is_said_and_the_rest_may_follow(product: Product, tmp_path: Path) -> None:
    path = table(tmp_path / "s.csv", [("S1", "", "路灯", "不亮", C1)])

    away = product.run("import", path, "--patience", "1", SHANGLIANG_TEMPORAL_ADDRESS="127.0.0.1:9")
    again = product.run("import", path)

    assert away.returncode == 1
    assert "Traceback" not in away.stderr
    assert again.returncode == 0
    assert await product.imported("S%") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere.csv",),
        ("{file}", "--community", "620199001099"),
        ("{file}", "--map", "title=nothing"),
        ("{file}", "--map", "community=", "--source", "x"),
        ("{file}", "--policy", "nowhere"),
    ],
)
async def test_a_wrong_call_is_told_how_and_writes_nothing(
    product: Product, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    path = table(tmp_path / "u.csv", [("U1", "", "路灯", "不亮", C1)])

    ended = product.run("import", *(one.format(file=path) for one in arguments))

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert await product.imported("U%") == 0
