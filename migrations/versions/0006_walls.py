"""Give the program a role of its own that cannot touch history, and people a role that sees only what is theirs.

Two roles besides the owner of the tables: `shangliang_app`, which web and worker sign in as, and `shangliang_reader`,
which answers people's questions. History is written by `record` alone, which runs as the owner. Row-level security
repeats, as a second wall, what services/storage/sight.py says; the settings `shangliang.…` name who is asking, and
without them no row is seen (services/storage/wall.py).

Runs before the code that needs it (pre).

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APPLICATION, READER = "shangliang_app", "shangliang_reader"
MAKE_ROLES = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN
        CREATE ROLE {READER} NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION}') THEN
        CREATE ROLE {APPLICATION} NOLOGIN;
    END IF;
    IF NOT pg_has_role('{APPLICATION}', '{READER}', 'MEMBER') THEN
        GRANT {READER} TO {APPLICATION};
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'The roles {APPLICATION} and {READER} are missing, and this role may not make them.'
        USING HINT = 'As an administrator: CREATE ROLE {READER} NOLOGIN; '
                     'CREATE ROLE {APPLICATION} LOGIN PASSWORD ''...''; GRANT {READER} TO {APPLICATION};';
END $$
"""
# What only `record` writes, and what nobody changes once it is written.
RECORDED = ("case_file", "event", "clock", "task", "command", "prose", "contact", "sequence")
APPENDED = ("audit", "access_log", "calendar_edition")
# By which people sign in; no question of theirs needs it.
SECRET = ("account", "second_factor", "session", "api_key", "identity_link")
WALLED = ("case_file", "event", "clock", "task", "prose", "contact")

# Codes of an actor by kind, from the setting of that name; NULL, and so nothing, when there is none.
SIGHT = """
CREATE FUNCTION sight(kind text) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT string_to_array(nullif(current_setting('shangliang.' || kind, true), ''), ' ')
$$
"""
# As a value, not as EXISTS: the planner would read every case to keep the known ones at hand.
KNOWN = "(SELECT true FROM case_file AS known WHERE known.id = case_id)"
IN_PLACE = "community LIKE ANY ((SELECT sight('within'))::text[])"
POLICIES = {
    "case_file": f"""
        {IN_PLACE}
        OR orgs && (SELECT sight('orgs'))
        OR persons && (SELECT sight('person'))
        OR places && (SELECT sight('places'))
        OR transfer_to LIKE ANY ((SELECT sight('within'))::text[])
        OR (reporter_id IS NULL AND community LIKE ANY ((SELECT sight('homes'))::text[]))""",
    "event": KNOWN,
    "clock": f"{IN_PLACE} OR {KNOWN}",
    "task": f"{IN_PLACE} OR {KNOWN}",
    "prose": KNOWN,
    # Nobody reads how a person can be reached without saying what for.
    "contact": f"(SELECT sight('purpose')) IS NOT NULL AND {KNOWN}",
}
# The index on the words of a text cannot be used behind a wall, because its functions might show what they compare.
# This one gives ids alone, and whoever asked sees of them what he may.
SPOKEN = r"""
CREATE FUNCTION cases_that_say(words text) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER ROWS 50
SET search_path = public, pg_temp AS $$
    SELECT p.case_id
      FROM prose AS p
      JOIN case_file AS c ON c.id = p.case_id
     WHERE p.searched
       -- A single letter has no pair: then every text is looked at.
       AND bigrams(p.value #>> '{}'::text[]) @> bigrams(words)
       AND lower(p.value #>> '{}'::text[])
           LIKE '%' || replace(replace(replace(lower(words), '\', '\\'), '%', '\%'), '_', '\_') || '%'
       AND p.ref IN (c.title, c.data ->> 'description')
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(MAKE_ROLES)
    op.execute(f"GRANT USAGE ON SCHEMA public TO {APPLICATION}, {READER}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APPLICATION}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APPLICATION}")
    op.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")
    # Tables of later migrations need no word about it, unless they are history.
    defaults = "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT"
    op.execute(f"{defaults} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APPLICATION}")
    op.execute(f"{defaults} USAGE ON SEQUENCES TO {APPLICATION}")
    op.execute(f"{defaults} SELECT ON TABLES TO {READER}")
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON {', '.join(RECORDED)}, alembic_version FROM {APPLICATION}")
    op.execute(f"REVOKE UPDATE, DELETE ON {', '.join(APPENDED)} FROM {APPLICATION}")
    op.execute(f"REVOKE SELECT ON {', '.join(SECRET)} FROM {READER}")  # names from above  # nosec B608
    op.execute("ALTER FUNCTION record(jsonb) SECURITY DEFINER SET search_path = public, pg_temp")
    op.execute("REVOKE EXECUTE ON FUNCTION record(jsonb) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION record(jsonb) TO {APPLICATION}")
    op.execute(SIGHT)
    op.execute(SPOKEN)
    op.execute("REVOKE EXECUTE ON FUNCTION cases_that_say(text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION cases_that_say(text) TO {APPLICATION}, {READER}")
    for table in WALLED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY whole ON {table} FOR SELECT TO {APPLICATION} USING (true)")
        op.execute(sa.text(f"CREATE POLICY theirs ON {table} FOR SELECT TO {READER} USING ({POLICIES[table]})"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in reversed(WALLED):
        op.execute(f"DROP POLICY theirs ON {table}")
        op.execute(f"DROP POLICY whole ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP FUNCTION cases_that_say(text)")
    op.execute("DROP FUNCTION sight(text)")
    op.execute("GRANT EXECUTE ON FUNCTION record(jsonb) TO PUBLIC")
    op.execute("ALTER FUNCTION record(jsonb) SECURITY INVOKER RESET ALL")
    # The roles may serve another database of the same server.
    both = f"{APPLICATION}, {READER}"
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM {both}")
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM {both}")
    for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
        op.execute(f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM {both}")
    op.execute(f"REVOKE ALL ON SCHEMA public FROM {both}")
