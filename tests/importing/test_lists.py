"""A list of a county is read from what offices have, or every fault of it is named by its cell."""

from pathlib import Path

import pytest
from openpyxl import Workbook

from services.importing.lists import read_list
from services.importing.sheets import Unreadable
from services.storage.lists import Entry

HEADER = "事项编码,事项名称,法律依据,牵头部门,经费说明"


def written(folder: Path, *lines: str, encoding: str = "utf-8-sig") -> Path:
    file = folder / "list.csv"
    file.write_bytes("\r\n".join(lines).encode(encoding))
    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_of_an_office_is_read_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    file = written(tmp_path, HEADER, "B001,低保入户核查协助,社会救助暂行办法,民政局,按户补助", encoding=encoding)

    read = read_list(file)

    assert read.faults == ()
    assert read.entries == (
        Entry(
            item_code="B001",
            name="低保入户核查协助",
            legal_basis="社会救助暂行办法",
            lead_department="民政局",
            funding_note="按户补助",
        ),
    )


def test_columns_are_known_by_several_names_and_in_any_order(tmp_path: Path) -> None:
    file = written(tmp_path, "责任部门,事项,备注,序号", "民政局,低保核查,x,7")

    assert read_list(file).entries == (Entry(item_code="7", name="低保核查", lead_department="民政局"),)


def test_a_workbook_is_read_and_empty_rows_are_left_out(tmp_path: Path) -> None:
    book, file = Workbook(), tmp_path / "list.xlsx"
    sheet = book.active
    assert sheet is not None
    for row in (("item_code", "name"), ("A1", "调解民间纠纷"), (None, None), ("A2", "居务公开")):
        sheet.append(row)
    book.save(file)

    assert [one.item_code for one in read_list(file).entries] == ["A1", "A2"]


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        (["事项名称", "某事"], {(1, "item_code", "NO_COLUMN")}),
        ([HEADER], {(2, "", "EMPTY")}),
        ([HEADER, ",某事,,,"], {(2, "item_code", "BLANK")}),
        ([HEADER, "1,,,,", "2,某事,,,"], {(2, "name", "BLANK")}),
        ([HEADER, "1,某事,,,", "1,别事,,,"], {(3, "item_code", "TWICE")}),
        ([HEADER, "1,某事,,,", "2,某事,,,"], {(3, "name", "TWICE")}),
        ([HEADER, f"1,{'长' * 301},,,"], {(2, "name", "TOO_LONG")}),
    ],
)
def test_every_fault_is_named_by_its_cell(tmp_path: Path, lines: list[str], faults: set[tuple[int, str, str]]) -> None:
    found = read_list(written(tmp_path, *lines)).faults

    assert {(one.row, one.column, one.code) for one in found} == faults
    assert all(one.say("zh") and one.say("en") for one in found)


def test_too_long_a_list_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = written(tmp_path, HEADER, *(f"{n},第{n}项,,," for n in range(6000)))

    assert [one.code for one in read_list(file).faults] == ["TOO_MANY"]


def test_what_is_no_table_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "list.xlsx"
    file.write_bytes(b"no workbook")

    with pytest.raises(Unreadable):
        read_list(file)
