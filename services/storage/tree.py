"""The tree and what hangs on it: regions, organisations, spatial units, buildings, bodies and their members.

Master data is ordinary writing with an audit row by trigger (architecture, rule 1). Every write names who makes it,
answers with the row as it then is, and refuses what would break the tree with a reason for people.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, delete, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.cursors import cursor, order_of
from services.storage.ids import uuid7
from services.storage.people import act_as
from services.storage.people_records import person_id_of, places_of, root_code
from services.storage.people_tables import (
    body,
    body_member,
    community,
    organization,
    person,
    person_role,
    region,
    spatial_unit,
)
from services.storage.people_tables import tenant as tenants
from services.storage.tree_rules import Limits, check
from services.storage.tree_tables import building, substitution
from workflows.kernel.process import GuardFailed, VersionConflict

Row = dict[str, Any]
Broken = IntegrityError
"""What a write raises that breaks the tree; `refusal_of` says it for people."""
LARGEST_PAGE = 200
# What PostgreSQL calls it, and what we answer.
REASONS = {"23505": "TAKEN", "23503": "IN_USE", "23514": "UNLAWFUL_VALUE", "23502": "UNLAWFUL_VALUE"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of master data: its table, what names a row, where it lies, and what of it is shown."""

    name: str
    table: Table
    key: str
    place: str
    hidden: frozenset[str] = frozenset({"tenant_id", "created_at"})


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("region", region, "code", "code"),
        Kind("organization", organization, "code", "region_code", frozenset({"tenant_id", "created_at", "id"})),
        Kind("unit", spatial_unit, "code", "community_code", frozenset({"tenant_id", "created_at"})),
        Kind("building", building, "id", "community_code"),
        Kind("body", body, "id", "region_code"),
        Kind("member", body_member, "id", "body_id"),
        Kind("role", person_role, "id", "place"),
        Kind("substitution", substitution, "id", "substitute_person_id"),
    )
}
ABOUT = ("households", "population", "estate_kind", "self_governance_mode")
"""What is known of a community beyond its region."""


class Tree:
    """The master data of the deployment; `limits` are what the policy pack says of grids (P13)."""

    def __init__(self, engine: AsyncEngine, limits: Limits) -> None:
        self._engine = engine
        self.limits = limits

    @asynccontextmanager
    async def changing(self, actor: str) -> AsyncIterator[AsyncConnection]:
        """Write in one transaction, in the name of somebody; what the database refuses is a reason for people."""
        try:
            async with self._engine.begin() as connection:
                await act_as(connection, actor)
                yield connection
        except IntegrityError as error:
            raise refusal_of(error) from None

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[AsyncConnection]:
        """Read."""
        async with self._engine.connect() as connection:
            yield connection

    async def person_id(self, name: str) -> UUID | None:
        """Give the id of somebody by username or by id."""
        async with self.looking() as connection:
            return await person_id_of(connection, name)

    async def keeps(self, places: tuple[str, ...], person_id: str) -> bool:
        """Say whether who keeps these places keeps this person: all that he does, or else his home, lies in them.

        So nobody is in the hands of an administrator whom he outreaches; who does nothing and lives nowhere is in the
        hands of the administrator of the whole.
        """
        async with self.looking() as connection:
            his = await places_of(connection, UUID(person_id)) or [await root_code(connection)]
        return all(place.startswith(places) for place in his)

    async def one(self, kind: str, key: str) -> Row | None:
        """Give one row; None when there is none."""
        async with self.looking() as connection:
            return await one(connection, KINDS[kind], key)

    async def page(
        self, kind: str, filters: Mapping[str, Any], *, after: str | None, limit: int
    ) -> tuple[Sequence[Row], str | None]:
        """Give part of a list in the order of its keys; raises `CursorInvalid` for a foreign cursor."""
        async with self.looking() as connection:
            return await page(connection, KINDS[kind], filters, after=after, limit=limit)

    async def add(self, kind: str, values: Row, actor: str) -> Row:
        """Write a new row; raises `GuardFailed` with the field that is wrong."""
        async with self.changing(actor) as connection:
            return await add(connection, KINDS[kind], values, self.limits)

    async def change(self, kind: str, key: str, values: Row, actor: str, version: int | None = None) -> Row | None:
        """Change some columns; None when there is no such row. Raises `GuardFailed` or `VersionConflict`."""
        async with self.changing(actor) as connection:
            return await change(connection, KINDS[kind], key, values, self.limits, version)

    async def remove(self, kind: str, key: str, actor: str) -> bool:
        """Take a row away that nothing hangs on; says whether there was one. Raises `GuardFailed` (IN_USE)."""
        async with self.changing(actor) as connection:
            if kind == "region":
                await connection.execute(delete(community).where(community.c.region_code == key))
            found = KINDS[kind]
            done = await connection.execute(delete(found.table).where(_is(found, key)))
            return done.rowcount == 1


