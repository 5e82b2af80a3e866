"""Interests and votes: who is recused, who votes, what a vote comes to (pure; processes §0.5)."""

from dataclasses import replace
from typing import Any

from workflows.kernel.process import Case, Change, Forbidden, GuardFailed, Turn
from workflows.meeting import commands as do
from workflows.meeting import people as who
from workflows.meeting.agenda import CLAUSE, item_at, tell
from workflows.meeting.counting import (
    awaited,
    figures,
    here,
    is_insufficient,
    is_quorate,
    may_vote,
    recused,
    result,
    strength,
    voting,
)
from workflows.meeting.data import (
    Interest,
    Item,
    ItemState,
    Meeting,
    Result,
    Tally,
)

QUORUM = "processes §0.5"


def seen(case: Case[Meeting], **changed: Any) -> Case[Meeting]:
    """The meeting with some of its data changed, to count as it will then be."""
    return replace(case, data=replace(case.data, **changed))


def opened_item(case: Case[Meeting], key: str) -> Item:
    """The item that is being discussed; refused when it is not."""
    return item_at(case, key, ItemState.OPENED, otherwise="ITEM_NOT_OPEN")


# --- interests -----------------------------------------------------------------------------------------


def declare_interest(case: Case[Meeting], cmd: do.DeclareInterest, turn: Turn) -> Change | tuple[Change, ...]:
    """One's own interest counts at once, and so does what the secretary or the chair notes; else the chair rules."""
    item_at(case, cmd.item, ItemState.ADMITTED, ItemState.OPENED, otherwise="ITEM_NOT_ON_AGENDA")
    member = cmd.member or turn.actor.id
    place = f"{cmd.item}/{member}"
    known = case.data.interests.get(place)
    if known is not None and known.accepted is not False:
        raise GuardFailed("DECLARED_ALREADY", field="member", clause=QUORUM)
    trusted = any(who.acts_as(one, case, turn.actor) for one in (who.CHAIR, who.CLERK))
    accepted = True if member == turn.actor.id or trusted else None
    return _interested(case, cmd.item, member, Interest(by=turn.actor.id, accepted=accepted), turn)


def rule_on_interest(case: Case[Meeting], cmd: do.RuleOnInterest, turn: Turn) -> Change | tuple[Change, ...]:
    """The chair decides on what was reported of somebody."""
    known = case.data.interests.get(f"{cmd.item}/{cmd.member}")
    if known is None or known.accepted is not None:
        raise GuardFailed("NOTHING_REPORTED", field="member", clause=CLAUSE)
    return _interested(case, cmd.item, cmd.member, replace(known, accepted=cmd.accepted), turn)


def _interested(
    case: Case[Meeting], item: str, member: str, interest: Interest, turn: Turn
) -> Change | tuple[Change, ...]:
    place = f"{item}/{member}"
    if place in case.data.votes or place in case.data.ballots:
        raise GuardFailed("VOTED_ALREADY", field="member", clause=QUORUM)
    noted = Change(puts={"interests": {place: interest}})
    after = seen(case, interests={**case.data.interests, place: interest})
    if case.data.items[item].state is not ItemState.OPENED or not interest.accepted:
        return noted
    if is_insufficient(after, item, turn.policy):
        return noted, concluded(after, item, Result.INSUFFICIENT_ELIGIBLE, turn)
    return (noted, *_closed_if_complete(after, item, turn))


# --- votes ---------------------------------------------------------------------------------------------


def record_vote(case: Case[Meeting], cmd: do.RecordVote, turn: Turn) -> Change | tuple[Change, ...]:
    """Votes of members who are here and not recused, each once; the last one closes the vote."""
    own = cmd.choice is not None
    if [own, bool(cmd.votes), cmd.count is not None].count(True) != 1:
        raise GuardFailed("ONE_WAY_TO_VOTE", field="choice", clause=CLAUSE)
    if not own and not who.acts_as(who.CLERK, case, turn.actor):
        raise Forbidden("NOT_IN_ROLE", command="record_vote")
    if cmd.choice is not None:
        votes = {turn.actor.id: cmd.choice}
    else:
        votes = {one.member: one.choice for one in cmd.votes}
        if len(votes) != len(cmd.votes):
            raise GuardFailed("VOTED_ALREADY", field="votes", clause=QUORUM)
    _require_members(case, votes or dict.fromkeys(cmd.voters), turn)
    item = opened_item(case, cmd.item)
    if not voting(case, turn.policy):
        raise GuardFailed("BODY_DOES_NOT_VOTE", clause=QUORUM)
    if item.result is not None:
        raise GuardFailed("VOTE_CLOSED", field="item", clause=QUORUM)
    if not is_quorate(case, turn.policy, item=cmd.item):
        raise GuardFailed("NO_QUORUM", clause=QUORUM)
    _require_free(case, cmd.item, tuple(votes or cmd.voters))
    if cmd.count is not None:
        return _counted_vote(case, cmd, item, turn)
    if item.secret:
        raise GuardFailed("SECRET_BALLOT", field="choice", clause=CLAUSE)
    given = {f"{cmd.item}/{person}": choice for person, choice in votes.items()}
    after = seen(case, votes={**case.data.votes, **given})
    return (Change(puts={"votes": given}), *_closed_if_complete(after, cmd.item, turn))


