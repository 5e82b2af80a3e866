"""Why a row of a file does not become an issue, in words for whoever must mend the file."""

from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """Kinds of bad rows (退回原因)."""

    NO_TEXT = "NO_TEXT"
    BAD_DATE = "BAD_DATE"
    DATE_TOO_EARLY = "DATE_TOO_EARLY"
    DATE_IN_FUTURE = "DATE_IN_FUTURE"
    CELL_TOO_LARGE = "CELL_TOO_LARGE"
    TEXT_TOO_LONG = "TEXT_TOO_LONG"
    WRONG_ENCODING = "WRONG_ENCODING"
    BROKEN_QUOTING = "BROKEN_QUOTING"
    WRONG_COLUMNS = "WRONG_COLUMNS"
    NO_COMMUNITY = "NO_COMMUNITY"
    UNKNOWN_COMMUNITY = "UNKNOWN_COMMUNITY"
    ID_TOO_LONG = "ID_TOO_LONG"
    OTHER_CONTENT = "OTHER_CONTENT"
    REFUSED = "REFUSED"


WORDS: dict[Why, tuple[str, str]] = {
    Why.NO_TEXT: ("标题和内容都是空的", "neither title nor description"),
    Why.BAD_DATE: ("时间无法识别：{detail}", "not a date: {detail}"),
    Why.DATE_TOO_EARLY: ("时间早于 1990 年：{detail}", "before 1990: {detail}"),
    Why.DATE_IN_FUTURE: ("时间在将来：{detail}", "in the future: {detail}"),
    Why.CELL_TOO_LARGE: ("单元格超过 {detail} 字", "a cell of more than {detail} characters"),
    Why.TEXT_TOO_LONG: ("内容超过 {detail} 字", "a description of more than {detail} characters"),
    Why.WRONG_ENCODING: ("含有不属于文件编码 {detail} 的字节", "bytes that are not {detail}"),
    Why.BROKEN_QUOTING: ("引号不成对，这一行无法分列", "quotes that do not match; the row cannot be split"),
    Why.WRONG_COLUMNS: ("列数与表头不符：{detail}", "not as many columns as the header: {detail}"),
    Why.NO_COMMUNITY: ("没有社区", "no community"),
    Why.UNKNOWN_COMMUNITY: ("没有这个社区：{detail}", "no such community: {detail}"),
    Why.ID_TOO_LONG: ("编号超过 {detail} 字", "an id of more than {detail} characters"),
    Why.OTHER_CONTENT: (
        "该编号已导入过，内容或社区不同；原有事项未改动",
        "imported before with another content or community; that issue was not changed",
    ),
    Why.REFUSED: ("{detail}", "{detail}"),
}


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that stays outside (退回行): where it stands, why, and in two languages what exactly.

    `row` counts as a spreadsheet does, the header being 1; `line` is the line of a text file, 0 in others.
    """

    row: int
    line: int
    external_id: str
    why: Why
    detail: str = ""
    detail_en: str = ""

    @property
    def zh(self) -> str:
        """The reason in Chinese."""
        return WORDS[self.why][0].format(detail=self.detail)

    @property
    def en(self) -> str:
        """The reason in English."""
        return WORDS[self.why][1].format(detail=self.detail_en or self.detail)
