"""Closing an issue (结案), whichever way it came to its end (pure)."""

from typing import Any

from workflows.issue.data import ClosureCode, Issue
from workflows.kernel.clocks import Cancel, Start
from workflows.kernel.process import Case, Change, Effect

NOTHING_WAITS: dict[str, Any] = {
    "escalated": None,
    "extension_asked": None,
    "suspension_asked": None,
    "waiting_info": False,
    "decline_proposed_by": None,
    "transfer_to": None,
}
"""What was asked or proposed and falls away when the issue ends or takes another way."""


def closed(
    case: Case[Issue],
    code: ClosureCode,
    *,
    sets: dict[str, Any] | None = None,
    clocks: tuple[Any, ...] = (),
    effects: tuple[Effect, ...] = (),
    notes: dict[str, Any] | None = None,
) -> Change:
    """Close with a code; a window for reopening starts where the matter may come back."""
    reopening = () if code in (ClosureCode.MERGED, ClosureCode.SPLIT) else (Start(code="REOPEN"),)
    return Change(
        to=f"CLOSED:{code.value}",
        sets=NOTHING_WAITS | {"closure_code": code, **(sets or {})},
        clocks=(Cancel(code="REOPEN", reason="AGAIN"), *clocks, *reopening),
        effects=effects,
        notes=notes or {},
    )
