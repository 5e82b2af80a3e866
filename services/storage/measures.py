"""The figures of a month and a place (度量), each with its formula and the cases behind it (glossary §7).

None of them counts how many entries or photos somebody made.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Text,
    and_,
    any_,
    cast,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage import figures
from services.storage.ledger_tables import case_file, event
from services.storage.people_tables import region
from services.storage.prose import said, texts_of
from services.storage.sight import sight, within
from workflows.kernel.calendar import CHINA, end_of_month
from workflows.kernel.process import Actor

SATISFIED = 3
"""基本满意 and better of five."""
NAMED = 200
"""So many cases of a figure are named beside it; the others are read page by page."""


@dataclass(frozen=True, slots=True)
class Formula:
    """How a figure is made: its name, in both languages what is divided by what."""

    name: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: `value` is part ÷ whole, None where there was nothing to count; numbers of the cases behind it.

    What is overdue now names only the worst of many: `behind` reads all of them, page by page.
    """

    formula: Formula
    value: float | None
    part: int
    whole: int
    cases: tuple[str, ...]
    part_cases: tuple[str, ...]
    besides: Mapping[str, int] = field(default_factory=dict)
    """What the formula leaves out and shows separately."""
    excluded: tuple[str, ...] = ()
    """Cases that a recorded decision takes out of this figure (剔除)."""
    raw_value: float | None = None
    """The figure with them."""
    raw_part: int = 0
    raw_whole: int = 0


@dataclass(frozen=True, slots=True)
class Behind:
    """A case, or for figures of communities a community, behind a figure, and on which side of it."""

    key: str
    case_id: UUID | None
    process: str | None
    number: str | None
    title: str
    state: str | None
    community: str | None
    in_part: bool
    excluded: bool


RESPONSE = Formula(
    "response_rate",
    "按时首次联系的诉求 ÷ 本月响应时限届满或完成的诉求",
    "first contacted in time ÷ response deadlines of the month",
)
RESOLUTION = Formula(
    "resolution_rate",
    "反映人认为已解决的诉求 ÷ 已回访的诉求",
    "called solved by the reporter ÷ visited (reachable, named)",
)
SATISFACTION = Formula(
    "satisfaction_rate", "非常满意、满意、基本满意 ÷ 有效评价", "very, rather or basically satisfied ÷ valid answers"
)
ON_TIME = Formula("on_time_rate", "按时办结 ÷ 本月结束的办理时限", "handled in time ÷ handling deadlines of the month")
OVERDUE = Formula("overdue_open", "当前逾期未完成的时限数", "clocks breached and not yet met, now")
REWORK = Formula("rework_rate", "重办过的诉求 ÷ 本月办结的诉求", "reworked at least once ÷ closed")
DELIST = Formula("delist_rate", "销号 ÷ 挂牌", "delisted ÷ listed")
ROUNDS = Formula(
    "round_compliance",
    "当月有达标征集的社区 ÷ 全部运行社区（已免除的单列）",
    "communities with a valid round in the month ÷ operating communities (waived ones beside)",
)
EPC = Formula(
    "epc_compliance",
    "当月召开大党委会议的社区 ÷ 全部运行社区",
    "communities whose extended party committee met in the month ÷ operating communities",
)
FORMATION = Formula("formation_rate", "已组建社工委的社区 ÷ 全部社区", "communities with a committee ÷ all communities")
AGREEMENTS = Formula("agreement_fulfilment", "已履行的共建承诺 ÷ 到期承诺", "fulfilled promises ÷ due promises")
UNAPPROVED = Formula(
    "unapproved_task_count", "未批先进的任务数（含拒绝执行）", "tasks that came without approval, refused ones included"
)
FUNDING = Formula("funding_arrival_rate", "已到位经费笔数 ÷ 当月到期笔数", "paid ÷ agreed instalments due in the month")


async def measures(
    connection: AsyncConnection, place: str, month: str, *, actor: Actor | None = None
) -> tuple[Measure, ...]:
    """The figures of a community (or a wider place) in a month, `2026-03`; raises `ValueError` for no month."""
    first, end = _bounds(month)
    here = and_(within(case_file, place), sight(actor) if actor is not None else true())
    clocks = await figures.ended_clocks(connection, here, place, first, end)
    visits = await figures.return_visits(connection, here, first, end)
    closed = await figures.closed_issues(connection, here, place, first, end)
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
    taken_out = await figures.excluded_cases(connection, here)
    operating, every = await figures.communities(connection, place)
    rounds = await figures.rounds_by_community(connection, place, month)
    met = await figures.met_in_time(connection, place, month)
    waived = {code for code, states in rounds.items() if states == {"WAIVED"}}
    outcomes: dict[Formula, Mapping[str, bool]] = {
        RESPONSE: clocks["RESPONSE"],
        RESOLUTION: {
            one.number: one.solved == "YES"
            for one in visits
            if one.contacted and one.solved is not None and one.anonymous != "true"
        },
        SATISFACTION: {one.number: one.satisfaction >= SATISFIED for one in visits if one.satisfaction is not None},
        ON_TIME: clocks["HANDLE"],
        REWORK: closed,
        ROUNDS: {code: "VALID" in rounds.get(code, ()) for code in operating if code not in waived},
        EPC: {code: code in met for code in operating},
        FORMATION: {code: code in operating for code in every},
        AGREEMENTS: {},
        FUNDING: await figures.instalments(connection, place, month),
    }
    besides: dict[Formula, Mapping[str, int]] = {
        RESOLUTION: {
            "unreachable": len({one.number for one in visits} - {one.number for one in visits if one.contacted}),
            "anonymous": len({one.number for one in visits if one.anonymous == "true"}),
        },
        ROUNDS: {"waived": len(waived & set(operating))},
    }
    rates = {
        formula: _rate(formula, found, taken_out.get(formula.name, set()), besides.get(formula))
        for formula, found in outcomes.items()
    }
    late = await _late(connection, place, actor, taken_out.get(OVERDUE.name, set()))
    unapproved = _count(UNAPPROVED, await figures.unapproved_tasks(connection, here, first, end), set())
    listing = _listing(supervised, taken_out.get(DELIST.name, set()))
    return (
        rates[RESPONSE],
        rates[RESOLUTION],
        rates[SATISFACTION],
        rates[ON_TIME],
        late,
        rates[REWORK],
        listing,
        rates[ROUNDS],
        rates[EPC],
        rates[FORMATION],
        rates[AGREEMENTS],
        unapproved,
        rates[FUNDING],
    )


