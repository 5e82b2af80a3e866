"""What is said beside a case, and following it: the same for every process (留言、关注).

Comments are no part of the history. Whoever may know of a case may read them, residents only those that are not
internal; whoever may not see who reported reads them masked.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.api.cases import KeyHeader, visible
from services.api.contacts import AUDITORS
from services.api.deps import ActorDep, BodyDep, Desk, DeskDep, ViewerDep
from services.api.door import idempotency_key
from services.api.errors import Invalid, Malformed, NotFound
from services.api.faults import Fault, faults
from services.api.forms import storable
from services.api.limits import TimedRoute
from services.api.views import Viewer, moment
from services.storage.comments import CHANGED_WITHIN, Comment, NotChanged, Saying
from workflows.kernel.masking import mask
from workflows.kernel.process import Actor, Case, Forbidden, Grant, GuardFailed, Process, derived_id
from workflows.kernel.roles import Role

MOST = 100
CommentId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Said = TypeVar("Said", bound=BaseModel)
MOST_FILES = 10


class NewComment(BaseModel):
    """What somebody says beside a case; `internal` is for those who work on cases only."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(storable)
    ]
    internal: bool = False
    attachments: Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(max_length=MOST_FILES)] = []


class ChangedComment(BaseModel):
    """What somebody says in the place of what he has said."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(storable)
    ]


class Talk(Protocol):
    """Where comments and followers are kept (services/storage/comments.py)."""

    async def comments(
        self, case_id: str, *, internal: bool, before: int | None = None, limit: int = 50
    ) -> tuple[Sequence[Comment], int | None]:
        """The last ones before a place, oldest first, and where the earlier ones begin."""

    async def say(self, saying: Saying) -> Comment:
        """Write one, once."""

    async def change(self, case_id: str, comment_id: str, *, author: str, text: str | None) -> Comment:
        """Change one's own, or take it back; raises `NotChanged`."""

    async def followers(self, case_id: str) -> Sequence[str]:
        """Who follows a case."""

    async def follow(self, case_id: str, person: str) -> None:
        """Follow it."""

    async def unfollow(self, case_id: str, person: str) -> None:
        """Follow it no longer."""


_REFUSALS: Mapping[str, Callable[[], Exception]] = {
    "UNKNOWN": NotFound,
    "OTHERS": lambda: Forbidden("NOT_YOUR_COMMENT"),
    "TOO_LATE": lambda: GuardFailed("COMMENT_STANDS"),
    "TAKEN_BACK": lambda: GuardFailed("COMMENT_TAKEN_BACK"),
}


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
        wanted = _read(body, NewComment)
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

    async def changed(desk: Desk, key: str, comment_id: str, viewer: Viewer, text: str | None) -> JSONResponse:
        case = (await visible(desk, process, key, viewer.actor)).case
        try:
            found = await talk.change(case.id, comment_id, author=viewer.actor.id, text=text)
        except NotChanged as no:
            raise _REFUSALS[no.why]() from None
        return JSONResponse(_shown(found, case, viewer))

    @router.patch(
        f"/{plural}/{{key}}/comments/{{comment_id}}",
        operation_id=f"{plural}.change_comment",
        summary=f"{process.zh}：修改自己的留言 / {process.en}: change one's own comment",
        tags=[plural],
        openapi_extra={"x-body": "ChangedComment"},
    )
    async def change(key: str, comment_id: CommentId, desk: DeskDep, viewer: ViewerDep, body: BodyDep) -> JSONResponse:
        return await changed(desk, key, comment_id, viewer, _read(body, ChangedComment).text)

    @router.delete(
        f"/{plural}/{{key}}/comments/{{comment_id}}",
        operation_id=f"{plural}.take_back_comment",
        summary=f"{process.zh}：收回自己的留言 / {process.en}: take one's own comment back",
        tags=[plural],
    )
    async def take_back(key: str, comment_id: CommentId, desk: DeskDep, viewer: ViewerDep) -> JSONResponse:
        return await changed(desk, key, comment_id, viewer, None)

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


def _read(body: bytes, wanted: type[Said]) -> Said:
    try:
        return wanted.model_validate_json(body or b"{}")
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
        "changed_at": moment(one.changed_at) if one.changed_at else None,
        "taken_back_at": moment(one.taken_back_at) if one.taken_back_at else None,
        "may_change": one.author == viewer.actor.id
        and one.taken_back_at is None
        and datetime.now(UTC) - one.created_at < CHANGED_WITHIN,
        "earlier": [
            {"text": mask(before.text) if veiled else before.text, "until": moment(before.until)}
            for before in (one.earlier if one.author == viewer.actor.id or _audits(viewer.actor, case) else ())
        ],
    }


def _audits(actor: Actor, case: Case[Any]) -> bool:
    """Whether somebody may read what comments said before they were changed."""
    return any(grant.role in AUDITORS and case.community.startswith(grant.place) for grant in actor.grants)