async def one(connection: AsyncConnection, kind: Kind, key: str) -> Row | None:
    """Give one row as it is shown."""
    if _key(kind, key) is None:
        return None
    rows = (await connection.execute(_shown(kind).where(_is(kind, key)))).mappings().all()
    return (await _named(connection, kind, rows))[0] if rows else None


async def page(
    connection: AsyncConnection, kind: Kind, filters: Mapping[str, Any], *, after: str | None, limit: int
) -> tuple[Sequence[Row], str | None]:
    """Give part of a list: `within` narrows to a place and all below it, `q` to names that hold it."""
    limit = max(1, min(limit, LARGEST_PAGE))
    order = kind.table.c[kind.key]
    query = _shown(kind).where(*_narrowed(kind, filters)).order_by(order).limit(limit + 1)
    if after is not None:
        (left_at,) = order_of(kind.name, after, (str,))
        query = query.where(order > _key(kind, left_at))
    rows = (await connection.execute(query)).mappings().all()
    last = str(rows[limit - 1][kind.key]) if len(rows) > limit else None
    return await _named(connection, kind, rows[:limit]), cursor(kind.name, (last,)) if last else None


async def every(connection: AsyncConnection, kind: Kind) -> list[Row]:
    """Give all rows of a kind, for whoever takes the whole tree."""
    rows = (await connection.execute(_shown(kind).order_by(kind.table.c[kind.key]))).mappings().all()
    return await _named(connection, kind, rows)


async def add(connection: AsyncConnection, kind: Kind, values: Row, limits: Limits) -> Row:
    """Write a new row and give it as it is shown."""
    values = await check(connection, kind.name, values, None, limits)
    place = await _place(connection, kind, values)
    tenant = select(region.c.tenant_id).where(_above(region.c.code, place)).limit(1).scalar_subquery()
    about = {name: values.pop(name) for name in ABOUT if kind.name == "region" and name in values}
    full = {"id": uuid7(), **values} if "id" in kind.table.c else dict(values)
    if kind.name == "region" and values["parent_code"] is None:
        # The first region of a deployment brings its tenant with it.
        await connection.execute(insert(tenants).values({"id": uuid7(), "name": values["name"]}))
        tenant = select(tenants.c.id).limit(1).scalar_subquery()
    await connection.execute(insert(kind.table).values({**full, "tenant_id": tenant}))
    if kind.name == "region" and values["level"] == "COMMUNITY":
        await connection.execute(insert(community).values({"region_code": full["code"], **about, "tenant_id": tenant}))
    found = await one(connection, kind, str(full[kind.key]))
    assert found is not None, "it was written just now"
    return found


async def change(
    connection: AsyncConnection, kind: Kind, key: str, values: Row, limits: Limits, version: int | None = None
) -> Row | None:
    """Change some columns and give the row as it then is."""
    old = await one(connection, kind, key)
    if old is None:
        return None
    if version is not None and old["version"] != version:
        raise VersionConflict("VERSION_CONFLICT", expected=version, actual=old["version"])
    values = await check(connection, kind.name, values, old, limits)
    about = {name: values.pop(name) for name in ABOUT if kind.name == "region" and name in values}
    if values:
        await connection.execute(update(kind.table).where(_is(kind, key)).values(values))
    if about:
        await connection.execute(update(community).where(community.c.region_code == key).values(about))
    return await one(connection, kind, key)


