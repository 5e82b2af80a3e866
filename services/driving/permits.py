"""Admit the units of the demonstration street (示范准入单位): through the API, as their people would.

The street of the scenarios has four units in its communities, two until the end of this year, two until the end of
March, one of them with an instalment that nobody has paid.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.driving.api import Api, Json

REVIEWER = "reviewer"
COMMUNITIES = ("620199001001", "620199001002", "620199001003")
ENDS_OF_YEAR = (12, 31)
ENDS_OF_QUARTER = (3, 31)
INSTALMENT_DUE = (11, 30)


class NotAdmitted(Exception):
    """A step was refused; the reason is that of the API."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit with a service point: its organisation and account, what it does, until when, and what it still owes."""

    org: str
    item: str
    content: str
    until: tuple[int, int]
    owes: bool = False


UNITS = (
    Unit("elder-care", "社区养老助餐点", "为老年人提供助餐服务", ENDS_OF_YEAR),
    Unit("power", "电力便民服务点", "受理用电咨询和报修", ENDS_OF_QUARTER),
    Unit("telecom", "通信便民服务点", "受理通信业务咨询和报修", ENDS_OF_QUARTER),
    Unit("heating", "供热便民服务点", "受理供热咨询和报修", ENDS_OF_YEAR, owes=True),
)


async def admit_units(api: Api, today: date) -> int:
    """Admit every unit that has not applied yet; gives how many. Raises `NotAdmitted` and what `Api` raises."""
    known = await api.get(REVIEWER, "/admissions", limit=200)
    applied = {case["data"]["applicant_org"] for case in known["items"]}
    missing = [unit for unit in UNITS if unit.org not in applied]
    for unit in missing:
        await _admit(api, unit, today)
    return len(missing)


async def _admit(api: Api, unit: Unit, today: date) -> None:
    until = _next(today, *unit.until)
    funding: dict[str, Any] = {"source": "自筹", "amount": 20000}
    if unit.owes:
        funding["instalments"] = [{"amount": 20000, "due_on": _next(today, *INSTALMENT_DUE).isoformat()}]
    application = {
        "variant": "UNIT",
        "applicant_org": unit.org,
        "item_name": unit.item,
        "basis": "关于完善社区管理体制的意见",
        "need_reason": "方便居民就近办事",
        "content": unit.content,
        "delivery_mode": "OWN_STAFF",
        "communities": list(COMMUNITIES),
        "planned_from": today.isoformat(),
        "planned_until": until.isoformat(),
        "staffing": "每个社区一人",
        "funding": funding,
    }
    case = await _said(api, unit.org, "/admissions", application)
    commands = f"/admissions/{case['id']}/commands"
    promise = await api.attach(unit.org, "promise.txt", f"{unit.item}：经费由本单位承担。")
    conditions = {"met": ["有固定场所", "有专人负责"], "unmet": [], "function_split": "企业服务，不承担行政职能"}
    await _said(api, REVIEWER, f"{commands}/check_conditions", conditions)
    await _said(api, REVIEWER, f"{commands}/decide", {"outcome": "APPROVE"})
    await _said(api, unit.org, f"{commands}/confirm_funding", {"kind": "COMMITTED", "evidence": [promise]})
    await _said(api, REVIEWER, f"{commands}/register_and_enter", {})


async def _said(api: Api, who: str, path: str, body: Json) -> Any:
    answer = await api.post(who, path, body)
    if not answer.is_yes:
        raise NotAdmitted(f"{path.rpartition('/')[2]}: {answer.code}")
    return answer.body


def _next(today: date, month: int, day: int) -> date:
    """That day of this year, or of the next one where it is too near."""
    found = date(today.year, month, day)
    return found if (found - today).days > 0 else date(today.year + 1, month, day)
