"""How the reporter of a case can be reached (联系方式): a read of its own, which its caller must log."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file, contact


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reported (反映人); personal data. `account_id` is set when he has an account."""

    name: str | None
    phone: str | None
    wants_reply: bool
    account_id: str | None
    anonymous: bool
    hidden_from_lead: bool


async def reporter(connection: AsyncConnection, case_id: str | UUID) -> Reporter | None:
    """The reporter of a case; None when there is no such case. Fields are None where nothing is known."""
    named = case_file.c.data["reporter"].astext
    row = (
        await connection.execute(
            select(
                contact.c.name,
                contact.c.phone,
                contact.c.wants_reply,
                case_file.c.reporter_id,
                case_file.c.data["anonymous"].astext.label("anonymous"),
                case_file.c.data["hidden_from_lead"].astext.label("hidden"),
            )
            .outerjoin_from(case_file, contact, (contact.c.case_id == case_file.c.id) & (contact.c.ref == named))
            .where(case_file.c.id == UUID(str(case_id)))
        )
    ).first()
    if row is None:
        return None
    return Reporter(
        name=row.name,
        phone=row.phone,
        wants_reply=bool(row.wants_reply),
        account_id=row.reporter_id,
        anonymous=row.anonymous == "true",
        hidden_from_lead=row.hidden == "true",
    )
