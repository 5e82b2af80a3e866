"""The communities by name, for everybody: where a notice board is found."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.api.limits import TimedRoute

MOST = 200


class Place(BaseModel):
    """A community, its code, and the name of the subdistrict that it lies in."""

    code: str
    name: str
    within: str


class Places(BaseModel):
    """Communities in the order of their codes, at most two hundred."""

    items: list[Place]


class Finding(Protocol):
    """Who finds communities (services/storage/communities.py)."""

    async def found(self, part: str, codes: Sequence[str]) -> list[dict[str, str]]: ...


def community_router(communities: Finding) -> APIRouter:
    """Give `/public/communities`."""
    router = APIRouter(route_class=TimedRoute, tags=["public"])

    @router.get(
        "/public/communities",
        operation_id="public_communities",
        summary="按名称查找社区 / find communities by name",
    )
    async def communities_of(
        q: Annotated[str, Query(max_length=100)] = "",
        of: Annotated[list[Annotated[str, Query(max_length=12)]], Query(max_length=MOST)] = [],  # noqa: B006
    ) -> Places:
        return Places(items=[Place(**one) for one in await communities.found(q.strip(), of)])

    return router
