"""What an admission must know of others (禁止再次申请), and the register of permits that people ask for (准入登记)."""

from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Date, Text, func, literal, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file, prose
from services.storage.permits import PermitFilters, permits, unpaid
from services.storage.questions.lists import words_of
from workflows.kernel.calendar import local
from workflows.kernel.process import Asked

MOST = 20


async def bans(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Revoked permits that bar this application: `{bans: [{permit_no, variant, until}]}`, the longest first.

    A unit is barred as such (seed 000 §三(三)1: its qualification is revoked), a department for the same work item
    only; what an item is called is known once the application is there.
    """
    data = asked.case.data if asked.case else None
    org = str(asked.about.get("applicant_org") or getattr(data, "applicant_org", ""))
    variant = str(asked.about.get("variant") or getattr(data, "variant", "") or "")
    until = case_file.c.data["ban_until"].astext.cast(Date)
    words = await words_of(connection, asked, "item_name") if asked.case else ""
    said = (
        select(prose.c.value.op("#>>", return_type=Text)(literal_column("'{}'::text[]")))
        .where(prose.c.case_id == case_file.c.id, prose.c.ref == case_file.c.data["item_name"].astext)
        .scalar_subquery()
    )
    same_item = func.item_words(said) == func.item_words(literal(words))
    rows = await connection.execute(
        select(case_file.c.data["permit_no"].astext.label("permit_no"), until.label("until"))
        .where(
            case_file.c.process == "admission",
            case_file.c.state == "REVOKED",
            case_file.c.lead_org == org,
            case_file.c.data["variant"].astext == variant,
            until > local(asked.now).date(),
            or_(literal(variant) == "UNIT", same_item) if words else literal(variant) == "UNIT",
        )
        .order_by(until.desc())
        .limit(MOST)
    )
    return {"bans": [{"permit_no": row.permit_no, "variant": variant, "until": row.until.isoformat()} for row in rows]}


async def register(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Part of the register: `{items: [Permit], next_cursor}`.

    `about`: `state, community, org, expiring_by, permit_no, public, cursor, limit`, all optional.
    What everybody may read where it is `public`, else what the actor may know of.
    """
    about = asked.about
    day = about.get("expiring_by")
    filters = PermitFilters(
        state=about.get("state"),
        community=about.get("community"),
        org=about.get("org"),
        expiring_by=date.fromisoformat(day) if day else None,
        permit_no=about.get("permit_no"),
    )
    actor = None if about.get("public") else asked.actor
    found, following = await permits(
        connection, filters, actor=actor, after=about.get("cursor"), limit=about.get("limit", 50)
    )
    return {"items": [asdict(one) for one in found], "next_cursor": following}


async def unpaid_instalments(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Instalments that nobody has paid; `about`: `due_by`, `limit`, both optional: `{items: [Owed]}`."""
    day = asked.about.get("due_by")
    due_by = date.fromisoformat(day) if day else None
    limit = asked.about.get("limit", 200)
    found = await unpaid(connection, local(asked.now).date(), actor=asked.actor, due_by=due_by, limit=limit)
    return {"items": [asdict(one) for one in found]}


QUESTIONS = {"bans": bans, "permit_register": register, "unpaid_instalments": unpaid_instalments}
