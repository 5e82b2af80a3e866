"""Messages to people: what each was told in the product, by which channels besides, and calendars by a secret link.

Runs before the code that needs it (pre).

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("feed", "delivery", "channel", "notification")
READER = "shangliang_reader"


def _created() -> sa.Column[object]:
    now = sa.text("clock_timestamp()")
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False)


def _person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f(f"fk_{table}_person_id_person"))


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    # When a message that reached nobody is tried again; empty: at once.
    op.add_column("outbox", sa.Column("next_at", sa.DateTime(timezone=True)))
    op.create_table(
        "notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("clock", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("urgent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("path", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _created(),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        _person("notification"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint("outbox_id", "person_id", name=op.f("uq_notification_outbox_id_person_id")),
        comment="What a person was told in the product itself (站内通知)",
    )
    op.create_index(
        "ix_notification_person",
        "notification",
        ["person_id", sa.literal_column("(read_at IS NULL) DESC"), sa.literal_column("id DESC")],
    )
    op.create_table(
        "channel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid()),
        sa.Column("body_id", sa.Uuid()),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("sealed_url", sa.Text(), nullable=False),
        sa.Column("templates", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("quiet_from", sa.Time()),
        sa.Column("quiet_until", sa.Time()),
        sa.Column("digest_at", sa.Time()),
        sa.Column("language", sa.Text(), server_default=sa.text("'zh'"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        _created(),
        sa.CheckConstraint("num_nonnulls(person_id, body_id) = 1", name=op.f("ck_channel_owner")),
        sa.CheckConstraint("num_nonnulls(quiet_from, quiet_until) <> 1", name=op.f("ck_channel_quiet")),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_channel_language")),
        _person("channel"),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_channel_body_id_body")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        comment="Ways by which a person or a body is told besides (通知渠道): mail, WeCom, DingTalk, Feishu, webhooks",
    )
    op.create_index(op.f("ix_channel_person_id"), "channel", ["person_id"])
    op.create_index(op.f("ix_channel_body_id"), "channel", ["body_id"])
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'WAITING'"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), server_default=sa.text("''"), nullable=False),
        _created(),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('WAITING', 'SENT', 'DEAD')", name=op.f("ck_delivery_state")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_delivery_channel_id_channel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("outbox_id", "channel_id", name=op.f("uq_delivery_outbox_id_channel_id")),
        comment="A message on its way through a channel (发送); sent at least once, told apart by its id",
    )
    op.create_index("ix_delivery_waiting", "delivery", ["next_at"], postgresql_where=sa.text("state = 'WAITING'"))
    op.create_index("ix_delivery_channel", "delivery", ["channel_id"])
    op.create_table(
        "feed",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        _created(),
        _person("feed"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_feed_token_hash")),
        comment="The secret link by which a person's calendar program reads his dates (日历订阅); a hash of it",
    )
    # What is somebody's own is asked for by the program, never by a question about cases.
    op.execute(f"REVOKE ALL ON {', '.join(TABLES)} FROM {READER}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in TABLES:
        op.drop_table(table)
    op.drop_column("outbox", "next_at")
