"""The whole tree as one workbook (区划人员总表): taken in with every error by cell, all or nothing; given out again.

Each sheet is one kind of master data, each row one of them, found again by its own key: a row that is there already
is changed where it differs. The same checks hold as for single writes, so the workbook can break nothing.
"""

import asyncio
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import ValidationError

from services.api.faults import Fault, faults
from services.importing.sheets import Unreadable
from services.importing.tree_pages import NO, PAGES, YES, Page
from services.storage import people_records as records
from services.storage.tree import KINDS, Broken, Kind, Tree, add, change, every, refusal_of
from services.texts.catalogue import catalogue
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import GuardFailed

Row = dict[str, Any]
MOST_ROWS = 200_000
MOST_FAULTS = 500
LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CellFault:
    """One thing that is wrong, and where: sheet and cell as spreadsheets write them (`网格与单元`, `F7`)."""

    sheet: str
    cell: str
    zh: str
    en: str


@dataclass(slots=True)
class Taken:
    """What a workbook does, or would do (预览): rows by sheet, and every fault; `written` only when there is none."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: list[CellFault] = field(default_factory=list)
    written: bool = False

    def as_json(self) -> dict[str, Any]:
        """The same for a caller of the API."""
        rows = [{"sheet": one.sheet, "cell": one.cell, "zh": one.zh, "en": one.en} for one in self.faults]
        return {"written": self.written, "sheets": self.counts, "errors": rows}


class _Undone(Exception):
    """Takes everything back: a preview, or a workbook with faults."""


async def take_in(
    tree: Tree, content: BinaryIO, *, actor: str, places: tuple[str, ...] = ("",), dry_run: bool = False
) -> Taken:
    """Write a workbook into the tree, in the name of `actor` and within `places`; all of it or nothing.

    Raises `Unreadable` when it is no workbook, or holds no sheet of ours.
    """
    found = dict(await asyncio.to_thread(lambda: list(_sheets(content))))
    taken = Taken()
    try:
        async with tree.changing(actor) as connection:
            intake = _Intake(tree, connection, places, taken, await records.root_code(connection))
            for page in PAGES:
                if page.title in found:
                    await intake.page(page, found[page.title])
            if dry_run or taken.faults:
                raise _Undone
        taken.written = True
    except _Undone:
        pass
    return taken


@dataclass(slots=True)
class _Intake:
    tree: Tree
    connection: Any
    places: tuple[str, ...]
    taken: Taken
    root: str
    people: dict[str, UUID] = field(default_factory=dict)
    bodies: dict[tuple[str, str], Row] = field(default_factory=dict)

    async def page(self, page: Page, rows: Sequence[tuple[int, dict[str, tuple[str, str]]]]) -> None:
        """Take in the rows of a sheet, each in a savepoint of its own, so that every fault is found at once."""
        counts = self.taken.counts[page.title] = {"added": 0, "changed": 0, "unchanged": 0}
        known = await self._known(page)
        for number, cells in rows:
            if len(self.taken.faults) >= MOST_FAULTS:
                return
            try:
                async with self.connection.begin_nested():
                    counts[await self._row(page, cells, known)] += 1
            except ValidationError as wrong:
                for fault in faults(wrong.errors(include_url=False, include_input=False)):
                    self._fault(page, number, cells, fault)
            except Broken as error:
                self._refused(page, number, cells, refusal_of(error))
            except GuardFailed as refusal:
                self._refused(page, number, cells, refusal)

    async def _row(self, page: Page, cells: Mapping[str, tuple[str, str]], known: Mapping[tuple[str, ...], Row]) -> str:
        given = {one.field: one.read(cells[one.field][1]) for one in page.columns if cells.get(one.field, ("", ""))[1]}
        apart = ("body_type", "region_code") if page.kind == "member" else ()
        about = {name: given.pop(name) for name in apart if name in given}
        values: Row = page.model.model_validate(given).model_dump()
        named: Row = {**values, **about}
        place = str(named.get(page.place) or (self.root if page.kind == "person" else ""))
        if not place.startswith(self.places):
            raise GuardFailed("NOT_IN_ROLE", field=page.place)
        key = _key_of(page, named)
        old = known.get(key)
        if page.kind == "person":
            return await self._person(values, old)
        kind = KINDS[page.kind]
        if page.kind == "member":
            body = self.bodies.get((about.get("body_type", ""), about.get("region_code", "")))
            if body is None:
                raise GuardFailed("UNKNOWN_BODY", field="body_type", clause="data-model §2")
            values["body_id"] = body["id"]
        if old is None:
            if page.kind == "role":
                values["appointed_by"] = None
            await add(self.connection, kind, values, self.tree.limits)
            return "added"
        changed = {name: value for name, value in values.items() if name in given and self._differs(name, value, old)}
        changed = {name: value for name, value in changed.items() if name not in (*page.key, "person", "body_id")}
        if not changed:
            return "unchanged"
        await change(self.connection, kind, str(old[kind.key]), changed, self.tree.limits)
        return "changed"

    def _differs(self, name: str, value: Any, old: Row) -> bool:
        if name == "responsible":
            return {str(self.people.get(one, one)) for one in value} != {one["id"] for one in old["responsible"]}
        return bool(name in old and old[name] != value)

    async def _person(self, values: Row, old: Row | None) -> str:
        username, wanted = (
            values.pop("username"),
            {k: v for k, v in values.items() if k != "password" and v is not None},
        )
        if username is None:
            raise GuardFailed("USERNAME_NEEDED", field="username", clause="data-model §2")
        if old is None:
            made = await records.add_person_row(self.connection, wanted)
            await records.add_account_row(self.connection, made, username)
            self.people[username] = made
            return "added"
        changed = {name: value for name, value in wanted.items() if old.get(name) != value}
        if not changed:
            return "unchanged"
        await records.change_person(self.connection, old["id"], changed, None)
        return "changed"

    async def _known(self, page: Page) -> dict[tuple[str, ...], Row]:
        """The rows that are there already, by their key."""
        if page.kind == "person":
            rows = await records.by_username(self.connection)
            self.people = {row["username"]: row["id"] for row in rows}
            return {(row["username"],): row for row in rows}
        if not self.people:
            self.people = {row["username"]: row["id"] for row in await records.by_username(self.connection)}
        rows = [row for row in await every(self.connection, KINDS[page.kind]) if _is_open(page.kind, row)]
        if page.kind == "body":
            return {_key_of(page, row): row for row in rows}
        if page.kind == "member":
            self.bodies = {
                (row["type"], row["region_code"]): row
                for row in await every(self.connection, KINDS["body"])
                if row["active"]
            }
            by_id = {row["id"]: row for row in self.bodies.values()}
            rows = [
                {**row, "body_type": by_id[row["body_id"]]["type"], "region_code": by_id[row["body_id"]]["region_code"]}
                for row in rows
                if row["body_id"] in by_id
            ]
        if page.kind in ("role", "member"):
            names: dict[Any, list[str]] = {}
            for name, identity in self.people.items():
                names.setdefault(identity, []).append(name)
            return {
                _key_of(page, {**row, "person": name}): row
                for row in rows
                for name in names.get(row["person_id"], [""])
            }
        return {_key_of(page, row): row for row in rows}

    def _refused(self, page: Page, number: int, cells: Mapping[str, tuple[str, str]], refusal: GuardFailed) -> None:
        fault = Fault(refusal.field or page.key[0], refusal.reason, refusal.details, table="reason")
        self._fault(page, number, cells, fault)

    def _fault(self, page: Page, number: int, cells: Mapping[str, tuple[str, str]], fault: Fault) -> None:
        name = fault.field.partition(".")[0]
        letter = cells.get(name, ("", ""))[0] or cells.get(page.key[0], ("A", ""))[0] or "A"
        said = tuple(fault.say(catalogue(), language) for language in ("zh", "en"))
        self.taken.faults.append(CellFault(page.title, f"{letter}{number}", *said))


async def give_out(tree: Tree, place: str = "") -> bytes:
    """Make the workbook of everything within a place; it goes in again unchanged. Telephones stay where they are."""
    async with tree.looking() as connection:
        people = await records.by_username(connection)
        names: dict[Any, str] = {}
        for row in people:
            names.setdefault(row["id"], row["username"])
        bodies = {row["id"]: row for row in await every(connection, KINDS["body"])}
        rows = {
            page: [
                shown
                for row in await _rows(connection, KINDS.get(page.kind), people)
                if (shown := _with_names(page.kind, row, names, bodies)) is not None and _lies_in(page, shown, place)
            ]
            for page in PAGES
        }
    return await asyncio.to_thread(_written, rows)


def _written(rows: Mapping[Page, Sequence[Row]]) -> bytes:
    book = Workbook(write_only=True)
    for page, shown in rows.items():
        sheet = book.create_sheet(page.title)
        sheet.append(_heading(sheet, page))
        for row in shown:
            sheet.append([_cell(sheet, row.get(column.field)) for column in page.columns])
    written = BytesIO()
    book.save(written)
    return written.getvalue()


async def _rows(connection: Any, kind: Kind | None, people: list[Row]) -> list[Row]:
    if kind is None:
        return people
    return [row for row in await every(connection, kind) if _is_open(kind.name, row)]


def _with_names(kind: str, row: Row, names: Mapping[Any, str], bodies: Mapping[Any, Row]) -> Row | None:
    if kind == "unit":
        return {**row, "responsible": "、".join(names.get(UUID(one["id"]), one["id"]) for one in row["responsible"])}
    if kind == "role":
        return {**row, "person": names.get(row["person_id"], str(row["person_id"]))}
    if kind == "member":
        body = bodies[row["body_id"]]
        if not body["active"]:
            return None
        person = row["person_id"] and names.get(row["person_id"], str(row["person_id"]))
        return {**row, "person": person, "body_type": body["type"], "region_code": body["region_code"]}
    return row if kind != "body" or row["active"] else None


def _lies_in(page: Page, row: Row, place: str) -> bool:
    return str(row.get(page.place) or "").startswith(place)


def _is_open(kind: str, row: Row) -> bool:
    if kind in ("role", "member"):
        today = datetime.now(UTC).astimezone(CHINA).date()
        return row["until"] is None or row["until"] >= today
    return kind != "body" or bool(row["active"])


def _key_of(page: Page, row: Row) -> tuple[str, ...]:
    return tuple(str(row.get(name) or "") for name in page.key)


def _heading(sheet: Any, page: Page) -> list[Any]:
    cells = []
    for place, column in enumerate(page.columns, start=1):
        cell = WriteOnlyCell(sheet, f"{column.title} {column.field}")
        cell.font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(place)].width = 18
        cells.append(cell)
    sheet.freeze_panes = "A2"
    return cells


def _cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, bool):
        return YES[0] if value else NO[0]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, value)
        # What begins with an equals sign stays a text: nobody's name is a formula.
        cell.data_type = "s"
        return cell
    return value


def _sheets(content: BinaryIO) -> Iterator[tuple[str, list[tuple[int, dict[str, tuple[str, str]]]]]]:
    """The sheets of ours: rows with their numbers, cells by field with their letters."""
    try:
        with zipfile.ZipFile(content) as packed:
            if sum(one.file_size for one in packed.infolist()) > LARGEST * 8:
                raise Unreadable("工作簿过大。", "The workbook is too large.")
        content.seek(0)
        book = load_workbook(content, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise Unreadable("不是可读的 xlsx 工作簿。", "Not an xlsx workbook that can be read.") from error
    pages = {page.title: page for page in PAGES}
    ours = [name for name in book.sheetnames if name.strip() in pages]
    if not ours:
        known = "、".join(pages)
        raise Unreadable(f"没有可导入的工作表;应有:{known}。", f"No sheet to take in; there may be: {known}.")
    for name in ours:
        page = pages[name.strip()]
        yield page.title, list(_cells(page, book[name].iter_rows(values_only=True)))
    book.close()


def _cells(page: Page, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, dict[str, tuple[str, str]]]]:
    fields: dict[int, str] = {}
    for number, row in enumerate(rows, start=1):
        if number == 1:
            fields = {place: named for place, cell in enumerate(row) if (named := _field(page, str(cell or "")))}
            continue
        if number > MOST_ROWS:
            raise Unreadable(
                f"工作表 {page.title} 超过 {MOST_ROWS} 行。", f"More than {MOST_ROWS} rows in {page.title}."
            )
        cells = {
            name: (get_column_letter(place + 1), _text(row[place]))
            for place, name in fields.items()
            if place < len(row)
        }
        if any(text for _, text in cells.values()):
            yield number, cells


def _field(page: Page, title: str) -> str | None:
    """The field that a column's title names: in Chinese, in English or both."""
    words = title.strip().lower()
    for column in page.columns:
        if words in (column.title, column.field, f"{column.title} {column.field}"):
            return column.field
    return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


class TreeBooks:
    """The workbooks of one tree, for whoever hands files over."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    async def take_in(self, path: Path, *, actor: str, places: tuple[str, ...], dry_run: bool) -> dict[str, Any]:
        """Take a file in; what cannot be read at all is one fault of its own."""
        try:
            with path.open("rb") as content:
                taken = await take_in(self._tree, content, actor=actor, places=places, dry_run=dry_run)
        except Unreadable as no:
            taken = Taken(faults=[CellFault("", "A1", no.zh, no.en)])
        return taken.as_json()

    async def give_out(self, place: str) -> bytes:
        """Make the workbook of a place."""
        return await give_out(self._tree, place)
