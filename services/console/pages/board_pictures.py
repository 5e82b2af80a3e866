"""What each board draws: rows of the API turned into the options of a picture, in the reader's words (看板图)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from services.console.pages.charts import LADDER, Marks, Option, Series, bars, lines, ring, timeline
from services.console.visit import Visit

Json = Mapping[str, Any]
RATES = (
    "response_rate",
    "resolution_rate",
    "satisfaction_rate",
    "on_time_rate",
    "rework_rate",
    "delist_rate",
    "round_compliance",
    "epc_compliance",
    "formation_rate",
    "agreement_fulfilment",
    "funding_arrival_rate",
)
"""Figures that are a share; the others count."""
RULES = {
    "I1": "委员人数",
    "I2": "主任一名",
    "I3": "主任由社区党组织书记担任",
    "I4": "副主任人数",
    "I5": "一般委员不兼任大党委委员",
    "I6": "副主任的来源",
    "I7": "委员来自规定的类别",
    "I8": "两委成员部分进入",
}
ROLLOUT = {
    "NOT_STARTED": ("未启动", "secondary"),
    "PILOT": ("试点", "blue"),
    "PREPARING": ("筹备", "blue"),
    "FORMED": ("已组建", "blue"),
    "OPERATING": ("运行", "green"),
    "FIXING": ("整改", "orange"),
    "CONSOLIDATED": ("巩固", "teal"),
}
MISSING = {
    "COMMITTEE": "没有社工委",
    "FORMATION": "没有启动组建",
    "CHAIR": "缺主任",
    "MEMBERS": "委员不足",
    "VICE_CHAIRS": "副主任不足",
}
STANDINGS = {
    "WISHES": ("有诉求", "#066fd1"),
    "NO_PROBLEM": ("走访无问题", "#2fb344"),
    "REFUSED": ("拒访", "#f59f00"),
    "NOT_ASKED": ("未走访", "#9aa5b1"),
}
SHOWN = 12


def overdue(visit: Visit, counts: Json, place: str) -> dict[str, Option]:
    """The ladder, and how much stands on it by place, by who owes it, by step and by deadline."""
    words, by = visit.words, counts["by"]
    total = counts["total"]
    ladder = ring([(words.color(rung.upper()), total[rung], color) for rung, color in LADDER.items()])
    labels = {
        "place": [one["name"] or one["code"] for one in by["place"]],
        "owner": [one["name"] or one["code"] for one in by["owner"]],
        "step": [words.step(one["code"]) if one["code"] else visit.say("其他流程") for one in by["step"]],
        "clock": [words.clock(one["process"], one["code"]) for one in by["clock"]],
    }
    links = {
        "place": [_link("supervision", place=one["code"]) for one in by["place"]],
        "owner": [_link("supervision", place=place, owner=one["code"]) for one in by["owner"]],
    }
    drawn = {
        name: bars(labels[name][:SHOWN], _rungs(visit, by[name][:SHOWN]), links=links.get(name, ()))
        for name in labels
        if by[name]
    }
    return {"ladder": ladder, **drawn} if any(total[rung] for rung in LADDER) else {}


def _rungs(visit: Visit, rows: Sequence[Json]) -> list[Series]:
    worst_first = reversed(LADDER.items())
    return [Series(visit.words.color(rung.upper()), [one[rung] for one in rows], color) for rung, color in worst_first]


def rates(visit: Visit, items: Sequence[Json], earlier: Mapping[str, Any], about: Json) -> Option | None:
    """The shares of the month beside those of the month before."""
    shown = [one for one in items if one["formula"]["name"] in RATES]
    names = [one["formula"]["name"] for one in shown if one["value"] is not None]
    if not names:
        return None
    now = {one["formula"]["name"]: one["value"] for one in shown}
    links = [_link(f"measures/{name}", place=about["place"], month=about["month"]) for name in names]
    series = [
        Series(about["month"], [_percent(now[name]) for name in names]),
        Series(visit.say("上月"), [_percent(earlier.get(name)) for name in names], "#9aa5b1"),
    ]
    return bars([visit.words.of("value", name) for name in names], series, links=links, stacked=False, percent=True)


def trend(visit: Visit, months: Sequence[str], found: Sequence[Json | None]) -> Option | None:
    """How a figure went, month by month."""
    name = next((one["formula"]["name"] for one in found if one), "")
    share = name in RATES
    values = [one["value"] if one else None for one in found]
    if all(value is None for value in values):
        return None
    shown = [_percent(value) if share else value for value in values]
    return lines(months, [Series(visit.words.of("value", name), shown)], percent=share)


def plan(visit: Visit, items: Sequence[Json], today: str) -> Option | None:
    """Milestones and ends of projects on a line of time."""
    if not items:
        return None
    steps = [
        (step["due_on"], place, step["title"] or "", step["done"])
        for place, one in enumerate(items)
        for step in one["project"].get("milestones", ())
    ]
    ends = [(one["project"]["due_on"], place, one["title"]) for place, one in enumerate(items)]
    done = [(day, place, title) for day, place, title, is_done in steps if is_done]
    left = [(day, place, title) for day, place, title, is_done in steps if not is_done]
    late = [step for step in left if step[0] < today]
    marks = [
        Marks(visit.say("完成期限"), ends, "pin", "#066fd1"),
        Marks(visit.say("已完成的节点"), done, "diamond", "#2fb344"),
        Marks(visit.say("未到期的节点"), [step for step in left if step not in late], "diamond", "#9aa5b1"),
        Marks(visit.say("超期的节点"), late, "diamond", "#d63939"),
    ]
    return timeline([one["title"][:16] for one in items], marks, today)


def asked(visit: Visit, grids: Sequence[Json]) -> dict[str, Option]:
    """Visits by grid, and how the grids stand."""
    if not grids:
        return {}
    names = [one["name"] for one in grids]
    visits = [
        Series(visit.say("走访户次"), [one["household_visits"] for one in grids], "#066fd1"),
        Series(visit.say("走访单位"), [one["unit_visits"] for one in grids], "#4299e1"),
        Series(visit.say("其他走访"), [one["other_visits"] for one in grids], "#9aa5b1"),
    ]
    standing = Counter(one["standing"] for one in grids)
    parts = [(visit.say(title), standing[code], color) for code, (title, color) in STANDINGS.items()]
    wishes = [Series(visit.say("诉求"), [one["wishes"] for one in grids], "#f59f00")]
    drawn = {"standing": ring(parts)}
    if any(one["standing"] != "NOT_ASKED" for one in grids):
        drawn |= {"visits": bars(names, visits), "wishes": bars(names, wishes)}
    return drawn


def reasons(visit: Visit, items: Sequence[Json]) -> Option | None:
    """Why the topics are on the table."""
    count = Counter(one["why"] for one in items)
    return ring([(why, number, "") for why, number in count.most_common()]) if items else None


def categories(visit: Visit, found: Mapping[str, int]) -> Option | None:
    """How many members stand for each of the sixteen categories."""
    if not any(found.values()):
        return None
    names = sorted(found, key=lambda name: -found[name])
    labels = [visit.words.choice("category", name) for name in names]
    return bars(labels, [Series(visit.say("人数"), [found[name] for name in names])])


def stages(visit: Visit, states: Mapping[str, int]) -> Option | None:
    """How many communities stand where."""
    parts = [(visit.say(ROLLOUT.get(state, (state, ""))[0]), count, "") for state, count in states.items()]
    return ring(parts) if parts else None


def money(visit: Visit, items: Sequence[Json]) -> Option | None:
    """What was promised and paid for each permit."""
    shown = [one for one in items if one["promised"]][:SHOWN]
    if not shown:
        return None
    series = [
        Series(visit.say("落实经费(元)"), [one["promised"] for one in shown], "#9aa5b1"),
        Series(visit.say("已拨付(元)"), [one["paid"] for one in shown], "#2fb344"),
    ]
    return bars([one["item"][:16] for one in shown], series, stacked=False)


def load(visit: Visit, months: Sequence[Json]) -> dict[str, Option]:
    """What a community carries, month by month; what it was asked and refused."""
    labels = [one["month"] for one in months]
    carried = [
        Series(visit.say("承担事项"), [one["items"] for one in months], "#066fd1"),
        Series(visit.say("报表台账"), [one["forms"] for one in months], "#f59f00"),
        Series(visit.say("每月工时"), [one["hours_month"] for one in months], "#ae3ec9"),
    ]
    came = [
        Series(visit.say("交办任务"), [one["tasks"] for one in months], "#9aa5b1"),
        Series(visit.say("拒绝"), [one["refused"] for one in months], "#d63939"),
    ]
    return {"carried": lines(labels, carried), "came": lines(labels, came)}


def _percent(value: float | None) -> float | None:
    return round(100 * value, 1) if value is not None else None


def _link(board: str, **asked: str) -> str:
    return f"/boards/{board}?{urlencode(asked)}"
