"""From a row to an issue: what is kept, what is shortened, and what stays outside with which reason."""

from datetime import UTC, date, datetime

import pytest

from services.importing.columns import Target, WrongMap, columns
from services.importing.messages import Message, message, moment, placed
from services.importing.reasons import WORDS, Reject, Why
from services.importing.sheets import Cell, Row
from workflows.kernel.calendar import CHINA

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
C1, C2 = "620199001001", "620199001002"
HEADER = ("id", "submitted_at", "topic", "detail", "place", "社区")
KNOWN = {C1: C1, C2: C2, "河湾社区": C2}


def taken(*cells: Cell, spread: tuple[str, ...] = (C1,)) -> Message | Reject:
    return message(Row(2, 2, cells), columns(HEADER), placed(KNOWN, spread=spread), NOW)


def test_columns_are_known_by_their_headers_and_renamed_by_hand() -> None:
    found = columns(("ID ", "留言主题", "内容", "foo", "时间"), ("place=FOO", "reported_at="))

    assert found.places == {Target.ID: 0, Target.TITLE: 1, Target.DESCRIPTION: 2, Target.PLACE: 3}


@pytest.mark.parametrize("given", ["title", "colour=a", "title=zzz", "="])
def test_a_wrong_map_is_refused(given: str) -> None:
    with pytest.raises(WrongMap):
        columns(("a", "b"), (given,))


def test_a_file_without_any_text_column_is_refused() -> None:
    with pytest.raises(WrongMap):
        columns(("a", "b"))


def test_a_row_becomes_the_fields_of_an_issue() -> None:
    one = taken("R1", "2019-07-01T10:00:00+08:00", "路灯\x0b不亮", "一周了", "三号楼", "河湾社区")

    assert isinstance(one, Message)
    assert one.fields == {
        "community_code": C2,
        "title": "路灯不亮",
        "description": "一周了",
        "source": "HOTLINE",
        "external_id": "R1",
        "place_text": "三号楼",
        "reported_at": "2019-07-01T10:00:00+08:00",
    }


def test_a_long_title_is_shortened_and_kept_whole_in_the_description() -> None:
    title = "长" * 130

    one = taken("R1", "", title, "内容", "", "")

    assert isinstance(one, Message)
    assert one.fields["title"] == "长" * 119 + "…"
    assert one.fields["description"] == f"{title}\n内容"


def test_a_title_or_a_description_alone_is_enough() -> None:
    only_title, only_text = taken("1", "", "路灯", "", "", ""), taken("2", "", "", "第一行\n第二行", "", "")

    assert isinstance(only_title, Message)
    assert isinstance(only_text, Message)
    assert only_title.fields["description"] == "路灯"
    assert only_text.fields["title"] == "第一行"


def test_a_message_without_an_id_gets_one_from_its_text_every_time_the_same() -> None:
    first, again, other = (taken("", "", "路灯", text, "", "") for text in ("a", "a", "b"))

    assert isinstance(first, Message)
    assert isinstance(again, Message)
    assert isinstance(other, Message)
    assert first.external_id == again.external_id != other.external_id
    assert first.external_id.startswith("text-")


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (("1", "", "", " \n", "", ""), Why.NO_TEXT),
        (("1", "yesterday", "a", "b", "", ""), Why.BAD_DATE),
        (("1", "2019-02-30", "a", "b", "", ""), Why.BAD_DATE),
        (("1", "1889-02-03", "a", "b", "", ""), Why.DATE_TOO_EARLY),
        (("1", "2026-03-02 09:00:01", "a", "b", "", ""), Why.DATE_IN_FUTURE),
        (("1", "", "a", "b" * 10_001, "", ""), Why.TEXT_TOO_LONG),
        (("1" * 201, "", "a", "b", "", ""), Why.ID_TOO_LONG),
        (("1", "", "a", "b", "", "月亮社区"), Why.UNKNOWN_COMMUNITY),
    ],
)
def test_a_bad_row_stays_outside_with_its_reason(cells: tuple[str, ...], why: Why) -> None:
    one = taken(*cells)

    assert isinstance(one, Reject)
    assert (one.why, one.row) == (why, 2)
    assert one.zh != one.en


def test_a_row_without_a_community_stays_outside_when_nothing_places_it() -> None:
    one = taken("1", "", "a", "b", "", "", spread=())

    assert isinstance(one, Reject)
    assert one.why is Why.NO_COMMUNITY


def test_every_reason_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(Why)
    assert all(zh and en for zh, en in WORDS.values())


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2019-07-01", datetime(2019, 7, 1, tzinfo=CHINA)),
        ("2019/7/1 8:05:09", datetime(2019, 7, 1, 8, 5, 9, tzinfo=CHINA)),
        ("2019年7月1日 8时5分", datetime(2019, 7, 1, 8, 5, tzinfo=CHINA)),
        ("2019年7月1日 08:05", datetime(2019, 7, 1, 8, 5, tzinfo=CHINA)),
        ("2019-07-01T08:05:09Z", datetime(2019, 7, 1, 8, 5, 9, tzinfo=UTC)),
        (datetime(2019, 7, 1, 8), datetime(2019, 7, 1, 8, tzinfo=CHINA)),  # noqa: DTZ001 - as workbooks hold it
        (date(2019, 7, 1), datetime(2019, 7, 1, tzinfo=CHINA)),
        ("", None),
        ("12", None),
    ],
)
def test_moments_are_read_as_people_write_them(cell: Cell, expected: datetime | None) -> None:
    assert moment(cell) == expected


def test_spreading_is_the_same_every_time_and_reaches_everybody() -> None:
    place = placed(KNOWN, spread=(C1, C2))

    placed_at = [place("", f"R{number}") for number in range(200)]

    assert placed_at == [place("", f"R{number}") for number in range(200)]
    assert {*placed_at} == {C1, C2}
    assert placed(KNOWN, fixed=C2)("", "R1") == C2
