"""Step 2, 提出议题: propose to the body of the level, agenda, return, carry over, raise (pure; seed 001 §四2)."""

from dataclasses import replace
from typing import Any

from workflows.issue import commands as do
from workflows.issue.data import BODIES, LEVELS, Body, Escalated, Issue, above, at_least
from workflows.kernel.calendar import CHINA, Duration
from workflows.kernel.clocks import Cancel, Clock, Start
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn, derived_id

AGENDA_PARAMETER = "clock.issue.agenda"
NEXT_SLOT = 2.0


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

    The 90 days of OVERALL count from registration and start with the first topic.
    """
    overall: tuple[Start, ...] = ()
    if case.clock("OVERALL") is None:
        overall = (Start(code="OVERALL", since=case.data.registered_at or turn.now),)
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
            **(sets or {}),
        },
        clocks=(Cancel(code="AGENDA", reason="SUPERSEDED"), agenda(turn, next_slot=next_slot), *overall),
    )


def agenda(turn: Turn, *, next_slot: bool = False) -> Start:
    """The clock until the topic must be on an agenda: end of this month's slot, or of the next one's."""
    slot: Duration = turn.policy.duration(AGENDA_PARAMETER)
    if next_slot:
        slot = Duration(NEXT_SLOT, slot.unit)
    return Start(code="AGENDA", parameter=AGENDA_PARAMETER, duration=slot)


def agenda_due(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """Once: the next slot. Twice: one level up (processes P1)."""
    missed = case.data.agenda_missed + 1
    if missed < 2:
        return Change(
            type="agenda_missed", sets={"agenda_missed": missed, "topic_first": True}, clocks=(agenda(turn, next_slot=True),)
        )
    level = above(case.level)
    return Change(
        type="level_raised",
        level=level,
        sets={
            "agenda_missed": 0,
            "topic_body": BODIES[level],
            "topic_reason": "AGENDA_MISSED_TWICE",
            "topic_first": True,
        },
        clocks=(Cancel(code="AGENDA", reason="SUPERSEDED"), agenda(turn, next_slot=True)),
    )


def admit(case: Case[Issue], cmd: do.AdmitToAgenda, turn: Turn) -> Change:
    """The topic is on the agenda; interested parties are invited (seed 001 §四3)."""
    by_epc = case.data.topic_body is Body.EXTENDED_PARTY_COMMITTEE
    notes = {"urgent": cmd.urgent, **({"meeting": cmd.meeting} if cmd.meeting else {})}
    return Change(
        to="ON_AGENDA",
        sets={"heard_by_epc": case.data.heard_by_epc or by_epc, "agenda_missed": 0},
        notes=notes,
    )


def may_have_escalated(case: Case[Issue], turn: Turn) -> None:
    """While an order runs, only an escalated topic can be dealt with in a meeting."""
    if case.data.escalated is None:
        raise GuardFailed("NO_ESCALATED_TOPIC", clause="processes P1")


def admit_escalated(case: Case[Issue], cmd: do.AdmitToAgenda, turn: Turn) -> Change:
    """The escalated topic is on the agenda while the handling goes on."""
    topic = _escalated(case)
    by_epc = topic.body is Body.EXTENDED_PARTY_COMMITTEE
    return Change(
        sets={
            "escalated": replace(topic, admitted=True),
            "heard_by_epc": case.data.heard_by_epc or by_epc,
            "statements": 0,
            "tally": None,
        },
        notes={"urgent": cmd.urgent, **({"meeting": cmd.meeting} if cmd.meeting else {})},
    )


def return_topic(case: Case[Issue], cmd: do.ReturnTopic, turn: Turn) -> Change:
    """First: back to the problem list. Second: it stays a topic, one level up."""
    if case.data.topic_returns == 0:
        return Change(
            to="ON_PROBLEM_LIST",
            sets={"topic_returns": 1, "topic_body": None, "topic_first": False},
            clocks=(Cancel(code="AGENDA", reason="RETURNED"), Start(code="TRIAGE")),
            notes={"reason": cmd.reason},
        )
    level = above(case.level)
    return Change(
        to="TOPIC_PROPOSED",
        level=level,
        sets={
            "topic_returns": case.data.topic_returns + 1,
            "topic_body": BODIES[level],
            "topic_reason": "RETURNED_TWICE",
        },
        clocks=(Cancel(code="AGENDA", reason="SUPERSEDED"), agenda(turn)),
        notes={"reason": cmd.reason},
    )


def carry_over(case: Case[Issue], cmd: do.CarryOver, turn: Turn) -> Change:
    """The meeting did not decide it: first place next time, counted once a month; the second time RED and up (S20)."""
    month = turn.now.astimezone(CHINA).strftime("%Y-%m")
    count = case.data.carry_over + (0 if case.data.carried_month == month else 1)
    counted = {"carry_over": count, "carried_month": month, "topic_first": True}
    if count >= 2 and count != case.data.carry_over:
        level = above(case.level)
        listed = supervise(case, "CARRIED_OVER_TWICE", turn)
        change = propose(case, level, "CARRIED_OVER_TWICE", turn, first=True, next_slot=True, sets=counted | {"red": True})
        return _joined(change, listed, {"reason": cmd.reason})
    change = propose(case, case.level, "CARRIED_OVER", turn, first=True, next_slot=True, sets=counted)
    return _joined(change, None, {"reason": cmd.reason})


def carry_over_escalated(case: Case[Issue], cmd: do.CarryOver, turn: Turn) -> Change:
    """RED and one meeting without decision: to the street (RED+, processes §0.4)."""
    topic = _escalated(case)
    level = at_least(above(topic.level), "L3") if case.data.red else topic.level
    month = turn.now.astimezone(CHINA).strftime("%Y-%m")
    count = case.data.carry_over + (0 if case.data.carried_month == month else 1)
    return Change(
        sets={
            "escalated": replace(topic, level=level, body=BODIES[level], admitted=False),
            "carry_over": count,
            "carried_month": month,
        },
        notices=(Notice(case.subdistrict, "red_plus", "HANDLE"),),
        notes={"reason": cmd.reason},
    )


def raise_level(case: Case[Issue], cmd: do.RaiseLevel, turn: Turn) -> Change:
    """No order runs: the issue becomes a topic one level up."""
    if case.level == LEVELS[-1]:
        raise GuardFailed("HIGHEST_LEVEL", clause="processes §0.1")
    change = propose(case, above(case.level), "RAISED", turn)
    return _joined(change, None, {"reason": cmd.reason})


def raise_escalated(case: Case[Issue], cmd: do.RaiseLevel, turn: Turn) -> Change:
    """An order runs: a topic of the next level while the handling continues."""
    current = case.data.escalated
    level = above(current.level) if current else at_least(above(case.level), "L2")
    if current is not None and current.level == LEVELS[-1]:
        raise GuardFailed("HIGHEST_LEVEL", clause="processes §0.1")
    return Change(sets={"escalated": escalated_topic(level, "RAISED", turn)}, notes={"reason": cmd.reason})


def escalated_topic(level: str, reason: str, turn: Turn) -> Escalated:
    """A topic of the body of a level beside a running order."""
    return Escalated(body=BODIES[level], level=level, reason=reason, since=turn.now)


def on_red(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """RED: a supervision case is opened and the issue climbs to the next 大党委 or to the street (§0.4)."""
    listed = supervise(case, f"RED_{clock.code}", turn)
    sets: dict[str, Any] = {"red": True, **listed[0]}
    order_runs = case.state in ("ASSIGNED", "IN_PROGRESS", "SUSPENDED", "COMPLETION_REVIEW", "PLANNING", "ON_PROBLEM_LIST")
    if order_runs and case.data.escalated is None:
        level = "L2" if case.level < "L2" else "L3"
        sets["escalated"] = escalated_topic(level, "RED", turn)
    return Change(
        type="escalated",
        sets=sets,
        effects=listed[1],
        notices=(Notice(case.subdistrict, "clock_red", clock.code),),
        notes={"clock": clock.code},
    )


def on_red_plus_plus(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """RED for 30 days: reported to the county (§0.4)."""
    return Change(
        type="reported_to_county",
        notices=(Notice(case.county, "clock_red_plus_plus", clock.code),),
        notes={"clock": clock.code},
    )


def supervise(case: Case[Issue], reason: str, turn: Turn) -> tuple[dict[str, Any], tuple[Effect, ...]]:
    """Open a supervision case (挂牌) unless one is open already."""
    if case.data.supervision_id is not None:
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


def _escalated(case: Case[Issue]) -> Escalated:
    topic = case.data.escalated
    if topic is None:
        raise GuardFailed("NO_ESCALATED_TOPIC", clause="processes P1")
    return topic


def _joined(
    change: Change, listed: tuple[dict[str, Any], tuple[Effect, ...]] | None, notes: dict[str, Any]
) -> Change:
    sets, effects = listed or ({}, ())
    return replace(change, sets={**change.sets, **sets}, effects=effects, notes={**change.notes, **notes})
