"""What may hang where in the tree (P13, data-model §2): checks before master data is written, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.people_tables import account, body, community, organization, person, region, spatial_unit
from services.storage.tree_tables import building
from workflows.kernel.process import GuardFailed
from workflows.kernel.roles import Role

Row = dict[str, Any]
BELOW = {"COMMUNITY": "SUBDISTRICT", "SUBDISTRICT": "COUNTY", "COUNTY": "CITY", "CITY": "PROVINCE"}
"""Under which level each level hangs."""
# The two nets stand side by side: the grid, and unit - cluster - group (seed 000 §五).
HANGS_ON = {"BASE_UNIT": ("CLUSTER", "RESIDENT_GROUP"), "CLUSTER": ("RESIDENT_GROUP",)}
LIES_IN = {"grid_id": "GRID", "estate_id": "ESTATE", "base_unit_id": "BASE_UNIT"}
CLAUSE = "data-model §2"
NET = "processes P13"
LONGEST_ABSENCE_DAYS = 366


@dataclass(frozen=True, slots=True)
class Limits:
    """What the pack says of grids, each with its clause; households and workers of one, households of a group."""

    households: tuple[float, float]
    households_clause: str
    workers: tuple[float, float]
    workers_clause: str
    coverage: bool
    coverage_clause: str
    group: float
    group_clause: str

    @classmethod
    def of(cls, pack: Any) -> "Limits":
        """Read them from a pack."""
        return cls(
            households=pack.span("grid.households"),
            households_clause=pack.parameter("grid.households").source,
            workers=pack.span("grid.workers"),
            workers_clause=pack.parameter("grid.workers").source,
            coverage=pack.flag("grid.coverage"),
            coverage_clause=pack.parameter("grid.coverage").source,
            group=pack.number("group.households"),
            group_clause=pack.parameter("group.households").source,
        )


async def check(
    connection: AsyncConnection, kind: str, values: Mapping[str, Any], old: Row | None, limits: Limits
) -> Row:
    """Give the values ready to be written: names looked up, rules held; raises `GuardFailed` naming the field."""
    found = dict(values)
    if kind == "region":
        await _region(connection, found, old)
    elif kind in ("organization", "body"):
        await _in_region(connection, found)
    elif kind == "unit":
        await _unit(connection, found, old, limits)
    elif kind == "building":
        await _building(connection, found, old)
    elif kind == "member":
        await _member(connection, found, old)
    elif kind == "role":
        await _role(connection, found, old)
    elif kind == "substitution":
        await _substitution(connection, found, old)
    return found


async def _region(connection: AsyncConnection, values: Row, old: Row | None) -> None:
    if old is not None:
        if old["level"] != "COMMUNITY" and any(values.get(name) is not None for name in ("households", "population")):
            raise GuardFailed("ONLY_COMMUNITIES", field="households", clause=CLAUSE)
        return
    parent = values.get("parent_code")
    if parent is None and not await connection.scalar(select(func.count()).select_from(region)):
        return  # the widest region of a new deployment
    if parent is None:
        raise GuardFailed("PARENT_NEEDED", field="parent_code", clause=CLAUSE)
    level = await connection.scalar(select(region.c.level).where(region.c.code == parent))
    if level is None:
        raise GuardFailed("UNKNOWN_REGION", field="parent_code", clause=CLAUSE)
    if BELOW.get(values["level"]) != level:
        raise GuardFailed("WRONG_LEVEL_OF_REGION", field="level", clause=CLAUSE)
    if not values["code"].startswith(parent) or values["code"] == parent:
        raise GuardFailed("CODE_NOT_BELOW_PARENT", field="code", clause="glossary §3")


async def _in_region(connection: AsyncConnection, values: Row) -> None:
    if "region_code" in values:
        await _known(connection, region.c.code, values["region_code"], "region_code", "UNKNOWN_REGION")
    if (parent := values.pop("parent_code", None)) is not None:
        values["parent_id"] = await _known(connection, organization.c.id, parent, "parent_code", "UNKNOWN_ORGANIZATION")


async def _unit(connection: AsyncConnection, values: Row, old: Row | None, limits: Limits) -> None:
    kind = values.get("kind") or (old or {})["kind"]
    place = values.get("community_code") or (old or {})["community_code"]
    if old is None:
        await _community(connection, place)
        if not values["code"].startswith(place) or len(values["code"]) <= len(place):
            raise GuardFailed("CODE_NOT_BELOW_PARENT", field="code", clause="glossary §3")
        if kind == "GRID" and not (len(values["code"]) == len(place) + 3 and values["code"].isdecimal()):
            raise GuardFailed("GRID_CODE", field="code", clause="glossary §3")
    if "parent_code" in values:
        values["parent_id"] = await _parent(connection, kind, place, values.pop("parent_code"))
    if "responsible" in values:
        values["responsible_person_ids"] = await _people(connection, values.pop("responsible"), "responsible")
    if kind == "GRID":
        _grid_is_fit(values, old, limits)


def _grid_is_fit(values: Row, old: Row | None, limits: Limits) -> None:
    """200 to 400 households, 1 or 2 workers: SOFT, so a reason that is written down lets another size be."""
    if values.get("exception_reason") or (old is not None and old.get("exception_reason")):
        return
    households = values.get("households", (old or {}).get("households"))
    least, most = limits.households
    if households is not None and not least <= households <= most:
        raise _soft("GRID_SIZE", "households", limits.households_clause, limits.households)
    workers = values.get("responsible_person_ids")
    least, most = limits.workers
    if workers is not None and not least <= len(workers) <= most:
        raise _soft("GRID_WORKERS", "responsible", limits.workers_clause, limits.workers)


def _soft(reason: str, field: str, clause: str, span: tuple[float, float]) -> GuardFailed:
    return GuardFailed(reason, field=field, clause=clause, soft=True, least=int(span[0]), most=int(span[1]))


async def _parent(connection: AsyncConnection, kind: str, place: str, code: str | None) -> UUID | None:
    if code is None:
        return None
    found = await connection.execute(
        select(spatial_unit.c.id, spatial_unit.c.kind, spatial_unit.c.community_code).where(spatial_unit.c.code == code)
    )
    row = found.one_or_none()
    if row is None or row.community_code != place:
        raise GuardFailed("UNKNOWN_UNIT", field="parent_code", clause=NET)
    if row.kind not in HANGS_ON.get(kind, ()):
        raise GuardFailed("UNIT_HANGS_ELSEWHERE", field="parent_code", clause="000 §五")
    identity: UUID = row.id
    return identity


async def _building(connection: AsyncConnection, values: Row, old: Row | None) -> None:
    place = values.get("community_code") or (old or {})["community_code"]
    if old is None:
        await _community(connection, place)
    for column, kind in LIES_IN.items():
        name = column.removesuffix("_id") + "_code"
        if name not in values:
            continue
        code = values.pop(name)
        values[column] = None
        if code is None:
            continue
        unit = select(spatial_unit.c.id).where(
            spatial_unit.c.code == code, spatial_unit.c.kind == kind, spatial_unit.c.community_code == place
        )
        values[column] = await connection.scalar(unit)
        if values[column] is None:
            raise GuardFailed("UNKNOWN_UNIT", field=name, clause=NET)


async def _member(connection: AsyncConnection, values: Row, old: Row | None) -> None:
    if old is None:
        await _known(connection, body.c.id, values["body_id"], "body_id", "UNKNOWN_BODY")
    if (somebody := values.pop("person", None)) is not None:
        [values["person_id"]] = await _people(connection, [somebody], "person")
    if values.get("org_code") is not None:
        await _known(connection, organization.c.code, values["org_code"], "org_code", "UNKNOWN_ORGANIZATION")
    if old is None and values.get("person_id") is None and values.get("org_code") is None:
        raise GuardFailed("SOMEBODY_NEEDED", field="person", clause=CLAUSE)
    _term(values, old)


async def _role(connection: AsyncConnection, values: Row, old: Row | None) -> None:
    if old is None:
        [values["person_id"]] = await _people(connection, [values.pop("person")], "person")
        place = values["place"]
        known = await connection.scalar(
            select(func.count()).select_from(
                select(region.c.code)
                .where(region.c.code == place)
                .union_all(select(spatial_unit.c.code).where(spatial_unit.c.code == place))
                .subquery()
            )
        )
        if not known:
            raise GuardFailed("UNKNOWN_REGION", field="place", clause=CLAUSE)
        if values.get("org_code") is not None:
            await _known(connection, organization.c.code, values["org_code"], "org_code", "UNKNOWN_ORGANIZATION")
        if values["role"] in (Role.UNIT_LIAISON, Role.DEPARTMENT_OFFICER) and values.get("org_code") is None:
            raise GuardFailed("ORGANIZATION_NEEDED", field="org_code", clause="glossary §2")
    _term(values, old)


async def _substitution(connection: AsyncConnection, values: Row, old: Row | None) -> None:
    if old is None:
        for name in ("absent", "substitute"):
            [values[f"{name}_person_id"]] = await _people(connection, [values.pop(name)], name)
        if values["absent_person_id"] == values["substitute_person_id"]:
            raise GuardFailed("TWO_PEOPLE_NEEDED", field="substitute", clause="processes §0.1")
        if (values["until"] - values["since"]).days > LONGEST_ABSENCE_DAYS:
            raise GuardFailed("ABSENCE_TOO_LONG", field="until", clause="processes §0.1", days=LONGEST_ABSENCE_DAYS)
    _term(values, old)


def _term(values: Row, old: Row | None) -> None:
    since: date | None = values.get("since") or (old or {}).get("since")
    until: date | None = values.get("until")
    if since is not None and until is not None and until < since:
        raise GuardFailed("TERM_BACKWARDS", field="until", clause=CLAUSE)


async def _community(connection: AsyncConnection, code: str) -> None:
    level = await connection.scalar(select(region.c.level).where(region.c.code == code))
    if level != "COMMUNITY":
        raise GuardFailed("UNKNOWN_COMMUNITY", field="community_code", clause=CLAUSE)


async def _known(connection: AsyncConnection, column: Any, value: Any, field: str, reason: str) -> Any:
    wanted = column.table.c.code if column is organization.c.id else column
    found = await connection.scalar(select(column).where(wanted == value))
    if found is None:
        raise GuardFailed(reason, field=field, clause=CLAUSE)
    return found


async def _people(connection: AsyncConnection, names: Sequence[str], field: str) -> list[UUID]:
    """The ids of people by username, or by id for somebody without an account."""
    found: list[UUID] = []
    for name in names:
        identity = await connection.scalar(select(account.c.person_id).where(account.c.username == name))
        if identity is None and (given := _uuid(name)) is not None:
            identity = await connection.scalar(select(person.c.id).where(person.c.id == given))
        if identity is None:
            raise GuardFailed("UNKNOWN_PERSON", field=field, clause=CLAUSE)
        found.append(identity)
    return found


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


# --- the net of a community (P13) ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the check of a community's net found: which rule, on what, how much, and its clause."""

    code: str
    on: str
    value: float | None
    clause: str
    strength: str


