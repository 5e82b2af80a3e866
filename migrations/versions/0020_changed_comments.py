"""Comments that were changed or taken back: when, and what they said before.

Runs before the code that needs it (pre).

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    earlier: sa.Column[object] = sa.Column(
        "earlier", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
    )
    op.add_column("case_comment", earlier)
    for name in ("changed_at", "taken_back_at"):
        op.add_column("case_comment", sa.Column(name, sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in ("taken_back_at", "changed_at", "earlier"):
        op.drop_column("case_comment", name)
