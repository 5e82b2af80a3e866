"""Check the written form of a policy pack and turn it into a `Pack`; all faults are told at once (pure).

Checks of policy-packs.md §7: unknown key, wrong type or unit, missing clause or basis, a HARD rule relaxed
below its parent, a least above its most, a month clock in another unit.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, cast

from workflows.kernel.calendar import Duration, Scale, Unit
from workflows.policy.keys import AT_MOST, KEYS, MONTH, Key, Kind, Tighter
from workflows.policy.pack import (
    CLASSES_OF_MODE,
    SHARE,
    Category,
    ClockClass,
    HandlingMode,
    Pack,
    Parameter,
    Strength,
    Value,
)


class Rule(StrEnum):
    """What a pack got wrong (政策包检查规则); the value is the stable code, `TITLES` has the words."""

    SYNTAX = "syntax"
    HEADER = "header"
    NO_PARENT = "no_parent"
    UNKNOWN_KEY = "unknown_key"
    UNKNOWN_FIELD = "unknown_field"
    WRONG_TYPE = "wrong_type"
    WRONG_UNIT = "wrong_unit"
    MONTH_UNIT = "month_unit"
    OUT_OF_RANGE = "out_of_range"
    STRENGTH = "strength"
    NO_SOURCE = "no_source"
    MIN_ABOVE_MAX = "min_above_max"
    HARD_RELAXED = "hard_relaxed"
    CATEGORY = "category"
    SCALE = "scale"
    PINS = "pins"


TITLES: Mapping[Rule, tuple[str, str]] = {
    Rule.SYNTAX: ("文件无法读取", "not readable"),
    Rule.HEADER: ("包头有误", "wrong header"),
    Rule.NO_PARENT: ("上级包有误", "no such parent"),
    Rule.UNKNOWN_KEY: ("未知参数", "unknown key"),
    Rule.UNKNOWN_FIELD: ("未知字段", "unknown field"),
    Rule.WRONG_TYPE: ("类型不对", "wrong type"),
    Rule.WRONG_UNIT: ("单位不对", "wrong unit"),
    Rule.MONTH_UNIT: ("月度时限单位须为 month", "the unit of a month clock is month"),
    Rule.OUT_OF_RANGE: ("数值超出范围", "out of range"),
    Rule.STRENGTH: ("约束力须为 HARD、SOFT 或 INFO", "strength is HARD, SOFT or INFO"),
    Rule.NO_SOURCE: ("缺少条款或依据", "no clause or basis"),
    Rule.MIN_ABOVE_MAX: ("下限大于上限", "least above most"),
    Rule.HARD_RELAXED: ("放宽了上级的硬性规定", "relaxes a HARD rule of its parent"),
    Rule.CATEGORY: ("诉求类别有误", "wrong category"),
    Rule.SCALE: ("演练比例有误", "wrong scale"),
    Rule.PINS: ("分流有误", "wrong pin"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a pack: in which file, at which key, against which rule, and what was found."""

    file: str
    key: str
    rule: Rule
    found: str

    def __str__(self) -> str:
        zh, en = TITLES[self.rule]
        return f"{self.file}: {self.key}: {zh} / {en} [{self.rule}]: {self.found}"