def refusal_of(error: IntegrityError) -> GuardFailed:
    """Say for people what the database says for programs."""
    cause = error.orig.__cause__ if error.orig is not None else None
    reason = REASONS.get(str(getattr(cause, "sqlstate", "")), "UNLAWFUL_VALUE")
    return GuardFailed(reason, clause="data-model §2", constraint=getattr(cause, "constraint_name", "") or "")


def _shown(kind: Kind) -> Select[Any]:
    columns = [column for column in kind.table.c if column.name not in kind.hidden]
    if kind.name != "region":
        return select(*columns)
    about = [community.c[name] for name in ABOUT]
    return select(*columns, *about).join_from(region, community, community.c.region_code == region.c.code, isouter=True)


async def _named(connection: AsyncConnection, kind: Kind, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Put names beside the ids of people, and codes in the place of the ids of units."""
    shown = [dict(row) for row in rows]
    people = {row.get(name) for row in shown for name in ("person_id", "absent_person_id", "substitute_person_id")}
    people |= {one for row in shown for one in row.get("responsible_person_ids") or ()}
    names: dict[Any, str] = {}
    if wanted := sorted(one for one in people if one):
        found = await connection.execute(select(person.c.id, person.c.display_name).where(person.c.id.in_(wanted)))
        names = {row.id: row.display_name for row in found}
    units = {row.get(name) for row in shown for name in ("parent_id", "grid_id", "estate_id", "base_unit_id")}
    codes: dict[Any, str] = {}
    if wanted := sorted(one for one in units if one):
        cells = await connection.execute(
            select(spatial_unit.c.id, spatial_unit.c.code).where(spatial_unit.c.id.in_(wanted))
        )
        codes = {row.id: row.code for row in cells}
    for row in shown:
        if "responsible_person_ids" in row:
            ids = row.pop("responsible_person_ids")
            row["responsible"] = [{"id": str(one), "name": names.get(one, "")} for one in ids]
        for name in ("person_id", "absent_person_id", "substitute_person_id"):
            if name in row:
                row[name.removesuffix("_person_id").removesuffix("_id") + "_name"] = names.get(row[name])
        if kind.name in ("unit", "building"):
            for name in ("parent_id", "grid_id", "estate_id", "base_unit_id"):
                if name in row:
                    row[name.removesuffix("_id") + "_code"] = codes.get(row.pop(name))
    return shown


def _narrowed(kind: Kind, filters: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name, value in filters.items():
        if value is None:
            continue
        if name == "within":
            found.append(kind.table.c[kind.place].startswith(value, autoescape=True))
        elif name == "q":
            found.append(kind.table.c.name.contains(value, autoescape=True))
        elif name == "on":
            columns = kind.table.c
            found.append(and_(columns.since <= value, (columns.until.is_(None)) | (columns.until >= value)))
        else:
            found.append(kind.table.c[name] == value)
    return found


async def _place(connection: AsyncConnection, kind: Kind, values: Row) -> str:
    """The region in whose tenant a new row lies."""
    if kind.name == "member":
        code = select(body.c.region_code).where(body.c.id == values["body_id"])
        return str(await connection.scalar(code))
    if kind.name == "substitution":
        tenant = select(person.c.tenant_id).where(person.c.id == values["substitute_person_id"]).scalar_subquery()
        return str(await connection.scalar(select(region.c.code).where(region.c.tenant_id == tenant).limit(1)))
    return str(values["parent_code"] or "" if kind.name == "region" else values[kind.place])


def _above(code: ColumnElement[str], place: str) -> ColumnElement[bool]:
    return literal(place).startswith(code)


def _is(kind: Kind, key: str) -> ColumnElement[bool]:
    same: ColumnElement[bool] = kind.table.c[kind.key] == _key(kind, key)
    return same


def _key(kind: Kind, key: str) -> Any:
    if kind.key != "id":
        return key
    try:
        return UUID(key)
    except ValueError:
        return None
