"""Make the base templates of all documents from papers.toml beside them; a city edits copies of the docx files.

.venv/bin/python .ci/templates.py [FOLDER]
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

FOLDER = Path(__file__).resolve().parents[1] / "services/documents/templates/default_2026"
BODY, HEADING = "宋体", "黑体"
CENTER, RIGHT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT
COLORS = {"BLUE": "1F5FBF", "YELLOW": "B7791F", "RED": "C00000", "": "000000"}
EXPRESSION = re.compile(r"\{\{\s*(.+?)\s*\}\}")
LABEL, VALUE = Mm(38), Mm(120)


def main(folder: Path = FOLDER) -> None:
    """Write one docx for each table of papers.toml."""
    for kind, spec in tomllib.loads((FOLDER / "papers.toml").read_text("utf-8")).items():
        build(spec).save(folder / f"{kind}.docx")


def build(spec: dict[str, Any]) -> Any:
    """Make the template of one kind of document."""
    document = Document()
    _faces(document)
    heads = spec.get("heads") or [["", spec["title"], ""]]
    for number, (condition, title, color) in enumerate(heads):
        if condition:
            _line(document, f"{{%p {'elif' if number else 'if'} {condition} %}}")
        _line(document, title, size=20, face=HEADING, align=CENTER, color=color, after=6)
    if heads[-1][0]:
        _line(document, "{%p endif %}")
    _line(document, "{{ paper.number }}", size=10.5, align=CENTER, after=10)
    if to := spec.get("to"):
        _line(document, to)
    _paragraphs(document, spec.get("text", []))
    if rows := spec.get("rows"):
        _rows(document, rows)
    for listed in spec.get("lists", []):
        _list(document, listed)
    _paragraphs(document, spec.get("after", []), before=6)
    if issuer := spec.get("issuer"):
        _line(document, issuer, align=RIGHT, before=14)
        _line(document, "{{ paper.issued_on }}", align=RIGHT)
    _mark(document)
    return document


def _faces(document: Any) -> None:
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = BODY, Pt(12)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), BODY)
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(26)
    document.core_properties.author = "商量 Shangliang"


def _line(container: Any, text: str, **form: Any) -> None:
    _write(container.add_paragraph(), text, **form)


def _write(
    paragraph: Any,
    text: str,
    *,
    size: float = 12,
    face: str = BODY,
    align: Any = None,
    color: str = "",
    indent: float = 0,
    before: float = 0,
    after: float = 0,
) -> None:
    form = paragraph.paragraph_format
    form.space_before, form.space_after, paragraph.alignment = Pt(before), Pt(after), align
    if indent:
        form.first_line_indent = Pt(indent)
    run = paragraph.add_run(text)
    run.font.size, run.font.name = Pt(size), face
    run._element.rPr.rFonts.set(qn("w:eastAsia"), face)
    if color:
        run.font.color.rgb = RGBColor.from_string(COLORS[color])


def _paragraphs(document: Any, texts: list[Any], before: float = 0) -> None:
    for one in texts:
        condition, text = one if isinstance(one, list) else ("", one)
        if condition:
            _line(document, f"{{%p if {condition} %}}")
        _line(document, text, indent=24, before=before, after=4)
        if condition:
            _line(document, "{%p endif %}")


def _rows(document: Any, rows: list[list[str]]) -> None:
    """Two columns, title and value; a row whose value is empty is left out."""
    table = document.add_table(rows=0, cols=2, style="Table Grid")
    for row in rows:
        title, value, *given = row
        condition = given[0] if given else " or ".join(f"({one})" for one in EXPRESSION.findall(value))
        if condition:
            table.add_row().cells[0].text = f"{{%tr if {condition} %}}"
        cells = table.add_row().cells
        _write(cells[0].paragraphs[0], title, face=HEADING, size=11)
        _write(cells[1].paragraphs[0], value, size=11)
        if condition:
            table.add_row().cells[0].text = "{%tr endif %}"
    table.columns[0].width, table.columns[1].width = LABEL, VALUE
    for row in table.rows:
        row.cells[0].width, row.cells[1].width = LABEL, VALUE


def _list(document: Any, listed: dict[str, Any]) -> None:
    """A table with a line for each entry of a list."""
    columns = listed["columns"]
    condition = listed.get("if", listed["over"])
    _line(document, f"{{%p if {condition} %}}")
    if title := listed.get("title"):
        _line(document, title, face=HEADING, before=8, after=4)
    table = document.add_table(rows=4, cols=len(columns), style="Table Grid")
    for place, (heading, value) in enumerate(columns):
        _write(table.rows[0].cells[place].paragraphs[0], heading, face=HEADING, size=10.5)
        _write(table.rows[2].cells[place].paragraphs[0], value, size=10.5)
    table.rows[1].cells[0].text = f"{{%tr for one in {listed['over']} %}}"
    table.rows[3].cells[0].text = "{%tr endfor %}"
    _line(document, "{%p endif %}")


def _mark(document: Any) -> None:
    """The number and the code by which everybody can tell a true document."""
    document.add_paragraph()
    table = document.add_table(rows=1, cols=2)
    table.columns[0].width, table.columns[1].width = Mm(132), Mm(26)
    words, square = table.rows[0].cells
    words.width, square.width = Mm(132), Mm(26)
    _write(words.paragraphs[0], "文号：{{ paper.number }}　核验码：{{ paper.check_code }}", size=9)
    _line(words, "核验：{{ paper.address }}", size=9)
    _line(words, "依据政策包 {{ policy.pack }} 第 {{ policy.version }} 版；出具时间 {{ paper.issued_at }}", size=9)
    _write(square.paragraphs[0], "{{ qr }}", size=9, align=RIGHT)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
