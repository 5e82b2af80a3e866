"""Tables of the county's lists, and of the ballots by which communities assess who was admitted.

A list is kept as versions, never edited in place (data-model §2, `duty_list`, `duty_item`); an older version stays,
so that a decision of years ago can be understood. An answer of a ballot knows neither its token nor its moment.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.storage.metadata import metadata

LIST_TYPES = ("LIST_A", "LIST_B", "NEGATIVE", "CERTIFICATE", "CERTIFICATE_NEGATIVE", "SEAL_USE")

duty_list = Table(
    "duty_list",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("county", String(12), ForeignKey("region.code"), nullable=False),
    Column("list_type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # In force from this day until the day before that of the next version.
    Column("effective_from", Date, nullable=False),
    Column("source", Text, nullable=False, server_default=text("''")),
    Column("published_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("published_by", Text, nullable=False),
    CheckConstraint("list_type IN ({})".format(", ".join(f"'{one}'" for one in LIST_TYPES)), name="list_type"),
    CheckConstraint("version > 0", name="version"),
    UniqueConstraint("county", "list_type", "version"),
    UniqueConstraint("county", "list_type", "effective_from", name="uq_duty_list_county_list_type_effective_from"),
    comment="A version of a list of a county (清单版本); never changed",
)

duty_item = Table(
    "duty_item",
    metadata,
    Column("list_id", Uuid, ForeignKey("duty_list.id"), primary_key=True),
    Column("item_code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("legal_basis", Text, nullable=False, server_default=text("''")),
    Column("lead_department", Text, nullable=False, server_default=text("''")),
    Column("funding_note", Text, nullable=False, server_default=text("''")),
    # The same words without spaces, signs and widths: what is meant to be equal is.
    Column("words", Text, Computed("item_words(name)", persisted=True), nullable=False),
    Column("grams", ARRAY(Text), Computed("bigrams(item_words(name))", persisted=True), nullable=False),
    CheckConstraint("length(name) BETWEEN 1 AND 300", name="name"),
    Index("ix_duty_item_words", "words"),
    Index("ix_duty_item_grams", "grams", postgresql_using="gin"),
    comment="An entry of a version of a list (清单事项); never changed",
)

ballot_token = Table(
    "ballot_token",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("used", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("octet_length(hash) = 32", name="hash"),
    Index("ix_ballot_token_case_id_round", "case_id", "round"),
    comment="One right to answer a ballot (评议票); no person, no moment",
)

ballot_answer = Table(
    "ballot_answer",
    metadata,
    # Chance alone: an order of answers would be an order of tokens.
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("rating", SmallInteger),
    Column("opinion", Text),
    CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    CheckConstraint("length(opinion) <= 500", name="opinion"),
    Index("ix_ballot_answer_case_id_round", "case_id", "round"),
    comment="An answer (评议答卷), without token, person or moment; no rating: not valid",
)
