"""Lists of cases of any process: filters in the address, so that a view can be kept and sent on (清单)."""

from datetime import UTC, datetime

from starlette.responses import Response

from services.console.client import Problem
from services.console.pages.routing import At
from services.console.visit import Visit

FILTERS = ("state", "step", "community_id", "level", "color", "lead_org", "month", "q", "created_from", "created_to")
PAGE = 30


async def listing(visit: Visit) -> Response:
    """A page of cases, newest first."""
    process = visit.house.processes.get(visit.request.path_params["plural"])
    if process is None:
        raise Problem(404, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    wanted = {name: visit.query(name) for name in FILTERS if visit.query(name)}
    found = await visit.api.get(f"/{process.plural}", limit=PAGE, cursor=visit.query("cursor"), **wanted)
    values = {
        "process": process,
        "cases": found["items"],
        "following": found["next_cursor"],
        "wanted": wanted,
        "now": datetime.now(UTC),
        "states": tuple(dict.fromkeys(state.name.partition(":")[0] for state in process.states)),
    }
    if visit.is_partial and visit.query("cursor"):
        return await visit.show("parts/rows.html", **values)
    return await visit.show("list.html", **values)


PAGES = (At("/{plural}", listing),)
