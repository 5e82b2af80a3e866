"""Templates of documents that the city has put in the place of ours (文书模板)."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    func,
)

from services.storage.metadata import metadata

document_template = Table(
    "document_template",
    metadata,
    Column("pack", String(60), primary_key=True),
    Column("kind", String(42), primary_key=True),
    Column("version", Integer, primary_key=True),
    # None: from then on the template that ships serves again.
    Column("content", LargeBinary),
    Column("sha256", String(64)),
    Column("put_by", Uuid, ForeignKey("person.id"), nullable=False),
    Column("put_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    CheckConstraint("(content IS NULL) = (sha256 IS NULL)", name="content"),
    comment="Templates of documents of the city's own (文书模板), every version; one without content: ours again",
)
