"""The calendar of working days and its editions.

Runs before the code that needs it (pre).

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Whoever changes a day, by whatever program, makes a new edition: one for each transaction. The lock lets
# editions be committed in the order of their numbers, so that a reader who has seen one has seen all before.
NEW_EDITION = """
CREATE FUNCTION calendar_new_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('shangliang.calendar_changed', true), '') <> '' THEN
        RETURN NULL;
    END IF;
    LOCK TABLE calendar_edition IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO calendar_edition (actor)
    VALUES (coalesce(nullif(current_setting('shangliang.actor', true), ''), 'database:' || session_user));
    PERFORM set_config('shangliang.calendar_changed', 'yes', true);
    RETURN NULL;
END $$
"""
TRIGGERS = (
    "CREATE TRIGGER new_edition AFTER INSERT OR DELETE ON calendar_day "
    "FOR EACH ROW EXECUTE FUNCTION calendar_new_edition()",
    "CREATE TRIGGER new_edition_changed AFTER UPDATE ON calendar_day "
    "FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION calendar_new_edition()",
    # National days come from a published calendar and are many; what people here decide is audited.
    "CREATE TRIGGER audit_row AFTER INSERT OR UPDATE ON calendar_day "
    "FOR EACH ROW WHEN (NEW.local) EXECUTE FUNCTION audit_row('date')",
    "CREATE TRIGGER audit_row_gone AFTER DELETE ON calendar_day "
    "FOR EACH ROW WHEN (OLD.local) EXECUTE FUNCTION audit_row('date')",
    "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON calendar_edition "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "calendar_day",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("local", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_working", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("kind IN ('NORMAL', 'HOLIDAY', 'MAKEUP', 'LOCAL')", name=op.f("ck_calendar_day_kind")),
        sa.CheckConstraint("local = (kind = 'LOCAL')", name=op.f("ck_calendar_day_local")),
        sa.CheckConstraint("length(why) BETWEEN 1 AND 60", name=op.f("ck_calendar_day_why")),
        sa.PrimaryKeyConstraint("date", "local", name=op.f("pk_calendar_day")),
        comment="Which days are worked (日历); a local row stands before the national one of the same date",
    )
    op.create_table(
        "calendar_edition",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_calendar_edition")),
        comment="One row for each change of the calendar (日历版本), written by triggers; append only",
    )
    op.execute(NEW_EDITION)
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("calendar_day")
    op.drop_table("calendar_edition")
    op.execute("DROP FUNCTION calendar_new_edition()")
