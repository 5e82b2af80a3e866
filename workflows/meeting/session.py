"""In the session: sign-in, quorum, items, statements, interests, votes (pure; processes P3 and §0.5)."""

from dataclasses import replace
from typing import Any

from workflows.kernel.clocks import Cancel, Meet, Start
from workflows.kernel.process import Case, Change, Forbidden, GuardFailed, Notice, Turn
from workflows.meeting import commands as do
from workflows.meeting import people as who
from workflows.meeting.agenda import (
    CLAUSE,
    before,
    carried_over,
    found_slot,
    invited,
    item_at,
    ordered,
    reminders,
    tell,
    tell_slot,
    title,
    told_admitted,
)
from workflows.meeting.bodies import body
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
    Counted,
    Interest,
    Item,
    ItemKind,
    ItemState,
    Meeting,
    NotHeld,
    Presence,
    Result,
    Seat,
    Statement,
    Tally,
)

UNDECIDED = (ItemState.ADMITTED, ItemState.OPENED)
QUORUM = "processes §0.5"


def seen(case: Case[Meeting], **changed: Any) -> Case[Meeting]:
    """The meeting with some of its data changed, to count as it will then be."""
    return replace(case, data=replace(case.data, **changed))


# --- opening -------------------------------------------------------------------------------------------


def open_session(case: Case[Meeting], cmd: do.OpenSession, turn: Turn) -> Change:
    """Sign-in over the seats of the day; without quorum half an hour after the time nothing can be decided (S28)."""
    rosters = {
        kind: tuple(Seat(**{**seat, "deputies": tuple(seat.get("deputies", ()))}) for seat in seats)
        for kind, seats in turn.facts["seats"]["bodies"].items()
        if seats
    }
    counted = _counted(case, cmd, rosters)
    if not cmd.present and not counted:
        raise GuardFailed("NOBODY_PRESENT", field="present", clause=CLAUSE)
    listed = seen(case, rosters=rosters)
    attendance = {
        person: Presence(since=turn.now, member=may_vote(listed, person)) for person in dict.fromkeys(cmd.present)
    }
    sets = {
        "rosters": rosters,
        "counted": counted,
        "attendance": attendance,
        "opened_at": turn.now,
        "chaired_by": turn.actor.id,
        "quorum_lost": False,
    }
    if is_quorate(seen(case, **sets), turn.policy):
        return Change(to="IN_SESSION", sets=sets, clocks=(Cancel(code="HELD_BY", reason="HELD"), *_not_noticed()))
    assert case.data.scheduled_at is not None
    # Half an hour after the time is not over while the time itself lies ahead of half an hour ago.
    if before(turn.now, "meeting.quorum_wait", turn) < case.data.scheduled_at:
        raise GuardFailed("NO_QUORUM_YET", field="present", clause=CLAUSE)
    puts, effects = carried_over(case, NotHeld.INQUORATE, turn)
    street = Notice(case.subdistrict, "meeting_inquorate", "RECONVENE")
    return Change(
        type="inquorate",
        to="INQUORATE",
        sets=sets | {"attendance": {}, "opened_at": None, "chaired_by": None},
        puts={"items": puts},
        clocks=(Cancel(code="HELD_BY", reason="INQUORATE"), Start(code="RECONVENE")),
        effects=(*effects, *tell_slot(case, found_slot(case, turn), "reopen_slot", turn)),
        notices=(*invited(case, "meeting_inquorate"), street),
        notes={"present": sorted(attendance)},
    )


def _not_noticed() -> tuple[Cancel, ...]:
    return (Cancel(code="REMINDER", reason="HELD"), Cancel(code="TOPIC_CALL", reason="HELD"))


