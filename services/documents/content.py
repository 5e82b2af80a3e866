"""The facts that a document is filled with (文书内容): of the case as it stood at one event, in words for people.

Templates name these: `paper` (title, number, issued_on, issued_at, check_code, address), `case` (number, title,
process, state, opened_on), `place` (community, subdistrict, county, city), `data` and `note` (what the case and the
event hold, every code in words), `raw` (the same with the codes, for conditions), `by` (name, role, org), `clock`
(the deadline that the event is about) and `clocks` by code (title, due, owner, supervisor, clause, color), `policy`
(pack, version), `rows` (every fact with its title, for the general template).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, get_type_hints

from services.documents.papers import Issued
from services.texts.catalogue import catalogue
from workflows.kernel.calendar import local
from workflows.kernel.clocks import Clock
from workflows.kernel.fields import Field
from workflows.kernel.masking import mask
from workflows.kernel.process import Case, Process
from workflows.kernel.roles import TITLES, Role

_CODE = re.compile(r"[A-Z][A-Z0-9_]+")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_REFERENCE = re.compile(r"(?:text|contact):[0-9a-f]{16}")
PERSONAL = ("reporter", "reporter_id", "followers", "submitted_by")
"""Who brought a matter in stands on no document."""
CONFIDENTIAL = "objections"
"""Objections are heard in confidence, and stand on no document of the case that they are about (processes §0.6)."""
SOMEBODY = "某"
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Lookup:
    """What was looked up for a document: texts by reference, names by person, organisation, place and contact."""

    texts: Mapping[str, Any] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    orgs: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def codes_of(case: Case[Any], entry: Mapping[str, Any]) -> frozenset[str]:
    """Every string that may be a reference to a text, or the code of a person, an organisation or a place."""
    plain = _strings(
        [case.title, case.community, case.data, entry["payload"], entry["actor"], entry.get("org"), case.clocks]
    )
    above = (case.community[:digits] for digits in (4, 6, 9, 12))
    return frozenset(one for one in (*plain, *above) if one and len(one) <= 64)


def facts_of(
    process: Process[Any],
    case: Case[Any],
    entry: Mapping[str, Any],
    document: Issued,
    lookup: Lookup,
    *,
    check_code: str,
    address: str,
    clause: Callable[[str], str] = lambda parameter: "",
    masked: bool = False,
) -> dict[str, Any]:
    """Give the facts for one document.

    `entry` is the event as an entry of the history; `masked` hides names, phones and room numbers, as everything that
    everybody may read must.
    """
    say = _Words(lookup, masked)
    data = {one.name: getattr(case.data, one.name) for one in fields(case.data) if one.name not in PERSONAL}
    payload = entry["payload"]
    data.pop(CONFIDENTIAL, None)
    payload = {**payload, "puts": {k: v for k, v in payload.get("puts", {}).items() if k != CONFIDENTIAL}}
    note = {
        **{name: value for name, value in payload.get("sets", {}).items() if name not in PERSONAL},
        **payload.get("puts", {}),
        **payload.get("notes", {}),
    }
    clocks = {clock.code: _clock(process, clock, say, clause) for clock in case.clocks}
    about = clocks.get(str(payload.get("notes", {}).get("clock", "")), NOTHING)
    place = case.community
    return {
        "paper": {
            "kind": document.paper.kind,
            "title": document.paper.zh,
            "number": document.number,
            "issued_on": day(document.at),
            "issued_at": moment(document.at),
            "check_code": check_code,
            "address": address,
        },
        "case": {
            "number": case.number,
            "title": say(case.title),
            "process": process.zh,
            "state": process.positions[case.position].zh,
            "level": case.level,
            "opened_on": day(case.opened_at) if case.opened_at else "",
        },
        "place": {
            "name": lookup.places.get(place, ""),
            "community": lookup.places.get(place[:12], "") if len(place) >= 12 else "",
            "subdistrict": lookup.places.get(place[:9], "") if len(place) >= 9 else "",
            "county": lookup.places.get(place[:6], ""),
            "city": lookup.places.get(place[:4], ""),
        },
        "data": {name: say(value) for name, value in data.items()},
        "note": {name: say(value) for name, value in note.items()},
        "raw": {
            "data": _coded(_raw(data)) if masked else _raw(data),
            "note": _coded(note) if masked else note,
            "event": entry["type"],
            "to": payload.get("to", ""),
        },
        "by": {
            "name": say(entry["actor"]) if entry["actor"] != Role.SYSTEM else "",
            "role": TITLES[Role(entry["acting_role"])][0] if entry["acting_role"] in set(Role) else "",
            "org": say(entry.get("org")),
        },
        "clock": about,
        "clocks": clocks,
        "policy": {"pack": case.pin.pack, "version": case.pin.version},
        "rows": [
            {"title": titles(process)[name], "value": _line(say(value))}
            for name, value in {**data, **note}.items()
            if name in titles(process) and value not in (None, "", (), [], {}, False)
        ],
    }


@cache
def facts_known() -> Mapping[str, Mapping[str, None]]:
    """The facts that every document has, by the name under which a template finds them."""
    named = {
        "paper": "kind title number issued_on issued_at check_code address",
        "case": "number title process state level opened_on",
        "place": "name community subdistrict county city",
        "by": "name role org",
        "clock": "title due started owner supervisor parameter clause color state",
        "policy": "pack version",
    }
    return {name: dict.fromkeys(below.split()) for name, below in named.items()}


def hidden() -> frozenset[str]:
    """Data that stand on no document."""
    return frozenset({*PERSONAL, CONFIDENTIAL})


@cache
def noted(process: Process[Any]) -> frozenset[str]:
    """What an event of the process may say besides what it changes."""
    return (frozenset(titles(process)) | catalogue().keys("data")) - hidden()


def day(at: date) -> str:
    """A day as documents write it, in Beijing time: 2026年3月2日."""
    one = local(at) if isinstance(at, datetime) else at
    return f"{one.year}年{one.month}月{one.day}日"


def moment(at: datetime) -> str:
    """A moment as documents write it: 2026年3月2日 09:00."""
    return f"{day(at)} {local(at):%H:%M}"


@cache
def titles(process: Process[Any], language: str = "zh") -> Mapping[str, str]:
    """What the fields of a process are called, from the markers of its commands (字段名称)."""
    found: dict[str, str] = {}
    for command in process.commands.values():
        for name, hint in get_type_hints(command, include_extras=True).items():
            marker = next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Field)), None)
            if marker is not None:
                found.setdefault(name, marker.en if language == "en" else marker.zh)
    return found


@dataclass(frozen=True, slots=True)
class _Words:
    """Puts a value into words: codes become names, references become texts, moments are written out."""

    lookup: Lookup
    masked: bool

    def __call__(self, value: Any) -> Any:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "是" if value else "否"
        if isinstance(value, Enum):
            # The same code may mean something else in another list: `TWO_COMMITTEES` as a body or as who does the work.
            own = f"{type(value).__name__}.{value.value}"
            return self._code(own if catalogue().has("value", own) else str(value.value))
        if isinstance(value, datetime):
            return moment(value)
        if isinstance(value, date):
            return day(value)
        if isinstance(value, str):
            return self._text(value)
        if is_dataclass(value) and not isinstance(value, type):
            return {one.name: self(getattr(value, one.name)) for one in fields(value)}
        if isinstance(value, Mapping):
            return {str(name): self._entry(str(name), self(one)) for name, one in value.items()}
        if isinstance(value, Sequence | set | frozenset):
            return [self(one) for one in value]
        return value

    def _entry(self, key: str, value: Any) -> Any:
        """An entry of a mapping, which may be called by its key: a person, a community, a number."""
        return {"key": self._text(key), **value} if isinstance(value, dict) else value

    def _text(self, text: str) -> Any:
        if _REFERENCE.fullmatch(text):
            clear = self.lookup.texts.get(text)
            if text.startswith("contact:"):
                return self._name(str(clear or ""))
            return self._said(clear) if isinstance(clear, str) else "" if clear is None else clear
        if text in self.lookup.people:
            return self._name(self.lookup.people[text])
        named = self.lookup.orgs.get(text) or self.lookup.places.get(text)
        if named is not None:
            return named
        if _MOMENT.fullmatch(text):
            return moment(datetime.fromisoformat(text))
        if _DAY.fullmatch(text):
            return day(date.fromisoformat(text))
        return self._code(text) if _CODE.fullmatch(text) else self._said(text)

    def _said(self, text: str) -> str:
        return mask(text) if self.masked else text

    def _name(self, name: str) -> str:
        return name[:1] + SOMEBODY if self.masked and name else name

    @staticmethod
    def _code(text: str) -> str:
        return catalogue().say("value", text, "zh")


def _clock(process: Process[Any], clock: Clock, say: _Words, clause: Callable[[str], str]) -> dict[str, str]:
    return {
        "title": process.clock_rules[clock.code].zh,
        "due": moment(clock.due_at) if clock.due_at else "",
        "started": moment(clock.started_at),
        "owner": say(clock.owner),
        "supervisor": say(clock.supervisor),
        "parameter": clock.parameter,
        "clause": clause(clock.parameter),
        "color": say(clock.color),
        "state": clock.state.value,
    }


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return "；".join(part for part in map(_line, value.values()) if part)
    if isinstance(value, list):
        return "、".join(part for part in map(_line, value) if part)
    return str(value)


def _raw(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _raw(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _raw(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_raw(one) for one in value]
    return value


def _coded(value: Any) -> Any:
    """The codes of a raw value, without anything that somebody wrote."""
    if isinstance(value, str):
        return value if _CODE.fullmatch(value) else ""
    if isinstance(value, Mapping):
        return {name: _coded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_coded(one) for one in value]
    return value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from _strings(getattr(value, one.name))
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield str(name)
            yield from _strings(one)
    elif isinstance(value, Iterable):
        for one in value:
            yield from _strings(one)
