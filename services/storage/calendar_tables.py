"""Tables of the calendar of working days (data-model §2 `calendar_day`).

A change of any day, by whatever program, leaves a row in `calendar_edition`; triggers see to that.
"""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, DateTime, Identity, Table, Text, func, text

from services.storage.metadata import metadata

calendar_day = Table(
    "calendar_day",
    metadata,
    Column("date", Date, primary_key=True),
    Column("local", Boolean, primary_key=True, server_default=text("false")),
    Column("is_working", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("kind IN ('NORMAL', 'HOLIDAY', 'MAKEUP', 'LOCAL')", name="kind"),
    CheckConstraint("local = (kind = 'LOCAL')", name="local"),
    CheckConstraint("length(why) BETWEEN 1 AND 60", name="why"),
    comment="Which days are worked (日历); a local row stands before the national one of the same date",
)

calendar_edition = Table(
    "calendar_edition",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor", Text, nullable=False),
    comment="One row for each change of the calendar (日历版本), written by triggers; append only",
)
