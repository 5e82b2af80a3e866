"""Everything that a page may have to name has a word in both languages: nobody reads a code."""

from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from re import findall
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

import workflows
from services.texts.catalogue import LANGUAGES, catalogue
from workflows.kernel.fields import Field
from workflows.kernel.process import NAMES
from workflows.kernel.roles import TITLES
from workflows.registry import PROCESSES

KINDS = [process.data for process in PROCESSES.values()] + [
    command for process in PROCESSES.values() for command in process.commands.values()
]
EVENT = r'(?:type|event)="([a-z_]+)"'


def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _fields(kind: type, seen: set[type]) -> Iterator[tuple[str, Any]]:
    """Every field below a dataclass, with its hint."""
    if kind in seen:
        return
    seen.add(kind)
    for name, hint in _hints(kind).items():
        yield name, hint
        for part in _parts(hint):
            if isinstance(part, type) and is_dataclass(part):
                yield from _fields(part, seen)


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for part in get_args(hint):
        yield from _parts(part)


def _codes() -> dict[str, str]:
    """Every value that a field may have, with the name of its kind."""
    found: dict[str, str] = {}
    seen: set[type] = set()
    for kind in KINDS:
        for name, hint in _fields(kind, seen):
            for part in _parts(hint):
                if get_origin(part) is Literal:
                    found.update({str(value): name for value in get_args(part)})
                elif isinstance(part, type) and issubclass(part, Enum):
                    found.update({str(one.value): part.__name__ for one in part})
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_has_a_word(language: str) -> None:
    words, roles, processes = catalogue(), {str(role) for role in TITLES}, set(PROCESSES)
    missing = {
        code: kind
        for code, kind in _codes().items()
        if not words.has("value", code, language)
        and not words.has("value", f"{kind}.{code}", language)
        and code not in roles | processes
    }
    assert missing == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_has_a_word(language: str) -> None:
    words, titled, plain = catalogue(), set[str](), set[str]()
    seen: set[type] = set()
    for kind in KINDS:
        for name, hint in _fields(kind, seen):
            marked = any(isinstance(one, Field) for one in getattr(hint, "__metadata__", ()))
            (titled if marked else plain).add(name)
    hidden = {"asked_of_people", "kept_from_people"}
    assert {name for name in plain - titled - hidden if not words.has("data", name, language)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_has_a_word(language: str) -> None:
    words, commands = catalogue(), {one.name for one in NAMES.values()}
    found: set[str] = set()
    for file in Path(next(iter(workflows.__path__))).glob("*/*.py"):
        found.update(findall(EVENT, file.read_text("utf-8")))
    assert {one for one in found - commands if not words.has("event", one, language)} == set()
