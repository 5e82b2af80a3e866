"""Files that are added to a case with a comment.

Runs before the code that needs it (pre).

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    files: sa.Column[object] = sa.Column(
        "attachments", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False
    )
    op.add_column("case_comment", files)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("case_comment", "attachments")
