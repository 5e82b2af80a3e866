"""Look at a template that somebody has changed before documents are made of it (模板检查).

It must open, be written in the grammar that we fill in, name nothing that a document of its kind does not know, and
fetch nothing from elsewhere when it is opened.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from services.documents.content import facts_known, hidden, noted
from services.documents.filling import QR, filled, grammar
from services.documents.reading import blocks_of
from workflows.kernel.process import Process

ROWS = "rows"
METHODS = frozenset({"values", "items", "keys"})
# A hyperlink is followed by whoever clicks on it; everything else is fetched when the document is opened.
FETCHED = "hyperlink"


class TemplateRefused(Exception):
    """A template that cannot serve: `why` is UNREADABLE, BROKEN, UNKNOWN, COUNTS or FETCHES; `what` names the place."""

    def __init__(self, why: str, what: str = "") -> None:
        super().__init__(why, what)
        self.why = why
        self.what = what


@dataclass(frozen=True, slots=True)
class Known:
    """What a template may name: `branches` by their name, with the names below each; None: anything below."""

    branches: Mapping[str, Mapping[str, Any] | None]

    def has(self, path: Sequence[str]) -> bool:
        """Say whether there is something of this name, such as `data`, `project`, `budget`."""
        below: Any = self.branches
        for place, part in enumerate(path):
            if below is None or (place and part in METHODS):
                return True
            if part not in below:
                return False
            below = below[part]
        return True


def known_names(processes: Sequence[Process[Any]]) -> Known:
    """What documents of these processes know."""
    data: dict[str, Any] = {}
    notes: dict[str, Any] = {}
    clocks: dict[str, Any] = {}
    fixed = facts_known()
    for process in processes:
        own = {name: below for name, below in _below(process.data).items() if name not in hidden()}
        data |= own
        notes |= dict.fromkeys(noted(process)) | dict.fromkeys(own)
        clocks |= dict.fromkeys(process.clock_rules, fixed["clock"])
    raw = {"data": data, "note": notes, "event": {}, "to": {}}
    return Known({**fixed, "data": data, "note": notes, "raw": raw, "clocks": clocks, QR: {}, ROWS: None})


def _below(kind: type) -> dict[str, Any]:
    """The fields of a kind of data, with those of what stands in them."""
    hints = get_type_hints(kind)
    return {one.name: _inside(hints[one.name]) for one in fields(kind)}


def _inside(hint: Any) -> dict[str, Any] | None:
    if get_origin(hint) in (Union, UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        return _inside(inner[0]) if len(inner) == 1 else None
    return _below(hint) if isinstance(hint, type) and is_dataclass(hint) else None


def check(template: bytes, known: Known, facts: Mapping[str, Any]) -> bytes:
    """Give the template filled with the facts of a sample; raises `TemplateRefused`."""
    source = _source(template)
    _require_own_parts(template)
    _require_known(source, known)
    from jinja2 import TemplateError

    try:
        made = filled(template, facts, scan=str(facts["paper"]["address"]))
        blocks_of(made)
    except TemplateError as no:
        raise TemplateRefused("BROKEN", str(no.message)) from None
    # What a template asks of a value that cannot do it, and what comes out of it when it is no document any more.
    except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError, SyntaxError) as no:
        raise TemplateRefused("BROKEN", str(no)[:200]) from None
    return made


def _source(template: bytes) -> str:
    """What a template says, with what stands in its heads and feet."""
    from docxtpl import DocxTemplate

    try:
        document = DocxTemplate(io.BytesIO(template))
        document.init_docx()
        parts = [document.get_xml()]
        for where in (document.HEADER_URI, document.FOOTER_URI):
            parts += [document.get_part_xml(part) for _, part in document.get_headers_footers(where)]
        return "".join(document.patch_xml(part) for part in parts)
    except (zipfile.BadZipFile, SyntaxError, KeyError, ValueError, OSError):
        raise TemplateRefused("UNREADABLE") from None


def _require_own_parts(template: bytes) -> None:
    from docx.oxml import parse_xml

    with zipfile.ZipFile(io.BytesIO(template)) as package:
        for name in package.namelist():
            if name.lower().endswith("vbaproject.bin"):
                raise TemplateRefused("FETCHES", name)
            if name.endswith(".rels"):
                for one in parse_xml(package.read(name)):
                    if one.get("TargetMode") == "External" and not one.get("Type", "").endswith(FETCHED):
                        raise TemplateRefused("FETCHES", one.get("Target", ""))


def _require_known(source: str, known: Known) -> None:
    from jinja2 import TemplateSyntaxError, meta, nodes

    environment = grammar()
    try:
        tree = environment.parse(source)
    except TemplateSyntaxError as no:
        raise TemplateRefused("BROKEN", str(no.message)) from None
    # Facts are written down, not worked out: nothing else can make a template take all of a machine.
    if next(tree.find_all((nodes.Mul, nodes.Pow, nodes.Mod, nodes.Include, nodes.Import, nodes.Extends)), None):
        raise TemplateRefused("COUNTS")
    for one in tree.find_all(nodes.Filter):
        if one.name not in environment.filters:
            raise TemplateRefused("UNKNOWN", f"|{one.name}")
    # What the grammar itself brings along is nothing that a document knows.
    undeclared = meta.find_undeclared_variables(tree) | set(environment.globals)
    for path in _paths(tree, undeclared):
        if not known.has(path):
            raise TemplateRefused("UNKNOWN", ".".join(path))


def _paths(tree: Any, undeclared: set[str]) -> Iterator[tuple[str, ...]]:
    """Every name that is asked for from outside of the template, with what is asked of it."""
    from jinja2 import nodes

    for one in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Name)):
        path = _path(one)
        if path and path[0] in undeclared:
            yield path


def _path(node: Any) -> tuple[str, ...]:
    from jinja2 import nodes

    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        before = _path(node.node)
        return (*before, node.attr) if before else ()
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        before = _path(node.node)
        return (*before, str(node.arg.value)) if before else ()
    return ()
