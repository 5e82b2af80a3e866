"""Step 3, 会议讨论: statements, tally, decision of a meeting or of the street (pure; seed 001 §四3)."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from workflows.issue import commands as do
from workflows.issue.data import (
    Body,
    ClockClass,
    ClosureCode,
    Handle,
    Issue,
    Outcome,
    Result,
    StreetOutcome,
    above,
    at_least,
)
from workflows.issue.orders import handling, led, sent, signing, until, working_days_about
from workflows.issue.topic import (
    AGENDA_PARAMETER,
    beside,
    escalate,
    hearing,
    overall,
    propose,
    slot,
)
from workflows.kernel.calendar import CHINA, Duration, Unit
from workflows.kernel.clocks import Cancel, Clock, ClockOp, Meet, Start
from workflows.kernel.process import Case, Change, GuardFailed, Turn

SUPERSEDED: tuple[ClockOp, ...] = tuple(
    Cancel(code=code, reason="SUPERSEDED")
    for code in ("SIGN", "DESIGNATE", "HANDLE", "REFER_REPLY", "SUSPEND_REVIEW", "SUSPEND_MAX", "MILESTONE")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision, whichever body made it and wherever the topic stood."""

    outcome: Outcome
    lead_org: str | None
    due_on: date | None
    until: date | None
    notes: dict[str, Any]
    department: bool | None = None
    """Whether the lead is a department; None: what the door knows of it."""


# --- statements and votes -----------------------------------------------------------------------------------


def record_statement(case: Case[Issue], cmd: do.RecordStatement, turn: Turn) -> Change:
    """Position and need of one interested party; a written statement counts (S31)."""
    return Change(
        sets={"statements": case.data.statements + 1},
        notes={
            "party": cmd.party,
            "position": cmd.position,
            "need": cmd.need,
            "written": cmd.written,
            "meeting": cmd.meeting,
            "item": cmd.item,
            **({"text": cmd.text} if cmd.text else {}),
        },
    )


UNDECIDED = (Result.TIE, Result.NO_CONSENSUS)
"""Results that put a topic off the first time and raise it the second (processes §0.5)."""


def record_tally(case: Case[Issue], cmd: do.RecordTally, turn: Turn) -> Change:
    """What a vote came to; ties and too few eligible members have their consequence at once (processes §0.5)."""
    notes = {
        "meeting": cmd.meeting,
        "item": cmd.item,
        "members": cmd.members,
        "present": cmd.present,
        "in_favour": cmd.in_favour,
        "against": cmd.against,
        "abstain": cmd.abstain,
        "recused": cmd.recused,
        "result": cmd.result,
    }
    if case.state != "UNDER_DISCUSSION":
        return replace(_tally_escalated(case, cmd.result, turn), notes=notes)
    if cmd.result is Result.INSUFFICIENT_ELIGIBLE:
        change = propose(case, above(case.level), cmd.result.value, turn)
        return replace(change, notes=notes)
    if cmd.result in UNDECIDED:
        if case.data.ties == 0:
            back = (Cancel(code="HEARING", reason="DEFERRED"), _back(case, None, turn))
            return Change(to="DEFERRED", sets={"ties": 1, "tally": cmd.result.value}, clocks=back, notes=notes)
        change = propose(case, above(case.level), "SECOND_TIE", turn)
        return replace(change, notes=notes)
    return Change(sets={"tally": cmd.result.value}, notes=notes)


def _tally_escalated(case: Case[Issue], result: Result, turn: Turn) -> Change:
    """The same for a topic beside a running order: the first tie waits for the next meeting, the second climbs."""
    topic = beside(case)
    if result in UNDECIDED and case.data.ties == 0:
        again = escalate(case, topic.level, "TIE", turn, next_slot=True)
        return replace(again, sets={**again.sets, "ties": 1, "statements": 0, "tally": None})
    if result in (*UNDECIDED, Result.INSUFFICIENT_ELIGIBLE):
        reason = "SECOND_TIE" if result in UNDECIDED else result.value
        up = escalate(case, above(topic.level), reason, turn)
        return replace(up, sets={**up.sets, "ties": 0, "statements": 0, "tally": None})
    return Change(sets={"tally": result.value})