async def grid_findings(connection: AsyncConnection, place: str, limits: Limits) -> list[Finding]:
    """Check the grids, groups and buildings of a community: size, workers, coverage, one grid for each building."""
    units, buildings = [
        [dict(row) for row in (await connection.execute(query.order_by("name"))).mappings()]
        for query in (select(table).where(table.c.community_code == place) for table in (spatial_unit, building))
    ]
    households = await connection.scalar(select(community.c.households).where(community.c.region_code == place))
    grids = [unit for unit in units if unit["kind"] == "GRID"]
    found = [one for grid in grids for one in _of_grid(grid, limits)]
    found += [
        Finding("GROUP_SIZE", unit["code"], unit["households"], limits.group_clause, "INFO")
        for unit in units
        if unit["kind"] == "RESIDENT_GROUP" and unit["households"] is not None and unit["households"] > limits.group
    ]
    found += [
        Finding("RESPONSIBLE_MISSING", unit["code"], 0, NET, "HARD")
        for unit in units
        if unit["kind"] != "GRID" and not unit["responsible_person_ids"]
    ]
    if limits.coverage:
        found += [
            Finding("BUILDING_WITHOUT_GRID", one["name"], None, limits.coverage_clause, "HARD")
            for one in buildings
            if one["grid_id"] is None
        ]
        covered = sum(grid["households"] or 0 for grid in grids)
        if households is not None and covered != households:
            found.append(Finding("HOUSEHOLDS_NOT_COVERED", place, households - covered, limits.coverage_clause, "HARD"))
    return found


def _of_grid(grid: Mapping[str, Any], limits: Limits) -> list[Finding]:
    found = []
    strength = "EXCEPTED" if grid["exception_reason"] else "SOFT"
    households, workers = grid["households"], len(grid["responsible_person_ids"])
    if households is None or not limits.households[0] <= households <= limits.households[1]:
        found.append(Finding("GRID_SIZE", grid["code"], households, limits.households_clause, strength))
    if not workers:
        found.append(Finding("RESPONSIBLE_MISSING", grid["code"], 0, NET, "HARD"))
    elif not limits.workers[0] <= workers <= limits.workers[1]:
        found.append(Finding("GRID_WORKERS", grid["code"], workers, limits.workers_clause, strength))
    return found