async def behind(
    connection: AsyncConnection,
    measure: Measure,
    place: str,
    *,
    actor: Actor | None = None,
    after: str = "",
    limit: int = 50,
) -> tuple[tuple[Behind, ...], str | None]:
    """The cases or communities behind a figure in order of their numbers, and the last one when there are more."""
    excluded = set(measure.excluded)
    if measure.formula is OVERDUE:
        keys = await figures.overdue_numbers(connection, place, actor, after=after, limit=limit + 1)
        part = {*keys} - excluded
    else:
        keys, part = sorted({*measure.cases, *measure.excluded}), set(measure.part_cases)
    page = [key for key in keys if key > after][:limit]
    numbers = [key.partition("/")[0] for key in page]
    seen = sight(actor) if actor is not None else true()
    rows = {
        row.number: row
        for row in await connection.execute(
            select(case_file).where(case_file.c.number == any_(cast(numbers, ARRAY(Text))), seen)
        )
    }
    names = {
        row.code: row.name
        for row in await connection.execute(select(region).where(region.c.code == any_(cast(page, ARRAY(Text)))))
    }
    texts = await texts_of(connection, [row.id for row in rows.values()], [row.title for row in rows.values()])
    found = tuple(
        _behind(key, rows.get(number), names, texts, in_part=key in part, excluded=key in excluded)
        for key, number in zip(page, numbers, strict=True)
    )
    return found, page[-1] if page and page[-1] != keys[-1] else None


def shortened(measure: Measure) -> Measure:
    """The figure with no more than the first cases behind it."""
    return replace(
        measure, cases=measure.cases[:NAMED], part_cases=measure.part_cases[:NAMED], excluded=measure.excluded[:NAMED]
    )


def _behind(
    key: str, row: Any, names: Mapping[str, str], texts: Mapping[str, Any], *, in_part: bool, excluded: bool
) -> Behind:
    if row is None:
        known = key in names
        return Behind(key, None, None, None, names.get(key, ""), None, key if known else None, in_part, excluded)
    title = said(row.title, texts) or (row.title if not row.title.startswith("text:") else "")
    return Behind(key, row.id, row.process, row.number, title, row.state, row.community, in_part, excluded)


def _rate(
    formula: Formula, outcomes: Mapping[str, bool], excluded: set[str], besides: Mapping[str, int] | None = None
) -> Measure:
    counted = {key: is_good for key, is_good in outcomes.items() if key not in excluded}
    good = tuple(sorted(key for key, is_good in counted.items() if is_good))
    every = sum(outcomes.values())
    return Measure(
        formula,
        len(good) / len(counted) if counted else None,
        len(good),
        len(counted),
        tuple(sorted(counted)),
        good,
        besides or {},
        excluded=tuple(sorted(excluded & outcomes.keys())),
        raw_value=every / len(outcomes) if outcomes else None,
        raw_part=every,
        raw_whole=len(outcomes),
    )


async def _late(connection: AsyncConnection, place: str, actor: Actor | None, excluded: set[str]) -> Measure:
    """Deadlines that are missed now: counted where they lie, for there may be very many."""
    every, left_out = await figures.overdue_now(connection, place, actor, excluded)
    worst = tuple(await figures.worst_overdue(connection, place, actor, excluded, limit=NAMED))
    kept = every - sum(left_out.values())
    return Measure(
        OVERDUE, float(kept), kept, kept, worst, worst,
        excluded=tuple(sorted(left_out)), raw_value=float(every), raw_part=every, raw_whole=every,
    )  # fmt: skip


def _count(formula: Formula, numbers: Sequence[str], excluded: set[str]) -> Measure:
    kept = tuple(sorted(number for number in numbers if number not in excluded))
    out = tuple(sorted({number for number in numbers if number in excluded}))
    every = len(numbers)
    return Measure(
        formula, float(len(kept)), len(kept), len(kept), kept, kept,
        excluded=out, raw_value=float(every), raw_part=every, raw_whole=every,
    )  # fmt: skip


def _listing(rows: Iterable[Any], excluded: set[str]) -> Measure:
    """Both sides are counted in the month itself, so that a delisting of an older listing counts too."""
    by_type: dict[str, set[str]] = {"list": set(), "delist": set()}
    for row in rows:
        by_type[row.type].add(row.number)
    listed, delisted = by_type["list"] - excluded, by_type["delist"] - excluded
    every, gone = by_type["list"], by_type["delist"]
    return Measure(
        DELIST,
        len(delisted) / len(listed) if listed else None,
        len(delisted),
        len(listed),
        tuple(sorted(listed | delisted)),
        tuple(sorted(delisted)),
        excluded=tuple(sorted((every | gone) & excluded)),
        raw_value=len(gone) / len(every) if every else None,
        raw_part=len(gone),
        raw_whole=len(every),
    )


def _bounds(month: str) -> tuple[datetime, datetime]:
    first = datetime.combine(date.fromisoformat(f"{month}-01"), time(0), CHINA)
    return first, end_of_month(first.date())