class PackErrors(Exception):
    """A pack cannot be used; `problems` has every fault that was found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


Fault = tuple[str, Rule, str]
Raw = Mapping[str, Any]

HEADER_FIELDS = {"pack": str, "version": int, "title": str, "title_en": str}
TOP_FIELDS = frozenset({*HEADER_FIELDS, "extends", "source", "parameters", "categories", "scale", "pins"})
PARAMETER_FIELDS = frozenset({"value", "unit", "roll_to_working_day", "strength", "clause", "basis"})
CATEGORY_FIELDS = frozenset(
    {
        *("path", "path_en", "mode", "clock_class", "modes", "danger", "personal"),
        *("leads", "leads_en", "note", "note_en", "clause", "basis"),
    }
)
SCALE_FIELDS = ("hours", "working_hours", "calendar_days", "working_days", "month")
CATEGORY_CODE = re.compile(r"[A-Z]\d\d")
PACK_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
PIN = re.compile(r"(?:[a-z_]{1,40}(?:\.[A-Z_]{1,40})?)?(?:@\d{4,12})?")
BASIS = re.compile(r"(assumption|practice R\d\d)\b.*")
TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
DAY_OF_YEAR = re.compile(r"\d\d-\d\d")


def read(raw: Raw, file: str, parent: Pack | None) -> Pack:
    """Make a pack of what a file says, laid over its parent.

    Raises `PackErrors` with every fault.
    """
    faults = list(_header_faults(raw))
    parameters = _parameters(raw, parent, faults)
    categories = _categories(raw, parent, faults)
    scale = _scale(raw, parent, faults)
    faults.extend(_pin_faults(_table(raw, "pins")))
    if not faults:
        faults.extend(_order_faults(parameters))
    if faults:
        raise PackErrors(tuple(Problem(file, key, rule, found) for key, rule, found in faults))
    pack = _pack(raw, parameters, categories, scale)
    return replace(pack, pins={**(parent.pins if parent else {}), **_table(raw, "pins")})


def _pack(
    raw: Raw, parameters: Mapping[str, Parameter], categories: Mapping[str, Category], scale: Scale | None
) -> Pack:
    header = {name: raw[name] for name in HEADER_FIELDS}
    seed = str(raw.get("source", {}).get("seed", ""))
    content = {
        **header,
        "seed": seed,
        "parameters": {key: asdict(parameter) for key, parameter in parameters.items()},
        "categories": {code: asdict(category) for code, category in categories.items()},
        "scale": asdict(scale) if scale else None,
    }
    return Pack(
        **header,
        extends=raw.get("extends"),
        sha=sha_of(content),
        seed=seed,
        parameters=parameters,
        categories=categories,
        scale=scale,
    )


def sha_of(content: Mapping[str, Any]) -> str:
    """SHA-256, as 64 hexadecimal digits, of content written as JSON in its one canonical form."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


# --- the header ---------------------------------------------------------------------------------------------


def _header_faults(raw: Raw) -> Iterator[Fault]:
    yield from ((name, Rule.UNKNOWN_FIELD, "top level") for name in sorted(raw.keys() - TOP_FIELDS))
    for name, kind in HEADER_FIELDS.items():
        value = raw.get(name)
        if not isinstance(value, kind) or isinstance(value, bool) or not value:
            yield name, Rule.HEADER, f"a {kind.__name__} is needed, found {value!r}"
    if isinstance(raw.get("pack"), str) and not PACK_NAME.fullmatch(raw["pack"]):
        yield "pack", Rule.HEADER, f"not a pack name: {raw['pack']!r}"
    if isinstance(raw.get("version"), int) and raw["version"] < 0:
        yield "version", Rule.HEADER, f"versions count from 1, found {raw['version']}"
    for name in ("parameters", "categories", "scale", "source", "pins"):
        if not isinstance(raw.get(name, {}), Mapping):
            yield name, Rule.WRONG_TYPE, "a table is needed"


def _pin_faults(pins: Raw) -> Iterator[Fault]:
    for name, pack in pins.items():
        if not name or not PIN.fullmatch(name):
            yield f"pins.{name}", Rule.PINS, "a process, process.VARIANT, @place, or process@place"
        if not isinstance(pack, str) or not PACK_NAME.fullmatch(pack):
            yield f"pins.{name}", Rule.PINS, f"not a pack name: {pack!r}"


def _table(raw: Raw, name: str) -> Raw:
    found = raw.get(name, {})
    return found if isinstance(found, Mapping) else {}


# --- parameters ---------------------------------------------------------------------------------------------


def _parameters(raw: Raw, parent: Pack | None, faults: list[Fault]) -> dict[str, Parameter]:
    parameters = dict(parent.parameters) if parent else {}
    for name, row in _table(raw, "parameters").items():
        found = list(_row_faults(name, row))
        if not found:
            child = _parameter(KEYS[name], row)
            found = list(_relaxed(KEYS[name], parameters.get(name), child))
            parameters[name] = child
        faults.extend(found)
    return parameters


