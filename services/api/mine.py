"""One's own desk besides the tasks: what one waits for, what one did last, how much there is to do (工作台)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.api.deps import ActorDep
from services.api.limits import TimedRoute
from services.api.views import moment
from services.storage.mine import MOST_COUNTED, Held
from workflows.kernel.process import Actor

LimitQuery = Annotated[int, Query(ge=1, le=100)]


class Counts(BaseModel):
    """How many cases wait for the caller, in all and by the worst colour of what he owes in each.

    `more`: there are more than anybody counts.
    """

    total: int
    by_color: dict[str, int]
    more: bool


class Own(Protocol):
    """Who knows of somebody's cases (services/storage/mine.py)."""

    async def waiting(self, actor: Actor, *, limit: int) -> Sequence[Held]:
        """Running cases of his in which others must act."""

    async def recent(self, actor: Actor, *, limit: int) -> Sequence[Held]:
        """Cases in which he did something last."""

    async def counts(self, actor: Actor) -> Mapping[str, int]:
        """Cases that wait for him, by colour."""


def mine_router(own: Own) -> APIRouter:
    """Give `/waiting`, `/recent` and `/worklist/counts`."""
    router = APIRouter(route_class=TimedRoute, tags=["questions"])

    @router.get(
        "/waiting",
        operation_id="waiting",
        summary="我在等什么：我发起或关注、由他人办理的事项 / my cases in which others must act",
    )
    async def waiting(actor: ActorDep, limit: LimitQuery = 20) -> dict[str, Any]:
        return {"items": [_shown(one) for one in await own.waiting(actor, limit=limit)]}

    @router.get("/recent", operation_id="recent", summary="我最近办理的事项 / cases in which I did something last")
    async def recent(actor: ActorDep, limit: LimitQuery = 10) -> dict[str, Any]:
        return {"items": [_shown(one) for one in await own.recent(actor, limit=limit)]}

    @router.get("/worklist/counts", operation_id="worklist_counts", summary="待办数量 / how much I have to do")
    async def counts(actor: ActorDep) -> Counts:
        found = await own.counts(actor)
        total = sum(found.values())
        return Counts(total=total, by_color=dict(found), more=total >= MOST_COUNTED)

    return router


def _shown(one: Held) -> dict[str, Any]:
    return {
        "case": {
            "id": str(one.case_id),
            "process": one.process,
            "number": one.number,
            "title": one.title or None,
            "state": one.state,
            "phase": one.phase,
            "level": one.level,
            "community_id": one.community,
        },
        "color": one.color,
        "due_at": moment(one.due_at),
        "at": moment(one.at),
        "held_by": [
            {"role": who.role, "place": who.place, "org": who.org, "person": who.person} for who in one.holders
        ],
    }