# --- decisions ----------------------------------------------------------------------------------------------


def record_decision(case: Case[Issue], cmd: do.RecordDecision, turn: Turn) -> Change:
    """The meeting has decided on the topic that it had opened."""
    return _carried_out(case, _meeting_decision(cmd), turn)


def record_decision_escalated(case: Case[Issue], cmd: do.RecordDecision, turn: Turn) -> Change:
    """The meeting has decided on a topic whose handling goes on; the old time is superseded (processes §0.3)."""
    return _on_escalated(case, _meeting_decision(cmd), turn)


def record_street_decision(case: Case[Issue], cmd: do.RecordStreetDecision, turn: Turn) -> Change:
    """What the street or the county decided, with the number of its document."""
    decision = _street_decision(cmd, turn)
    if case.level not in ("L3", "L4"):
        raise GuardFailed("NOT_AT_STREET_LEVEL", clause="processes P1")
    return _carried_out(case, decision, turn)


def record_street_decision_escalated(case: Case[Issue], cmd: do.RecordStreetDecision, turn: Turn) -> Change:
    """The same for a topic whose handling goes on."""
    if beside(case).level not in ("L3", "L4"):
        raise GuardFailed("NOT_AT_STREET_LEVEL", clause="processes P1")
    return _on_escalated(case, _street_decision(cmd, turn), turn)


def _meeting_decision(cmd: do.RecordDecision) -> Decision:
    notes: dict[str, Any] = {"outcome": cmd.outcome, "text": cmd.text}
    for name in ("meeting", "item", "reason", "explanation", "waiver_reason", "consensus"):
        if (value := getattr(cmd, name)) is not None:
            notes[name] = value
    return Decision(
        outcome=cmd.outcome,
        lead_org=cmd.lead_org,
        department=cmd.department or None,
        due_on=cmd.due_on,
        until=cmd.until,
        notes=notes,
    )


def _street_decision(cmd: do.RecordStreetDecision, turn: Turn) -> Decision:
    if cmd.outcome is StreetOutcome.NOT_FEASIBLE and not cmd.explanation:
        raise GuardFailed("EXPLANATION_REQUIRED", field="explanation", clause="processes P1")
    notes: dict[str, Any] = {"outcome": cmd.outcome, "text": cmd.text, "document_no": cmd.document_no}
    if cmd.explanation:
        notes["explanation"] = cmd.explanation
    return _checked(
        Decision(outcome=Outcome(cmd.outcome), lead_org=cmd.lead_org, due_on=cmd.due_on, until=cmd.until, notes=notes),
        turn,
    )


def _checked(decision: Decision, turn: Turn) -> Decision:
    today = turn.now.astimezone(CHINA).date()
    for name in ("due_on", "until"):
        day = getattr(decision, name)
        if day is not None and day < today:
            raise GuardFailed("DAY_IN_PAST", field=name, clause="processes §0.3")
    return decision


