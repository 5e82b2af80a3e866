"""Read tables that people have: CSV in any of their encodings, compressed or not, and XLSX; a row at a time.

A broken row is handed out as a `Reject` and the next ones are read: an unclosed quote must not swallow the rest of
the file, and no file, however long, is held in memory.
"""

import codecs
import csv
import gzip
import io
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, TextIO

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from services.importing.reasons import Reject, Why

CELL_LIMIT = 1_000_000
SAMPLE_BYTES = 1 << 18
DELIMITERS = ",;\t"
# A workbook of this size unpacked is no list of messages.
LARGEST_WORKBOOK = 2 << 30
LARGEST_CSV_FIELD = 1 << 26
LOOK_AHEAD = 50

Cell = str | datetime | date


class Unreadable(Exception):
    """The file as a whole cannot be read; says why in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells in the order of the header. For `row` and `line` see `Reject`."""

    row: int
    line: int
    cells: tuple[Cell, ...]


@dataclass(slots=True)
class Sheet:
    """A file that is being read: its header, then its rows once."""

    header: tuple[str, ...]
    rows: Iterator[Row | Reject]
    encoding: str
    size: int
    """Bytes of the file, or rows of a workbook: what `position` counts up to."""
    tell: "Tell" = field(repr=False)

    @property
    def position(self) -> int:
        """How far the reading has come."""
        return self.tell.place()


@dataclass(slots=True)
class Tell:
    """Where the reading stands: in the raw file, or the number of the row."""

    file: BinaryIO | None = None
    row: int = 0

    def place(self) -> int:
        """Bytes of the raw file, or rows."""
        return self.file.tell() if self.file is not None and not self.file.closed else self.row


@contextmanager
def opened(
    path: Path, *, encoding: str | None = None, sheet: str | None = None, cell_limit: int = CELL_LIMIT
) -> Iterator[Sheet]:
    """Open a table for reading; raises `Unreadable` when it is none, is empty or its encoding cannot be told."""
    name = path.name.lower()
    if name.endswith((".xlsx", ".xlsm")):
        with _workbook(path, sheet, cell_limit) as found:
            yield found
    elif name.endswith((".xls", ".ods", ".numbers")):
        raise Unreadable(f"{path.name}：请先另存为 .xlsx 或 .csv。", f"{path.name}: save it as .xlsx or .csv first.")
    else:
        with _text(path, encoding, cell_limit) as found:
            yield found


# --- CSV ------------------------------------------------------------------------------------------------------


@contextmanager
def _text(path: Path, encoding: str | None, cell_limit: int) -> Iterator[Sheet]:
    with path.open("rb") as raw:
        size = path.stat().st_size
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        binary: BinaryIO = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]  # reads alike
        try:
            sample = binary.read(SAMPLE_BYTES)
            binary.seek(0)
        except (OSError, EOFError, zlib.error) as broken:
            raise Unreadable(
                f"{path.name}：压缩文件已损坏。", f"{path.name}: the compressed file is broken: {broken}"
            ) from None
        if b"\0" in sample[:4096] and not sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise Unreadable(f"{path.name}：不是文本表格。", f"{path.name}: not a table of text.")
        chosen = _codec(encoding) if encoding else guessed(sample)
        if chosen is None:
            raise Unreadable(
                f"{path.name}：无法识别文件编码，请用 --encoding 指明（如 gb18030、big5）。",
                f"{path.name}: the encoding cannot be told; name it with --encoding (such as gb18030, big5).",
            )
        tell = Tell(file=raw)
        # What cannot be decoded stays visible as lone surrogates, so that only its own row is refused.
        with io.TextIOWrapper(binary, encoding=chosen, errors="surrogateescape", newline="") as text:
            lines = _Lines(text, path.name, cell_limit)
            delimiter = _delimiter(sample, chosen)
            records = _records(lines, delimiter, chosen, cell_limit)
            first = next(records, None)
            if first is None:
                raise Unreadable(f"{path.name}：文件是空的。", f"{path.name}: the file is empty.")
            if isinstance(first, Reject):
                raise Unreadable(
                    f"{path.name}：表头无法读取（{first.zh}）。",
                    f"{path.name}: the header cannot be read ({first.en}).",
                )
            header = tuple(str(cell).strip() for cell in first.cells)
            yield Sheet(header, _fitting(records, len(header)), chosen, size, tell)


