"""What the figures of a month count (度量的底数): clocks, visits, rounds, meetings, tasks, payments, exclusions."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Uuid,
    and_,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file, clock, event
from services.storage.people_tables import community
from services.storage.sight import begins, sees_clock, within
from workflows.kernel.process import Actor

OPERATING = ("FORMED", "OPERATING", "FIXING", "CONSOLIDATED")
"""Standings of a community in which its committee works (P14)."""
HELD_IN_TIME = "SLOT_DONE"
COVERED = ("CLOSED:COVERED",)


async def ended_clocks(
    connection: AsyncConnection, here: ColumnElement[bool], place: str, first: datetime, end: datetime
) -> dict[str, dict[str, bool]]:
    """Response and handling clocks that ended in the month: by number of the case, whether all of them were met.

    A breach counts when it happens, once; merged and split issues are one, under the lowest number.
    """
    group = func.coalesce(case_file.c.data["group_id"].astext, cast(case_file.c.id, String))
    met = and_(clock.c.state == "MET", clock.c.closed_at >= first, clock.c.closed_at < end)
    breached = and_(clock.c.breached_at >= first, clock.c.breached_at < end)
    # One branch for each index; a clock that both find counts the same twice.
    ended = union_all(
        *(
            select(clock.c.case_id, clock.c.code, met.label("met")).where(
                clock.c.code.in_(["RESPONSE", "HANDLE"]), begins(clock.c.community, place), way
            )
            for way in (met, breached)
        )
    ).subquery()
    rows = await connection.execute(
        select(ended.c.code, func.min(case_file.c.number).label("number"), func.bool_and(ended.c.met).label("met"))
        .join_from(ended, case_file, case_file.c.id == ended.c.case_id)
        .where(here, case_file.c.process == "issue")
        .group_by(ended.c.code, group)
    )
    found: dict[str, dict[str, bool]] = {"RESPONSE": {}, "HANDLE": {}}
    for row in rows:
        found[row.code][row.number] = row.met
    return found


async def closed_issues(
    connection: AsyncConnection, here: ColumnElement[bool], place: str, first: datetime, end: datetime
) -> dict[str, bool]:
    """Issues that were closed in the month, and whether they had to be done again."""
    rows = await connection.execute(
        select(case_file.c.number, case_file.c.data["rework_count"].astext.label("reworks")).where(
            here,
            case_file.c.process == "issue",
            begins(case_file.c.community, place),
            case_file.c.closed_at >= first,
            case_file.c.closed_at < end,
        )
    )
    return {row.number: int(row.reworks or 0) > 0 for row in rows}


async def overdue_now(
    connection: AsyncConnection, place: str, actor: Actor | None, excluded: Collection[str]
) -> tuple[int, dict[str, int]]:
    """How many deadlines are missed now, and how many of them by each case that a decision takes out."""
    every = await connection.scalar(select(func.count()).select_from(clock).where(*_missed(place, actor))) or 0
    if not excluded:
        return every, {}
    rows = await connection.execute(
        select(case_file.c.number, func.count().label("clocks"))
        .join_from(clock, case_file, case_file.c.id == clock.c.case_id)
        .where(*_missed(place, actor), case_file.c.number.in_(excluded))
        .group_by(case_file.c.number)
    )
    return every, {row.number: row.clocks for row in rows}


async def worst_overdue(
    connection: AsyncConnection, place: str, actor: Actor | None, excluded: Collection[str], *, limit: int
) -> list[str]:
    """Numbers of the cases whose deadlines are missed worst, sorted."""
    worst = (
        select(clock.c.case_id)
        .where(*_missed(place, actor))
        .order_by(clock.c.severity, clock.c.due_at)
        .limit(limit + len(excluded))
        .subquery()
    )
    rows = await connection.scalars(select(case_file.c.number).where(case_file.c.id.in_(select(worst.c.case_id))))
    return sorted(set(rows) - set(excluded))[:limit]


async def overdue_numbers(
    connection: AsyncConnection, place: str, actor: Actor | None, *, after: str, limit: int
) -> list[str]:
    """Part of the numbers of all cases that miss a deadline now."""
    missed = exists().where(clock.c.case_id == case_file.c.id, *_missed(place, actor))
    rows = await connection.scalars(
        select(case_file.c.number).where(case_file.c.number > after, missed).order_by(case_file.c.number).limit(limit)
    )
    return list(rows)


def _missed(place: str, actor: Actor | None) -> tuple[ColumnElement[bool], ...]:
    return within(clock, place), clock.c.state == "BREACHED", sees_clock(actor) if actor is not None else true()


async def return_visits(
    connection: AsyncConnection, here: ColumnElement[bool], first: datetime, end: datetime
) -> list[Any]:
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


async def excluded_cases(connection: AsyncConnection, here: ColumnElement[bool]) -> dict[str, set[str]]:
    """Numbers, or communities, that a decision takes out of each figure (剔除)."""
    data = case_file.c.data
    subject = case_file.alias("subject")
    rows = await connection.execute(
        select(
            data["figure"].astext.label("figure"),
            data["subject_number"].astext.label("number"),
            data["subject_type"].astext.label("kind"),
            subject.c.community,
        )
        .outerjoin_from(case_file, subject, subject.c.id == cast(data["subject_id"].astext, Uuid))
        .where(here, case_file.c.process == "exclusion", data["excluded"].as_boolean())
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        by_community = row.kind in ("round", "slot", "meeting")
        found.setdefault(row.figure, set()).add(row.community if by_community else row.number)
    return found


async def communities(connection: AsyncConnection, place: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Communities of a place whose committee works, and all of them."""
    rows = (
        await connection.execute(
            select(community.c.region_code, community.c.rollout_state)
            .where(community.c.region_code >= place, community.c.region_code < f"{place}:")
            .order_by(community.c.region_code)
        )
    ).all()
    return (
        tuple(row.region_code for row in rows if row.rollout_state in OPERATING),
        tuple(row.region_code for row in rows),
    )


