"""Options of the pictures on the boards: plain data, made from rows; `charts.js` draws them (图表).

Every picture stands beside the table that it was made from, so that nobody must see it to know what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Option = dict[str, Any]
LADDER = {"blue": "#066fd1", "yellow": "#f59f00", "red": "#d63939"}
PALETTE = ("#066fd1", "#2fb344", "#f59f00", "#ae3ec9", "#0ca678", "#d63939", "#4299e1", "#74b816")
MUTED = "#9aa5b1"
SHARE: Option = {"max": 100, "axisLabel": {"formatter": "{value}%"}}
ROW_HEIGHT = 34
LEAST_HEIGHT = 160


@dataclass(frozen=True, slots=True)
class Series:
    """A row of values with its name and colour."""

    name: str
    values: Sequence[float | None]
    color: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """Days of one kind on a timeline: day, place of its line, title."""

    name: str
    points: Sequence[tuple[str, int, str]]
    symbol: str
    color: str


def bars(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    links: Sequence[str] = (),
    stacked: bool = True,
    percent: bool = False,
) -> Option:
    """Bars side by side or on top of each other, the first label at the top; `links` open what a bar counts."""
    value_axis: Option = {"type": "value", "minInterval": 1}
    if percent:
        value_axis = {"type": "value", **SHARE}
    return {
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "legend": {"show": len(series) > 1, "top": 0},
        "grid": {"left": 8, "right": 24, "top": 32 if len(series) > 1 else 8, "bottom": 8, "containLabel": True},
        "xAxis": value_axis,
        "yAxis": {"type": "category", "data": list(labels), "inverse": True, "axisTick": {"show": False}},
        "series": [
            {
                "type": "bar",
                "name": one.name,
                "data": [_linked(value, links, place) for place, value in enumerate(one.values)],
                "barMaxWidth": 18,
                **({"stack": "all"} if stacked else {}),
                **({"itemStyle": {"color": one.color}} if one.color else {}),
            }
            for one in series
        ],
        "color": list(PALETTE),
        "height_px": max(LEAST_HEIGHT, len(labels) * ROW_HEIGHT * (1 if stacked else 1.4) + 72),
    }


def lines(labels: Sequence[str], series: Sequence[Series], *, percent: bool = False) -> Option:
    """Values over time."""
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"show": len(series) > 1, "top": 0},
        "grid": {"left": 8, "right": 32, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": list(labels), "boundaryGap": False},
        "yAxis": {"type": "value", **(SHARE if percent else {"minInterval": 1})},
        "series": [
            {
                "type": "line",
                "name": one.name,
                "data": list(one.values),
                "symbolSize": 8,
                "connectNulls": True,
                **({"itemStyle": {"color": one.color}} if one.color else {}),
            }
            for one in series
        ],
        "color": list(PALETTE),
    }


def ring(parts: Sequence[tuple[str, float, str]]) -> Option:
    """Parts of a whole: name, value, colour."""
    return {
        "tooltip": {"trigger": "item"},
        "legend": {"bottom": 0},
        "series": [
            {
                "type": "pie",
                "radius": ["50%", "72%"],
                "center": ["50%", "44%"],
                "label": {"formatter": "{b} {c}"},
                "data": [
                    {"name": name, "value": value, **({"itemStyle": {"color": color}} if color else {})}
                    for name, value, color in parts
                    if value
                ],
            }
        ],
        "color": list(PALETTE),
    }


def timeline(labels: Sequence[str], marks: Sequence[Marks], today: str) -> Option:
    """Days on a line for each label."""
    return {
        "tooltip": {"trigger": "item"},
        "legend": {"show": True, "top": 0},
        "grid": {"left": 8, "right": 24, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "time", "splitLine": {"show": True}},
        "yAxis": {"type": "category", "data": list(labels), "inverse": True, "axisTick": {"show": False}},
        "series": [
            {
                "type": "scatter",
                "name": one.name,
                "symbol": one.symbol,
                "symbolSize": 14,
                "data": [{"value": [day, place], "name": title} for day, place, title in one.points],
                "itemStyle": {"color": one.color},
                **({"markLine": _today(today)} if number == 0 else {}),
            }
            for number, one in enumerate(marks)
        ],
        "height_px": max(LEAST_HEIGHT, len(labels) * ROW_HEIGHT + 72),
    }


def _today(today: str) -> Option:
    return {
        "silent": True,
        "symbol": "none",
        "label": {"formatter": today},
        "lineStyle": {"color": MUTED},
        "data": [{"xAxis": today}],
    }


def _linked(value: float | None, links: Sequence[str], place: int) -> Any:
    return {"value": value, "link": links[place]} if place < len(links) and links[place] else value
