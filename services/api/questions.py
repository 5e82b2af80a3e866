"""Questions across cases: my work, what is overdue, lists, agendas, figures, deadlines."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services.api.columns import AGENDA, COVERAGE, MEASURES, OVERDUE, PROBLEMS, PROJECTS
from services.api.deps import ActorDep, Desk, DeskDep, LanguageDep
from services.api.errors import Invalid, NotFound
from services.api.faults import Fault
from services.api.limits import TimedRoute
from services.api.moments import LostPlus
from services.api.ports import OverdueFilters
from services.api.reach import require_community, require_staff
from services.api.tables import is_file, table_response
from services.api.views import local
from services.texts.catalogue import catalogue
from workflows.kernel.calendar import CHINA, Duration, Unit, due
from workflows.kernel.process import Actor, Forbidden
from workflows.kernel.roles import STAFF

MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
_SPAN = re.compile(r"([0-9]{1,5})(m|h|d)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


MOST_IN_FILE = 5000
"""Lines of a list that is given as a file; whoever needs more narrows it."""


def span(text: str) -> timedelta:
    """Read a length of time such as `48h`, `3d`, `30m`."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise PydanticCustomError("duration", "a length of time such as 48h or 3d")
    return int(match[1]) * _UNITS[match[2]]


def _checked_span(text: str) -> str:
    span(text)
    return text


Span = Annotated[str, AfterValidator(_checked_span)]

Code = Annotated[str | None, Field(max_length=64)]
Community = Annotated[str, Path(max_length=64)]


