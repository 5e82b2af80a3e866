"""What is said beside a case, who follows it, and what somebody did last.

Runs before the code that needs it (pre).

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

READER = "shangliang_reader"
TABLES = ("case_follower", "case_comment")
# A case that stands elsewhere than before is told to whoever follows it, but not to whoever moved it. Place -1: the
# messages that the process itself sends with an event are counted from 0.
TELL = """
CREATE FUNCTION tell_followers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM case_follower WHERE case_id = NEW.id) THEN
        INSERT INTO outbox (case_id, seq, place, to_code, template)
        SELECT NEW.id, NEW.version, -1, 'followers:' || NEW.id || '/' || e.actor, 'followed_moved'
          FROM event AS e WHERE e.case_id = NEW.id AND e.seq = NEW.version
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$
"""
MOVED = """
CREATE TRIGGER tell_followers AFTER UPDATE OF state, phase ON case_file FOR EACH ROW
WHEN ((NEW.state, NEW.phase) IS DISTINCT FROM (OLD.state, OLD.phase)) EXECUTE FUNCTION tell_followers()
"""


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "case_comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("author", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("org", sa.Text()),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("sealed_text", sa.Text(), nullable=False),
        _now("created_at"),
        sa.ForeignKeyConstraint(["author"], ["person.id"], name=op.f("fk_case_comment_author_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_comment")),
        sa.UniqueConstraint("case_id", "n", name=op.f("uq_case_comment_case_id_n")),
        comment="What people say beside a case (留言); sealed, no part of its history",
    )
    op.create_index(op.f("ix_case_comment_author"), "case_comment", ["author"])
    op.create_table(
        "case_follower",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        _now("since"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_case_follower_person_id_person")),
        sa.PrimaryKeyConstraint("case_id", "person_id", name=op.f("pk_case_follower")),
        comment="Who is told when a case moves or something is said, though he owes it nothing (关注)",
    )
    op.create_index(op.f("ix_case_follower_person_id"), "case_follower", ["person_id"])
    op.create_index(
        "ix_command_actor",
        "command",
        ["actor", sa.literal_column("at DESC")],
        postgresql_where=sa.text("actor <> 'system'"),
    )
    op.execute(TELL)
    op.execute(MOVED)
    # Read by the program after it has looked whether somebody may know of the case.
    op.execute(f"REVOKE ALL ON {', '.join(TABLES)} FROM {READER}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP TRIGGER tell_followers ON case_file")
    op.execute("DROP FUNCTION tell_followers()")
    op.drop_index("ix_command_actor", "command")
    for table in TABLES:
        op.drop_table(table)
