"""`GET /overdue/counts`: how much is overdue, by place, owner, step and deadline (逾期统计)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from services.api.deps import ActorDep
from services.api.limits import TimedRoute
from services.api.questions import widest_place
from services.api.reach import require_staff
from workflows.kernel.process import Actor


class Counted(BaseModel):
    """Deadlines of one place, owner, step or kind: due soon, breached, long breached; `people` answer for an owner."""

    code: str
    name: str | None
    process: str | None
    blue: int
    yellow: int
    red: int
    oldest: AwareDatetime | None
    people: list[str]


class Counts(BaseModel):
    """What is overdue in a place, each list with the worst first."""

    place: str
    total: Counted
    by: Mapping[str, list[Counted]]


class Counting(Protocol):
    """Who counts."""

    async def of(self, actor: Actor, place: str) -> Mapping[str, Sequence[Any]]:
        """Count what this person may know of in a place."""


def overdue_router(counting: Counting) -> APIRouter:
    """Give the counts."""
    router = APIRouter(route_class=TimedRoute, tags=["questions"])

    @router.get(
        "/overdue/counts",
        operation_id="overdue_counts",
        summary="逾期统计：按地区、责任单位、步骤、时限 / how much is overdue, by place, owner, step and deadline",
    )
    async def counts(
        actor: ActorDep,
        place: Annotated[str, Query(max_length=12, pattern="^[0-9]*$", description="行政区划代码 / region")] = "",
    ) -> Counts:
        where = place or widest_place(actor)
        require_staff(actor, where)
        by = {name: [_counted(one) for one in rows] for name, rows in (await counting.of(actor, where)).items()}
        return Counts(place=where, total=_total(by["clock"]), by=by)

    return router


def _counted(row: Any) -> Counted:
    return Counted.model_validate(row, from_attributes=True)


def _total(rows: Sequence[Counted]) -> Counted:
    """Every deadline is of exactly one kind."""
    oldest = min((one.oldest for one in rows if one.oldest is not None), default=None)
    sums = {rung: sum(getattr(one, rung) for one in rows) for rung in ("blue", "yellow", "red")}
    return Counted(code="", name=None, process=None, oldest=oldest, people=[], **sums)
