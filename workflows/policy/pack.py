"""The typed shape of a policy pack (政策包): numbers, deadlines, categories, each with its clause.

A pack is immutable. A case keeps its name, version and sha, so the numbers under which it began never change.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from workflows.kernel.calendar import Duration, Scale, Unit

SHARE = re.compile(r"(?P<strict>>=?)(?P<part>[1-9]\d{0,2})/(?P<whole>[1-9]\d{0,2})")

Value = int | float | bool | str | tuple[int | float, ...] | tuple[str, ...]


class Strength(StrEnum):
    """How binding a value is (约束力).

    `HARD` refuses a command that breaks it, `SOFT` allows it with a reason, `INFO` is only shown.
    """

    HARD = "HARD"
    SOFT = "SOFT"
    INFO = "INFO"


class HandlingMode(StrEnum):
    """The three ways to handle an issue (即时办结、限时办结、定期会办) [seed: 000 §五三是]."""

    IMMEDIATE = "IMMEDIATE"
    TIME_LIMITED = "TIME_LIMITED"
    SCHEDULED = "SCHEDULED"


class ClockClass(StrEnum):
    """How much time a category of issues gives (时限类别): from two hours to the next meeting."""

    URGENT = "URGENT"
    NOW = "NOW"
    CONSULT = "CONSULT"
    SIMPLE = "SIMPLE"
    COMPLEX = "COMPLEX"
    MEETING = "MEETING"


CLASSES_OF_MODE: Mapping[HandlingMode, frozenset[ClockClass]] = MappingProxyType(
    {
        HandlingMode.IMMEDIATE: frozenset({ClockClass.URGENT, ClockClass.NOW}),
        HandlingMode.TIME_LIMITED: frozenset({ClockClass.CONSULT, ClockClass.SIMPLE, ClockClass.COMPLEX}),
        HandlingMode.SCHEDULED: frozenset({ClockClass.MEETING}),
    }
)


class UnknownParameter(KeyError):
    """The pack has no such parameter, or it is of another kind than asked for."""

    def __init__(self, pack: str, key: str, why: str) -> None:
        super().__init__(key)
        self.pack, self.key, self.why = pack, key, why

    def __str__(self) -> str:
        return f"{self.pack}: {self.key}: {self.why}"


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole that a vote or a quorum must reach (比例), such as more than 1/2 or at least 2/3."""

    least: Fraction
    strict: bool

    def reached(self, part: int, whole: int) -> bool:
        """Whether `part` of `whole` is enough; nothing of nothing never is."""
        if whole <= 0:
            return False
        share = Fraction(part, whole)
        return share > self.least if self.strict else share >= self.least


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of a pack with its source (参数).

    `clause` is a document's, `basis` a practice or an assumption; `unit` and `roll` belong to deadlines only.
    """

    key: str
    value: Value
    unit: Unit | None
    roll: bool
    strength: Strength
    clause: str
    basis: str

    @property
    def source(self) -> str:
        """What the value rests on, for people to read: the clause, else the basis."""
        return self.clause or self.basis


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of issue (诉求类别) with its default handling.

    `mode` and `clock_class` are None where the community worker chooses; `modes` are those he may choose.
    `personal`: the matter itself tells something about a person. `leads` are the usual responsible parties.
    """

    code: str
    path: tuple[str, ...]
    path_en: tuple[str, ...]
    mode: HandlingMode | None
    clock_class: ClockClass | None
    modes: tuple[HandlingMode, ...]
    danger: bool
    personal: bool
    leads: tuple[str, ...]
    leads_en: tuple[str, ...]
    note: str
    note_en: str
    clause: str
    basis: str

    @property
    def title(self) -> str:
        """The path as one line."""
        return "/".join(self.path)

    @property
    def title_en(self) -> str:
        """The path as one line in English."""
        return " / ".join(self.path_en)


@dataclass(frozen=True, slots=True)
class Pack:
    """A named, versioned set of rules (政策包), complete after everything it extends has been laid under it.

    `sha` is the SHA-256 of the canonical JSON of the content; equal sha means equal rules. Each access raises
    `UnknownParameter` naming the key when the pack has no such value of that kind. `pins` says which new cases take
    another pack (see `packs.chosen`); it is no rule of a case, so it is not in the sha.
    """

    pack: str
    version: int
    extends: str | None
    sha: str
    title: str
    title_en: str
    seed: str
    parameters: Mapping[str, Parameter] = field(repr=False)
    categories: Mapping[str, Category] = field(repr=False)
    scale: Scale | None
    pins: Mapping[str, str] = field(default_factory=dict, repr=False)
    durations: Mapping[str, Duration] = field(init=False, repr=False, compare=False)
    """Every deadline, made once: rules ask for them in each turn."""

    def __post_init__(self) -> None:
        made = {
            key: Duration(one.value, one.unit, one.roll)
            for key, one in self.parameters.items()
            if one.unit is not None and isinstance(one.value, int | float)
        }
        object.__setattr__(self, "durations", MappingProxyType(made))
        object.__setattr__(self, "pins", MappingProxyType(dict(self.pins)))
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        object.__setattr__(self, "categories", MappingProxyType(dict(self.categories)))

    def __hash__(self) -> int:
        return hash(self.sha)

    def parameter(self, key: str) -> Parameter:
        """The value with its unit, strength and source."""
        try:
            return self.parameters[key]
        except KeyError:
            raise UnknownParameter(self.pack, key, "no such parameter") from None

    def duration(self, key: str) -> Duration:
        """A deadline."""
        known = self.durations.get(key)
        if known is not None:
            return known
        self.parameter(key)
        raise UnknownParameter(self.pack, key, "not a duration")

    def number(self, key: str) -> int | float:
        """A count, an amount or a percentage."""
        found = self.parameter(key)
        if found.unit is not None or isinstance(found.value, bool) or not isinstance(found.value, int | float):
            raise UnknownParameter(self.pack, key, "not a number")
        return found.value

    def flag(self, key: str) -> bool:
        """A yes or no."""
        found = self.parameter(key)
        if not isinstance(found.value, bool):
            raise UnknownParameter(self.pack, key, "not a flag")
        return found.value

    def text(self, key: str) -> str:
        """A word, a time of day or a day of the year."""
        found = self.parameter(key)
        if not isinstance(found.value, str):
            raise UnknownParameter(self.pack, key, "not a text")
        return found.value

    def span(self, key: str) -> tuple[int | float, int | float]:
        """A least and a most, both allowed."""
        value = self.parameter(key).value
        if isinstance(value, tuple) and len(value) == 2:
            least, most = value
            if not isinstance(least, str) and not isinstance(most, str):
                return least, most
        raise UnknownParameter(self.pack, key, "not a range")

    def words(self, key: str) -> tuple[str, ...]:
        """Several words, in the order of the document where the order counts."""
        found = self.parameter(key)
        if not isinstance(found.value, tuple):
            raise UnknownParameter(self.pack, key, "not a list of words")
        words = tuple(word for word in found.value if isinstance(word, str))
        if len(words) != len(found.value):
            raise UnknownParameter(self.pack, key, "not a list of words")
        return words

    def share(self, key: str) -> Share:
        """A quorum or majority such as `>1/2`."""
        parts = SHARE.fullmatch(self.text(key))
        if parts is None:
            raise UnknownParameter(self.pack, key, "not a share")
        return Share(Fraction(int(parts["part"]), int(parts["whole"])), parts["strict"] == ">")

    def category(self, code: str) -> Category:
        """A kind of issue by its code."""
        try:
            return self.categories[code]
        except KeyError:
            raise UnknownParameter(self.pack, code, "no such category") from None
