"""What every kind of master data shares in the API: who may keep it, its version, its list, one row."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_jsonable_python

from services.api.door import expected_version
from services.api.errors import Invalid, NotFound
from services.api.faults import Fault
from services.api.views import moment
from workflows.kernel.process import Actor, Forbidden
from workflows.kernel.roles import Role

MATCH_DOC = '只在仍是此版本时修改，如 "5" / only when it is still at this version'
Cursor = Annotated[str | None, Query(max_length=500)]
Limit = Annotated[int, Query(ge=1, le=200)]
Match = Annotated[str | None, Header(alias="If-Match", description=MATCH_DOC)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
RegionCode = Annotated[str, Field(pattern=r"^[0-9]{2,12}$")]
CommunityCode = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
Count = Annotated[int, Field(ge=0, le=10_000_000)]
Username = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Someone = Annotated[str, Field(min_length=1, max_length=64, description="用户名或人员 id / username or id")]
OrgCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]


class Body(BaseModel):
    """A body in which every field is known."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """What the caller said, whether or not he said it is empty."""
        return self.model_dump(exclude_unset=True)


def kept_places(actor: Actor) -> tuple[str, ...]:
    """The places whose master data this person keeps; raises `Forbidden` when there is none."""
    places = tuple(grant.place for grant in actor.grants if grant.role == Role.TENANT_ADMIN)
    if not places:
        raise Forbidden("NOT_IN_ROLE")
    return places


def require_keeper(actor: Actor, place: str) -> None:
    """Let in whoever keeps the master data of a place; raises `Forbidden`."""
    if not place.startswith(kept_places(actor)):
        raise Forbidden("NOT_IN_ROLE")


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row as JSON: moments in Beijing time, ids as text."""
    return {name: _plain(value) for name, value in row.items()}


def answer(row: Mapping[str, Any] | None, status: int = 200, *, location: str = "") -> JSONResponse:
    """One row with its version as ETag; raises `NotFound` for none."""
    if row is None:
        raise NotFound
    headers = {"ETag": f'"{row["version"]}"'} if "version" in row else {}
    if location:
        headers["Location"] = location
    return JSONResponse(shown(row), status, headers)


def listed(page: tuple[Sequence[Mapping[str, Any]], str | None]) -> dict[str, Any]:
    """Part of a list."""
    return {"items": [shown(row) for row in page[0]], "next_cursor": page[1]}


def version_of(if_match: str | None) -> int | None:
    """The version that a change is meant for."""
    return expected_version(if_match)


def foreign_cursor() -> Invalid:
    """The refusal of a cursor that another list gave."""
    return Invalid(Fault("cursor", "cursor"))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, UUID | date):
        return str(value)
    return to_jsonable_python(value)
