"""How the reporter of a case can be reached (联系方式): a read of its own, which its caller must log.

Names and phones are encrypted for good, each tied to the reference that the case has to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal_column, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file, contact
from services.storage.sealing import CLOSED, Seal, closed_with

PRIVATE = ("name", "phone")
BATCH = 500


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reported (反映人); personal data. `account_id` is set when he has an account."""

    name: str | None
    phone: str | None
    wants_reply: bool
    account_id: str | None
    anonymous: bool
    hidden_from_lead: bool


def closed(contacts: Mapping[str, Any], seal: Seal) -> dict[str, Any]:
    """Contact details by reference as they are kept, with what says who it is encrypted."""
    return {
        ref: {name: seal.close(one, ref) if name in PRIVATE and one else one for name, one in value.items()}
        for ref, value in contacts.items()
    }


async def reporter(connection: AsyncConnection, case_id: str | UUID, seal: Seal) -> Reporter | None:
    """The reporter of a case; None when there is no such case. Fields are None where nothing is known.

    Raises `SealBroken` when the key is not here.
    """
    named = case_file.c.data["reporter"].astext
    row = (
        await connection.execute(
            select(
                contact.c.ref,
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
        name=seal.open(row.name, row.ref) if row.name else None,
        phone=seal.open(row.phone, row.ref) if row.phone else None,
        wants_reply=bool(row.wants_reply),
        account_id=row.reporter_id,
        anonymous=row.anonymous == "true",
        hidden_from_lead=row.hidden == "true",
    )


async def names(connection: AsyncConnection, case_id: str | UUID, refs: Sequence[str], seal: Seal) -> dict[str, str]:
    """What people are called whom a case knows by a contact alone, for documents that must name them; no phones.

    Raises `SealBroken` when the key is not here.
    """
    rows = await connection.execute(
        select(contact.c.ref, contact.c.name).where(
            contact.c.case_id == UUID(str(case_id)), contact.c.ref.in_(refs), contact.c.name.is_not(None)
        )
    )
    return {row.ref: seal.open(row.name, row.ref) for row in rows}


async def keys_in_use(connection: AsyncConnection) -> dict[str, int]:
    """How many fields each key protects; those in clear under an empty id."""
    found: dict[str, int] = {}
    for column in (contact.c.name, contact.c.phone):
        key = func.substring(column, literal_column(f"'^{CLOSED}([^.]+)'"))
        for row in await connection.execute(select(key, func.count()).where(column.is_not(None)).group_by(key)):
            found[row[0] or ""] = found.get(row[0] or "", 0) + row[1]
    return found


async def rotate(connection: AsyncConnection, seal: Seal) -> int:
    """Encrypt one batch of fields anew with the key in use; how many rows, 0 when none is left.

    Rows that are being changed wait for the next batch; readers never wait.
    """
    mine = f"{CLOSED}{seal.current}.%"
    stale = or_(*(contact.c[name].not_like(mine) for name in PRIVATE))
    rows = (await connection.execute(select(contact).where(stale).limit(BATCH).with_for_update(skip_locked=True))).all()
    for row in rows:
        values = {name: _anew(getattr(row, name), row.ref, seal) for name in PRIVATE}
        here = tuple_(contact.c.case_id, contact.c.ref) == (row.case_id, row.ref)
        await connection.execute(update(contact).where(here).values(values))
    return len(rows)


def _anew(kept: str | None, ref: str, seal: Seal) -> str | None:
    if not kept or closed_with(kept) == seal.current:
        return kept
    return seal.close(seal.open(kept, ref), ref)
