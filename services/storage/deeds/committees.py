"""What formations and changes of membership do to master data: seats, roles and certificates (委员任免落地).

Seats change by the functions of `seating.py` alone; the roles of the committee follow the seats, so that whoever has
left can do nothing more and what was to be done is left to whoever holds the role.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage import seating
from services.storage.committee_tables import certificate, deed
from services.storage.ids import uuid7
from services.storage.ledger_tables import case_file, contact
from services.storage.people import act_as
from services.storage.people_tables import body, body_member, community, person, person_role, region
from services.storage.sealing import Seal
from services.storage.seating import Seat
from workflows.kernel.process import derived_id
from workflows.kernel.roles import Role

SYSTEM = "system"
REFERENCE = "contact:"
SOURCE = "FORMATION"
DAY = timedelta(days=1)
POST_ROLES = {
    seating.CHAIR: Role.CWC_CHAIR,
    seating.VICE_CHAIR: Role.CWC_VICE_CHAIR,
    seating.MEMBER: Role.CWC_MEMBER,
}
BODY_ROLES = {"EPC": Role.EPC_MEMBER, "TWO_COMMITTEES": Role.TWO_COMMITTEES_MEMBER}
"""Bodies in which the secretary sits by office, each with the role of its members."""
NAMES = {"CWC": "社区建设工作委员会", "EPC": "大党委", "TWO_COMMITTEES": "两委", "PJM": "党建联席会议"}


async def seat_member(
    connection: AsyncConnection, errand_id: str, fields: Mapping[str, Any], now: datetime, seal: Seal | None
) -> None:
    """Seat somebody with his certificate; a person without an account becomes one of the register."""
    if not await _first(connection, errand_id, "seat_member"):
        return
    place, day = fields["community"], date.fromisoformat(fields["on"])
    member = await _person(connection, fields["of"], fields["person"], place, seal)
    post, category = fields["post"], fields["category"]
    await _change(connection, "CWC", place, day, lambda seats: seating.seated(seats, str(member), post, category, day))
    await _certify(
        connection,
        member,
        place=place,
        post=post,
        category=category,
        day=day,
        number=fields["cert_no"],
        case=fields["of"],
        until=date.fromisoformat(fields["valid_until"]) if fields.get("valid_until") else None,
    )


async def complete_committee(
    connection: AsyncConnection, errand_id: str, fields: Mapping[str, Any], now: datetime
) -> None:
    """The committee is formed: whoever was not appointed again leaves, and the community counts as formed."""
    if not await _first(connection, errand_id, "complete_committee"):
        return
    place, day = fields["community"], date.fromisoformat(fields["on"])
    if fields["keep"] is not None:
        keep = {str(_register_id(fields["of"], one)) for one in fields["keep"]}

        def only(seats: Sequence[Seat]) -> list[Seat]:
            return seating.unseated(seats, {one.person for one in seats} - keep, day)

        gone = await _change(connection, "CWC", place, day, only)
        await _revoke(connection, gone, place, day)
    before = ("NOT_STARTED", "PREPARING", "LATE")
    await connection.execute(
        update(community)
        .where(
            community.c.region_code == place,
            or_(community.c.rollout_state.is_(None), community.c.rollout_state.in_(before)),
        )
        .values(rollout_state="FORMED")
    )


async def begin_committee(
    connection: AsyncConnection, errand_id: str, fields: Mapping[str, Any], now: datetime
) -> None:
    """A first committee is being prepared (P14)."""
    if not await _first(connection, errand_id, "begin_committee"):
        return
    await connection.execute(
        update(community)
        .where(
            community.c.region_code == fields["community"],
            or_(community.c.rollout_state.is_(None), community.c.rollout_state == "NOT_STARTED"),
        )
        .values(rollout_state="PREPARING")
    )


async def unseat_member(connection: AsyncConnection, errand_id: str, fields: Mapping[str, Any], now: datetime) -> None:
    """Seat, role and certificate end with the day before (退出、解聘、届满)."""
    if not await _first(connection, errand_id, "unseat_member"):
        return
    place, day, member = fields["community"], date.fromisoformat(fields["on"]), fields["person"]
    await _change(connection, "CWC", place, day, lambda seats: seating.unseated(seats, [member], day))
    await _revoke(connection, [member], place, day)


async def suspend_member(connection: AsyncConnection, errand_id: str, fields: Mapping[str, Any], now: datetime) -> None:
    """The member does nothing until it is decided (暂停履职)."""
    await _stand(connection, errand_id, "suspend_member", fields, seating.ACTIVE, seating.SUSPENDED)


async def resume_member(connection: AsyncConnection, errand_id: str, fields: Mapping[str, Any], now: datetime) -> None:
    """A member as before (恢复履职)."""
    await _stand(connection, errand_id, "resume_member", fields, seating.SUSPENDED, seating.ACTIVE)


async def end_acting(connection: AsyncConnection, errand_id: str, fields: Mapping[str, Any], now: datetime) -> None:
    """A vice chair again (代理结束)."""
    await _stand(connection, errand_id, "end_acting", fields, seating.ACTING, seating.ACTIVE)


async def act_as_chair(connection: AsyncConnection, errand_id: str, fields: Mapping[str, Any], now: datetime) -> None:
    """A vice chair stands in (代理主任); nothing where there is a chair meanwhile."""
    if not await _first(connection, errand_id, "act_as_chair"):
        return
    place, day, member = fields["community"], date.fromisoformat(fields["on"]), fields["person"]
    await _change(connection, "CWC", place, day, lambda seats: seating.acting(seats, member, day))


async def change_secretary(
    connection: AsyncConnection, errand_id: str, fields: Mapping[str, Any], now: datetime
) -> None:
    """The office goes from one to the other, and with it the chair of every body of the community (001 §三2)."""
    if not await _first(connection, errand_id, "change_secretary"):
        return
    place, day, old, new = fields["community"], date.fromisoformat(fields["on"]), fields["old"], fields["new"]

    def follow(seats: Sequence[Seat]) -> list[Seat]:
        if new is None:
            return seating.without_chair(seats, day)
        before = next((one for one in seats if one.post == seating.CHAIR and one.open), None)
        org = before.org if before else None
        # Only the committee's seats have a category.
        category = before.category if before else None
        return seating.seated(seats, new, seating.CHAIR, category, day, org)

    def lead(seats: Sequence[Seat]) -> list[Seat]:
        if new is None:
            return seating.without_chair(seats, day)
        return seating.seated(seats, new, seating.CHAIR, "PARTY_ORG_MEMBER", day)

    if old is not None:
        await _take_role(connection, UUID(old), Role.PARTY_SECRETARY, place, day)
    if new is not None:
        await _give_role(connection, UUID(new), Role.PARTY_SECRETARY, place, day)
    await _change(connection, "CWC", place, day, lead)
    for kind in ("EPC", "TWO_COMMITTEES", "PJM"):
        if await _body(connection, kind, place) is not None:
            await _change(connection, kind, place, day, follow)
    if old is not None:
        await _revoke(connection, [old], place, day)
    if new is not None:
        number = await connection.scalar(select(case_file.c.number).where(case_file.c.id == UUID(fields["of"])))
        await _certify(
            connection,
            UUID(new),
            place=place,
            post=seating.CHAIR,
            category="PARTY_ORG_MEMBER",
            day=day,
            number=f"{number}-01",
            case=fields["of"],
            until=None,
        )


# --- seats and roles ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    id: UUID
    tenant: UUID


async def _change(
    connection: AsyncConnection,
    kind: str,
    place: str,
    day: date,
    change: Callable[[Sequence[Seat]], list[Seat]],
) -> list[str]:
    """Change the seats of a body under its lock, let the roles follow, and give the ids of who left."""
    found = await _body(connection, kind, place) or await _new_body(connection, kind, place)
    before = await _seats(connection, found.id)
    after = change(before)
    known = {one.key: one for one in before}
    for one in after:
        if one.key and one != known[one.key]:
            values = {"post": one.post, "category": one.category, "until": one.until, "status": one.status}
            await connection.execute(update(body_member).where(body_member.c.id == UUID(one.key)).values(values))
    for one in after:
        if not one.key:
            await connection.execute(
                insert(body_member).values(
                    id=uuid7(),
                    tenant_id=found.tenant,
                    body_id=found.id,
                    person_id=UUID(one.person),
                    org_code=one.org,
                    post=one.post,
                    category=one.category,
                    since=one.since,
                    until=one.until,
                    status=one.status,
                )
            )
    sitting = {one.person for one in after if one.open}
    people = {one.person for one in after if one not in before} | {one.person for one in before if one not in after}
    for each in sorted(people):
        await _follow(connection, kind, place, each, [one for one in after if one.open and one.person == each], day)
    return sorted({one.person for one in before if one.open} - sitting)


async def _follow(
    connection: AsyncConnection, kind: str, place: str, member: str, seats: Sequence[Seat], day: date
) -> None:
    """Give and take the roles that come with the seats of a body."""
    wanted: set[Role] = set()
    if kind == "CWC":
        possible = set(POST_ROLES.values())
        for one in seats:
            if one.status != seating.SUSPENDED:
                wanted |= {POST_ROLES[one.post]} | ({Role.CWC_CHAIR} if one.status == seating.ACTING else set())
    else:
        possible = {BODY_ROLES[kind]} if kind in BODY_ROLES else set()
        wanted = possible if seats else set()
    for role in sorted(possible):
        if role in wanted:
            await _give_role(connection, UUID(member), role, place, day)
        else:
            await _take_role(connection, UUID(member), role, place, day)


async def _give_role(connection: AsyncConnection, member: UUID, role: Role, place: str, day: date) -> None:
    held = select(person_role.c.id).where(*_holding(member, role, place, day))
    if (await connection.execute(held.limit(1))).first() is None:
        await connection.execute(
            insert(person_role).values(
                id=uuid7(),
                tenant_id=select(person.c.tenant_id).where(person.c.id == member).scalar_subquery(),
                person_id=member,
                role=role.value,
                place=place,
                since=day,
            )
        )


async def _take_role(connection: AsyncConnection, member: UUID, role: Role, place: str, day: date) -> None:
    mine = _holding(member, role, place, day)
    # A role ends with its last day; one that began today would go on until midnight. The audit keeps both.
    await connection.execute(delete(person_role).where(*mine, person_role.c.since >= day))
    await connection.execute(update(person_role).where(*mine).values(until=day - DAY))


def _holding(member: UUID, role: Role, place: str, day: date) -> tuple[ColumnElement[bool], ...]:
    return (
        person_role.c.person_id == member,
        person_role.c.role == role.value,
        person_role.c.place == place,
        or_(person_role.c.until.is_(None), person_role.c.until >= day),
    )


async def _stand(
    connection: AsyncConnection, errand_id: str, name: str, fields: Mapping[str, Any], before: str, status: str
) -> None:
    if not await _first(connection, errand_id, name):
        return
    place, day, member = fields["community"], date.fromisoformat(fields["on"]), fields["person"]
    await _change(connection, "CWC", place, day, lambda seats: seating.standing(seats, member, before, status, day))


async def _seats(connection: AsyncConnection, body_id: UUID) -> list[Seat]:
    rows = await connection.execute(
        select(body_member)
        .where(body_member.c.body_id == body_id, body_member.c.person_id.is_not(None))
        .where(body_member.c.until.is_(None))
        .order_by(body_member.c.id)
    )
    return [
        Seat(
            key=str(row.id),
            person=str(row.person_id),
            post=row.post,
            category=row.category,
            since=row.since,
            until=row.until,
            status=row.status,
            org=row.org_code,
        )
        for row in rows
    ]


async def _body(connection: AsyncConnection, kind: str, place: str) -> _Found | None:
    row = (
        await connection.execute(
            select(body.c.id, body.c.tenant_id)
            .where(body.c.type == kind, body.c.region_code == place, body.c.active)
            .with_for_update()
        )
    ).first()
    return _Found(row.id, row.tenant_id) if row else None


async def _new_body(connection: AsyncConnection, kind: str, place: str) -> _Found:
    where = (await connection.execute(select(region.c.name, region.c.tenant_id).where(region.c.code == place))).one()
    written = await connection.execute(
        insert(body)
        .values(id=uuid7(), tenant_id=where.tenant_id, type=kind, region_code=place, name=where.name + NAMES[kind])
        .returning(body.c.id, body.c.tenant_id)
    )
    row = written.one()
    return _Found(row.id, row.tenant_id)


# --- people and certificates ------------------------------------------------------------------------------------


def _register_id(case: str, key: str) -> UUID:
    """Id of a candidate in the register: his own, or for one without an account always the same of this case."""
    return UUID(derived_id("person", case, key)) if key.startswith(REFERENCE) else UUID(key)


async def _person(connection: AsyncConnection, case: str, key: str, place: str, seal: Seal | None) -> UUID:
    found = _register_id(case, key)
    if key.startswith(REFERENCE):
        who = (
            await connection.execute(
                select(contact.c.name, contact.c.phone).where(contact.c.case_id == UUID(case), contact.c.ref == key)
            )
        ).one()
        name, phone = (one if one is None or seal is None else seal.open(one, key) for one in who)
        await connection.execute(
            upsert(person)
            .values(
                id=found,
                tenant_id=select(region.c.tenant_id).where(region.c.code == place).scalar_subquery(),
                display_name=name,
                phone=phone,
                home_community_code=place,
                source=SOURCE,
            )
            .on_conflict_do_nothing()
        )
    return found


async def _certify(
    connection: AsyncConnection,
    member: UUID,
    *,
    place: str,
    post: str,
    category: str | None,
    day: date,
    number: str,
    case: str,
    until: date | None,
) -> None:
    """Write a certificate; an earlier one of the same person here ends with it."""
    await _revoke(connection, [str(member)], place, day)
    await connection.execute(
        upsert(certificate)
        .values(
            id=uuid7(),
            tenant_id=select(person.c.tenant_id).where(person.c.id == member).scalar_subquery(),
            cert_no=number,
            person_id=member,
            community_code=place,
            post=post,
            category=category,
            issued_on=day,
            valid_until=until,
            case_id=UUID(case),
        )
        .on_conflict_do_nothing(index_elements=[certificate.c.cert_no])
    )


async def _revoke(connection: AsyncConnection, people: Iterable[str], place: str, day: date) -> None:
    await connection.execute(
        update(certificate)
        .where(
            certificate.c.person_id.in_([UUID(one) for one in people]),
            certificate.c.community_code == place,
            certificate.c.revoked_on.is_(None),
        )
        .values(revoked_on=func.greatest(day, certificate.c.issued_on))
    )


async def _first(connection: AsyncConnection, errand_id: str, name: str) -> bool:
    """Whether this errand is carried out for the first time; the transaction decides, not the moment."""
    await act_as(connection, SYSTEM)
    done = await connection.execute(
        upsert(deed).values(errand_id=errand_id, name=name).on_conflict_do_nothing().returning(deed.c.errand_id)
    )
    return done.first() is not None


DEEDS = {
    "complete_committee": complete_committee,
    "begin_committee": begin_committee,
    "unseat_member": unseat_member,
    "suspend_member": suspend_member,
    "resume_member": resume_member,
    "end_acting": end_acting,
    "act_as_chair": act_as_chair,
    "change_secretary": change_secretary,
}
SEALED_DEEDS = {"seat_member": seat_member}
"""Deeds that must read names that are kept encrypted."""
