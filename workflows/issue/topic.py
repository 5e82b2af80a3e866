"""Step 2, 提出议题: propose to the body of the level, agenda, return, carry over, raise (pure; seed 001 §四2)."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any

from workflows.issue import commands as do
from workflows.issue import urging
from workflows.issue.closing import NOTHING_WAITS
from workflows.issue.data import BODIES, LEVELS, Body, Escalated, Issue, above, at_least
from workflows.kernel.calendar import LONGEST, Duration, Unit, day_that_ends, end_of_month, local
from workflows.kernel.clocks import Cancel, Clock, ClockOp, Start
from workflows.kernel.periods import period_of
from workflows.kernel.process import SYSTEM, Case, Change, Effect, GuardFailed, Notice, Rule, Turn, derived_id

AGENDA_PARAMETER = "clock.issue.agenda"
MEETING_BODIES = (Body.TWO_COMMITTEES, Body.EXTENDED_PARTY_COMMITTEE)
"""Bodies that meet inside the system; street and county decide outside it."""


def propose(
    case: Case[Issue],
    level: str,
    reason: str,
    turn: Turn,
    *,
    first: bool = False,
    next_slot: bool = False,
    sets: dict[str, Any] | None = None,
) -> Change:
    """Make the issue a topic of the body of a level, to be on its agenda by the end of the month's slot.

    A level that an escalated topic has reached is not lost; ties and missed slots are counted at each level anew.
    """
    if case.data.escalated is not None:
        level = at_least(level, case.data.escalated.level)
    anew = {"ties": 0, "agenda_missed": 0} if level != case.level else {}
    return Change(
        to="TOPIC_PROPOSED",
        level=level,
        sets={
            "topic_body": BODIES[level],
            "topic_reason": reason,
            "topic_since": turn.now,
            "topic_first": first,
            "escalated": None,
            "statements": 0,
            "tally": None,
            **anew,
            **(sets or {}),
        },
        clocks=(
            Cancel(code="AGENDA", reason="SUPERSEDED"),
            Cancel(code="HEARING", reason="SUPERSEDED"),
            Cancel(code="ESCALATED", reason="SUPERSEDED"),
            agenda(turn, BODIES[level], next_slot=next_slot),
            *overall(case),
        ),
    )


def overall(case: Case[Issue]) -> tuple[Start, ...]:
    """The 90 days of an issue, from its registration or its last reopening, where they do not run already."""
    since = case.data.reopened_at or case.data.registered_at
    return () if case.clock("OVERALL") is not None else (Start(code="OVERALL", since=since),)


def agenda(turn: Turn, body: Body, *, next_slot: bool = False) -> Start:
    """The clock until the topic must be on an agenda: end of this month's slot, or of the next one's."""
    return Start(code="AGENDA", parameter=AGENDA_PARAMETER, duration=slot(turn, body, next_slot=next_slot))


def hearing(turn: Turn, body: Body, meets_at: datetime | None = None) -> Start:
    """The window in which a topic on an agenda is decided.

    The meeting itself gives back what it did not decide; where it is forgotten, the window ends a month after it.
    """
    if meets_at is None:
        return Start(code="HEARING", parameter=AGENDA_PARAMETER, duration=slot(turn, body))
    one: Duration = turn.policy.duration(AGENDA_PARAMETER)
    # A drill may set a meeting further ahead than a duration reaches.
    months = min(one.value * (_months(turn, meets_at) + 2), LONGEST[one.unit])
    return Start(code="HEARING", parameter=AGENDA_PARAMETER, duration=Duration(months, one.unit))


def _months(turn: Turn, at: datetime) -> int:
    """How many months lie between now and a moment."""
    if turn.policy.scale is not None:
        return int((at - turn.now).total_seconds() // turn.policy.scale.seconds(Unit.MONTH))
    today, day = _today(turn), local(at).date()
    return max(0, (day.year - today.year) * 12 + day.month - today.month)


def slot(turn: Turn, body: Body, *, next_slot: bool = False) -> Duration:
    """This month, or this month and the next one where no agenda of this month can take the topic any more."""
    one: Duration = turn.policy.duration(AGENDA_PARAMETER)
    return Duration(one.value + 1, one.unit) if next_slot or _too_late(turn, body) else one


def _too_late(turn: Turn, body: Body) -> bool:
    """Whether the month ends now, or every meeting that it can still have is frozen.

    Only the 大党委 has month slots. The day of its meeting is the meeting's own knowledge; here the last moment
    counts at which a meeting of the month could have been frozen.
    """
    if turn.policy.scale is not None:
        return False
    frozen = turn.policy.duration("meeting.agenda_freeze").value if body is Body.EXTENDED_PARTY_COMMITTEE else 0
    return local(turn.now) + timedelta(hours=frozen) >= end_of_month(_today(turn))


def _today(turn: Turn) -> date:
    """The day of the turn; what the timers do at 24:00 belongs to the day that ends."""
    return day_that_ends(turn.now) if turn.actor.id == SYSTEM.id else local(turn.now).date()


def _month(turn: Turn) -> str:
    return _today(turn).strftime("%Y-%m")


def _slot_month(turn: Turn) -> str:
    """The month that a carry-over counts for; in a drill it lasts a minute."""
    return _month(turn) if turn.policy.scale is None else period_of(turn.now, "MONTH", turn.policy.scale)


def agenda_due(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """Once: the next slot. Twice, or once when RED below the street: one level up (processes P1, RED+ of §0.4)."""
    missed = case.data.agenda_missed + 1
    red_plus = case.data.red and case.level < "L3"
    if missed < turn.policy.number("issue.agenda.missed_max") and not red_plus:
        return Change(
            type="agenda_missed",
            sets={"agenda_missed": missed, "topic_first": True},
            clocks=(agenda(turn, BODIES[case.level], next_slot=True),),
        )
    level = above(case.level)
    return Change(
        type="level_raised",
        level=level,
        sets={
            "agenda_missed": 0,
            "ties": 0,
            "topic_body": BODIES[level],
            "topic_reason": "RED_PLUS" if red_plus else "AGENDA_MISSED_TWICE",
            "topic_first": True,
        },
        clocks=(Cancel(code="AGENDA", reason="SUPERSEDED"), agenda(turn, BODIES[level], next_slot=True)),
        notices=(Notice(case.subdistrict, "red_plus" if red_plus else "level_raised", "AGENDA"),),
    )


def may_meet(case: Case[Issue], turn: Turn) -> None:
    """A topic of street or county is decided outside; no meeting of the community can take it or give it back."""
    if case.data.topic_body not in MEETING_BODIES:
        raise GuardFailed("BODY_OUTSIDE", clause="processes P1")


def admit(case: Case[Issue], cmd: do.AdmitToAgenda, turn: Turn) -> Change:
    """The topic is on the agenda; interested parties are invited (seed 001 §四3)."""
    if case.data.meeting is not None:
        raise GuardFailed("ON_AGENDA_ALREADY", clause="processes P1")
    return Change(
        to="ON_AGENDA",
        sets=_listed(case, cmd),
        clocks=(Cancel(code="HEARING", reason="ADMITTED"), hearing(turn, Body.TWO_COMMITTEES, cmd.meets_at)),
        notes={"meeting": cmd.meeting, "urgent": cmd.urgent},
    )


def _listed(case: Case[Issue], cmd: do.AdmitToAgenda) -> dict[str, Any]:
    heard = case.data.heard_by_epc or not HEARD_ABOVE.isdisjoint(cmd.bodies)
    return {
        "meeting": cmd.meeting,
        "heard_by_epc": heard,
        "agenda_missed": 0,
        "deferred_until": None,
        "statements": 0,
        "tally": None,
    }


HEARD_ABOVE = frozenset({"EXTENDED_PARTY_COMMITTEE", "PARTY_BUILDING_JOINT"})
"""Bodies before which a MODERATE or HARD issue must have been (invariant 3)."""


def may_have_escalated(case: Case[Issue], turn: Turn) -> None:
    """While an order runs, only an escalated topic can be dealt with in a meeting."""
    beside(case)


def may_meet_escalated(case: Case[Issue], turn: Turn) -> None:
    """And only while it is one of a meeting of the community."""
    if beside(case).body not in MEETING_BODIES:
        raise GuardFailed("BODY_OUTSIDE", clause="processes P1")


def admit_escalated(case: Case[Issue], cmd: do.AdmitToAgenda, turn: Turn) -> Change:
    """The escalated topic is on the agenda while the handling goes on."""
    if case.data.meeting is not None:
        raise GuardFailed("ON_AGENDA_ALREADY", clause="processes P1")
    sets = _listed(case, cmd) | {"escalated": replace(beside(case), admitted=True)}
    return Change(sets=sets, notes={"meeting": cmd.meeting, "urgent": cmd.urgent})


def return_topic(case: Case[Issue], cmd: do.ReturnTopic, turn: Turn) -> Change:
    """First: back to the problem list. Second: it stays a topic, one level up."""
    returns = case.data.topic_returns + 1
    if returns <= turn.policy.number("issue.topic_return.max"):
        return Change(
            to="ON_PROBLEM_LIST",
            sets={"topic_returns": returns, "topic_body": None, "topic_first": False},
            clocks=(Cancel(code="AGENDA", reason="RETURNED"), Start(code="TRIAGE")),
            notes={"reason": cmd.reason},
        )
    change = propose(case, above(case.level), "RETURNED_TWICE", turn, sets={"topic_returns": returns})
    return _joined(change, None, {"reason": cmd.reason})


def carry_over(case: Case[Issue], cmd: do.CarryOver, turn: Turn) -> Change:
    """The meeting did not decide it: first place next time (S20); an escalated topic climbs (RED+, processes §0.4).

    What stands on no agenda of that meeting any more has been carried over, or gone its own way, before.
    """
    notes = {"reason": cmd.reason, "meeting": cmd.meeting}
    if case.data.meeting != cmd.meeting:
        return Change(notes=notes)
    if case.state in AGENDA_STATES:
        return _carried(case, turn, notes)
    return _escalated_missed(case, turn, notes)


AGENDA_STATES = ("ON_AGENDA", "UNDER_DISCUSSION")
DECIDABLE = ("ASSIGNED", "IN_PROGRESS")
"""States in which an escalated topic can be decided while the order runs."""


def not_heard(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """The slot ended, and nobody recorded what became of the item: it is carried over without anybody's help."""
    change = _carried(case, turn, {"reason": "MISSED"})
    told = Notice(case.subdistrict, "not_heard", clock.code)
    return replace(change, type="not_heard", notices=(*change.notices, told))


