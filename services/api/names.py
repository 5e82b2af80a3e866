"""What codes stand for, and which codes a field may hold: names of organisations, places, people and categories."""

import re
from collections.abc import Collection
from typing import Annotated, Literal, Protocol

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.api.deps import ActorDep, DeskDep, LanguageDep
from services.api.limits import TimedRoute
from workflows.kernel.masking import mask
from workflows.kernel.process import Actor
from workflows.kernel.roles import STAFF, Role

MOST = 200
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHOWN = 20
# Those who handle cases; residents learn no names of people.
KNOWING = STAFF | {Role.UNIT_LIAISON, Role.DEPARTMENT_OFFICER, Role.TENANT_ADMIN, Role.LIAISON_LEADER}


class NamedCase(BaseModel):
    """What a case is called: `process` is the plural name, as in addresses."""

    process: str
    number: str
    title: str


class Names(BaseModel):
    """Names by code; a code that nobody knows, or may not know, is left out. Cases by id."""

    names: dict[str, str]
    cases: dict[str, NamedCase]


class Choice(BaseModel):
    """A code and what it stands for."""

    code: str
    name: str


class Choices(BaseModel):
    """What fits, the best first."""

    items: list[Choice]


class Search(Protocol):
    """Who finds names."""

    async def organizations(self, part: str) -> list[dict[str, str]]: ...

    async def communities(self, part: str) -> list[dict[str, str]]: ...

    async def people(self, part: str, places: list[str]) -> list[dict[str, str]]: ...

    async def cases(self, actor: Actor, ids: Collection[str]) -> dict[str, dict[str, str]]: ...

    async def find_cases(self, actor: Actor, part: str, process: str) -> list[dict[str, str]]: ...


def name_router(search: Search) -> APIRouter:
    """Give `/names` and `/names/{kind}`."""
    router = APIRouter(route_class=TimedRoute, tags=["questions"])

    @router.get("/names", operation_id="names", summary="代码对应的名称 / what codes stand for")
    async def names(
        desk: DeskDep,
        actor: ActorDep,
        language: LanguageDep,
        of: Annotated[list[str], Query(max_length=MOST)] = [],  # noqa: B006
    ) -> Names:
        codes = {code for code in of if 0 < len(code) <= 64}
        people = await desk.people.display_names(codes) if knows_people(actor) else {}
        places = await desk.people.regions(code for code in codes if code.isdigit())
        # A person's id and a case's have the same form.
        cases = await search.cases(actor, {code for code in codes - people.keys() if _ID.fullmatch(code)})
        orgs = await desk.people.organizations(codes - people.keys() - places.keys() - cases.keys())
        plurals = {process.name: process.plural for process in desk.door.processes.values()}
        found = {
            code: one.title_en if language == "en" else one.title
            for code, one in desk.pack.categories.items()
            if code in codes
        }
        found |= {code: place.name for code, place in places.items()}
        found |= {code: org.name for code, org in orgs.items()}
        return Names(
            names=found | people,
            cases={
                code: NamedCase(process=plurals[one["process"]], number=one["number"], title=mask(one["title"]))
                for code, one in cases.items()
                if one["process"] in plurals
            },
        )

    @router.get("/names/{kind}", operation_id="find_names", summary="按名称选取 / find what a field may hold")
    async def find(
        kind: Literal["organization", "community", "person", "category", "case"],
        desk: DeskDep,
        actor: ActorDep,
        language: LanguageDep,
        q: Annotated[str, Query(max_length=50)] = "",
        process: Annotated[str, Query(max_length=64, description="事项类型 / for cases: of which process")] = "",
    ) -> Choices:
        part = q.strip()
        if kind == "category":
            found = [
                {"code": one.code, "name": one.title_en if language == "en" else one.title}
                for one in desk.pack.categories.values()
            ]
            fits = [one for one in found if part.lower() in f"{one['code']} {one['name']}".lower()]
        elif kind == "person":
            places = [grant.place for grant in actor.grants if grant.role in KNOWING]
            fits = await search.people(part, places) if places else []
        elif kind == "case":
            fits = [{**one, "name": mask(one["name"])} for one in await search.find_cases(actor, part, process)]
        else:
            fits = await (search.organizations(part) if kind == "organization" else search.communities(part))
        return Choices(items=[Choice(**one) for one in fits[: None if kind == "category" else SHOWN]])

    return router


def knows_people(actor: Actor) -> bool:
    """Say whether somebody may learn names of people."""
    return any(grant.role in KNOWING for grant in actor.grants)
