"""What somebody needs while he writes an issue down: the kinds of issues, and whether it is known already."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.deps import ActorDep, DeskDep, LanguageDep, ViewerDep
from services.api.limits import TimedRoute
from services.api.views import case_view
from workflows.kernel.process import Process
from workflows.policy.pack import Category


class CategoryShown(BaseModel):
    """A kind of issue of the policy pack in force: how it is handled, and what it was taken from."""

    code: str
    path: Annotated[list[str], Field(title="大类到小类 / from the general to the special")]
    note: str
    danger: bool
    mode: Annotated[str | None, Field(title="办理方式 / handling mode")]
    clock_class: Annotated[str | None, Field(title="时限类别 / clock class")]
    leads: Annotated[list[str], Field(title="通常由谁办 / who usually handles it")]
    personal: Annotated[bool, Field(title="涉及个人情况 / tells something about a person")]
    clause: str
    basis: str


class Categories(BaseModel):
    """All that fit."""

    items: list[CategoryShown]


@dataclass(frozen=True, slots=True)
class _Said:
    """A category in the caller's language."""

    one: Category
    english: bool

    def shown(self) -> CategoryShown:
        one = self.one
        return CategoryShown(
            code=one.code,
            path=list(one.path_en if self.english else one.path),
            note=one.note_en if self.english else one.note,
            danger=one.danger,
            mode=one.mode,
            clock_class=one.clock_class,
            leads=list(one.leads_en if self.english else one.leads),
            personal=one.personal,
            clause=one.clause,
            basis=one.basis,
        )


def intake_router(process: Process[Any]) -> APIRouter:
    """Give `/categories` and `/issues/similar`; `process` is that of issues."""
    router = APIRouter(route_class=TimedRoute, tags=[process.plural])

    @router.get("/categories", operation_id="categories", summary="诉求类别 / kinds of issues")
    async def categories(
        desk: DeskDep,
        actor: ActorDep,
        language: LanguageDep,
        q: Annotated[str, Query(max_length=50, description="代码或名称的一部分 / a part of code or name")] = "",
    ) -> Categories:
        part = q.strip().lower()
        every = [_Said(one, language == "en").shown() for one in desk.pack.categories.values()]
        return Categories(items=[one for one in every if part in f"{one.code} {' '.join(one.path)}".lower()])

    @router.get(
        f"/{process.plural}/similar",
        operation_id="similar_issues",
        summary="相似的在办诉求 / running issues that say much the same",
    )
    async def similar(
        desk: DeskDep,
        viewer: ViewerDep,
        community_id: Annotated[str, Query(pattern=r"^[0-9]{12}$")],
        q: Annotated[str, Query(min_length=1, max_length=200)],
    ) -> dict[str, Any]:
        found, texts = await desk.reads.similar(viewer.actor, process, community_id, q.strip())
        return {
            "items": [
                {"likeness": round(likeness, 2), **case_view(process, known, texts, viewer)}
                for known, likeness in found
            ]
        }

    return router
