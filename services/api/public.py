"""What everybody may see without signing in: one's own issue by number and check code, the notice board."""

import hashlib
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from services.api.deps import BodyDep, Desk, DeskDep, LanguageDep
from services.api.door import read
from services.api.errors import Invalid, Malformed, NotFound, TooMany
from services.api.faults import faults
from services.api.forms import form
from services.api.limits import TimedRoute
from services.api.ports import Known
from services.api.views import local, moment, references_of
from services.engine import IdempotencyConflict
from services.identity.throttle import Failures
from services.storage.prose import resolve
from workflows.kernel.calendar import CHINA
from workflows.kernel.masking import mask
from workflows.kernel.process import Actor, Case, Grant, GuardFailed, Process, WrongState
from workflows.kernel.roles import Role

MOST_REMEMBERED = 10_000
STEPS = {
    "COLLECT": ("征集意愿", "Collect wishes"),
    "RAISE": ("提出议题", "Raise the topic"),
    "DISCUSS": ("会议讨论", "Discuss"),
    "IMPLEMENT": ("组织实施", "Implement"),
    "FEEDBACK": ("结果反馈", "Feed back"),
}
CheckCode = Annotated[str, Query(min_length=1, max_length=16, description="查询码 / check code")]
Number = Annotated[str, Path(max_length=64)]


class Rating(BaseModel):
    """How satisfied the reporter is; given once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    satisfaction: Annotated[int, Field(ge=1, le=5, title="满意度")]
    solved: Annotated[Literal["YES", "PARTLY", "NO"] | None, Field(title="是否解决")] = None
    remark: Annotated[str | None, Field(min_length=1, max_length=500, title="备注")] = None


class Guesses:
    """Slows down whoever guesses the code of a number; forgets the oldest when full.

    Not by address: behind one gateway there may be a whole estate.
    """

    def __init__(self) -> None:
        self._failures: OrderedDict[str, Failures] = OrderedDict()

    def pause(self, number: str) -> None:
        """Raise `TooMany` while this number must wait."""
        pause = self._failures.get(number, Failures()).pause(datetime.now(UTC))
        if pause:
            raise TooMany("CHECK_CODE_TOO_OFTEN", pause)

    def count(self, number: str) -> None:
        """Count a wrong code."""
        self._failures[number] = self._failures.pop(number, Failures()).another(datetime.now(UTC))
        while len(self._failures) > MOST_REMEMBERED:
            self._failures.popitem(last=False)


def public_router(process: Process[Any]) -> APIRouter:
    """Give `/public/*`."""
    router = APIRouter(prefix="/public", route_class=TimedRoute, tags=["public"])
    guesses = Guesses()

    async def proven(desk: Desk, number: str, code: str) -> Known:
        """The issue of somebody who knows its code; number and code wrong are one and the same answer."""
        guesses.pause(number)
        known = await desk.reads.found(process, number)
        if known is None or not desk.codes.fits(known.case.id, code):
            guesses.count(number)
            raise NotFound
        return known

    @router.get(
        "/issues/{issue_no}",
        operation_id="public_issue",
        summary="凭查询码查看诉求进度 / follow an issue by its check code",
    )
    async def issue(issue_no: Number, check_code: CheckCode, desk: DeskDep, language: LanguageDep) -> dict[str, Any]:
        known = await proven(desk, issue_no, check_code)
        return await _progress(desk, process, known, language)

    @router.post(
        "/issues/{issue_no}/rating",
        operation_id="rate",
        summary="评价一次 / rate once",
        openapi_extra={"x-body": "Rating"},
    )
    async def rate(
        issue_no: Number, check_code: CheckCode, desk: DeskDep, body: BodyDep, language: LanguageDep
    ) -> dict[str, Any]:
        known = await proven(desk, issue_no, check_code)
        await _rate(desk, process, known.case, _rating(body))
        again = await desk.reads.found(process, issue_no)
        return await _progress(desk, process, again or known, language)

    @router.get(
        "/communities/{community_id}/board",
        operation_id="board",
        summary="公示栏 / notice board",
    )
    async def board(community_id: Annotated[str, Path(max_length=64)], desk: DeskDep) -> dict[str, Any]:
        found = (await desk.people.communities([community_id])).get(community_id)
        if found is None:
            raise NotFound
        today = datetime.now(UTC).astimezone(CHINA).date().replace(day=1)
        months = tuple(f"{month:%Y-%m}" for month in (today, today - timedelta(days=1)))
        shown: dict[str, Any] = local(_masked(dict(await desk.reads.board(community_id, months))))
        return {"community_id": found.code, "name": found.name, **shown}

    return router


def _rating(body: bytes) -> Rating:
    try:
        return Rating.model_validate_json(body)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False)
        if any(error["type"] == "json_invalid" or not error["loc"] for error in found):
            raise Malformed from None
        raise Invalid(*faults(found)) from None


async def _rate(desk: Desk, process: Process[Any], case: Case[Any], rating: Rating) -> None:
    """Let the reporter himself answer the return visit; one key for each issue, so it counts once."""
    actor = Actor(case.data.reporter_id or "check-code", "check-code", (Grant(Role.RESIDENT, case.community),))
    visit = form(process.commands["record_visit"])
    letter = read(visit, to_json({"contacted": True, **rating.model_dump(exclude_none=True)}))
    key = hashlib.sha256(f"rating|{case.id}".encode()).hexdigest()
    if await desk.reads.done(case.id, key) is not None or case.data.satisfaction is not None:
        raise GuardFailed("ALREADY_RATED", clause="api.md")
    envelope = await desk.door.envelope(letter, actor=actor, case_id=case.id, key=key, categories={})
    try:
        await desk.engine.command(process, case.id, envelope)
    except WrongState:
        raise GuardFailed("NOT_RATEABLE", clause="processes P1") from None
    except IdempotencyConflict:
        raise GuardFailed("ALREADY_RATED", clause="api.md") from None


async def _progress(desk: Desk, process: Process[Any], known: Known, language: str) -> dict[str, Any]:
    case = known.case
    texts = await desk.reads.texts(case.id, references_of(case))
    state = process.positions[case.position]
    step = STEPS.get(state.step, ("", ""))
    english = language == "en"
    shown: dict[str, Any] = _masked(
        {
            "number": case.number,
            "title": resolve(case.title, texts),
            "state": case.state,
            "state_title": state.en if english else state.zh,
            "step": state.step,
            "step_title": step[english],
            "community_id": case.community,
            "created_at": moment(case.opened_at),
            "updated_at": moment(case.updated_at),
            "closed_at": moment(case.closed_at),
            "next_due_at": moment(known.next_due_at),
            "result": resolve(case.data.public_text or "", texts) or None,
            "satisfaction": case.data.satisfaction,
            "can_rate": case.position == "RETURN_VISIT" and case.data.satisfaction is None,
        }
    )
    return shown


def _masked(value: Any, name: str = "") -> Any:
    """Mask whatever people wrote; numbers and codes of ours stay readable."""
    if isinstance(value, dict):
        return {key: _masked(inner, key) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner, name) for inner in value]
    return mask(value) if isinstance(value, str) and name in _TEXTS else value


_TEXTS = frozenset({"title", "result", "text", "public_text", "description", "measures", "place_text"})
