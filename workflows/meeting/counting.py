"""Quorum, recusal, majority: the arithmetic of processes §0.5 over the seats of the day (pure).

A joint session counts each of its bodies by itself. Nobody has a casting vote: the seeds give none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.kernel.process import Case
from workflows.meeting.bodies import body
from workflows.meeting.data import Choice, Meeting, MeetingType, Presence, Result, Seat, Tally

VOTE = "VOTE"
CONSENSUS = "CONSENSUS"
MEMBERSHIP = "MEMBERSHIP"
PERSONNEL = ("epc", "spc")
"""Bodies that ask for more members in personnel matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """How many of a body there are, may vote on an item, and are here (应到, 有表决权, 实到)."""

    members: int
    eligible: int
    present: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a count must reach (门槛): a share of `base`, by which `parameter`; `part` is what there is."""

    share: Any
    part: int
    base: int
    parameter: str

    @property
    def is_reached(self) -> bool:
        """Say whether there are enough."""
        return bool(self.share.reached(self.part, self.base))

    @property
    def needed(self) -> int | None:
        """The least that is enough; none where nothing is."""
        return next((count for count in range(self.base + 1) if self.share.reached(count, self.base)), None)


def mode(kind: MeetingType, policy: Any) -> str:
    """`VOTE`, `CONSENSUS`, or nothing where a meeting decides nothing (座谈会)."""
    key = body(kind).key
    return str(policy.text(f"meeting.decision_mode.{key}")) if key else ""


def here(attendance: Mapping[str, Presence]) -> frozenset[str]:
    """Who is in the session now."""
    return frozenset(person for person, one in attendance.items() if one.until is None)


def recused(case: Case[Meeting], item: str) -> frozenset[str]:
    """Who has left for an item: declared, or reported and accepted by the chair."""
    return frozenset(
        place.partition("/")[2]
        for place, one in case.data.interests.items()
        if one.accepted and place.partition("/")[0] == item
    )


def strength(case: Case[Meeting], kind: MeetingType, policy: Any, item: str = "") -> Strength:
    """Count a body, for the session or for an item without those who are recused."""
    data = case.data
    gone = recused(case, item) if item else frozenset()
    excluded = bool(policy.flag("meeting.recused_excluded"))
    counted = data.counted.get(kind.value)
    if counted is not None:
        away = len(gone)
        left = away if excluded else 0
        return Strength(members=counted.members, eligible=counted.members - away, present=counted.present - left)
    seats = data.rosters.get(kind.value, ())
    present = [seat for seat in seats if _is_here(seat, here(data.attendance))]
    out = [seat for seat in seats if any(seat.held_by(person) for person in gone)]
    left = len([seat for seat in present if seat in out]) if excluded else 0
    return Strength(members=len(seats), eligible=len(seats) - len(out), present=len(present) - left)


def _is_here(seat: Seat, people: frozenset[str]) -> bool:
    return any(seat.held_by(person) for person in people)


def is_quorate(case: Case[Meeting], policy: Any, *, item: str = "") -> bool:
    """Whether every body that sits has its quorum, for an item among those who may vote on it (§0.5)."""
    return all(_has_quorum(case, kind, policy, item) for kind in case.data.bodies)


def _has_quorum(case: Case[Meeting], kind: MeetingType, policy: Any, item: str) -> bool:
    bar = quorum(case, kind, policy, item)
    return bar is None or bar.is_reached


def quorum(case: Case[Meeting], kind: MeetingType, policy: Any, item: str = "") -> Bar | None:
    """How many of a body must be here, and how many are; none where a meeting decides nothing."""
    key = body(kind).key
    if not key:
        return None
    personnel = bool(item) and case.data.items[item].personnel
    name = f"meeting.quorum.{key}_personnel" if personnel and key in PERSONNEL else f"meeting.quorum.{key}"
    count = strength(case, kind, policy, item)
    excluded = bool(policy.flag("meeting.recused_excluded"))
    base = count.eligible if item and excluded else count.members
    return Bar(share=policy.share(name), part=count.present, base=base, parameter=name)


def is_insufficient(case: Case[Meeting], item: str, policy: Any) -> bool:
    """Too few may vote on an item: fewer than three, or fewer than half of the body (§0.5)."""
    share = policy.share("meeting.min_eligible_share")
    least = policy.number("meeting.min_eligible")
    return any(
        count.eligible < least or not share.reached(count.eligible, count.members)
        for kind in case.data.bodies
        if mode(kind, policy)
        for count in [strength(case, kind, policy, item)]
    )


def may_vote(case: Case[Meeting], person: str) -> bool:
    """Whether somebody sits in one of the bodies."""
    return any(seat.held_by(person) for seats in case.data.rosters.values() for seat in seats)


def awaited(case: Case[Meeting], item: str) -> frozenset[str]:
    """Members who are here, may vote on an item, and have not yet."""
    data = case.data
    gone = recused(case, item)
    people = here(data.attendance) - gone
    cast = {place.partition("/")[2] for place in (*data.votes, *data.ballots) if place.partition("/")[0] == item}
    return frozenset(person for person in people if may_vote(case, person) and person not in cast)


def tally(case: Case[Meeting], kind: MeetingType, item: str) -> Tally:
    """The count of a body's votes on an item."""
    counted = case.data.tallies.get(item)
    if counted is not None:
        return counted
    seats = case.data.rosters.get(kind.value, ())
    cast = [
        choice
        for place, choice in case.data.votes.items()
        if place.partition("/")[0] == item and any(seat.held_by(place.partition("/")[2]) for seat in seats)
    ]
    return Tally(
        in_favour=cast.count(Choice.FOR), against=cast.count(Choice.AGAINST), abstain=cast.count(Choice.ABSTAIN)
    )


