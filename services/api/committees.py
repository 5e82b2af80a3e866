"""Committees as they sit, their certificates, and how far the communities are (社工委名册、聘书核验、推行情况)."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from pathlib import Path as FilePath
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from services.api.bodies import spreadsheet
from services.api.columns import ROLLOUT, ROSTER
from services.api.deps import ActorDep, DeskDep, LanguageDep
from services.api.errors import NotFound
from services.api.limits import TimedRoute
from services.api.public import Guesses
from services.api.questions import widest_place
from services.api.reach import reaches, require_community, require_staff
from services.api.tables import XLSX, table_response
from services.api.views import local
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Forbidden
from workflows.kernel.roles import STAFF, Role
from workflows.policy.pack import Pack

Place = Annotated[str, Query(max_length=12, pattern="^[0-9]+$")]
CheckCode = Annotated[str, Query(min_length=1, max_length=16, description="核验码 / check code")]
IMPORTERS = frozenset({Role.TENANT_ADMIN})
MEGABYTES = 20


class Committees(Protocol):
    """Reads about committees."""

    async def on(self, place: str, day: date, pack: Pack) -> dict[str, Any]: ...
    async def certificate(self, cert_no: str) -> dict[str, Any] | None: ...
    async def rollout(self, place: str, pack: Pack, today: date) -> dict[str, Any]: ...


class Books(Protocol):
    """Committees as a spreadsheet."""

    async def take_in(
        self, file: FilePath, *, places: Collection[str], pack: Pack, actor: str, dry_run: bool
    ) -> dict[str, Any]: ...
    async def give_out(self, place: str) -> bytes: ...


def committee_router(committees: Committees, books: Books) -> APIRouter:
    """Give the questions about committees and the way in and out for spreadsheets."""
    router = APIRouter(route_class=TimedRoute, tags=["committees"])
    guesses = Guesses()

    async def export(actor: ActorDep, place: Place = "") -> Response:
        where = place or widest_place(actor)
        require_staff(actor, where)
        name = f'attachment; filename="committees-{where}.xlsx"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return Response(await books.give_out(where), media_type=XLSX, headers=headers)

    async def take_in(request: Request, desk: DeskDep, actor: ActorDep, dry_run: bool = False) -> dict[str, Any]:
        places = {one.place for one in actor.grants if one.role in IMPORTERS}
        if not places:
            raise Forbidden("NOT_IN_ROLE")
        async with spreadsheet(request, MEGABYTES) as path:
            return await books.take_in(path, places=places, pack=desk.pack, actor=actor.id, dry_run=dry_run)

    # A city's rosters are longer than a command, and take longer than an answer may. They stand before the single
    # one: `export` is no community.
    router.add_api_route(
        "/committees/export",
        export,
        operation_id="committees.export",
        summary="导出社工委名册 / committees as a spreadsheet",
        response_class=Response,
        route_class_override=APIRoute,
    )
    router.add_api_route(
        "/committees/import",
        take_in,
        methods=["POST"],
        operation_id="committees.import",
        summary="导入现有社工委名册；dry_run=1 只预览 / take in committees from a spreadsheet",
        route_class_override=APIRoute,
    )

    @router.get(
        "/committees/{community_id}",
        operation_id="committee",
        summary="社工委名册（可指定日期）及规则核对 / the roster on a day and the rules it meets",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def committee(
        request: Request,
        language: LanguageDep,
        community_id: Annotated[str, Path(max_length=64)],
        desk: DeskDep,
        actor: ActorDep,
        on: Annotated[date | None, Query(description="日期 / day")] = None,
    ) -> Response | dict[str, Any]:
        await require_community(desk, actor, community_id)
        found = await desk.people.communities([community_id])
        shown = await committees.on(community_id, on or datetime.now(UTC).astimezone(CHINA).date(), desk.pack)
        if reaches(actor, community_id, STAFF):
            for one in shown["members"]:
                one["check_code"] = desk.codes.of(one["cert_no"]) if one["cert_no"] else None
        else:
            # How often somebody was absent is for those who work here.
            for one in shown["members"]:
                del one["absences"], one["review_suggested"]
        answer: dict[str, Any] = local({"name": found[community_id].name, **shown})
        as_file = await table_response(request, ROSTER, answer["members"], f"committee-{community_id}", language)
        return as_file or answer

    @router.get(
        "/rollout",
        operation_id="rollout",
        summary="分步推行：各社区状态、组建率与缺项 / how far the communities are",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def rollout(
        request: Request, desk: DeskDep, actor: ActorDep, language: LanguageDep, place: Place = ""
    ) -> Response | dict[str, Any]:
        where = place or widest_place(actor)
        require_staff(actor, where)
        today = datetime.now(UTC).astimezone(CHINA).date()
        answer: dict[str, Any] = local(await committees.rollout(where, desk.pack, today))
        return await table_response(request, ROLLOUT, answer["items"], f"rollout-{where}", language) or answer

    @router.get(
        "/public/certificates/{cert_no}",
        operation_id="public_certificate",
        summary="核验聘书 / verify a certificate of appointment",
        tags=["public"],
    )
    async def certificate(
        cert_no: Annotated[str, Path(max_length=64)], check_code: CheckCode, desk: DeskDep, language: LanguageDep
    ) -> dict[str, Any]:
        guesses.pause(cert_no)
        found = await committees.certificate(cert_no)
        if found is None or not desk.codes.fits(cert_no, check_code):
            guesses.count(cert_no)
            raise NotFound
        today = datetime.now(UTC).astimezone(CHINA).date()
        ended = found["revoked_on"] is not None or (found["valid_until"] is not None and found["valid_until"] < today)
        answer: dict[str, Any] = local({**found, "valid": not ended})
        return answer

    return router
