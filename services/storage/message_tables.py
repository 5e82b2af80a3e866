"""Tables of messages to people (通知): what each was told, by which channels, and who reads a calendar by a link.

The outbox itself is written with the case (ledger_tables.py); everything here follows from it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.storage.metadata import metadata

DELIVERY_STATES = ("WAITING", "SENT", "DEAD")


def _created() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


notification = Table(
    "notification",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("outbox_id", BigInteger, nullable=False),
    Column("person_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("template", Text, nullable=False),
    Column("clock", Text, nullable=False, server_default=text("''")),
    Column("urgent", Boolean, nullable=False, server_default=text("false")),
    # Whom it was tried for, one after the other; the last one was somebody.
    Column("path", JSONB, nullable=False),
    _created(),
    Column("read_at", DateTime(timezone=True)),
    UniqueConstraint("outbox_id", "person_id"),
    Index("ix_notification_person", "person_id", text("(read_at IS NULL) DESC"), text("id DESC")),
    comment="What a person was told in the product itself (站内通知)",
)

channel = Table(
    "channel",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("person_id", Uuid, ForeignKey("person.id")),
    Column("body_id", Uuid, ForeignKey("body.id")),
    # What kind of address it is; the address itself may hold keys and is sealed.
    Column("scheme", Text, nullable=False),
    Column("sealed_url", Text, nullable=False),
    # Templates that it takes; empty: all of them.
    Column("templates", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("quiet_from", Time),
    Column("quiet_until", Time),
    # Once a day at this time instead of at once; what is urgent never waits.
    Column("digest_at", Time),
    Column("language", Text, nullable=False, server_default=text("'zh'")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    _created(),
    CheckConstraint("num_nonnulls(person_id, body_id) = 1", name="owner"),
    CheckConstraint("num_nonnulls(quiet_from, quiet_until) <> 1", name="quiet"),
    CheckConstraint("language IN ('zh', 'en')", name="language"),
    Index(None, "person_id"),
    Index(None, "body_id"),
    comment="Ways by which a person or a body is told besides (通知渠道): mail, WeCom, DingTalk, Feishu, webhooks",
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("outbox_id", BigInteger, nullable=False),
    Column("channel_id", Uuid, ForeignKey("channel.id"), nullable=False),
    Column("state", Text, nullable=False, server_default=text("'WAITING'")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("last_error", Text, nullable=False, server_default=text("''")),
    _created(),
    Column("sent_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('WAITING', 'SENT', 'DEAD')", name="state"),
    UniqueConstraint("outbox_id", "channel_id"),
    Index("ix_delivery_waiting", "next_at", postgresql_where=text("state = 'WAITING'")),
    Index("ix_delivery_channel", "channel_id"),
    comment="A message on its way through a channel (发送); sent at least once, told apart by its id",
)

feed = Table(
    "feed",
    metadata,
    Column("person_id", Uuid, ForeignKey("person.id"), primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    _created(),
    comment="The secret link by which a person's calendar program reads his dates (日历订阅); a hash of it",
)
