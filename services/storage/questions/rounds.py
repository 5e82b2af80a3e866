"""What rounds of collection must know: their ground, their siblings, what has become of the wishes (征集)."""

from collections.abc import Sequence
from random import SystemRandom
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, any_, cast, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file
from services.storage.people_tables import body, body_member, community, organization, person_role
from services.storage.people_tables import spatial_unit as unit
from services.storage.tree_tables import building
from workflows.kernel.calendar import local
from workflows.kernel.process import Asked

UNTRIAGED = ("REGISTERED", "VERIFYING")
COVERS = ("CONSOLIDATING", "CLOSED")
SEATED = ("ACTIVE", "ACTING")
URGENT = ("I", "II", "III")
RESPONDING = ("RESPONDING", "CONTAINED")
LEAST_DRAWN = 10
"""Households drawn by lot where the chair names no number."""


async def rounds_to_open(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """One round for each community of a subdistrict whose committee sits, for the period; `about`: region, period."""
    region, period = str(asked.about["region"]), str(asked.about["period"])
    today = local(asked.now).date()
    seated = exists().where(
        body.c.region_code == community.c.region_code,
        body.c.type == "CWC",
        body.c.active,
        body_member.c.body_id == body.c.id,
        body_member.c.status.in_(SEATED),
        body_member.c.since <= today,
        or_(body_member.c.until.is_(None), body_member.c.until >= today),
    )
    codes = await connection.scalars(
        select(community.c.region_code)
        .where(func.starts_with(community.c.region_code, region), seated)
        .order_by(community.c.region_code)
    )
    openings = []
    for code in codes.all():
        held = await _rounds(connection, code, period)
        fields: dict[str, Any] = {"community_code": code, "month": period}
        if held["rounds"]:
            fields |= {"siblings": held["rounds"], "covered": held["valid"]}
        if await _last_missed(connection, code, period):
            fields["priority"] = True
        openings.append({"key": f"{code}|{period}", "fields": fields})
    return {"openings": openings}


async def rounds_of_month(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Other rounds of the month and whether one of them is valid; `about`: community_code, month."""
    code, month = str(asked.about["community_code"]), str(asked.about["month"])
    return await _rounds(connection, code, await _named(connection, code, month))


async def _named(connection: AsyncConnection, code: str, month: str) -> str:
    """The scaled month that goes on, where a drill makes them short and somebody names the month of the calendar."""
    newest = await connection.scalar(
        select(_month())
        .where(*_of(code), case_file.c.data["extra"].as_boolean().is_not(True))
        .order_by(case_file.c.opened_at.desc())
        .limit(1)
    )
    return newest if newest is not None and "T" in newest and "T" not in month else month


async def _rounds(connection: AsyncConnection, code: str, month: str) -> dict[str, Any]:
    rows = (
        await connection.execute(
            select(case_file.c.id, case_file.c.state, case_file.c.data["valid"].as_boolean().label("valid"))
            .where(*_of(code), _month() == month)
            .order_by(case_file.c.opened_at)
        )
    ).all()
    return {"rounds": [str(row.id) for row in rows], "valid": any(row.valid or row.state in COVERS for row in rows)}


async def _last_missed(connection: AsyncConnection, code: str, period: str) -> bool:
    """The last month before this one had rounds and none of them was valid or waived.

    Asked in the very moment in which that month ends, so that it does not wait for them to be called missed.
    """
    last = select(func.max(_month())).where(*_of(code), _month() < period).scalar_subquery()
    rows = (
        await connection.execute(
            select(case_file.c.state, case_file.c.data["valid"].as_boolean()).where(*_of(code), _month() == last)
        )
    ).all()
    return bool(rows) and not any(valid or state in (*COVERS, "WAIVED") for state, valid in rows)


def _of(code: str) -> tuple[Any, Any]:
    return case_file.c.process == "round", case_file.c.community == code


def _month() -> Any:
    return case_file.c.data["month"].astext


async def collection_ground(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Grids, where the collectors may go, and whom the lot has drawn; `about`: collectors, sample."""
    if asked.case is None:
        raise ValueError("asked about a round")
    code = asked.case.community
    grids = (
        await connection.execute(
            select(unit.c.code, unit.c.households, unit.c.responsible_person_ids)
            .where(unit.c.community_code == code, unit.c.kind == "GRID")
            .order_by(unit.c.code)
        )
    ).all()
    today = local(asked.now).date()
    people = [UUID(one) for one in asked.about["collectors"]]
    reach = await connection.scalars(
        select(person_role.c.place)
        .distinct()
        .where(
            person_role.c.person_id == any_(cast(people, ARRAY(Uuid))),
            person_role.c.role != "resident",
            person_role.c.since <= today,
            or_(person_role.c.until.is_(None), person_role.c.until >= today),
        )
    )
    units = await connection.scalars(
        select(organization.c.code)
        .where(organization.c.region_code == code, organization.c.is_resident_unit)
        .order_by(organization.c.code)
    )
    wanted = asked.about.get("sample")
    homes = [(grid.code, grid.households or 0) for grid in grids]
    return {
        "grids": [
            {"code": grid.code, "responsible": [str(one) for one in grid.responsible_person_ids]} for grid in grids
        ],
        "reach": list(reach.all()),
        "drawn": _drawn(homes, units.all(), LEAST_DRAWN if wanted is None else int(wanted)),
    }


def _drawn(homes: Sequence[tuple[str, int]], units: Sequence[str], count: int) -> list[dict[str, Any]]:
    """Households by lot, each as likely as any other, and one unit (随机走访)."""
    lot = SystemRandom()
    every = sum(households for _, households in homes)
    drawn: list[dict[str, Any]] = []
    for number in sorted(lot.sample(range(every), min(count, every))):
        left = number
        for code, households in homes:
            if left < households:
                drawn.append({"place": code, "ordinal": left + 1})
                break
            left -= households
    return [*drawn, *({"place": one} for one in lot.sample(list(units), min(1, len(units))))]


async def visited_place(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """The grid or building that a visit names, in this community; without one the collector's own single grid."""
    if asked.case is None:
        raise ValueError("asked about a round")
    code, named = asked.case.community, asked.about.get("place")
    if named is None:
        own = await connection.scalars(
            select(unit.c.code).where(
                unit.c.community_code == code,
                unit.c.kind == "GRID",
                literal(asked.actor.id) == any_(cast(unit.c.responsible_person_ids, ARRAY(Text))),
            )
        )
        found = own.all()
        return {"code": found[0] if len(found) == 1 else None}
    place = await connection.scalar(select(unit.c.code).where(unit.c.community_code == code, unit.c.code == str(named)))
    if place is None:
        place = await connection.scalar(
            select(cast(building.c.id, Text)).where(
                building.c.community_code == code,
                or_(cast(building.c.id, Text) == str(named), building.c.name == str(named)),
            )
        )
    return {"code": place}


async def problem_list_of_month(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """The problem list as it stands, the number of its next version, and the wishes nobody has triaged yet."""
    case = asked.case
    if case is None:
        raise ValueError("asked about a round")
    month = case.data.month[: len("2026-11")]
    wishes = [UUID(one) for one in case.data.wishes]
    triaged = (
        await connection.scalars(
            select(case_file.c.id).where(
                case_file.c.id == any_(cast(wishes, ARRAY(Uuid))), case_file.c.state.not_in(UNTRIAGED)
            )
        )
    ).all()
    published = await connection.scalar(
        select(func.count()).where(
            *_of(case.community), func.left(_month(), len(month)) == month, case_file.c.state == "CLOSED",
            case_file.c.data["list_version"].is_not(None),
        )
    )  # fmt: skip
    rows = await connection.execute(
        select(case_file)
        .where(
            and_(
                case_file.c.process == "issue",
                case_file.c.community == case.community,
                case_file.c.problem_month == month,
            )
        )
        .order_by(case_file.c.number)
    )
    entries = [
        {
            "issue": str(row.id),
            "number": row.number,
            "category_code": row.category_code,
            "mode": row.data.get("mode"),
            "difficulty": row.data.get("difficulty"),
            "level": row.level,
            "lead_org": row.lead_org,
            "state": f"{row.state}:{row.phase}" if row.phase else row.state,
        }
        for row in rows
    ]
    untriaged = sorted({str(one) for one in wishes} - {str(one) for one in triaged})
    return {"version": (published or 0) + 1, "entries": entries, "untriaged": untriaged}


async def emergency(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Whether an emergency of level III or higher goes on in the community of the round."""
    place = asked.case.community if asked.case is not None else ""
    active = await connection.scalar(
        select(func.count()).where(
            case_file.c.process == "emergency",
            case_file.c.community == place,
            case_file.c.state.in_(RESPONDING),
            case_file.c.data["level"].astext.in_(URGENT),
            case_file.c.data["drill"].as_boolean().is_not(True),
        )
    )
    return {"active": bool(active)}


QUESTIONS = {
    "rounds_to_open": rounds_to_open,
    "rounds_of_month": rounds_of_month,
    "collection_ground": collection_ground,
    "visited_place": visited_place,
    "problem_list_of_month": problem_list_of_month,
    "emergency": emergency,
}
