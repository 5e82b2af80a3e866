"""Every deadline of a case, with why it is due then: parameter, value, clause, days skipped, pauses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import clock
from services.storage.people_tables import organization, region
from services.storage.prose import resolve, texts_of
from workflows.kernel.calendar import CHINA


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a clock is due when it is (时限依据).

    `value` is a number of `unit`, or the day of a `date`; `days_skipped` are `{date, why}`, `pauses` `{from, to, why}`
    with `to` None while it lasts; `edition` names the calendar that was counted with.
    """

    parameter: str
    value: float | str
    unit: str
    roll: bool
    clause: str
    strength: str
    days_skipped: tuple[Mapping[str, str], ...]
    pauses: tuple[Mapping[str, Any], ...]
    edition: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """One clock of a case (时限), ended ones too; times are Beijing's."""

    number: int
    code: str
    ref: str
    kind: str
    state: str
    color: str
    started_at: datetime
    due_at: datetime
    original_due_at: datetime
    provisional: bool
    breached_at: datetime | None
    closed_at: datetime | None
    close_reason: str
    owner: str
    owner_name: str | None
    supervisor: str
    supervisor_name: str | None
    rule: Reason


async def clocks_of(connection: AsyncConnection, case_id: str | UUID) -> tuple[Deadline, ...]:
    """Every clock of the case in the order of their start. Who may see the case has been decided by its reading."""
    rows = await connection.execute(
        select(
            clock,
            name_of(clock.c.owner).label("owner_name"),
            name_of(clock.c.supervisor).label("supervisor_name"),
        )
        .where(clock.c.case_id == UUID(str(case_id)))
        .order_by(clock.c.number)
    )
    found = rows.mappings().all()
    texts = await texts_of(connection, [case_id], [(one["pauses"], one["pause_why"]) for one in found])
    return tuple(_deadline(one, texts) for one in found)


def name_of(code: ColumnElement[str]) -> ColumnElement[str | None]:
    """What an organisation or a place is called; one or the other has this code."""
    named = select(organization.c.name).where(organization.c.code == code).scalar_subquery()
    placed = select(region.c.name).where(region.c.code == code).scalar_subquery()
    return func.coalesce(named, placed)


def _deadline(row: RowMapping, texts: Mapping[str, Any]) -> Deadline:
    pauses = [{"from": _parsed(one["from"]), "to": _parsed(one["to"]), "why": one["why"]} for one in row["pauses"]]
    if row["state"] == "PAUSED":
        pauses.append({"from": _china(row["paused_at"]), "to": None, "why": row["pause_why"]})
    on = row["duration_on"]
    return Deadline(
        number=row["number"],
        code=row["code"],
        ref=row["ref"],
        kind=row["kind"],
        state=row["state"],
        color=row["color"],
        started_at=row["started_at"].astimezone(CHINA),
        due_at=row["due_at"].astimezone(CHINA),
        original_due_at=row["original_due_at"].astimezone(CHINA),
        provisional=row["provisional"],
        breached_at=_china(row["breached_at"]),
        closed_at=_china(row["closed_at"]),
        close_reason=row["close_reason"],
        owner=row["owner"],
        owner_name=row["owner_name"],
        supervisor=row["supervisor"],
        supervisor_name=row["supervisor_name"],
        rule=Reason(
            parameter=row["parameter"],
            value=on.isoformat() if on is not None else row["duration_value"],
            unit=row["duration_unit"],
            roll=row["duration_roll"],
            clause=row["clause"],
            strength=row["strength"],
            days_skipped=tuple({"date": day, "why": why} for day, why in row["skipped"]),
            pauses=tuple({**one, "why": resolve(one["why"], texts)} for one in pauses),
            edition=row["edition"],
        ),
    )


def _parsed(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(CHINA) if text else None


def _china(moment: datetime | None) -> datetime | None:
    return moment.astimezone(CHINA) if moment else None
