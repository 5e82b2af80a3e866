"""Say whether the service lives, and whether it could carry out a command now."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

Probe = Callable[[], Awaitable[bool]]

RETRY_AFTER_SECONDS = 2


class Live(BaseModel):
    """The process answers."""

    status: str = "live"


class Ready(BaseModel):
    """What was asked, and whether it answered."""

    status: str
    checks: dict[str, bool]


def health_router(probes: Mapping[str, Probe]) -> APIRouter:
    """Give `/health/live` and `/health/ready`; ready is when every one of the `probes` is true.

    A probe bounds its own waiting and never raises.
    """
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live", summary="进程在运行 / the process is up")
    async def live() -> Live:
        return Live()

    @router.get(
        "/ready",
        summary="数据库、引擎、工作进程都在应答 / database, engine and a worker answer",
        response_model=Ready,
        responses={503: {"description": "至少一项没有应答 / at least one does not answer", "model": Ready}},
    )
    async def ready() -> JSONResponse:
        answers = await asyncio.gather(*(probe() for probe in probes.values()))
        checks = dict(zip(probes, answers, strict=True))
        if all(answers):
            return JSONResponse(Ready(status="ready", checks=checks).model_dump())
        return JSONResponse(
            Ready(status="not_ready", checks=checks).model_dump(),
            status_code=503,
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )

    return router
