"""准入登记: permits in force and those that were, what they were promised, and what is still owed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, RowMapping, Text, and_, cast, func, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.clocks import name_of
from services.storage.cursors import cursor, order_of
from services.storage.ledger_tables import case_file
from services.storage.prose import said, texts_of
from services.storage.sight import sight
from workflows.kernel.process import Actor

KIND = "permits"
LARGEST_PAGE = 200
IN_FORCE = ("ACTIVE", "RENEWAL_REVIEW", "RECTIFYING", "REVOCATION_PROPOSED")
LISTED = (*IN_FORCE, "REGISTERED_ONLY")
"""What stands in the register today; other states are asked for by name."""
FOREVER = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Permit:
    """A line of the register (准入登记): who may do what where, from when until when; money in CNY."""

    case_id: str
    number: str
    permit_no: str | None
    variant: str
    item: str
    scope: str
    applicant_org: str
    applicant_name: str | None
    communities: tuple[str, ...]
    state: str
    phase: str
    delivery_mode: str
    valid_from: str | None
    valid_until: str | None
    registered_at: str | None
    promised: float
    paid: float
    funding_overdue: bool
    suspended_in: tuple[str, ...]
    ledgers: int
    inspections: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitFilters:
    """What the register is narrowed by; None narrows nothing. `expiring_by` is the last day that counts."""

    state: str | None = None
    community: str | None = None
    org: str | None = None
    expiring_by: date | None = None
    permit_no: str | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """An instalment that nobody has paid (未拨付)."""

    case_id: str
    permit_no: str | None
    item: str
    applicant_org: str
    applicant_name: str | None
    communities: tuple[str, ...]
    state: str
    instalment: int
    amount: float
    due_on: str
    overdue: bool
    suspended_in: tuple[str, ...]


async def permits(
    connection: AsyncConnection,
    filters: PermitFilters,
    *,
    actor: Actor | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[tuple[Permit, ...], str | None]:
    """Part of the register, what ends first in front; everybody's without an actor, else what he may know of.

    Raises `CursorInvalid` for a cursor of another list.
    """
    limit = max(1, min(limit, LARGEST_PAGE))
    until = func.coalesce(case_file.c.data["valid_until"].astext, FOREVER)
    chosen = _chosen(filters, until)
    if after is not None:
        chosen.append(tuple_(until, cast(case_file.c.id, Text)) > order_of(KIND, after, (str, str)))
    rows = await connection.execute(
        select(case_file, name_of(case_file.c.lead_org).label("applicant_name"))
        .where(*chosen, sight(actor) if actor is not None else true())
        .order_by(until, cast(case_file.c.id, Text))
        .limit(limit + 1)
    )
    listed = rows.mappings().all()
    found = listed[:limit]
    texts = await texts_of(
        connection, [row["id"] for row in found], [(row["title"], row["data"].get("scope")) for row in found]
    )
    last = found[-1] if len(listed) > limit else None
    following = cursor(KIND, (last["data"].get("valid_until", FOREVER), str(last["id"]))) if last is not None else None
    return tuple(_permit(row, texts) for row in found), following


async def unpaid(
    connection: AsyncConnection,
    today: date,
    *,
    actor: Actor | None = None,
    due_by: date | None = None,
    limit: int = 200,
) -> tuple[Owed, ...]:
    """Instalments of permits in force that nobody has paid, the longest owed first."""
    each = func.jsonb_each(case_file.c.data["instalments"]).table_valued("key", "value").lateral("plan")
    due_on = each.c.value.op("->>")("due_on")
    rows = await connection.execute(
        select(case_file, name_of(case_file.c.lead_org).label("applicant_name"), each.c.key, each.c.value)
        .join(each, true())
        .where(
            case_file.c.process == "admission",
            case_file.c.state.in_(IN_FORCE),
            each.c.value.op("->>")("paid_on").is_(None),
            due_on <= due_by.isoformat() if due_by is not None else true(),
            sight(actor) if actor is not None else true(),
        )
        .order_by(due_on, case_file.c.id)
        .limit(max(1, min(limit, LARGEST_PAGE)))
    )
    listed = rows.mappings().all()
    texts = await texts_of(connection, [row["id"] for row in listed], [row["title"] for row in listed])
    return tuple(
        Owed(
            case_id=str(row["id"]),
            permit_no=row["data"].get("permit_no"),
            item=said(row["title"], texts),
            applicant_org=row["lead_org"],
            applicant_name=row["applicant_name"],
            communities=tuple(row["data"].get("communities", ())),
            state=row["state"],
            instalment=int(row["key"]),
            amount=row["value"]["amount"],
            due_on=row["value"]["due_on"],
            overdue=row["value"]["due_on"] < today.isoformat(),
            suspended_in=tuple(sorted(row["data"].get("stopped", ()))),
        )
        for row in listed
    )


def _chosen(filters: PermitFilters, until: ColumnElement[str]) -> list[ColumnElement[bool]]:
    data = case_file.c.data
    chosen: list[ColumnElement[bool]] = [case_file.c.process == "admission"]
    if filters.permit_no is not None:
        return [*chosen, data["terms"].has_key(filters.permit_no)]
    if filters.state is not None:
        state, _, phase = filters.state.partition(":")
        chosen.append(and_(case_file.c.state == state, case_file.c.phase == phase if phase else true()))
    else:
        chosen.append(case_file.c.state.in_(LISTED))
    if filters.community is not None:
        # A community, or every one of a subdistrict or county: the codes of both stand beside the case.
        chosen.append(case_file.c.places.contains(cast([filters.community], ARRAY(Text))))
    if filters.org is not None:
        chosen.append(case_file.c.lead_org == filters.org)
    if filters.expiring_by is not None:
        chosen.append(until <= filters.expiring_by.isoformat())
    return chosen


def _permit(row: RowMapping, texts: Mapping[str, Any]) -> Permit:
    data = row["data"]
    plan = data.get("instalments", {}).values()
    paid = sum(one["amount"] for one in plan if one.get("paid_on"))
    return Permit(
        case_id=str(row["id"]),
        number=row["number"],
        permit_no=data.get("permit_no"),
        variant=data.get("variant", ""),
        item=said(row["title"], texts),
        scope=said(data.get("scope"), texts),
        applicant_org=row["lead_org"],
        applicant_name=row["applicant_name"],
        communities=tuple(data.get("communities", ())),
        state=row["state"],
        phase=row["phase"],
        delivery_mode=data.get("delivery_mode", ""),
        valid_from=data.get("valid_from"),
        valid_until=data.get("valid_until"),
        registered_at=data.get("entered_at"),
        promised=float((data.get("funding") or {}).get("amount", 0)),
        paid=float(paid),
        funding_overdue=bool(data.get("funding_overdue")),
        suspended_in=tuple(sorted(data.get("stopped", ()))),
        ledgers=len(data.get("ledgers_required", ())),
        inspections=data.get("inspections", {}),
    )
