"""Calendars that programs subscribe to: of a person and of a body, opened by a secret link (日历订阅)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from services.api.deps import PREFIX, ActorDep, Desk, DeskDep, LanguageDep
from services.api.errors import NotFound
from services.api.limits import TimedRoute
from services.documents.calendars import Entry, at_local, calendar_of
from services.storage.feeds import Sitters, Sitting
from services.storage.worklist import Work
from services.texts.catalogue import catalogue
from workflows.kernel.masking import mask
from workflows.kernel.process import Actor

TENTATIVE = frozenset({"AGENDA_OPEN", "AGENDA_FROZEN"})
TokenQuery = Annotated[str, Query(min_length=1, max_length=64, description="订阅密钥 / secret of the link")]
ICS = "text/calendar; charset=utf-8"


class Links(Protocol):
    """Where the secrets of links are kept."""

    async def new_link(self, actor: Actor) -> str:
        """Give a new secret; the one before opens nothing any more."""

    async def revoke_link(self, actor: Actor) -> bool:
        """Take it away; False when there was none."""

    async def holder(self, token: str) -> str | None:
        """The person whose calendars a secret opens."""


class Diary(Protocol):
    """What stands in calendars."""

    async def sittings(self, actor: Actor, now: datetime) -> Sequence[Sitting]:
        """The meetings of a person."""

    async def owed(self, actor: Actor) -> Sequence[Work]:
        """What he owes until a certain time."""

    async def bodies(self, actor: Actor, now: datetime) -> Sequence[Sitters]:
        """The bodies in which he sits."""

    async def of_body(self, body_id: UUID, actor: Actor, now: datetime) -> tuple[Sitters, Sequence[Sitting]] | None:
        """A body's meetings, for those who may know of them."""

    async def names(self, codes: Sequence[str]) -> dict[str, str]:
        """What places are called."""


class BodyFeed(BaseModel):
    """A body's calendar."""

    body_id: str
    name: str
    url: str


class Feeds(BaseModel):
    """The links of a person, shown once: whoever has them reads his dates."""

    token: str
    url: str
    bodies: list[BodyFeed]


def feed_router(links: Links, diary: Diary, public_url: str = "") -> APIRouter:
    """Give `/feeds`."""
    router = APIRouter(prefix="/feeds", tags=["feeds"], route_class=TimedRoute)

    async def person_of(desk: Desk, token: str) -> Actor:
        holder = await links.holder(token)
        actor = await desk.people.actor(holder) if holder is not None else None
        if actor is None:
            raise NotFound
        return actor

    @router.post("/me", operation_id="new_feed", summary="生成日历订阅链接，旧链接失效 / a new link", status_code=201)
    async def new_feed(request: Request, actor: ActorDep) -> Feeds:
        base = f"{(public_url or str(request.base_url)).rstrip('/')}{PREFIX}/feeds"
        token = await links.new_link(actor)
        mine = await diary.bodies(actor, datetime.now(UTC))
        return Feeds(
            token=token,
            url=f"{base}/me.ics?token={token}",
            bodies=[
                BodyFeed(body_id=str(one.id), name=one.name, url=f"{base}/bodies/{one.id}.ics?token={token}")
                for one in mine
            ],
        )

    @router.delete("/me", operation_id="revoke_feed", summary="停用日历订阅链接 / revoke the link", status_code=204)
    async def revoke_feed(actor: ActorDep) -> Response:
        if not await links.revoke_link(actor):
            raise NotFound
        return Response(status_code=204)

    @router.get(
        "/me.ics",
        operation_id="my_feed",
        summary="我的日历：会议和待办时限 / my meetings and deadlines",
        response_class=Response,
        openapi_extra={"x-answer": "calendar"},
    )
    async def my_feed(token: TokenQuery, desk: DeskDep, language: LanguageDep) -> Response:
        actor = await person_of(desk, token)
        sittings = await diary.sittings(actor, datetime.now(UTC))
        names = await diary.names([one.community for one in sittings])
        entries = [_meeting(one, names, language) for one in sittings]
        entries += [_owed(one, language) for one in await diary.owed(actor)]
        return _calendar(catalogue().say("word", "my_calendar", language), entries)

    @router.get(
        "/bodies/{body_id}.ics",
        operation_id="body_feed",
        summary="会议主体的日历 / meetings of a body",
        response_class=Response,
        openapi_extra={"x-answer": "calendar"},
    )
    async def body_feed(
        body_id: Annotated[UUID, Path()], token: TokenQuery, desk: DeskDep, language: LanguageDep
    ) -> Response:
        actor = await person_of(desk, token)
        found = await diary.of_body(body_id, actor, datetime.now(UTC))
        if found is None:
            raise NotFound
        body, sittings = found
        names = await diary.names([one.community for one in sittings])
        return _calendar(body.name, [_meeting(one, names, language) for one in sittings])

    return router


def _meeting(one: Sitting, names: dict[str, str], language: str) -> Entry:
    words = catalogue()
    kinds = [words.say("value", kind, language) for kind in (one.type, one.joint_with) if kind]
    status = "CANCELLED" if one.state == "CANCELLED" else "TENTATIVE" if one.state in TENTATIVE else "CONFIRMED"
    return Entry(
        uid=f"meeting-{one.id}",
        at=one.at,
        summary=f"{names.get(one.community, one.community)} {'、'.join(kinds)}",
        changed=one.updated_at,
        sequence=one.version,
        location=one.place,
        description=one.number,
        status=status,
    )


def _owed(one: Work, language: str) -> Entry:
    assert one.due_at is not None, "only what has a time is in a calendar"
    words: dict[str, Any] = {"number": one.number, "title": mask(one.title), "due": at_local(one.due_at)}
    return Entry(
        uid=f"due-{one.case_id}",
        at=one.due_at,
        summary=catalogue().say("word", "due_entry", language, **words),
        changed=one.due_at,
        lasts=None,
        description=", ".join(one.commands),
    )


def _calendar(name: str, entries: Sequence[Entry]) -> Response:
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": 'inline; filename="shangliang.ics"'}
    return Response(calendar_of(name, entries), headers=headers, media_type=ICS)
