"""From a row to the fields of `submit_issue`, or to the reason why not (pure)."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from services.importing.columns import Columns, Target
from services.importing.reasons import Reject, Why
from services.importing.sheets import Cell, Row
from workflows.kernel.calendar import CHINA

TITLE_LENGTH = 120
DESCRIPTION_LENGTH = 10_000
PLACE_LENGTH = 200
ID_LENGTH = 200
EARLIEST = datetime(1990, 1, 1, tzinfo=CHINA)
# What no keyboard types and no database keeps; it comes from broken exports.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
CHINESE_DATE = re.compile(r"(\d{4})[年/.](\d{1,2})[月/.](\d{1,2})日?")

Place = Callable[[str, str], str | None]
"""The community of a message, from its column and its id; None when there is none."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a resident, ready for the door; `fields` are those of `POST /issues`."""

    row: int
    line: int
    external_id: str
    fields: Mapping[str, object]


def message(row: Row, columns: Columns, community: Place, now: datetime) -> Message | Reject:
    """Read a row; texts are kept as they are written, titles over the limit are shortened."""

    def cell(target: Target) -> Cell:
        return row.cells[columns.places[target]] if target in columns else ""

    def words(target: Target) -> str:
        return CONTROL.sub("", str(cell(target))).strip()

    title, description = words(Target.TITLE), words(Target.DESCRIPTION)
    external_id = words(Target.ID)
    if not external_id and (title or description):
        external_id = derived(title, description, words(Target.REPORTED_AT))

    def reject(why: Why, detail: object = "", detail_en: str = "") -> Reject:
        return Reject(row.row, row.line, external_id[:ID_LENGTH], why, str(detail), detail_en)

    if not title and not description:
        return reject(Why.NO_TEXT)
    if len(external_id) > ID_LENGTH:
        return reject(Why.ID_TOO_LONG, ID_LENGTH)
    # A title that does not fit is kept whole where there is room.
    if len(title) > TITLE_LENGTH and title not in description:
        description = f"{title}\n{description}".strip()
    if len(description) > DESCRIPTION_LENGTH:
        return reject(Why.TEXT_TOO_LONG, DESCRIPTION_LENGTH)
    given = cell(Target.REPORTED_AT)
    reported = moment(given)
    if reported is None and given:
        return reject(Why.BAD_DATE, str(given)[:40])
    if reported is not None and reported < EARLIEST:
        return reject(Why.DATE_TOO_EARLY, f"{reported:%Y-%m-%d}")
    if reported is not None and reported > now:
        return reject(Why.DATE_IN_FUTURE, f"{reported:%Y-%m-%d}")
    named = words(Target.COMMUNITY)
    code = community(named, external_id)
    if code is None:
        return reject(Why.UNKNOWN_COMMUNITY, named[:40]) if named else reject(Why.NO_COMMUNITY)
    fields: dict[str, object] = {
        "community_code": code,
        "title": shortened(title or description.splitlines()[0], TITLE_LENGTH),
        "description": description or title,
        "source": "HOTLINE",
        "external_id": external_id,
    }
    if place := words(Target.PLACE):
        fields["place_text"] = shortened(place, PLACE_LENGTH)
    if category := words(Target.CATEGORY):
        fields["category_code"] = category
    if reported is not None:
        fields["reported_at"] = reported.isoformat()
    return Message(row.row, row.line, external_id, fields)


def derived(*texts: str) -> str:
    """An id for a message that has none: the same text always gives the same."""
    return "text-" + hashlib.sha256("|".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def shortened(text: str, longest: int) -> str:
    """The text itself, or its beginning with an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def moment(cell: Cell) -> datetime | None:
    """The moment that a cell means; Beijing time where no offset is written; None for what is none."""
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=CHINA) if cell.utcoffset() is None else cell
    if isinstance(cell, date):
        return datetime.combine(cell, time(), CHINA)
    text = cell.strip()
    if not text:
        return None
    text = CHINESE_DATE.sub(lambda found: "{}-{:0>2}-{:0>2}".format(*found.groups()), text, count=1)
    text = re.sub(r"(?<=\d)[时点](?=\d)|(?<=\d)分(?=\d)", ":", text).rstrip("秒分")
    # 8:5:9 is 08:05:09
    text = re.sub(r"(?<=[ T:])(\d)(?=:|$)", r"0\1", text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=CHINA) if found.utcoffset() is None else found


def placed(known: Mapping[str, str], *, fixed: str | None = None, spread: Sequence[str] = ()) -> Place:
    """Give the community of a message: its column by code or name, else the fixed one, else spread by its id.

    `known` gives the code for every code and name.
    """

    def community(named: str, external_id: str) -> str | None:
        if named:
            return known.get(named)
        if fixed is not None:
            return fixed
        if spread:
            digest = hashlib.sha256(external_id.encode("utf-8", "surrogatepass")).digest()
            return spread[int.from_bytes(digest[:8]) % len(spread)]
        return None

    return community


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)
