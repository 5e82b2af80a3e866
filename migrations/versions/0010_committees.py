"""Certificates of appointment, and deeds that were done.

Runs before the code that needs it (pre).

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "certificate_of_appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cert_no", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("community_code", sa.String(length=12), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("category", sa.Text()),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date()),
        sa.Column("revoked_on", sa.Date()),
        sa.Column("case_id", sa.Uuid()),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "post IN ('CHAIR', 'VICE_CHAIR', 'MEMBER')", name=op.f("ck_certificate_of_appointment_post")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_certificate_of_appointment_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["community_code"],
            ["community.region_code"],
            name=op.f("fk_certificate_of_appointment_community_code_community"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_certificate_of_appointment_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_of_appointment")),
        sa.UniqueConstraint("cert_no", name=op.f("uq_certificate_of_appointment_cert_no")),
        comment="Certificates (聘书); they end, and are not deleted; check codes are computed, not kept",
    )
    op.create_index(op.f("ix_certificate_of_appointment_person_id"), "certificate_of_appointment", ["person_id"])
    op.create_index(
        op.f("ix_certificate_of_appointment_community_code"), "certificate_of_appointment", ["community_code"]
    )
    op.execute(
        "CREATE TRIGGER audit_row AFTER INSERT OR UPDATE OR DELETE ON certificate_of_appointment "
        "FOR EACH ROW EXECUTE FUNCTION audit_row('id')"
    )
    op.execute(
        "CREATE TRIGGER touch_row BEFORE UPDATE ON certificate_of_appointment FOR EACH ROW EXECUTE FUNCTION touch_row()"
    )
    op.create_table(
        "deed",
        sa.Column("errand_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("errand_id", name=op.f("pk_deed")),
        comment="Deeds on master data that were carried out, so that a repeat changes nothing",
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("deed")
    op.drop_table("certificate_of_appointment")
