"""Templates of documents that the city has put in the place of ours, each with who did it and when.

Runs before the code that needs it (pre).

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

APPLICATION, READER = "shangliang_app", "shangliang_reader"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "document_template",
        sa.Column("pack", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=42), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("put_by", sa.Uuid(), nullable=False),
        sa.Column("put_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("(content IS NULL) = (sha256 IS NULL)", name=op.f("ck_document_template_content")),
        sa.ForeignKeyConstraint(["put_by"], ["person.id"], name=op.f("fk_document_template_put_by_person")),
        sa.PrimaryKeyConstraint("pack", "kind", "version", name=op.f("pk_document_template")),
        comment="Templates of documents of the city's own (文书模板), every version; one without content: ours again",
    )
    # What a document was made of stays what it was.
    op.execute(
        "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON document_template "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_row AFTER INSERT ON document_template "
        "FOR EACH ROW EXECUTE FUNCTION audit_row('kind', 'content')"
    )
    op.execute(f"REVOKE UPDATE, DELETE ON document_template FROM {APPLICATION}")
    op.execute(f"REVOKE SELECT ON document_template FROM {READER}")  # names from above  # nosec B608


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("document_template")
