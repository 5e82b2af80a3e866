"""The calendar of working days (工作日历): read by everybody, changed by whoever keeps the whole deployment.

A change is a new edition, and cases whose deadlines waited for it count anew at once.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field

from services.api.deps import ActorDep, Desk, DeskDep
from services.api.errors import Invalid, NotFound
from services.api.faults import Fault
from services.api.limits import PatientRoute
from services.api.master import Body, require_keeper
from services.api.postgres import Database
from services.recomputing import recompute
from services.storage.calendar import (
    LONGEST_REASON,
    clear_local_day,
    days_between,
    edition,
    known_years,
    load_year,
    set_local_day,
)
from services.storage.people_records import root_code
from services.storage.provisional import provisional_cases
from workflows.kernel.calendar import CHINA

Why = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]


class LocalDay(Body):
    """What a place does on a day instead of what the nation does, and why (地方调整)."""

    working: bool
    why: Why


class PublishedYear(Body):
    """A year as the State Council has published it: holidays with their names, working days made up for them."""

    year: Annotated[int, Field(ge=2000, le=2100)]
    source: Annotated[str, Field(min_length=1, max_length=200)]
    rest: Annotated[dict[date, Why], Field(max_length=366)]
    make_up: Annotated[list[date], Field(max_length=366, default_factory=list)]


def workday_router(database: Database) -> APIRouter:
    """Give `/calendar`."""
    router = APIRouter(prefix="/calendar", tags=["calendar"], route_class=PatientRoute)

    @router.get("", operation_id="calendar", summary="工作日历 / working days of a year")
    async def shown(actor: ActorDep, year: Annotated[int | None, Query(ge=2000, le=2100)] = None) -> dict[str, Any]:
        wanted = year or datetime.now(UTC).astimezone(CHINA).year
        async with database.connect() as connection:
            rows = await days_between(connection, date(wanted, 1, 1), date(wanted, 12, 31))
            named, years = await edition(connection), await known_years(connection)
        return {"year": wanted, "edition": named, "years": years, "days": _days(rows)}

    @router.put("/days/{on}", operation_id="set_local_day", summary="本地调休 / a local day off or on")
    async def local_day(on: Annotated[date, Path()], body: LocalDay, actor: ActorDep, desk: DeskDep) -> dict[str, Any]:
        async with database.begin() as connection:
            require_keeper(actor, await root_code(connection))
            await set_local_day(connection, on, body.working, body.why.strip() or body.why, actor.id)
        return await _changed(desk)

    @router.delete("/days/{on}", operation_id="clear_local_day", summary="取消本地调休 / take a local day back")
    async def clear(on: Annotated[date, Path()], actor: ActorDep, desk: DeskDep) -> dict[str, Any]:
        async with database.begin() as connection:
            require_keeper(actor, await root_code(connection))
            if not await clear_local_day(connection, on, actor.id):
                raise NotFound
        return await _changed(desk)

    @router.post("/years", operation_id="load_year", summary="装入新公布的年度 / a newly published year")
    async def year(body: PublishedYear, actor: ActorDep, desk: DeskDep) -> dict[str, Any]:
        async with database.begin() as connection:
            require_keeper(actor, await root_code(connection))
            try:
                days = await load_year(
                    connection, body.year, rest=body.rest, make_up=body.make_up, source=body.source, by=actor.id
                )
            except ValueError:
                raise Invalid(Fault("rest", "wrong")) from None
        return {"days": days, **await _changed(desk)}

    async def _changed(desk: Desk) -> dict[str, Any]:
        """The edition that holds now, and how many cases count anew by it."""
        async with database.connect() as connection:
            named, waiting = await edition(connection), await provisional_cases(connection)
        return {"edition": named, "recomputed": await recompute(desk.engine, waiting)}

    return router


def _days(rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """One line a day: the place's own before the nation's, which it names."""
    days: dict[date, dict[str, Any]] = {}
    for row in rows:
        nation = days.get(row["date"])
        days[row["date"]] = {
            "date": row["date"].isoformat(),
            "working": row["is_working"],
            "kind": row["kind"],
            "why": row["why"],
            "provisional": row["provisional"],
            "instead_of": nation["kind"] if nation else None,
        }
    return list(days.values())
