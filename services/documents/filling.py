"""Fill a template with the facts of a document and give the docx (文书); the same facts give the same bytes.

A template is a docx that a city edits in its own office program; what stands in double braces is filled in. One
folder for each policy pack, `<pack>/<KIND>.docx`; what a pack does not bring comes from `default_2026`, and a kind
that nobody wrote a template for from `GENERAL.docx`, which prints every fact in a table.
"""

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

DEFAULT = "default_2026"
GENERAL = "GENERAL"
# The earliest day that a zip can name: when a part of a file was packed is nobody's business.
PACKED_AT = (1980, 1, 1, 0, 0, 0)
QR = "qr"
CHOICES = {"FOR": "赞成", "AGAINST": "反对", "ABSTAIN": "弃权"}
QR_MILLIMETRES = 22


Put = Mapping[tuple[str, str], bytes]
"""Templates by pack and kind that were put in the place of all others."""
NONE: Put = {}


class Templates:
    """Finds templates: those put there by hand, then the city's own folder, then those that ship with the program."""

    def __init__(self, own: Path | None = None) -> None:
        self._own = own

    def find(self, pack: str, kind: str, put: Put = NONE) -> bytes:
        """Give the template of a kind of document under a policy pack."""
        for folder, name in places(pack, kind):
            if (found := put.get((folder, name)) or self._read(folder, name)) is not None:
                return found
        raise AssertionError("the general template ships with the program")

    def source(self, pack: str, kind: str, put: Put = NONE) -> str:
        """Say whose template serves: put there by hand (PUT), of the city's folder (OWN), SHIPPED, or GENERAL."""
        for folder in dict.fromkeys((pack, DEFAULT)):
            name = f"{folder}/{kind}.docx"
            if (folder, kind) in put:
                return "PUT"
            if self._own is not None and (self._own / name).is_file():
                return "OWN"
            if _shipped(name) is not None:
                return "SHIPPED"
        return "GENERAL"

    def _read(self, folder: str, kind: str) -> bytes | None:
        name = f"{folder}/{kind}.docx"
        if self._own is not None and (path := self._own / name).is_file():
            return path.read_bytes()
        return _shipped(name)


def places(pack: str, kind: str) -> tuple[tuple[str, str], ...]:
    """Pack and kind of the templates that may serve, in the order in which they are tried."""
    return tuple(dict.fromkeys((folder, name) for name in (kind, GENERAL) for folder in (pack, DEFAULT)))


@cache
def _shipped(name: str) -> bytes | None:
    template = files("services.documents").joinpath("templates", *name.split("/"))
    if not template.is_file():
        return None
    content: bytes = template.read_bytes()
    return content


def filled(template: bytes, facts: Mapping[str, Any], *, scan: str) -> bytes:
    """Fill a template; `scan` is what the square code in it says. Raises what jinja2 raises for a broken template."""
    # A second of imports that only a document needs.
    import segno
    from docx.shared import Mm
    from docxtpl import DocxTemplate, InlineImage

    document = DocxTemplate(io.BytesIO(template))
    square = io.BytesIO()
    segno.make(scan, error="m").save(square, kind="png", scale=4, border=1)
    image = InlineImage(document, square, width=Mm(QR_MILLIMETRES))
    document.render({**facts, QR: image}, grammar(), autoescape=True)
    out = io.BytesIO()
    document.save(out)
    return _repacked(out.getvalue())


def grammar() -> Any:
    """How templates are written: what one asks for and the case does not have stays empty, and it reaches only that."""
    from jinja2 import ChainableUndefined
    from jinja2.sandbox import SandboxedEnvironment

    found = SandboxedEnvironment(undefined=ChainableUndefined, autoescape=True, finalize=_line)
    found.filters["tally"] = tally
    return found


def _line(value: Any) -> Any:
    """Several of something as people write them in a row."""
    return "、".join(map(str, value)) if isinstance(value, list) else value


def tally(votes: Mapping[str, str] | None, item: object) -> str:
    """Count the open votes on an item, `votes` being choices by `item/person`; empty when there were none."""
    found = [choice for place, choice in (votes or {}).items() if place.partition("/")[0] == str(item)]
    counts = ((name, found.count(choice)) for choice, name in CHOICES.items())
    return "，".join(f"{name}{count}票" for name, count in counts) if found else ""


def _repacked(archive: bytes) -> bytes:
    """The same archive without the moment at which it was packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in given.namelist():
            entry = zipfile.ZipInfo(name, PACKED_AT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            kept.writestr(entry, given.read(name))
    return out.getvalue()
