"""Files that people attached (附件): what is known of them, and who may use them. The bytes are elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import attachment, case_file
from services.storage.sight import single_sight
from workflows.kernel.process import Actor


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file: `kind` PHOTO, AUDIO, VIDEO or FILE, `size` in bytes, `sha256` of the stored bytes in hexadecimal."""

    id: UUID
    kind: str
    media_type: str
    size: int
    sha256: str
    object_key: str
    uploaded_by: str
    uploaded_at: datetime
    case_id: UUID | None


async def add_attachment(
    connection: AsyncConnection,
    *,
    id: UUID,
    kind: str,
    media_type: str,
    size: int,
    sha256: str,
    object_key: str,
    uploaded_by: str,
) -> Attachment:
    """Write down a file that has been stored, once; a command that names it ties it to its case."""
    values = {
        "id": id,
        "kind": kind,
        "media_type": media_type,
        "size": size,
        "sha256": sha256,
        "object_key": object_key,
        "uploaded_by": uploaded_by,
    }
    await connection.execute(insert(attachment).values(values).on_conflict_do_nothing(index_elements=["id"]))
    row = (await connection.execute(select(attachment).where(attachment.c.id == id))).mappings().one()
    return Attachment(**row)


async def attachment_for(connection: AsyncConnection, actor: Actor, attachment_id: str | UUID) -> Attachment | None:
    """The file if this person uploaded it or may see its case; else None."""
    usable = await attachments_for(connection, actor, [attachment_id])
    return usable[0] if usable else None


async def attachments_for(
    connection: AsyncConnection, actor: Actor, ids: Iterable[str | UUID]
) -> tuple[Attachment, ...]:
    """Those of these files that exist and that this person may use; ids that are none are passed over."""
    wanted = [one for one in map(_id, ids) if one is not None]
    if not wanted:
        return ()
    rows = await connection.execute(
        select(attachment)
        .outerjoin_from(attachment, case_file, case_file.c.id == attachment.c.case_id)
        .where(
            attachment.c.id.in_(wanted),
            or_(attachment.c.uploaded_by == actor.id, case_file.c.id.is_not(None) & single_sight(actor)),
        )
    )
    return tuple(Attachment(**row) for row in rows.mappings())


async def attachments_of(connection: AsyncConnection, case_id: str) -> tuple[Attachment, ...]:
    """The files of a case, in the order in which they came."""
    rows = await connection.execute(
        select(attachment).where(attachment.c.case_id == UUID(case_id)).order_by(attachment.c.uploaded_at)
    )
    return tuple(Attachment(**row) for row in rows.mappings())


async def forget_loose(connection: AsyncConnection, *, before: datetime, limit: int = 1000) -> tuple[str, ...]:
    """Delete what no command ever named; gives the object keys whose bytes can go."""
    loose = (
        select(attachment.c.id)
        .where(attachment.c.case_id.is_(None), attachment.c.uploaded_at < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = await connection.execute(
        delete(attachment).where(attachment.c.id.in_(loose)).returning(attachment.c.object_key)
    )
    return tuple(gone.scalars())


def _id(given: str | UUID) -> UUID | None:
    try:
        return given if isinstance(given, UUID) else UUID(given)
    except ValueError:
        return None
