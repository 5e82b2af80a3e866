"""`GET /burden/{community}`: the burden meter (社区负担), with its alarm from the policy pack."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from services.api.columns import CARRIED
from services.api.deps import ActorDep, DeskDep, LanguageDep
from services.api.limits import TimedRoute
from services.api.postgres import Database
from services.api.questions import Community
from services.api.reach import require_community
from services.api.tables import table_response
from services.storage.burden import Carried, carried, tasks, totals, trend
from workflows.kernel.calendar import CHINA
from workflows.policy.pack import Pack

ALARMS = {"items": "burden.alarm.items", "forms": "burden.alarm.forms", "hours_month": "burden.alarm.hours"}


def burden_router(database: Database) -> APIRouter:
    """Give `/burden`."""
    router = APIRouter(tags=["questions"], route_class=TimedRoute)

    @router.get(
        "/burden/{community}",
        operation_id="burden",
        summary="社区负担 / what a community carries",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def burden(
        request: Request, community: Community, desk: DeskDep, actor: ActorDep, language: LanguageDep
    ) -> Response | dict[str, Any]:
        await require_community(desk, actor, community)
        async with database.connect() as connection:
            items = await carried(connection, community)
            asked = await tasks(connection, community)
        now = totals(items)
        shown = [_shown(one) for one in items if one.is_in_force]
        as_file = await table_response(request, CARRIED, shown, f"burden-{community}", language)
        return as_file or {
            "community_id": community,
            "totals": now,
            "alarm": _alarms(now, desk.pack),
            "items": shown,
            "trend": list(trend(items, asked, datetime.now(UTC).astimezone(CHINA).date())),
        }

    return router


def _alarms(now: dict[str, Any], pack: Pack) -> list[dict[str, Any]]:
    """What has reached its threshold, with where the threshold comes from; four-cancellations count from the first."""
    found = [
        {"what": name, "value": now[name], "threshold": pack.number(key), "source": pack.parameter(key).source}
        for name, key in ALARMS.items()
        if now[name] >= pack.number(key)
    ]
    if now["four_cancellations"] and pack.flag("four_cancellations"):
        source = pack.parameter("four_cancellations").source
        found.append(
            {"what": "four_cancellations", "value": now["four_cancellations"], "threshold": 1, "source": source}
        )
    return found


def _shown(one: Carried) -> dict[str, Any]:
    shown = asdict(one)
    del shown["ended"]
    return {
        **shown,
        "since": one.since.isoformat() if one.since else None,
        "until": one.until.isoformat() if one.until else None,
    }
