"""What an assessment may be built on (考核评议指标), whoever is assessed (pure; seed 004 §二(三)3, 000 §三(三)2).

The main standard is the satisfaction of residents. Nothing may be built on signs and posts (004 §二(二)1), on
attendance at meetings called past the street (004 §二(二)2), on a veto (004 §二(三)3), or on the right to refuse what
was never admitted (004 §二(三)2): who uses a right is not marked down for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from workflows.kernel.fields import CaseRef, Field, Prose
from workflows.kernel.process import GuardFailed


class Indicator(StrEnum):
    """What is measured (指标类别)."""

    SATISFACTION = "SATISFACTION"
    STAFF = "STAFF"
    FUNDS = "FUNDS"
    RESULTS = "RESULTS"
    SERVICE = "SERVICE"
    LIST_DUTIES = "LIST_DUTIES"
    PLATFORM_SERVICE = "PLATFORM_SERVICE"
    REFUSALS = "REFUSALS"
    SIGNS = "SIGNS"
    POSTS = "POSTS"
    ATTENDANCE = "ATTENDANCE"
    VETO = "VETO"


UNRELATED: Mapping[Indicator, str] = {
    Indicator.SIGNS: "004 §二(二)1",
    Indicator.POSTS: "004 §二(二)1",
    Indicator.ATTENDANCE: "004 §二(二)2",
}
"""What no department may make a ground of assessment, with the clause that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One indicator of an assessment (指标): its kind, its words, and the case that it is built on, if any."""

    kind: Annotated[Indicator, Field("指标类别", "Kind")]
    text: Annotated[str | None, Prose("指标内容", "Text", longest=300)] = None
    built_on: Annotated[str | None, CaseRef("依据事项", "Built on case")] = None


def check_indicators(indicators: Sequence[Planned], facts: Mapping[str, Any]) -> None:
    """Refuse what nobody may be assessed by; the facts say what kind of case an indicator is built on (S36)."""
    for place, one in enumerate(indicators):
        built_on = facts.get(f"indicators.{place}.built_on") or {}
        if one.kind is Indicator.REFUSALS or built_on.get("process") == "refusal":
            raise GuardFailed("REFUSAL_NOT_NEGATIVE", field="indicators", clause="004 §二(三)2")
        if one.kind is Indicator.VETO:
            raise GuardFailed("VETO_NOT_ALLOWED", field="indicators", clause="004 §二(三)3")
        if one.kind in UNRELATED:
            raise GuardFailed("INDICATOR_NOT_ALLOWED", field="indicators", clause=UNRELATED[one.kind])
