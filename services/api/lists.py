"""The county's lists (清单): versions, what is in one, what changed, and a new one from a file."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from services.api.bodies import spreadsheet
from services.api.deps import ActorDep, LanguageDep
from services.api.errors import Invalid, NotFound
from services.api.faults import Fault
from services.api.limits import TimedRoute
from services.api.postgres import Database
from services.api.tables import Column, table_response
from services.api.views import local
from services.storage.lists import (
    Comparison,
    Entry,
    NotPublishable,
    Version,
    compare,
    compared,
    entries_of,
    in_force,
    in_force_everywhere,
    publish,
    search,
    version_of,
    versions,
)
from services.texts.catalogue import catalogue
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor, Forbidden, GuardFailed
from workflows.kernel.roles import Role

ListType = Literal["LIST_A", "LIST_B", "NEGATIVE", "CERTIFICATE", "CERTIFICATE_NEGATIVE", "SEAL_USE"]
County = Annotated[str, InPath(pattern=r"^\d{6}$")]
Words = Annotated[str, Query(min_length=1, max_length=100)]
Limit = Annotated[int, Query(ge=1, le=200)]
Number = Annotated[int, Query(ge=1)]
MEGABYTES = 10
UPLOAD_TIMEOUT = 60.0
COLUMNS = (
    Column("item_code", "事项编码", "Code"),
    Column("name", "事项名称", "Name"),
    Column("legal_basis", "法律依据", "Legal basis"),
    Column("lead_department", "牵头部门", "Lead department"),
    Column("funding_note", "经费说明", "Funding"),
)


class CellFault(Protocol):
    """What is wrong with a cell of a file."""

    @property
    def row(self) -> int: ...
    @property
    def column(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def detail(self) -> str: ...


class FileRead(Protocol):
    """What a file says."""

    @property
    def entries(self) -> tuple[Entry, ...]: ...
    @property
    def faults(self) -> tuple[CellFault, ...]: ...


ReadList = Callable[[Path], FileRead]


def list_router(database: Database, read_list: ReadList) -> APIRouter:
    """Give `/lists`; `read_list` reads a spreadsheet."""
    router = APIRouter(prefix="/lists", tags=["lists"], route_class=TimedRoute)

    @router.get("", operation_id="counties_lists", summary="各区县的现行清单 / what is in force, county by county")
    async def counties(actor: ActorDep, on: date | None = None) -> dict[str, Any]:
        async with database.connect() as connection:
            every = await in_force_everywhere(connection, on or _today())
        return {
            "items": [
                {"county": county, "in_force": {kind: _version(one) for kind, one in held.items()}}
                for county, held in every.items()
            ]
        }

    @router.get("/{county}", operation_id="lists", summary="各清单及其版本 / the lists of a county and their versions")
    async def listed(county: County, actor: ActorDep, on: date | None = None) -> dict[str, Any]:
        day = on or _today()
        async with database.connect() as connection:
            held = await in_force(connection, county, day)
            every = await versions(connection, county)
        return {
            "county": county,
            "on": day.isoformat(),
            "in_force": {kind: _version(one) for kind, one in held.items()},
            "versions": [_version(one) for one in every],
        }

    @router.get("/{county}/items", operation_id="list_items", summary="按字词查找事项 / find entries by words")
    async def found(
        county: County,
        actor: ActorDep,
        q: Words,
        list_type: ListType | None = None,
        on: date | None = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        async with database.connect() as connection:
            held = await in_force(connection, county, on or _today())
            wanted = [one for kind, one in held.items() if list_type in (None, kind)]
            hits = await search(connection, wanted, q, limit)
        return {
            "items": [
                {"list_type": one.list_type, "version": one.version, "likeness": one.likeness, **asdict(one.entry)}
                for one in hits
            ]
        }

    @router.get("/{county}/{list_type}", operation_id="list_version", summary="一个版本的全部事项 / a whole version")
    async def whole(
        request: Request,
        county: County,
        list_type: ListType,
        actor: ActorDep,
        language: LanguageDep,
        version: Number | None = None,
        on: date | None = None,
    ) -> Response:
        async with database.connect() as connection:
            held = await version_of(connection, county, list_type, number=version, on=on or _today())
            if held is None:
                raise NotFound
            entries = [asdict(one) for one in await entries_of(connection, held.id)]
        name = f"{list_type}-{county}-v{held.version}"
        answer = await table_response(request, COLUMNS, entries, name, language)
        return answer or JSONResponse({**_version(held), "entries": entries})

    @router.get("/{county}/{list_type}/diff", operation_id="list_diff", summary="两个版本的差别 / what changed")
    async def diff(
        county: County, list_type: ListType, actor: ActorDep, before: Number, after: Number
    ) -> dict[str, Any]:
        async with database.connect() as connection:
            old, new = [await version_of(connection, county, list_type, number=one) for one in (before, after)]
            if old is None or new is None:
                raise NotFound
            changes = await compare(connection, old, new)
        return {"before": _version(old), "after": _version(new), **_comparison(changes)}

    async def taken(
        request: Request,
        county: County,
        list_type: ListType,
        actor: ActorDep,
        language: LanguageDep,
        effective_from: date,
        dry_run: bool = False,
        source: Annotated[str, Query(max_length=200)] = "",
    ) -> JSONResponse:
        _require_office(actor, county)
        async with asyncio.timeout(UPLOAD_TIMEOUT), spreadsheet(request, MEGABYTES) as path:
            read = await asyncio.to_thread(read_list, path)
        if read.faults and not dry_run:
            raise Invalid(
                *(Fault(f"{one.row}.{one.column}", one.code, {"detail": one.detail}, "cell") for one in read.faults)
            )
        async with database.begin() as connection:
            last = next(iter(await versions(connection, county, list_type)), None)
            before = await entries_of(connection, last.id) if last else []
            written = (
                None if dry_run else await _publish(connection, county, list_type, read, effective_from, source, actor)
            )
        preview = {
            "published": written is not None,
            "version": written.version if written else (last.version if last else 0) + 1,
            "effective_from": effective_from.isoformat(),
            "items": len(read.entries),
            "errors": [_fault(one, language) for one in read.faults],
            **_comparison(compared(before, read.entries)),
        }
        return JSONResponse(preview, 201 if written else 200)

    # A timed route reads the whole body first, and this one bounds it while it comes.
    router.add_api_route(
        "/{county}/{list_type}/import",
        taken,
        methods=["POST"],
        operation_id="import_list",
        summary="从表格导入新版本，先预览 / a new version from a spreadsheet, with preview",
        status_code=201,
        route_class_override=APIRoute,
    )
    return router


async def _publish(
    connection: Any, county: str, list_type: str, read: FileRead, begins: date, source: str, actor: Actor
) -> Version:
    try:
        return await publish(
            connection,
            county=county,
            list_type=list_type,
            entries=read.entries,
            effective_from=begins,
            source=source,
            by=actor.id,
            today=_today(),
        )
    except NotPublishable as no:
        raise GuardFailed(no.code, field="effective_from", clause="004 §二(三)1", **no.details) from None


def _require_office(actor: Actor, county: str) -> None:
    """Lists are made by the county (seed 004 §二(三)1): its leading group's office keeps them here."""
    if not any(grant.role == Role.OFFICE_REVIEWER and county.startswith(grant.place) for grant in actor.grants):
        raise Forbidden("NOT_IN_ROLE")


def _today() -> date:
    return datetime.now(UTC).astimezone(CHINA).date()


def _version(one: Version) -> dict[str, Any]:
    return {
        "list_type": one.list_type,
        "version": one.version,
        "effective_from": one.effective_from.isoformat(),
        "until": one.until.isoformat() if one.until else None,
        "items": one.items,
        "source": one.source,
        "published_at": local(one.published_at),
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "added": [asdict(one) for one in found.added],
        "removed": [asdict(one) for one in found.removed],
        "changed": [{"before": asdict(old), "after": asdict(new)} for old, new in found.changed],
    }


def _fault(one: CellFault, language: str) -> dict[str, Any]:
    message = catalogue().say("cell", one.code, language, detail=one.detail)
    return {"row": one.row, "column": one.column, "code": one.code, "message": message}
