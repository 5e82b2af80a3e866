"""What the rounds of a month have seen (征集): coverage by grid and building, and the lists that were published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, any_, cast, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from services.storage.ledger_tables import case_file
from services.storage.people_tables import organization, region, spatial_unit
from services.storage.prose import said, texts_of
from services.storage.sight import sight, within
from services.storage.tree_tables import building
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor

MONTH_LETTERS = len("2026-11")


@dataclass(frozen=True, slots=True)
class Covered:
    """A grid or building and what was asked there in a month (征集覆盖).

    `standing` is `NOT_ASKED` (nobody was there), `REFUSED` (everybody refused), `NO_PROBLEM` (asked, nothing wished)
    or `WISHES`. Visits that name no place are on the community's own line, kind `COMMUNITY`.
    """

    kind: str
    code: str
    name: str
    grid: str | None
    households: int | None
    household_visits: int
    unit_visits: int
    other_visits: int
    refused: int
    wishes: int
    standing: str


@dataclass(frozen=True, slots=True)
class Version:
    """A published problem list (问题清单版本): which round made it, when."""

    version: int
    round_id: UUID
    round_number: str
    published_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a published list: as it stood then, with the title as it reads today."""

    case_id: str
    number: str
    title: str
    category_code: str | None
    mode: str | None
    difficulty: str | None
    level: str
    lead_org: str | None
    lead_org_name: str | None
    state: str
    phase: str


async def coverage(
    connection: AsyncConnection, community: str, month: str, *, actor: Actor | None = None
) -> tuple[Covered, ...]:
    """Every grid and building of a community in a month, asked or not, in order of their codes."""
    visits = [
        visit
        for row in await connection.execute(select(case_file.c.data["visits"]).where(*_rounds(community, month, actor)))
        for visit in (row[0] or {}).values()
    ]
    grids = (
        await connection.execute(
            select(spatial_unit.c.id, spatial_unit.c.code, spatial_unit.c.name, spatial_unit.c.households)
            .where(spatial_unit.c.community_code == community, spatial_unit.c.kind == "GRID")
            .order_by(spatial_unit.c.code)
        )
    ).all()
    buildings = (
        await connection.execute(
            select(building.c.id, building.c.name, building.c.households, building.c.grid_id)
            .where(building.c.community_code == community)
            .order_by(building.c.name)
        )
    ).all()
    code_of = {grid.id: grid.code for grid in grids}
    inside = {str(one.id): code_of.get(one.grid_id) for one in buildings}
    lines = [
        _covered("GRID", grid.code, grid.name, None, grid.households, _at(visits, {grid.code}, inside))
        for grid in grids
    ]
    lines += [
        _covered(
            "BUILDING", str(one.id), one.name, code_of.get(one.grid_id), one.households, _at(visits, {str(one.id)})
        )
        for one in buildings
    ]
    nowhere = [visit for visit in visits if visit.get("place") is None]
    return (*lines, _covered("COMMUNITY", community, "", None, None, nowhere))


def _at(
    visits: Iterable[Mapping[str, Any]], codes: set[str], inside: Mapping[str, str | None] | None = None
) -> list[Mapping[str, Any]]:
    """Visits to one of these places, or to a building inside of one."""
    return [
        visit
        for visit in visits
        if visit.get("place") in codes or (inside or {}).get(str(visit.get("place")), None) in codes
    ]


def _covered(
    kind: str, code: str, name: str, grid: str | None, households: int | None, visits: list[Mapping[str, Any]]
) -> Covered:
    refused = sum(bool(visit.get("refused")) for visit in visits)
    wishes = sum(len(visit.get("wishes", ())) for visit in visits)
    if not visits:
        standing = "NOT_ASKED"
    elif wishes:
        standing = "WISHES"
    else:
        standing = "REFUSED" if refused == len(visits) else "NO_PROBLEM"
    paid = {one: sum(visit["kind"] == one for visit in visits) for one in ("HOUSEHOLD", "UNIT", "OTHER")}
    return Covered(
        kind, code, name, grid, households, paid["HOUSEHOLD"], paid["UNIT"], paid["OTHER"], refused, wishes, standing
    )


async def versions(
    connection: AsyncConnection, community: str, month: str, *, actor: Actor | None = None
) -> tuple[Version, ...]:
    """The problem lists that were published for a community and month, the first one first."""
    data = case_file.c.data
    rows = await connection.execute(
        select(
            data["list_version"].as_integer().label("version"),
            case_file.c.id,
            case_file.c.number,
            data["published_at"].astext.label("published_at"),
            func.coalesce(func.jsonb_array_length(data["entries"]), 0).label("lines"),
        )
        .where(*_rounds(community, month, actor), data.has_key("list_version"))
        .order_by(data["list_version"].as_integer())
    )
    return tuple(
        Version(row.version, row.id, row.number, datetime.fromisoformat(row.published_at).astimezone(CHINA), row.lines)
        for row in rows
    )


async def published(
    connection: AsyncConnection, community: str, month: str, version: int, *, actor: Actor | None = None
) -> tuple[Listed, ...] | None:
    """The lines of a published list as it stood then; None when there is no such version."""
    data = case_file.c.data
    found = await connection.scalar(
        select(func.coalesce(data["entries"], literal_column("'[]'::jsonb"))).where(
            *_rounds(community, month, actor), data["list_version"].as_integer() == version
        )
    )
    if found is None:
        return None
    ids = [UUID(one["issue"]) for one in found]
    orgs = sorted({one["lead_org"] for one in found if one.get("lead_org")})
    titles = {
        str(row.id): row.title
        for row in await connection.execute(
            select(case_file.c.id, case_file.c.title).where(case_file.c.id == any_(cast(ids, ARRAY(Uuid))))
        )
    }
    named = await connection.execute(
        select(organization.c.code, organization.c.name)
        .where(organization.c.code.in_(orgs))
        .union_all(select(region.c.code, region.c.name).where(region.c.code.in_(orgs)))
    )
    names = {row.code: row.name for row in named}
    texts = await texts_of(connection, ids, list(titles.values()))
    return tuple(_listed(one, titles, names, texts) for one in found)


def _listed(
    entry: Mapping[str, Any], titles: Mapping[str, str], names: Mapping[str, str | None], texts: Mapping[str, Any]
) -> Listed:
    state, _, phase = str(entry.get("state", "")).partition(":")
    return Listed(
        case_id=entry["issue"],
        number=entry["number"],
        title=said(titles.get(entry["issue"]), texts),
        category_code=entry.get("category_code"),
        mode=entry.get("mode"),
        difficulty=entry.get("difficulty"),
        level=entry.get("level", ""),
        lead_org=entry.get("lead_org"),
        lead_org_name=names.get(entry.get("lead_org") or ""),
        state=state,
        phase=phase,
    )


def _rounds(community: str, month: str, actor: Actor | None) -> tuple[ColumnElement[bool], ...]:
    """The rounds of a month, of however many scaled ones it consists."""
    return (
        case_file.c.process == "round",
        within(case_file, community),
        func.left(case_file.c.data["month"].astext, MONTH_LETTERS) == month,
        sight(actor) if actor is not None else true(),
    )
