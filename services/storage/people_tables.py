"""Tables of regions, organisations, people, their roles and bodies, and of who changed or read what.

Source: data-model §2 (master data) and §5 (audit, access log). A region's code is a prefix of the codes of
everything below it, so "reaches everything below" is a comparison of prefixes.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.storage.metadata import metadata

REGION_LEVELS = ("PROVINCE", "CITY", "COUNTY", "SUBDISTRICT", "COMMUNITY")
ORGANIZATION_LEVELS = ("COMMUNITY", "SUBDISTRICT", "COUNTY", "CITY", "OTHER")
ORGANIZATION_TYPES = (
    "PARTY_ORG",
    "GOV_OFFICE",
    "DEPARTMENT",
    "SUBDISTRICT_OFFICE",
    "RESIDENT_COMMITTEE",
    "ENTERPRISE",
    "PRIVATE_ENTERPRISE",
    "INSTITUTION",
    "SOCIAL_ORG",
    "TRADE_ASSOCIATION",
    "PROPERTY_COMPANY",
    "OWNERS_COMMITTEE",
    "VETERANS_STATION",
    "SCHOOL",
    "OTHER",
)
SPATIAL_KINDS = ("GRID", "BASE_UNIT", "CLUSTER", "RESIDENT_GROUP", "ESTATE", "BEAT")
ESTATE_KINDS = ("OLD_ESTATE", "COMMERCIAL_ESTATE", "ENTERPRISE_QUARTER", "MIXED")
SELF_GOVERNANCE_MODES = ("NONE", "OWNER_RESIDENT", "ENTERPRISE_RESIDENT", "FIVE_IN_ONE")
BODY_TYPES = (
    "CWC",
    "TWO_COMMITTEES",
    "EPC",
    "PJM",
    "RRA",
    "PARTY_MEMBERS",
    "SPC",
    "LEADING_GROUP",
    "LEADING_GROUP_OFFICE",
    "DELIBERATION",
    "OWNERS",
)
BODY_POSTS = ("CHAIR", "VICE_CHAIR", "MEMBER", "DELEGATE")
BODY_MEMBER_STATES = ("ACTIVE", "ACTING", "SUSPENDED_DUTY", "ENDED")
MEMBER_CATEGORIES = (
    "PARTY_ORG_MEMBER",
    "RESIDENT_COMMITTEE_MEMBER",
    "DEPUTY_OR_DELEGATE",
    "RESIDENT_UNIT",
    "PRIVATE_ENTERPRISE",
    "TRADE_ASSOCIATION",
    "SOCIAL_ORG",
    "PROPERTY_COMPANY",
    "VETERAN",
    "SOCIAL_WORKER",
    "VOLUNTEER",
    "BUILDING_HEAD",
    "JOURNALIST",
    "OWNERS_COMMITTEE",
    "RESIDENT_REPRESENTATIVE",
    "INTERESTED_PARTY",
)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def row_columns() -> tuple[Column[object], ...]:
    """Give the columns of every master row (data-model §1); a trigger keeps the last two."""
    return (
        Column("tenant_id", Uuid, ForeignKey("tenant.id"), nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("version", Integer, nullable=False, server_default=text("1")),
    )


tenant = Table(
    "tenant",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # Empty: new cases take the pack that the program was started with.
    Column("policy_pack_id", Text),
    Column("policy_pack_version", Text),
    Column("timezone", Text, nullable=False, server_default=text("'Asia/Shanghai'")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("version", Integer, nullable=False, server_default=text("1")),
    comment="A city or county that runs the product (租户)",
)

region = Table(
    "region",
    metadata,
    Column("code", String(12), primary_key=True),
    Column("name", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("parent_code", String(12), ForeignKey("region.code")),
    *row_columns(),
    _one_of("level", REGION_LEVELS),
    CheckConstraint("code ~ '^[0-9]{2,12}$'", name="code"),
    CheckConstraint("parent_code IS NULL OR starts_with(code, parent_code)", name="parent_is_prefix"),
    CheckConstraint("level <> 'COMMUNITY' OR length(code) = 12", name="community_code"),
    Index(None, "parent_code"),
    comment="City, county, subdistrict, community by statistical code (区划)",
)

community = Table(
    "community",
    metadata,
    Column("region_code", String(12), ForeignKey("region.code"), primary_key=True),
    Column("households", Integer),
    Column("population", Integer),
    Column("estate_kind", Text),
    Column("self_governance_mode", Text, nullable=False, server_default=text("'NONE'")),
    Column("rollout_state", Text),
    *row_columns(),
    CheckConstraint("households >= 0", name="households"),
    CheckConstraint("population >= 0", name="population"),
    _one_of("estate_kind", ESTATE_KINDS),
    _one_of("self_governance_mode", SELF_GOVERNANCE_MODES),
    comment="What is known of a community beyond its region (社区)",
)

organization = Table(
    "organization",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("org_type", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("region_code", String(12), ForeignKey("region.code"), nullable=False),
    Column("credit_code", Text),
    Column("parent_id", Uuid, ForeignKey("organization.id")),
    Column("is_resident_unit", Boolean, nullable=False, server_default=text("false")),
    *row_columns(),
    _one_of("org_type", ORGANIZATION_TYPES),
    _one_of("level", ORGANIZATION_LEVELS),
    CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{0,63}$'", name="code"),
    Index(None, "region_code"),
    comment="Departments, committees, companies and other organisations (组织)",
)

person = Table(
    "person",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("phone", Text),
    Column("birth_year", SmallInteger),
    Column("gender", Text),
    Column("home_community_code", String(12), ForeignKey("community.region_code")),
    Column("id_last4", Text),
    Column("id_hash", Text),
    Column("consent_at", DateTime(timezone=True)),
    Column("source", Text),
    *row_columns(),
    comment="People (personal data); erasing one replaces these fields and keeps the id",
)

spatial_unit = Table(
    "spatial_unit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("community_code", String(12), ForeignKey("community.region_code"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("code", String(15), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("parent_id", Uuid, ForeignKey("spatial_unit.id")),
    Column("households", Integer),
    Column("geometry", JSONB),
    Column("responsible_person_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    # Why it may be larger or smaller than the policy wishes (SOFT, P13).
    Column("exception_reason", Text),
    *row_columns(),
    _one_of("kind", SPATIAL_KINDS),
    CheckConstraint("starts_with(code, community_code)", name="code_in_community"),
    CheckConstraint("kind <> 'GRID' OR code ~ '^[0-9]{15}$'", name="grid_code"),
    CheckConstraint("households >= 0", name="households"),
    Index(None, "community_code", "kind"),
    comment="Grids, units, clusters, estates of a community (网格, 单元, 楼群, 小区)",
)

account = Table(
    "account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("username", Text, nullable=False, unique=True),
    Column("person_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("failed_attempts", Integer, nullable=False, server_default=text("0")),
    Column("locked_until", DateTime(timezone=True)),
    # Tokens that were given out before this moment no longer count: after a new password, or when all are signed out.
    Column("tokens_from", DateTime(timezone=True)),
    *row_columns(),
    CheckConstraint("username ~ '^[a-z0-9][a-z0-9._-]{0,63}$'", name="username"),
    Index(None, "person_id"),
    comment="Sign-in of a person (账号); rights come from person_role",
)

person_role = Table(
    "person_role",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("person_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("role", Text, nullable=False),
    # A region's code or, for a grid, the code of the spatial unit; hence no foreign key.
    Column("place", String(15), nullable=False),
    Column("org_code", Text, ForeignKey("organization.code")),
    Column("since", Date, nullable=False),
    Column("until", Date),
    Column("appointed_by", Uuid, ForeignKey("person.id")),
    *row_columns(),
    CheckConstraint("place ~ '^[0-9]{2,15}$'", name="place"),
    CheckConstraint("until >= since", name="term"),
    Index(None, "person_id"),
    Index(None, "role", "place"),
    Index(
        "uq_person_role_open",
        "person_id",
        "role",
        "place",
        text("coalesce(org_code, '')"),
        unique=True,
        postgresql_where=text("until IS NULL"),
    ),
    comment="A role held somewhere for a time (任职); until is the last day; rows are ended, not deleted",
)

body = Table(
    "body",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("region_code", String(12), ForeignKey("region.code"), nullable=False),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    *row_columns(),
    _one_of("type", BODY_TYPES),
    Index(
        "uq_body_active",
        "type",
        "region_code",
        unique=True,
        postgresql_where=text("active AND type NOT IN ('DELIBERATION', 'OWNERS')"),
    ),
    comment="Bodies that meet: committees, assemblies, leading groups (会议主体)",
)

body_member = Table(
    "body_member",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("body_id", Uuid, ForeignKey("body.id"), nullable=False),
    Column("person_id", Uuid, ForeignKey("person.id")),
    Column("org_code", Text, ForeignKey("organization.code")),
    Column("post", Text, nullable=False),
    Column("category", Text),
    Column("since", Date, nullable=False),
    Column("until", Date),
    Column("status", Text, nullable=False, server_default=text("'ACTIVE'")),
    *row_columns(),
    _one_of("post", BODY_POSTS),
    _one_of("category", MEMBER_CATEGORIES),
    _one_of("status", BODY_MEMBER_STATES),
    CheckConstraint("num_nonnulls(person_id, org_code) >= 1", name="somebody"),
    CheckConstraint("until >= since", name="term"),
    Index(None, "body_id"),
    Index(None, "person_id"),
    Index(
        "uq_body_member_open",
        "body_id",
        "person_id",
        unique=True,
        postgresql_where=text("until IS NULL AND person_id IS NOT NULL"),
    ),
    # Never two active chairs (seed 001 §三2).
    Index(
        "uq_body_member_chair",
        "body_id",
        unique=True,
        postgresql_where=text("until IS NULL AND post = 'CHAIR' AND status = 'ACTIVE'"),
    ),
    comment="Who sits in a body, in which post, for how long (成员); rows are ended, not deleted",
)

former_name = Table(
    "former_name",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("until", DateTime(timezone=True), primary_key=True, server_default=func.clock_timestamp()),
    Column("name", Text, nullable=False),
    comment="Names that no longer hold, and until when they did (曾用名), for documents of that time",
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    _one_of("action", ("INSERT", "UPDATE", "DELETE")),
    Index(None, "entity", "key"),
    comment="Every change of master data, written by triggers; personal fields masked; append only",
)

access_log = Table(
    "access_log",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor_id", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("row_id", Text, nullable=False),
    Column("fields_class", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Index(None, "entity", "row_id"),
    comment="Every reading of contact details (查阅记录); append only",
)
