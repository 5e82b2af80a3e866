"""Tables of cases: what happened, what is true now, which clocks run, who owes what (architecture, rule 12).

Written by one SQL function, `record` (migration 0003), which is the only writer; hence no foreign keys among them,
whose checks would cost a look-up for each row written.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Float,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.storage.metadata import metadata

COLORS = ("NONE", "BLUE", "YELLOW", "RED")
CLOCK_STATES = ("RUNNING", "PAUSED", "BREACHED", "MET", "MET_LATE", "CANCELLED")

# What is worst comes first: RED, YELLOW, then everything by its due time alone.
SEVERITY = "CASE color WHEN 'RED' THEN 0 WHEN 'YELLOW' THEN 1 ELSE 2 END"
BIGRAMS = "bigrams(value #>> '{}')"


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _place(name: str, length: int, *, nullable: bool = False) -> Column[str]:
    # Collated byte by byte, so that an index serves "begins with" whatever the language of the database.
    return Column(name, String(length, collation="C"), nullable=nullable)


def _subdistrict() -> Column[str]:
    return Column("subdistrict", String(9, collation="C"), Computed('left(community, 9) COLLATE "C"', persisted=True))


def _severity() -> Column[int]:
    return Column("severity", SmallInteger, Computed(SEVERITY, persisted=True))


case_file = Table(
    "case_file",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Text, nullable=False, server_default=text("'main'")),
    Column("process", Text, nullable=False),
    Column("number", Text, nullable=False, unique=True),
    _place("community", 12),
    _subdistrict(),
    # Where it began; a transfer moves `community` only.
    _place("origin", 12),
    Column("state", Text, nullable=False),
    Column("phase", Text, nullable=False, server_default=text("''")),
    Column("step", Text, nullable=False, server_default=text("''")),
    Column("level", Text, nullable=False),
    # A reference to a text, never the text.
    Column("title", Text, nullable=False, server_default=text("''")),
    Column("version", Integer, nullable=False),
    # Head of the chain of hashes.
    Column("hash", LargeBinary, nullable=False),
    Column("pack", Text, nullable=False),
    Column("pack_version", Integer, nullable=False),
    Column("pack_sha", Text, nullable=False),
    Column("clock_count", Integer, nullable=False, server_default=text("0")),
    Column("pending", JSONB, nullable=False, server_default=text("'[]'")),
    Column("data", JSONB, nullable=False, server_default=text("'{}'")),
    # What lists filter by, from the process's facets.
    Column("lead_org", Text),
    Column("category_code", Text),
    Column("agenda_body", Text),
    Column("agenda_reason", Text),
    Column("agenda_since", DateTime(timezone=True)),
    Column("agenda_first", Boolean, nullable=False, server_default=text("false")),
    Column("red", Boolean, nullable=False, server_default=text("false")),
    Column("problem_month", Text),
    Column("closure_code", Text),
    Column("submitted_by", Text),
    Column("reporter_id", Text),
    _place("transfer_to", 12, nullable=True),
    Column("external_id", Text),
    # Who may know of the case besides those whose place it lies in.
    Column("orgs", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("persons", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # Codes of all regions, small and large, that it concerns besides its own.
    Column("places", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # From the live clocks.
    Column("color", Text, nullable=False, server_default=text("'NONE'")),
    _severity(),
    Column("next_due_at", DateTime(timezone=True)),
    Column("task_digest", Text, nullable=False, server_default=text("''")),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    _one_of("color", COLORS),
    CheckConstraint("octet_length(hash) = 32", name="hash"),
    Index("ix_case_file_newest", "process", text("opened_at DESC"), text("id DESC")),
    Index("ix_case_file_community", "process", "community", text("opened_at DESC"), text("id DESC")),
    Index("ix_case_file_subdistrict", "process", "subdistrict", text("opened_at DESC"), text("id DESC")),
    Index("ix_case_file_state", "process", "state", "community", text("opened_at DESC")),
    Index(
        "ix_case_file_lead_org",
        "lead_org",
        text("opened_at DESC"),
        text("id DESC"),
        postgresql_where=text("lead_org IS NOT NULL"),
    ),
    Index("ix_case_file_level", "process", "level", "community", postgresql_where=text("closed_at IS NULL")),
    Index(
        "ix_case_file_category",
        "category_code",
        text("opened_at DESC"),
        postgresql_where=text("category_code IS NOT NULL"),
    ),
    Index(
        "ix_case_file_agenda",
        "community",
        "agenda_body",
        "agenda_since",
        postgresql_where=text("agenda_body IS NOT NULL"),
    ),
    Index(
        "ix_case_file_problem_list",
        "community",
        "problem_month",
        postgresql_where=text("problem_month IS NOT NULL"),
    ),
    # The figures of a month.
    Index("ix_case_file_closed", "process", "community", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
    Index("ix_case_file_projects", "community", postgresql_where=text("data ? 'project'")),
    Index("ix_case_file_transfer", "transfer_to", postgresql_where=text("transfer_to IS NOT NULL")),
    Index("ix_case_file_external", "external_id", postgresql_where=text("external_id IS NOT NULL")),
    Index("ix_case_file_orgs", "orgs", postgresql_using="gin"),
    Index("ix_case_file_persons", "persons", postgresql_using="gin"),
    Index("ix_case_file_places", "places", postgresql_using="gin"),
    comment="Cases as they stand now (事项)",
    # Most turns change a few columns: room on the page keeps the old and the new row together.
    postgresql_with={"fillfactor": 80},
)

event = Table(
    "event",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("org", Text),
    Column("on_behalf_of", Text),
    Column("payload", JSONB, nullable=False),
    # What the calendar said for this turn; on the turn's first event.
    Column("stamps", JSONB),
    # Digest of the whole turn: the same turn again is known by it.
    Column("batch_hash", LargeBinary, nullable=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("seq > 0", name="seq"),
    Index("ix_event_at", "at", postgresql_using="brin"),
    Index("ix_event_recorded", "recorded_at", postgresql_using="brin"),
    # The few kinds of events that the figures count.
    Index("ix_event_measured", "type", "at", postgresql_where=text("type IN ('record_visit', 'list', 'delist')")),
    comment="History of every case (事件), chained by hashes; append only",
)

clock = Table(
    "clock",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("process", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("ref", Text, nullable=False, server_default=text("''")),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("color", Text, nullable=False),
    _severity(),
    Column("parameter", Text, nullable=False),
    Column("duration_value", Float, nullable=False),
    Column("duration_unit", Text, nullable=False),
    Column("duration_roll", Boolean, nullable=False, server_default=text("false")),
    Column("duration_on", Date),
    Column("clause", Text, nullable=False, server_default=text("''")),
    Column("strength", Text, nullable=False, server_default=text("''")),
    Column("owner", Text, nullable=False),
    Column("supervisor", Text, nullable=False),
    _place("community", 12),
    _subdistrict(),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("original_due_at", DateTime(timezone=True), nullable=False),
    Column("blue_at", DateTime(timezone=True)),
    Column("red_at", DateTime(timezone=True)),
    Column("red_plus_plus_at", DateTime(timezone=True)),
    Column("limits", JSONB, nullable=False, server_default=text("'[]'")),
    Column("paused_at", DateTime(timezone=True)),
    Column("pause_why", Text, nullable=False, server_default=text("''")),
    # Pauses that are over: [{from, to, why}].
    Column("pauses", JSONB, nullable=False, server_default=text("'[]'")),
    Column("paused_total", Interval, nullable=False, server_default=text("'0'")),
    # Days that did not count: [[date, why]].
    Column("skipped", JSONB, nullable=False, server_default=text("'[]'")),
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
    Column("edition", Text, nullable=False, server_default=text("''")),
    Column("breached_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("close_reason", Text, nullable=False, server_default=text("''")),
    Column("after_end", Boolean, nullable=False, server_default=text("false")),
    Column("outlives", Boolean, nullable=False, server_default=text("false")),
    Column("ladder", Boolean, nullable=False, server_default=text("false")),
    Column("red_at_due", Boolean, nullable=False, server_default=text("false")),
    _one_of("state", CLOCK_STATES),
    _one_of("color", COLORS),
    CheckConstraint("kind IN ('DUTY', 'WINDOW')", name="kind"),
    Index("ix_clock_running", "due_at", "case_id", "number", postgresql_where=text("state = 'RUNNING'")),
    Index(
        "ix_clock_breached",
        "severity",
        "due_at",
        "case_id",
        "number",
        postgresql_where=text("state = 'BREACHED'"),
    ),
    Index(
        "ix_clock_breached_community",
        "community",
        "severity",
        "due_at",
        "case_id",
        "number",
        postgresql_where=text("state = 'BREACHED'"),
    ),
    Index(
        "ix_clock_breached_subdistrict",
        "subdistrict",
        "severity",
        "due_at",
        "case_id",
        "number",
        postgresql_where=text("state = 'BREACHED'"),
    ),
    Index(
        "ix_clock_running_community",
        "community",
        "due_at",
        "case_id",
        "number",
        postgresql_where=text("state = 'RUNNING'"),
    ),
    Index("ix_clock_owner", "owner", "due_at", postgresql_where=text("state IN ('RUNNING', 'BREACHED')")),
    Index("ix_clock_supervisor", "supervisor", "due_at", postgresql_where=text("state IN ('RUNNING', 'BREACHED')")),
    Index(
        "ix_clock_measured", "code", "community", "closed_at", postgresql_where=text("code IN ('RESPONSE', 'HANDLE')")
    ),
    Index("ix_clock_missed", "code", "community", "breached_at", postgresql_where=text("breached_at IS NOT NULL")),
    # Everything that the counts of the overdue ask of a deadline, so that they read nothing else.
    Index(
        "ix_clock_counted",
        *("community", "state", "color", "owner", "process", "code", "kind", "due_at", "case_id", "subdistrict"),
        postgresql_where=text("state = 'BREACHED' OR (state = 'RUNNING' AND color = 'BLUE')"),
    ),
    comment="Deadlines (时限): the table behind every question about what is overdue",
    postgresql_with={"fillfactor": 80},
)

task = Table(
    "task",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("n", SmallInteger, primary_key=True),
    Column("process", Text, nullable=False),
    Column("role", Text),
    _place("place", 15, nullable=True),
    Column("org", Text),
    Column("person", Text),
    Column("commands", ARRAY(Text), nullable=False),
    # Without a due time: infinity, so that the order of urgency needs no exception.
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("color", Text, nullable=False),
    _severity(),
    _place("community", 12),
    _one_of("color", COLORS),
    # For those with a wide place, who see the most urgent of many; with a narrow one; for everybody in a role.
    Index(
        "ix_task_role",
        "role",
        "severity",
        "due_at",
        "case_id",
        "n",
        postgresql_where=text("place IS NOT NULL AND org IS NULL AND person IS NULL"),
    ),
    Index(
        "ix_task_place",
        "role",
        "place",
        "severity",
        "due_at",
        "case_id",
        "n",
        postgresql_where=text("place IS NOT NULL AND org IS NULL AND person IS NULL"),
    ),
    Index(
        "ix_task_anywhere",
        "role",
        "severity",
        "due_at",
        "case_id",
        "n",
        postgresql_where=text("place IS NULL AND org IS NULL AND person IS NULL"),
    ),
    Index("ix_task_org", "org", "severity", "due_at", "case_id", "n", postgresql_where=text("org IS NOT NULL")),
    Index(
        "ix_task_person", "person", "severity", "due_at", "case_id", "n", postgresql_where=text("person IS NOT NULL")
    ),
    comment="Work that somebody owes (待办); addressed to a role, place, organisation or person",
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("place", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False, server_default=text("'NOTICE'")),
    # Code of a place or organisation; who that is, is looked up when it is sent.
    Column("to_code", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("clock", Text, nullable=False, server_default=text("''")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("sent_at", DateTime(timezone=True)),
    # When a message that reached nobody is tried again; empty: at once.
    Column("next_at", DateTime(timezone=True)),
    UniqueConstraint("case_id", "seq", "place"),
    Index("ix_outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),
    comment="Messages on their way out (通知)",
)

command = Table(
    "command",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("body_hash", Text, nullable=False),
    # Version of the case after it.
    Column("seq", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    # What somebody did last; the product's own steps are nobody's.
    Index("ix_command_actor", "actor", text("at DESC"), postgresql_where=text("actor <> 'system'")),
    comment="Commands carried out, by idempotency key: a repeat gets the first answer",
)

prose = Table(
    "prose",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("ref", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    # Titles and descriptions, which people search for.
    Column("searched", Boolean, nullable=False, server_default=text("false")),
    Index("ix_prose_ref", "ref"),
    Index(
        "ix_prose_searched",
        text(BIGRAMS),
        postgresql_using="gin",
        postgresql_where=text("searched"),
    ),
    comment="What people wrote (自由文本); personal data, erasable; events refer to it",
)

contact = Table(
    "contact",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("ref", Text, primary_key=True),
    Column("name", Text),
    Column("phone", Text),
    Column("wants_reply", Boolean, nullable=False, server_default=text("true")),
    comment="How a reporter can be reached (联系方式); personal data, read by an own right and logged",
)

sequence = Table(
    "sequence",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("last", Integer, nullable=False),
    comment="Last human number given within a community and month (编号)",
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("uploaded_by", Text, nullable=False),
    Column("uploaded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    # None until a command of a case names it.
    Column("case_id", Uuid),
    _one_of("kind", ("PHOTO", "AUDIO", "VIDEO", "FILE")),
    CheckConstraint("size >= 0", name="size"),
    Index("ix_attachment_case", "case_id", postgresql_where=text("case_id IS NOT NULL")),
    Index("ix_attachment_loose", "uploaded_at", postgresql_where=text("case_id IS NULL")),
    comment="Files that people attached (附件); the bytes are in the object store",
)

incident = Table(
    "incident",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid),
    Column("kind", Text, nullable=False),
    # Tells one trouble of a case from another, so that its repeats are one row.
    Column("key", Text, nullable=False, server_default=text("''")),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_by", Text),
    Column("reason", Text),
    Index("ix_incident_open", text("at DESC"), postgresql_where=text("closed_at IS NULL")),
    Index(
        "uq_incident_open",
        text("coalesce(case_id, '00000000-0000-0000-0000-000000000000'::uuid)"),
        "kind",
        "key",
        unique=True,
        postgresql_where=text("closed_at IS NULL"),
    ),
    comment="Troubles that a person must look at (异常): refused tells, conflicts, failing activities",
)
