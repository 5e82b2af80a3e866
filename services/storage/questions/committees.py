"""What formations and changes of membership must know: who sits where, what is under way, who met (社工委)."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.committee_tables import certificate
from services.storage.ledger_tables import attachment, case_file
from services.storage.people import Member, roster
from services.storage.people_tables import community, person, person_role, region, tenant
from services.storage.seating import ACTING, CHAIR, ENDED
from workflows.kernel.calendar import local
from workflows.kernel.process import Asked
from workflows.policy.packs import load

DEFAULT_PACK = "default_2026"
PARTY_BODIES = ("TWO_COMMITTEES", "PARTY_MEMBERS")
CWC_SESSION = "CWC_SESSION"
REVIEWED = ("EXIT_REQUESTED", "DISMISSAL_REVIEW")
KEPT = ("ACTIVE:RETAINED", "ACTIVE:WARNED")
LEFT = ("EXITED", "DISMISSED")
YEAR = 365
ADULT = 18
MEETINGS_READ = 24
"""Sessions that are looked through for absences in a row."""


async def committee(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """The committee of a community today, its secretary, and what is under way; `about` or the case names it."""
    place, day = _place(asked), local(asked.now).date()
    members = await sitting(connection, "CWC", place, day)
    chair = next((one for one in members if one["post"] == CHAIR), None)
    acting = next((one for one in members if one["status"] == ACTING), None)
    live = await _newest(connection, "formation", place, case_file.c.closed_at.is_(None))
    terms = await _cases(
        connection, "membership", place, case_file.c.state == "TERM_ENDED", case_file.c.phase == "",
        case_file.c.closed_at.is_(None),
    )  # fmt: skip
    acting_case = await _newest(connection, "membership", place, case_file.c.state == "ACTING")
    vacant = await _newest(
        connection, "membership", place, case_file.c.state == "EX_OFFICIO_ENDED", case_file.c.closed_at.is_(None)
    )
    return {
        "members": members,
        "chair": chair["person"] if chair else None,
        "acting": acting["person"] if acting else None,
        "secretary": await secretary(connection, place, day),
        "epc": [one["person"] for one in await sitting(connection, "EPC", place, day)],
        "two_committees": [one["person"] for one in await sitting(connection, "TWO_COMMITTEES", place, day)],
        "live_formation": live and {
            "id": str(live["id"]),
            "kind": live["data"].get("kind", "INITIAL"),
            "state": live["state"],
            "number": live["number"],
        },
        "ended_terms": [
            {"membership": str(one["id"]), "person": one["data"]["member"], "category": one["data"].get("category")}
            for one in terms
        ],
        "acting_case": acting_case and str(acting_case["id"]),
        "chair_vacant_case": vacant and str(vacant["id"]),
    }  # fmt: skip


async def membership(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """A member's seat, what is under way about him, and which facts were heard before; `about`: member, evidence."""
    place, member = _place(asked), str(asked.about["member"])
    members = await sitting(connection, "CWC", place, local(asked.now).date())
    mine = case_file.c.data["member"].astext == member
    live = await _cases(
        connection, "membership", place, mine, case_file.c.state.in_(REVIEWED), case_file.c.closed_at.is_(None)
    )
    heard = await _cases(connection, "membership", place, mine, _position().in_(KEPT))
    return {
        "seat": next((one for one in members if one["person"] == member), None),
        "live": [str(one["id"]) for one in live],
        "earlier": [{"id": str(one["id"]), "evidence": one["data"].get("evidence_sha", [])} for one in heard],
        "evidence": await _contents(connection, asked.about.get("evidence", ())),
    }


