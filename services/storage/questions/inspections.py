"""What a yearly inspection must know: which permits are due, how one stands, what the ballots say (年检)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file, clock
from services.storage.list_tables import ballot_answer
from workflows.inspection.selection import Permit, openings, permit_facts
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Asked
from workflows.policy.packs import pinned

SATISFIED = 4
"""Ratings run from 1 to 5; from here on somebody is satisfied."""
COLUMNS = tuple(
    case_file.c[name] for name in ("id", "state", "data", "pack", "pack_version", "pack_sha", "closed_at", "updated_at")
)


async def permits_to_inspect(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """The inspections that begin in a county in a year: `{openings: [{key, fields}]}`; about `{region, period, at}`."""
    region, period = str(asked.about["region"]), str(asked.about["period"])
    at = datetime.fromisoformat(str(asked.about["at"]))
    rows = await connection.execute(
        select(*COLUMNS).where(
            case_file.c.process == "admission",
            case_file.c.data["permit_no"].astext.is_not(None),
            case_file.c.data["entered_at"].astext.is_not(None),
        )
    )
    permits = [permit for row in rows.mappings() if (permit := _permit(row)) is not None]
    inspected = await _inspected(connection, [one.id for one in permits], period)
    left = [one for one in permits if one.id not in inspected]
    return {"openings": openings(left, region, period, at)}


async def _inspected(connection: AsyncConnection, permits: list[str], period: str) -> set[str]:
    """Permits of which the office has opened the inspection by hand."""
    permit = case_file.c.data["permit"].astext
    found = await connection.scalars(
        select(permit).where(
            case_file.c.process == "inspection",
            case_file.c.data["period"].astext == period,
            permit.in_(permits),
        )
    )
    return set(found)


def _permit(row: RowMapping) -> Permit | None:
    data: Mapping[str, Any] = row["data"]
    # What was in force has communities and a term, also after its end.
    if not data.get("communities") or not data.get("valid_until") or not data.get("entered_at"):
        return None
    ended = row["state"] in ("CLOSED", "REVOKED")
    revoked = data.get("revoked_at")
    first = min((one["valid_from"] for one in data.get("terms", {}).values()), default=data["valid_from"])
    return Permit(
        id=str(row["id"]),
        permit_no=data["permit_no"],
        variant=data["variant"],
        applicant_org=data["applicant_org"],
        communities=tuple(data["communities"]),
        entered_at=datetime.fromisoformat(data["entered_at"]).astimezone(CHINA),
        ended_at=(datetime.fromisoformat(revoked) if revoked else row["closed_at"] if ended else None),
        valid_from=date.fromisoformat(first),
        valid_until=date.fromisoformat(data["valid_until"]),
        policy=pinned(row["pack"], row["pack_version"], row["pack_sha"]),
    )


async def permit_of(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """How the inspected permit stands; the permit is the question's, or that of the inspection that asks."""
    permit_id = UUID(str(asked.about.get("permit") or (asked.case.data.permit if asked.case else "")))
    late = exists().where(clock.c.case_id == case_file.c.id, clock.c.code == "RECTIFY", clock.c.state == "BREACHED")
    row = (
        (await connection.execute(select(*COLUMNS, late.label("breached")).where(case_file.c.id == permit_id)))
        .mappings()
        .one()
    )
    permit = _permit(row)
    if permit is None:
        return {"in_force": False, "county": "", "inspections": []}
    others = await connection.execute(
        select(case_file.c.id, case_file.c.data["period"].astext, case_file.c.data["outcome"].astext).where(
            case_file.c.process == "inspection", case_file.c.data["permit"].astext == str(permit_id)
        )
    )
    inspections: list[Mapping[str, Any]] = [
        {"id": str(one), "period": period, "outcome": outcome} for one, period, outcome in others
    ]
    return permit_facts(permit, row["state"], breached=row["breached"], inspections=inspections)


async def ballot_tally(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Counts of the answers of a round, without any order: `{valid, satisfied, cells: {rating: count}}`."""
    assert asked.case is not None
    rows = await connection.execute(
        select(ballot_answer.c.rating, func.count())
        .where(
            ballot_answer.c.case_id == UUID(asked.case.id),
            ballot_answer.c.round == int(asked.about["round"]),
            ballot_answer.c.rating.is_not(None),
        )
        .group_by(ballot_answer.c.rating)
    )
    counts = {int(rating): int(count) for rating, count in rows}
    return {
        "valid": sum(counts.values()),
        "satisfied": sum(count for rating, count in counts.items() if rating >= SATISFIED),
        "cells": {str(rating): count for rating, count in sorted(counts.items())},
    }


QUESTIONS = {"permits_to_inspect": permits_to_inspect, "permit_of": permit_of, "ballot_tally": ballot_tally}
