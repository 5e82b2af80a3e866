"""The tree over HTTP: regions, organisations, spatial units, buildings, bodies and their members, roles, substitutes.

Everybody who has signed in may read it (rosters and the responsible people of a net are published by a clause:
seed 001 §三3, 002 §三8); roles and substitutes only administrators. Who keeps a place writes what lies in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from services.api.deps import ActorDep
from services.api.errors import NotFound
from services.api.limits import TimedRoute
from services.api.master import (
    Body,
    CommunityCode,
    Count,
    Cursor,
    Limit,
    Match,
    Name,
    OrgCode,
    Reason,
    RegionCode,
    Someone,
    answer,
    foreign_cursor,
    kept_places,
    listed,
    require_keeper,
    version_of,
)
from services.identity.actors import PERSONAL
from services.storage.cursors import CursorInvalid
from services.storage.people_tables import (
    BODY_MEMBER_STATES,
    BODY_POSTS,
    BODY_TYPES,
    ESTATE_KINDS,
    MEMBER_CATEGORIES,
    ORGANIZATION_LEVELS,
    ORGANIZATION_TYPES,
    REGION_LEVELS,
    SELF_GOVERNANCE_MODES,
    SPATIAL_KINDS,
)
from services.storage.tree import Tree
from services.storage.tree_rules import grid_findings
from workflows.kernel.process import Actor, Forbidden, GuardFailed
from workflows.kernel.roles import Role

Key = Annotated[str, Path(max_length=64)]
GIVEN_ROLES = tuple(role.value for role in Role if role is not Role.SYSTEM)
LENT_ROLES = tuple(role.value for role in Role if role not in PERSONAL)


class NewRegion(Body):
    """A region; what is known of a community is given with it."""

    code: RegionCode
    name: Name
    level: Literal[REGION_LEVELS]  # type: ignore[valid-type]  # the database's own list
    parent_code: RegionCode
    households: Count | None = None
    population: Count | None = None
    estate_kind: Literal[ESTATE_KINDS] | None = None  # type: ignore[valid-type]  # as above
    self_governance_mode: Literal[SELF_GOVERNANCE_MODES] = "NONE"  # type: ignore[valid-type]  # as above


class RegionChange(Body):
    """What may change of a region."""

    name: Name | None = None
    households: Count | None = None
    population: Count | None = None
    estate_kind: Literal[ESTATE_KINDS] | None = None  # type: ignore[valid-type]  # as above
    self_governance_mode: Literal[SELF_GOVERNANCE_MODES] | None = None  # type: ignore[valid-type]  # as above


class NewOrganization(Body):
    """An organisation."""

    code: OrgCode
    name: Name
    org_type: Literal[ORGANIZATION_TYPES]  # type: ignore[valid-type]  # as above
    level: Literal[ORGANIZATION_LEVELS]  # type: ignore[valid-type]  # as above
    region_code: RegionCode
    parent_code: OrgCode | None = None
    credit_code: Annotated[str, Field(max_length=32)] | None = None
    is_resident_unit: bool = False


class OrganizationChange(Body):
    """What may change of an organisation."""

    name: Name | None = None
    org_type: Literal[ORGANIZATION_TYPES] | None = None  # type: ignore[valid-type]  # as above
    credit_code: Annotated[str, Field(max_length=32)] | None = None
    is_resident_unit: bool | None = None


class NewUnit(Body):
    """A grid, or a cell of the inner net."""

    community_code: CommunityCode
    kind: Literal[SPATIAL_KINDS]  # type: ignore[valid-type]  # as above
    code: Annotated[str, Field(pattern=r"^[0-9]{12}[0-9A-Z]{1,3}$")]
    name: Name
    parent_code: Annotated[str, Field(max_length=15)] | None = None
    households: Count | None = None
    geometry: dict[str, Any] | None = None
    responsible: Annotated[list[Someone], Field(max_length=20)] = Field(default_factory=list)
    exception_reason: Reason | None = None


class UnitChange(Body):
    """What may change of a grid or cell."""

    name: Name | None = None
    parent_code: Annotated[str, Field(max_length=15)] | None = None
    households: Count | None = None
    geometry: dict[str, Any] | None = None
    responsible: Annotated[list[Someone], Field(max_length=20)] | None = None
    exception_reason: Reason | None = None


class NewBuilding(Body):
    """A building and the cells it lies in."""

    community_code: CommunityCode
    name: Name
    floors: Annotated[int, Field(ge=1, le=200)] | None = None
    units: Annotated[int, Field(ge=1, le=100)] | None = None
    households: Count | None = None
    grid_code: Annotated[str, Field(max_length=15)] | None = None
    estate_code: Annotated[str, Field(max_length=15)] | None = None
    base_unit_code: Annotated[str, Field(max_length=15)] | None = None


class BuildingChange(Body):
    """What may change of a building."""

    name: Name | None = None
    floors: Annotated[int, Field(ge=1, le=200)] | None = None
    units: Annotated[int, Field(ge=1, le=100)] | None = None
    households: Count | None = None
    grid_code: Annotated[str, Field(max_length=15)] | None = None
    estate_code: Annotated[str, Field(max_length=15)] | None = None
    base_unit_code: Annotated[str, Field(max_length=15)] | None = None


class NewBody(Body):
    """A body that meets."""

    type: Literal[BODY_TYPES]  # type: ignore[valid-type]  # as above
    region_code: RegionCode
    name: Name


class BodyChange(Body):
    """What may change of a body."""

    name: Name | None = None
    active: bool | None = None


class NewMember(Body):
    """Somebody's seat: a person, or an organisation that sends one."""

    person: Someone | None = None
    org_code: OrgCode | None = None
    post: Literal[BODY_POSTS] = "MEMBER"  # type: ignore[valid-type]  # as above
    category: Literal[MEMBER_CATEGORIES] | None = None  # type: ignore[valid-type]  # as above
    since: date
    until: date | None = None


