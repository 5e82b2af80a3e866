"""Closing an admission (办结), whichever way it came to its end (pure)."""

from collections.abc import Mapping
from typing import Any

from workflows.admission.data import Admission, Closure
from workflows.kernel.clocks import ClockOp, Start
from workflows.kernel.process import Case, Change, Notice

NOTHING_WAITS: Mapping[str, Any] = {
    "provisional": False,
    "funding_overdue": False,
    "breach_reported": False,
    "renewal_until": None,
}
"""What falls away with the end."""


def closed(
    case: Case[Admission],
    code: Closure,
    *,
    told: str,
    type: str = "closed",  # the name that `Change` has for it
    sets: Mapping[str, Any] | None = None,
    puts: Mapping[str, Mapping[str, Any]] | None = None,
    clocks: tuple[ClockOp, ...] = (),
    notes: Mapping[str, Any] | None = None,
) -> Change:
    """Close with a code and tell the applicant, and the communities where it was in force or stood in for it."""
    data = case.data
    known = data.provisional or data.permit_no is not None
    people = (data.applicant_org, *(data.concerned if known else ()))
    return Change(
        type=type,
        to=f"CLOSED:{code.value}",
        sets={**NOTHING_WAITS, "closure_code": code, **(sets or {})},
        puts=puts or {},
        clocks=clocks,
        notices=tuple(Notice(to, told) for to in people),
        notes=notes or {},
    )


def hand_over(case: Case[Admission]) -> tuple[Start, ...]:
    """The duty to hand over what is left, one clock for each community."""
    return tuple(Start(code="HAND_OVER", ref=code) for code in case.data.communities)
