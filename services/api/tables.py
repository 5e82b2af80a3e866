"""Give a list as JSON, CSV, a spreadsheet or a document, as the caller's Accept header asks."""

import asyncio
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import Request, Response

from services.api.errors import NotAcceptable
from services.texts.catalogue import catalogue
from services.texts.columns import moment, yes_or_no

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FORMATS = (CSV, XLSX, DOCX)
# A cell that begins so is a formula for spreadsheet programs; what people wrote must never be run.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Says(StrEnum):
    """What a column holds, and so in which words a reader finds it there."""

    TEXT = "TEXT"
    """As it is: what people wrote, numbers, days."""
    CODE = "CODE"
    """Codes of the catalogue, or of an enumeration."""
    NAME = "NAME"
    """Codes of places, organisations and categories."""
    STATE = "STATE"
    CLOCK = "CLOCK"
    MOMENT = "MOMENT"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: which value, under which heading, in which words.

    `of` is the enumeration that its codes are of, or the process that its states are of where a row does not say.
    """

    name: str
    zh: str
    en: str
    says: Says = Says.TEXT
    of: str = ""


async def table_response(
    request: Request,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    name: str,
    language: str,
    *,
    title: str = "",
) -> Response | None:
    """Give the table as a file; None when JSON will do. Raises `NotAcceptable` for any other format.

    `title` heads a document; a document without one is headed by its name.
    """
    kind = wanted(request.headers.get("accept", "*/*"))
    if kind is None:
        return None
    heading = [column.en if language == "en" else column.zh for column in columns]
    said = await _saying(request.app.state.desk, columns, rows, language)
    cells = [[_cell(said(row, column)) for column in columns] for row in rows]
    if kind == DOCX:
        ending, body = "docx", await asyncio.to_thread(_docx, title or name, [heading, *cells])
    else:
        write, ending = (_csv, "csv") if kind == CSV else (_xlsx, "xlsx")
        body = await asyncio.to_thread(write, [heading, *cells])
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"', "Cache-Control": "no-store"}
    return Response(body, headers=headers, media_type=kind)


async def _saying(
    desk: Any, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], language: str
) -> Callable[[Mapping[str, Any], Column], Any]:
    """Say the value of a row in a column as people read it; what has no word is given as it is."""
    words, english = catalogue(), language == "en"
    named = [column.name for column in columns if column.says is Says.NAME]
    codes = {code for row in rows for name in named for code in _each(row.get(name))}
    categories = desk.pack.categories
    names = {
        code: categories[code].title_en if english else categories[code].title for code in codes & categories.keys()
    }
    if codes:
        names |= {code: one.name for code, one in (await desk.people.regions(filter(str.isdigit, codes))).items()}
        names |= {code: one.name for code, one in (await desk.people.organizations(codes - names.keys())).items()}

    def titled(row: Mapping[str, Any], column: Column, code: str) -> str:
        process = desk.door.processes.get(row.get("process") or column.of)
        if process is None:
            return code
        if column.says is Says.CLOCK:
            found = process.clock_rules.get(code)
        else:
            found = process.positions.get(f"{code}:{row.get('phase') or ''}") or process.positions.get(code)
        return code if found is None else str(found.en if english else found.zh)

    def one(row: Mapping[str, Any], column: Column, value: Any) -> Any:
        if isinstance(value, bool):
            return yes_or_no(value, language)
        if isinstance(value, Mapping):
            # A yes without its heading says nothing.
            return {name: one(row, column, each) for name, each in value.items() if not isinstance(each, bool)}
        if isinstance(value, list | tuple):
            return [one(row, column, each) for each in value]
        if not isinstance(value, str) or column.says is Says.TEXT:
            return value
        if column.says in (Says.STATE, Says.CLOCK):
            return titled(row, column, value)
        if column.says is Says.MOMENT:
            return moment(value)
        if column.says is Says.NAME:
            return names.get(value, value)
        own = f"{column.of}.{value}"
        return words.say("value", own if words.has("value", own, language) else value, language)

    return lambda row, column: one(row, column, row.get(column.name))


def _each(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, str):
            yield one


def is_file(request: Request) -> bool:
    """Say whether a caller wants a table as a file; raises `NotAcceptable` for any other format."""
    return wanted(request.headers.get("accept", "*/*")) is not None


def wanted(accept: str) -> str | None:
    """The file format that a caller likes best; None for JSON."""
    best: tuple[float, str | None] | None = None
    for part in accept[:500].split(","):
        media, _, rest = part.strip().partition(";")
        media = media.strip().lower()
        quality = next((one.strip()[2:] for one in rest.split(";") if one.strip().startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            continue
        kind = media if media in FORMATS else None
        if (
            weight > 0
            and (kind or media in ("*/*", "application/*", "application/json"))
            and (best is None or weight > best[0])
        ):
            best = (weight, kind)
    if best is None:
        raise NotAcceptable(choices=", ".join(("application/json", *FORMATS)))
    return best[1]


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        value = " ".join(str(one) for one in value.values() if one is not None)
    elif isinstance(value, list | tuple):
        value = "; ".join(str(_cell(one)) for one in value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return "" if value is None else value


def _csv(lines: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    # With a mark at the front, or the common spreadsheet program shows Chinese as rubbish.
    return out.getvalue().encode("utf-8-sig")


def _xlsx(lines: Sequence[Sequence[Any]]) -> bytes:
    # Seldom asked for, and a fifth of the time that the API takes to start.
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for line in lines:
        sheet.append(list(line))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _docx(title: str, lines: Sequence[Sequence[Any]]) -> bytes:
    """A page on its side with one table, whose heading is on every sheet."""
    # Seldom asked for, and slow to load.
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt

    document = Document()
    page = document.sections[0]
    page.orientation, page.page_width, page.page_height = WD_ORIENT.LANDSCAPE, Mm(297), Mm(210)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(15)
    usual = document.styles["Normal"]
    usual.font.name, usual.font.size = "FangSong", Pt(10)
    usual.element.rPr.rFonts.set(qn("w:eastAsia"), "仿宋_GB2312")
    document.add_heading(title, level=1)
    table = document.add_table(rows=len(lines), cols=len(lines[0]), style="Table Grid")
    for row, line in zip(table.rows, lines, strict=True):
        for cell, value in zip(row.cells, line, strict=True):
            cell.text = str(value)
    repeated = OxmlElement("w:tblHeader")
    repeated.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(repeated)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
