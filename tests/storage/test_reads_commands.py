"""`shangliang overdue`, `show` and `export` as somebody types them."""

import asyncio
import csv
import json
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from typer.testing import CliRunner

from services.cli import build
from tests.storage.town import PROPERTY, Town, Wish, assign, at, finish, submit
from workflows.issue import commands as do
from workflows.issue.process import ISSUE

GREEN = "✗ 没有颜色 green。可用:RED, YELLOW, BLUE\n  There is no color green. There are: RED, YELLOW, BLUE\n"
SECRET = "三单元四楼漏水"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> None:
    monkeypatch.setenv("SHANGLIANG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SHANGLIANG_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "300")


async def shangliang(*arguments: str) -> tuple[int, str]:
    # A command runs a loop of its own, which cannot be within ours.
    ended = await asyncio.to_thread(CliRunner().invoke, build(), arguments)
    return ended.exit_code, ended.output


async def late_case(town: Town) -> str:
    case = await assign(town, await submit(town, Wish(SECRET, "=1+1"), at("2026-03-02 09:00")), at("2026-03-02 10:00"))
    case = await town.give(ISSUE, case, do.Sign(), PROPERTY, at("2026-03-02 11:00"))
    case = await town.wait(ISSUE, case, at("2026-03-20 09:00"))
    return case.number


async def test_what_is_overdue_is_listed_without_what_people_wrote(town: Town) -> None:
    number = await late_case(town)

    code, table = await shangliang("overdue", "--process", "issues", "--color", "red")
    _, titled = await shangliang("overdue", "--color", "RED", "--with-texts")
    _, written = await shangliang("overdue", "--json", "--limit", "1")
    _, none = await shangliang("overdue", "--owner", "nobody")

    assert code == 0
    assert number in table
    assert "HANDLE" in table
    assert SECRET not in table
    assert SECRET in titled
    page = json.loads(written)
    assert page["items"][0]["number"] == number
    assert "title" not in page["items"][0]
    assert page["next_cursor"]
    assert "Nothing is overdue" in none
    assert await shangliang("overdue", "--color", "green") == (2, GREEN)
    assert (await shangliang("overdue", "--community", "620199009"))[0] == 2
    code, rest = await shangliang("overdue", "--json", "--after", page["next_cursor"])
    assert code == 0
    assert json.loads(rest)["items"][0] != page["items"][0]


async def test_a_case_is_shown_with_its_clocks_and_its_chain(town: Town) -> None:
    number = await late_case(town)

    code, shown = await shangliang("show", number)
    _, clear = await shangliang("show", number, "--with-texts")
    _, written = await shangliang("show", number, "--json")

    assert code == 0
    assert "issue.mode.limited.simple = 7 working_days" in shown
    assert "clock_breached" in shown
    assert "whole" in shown
    assert SECRET not in shown
    assert SECRET in clear
    assert SECRET not in written
    assert json.loads(written)["chain"] == "OK"


async def test_a_history_that_was_tampered_with_ends_the_command_with_an_error(town: Town) -> None:
    number = await late_case(town)
    async with town.engine.begin() as connection:
        await connection.execute(text("GRANT UPDATE ON event TO CURRENT_USER"))
        await connection.execute(text("ALTER TABLE event DISABLE TRIGGER refuse_change"))
        await connection.execute(
            text(
                "UPDATE event SET actor = 'x' WHERE seq = 2 AND case_id = (SELECT id FROM case_file WHERE number = :n)"
            ),
            {"n": number},
        )
        await connection.execute(text("ALTER TABLE event ENABLE TRIGGER refuse_change"))
        await connection.execute(text("REVOKE UPDATE ON event FROM CURRENT_USER"))

    code, shown = await shangliang("show", number)

    assert code == 1
    assert "Entry 2 of the history" in shown


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_an_export_holds_every_case_and_no_words_unless_asked(town: Town, tmp_path: Path, kind: str) -> None:
    number = await late_case(town)
    done = await assign(town, await submit(town, Wish("毕", "二"), at("2026-03-03 09:00")), at("2026-03-03 10:00"))
    done = await finish(town, done, at("2026-03-03 11:00"))
    plain, clear = tmp_path / f"plain.{kind}", tmp_path / f"clear.{kind}"

    code, said = await shangliang("export", str(plain), "--state", "IN_PROGRESS")
    again, _ = await shangliang("export", str(plain))
    with_words, warned = await shangliang("export", str(clear), "--since", "2026-03-01", "--with-texts")

    assert (code, again, with_words) == (0, 2, 0)
    assert "rows" in said
    assert "personal data" in warned
    rows = {row["编号"]: row for row in _rows(plain)}
    assert number in rows
    assert done.number not in rows
    assert "标题" not in rows[number]
    words = {row["编号"]: row for row in _rows(clear)}
    assert words[number]["标题"] == SECRET
    assert words[number]["内容"] == "'=1+1", "a formula must not run in somebody's spreadsheet"
    assert words[done.number]["牵头单位"] == "property-1"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [clear.name, plain.name]


def _rows(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as opened:
            return list(csv.DictReader(opened))
    book = load_workbook(path, read_only=True)
    lines = list(book.active.iter_rows(values_only=True))
    book.close()
    return [dict(zip(map(str, lines[0]), line, strict=True)) for line in lines[1:]]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("overdue", "--within", "soon"), 2, "48h"),
        (("overdue", "--process", "wishes"), 2, "issues"),
        (("overdue", "--after", "rubbish"), 2, "--after"),
        (("overdue", "--limit", "0"), 2, "--limit"),
        (("show", "no such number"), 1, "There is no case"),
        (("export", "list.pdf"), 2, ".csv or .xlsx"),
        (("export", "/no/such/folder/list.csv"), 1, "cannot be written"),
        (("export", "/no/such/folder/list.xlsx"), 1, "cannot be written"),
        (("export", "list.csv", "--since", "1 March"), 2, "2026-03-01"),
    ],
)
async def test_misuse_is_answered_with_what_to_do(
    arguments: tuple[str, ...], code: int, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    ended, output = await shangliang(*arguments)

    assert (ended, said in output) == (code, True), output


@pytest.mark.parametrize("command", [("overdue",), ("show", "x"), ("export", "x.csv")])
async def test_a_database_that_does_not_answer_ends_with_one_clear_line(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHANGLIANG_DATABASE_URL", "postgresql://nobody:hidden@127.0.0.1:1/x")
    code, output = await shangliang(*command)
    monkeypatch.delenv("SHANGLIANG_DATABASE_URL")
    without, hint = await shangliang(*command)

    assert (code, without) == (1, 1)
    assert "does not answer" in output
    assert "hidden" not in output
    assert "shangliang up" in hint