class OverdueQuery(BaseModel):
    """What the overdue query is narrowed by."""

    model_config = ConfigDict(extra="forbid")

    within: Span | None = None
    process: Code = None
    community_id: Code = None
    subdistrict_id: Code = None
    color: Literal["NONE", "BLUE", "YELLOW", "RED"] | None = None
    owner: Code = None
    supervisor: Code = None
    older_than: Span | None = None
    cursor: Annotated[str | None, Field(max_length=500)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class DueQuery(BaseModel):
    """A deadline to be computed: `start` is a moment, or a day whose beginning is meant."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[AwareDatetime | date, LostPlus]
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    unit: Literal["hours", "calendar_days", "working_days", "working_hours", "month"]
    roll: bool = False


class SkippedDay(BaseModel):
    """A day that did not count."""

    date: date
    why: str


class DueAnswer(BaseModel):
    """When a deadline ends, by which calendar, and which days did not count."""

    due_at: str
    provisional: bool
    calendar_edition: str
    days_skipped: list[SkippedDay]


def question_router() -> APIRouter:
    """Give the questions across cases."""
    router = APIRouter(route_class=TimedRoute, tags=["questions"])

    @router.get("/worklist", operation_id="worklist", summary="我的待办，最急的在前 / my open tasks, most urgent first")
    async def worklist(
        desk: DeskDep,
        actor: ActorDep,
        cursor: Annotated[str | None, Query(max_length=500)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        try:
            rows, following = await desk.reads.worklist(actor, cursor=cursor, limit=limit)
        except ValueError:
            raise Invalid(Fault("cursor", "cursor")) from None
        return {"items": [_shown(row) for row in rows], "next_cursor": following}

    @router.get(
        "/overdue",
        operation_id="overdue",
        summary="超期与临期，最重的在前 / what is overdue, worst first",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def overdue(
        request: Request,
        desk: DeskDep,
        actor: ActorDep,
        language: LanguageDep,
        query: Annotated[OverdueQuery, Query()],
    ) -> Response | dict[str, Any]:
        wanted = query.model_dump(exclude={"cursor", "limit"})
        if query.process is not None:
            plurals = {process.plural: process.name for process in desk.door.processes.values()}
            wanted["process"] = plurals.get(query.process, query.process)
        for name in ("within", "older_than"):
            wanted[name] = span(wanted[name]) if wanted[name] else None
        rows, cursor = await _late(desk, actor, OverdueFilters(**wanted), query.cursor, query.limit)
        while is_file(request) and cursor is not None and len(rows) < MOST_IN_FILE:
            more, cursor = await _late(desk, actor, OverdueFilters(**wanted), cursor, query.limit)
            rows = [*rows, *more]
        items = [_shown(row) for row in rows]
        as_file = await table_response(request, OVERDUE, [{**one["case"], **one} for one in items], "overdue", language)
        return as_file or {"items": items, "next_cursor": cursor}

    @router.get(
        "/problem-lists/{community_id}/{month}",
        operation_id="problem_list",
        summary="问题清单 / problem list",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def problem_list(
        request: Request,
        community_id: Community,
        month: Annotated[str, Path(pattern=MONTH)],
        desk: DeskDep,
        actor: ActorDep,
        language: LanguageDep,
        version: Annotated[int | None, Query(ge=1, le=100_000, description="已发布版本 / a published version")] = None,
    ) -> Response | dict[str, Any]:
        await require_community(desk, actor, community_id)
        name = f"problem-list-{community_id}-{month}"
        if version is None:
            found: Sequence[Any] | None = await desk.reads.problem_list(actor, community_id, month)
        else:
            found = await desk.reads.published_list(actor, community_id, month, version)
            name = f"{name}-v{version}"
        if found is None:
            raise NotFound
        rows = [_shown(row) for row in found]
        as_file = await table_response(request, PROBLEMS, rows, name, language)
        if as_file is not None:
            return as_file
        versions = [_shown(row) for row in await desk.reads.list_versions(actor, community_id, month)]
        return {
            "community_id": community_id,
            "month": month,
            "version": version,
            "versions": versions,
            "items": rows,
        }

    @router.get(
        "/coverage/{community_id}/{month}",
        operation_id="coverage",
        summary="征集覆盖：哪些网格、楼栋问过，哪些没有问过 / where was asked in a month, and where not",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def coverage(
        request: Request,
        community_id: Community,
        month: Annotated[str, Path(pattern=MONTH)],
        desk: DeskDep,
        actor: ActorDep,
        language: LanguageDep,
    ) -> Response | dict[str, Any]:
        await require_community(desk, actor, community_id)
        rows = [_shown(row) for row in await desk.reads.coverage(actor, community_id, month)]
        as_file = await table_response(request, COVERAGE, rows, f"coverage-{community_id}-{month}", language)
        return as_file or {"community_id": community_id, "month": month, "items": rows}

    @router.get(
        "/project-lists/{community_id}",
        operation_id="project_list",
        summary="项目清单 / project list",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def project_list(
        request: Request, community_id: Community, desk: DeskDep, actor: ActorDep, language: LanguageDep
    ) -> Response | dict[str, Any]:
        await require_community(desk, actor, community_id)
        rows = [_shown(row) for row in await desk.reads.project_list(actor, community_id)]
        lines = [{**row["project"], **row} for row in rows]
        as_file = await table_response(request, PROJECTS, lines, f"project-list-{community_id}", language)
        return as_file or {"community_id": community_id, "items": rows}

    @router.get(
        "/agendas/{community_id}/next",
        operation_id="agenda",
        summary="下次会议议程及理由 / what the next meeting finds on its table, and why",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def agenda(
        request: Request,
        community_id: Community,
        desk: DeskDep,
        actor: ActorDep,
        language: LanguageDep,
        body: Literal[
            "TWO_COMMITTEES", "EXTENDED_PARTY_COMMITTEE", "PARTY_BUILDING_JOINT", "SUBDISTRICT", "COUNTY"
        ] = "EXTENDED_PARTY_COMMITTEE",
    ) -> Response | dict[str, Any]:
        await require_community(desk, actor, community_id)
        words = catalogue()
        items = [
            {**_shown(row), "why": words.say("agenda", row["reason"], language)}
            for row in await desk.reads.agenda(actor, community_id, body)
        ]
        lines = [{**one["case"], **one} for one in items]
        as_file = await table_response(request, AGENDA, lines, f"agenda-{community_id}", language)
        if as_file is not None:
            return as_file
        meeting = await desk.reads.next_meeting(actor, community_id, body)
        if meeting is not None:
            meeting = _shown(meeting)
            for one in meeting["matters"]:
                one["why"] = words.say("agenda", one["reason"], language)
        return {"community_id": community_id, "body": body, "meeting": meeting, "items": items}

    @router.get(
        "/measures",
        operation_id="measures",
        summary="统计指标及算法 / the figures, each with its formula",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def measures(
        request: Request,
        desk: DeskDep,
        actor: ActorDep,
        language: LanguageDep,
        month: Annotated[str | None, Query(pattern=MONTH)] = None,
        community_id: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Response | dict[str, Any]:
        place = await asked_place(desk, actor, community_id)
        month = month or _this_month()
        rows = await desk.reads.measures(actor, place, month)
        lines = [_line(row, language) for row in rows]
        as_file = await table_response(request, MEASURES, lines, f"measures-{place}-{month}", language)
        if as_file is not None:
            return as_file
        return {"month": month, "community_id": community_id, "place": place, "items": [_shown(row) for row in rows]}

    @router.get(
        "/measures/{name}/cases",
        operation_id="measure_cases",
        summary="指标背后的事项 / the cases behind a figure",
    )
    async def measure_cases(
        name: Annotated[str, Path(max_length=64)],
        desk: DeskDep,
        actor: ActorDep,
        month: Annotated[str | None, Query(pattern=MONTH)] = None,
        community_id: Annotated[str | None, Query(max_length=64)] = None,
        cursor: Annotated[str, Query(max_length=100)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        place = await asked_place(desk, actor, community_id)
        month = month or _this_month()
        found = await desk.reads.behind(actor, place, month, name, after=cursor, limit=limit)
        if found is None:
            raise NotFound
        measure, rows, following = found
        # The cases follow as items, and `part` and `whole` say how many they are.
        shown = {name: value for name, value in _shown(measure).items() if name not in ("cases", "part_cases")}
        return {
            "month": month,
            "place": place,
            "measure": {**shown, "excluded": len(shown["excluded"])},
            "items": [_shown(row) for row in rows],
            "next_cursor": following,
        }

    @router.get(
        "/running-notices",
        operation_id="running_notices",
        summary="在办公示、截止时间和未答复异议 / notices that run, their end, and open objections",
    )
    async def running_notices(
        desk: DeskDep, actor: ActorDep, community_id: Annotated[str | None, Query(max_length=64)] = None
    ) -> dict[str, Any]:
        place = await asked_place(desk, actor, community_id)
        return {"place": place, "items": [_shown(row) for row in await desk.reads.running_notices(actor, place)]}

    @router.get("/due", operation_id="due", summary="时限计算器 / deadline calculator", response_model=DueAnswer)
    async def deadline(desk: DeskDep, actor: ActorDep, query: Annotated[DueQuery, Query()]) -> dict[str, Any]:
        start = query.start
        if not isinstance(start, datetime):
            start = datetime(start.year, start.month, start.day, tzinfo=CHINA)
        calendar = await desk.reads.calendar()
        try:
            end = due(start, Duration(query.value, Unit(query.unit), query.roll), calendar)
        except ValueError:
            raise Invalid(Fault("value", "not_countable")) from None
        return {
            "due_at": end.at.isoformat(),
            "provisional": end.provisional,
            "calendar_edition": calendar.edition,
            "days_skipped": [{"date": day.date, "why": day.why} for day in end.skipped],
        }

    return router


async def asked_place(desk: Desk, actor: Actor, code: str | None) -> str:
    """The community, street or county that is asked about; without one the widest that somebody works for."""
    if code is None:
        return widest_place(actor)
    if await desk.people.communities([code]):
        await require_community(desk, actor, code)
    elif await desk.people.regions([code]):
        require_staff(actor, code)
    else:
        raise NotFound
    return code


async def _late(
    desk: Desk, actor: Actor, filters: OverdueFilters, cursor: str | None, limit: int
) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    try:
        return await desk.reads.overdue(actor, filters, cursor=cursor, limit=limit)
    except ValueError:
        raise Invalid(Fault("cursor", "cursor")) from None


def _line(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    """A figure as a line of a table: by its name, with its formula in the reader's language."""
    formula = row["formula"]
    return {**row, "name": catalogue().say("value", formula["name"], language), "formula": formula[language]}


def _this_month() -> str:
    return datetime.now(UTC).astimezone(CHINA).strftime("%Y-%m")


def widest_place(actor: Actor) -> str:
    """The widest place that somebody works for; raises `Forbidden` when he works for none."""
    places = [grant.place for grant in actor.grants if grant.role in STAFF]
    if not places:
        raise Forbidden("NOT_IN_ROLE")
    return min(places, key=len)


def _shown(row: Any) -> dict[str, Any]:
    shown: dict[str, Any] = local(dict(row))
    return shown