def _counted(case: Case[Meeting], cmd: do.OpenSession, rosters: dict[str, tuple[Seat, ...]]) -> dict[str, Counted]:
    """A head count, for bodies whose seats nobody keeps."""
    unlisted = [kind.value for kind in case.data.bodies if body(kind).key and kind.value not in rosters]
    if not unlisted:
        if cmd.headcount is not None:
            raise GuardFailed("SEATS_ARE_LISTED", field="headcount", clause=QUORUM)
        return {}
    if cmd.headcount is None:
        raise GuardFailed("HEADCOUNT_REQUIRED", field="headcount", clause=QUORUM)
    if cmd.headcount.present > cmd.headcount.members:
        raise GuardFailed("MORE_PRESENT_THAN_MEMBERS", field="headcount", clause=QUORUM)
    return {kind: Counted(members=cmd.headcount.members, present=cmd.headcount.present) for kind in unlisted}


def reconvene(case: Case[Meeting], cmd: do.Reconvene, turn: Turn) -> Change:
    """Within seven days, with a day's notice; the agenda stays, and its items are back on it."""
    if before(cmd.scheduled_at, "meeting.reconvene_notice", turn) < turn.now:
        raise GuardFailed("NOTICE_TOO_SHORT", field="scheduled_at", clause="meeting.reconvene_notice")
    limit = case.clock("RECONVENE")
    if limit is not None and limit.due_at is not None and cmd.scheduled_at > limit.due_at:
        raise GuardFailed("AFTER_RECONVENE", field="scheduled_at", clause="clock.meeting.reconvene")
    waiting = turn.facts["agenda_items"]["waiting"]
    back = {
        key: replace(item, state=ItemState.ADMITTED, first=True, invitations=item.invitations + 1)
        for key, item in case.data.items.items()
        if item.state is ItemState.CARRIED_OVER and (item.kind is not ItemKind.TOPIC or item.subject_id in waiting)
    }
    after = seen(case, scheduled_at=cmd.scheduled_at)
    effects = tuple(effect for key, item in ordered(back) for effect in told_admitted(after, item, turn))
    again = tell_slot(case, found_slot(case, turn), "fill_slot", turn) if case.data.make_up_for is None else ()
    return Change(
        to="NOTICED",
        title=title(case.data.bodies, cmd.scheduled_at),
        sets={"scheduled_at": cmd.scheduled_at, "noticed": case.data.noticed + 1},
        puts={"items": back},
        clocks=(Meet(code="RECONVENE"), *reminders(cmd.scheduled_at, turn)),
        effects=(*effects, *again),
        notices=invited(case, "meeting_reconvened", {**case.data.items, **back}),
    )


# --- attendance ----------------------------------------------------------------------------------------


def record_attendance(case: Case[Meeting], cmd: do.RecordAttendance, turn: Turn) -> Change | tuple[Change, ...]:
    """Who came and who left; when too few are left, what is undecided is carried over and nothing is voted on."""
    present = here(case.data.attendance)
    if any(person not in present for person in cmd.left):
        raise GuardFailed("NOT_PRESENT", field="left", clause=CLAUSE)
    puts = {
        person: Presence(since=turn.now, member=may_vote(case, person))
        for person in cmd.joined
        if person not in present
    }
    puts |= {person: replace(case.data.attendance[person], until=turn.now) for person in cmd.left}
    counted = dict(case.data.counted)
    if cmd.headcount is not None:
        if not counted:
            raise GuardFailed("SEATS_ARE_LISTED", field="headcount", clause=QUORUM)
        counted = {kind: replace(one, present=cmd.headcount) for kind, one in counted.items()}
    after = seen(case, attendance={**case.data.attendance, **puts}, counted=counted)
    quorate = is_quorate(after, turn.policy)
    sets: dict[str, Any] = {"quorum_lost": not quorate}
    if cmd.headcount is not None:
        sets["counted"] = counted
    recorded = Change(sets=sets, puts={"attendance": puts})
    if quorate or case.data.quorum_lost:
        return recorded
    items, effects = carried_over(case, NotHeld.QUORUM_LOST, turn, states=UNDECIDED)
    return recorded, Change(type="quorum_lost", puts={"items": items}, effects=effects)


