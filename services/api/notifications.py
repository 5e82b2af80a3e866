"""What somebody was told (通知): the list, as it happens, and the channels by which he wants to be told besides."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import time
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.api.deps import ActorDep, BodyDep, LanguageDep
from services.api.errors import Invalid, Malformed, NotFound
from services.api.faults import Fault, faults
from services.api.limits import TimedRoute
from services.api.views import moment
from services.channels.addresses import AddressRefused, scheme_of
from services.channels.messages import sentence
from services.storage.notifications import Channel, Notification, Wanted
from workflows.kernel.process import Actor, Forbidden
from workflows.kernel.roles import Role

LOOK_AGAIN = 15.0
"""Seconds after which a stream looks by itself, should a ring have been missed."""
STREAMED = 50
CONVENERS = frozenset({Role.PARTY_SECRETARY, Role.MEETING_SECRETARY, Role.SUBDISTRICT_OFFICER})
"""Who may give a body of his place a channel, besides an administrator."""
IdPath = Annotated[UUID, Path()]


class Inbox(Protocol):
    """Where notifications and channels are kept (services/storage/notifications.py)."""

    async def page(
        self, actor: Actor, *, unread: bool = False, after: str | None = None, limit: int = 50
    ) -> tuple[Sequence[Notification], str | None, int]:
        """What somebody was told, unread first; raises `ValueError` for a cursor of another list."""

    async def read(self, actor: Actor, notification_id: UUID) -> Notification | None:
        """Mark one as read; None when it is not his."""

    async def read_all(self, actor: Actor) -> int:
        """Mark all as read."""

    async def channels(self, *, person: str | None = None, body_id: UUID | None = None) -> Sequence[Channel]:
        """The channels of a person or a body."""

    async def add_channel(self, wanted: Wanted, *, person: str | None = None, body_id: UUID | None = None) -> UUID:
        """Write one."""

    async def owner(self, channel_id: UUID) -> tuple[str | None, UUID | None] | None:
        """The person or body whose channel it is."""

    async def close_channel(self, channel_id: UUID) -> None:
        """Send nothing more through it."""

    async def body_place(self, body_id: UUID) -> str | None:
        """Where a body sits."""


class Ringing(Protocol):
    """What tells a stream that there is something new; `ended` when this process is about to end."""

    ended: bool

    def heard(self, person: str) -> AbstractAsyncContextManager[asyncio.Event]:
        """An event that is set whenever this person has something new."""


class NewChannel(BaseModel):
    """A way by which somebody wants to be told besides (通知渠道)."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=5, max_length=1000, title="地址 / address")]
    body_id: Annotated[UUID | None, Field(title="会议主体 / body")] = None
    templates: Annotated[list[str], Field(max_length=100, title="通知类别，默认全部 / templates")] = []
    quiet_from: Annotated[time | None, Field(title="免打扰开始 / quiet from")] = None
    quiet_until: Annotated[time | None, Field(title="免打扰结束 / quiet until")] = None
    digest_at: Annotated[time | None, Field(title="每日汇总时间 / daily digest at")] = None
    language: Annotated[Literal["zh", "en"], Field(title="语言 / language")] = "zh"


