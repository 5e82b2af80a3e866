"""What a case's data look like on a page: texts, links to other cases, files, lists and tables (展示).

Nothing here knows a process: what a value is, its form and the names that the API gave for its codes say.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_args, get_type_hints

from services.console.words import Words
from workflows.kernel.fields import Attachment
from workflows.kernel.fields import Field as Marker
from workflows.kernel.process import Process

NOTHING = (None, "", False)
LONG = 80
"""A text from so many letters on has a line of its own."""
WIDEST = 6
"""So many columns fit a table; rows with more are shown one below the other."""
COORDINATES = frozenset({"lat", "lon"})
LENGTH = frozenset({"value", "unit"})
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|contact:[0-9a-f]{16}")
COUNTED = re.compile(r"[a-z]([0-9]{1,4})")
"""A key that a case gave by counting: its first agenda item, its third objection."""
ABOUT = frozenset({"phase", "check_code", "reporter", "has_contact"})
"""Shown elsewhere on the page."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A value for the reader: `kind` is text, prose, case, files, list, table or group."""

    kind: str
    text: str = ""
    href: str = ""
    title: str = ""
    parts: tuple["Shown", ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple["Shown", ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Showing:
    """Shows the data of one case; `cases` are those that ids in it stand for."""

    words: Words
    process: Process[Any]
    cases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def fields(self, data: Mapping[str, Any]) -> tuple[list[Shown], list[Shown]]:
        """What people entered, then what the process keeps besides; nothing that is empty."""
        entered: list[Shown] = []
        kept: list[Shown] = []
        asked = asked_of(self.process)
        for name, value in data.items():
            if name in ABOUT or is_nothing(value):
                continue
            one = self.value(name, value, title=self.words.title(self.process.name, name))
            (entered if name in asked else kept).append(one)
        return entered, kept

    def value(self, name: str, value: Any, title: str = "") -> Shown:
        """One value under its name."""
        ids = [one for one in (value if isinstance(value, list | tuple) else [value]) if isinstance(one, str)]
        # A field of that name may hold something else, such as a plain yes instead of a paper.
        if name in files_of(self.process) and ids and all(map(ID.fullmatch, ids)):
            return Shown("files", title=title, parts=tuple(Shown("file", text=one) for one in ids))
        if isinstance(value, Mapping):
            return self._mapping(name, value, title)
        if isinstance(value, list | tuple):
            return self._list(name, value, title)
        return self._one(name, value, title)

    def _one(self, name: str, value: Any, title: str) -> Shown:
        if isinstance(value, str) and value in self.cases:
            case = self.cases[value]
            text = " ".join(filter(None, (case["number"], case["title"])))
            return Shown("case", text, f"/{case['process']}/{case['number']}", title)
        if name == "clock" and isinstance(value, str):
            return Shown("text", self.words.clock(self.process.name, value), title=title)
        text = self.words.value(self.process.name, name, value)
        return Shown("prose" if len(text) > LONG else "text", text, title=title)

    def _mapping(self, name: str, value: Mapping[str, Any], title: str) -> Shown:
        held = {key: one for key, one in value.items() if not is_nothing(one)}
        if held.keys() >= COORDINATES:
            return Shown("text", f"{held['lat']:.5f}, {held['lon']:.5f}", title=title)
        if value.keys() >= LENGTH and isinstance(value["value"], int | float):
            return Shown("text", self.words.length(value["value"], value["unit"]), title=title)
        if held and all(isinstance(one, Mapping) and "order" in one for one in held.values()):
            # In the order of the list, so that the number of the order itself says nothing more.
            in_order = sorted(held.items(), key=lambda one: one[1]["order"])
            held = {key: {part: of for part, of in one.items() if part != "order"} for key, one in in_order}
        if len(held) > 1 and all(isinstance(one, Mapping) for one in held.values()):
            # What a case has many of, by whom or what each is about.
            columns = columns_of(list(held.values()))
            if len(columns) < WIDEST:
                rows = tuple(
                    (Shown("text", self._key(key)), *(self.value(part, one.get(part, "")) for part in columns))
                    for key, one in held.items()
                )
                return Shown("table", title=title, head=("", *map(self._key, columns)), rows=rows)
        parts = tuple(self.value(key, one, title=self._key(key)) for key, one in held.items())
        return Shown("group", title=title, parts=parts)

    def _key(self, key: str) -> str:
        """What stands before a value: the name of a field, or whom or what a key stands for."""
        title = self.words.title(self.process.name, key)
        if title != key:
            return title
        if key.isupper():
            return self.words.choice("", key)
        if counted := COUNTED.fullmatch(key):
            return self.words.numbered(int(counted[1]))
        parts = [
            self.cases[one]["number"] if one in self.cases else self.words.names.get(one, one) for one in key.split("/")
        ]
        return " · ".join(part for part in parts if not ID.fullmatch(part)) or self.words.value("", "", "contact:")

    def _list(self, name: str, value: Sequence[Any], title: str) -> Shown:
        if value and all(isinstance(one, Mapping) for one in value):
            columns = columns_of(value)
            if len(value) > 1 and len(columns) <= WIDEST:
                rows = tuple(tuple(self.value(key, one.get(key, "")) for key in columns) for one in value)
                return Shown("table", title=title, head=tuple(map(self._key, columns)), rows=rows)
        return Shown("list", title=title, parts=tuple(self.value(name, one) for one in value))


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The fields that hold something in any of these rows, in their order."""
    return list(dict.fromkeys(key for row in rows for key, value in row.items() if not is_nothing(value)))


def is_nothing(value: Any) -> bool:
    """Say whether there is nothing to show; a number is something, even 0 is left to those who count."""
    return value in NOTHING or (isinstance(value, list | tuple | dict) and not value) or value == 0


@cache
def asked_of(process: Process[Any]) -> frozenset[str]:
    """Names of the fields that people fill in, in any command."""
    return frozenset(name for kind in process.commands.values() for name in get_type_hints(kind))


@cache
def files_of(process: Process[Any]) -> frozenset[str]:
    """Names of the fields that hold files, in any command."""
    return frozenset(
        name for kind in process.commands.values() for name, marker in _markers(kind) if isinstance(marker, Attachment)
    )


def _markers(kind: Any, seen: tuple[Any, ...] = ()) -> Iterator[tuple[str, Marker]]:
    """The marked fields of a command and of what stands in it."""
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for marker in getattr(hint, "__metadata__", ()):
            if isinstance(marker, Marker):
                yield name, marker
        for part in _parts(hint):
            if isinstance(part, type) and hasattr(part, "__dataclass_fields__") and part not in seen:
                yield from _markers(part, (*seen, part))


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for part in get_args(hint):
        yield from _parts(part)
