"""Tables of signing in: second factors, sessions, revoked tokens, keys for machines, identities of other providers.

Nothing in them opens a door by itself: tokens and keys are kept as hashes, a second factor is sealed.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

from services.storage.metadata import metadata
from services.storage.people_tables import row_columns


def _created() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


second_factor = Table(
    "second_factor",
    metadata,
    Column("account_id", Uuid, ForeignKey("account.id"), primary_key=True),
    Column("sealed_secret", Text, nullable=False),
    # Empty until the person has shown a first code: an unconfirmed factor asks for nothing.
    Column("confirmed_at", DateTime(timezone=True)),
    # A code opens once: the time step of the last one that did.
    Column("last_step", BigInteger, nullable=False, server_default=text("0")),
    _created(),
    comment="One-time codes of an account (第二因子); the secret is sealed",
)

session = Table(
    "session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    Column("token_hash", Text, nullable=False),
    # The one before, so that a repeat by a shaky net is told from a stolen token.
    Column("previous_hash", Text),
    Column("rotated_at", DateTime(timezone=True)),
    Column("second_factor", Boolean, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    _created(),
    Index(None, "account_id"),
    Index(None, "expires_at"),
    comment="A sign-in that can be renewed (会话); refresh tokens as hashes, each used once",
)

revoked_token = Table(
    "revoked_token",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    # After this moment the token has run out by itself, and the row may go.
    Column("until", DateTime(timezone=True), nullable=False),
    Index(None, "account_id"),
    comment="Access tokens that were given back before they ran out (已注销令牌)",
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, unique=True),
    Column("key_hash", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_by", Uuid, ForeignKey("person.id"), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    *row_columns(),
    CheckConstraint("cardinality(scopes) > 0", name="scopes"),
    Index(None, "account_id"),
    comment="Keys of machines (接口密钥): hashed, limited to scopes, never for ever",
)

identity_link = Table(
    "identity_link",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    *row_columns(),
    UniqueConstraint("issuer", "subject"),
    Index(None, "account_id"),
    comment="Who somebody is at an OpenID provider (统一身份)",
)
