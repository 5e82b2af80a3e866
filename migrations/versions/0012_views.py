"""Lists as people want to see them again, and cases that say much the same as somebody is typing.

Runs before the code that needs it (pre).

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

APPLICATION, READER = "shangliang_app", "shangliang_reader"
# How much of these words a running case of the community says: by pairs of letters, in its title or its description
# as they are now. Ids alone, like `cases_that_say`: whoever asks sees of them what he may.
ALIKE = """
CREATE FUNCTION cases_alike(of_process text, place text, words text) RETURNS TABLE (id uuid, likeness double precision)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 5 SET search_path = public, pg_temp AS $$
    WITH asked AS MATERIALIZED (SELECT bigrams(words) AS pairs)
    SELECT c.id, max(shared.count::float8 / cardinality(asked.pairs)) AS likeness
      FROM asked
      CROSS JOIN case_file AS c
      JOIN prose AS p ON p.case_id = c.id AND p.searched AND p.ref IN (c.title, c.data ->> 'description')
      CROSS JOIN LATERAL (
          SELECT count(*) FROM unnest(bigrams(p.value #>> '{}'::text[])) AS pair WHERE pair = ANY (asked.pairs)
      ) AS shared
     WHERE c.process = of_process AND c.community = place AND c.closed_at IS NULL
       AND bigrams(p.value #>> '{}'::text[]) && bigrams(words)
       AND shared.count > 1 AND shared.count >= 0.4 * cardinality(asked.pairs)
     GROUP BY c.id
     ORDER BY likeness DESC, c.id DESC
     LIMIT 5
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "saved_view",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("list", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("query", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_saved_view_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", "list", "name", name=op.f("pk_saved_view")),
        comment="Filters and columns of lists that somebody wants to see again (常用视图); his own, nobody else's",
    )
    op.execute(f"REVOKE SELECT ON saved_view FROM {READER}")  # names from above  # nosec B608
    op.execute(ALIKE)
    op.execute("REVOKE EXECUTE ON FUNCTION cases_alike(text, text, text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION cases_alike(text, text, text) TO {APPLICATION}, {READER}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP FUNCTION cases_alike(text, text, text)")
    op.drop_table("saved_view")
