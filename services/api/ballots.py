"""Anonymous upward assessment (下评上): the office hands out tokens; whoever holds one answers once, unknown."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from services.api.deps import ActorDep, Desk, DeskDep
from services.api.errors import NotFound
from services.api.limits import TimedRoute
from services.api.postgres import Database
from services.api.views import local
from services.storage.ballots import Paper, TokensIssued, answer, issue, opinions, paper, progress
from workflows.inspection.data import Ballot, BallotState
from workflows.inspection.process import INSPECTION
from workflows.kernel.process import Actor, Case, Forbidden, GuardFailed, WrongState
from workflows.kernel.roles import Role

UPWARD = "000 §三(三)2"
Token = Annotated[str, Path(min_length=10, max_length=64)]
Key = Annotated[str, Path(max_length=64)]


class Answer(BaseModel):
    """An answer: how satisfied, 1 to 5; without a rating it is not valid. The opinion is read by the office only."""

    model_config = ConfigDict(extra="forbid")

    rating: Annotated[int, Field(ge=1, le=5, title="满意度")] | None = None
    opinion: Annotated[str, Field(min_length=1, max_length=500, title="意见")] | None = None


def ballot_router(database: Database) -> APIRouter:
    """Give the ballots of inspections and `/public/ballots`."""
    router = APIRouter(route_class=TimedRoute)

    @router.post(
        "/inspections/{key}/ballot-tokens",
        operation_id="issue_ballot_tokens",
        summary="制作评议票，只给一次 / make the tokens, given once",
        status_code=201,
        tags=["inspections"],
    )
    async def issued(key: Key, desk: DeskDep, actor: ActorDep) -> dict[str, Any]:
        case, ballot = await _ballot(desk, actor, key)
        if ballot is None or ballot.state is not BallotState.COLLECTING:
            raise WrongState("WRONG_STATE", state=case.position, command="open_ballot")
        try:
            async with database.begin() as connection:
                tokens = await issue(connection, case.id, ballot.round, ballot.panel)
        except TokensIssued:
            raise GuardFailed("BALLOT_TOKENS_ISSUED", clause=UPWARD) from None
        return {"round": ballot.round, "panel": ballot.panel, "items": [{"token": one} for one in tokens]}

    @router.get(
        "/inspections/{key}/ballot",
        operation_id="ballot_progress",
        summary="评议进度，结束后可看意见 / how far it is; opinions once it is over",
        tags=["inspections"],
    )
    async def held(key: Key, desk: DeskDep, actor: ActorDep) -> dict[str, Any]:
        case, ballot = await _ballot(desk, actor, key)
        if ballot is None:
            raise NotFound
        async with database.connect() as connection:
            counts = await progress(connection, case.id, ballot.round)
            collecting = ballot.state is BallotState.COLLECTING
            said = [] if collecting else await opinions(connection, case.id, ballot.round)
        return {"round": ballot.round, "panel": ballot.panel, "state": ballot.state.value, **counts, "opinions": said}

    @router.get(
        "/public/ballots/{token}", operation_id="ballot_paper", summary="查看评议票 / look at a ballot", tags=["public"]
    )
    async def shown(token: Token) -> dict[str, Any]:
        async with database.connect() as connection:
            found = await paper(connection, token, datetime.now(UTC))
        if found is None:
            raise NotFound
        return _paper(found)

    @router.post(
        "/public/ballots/{token}",
        operation_id="answer_ballot",
        summary="匿名评议，只能一次 / answer anonymously, once",
        status_code=201,
        tags=["public"],
    )
    async def answered(token: Token, body: Answer) -> dict[str, Any]:
        async with database.begin() as connection:
            found = await paper(connection, token, datetime.now(UTC))
            if found is None:
                raise NotFound
            if found.used:
                raise GuardFailed("BALLOT_USED", clause=UPWARD)
            if not found.is_open:
                raise GuardFailed("BALLOT_CLOSED", clause=UPWARD)
            if not await answer(connection, token, body.rating, body.opinion):
                raise GuardFailed("BALLOT_USED", clause=UPWARD)
        return {"received": True}

    return router


async def _ballot(desk: Desk, actor: Actor, key: str) -> tuple[Case[Any], Ballot | None]:
    """The inspection and its ballot, for the office alone: the assessed body never sees a ballot."""
    known = await desk.reads.known(actor, INSPECTION, key)
    if known is None:
        raise NotFound
    place = known.case.community
    if not any(one.role == Role.OFFICE_REVIEWER and place.startswith(one.place) for one in actor.grants):
        raise Forbidden("NOT_IN_ROLE")
    return known.case, known.case.data.ballot


def _paper(found: Paper) -> dict[str, Any]:
    return {
        "unit": found.unit,
        "permit_no": found.permit_no,
        "communities": list(found.communities),
        "year": found.year,
        "closes_at": local(found.closes_at) if found.closes_at else None,
        "used": found.used,
        "open": found.is_open,
    }