def guessed(sample: bytes) -> str | None:
    """Guess the encoding from the first part of a file: UTF-8 with or without BOM, UTF-16 with one, GB18030.

    A few broken lines do not change the guess; their rows are refused one by one.
    """
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    lines = [line for line in sample.split(b"\n")[:-1] or [sample] if not line.isascii()]
    if not lines:
        return "utf-8"
    for candidate in ("utf-8", "gb18030"):
        if sum(_decodes(line, candidate) for line in lines) * 2 > len(lines):
            return candidate
    # Mostly ASCII with a few broken lines.
    whole = sample.split(b"\n")[:-1]
    return "utf-8" if sum(_decodes(line, "utf-8") for line in whole) * 2 > len(whole) else None


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _codec(name: str) -> str:
    try:
        found = codecs.lookup(name).name
        "".encode(found)
    except LookupError:
        raise Unreadable(f"没有编码 {name}。", f"There is no encoding {name}.") from None
    # A BOM in front of the first header would become part of its name.
    return "utf-8-sig" if found == "utf-8" else found


def _delimiter(sample: bytes, encoding: str) -> str:
    head = sample.decode(encoding, errors="replace").lstrip("\ufeff\n\r").splitlines()
    first = head[0] if head else ""
    return max(DELIMITERS, key=first.count)


class _Lines:
    """Lines of a text with their numbers, which can be given back; a line beyond the limit comes in pieces."""

    def __init__(self, text: TextIO, name: str, cell_limit: int) -> None:
        self._text = text
        self._name = name
        self._most = cell_limit * 4
        self._back: deque[tuple[int, str]] = deque()
        self._number = 0
        self._inside = False

    def next(self) -> tuple[int, str] | None:
        """The next line with its number; None at the end. A piece without a line end is a line too long."""
        if self._back:
            return self._back.popleft()
        try:
            line = self._text.readline(self._most)
        except (OSError, EOFError, zlib.error):
            raise Unreadable(
                f"{self._name}：压缩文件在第 {self._number} 行之后中断。",
                f"{self._name}: the compressed file ends after line {self._number}.",
            ) from None
        if not line:
            return None
        if not self._inside:
            self._number += 1
        self._inside = not line.endswith(("\n", "\r"))
        return self._number, line

    def give_back(self, lines: list[tuple[int, str]]) -> None:
        """Let these lines come again."""
        self._back.extendleft(reversed(lines))

    def is_cut(self, line: str) -> bool:
        """Say whether a line is only the first piece of a longer one."""
        return len(line) >= self._most and not line.endswith(("\n", "\r"))


def _records(lines: _Lines, delimiter: str, encoding: str, cell_limit: int) -> Iterator[Row | Reject]:
    """Put lines together to records; a record that never ends costs its first line only."""
    csv.field_size_limit(LARGEST_CSV_FIELD)
    number = width = 0
    while (first := lines.next()) is not None:
        if not first[1].strip():
            continue
        number += 1
        record = _record(lines, first, number, delimiter, encoding, cell_limit, width)
        if isinstance(record, Row):
            width = width or len(record.cells)
        yield record


def _record(
    lines: _Lines,
    first: tuple[int, str],
    number: int,
    delimiter: str,
    encoding: str,
    cell_limit: int,
    width: int,
) -> Row | Reject:
    begun = first[0]
    if lines.is_cut(first[1]):
        _skip_line(lines)
        return Reject(number, begun, "", Why.CELL_TOO_LARGE, str(cell_limit))
    held = [first]
    size = len(first[1])
    cells = _split(first[1], delimiter)
    while cells is None:
        following = lines.next()
        if following is None or size > cell_limit or lines.is_cut(following[1]):
            if following is not None and lines.is_cut(following[1]):
                # The text before was the start of this one cell: all of it goes.
                _skip_line(lines)
                return Reject(number, begun, "", Why.CELL_TOO_LARGE, str(cell_limit))
            lines.give_back(held[1:] + ([following] if following else []))
            if following is None or _are_rows(held[1:LOOK_AHEAD], delimiter, width):
                return Reject(number, begun, "", Why.BROKEN_QUOTING)
            _skip_cell(lines)
            return Reject(number, begun, "", Why.CELL_TOO_LARGE, str(cell_limit))
        held.append(following)
        size += len(following[1])
        if '"' in following[1]:
            cells = _split("".join(line for _, line in held), delimiter)
            if cells == ():
                break
    if not cells:
        lines.give_back(held[1:])
        return Reject(number, begun, "", Why.BROKEN_QUOTING)
    if max(map(len, cells)) > cell_limit:
        return Reject(number, begun, "", Why.CELL_TOO_LARGE, str(cell_limit))
    if any("\ud800" <= letter <= "\udfff" for cell in cells if not cell.isascii() for letter in cell):
        return Reject(number, begun, "", Why.WRONG_ENCODING, encoding.removesuffix("-sig"))
    return Row(number, begun, cells)