def _require_members(case: Case[Meeting], people: Any, turn: Turn) -> None:
    field = "choice" if turn.actor.id in people else "votes"
    if any(not may_vote(case, person) for person in people):
        raise GuardFailed("NOT_BODY_MEMBER", field=field, clause="001 §四3")


def _require_free(case: Case[Meeting], item: str, people: tuple[str, ...]) -> None:
    """Here, not recused, and not counted yet."""
    present = here(case.data.attendance)
    gone = recused(case, item)
    for person in people:
        place = f"{item}/{person}"
        if person in gone:
            raise GuardFailed("RECUSED", field="member", clause=QUORUM)
        if person not in present:
            raise GuardFailed("NOT_PRESENT", field="member", clause=QUORUM)
        if place in case.data.votes or place in case.data.ballots:
            raise GuardFailed("VOTED_ALREADY", field="member", clause=QUORUM)


def _counted_vote(case: Case[Meeting], cmd: do.RecordVote, item: Item, turn: Turn) -> tuple[Change, ...]:
    """A count without names: of a secret ballot, or where nobody keeps a list of seats."""
    assert cmd.count is not None
    count = Tally(in_favour=cmd.count.in_favour, against=cmd.count.against, abstain=cmd.count.abstain)
    if not item.secret and not case.data.counted:
        raise GuardFailed("NOT_A_SECRET_BALLOT", field="count", clause=CLAUSE)
    if case.data.counted:
        kind = next(kind for kind in case.data.bodies if kind.value in case.data.counted)
        if count.cast > strength(case, kind, turn.policy, cmd.item).present:
            raise GuardFailed("MORE_VOTES_THAN_ELIGIBLE", field="count", clause=QUORUM)
    elif count.cast != len(set(cmd.voters)):
        raise GuardFailed("COUNT_AND_VOTERS_DIFFER", field="voters", clause=QUORUM)
    ballots = {f"{cmd.item}/{person}": True for person in cmd.voters}
    after = seen(case, tallies={**case.data.tallies, cmd.item: count}, ballots={**case.data.ballots, **ballots})
    recorded = Change(puts={"tallies": {cmd.item: count}, "ballots": ballots})
    return (recorded, concluded(after, cmd.item, result(after, cmd.item, turn.policy), turn))


def close_vote(case: Case[Meeting], cmd: do.CloseVote, turn: Turn) -> Change:
    """Nobody else votes; whoever is here and has not voted is counted as present only."""
    item = opened_item(case, cmd.item)
    if item.result is not None:
        raise GuardFailed("VOTE_CLOSED", field="item", clause=QUORUM)
    if not has_votes(case, cmd.item):
        raise GuardFailed("NOTHING_VOTED", field="item", clause=QUORUM)
    if not is_quorate(case, turn.policy, item=cmd.item):
        raise GuardFailed("NO_QUORUM", clause=QUORUM)
    return concluded(case, cmd.item, result(case, cmd.item, turn.policy), turn)


def has_votes(case: Case[Meeting], item: str) -> bool:
    """Whether anybody has voted on an item."""
    return item in case.data.tallies or any(place.partition("/")[0] == item for place in case.data.votes)


def _closed_if_complete(case: Case[Meeting], item: str, turn: Turn) -> tuple[Change, ...]:
    """Everybody who may has voted: the result stands."""
    if case.data.items[item].result is not None or awaited(case, item) or not has_votes(case, item):
        return ()
    return (concluded(case, item, result(case, item, turn.policy), turn),)


def concluded(case: Case[Meeting], key: str, found: Result, turn: Turn) -> Change:
    """The result of an item; a tie and too few eligible members decide by themselves (§0.5)."""
    item = case.data.items[key]
    decided = found not in (Result.PASSED, Result.NOT_PASSED)
    put = replace(item, result=found)
    if decided:
        put = replace(put, state=ItemState.DECIDED, decided_at=turn.now)
    counts = figures(case, key, turn.policy)
    return Change(
        type="vote_closed",
        puts={"items": {key: put}},
        effects=tell(case, item, "record_tally", turn, item=key, result=found.value, **counts),
        notes={"item": key, "result": found.value, **counts},
    )