async def eligibility(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """What speaks against a candidate; `about`: candidate. Whether he lives or works here the worker knows."""
    key, today = str(asked.about["candidate"]), local(asked.now).date()
    if key.startswith("contact:"):
        return {"minor": False, "dismissed_within_year": False}
    born = await connection.scalar(select(person.c.birth_year).where(person.c.id == UUID(key)))
    dismissed = await connection.scalar(
        select(func.count())
        .select_from(case_file)
        .where(
            case_file.c.process == "membership",
            case_file.c.state == "DISMISSED",
            case_file.c.data["member"].astext == key,
            case_file.c.data["decided_at"].astext >= (asked.now - timedelta(days=YEAR)).isoformat(),
        )
    )
    # The register knows years only: in the year of his eighteenth birthday nobody is turned away by it.
    return {"minor": born is not None and today.year - born < ADULT, "dismissed_within_year": bool(dismissed)}


async def party_meeting(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """The meeting that a decision names; without a name the newest of the party organisation since the case began.

    `about`: meeting. Answers `{}` where there is none, else id, of_party_organisation, quorate, present, tallies.
    """
    assert asked.case is not None
    where: tuple[ColumnElement[bool], ...] = (case_file.c.process == "meeting",)
    if named := asked.about.get("meeting"):
        where += (case_file.c.id == UUID(str(named)),)
    else:
        where += (
            case_file.c.community == asked.case.community,
            _in_party_body(),
            case_file.c.data["opened_at"].astext.is_not(None),
            case_file.c.opened_at >= asked.case.opened_at,
        )
    row = (
        await connection.execute(
            select(case_file.c.id, case_file.c.number, case_file.c.community, case_file.c.state, case_file.c.data)
            .where(*where)
            .order_by(case_file.c.opened_at.desc())
            .limit(1)
        )
    ).mappings().first()  # fmt: skip
    return {} if row is None else meeting_view(row, asked.case.community)


def meeting_view(row: RowMapping | Mapping[str, Any], place: str) -> dict[str, Any]:
    """What a decision must know of the meeting that it was taken in."""
    data = row["data"]
    bodies = {data.get("type"), data.get("joint_with")}
    present = [who for who, was in data.get("attendance", {}).items() if was.get("member")]
    return {
        "id": str(row["id"]),
        "number": row["number"],
        "of_party_organisation": bool(bodies & set(PARTY_BODIES)) and row["community"] == place,
        "quorate": bool(data.get("held")) or row["state"] == "IN_SESSION",
        "present": present,
        "tallies": _tallies(data),
    }


async def terms_ended(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Members whose certificates have run out by now, each to be opened once; `about`: region."""
    today = local(asked.now).date()
    rows = await connection.execute(
        select(certificate).where(
            certificate.c.community_code.startswith(str(asked.about["region"]), autoescape=True),
            certificate.c.valid_until < today,
            certificate.c.revoked_on.is_(None),
            # The chair sits by office, not for a term.
            certificate.c.post != CHAIR,
        )
    )
    return {
        "openings": [
            {
                "key": f"term|{row.cert_no}",
                "fields": {
                    "community_code": row.community_code,
                    "kind": "TERM_END",
                    "member": str(row.person_id),
                    "post": row.post,
                    "category": row.category,
                },
            }
            for row in rows
        ]
    }


async def absences_to_review(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Members who missed as many sessions in a row as the pack says; `about`: region."""
    prefix = str(asked.about["region"])
    codes = await connection.scalars(
        select(community.c.region_code).where(community.c.region_code.startswith(prefix, autoescape=True))
    )
    openings: list[dict[str, Any]] = []
    for code in codes.all():
        limit = await absence_limit(connection, code)
        for one in await absences(connection, code, local(asked.now).date()):
            if one["count"] >= limit:
                fields = {"community_code": code, "kind": "REVIEW", "member": one["person"], "absences": one["count"]}
                openings.append({"key": f"absent|{one['person']}|{one['since']}", "fields": fields})
    return {"openings": openings}


async def absence_limit(connection: AsyncConnection, place: str) -> int:
    """How many absences in a row suggest a review, by the pack of the deployment."""
    pack = await connection.scalar(
        select(tenant.c.policy_pack_id)
        .join(region, region.c.tenant_id == tenant.c.id)
        .where(region.c.code == place)
    )  # fmt: skip
    return int(load(pack or DEFAULT_PACK).number("member.absence_limit"))


async def absences(connection: AsyncConnection, place: str, day: date) -> list[dict[str, Any]]:
    """How often each member has been absent in a row, newest sessions first, and since which one."""
    held = await connection.execute(
        select(case_file.c.id, case_file.c.data)
        .where(
            case_file.c.process == "meeting",
            case_file.c.community == place,
            case_file.c.data["held"].as_boolean(),
            case_file.c.data["type"].astext == CWC_SESSION,
        )
        .order_by(case_file.c.data["opened_at"].astext.desc())
        .limit(MEETINGS_READ)
    )
    sessions = [(str(row.id), row.data) for row in held]
    members = [one["person"] for one in await sitting(connection, "CWC", place, day)]
    return [found for member in members if (found := absent_in_row(member, sessions))["count"]]


def absent_in_row(member: str, sessions: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Count sessions, newest first, in which somebody who belonged there did not come; stop at the first he came to."""
    count, since = 0, ""
    for key, data in sessions:
        belonged = any(seat.get("person") == member for seat in data.get("rosters", {}).get(CWC_SESSION, ()))
        if not belonged:
            continue
        if member in data.get("attendance", {}):
            break
        count, since = count + 1, key
    return {"person": member, "count": count, "since": since}


async def sitting(connection: AsyncConnection, kind: str, place: str, day: date) -> list[dict[str, Any]]:
    """Who sits in a body on a day, as the rules read it."""
    return [
        {
            "person": str(one.person_id),
            "post": one.post,
            "category": one.category,
            "status": one.status,
            "since": one.since.isoformat(),
            "org": one.org_code,
        }
        for one in await roster(connection, kind, place, day)
        if one.person_id is not None and _counts(one)
    ]


async def secretary(connection: AsyncConnection, place: str, day: date) -> str | None:
    """Who is secretary of the community's party organisation on a day; the newest where two are on record."""
    found = await connection.scalar(
        select(person_role.c.person_id)
        .where(
            person_role.c.role == "party_secretary",
            person_role.c.place == place,
            person_role.c.since <= day,
            or_(person_role.c.until.is_(None), person_role.c.until >= day),
        )
        .order_by(person_role.c.since.desc(), person_role.c.id.desc())
        .limit(1)
    )
    return str(found) if found else None


def _counts(member: Member) -> bool:
    return member.status != ENDED


def _place(asked: Asked) -> str:
    return asked.case.community if asked.case is not None else str(asked.about["community_code"])


def _tallies(data: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Votes of the meeting by the case that each item was about: FOR and ALL."""
    found: dict[str, dict[str, int]] = {}
    for key, item in data.get("items", {}).items():
        cast = [choice for name, choice in data.get("votes", {}).items() if name.partition("/")[0] == key]
        secret = data.get("tallies", {}).get(key, {})
        in_favour = sum(choice == "FOR" for choice in cast) + secret.get("in_favour", 0)
        every = len(cast) + sum(secret.get(name, 0) for name in ("in_favour", "against", "abstain"))
        if item.get("subject_id") and every:
            found[item["subject_id"]] = {"FOR": in_favour, "ALL": every}
    return found


def _in_party_body() -> ColumnElement[bool]:
    return or_(
        case_file.c.data["type"].astext.in_(PARTY_BODIES), case_file.c.data["joint_with"].astext.in_(PARTY_BODIES)
    )


def _position() -> ColumnElement[str]:
    return case_file.c.state.concat(":").concat(case_file.c.phase)


async def _newest(
    connection: AsyncConnection, process: str, place: str, *where: ColumnElement[bool]
) -> RowMapping | None:
    found = await _cases(connection, process, place, *where)
    return found[0] if found else None


async def _cases(
    connection: AsyncConnection, process: str, place: str, *where: ColumnElement[bool]
) -> Sequence[RowMapping]:
    """Cases of a process in a community, newest first."""
    rows = await connection.execute(
        select(case_file.c.id, case_file.c.number, case_file.c.state, case_file.c.data)
        .where(and_(case_file.c.process == process, case_file.c.community == place, *where))
        .order_by(case_file.c.opened_at.desc())
    )
    return rows.mappings().all()


async def _contents(connection: AsyncConnection, evidence: Sequence[str]) -> list[str]:
    """What files hold, so that the same one uploaded twice is known again."""
    wanted = [UUID(one) for one in evidence]
    return list(await connection.scalars(select(attachment.c.sha256).where(attachment.c.id.in_(wanted))))


QUESTIONS = {
    "committee": committee,
    "membership": membership,
    "eligibility": eligibility,
    "party_meeting": party_meeting,
    "terms_ended": terms_ended,
    "absences_to_review": absences_to_review,
}
