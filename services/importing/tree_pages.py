"""The sheets of the workbook of the tree (区划人员总表): their columns, and how a row is found again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from services.api.master import RegionCode
from services.api.people import NewPerson
from services.api.tree import NewBody, NewBuilding, NewMember, NewOrganization, NewRegion, NewRole, NewUnit

YES, NO = ("是", "yes", "true", "1", "y"), ("否", "no", "false", "0", "n")
SEPARATORS = str.maketrans(dict.fromkeys("、，,;；\n", " "))


class RegionRow(NewRegion):
    """A region; the widest has none above it."""

    parent_code: RegionCode | None = None  # type: ignore[assignment]  # wider than over HTTP


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its field, its Chinese title, and how a cell becomes a value."""

    field: str
    title: str
    read: Callable[[str], Any] = str


def whole(text: str) -> Any:
    """A whole number; what is none stays text, for the model to name."""
    return int(text) if text.lstrip("-").isdecimal() else text


def truth(text: str) -> Any:
    """Yes or no; what is neither stays text."""
    return True if text.lower() in YES else False if text.lower() in NO else text


def words(text: str) -> list[str]:
    """Several names in one cell, however they are set apart."""
    return text.translate(SEPARATORS).split()


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet: its title, its columns, the model of a row, and the columns by which a row is found again."""

    title: str
    kind: str
    model: type[BaseModel]
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    place: str
    """The column by whose place the right to write is asked."""


PAGES = (
    Page("区划", "region", RegionRow, ("code",), (
        Column("code", "代码"), Column("name", "名称"), Column("level", "级别"), Column("parent_code", "上级代码"),
        Column("households", "户数", whole), Column("population", "人口", whole), Column("estate_kind", "小区类型"),
        Column("self_governance_mode", "自治模式"),
    ), "code"),
    Page("组织", "organization", NewOrganization, ("code",), (
        Column("code", "代码"), Column("name", "名称"), Column("org_type", "类型"), Column("level", "层级"),
        Column("region_code", "区划代码"), Column("credit_code", "统一社会信用代码"),
        Column("is_resident_unit", "驻区单位", truth),
    ), "region_code"),
    Page("人员", "person", NewPerson, ("username",), (
        Column("username", "用户名"), Column("display_name", "姓名"), Column("phone", "电话"),
        Column("home_community_code", "所住社区代码"),
    ), "home_community_code"),
    Page("网格与单元", "unit", NewUnit, ("code",), (
        Column("community_code", "社区代码"), Column("kind", "种类"), Column("code", "代码"), Column("name", "名称"),
        Column("parent_code", "上级代码"), Column("households", "户数", whole),
        Column("responsible", "责任人用户名", words), Column("exception_reason", "例外理由"),
    ), "community_code"),
    Page("楼栋", "building", NewBuilding, ("community_code", "name"), (
        Column("community_code", "社区代码"), Column("name", "名称"), Column("floors", "层数", whole),
        Column("units", "单元数", whole), Column("households", "户数", whole), Column("grid_code", "网格代码"),
        Column("estate_code", "小区代码"), Column("base_unit_code", "基本单元代码"),
    ), "community_code"),
    Page("任职", "role", NewRole, ("person", "role", "place", "org_code"), (
        Column("person", "用户名"), Column("role", "身份"), Column("place", "区划或网格代码"),
        Column("org_code", "组织代码"), Column("since", "开始日期"), Column("until", "结束日期"),
    ), "place"),
    Page("会议主体", "body", NewBody, ("type", "region_code"), (
        Column("type", "类型"), Column("region_code", "区划代码"), Column("name", "名称"),
    ), "region_code"),
    Page("成员", "member", NewMember, ("body_type", "region_code", "person", "org_code"), (
        Column("body_type", "会议主体类型"), Column("region_code", "区划代码"), Column("person", "用户名"),
        Column("org_code", "组织代码"), Column("post", "职务"), Column("category", "类别"), Column("since", "开始日期"),
        Column("until", "结束日期"),
    ), "region_code"),
)  # fmt: skip
