"""Committees as they sat on a day, their certificates, and how far the communities are (社工委名册、聘书、推行)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.committee_tables import certificate
from services.storage.ledger_tables import case_file
from services.storage.people_tables import (
    MEMBER_CATEGORIES,
    body,
    body_member,
    community,
    organization,
    person,
    region,
)
from services.storage.questions.committees import absence_limit, absences, secretary
from services.storage.seating import ACTING, CHAIR, ENDED, MEMBER, VICE_CHAIR
from workflows.policy.pack import Pack

Json = dict[str, Any]
ORDER = [CHAIR, VICE_CHAIR, MEMBER]
FORMED = ("FORMED", "OPERATING", "FIXING", "CONSOLIDATED")
"""States of a community in which its committee sits (P14)."""
DEFAULT_KINDS = {"formation": "INITIAL", "membership": "EXIT"}
VICE_SOURCES = ("VETERAN", "SOCIAL_ORG", "RESIDENT_UNIT", "PARTY_ORG_MEMBER", "RESIDENT_REPRESENTATIVE")


@dataclass(frozen=True, slots=True)
class Sitting:
    """Somebody who sat in the committee on a day, by name: rosters are published so (001 §三3)."""

    person: str
    name: str
    post: str
    category: str | None
    status: str
    since: date
    until: date | None
    org: str | None
    cert_no: str | None


class Committees:
    """Reads about committees on PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def on(self, place: str, day: date, pack: Pack) -> Json:
        """The committee of a community on a day: members, strength, categories, and which rules it keeps."""
        async with self._reading.connect() as connection:
            members = await members_on(connection, place, day)
            two = {one.person for one in await members_on(connection, place, day, "TWO_COMMITTEES")}
            epc = {one.person for one in await members_on(connection, place, day, "EPC")}
            head = await secretary(connection, place, day)
            reasons = await _exceptions(connection, place)
            away = {one["person"]: one["count"] for one in await absences(connection, place, day)}
            limit = await absence_limit(connection, place)
            under_way = await _under_way(connection, place)
        return {
            "community_id": place,
            "on": day,
            "formed": bool(members),
            "strength": strength(members, pack),
            "members": [
                {
                    "person": one.person,
                    "name": one.name,
                    "post": one.post,
                    "category": one.category,
                    "status": one.status,
                    "org": one.org,
                    "since": one.since,
                    "until": one.until,
                    "cert_no": one.cert_no,
                    "in_epc": one.person in epc,
                    "absences": away.get(one.person, 0),
                    "review_suggested": away.get(one.person, 0) >= limit,
                }
                for one in members
            ],
            "categories": {name: sum(one.category == name for one in members) for name in MEMBER_CATEGORIES},
            "rules": rules(members, secretary=head, epc=epc, two=two, reasons=reasons, pack=pack),
            **under_way,
        }

    async def certificate(self, cert_no: str) -> Json | None:
        """A certificate by its number; None when there is none."""
        async with self._reading.connect() as connection:
            row = (
                await connection.execute(
                    select(
                        certificate.c.cert_no,
                        certificate.c.post,
                        certificate.c.issued_on,
                        certificate.c.valid_until,
                        certificate.c.revoked_on,
                        certificate.c.community_code,
                        person.c.display_name.label("name"),
                        region.c.name.label("community"),
                    )
                    .join(person, person.c.id == certificate.c.person_id)
                    .join(region, region.c.code == certificate.c.community_code)
                    .where(certificate.c.cert_no == cert_no)
                )
            ).mappings().first()  # fmt: skip
        return dict(row) if row else None

    async def rollout(self, place: str, pack: Pack, today: date) -> Json:
        """How far the communities of a place are, and what is missing where (P14, read only)."""
        async with self._reading.connect() as connection:
            communities = (
                await connection.execute(
                    select(community.c.region_code, region.c.name, community.c.rollout_state)
                    .join(region, region.c.code == community.c.region_code)
                    .where(community.c.region_code.startswith(place, autoescape=True))
                    .order_by(community.c.region_code)
                )
            ).all()
            seats = await _seats_below(connection, place, today)
            live = await _live_below(connection, place)
        items = []
        for code, name, state in communities:
            members = seats.get(code, [])
            formation = live.get(code)
            items.append(
                {
                    "community_id": code,
                    "name": name,
                    "state": state or "NOT_STARTED",
                    "members": len(members),
                    "formation": formation,
                    "missing": _missing(members, formation, pack),
                }
            )
        formed = sum(bool(one["members"]) for one in items)
        states = [one["state"] for one in items]
        return {
            "place": place,
            "communities": len(items),
            "formed": formed,
            "formation_rate": round(formed / len(items), 4) if items else None,
            "formula": "formed / communities",
            "states": {state: states.count(state) for state in sorted(set(states))},
            "items": items,
        }


