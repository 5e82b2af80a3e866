"""Public texts hold no phone, identity or room number; dates, amounts and numbers of papers are left alone (S23)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.kernel.masking import Kind, find, mask

FOUND = (
    ("联系电话13800000000", Kind.PHONE, "13800000000"),
    ("请拨 138 0000 0000 联系", Kind.PHONE, "138 0000 0000"),
    ("请拨 138-0000-0000 联系", Kind.PHONE, "138-0000-0000"),
    ("+8613800000000", Kind.PHONE, "+8613800000000"),
    ("0086 13800000000", Kind.PHONE, "0086 13800000000"),
    ("手机１３８００００００００", Kind.PHONE, "１３８００００００００"),
    ("王某13900000000和李某", Kind.PHONE, "13900000000"),
    ("0931-8888888", Kind.LANDLINE, "0931-8888888"),
    ("010-88888888", Kind.LANDLINE, "010-88888888"),
    ("（0931）8888888", Kind.LANDLINE, "（0931）8888888"),
    ("0931 8888888", Kind.LANDLINE, "0931 8888888"),
    ("09318888888", Kind.LANDLINE, "09318888888"),
    ("联系电话：8888888", Kind.LANDLINE, "8888888"),
    ("身份证620102198001011234", Kind.IDENTITY, "620102198001011234"),
    ("身份证62010219800101123X", Kind.IDENTITY, "62010219800101123X"),
    ("620102 19800101 1234", Kind.IDENTITY, "620102 19800101 1234"),
    ("620102800101123", Kind.IDENTITY, "620102800101123"),
    ("3-2-501", Kind.ROOM, "3-2-501"),
    ("３－２－５０１", Kind.ROOM, "３－２－５０１"),
    ("住3—2—501的住户", Kind.ROOM, "3—2—501"),
    ("12-1-1203", Kind.ROOM, "12-1-1203"),
    ("3-2-2001", Kind.ROOM, "3-2-2001"),
    ("3号楼2单元501室", Kind.ROOM, "3号楼2单元501室"),
    ("3号楼2单元501", Kind.ROOM, "3号楼2单元501"),
    ("3 号楼 2 单元 501 室", Kind.ROOM, "3 号楼 2 单元 501 室"),
    ("3栋2单元5楼501室", Kind.ROOM, "3栋2单元5楼501室"),
    ("2单元501户漏水", Kind.ROOM, "2单元501户"),
    ("3号楼501室", Kind.ROOM, "3号楼501室"),
    ("3号楼501漏水", Kind.ROOM, "3号楼501"),
    ("3栋2-501", Kind.ROOM, "3栋2-501"),
    ("3#2-501", Kind.ROOM, "3#2-501"),
    ("A座1203", Kind.ROOM, "A座1203"),
    ("三号楼二单元五零一室", Kind.ROOM, "三号楼二单元五零一室"),
    ("住在2-501", Kind.ROOM, "2-501"),
    ("501室漏水", Kind.ROOM, "501室"),
)
LEFT_ALONE = (
    "2026-03-09 已完成",
    "2026-3-9至2026-4-10",
    "2026年3月9日10时30分",
    "3-12-2026",
    "2026/03/09",
    "20260309",
    "9:30-11:00",
    "预算20000元，实际 19,850.50 元",
    "共计1380000元",
    "兰组通字〔2021〕45号",
    "安街办〔2026〕12号",
    "甘建发〔2019〕123号文件",
    "诉求编号6201990010012026030001",
    "网格620199001001001",
    "社区620199001001",
    "社会信用代码91620100712345678X",
    "请拨12345或110、119",
    "12315",
    "3号楼2单元楼道堆放纸箱",
    "3号楼120户居民",
    "3号楼200米处",
    "3号楼2026年完成改造",
    "涉及2单元120户居民",
    "5号楼、6号楼之间",
    "308会议室",
    "第3次会议，9人到会，6票赞成",
    "24户中19户同意（79%）",
    "3-5个工作日",
    "车牌甘A12345",
    "水压0.15-0.35兆帕",
    "GB 50016-2014",
    "坐标36.0613,103.8343",
    "电缆YJV-3-2-16",
    "1-2-3号楼",
    "10-200元",
)


@pytest.mark.parametrize(("text", "kind", "place"), FOUND)
def test_what_tells_of_a_person_is_found_with_its_place(text: str, kind: Kind, place: str) -> None:
    found = find(text)

    assert [(one.kind, text[one.start : one.end]) for one in found] == [(kind, place)]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_tells_of_nobody_is_left_alone(text: str) -> None:
    assert find(text) == ()


@pytest.mark.parametrize(("text", "kind", "place"), FOUND)
def test_a_masked_text_holds_nothing_more(text: str, kind: Kind, place: str) -> None:
    assert find(mask(text)) == ()
    assert place not in mask(text)


def test_several_places_are_found_in_their_order() -> None:
    found = find("3-2-501王某，13800000000，身份证620102198001011234")

    assert [one.kind for one in found] == [Kind.ROOM, Kind.PHONE, Kind.IDENTITY]


def test_a_sample_shows_where_and_not_what() -> None:
    (one,) = find("电话13800000000")

    assert one.sample_masked == "13*********"


@given(st.text(alphabet="0123456789-号楼单元室 1380 X住电话", max_size=60))
def test_masking_once_is_enough(text: str) -> None:
    assert find(mask(text)) == ()


@given(st.text(max_size=80))
def test_places_do_not_overlap_and_lie_in_the_text(text: str) -> None:
    last = 0
    for one in find(text):
        assert last <= one.start < one.end <= len(text)
        last = one.end
