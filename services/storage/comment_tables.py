"""Tables of what is said beside a case (留言), and of who follows one without owing it anything (关注)."""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.storage.metadata import metadata


def _now(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


case_comment = Table(
    "case_comment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    # Its place among the comments of the case, from 1.
    Column("n", Integer, nullable=False),
    Column("author", Uuid, ForeignKey("person.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("org", Text),
    # For those who work on cases, not for residents.
    Column("internal", Boolean, nullable=False),
    Column("sealed_text", Text, nullable=False),
    Column("attachments", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    _now("created_at"),
    # What it said before it was changed: `{"sealed_text": …, "until": …}`, the oldest first.
    Column("earlier", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("changed_at", DateTime(timezone=True)),
    Column("taken_back_at", DateTime(timezone=True)),
    UniqueConstraint("case_id", "n"),
    Index(None, "author"),
    comment="What people say beside a case (留言); sealed, no part of its history",
)

case_follower = Table(
    "case_follower",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("person_id", Uuid, ForeignKey("person.id"), primary_key=True),
    _now("since"),
    Index(None, "person_id"),
    comment="Who is told when a case moves or something is said, though he owes it nothing (关注)",
)
