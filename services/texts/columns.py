"""The columns that a list of cases may have (清单的列), and how a value stands in one: for pages and files alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, get_args, get_type_hints

from services.texts.catalogue import catalogue
from workflows.kernel.calendar import CHINA
from workflows.kernel.fields import Field
from workflows.kernel.process import Process

LEFT_OUT = frozenset({"phase", "reporter", "reporter_id", "submitted_by", "followers", "location"})
"""What is no column: who somebody is, and what is no word or number."""
FIRST = ("number", "title", "state", "next_due_at", "color")
USUAL: Mapping[str, Sequence[str]] = {
    "issue": ("number", "title", "category_code", "state", "level", "lead_org", "next_due_at", "color"),
    "meeting": ("number", "title", "type", "state", "held_at", "community_id"),
    "admission": ("number", "title", "state", "applicant_org", "permit_no", "valid_until", "next_due_at", "color"),
}
"""What is shown first, where it is not the same for every process."""
STEPS: Mapping[str, tuple[str, str]] = {
    "COLLECT": ("征集意愿", "Collect"),
    "RAISE": ("提出议题", "Raise"),
    "DISCUSS": ("会议讨论", "Discuss"),
    "IMPLEMENT": ("组织实施", "Implement"),
    "FEEDBACK": ("结果反馈", "Feed back"),
}
PLAIN = (str, bool, int, float, date, datetime)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name on the wire, its headings, and the enumeration that its values are of, if any."""

    name: str
    zh: str
    en: str
    kind: type[Enum] | None = None

    def title(self, language: str) -> str:
        """The heading."""
        return self.en if language == "en" else self.zh


COMMON = (
    Column("number", "编号", "Number"),
    Column("title", "标题", "Title"),
    Column("state", "状态", "State"),
    Column("step", "步骤", "Step"),
    Column("level", "处理层级", "Level"),
    Column("community_id", "社区", "Community"),
    Column("next_due_at", "下一时限", "Next due"),
    Column("color", "督办", "Colour"),
    Column("created_at", "登记时间", "Registered at"),
    Column("updated_at", "最近更新", "Last change"),
    Column("closed_at", "办结时间", "Closed at"),
)


@cache
def columns_of(process: Process[Any]) -> Mapping[str, Column]:
    """Every column of the lists of a process, those of all processes first."""
    has_steps = any(state.step for state in process.states)
    found = {one.name: one for one in COMMON if one.name != "step" or has_steps}
    titles = _titles(process)
    words = catalogue()
    for name, hint in get_type_hints(process.data).items():
        parts = [part for part in (hint, *get_args(hint)) if isinstance(part, type)]
        kind = next((part for part in parts if issubclass(part, Enum)), None)
        is_plain = kind is not None or any(part in PLAIN for part in parts)
        if name in LEFT_OUT or name in found or not is_plain:
            continue
        if name in titles:
            zh, en = titles[name]
        elif words.has("data", name):
            zh, en = words.say("data", name, "zh"), words.say("data", name, "en")
        else:
            continue
        found[name] = Column(name, zh, en, kind)
    return found


@cache
def usual(process: Process[Any]) -> tuple[str, ...]:
    """The columns that a list shows before anybody chose."""
    known = columns_of(process)
    return tuple(name for name in USUAL.get(process.name, FIRST) if name in known)


def _titles(process: Process[Any]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for command in process.commands.values():
        for name, hint in get_type_hints(command, include_extras=True).items():
            for marker in getattr(hint, "__metadata__", ()):
                if isinstance(marker, Field):
                    found.setdefault(name, (marker.zh, marker.en))
    return found


def value_of(case: Mapping[str, Any], column: Column) -> Any:
    """What a case, as the API shows it, has in a column."""
    common = any(one.name == column.name for one in COMMON)
    return case.get(column.name) if common else case["data"].get(column.name)


def said(
    process: Process[Any], case: Mapping[str, Any], column: Column, language: str, names: Mapping[str, str]
) -> str | int | float:
    """A value as people read it: codes by their words, moments in Beijing time; `names` are those of codes."""
    value = value_of(case, column)
    if column.name == "state":
        position = process.positions.get(f"{case['state']}:{case['data'].get('phase', '')}")
        position = position or process.positions.get(case["state"])
        return case["state"] if position is None else (position.en if language == "en" else position.zh)
    if column.name == "step" and value in STEPS:
        return STEPS[value][language == "en"]
    return _plainly(value, column, language, names)


def _plainly(value: Any, column: Column, language: str, names: Mapping[str, str]) -> str | int | float:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return yes_or_no(value, language)
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(str(_plainly(one, column, language, names)) for one in value)
    text = str(value)
    if text in names:
        return names[text]
    words = catalogue()
    for key in (f"{column.kind.__name__}.{text}" if column.kind else text, text):
        if words.has("value", key, language):
            return words.say("value", key, language)
    return moment(text) if len(text) > len("2026-03-09T09:00") and text[10:11] == "T" else text


def yes_or_no(value: bool, language: str) -> str:
    """A yes or a no."""
    if language == "en":
        return "yes" if value else "no"
    return "是" if value else "否"


def moment(text: str) -> str:
    """A moment as people write it, in Beijing time; 24:00 for the end of a day."""
    try:
        when = datetime.fromisoformat(text).astimezone(CHINA)
    except ValueError:
        return text
    if (when.hour, when.minute, when.second) == (0, 0, 0):
        return f"{when - timedelta(days=1):%Y-%m-%d} 24:00"
    return f"{when:%Y-%m-%d %H:%M}"
