"""Several commands on one case in one call, each with its own answer (批量办理): a meeting's decisions in a row."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from services.api.actions import forms
from services.api.cases import KeyHeader, give
from services.api.deps import Desk, DeskDep, ViewerDep
from services.api.errors import UNAVAILABLE, Invalid, answer, of_refusal
from services.api.faults import Fault
from services.api.limits import PatientRoute
from services.api.views import Viewer
from services.engine import EngineUnavailable
from workflows.kernel.process import Process, Refusal

MOST = 100


class Item(BaseModel):
    """One command with its fields."""

    model_config = ConfigDict(extra="allow")

    command: Annotated[str, Field(max_length=64)]


class Batch(BaseModel):
    """Commands that are carried out one after the other; one that is refused does not hold up the next."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[Item], Field(min_length=1, max_length=MOST)]


class ItemAnswer(BaseModel):
    """What became of one command: the case after it, or the problem."""

    status: int
    body: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None


class BatchAnswer(BaseModel):
    """The answers in the order of the commands."""

    items: list[ItemAnswer]


def batch_router(process: Process[Any]) -> APIRouter:
    """Give the route by which several commands come at once."""
    router = APIRouter(prefix=f"/{process.plural}", tags=[process.plural], route_class=PatientRoute)

    @router.post(
        "/{key}/commands",
        operation_id=f"{process.plural}.batch",
        summary=f"{process.zh}：批量办理，逐条答复 / {process.en}: several commands, answered one by one",
        response_model_exclude_none=True,
    )
    async def batch(
        request: Request, key: str, desk: DeskDep, viewer: ViewerDep, body: Batch, idempotency: KeyHeader = None
    ) -> BatchAnswer:
        language = request.headers.get("accept-language")
        items = [
            await _one(desk, process, key, viewer, item, f"{idempotency}#{place}" if idempotency else None, language)
            for place, item in enumerate(body.items)
        ]
        return BatchAnswer(items=items)

    return router


async def _one(
    desk: Desk,
    process: Process[Any],
    key: str,
    viewer: Viewer,
    item: Item,
    idempotency: str | None,
    language: str | None,
) -> ItemAnswer:
    form = forms(process).get(item.command)
    try:
        if form is None:
            raise Invalid(Fault("command", "unknown_command", {"value": item.command}))
        fields = to_json(item.model_extra or {})
        shown = await give(desk, process, form, key, viewer, fields, idempotency, None)
    except Refusal as no:
        return _problem(answer(of_refusal(no), language))
    except (EngineUnavailable, TimeoutError):
        return _problem(answer(UNAVAILABLE, language))
    return ItemAnswer(status=shown.status_code, body=json.loads(bytes(shown.body)))


def _problem(response: JSONResponse) -> ItemAnswer:
    return ItemAnswer(status=response.status_code, problem=json.loads(bytes(response.body)))
