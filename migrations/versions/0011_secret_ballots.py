"""Keep ballots from those who ask questions, and lists from being edited by the program.

Runs before the code that needs it (pre).

Revision: 0011, after 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

APPLICATION, READER = "shangliang_app", "shangliang_reader"
BALLOTS = "ballot_token, ballot_answer"
WRITTEN_ONCE = "duty_list, duty_item, ballot_answer"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(f"REVOKE SELECT ON {BALLOTS} FROM {READER}")  # names from above  # nosec B608
    op.execute(f"REVOKE UPDATE, DELETE ON {WRITTEN_ONCE} FROM {APPLICATION}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(f"GRANT UPDATE, DELETE ON {WRITTEN_ONCE} TO {APPLICATION}")
    op.execute(f"GRANT SELECT ON {BALLOTS} TO {READER}")
