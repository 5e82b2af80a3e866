"""Set a filled document as PDF (PDF/A-2b, to be kept for years), with Chinese fonts inside.

The fonts come with the program, so that a bare machine shows and prints every character; the same document gives the
same bytes.
"""

import base64
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydantic_core import to_json

from services.documents.reading import Block, blocks_of
from workflows.kernel.calendar import local

STANDARD: Final = "a-2b"


def set_as_pdf(document: bytes, *, title: str, at: datetime) -> bytes:
    """Give the PDF of a docx; `title` and the day of `at` go into its properties."""
    # Only documents need it, and it takes a while to load.
    import typst

    blocks, foot = blocks_of(document)
    images: dict[str, list[int]] = {}
    for run in _pictures([*blocks, *foot]):
        content = base64.b64decode(run["image"])
        run["image"] = f"image-{len(images)}"
        images[run["image"]] = list(content)
    day = local(at).date()
    paper = {
        "title": title,
        "date": [day.year, day.month, day.day],
        "blocks": blocks,
        "foot": foot,
        "images": images,
    }
    # Its types ask for fonts as bytes where the source is bytes; paths are what it takes.
    made: bytes = typst.compile(  # type: ignore[call-overload]
        _layout(),
        format="pdf",
        font_paths=[_fonts()],
        ignore_system_fonts=True,
        sys_inputs={"paper": to_json(paper).decode()},
        pdf_standards=STANDARD,
    )
    return made


@cache
def _layout() -> bytes:
    return files("services.documents").joinpath("layout.typ").read_bytes()


@cache
def _fonts() -> str:
    from pylopdf_fonts_zh_cn import serif_path

    return str(serif_path().parent)


def _pictures(blocks: list[Block]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        if block["kind"] == "table":
            for row in block["rows"]:
                for cell in row:
                    yield from _pictures(cell["blocks"])
        else:
            yield from (run for run in block["runs"] if "image" in run)
