"""Daily sealed heads (封存): where every case stood at the end of a day, chained and signed."""

from sqlalchemy import Column, Date, DateTime, Index, Integer, LargeBinary, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB

from services.storage.metadata import metadata

sealed_day = Table(
    "sealed_day",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("cases", Integer, nullable=False),
    # Rows, last number and digest of what is written once besides: {audit: {rows, last, digest}, access_log: …}.
    Column("books", JSONB, nullable=False),
    Column("prev", LargeBinary, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("sealed_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    comment="One sealed head a day (每日封存); each signs all before it; append only",
)

sealed_case = Table(
    "sealed_case",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("case_id", Uuid, primary_key=True),
    Column("number", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_sealed_case_case", "case_id"),
    comment="Where each case that moved on a day stood at its end; append only",
)
