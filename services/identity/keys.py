"""Keys for machines (接口密钥): hashed, limited to scopes, with an end; shown once, known by their beginning.

A key acts as the account that it was made for, with that account's roles, and of these only as far as its scopes go:
`issue.submit_issue`, `issue.read`, `issue.*`, `read` (every read), `*`.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.errors import TokenRefused, Unfit
from services.identity.freshness import Remembered

MARK = "slk_"
PREFIX_LETTERS = 12
SECRET_BYTES = 32
LONGEST = timedelta(days=366)
# A last use is written down at most once in this span: a sensor that calls every second changes no row every second.
USE_NOTED = timedelta(minutes=5)
SCOPE = re.compile(r"\*|read|[a-z][a-z_]*\.(?:\*|[a-z][a-z_]*)")

_ACT_AS = text("SELECT set_config('shangliang.actor', :actor, true)")
_ADD = text(
    """
    INSERT INTO api_key (id, account_id, name, prefix, key_hash, scopes, created_by, expires_at, tenant_id)
    SELECT :id, a.id, :name, :prefix, :hash, :scopes, :by, :expires, a.tenant_id
      FROM account a WHERE a.username = :username AND a.active
    """
)
_SHOWN = "k.id, a.username, k.name, k.prefix, k.scopes, k.created_at, k.expires_at, k.revoked_at, k.last_used_at"
_LIST = text(
    f"""
    SELECT {_SHOWN}, a.person_id FROM api_key k JOIN account a ON a.id = k.account_id
     ORDER BY k.created_at DESC LIMIT 500
    """
)
_ONE = text(f"SELECT {_SHOWN}, a.person_id FROM api_key k JOIN account a ON a.id = k.account_id WHERE k.id = :id")
_BY_PREFIX = text(
    """
    SELECT k.id, k.key_hash, k.scopes, k.expires_at, k.revoked_at, k.last_used_at, a.person_id, a.username, a.active
      FROM api_key k JOIN account a ON a.id = k.account_id
     WHERE k.prefix = :prefix
    """
)
_REVOKE = text("UPDATE api_key SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL")
_USED = text("UPDATE api_key SET last_used_at = :now WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Key:
    """A key that opens: whose roles it has and how far."""

    id: UUID
    person: str
    username: str
    scopes: tuple[str, ...]
    key_hash: str
    expires_at: datetime

    def opens(self, process: str, action: str) -> bool:
        """Say whether the scopes cover an action of a process: a command's name, or `read`."""
        wanted = {"*", f"{process}.*", f"{process}.{action}"} | ({"read"} if action == "read" else set())
        return not wanted.isdisjoint(self.scopes)


class ApiKeys:
    """The keys of all machines."""

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime], fresh: timedelta) -> None:
        self._engine = engine
        self._now = now
        self._known: Remembered[str, Key] = Remembered(fresh, now)

    async def make(
        self, *, username: str, name: str, scopes: Iterable[str], expires_at: datetime, by: UUID
    ) -> tuple[UUID, str]:
        """Make a key for an account; gives its id and, this once, the key itself. Raises `Unfit`."""
        wanted = tuple(dict.fromkeys(scopes))
        if not wanted or any(not SCOPE.fullmatch(scope) for scope in wanted):
            raise Unfit("UNKNOWN_SCOPE", field="scopes")
        now = self._now()
        if not now < expires_at <= now + LONGEST:
            raise Unfit("KEY_TERM", field="expires_at", days=LONGEST.days)
        prefix, secret, made = (
            MARK + secrets.token_hex(PREFIX_LETTERS // 2),
            secrets.token_urlsafe(SECRET_BYTES),
            uuid4(),
        )
        values = {"id": made, "name": name, "prefix": prefix, "hash": _hash(secret), "scopes": list(wanted)}
        async with self._engine.begin() as connection:
            await connection.execute(_ACT_AS, {"actor": str(by)})
            done = await connection.execute(_ADD, {**values, "by": by, "expires": expires_at, "username": username})
            if not done.rowcount:
                raise Unfit("UNKNOWN_ACCOUNT", field="username")
        return made, f"{prefix}.{secret}"

    async def listed(self) -> Sequence[dict[str, Any]]:
        """Give the keys, the newest first: their beginnings, never themselves."""
        async with self._engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(_LIST)).mappings()]

    async def one(self, key_id: UUID) -> dict[str, Any] | None:
        """Give one key as `listed` does."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_ONE, {"id": key_id})).mappings().one_or_none()
        return dict(row) if row else None

    async def revoke(self, key_id: UUID, actor: str) -> None:
        """Let a key open nothing more; other programs see it within seconds."""
        async with self._engine.begin() as connection:
            await connection.execute(_ACT_AS, {"actor": actor})
            await connection.execute(_REVOKE, {"id": key_id, "now": self._now()})
        self._known.forget()

    async def read(self, shown: str) -> Key:
        """Give the key that a machine shows; raises `TokenRefused` (KEY_INVALID) for any other text."""
        prefix, _, secret = shown.partition(".")
        found = self._known.known([prefix]).get(prefix) or await self._look_up(prefix)
        if found is None or not hmac.compare_digest(found.key_hash, _hash(secret)) or found.expires_at <= self._now():
            raise TokenRefused("KEY_INVALID")
        return found

    async def _look_up(self, prefix: str) -> Key | None:
        if not prefix.isascii() or not prefix.isprintable():
            return None
        now = self._now()
        async with self._engine.begin() as connection:
            row = (await connection.execute(_BY_PREFIX, {"prefix": prefix})).one_or_none()
            if row is None or row.revoked_at is not None or not row.active:
                return None
            if row.last_used_at is None or now - row.last_used_at > USE_NOTED:
                await connection.execute(_USED, {"id": row.id, "now": now})
        found = Key(row.id, str(row.person_id), row.username, tuple(row.scopes), row.key_hash, row.expires_at)
        self._known.keep({prefix: found})
        return found


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