def may_decide(case: Case[Meeting], turn: Turn) -> None:
    """No item is opened and no vote taken without quorum (processes P3)."""
    if case.data.quorum_lost:
        raise GuardFailed("NO_QUORUM", clause=QUORUM)


# --- items ---------------------------------------------------------------------------------------------


def open_item(case: Case[Meeting], cmd: do.OpenItem, turn: Turn) -> Change | tuple[Change, ...]:
    """The chair opens an item; where too few may vote on it, it goes one level up at once (S06)."""
    item = item_at(case, cmd.item, ItemState.ADMITTED, otherwise="ITEM_NOT_ON_AGENDA")
    if item.kind is ItemKind.INFORMATION:
        put = replace(item, state=ItemState.NOTED, opened_at=turn.now)
        return Change(puts={"items": {cmd.item: put}})
    put = replace(item, state=ItemState.OPENED, opened_at=turn.now, secret=cmd.secret)
    opened = Change(puts={"items": {cmd.item: put}}, effects=tell(case, item, "open_item", turn, item=cmd.item))
    after = seen(case, items={**case.data.items, cmd.item: put})
    if not is_insufficient(after, cmd.item, turn.policy):
        return opened
    return opened, concluded(after, cmd.item, Result.INSUFFICIENT_ELIGIBLE, turn)


def opened_item(case: Case[Meeting], key: str) -> Item:
    """The item that is being discussed; refused when it is not."""
    return item_at(case, key, ItemState.OPENED, otherwise="ITEM_NOT_OPEN")


def record_statement(case: Case[Meeting], cmd: do.RecordStatement, turn: Turn) -> Change:
    """Position and need of a party; a written statement counts (S31), and the committee may speak (S32)."""
    item = opened_item(case, cmd.item)
    count = case.data.statement_count + 1
    said = Statement(
        item=cmd.item,
        by=turn.actor.id,
        party=cmd.party,
        position=cmd.position,
        need=cmd.need,
        text=cmd.text,
        written=cmd.written,
        at=turn.now,
    )
    told = tell(
        case,
        item,
        "record_statement",
        turn,
        item=cmd.item,
        party=cmd.party,
        position=cmd.position,
        need=cmd.need,
        text=cmd.text,
        written=cmd.written or None,
    )
    return Change(
        sets={"statement_count": count},
        puts={"items": {cmd.item: replace(item, statements=item.statements + 1)}, "statements": {f"s{count}": said}},
        effects=told,
    )


def deliberate(case: Case[Meeting], cmd: do.Deliberate, turn: Turn) -> Change:
    """What was said in the discussion."""
    opened_item(case, cmd.item)
    return Change(notes={"item": cmd.item, **({"text": cmd.text} if cmd.text else {})})


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
    if cmd.item in case.data.tallies:
        raise GuardFailed("VOTED_ALREADY", field="count", clause=QUORUM)
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


# --- the end -------------------------------------------------------------------------------------------


def adjourn(case: Case[Meeting], cmd: do.Adjourn, turn: Turn) -> Change:
    """What was opened has an outcome; what was not is carried over; the month has its meeting."""
    if any(item.state is ItemState.OPENED for item in case.data.items.values()):
        raise GuardFailed("ITEM_OPEN", clause=CLAUSE)
    puts, effects = carried_over(case, NotHeld.ADJOURNED, turn)
    decided = any(item.state is ItemState.DECIDED for item in case.data.items.values())
    held = decided or not case.data.quorum_lost
    told = "slot_held" if held else "reopen_slot"
    return Change(
        to="MINUTES_DRAFT",
        sets={"adjourned_at": turn.now, "held": held},
        puts={"items": puts},
        effects=(*effects, *tell_slot(case, found_slot(case, turn), told, turn)),
    )
