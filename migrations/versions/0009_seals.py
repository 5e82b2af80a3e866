"""Seal every day: where each case stood at its end, chained and signed, so that a whole case cannot vanish.

Runs before the code that needs it (pre).

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("sealed_day", "sealed_case")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "sealed_day",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("books", postgresql.JSONB(), nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "day", name=op.f("pk_sealed_day")),
        comment="One sealed head a day (每日封存); each signs all before it; append only",
    )
    op.create_table(
        "sealed_case",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "day", "case_id", name=op.f("pk_sealed_case")),
        comment="Where each case that moved on a day stood at its end; append only",
    )
    op.create_index("ix_sealed_case_case", "sealed_case", ["case_id"])
    # By which the events of a day are found; a few pages, however large the history is.
    op.create_index("ix_event_recorded", "event", ["recorded_at"], postgresql_using="brin")
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {', '.join(TABLES)} FROM PUBLIC, CURRENT_USER, shangliang_app")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_index("ix_event_recorded", table_name="event")
    for table in reversed(TABLES):
        op.drop_table(table)
