"""Tables of the tree that came after the first: buildings, and substitutes during absence (data-model §2)."""

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from services.storage.metadata import metadata
from services.storage.people_tables import row_columns

building = Table(
    "building",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("community_code", String(12), ForeignKey("community.region_code"), nullable=False),
    Column("name", Text, nullable=False),
    Column("floors", SmallInteger),
    Column("units", SmallInteger),
    Column("households", Integer),
    # One column, so that a building lies in one grid (P13, invariant); empty is a gap that the check names.
    Column("grid_id", Uuid, ForeignKey("spatial_unit.id")),
    Column("estate_id", Uuid, ForeignKey("spatial_unit.id")),
    Column("base_unit_id", Uuid, ForeignKey("spatial_unit.id")),
    *row_columns(),
    CheckConstraint("floors > 0", name="floors"),
    CheckConstraint("units > 0", name="units"),
    CheckConstraint("households >= 0", name="households"),
    UniqueConstraint("community_code", "name"),
    Index(None, "grid_id"),
    Index(None, "estate_id"),
    Index(None, "base_unit_id"),
    comment="Buildings (楼栋); households by room are personal data and not here",
)

substitution = Table(
    "substitution",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("absent_person_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("substitute_person_id", Uuid, ForeignKey("person.id"), nullable=False),
    # Empty: every role that may be substituted.
    Column("roles", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("reason", Text),
    Column("appointed_by", Uuid, ForeignKey("person.id"), nullable=False),
    *row_columns(),
    CheckConstraint("absent_person_id <> substitute_person_id", name="two_people"),
    # Ended on the day it would have begun, it never was: then `until` is the day before.
    CheckConstraint("until >= since - 1", name="term"),
    Index(None, "absent_person_id"),
    Index(None, "substitute_person_id"),
    comment="Who acts for whom during an absence (代理); rows are ended, not deleted",
)
