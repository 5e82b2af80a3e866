"""For those who run the product: figures for Prometheus, and what needs a hand."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from services.api.deps import ActorDep, DeskDep
from services.api.limits import TimedRoute
from services.api.views import local
from services.storage.outage import is_outage
from workflows.kernel.process import Forbidden
from workflows.kernel.roles import Role

Waiting = Callable[[], Awaitable[tuple[float, Mapping[str, int]]]]
"""Says how many seconds the oldest message without a reader waits, and how many deliveries wait or were given up."""
OPERATORS = frozenset({Role.TENANT_ADMIN, Role.SUPERVISOR})


def operation_router(registry: CollectorRegistry, waiting: Waiting | None = None) -> APIRouter:
    """Give `/metrics` and `/incidents`."""
    router = APIRouter(route_class=TimedRoute, tags=["operation"])
    oldest = Gauge("shangliang_outbox_oldest_seconds", "Age of the oldest message without a reader", registry=registry)
    held = Gauge("shangliang_deliveries", "Deliveries that wait or were given up", ["state"], registry=registry)

    @router.get(
        "/metrics",
        operation_id="metrics",
        summary="Prometheus 指标 / figures for Prometheus",
        response_class=Response,
        openapi_extra={"x-answer": "text"},
    )
    async def metrics() -> Response:
        if waiting is not None:
            try:
                age, states = await waiting()
            except Exception as error:
                # The other figures are wanted most of all when the database is away.
                if not is_outage(error):
                    raise
            else:
                oldest.set(age)
                for state, count in states.items():
                    held.labels(state).set(count)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/incidents", operation_id="incidents", summary="需人工处理的异常 / what needs a hand")
    async def incidents(
        desk: DeskDep, actor: ActorDep, limit: Annotated[int, Query(ge=1, le=200)] = 200
    ) -> dict[str, Any]:
        if not any(grant.role in OPERATORS for grant in actor.grants):
            raise Forbidden("NOT_IN_ROLE")
        return {"items": [local(dict(row)) for row in await desk.reads.incidents(actor, limit)]}

    return router
