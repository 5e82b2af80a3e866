"""One shape for every process: start, list, look, history, clocks, actions, commands, picture."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from weakref import WeakValueDictionary

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import to_json, to_jsonable_python

from services.api.actions import actions, forms, may_give, opening
from services.api.deps import PREFIX, ActorDep, BodyDep, Desk, DeskDep, LanguageDep, ViewerDep
from services.api.door import Letter, check_masked, expected_version, idempotency_key, read, start_facts
from services.api.errors import Invalid, NotFound
from services.api.faults import Fault
from services.api.forms import Form
from services.api.limits import TimedRoute
from services.api.moments import LostPlus
from services.api.names import knows_people
from services.api.ports import Filters, Known
from services.api.views import Viewer, case_view, event_view, local, moment, references_of, standing
from services.documents.bpmn import diagram
from services.engine import IdempotencyConflict
from services.engine import NotFound as NoSuchCase
from services.storage.ids import uuid7
from workflows.kernel.fields import Contact
from workflows.kernel.process import Actor, Case, Forbidden, Process, derived_id
from workflows.kernel.upkeep import RebasePolicy, RecomputeClocks
from workflows.policy.packs import pinned

PRIVACY = f'<{PREFIX}/public/privacy>; rel="privacy-policy"'
"""On the receipt of a case that says how somebody is reached: what that is for, and for how long."""
UPKEEP = (RebasePolicy, RecomputeClocks)
LIMIT = 50
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PERSON = re.compile(rf"{_ID.pattern}|contact:[0-9a-f]{{16}}")
MOST = 200
KEY_DOC = "同一个键重复提交只办理一次 / the same key is carried out once"
MATCH_DOC = '只在事项仍是此版本时办理，如 "5" / only when the case is still at this version'

KeyHeader = Annotated[str | None, Header(alias="Idempotency-Key", description=KEY_DOC)]
MatchHeader = Annotated[str | None, Header(alias="If-Match", description=MATCH_DOC)]


class Narrowed(BaseModel):
    """What a list is narrowed by, and its order."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[str | None, Field(max_length=64)] = None
    open: Annotated[bool | None, Field(description="在办 / still running")] = None
    oldest: Annotated[bool, Field(description="旧的在前 / oldest first")] = False
    step: Annotated[str | None, Field(max_length=64)] = None
    community_id: Annotated[str | None, Field(max_length=64)] = None
    level: Annotated[str | None, Field(max_length=8)] = None
    color: Literal["NONE", "BLUE", "YELLOW", "RED"] | None = None
    lead_org: Annotated[str | None, Field(max_length=64)] = None
    category_code: Annotated[str | None, Field(max_length=64)] = None
    month: Annotated[str | None, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")] = None
    q: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    created_from: Annotated[date | AwareDatetime | None, LostPlus] = None
    created_to: Annotated[date | AwareDatetime | None, LostPlus] = None


class ListQuery(Narrowed):
    """Which part of the list."""

    cursor: Annotated[str | None, Field(max_length=500)] = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = LIMIT


def case_router(process: Process[Any]) -> APIRouter:
    """Give the routes of one process, with a route of its own for each command."""
    router = APIRouter(prefix=f"/{process.plural}", tags=[process.plural], route_class=TimedRoute)
    _add_start(router, process)
    _add_reads(router, process)
    for one in forms(process).values():
        _add_command(router, process, one)
    return router


# --- start and command ----------------------------------------------------------------------------------


class Turns:
    """Lets the requests for one case id pass one after the other, so that only one of them is the first."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def one(self, case_id: str) -> AsyncIterator[None]:
        """Wait for the others."""
        lock = self._locks.get(case_id)
        if lock is None:
            lock = self._locks[case_id] = asyncio.Lock()
        async with lock:
            yield


def _add_start(router: APIRouter, process: Process[Any]) -> None:
    one = opening(process)
    turns = Turns()

    async def start(
        request: Request, desk: DeskDep, viewer: ViewerDep, body: BodyDep, idempotency: KeyHeader = None
    ) -> JSONResponse:
        letter = read(one, body)
        if one.publishes:
            check_masked(process, letter)
        key = idempotency_key(idempotency, viewer.actor)
        case_id = derived_id("open", process.name, viewer.actor.id, key) if idempotency else str(uuid7())
        envelope = await desk.door.envelope(
            letter,
            actor=viewer.actor,
            case_id=case_id,
            key=key,
            categories=desk.pack.categories,
            facts=start_facts(viewer.actor),
        )
        async with turns.one(case_id):
            earlier = await desk.reads.found(process, case_id) if idempotency else None
            receipt = await desk.engine.open(process, case_id, envelope)
        if receipt.body_hash != letter.body_hash:
            raise IdempotencyConflict("IDEMPOTENCY_CONFLICT")
        shown = await _shown(desk, process, case_id, receipt.version, viewer)
        answer = _case_response(shown, 201 if earlier is None else 200)
        answer.headers["Location"] = f"{request.url.path.rstrip('/')}/{case_id}"
        if any(isinstance(spot.marker, Contact) for spot in one.shape.spots):
            answer.headers["Link"] = PRIVACY
        return answer

    router.add_api_route(
        "",
        start,
        methods=["POST"],
        status_code=201,
        operation_id=one.name,
        summary=f"{one.zh} / {one.en}",
        description=one.command.__doc__,
        openapi_extra={"x-form": one.name, "x-process": process.name},
    )


def _add_command(router: APIRouter, process: Process[Any], one: Form) -> None:
    async def given(
        key: str,
        desk: DeskDep,
        viewer: ViewerDep,
        body: BodyDep,
        idempotency: KeyHeader = None,
        if_match: MatchHeader = None,
    ) -> JSONResponse:
        return await give(desk, process, one, key, viewer, body, idempotency, if_match)

    router.add_api_route(
        f"/{{key}}/commands/{one.name}",
        given,
        methods=["POST"],
        operation_id=f"{process.name}.{one.name}",
        summary=f"{one.zh} / {one.en}",
        description=one.command.__doc__,
        openapi_extra={"x-form": one.name, "x-process": process.name},
    )


async def give(
    desk: Desk,
    process: Process[Any],
    one: Form,
    case_key: str,
    viewer: Viewer,
    body: bytes,
    idempotency: str | None,
    if_match: str | None,
) -> JSONResponse:
    """Carry out one command and show the case after it; raises a `Refusal` or `EngineUnavailable`."""
    key = idempotency_key(idempotency, viewer.actor)
    if one.is_plain and one.command not in UPKEEP and _ID.fullmatch(case_key):
        # Most commands need nothing of the case at the door. Whoever may act may know of it, so that only a refusal
        # must look whether it is to be a 403 or a 404.
        with suppress(Invalid, Forbidden, NotFound, NoSuchCase):
            return await _give_plainly(desk, process, one, case_key, viewer, body, key, if_match)
    known = await desk.reads.known(viewer.actor, process, case_key)
    unseen = None if known else await _kept_up(desk, process, one, case_key, viewer.actor)
    known = known or unseen
    if known is None:
        known = await _given_before(desk, process, case_key, key) if idempotency else None
        if known is None:
            raise NotFound
        return await _repeated(desk, process, known, key, read(one, body), viewer)
    case = known.case
    try:
        letter = read(one, body)
        version = expected_version(if_match)
        envelope = await desk.door.envelope(
            letter,
            actor=viewer.actor,
            case_id=case.id,
            key=key,
            categories=pinned(case.pin.pack, case.pin.version, case.pin.sha).categories,
            version=version,
            case=case,
        )
    except Invalid:
        # Whoever may not give the command at all learns that first.
        _require_right(process, one, known, viewer.actor)
        raise
    if one.publishes:
        _require_right(process, one, known, viewer.actor)
        check_masked(process, letter)
    receipt = await desk.engine.command(process, case.id, envelope)
    if receipt.body_hash != letter.body_hash:
        raise IdempotencyConflict("IDEMPOTENCY_CONFLICT")
    shown = await _shown(desk, process, case.id, receipt.version, viewer)
    if unseen is not None:
        # He keeps the case going without knowing what it is about.
        shown |= {"title": None, "data": {"phase": shown["data"]["phase"]}}
    return _case_response(shown)


async def _kept_up(desk: Desk, process: Process[Any], one: Form, case_key: str, actor: Actor) -> Known | None:
    """A case that a tenant administrator does not see, for the commands of its upkeep alone (glossary §2)."""
    if one.command not in UPKEEP:
        return None
    known = await desk.reads.found(process, case_key)
    return known if known is not None and may_give(process, one.command, known.case, actor) else None


async def _give_plainly(
    desk: Desk,
    process: Process[Any],
    one: Form,
    case_id: str,
    viewer: Viewer,
    body: bytes,
    key: str,
    if_match: str | None,
) -> JSONResponse:
    letter = read(one, body)
    envelope = await desk.door.envelope(
        letter, actor=viewer.actor, case_id=case_id, key=key, categories={}, version=expected_version(if_match)
    )
    receipt = await desk.engine.command(process, case_id, envelope)
    return _case_response(await _shown(desk, process, case_id, receipt.version, viewer))


async def _given_before(desk: Desk, process: Process[Any], case_key: str, key: str) -> Known | None:
    """The case on which the caller once gave this command and which he may no longer know of, if any."""
    known = await desk.reads.found(process, case_key)
    if known is None or await desk.reads.done(known.case.id, key) is None:
        return None
    return known


async def _repeated(
    desk: Desk, process: Process[Any], known: Known, key: str, letter: Letter, viewer: Viewer
) -> JSONResponse:
    done = await desk.reads.done(known.case.id, key)
    if done is None or done[0] != letter.body_hash:
        raise IdempotencyConflict("IDEMPOTENCY_CONFLICT")
    return _case_response(await _shown(desk, process, known.case.id, done[1], viewer))


def _require_right(process: Process[Any], one: Form, known: Known, actor: Actor) -> None:
    if not may_give(process, one.command, known.case, actor):
        raise Forbidden("NOT_IN_ROLE", command=one.name)


async def _shown(desk: Desk, process: Process[Any], case_id: str, version: int, viewer: Viewer) -> dict[str, Any]:
    """The case at exactly the version that a command led to: the same answer for every repeat."""
    known = await desk.reads.found(process, case_id)
    if known is None or known.case.version != version:
        case = await desk.reads.at(process, case_id, version)
        known = Known(case, *standing(process, case))
    return await _view(desk, process, known, viewer)


async def _view(desk: Desk, process: Process[Any], known: Known, viewer: Viewer) -> dict[str, Any]:
    texts = known.texts
    if texts is None:
        texts = await desk.reads.texts(known.case.id, references_of(known.case))
    return case_view(process, known, texts, viewer, desk.codes)


class _CaseResponse(JSONResponse):
    """A case as JSON, by pydantic's compiled writer; it holds texts, numbers, lists and objects only."""

    def render(self, content: Any) -> bytes:
        return to_json(content)


def _case_response(shown: dict[str, Any], status: int = 200) -> JSONResponse:
    headers = {"ETag": f'"{shown["version"]}"', "Cache-Control": "no-store"}
    return _CaseResponse(shown, status, headers)


# --- reads ------------------------------------------------------------------------------------------------


async def visible(desk: Desk, process: Process[Any], key: str, actor: Actor) -> Known:
    """The case, or `NotFound` when there is none or the caller may not know of it."""
    known = await desk.reads.known(actor, process, key)
    if known is None:
        raise NotFound
    return known


@dataclass(frozen=True, slots=True)
class _About:
    """How the routes of a process are called in the documentation."""

    process: Process[Any]

    def route(self, name: str, zh: str, en: str) -> dict[str, Any]:
        return {
            "operation_id": f"{self.process.plural}.{name}",
            "summary": f"{self.process.zh}：{zh} / {self.process.en}: {en}",
            "openapi_extra": {"x-answer": name},
        }


def _add_reads(router: APIRouter, process: Process[Any]) -> None:
    about = _About(process)

    async def listed(desk: DeskDep, viewer: ViewerDep, query: Annotated[ListQuery, Query()]) -> dict[str, Any]:
        wanted = query.model_dump(exclude={"cursor", "limit"})
        try:
            page = await desk.reads.page(
                viewer.actor, process, Filters(**wanted), cursor=query.cursor, limit=query.limit
            )
        except ValueError:
            raise Invalid(Fault("cursor", "cursor")) from None
        items = [case_view(process, known, page.texts, viewer, desk.codes) for known in page.items]
        return {"items": items, "next_cursor": page.next_cursor}

    async def form(viewer: ViewerDep) -> dict[str, Any]:
        return opening(process).schema(viewer.language)

    async def one(key: str, desk: DeskDep, viewer: ViewerDep) -> JSONResponse:
        known = await visible(desk, process, key, viewer.actor)
        return _case_response(await _view(desk, process, known, viewer))

    async def events(key: str, desk: DeskDep, viewer: ViewerDep) -> dict[str, Any]:
        known = await visible(desk, process, key, viewer.actor)
        veiled, hidden = viewer.is_veiled(known.case), viewer.is_kept_from(known.case)
        return {
            "items": [
                event_view(entry, veiled=veiled, reader=viewer.actor.id, hidden=hidden)
                for entry in await desk.reads.events(known.case.id, viewer.actor)
            ]
        }

    async def clocks(key: str, desk: DeskDep, viewer: ViewerDep) -> list[dict[str, Any]]:
        known = await visible(desk, process, key, viewer.actor)
        shown: list[dict[str, Any]] = local(await desk.reads.clocks(known.case.id, viewer.actor))
        return [{"title": _clock_title(process, one["code"], viewer.language), **one} for one in shown]

    async def attached(key: str, desk: DeskDep, viewer: ViewerDep) -> list[dict[str, Any]]:
        case = (await visible(desk, process, key, viewer.actor)).case
        # Who uploaded one may be the reporter, who stays unnamed for some.
        unnamed = viewer.is_veiled(case) or viewer.is_kept_from(case) is not None
        return [_file(row, unnamed=unnamed) for row in await desk.reads.attached(case.id)]

    async def people(key: str, desk: DeskDep, viewer: ViewerDep) -> dict[str, Any]:
        case = (await visible(desk, process, key, viewer.actor)).case
        codes = people_of(case)
        named = await desk.people.display_names(codes) if knows_people(viewer.actor) else {}
        # Who has no account is named by what was written down of him; for those who work here only.
        unknown = [code for code in codes if code.startswith("contact:")] if viewer.is_staff(case) else []
        named |= await desk.reads.contact_names(case.id, unknown) if unknown else {}
        return {"items": [{"code": code, "name": named[code]} for code in codes if code in named]}

    async def named_form(name: str, viewer: ViewerDep) -> dict[str, Any]:
        found = forms(process).get(name)
        if found is None:
            raise NotFound
        return found.schema(viewer.language)

    async def possible(key: str, desk: DeskDep, viewer: ViewerDep) -> list[dict[str, Any]]:
        case = (await visible(desk, process, key, viewer.actor)).case
        policy = pinned(case.pin.pack, case.pin.version, case.pin.sha)
        return actions(process, case, viewer.actor, policy, datetime.now(UTC), viewer.language)

    async def picture(
        key: str, desk: DeskDep, actor: ActorDep, language: LanguageDep, highlight: bool = False
    ) -> Response:
        case = (await visible(desk, process, key, actor)).case
        here = case.position if highlight else None
        return Response(diagram(process, here=here, language=language), media_type="application/xml")

    def add(path: str, handler: Callable[..., Any], name: str, zh: str, en: str, **more: Any) -> None:
        router.add_api_route(path, handler, methods=["GET"], **about.route(name, zh, en), **more)

    add("", listed, "list", "列表，新的在前", "list, newest first")
    add("/opening", form, "opening", "新建时填写的内容", "what a new one is asked for")
    add("/forms/{name}", named_form, "form", "操作的填写内容", "what a command is asked for")
    add("/{key}", one, "case", "按编号查看", "one, by id or number")
    add("/{key}/events", events, "events", "办理过程，旧的在前", "history, oldest first")
    add("/{key}/clocks", clocks, "clocks", "各项时限及依据", "every deadline and why")
    add("/{key}/people", people, "people", "事项中的人选", "the people that it is about")
    add("/{key}/attachments", attached, "attachments", "附件目录", "its files")
    add("/{key}/actions", possible, "actions", "现在可以办理的操作", "what you may do now")
    add("/{key}/diagram", picture, "diagram", "流程图 BPMN 2.0", "BPMN 2.0", response_class=Response)


def people_of(case: Case[Any]) -> list[str]:
    """Whom a case is about, such as candidates: ids, and references to those without an account."""
    data = to_jsonable_python(case.data)
    held = [code for value in data.values() if isinstance(value, dict) for code in value]
    return list(dict.fromkeys(code for code in (*held, data.get("member") or "") if _PERSON.fullmatch(code)))


def _file(row: Mapping[str, Any], *, unnamed: bool) -> dict[str, Any]:
    return {
        "id": row["id"],
        "kind": row["kind"],
        "media_type": row["media_type"],
        "size": row["size"],
        "uploaded_by": None if unnamed else row["uploaded_by"],
        "uploaded_at": moment(row["uploaded_at"]),
    }


def _clock_title(process: Process[Any], code: str, language: str) -> str:
    rule = process.clock_rules.get(code)
    if rule is None:
        return code
    return rule.en if language == "en" else rule.zh