async def rounds_by_community(connection: AsyncConnection, place: str, month: str) -> dict[str, set[str]]:
    """By community: `VALID` where a round of the month counted, and the states of the others."""
    rows = await connection.execute(
        select(case_file.c.community, case_file.c.state, case_file.c.data["valid"].as_boolean().label("valid")).where(
            case_file.c.process == "round",
            within(case_file, place),
            func.left(case_file.c.data["month"].astext, len(month)) == month,
        )
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        # While the month goes on, a round counts from the visit on by which it has enough.
        found.setdefault(row.community, set()).add("VALID" if row.valid else row.state)
    return found


async def met_in_time(connection: AsyncConnection, place: str, month: str) -> set[str]:
    """Communities whose extended party committee met inside the month; one that was made up for did not."""
    rows = await connection.scalars(
        select(case_file.c.community).where(
            case_file.c.process == "slot",
            within(case_file, place),
            func.left(case_file.c.data["period"].astext, len(month)) == month,
            case_file.c.data["body"].astext == "EXTENDED_PARTY_COMMITTEE",
            case_file.c.state == HELD_IN_TIME,
        )
    )
    return set(rows.all())


async def unapproved_tasks(
    connection: AsyncConnection, here: ColumnElement[bool], first: datetime, end: datetime
) -> Sequence[str]:
    """Tasks that came in the month and that neither a list nor a permit covers."""
    position = func.concat(case_file.c.state, ":", case_file.c.phase)
    rows = await connection.scalars(
        select(case_file.c.number).where(
            here,
            case_file.c.process == "refusal",
            case_file.c.opened_at >= first,
            case_file.c.opened_at < end,
            position.not_in(COVERED),
            case_file.c.data["check"]["covered"].as_boolean().is_not(True),
            func.coalesce(case_file.c.data["nature"].astext, "ORDINARY") == "ORDINARY",
        )
    )
    return rows.all()


async def instalments(connection: AsyncConnection, place: str, month: str) -> dict[str, bool]:
    """Instalments of permits that fall due in the month, as `number/instalment`, and whether they are paid."""
    one = func.jsonb_each(case_file.c.data["instalments"]).table_valued("key", column("value", JSONB)).lateral("one")
    due_on = one.c.value["due_on"].astext
    target = func.unnest(case_file.c.places).column_valued("target")
    rows = await connection.execute(
        select(case_file.c.number, one.c.key, one.c.value["paid_on"].astext.label("paid_on"))
        .select_from(case_file)
        .join(one, true())
        .where(
            case_file.c.process == "admission",
            or_(within(case_file, place), exists(select(target).where(func.starts_with(target, place)))),
            func.left(due_on, len(month)) == month,
        )
    )
    return {f"{row.number}/{row.key}": row.paid_on is not None for row in rows}
