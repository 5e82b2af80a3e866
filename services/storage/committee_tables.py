"""Tables of the committees: certificates of appointment, and which deeds were done (data-model §3)."""

from sqlalchemy import CheckConstraint, Column, Date, DateTime, ForeignKey, Index, String, Table, Text, Uuid, func

from services.storage.metadata import metadata
from services.storage.people_tables import row_columns

certificate = Table(
    "certificate_of_appointment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("cert_no", Text, nullable=False, unique=True),
    Column("person_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("community_code", String(12), ForeignKey("community.region_code"), nullable=False),
    Column("post", Text, nullable=False),
    Column("category", Text),
    Column("issued_on", Date, nullable=False),
    Column("valid_until", Date),
    Column("revoked_on", Date),
    Column("case_id", Uuid),
    *row_columns(),
    CheckConstraint("post IN ('CHAIR', 'VICE_CHAIR', 'MEMBER')", name="post"),
    Index(None, "person_id"),
    Index(None, "community_code"),
    comment="Certificates (聘书); they end, and are not deleted; check codes are computed, not kept",
)

deed = Table(
    "deed",
    metadata,
    Column("errand_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("done_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="Deeds on master data that were carried out, so that a repeat changes nothing",
)
