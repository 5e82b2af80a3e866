"""Cases with their events, clocks, tasks, messages and texts, and the one function that writes them.

Runs before the code that needs it (pre).

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Every two neighbouring letters of a text, so that an index finds any substring of two letters or more; most
# Chinese words have two. (pg_trgm needs three, and is not in every PostgreSQL.)
BIGRAMS = """
CREATE FUNCTION bigrams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT coalesce(array_agg(DISTINCT letter || next), '{}')
      FROM (SELECT letter, lead(letter) OVER (ORDER BY place) AS next
              FROM unnest(string_to_array(lower(words), NULL)) WITH ORDINALITY AS letters(letter, place)) AS pairs
     WHERE next IS NOT NULL
$$
"""

# What an event's hash is taken over. A JSON array, so that no two events read the same; the moment in
# microseconds, so that nobody's time zone matters.
EVENT_HASH = """
CREATE FUNCTION event_hash(
    prev bytea, case_id uuid, seq integer, type text, at timestamptz, actor text, role text, org text,
    on_behalf_of text, payload jsonb, stamps jsonb
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(
        encode(prev, 'hex') || '|' || jsonb_build_array(
            case_id, seq, type, (extract(epoch FROM at) * 1000000)::bigint, actor, role, org, on_behalf_of,
            payload, stamps)::text,
        'UTF8'))
$$
"""

# The first place where a case's history is not what was once written; no row when all is well.
VERIFY_CASE = """
CREATE FUNCTION verify_case(of_case uuid) RETURNS TABLE (seq integer, why text) LANGUAGE sql STABLE AS $$
    WITH chain AS (
        SELECT e.seq, e.hash, e.prev_hash,
               coalesce(lag(e.hash) OVER (ORDER BY e.seq), decode(repeat('00', 32), 'hex')) AS prior,
               row_number() OVER (ORDER BY e.seq) AS place,
               event_hash(e.prev_hash, e.case_id, e.seq, e.type, e.at, e.actor, e.role, e.org, e.on_behalf_of,
                          e.payload, e.stamps) AS computed
          FROM event AS e
         WHERE e.case_id = of_case
    ), bad AS (
        SELECT CASE WHEN chain.seq <> place THEN place ELSE chain.seq END::integer AS seq,
               CASE WHEN chain.seq <> place THEN 'MISSING'
                    WHEN computed <> hash THEN 'CHANGED'
                    ELSE 'UNCHAINED' END AS why
          FROM chain
         WHERE chain.seq <> place OR computed <> hash OR prev_hash <> prior
         UNION ALL
        SELECT coalesce(last.seq, 0) + 1,
               CASE WHEN coalesce(last.seq, 0) < c.version THEN 'MISSING' ELSE 'HEAD' END
          FROM case_file AS c
          LEFT JOIN LATERAL (SELECT chain.seq, chain.hash FROM chain ORDER BY chain.seq DESC LIMIT 1) AS last ON true
         WHERE c.id = of_case AND (coalesce(last.seq, 0), coalesce(last.hash, '')) <> (c.version, c.hash)
         UNION ALL
        SELECT 1, 'ORPHANED'
         WHERE NOT EXISTS (SELECT FROM case_file AS c WHERE c.id = of_case) AND EXISTS (SELECT FROM chain)
    )
    SELECT bad.seq, bad.why FROM bad ORDER BY bad.seq LIMIT 1