def _parameter(key: Key, row: Raw) -> Parameter:
    value = row["value"]
    return Parameter(
        key=key.name,
        value=cast(Value, tuple(value) if isinstance(value, list) else value),
        unit=Unit(row["unit"]) if key.kind is Kind.DURATION else None,
        roll=row.get("roll_to_working_day", False),
        strength=Strength(row["strength"]),
        clause=row.get("clause", ""),
        basis=row.get("basis", ""),
    )


def _row_faults(name: str, row: object) -> Iterator[Fault]:
    key = KEYS.get(name)
    if key is None:
        yield name, Rule.UNKNOWN_KEY, "not in the table of parameters"
        return
    if not isinstance(row, Mapping):
        yield name, Rule.WRONG_TYPE, "a table with value, strength and clause or basis is needed"
        return
    yield from ((name, Rule.UNKNOWN_FIELD, field) for field in sorted(row.keys() - PARAMETER_FIELDS))
    yield from ((name, rule, found) for rule, found in _value_faults(key, row))
    yield from ((name, rule, found) for rule, found in _unit_faults(key, row))
    if row.get("strength") not in tuple(Strength):
        yield name, Rule.STRENGTH, repr(row.get("strength"))
    yield from ((name, rule, found) for rule, found in _source_faults(row))


def _source_faults(row: Raw) -> Iterator[tuple[Rule, str]]:
    clause, basis = row.get("clause", ""), row.get("basis", "")
    if not isinstance(clause, str) or not isinstance(basis, str):
        yield Rule.WRONG_TYPE, "clause and basis are texts"
    elif not clause.strip() and not basis.strip():
        yield Rule.NO_SOURCE, "neither clause nor basis"
    elif basis and not BASIS.fullmatch(basis):
        yield Rule.NO_SOURCE, f"a basis is `assumption` or `practice Rnn`, found {basis!r}"


def _unit_faults(key: Key, row: Raw) -> Iterator[tuple[Rule, str]]:
    unit, roll = row.get("unit"), row.get("roll_to_working_day", False)
    if not isinstance(roll, bool):
        yield Rule.WRONG_TYPE, "roll_to_working_day is true or false"
    elif roll and unit != Unit.CALENDAR_DAYS:
        yield Rule.WRONG_UNIT, "only calendar_days roll to a working day"
    if key.kind is not Kind.DURATION:
        if unit is not None:
            yield Rule.WRONG_UNIT, f"no unit here, found {unit!r}"
    elif not isinstance(unit, str) or unit not in key.units:
        wanted = ", ".join(sorted(key.units))
        yield Rule.MONTH_UNIT if key.units == MONTH else Rule.WRONG_UNIT, f"{wanted} wanted, found {unit!r}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _value_faults(key: Key, row: Raw) -> Iterator[tuple[Rule, str]]:
    value = row.get("value")
    match key.kind:
        case Kind.DURATION:
            yield from _duration_faults(key, value, row.get("unit"))
        case Kind.COUNT | Kind.NUMBER:
            if not (_is_whole(value) if key.kind is Kind.COUNT else _is_number(value)):
                yield Rule.WRONG_TYPE, f"a {key.kind.lower()} is needed, found {value!r}"
            elif not key.least <= cast(float, value) <= key.most:
                yield Rule.OUT_OF_RANGE, f"{key.least:g} to {key.most:g}, found {value}"
        case Kind.RANGE:
            if not (isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value))):
                yield Rule.WRONG_TYPE, f"two whole numbers are needed, found {value!r}"
            elif value[0] > value[1]:
                yield Rule.MIN_ABOVE_MAX, f"{value[0]} > {value[1]}"
            elif value[0] < 0:
                yield Rule.OUT_OF_RANGE, f"not below 0, found {value[0]}"
        case Kind.FLAG:
            if not isinstance(value, bool):
                yield Rule.WRONG_TYPE, f"true or false is needed, found {value!r}"
        case Kind.WORDS:
            yield from _words_faults(key, value)
        case _:
            yield from _text_faults(key, value)


