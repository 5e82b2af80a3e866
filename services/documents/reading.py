"""Read a filled docx as blocks that can be set on a page: paragraphs, tables, pictures.

The PDF is set from what stands in the docx, so that the two cannot differ, whatever template a city uses.
"""

import base64
import io
from collections.abc import Iterator
from typing import Any

Block = dict[str, Any]
"""`{kind: "par", align, indent, before, after, runs: [...]}` or `{kind: "table", widths, border, rows: [[cell]]}`.

A run is `{text, size, sans, bold, color}` (points; `#rrggbb` or null) or `{image, width}` (base64 of a PNG or JPEG;
millimetres); a cell is `{span, blocks}`.
"""

POINTS = 12.0
EMU_A_MILLIMETRE = 36000
SANS = ("黑", "Hei", "Sans", "Gothic")
_DRAWING = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}drawing"
_BLIP = "{http://schemas.openxmlformats.org/drawingml/2006/main}blip"
_EXTENT = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}extent"
_EMBED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}embed"
_EAST_ASIA = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}eastAsia"


def blocks_of(document: bytes) -> tuple[list[Block], list[Block]]:
    """Give the blocks of the text and those of the foot of each page."""
    from docx import Document

    opened = Document(io.BytesIO(document))
    return list(_blocks(opened)), list(_blocks(opened.sections[0].footer))


def _blocks(container: Any) -> Iterator[Block]:
    from docx.table import Table

    for inner in container.iter_inner_content():
        yield _table(inner) if isinstance(inner, Table) else _paragraph(inner)


def _paragraph(paragraph: Any) -> Block:
    from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN

    form, style = paragraph.paragraph_format, paragraph.style.paragraph_format
    align = paragraph.alignment if paragraph.alignment is not None else style.alignment
    indent = form.first_line_indent if form.first_line_indent is not None else style.first_line_indent
    return {
        "kind": "par",
        "align": {ALIGN.CENTER: "center", ALIGN.RIGHT: "right"}.get(align, "left"),
        "indent": indent.pt if indent else 0.0,
        "before": form.space_before.pt if form.space_before else 0.0,
        "after": form.space_after.pt if form.space_after else 0.0,
        "runs": [run for one in paragraph.runs for run in _runs(one, paragraph)],
    }


def _runs(run: Any, paragraph: Any) -> Iterator[dict[str, Any]]:
    for drawing in run._element.iter(_DRAWING):
        yield _picture(drawing, run.part)
    if not run.text:
        return
    font, inherited = run.font, paragraph.style.font
    size = font.size or inherited.size
    bold = font.bold if font.bold is not None else inherited.bold
    color = font.color.rgb if font.color is not None and font.color.type is not None else None
    yield {
        "text": run.text,
        "size": size.pt if size else POINTS,
        "sans": _is_sans(font) or (_face(font) is None and _is_sans(inherited)),
        "bold": bool(bold),
        "color": f"#{color}" if color is not None else None,
    }


def _face(font: Any) -> str | None:
    properties = font._element.rPr
    fonts = properties.rFonts if properties is not None else None
    if fonts is None:
        return None
    face: str | None = fonts.get(_EAST_ASIA) or font.name
    return face


def _is_sans(font: Any) -> bool:
    face = _face(font)
    return face is not None and any(part in face for part in SANS)


def _picture(drawing: Any, part: Any) -> dict[str, Any]:
    blip, extent = next(drawing.iter(_BLIP)), next(drawing.iter(_EXTENT))
    image = part.related_parts[blip.get(_EMBED)].blob
    return {"image": base64.b64encode(image).decode(), "width": int(extent.get("cx")) / EMU_A_MILLIMETRE}


def _table(table: Any) -> Block:
    rows = [
        [
            {"span": cell.grid_span, "blocks": list(_blocks(cell))}
            # A cell that goes over several columns is named once for each of them.
            for cell in {id(one._tc): one for one in row.cells}.values()
        ]
        for row in table.rows
    ]
    widths = [column.width.mm if column.width else 0.0 for column in table.columns]
    bordered = table.style is not None and table.style.name == "Table Grid"
    return {"kind": "table", "widths": widths, "border": bordered, "rows": rows}
