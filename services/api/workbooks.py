"""The tree as a workbook over HTTP (区划人员总表): taken in with a preview, given out in the same form."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path as FilePath
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute

from services.api.bodies import spreadsheet
from services.api.deps import ActorDep, LanguageDep
from services.api.errors import Invalid
from services.api.faults import Fault
from services.api.limits import TimedRoute
from services.api.master import kept_places, require_keeper

MEGABYTES = 16
UPLOAD_TIMEOUT = 120.0
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Books(Protocol):
    """How workbooks are read and written (services/importing/tree.py)."""

    def take_in(
        self, path: FilePath, *, actor: str, places: tuple[str, ...], dry_run: bool
    ) -> Awaitable[dict[str, Any]]:
        """Take a workbook in; gives `written`, `sheets` and `errors` by cell."""

    def give_out(self, place: str) -> Awaitable[bytes]:
        """Make the workbook of a place."""


def workbook_router(books: Books) -> APIRouter:
    """Give `/tree/import` and `/tree/export`."""
    router = APIRouter(prefix="/tree", tags=["tree"], route_class=TimedRoute)

    @router.get(
        "/export",
        operation_id="export_tree",
        summary="导出区划人员总表 / the tree as a workbook",
        response_class=Response,
        openapi_extra={"x-answer": "table"},
    )
    async def export(
        actor: ActorDep, within: Annotated[str | None, Query(pattern=r"^[0-9]{1,12}$")] = None
    ) -> Response:
        place = within or kept_places(actor)[0]
        require_keeper(actor, place)
        headers = {"Content-Disposition": f'attachment; filename="tree-{place}.xlsx"', "Cache-Control": "no-store"}
        return Response(await books.give_out(place), headers=headers, media_type=XLSX)

    async def taken(request: Request, actor: ActorDep, language: LanguageDep, dry_run: bool = False) -> dict[str, Any]:
        places = kept_places(actor)
        async with asyncio.timeout(UPLOAD_TIMEOUT), spreadsheet(request, MEGABYTES) as path:
            found = await books.take_in(path, actor=actor.id, places=places, dry_run=dry_run)
        faults = [{**one, "message": one["en" if language == "en" else "zh"]} for one in found["errors"]]
        if faults and not dry_run:
            raise Invalid(*(Fault(f"{one['sheet']}!{one['cell']}", "said", {"said": one["message"]}) for one in faults))
        shown = [{name: one[name] for name in ("sheet", "cell", "message")} for one in faults]
        return {"written": found["written"], "sheets": found["sheets"], "errors": shown}

    # A timed route reads the whole body first, and this one bounds it while it comes.
    router.add_api_route(
        "/import",
        taken,
        methods=["POST"],
        operation_id="import_tree",
        summary="导入区划人员总表，可先预览 / take in a workbook, with preview; all or nothing",
        route_class_override=APIRoute,
    )
    return router
