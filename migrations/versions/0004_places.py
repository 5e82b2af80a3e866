"""Let a case concern places besides its own: those who work there know of it.

Runs before the code that needs it (pre).

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RECORD = "record(jsonb)"
CHANGES = (
    ("orgs, persons, color, next_due_at", "orgs, persons, places, color, next_due_at"),
    ("becomes.persons, becomes.color", "becomes.persons, becomes.places, becomes.color"),
    ("persons = becomes.persons,", "persons = becomes.persons, places = becomes.places,"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "case_file",
        sa.Column("places", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_index("ix_case_file_places", "case_file", ["places"], unique=False, postgresql_using="gin")
    _rewrite(CHANGES)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _rewrite(tuple((after, before) for before, after in CHANGES))
    op.drop_index("ix_case_file_places", table_name="case_file")
    op.drop_column("case_file", "places")


def _rewrite(changes: tuple[tuple[str, str], ...]) -> None:
    """Change a few words of the one writer of cases; the rest of it stays as the migration before wrote it."""
    connection = op.get_bind()
    definition = connection.scalar(sa.text("SELECT pg_get_functiondef(to_regprocedure(:name))"), {"name": RECORD})
    for before, after in changes:
        if definition.count(before) != 1:
            raise RuntimeError(f"{RECORD} is not what migration 0003 wrote: {before!r}")
        definition = definition.replace(before, after)
    connection.exec_driver_sql(definition)
