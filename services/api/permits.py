"""The register of permits (准入登记): for those who work with it, for everybody, and for who holds a permit in hand."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.api.deps import ActorDep, Desk, DeskDep, LanguageDep
from services.api.errors import Invalid, NotFound
from services.api.faults import Fault
from services.api.limits import TimedRoute
from services.api.public import Guesses
from services.api.questions import Span, span
from services.api.tables import Column, Says, table_response
from services.api.views import local
from workflows.kernel.calendar import CHINA
from workflows.kernel.masking import mask
from workflows.kernel.process import SYSTEM, Actor, Asked, Process

COLUMNS = (
    Column("permit_no", "批准文书号", "Permit"),
    Column("item", "事项", "Item"),
    Column("variant", "准入对象", "Variant", Says.CODE, "Variant"),
    Column("applicant_name", "申请单位", "Applicant"),
    Column("communities", "社区", "Communities", Says.NAME),
    Column("state", "状态", "State", Says.STATE, "admission"),
    Column("valid_from", "起期", "Valid from"),
    Column("valid_until", "止期", "Valid until"),
    Column("promised", "落实经费(元)", "Promised, CNY"),
    Column("paid", "已拨付(元)", "Paid, CNY"),
)
PUBLIC = (
    "permit_no",
    "variant",
    "item",
    "scope",
    "applicant_org",
    "applicant_name",
    "communities",
    "state",
    "phase",
    "delivery_mode",
    "valid_from",
    "valid_until",
    "registered_at",
)
"""What everybody may read of a line (公开登记)."""
MASKED = ("item", "scope")

Code = Annotated[str | None, Field(max_length=64)]
PermitNo = Annotated[str, Path(max_length=64)]
CheckCode = Annotated[str, Query(min_length=1, max_length=16, description="查询码 / check code")]


class RegisterQuery(BaseModel):
    """What the register is narrowed by; `community` may be any region code, `expiring_within` a span such as 60d."""

    model_config = ConfigDict(extra="forbid")

    state: Code = None
    community: Code = None
    org: Code = None
    expiring_within: Span | None = None
    cursor: Annotated[str | None, Field(max_length=500)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


def permit_router(process: Process[Any]) -> APIRouter:
    """Give `/permits` and `/public/permits`."""
    router = APIRouter(route_class=TimedRoute, tags=["permits"])
    guesses = Guesses()

    @router.get(
        "/permits",
        operation_id="permits",
        summary="准入登记，先到期的在前 / register of permits, what ends first in front",
        openapi_extra={"x-answer": "table"},
        response_model=None,
    )
    async def permits(
        request: Request,
        desk: DeskDep,
        actor: ActorDep,
        language: LanguageDep,
        query: Annotated[RegisterQuery, Query()],
    ) -> Response | dict[str, Any]:
        page = await _register(desk, actor, query)
        items = [_titled(process, row, language) for row in page["items"]]
        as_file = await table_response(request, COLUMNS, items, "permits", language)
        return as_file or {"items": items, "next_cursor": page["next_cursor"]}

    @router.get(
        "/permits/unpaid",
        operation_id="unpaid_instalments",
        summary="未拨付经费，拖欠最久的在前 / instalments that nobody has paid, the longest owed first",
    )
    async def owed(
        desk: DeskDep,
        actor: ActorDep,
        within: Annotated[Span | None, Query(description="多久内到期，如 30d / due within, such as 30d")] = None,
    ) -> dict[str, Any]:
        about = {"due_by": _in(within).isoformat()} if within else {}
        found: dict[str, Any] = local(await desk.reads.answer(_asked("unpaid_instalments", about, actor)))
        return found

    @router.get(
        "/public/permits",
        operation_id="public_permits",
        summary="准入公开登记 / public register of permits",
    )
    async def everybody(
        desk: DeskDep, language: LanguageDep, query: Annotated[RegisterQuery, Query()]
    ) -> dict[str, Any]:
        page = await _register(desk, None, query)
        items = [_public(_titled(process, row, language)) for row in page["items"]]
        return {"items": items, "next_cursor": page["next_cursor"]}

    @router.get(
        "/public/permits/{permit_no}",
        operation_id="public_permit",
        summary="凭文书号和查询码核验准入批准 / verify a permit by its number and check code",
    )
    async def verified(
        permit_no: PermitNo, check_code: CheckCode, desk: DeskDep, language: LanguageDep
    ) -> dict[str, Any]:
        guesses.pause(permit_no)
        about = {"permit_no": permit_no, "public": True}
        found = (await desk.reads.answer(_asked("permit_register", about, SYSTEM)))["items"]
        if not found or not desk.codes.fits(found[0]["case_id"], check_code):
            guesses.count(permit_no)
            raise NotFound
        line = _public(_titled(process, found[0], language))
        # A number that a renewal has replaced is no longer that of the permit in force.
        return {**line, "asked_for": permit_no, "current": line["permit_no"] == permit_no}

    return router


async def _register(desk: Desk, actor: Actor | None, query: RegisterQuery) -> dict[str, Any]:
    about = query.model_dump(exclude_none=True)
    if (within := about.pop("expiring_within", None)) is not None:
        about["expiring_by"] = _in(within).isoformat()
    if actor is None:
        about["public"] = True
    try:
        page: dict[str, Any] = local(await desk.reads.answer(_asked("permit_register", about, actor or SYSTEM)))
    except ValueError:
        raise Invalid(Fault("cursor", "cursor")) from None
    return page


def _asked(name: str, about: dict[str, Any], actor: Actor) -> Asked:
    return Asked(name=name, about=about, now=datetime.now(UTC), actor=actor)


def _in(within: str) -> date:
    return (datetime.now(UTC).astimezone(CHINA) + span(within)).date()


def _titled(process: Process[Any], row: dict[str, Any], language: str) -> dict[str, Any]:
    position = f"{row['state']}:{row['phase']}" if row["phase"] else row["state"]
    state = process.positions[position]
    return {**row, "state_title": state.en if language == "en" else state.zh}


def _public(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: row[name] for name in (*PUBLIC, "state_title")}
    return shown | {name: mask(shown[name]) for name in MASKED}
