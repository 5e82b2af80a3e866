"""Let the service itself make a new edition of the calendar: the lock on the editions takes the owner's rights.

Runs before the code that needs it (pre).

Revision: 0016, after 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER FUNCTION calendar_new_edition() SECURITY DEFINER SET search_path = public, pg_temp")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER FUNCTION calendar_new_edition() SECURITY INVOKER RESET search_path")