def _duration_faults(key: Key, value: Any, unit: object) -> Iterator[tuple[Rule, str]]:
    if not _is_number(value):
        yield Rule.WRONG_TYPE, f"a number is needed, found {value!r}"
    elif isinstance(unit, str) and unit in key.units:
        try:
            Duration(value, Unit(unit))
        except ValueError as error:
            yield Rule.OUT_OF_RANGE, str(error)


def _words_faults(key: Key, value: Any) -> Iterator[tuple[Rule, str]]:
    if not (isinstance(value, list) and all(isinstance(word, str) for word in value)):
        yield Rule.WRONG_TYPE, f"a list of words is needed, found {value!r}"
        return
    if strange := [word for word in value if word not in key.choices]:
        yield Rule.OUT_OF_RANGE, f"{', '.join(strange)}: not one of {', '.join(key.choices)}"
    if len(set(value)) != len(value):
        yield Rule.OUT_OF_RANGE, "a word stands twice"


def _text_faults(key: Key, value: Any) -> Iterator[tuple[Rule, str]]:
    if not isinstance(value, str):
        yield Rule.WRONG_TYPE, f"a text is needed, found {value!r}"
    elif key.kind is Kind.TEXT and value not in key.choices:
        yield Rule.OUT_OF_RANGE, f"{value!r}: not one of {', '.join(key.choices)}"
    elif key.kind is Kind.SHARE and not _is_share(value):
        yield Rule.WRONG_TYPE, f"a share like >1/2 or >=2/3 is needed, found {value!r}"
    elif key.kind is Kind.TIME_OF_DAY and not TIME_OF_DAY.fullmatch(value):
        yield Rule.WRONG_TYPE, f"a time of day like 18:00 is needed, found {value!r}"
    elif key.kind is Kind.DAY_OF_YEAR and not _is_day_of_year(value):
        yield Rule.WRONG_TYPE, f"a day of the year like 11-01 is needed, found {value!r}"


def _is_share(value: str) -> bool:
    parts = SHARE.fullmatch(value)
    return parts is not None and int(parts["part"]) <= int(parts["whole"])


def _is_day_of_year(value: str) -> bool:
    try:
        date.fromisoformat(f"2001-{value}")
    except ValueError:
        return False
    return DAY_OF_YEAR.fullmatch(value) is not None


# --- a lower level may tighten a HARD rule, never relax it --------------------------------------------------


def _relaxed(key: Key, parent: Parameter | None, child: Parameter) -> Iterator[Fault]:
    if parent is None or parent.strength is not Strength.HARD:
        return
    if child.strength is not Strength.HARD:
        yield key.name, Rule.HARD_RELAXED, f"HARD became {child.strength}"
    if not _as_strict(key, parent, child):
        yield key.name, Rule.HARD_RELAXED, f"{_shown(parent)} became {_shown(child)}"


def _shown(parameter: Parameter) -> str:
    roll = " (rolls)" if parameter.roll else ""
    return f"{parameter.value} {parameter.unit or ''}".strip() + roll


def _as_strict(key: Key, parent: Parameter, child: Parameter) -> bool:
    old, new = parent.value, child.value
    if (old, parent.unit, parent.roll) == (new, child.unit, child.roll):
        return True
    if key.kind is Kind.RANGE:
        (old_least, old_most), (new_least, new_most) = cast(tuple[int, int], old), cast(tuple[int, int], new)
        return old_least <= new_least and new_most <= old_most
    if key.tighter is Tighter.SAME or parent.unit is not child.unit:
        return False
    # Rolling gives more time, so it counts as the higher of two equal values.
    before, after = (cast(float, old), parent.roll), (cast(float, new), child.roll)
    if key.tighter is Tighter.LOWER:
        return after[0] <= before[0] and after[1] <= before[1]
    return after[0] >= before[0] and after[1] >= before[1]


def _order_faults(parameters: Mapping[str, Parameter]) -> Iterator[Fault]:
    for low, high in AT_MOST:
        first, second = parameters.get(low), parameters.get(high)
        if first is None or second is None or first.unit is not second.unit:
            continue
        if cast(Any, first.value) > cast(Any, second.value):
            yield low, Rule.MIN_ABOVE_MAX, f"{first.value} > {second.value} of {high}"


