"""How much a community carries (负担): what was admitted, what it asks, what was promised and paid, and the trend.

Everything comes from admissions and incoming tasks as they stand; nobody enters it twice (seed 004 §二(一)1).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import cast
from sqlalchemy.sql.expression import literal

from services.storage.coverage import IN_FORCE
from services.storage.ledger_tables import case_file
from services.storage.people_tables import organization
from services.storage.prose import said, texts_of
from workflows.kernel.calendar import CHINA

MONTHS = 12
FOUR_CANCELLATIONS = "FOUR_CANCELLATIONS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One admitted item or unit as its burden on one community; money in CNY, of the whole permit."""

    admission: str
    number: str
    permit_no: str | None
    item_name: str
    variant: str
    applicant_org: str
    applicant_name: str
    state: str
    since: date | None
    until: date | None
    hours_month: float | None
    forms: tuple[str, ...]
    derived: bool
    promised: float
    paid: float
    communities: int
    overdue: bool
    warnings: tuple[str, ...]
    ended: bool

    @property
    def is_in_force(self) -> bool:
        """Say whether the community carries it now."""
        return not self.ended


async def carried(connection: AsyncConnection, community: str) -> list[Carried]:
    """Every admission that was ever in force in a community, those in force first."""
    data = case_file.c.data
    here = case_file.c.places.contains(cast([community], ARRAY(TEXT)))
    entered = or_(data["entered_at"].astext.is_not(None), case_file.c.state == "REGISTERED_ONLY")
    rows = (
        await connection.execute(
            select(
                case_file.c.id,
                case_file.c.number,
                case_file.c.state,
                case_file.c.closed_at,
                data,
                organization.c.name,
            )
            .outerjoin(organization, organization.c.code == data["applicant_org"].astext)
            .where(case_file.c.process == "admission", here, entered)
            .order_by(case_file.c.closed_at.is_not(None), case_file.c.opened_at.desc())
        )
    ).all()
    texts = await texts_of(connection, [row.id for row in rows], [_said(row.data) for row in rows])
    return [_carried(row, texts) for row in rows]


def _said(data: Mapping[str, Any]) -> list[Any]:
    return [data.get("item_name"), data.get("ledgers_required", []), _asked_ledgers(data)]


def _asked_ledgers(data: Mapping[str, Any]) -> list[str]:
    """Ledgers that were asked for without approval (S37)."""
    return [ledger for one in data.get("breaches", {}).values() for ledger in one.get("ledgers", [])]


def _carried(row: Any, texts: Mapping[str, Any]) -> Carried:
    data = row.data
    plan = data.get("instalments", {}).values()
    money = data.get("funding") or {}
    ledgers = [*data.get("ledgers_required", []), *_asked_ledgers(data)]
    warned = FOUR_CANCELLATIONS in data.get("warnings", []) or bool(_asked_ledgers(data))
    since = data.get("entered_at")
    return Carried(
        admission=str(row.id),
        number=row.number,
        permit_no=data.get("permit_no"),
        item_name=said(data.get("item_name", ""), texts),
        variant=data["variant"],
        applicant_org=data["applicant_org"],
        applicant_name=row.name or data["applicant_org"],
        state=row.state,
        since=datetime.fromisoformat(since).astimezone(CHINA).date() if since else None,
        until=_ended_on(row),
        hours_month=data.get("hours_month"),
        forms=tuple(said(one, texts) for one in ledgers),
        derived=bool(data.get("ledgers_derived")),
        promised=float(money.get("amount") or sum(one["amount"] for one in plan)),
        paid=float(sum(one["amount"] for one in plan if one.get("paid_on"))),
        communities=len(data.get("communities", [])) or 1,
        overdue=bool(data.get("funding_overdue")),
        warnings=(FOUR_CANCELLATIONS,) if warned else (),
        ended=row.state not in (*IN_FORCE, "REGISTERED_ONLY"),
    )


def _ended_on(row: Any) -> date | None:
    if row.closed_at is not None:
        ended: date = row.closed_at.astimezone(CHINA).date()
        return ended
    until = row.data.get("valid_until")
    return date.fromisoformat(until) if until else None


async def tasks(connection: AsyncConnection, community: str) -> list[tuple[date, str]]:
    """Day and standing of every incoming task of a community."""
    rows = await connection.execute(
        select(case_file.c.opened_at, case_file.c.state).where(
            case_file.c.process == "refusal", case_file.c.community == literal(community)
        )
    )
    return [(row.opened_at.astimezone(CHINA).date(), row.state) for row in rows]


# --- what it adds up to (pure) -------------------------------------------------------------------------------


def totals(items: Iterable[Carried]) -> dict[str, float | int]:
    """What a community carries now; money is shared evenly among the communities of a permit."""
    now = [one for one in items if one.is_in_force]
    return {
        "items": sum(one.state != "REGISTERED_ONLY" for one in now),
        "registered_only": sum(one.state == "REGISTERED_ONLY" for one in now),
        "forms": sum(len(one.forms) for one in now if not one.derived),
        "hours_month": sum(one.hours_month or 0 for one in now),
        "money_promised": round(sum(one.promised / one.communities for one in now), 2),
        "money_paid": round(sum(one.paid / one.communities for one in now), 2),
        "money_overdue": sum(one.overdue for one in now),
        "four_cancellations": sum(FOUR_CANCELLATIONS in one.warnings for one in now),
    }


def trend(items: Iterable[Carried], tasks: Iterable[tuple[date, str]], today: date) -> Iterator[dict[str, Any]]:
    """Month by month, oldest first: what was in force at its end, and what was asked and refused in it."""
    held, asked = list(items), list(tasks)
    came = Counter(f"{day:%Y-%m}" for day, _ in asked)
    refused = Counter(f"{day:%Y-%m}" for day, state in asked if state in REFUSED)
    for month in months_until(today):
        there = [one for one in held if one.since is not None and f"{one.since:%Y-%m}" <= month]
        there = [one for one in there if one.until is None or one.is_in_force or f"{one.until:%Y-%m}" > month]
        yield {
            "month": month,
            "items": len(there),
            "hours_month": sum(one.hours_month or 0 for one in there),
            "forms": sum(len(one.forms) for one in there if not one.derived),
            "tasks": came[month],
            "refused": refused[month],
        }


REFUSED = ("REFUSED", "ARBITRATION", "ESCALATED", "LINKED")
"""Standings of a task that was refused, whatever came after."""


def months_until(today: date) -> list[str]:
    """The last twelve months, oldest first."""
    count = today.year * 12 + today.month - 1
    return [f"{one // 12}-{one % 12 + 1:02}" for one in range(count - MONTHS + 1, count + 1)]