def _split(text: str, delimiter: str) -> tuple[str, ...] | None:
    """The cells of a record; None when its last quote is not closed yet, nothing when it can never be one."""
    try:
        return tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)))
    except csv.Error as refused:
        return None if "unexpected end of data" in str(refused) else ()
    except StopIteration:
        return ()


def _are_rows(lines: list[tuple[int, str]], delimiter: str, width: int) -> bool:
    """Say whether lines look like rows of this table, and not like the text of one large cell."""
    fitting = sum(len(_split(line, delimiter) or ()) == width for _, line in lines)
    return fitting * 2 > len(lines)


def _skip_cell(lines: _Lines) -> None:
    """Read on to the line where the open quote is closed."""
    while (line := lines.next()) is not None:
        if line[1].count('"') % 2:
            return


def _skip_line(lines: _Lines) -> None:
    while (piece := lines.next()) is not None:
        if not lines.is_cut(piece[1]):
            return


def _fitting(records: Iterator[Row | Reject], width: int) -> Iterator[Row | Reject]:
    """Refuse what has not the columns of the header; empty cells behind the last column are passed over."""
    for record in records:
        if isinstance(record, Row):
            cells = record.cells
            while len(cells) > width and not cells[-1]:
                cells = cells[:-1]
            if len(cells) != width:
                yield Reject(record.row, record.line, "", Why.WRONG_COLUMNS, f"{len(cells)} / {width}")
                continue
            record = Row(record.row, record.line, cells)
        yield record


# --- XLSX -----------------------------------------------------------------------------------------------------


@contextmanager
def _workbook(path: Path, sheet: str | None, cell_limit: int) -> Iterator[Sheet]:
    broken = Unreadable(f"{path.name}：不是可读的 .xlsx 文件。", f"{path.name}: not a readable .xlsx file.")
    try:
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked > LARGEST_WORKBOOK:
            raise Unreadable(f"{path.name}：文件过大。", f"{path.name}: too large.")
        book = load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError):
        raise broken from None
    try:
        if sheet is not None and sheet not in book.sheetnames:
            names = "、".join(book.sheetnames)
            raise Unreadable(f"没有工作表 {sheet}，有：{names}", f"No sheet {sheet}; there are: {names}")
        found = book[sheet] if sheet is not None else book.worksheets[0]
        # Programs write wrong dimensions; the rows themselves are the truth.
        size = found.max_row or 0
        found.reset_dimensions()
        tell = Tell()
        rows = _cells(found.iter_rows(values_only=True), tell, cell_limit)
        first = next(rows, None)
        if first is None or isinstance(first, Reject):
            raise Unreadable(f"{path.name}：第一张表没有表头。", f"{path.name}: the first sheet has no header.")
        header = [str(cell).strip() for cell in first.cells]
        while header and not header[-1]:
            header.pop()
        yield Sheet(tuple(header), _padded(rows, len(header)), "xlsx", size, tell)
    except (zipfile.BadZipFile, zlib.error, SyntaxError):
        raise broken from None
    finally:
        book.close()


def _cells(rows: Iterator[tuple[object, ...]], tell: Tell, cell_limit: int) -> Iterator[Row | Reject]:
    for number, values in enumerate(rows, start=1):
        tell.row = number
        if all(value is None for value in values):
            continue
        cells = tuple(_cell(value) for value in values)
        if any(isinstance(cell, str) and len(cell) > cell_limit for cell in cells):
            yield Reject(number, 0, "", Why.CELL_TOO_LARGE, str(cell_limit))
        else:
            yield Row(number, 0, cells)


def _cell(value: object) -> Cell:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # Excel writes some line breaks like this.
    return str(value).replace("_x000D_", "\n")


def _padded(rows: Iterator[Row | Reject], width: int) -> Iterator[Row | Reject]:
    """A spreadsheet leaves out the empty cells at the end of a row."""
    for row in rows:
        if isinstance(row, Row):
            cells = row.cells + ("",) * (width - len(row.cells))
            if any(cells[width:]):
                yield Reject(row.row, 0, "", Why.WRONG_COLUMNS, f"{len(cells)} / {width}")
                continue
            row = Row(row.row, row.line, cells[:width])
        yield row
