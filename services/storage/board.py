"""公示栏 of a community: results, notices, listed problems and who is responsible. The caller masks the texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Text, and_, any_, cast, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.clocks import name_of
from services.storage.ledger_tables import case_file, clock
from services.storage.people_tables import body, body_member, organization, person, spatial_unit
from services.storage.prose import said, texts_of
from services.storage.sight import sight, within
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor

MOST = 200
STILL_SHOWN = timedelta(days=30)
"""How long a problem that was delisted stays on the board (销号)."""
HANGING = ("RUNNING", "ENDED")
LISTED = ("LISTED", "VERIFYING")
PUBLISHED_BODIES = ("CWC",)
"""Bodies whose roster a clause orders to be published (seed 001 §三3)."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A line of the board: a result (结果公示) with its text, or a listed problem with how far it is."""

    number: str
    title: str
    category_code: str | None
    state: str
    step: str
    month: str | None
    text: str
    registered_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OnNotice:
    """A notice that hangs now (公示): until when, and where one may object."""

    number: str
    kind: str
    title: str
    text: str
    state: str
    posted_at: datetime
    ends_at: datetime | None
    open_to_objections: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """A problem that is publicly listed until somebody else has seen it solved (挂牌销号)."""

    number: str
    text: str
    state: str
    responsible_org_name: str | None
    listed_at: datetime
    due_on: date | None
    relist_count: int
    delisted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Responsible:
    """Somebody who answers for a body or a grid, by name and post, and nothing else of him."""

    where: str
    post: str
    name: str


async def results(connection: AsyncConnection, community: str) -> tuple[Posted, ...]:
    """Results that hang now, the latest first."""
    notice = case_file.alias("notice")
    gone = exists().where(
        notice.c.process == "notice",
        cast(notice.c.id, Text) == case_file.c.data["notice"].astext,
        or_(notice.c.state == "CANCELLED", notice.c.phase == "TAKEN_DOWN"),
    )
    return await _posted(connection, community, and_(case_file.c.data["published"].as_boolean(), ~gone))


async def problems(connection: AsyncConnection, community: str, months: tuple[str, ...]) -> tuple[Posted, ...]:
    """Problems on the lists of these months (问题清单), the latest first."""
    return await _posted(connection, community, case_file.c.problem_month.in_(months))


async def _posted(connection: AsyncConnection, community: str, which: Any) -> tuple[Posted, ...]:
    rows = (
        (
            await connection.execute(
                select(case_file)
                .where(case_file.c.process == "issue", case_file.c.community == community, which)
                .order_by(case_file.c.updated_at.desc(), case_file.c.id)
                .limit(MOST)
            )
        )
        .mappings()
        .all()
    )
    texts = await texts_of(
        connection, [row["id"] for row in rows], [(row["title"], row["data"].get("public_text")) for row in rows]
    )
    return tuple(_line(row, texts) for row in rows)


def _line(row: RowMapping, texts: dict[str, Any]) -> Posted:
    is_posted = bool(row["data"].get("published"))
    return Posted(
        number=row["number"],
        title=said(row["title"], texts),
        category_code=row["category_code"],
        state=row["state"],
        step=row["step"],
        month=row["problem_month"],
        text=said(row["data"].get("public_text"), texts) if is_posted else "",
        registered_at=row["opened_at"].astimezone(CHINA),
        closed_at=row["closed_at"].astimezone(CHINA) if row["closed_at"] else None,
    )


@dataclass(frozen=True, slots=True)
class Running:
    """A notice that runs, for those who watch over it (在办公示): until when, and how many objections are open."""

    case_id: UUID
    number: str
    community: str
    kind: str
    title: str
    state: str
    posted_at: datetime
    ends_at: datetime | None
    interruptions: int
    open_objections: int


async def notices(connection: AsyncConnection, community: str) -> tuple[OnNotice, ...]:
    """Everything that hangs now, what was posted last first; after its end until it is taken down."""
    hanging = (case_file.c.community == community, case_file.c.state.in_(HANGING), case_file.c.phase == "")
    rows = await _notices(connection, *hanging)
    texts = await texts_of(connection, [row.id for row in rows], [(row.title, row.data.get("text")) for row in rows])
    return tuple(
        OnNotice(
            number=row.number,
            kind=row.data["kind"],
            title=said(row.title, texts),
            text=said(row.data.get("text"), texts),
            state=row.state,
            posted_at=_moment(row.data["posted_at"]),
            ends_at=row.ends_at.astimezone(CHINA) if row.ends_at else None,
            open_to_objections=row.state == "RUNNING",
        )
        for row in rows
    )


