"""What everybody may ask about his own data, and what operators may open of the engine's (个人信息, processes §0.7)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic_core import to_jsonable_python

from services.api.deps import ActorDep, BodyDep, LanguageDep
from services.api.errors import Malformed
from services.api.limits import TimedRoute
from services.api.views import local
from workflows.kernel.process import Actor, Forbidden
from workflows.kernel.roles import Role
from workflows.policy.pack import Pack

READERS = frozenset({Role.TENANT_ADMIN, Role.SUPERVISOR})
"""Who may open what the engine keeps: ids and references, never what people wrote."""

Opened = Callable[[bytes], Awaitable[bytes | None]]
"""Opens encrypted payloads of the engine, JSON to JSON; None when they are none or their key is not here."""

NOTICE = {
    "zh": (
        "我们收集您的姓名、电话和您写下的内容,只用于核实、办理、答复您的诉求和回访,依据《个人信息保护法》第十三条。姓名和电话加密保存,"
        "仅限经办人员因工作查阅,每次查阅都会留痕;您要求不告知被反映单位的,我们不告知。公开的内容都经过遮盖。"
        "联系方式在办结 {contact} 天后删除。您可以要求查阅、更正、删除您的个人信息,也可以匿名反映。"
    ),
    "en": (
        "Your name, your phone and what you write are collected only to verify, handle and answer your wish and to ask "
        "you afterwards whether it is settled (Personal Information Protection Law, article 13). Name and phone are "
        "kept encrypted, read only by those who handle the matter, and every reading is written down; they are hidden "
        "from the unit complained of when you ask for it. What is published is masked. Contact details are deleted "
        "{contact} days after the end. You may ask to see, correct or erase your data, or stay anonymous."
    ),
}


class Personal(Protocol):
    """Where what is kept of a person is gathered (services/storage/personal.py)."""

    async def of(self, actor: Actor) -> Mapping[str, Any] | None:
        """Everything that is kept of this person."""

    async def log(self, actor: Actor, *, entity: str, purpose: str) -> None:
        """Write down that somebody has read."""


def notice(pack: Pack, language: str) -> str:
    """What a person is told before he says who he is; times by the policy pack."""
    return NOTICE[language].format(contact=f"{pack.duration('retention.contact').value:g}")


def privacy_router(personal: Personal, opened: Opened, pack: Pack) -> APIRouter:
    """Give `/me/data`, `/public/privacy` and `/codec/decode`."""
    router = APIRouter(route_class=TimedRoute, tags=["privacy"])
    public = APIRouter(route_class=TimedRoute, tags=["public"])

    @router.get(
        "/me/data",
        operation_id="my_data",
        summary="查阅本人的个人信息 / everything that is kept of me",
    )
    async def my_data(actor: ActorDep) -> dict[str, Any]:
        found: dict[str, Any] = local(to_jsonable_python(await personal.of(actor) or {}))
        return found

    @public.get(
        "/public/privacy",
        operation_id="privacy_notice",
        summary="个人信息告知书 / why personal data are asked for, and for how long they are kept",
    )
    async def privacy_notice(language: LanguageDep) -> dict[str, str]:
        return {"text": notice(pack, language), "language": language}

    @router.post(
        "/codec/decode",
        operation_id="decode",
        summary="解开流程引擎中的加密内容(留痕) / open encrypted payloads of the engine (logged)",
        openapi_extra={"x-body": "Payloads"},
        dependencies=[Depends(_may_open)],
    )
    async def decode(actor: ActorDep, body: BodyDep) -> Response:
        clear = await opened(body)
        if clear is None:
            raise Malformed
        await personal.log(actor, entity="payloads", purpose="codec")
        return Response(clear, media_type="application/json")

    outer = APIRouter()
    outer.routes.extend([*router.routes, *public.routes])
    return outer


async def _may_open(actor: ActorDep) -> None:
    if not {grant.role for grant in actor.grants} & READERS:
        raise Forbidden("NOT_IN_ROLE")


__all__ = ["NOTICE", "Opened", "Personal", "notice", "privacy_router"]
