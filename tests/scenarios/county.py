"""The county and city around the street of scenarios.md §0: departments, leading groups, lists, revocations."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Asked
from workflows.kernel.simulator import Question, Street

COUNTY, CITY = "620199", "6201"

ORGANIZATIONS = {
    **{
        code: {"type": "DEPARTMENT", "level": "COUNTY", "region": COUNTY}
        for code in ("urban-management", "statistics", "civil-affairs", "disabled-persons")
    },
    "medical-insurance": {"type": "DEPARTMENT", "level": "CITY", "region": CITY},
    "telecom": {"type": "ENTERPRISE", "level": "OTHER", "region": CITY},
}

LOW_INCOME = {
    "list_type": "LIST_B",
    "version": 3,
    "item_code": "B-07",
    "name": "低保入户核查协助",
    "funding_note": "由民政部门提供必要的经费和工作条件",
    "legal_basis": "社会救助暂行办法",
    "exact": True,
}
INVESTMENT = {
    "list_type": "NEGATIVE",
    "version": 1,
    "item_code": "N-01",
    "name": "社区招商引资任务指标",
    "funding_note": "",
    "legal_basis": "004 §二(三)1",
    "exact": True,
}
SURVEY = {
    "list_type": "LIST_B",
    "version": 4,
    "item_code": "B-12",
    "name": "医保参保核查协助",
    "funding_note": "",
    "legal_basis": "",
    "exact": True,
}
LISTS: tuple[tuple[date, int, Mapping[str, Mapping[str, Any]]], ...] = (
    (date(2025, 1, 1), 3, {"text:low-income": LOW_INCOME, "text:investment": INVESTMENT}),
    (date(2026, 11, 15), 4, {"text:low-income": LOW_INCOME, "text:investment": INVESTMENT, "text:insured": SURVEY}),
)
"""Versions of the county's lists by the day from which they are in force; an item is known by its reference."""


def lists_in_force(street: Street, asked: Asked) -> dict[str, Any]:
    """What the lists of the day say of the item of the case that asks."""
    assert asked.case is not None
    today = asked.now.astimezone(CHINA).date()
    _, version, entries = [one for one in LISTS if one[0] <= today][-1]
    entry = entries.get(asked.case.data.item_name)
    return {"version": version, "versions": {"LIST_B": version}, "hits": [entry] if entry else []}


def bans(street: Street, asked: Asked) -> dict[str, Any]:
    """Revoked permits of the applicant, as PostgreSQL finds them."""
    data = asked.case.data if asked.case else None
    org = asked.about.get("applicant_org") or data.applicant_org  # type: ignore[union-attr]
    variant = asked.about.get("variant") or data.variant  # type: ignore[union-attr]
    today = asked.now.astimezone(CHINA).date()
    found = [
        one.data
        for one in street.cases.values()
        if one.process == "admission"
        and one.state == "REVOKED"
        and (one.data.applicant_org, one.data.variant) == (org, variant)
        and one.data.ban_until > today
        and (variant == "UNIT" or (data is not None and data.item_name == one.data.item_name))
    ]
    return {
        "bans": [{"permit_no": one.permit_no, "variant": variant, "until": one.ban_until.isoformat()} for one in found]
    }


QUESTIONS: dict[str, Question] = {"bans": bans, "lists_in_force": lists_in_force}
