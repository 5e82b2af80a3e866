"""What is said beside a case, and following it: the same for every process (留言、关注).

Comments are no part of the history. Whoever may know of a case may read them, residents only those that are not
internal; whoever may not see who reported reads them masked.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.api.cases import KeyHeader, visible
from services.api.deps import ActorDep, BodyDep, DeskDep, ViewerDep
from services.api.door import idempotency_key
from services.api.errors import Invalid, Malformed
from services.api.faults import Fault, faults
from services.api.forms import storable
from services.api.limits import TimedRoute
from services.api.views import Viewer, moment
from services.storage.comments import Comment, Saying
from workflows.kernel.masking import mask
from workflows.kernel.process import Actor, Case, Forbidden, Grant, Process, derived_id
from workflows.kernel.roles import Role

MOST = 100
MOST_FILES = 10


class NewComment(BaseModel):
    """What somebody says beside a case; `internal` is for those who work on cases only."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(storable)
    ]
    internal: bool = False
    attachments: Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(max_length=MOST_FILES)] = []


class Talk(Protocol):
    """Where comments and followers are kept (services/storage/comments.py)."""

    async def comments(
        self, case_id: str, *, internal: bool, before: int | None = None, limit: int = 50
    ) -> tuple[Sequence[Comment], int | None]:
        """The last ones before a place, oldest first, and where the earlier ones begin."""

    async def say(self, saying: Saying) -> Comment:
        """Write one, once."""

    async def followers(self, case_id: str) -> Sequence[str]:
        """Who follows a case."""

    async def follow(self, case_id: str, person: str) -> None:
        """Follow it."""

    async def unfollow(self, case_id: str, person: str) -> None:
        """Follow it no longer."""


def comment_router(processes: Sequence[Process[Any]], talk: Talk) -> APIRouter:
    """Give `/{plural}/{key}/comments` and `/{plural}/{key}/follow` of every process."""
    router = APIRouter(route_class=TimedRoute)
    for process in processes:
        _add(router, process, talk)
    return router


def _add(router: APIRouter, process: Process[Any], talk: Talk) -> None:
    plural = process.plural

    @router.get(
        f"/{plural}/{{key}}/comments",
        operation_id=f"{plural}.comments",
        summary=f"{process.zh}：留言与关注 / {process.en}: comments and followers",
        tags=[plural],
    )
    async def comments(
        key: str,
        desk: DeskDep,
        viewer: ViewerDep,
        before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> dict[str, Any]:
        case = (await visible(desk, process, key, viewer.actor)).case
        works = works_on_cases(viewer.actor)
        items, earlier = await talk.comments(case.id, internal=works, before=before, limit=limit)
        followers = await talk.followers(case.id)
        return {
            "items": [_shown(one, case, viewer) for one in items],
            "before": earlier,
            "following": viewer.actor.id in followers,
            # Residents learn no names of people.
            "followers": list(followers) if works else [],
        }

    @router.post(
        f"/{plural}/{{key}}/comments",
        operation_id=f"{plural}.comment",
        summary=f"{process.zh}：写留言 / {process.en}: comment",
        status_code=201,
        tags=[plural],
        openapi_extra={"x-body": "NewComment"},
    )
    async def comment(
        key: str, desk: DeskDep, viewer: ViewerDep, body: BodyDep, idempotency: KeyHeader = None
    ) -> JSONResponse:
        case = (await visible(desk, process, key, viewer.actor)).case
        wanted = _read(body)
        works = works_on_cases(viewer.actor)
        if not works and not viewer.is_reporter(case):
            # A neighbour may look at what is nobody's, and has no say in it.
            raise Forbidden("NOT_IN_ROLE")
        there = await desk.reads.attachments(wanted.attachments, viewer.actor)
        if missing := [n for n, one in enumerate(wanted.attachments) if one not in there]:
            raise Invalid(*(Fault(f"attachments.{n}", "unknown_attachment") for n in missing))
        grant = _grant(viewer.actor, case)
        said = await talk.say(
            Saying(
                id=derived_id("comment", case.id, idempotency_key(idempotency, viewer.actor)),
                case_id=case.id,
                author=viewer.actor.id,
                role=grant.role,
                org=grant.org,
                internal=wanted.internal and works,
                text=wanted.text,
                attachments=tuple(wanted.attachments),
            )
        )
        return JSONResponse(_shown(said, case, viewer), 201)

    @router.post(
        f"/{plural}/{{key}}/follow",
        operation_id=f"{plural}.follow",
        summary=f"{process.zh}：关注 / {process.en}: follow",
        status_code=204,
        tags=[plural],
    )
    async def follow(key: str, desk: DeskDep, actor: ActorDep) -> Response:
        await talk.follow((await visible(desk, process, key, actor)).case.id, actor.id)
        return Response(status_code=204)

    @router.delete(
        f"/{plural}/{{key}}/follow",
        operation_id=f"{plural}.unfollow",
        summary=f"{process.zh}：取消关注 / {process.en}: follow no longer",
        status_code=204,
        tags=[plural],
    )
    async def unfollow(key: str, desk: DeskDep, actor: ActorDep) -> Response:
        await talk.unfollow((await visible(desk, process, key, actor)).case.id, actor.id)
        return Response(status_code=204)


def works_on_cases(actor: Actor) -> bool:
    """Say whether somebody has to do with cases in an office, not only as a resident."""
    return any(grant.role not in (Role.RESIDENT, Role.SYSTEM) for grant in actor.grants)


def _read(body: bytes) -> NewComment:
    try:
        return NewComment.model_validate_json(body or b"{}")
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False)
        if any(error["type"] == "json_invalid" or not error["loc"] for error in found):
            raise Malformed from None
        raise Invalid(*faults(found)) from None


def _grant(actor: Actor, case: Case[Any]) -> Grant:
    """In which role somebody speaks here: in that of the narrowest place around the case, else in his first one."""
    here = [grant for grant in actor.grants if case.community.startswith(grant.place)]
    return max(here, key=lambda grant: (grant.role != Role.RESIDENT, len(grant.place)), default=actor.grants[0])


def _shown(one: Comment, case: Case[Any], viewer: Viewer) -> dict[str, Any]:
    hidden, veiled = viewer.is_kept_from(case), viewer.is_veiled(case)
    # The reporter stays unnamed for whoever may not know him; those who speak in an office do not.
    unnamed = one.author == hidden or (veiled and one.role == Role.RESIDENT)
    return {
        "id": one.id,
        "n": one.n,
        "author": None if unnamed else one.author,
        "role": one.role,
        "org": one.org,
        "internal": one.internal,
        "text": mask(one.text) if veiled else one.text,
        "attachments": list(one.attachments),
        "at": moment(one.created_at),
        "mine": one.author == viewer.actor.id,
    }
