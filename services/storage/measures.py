"""The figures of a month and a place (度量), each with its formula and the cases behind it (glossary §7).

None of them counts how many entries or photos somebody made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, and_, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file, clock, event
from services.storage.sight import sight, within
from workflows.kernel.calendar import CHINA, end_of_month
from workflows.kernel.process import Actor

SATISFIED = 3
"""基本满意 and better of five."""


@dataclass(frozen=True, slots=True)
class Formula:
    """How a figure is made: its name, in both languages what is divided by what."""

    name: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: `value` is part ÷ whole, None where there was nothing to count; numbers of the cases behind it."""

    formula: Formula
    value: float | None
    part: int
    whole: int
    cases: tuple[str, ...]
    part_cases: tuple[str, ...]
    besides: Mapping[str, int] = field(default_factory=dict)
    """What the formula leaves out and shows separately."""


RESPONSE = Formula(
    "response_rate",
    "按时首次联系的诉求 ÷ 本月响应时限届满或完成的诉求",
    "first contacted in time ÷ response clocks ended",
)
RESOLUTION = Formula(
    "resolution_rate",
    "反映人认为已解决的诉求 ÷ 已回访的诉求",
    "called solved by the reporter ÷ visited (reachable, named)",
)
SATISFACTION = Formula(
    "satisfaction_rate", "非常满意、满意、基本满意 ÷ 有效评价", "very, rather or basically satisfied ÷ valid answers"
)
ON_TIME = Formula("on_time_rate", "按时办结 ÷ 本月结束的办理时限", "HANDLE clocks met ÷ HANDLE clocks ended")
OVERDUE = Formula("overdue_open", "当前逾期未完成的时限数", "clocks breached and not yet met, now")
REWORK = Formula("rework_rate", "重办过的诉求 ÷ 本月办结的诉求", "reworked at least once ÷ closed")
DELIST = Formula("delist_rate", "销号 ÷ 挂牌", "delisted ÷ listed")


async def measures(
    connection: AsyncConnection, place: str, month: str, *, actor: Actor | None = None
) -> tuple[Measure, ...]:
    """The figures of a community (or a wider place) in a month, `2026-03`; raises `ValueError` for no month."""
    first, end = _bounds(month)
    here = and_(within(case_file, place), sight(actor) if actor is not None else true())
    clocks = await _clocks(connection, here, place, first, end)
    visits = await _visits(connection, here, first, end)
    closed = (
        await connection.execute(
            select(case_file.c.number, case_file.c.data["rework_count"].astext.label("reworks")).where(
                here, case_file.c.process == "issue", case_file.c.closed_at >= first, case_file.c.closed_at < end
            )
        )
    ).all()
    breached = (
        await connection.execute(
            select(case_file.c.number)
            .join_from(clock, case_file, case_file.c.id == clock.c.case_id)
            .where(here, within(clock, place), clock.c.state == "BREACHED")
        )
    ).scalars()
    supervised = (
        await connection.execute(
            select(event.c.type, case_file.c.number)
            .join_from(event, case_file, case_file.c.id == event.c.case_id)
            .where(
                here,
                case_file.c.process == "supervision",
                event.c.type.in_(["list", "delist"]),
                event.c.at >= first,
                event.c.at < end,
            )
        )
    ).all()
    late = tuple(sorted(breached))
    return (
        _rate(RESPONSE, clocks["RESPONSE"]),
        _rate(
            RESOLUTION,
            {
                one.number: one.solved == "YES"
                for one in visits
                if one.contacted and one.solved is not None and one.anonymous != "true"
            },
            besides={
                "unreachable": len({one.number for one in visits} - {one.number for one in visits if one.contacted}),
                "anonymous": len({one.number for one in visits if one.anonymous == "true"}),
            },
        ),
        _rate(
            SATISFACTION,
            {one.number: one.satisfaction >= SATISFIED for one in visits if one.satisfaction is not None},
        ),
        _rate(ON_TIME, clocks["HANDLE"]),
        Measure(OVERDUE, float(len(late)), len(late), len(late), late, late),
        _rate(REWORK, {row.number: int(row.reworks or 0) > 0 for row in closed}),
        _listing(supervised),
    )


async def _clocks(
    connection: AsyncConnection, here: ColumnElement[bool], place: str, first: datetime, end: datetime
) -> dict[str, dict[str, bool]]:
    """Response and handling clocks that ended in the month: by number of the case, whether all of them were met.

    A breach counts when it happens, once; merged and split issues are one, under the lowest number.
    """
    group = func.coalesce(case_file.c.data["group_id"].astext, cast(case_file.c.id, String))
    met = and_(clock.c.state == "MET", clock.c.closed_at >= first, clock.c.closed_at < end)
    breached = and_(clock.c.breached_at >= first, clock.c.breached_at < end)
    rows = await connection.execute(
        select(clock.c.code, func.min(case_file.c.number).label("number"), func.bool_and(met).label("met"))
        .join_from(clock, case_file, case_file.c.id == clock.c.case_id)
        .where(
            here,
            case_file.c.process == "issue",
            within(clock, place),
            clock.c.code.in_(["RESPONSE", "HANDLE"]),
            or_(met, breached),
        )
        .group_by(clock.c.code, group)
    )
    found: dict[str, dict[str, bool]] = {"RESPONSE": {}, "HANDLE": {}}
    for row in rows:
        found[row.code][row.number] = row.met
    return found


async def _visits(connection: AsyncConnection, here: ColumnElement[bool], first: datetime, end: datetime) -> list[Any]:
    """The last return visit of each issue in the month."""
    notes = event.c.payload["notes"]
    rows = await connection.execute(
        select(
            case_file.c.number,
            (notes["contacted"].astext == "true").label("contacted"),
            notes["solved"].astext.label("solved"),
            cast(notes["satisfaction"].astext, Integer).label("satisfaction"),
            case_file.c.data["anonymous"].astext.label("anonymous"),
        )
        .ext(distinct_on(event.c.case_id))
        .join_from(event, case_file, case_file.c.id == event.c.case_id)
        .where(
            here,
            case_file.c.process == "issue",
            event.c.type == "record_visit",
            event.c.at >= first,
            event.c.at < end,
        )
        .order_by(event.c.case_id, event.c.seq.desc())
    )
    return list(rows)


def _rate(formula: Formula, outcomes: Mapping[str, bool], *, besides: Mapping[str, int] | None = None) -> Measure:
    good = tuple(sorted(number for number, is_good in outcomes.items() if is_good))
    value = len(good) / len(outcomes) if outcomes else None
    return Measure(formula, value, len(good), len(outcomes), tuple(sorted(outcomes)), good, besides or {})


def _listing(rows: Iterable[Any]) -> Measure:
    """Both sides are counted in the month itself, so that a delisting of an older listing counts too."""
    by_type: dict[str, set[str]] = {"list": set(), "delist": set()}
    for row in rows:
        by_type[row.type].add(row.number)
    listed, delisted = by_type["list"], by_type["delist"]
    value = len(delisted) / len(listed) if listed else None
    return Measure(DELIST, value, len(delisted), len(listed), tuple(sorted(listed | delisted)), tuple(sorted(delisted)))


def _bounds(month: str) -> tuple[datetime, datetime]:
    first = datetime.combine(date.fromisoformat(f"{month}-01"), time(0), CHINA)
    return first, end_of_month(first.date())