def notification_router(inbox: Inbox, bell: Ringing) -> APIRouter:
    """Give `/notifications`."""
    router = APIRouter(prefix="/notifications", tags=["notifications"], route_class=TimedRoute)

    @router.get("", operation_id="notifications", summary="我的通知，未读在前 / my notifications, unread first")
    async def listed(
        actor: ActorDep,
        language: LanguageDep,
        unread: bool = False,
        cursor: Annotated[str | None, Query(max_length=500)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        try:
            items, following, count = await inbox.page(actor, unread=unread, after=cursor, limit=limit)
        except ValueError:
            raise Invalid(Fault("cursor", "cursor")) from None
        return {"items": [_shown(one, language) for one in items], "next_cursor": following, "unread": count}

    @router.post("/read", operation_id="read_notifications", summary="全部标为已读 / mark all as read")
    async def read_all(actor: ActorDep) -> dict[str, int]:
        return {"read": await inbox.read_all(actor)}

    @router.post("/{notification_id}/read", operation_id="read_notification", summary="标为已读 / mark as read")
    async def read(notification_id: IdPath, actor: ActorDep, language: LanguageDep) -> dict[str, Any]:
        found = await inbox.read(actor, notification_id)
        if found is None:
            raise NotFound
        return _shown(found, language)

    # Open for as long as somebody looks, so without the time limit of other routes.
    streaming = APIRouter(prefix="/notifications", tags=["notifications"])

    @streaming.get(
        "/stream",
        operation_id="notification_stream",
        summary="实时通知 / notifications as they happen",
        response_class=EventSourceResponse,
        openapi_extra={"x-answer": "stream"},
    )
    async def stream(actor: ActorDep, language: LanguageDep) -> AsyncIterator[ServerSentEvent]:
        async with bell.heard(actor.id) as rung:
            known: set[UUID] | None = None
            while not bell.ended:
                rung.clear()
                items, _, count = await inbox.page(actor, unread=True, limit=STREAMED)
                fresh = [one for one in reversed(items) if known is not None and one.id not in known]
                for one in fresh:
                    yield ServerSentEvent(data=_shown(one, language), event="notification", id=str(one.id))
                if known is None or fresh:
                    yield ServerSentEvent(data={"unread": count}, event="unread")
                known = (known or set()) | {one.id for one in items}
                try:
                    async with asyncio.timeout(LOOK_AGAIN):
                        await rung.wait()
                except TimeoutError:
                    yield ServerSentEvent(comment="still here")

    outer = APIRouter()
    outer.routes.extend([*streaming.routes, *router.routes, *_channel_router(inbox).routes])
    return outer


def _channel_router(inbox: Inbox) -> APIRouter:
    """Give `/channels`: one's own, and those of bodies for those who convene them."""
    router = APIRouter(prefix="/channels", tags=["notifications"], route_class=TimedRoute)

    @router.get("", operation_id="channels", summary="通知渠道 / channels")
    async def listed(actor: ActorDep, body_id: Annotated[UUID | None, Query()] = None) -> dict[str, Any]:
        if body_id is not None:
            await _require_body(inbox, actor, body_id)
            found = await inbox.channels(body_id=body_id)
        else:
            found = await inbox.channels(person=actor.id)
        return {"items": [_channel(one) for one in found]}

    @router.post(
        "",
        operation_id="new_channel",
        summary="新增通知渠道 / a new channel",
        status_code=201,
        openapi_extra={"x-body": "NewChannel"},
    )
    async def added(actor: ActorDep, body: BodyDep) -> dict[str, Any]:
        given = _read(body)
        if given.body_id is not None:
            await _require_body(inbox, actor, given.body_id)
        administrator = any(grant.role == Role.TENANT_ADMIN for grant in actor.grants)
        try:
            scheme = scheme_of(given.url, administrator=administrator)
        except AddressRefused as refused:
            raise Invalid(Fault("url", str(refused))) from None
        wanted = Wanted(
            url=given.url,
            scheme=scheme,
            templates=tuple(given.templates),
            quiet_from=given.quiet_from,
            quiet_until=given.quiet_until,
            digest_at=given.digest_at,
            language=given.language,
        )
        owner: dict[str, Any] = {"body_id": given.body_id} if given.body_id else {"person": actor.id}
        written = await inbox.add_channel(wanted, **owner)
        found = await inbox.channels(**owner)
        return next(_channel(one) for one in found if one.id == written)

    @router.delete("/{channel_id}", operation_id="close_channel", summary="停用通知渠道 / close it", status_code=204)
    async def closed(channel_id: IdPath, actor: ActorDep) -> Response:
        owner = await inbox.owner(channel_id)
        if owner is None:
            raise NotFound
        person, body_id = owner
        if body_id is not None:
            await _require_body(inbox, actor, body_id)
        elif person != actor.id:
            raise NotFound
        await inbox.close_channel(channel_id)
        return Response(status_code=204)

    return router


async def _require_body(inbox: Inbox, actor: Actor, body_id: UUID) -> None:
    """Let pass who convenes the body or administers its place; for others there is none."""
    place = await inbox.body_place(body_id)
    if place is None:
        raise NotFound
    allowed = (*CONVENERS, Role.TENANT_ADMIN)
    if not any(grant.role in allowed and place.startswith(grant.place) for grant in actor.grants):
        raise Forbidden("NOT_IN_ROLE")


def _read(body: bytes) -> NewChannel:
    try:
        given = NewChannel.model_validate_json(body)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False)
        if any(error["type"] == "json_invalid" or not error["loc"] for error in found):
            raise Malformed from None
        raise Invalid(*faults(found)) from None
    if (given.quiet_from is None) != (given.quiet_until is None):
        raise Invalid(Fault("quiet_until" if given.quiet_until is None else "quiet_from", "missing"))
    return given


def _shown(one: Notification, language: str) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "case": {
            "id": str(one.case_id),
            "process": one.told.process,
            "number": one.told.number,
            "title": one.told.title,
            "state": one.state,
        },
        "template": one.told.template,
        "text": sentence(one.told, language),
        "clock": one.told.clock or None,
        "due_at": moment(one.told.due_at),
        "urgent": one.urgent,
        "path": list(one.path),
        "created_at": moment(one.created_at),
        "read_at": moment(one.read_at),
    }


def _channel(one: Channel) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "body_id": str(one.body_id) if one.body_id else None,
        "scheme": one.scheme,
        "templates": list(one.templates),
        "quiet_from": _time(one.quiet_from),
        "quiet_until": _time(one.quiet_until),
        "digest_at": _time(one.digest_at),
        "language": one.language,
        "waiting": one.waiting,
        "dead": one.dead,
    }


def _time(at: time | None) -> str | None:
    return f"{at:%H:%M}" if at is not None else None
