"""Second factors, sessions, keys for machines, other providers; buildings and substitutes.

Runs before the code that needs it (pre).

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Key column, then what is personal or secret; see 0001.
AUDITED = {
    "api_key": ("id", "key_hash"),
    "identity_link": ("id", "subject"),
    "building": ("id",),
    "substitution": ("id", "reason"),
    "second_factor": ("account_id", "sealed_secret", "last_step"),
}
# Uses are no changes.
NOTED = {"api_key": "name, scopes, expires_at, revoked_at", "second_factor": "sealed_secret, confirmed_at"}
TABLES = ("api_key", "identity_link", "revoked_token", "session", "second_factor", "substitution", "building")


def _row() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        *_moments(),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
    )


def _moments() -> tuple[sa.Column[object], ...]:
    return tuple(
        sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
        for name in ("created_at", "updated_at")
    )


def _key(table: str, column: str, other: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.{key}"], name=op.f(f"fk_{table}_{column}_{other}"))


def _tenant(table: str) -> sa.ForeignKeyConstraint:
    return _key(table, "tenant_id", "tenant")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("account", sa.Column("tokens_from", sa.DateTime(timezone=True)))
    op.add_column("spatial_unit", sa.Column("exception_reason", sa.Text()))
    _people()
    _places()
    _machines()
    for table, arguments in AUDITED.items():
        listed = ", ".join(f"'{argument}'" for argument in arguments)
        of = f" OF {NOTED[table]}" if table in NOTED else ""
        op.execute(
            f"CREATE TRIGGER audit_row AFTER INSERT OR UPDATE{of} OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION audit_row({listed})"
        )
        if table != "second_factor":
            op.execute(
                f"CREATE TRIGGER touch_row BEFORE UPDATE{of} ON {table} FOR EACH ROW EXECUTE FUNCTION touch_row()"
            )


def _people() -> None:
    op.create_table(
        "second_factor",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("last_step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _key("second_factor", "account_id", "account"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_second_factor")),
        comment="One-time codes of an account (第二因子); the secret is sealed",
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text()),
        sa.Column("rotated_at", sa.DateTime(timezone=True)),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _key("session", "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        comment="A sign-in that can be renewed (会话); refresh tokens as hashes, each used once",
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"])
    op.create_index(op.f("ix_session_expires_at"), "session", ["expires_at"])
    op.create_table(
        "revoked_token",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        _key("revoked_token", "account_id", "account"),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_revoked_token")),
        comment="Access tokens that were given back before they ran out (已注销令牌)",
    )
    op.create_index(op.f("ix_revoked_token_account_id"), "revoked_token", ["account_id"])
    op.create_table(
        "substitution",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("absent_person_id", sa.Uuid(), nullable=False),
        sa.Column("substitute_person_id", sa.Uuid(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("appointed_by", sa.Uuid(), nullable=False),
        *_row(),
        sa.CheckConstraint("absent_person_id <> substitute_person_id", name=op.f("ck_substitution_two_people")),
        sa.CheckConstraint("until >= since - 1", name=op.f("ck_substitution_term")),
        _key("substitution", "absent_person_id", "person"),
        _key("substitution", "substitute_person_id", "person"),
        _key("substitution", "appointed_by", "person"),
        _tenant("substitution"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_substitution")),
        comment="Who acts for whom during an absence (代理); rows are ended, not deleted",
    )
    op.create_index(op.f("ix_substitution_absent_person_id"), "substitution", ["absent_person_id"])
    op.create_index(op.f("ix_substitution_substitute_person_id"), "substitution", ["substitute_person_id"])


def _places() -> None:
    op.create_table(
        "building",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("floors", sa.SmallInteger()),
        sa.Column("units", sa.SmallInteger()),
        sa.Column("households", sa.Integer()),
        sa.Column("grid_id", sa.Uuid()),
        sa.Column("estate_id", sa.Uuid()),
        sa.Column("base_unit_id", sa.Uuid()),
        *_row(),
        sa.CheckConstraint("floors > 0", name=op.f("ck_building_floors")),
        sa.CheckConstraint("units > 0", name=op.f("ck_building_units")),
        sa.CheckConstraint("households >= 0", name=op.f("ck_building_households")),
        _key("building", "community_code", "community", "region_code"),
        *(_key("building", column, "spatial_unit") for column in ("grid_id", "estate_id", "base_unit_id")),
        _tenant("building"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_building")),
        sa.UniqueConstraint("community_code", "name", name=op.f("uq_building_community_code_name")),
        comment="Buildings (楼栋); households by room are personal data and not here",
    )
    for column in ("grid_id", "estate_id", "base_unit_id"):
        op.create_index(op.f(f"ix_building_{column}"), "building", [column])


def _machines() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        *_row(),
        sa.CheckConstraint("cardinality(scopes) > 0", name=op.f("ck_api_key_scopes")),
        _key("api_key", "account_id", "account"),
        _key("api_key", "created_by", "person"),
        _tenant("api_key"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
        comment="Keys of machines (接口密钥): hashed, limited to scopes, never for ever",
    )
    op.create_index(op.f("ix_api_key_account_id"), "api_key", ["account_id"])
    op.create_table(
        "identity_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        *_row(),
        _key("identity_link", "account_id", "account"),
        _tenant("identity_link"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_link")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identity_link_issuer_subject")),
        comment="Who somebody is at an OpenID provider (统一身份)",
    )
    op.create_index(op.f("ix_identity_link_account_id"), "identity_link", ["account_id"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in TABLES:
        op.drop_table(table)
    op.drop_column("spatial_unit", "exception_reason")
    op.drop_column("account", "tokens_from")
