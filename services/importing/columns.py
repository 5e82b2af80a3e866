"""Which column of a file means what: by its header, or as the caller says with `--map`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Target(StrEnum):
    """What a column can be (字段)."""

    ID = "id"
    TITLE = "title"
    DESCRIPTION = "description"
    REPORTED_AT = "reported_at"
    PLACE = "place"
    COMMUNITY = "community"
    CATEGORY = "category"


TITLES: dict[Target, tuple[str, str]] = {
    Target.ID: ("编号", "Id"),
    Target.TITLE: ("标题", "Title"),
    Target.DESCRIPTION: ("内容", "Description"),
    Target.REPORTED_AT: ("时间", "Reported at"),
    Target.PLACE: ("地点", "Place"),
    Target.COMMUNITY: ("社区", "Community"),
    Target.CATEGORY: ("类别", "Category"),
}

# What people call these columns; the first that a file has is taken.
HEADERS: dict[Target, tuple[str, ...]] = {
    Target.ID: ("external_id", "id", "message_id", "case_no", "编号", "留言编号", "工单编号", "诉求编号", "序号"),
    Target.TITLE: ("title", "topic", "subject", "标题", "留言主题", "主题", "诉求标题", "工单标题"),
    Target.DESCRIPTION: (
        "description",
        "detail",
        "content",
        "text",
        "body",
        "内容",
        "留言详情",
        "详情",
        "诉求内容",
        "工单内容",
        "正文",
    ),
    Target.REPORTED_AT: (
        "reported_at",
        "submitted_at",
        "created_at",
        "time",
        "date",
        "时间",
        "留言时间",
        "反映时间",
        "受理时间",
        "登记时间",
        "来电时间",
        "日期",
    ),
    Target.PLACE: ("place", "place_text", "address", "location", "地点", "地址", "位置", "事发地点"),
    Target.COMMUNITY: ("community_code", "community", "社区代码", "社区编码", "社区", "所属社区"),
    Target.CATEGORY: ("category_code", "类别代码", "类别编码"),
}


class WrongMap(ValueError):
    """`--map` names a field or a column that there is not; says so in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True)
class Columns:
    """Place of each field among the columns (列对应)."""

    places: Mapping[Target, int]

    def __contains__(self, target: Target) -> bool:
        return target in self.places


def columns(header: Sequence[str], given: Sequence[str] = ()) -> Columns:
    """Find the columns of a header; `given` are `field=column` and win. Raises `WrongMap`.

    An empty column takes the field away: `place=`.
    """
    names = [name.strip().casefold() for name in header]
    places: dict[Target, int] = {}
    for target, known in HEADERS.items():
        found = next((names.index(name) for name in known if name in names), None)
        if found is not None:
            places[target] = found
    for pair in given:
        name, sign, column = (part.strip() for part in pair.partition("="))
        if not sign or name not in tuple(Target):
            choices = "、".join(Target)
            raise WrongMap(
                f"--map {pair}：应为 字段=列名，字段可为 {choices}。",
                f"--map {pair}: write field=column; the fields are {', '.join(Target)}.",
            )
        if not column:
            places.pop(Target(name), None)
        elif column.casefold() in names:
            places[Target(name)] = names.index(column.casefold())
        else:
            listed = ", ".join(header)
            raise WrongMap(f"没有列 {column}，文件有：{listed}", f"No column {column}; the file has: {listed}")
    if Target.TITLE not in places and Target.DESCRIPTION not in places:
        listed = ", ".join(header)
        raise WrongMap(
            f"找不到标题或内容列，请用 --map 指明。文件有：{listed}",
            f"No column for title or description found; name them with --map. The file has: {listed}",
        )
    return Columns(places)