# --- categories and scale -----------------------------------------------------------------------------------


def _categories(raw: Raw, parent: Pack | None, faults: list[Fault]) -> dict[str, Category]:
    categories = dict(parent.categories) if parent else {}
    for code, row in _table(raw, "categories").items():
        found = [(f"categories.{code}", rule, what) for rule, what in _category_faults(code, row)]
        faults.extend(found)
        if not found:
            categories[code] = _category(code, row)
    return categories


def _category(code: str, row: Raw) -> Category:
    return Category(
        code=code,
        path=tuple(row["path"]),
        path_en=tuple(row["path_en"]),
        mode=HandlingMode(row["mode"]) if "mode" in row else None,
        clock_class=ClockClass(row["clock_class"]) if "clock_class" in row else None,
        modes=tuple(map(HandlingMode, row["modes"])),
        danger=row.get("danger", False),
        personal=row.get("personal", False),
        leads=tuple(row.get("leads", ())),
        leads_en=tuple(row.get("leads_en", ())),
        note=row.get("note", ""),
        note_en=row.get("note_en", ""),
        clause=row.get("clause", ""),
        basis=row.get("basis", ""),
    )


def _category_faults(code: str, row: object) -> Iterator[tuple[Rule, str]]:
    if not CATEGORY_CODE.fullmatch(code):
        yield Rule.CATEGORY, "a code is a letter and two digits"
    if not isinstance(row, Mapping):
        yield Rule.WRONG_TYPE, "a table is needed"
        return
    yield from ((Rule.UNKNOWN_FIELD, field) for field in sorted(row.keys() - CATEGORY_FIELDS))
    for name, other, least in (("path", "path_en", 1), ("leads", "leads_en", 0)):
        if not _are_twins(row.get(name, []), row.get(other, []), least=least):
            yield Rule.CATEGORY, f"{name} and {other} are lists of texts of the same length (path: 1 to 3)"
    for name, kind in (("danger", bool), ("personal", bool), ("note", str), ("note_en", str)):
        if not isinstance(row.get(name, kind()), kind):
            yield Rule.WRONG_TYPE, f"{name}: a {kind.__name__} is needed"
    if bool(row.get("note")) != bool(row.get("note_en")):
        yield Rule.CATEGORY, "a note needs its English twin"
    yield from _mode_faults(row)
    yield from _source_faults(row)


def _are_twins(zh: object, en: object, *, least: int) -> bool:
    if not isinstance(zh, list) or not isinstance(en, list) or len(zh) != len(en):
        return False
    most = 3 if least else 12
    return least <= len(zh) <= most and all(isinstance(word, str) and word.strip() for word in (*zh, *en))


def _mode_faults(row: Raw) -> Iterator[tuple[Rule, str]]:
    mode, clock_class, modes = row.get("mode"), row.get("clock_class"), row.get("modes")
    if not isinstance(modes, list) or not modes or any(one not in tuple(HandlingMode) for one in modes):
        yield Rule.CATEGORY, f"modes: some of {', '.join(HandlingMode)} are needed, found {modes!r}"
        return
    if mode is None and clock_class is None:
        return
    if mode is None or mode not in modes:
        yield Rule.CATEGORY, f"mode {mode!r} is not among its modes"
    elif clock_class not in tuple(CLASSES_OF_MODE[HandlingMode(mode)]):
        yield Rule.CATEGORY, f"clock class {clock_class!r} does not belong to mode {mode}"


def _scale(raw: Raw, parent: Pack | None, faults: list[Fault]) -> Scale | None:
    row = _table(raw, "scale")
    if not row:
        return parent.scale if parent else None
    if set(row) != set(SCALE_FIELDS) or not all(map(_is_number, row.values())):
        faults.append(("scale", Rule.SCALE, f"seconds for each of {', '.join(SCALE_FIELDS)} are needed"))
        return None
    try:
        return Scale(**{name: float(row[name]) for name in SCALE_FIELDS})
    except ValueError as error:
        faults.append(("scale", Rule.SCALE, str(error)))
        return None