async def members_on(connection: AsyncConnection, place: str, day: date, kind: str = "CWC") -> list[Sitting]:
    """Who sat in a body of a community on a day, the chair first."""
    held = and_(certificate.c.issued_on <= day, or_(certificate.c.revoked_on.is_(None), certificate.c.revoked_on > day))
    number = (
        select(certificate.c.cert_no)
        .where(certificate.c.person_id == body_member.c.person_id, certificate.c.community_code == place, held)
        .order_by(certificate.c.issued_on.desc(), certificate.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(
            body_member.c.person_id,
            person.c.display_name,
            body_member.c.post,
            body_member.c.category,
            body_member.c.status,
            body_member.c.since,
            body_member.c.until,
            organization.c.name.label("org"),
            number.label("cert_no"),
        )
        .join(body, body.c.id == body_member.c.body_id)
        .join(person, person.c.id == body_member.c.person_id)
        .outerjoin(organization, organization.c.code == body_member.c.org_code)
        .where(body.c.type == kind, body.c.region_code == place, body.c.active)
        .where(body_member.c.status != ENDED, body_member.c.since <= day)
        .where(or_(body_member.c.until.is_(None), body_member.c.until >= day))
        .order_by(func.array_position(ORDER, body_member.c.post), body_member.c.since, body_member.c.id)
    )
    return [
        Sitting(
            person=str(row.person_id),
            name=row.display_name,
            post=row.post,
            category=row.category,
            status=row.status,
            since=row.since,
            until=row.until,
            org=row.org,
            cert_no=row.cert_no,
        )
        for row in rows
    ]


def strength(members: Sequence[Sitting], pack: Pack) -> Json:
    """How many sit, and whether they are too few."""
    vices = sum(one.post == VICE_CHAIR for one in members)
    few = len(members) < pack.span("committee.size")[0] or vices < pack.span("committee.vice_count")[0]
    return {
        "members": len(members),
        "vice_chairs": vices,
        "acting_chair": next((one.person for one in members if one.status == ACTING), None),
        "under_strength": few,
        "flags": ["UNDER_STRENGTH"] if few else [],
    }


def rules(
    members: Sequence[Sitting],
    *,
    secretary: str | None,
    epc: set[str],
    two: set[str],
    reasons: Mapping[str, str],
    pack: Pack,
) -> list[Json]:
    """Each rule of composition: kept, broken, or excepted with the case that says why."""
    vices = [one for one in members if one.post == VICE_CHAIR]
    chairs = [one.person for one in members if one.post == CHAIR]
    acting = [one.person for one in members if one.status == ACTING]
    size, vice_count = pack.span("committee.size"), pack.span("committee.vice_count")
    overlap = [one.person for one in members if one.post == MEMBER and one.person in epc]
    elsewhere = [one.person for one in vices if one.category not in VICE_SOURCES]
    by_issue = pack.text("committee.interested_party_mode") == "AD_HOC"
    seated = [one.person for one in members if one.category == "INTERESTED_PARTY"] if by_issue else []
    sitting = {one.person for one in members}
    found = (
        ("I1", "committee.size", size[0] <= len(members) <= size[1], len(members)),
        # While there is no secretary, a vice chair who acts stands for the chair (P6).
        ("I2", "committee.chair_count", len(chairs) == 1 or (not chairs and len(acting) == 1), len(chairs)),
        ("I3", "committee.chair_rule", chairs == [secretary] or (not chairs and secretary is None), chairs),
        ("I4", "committee.vice_count", vice_count[0] <= len(vices) <= vice_count[1], len(vices)),
        ("I5", "committee.epc_overlap", not overlap, overlap),
        ("I6", "", not elsewhere, elsewhere),
        ("I7", "committee.categories", not seated, len({one.category for one in members if one.category})),
        ("I8", "", not two or not two <= sitting, len(two & sitting)),
    )
    return [
        {
            "rule": name,
            "met": met,
            "excepted_by": None if met else reasons.get(name),
            "found": value,
            "value": pack.parameter(key).value if key else None,
            "clause": pack.parameter(key).source if key else ("001 §三2" if name == "I6" else "001 §三1"),
            "strength": str(pack.parameter(key).strength) if key else "SOFT",
        }
        for name, key, met, value in found
    ]


async def _exceptions(connection: AsyncConnection, place: str) -> dict[str, str]:
    """Which rule was excepted by which formation; its history has the reason."""
    rows = await connection.execute(
        select(case_file.c.number, case_file.c.data["exceptions"].label("exceptions"))
        .where(case_file.c.process == "formation", case_file.c.community == place, case_file.c.state == "APPOINTED")
        .order_by(case_file.c.opened_at)
    )
    # Whoever went on with fewer than planned said why the committee is small.
    return {"I1" if rule == "PLAN" else rule: row.number for row in rows for rule in (row.exceptions or {})}


async def _under_way(connection: AsyncConnection, place: str) -> Json:
    """The formation that runs, and the seats that are vacant."""
    rows = (
        await connection.execute(
            select(case_file.c.id, case_file.c.number, case_file.c.process, case_file.c.state, case_file.c.phase,
                   case_file.c.data["kind"].astext.label("kind"), case_file.c.data["post"].astext.label("post"))
            .where(
                case_file.c.community == place,
                case_file.c.process.in_(("formation", "membership")),
                case_file.c.closed_at.is_(None),
            )
            .order_by(case_file.c.opened_at)
        )
    ).all()  # fmt: skip
    return {
        "formation": next((_named(row) for row in rows if row.process == "formation"), None),
        "vacancies": [
            {**_named(row), "post": row.post}
            for row in rows
            if row.process == "membership" and (row.phase in ("VACANCY", "FILLING") or row.state == "EX_OFFICIO_ENDED")
        ],
    }


def _named(row: Any) -> Json:
    # What stands at its default is not stored.
    kind = row.kind or DEFAULT_KINDS[row.process]
    return {"id": row.id, "number": row.number, "kind": kind, "state": row.state, "phase": row.phase}


async def _seats_below(connection: AsyncConnection, place: str, day: date) -> dict[str, list[tuple[str, str]]]:
    """Post and status of everybody who sits, by community."""
    rows = await connection.execute(
        select(body.c.region_code, body_member.c.post, body_member.c.status)
        .join(body_member, body_member.c.body_id == body.c.id)
        .where(body.c.type == "CWC", body.c.active, body.c.region_code.startswith(place, autoescape=True))
        .where(body_member.c.status != ENDED, body_member.c.since <= day)
        .where(or_(body_member.c.until.is_(None), body_member.c.until >= day))
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row.region_code, []).append((row.post, row.status))
    return found


async def _live_below(connection: AsyncConnection, place: str) -> dict[str, Json]:
    rows = await connection.execute(
        select(case_file.c.community, case_file.c.number, case_file.c.state)
        .where(
            case_file.c.process == "formation",
            case_file.c.closed_at.is_(None),
            case_file.c.community.startswith(place, autoescape=True),
        )
    )  # fmt: skip
    return {row.community: {"number": row.number, "state": row.state} for row in rows}


def _missing(members: Sequence[tuple[str, str]], formation: Json | None, pack: Pack) -> list[str]:
    """What a community still lacks, in stable codes."""
    if not members:
        return ["COMMITTEE"] if formation else ["COMMITTEE", "FORMATION"]
    posts = [post for post, _ in members]
    lacks = {
        "CHAIR": CHAIR not in posts and not any(status == ACTING for _, status in members),
        "MEMBERS": len(members) < pack.span("committee.size")[0],
        "VICE_CHAIRS": posts.count(VICE_CHAIR) < pack.span("committee.vice_count")[0],
    }
    return [name for name, lacking in lacks.items() if lacking]
