"""People and their accounts as administrators keep them; every look at a telephone number is written down."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.cursors import cursor, order_of
from services.storage.ids import uuid7
from services.storage.people import log_access
from services.storage.people_tables import account, person, person_role, region
from workflows.kernel.process import GuardFailed, VersionConflict

Row = dict[str, Any]
KIND = "people"
LARGEST_PAGE = 200
# Fits no password: the account opens by another provider, or once an administrator has given it one.
NO_PASSWORD = "!"


async def people_page(
    connection: AsyncConnection,
    places: Sequence[str],
    *,
    on: date,
    q: str | None = None,
    role: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[Row], str | None]:
    """Give people who live or hold a role within these places, by id; raises `CursorInvalid`."""
    limit = max(1, min(limit, LARGEST_PAGE))
    query = _shown().where(_within(places, on)).order_by(person.c.id).limit(limit + 1)
    if q is not None:
        named = exists().where(account.c.person_id == person.c.id, account.c.username == q)
        query = query.where(or_(person.c.display_name.contains(q, autoescape=True), named))
    if role is not None:
        query = query.where(_holds(person_role.c.role == role, on))
    if after is not None:
        (left_at,) = order_of(KIND, after, (UUID,))
        query = query.where(person.c.id > left_at)
    rows = [dict(row) for row in (await connection.execute(query)).mappings()]
    more = cursor(KIND, (rows[limit - 1]["id"],)) if len(rows) > limit else None
    return await _with_accounts(connection, rows[:limit]), more


async def person_row(connection: AsyncConnection, person_id: UUID) -> Row | None:
    """Give one person without contact details."""
    rows = [dict(row) for row in (await connection.execute(_shown().where(person.c.id == person_id))).mappings()]
    return (await _with_accounts(connection, rows))[0] if rows else None


async def by_username(connection: AsyncConnection) -> list[Row]:
    """Give everybody with an open account, once for each of them: id, username, name, home; no contact details."""
    columns = (person.c.id, account.c.username, person.c.display_name, person.c.home_community_code)
    query = select(*columns).join(account, account.c.person_id == person.c.id).where(account.c.active)
    return [dict(row) for row in (await connection.execute(query.order_by(account.c.id))).mappings()]


async def person_id_of(connection: AsyncConnection, name: str) -> UUID | None:
    """Give the id of somebody by username or by id."""
    found: UUID | None = await connection.scalar(select(account.c.person_id).where(account.c.username == name))
    if found is not None:
        return found
    try:
        given = UUID(name)
    except ValueError:
        return None
    known: UUID | None = await connection.scalar(select(person.c.id).where(person.c.id == given))
    return known


async def places_of(connection: AsyncConnection, person_id: UUID) -> list[str]:
    """Give the places of every role that somebody holds, or will hold; else of his home."""
    lasts = or_(person_role.c.until.is_(None), person_role.c.until >= func.current_date())
    query = select(person_role.c.place).where(person_role.c.person_id == person_id, lasts)
    held = list((await connection.scalars(query)).all())
    if held:
        return held
    home = await connection.scalar(select(person.c.home_community_code).where(person.c.id == person_id))
    return [home] if home else []


async def root_code(connection: AsyncConnection) -> str:
    """Give the code of the widest region of the deployment."""
    found = await connection.scalar(select(region.c.code).order_by(func.length(region.c.code)).limit(1))
    return str(found or "")


async def add_person_row(connection: AsyncConnection, values: Mapping[str, Any]) -> UUID:
    """Write a new person; the tenant is that of his home, else the deployment's."""
    home = values.get("home_community_code")
    if home is not None and not await connection.scalar(
        select(region.c.code).where(region.c.code == home, region.c.level == "COMMUNITY")
    ):
        raise GuardFailed("UNKNOWN_COMMUNITY", field="home_community_code", clause="data-model §2")
    tenant = select(region.c.tenant_id).limit(1).scalar_subquery()
    made = uuid7()
    await connection.execute(insert(person).values({**values, "id": made, "tenant_id": tenant}))
    return made


async def change_person(
    connection: AsyncConnection, person_id: UUID, values: Mapping[str, Any], version: int | None
) -> None:
    """Change what is kept of a person; raises `VersionConflict`."""
    now = await connection.scalar(select(person.c.version).where(person.c.id == person_id).with_for_update())
    if version is not None and now != version:
        raise VersionConflict("VERSION_CONFLICT", expected=version, actual=now)
    if values:
        await connection.execute(update(person).where(person.c.id == person_id).values(dict(values)))


async def add_account_row(
    connection: AsyncConnection, person_id: UUID, username: str, password_hash: str = NO_PASSWORD
) -> None:
    """Give somebody a sign-in."""
    tenant = select(person.c.tenant_id).where(person.c.id == person_id).scalar_subquery()
    values = {"id": uuid7(), "tenant_id": tenant, "person_id": person_id, "username": username}
    await connection.execute(insert(account).values({**values, "password_hash": password_hash}))


async def account_row(connection: AsyncConnection, username: str) -> Row | None:
    """Give an account: whose, and whether it is open."""
    columns = (account.c.id, account.c.person_id, account.c.username, account.c.active)
    row = (await connection.execute(select(*columns).where(account.c.username == username))).mappings().one_or_none()
    return dict(row) if row else None


async def phone_of(connection: AsyncConnection, person_id: UUID, *, actor: str, purpose: str) -> str | None:
    """Give a telephone number and write down, in the same transaction, who looked at it and why."""
    await log_access(
        connection, actor_id=actor, entity="person", row_id=str(person_id), fields_class="CONTACT", purpose=purpose
    )
    found: str | None = await connection.scalar(select(person.c.phone).where(person.c.id == person_id))
    return found


def _shown() -> Select[Any]:
    return select(
        person.c.id,
        person.c.display_name,
        person.c.home_community_code,
        person.c.phone.is_not(None).label("has_phone"),
        person.c.version,
    )


async def _with_accounts(connection: AsyncConnection, rows: list[Row]) -> list[Row]:
    ids = [row["id"] for row in rows]
    columns = (account.c.person_id, account.c.username, account.c.active)
    query = select(*columns).where(account.c.person_id.in_(ids)).order_by(account.c.id)
    accounts: dict[UUID, list[Row]] = {}
    for one in (await connection.execute(query)).mappings() if ids else ():
        accounts.setdefault(one["person_id"], []).append({"username": one["username"], "active": one["active"]})
    return [{**row, "accounts": accounts.get(row["id"], [])} for row in rows]


def _within(places: Sequence[str], on: date) -> ColumnElement[bool]:
    return or_(
        *(person.c.home_community_code.startswith(place, autoescape=True) for place in places),
        *(_holds(person_role.c.place.startswith(place, autoescape=True), on) for place in places),
    )


def _holds(which: ColumnElement[bool], on: date) -> ColumnElement[bool]:
    term = and_(person_role.c.since <= on, or_(person_role.c.until.is_(None), person_role.c.until >= on))
    return exists().where(person_role.c.person_id == person.c.id, which, term)
