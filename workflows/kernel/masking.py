"""Find phone, identity and room numbers in a text that everybody will read (S23, processes §0.7; pure).

What looks like a date, an amount, a document number or a number of a case is left alone; in doubt a number that
could be somebody's is found.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What was found."""

    PHONE = "PHONE"
    LANDLINE = "LANDLINE"
    IDENTITY = "IDENTITY"
    ROOM = "ROOM"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place in a text that must not be published; `end` is the position after the last character."""

    kind: Kind
    start: int
    end: int
    sample_masked: str


# One character becomes one, so that positions in the plain and in the given text agree.
_PLAIN = str.maketrans(
    {
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        **dict.fromkeys("－—–‐‑‒―−﹣", "-"),
        **dict.fromkeys("\u3000\u00a0", " "),
        "（": "(",
        "）": ")",
        "：": ":",
        "＃": "#",
        "Ｘ": "X",
        "ｘ": "x",
    }
)

_PROVINCE = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])"
_MONTH_DAY = r"(?:0[1-9]|1[0-2])[ -]?(?:0[1-9]|[12]\d|3[01])"
_NUMERAL = "[0-9〇零一二三四五六七八九十百]"
_HOUSE = rf"(?:{_NUMERAL}{{1,4}}|[A-Za-z])\s?(?:号楼|号院|栋|幢|座|#楼?)"
_UNIT = rf"{_NUMERAL}{{1,3}}\s?单元"
# What a number without 室 may not be followed by: then it counts or measures something.
_NO_MEASURE = r"(?![\d,.%％℃米元万千人次个平㎡吨天日年月时分秒块件株棵盏张户家把条处项])"

_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        Kind.IDENTITY,
        re.compile(
            rf"(?<![\dA-Za-z]){_PROVINCE}\d{{4}}[ -]?(?:18|19|20)\d{{2}}[ -]?{_MONTH_DAY}"
            r"[ -]?\d{3}[\dXx](?![\dA-Za-z])"
        ),
    ),
    # Cards of 15 digits were given to people born between about 1920 and 1999.
    (Kind.IDENTITY, re.compile(rf"(?<![\dA-Za-z]){_PROVINCE}\d{{4}}[2-9]\d{_MONTH_DAY}\d{{3}}(?![\dA-Za-z])")),
    (Kind.PHONE, re.compile(r"(?<![\d.])(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\d])")),
    (
        Kind.LANDLINE,
        re.compile(
            r"(?<![\d-])(?:\(0(?:10|2\d|[3-9]\d{2})\) ?|0(?:10|2\d|[3-9]\d{2})[- ])[2-8]\d{6,7}(?:-\d{1,6})?(?![\d-])"
        ),
    ),
    (Kind.LANDLINE, re.compile(r"(?<!\d)0(?:10|2\d|[3-9]\d{2})[2-8]\d{6,7}(?!\d)")),
    (
        Kind.LANDLINE,
        re.compile(r"(?:电话|座机|致电|来电|拨打|联系方式|固话)[^\d\n]{0,6}(?P<it>[2-8]\d{2,3}[ -]?\d{4})(?!\d)"),
    ),
    (
        Kind.ROOM,
        re.compile(
            rf"(?:{_HOUSE}\s?)?{_UNIT}\s?(?:{_NUMERAL}{{1,3}}(?:层|楼)\s?)?(?P<no>{_NUMERAL}{{3,6}})\s?"
            rf"(?:号?[室房](?!间?数)|户(?![居住家人数])|号(?!楼|院|线)|{_NO_MEASURE}(?![〇零一二三四五六七八九十百]))"
        ),
    ),
    (
        Kind.ROOM,
        re.compile(
            rf"{_HOUSE}\s?(?:{_NUMERAL}{{1,3}}(?:层|楼)\s?)?{_NUMERAL}{{3,6}}\s?(?:号?[室房](?!间?数)|号(?!楼|院|线))"
        ),
    ),
    (Kind.ROOM, re.compile(rf"(?:\d{{1,4}}|[A-Za-z])(?:号楼|栋|幢|座|#楼?)\s?\d{{3,4}}(?!\d){_NO_MEASURE}")),
    (Kind.ROOM, re.compile(r"(?:\d{1,4}|[A-Za-z])(?:号楼|号院|栋|幢|座|#楼?)\s?\d{1,2} ?- ?\d{1,2}0\d(?![\d-])")),
    # Building-unit-room; a year at the end makes it a date.
    (
        Kind.ROOM,
        re.compile(
            r"(?<![\d.A-Za-z〔\[-])(?:\d{1,3}|[A-Za-z]) ?- ?\d{1,2} ?- ?"
            r"(?!(?:19|20)[1-9]\d(?!\d))\d{3,4}(?![\d-])(?!\.\d)"
        ),
    ),
    (
        Kind.ROOM,
        re.compile(r"(?:家住|住在|住址|住户|户主|房号|门牌号?)[^\d\n]{0,6}(?P<it>\d{1,3} ?- ?\d{3,4})(?![\d-])"),
    ),
    (Kind.ROOM, re.compile(r"(?<![\d.〔-])[1-9]\d{2,3}室")),
)


def find(text: str) -> tuple[Finding, ...]:
    """Give every place that must not be published, in the order of the text; they do not overlap."""
    level = text.translate(_PLAIN)
    hits = sorted(
        (
            (*match.span("it" if "it" in pattern.groupindex else 0), kind)
            for kind, pattern in _PATTERNS
            for match in pattern.finditer(level)
        ),
        key=lambda hit: (hit[0], -hit[1]),
    )
    found: list[Finding] = []
    for start, end, kind in hits:
        if found and start < found[-1].end:
            continue
        found.append(Finding(kind, start, end, _sample(text[start:end])))
    return tuple(found)


def mask(text: str, *, as_: Callable[[Finding], str] = lambda finding: "***") -> str:
    """Give the text with every found place replaced; what comes out holds nothing to be found."""
    masked, last = [], 0
    for finding in find(text):
        masked += [text[last : finding.start], as_(finding)]
        last = finding.end
    return "".join([*masked, text[last:]])


def _sample(found: str) -> str:
    """Enough of it to recognise the place, not enough to call or visit anybody."""
    return found[:2] + "*" * (len(found) - 2)