class MemberChange(Body):
    """What may change of a seat; it is ended, not deleted."""

    post: Literal[BODY_POSTS] | None = None  # type: ignore[valid-type]  # as above
    category: Literal[MEMBER_CATEGORIES] | None = None  # type: ignore[valid-type]  # as above
    until: date | None = None
    status: Literal[BODY_MEMBER_STATES] | None = None  # type: ignore[valid-type]  # as above


class NewRole(Body):
    """A role for somebody, somewhere, for a time."""

    person: Someone
    role: Literal[GIVEN_ROLES]  # type: ignore[valid-type]  # as above
    place: Annotated[str, Field(pattern=r"^[0-9]{2,15}$")]
    org_code: OrgCode | None = None
    since: date
    until: date | None = None


class RoleChange(Body):
    """The last day of a role; null for no end."""

    until: date | None


class NewSubstitution(Body):
    """Who stands in for whom, in which roles (none named: all that may be lent), how long."""

    absent: Someone
    substitute: Someone
    roles: Annotated[list[Literal[LENT_ROLES]], Field(max_length=20)] = Field(default_factory=list)  # type: ignore[valid-type]  # as above
    since: date
    until: date
    reason: Reason | None = None


class SubstitutionChange(Body):
    """The last day."""

    until: date


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of master data under one address."""

    path: str
    kind: str
    zh: str
    en: str
    new: type[Body]
    change: type[Body]
    place: str
    """The field by whose place the right to write is asked."""
    filters: tuple[str, ...] = ()


RESOURCES = (
    Resource("regions", "region", "区划", "regions", NewRegion, RegionChange, "code", ("parent_code", "level")),
    Resource("organizations", "organization", "组织", "organisations", NewOrganization, OrganizationChange,
             "region_code", ("org_type", "level")),
    Resource("spatial-units", "unit", "网格与单元", "spatial units", NewUnit, UnitChange, "community_code", ("kind",)),
    Resource("buildings", "building", "楼栋", "buildings", NewBuilding, BuildingChange, "community_code"),
    Resource("bodies", "body", "会议主体", "bodies", NewBody, BodyChange, "region_code", ("type", "active")),
)  # fmt: skip


def tree_router(tree: Tree) -> APIRouter:
    """Give the routes of master data."""
    router = APIRouter(route_class=TimedRoute, tags=["tree"])
    _add_grid_check(router, tree)
    for resource in RESOURCES:
        _add_reads(router, tree, resource)
        _add_writes(router, tree, resource)
    _add_members(router, tree)
    _add_roles(router, tree)
    _add_substitutions(router, tree)
    return router


def _add_reads(router: APIRouter, tree: Tree, one: Resource) -> None:
    async def page(
        actor: ActorDep,
        within: Annotated[str | None, Query(pattern=r"^[0-9]{1,15}$")] = None,
        q: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
        parent_code: Annotated[str | None, Query(max_length=15)] = None,
        level: Annotated[str | None, Query(max_length=16)] = None,
        org_type: Annotated[str | None, Query(max_length=32)] = None,
        kind: Annotated[str | None, Query(max_length=32)] = None,
        type: Annotated[str | None, Query(max_length=32)] = None,
        active: bool | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        given = {"parent_code": parent_code, "level": level, "org_type": org_type, "kind": kind, "type": type}
        wanted = {name: value for name, value in {**given, "active": active}.items() if name in one.filters}
        return await _listed(tree, one.kind, {"within": within, "q": q, **wanted}, cursor, limit)

    async def single(key: Key, actor: ActorDep) -> JSONResponse:
        return answer(await tree.one(one.kind, key))

    named = {"summary": f"{one.zh} / {one.en}"}
    router.add_api_route(f"/{one.path}", page, methods=["GET"], operation_id=f"{one.path}.list", **named)  # type: ignore[arg-type]  # plain texts
    router.add_api_route(f"/{one.path}/{{key}}", single, methods=["GET"], operation_id=f"{one.path}.one", **named)  # type: ignore[arg-type]  # as above


def _add_writes(router: APIRouter, tree: Tree, one: Resource) -> None:
    new, changed = one.new, one.change

    async def add(request: Request, body: new, actor: ActorDep) -> JSONResponse:  # type: ignore[valid-type]  # a model of the table
        values = body.model_dump()  # type: ignore[attr-defined]  # as above
        require_keeper(actor, values[one.place])
        row = await tree.add(one.kind, values, actor.id)
        key = row["code"] if "code" in row else row["id"]
        return answer(row, 201, location=f"{request.url.path}/{key}")

    async def change(key: Key, body: changed, actor: ActorDep, if_match: Match = None) -> JSONResponse:  # type: ignore[valid-type]  # as above
        await _keeper_of(tree, one, key, actor)
        return answer(await tree.change(one.kind, key, body.given(), actor.id, version_of(if_match)))  # type: ignore[attr-defined]  # as above

    async def remove(key: Key, actor: ActorDep) -> Response:
        await _keeper_of(tree, one, key, actor)
        if not await tree.remove(one.kind, key, actor.id):
            raise NotFound
        return Response(status_code=204)

    named, path = one.path, f"/{one.path}"
    said = f"新增{one.zh} / add {one.en}", f"修改{one.zh} / change {one.en}", f"删除{one.zh} / remove {one.en}"
    router.add_api_route(path, add, methods=["POST"], status_code=201, operation_id=f"{named}.add", summary=said[0])
    path = f"{path}/{{key}}"
    router.add_api_route(path, change, methods=["PATCH"], operation_id=f"{named}.change", summary=said[1])
    router.add_api_route(
        path, remove, methods=["DELETE"], status_code=204, operation_id=f"{named}.remove", summary=said[2]
    )


def _add_grid_check(router: APIRouter, tree: Tree) -> None:
    @router.get(
        "/regions/{key}/grid-check", operation_id="grid_check", summary="网格核查 / check the net of a community"
    )
    async def grid_check(key: Annotated[str, Path(pattern=r"^[0-9]{12}$")], actor: ActorDep) -> dict[str, Any]:
        async with tree.looking() as connection:
            found = await grid_findings(connection, key, tree.limits)
        if await tree.one("region", key) is None:
            raise NotFound
        fields = ("code", "on", "value", "clause", "strength")
        return {
            "community_code": key,
            "fits": not any(one.strength in ("HARD", "SOFT") for one in found),
            "findings": [{name: getattr(one, name) for name in fields} for one in found],
        }


def _add_members(router: APIRouter, tree: Tree) -> None:
    @router.get("/bodies/{key}/members", operation_id="members.list", summary="成员名单 / the roster")
    async def members(
        key: Key, actor: ActorDep, on: date | None = None, cursor: Cursor = None, limit: Limit = 50
    ) -> dict[str, Any]:
        body = await tree.one("body", key)
        if body is None:
            raise NotFound
        return await _listed(tree, "member", {"body_id": body["id"], "on": on}, cursor, limit)

    @router.post("/bodies/{key}/members", operation_id="members.add", summary="新增成员 / seat one", status_code=201)
    async def add(key: Key, body: NewMember, actor: ActorDep) -> JSONResponse:
        found = await _keeper_of(tree, RESOURCES[-1], key, actor)
        return answer(await tree.add("member", {**body.model_dump(), "body_id": found["id"]}, actor.id), 201)

    @router.patch(
        "/bodies/{key}/members/{member}", operation_id="members.change", summary="变更成员 / change or end a membership"
    )
    async def change(
        key: Key, member: Key, body: MemberChange, actor: ActorDep, if_match: Match = None
    ) -> JSONResponse:
        found, seat = await _keeper_of(tree, RESOURCES[-1], key, actor), await tree.one("member", member)
        if seat is None or seat["body_id"] != found["id"]:
            raise NotFound
        return answer(await tree.change("member", member, body.given(), actor.id, version_of(if_match)))


def _add_roles(router: APIRouter, tree: Tree) -> None:
    @router.get("/roles", operation_id="roles.list", summary="任职 / who holds which role where")
    async def roles(
        actor: ActorDep,
        role: Annotated[str | None, Query(max_length=64)] = None,
        within: Annotated[str | None, Query(pattern=r"^[0-9]{1,15}$")] = None,
        on: date | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        place = within or kept_places(actor)[0]
        require_keeper(actor, place)
        return await _listed(tree, "role", {"role": role, "within": place, "on": on}, cursor, limit)

    @router.post("/roles", operation_id="roles.add", summary="授予任职 / give a role", status_code=201)
    async def add(body: NewRole, actor: ActorDep) -> JSONResponse:
        require_keeper(actor, body.place)
        if str(await tree.person_id(body.person)) == actor.id:
            raise GuardFailed("OWN_ROLE", field="person", clause="processes §0.1")
        return answer(await tree.add("role", {**body.model_dump(), "appointed_by": actor.id}, actor.id), 201)

    @router.patch("/roles/{key}", operation_id="roles.change", summary="结束任职 / end a role, or give it a term")
    async def change(key: Key, body: RoleChange, actor: ActorDep, if_match: Match = None) -> JSONResponse:
        kept_places(actor)
        found = await tree.one("role", key)
        if found is None:
            raise NotFound
        require_keeper(actor, found["place"])
        if str(found["person_id"]) == actor.id:
            raise GuardFailed("OWN_ROLE", clause="processes §0.1")
        return answer(await tree.change("role", key, body.given(), actor.id, version_of(if_match)))


def _add_substitutions(router: APIRouter, tree: Tree) -> None:
    @router.get("/substitutions", operation_id="substitutions.list", summary="代理 / who stands in for whom")
    async def substitutions(
        actor: ActorDep, on: date | None = None, cursor: Cursor = None, limit: Limit = 50
    ) -> dict[str, Any]:
        kept_places(actor)
        page = await _listed(tree, "substitution", {"on": on}, cursor, limit)
        mine = [row for row in page["items"] if await tree.keeps(kept_places(actor), row["absent_person_id"])]
        return {**page, "items": mine}

    @router.post(
        "/substitutions", operation_id="substitutions.add", summary="指定代理 / let somebody stand in", status_code=201
    )
    async def add(body: NewSubstitution, actor: ActorDep) -> JSONResponse:
        places = kept_places(actor)
        for one in (body.absent, body.substitute):
            identity = await tree.person_id(one)
            if identity is not None and not await tree.keeps(places, str(identity)):
                raise Forbidden("NOT_IN_ROLE")
        return answer(await tree.add("substitution", {**body.model_dump(), "appointed_by": actor.id}, actor.id), 201)

    @router.patch(
        "/substitutions/{key}",
        operation_id="substitutions.change",
        summary="结束代理 / end it, or give it another term",
    )
    async def change(key: Key, body: SubstitutionChange, actor: ActorDep, if_match: Match = None) -> JSONResponse:
        places = kept_places(actor)
        found = await tree.one("substitution", key)
        if found is None or not await tree.keeps(places, str(found["absent_person_id"])):
            raise NotFound
        return answer(await tree.change("substitution", key, body.given(), actor.id, version_of(if_match)))


async def _listed(tree: Tree, kind: str, filters: Mapping[str, Any], cursor: str | None, limit: int) -> dict[str, Any]:
    try:
        return listed(await tree.page(kind, filters, after=cursor, limit=limit))
    except CursorInvalid:
        raise foreign_cursor() from None


async def _keeper_of(tree: Tree, one: Resource, key: str, actor: Actor) -> Mapping[str, Any]:
    """The row that somebody wants to change; raises `Forbidden` or `NotFound`."""
    kept_places(actor)
    found = await tree.one(one.kind, key)
    if found is None:
        raise NotFound
    require_keeper(actor, found[one.place])
    return found
