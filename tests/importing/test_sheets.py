"""Tables as people have them: every encoding, every kind of broken row, and always the rest."""

import gzip
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from services.importing.reasons import Reject, Why
from services.importing.sheets import Row, Unreadable, guessed, opened

WHEN = datetime(2026, 3, 2, 9)  # noqa: DTZ001 - as workbooks hold it
HEADER = "id,title,detail\n"


def read(path: Path, **more: object) -> list[Row | Reject]:
    with opened(path, **more) as sheet:  # type: ignore[arg-type]  # options of `opened`
        return list(sheet.rows)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def ids(rows: list[Row | Reject]) -> list[object]:
    return [row.cells[0] if isinstance(row, Row) else row.why for row in rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_an_encoding_is_told_from_the_text(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.csv", "编号,标题\n1,下水道堵塞\n2,路灯不亮\n", encoding)

    with opened(path) as sheet:
        assert sheet.header == ("编号", "标题")
        assert [row.cells for row in sheet.rows if isinstance(row, Row)] == [("1", "下水道堵塞"), ("2", "路灯不亮")]


def test_what_is_in_no_known_encoding_is_said() -> None:
    assert guessed(bytes(range(0x80, 0x100)) + b"\n" + b"\xff\xfe\xfd\xff\n") is None
    assert guessed(b"id,title\n1,lamp\n2,\xff\xfe\n3,drain\n") == "utf-8"


def test_a_named_encoding_is_taken_and_an_unknown_one_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,標題\n1,路燈不亮\n", "big5")

    assert [row.cells for row in read(path, encoding="big5") if isinstance(row, Row)] == [("1", "路燈不亮")]
    with pytest.raises(Unreadable):
        read(path, encoding="klingon")


def test_a_row_of_another_encoding_stays_outside_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((HEADER + "1,好,好\n").encode() + "2,坏,坏\n".encode("gb18030") + "3,好,好\n4,好,好\n".encode())

    assert ids(read(path)) == ["1", Why.WRONG_ENCODING, "3", "4"]


def test_gzip_delimiters_and_line_breaks_in_quotes(tmp_path: Path) -> None:
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(b'id;title\r\n1;"two\r\nlines; one ""cell"""\r\n2;x\r\n'))

    rows = read(packed)

    assert [(row.row, row.line) for row in rows] == [(2, 2), (3, 4)]
    assert isinstance(rows[0], Row)
    assert rows[0].cells == ("1", 'two\r\nlines; one "cell"')


def test_a_broken_archive_is_said_and_not_half_of_it_taken_as_all(tmp_path: Path) -> None:
    whole = gzip.compress((HEADER + "1,a,b\n" * 500_000).encode())
    cut = tmp_path / "a.csv.gz"
    cut.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(Unreadable):
        read(cut)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1,"never closed,x\n2,b,c\n3,d,e\n', [Why.BROKEN_QUOTING, "2", "3"]),
        ('1,"never closed,x\n2,"b",c\n3,d,e\n', [Why.BROKEN_QUOTING, "2", "3"]),
        ('1,a,b\n2,"x"y,c\n3,d,e\n', ["1", Why.BROKEN_QUOTING, "3"]),
        ('1,5" pipe,b\n2,c,d\n', ["1", "2"]),
        ("1,a,b\n2,c\n3,d,e,f\n4,g,h,\n5,i,j\n", ["1", Why.WRONG_COLUMNS, Why.WRONG_COLUMNS, "4", "5"]),
        ('1,a,b\n2,"last and open,c', ["1", Why.BROKEN_QUOTING]),
    ],
)
def test_a_broken_row_costs_itself_only(tmp_path: Path, text: str, expected: list[object]) -> None:
    assert ids(read(written(tmp_path / "a.csv", HEADER + text))) == expected


@pytest.mark.parametrize("cell", ["x" * 50_000, '"' + "x" * 50_000 + '"', '"' + "x\n" * 25_000 + '"'])
def test_a_huge_cell_stays_outside_and_the_next_row_goes_on(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path / "a.csv", HEADER + f"1,a,b\n2,{cell},c\n3,d,e\n")

    rows = read(path, cell_limit=2_000)

    assert ids(rows) == ["1", Why.CELL_TOO_LARGE, "3"]


def test_an_open_quote_before_many_rows_costs_its_row_only(tmp_path: Path) -> None:
    rows = "".join(f"{number},a,b\n" for number in range(2, 1_000))

    found = read(written(tmp_path / "a.csv", HEADER + '1,"open,x\n' + rows), cell_limit=2_000)

    assert ids(found) == [Why.BROKEN_QUOTING, *(str(number) for number in range(2, 1_000))]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04\x00\x00\x00\x00"])
def test_what_is_no_table_is_refused_as_a_whole(tmp_path: Path, content: bytes) -> None:
    for name in ("a.csv", "a.xlsx"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Unreadable):
            read(tmp_path / name)


def test_a_workbook_is_read_with_its_dates_and_short_rows(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("id", "title", "time", None), (7.0, "灯", WHEN), (None,), (8, "x" * 3000)):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")

    rows = read(tmp_path / "a.xlsx", cell_limit=2_000)

    assert rows[0] == Row(2, 0, ("7", "灯", WHEN))
    assert isinstance(rows[1], Reject)
    assert (rows[1].row, rows[1].why) == (4, Why.CELL_TOO_LARGE)
    with pytest.raises(Unreadable):
        read(tmp_path / "a.xlsx", sheet="nope")