async def running(connection: AsyncConnection, place: str, *, actor: Actor | None = None) -> tuple[Running, ...]:
    """Notices of a place that run or were interrupted, what was posted last first (processes §0.9)."""
    seen = sight(actor) if actor is not None else true()
    rows = await _notices(connection, within(case_file, place), case_file.c.state.in_(("RUNNING", "INTERRUPTED")), seen)
    texts = await texts_of(connection, [row.id for row in rows], [row.title for row in rows])
    return tuple(
        Running(
            case_id=row.id,
            number=row.number,
            community=row.community,
            kind=row.data["kind"],
            title=said(row.title, texts),
            state=row.state,
            posted_at=_moment(row.data["posted_at"]),
            ends_at=row.ends_at.astimezone(CHINA) if row.ends_at else None,
            interruptions=row.data.get("interruptions", 0),
            open_objections=sum(one.get("standing") == "OPEN" for one in row.data.get("objections", {}).values()),
        )
        for row in rows
    )


async def _notices(connection: AsyncConnection, *which: Any) -> Sequence[Any]:
    ends = (
        select(func.max(clock.c.due_at))
        .where(clock.c.case_id == case_file.c.id, clock.c.code == "NOTICE", clock.c.state.in_(("RUNNING", "MET")))
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(case_file, ends.label("ends_at"))
        .where(case_file.c.process == "notice", *which)
        .order_by(case_file.c.updated_at.desc(), case_file.c.id)
        .limit(MOST)
    )
    return rows.all()


async def listed(connection: AsyncConnection, community: str) -> tuple[Watched, ...]:
    """Problems that are listed in public, and those that were delisted in the last thirty days."""
    data = case_file.c.data
    since = datetime.now(UTC) - STILL_SHOWN
    rows = (
        await connection.execute(
            select(case_file, name_of(data["responsible_org"].astext).label("org"))
            .where(
                case_file.c.process == "supervision",
                case_file.c.community == community,
                data["public"].as_boolean(),
                or_(
                    case_file.c.state.in_(LISTED),
                    and_(case_file.c.state == "DELISTED", case_file.c.closed_at >= since),
                ),
            )
            .order_by(case_file.c.opened_at.desc(), case_file.c.id)
            .limit(MOST)
        )
    ).all()
    texts = await texts_of(connection, [row.id for row in rows], [row.data.get("public_text") for row in rows])
    return tuple(
        Watched(
            number=row.number,
            text=said(row.data.get("public_text"), texts),
            state=row.state,
            responsible_org_name=row.org,
            listed_at=_moment(row.data["listed_at"]),
            due_on=date.fromisoformat(row.data["due_on"]) if row.data.get("due_on") else None,
            relist_count=row.data.get("relist_count", 0),
            delisted_at=row.closed_at.astimezone(CHINA) if row.closed_at else None,
        )
        for row in rows
    )


async def rosters(connection: AsyncConnection, community: str, on: date) -> tuple[Responsible, ...]:
    """Members of the committee and who is responsible for each grid (seed 001 §三3, 002 §三8)."""
    members = await connection.execute(
        select(body.c.name, body_member.c.post, func.coalesce(person.c.display_name, organization.c.name).label("who"))
        .join(body_member, body_member.c.body_id == body.c.id)
        .outerjoin(person, person.c.id == body_member.c.person_id)
        .outerjoin(organization, organization.c.code == body_member.c.org_code)
        .where(
            body.c.region_code == community,
            body.c.type.in_(PUBLISHED_BODIES),
            body.c.active,
            body_member.c.status.in_(("ACTIVE", "ACTING")),
            body_member.c.since <= on,
            or_(body_member.c.until.is_(None), body_member.c.until >= on),
        )
        .order_by(
            body.c.type,
            func.array_position(["CHAIR", "VICE_CHAIR", "MEMBER", "DELEGATE"], body_member.c.post),
            body_member.c.id,
        )
    )
    grids = await connection.execute(
        select(spatial_unit.c.name, person.c.display_name)
        .select_from(spatial_unit)
        .join(person, person.c.id == any_(spatial_unit.c.responsible_person_ids))
        .where(spatial_unit.c.community_code == community, spatial_unit.c.kind == "GRID")
        .order_by(spatial_unit.c.code, person.c.id)
    )
    return (
        *(Responsible(row.name, row.post, row.who) for row in members),
        *(Responsible(row.name, "GRID", row.display_name) for row in grids),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(CHINA)