$$
"""

# The one writer of cases: one turn, one statement, one transaction. `body` is made by services/storage/ledger.py.
# Answers {number}; or {number, stamps} when this very turn stands already; or {repeat, repeat_hash} when the
# command was carried out by an earlier run; or {stale} when the stamps come from another edition of the calendar.
# SL001: another turn stands under these numbers. SL002: an earlier turn is missing.
RECORD = """
CREATE FUNCTION record(body jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    of_case CONSTANT uuid := (body ->> 'id')::uuid;
    first   CONSTANT integer := (body ->> 'first')::integer;
    digest  CONSTANT bytea := decode(body ->> 'batch_hash', 'hex');
    colors  CONSTANT text[] := ARRAY['NONE', 'BLUE', 'YELLOW', 'RED'];
    was     case_file;
    becomes case_file;
    is_new  boolean;
    entry   jsonb;
    head    bytea;
    hash    bytea;
    stamps  jsonb;
    stood   record;
    place   integer;
    worst   integer;
    tasks   jsonb;
BEGIN
    SELECT * INTO was FROM case_file WHERE id = of_case FOR UPDATE;
    is_new := NOT FOUND;
    IF is_new THEN
        -- Two tries of one opening: there is no row yet that the second could wait for.
        PERFORM pg_advisory_xact_lock(hashtextextended(of_case::text, 0));
        SELECT * INTO was FROM case_file WHERE id = of_case FOR UPDATE;
        is_new := NOT FOUND;
    END IF;
    IF is_new THEN
        was.version := 0;
        was.hash := decode(repeat('00', 32), 'hex');
    ELSIF was.version >= first THEN
        SELECT e.batch_hash, e.stamps INTO stood FROM event AS e WHERE e.case_id = of_case AND e.seq = first;
        IF stood.batch_hash = digest THEN
            RETURN jsonb_build_object('number', was.number, 'stamps', coalesce(stood.stamps, '[]'));
        END IF;
    END IF;
    IF body ? 'command' THEN
        SELECT c.body_hash, c.seq INTO stood
          FROM command AS c
         WHERE c.case_id = of_case AND c.key = body #>> '{command,key}';
        IF FOUND THEN
            RETURN jsonb_build_object('number', was.number, 'repeat', stood.seq, 'repeat_hash', stood.body_hash);
        END IF;
    END IF;
    IF was.version >= first THEN
        RAISE EXCEPTION 'another turn stands at %', first USING ERRCODE = 'SL001';
    ELSIF was.version < first - 1 THEN
        RAISE EXCEPTION 'turn % is missing', was.version + 1 USING ERRCODE = 'SL002';
    END IF;
    IF body ? 'edition'
       AND (body ->> 'edition')::bigint <> coalesce((SELECT max(e.number) FROM calendar_edition AS e), 0) THEN
        RETURN jsonb_build_object('stale', true);
    END IF;

    head := was.hash;
    place := first;
    FOR entry IN SELECT * FROM jsonb_array_elements(body -> 'events') LOOP
        stamps := CASE WHEN place = first THEN body -> 'stamps' END;
        hash := event_hash(
            head, of_case, place, entry ->> 'type', (entry ->> 'at')::timestamptz, entry ->> 'actor',
            entry ->> 'role', entry ->> 'org', entry ->> 'on_behalf_of', entry -> 'payload', stamps);
        INSERT INTO event (case_id, seq, type, at, actor, role, org, on_behalf_of, payload, stamps, batch_hash,
                           prev_hash, hash)
        VALUES (of_case, place, entry ->> 'type', (entry ->> 'at')::timestamptz, entry ->> 'actor',
                entry ->> 'role', entry ->> 'org', entry ->> 'on_behalf_of', entry -> 'payload', stamps, digest,
                head, hash);
        head := hash;
        place := place + 1;
    END LOOP;

    becomes := jsonb_populate_record(was, body -> 'case');
    becomes.hash := head;
    IF body ? 'clocks' THEN
        INSERT INTO clock AS old (
            case_id, number, process, code, ref, kind, state, color, parameter, duration_value, duration_unit,
            duration_roll, duration_on, clause, strength, owner, supervisor, community, started_at, due_at,
            original_due_at, blue_at, red_at, red_plus_plus_at, limits, paused_at, pause_why, skipped, provisional,
            edition, breached_at, closed_at, close_reason, after_end, outlives, ladder, red_at_due)
        SELECT of_case, c.number, becomes.process, c.code, c.ref, c.kind, c.state, c.color, c.parameter,
               c.duration_value, c.duration_unit, c.duration_roll, c.duration_on, c.clause, c.strength, c.owner,
               c.supervisor, becomes.community, c.started_at, c.due_at, c.original_due_at, c.blue_at, c.red_at,
               c.red_plus_plus_at, c.limits, c.paused_at, c.pause_why, c.skipped, c.provisional, c.edition,
               c.breached_at, c.closed_at, c.close_reason, c.after_end, c.outlives, c.ladder, c.red_at_due
          FROM jsonb_populate_recordset(NULL::clock, body -> 'clocks') AS c
        ON CONFLICT (case_id, number) DO UPDATE SET
            state = excluded.state, color = excluded.color,
            duration_value = excluded.duration_value, duration_unit = excluded.duration_unit,
            duration_roll = excluded.duration_roll, duration_on = excluded.duration_on,
            owner = excluded.owner, supervisor = excluded.supervisor, community = excluded.community,
            due_at = excluded.due_at, original_due_at = excluded.original_due_at,
            blue_at = excluded.blue_at, red_at = excluded.red_at,
            red_plus_plus_at = excluded.red_plus_plus_at, limits = excluded.limits,
            provisional = excluded.provisional,
            skipped = CASE WHEN excluded.edition = '' OR old.state = 'PAUSED' THEN old.skipped
                           ELSE excluded.skipped END,
            edition = CASE WHEN excluded.edition = '' THEN old.edition ELSE excluded.edition END,
            paused_at = excluded.paused_at,
            pause_why = CASE WHEN excluded.paused_at IS DISTINCT FROM old.paused_at THEN excluded.pause_why
                             ELSE old.pause_why END,
            pauses = CASE WHEN old.state = 'PAUSED'
                               AND (excluded.state <> 'PAUSED' OR excluded.paused_at <> old.paused_at)
                          THEN old.pauses || jsonb_build_array(jsonb_build_object(
                               'from', old.paused_at,
                               'to', coalesce(excluded.closed_at, becomes.updated_at),
                               'why', old.pause_why))
                          ELSE old.pauses END,
            paused_total = CASE WHEN old.state = 'PAUSED'
                                     AND (excluded.state <> 'PAUSED' OR excluded.paused_at <> old.paused_at)
                                THEN old.paused_total
                                     + (coalesce(excluded.closed_at, becomes.updated_at) - old.paused_at)
                                ELSE old.paused_total END,
            breached_at = excluded.breached_at, closed_at = excluded.closed_at,
            close_reason = excluded.close_reason;
    END IF;
    IF NOT is_new AND becomes.community <> was.community THEN
        UPDATE clock SET community = becomes.community
         WHERE case_id = of_case AND state IN ('RUNNING', 'PAUSED', 'BREACHED');
    END IF;

    IF becomes.clock_count > 0 THEN
        SELECT min(due_at) FILTER (WHERE state <> 'PAUSED'), max(array_position(colors, c.color))
          INTO becomes.next_due_at, worst
          FROM clock AS c
         WHERE c.case_id = of_case AND c.kind = 'DUTY' AND c.state IN ('RUNNING', 'PAUSED', 'BREACHED');
    END IF;
    becomes.color := CASE WHEN becomes.red THEN 'RED' ELSE colors[coalesce(worst, 1)] END;

    -- A task is due with the clocks of those to whom it is addressed; without such, with the case.
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'role', t.role, 'place', t.place, 'org', t.org, 'person', t.person, 'commands', t.commands,
               'due_at', CASE WHEN theirs.n > 0 THEN theirs.due_at ELSE becomes.next_due_at END,
               'color', CASE WHEN becomes.red OR theirs.n = 0 THEN becomes.color ELSE colors[theirs.worst] END
           ) ORDER BY t.place_of), '[]')
      INTO tasks
      FROM (SELECT given.*, row_number() OVER () AS place_of
              FROM jsonb_to_recordset(body -> 'tasks')
                   AS given(role text, place text, org text, person text, commands jsonb)) AS t
      CROSS JOIN LATERAL (
            SELECT count(*) AS n, min(c.due_at) AS due_at, max(array_position(colors, c.color)) AS worst
              FROM clock AS c
             WHERE c.case_id = of_case AND c.kind = 'DUTY' AND c.state IN ('RUNNING', 'BREACHED')
               AND c.owner IN (t.org, t.place)) AS theirs;
    becomes.task_digest := md5(becomes.community || tasks::text);
    IF becomes.task_digest IS DISTINCT FROM was.task_digest THEN
        DELETE FROM task WHERE case_id = of_case;
        INSERT INTO task (case_id, n, process, role, place, org, person, commands, due_at, color, community)
        SELECT of_case, row_number() OVER (), becomes.process, t.role, t.place, t.org, t.person,
               ARRAY(SELECT jsonb_array_elements_text(t.commands)), coalesce(t.due_at, 'infinity'),
               t.color, becomes.community
          FROM jsonb_to_recordset(tasks)
               AS t(role text, place text, org text, person text, commands jsonb, due_at timestamptz, color text);
    END IF;

    IF body ? 'notices' THEN
        INSERT INTO outbox (case_id, seq, place, to_code, template, clock)
        SELECT of_case, n.seq, n.place, n."to", n.template, n.clock
          FROM jsonb_to_recordset(body -> 'notices')
               AS n(seq integer, place smallint, "to" text, template text, clock text);
    END IF;
    IF body ? 'texts' THEN
        INSERT INTO prose (case_id, ref, value, searched)
        SELECT of_case, t.key, t.value, t.key IN (becomes.title, coalesce(becomes.data ->> 'description', ''))
          FROM jsonb_each(body -> 'texts') AS t
        ON CONFLICT (case_id, ref) DO NOTHING;
    END IF;
    IF body ? 'borrowed' THEN
        -- A case that another one started brings references to texts that were written there.
        INSERT INTO prose (case_id, ref, value, searched)
        SELECT DISTINCT ON (p.ref) of_case, p.ref, p.value,
               p.ref IN (becomes.title, coalesce(becomes.data ->> 'description', ''))
          FROM prose AS p
         WHERE p.ref IN (SELECT jsonb_array_elements_text(body -> 'borrowed'))
         ORDER BY p.ref
        ON CONFLICT (case_id, ref) DO NOTHING;
        INSERT INTO contact (case_id, ref, name, phone, wants_reply)
        SELECT DISTINCT ON (p.ref) of_case, p.ref, p.name, p.phone, p.wants_reply
          FROM contact AS p
         WHERE p.ref IN (SELECT jsonb_array_elements_text(body -> 'borrowed'))
         ORDER BY p.ref
        ON CONFLICT (case_id, ref) DO NOTHING;
    END IF;
    IF body ? 'contacts' THEN
        INSERT INTO contact (case_id, ref, name, phone, wants_reply)
        SELECT of_case, t.key, t.value ->> 'name', t.value ->> 'phone',
               coalesce((t.value ->> 'wants_reply')::boolean, true)
          FROM jsonb_each(body -> 'contacts') AS t
        ON CONFLICT (case_id, ref) DO NOTHING;
    END IF;
    IF body ? 'attachments' THEN
        UPDATE attachment SET case_id = of_case
         WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text(body -> 'attachments'))
           AND case_id IS NULL;
    END IF;
    IF body ? 'incidents' THEN
        INSERT INTO incident (id, case_id, kind, key, detail)
        SELECT gen_random_uuid(), of_case, i.kind, i.key, i.detail
          FROM jsonb_to_recordset(body -> 'incidents') AS i(kind text, key text, detail jsonb)
        ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'command' THEN
        INSERT INTO command (case_id, key, name, actor, body_hash, seq)
        VALUES (of_case, body #>> '{command,key}', body #>> '{command,name}', body #>> '{command,actor}',
                body #>> '{command,body_hash}', becomes.version);
    END IF;

    IF is_new THEN
        INSERT INTO sequence AS s (scope, last) VALUES (body ->> 'scope', 1)
        ON CONFLICT (scope) DO UPDATE SET last = s.last + 1
        RETURNING s.last INTO place;
        becomes.number := (body ->> 'scope') || lpad(place::text, greatest(4, length(place::text)), '0');
        INSERT INTO case_file (
            id, process, number, community, origin, state, phase, step, level, title, version, hash, pack, pack_version,
            pack_sha, clock_count, pending, data, lead_org, category_code, agenda_body, agenda_reason, agenda_since,
            agenda_first, red, problem_month, closure_code, submitted_by, reporter_id, transfer_to, external_id,
            orgs, persons, color, next_due_at, task_digest, opened_at, updated_at, closed_at)
        VALUES (
            of_case, becomes.process, becomes.number, becomes.community, body ->> 'origin', becomes.state,
            becomes.phase, becomes.step, becomes.level, becomes.title, becomes.version, becomes.hash, becomes.pack,
            becomes.pack_version, becomes.pack_sha, becomes.clock_count, becomes.pending, becomes.data,
            becomes.lead_org, becomes.category_code, becomes.agenda_body, becomes.agenda_reason,
            becomes.agenda_since, becomes.agenda_first, becomes.red, becomes.problem_month, becomes.closure_code,
            becomes.submitted_by, becomes.reporter_id, becomes.transfer_to, becomes.external_id, becomes.orgs,
            becomes.persons, becomes.color, becomes.next_due_at, becomes.task_digest, becomes.opened_at,
            becomes.updated_at, becomes.closed_at);
    ELSE
        becomes.number := was.number;
        IF was.orgs @> becomes.orgs THEN
            becomes.orgs := was.orgs;
        ELSE
            -- Who once had to do with the case may know of it for ever.
            SELECT array_agg(DISTINCT org ORDER BY org) INTO becomes.orgs
              FROM unnest(was.orgs || becomes.orgs) AS org;
        END IF;
        UPDATE case_file SET
            community = becomes.community, state = becomes.state, phase = becomes.phase, step = becomes.step,
            level = becomes.level, title = becomes.title, version = becomes.version, hash = becomes.hash,
            pack = becomes.pack, pack_version = becomes.pack_version, pack_sha = becomes.pack_sha,
            clock_count = becomes.clock_count, pending = becomes.pending, data = becomes.data,
            lead_org = becomes.lead_org, category_code = becomes.category_code, agenda_body = becomes.agenda_body,
            agenda_reason = becomes.agenda_reason, agenda_since = becomes.agenda_since,
            agenda_first = becomes.agenda_first, red = becomes.red, problem_month = becomes.problem_month,
            closure_code = becomes.closure_code, submitted_by = becomes.submitted_by,
            reporter_id = becomes.reporter_id, transfer_to = becomes.transfer_to,
            external_id = becomes.external_id, orgs = becomes.orgs, persons = becomes.persons,
            color = becomes.color, next_due_at = becomes.next_due_at, task_digest = becomes.task_digest,
            updated_at = becomes.updated_at, closed_at = becomes.closed_at
         WHERE id = of_case;
    END IF;
    RETURN jsonb_build_object('number', becomes.number);
END $$
"""

TABLES = (
    "case_file",
    "event",
    "clock",
    "task",
    "outbox",
    "command",
    "prose",
    "contact",
    "sequence",
    "attachment",
    "incident",
)
FUNCTIONS = (
    "record(jsonb)",
    "verify_case(uuid)",
    "event_hash(bytea, uuid, integer, text, timestamptz, text, text, text, text, jsonb, jsonb)",
)


def upgrade() -> None:
    # Give up rather than queue the whole town behind a table lock.
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(BIGRAMS)
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column(
            "uploaded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('PHOTO', 'AUDIO', 'VIDEO', 'FILE')", name=op.f("ck_attachment_kind")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_attachment_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        comment="Files that people attached (附件); the bytes are in the object store",
    )
    op.create_index(
        "ix_attachment_case", "attachment", ["case_id"], unique=False, postgresql_where=sa.text("case_id IS NOT NULL")
    )
    op.create_index(
        "ix_attachment_loose", "attachment", ["uploaded_at"], unique=False, postgresql_where=sa.text("case_id IS NULL")
    )
    op.create_table(
        "case_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), server_default=sa.text("'main'"), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("community", sa.String(length=12, collation="C"), nullable=False),
        sa.Column(
            "subdistrict",
            sa.String(length=9, collation="C"),
            sa.Computed('left(community, 9) COLLATE "C"', persisted=True),
            nullable=True,
        ),
        sa.Column("origin", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("step", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("pack_version", sa.Integer(), nullable=False),
        sa.Column("pack_sha", sa.Text(), nullable=False),
        sa.Column("clock_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pending", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("lead_org", sa.Text(), nullable=True),
        sa.Column("category_code", sa.Text(), nullable=True),
        sa.Column("agenda_body", sa.Text(), nullable=True),
        sa.Column("agenda_reason", sa.Text(), nullable=True),
        sa.Column("agenda_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agenda_first", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("red", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("problem_month", sa.Text(), nullable=True),
        sa.Column("closure_code", sa.Text(), nullable=True),
        sa.Column("submitted_by", sa.Text(), nullable=True),
        sa.Column("reporter_id", sa.Text(), nullable=True),
        sa.Column("transfer_to", sa.String(length=12, collation="C"), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("orgs", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("persons", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("color", sa.Text(), server_default=sa.text("'NONE'"), nullable=False),
        sa.Column(
            "severity",
            sa.SmallInteger(),
            sa.Computed("CASE color WHEN 'RED' THEN 0 WHEN 'YELLOW' THEN 1 ELSE 2 END", persisted=True),
            nullable=True,
        ),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("task_digest", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("color IN ('NONE', 'BLUE', 'YELLOW', 'RED')", name=op.f("ck_case_file_color")),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_case_file_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("number", name=op.f("uq_case_file_number")),
        comment="Cases as they stand now (事项)",
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "ix_case_file_agenda",
        "case_file",
        ["community", "agenda_body", "agenda_since"],
        unique=False,
        postgresql_where=sa.text("agenda_body IS NOT NULL"),
    )
    op.create_index(
        "ix_case_file_category",
        "case_file",
        ["category_code", sa.literal_column("opened_at DESC")],
        unique=False,
        postgresql_where=sa.text("category_code IS NOT NULL"),
    )
    op.create_index(
        "ix_case_file_community",
        "case_file",
        ["process", "community", sa.literal_column("opened_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_case_file_external",
        "case_file",
        ["external_id"],
        unique=False,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "ix_case_file_lead_org",
        "case_file",
        ["lead_org", sa.literal_column("opened_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("lead_org IS NOT NULL"),
    )
    op.create_index(
        "ix_case_file_level",
        "case_file",
        ["process", "level", "community"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_case_file_newest",
        "case_file",
        ["process", sa.literal_column("opened_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_case_file_orgs", "case_file", ["orgs"], unique=False, postgresql_using="gin")
    op.create_index("ix_case_file_persons", "case_file", ["persons"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_case_file_problem_list",
        "case_file",
        ["community", "problem_month"],
        unique=False,
        postgresql_where=sa.text("problem_month IS NOT NULL"),
    )
    op.create_index(
        "ix_case_file_projects", "case_file", ["community"], unique=False, postgresql_where=sa.text("data ? 'project'")
    )
    op.create_index(
        "ix_case_file_state",
        "case_file",
        ["process", "state", "community", sa.literal_column("opened_at DESC")],
        unique=False,
    )
    op.create_index(
        "ix_case_file_subdistrict",
        "case_file",
        ["process", "subdistrict", sa.literal_column("opened_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_case_file_transfer",
        "case_file",
        ["transfer_to"],
        unique=False,
        postgresql_where=sa.text("transfer_to IS NOT NULL"),
    )
    op.create_table(
        "clock",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column(
            "severity",
            sa.SmallInteger(),
            sa.Computed("CASE color WHEN 'RED' THEN 0 WHEN 'YELLOW' THEN 1 ELSE 2 END", persisted=True),
            nullable=True,
        ),
        sa.Column("parameter", sa.Text(), nullable=False),
        sa.Column("duration_value", sa.Float(), nullable=False),
        sa.Column("duration_unit", sa.Text(), nullable=False),
        sa.Column("duration_roll", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("duration_on", sa.Date(), nullable=True),
        sa.Column("clause", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("strength", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("supervisor", sa.Text(), nullable=False),
        sa.Column("community", sa.String(length=12, collation="C"), nullable=False),
        sa.Column(
            "subdistrict",
            sa.String(length=9, collation="C"),
            sa.Computed('left(community, 9) COLLATE "C"', persisted=True),
            nullable=True,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("original_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blue_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("red_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("red_plus_plus_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("limits", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("pauses", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("paused_total", sa.Interval(), server_default=sa.text("'0'"), nullable=False),
        sa.Column("skipped", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("edition", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("after_end", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("outlives", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ladder", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("red_at_due", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("color IN ('NONE', 'BLUE', 'YELLOW', 'RED')", name=op.f("ck_clock_color")),
        sa.CheckConstraint("kind IN ('DUTY', 'WINDOW')", name=op.f("ck_clock_kind")),
        sa.CheckConstraint(
            "state IN ('RUNNING', 'PAUSED', 'BREACHED', 'MET', 'MET_LATE', 'CANCELLED')", name=op.f("ck_clock_state")
        ),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_clock")),
        comment="Deadlines (时限): the table behind every question about what is overdue",
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "ix_clock_breached",
        "clock",
        ["severity", "due_at", "case_id", "number"],
        unique=False,
        postgresql_where=sa.text("state = 'BREACHED'"),
    )
    op.create_index(
        "ix_clock_breached_community",
        "clock",
        ["community", "severity", "due_at", "case_id", "number"],
        unique=False,
        postgresql_where=sa.text("state = 'BREACHED'"),
    )
    op.create_index(
        "ix_clock_breached_subdistrict",
        "clock",
        ["subdistrict", "severity", "due_at", "case_id", "number"],
        unique=False,
        postgresql_where=sa.text("state = 'BREACHED'"),
    )
    op.create_index(
        "ix_clock_measured",
        "clock",
        ["code", "community", "closed_at"],
        unique=False,
        postgresql_where=sa.text("code IN ('RESPONSE', 'HANDLE')"),
    )
    op.create_index(
        "ix_clock_owner",
        "clock",
        ["owner", "due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('RUNNING', 'BREACHED')"),
    )
    op.create_index(
        "ix_clock_running",
        "clock",
        ["due_at", "case_id", "number"],
        unique=False,
        postgresql_where=sa.text("state = 'RUNNING'"),
    )
    op.create_index(
        "ix_clock_running_community",
        "clock",
        ["community", "due_at", "case_id", "number"],
        unique=False,
        postgresql_where=sa.text("state = 'RUNNING'"),
    )
    op.create_index(
        "ix_clock_supervisor",
        "clock",
        ["supervisor", "due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('RUNNING', 'BREACHED')"),
    )
    op.create_table(
        "command",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "key", name=op.f("pk_command")),
        comment="Commands carried out, by idempotency key: a repeat gets the first answer",
    )
    op.create_table(
        "contact",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("wants_reply", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "ref", name=op.f("pk_contact")),
        comment="How a reporter can be reached (联系方式); personal data, read by an own right and logged",
    )
    op.create_table(
        "event",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("org", sa.Text(), nullable=True),
        sa.Column("on_behalf_of", sa.Text(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("stamps", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("batch_hash", sa.LargeBinary(), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("seq > 0", name=op.f("ck_event_seq")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_event")),
        comment="History of every case (事件), chained by hashes; append only",
    )
    op.create_index("ix_event_at", "event", ["at"], unique=False, postgresql_using="brin")
    op.create_index(
        "ix_event_measured",
        "event",
        ["type", "at"],
        unique=False,
        postgresql_where=sa.text("type IN ('record_visit', 'list', 'delist')"),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        comment="Troubles that a person must look at (异常): refused tells, conflicts, failing activities",
    )
    op.create_index(
        "ix_incident_open",
        "incident",
        [sa.literal_column("at DESC")],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_incident_open",
        "incident",
        [sa.literal_column("coalesce(case_id, '00000000-0000-0000-0000-000000000000'::uuid)"), "kind", "key"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'NOTICE'"), nullable=False),
        sa.Column("to_code", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("clock", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("case_id", "seq", "place", name=op.f("uq_outbox_case_id_seq_place")),
        comment="Messages on their way out (通知)",
    )
    op.create_index("ix_outbox_unsent", "outbox", ["id"], unique=False, postgresql_where=sa.text("sent_at IS NULL"))
    op.create_table(
        "prose",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("searched", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "ref", name=op.f("pk_prose")),
        comment="What people wrote (自由文本); personal data, erasable; events refer to it",
    )
    op.create_index("ix_prose_ref", "prose", ["ref"], unique=False)
    op.create_index(
        "ix_prose_searched",
        "prose",
        [sa.literal_column("bigrams(value #>> '{}')")],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("searched"),
    )
    op.create_table(
        "sequence",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_sequence")),
        comment="Last human number given within a community and month (编号)",
    )
    op.create_table(
        "task",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.SmallInteger(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("place", sa.String(length=15, collation="C"), nullable=True),
        sa.Column("org", sa.Text(), nullable=True),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("commands", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column(
            "severity",
            sa.SmallInteger(),
            sa.Computed("CASE color WHEN 'RED' THEN 0 WHEN 'YELLOW' THEN 1 ELSE 2 END", persisted=True),
            nullable=True,
        ),
        sa.Column("community", sa.String(length=12, collation="C"), nullable=False),
        sa.CheckConstraint("color IN ('NONE', 'BLUE', 'YELLOW', 'RED')", name=op.f("ck_task_color")),
        sa.PrimaryKeyConstraint("case_id", "n", name=op.f("pk_task")),
        comment="Work that somebody owes (待办); addressed to a role, place, organisation or person",
    )
    op.create_index(
        "ix_task_anywhere",
        "task",
        ["role", "severity", "due_at", "case_id", "n"],
        unique=False,
        postgresql_where=sa.text("place IS NULL AND org IS NULL AND person IS NULL"),
    )
    op.create_index(
        "ix_task_org",
        "task",
        ["org", "severity", "due_at", "case_id", "n"],
        unique=False,
        postgresql_where=sa.text("org IS NOT NULL"),
    )
    op.create_index(
        "ix_task_person",
        "task",
        ["person", "severity", "due_at", "case_id", "n"],
        unique=False,
        postgresql_where=sa.text("person IS NOT NULL"),
    )
    op.create_index(
        "ix_task_place",
        "task",
        ["role", "place", "severity", "due_at", "case_id", "n"],
        unique=False,
        postgresql_where=sa.text("place IS NOT NULL AND org IS NULL AND person IS NULL"),
    )
    op.create_index(
        "ix_task_role",
        "task",
        ["role", "severity", "due_at", "case_id", "n"],
        unique=False,
        postgresql_where=sa.text("place IS NOT NULL AND org IS NULL AND person IS NULL"),
    )
    op.execute(EVENT_HASH)
    op.execute(VERIFY_CASE)
    op.execute(RECORD)
    # History is written once. The trigger holds against everybody but an administrator who takes it off.
    op.execute(
        "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON event FROM PUBLIC, CURRENT_USER")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION bigrams(text)")
