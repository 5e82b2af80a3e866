"""What meetings must know: who sits in a body, which topics wait, which months are open (会议)."""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services import sittings
from services.storage.history import live_clocks, standing
from services.storage.ledger_tables import case_file
from services.storage.people_tables import body, body_member, community, person_role
from workflows.issue.agenda import TAKEN_AWAY
from workflows.issue.process import ISSUE
from workflows.kernel.calendar import Scale, local
from workflows.kernel.periods import beginning_of
from workflows.kernel.process import Asked, Case, Process
from workflows.meeting.bodies import body as row_of
from workflows.meeting.data import Meeting, Seat
from workflows.meeting.process import MEETING
from workflows.policy.packs import load
from workflows.slot.process import SLOT

D = TypeVar("D")
Json = dict[str, Any]
SEATED = ("ACTIVE", "ACTING")
EPC = "EXTENDED_PARTY_COMMITTEE"
ABOVE = ("SUBDISTRICT", "COUNTY")


async def roster(connection: AsyncConnection, asked: Asked) -> Json:
    """Who sits in a body today, the chair first; `about`: body (as master data names it), community, or a case's."""
    place = str(asked.about.get("community") or (asked.case.community if asked.case else ""))
    held = await _seats(connection, str(asked.about["body"]), place, asked)
    return {"members": held, "size": len(held)}


async def _seats(connection: AsyncConnection, kind: str, place: str, asked: Asked) -> list[Json]:
    """The seats of a body of a community, or of the street or county above it."""
    today = local(asked.now).date()
    acting = (
        select(func.coalesce(func.array_agg(person_role.c.person_id.distinct()), []))
        .where(
            person_role.c.org_code == body_member.c.org_code,
            person_role.c.role.in_(("unit_liaison", "joint_meeting_delegate", "department_officer")),
            person_role.c.since <= today,
            or_(person_role.c.until.is_(None), person_role.c.until >= today),
        )
        .correlate(body_member)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(
            body_member.c.person_id, body_member.c.org_code, body_member.c.post, body_member.c.since,
            acting.label("acting"),
        )
        .join(body, body.c.id == body_member.c.body_id)
        .where(
            body.c.type == kind,
            body.c.active,
            body.c.region_code.in_((place, place[:9], place[:6])),
            body_member.c.status.in_(SEATED),
            body_member.c.since <= today,
            or_(body_member.c.until.is_(None), body_member.c.until >= today),
        )
        .order_by(
            func.array_position(["CHAIR", "VICE_CHAIR", "MEMBER", "DELEGATE"], body_member.c.post), body_member.c.id
        )
    )  # fmt: skip
    return [
        {
            "person": str(row.person_id) if row.person_id else None,
            "org": row.org_code,
            "post": row.post,
            "since": row.since.isoformat(),
            "deputies": [str(one) for one in row.acting] if row.org_code and kind == "PJM" else [],
        }
        for row in rows
    ]


async def seats(connection: AsyncConnection, asked: Asked) -> Json:
    """The seats of the bodies of a meeting, as they are on its day."""
    case = _meeting(asked)
    found: dict[str, list[Seat]] = {}
    for kind in case.data.bodies:
        register = row_of(kind).register
        held = await _seats(connection, register, case.community, asked) if register else []
        found[kind.value] = [
            Seat(person=one["person"], org=one["org"], post=one["post"], deputies=tuple(one["deputies"]))
            for one in held
        ]
    return sittings.seats(found)


async def topics(connection: AsyncConnection, asked: Asked) -> Json:
    """The topics that wait for a meeting, and the tasks of the one before it."""
    case = _meeting(asked)
    found = await _topics(connection, case)
    table = case_file.c
    earlier = await _cases(connection, MEETING, table.community == case.community, table.data["tasks"].is_not(None))
    return sittings.topics(case, found, earlier)


async def agenda_items(connection: AsyncConnection, asked: Asked) -> Json:
    """Which topics of a meeting still wait for it."""
    case = _meeting(asked)
    return sittings.agenda_items(case, await _topics(connection, case))


async def _topics(connection: AsyncConnection, case: Case[Meeting]) -> list[Case[Any]]:
    """Issues that have to do with the bodies of a meeting; the rules say which of them wait."""
    mine = sittings.topic_bodies(case)
    if not mine:
        return []
    wanted = (*mine, *ABOVE) if EPC in mine else mine
    table = case_file.c
    return await _cases(
        connection,
        ISSUE,
        table.community == case.community,
        table.agenda_body.in_(wanted),
        or_(table.agenda_body.in_(mine), table.agenda_reason == TAKEN_AWAY),
    )


async def issue_topic(connection: AsyncConnection, asked: Asked) -> Json:
    """The issue that a command of a meeting is about, as it stands now."""
    wanted = sittings.named_topic(asked)
    found = await _cases(connection, ISSUE, case_file.c.id == wanted) if wanted else []
    return sittings.issue_topic(asked, found[0] if found else None)


async def titles(connection: AsyncConnection, asked: Asked) -> Json:
    """References of the titles of issues; `about`: topics."""
    ids = list(asked.about["topics"])
    rows = await connection.execute(select(case_file.c.id, case_file.c.title).where(case_file.c.id.in_(ids)))
    return {"titles": {str(row.id): row.title for row in rows}}


async def slots(connection: AsyncConnection, asked: Asked) -> Json:
    """The months of the bodies of a community that are open, or were missed and can be made up for."""
    place = asked.case.community if asked.case is not None else str(asked.about["community_code"])
    open_ones = and_(case_file.c.community == place, case_file.c.closed_at.is_(None))
    return sittings.slots(await _cases(connection, SLOT, open_ones))


async def slots_to_open(connection: AsyncConnection, asked: Asked) -> Json:
    """A slot for each community of a region whose 大党委 sits; `about`: region, period."""
    region, period = str(asked.about["region"]), str(asked.about["period"])
    codes = await connection.scalars(
        select(community.c.region_code)
        .join(body, body.c.region_code == community.c.region_code)
        .where(func.starts_with(community.c.region_code, region), body.c.type == "EPC", body.c.active)
    )
    table = case_file.c
    in_time = or_(table.closed_at.is_(None), table.closed_at >= beginning_of(period))
    found = await _cases(connection, MEETING, func.starts_with(table.community, region), in_time)
    return sittings.slots_to_open(codes.all(), period, found, _scale(period))


def _scale(period: str) -> Scale | None:
    """A month that is named by its minute is a scaled one."""
    return load("drill").scale if "T" in period else None


async def meeting_record(connection: AsyncConnection, asked: Asked) -> Json:
    """What stands in a meeting's record; `about`: meeting."""
    found = await _cases(connection, MEETING, case_file.c.id == asked.about["meeting"])
    return sittings.record_of(found[0]) if found else {}


async def _cases(connection: AsyncConnection, process: Process[D], *conditions: ColumnElement[bool]) -> list[Case[D]]:
    """Cases of a process with their live clocks."""
    rows = await connection.execute(
        select(case_file, live_clocks()).where(case_file.c.process == process.name, *conditions)
    )
    return [standing(process, row) for row in rows.mappings()]


def _meeting(asked: Asked) -> Case[Meeting]:
    if asked.case is None:
        raise ValueError("asked about a meeting")
    return asked.case


QUESTIONS: dict[str, Any] = {
    "roster": roster,
    "seats": seats,
    "topics": topics,
    "agenda_items": agenda_items,
    "issue_topic": issue_topic,
    "titles": titles,
    "slots": slots,
    "slots_to_open": slots_to_open,
    "meeting_record": meeting_record,
}
