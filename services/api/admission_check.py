"""`POST /admission-check`: may this be asked of this community today (准入核查)? One item, or a thousand."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.api.deps import ActorDep, DeskDep, LanguageDep
from services.api.errors import Invalid
from services.api.faults import Fault
from services.api.limits import TimedRoute
from services.api.postgres import Database
from services.storage.coverage import Coverage, coverage
from services.texts.catalogue import catalogue
from workflows.kernel.calendar import CHINA

MOST = 1000
Code = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=300)]


class Item(BaseModel):
    """One item that somebody would ask of a community."""

    model_config = ConfigDict(extra="forbid")

    community_code: Code
    item_name: Name
    department: Code | None = None
    """Only permits of this organisation count."""


class Check(BaseModel):
    """One item, or `items`; each may name its own community, or all share one. `on` is today where it is not given."""

    model_config = ConfigDict(extra="forbid")

    community_code: Code | None = None
    item_name: Name | None = None
    department: Code | None = None
    items: Annotated[list[Item | Name], Field(min_length=1, max_length=MOST)] | None = None
    on: date | None = None

    @model_validator(mode="after")
    def one_or_many(self) -> "Check":
        """Either an item, or items; and a community for each."""
        if (self.items is None) == (self.item_name is None):
            raise PydanticCustomError("one_or_many", "give item_name or items")
        if self.community_code is None and (self.items is None or any(isinstance(one, str) for one in self.items)):
            raise PydanticCustomError("no_community", "community_code is missing")
        return self

    def asked(self) -> list[Item]:
        """Every item with its community."""
        given: list[Item | str] = [self.item_name] if self.item_name is not None else list(self.items or ())
        return [
            one
            if isinstance(one, Item)
            else Item(community_code=self.community_code or "", item_name=one, department=self.department)
            for one in given
        ]


def check_router(database: Database) -> APIRouter:
    """Give `/admission-check`; items of one community and department are answered by one statement."""
    router = APIRouter(tags=["admissions"], route_class=TimedRoute)

    @router.post(
        "/admission-check", operation_id="admission_check", summary="能否要求社区办理 / may it be asked of a community"
    )
    async def check(body: Check, desk: DeskDep, actor: ActorDep, language: LanguageDep) -> dict[str, Any]:
        asked = body.asked()
        known = await desk.people.communities({one.community_code for one in asked})
        unknown = sorted({one.community_code for one in asked} - set(known))
        if unknown:
            raise Invalid(*(Fault("community_code", "unknown_community", {"value": one}) for one in unknown))
        day = body.on or datetime.now(UTC).astimezone(CHINA).date()
        groups: dict[tuple[str, str | None], list[int]] = {}
        for place, one in enumerate(asked):
            groups.setdefault((one.community_code, one.department), []).append(place)
        answers: list[dict[str, Any]] = [{}] * len(asked)
        async with database.connect() as connection:
            for (community, department), places in groups.items():
                names = [asked[place].item_name for place in places]
                found = await coverage(connection, community, names, day, department=department)
                for place, answer in zip(places, found, strict=True):
                    answers[place] = _shown(asked[place], answer, language)
        return answers[0] if body.items is None else {"items": answers}

    return router


def _shown(item: Item, one: Coverage, language: str) -> dict[str, Any]:
    answer = {name: value for name, value in asdict(one).items() if value not in (None, [])}
    return {
        "community_code": item.community_code,
        "item_name": item.item_name,
        **answer,
        "reason": catalogue().say("coverage", one.because, language),
    }
