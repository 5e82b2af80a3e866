"""督办单: what is late sends an order that wants a reply, yellow, then red, until it is solved (pure; §0.4)."""

from dataclasses import replace
from functools import wraps
from typing import Any, Literal

from workflows.issue.data import Issue
from workflows.kernel.clocks import Cancel, Clock
from workflows.kernel.process import Case, Change, Effect, Rule, Turn, derived_id

SOLVED = ("FEEDBACK_DUE", "RETURN_VISIT", "CLOSED")
URGED = ("HANDLE", "REFER_REPLY")
Joined = tuple[dict[str, Any], tuple[Effect, ...]]


def ordered(case: Case[Issue], color: Literal["YELLOW", "RED"], clock: Clock, turn: Turn) -> Joined:
    """An order to whoever is responsible; it takes the place of an earlier one, so that nobody answers twice."""
    child = derived_id("supervision_order", case.id, str(clock.number), color)
    fields = {
        "subject_id": case.id,
        "color": color,
        "responsible_org": case.data.lead_org,
        "community_code": case.community,
        "title": case.title,
        "number": case.number,
        "clock": clock.code,
    }
    begun = Effect("START", "supervision_order", child, "issue_order", fields, turn.now)
    return {"orders": (child,)}, (*_told(case, "SUPERSEDED", turn), begun)


def settled(rule: Rule) -> Rule:
    """Let open orders end with what they were about."""

    @wraps(rule)
    def also(case: Case[Issue], cmd: Any, turn: Turn) -> Change | tuple[Change, ...]:
        outcome = rule(case, cmd, turn)
        if not case.data.orders:
            return outcome
        changes = outcome if isinstance(outcome, tuple) else (outcome,)
        why = _over(changes)
        if why is None:
            return outcome
        last = changes[-1]
        ended = replace(last, sets={**last.sets, "orders": ()}, effects=(*last.effects, *_told(case, why, turn)))
        return (*changes[:-1], ended)

    return also


def _over(changes: tuple[Change, ...]) -> Literal["SOLVED", "SUPERSEDED"] | None:
    """Solved; or decided anew, so that the time that was not kept no longer counts (processes §0.3)."""
    if any(change.to.partition(":")[0] in SOLVED for change in changes):
        return "SOLVED"
    ops = (op for change in changes for op in change.clocks if isinstance(op, Cancel))
    return "SUPERSEDED" if any(op.code in URGED and op.reason == "SUPERSEDED" for op in ops) else None


def _told(case: Case[Issue], why: str, turn: Turn) -> tuple[Effect, ...]:
    return tuple(
        Effect("TELL", "supervision_order", one, "subject_settled", {"why": why}, turn.now) for one in case.data.orders
    )
