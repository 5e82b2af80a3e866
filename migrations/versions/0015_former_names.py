"""What people, organisations and places were called before: a document keeps the names of its day.

Runs before the code that needs it (pre).

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

READER = "shangliang_reader"
# The arguments of the trigger are the columns of the key and of the name.
KEEP = """
CREATE FUNCTION keep_former_name() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was CONSTANT jsonb := to_jsonb(OLD);
BEGIN
    INSERT INTO former_name (entity, code, name) VALUES (TG_TABLE_NAME, was ->> TG_ARGV[0], was ->> TG_ARGV[1]);
    RETURN NULL;
END $$
"""
NAMED = (("person", "id", "display_name"), ("organization", "code", "name"), ("region", "code", "name"))


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    until = sa.Column("until", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)
    op.create_table(
        "former_name",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        until,
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", "until", "entity", name=op.f("pk_former_name")),
        comment="Names that no longer hold, and until when they did (曾用名), for documents of that time",
    )
    op.execute(KEEP)
    for table, key, name in NAMED:
        op.execute(
            f"CREATE TRIGGER keep_former_name AFTER UPDATE OF {name} ON {table} FOR EACH ROW "
            f"WHEN (OLD.{name} IS DISTINCT FROM NEW.{name}) EXECUTE FUNCTION keep_former_name('{key}', '{name}')"
        )
    op.execute(f"REVOKE ALL ON former_name FROM {READER}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table, _, _ in NAMED:
        op.execute(f"DROP TRIGGER keep_former_name ON {table}")
    op.execute("DROP FUNCTION keep_former_name()")
    op.drop_table("former_name")
