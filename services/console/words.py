"""What codes are called on a page: states, steps, commands, roles, colours, moments (用语)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, ClassVar, get_args, get_type_hints

from services.console.language import translations
from services.texts.catalogue import catalogue
from workflows.kernel.calendar import CHINA
from workflows.kernel.fields import Field
from workflows.kernel.process import NAMES, Process
from workflows.kernel.roles import TITLES, Role
from workflows.registry import PROCESSES

COLORS = {"NONE": "secondary", "BLUE": "blue", "YELLOW": "yellow", "RED": "red"}
STEPS = ("COLLECT", "RAISE", "DISCUSS", "IMPLEMENT", "FEEDBACK")
STEP_TITLES = {
    "COLLECT": "征集意愿",
    "RAISE": "提出议题",
    "DISCUSS": "会议讨论",
    "IMPLEMENT": "组织实施",
    "FEEDBACK": "结果反馈",
}
COLOR_TITLES = {"NONE": "正常", "BLUE": "临期提醒", "YELLOW": "已超期", "RED": "严重超期"}


UNSHOWN = ("effect", "ref")
MOST_HOLDERS = 2
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)")


@cache
def _titles(kind: type) -> dict[str, tuple[str, str]]:
    """Titles of a command's fields."""
    found: dict[str, tuple[str, str]] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for marker in getattr(hint, "__metadata__", ()):
            if isinstance(marker, Field):
                found[name] = (marker.zh, marker.en)
    return found


@cache
def _titles_inside(process: Process[Any]) -> dict[str, tuple[str, str]]:
    """Titles of what stands inside of the fields of a process's commands."""
    found: dict[str, tuple[str, str]] = {}
    seen: set[type] = set()
    waiting = list(process.commands.values())
    while waiting:
        kind = waiting.pop(0)
        for hint in get_type_hints(kind).values():
            for part in _every(hint):
                if isinstance(part, type) and is_dataclass(part) and part not in seen:
                    seen.add(part)
                    waiting.append(part)
                    found = {**_titles(part), **found}
    return found


def _every(hint: Any) -> Iterator[Any]:
    yield hint
    for part in get_args(hint):
        yield from _every(part)


