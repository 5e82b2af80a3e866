"""In the session: sign-in, quorum, items, statements, adjourning (pure; processes P3)."""

from dataclasses import replace
from typing import Any

from workflows.kernel.clocks import Cancel, Meet, Start
from workflows.kernel.process import Case, Change, GuardFailed, Notice, Turn
from workflows.meeting import commands as do
from workflows.meeting.agenda import CLAUSE, carried_over, invited, item_at, ordered, tell, told_admitted
from workflows.meeting.bodies import body
from workflows.meeting.calling import before, found_slot, reminders, tell_slot, title
from workflows.meeting.counting import (
    here,
    is_insufficient,
    is_quorate,
    may_vote,
)
from workflows.meeting.data import (
    Counted,
    ItemKind,
    ItemState,
    Meeting,
    NotHeld,
    Presence,
    Result,
    Seat,
    Statement,
)
from workflows.meeting.votes import QUORUM, concluded, opened_item, seen

UNDECIDED = (ItemState.ADMITTED, ItemState.OPENED)


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
