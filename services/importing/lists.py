"""Read a list of a county from a spreadsheet (清单导入): every fault by cell, all of it or nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.importing.reasons import Reject
from services.importing.sheets import Row, opened
from services.storage.lists import FIELDS, Entry
from services.texts.catalogue import catalogue

# What people call these columns; the first that a file has is taken.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "item_code": ("item_code", "code", "事项编码", "事项编号", "编码", "编号", "序号"),
    "name": ("name", "item_name", "事项名称", "事项", "名称", "项目名称"),
    "legal_basis": ("legal_basis", "basis", "法律依据", "设定依据", "政策依据", "依据"),
    "lead_department": ("lead_department", "department", "牵头部门", "责任部门", "牵头单位", "责任单位", "部门"),
    "funding_note": ("funding_note", "funding", "经费说明", "经费保障", "经费", "工作条件"),
}
NEEDED = ("item_code", "name")
LONGEST = {"item_code": 40, "name": 300, "legal_basis": 1000, "lead_department": 200, "funding_note": 1000}
MOST = 5000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell; `row` counts as a spreadsheet does, the header being 1."""

    row: int
    column: str
    code: str
    detail: str = ""

    def say(self, language: str) -> str:
        """The fault in words."""
        return catalogue().say("cell", self.code, language, detail=self.detail)


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says (清单预览): the entries, or why it cannot be taken."""

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]


def read_list(path: Path, *, encoding: str | None = None) -> Read:
    """Read a CSV or XLSX file; raises `Unreadable` when it is no table at all."""
    with opened(path, encoding=encoding) as sheet:
        places = _places(sheet.header)
        missing = [name for name in NEEDED if name not in places]
        if missing:
            return Read((), tuple(Fault(1, name, "NO_COLUMN", " / ".join(HEADERS[name])) for name in missing))
        return _read(sheet.rows, places)


def _places(header: Sequence[str]) -> dict[str, int]:
    """Which column holds which field."""
    plain = [cell.strip().lower() for cell in header]
    found = {name: [plain.index(title) for title in titles if title in plain] for name, titles in HEADERS.items()}
    return {name: columns[0] for name, columns in found.items() if columns}


def _read(rows: Iterator[Row | Reject], places: Mapping[str, int]) -> Read:
    entries: list[Entry] = []
    faults: list[Fault] = []
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        if isinstance(row, Reject):
            faults.append(Fault(row.row, "", "UNREADABLE", row.zh))
            continue
        values = {name: str(row.cells[place]).strip() if row.cells[place] else "" for name, place in places.items()}
        if not any(values.values()):
            continue
        found = [*_cell_faults(row.row, values), *_twins(row.row, values, seen)]
        faults.extend(found)
        if not found:
            entries.append(Entry(**values))
        if len(entries) > MOST:
            faults.append(Fault(row.row, "", "TOO_MANY", str(MOST)))
            break
    if not entries and not faults:
        faults.append(Fault(2, "", "EMPTY"))
    return Read(tuple(entries), tuple(faults))


def _cell_faults(row: int, values: Mapping[str, str]) -> Iterator[Fault]:
    yield from (Fault(row, name, "BLANK") for name in NEEDED if not values[name])
    yield from (
        Fault(row, name, "TOO_LONG", str(LONGEST[name])) for name in FIELDS if len(values.get(name, "")) > LONGEST[name]
    )


def _twins(row: int, values: Mapping[str, str], seen: dict[tuple[str, str], int]) -> Iterator[Fault]:
    """A code, or a name, must stand once in a list."""
    for name in NEEDED:
        key = (name, values[name])
        if values[name] and key in seen:
            yield Fault(row, name, "TWICE", str(seen[key]))
        seen.setdefault(key, row)
