"""`GET /meetings/{key}/standing`: who sits in a meeting, whether it is quorate, and how each vote stands (会议实况).

The arithmetic is that of the rules, so that what a screen shows is what the next command will find.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from services.api.cases import visible
from services.api.deps import ActorDep, Desk, DeskDep
from services.api.limits import TimedRoute
from services.api.views import Viewer
from workflows.kernel.process import Actor, Asked, Case
from workflows.meeting.counting import (
    Bar,
    awaited,
    here,
    is_insufficient,
    is_quorate,
    majority,
    mode,
    quorum,
    recused,
    result,
    strength,
    tally,
    voting,
)
from workflows.meeting.data import ItemState, Meeting, MeetingType, Seat
from workflows.meeting.people import CLERK, acts_as
from workflows.meeting.process import MEETING
from workflows.meeting.votes import has_votes
from workflows.policy.packs import pinned

BEFORE = ("AGENDA_OPEN", "AGENDA_FROZEN", "NOTICED", "INQUORATE")
OPEN = (ItemState.ADMITTED, ItemState.OPENED)


class Threshold(BaseModel):
    """What a count must reach: `needed` of `base`, and how many there are; `clause` says why."""

    needed: int | None
    base: int
    reached: bool
    clause: str


class SeatStanding(BaseModel):
    """A seat of a body: a person's, or an organisation's with who may act for it."""

    person: str | None
    org: str | None
    post: str
    deputies: list[str]
    present: bool


class BodyStanding(BaseModel):
    """A body of the session; `mode` is VOTE, CONSENSUS or empty."""

    body: str
    mode: str
    members: int
    present: int
    quorum: Threshold | None
    seats: list[SeatStanding]


class Count(BaseModel):
    """How the votes of a body on an item stand."""

    body: str
    eligible: int
    present: int
    in_favour: int
    against: int
    abstain: int
    majority: Threshold


class ItemStanding(BaseModel):
    """Who may still vote on an item, who is recused, and what the votes would come to now."""

    quorate: bool
    insufficient: bool
    recused: list[str]
    awaited: list[str]
    counts: list[Count]
    result_now: str | None


class Somebody(BaseModel):
    """Who sits or is here; the username, by which commands name him, for those who work there."""

    name: str
    username: str | None


class Standing(BaseModel):
    """How a meeting stands at a version of its case.

    `expected`: the seats are those of today, nobody has signed in; `keeps_record`: the caller writes down the votes.
    """

    version: int
    keeps_record: bool
    expected: bool
    quorate: bool
    present: list[str]
    people: dict[str, Somebody]
    bodies: list[BodyStanding]
    items: dict[str, ItemStanding]


def meeting_router() -> APIRouter:
    """Give the standing of a meeting."""
    router = APIRouter(prefix=f"/{MEETING.plural}", tags=[MEETING.plural], route_class=TimedRoute)

    @router.get(
        "/{key}/standing",
        operation_id="meetings.standing",
        summary="会议：到会、法定人数和表决实况 / Meeting: attendance, quorum and votes as they stand",
    )
    async def standing(key: Annotated[str, Path(max_length=64)], desk: DeskDep, actor: ActorDep) -> Standing:
        case = (await visible(desk, MEETING, key, actor)).case
        expected = case.state in BEFORE
        if expected:
            case = await _seated(desk, case, actor)
        policy = pinned(case.pin.pack, case.pin.version, case.pin.sha)
        return Standing(
            version=case.version,
            keeps_record=acts_as(CLERK, case, actor),
            expected=expected,
            quorate=is_quorate(case, policy),
            present=sorted(here(case.data.attendance)),
            people=await _people(desk, case, actor),
            bodies=[_body(case, kind, policy) for kind in case.data.bodies],
            items={
                key: _item(case, key, policy)
                for key, item in case.data.items.items()
                if item.state in OPEN or has_votes(case, key)
            },
        )

    return router


async def _seated(desk: Desk, case: Case[Meeting], actor: Actor) -> Case[Meeting]:
    """The meeting with the seats of today, as long as nobody has signed in."""
    answer = await desk.reads.answer(Asked(name="seats", case=case, about={}, now=datetime.now(UTC), actor=actor))
    rosters = {
        kind: tuple(Seat(**{**seat, "deputies": tuple(seat.get("deputies", ()))}) for seat in seats)
        for kind, seats in answer["bodies"].items()
    }
    return replace(case, data=replace(case.data, rosters=rosters, attendance={}))


async def _people(desk: Desk, case: Case[Meeting], actor: Actor) -> dict[str, Somebody]:
    seats = [seat for seats in case.data.rosters.values() for seat in seats]
    ids = {*(person for seat in seats for person in (seat.person, *seat.deputies) if person), *case.data.attendance}
    names = await desk.people.display_names(ids)
    known: dict[str, str] = {}
    if Viewer(actor).is_staff(case):
        accounts = await asyncio.gather(*(desk.people.actor(person) for person in names))
        known = {one.id: one.username for one in accounts if one is not None}
    return {person: Somebody(name=name, username=known.get(person)) for person, name in names.items()}


def _body(case: Case[Meeting], kind: MeetingType, policy: Any) -> BodyStanding:
    count, bar = strength(case, kind, policy), quorum(case, kind, policy)
    people = here(case.data.attendance)
    return BodyStanding(
        body=kind.value,
        mode=mode(kind, policy),
        members=count.members,
        present=count.present,
        quorum=_threshold(bar, policy) if bar is not None else None,
        seats=[
            SeatStanding(
                person=seat.person,
                org=seat.org,
                post=seat.post,
                deputies=list(seat.deputies),
                present=any(seat.held_by(person) for person in people),
            )
            for seat in case.data.rosters.get(kind.value, ())
        ],
    )


def _item(case: Case[Meeting], key: str, policy: Any) -> ItemStanding:
    counts = list(_counts(case, key, policy))
    return ItemStanding(
        quorate=is_quorate(case, policy, item=key),
        insufficient=is_insufficient(case, key, policy),
        recused=sorted(recused(case, key)),
        awaited=sorted(awaited(case, key)),
        counts=counts,
        result_now=result(case, key, policy).value if counts and has_votes(case, key) else None,
    )


def _counts(case: Case[Meeting], key: str, policy: Any) -> Iterator[Count]:
    for kind in voting(case, policy):
        count, votes = strength(case, kind, policy, key), tally(case, kind, key)
        yield Count(
            body=kind.value,
            eligible=count.eligible,
            present=count.present,
            in_favour=votes.in_favour,
            against=votes.against,
            abstain=votes.abstain,
            majority=_threshold(majority(case, kind, key, policy), policy),
        )


def _threshold(bar: Bar, policy: Any) -> Threshold:
    source = policy.parameter(bar.parameter).source
    return Threshold(needed=bar.needed, base=bar.base, reached=bar.is_reached, clause=source)