@cache
def kinds_of(field: str) -> tuple[str, ...]:
    """Names of the enumerations that a field of this name holds, in any process: the same code may mean two things."""
    found: dict[str, None] = {}
    seen: set[type] = set()
    # What people enter before what is kept, so that the more usual meaning comes first.
    waiting: list[type] = [*NAMES, *(process.data for process in PROCESSES.values())]
    while waiting:
        for name, hint in get_type_hints(waiting.pop(0)).items():
            for part in _every(hint):
                if not isinstance(part, type):
                    continue
                if name == field and issubclass(part, Enum):
                    found[part.__name__] = None
                if hasattr(part, "__dataclass_fields__") and part not in seen:
                    seen.add(part)
                    waiting.append(part)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Words:
    """Names in the reader's language; a code that has none is shown as it is."""

    COMMUNITY_DIGITS: ClassVar = 12
    STEPS: ClassVar = STEPS

    language: str
    processes: Mapping[str, Process[Any]]
    names: Mapping[str, str] = field(default_factory=dict)
    """What the codes of this page stand for."""

    def _(self, text: str) -> str:
        return translations(self.language).gettext(text)

    def process(self, name: str) -> str:
        """Name of a process, by its singular or plural."""
        found = self._process(name)
        return (found.en if self.language == "en" else found.zh) if found else name

    def plural(self, name: str) -> str:
        """The plural name of a process, as addresses have it."""
        found = self._process(name)
        return found.plural if found else name

    def state(self, process: str, state: str, phase: str = "") -> str:
        """Title of a position."""
        found = self._process(process)
        if found is None:
            return state
        position = found.positions.get(f"{state}:{phase}") or found.positions.get(state)
        if position is None:
            position = next((one for name, one in found.positions.items() if name.partition(":")[0] == state), None)
        return state if position is None else (position.en if self.language == "en" else position.zh)

    def position(self, process: str, position: str) -> str:
        """Title of a position as the history names it, `STATE` or `STATE:PHASE`."""
        state, _, phase = position.partition(":")
        return self.state(process, state, phase)

    def clause(self, clause: str) -> str:
        """By which rule something is so, for people: our own default says that it is one."""
        if clause.startswith("assumption") or not clause:
            return self._("本地默认值，可在政策包中调整")
        kind, _, rest = clause.partition(":" if clause.startswith("practice") else " ")
        titles = {"seed": self._("政策文件"), "practice": self._("各地做法")}
        return f"{titles[kind]} {rest.strip()}" if kind in titles else clause

    def step(self, step: str) -> str:
        """Title of one of the five steps."""
        return self._(STEP_TITLES.get(step, step))

    def command(self, name: str) -> str:
        """Title of a command by its wire name."""
        for one in NAMES.values():
            if one.name == name:
                return one.en if self.language == "en" else one.zh
        return name

    def clock(self, process: str, code: str) -> str:
        """Title of a deadline."""
        found = self._process(process)
        rule = found.clock_rules.get(code) if found else None
        return code if rule is None else (rule.en if self.language == "en" else rule.zh)

    def role(self, role: str) -> str:
        """Title of a role."""
        try:
            zh, en = TITLES[Role(role)]
        except ValueError:
            return role
        return en if self.language == "en" else zh

    def color(self, color: str) -> str:
        """What a colour of the ladder means."""
        return self._(COLOR_TITLES.get(color, color))

    def color_class(self, color: str) -> str:
        """The colour's name in the style sheet."""
        return COLORS.get(color, "secondary")

    def choice(self, field: str, code: str) -> str:
        """What a value of a field is called."""
        for key in (*(f"{kind}.{code}" for kind in kinds_of(field.rpartition(".")[2])), code):
            if (found := self.of("value", key)) != key:
                return found
        return self.role(code)

    def title(self, process: str, name: str) -> str:
        """What a field of a case's data is called."""
        found = self._process(process)
        for kind in found.commands.values() if found else ():
            title = _titles(kind).get(name)
            if title:
                return title[1] if self.language == "en" else title[0]
        inside = _titles_inside(found).get(name) if found else None
        if inside:
            return inside[1] if self.language == "en" else inside[0]
        own = f"{found.name}.{name}" if found else name
        return self.of("data", name) if self.of("data", own) == own else self.of("data", own)

    def value(self, process: str, name: str, value: Any) -> str:
        """A value of a case's data for people."""
        if isinstance(value, bool):
            return self._("是") if value else self._("否")
        if isinstance(value, str) and value in self.names:
            return self.names[value]
        if isinstance(value, str) and value.startswith("contact:"):
            return self._("（未公开姓名）")
        if isinstance(value, str):
            return self.moment(value) if MOMENT.fullmatch(value) else self.choice(name, value)
        if isinstance(value, Mapping):
            inner = (
                f"{self.title(process, key)}: {self.value(process, key, one)}" for key, one in value.items() if one
            )
            return "; ".join(inner)
        if isinstance(value, list | tuple):
            return ", ".join(self.value(process, name, one) for one in value)
        return str(value)

    def notes(self, process: str, event: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What the history keeps besides: reasons and texts with what they are."""
        notes = event["payload"].get("notes", {})
        return [
            (
                self.title(process, name),
                self.clock(process, value) if name == "clock" else self.value(process, name, value),
            )
            for name, value in notes.items()
            if value not in (None, "", [], {}, False) and name not in UNSHOWN
        ]

    def who(self, event: Mapping[str, Any]) -> str:
        """Who did something, and for whom."""
        named = self.names.get(event["actor"] or "", "")
        org = self.names.get(event.get("acting_org") or "", "")
        return " · ".join(part for part in (named, self.role(event["acting_role"]), org) if part)

    def event(self, kind: str) -> str:
        """What an event is called: by its own word, or by the command that made it."""
        own = self.of("event", kind)
        return own if own != kind else self.command(kind)

    def numbered(self, number: int) -> str:
        """What stands before one of several that were counted."""
        return self._("第 {n} 项").format(n=number)

    def length(self, value: float, unit: str) -> str:
        """A length of time."""
        return f"{value:g} {self.unit(unit)}"

    def name(self, code: str | None) -> str:
        """What a code of a place, an organisation or a person stands for."""
        return self.names.get(code, code) if code else ""

    def holders(self, held_by: Sequence[Mapping[str, Any]]) -> str:
        """Who must act: people, else organisations, else roles in their places."""
        named = [self.name(one["person"]) for one in held_by if one["person"]]
        named = named or [self.name(one["org"]) for one in held_by if one["org"]]
        if not named:
            named = [f"{self.name(one['place'])} {self.role(one['role'])}".strip() for one in held_by if one["role"]]
        shown = list(dict.fromkeys(named))
        more = self._(" 等") if len(shown) > MOST_HOLDERS else ""
        return self._("、").join(shown[:MOST_HOLDERS]) + more

    def unit(self, unit: str) -> str:
        """A unit of time."""
        return self.of("unit", unit)

    def clock_state(self, state: str) -> str:
        """How a deadline stands."""
        return self.of("clock_state", state)

    def of(self, table: str, code: Any) -> str:
        """A word of the product's own catalogue, such as the reason of an agenda item."""
        words = catalogue()
        return words.say(table, str(code), self.language) if words.has(table, str(code), self.language) else str(code)

    def moment(self, at: str | datetime | None) -> str:
        """A moment as people write it, in Beijing time; 24:00 for the end of a day."""
        if not at:
            return "–"
        when = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(CHINA)
        if (when.hour, when.minute, when.second) == (0, 0, 0):
            return f"{when - timedelta(days=1):%Y-%m-%d} 24:00"
        return f"{when:%Y-%m-%d %H:%M}"

    def day(self, on: str | date | None) -> str:
        """A day."""
        if not on:
            return "–"
        return on[:10] if isinstance(on, str) else on.isoformat()

    def left(self, at: str | datetime | None, now: datetime) -> str:
        """How long until a moment, or since."""
        if not at:
            return ""
        when = datetime.fromisoformat(at) if isinstance(at, str) else at
        seconds = int((when - now).total_seconds())
        length = self._length(abs(seconds))
        return self._("还剩 {length}" if seconds >= 0 else "已过 {length}").format(length=length)

    def _length(self, seconds: int) -> str:
        for size, word in ((86400, "{n} 天"), (3600, "{n} 小时"), (60, "{n} 分钟")):
            if seconds >= size:
                return self._(word).format(n=seconds // size)
        return self._("不到一分钟")

    def _process(self, name: str) -> Process[Any] | None:
        return self.processes.get(name) or next((one for one in self.processes.values() if one.name == name), None)
