"""Lists of counties as versions, and anonymous ballots.

Runs before the code that needs it (pre).

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# What is left of a name when widths, cases, spaces and signs are taken away: letters, digits, Chinese characters.
ITEM_WORDS = """
CREATE FUNCTION item_words(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT regexp_replace(lower(normalize(words, NFKC)) COLLATE "C", '[^0-9a-z㐀-鿿]', '', 'g')
$$
"""
APPEND_ONLY = ("duty_list", "duty_item", "ballot_answer")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(ITEM_WORDS)
    _lists()
    _ballots()
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER audit_row AFTER INSERT ON duty_list FOR EACH ROW EXECUTE FUNCTION audit_row('id', 'source')"
    )


def _lists() -> None:
    op.create_table(
        "duty_list",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("county", sa.String(length=12), nullable=False),
        sa.Column("list_type", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "list_type IN ('LIST_A', 'LIST_B', 'NEGATIVE', 'CERTIFICATE', 'CERTIFICATE_NEGATIVE', 'SEAL_USE')",
            name=op.f("ck_duty_list_list_type"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_duty_list_version")),
        sa.ForeignKeyConstraint(["county"], ["region.code"], name=op.f("fk_duty_list_county_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_list")),
        sa.UniqueConstraint("county", "list_type", "version", name=op.f("uq_duty_list_county_list_type_version")),
        sa.UniqueConstraint(
            "county", "list_type", "effective_from", name="uq_duty_list_county_list_type_effective_from"
        ),
        comment="A version of a list of a county (清单版本); never changed",
    )
    op.create_table(
        "duty_item",
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("lead_department", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("funding_note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("words", sa.Text(), sa.Computed("item_words(name)", persisted=True), nullable=False),
        sa.Column(
            "grams",
            postgresql.ARRAY(sa.Text()),
            sa.Computed("bigrams(item_words(name))", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 300", name=op.f("ck_duty_item_name")),
        sa.ForeignKeyConstraint(["list_id"], ["duty_list.id"], name=op.f("fk_duty_item_list_id_duty_list")),
        sa.PrimaryKeyConstraint("list_id", "item_code", name=op.f("pk_duty_item")),
        comment="An entry of a version of a list (清单事项); never changed",
    )
    op.create_index("ix_duty_item_words", "duty_item", ["words"], unique=False)
    op.create_index("ix_duty_item_grams", "duty_item", ["grams"], unique=False, postgresql_using="gin")


def _ballots() -> None:
    op.create_table(
        "ballot_token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("used", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_ballot_token_hash")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_ballot_token")),
        comment="One right to answer a ballot (评议票); no person, no moment",
    )
    op.create_index("ix_ballot_token_case_id_round", "ballot_token", ["case_id", "round"], unique=False)
    op.create_table(
        "ballot_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_ballot_answer_rating")),
        sa.CheckConstraint("length(opinion) <= 500", name=op.f("ck_ballot_answer_opinion")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_answer")),
        comment="An answer (评议答卷), without token, person or moment; no rating: not valid",
    )
    op.create_index("ix_ballot_answer_case_id_round", "ballot_answer", ["case_id", "round"], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in ("ballot_answer", "ballot_token", "duty_item", "duty_list"):
        op.drop_table(table)
    op.execute("DROP FUNCTION item_words(text)")