def _carried_out(case: Case[Issue], decision: Decision, turn: Turn) -> Change:
    """What a decision on a topic of its own makes true."""
    match decision.outcome:
        case Outcome.ADOPT:
            return _adopted(case, decision, turn)
        case Outcome.ASSIGN:
            return _assigned(case, decision, turn)
        case Outcome.REFER_DEPARTMENT:
            return _referred(case, decision, turn)
        case Outcome.ESCALATE:
            change = propose(case, above(case.level), "ESCALATED", turn, sets={"decided_at": turn.now})
            return replace(change, notes=decision.notes)
        case Outcome.DEFER:
            if case.data.defers >= turn.policy.number("meeting.defer_max"):
                raise GuardFailed("DEFERRED_TOO_OFTEN", field="outcome", clause="meeting.defer_max")
            return Change(
                to="DEFERRED",
                sets={"defers": case.data.defers + 1, "deferred_until": decision.until},
                clocks=(Cancel(code="AGENDA", reason="DEFERRED"), _back(case, decision.until, turn)),
                notes=decision.notes,
            )
        case Outcome.CONSULT:
            return Change(
                to="DEFERRED:CONSULTATION",
                # Its result is owed for the next slot; without this clock a consultation could be forgotten.
                clocks=(
                    Cancel(code="AGENDA", reason="CONSULTATION"),
                    Start(
                        code="CONSULT",
                        parameter=AGENDA_PARAMETER,
                        duration=slot(turn, case.data.topic_body or Body.TWO_COMMITTEES, next_slot=True),
                    ),
                ),
                notes=decision.notes,
            )
        case Outcome.NOT_FEASIBLE:
            return Change(
                to="FEEDBACK_DUE",
                sets=_settled(turn) | {"outcome": ClosureCode.EXPLAINED, "completed_at": turn.now, "feedbacks": ()},
                clocks=(
                    *SUPERSEDED,
                    Cancel(code="AGENDA", reason="DECIDED"),
                    Meet(code="OVERALL"),
                    Start(code="FEEDBACK"),
                ),
                notes=decision.notes,
            )
        case Outcome.KEEP:
            raise GuardFailed("KEEP_ONLY_ESCALATED", field="outcome", clause="processes P1")


def _on_escalated(case: Case[Issue], decision: Decision, turn: Turn) -> Change:
    """What a decision on an escalated topic makes true; listing stays until 销号."""
    topic = beside(case)
    done: dict[str, Any] = {"escalated": None, "statements": 0, "tally": None}
    # The body that has decided keeps the matter: RED again climbs from its level, not from the first one.
    level = at_least(case.level, topic.level)
    match decision.outcome:
        case Outcome.ASSIGN:
            change = _assigned(case, replace(decision, lead_org=decision.lead_org or case.data.lead_org), turn)
        case Outcome.ADOPT:
            change = _adopted(case, replace(decision, lead_org=decision.lead_org or case.data.lead_org), turn)
        case Outcome.REFER_DEPARTMENT:
            change = _referred(case, decision, turn)
        case Outcome.KEEP:
            if decision.due_on is None:
                raise GuardFailed("DUE_REQUIRED", field="due_on", clause="processes P1")
            superseded: tuple[ClockOp, ...] = (
                Cancel(code="HANDLE", reason="SUPERSEDED"),
                *_decided_time(decision.due_on, turn),
            )
            change = Change(sets=_settled(turn), clocks=(*superseded, *overall(case)), notes=decision.notes)
        case Outcome.ESCALATE:
            up = escalate(case, above(topic.level), "ESCALATED", turn)
            return replace(
                up,
                level=above(case.level),
                sets={**up.sets, "statements": 0, "tally": None, "ties": 0},
                notes=decision.notes,
            )
        case _:
            raise GuardFailed("OUTCOME_WHILE_HANDLING", field="outcome", clause="processes P1")
    return replace(
        change,
        level=change.level or level,
        sets={**change.sets, **done},
        clocks=(Cancel(code="ESCALATED", reason="DECIDED"), *change.clocks),
    )


def _settled(turn: Turn) -> dict[str, Any]:
    """What every decision that is carried out ends: the topic, its counters, and what was asked about the old order."""
    return {
        "decided_at": turn.now,
        "topic_body": None,
        "topic_first": False,
        "ties": 0,
        "carry_over": 0,
        "carried_month": None,
        "extension_asked": None,
        "suspension_asked": None,
    }


def _adopted(case: Case[Issue], decision: Decision, turn: Turn) -> Change:
    lead = decision.lead_org or case.data.lead_org
    return Change(
        to="PLANNING",
        sets=_settled(turn)
        | {
            "decision_due_on": decision.due_on,
            "lead_org": lead,
            "leads": led(case, lead),
            "referred": False,
            "designated": False,
        },
        clocks=(*SUPERSEDED, Cancel(code="AGENDA", reason="DECIDED"), Start(code="PLAN"), *overall(case)),
        notes=decision.notes,
    )