def result(case: Case[Meeting], item: str, policy: Any) -> Result:
    """What a vote comes to: every body must pass it; a tie is not passed, and the chair does not break it."""
    found = {_result(case, kind, item, policy) for kind in voting(case, policy)}
    for one in (Result.NOT_PASSED, Result.TIE):
        if one in found:
            return one
    return Result.PASSED


def voting(case: Case[Meeting], policy: Any) -> tuple[MeetingType, ...]:
    """The bodies of the session that decide by vote."""
    return tuple(kind for kind in case.data.bodies if mode(kind, policy) == VOTE)


def majority(case: Case[Meeting], kind: MeetingType, item: str, policy: Any) -> Bar:
    """How many votes an item needs in a body that votes, and how many it has."""
    key = body(kind).key
    count = strength(case, kind, policy, item)
    excluded = bool(policy.flag("meeting.recused_excluded"))
    everybody = count.eligible if excluded else count.members
    base = everybody if policy.text(f"meeting.pass_base.{key}") == MEMBERSHIP else count.present
    name = f"meeting.pass.{key}"
    return Bar(share=policy.share(name), part=tally(case, kind, item).in_favour, base=base, parameter=name)


def _result(case: Case[Meeting], kind: MeetingType, item: str, policy: Any) -> Result:
    if majority(case, kind, item, policy).is_reached:
        return Result.PASSED
    votes = tally(case, kind, item)
    return Result.TIE if votes.in_favour == votes.against and votes.cast else Result.NOT_PASSED


def figures(case: Case[Meeting], item: str, policy: Any) -> dict[str, int]:
    """The count as it goes to the issue and into the minutes; of a joint session that of its first voting body."""
    kinds = voting(case, policy) or case.data.bodies
    count, votes = strength(case, kinds[0], policy, item), tally(case, kinds[0], item)
    return {
        "members": count.members,
        "present": count.present,
        "recused": count.members - count.eligible,
        "in_favour": votes.in_favour,
        "against": votes.against,
        "abstain": votes.abstain,
    }
