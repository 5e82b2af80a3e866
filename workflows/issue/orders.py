"""Orders (派单): who leads, the clocks for signing and handling, and what an order's time may become (pure)."""

import math
from dataclasses import replace
from typing import Any

from workflows.issue.data import Handle, Issue
from workflows.kernel.calendar import CHINA, Duration, Unit
from workflows.kernel.clocks import Start
from workflows.kernel.process import Case, Notice, Turn

OUTSIDE = ("COUNTY", "CITY")
GOVERNMENT = ("DEPARTMENT", "GOV_OFFICE")


def led(case: Case[Issue], lead: str | None) -> tuple[str, ...]:
    """Every organisation that ever had the order, the new one last."""
    return case.data.leads if lead is None or lead in case.data.leads else (*case.data.leads, lead)


def order_of(case: Case[Issue], lead: str | None, helpers: tuple[str, ...]) -> dict[str, Any]:
    """The fields of an order (派单): who leads, who helps."""
    return {"lead_org": lead, "helper_orgs": helpers, "leads": led(case, lead)}


def first_handle(case: Case[Issue], duration: Duration) -> dict[str, Any]:
    """Keep the handling time first set; 重办 halves it."""
    return {} if case.data.handle else {"handle": Handle(value=duration.value, unit=duration.unit.value)}


def outside(lead: str, turn: Turn) -> bool:
    """Departments of county and city are not a lead inside the community (seed 001 §四2 提交社区协调解决)."""
    known = turn.facts.get("organizations", {}).get(lead, {})
    return known.get("type") in GOVERNMENT and known.get("level") in OUTSIDE


def signing(lead: str | None, turn: Turn, *, department: bool | None = None) -> Start:
    """The clock for signing an order; a department has more time. Its limit is the window for a 退单."""
    known = turn.facts.get("organizations", {}).get(lead or "", {})
    if department is None:
        department = known.get("type") == "DEPARTMENT"
    parameter = "issue.sign.department" if department else "issue.sign.due"
    return Start(
        code="SIGN",
        parameter=parameter,
        duration=turn.policy.duration(parameter),
        limits=(turn.policy.duration("issue.return.window"),),
    )


def sent(lead: str) -> tuple[Notice, ...]:
    """Who is to lead is told at once, not only when the time for signing runs out."""
    return (Notice(lead, "order_dispatched", "SIGN"),)


def handling(duration: Duration, parameter: str, turn: Turn) -> tuple[Start]:
    """The handling clock; its limits are how far a first and a second extension may move it (≤ 100 % each)."""
    share = turn.policy.number("issue.extension.length")
    limits: tuple[Duration, ...]
    if duration.on is not None:
        days = (duration.on - turn.now.astimezone(CHINA).date()).days
        limits = tuple(
            replace(duration, on=duration.on.fromordinal(duration.on.toordinal() + round(days * share * times)))
            for times in (1, 2)
        )
    else:
        limits = tuple(replace(duration, value=_whole(duration.value * (1 + share * times))) for times in (1, 2))
    return (Start(code="HANDLE", parameter=parameter, duration=duration, limits=limits),)


def _whole(value: float) -> float:
    return round(value) if float(value).is_integer() else value


def halved(case: Case[Issue], turn: Turn) -> tuple[Start]:
    """Handling time of 重办: a share (half) of the first, rounded up, at least `issue.rework.min`; hours exactly."""
    share = turn.policy.number("issue.rework.share")
    least = turn.policy.duration("issue.rework.min")
    first = case.data.handle
    if first is None:
        return handling(least, "issue.rework.min", turn)
    if first.unit in (Unit.HOURS, Unit.WORKING_HOURS):
        return handling(Duration(first.value * share, Unit(first.unit)), "issue.rework.min", turn)
    days = max(least.value, math.ceil(first.value * share))
    return handling(Duration(days, Unit.WORKING_DAYS), "issue.rework.min", turn)


def until(due_on: Any, turn: Turn) -> Duration:
    """A handling time that a decision sets as a day."""
    return Duration(0, Unit.DATE, on=due_on)


def working_days_about(due_on: Any, turn: Turn) -> float:
    """Roughly how many working days lie before a day, for halving it later: five of seven."""
    days = (due_on - turn.now.astimezone(CHINA).date()).days
    return float(max(1, round(days * 5 / 7)))
