"""Regions, organisations, people, accounts, roles, bodies; who changed and who read what.

Runs before the code that needs it (pre).

Revision: 0001, the first
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Every change of master data leaves a row in `audit`, whoever makes it and by whatever program. The arguments
# of the trigger are the key column and then the columns whose values are personal or secret: these are named,
# never copied.
AUDIT_ROW = """
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept_out CONSTANT text[] := ARRAY['tenant_id', 'created_at', 'updated_at', 'version', 'failed_attempts',
                                      'locked_until'];
    masked   CONSTANT text[] := coalesce(TG_ARGV[1:TG_NARGS - 1], '{}');
    was      jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - kept_out END;
    becomes  jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - kept_out END;
    changed  text[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF was = becomes THEN
            RETURN NULL;
        END IF;
        SELECT array_agg(name) INTO changed
          FROM unnest(masked) AS name
         WHERE was -> name IS DISTINCT FROM becomes -> name;
        IF changed IS NOT NULL THEN
            becomes := becomes || jsonb_build_object('masked_changes', changed);
        END IF;
    END IF;
    INSERT INTO audit (actor, action, entity, key, before, after)
    VALUES (coalesce(nullif(current_setting('shangliang.actor', true), ''), 'database:' || session_user),
            TG_OP, TG_TABLE_NAME, coalesce(becomes, was) ->> TG_ARGV[0], was - masked, becomes - masked);
    RETURN NULL;
END $$
"""

TOUCH_ROW = """
CREATE FUNCTION touch_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END $$
"""

# Also for the tables of later migrations that are written once and never changed.
REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are never changed or deleted.', TG_TABLE_NAME
          USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

PERSONAL = ("display_name", "phone", "birth_year", "gender", "id_last4", "id_hash")
AUDITED = {
    "tenant": ("id",),
    "region": ("code",),
    "community": ("region_code",),
    "organization": ("id",),
    "person": ("id", *PERSONAL),
    "spatial_unit": ("id",),
    "account": ("id", "username", "password_hash"),
    "person_role": ("id",),
    "body": ("id",),
    "body_member": ("id",),
}
# Counting failed sign-ins is not a change of the account.
TOUCHED_BY = {"account": "OF username, person_id, password_hash, active "}
APPEND_ONLY = ("audit", "access_log")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "access_log",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Text(), nullable=False),
        sa.Column("fields_class", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_access_log")),
        comment="Every reading of contact details (查阅记录); append only",
    )
    op.create_index(op.f("ix_access_log_entity_row_id"), "access_log", ["entity", "row_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("action IN ('INSERT', 'UPDATE', 'DELETE')", name=op.f("ck_audit_action")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        comment="Every change of master data, written by triggers; personal fields masked; append only",
    )
    op.create_index(op.f("ix_audit_entity_key"), "audit", ["entity", "key"], unique=False)
    op.create_table(
        "tenant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("policy_pack_id", sa.Text(), nullable=True),
        sa.Column("policy_pack_version", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), server_default=sa.text("'Asia/Shanghai'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("name", name=op.f("uq_tenant_name")),
        comment="A city or county that runs the product (租户)",
    )
    op.create_table(
        "region",
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent_code", sa.String(length=12), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("code ~ '^[0-9]{2,12}$'", name=op.f("ck_region_code")),
        sa.CheckConstraint("level <> 'COMMUNITY' OR length(code) = 12", name=op.f("ck_region_community_code")),
        sa.CheckConstraint(
            "level IN ('PROVINCE', 'CITY', 'COUNTY', 'SUBDISTRICT', 'COMMUNITY')",
            name=op.f("ck_region_level"),
        ),
        sa.CheckConstraint(
            "parent_code IS NULL OR starts_with(code, parent_code)", name=op.f("ck_region_parent_is_prefix")
        ),
        sa.ForeignKeyConstraint(["parent_code"], ["region.code"], name=op.f("fk_region_parent_code_region")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_region_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_region")),
        comment="City, county, subdistrict, community by statistical code (区划)",
    )
    op.create_index(op.f("ix_region_parent_code"), "region", ["parent_code"], unique=False)
    op.create_table(
        "body",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "type IN ('CWC', 'TWO_COMMITTEES', 'EPC', 'PJM', 'RRA', 'PARTY_MEMBERS', 'SPC', "
            "'LEADING_GROUP', 'LEADING_GROUP_OFFICE', 'DELIBERATION', 'OWNERS')",
            name=op.f("ck_body_type"),
        ),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_body_region_code_region")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_body_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_body")),
        comment="Bodies that meet: committees, assemblies, leading groups (会议主体)",
    )
    op.create_index(
        "uq_body_active",
        "body",
        ["type", "region_code"],
        unique=True,
        postgresql_where=sa.text("active AND type NOT IN ('DELIBERATION', 'OWNERS')"),
    )
    op.create_table(
        "community",
        sa.Column("region_code", sa.String(length=12), nullable=False),
        sa.Column("households", sa.Integer(), nullable=True),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("estate_kind", sa.Text(), nullable=True),
        sa.Column("self_governance_mode", sa.Text(), server_default=sa.text("'NONE'"), nullable=False),
        sa.Column("rollout_state", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "estate_kind IN ('OLD_ESTATE', 'COMMERCIAL_ESTATE', 'ENTERPRISE_QUARTER', 'MIXED')",
            name=op.f("ck_community_estate_kind"),
        ),
        sa.CheckConstraint(
            "self_governance_mode IN ('NONE', 'OWNER_RESIDENT', 'ENTERPRISE_RESIDENT', 'FIVE_IN_ONE')",
            name=op.f("ck_community_self_governance_mode"),
        ),
        sa.CheckConstraint("households >= 0", name=op.f("ck_community_households")),
        sa.CheckConstraint("population >= 0", name=op.f("ck_community_population")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_community_region_code_region")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_community_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("region_code", name=op.f("pk_community")),
        comment="What is known of a community beyond its region (社区)",
    )
    op.create_table(
        "organization",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("org_type", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=False),
        sa.Column("credit_code", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("is_resident_unit", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{0,63}$'", name=op.f("ck_organization_code")),
        sa.CheckConstraint(
            "level IN ('COMMUNITY', 'SUBDISTRICT', 'COUNTY', 'CITY', 'OTHER')",
            name=op.f("ck_organization_level"),
        ),
        sa.CheckConstraint(
            "org_type IN ('PARTY_ORG', 'GOV_OFFICE', 'DEPARTMENT', 'SUBDISTRICT_OFFICE', "
            "'RESIDENT_COMMITTEE', 'ENTERPRISE', 'PRIVATE_ENTERPRISE', 'INSTITUTION', "
            "'SOCIAL_ORG', 'TRADE_ASSOCIATION', 'PROPERTY_COMPANY', 'OWNERS_COMMITTEE', "
            "'VETERANS_STATION', 'SCHOOL', 'OTHER')",
            name=op.f("ck_organization_org_type"),
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["organization.id"], name=op.f("fk_organization_parent_id_organization")
        ),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_organization_region_code_region")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_organization_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("code", name=op.f("uq_organization_code")),
        comment="Departments, committees, companies and other organisations (组织)",
    )
    op.create_index(op.f("ix_organization_region_code"), "organization", ["region_code"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("birth_year", sa.SmallInteger(), nullable=True),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("home_community_code", sa.String(length=12), nullable=True),
        sa.Column("id_last4", sa.Text(), nullable=True),
        sa.Column("id_hash", sa.Text(), nullable=True),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["home_community_code"],
            ["community.region_code"],
            name=op.f("fk_person_home_community_code_community"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_person_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        comment="People (personal data); erasing one replaces these fields and keeps the id",
    )
    op.create_table(
        "spatial_unit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_code", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=15), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("households", sa.Integer(), nullable=True),
        sa.Column("geometry", postgresql.JSONB(), nullable=True),
        sa.Column(
            "responsible_person_ids",
            postgresql.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("kind <> 'GRID' OR code ~ '^[0-9]{15}$'", name=op.f("ck_spatial_unit_grid_code")),
        sa.CheckConstraint(
            "kind IN ('GRID', 'BASE_UNIT', 'CLUSTER', 'RESIDENT_GROUP', 'ESTATE', 'BEAT')",
            name=op.f("ck_spatial_unit_kind"),
        ),
        sa.CheckConstraint("households >= 0", name=op.f("ck_spatial_unit_households")),
        sa.CheckConstraint("starts_with(code, community_code)", name=op.f("ck_spatial_unit_code_in_community")),
        sa.ForeignKeyConstraint(
            ["community_code"],
            ["community.region_code"],
            name=op.f("fk_spatial_unit_community_code_community"),
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["spatial_unit.id"], name=op.f("fk_spatial_unit_parent_id_spatial_unit")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_spatial_unit_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spatial_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_spatial_unit_code")),
        comment="Grids, units, clusters, estates of a community (网格, 单元, 楼群, 小区)",
    )
    op.create_index(
        op.f("ix_spatial_unit_community_code_kind"), "spatial_unit", ["community_code", "kind"], unique=False
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("username ~ '^[a-z0-9][a-z0-9._-]{0,63}$'", name=op.f("ck_account_username")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_person_id_person")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_account_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
        comment="Sign-in of a person (账号); rights come from person_role",
    )
    op.create_index(op.f("ix_account_person_id"), "account", ["person_id"], unique=False)
    op.create_table(
        "body_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("body_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'ACTIVE'"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "category IN ('PARTY_ORG_MEMBER', 'RESIDENT_COMMITTEE_MEMBER', 'DEPUTY_OR_DELEGATE', "
            "'RESIDENT_UNIT', 'PRIVATE_ENTERPRISE', 'TRADE_ASSOCIATION', 'SOCIAL_ORG', "
            "'PROPERTY_COMPANY', 'VETERAN', 'SOCIAL_WORKER', 'VOLUNTEER', 'BUILDING_HEAD', "
            "'JOURNALIST', 'OWNERS_COMMITTEE', 'RESIDENT_REPRESENTATIVE', 'INTERESTED_PARTY')",
            name=op.f("ck_body_member_category"),
        ),
        sa.CheckConstraint("post IN ('CHAIR', 'VICE_CHAIR', 'MEMBER', 'DELEGATE')", name=op.f("ck_body_member_post")),
        sa.CheckConstraint(
            "status IN ('ACTIVE', 'ACTING', 'SUSPENDED_DUTY', 'ENDED')", name=op.f("ck_body_member_status")
        ),
        sa.CheckConstraint("num_nonnulls(person_id, org_code) >= 1", name=op.f("ck_body_member_somebody")),
        sa.CheckConstraint("until >= since", name=op.f("ck_body_member_term")),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_body_member_body_id_body")),
        sa.ForeignKeyConstraint(["org_code"], ["organization.code"], name=op.f("fk_body_member_org_code_organization")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_body_member_person_id_person")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_body_member_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_body_member")),
        comment="Who sits in a body, in which post, for how long (成员); rows are ended, not deleted",
    )
    op.create_index(op.f("ix_body_member_body_id"), "body_member", ["body_id"], unique=False)
    op.create_index(op.f("ix_body_member_person_id"), "body_member", ["person_id"], unique=False)
    op.create_index(
        "uq_body_member_chair",
        "body_member",
        ["body_id"],
        unique=True,
        postgresql_where=sa.text("until IS NULL AND post = 'CHAIR' AND status = 'ACTIVE'"),
    )
    op.create_index(
        "uq_body_member_open",
        "body_member",
        ["body_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("until IS NULL AND person_id IS NOT NULL"),
    )
    op.create_table(
        "person_role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("place", sa.String(length=15), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("appointed_by", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("place ~ '^[0-9]{2,15}$'", name=op.f("ck_person_role_place")),
        sa.CheckConstraint("until >= since", name=op.f("ck_person_role_term")),
        sa.ForeignKeyConstraint(["appointed_by"], ["person.id"], name=op.f("fk_person_role_appointed_by_person")),
        sa.ForeignKeyConstraint(["org_code"], ["organization.code"], name=op.f("fk_person_role_org_code_organization")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_role_person_id_person")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_person_role_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_role")),
        comment="A role held somewhere for a time (任职); until is the last day; rows are ended, not deleted",
    )
    op.create_index(op.f("ix_person_role_person_id"), "person_role", ["person_id"], unique=False)
    op.create_index(op.f("ix_person_role_role_place"), "person_role", ["role", "place"], unique=False)
    op.create_index(
        "uq_person_role_open",
        "person_role",
        ["person_id", "role", "place", sa.literal_column("coalesce(org_code, '')")],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
    )
    op.execute(AUDIT_ROW)
    op.execute(TOUCH_ROW)
    op.execute(REFUSE_CHANGE)
    for table, arguments in AUDITED.items():
        listed = ", ".join(f"'{argument}'" for argument in arguments)
        op.execute(
            f"CREATE TRIGGER audit_row AFTER INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION audit_row({listed})"
        )
        op.execute(
            f"CREATE TRIGGER touch_row BEFORE UPDATE {TOUCHED_BY.get(table, '')}ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION touch_row()"
        )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in (
        "person_role",
        "body_member",
        "account",
        "spatial_unit",
        "person",
        "organization",
        "community",
        "body",
        "region",
        "tenant",
        "audit",
        "access_log",
    ):
        op.drop_table(table)
    for function in ("audit_row", "touch_row", "refuse_change"):
        op.execute(f"DROP FUNCTION {function}()")