def _carried(case: Case[Issue], turn: Turn, notes: dict[str, Any]) -> Change:
    """Counted once a month; the second time RED and one level up, and at once where it is RED already (RED+)."""
    month = _slot_month(turn)
    new_month = case.data.carried_month != month
    count = case.data.carry_over + new_month
    sets: dict[str, Any] = {"carry_over": count, "carried_month": month}
    if count >= turn.policy.number("issue.carry_over.max") and new_month:
        change = propose(
            case,
            above(case.level),
            "CARRIED_OVER_TWICE",
            turn,
            first=True,
            next_slot=True,
            sets=sets | {"red": True},
        )
        return _joined(change, supervise(case, "CARRIED_OVER_TWICE", turn), notes)
    level = above(case.level) if case.data.red and case.level < "L3" else case.level
    reason = "CARRIED_OVER" if level == case.level else "RED_PLUS"
    change = propose(case, level, reason, turn, first=True, next_slot=True, sets=sets)
    if level != case.level:
        change = replace(change, notices=(Notice(case.subdistrict, "red_plus", "AGENDA"),))
    return _joined(change, None, notes)


def escalated_not_heard(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """The slot ended without a decision on the escalated topic: the same, without anybody's help."""
    return replace(_escalated_missed(case, turn, {"reason": "MISSED"}), type="not_heard")


def _escalated_missed(case: Case[Issue], turn: Turn, notes: dict[str, Any]) -> Change:
    topic = beside(case)
    month = _slot_month(turn)
    count = case.data.carry_over + (case.data.carried_month != month)
    missed = topic.carry_over + 1
    red_plus = case.data.red and topic.level < "L3"
    level = topic.level
    if red_plus or missed >= turn.policy.number("issue.agenda.missed_max"):
        level, missed = above(topic.level), 0
    # Counted by the level, not by the month: whoever let the slot pass at this level is asked no third time.
    again = replace(topic, level=level, body=BODIES[level], admitted=False, carry_over=missed)
    told = case.county if level == LEVELS[-1] else case.subdistrict
    return Change(
        sets={"escalated": again, "carry_over": count, "carried_month": month, "statements": 0, "tally": None},
        clocks=_slot_of(again, turn, next_slot=True),
        notices=(Notice(told, "red_plus" if red_plus else "not_heard", "ESCALATED"),),
        notes=notes,
    )


def raise_level(case: Case[Issue], cmd: do.RaiseLevel, turn: Turn) -> Change:
    """No order runs: the issue becomes a topic one level up, and with that an entry of the problem list."""
    if case.level == LEVELS[-1]:
        raise GuardFailed("HIGHEST_LEVEL", clause="processes §0.1")
    sets = NOTHING_WAITS | _entered(case, turn)
    change = propose(case, above(case.level), "RAISED", turn, sets=sets)
    return _joined(change, None, {"reason": cmd.reason})


def _entered(case: Case[Issue], turn: Turn) -> dict[str, Any]:
    """What becomes a topic is on the month's problem list, also when nobody had accepted it (seed 001 §四1)."""
    return {"accepted_at": turn.now, "problem_month": _month(turn)} if case.data.accepted_at is None else {}


def raise_escalated(case: Case[Issue], cmd: do.RaiseLevel, turn: Turn) -> Change:
    """An order runs: a topic of the next level while the handling continues."""
    current = case.data.escalated
    if current is not None and current.level == LEVELS[-1]:
        raise GuardFailed("HIGHEST_LEVEL", clause="processes §0.1")
    level = above(current.level) if current else at_least(above(case.level), "L2")
    topic = escalated_topic(level, "RAISED", turn)
    return Change(sets={"escalated": topic}, clocks=_slot_of(topic, turn), notes={"reason": cmd.reason})


def escalated_topic(level: str, reason: str, turn: Turn) -> Escalated:
    """A topic of the body of a level beside a running order."""
    return Escalated(body=BODIES[level], level=level, reason=reason, since=turn.now)


def escalate(case: Case[Issue], level: str, reason: str, turn: Turn, *, next_slot: bool = False) -> Change:
    """Put a topic beside the running order, or raise the one that is there; it never falls to a lower level."""
    current = case.data.escalated
    topic = escalated_topic(at_least(level, current.level) if current else level, reason, turn)
    return Change(sets={"escalated": topic}, clocks=_slot_of(topic, turn, next_slot=next_slot))


def _slot_of(topic: Escalated, turn: Turn, *, next_slot: bool = False) -> tuple[ClockOp, ...]:
    """The window in which a body has to decide on an escalated topic."""
    duration = slot(turn, topic.body, next_slot=next_slot)
    return (
        Cancel(code="ESCALATED", reason="SUPERSEDED"),
        Start(code="ESCALATED", parameter=AGENDA_PARAMETER, duration=duration),
    )


def on_yellow(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """督办单 to who owes it; besides him and who watches it, the secretary and the street are told (§0.4)."""
    told = (clock.owner, clock.supervisor)
    others = tuple(place for place in (case.community, case.subdistrict) if place not in told)
    sets, effects = urging.ordered(case, "YELLOW", clock, turn)
    notices = tuple(Notice(place, "clock_yellow", clock.code) for place in others)
    return Change(type="urged", sets=sets, effects=effects, notices=notices)


def on_red(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """RED: a supervision case is opened and the issue climbs to the next 大党委 or to the street (§0.4).

    What is on an agenda or deferred stays there; when it comes back undecided, it climbs then. Where an order runs,
    the topic goes beside it; everywhere else the issue itself becomes one, also when nobody ever took it up.
    """
    level = "L2" if case.level < "L2" else at_least(case.level, "L3")
    change = Change()
    if case.state in ORDERED:
        change = escalate(case, level, "RED", turn) if case.data.escalated is None else change
    elif case.state not in HEARD and (case.state != "TOPIC_PROPOSED" or level != case.level):
        change = propose(case, level, "RED", turn, first=True, sets=NOTHING_WAITS | _entered(case, turn))
        change = replace(change, clocks=(*(Cancel(code=code, reason="RED") for code in UNTAKEN), *change.clocks))
    change = _joined(change, supervise(case, f"RED_{clock.code}", turn), {"clock": clock.code})
    sets, effects = urging.ordered(case, "RED", clock, turn)
    return replace(
        change,
        type="escalated",
        sets={**change.sets, **sets, "red": True},
        effects=(*change.effects, *effects),
        notices=(Notice(case.subdistrict, "clock_red", clock.code),),
    )


ORDERED = ("ASSIGNED", "IN_PROGRESS", "SUSPENDED", "COMPLETION_REVIEW")
"""States in which an order runs, so that a topic goes beside it."""
HEARD = ("ON_AGENDA", "UNDER_DISCUSSION", "DEFERRED")
"""States in which a body already has the topic before it."""
UNTAKEN = ("TRIAGE", "VERIFY", "TRANSFER", "INFO_WAIT", "PLAN")
"""Clocks of steps that a topic takes the place of."""


def on_red_plus_plus(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """RED for 30 days: reported to the county (§0.4)."""
    return Change(
        type="reported_to_county",
        notices=(Notice(case.county, "clock_red_plus_plus", clock.code),),
        notes={"clock": clock.code},
    )


def supervise(case: Case[Issue], reason: str, turn: Turn) -> tuple[dict[str, Any], tuple[Effect, ...]]:
    """Open a supervision case (挂牌) unless one is open already or the pack has no listing."""
    if case.data.supervision_id is not None or not turn.policy.flag("issue.listing"):
        return {}, ()
    count = case.data.supervisions + 1
    child = derived_id("supervision", case.id, str(count))
    effect = Effect(
        "START",
        "supervision",
        child,
        "open_supervision",
        {
            "subject_type": "issue",
            "subject_id": case.id,
            "community_code": case.community,
            "reason_code": reason,
            "responsible_org": case.data.lead_org,
            "title": case.title,
        },
        turn.now,
    )
    return {"supervision_id": child, "supervisions": count}, (effect,)


def beside(case: Case[Issue]) -> Escalated:
    """The escalated topic beside the running order; refused where there is none."""
    topic = case.data.escalated
    if topic is None:
        raise GuardFailed("NO_ESCALATED_TOPIC", clause="processes P1")
    return topic


def _joined(change: Change, listed: tuple[dict[str, Any], tuple[Effect, ...]] | None, notes: dict[str, Any]) -> Change:
    sets, effects = listed or ({}, ())
    return replace(change, sets={**change.sets, **sets}, effects=effects, notes={**change.notes, **notes})


# --- leaving an agenda ------------------------------------------------------------------------------------


def released(rule: Rule) -> Rule:
    """Let the meeting know when its topic goes another way: solved, withdrawn, raised (item shown as solved)."""

    @wraps(rule)
    def also(case: Case[Issue], cmd: Any, turn: Turn) -> Change | tuple[Change, ...]:
        outcome = rule(case, cmd, turn)
        if case.data.meeting is None:
            return outcome
        changes = outcome if isinstance(outcome, tuple) else (outcome,)
        sets = {name: value for change in changes for name, value in change.sets.items()}
        place = [change.to for change in changes if change.to][-1:] or [case.position]
        if _on_table(place[0].partition(":")[0], sets.get("escalated", case.data.escalated)):
            return outcome
        told = () if isinstance(cmd, TOLD_BY_MEETING) else (_gone(case, turn),)
        topic = sets.get("escalated", case.data.escalated)
        left = {} if topic is None else {"escalated": replace(topic, admitted=False)}
        last = changes[-1]
        last = replace(last, sets={**last.sets, **left, "meeting": None}, effects=(*last.effects, *told))
        return (*changes[:-1], last)

    return also


TOLD_BY_MEETING = (do.CarryOver, do.RecordTally, do.RecordDecision)
"""Commands by which the meeting itself takes a topic off its agenda."""


def _on_table(state: str, topic: Escalated | None) -> bool:
    return state in AGENDA_STATES or (topic is not None and topic.admitted and state in DECIDABLE)


def _gone(case: Case[Issue], turn: Turn) -> Effect:
    assert case.data.meeting is not None
    return Effect("TELL", "meeting", case.data.meeting, "withdraw_topic", {"topic": case.id}, turn.now)
