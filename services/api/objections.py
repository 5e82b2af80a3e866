"""Object to a public notice without an account, follow the answer, and reach who objected (processes §0.6)."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from services.api.actions import opening
from services.api.contacts import Purpose
from services.api.deps import ActorDep, BodyDep, DeskDep, LanguageDep
from services.api.door import idempotency_key, read, start_facts
from services.api.errors import Invalid, Malformed, NotFound
from services.api.faults import faults
from services.api.limits import TimedRoute
from services.api.public import CheckCode, Guesses
from services.api.reach import reaches
from services.api.views import moment, references_of
from services.storage.ids import uuid7
from services.storage.prose import resolve
from workflows.kernel.masking import mask
from workflows.kernel.process import Actor, Case, Forbidden, Grant, Process
from workflows.kernel.roles import Role
from workflows.objection.data import PUBLIC
from workflows.objection.process import STREET
from workflows.objection.rules import OPEN_TO_OBJECTIONS

Number = Annotated[str, Path(max_length=64)]


class Objecting(BaseModel):
    """Who objects, how he is reached, to what and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=50, title="姓名")]
    contact: Annotated[str, Field(min_length=1, max_length=30, title="联系方式")]
    ground: Annotated[str, Field(min_length=1, max_length=2000, title="异议理由")]
    about: Annotated[str | None, Field(max_length=64, title="异议对象")] = None


def objection_router(notice: Process[Any], objection: Process[Any]) -> APIRouter:
    """Give `/public/notices/{number}`, `…/objections`, `/public/objections/{number}`, `/objections/{key}/reporter`."""
    router = APIRouter(route_class=TimedRoute, tags=["public"])
    guesses = Guesses()
    form = opening(objection)

    @router.get(
        "/public/notices/{number}",
        operation_id="public_notice",
        summary="查看公示 / a notice, its period, and whether one may object",
    )
    async def posting(number: Number, desk: DeskDep, language: LanguageDep) -> dict[str, Any]:
        known = await desk.reads.found(notice, number)
        if known is None:
            raise NotFound
        case = known.case
        state, clock = notice.positions[case.position], case.clock("NOTICE")
        texts = await desk.reads.texts(case.id, references_of(case))
        return {
            "number": case.number,
            "kind": case.data.kind,
            "community_id": case.community,
            "title": mask(resolve(case.title, texts) or ""),
            "text": mask(resolve(case.data.text, texts) or ""),
            "area": case.data.area,
            "state": case.position,
            "state_title": state.en if language == "en" else state.zh,
            "posted_at": moment(case.data.posted_at),
            "ends_at": moment(clock.due_at if clock else case.data.ended_at),
            "open_to_objections": case.state in OPEN_TO_OBJECTIONS,
        }

    @router.post(
        "/public/notices/{number}/objections",
        operation_id="object_publicly",
        summary="对公示提出异议（保密） / object to a notice, in confidence",
        status_code=201,
        openapi_extra={"x-body": "Objecting"},
    )
    async def object_publicly(number: Number, desk: DeskDep, body: BodyDep) -> JSONResponse:
        found = await desk.reads.found(notice, number)
        if found is None:
            raise NotFound
        said = _objecting(body)
        fields = {
            "notice": found.case.id,
            "ground": said.ground,
            "about": said.about,
            "objector": {"name": said.name, "phone": said.contact},
        }
        letter = read(form, to_json({name: value for name, value in fields.items() if value is not None}))
        actor = Actor(PUBLIC, PUBLIC, (Grant(Role.RESIDENT, found.case.community),))
        case_id, key = str(uuid7()), idempotency_key(None, Actor(PUBLIC, PUBLIC, ()))
        envelope = await desk.door.envelope(
            letter, actor=actor, case_id=case_id, key=key, categories={}, facts=start_facts(actor)
        )
        await desk.engine.open(objection, case_id, envelope)
        raised = await desk.reads.found(objection, case_id)
        if raised is None:
            raise NotFound
        answer = {
            "number": raised.case.number,
            "check_code": desk.codes.of(case_id),
            "due_at": moment(raised.next_due_at),
        }
        return JSONResponse(answer, 201, {"Cache-Control": "no-store"})

    @router.get(
        "/public/objections/{number}",
        operation_id="public_objection",
        summary="凭查询码查看异议答复 / follow an objection by its check code",
    )
    async def follow(number: Number, check_code: CheckCode, desk: DeskDep, language: LanguageDep) -> dict[str, Any]:
        guesses.pause(number)
        known = await desk.reads.found(objection, number)
        if known is None or not desk.codes.fits(known.case.id, check_code):
            guesses.count(number)
            raise NotFound
        case = known.case
        state = objection.positions[case.position]
        texts = await desk.reads.texts(case.id, references_of(case))
        return {
            "number": case.number,
            "state": case.position,
            "state_title": state.en if language == "en" else state.zh,
            "created_at": moment(case.opened_at),
            "due_at": moment(known.next_due_at),
            "outcome": case.data.outcome,
            "answer": resolve(case.data.answer or "", texts) or None,
            "answered_at": moment(case.data.answered_at),
        }

    @router.get(
        f"/{objection.plural}/{{key}}/reporter",
        operation_id="objector",
        summary="查看异议人联系方式（留痕） / contact details of the objector (logged)",
    )
    async def objector(
        key: Number,
        desk: DeskDep,
        actor: ActorDep,
        purpose: Annotated[Purpose, Query(description="查阅目的 / what it is read for")],
    ) -> dict[str, Any]:
        known = await desk.reads.known(actor, objection, key)
        if known is None:
            raise NotFound
        _require_right(known.case, actor)
        contact = await desk.reads.reporter(known.case.id, actor=actor, purpose=purpose)
        if contact is None:
            raise NotFound("NO_CONTACT")
        return dict(contact)

    return router


def _objecting(body: bytes) -> Objecting:
    try:
        return Objecting.model_validate_json(body)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False)
        if any(error["type"] == "json_invalid" or not error["loc"] for error in found):
            raise Malformed from None
        raise Invalid(*faults(found)) from None


def _require_right(case: Case[Any], actor: Actor) -> None:
    """Whoever looks into it, and nobody with an interest in it."""
    if actor.id in case.data.interested:
        raise Forbidden("NOT_IN_ROLE")
    looks_into_it = actor.id in (case.data.investigator, case.data.reporter_id)
    if not looks_into_it and not reaches(actor, case.community, frozenset(STREET)):
        raise Forbidden("NOT_IN_ROLE")
