"""Indexes for the figures of a month and for the counts of what is overdue.

They read every deadline of a subdistrict for each page that shows them. Runs before the code that needs it (pre).

Revision: 0019, after 0018
"""

from alembic import op
from sqlalchemy import text

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_case_file_closed", "case_file", "process community closed_at", "closed_at IS NOT NULL"),
    ("ix_clock_missed", "clock", "code community breached_at", "breached_at IS NOT NULL"),
    (
        "ix_clock_counted",
        "clock",
        "community state color owner process code kind due_at case_id subdistrict",
        "state = 'BREACHED' OR (state = 'RUNNING' AND color = 'BLUE')",
    ),
)


def upgrade() -> None:
    # Built beside the writers, who wait for nothing; what is left of an attempt that was broken off goes first.
    with op.get_context().autocommit_block():
        # It waits for those who read and write just now, and keeps nobody waiting meanwhile.
        op.execute("SET lock_timeout = '60s'")
        for name, table, columns, where in INDEXES:
            op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
            op.create_index(name, table, columns.split(), postgresql_where=text(where), postgresql_concurrently=True)
        op.execute("RESET lock_timeout")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table)
