"""Sign-ins that can be renewed: refresh tokens that open once, and tokens that are given back before they run out."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.identity.errors import TokenRefused

SECRET_BYTES = 32
# A repeat within this span is a shaky net, a later one a stolen token.
REPEAT_FORGIVEN = timedelta(seconds=10)

_SWEEP = text(
    """
    WITH over AS (DELETE FROM session WHERE expires_at < :now)
    DELETE FROM revoked_token WHERE until < :now
    """
)
_OPEN = text(
    """
    INSERT INTO session (id, account_id, token_hash, second_factor, expires_at)
    VALUES (:id, :account, :hash, :second_factor, :expires)
    """
)
_SESSION = text(
    """
    SELECT s.id, s.account_id, s.token_hash, s.previous_hash, s.rotated_at, s.second_factor, s.expires_at,
           s.revoked_at, s.created_at, a.active, a.tokens_from, a.person_id, a.username
      FROM session s JOIN account a ON a.id = s.account_id
     WHERE s.id = :id
       FOR UPDATE OF s
    """
)
_ROTATE = text("UPDATE session SET token_hash = :hash, previous_hash = token_hash, rotated_at = :now WHERE id = :id")
_END = text("UPDATE session SET revoked_at = :now WHERE id = :id AND account_id = :account AND revoked_at IS NULL")
_END_ALL = text("UPDATE session SET revoked_at = :now WHERE account_id = :account AND revoked_at IS NULL")
_REVOKE = text(
    """
    INSERT INTO revoked_token (token_id, account_id, until) VALUES (:token, :account, :until)
    ON CONFLICT (token_id) DO NOTHING
    """
)
_TOKENS_FROM = text("UPDATE account SET tokens_from = :now WHERE id = :account")
_MINE = text(
    """
    SELECT id, created_at, rotated_at, expires_at, second_factor
      FROM session
     WHERE account_id = :account AND revoked_at IS NULL AND expires_at > :now
     ORDER BY created_at DESC
    """
)


@dataclass(frozen=True, slots=True)
class Renewed:
    """A session after its refresh token was used: whose it is, and the next refresh token."""

    session_id: str
    account: UUID
    person: UUID
    username: str
    second_factor: bool
    refresh_token: str
    expires_at: datetime


class Sessions:
    """The sessions of all accounts: each can be renewed for `lifetime`, its access tokens live as long as `grace`."""

    def __init__(
        self, engine: AsyncEngine, *, lifetime: timedelta, grace: timedelta, now: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._lifetime = lifetime
        self._grace = grace
        self._now = now

    async def open(self, account: UUID, person: UUID, username: str, *, second_factor: bool) -> Renewed:
        """Begin a session."""
        now, session, secret = self._now(), uuid4(), _secret()
        expires = now + self._lifetime
        async with self._engine.begin() as connection:
            await connection.execute(_SWEEP, {"now": now})
            values = {"id": session, "account": account, "hash": _hash(secret)}
            await connection.execute(_OPEN, {**values, "second_factor": second_factor, "expires": expires})
        return Renewed(str(session), account, person, username, second_factor, f"{session}.{secret}", expires)

    async def renew(self, refresh_token: str) -> Renewed:
        """Use a refresh token, once; gives the next one.

        Raises `TokenRefused` (SESSION_OVER). A token that was used before ends the whole session: somebody else may
        have it.
        """
        name, _, secret = refresh_token.partition(".")
        session, now = _uuid(name), self._now()
        if session is None:
            raise TokenRefused("SESSION_OVER")
        async with self._engine.begin() as connection:
            kept = (await connection.execute(_SESSION, {"id": session})).one_or_none()
            refused = (
                kept is None
                or kept.revoked_at is not None
                or not kept.active
                or kept.expires_at <= now
                or (kept.tokens_from is not None and kept.created_at < kept.tokens_from)
            )
            fits = kept is not None and hmac.compare_digest(kept.token_hash, _hash(secret))
            following = _secret()
            if fits and not refused:
                await connection.execute(_ROTATE, {"id": session, "hash": _hash(following), "now": now})
            elif kept is not None and not refused and not self._is_repeat(kept.previous_hash, kept.rotated_at, secret):
                await connection.execute(_END, {"id": session, "account": kept.account_id, "now": now})
                await self._revoke(connection, str(session), kept.account_id)
        if kept is None or refused or not fits:
            raise TokenRefused("SESSION_OVER")
        return Renewed(
            session_id=str(session),
            account=kept.account_id,
            person=kept.person_id,
            username=kept.username,
            second_factor=kept.second_factor,
            refresh_token=f"{session}.{following}",
            expires_at=kept.expires_at,
        )

    async def end(self, session_id: str, account: UUID) -> None:
        """End a session (or a single token, which is a session of its own) and every access token of it."""
        async with self._engine.begin() as connection:
            session = _uuid(session_id)
            if session is not None:
                await connection.execute(_END, {"id": session, "account": account, "now": self._now()})
            await self._revoke(connection, session_id, account)

    async def end_all(self, account: UUID) -> None:
        """Sign the account out everywhere: no token from before this moment counts any more."""
        now = self._now()
        async with self._engine.begin() as connection:
            await connection.execute(_END_ALL, {"account": account, "now": now})
            await connection.execute(_TOKENS_FROM, {"account": account, "now": now})

    async def mine(self, account: UUID) -> list[dict[str, object]]:
        """Give the sessions of an account that are still open, the newest first."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(_MINE, {"account": account, "now": self._now()})
            return [dict(row) for row in rows.mappings()]

    async def _revoke(self, connection: AsyncConnection, session_id: str, account: UUID) -> None:
        until = self._now() + self._grace
        await connection.execute(_REVOKE, {"token": session_id, "account": account, "until": until})

    def _is_repeat(self, previous: str | None, rotated_at: datetime | None, secret: str) -> bool:
        return (
            previous is not None
            and rotated_at is not None
            and self._now() - rotated_at <= REPEAT_FORGIVEN
            and hmac.compare_digest(previous, _hash(secret))
        )


def _secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def _hash(secret: str) -> str:
    # The secret is 32 random bytes: nothing to guess, so nothing to slow down.
    return hashlib.sha256(secret.encode()).hexdigest()


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
