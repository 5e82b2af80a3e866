"""A list of cases as a file (导出): the same filters as the list, the columns one chose, in words that people read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.api.cases import MOST as A_PAGE
from services.api.cases import Narrowed
from services.api.deps import Desk, DeskDep, ViewerDep
from services.api.errors import Invalid
from services.api.faults import Fault
from services.api.limits import PatientRoute
from services.api.names import knows_people
from services.api.ports import Filters
from services.api.tables import DOCX, Column, table_response, wanted
from services.api.views import Viewer, case_view
from services.texts.columns import columns_of, said, usual, value_of
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Process

MOST, MOST_IN_A_DOCUMENT = 5000, 1000
CODE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{4,15}|[A-Z]\d\d|[a-z][a-z0-9-]{2,40}")


class ExportQuery(Narrowed):
    """What a list is narrowed by, and the columns of the file."""

    columns: Annotated[str, Field(max_length=1000, description="列名，逗号分隔 / names of columns, by commas")] = ""


def export_router(process: Process[Any]) -> APIRouter:
    """Give `/{plural}/export`."""
    router = APIRouter(prefix=f"/{process.plural}", tags=[process.plural], route_class=PatientRoute)

    @router.get(
        "/export",
        operation_id=f"{process.plural}.export",
        summary=f"{process.zh}：导出列表 / {process.en}: the list as a file",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def export(
        request: Request, desk: DeskDep, viewer: ViewerDep, query: Annotated[ExportQuery, Query()]
    ) -> Response | dict[str, Any]:
        known = columns_of(process)
        chosen = [one for one in query.columns.split(",") if one] or usual(process)
        foreign = [one for one in chosen if one not in known]
        if foreign:
            raise Invalid(Fault("columns", "unknown_column", {"value": foreign[0]}))
        most = MOST_IN_A_DOCUMENT if wanted(request.headers.get("accept", "*/*")) == DOCX else MOST
        cases = await _all(desk, process, viewer, Filters(**query.model_dump(exclude={"columns"})), most)
        columns = [known[name] for name in chosen]
        names = await _names(desk, viewer, [value_of(case, one) for case in cases for one in columns])
        rows = [{one.name: said(process, case, one, viewer.language, names) for one in columns} for case in cases]
        headings = [Column(one.name, one.zh, one.en) for one in columns]
        english = viewer.language == "en"
        today = datetime.now(UTC).astimezone(CHINA)
        as_file = await table_response(
            request,
            headings,
            rows,
            f"{process.plural}-{today:%Y%m%d-%H%M}",
            viewer.language,
            title=f"{process.en if english else process.zh} {today:%Y-%m-%d %H:%M}",
        )
        return as_file or {"columns": {one.name: one.title(viewer.language) for one in columns}, "items": rows}

    return router


async def _all(
    desk: Desk, process: Process[Any], viewer: Viewer, filters: Filters, most: int
) -> Sequence[dict[str, Any]]:
    """Every case that fits; raises `Invalid` when they are too many for a file."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await desk.reads.page(viewer.actor, process, filters, cursor=cursor, limit=A_PAGE)
        found += [case_view(process, known, page.texts, viewer) for known in page.items]
        cursor = page.next_cursor
        if len(found) > most or (cursor and len(found) == most):
            raise Invalid(Fault("limit", "export_too_large", {"most": most}))
        if cursor is None:
            return found


async def _names(desk: Desk, viewer: Viewer, values: Iterable[Any]) -> Mapping[str, str]:
    """What the codes among these values stand for, as far as the caller may know."""
    codes = {code for value in values for code in _codes(value)}
    english = viewer.language == "en"
    categories = desk.pack.categories
    found = {
        code: categories[code].title_en if english else categories[code].title for code in codes if code in categories
    }
    people = (
        await desk.people.display_names(code for code in codes if "-" in code) if knows_people(viewer.actor) else {}
    )
    places = await desk.people.regions(code for code in codes if code.isdigit())
    orgs = await desk.people.organizations(codes - found.keys() - people.keys() - places.keys())
    found |= {code: place.name for code, place in places.items()}
    return found | {code: org.name for code, org in orgs.items()} | people


def _codes(value: Any) -> Iterable[str]:
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, str) and CODE.fullmatch(one):
            yield one
