"""Lists as somebody wants to see them again (常用视图); kept with the account, so that they are on every device."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.api.deps import ActorDep
from services.api.errors import Invalid
from services.api.faults import Fault
from services.api.limits import TimedRoute
from services.storage.saved_views import SavedView
from services.storage.view_tables import NAME, QUERY
from workflows.kernel.process import Actor

MOST = 50


class View(BaseModel):
    """A list as somebody wants to see it again."""

    model_config = ConfigDict(extra="forbid")

    list: Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,39}$", title="清单 / list")]
    name: Annotated[str, Field(min_length=1, max_length=NAME, title="名称 / name")]
    query: Annotated[str, Field(max_length=QUERY, title="筛选与列 / filters and columns, as an address has them")]


class Views(BaseModel):
    """All of them, in his own order."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[View], Field(max_length=MOST)]


class Kept(Protocol):
    """Where they are kept (services/storage/saved_views.py)."""

    async def of(self, actor: Actor) -> list[SavedView]:
        """What this person keeps."""

    async def replace(self, actor: Actor, views: Sequence[SavedView]) -> None:
        """Keep these and no others."""


def view_router(kept: Kept) -> APIRouter:
    """Give `/me/views`."""
    router = APIRouter(prefix="/me/views", tags=["people"], route_class=TimedRoute)

    @router.get("", operation_id="my_views", summary="我的常用视图 / lists as I want to see them again")
    async def views(actor: ActorDep) -> Views:
        return _shown(await kept.of(actor))

    @router.put("", operation_id="keep_views", summary="保存我的常用视图 / keep these and no others")
    async def keep(actor: ActorDep, body: Views) -> Views:
        named = [(one.list, one.name) for one in body.items]
        twice = next((place for place, one in enumerate(named) if one in named[:place]), None)
        if twice is not None:
            raise Invalid(Fault(f"items.{twice}.name", "repeated"))
        await kept.replace(actor, [SavedView(one.list, one.name, one.query) for one in body.items])
        return body

    return router


def _shown(views: Sequence[SavedView]) -> Views:
    return Views(items=[View(list=one.list, name=one.name, query=one.query) for one in views])