def _assigned(case: Case[Issue], decision: Decision, turn: Turn) -> Change:
    if decision.lead_org is None:
        raise GuardFailed("LEAD_REQUIRED", field="lead_org", clause="processes P1")
    if decision.due_on is not None:
        time = _decided_time(decision.due_on, turn)
        first = Handle(value=working_days_about(decision.due_on, turn), unit=Unit.WORKING_DAYS.value)
    else:
        parameter = "issue.mode.limited.complex"
        if case.data.clock_class in (ClockClass.SIMPLE, ClockClass.CONSULT):
            parameter = f"issue.mode.limited.{case.data.clock_class.value.lower()}"
        duration = turn.policy.duration(parameter)
        time = handling(duration, parameter, turn)
        first = Handle(value=duration.value, unit=duration.unit.value)
    return Change(
        to="ASSIGNED",
        sets=_settled(turn)
        | {
            "lead_org": decision.lead_org,
            "leads": led(case, decision.lead_org),
            "handle": first,
            "referred": False,
            "designated": False,
            "suspension": None,
        },
        clocks=(
            *SUPERSEDED,
            Cancel(code="AGENDA", reason="DECIDED"),
            signing(decision.lead_org, turn, department=decision.department),
            *time,
            *overall(case),
        ),
        notices=sent(decision.lead_org),
        notes=decision.notes,
    )


def _referred(case: Case[Issue], decision: Decision, turn: Turn) -> Change:
    if decision.lead_org is None:
        raise GuardFailed("LEAD_REQUIRED", field="lead_org", clause="001 §四3")
    return Change(
        to="ASSIGNED",
        level="L4",
        sets=_settled(turn)
        | {
            "lead_org": decision.lead_org,
            "leads": led(case, decision.lead_org),
            "referred": True,
            "replied": False,
            "designated": False,
        },
        clocks=(
            *SUPERSEDED,
            Cancel(code="AGENDA", reason="DECIDED"),
            signing(decision.lead_org, turn, department=True),
            Start(code="REFER_REPLY"),
            *overall(case),
        ),
        notices=sent(decision.lead_org),
        notes=decision.notes,
    )


def _decided_time(due_on: date, turn: Turn) -> tuple[Start, ...]:
    return handling(until(due_on, turn), "issue.decision.due", turn)


def _back(case: Case[Issue], day: date | None, turn: Turn) -> Start:
    """The clock after which a deferred topic is back on the agenda: its day, or the end of this month's slot."""
    if day is not None:
        return Start(code="DEFER", parameter="issue.decision.due", duration=Duration(0, Unit.DATE, on=day))
    body = case.data.topic_body or Body.TWO_COMMITTEES
    return Start(code="DEFER", parameter=AGENDA_PARAMETER, duration=slot(turn, body))


def back_on_agenda(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """The day has come: on the agenda again; a topic of street or county waits for their decision."""
    if case.level in ("L3", "L4"):
        return replace(propose(case, case.level, "DEFERRED", turn, first=True), type="back_on_agenda")
    return Change(
        type="back_on_agenda",
        to="ON_AGENDA",
        sets={"statements": 0, "tally": None, "deferred_until": None},
        clocks=(hearing(turn, case.data.topic_body or Body.TWO_COMMITTEES),),
    )


def record_consultation(case: Case[Issue], cmd: do.RecordConsultation, turn: Turn) -> Change:
    """The residents' consultation is over; its result goes first on the next agenda (S04)."""
    change = propose(
        case, case.level, "BACK_FROM_CONSULTATION", turn, first=True, sets={"consultation": cmd.conclusion}
    )
    notes: dict[str, Any] = {"conclusion": cmd.conclusion, "text": cmd.text}
    if cmd.evidence:
        notes["evidence"] = list(cmd.evidence)
    return replace(change, notes=notes)
