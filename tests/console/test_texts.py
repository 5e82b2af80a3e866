"""Every text of the console is in the catalogue of both languages, and nothing stands there that nobody reads."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from jinja2 import nodes
from jinja2.lexer import Lexer

import services.console.app
from services.console.app import pages

HERE = Path(services.console.app.__file__ or "").parent
TEMPLATES = sorted((HERE / "templates").rglob("*.html"))
MODULES = sorted(HERE.rglob("*.py"))
SCRIPTS = sorted(path for path in (HERE / "static").glob("*.js"))
CATALOGUES = sorted((HERE / "locale" / "en").glob("*.po"))
CHINESE = re.compile(r"[一-鿿]")
LETTERS = re.compile(r"[一-鿿]|[A-Za-z]{2,}")
HOLE = "\x00"
# Attributes that a template puts together before it writes the tag.
ATTRIBUTES = re.compile(r"{% set \w+ %}(\w+=.*?){% endset %}")
READ_ALOUD = ("title", "alt", "placeholder", "aria-label", "aria-description", "aria-roledescription", "label")
# Names that are the same in every language, and each language in its own.
SAME = {"PDF", "DOCX", "XLSX", "CSV", "SVG", "QR", "API", "BPMN", "ID", "Temporal", "中文", "English", "TOTP", "OIDC"}
# Our own name, and terms that the glossary keeps beside their translation.
KEPT_CHINESE = re.compile(r"[（(][一-鿿、]+[）)]|商量")


@cache
def translated() -> dict[str, Message]:
    """Every message of the English catalogues."""
    found: dict[str, Message] = {}
    for path in CATALOGUES:
        for message in messages(path):
            found.setdefault(str(message.id), message)
    return found


def messages(path: Path) -> list[Message]:
    """The messages of one catalogue."""
    with path.open("rb") as file:
        return [message for message in read_po(file, locale="en") if message.id]


@cache
def spoken() -> dict[str, str]:
    """Every Chinese text that a template or a module says, with where it stands."""
    found: dict[str, str] = {}
    for path in TEMPLATES:
        for text in _constants(path):
            found.setdefault(text, path.name)
    for path in MODULES:
        for text in _strings(path):
            found.setdefault(text, path.name)
    return found


def _constants(path: Path) -> Iterator[str]:
    tree = pages().parse(path.read_text("utf-8"))
    for one in tree.find_all(nodes.Const):
        if isinstance(one.value, str) and CHINESE.search(one.value):
            yield one.value
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "_":
            yield from (one.value for one in call.args if isinstance(one, nodes.Const))


def _strings(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    notes = {
        id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
    }
    for one in ast.walk(tree):
        text = one.value if isinstance(one, ast.Constant) and id(one) not in notes else None
        if isinstance(text, str) and CHINESE.search(text):
            yield text


class _Page(HTMLParser):
    """Collects what a reader sees or hears of a template in which every expression is a hole."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read += [value or "" for name, value in attrs if name in READ_ALOUD]

    def handle_data(self, data: str) -> None:
        self.read.append(data)


def _outside(path: Path) -> list[str]:
    """Texts of a template that stand outside of every expression."""
    environment = pages()
    lexer: Lexer = environment.lexer
    parts: list[str] = []
    source = ATTRIBUTES.sub(r"<i \1>", path.read_text("utf-8"))
    for (_, before, _), (_, kind, text) in pairwise([(0, "", ""), *lexer.tokeniter(source, None)]):
        if kind == "data":
            parts.append(text)
        elif kind == "variable_begin" and before != kind:
            parts.append(HOLE)
    page = _Page()
    page.feed("".join(parts))
    words = [word for text in page.read for word in re.split(rf"[{HOLE}\s·:：|/,，.。()（）\d-]+", text)]
    return [word for word in words if LETTERS.search(word) and word not in SAME]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_text_stands_outside_of_the_catalogue(path: Path) -> None:
    assert _outside(path) == []


def test_every_text_has_an_english_twin() -> None:
    missing = {text: where for text, where in spoken().items() if text not in translated() and text not in SAME}
    assert missing == {}


def test_every_twin_is_read_somewhere() -> None:
    assert sorted(set(translated()) - set(spoken())) == []


def test_every_twin_is_english_and_has_the_same_holes() -> None:
    for text, message in translated().items():
        english = str(message.string)
        assert english.strip(), text
        assert not message.fuzzy, text
        assert not CHINESE.search(KEPT_CHINESE.sub("", english)), english
        assert sorted(re.findall(r"\{\w*\}", text)) == sorted(re.findall(r"\{\w*\}", english)), english


def test_catalogues_that_say_the_same_say_it_alike() -> None:
    for path in CATALOGUES:
        for message in messages(path):
            assert message.string == translated()[str(message.id)].string, f"{path.name}: {message.id}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_text_is_put_together_before_it_is_translated(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    parts = [part for one in ast.walk(tree) if isinstance(one, ast.JoinedStr) for part in one.values]
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    assert [text for text in texts if CHINESE.search(text)] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_say_only_what_the_page_gives_them(path: Path) -> None:
    assert CHINESE.findall(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_form_that_keeps_its_draft_is_not_filled_in_by_the_browser(path: Path) -> None:
    # Going back, a browser would fill in what was sent, beside a new key: a second report of the same.
    forms = re.findall(r"<form\b[^>]*data-keep=[^>]*>", path.read_text("utf-8"))
    assert [form for form in forms if 'autocomplete="off"' not in form] == []


async def test_what_is_empty_is_said_with_and_without_something_to_do() -> None:
    call = "{% from 'macros.html' import empty %}"
    plain = pages().from_string(call + "{{ empty('search', 'X') }}")
    offering = pages().from_string(call + "{% call empty('search', 'X') %}Y{% endcall %}")

    assert "Y" not in await plain.render_async()
    assert "Y" in await offering.render_async()
