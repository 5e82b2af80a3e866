"""What a body decides on an item, and what must hold for it (pure; processes P1 and §0.5, seed 001 §四3).

Whatever an issue would refuse, the meeting refuses first: its chair is told while everybody still sits there.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workflows.kernel.calendar import local
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Turn
from workflows.meeting import commands as do
from workflows.meeting.agenda import tell
from workflows.meeting.bodies import body
from workflows.meeting.counting import CONSENSUS, figures, is_quorate, mode, result, voting
from workflows.meeting.data import Item, ItemKind, ItemState, Meeting, MeetingType, Outcome, Result
from workflows.meeting.votes import QUORUM, concluded, has_votes, opened_item

BINDING = (Outcome.ADOPT, Outcome.ASSIGN, Outcome.REFER_DEPARTMENT, Outcome.KEEP)
"""Outcomes that need a valid vote or consensus."""
HEARD = (*BINDING, Outcome.NOT_FEASIBLE)
"""Outcomes before which the interested parties were heard."""
WHILE_HANDLING = (*BINDING, Outcome.ESCALATE)
"""What can be decided on a topic whose handling goes on."""


def record_decision(case: Case[Meeting], cmd: do.RecordDecision, turn: Turn) -> Change | tuple[Change, ...]:
    """The decision is announced on the spot; the issue carries it out."""
    item = opened_item(case, cmd.item)
    _body_may(case, cmd)
    if not is_quorate(case, turn.policy, item=cmd.item):
        raise GuardFailed("NO_QUORUM", clause=QUORUM)
    _complete(cmd, item, turn)
    _heard(cmd, item, turn)
    if _without_consensus(case, cmd, turn):
        return concluded(case, cmd.item, Result.NO_CONSENSUS, turn)
    voted = _voted(case, cmd, item, turn)
    if item.kind is ItemKind.TOPIC:
        _issue_takes(cmd, turn.facts["issue_topic"], turn)
    decided = replace(
        item,
        state=ItemState.DECIDED,
        result=voted,
        outcome=cmd.outcome,
        text=cmd.text,
        reasoning=cmd.explanation or cmd.reason,
        lead_org=cmd.lead_org,
        due_on=cmd.due_on,
        until=cmd.until,
        waiver_reason=cmd.waiver_reason,
        decided_at=turn.now,
    )
    counts = figures(case, cmd.item, turn.policy) if voted is not None else {}
    told: tuple[Effect, ...] = ()
    if voted is not None and item.result is None:
        told = tell(case, item, "record_tally", turn, item=cmd.item, result=voted.value, **counts)
    return Change(
        puts={"items": {cmd.item: decided}},
        effects=(*told, *tell(case, item, "record_decision", turn, **_said(cmd, turn))),
        notes={"item": cmd.item, "outcome": cmd.outcome.value, **counts},
    )


def _body_may(case: Case[Meeting], cmd: do.RecordDecision) -> None:
    """Only the 大党委 refers to departments (invariant 5 of P1); the 社工委 only proposes (001 §四2)."""
    epc = MeetingType.EXTENDED_PARTY_COMMITTEE in case.data.bodies
    if cmd.outcome is Outcome.REFER_DEPARTMENT and not epc:
        raise GuardFailed("BODY_NOT_ALLOWED", field="outcome", clause="001 §四3")
    if cmd.outcome in BINDING and all(body(kind).proposes_only for kind in case.data.bodies):
        raise GuardFailed("BODY_NOT_ALLOWED", field="outcome", clause="001 §四2")


def _complete(cmd: do.RecordDecision, item: Item, turn: Turn) -> None:
    """What the outcome needs to be carried out."""
    if cmd.outcome is Outcome.NOT_FEASIBLE and not cmd.explanation:
        raise GuardFailed("EXPLANATION_REQUIRED", field="explanation", clause="processes P1")
    today = local(turn.now).date()
    for name in ("due_on", "until"):
        day = getattr(cmd, name)
        if day is not None and day < today:
            raise GuardFailed("DAY_IN_PAST", field=name, clause="processes §0.3")
    lead = cmd.lead_org or (item.lead if item.escalated else None)
    if cmd.outcome is Outcome.REFER_DEPARTMENT and _kind(cmd.lead_org, turn) not in (None, "DEPARTMENT"):
        raise GuardFailed("NOT_A_DEPARTMENT", field="lead_org", clause="001 §四3")
    if (cmd.outcome is Outcome.ASSIGN and lead is None) or (
        cmd.outcome is Outcome.REFER_DEPARTMENT and cmd.lead_org is None
    ):
        raise GuardFailed("LEAD_REQUIRED", field="lead_org", clause="processes P1")


def _kind(org: str | None, turn: Turn) -> str | None:
    kind: str | None = turn.facts.get("organizations", {}).get(org or "", {}).get("type")
    return kind


def _heard(cmd: do.RecordDecision, item: Item, turn: Turn) -> None:
    """Interested parties were heard, or it is written down why not (S31)."""
    if cmd.outcome not in HEARD or not turn.policy.flag("meeting.interested_party"):
        return
    if item.statements == 0 and not cmd.waiver_reason:
        raise GuardFailed("NOT_HEARD", field="waiver_reason", clause="001 §四3")


def _without_consensus(case: Case[Meeting], cmd: do.RecordDecision, turn: Turn) -> bool:
    """Bodies that decide by consensus say whether they have it; without it the item waits like a tie."""
    if cmd.outcome not in BINDING or not any(mode(kind, turn.policy) == CONSENSUS for kind in case.data.bodies):
        return False
    if cmd.consensus is None:
        raise GuardFailed("CONSENSUS_REQUIRED", field="consensus", clause=QUORUM)
    return not cmd.consensus


def _voted(case: Case[Meeting], cmd: do.RecordDecision, item: Item, turn: Turn) -> Result | None:
    """The result that a binding decision of a voting body rests on."""
    found = item.result
    if found is None and has_votes(case, cmd.item):
        found = result(case, cmd.item, turn.policy)
    if cmd.outcome not in BINDING or not voting(case, turn.policy):
        # An even vote that nobody closed is given up with this decision; a closed one has deferred the topic (§0.5).
        return None if found is Result.TIE else found
    if found is None:
        raise GuardFailed("VOTE_REQUIRED", field="item", clause=QUORUM)
    if found is not Result.PASSED:
        raise GuardFailed("VOTE_NOT_PASSED", field="outcome", clause=QUORUM)
    return found


def _issue_takes(cmd: do.RecordDecision, topic: Mapping[str, Any], turn: Turn) -> None:
    """What the issue as it now stands would refuse."""
    escalated = bool(topic["escalated"])
    if cmd.outcome is Outcome.KEEP and not escalated:
        raise GuardFailed("KEEP_ONLY_ESCALATED", field="outcome", clause="processes P1")
    if escalated and cmd.outcome not in WHILE_HANDLING:
        raise GuardFailed("OUTCOME_WHILE_HANDLING", field="outcome", clause="processes P1")
    if cmd.outcome is Outcome.KEEP and cmd.due_on is None:
        raise GuardFailed("DUE_REQUIRED", field="due_on", clause="processes P1")
    if cmd.outcome is Outcome.DEFER and topic["defers"] >= turn.policy.number("meeting.defer_max"):
        raise GuardFailed("DEFERRED_TOO_OFTEN", field="outcome", clause="meeting.defer_max")


def _said(cmd: do.RecordDecision, turn: Turn) -> dict[str, Any]:
    """The decision as the issue hears it."""
    return {
        "item": cmd.item,
        "outcome": cmd.outcome.value,
        "text": cmd.text,
        "lead_org": cmd.lead_org,
        "department": True if _kind(cmd.lead_org, turn) == "DEPARTMENT" else None,
        "due_on": cmd.due_on.isoformat() if cmd.due_on else None,
        "until": cmd.until.isoformat() if cmd.until else None,
        "reason": cmd.reason,
        "explanation": cmd.explanation,
        "waiver_reason": cmd.waiver_reason,
        "consensus": cmd.consensus,
    }
