"""Write and read people, their accounts, roles and seats; a trigger keeps the audit of every change.

Every function works in the caller's transaction. Call `act_as` first, so that the audit knows who it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ids import uuid7
from services.storage.message_tables import channel, delivery, feed
from services.storage.people_tables import (
    access_log,
    account,
    body,
    body_member,
    former_name,
    person,
    person_role,
    region,
)
from services.storage.view_tables import saved_view

ERASED = "（已删除）"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody's seat in a body on a day (成员); ids only."""

    person_id: UUID | None
    org_code: str | None
    post: str
    category: str | None
    since: date
    until: date | None
    status: str


@dataclass(frozen=True, slots=True)
class Access:
    """One reading of contact details (查阅记录)."""

    actor_id: str
    entity: str
    row_id: str
    fields_class: str
    purpose: str
    at: datetime


async def act_as(connection: AsyncConnection, actor_id: str) -> None:
    """Name who makes the changes of this transaction, for the audit."""
    await connection.execute(text("SELECT set_config('shangliang.actor', :actor, true)"), {"actor": actor_id})


async def add_person(
    connection: AsyncConnection,
    *,
    region_code: str,
    display_name: str,
    phone: str | None = None,
    home_community_code: str | None = None,
    source: str | None = None,
) -> UUID:
    """Write a new person into the tenant that the region belongs to, and give the id."""
    values = {
        "id": uuid7(),
        "tenant_id": select(region.c.tenant_id).where(region.c.code == region_code).scalar_subquery(),
        "display_name": display_name,
        "phone": phone,
        "home_community_code": home_community_code,
        "source": source,
    }
    written: UUID = (await connection.execute(insert(person).values(values).returning(person.c.id))).scalar_one()
    return written


async def add_account(connection: AsyncConnection, *, person_id: UUID, username: str, password_hash: str) -> UUID:
    """Give a person a sign-in; raises `IntegrityError` when the username is taken."""
    values = {
        "id": uuid7(),
        "tenant_id": _tenant_of(person_id),
        "person_id": person_id,
        "username": username,
        "password_hash": password_hash,
    }
    written: UUID = (await connection.execute(insert(account).values(values).returning(account.c.id))).scalar_one()
    return written


async def set_account_active(connection: AsyncConnection, username: str, active: bool) -> bool:
    """Open or close a sign-in; says whether there is such an account."""
    return await _change_account(connection, username, active=active)


async def set_password_hash(connection: AsyncConnection, username: str, password_hash: str) -> bool:
    """Replace a password and forget failed attempts; says whether there is such an account."""
    return await _change_account(
        connection, username, password_hash=password_hash, failed_attempts=0, locked_until=None
    )


async def give_role(
    connection: AsyncConnection,
    *,
    person_id: UUID,
    role: str,
    place: str,
    since: date,
    org_code: str | None = None,
    until: date | None = None,
    appointed_by: UUID | None = None,
) -> UUID:
    """Let a person hold a role over a place from a day on; `IntegrityError` when he holds it already."""
    values = {
        "id": uuid7(),
        "tenant_id": _tenant_of(person_id),
        "person_id": person_id,
        "role": role,
        "place": place,
        "org_code": org_code,
        "since": since,
        "until": until,
        "appointed_by": appointed_by,
    }
    query = insert(person_role).values(values).returning(person_role.c.id)
    written: UUID = (await connection.execute(query)).scalar_one()
    return written


async def end_role(connection: AsyncConnection, *, person_id: UUID, role: str, place: str, last_day: date) -> int:
    """End a role after its last day, keeping the row; gives how many were ended."""
    done = await connection.execute(
        update(person_role)
        .where(
            person_role.c.person_id == person_id,
            person_role.c.role == role,
            person_role.c.place == place,
            or_(person_role.c.until.is_(None), person_role.c.until > last_day),
        )
        .values(until=func.greatest(last_day, person_role.c.since))
    )
    return done.rowcount


async def erase_person(connection: AsyncConnection, person_id: UUID) -> bool:
    """Replace everything personal by a tombstone and close the accounts (data-model §7.5); the id stays."""
    done = await connection.execute(
        update(person)
        .where(person.c.id == person_id)
        .values(
            display_name=ERASED,
            phone=None,
            birth_year=None,
            gender=None,
            home_community_code=None,
            id_last4=None,
            id_hash=None,
            consent_at=None,
        )
    )
    # Also what he was called before, and by that change until now.
    theirs_before = and_(former_name.c.entity == "person", former_name.c.code == str(person_id))
    await connection.execute(delete(former_name).where(theirs_before))
    await connection.execute(
        update(account)
        .where(account.c.person_id == person_id)
        # The name that he signed in by may be his own name.
        .values(active=False, username=func.concat("erased-", account.c.id))
    )
    # Where he was told, and the link to his dates.
    theirs = select(channel.c.id).where(channel.c.person_id == person_id)
    await connection.execute(delete(delivery).where(delivery.c.channel_id.in_(theirs), delivery.c.state != "SENT"))
    await connection.execute(
        update(channel).where(channel.c.person_id == person_id).values(active=False, sealed_url="")
    )
    await connection.execute(delete(feed).where(feed.c.person_id == person_id))
    await connection.execute(delete(saved_view).where(saved_view.c.person_id == person_id))
    return done.rowcount == 1


async def roster(connection: AsyncConnection, body_type: str, region_code: str, on: date) -> Sequence[Member]:
    """Give who sat in a body on a day, the chair first; empty when there is no such body."""
    rows = await connection.execute(
        select(
            body_member.c.person_id,
            body_member.c.org_code,
            body_member.c.post,
            body_member.c.category,
            body_member.c.since,
            body_member.c.until,
            body_member.c.status,
        )
        .join(body, body.c.id == body_member.c.body_id)
        .where(body.c.type == body_type, body.c.region_code == region_code, body.c.active)
        .where(_holds(on))
        .order_by(
            func.array_position(["CHAIR", "VICE_CHAIR", "MEMBER", "DELEGATE"], body_member.c.post),
            body_member.c.id,
        )
    )
    return [Member(**row) for row in rows.mappings()]


async def log_access(
    connection: AsyncConnection, *, actor_id: str, entity: str, row_id: str, fields_class: str, purpose: str
) -> None:
    """Write down that somebody reads contact details; in the transaction that reads them."""
    await connection.execute(
        insert(access_log).values(
            actor_id=actor_id, entity=entity, row_id=row_id, fields_class=fields_class, purpose=purpose
        )
    )


async def accesses(connection: AsyncConnection, row_id: str) -> Sequence[Access]:
    """Give who has read the contact details of this row, oldest first."""
    columns = [access_log.c[name] for name in ("actor_id", "entity", "row_id", "fields_class", "purpose", "at")]
    rows = await connection.execute(select(*columns).where(access_log.c.row_id == row_id).order_by(access_log.c.seq))
    return [Access(**row) for row in rows.mappings()]


def _tenant_of(person_id: UUID) -> ColumnElement[UUID]:
    return select(person.c.tenant_id).where(person.c.id == person_id).scalar_subquery()


def _holds(on: date) -> ColumnElement[bool]:
    return and_(body_member.c.since <= on, or_(body_member.c.until.is_(None), body_member.c.until >= on))


async def _change_account(connection: AsyncConnection, username: str, **values: object) -> bool:
    done = await connection.execute(update(account).where(account.c.username == username).values(values))
    return done.rowcount == 1
