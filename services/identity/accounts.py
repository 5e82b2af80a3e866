"""What an account does with itself: sign in and stay so, sign out, change its password, take a second factor."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.actors import Directory
from services.identity.errors import ProviderRefused, SignInRefused, TokenRefused, Unfit
from services.identity.passwords import Passwords
from services.identity.provider import Identity, Provider
from services.identity.second_factor import SecondFactors
from services.identity.sessions import Renewed, Sessions
from services.identity.sign_in import Opened, SignedIn
from services.identity.tokens import Claims, Tokens
from workflows.kernel.process import Actor

SHORTEST_PASSWORD = 8
SESSION_LIFE = timedelta(days=30)

_ACCOUNT = text("SELECT id, password_hash FROM account WHERE username = :username AND person_id = :person AND active")
_BY_NAME = text("SELECT id, person_id, username, active FROM account WHERE username = :username")
_SET_PASSWORD = text(
    "UPDATE account SET password_hash = :hash, failed_attempts = 0, locked_until = NULL WHERE id = :account"
)
_LINKED = text(
    """
    SELECT a.id, a.person_id, a.username, a.active
      FROM identity_link l JOIN account a ON a.id = l.account_id
     WHERE l.issuer = :issuer AND l.subject = :subject
    """
)
_LINK = text(
    """
    INSERT INTO identity_link (id, account_id, issuer, subject, tenant_id)
    SELECT :id, a.id, :issuer, :subject, a.tenant_id FROM account a WHERE a.id = :account
    ON CONFLICT (issuer, subject) DO NOTHING
    """
)
_ACT_AS = text("SELECT set_config('shangliang.actor', :actor, true)")


@dataclass(frozen=True, slots=True)
class Pass:
    """What somebody who signed in takes away: an access token, and with a session the token that renews it."""

    access_token: str
    refresh_token: str
    refresh_expires_at: datetime


class Accounts:
    """The accounts of the deployment, as their holders use them."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        directory: Directory,
        tokens: Tokens,
        codes: SecondFactors,
        passwords: Passwords | None = None,
        provider: Provider | None = None,
        session_life: timedelta = SESSION_LIFE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._tokens = tokens
        self._codes = codes
        self._passwords = passwords or Passwords()
        self._sessions = Sessions(engine, lifetime=session_life, grace=tokens.lifetime + timedelta(minutes=2), now=now)
        self.provider = provider

    async def sign_in(self, username: str, password: str, code: str | None) -> Pass:
        """Open a session by name, password and, where there is one, one-time code."""
        return await self._begun(await self._directory.sign_in(username, password, code))

    async def sign_in_as(self, identity: Identity) -> Pass:
        """Open a session for somebody whom the provider let in; raises `ProviderRefused` for a stranger."""
        values = {"issuer": identity.issuer, "subject": identity.subject}
        async with self._engine.begin() as connection:
            found = (await connection.execute(_LINKED, values)).one_or_none()
            if found is None and identity.username is not None:
                found = (await connection.execute(_BY_NAME, {"username": identity.username})).one_or_none()
                if found is not None and found.active:
                    await connection.execute(_ACT_AS, {"actor": str(found.person_id)})
                    await connection.execute(_LINK, {**values, "id": uuid4(), "account": found.id})
            if found is None or not found.active:
                raise ProviderRefused("OIDC_UNKNOWN")
        opened = Opened(found.id, found.person_id, found.username, identity.second_factor)
        return await self._begun(await self._directory.signed_in(opened))

    async def renew(self, refresh_token: str) -> Pass:
        """Use a refresh token, once; raises `TokenRefused` (SESSION_OVER)."""
        session = await self._sessions.renew(refresh_token)
        opened = Opened(session.account, session.person, session.username, session.second_factor)
        try:
            return self._passed(await self._directory.signed_in(opened), session)
        except SignInRefused:
            raise TokenRefused("SESSION_OVER") from None

    async def sign_out(self, claims: Claims) -> None:
        """Give back the token that is shown, and the session that it came from."""
        account = await self._account(claims.username, claims.actor_id)
        await self._sessions.end(claims.session_id, account.id)
        self._directory.forget()

    async def sign_out_everywhere(self, actor: Actor) -> None:
        """Give back every token and session of the account."""
        account = await self._account(actor.username, actor.id)
        await self._sessions.end_all(account.id)
        self._directory.forget()

    async def sessions(self, actor: Actor) -> list[dict[str, Any]]:
        """Give the open sessions of the account."""
        return await self._sessions.mine((await self._account(actor.username, actor.id)).id)

    async def change_password(self, actor: Actor, old: str, new: str) -> None:
        """Take another password and end every session and token of before; raises `Unfit`."""
        account = await self._account(actor.username, actor.id)
        if not await asyncio.to_thread(self._passwords.verify, old, account.password_hash):
            raise Unfit("OLD_PASSWORD_WRONG", field="old_password")
        if new == old:
            raise Unfit("PASSWORD_UNCHANGED", field="new_password")
        await self.set_password(account.id, new, by=actor.id)

    async def set_password(self, account: UUID, new: str, *, by: str) -> None:
        """Give an account a password, whoever asks; ends every session and token of before. Raises `Unfit`."""
        hashed = await asyncio.to_thread(self.hashed, new)
        async with self._engine.begin() as connection:
            await connection.execute(_ACT_AS, {"actor": by})
            await connection.execute(_SET_PASSWORD, {"account": account, "hash": hashed})
        await self._sessions.end_all(account)
        self._directory.forget()

    def hashed(self, password: str) -> str:
        """Give the hash of a new password; raises `Unfit` for one that is too short. Computes for some 20 ms."""
        if len(password) < SHORTEST_PASSWORD:
            raise Unfit("PASSWORD_TOO_SHORT", field="new_password", length=SHORTEST_PASSWORD)
        return self._passwords.hash(password)

    async def begin_second_factor(self, actor: Actor) -> dict[str, str]:
        """Begin a second factor; gives `secret` and `uri`."""
        account = await self._account(actor.username, actor.id)
        return await self._codes.begin(account.id, actor.username, actor.id)

    async def confirm_second_factor(self, actor: Actor, code: str) -> None:
        """Ask the account for codes from now on; raises `Unfit` for a wrong one."""
        account = await self._account(actor.username, actor.id)
        await self._codes.confirm(account.id, code, actor.id)

    async def remove_second_factor(self, actor: Actor, code: str) -> None:
        """Ask for no more codes; takes one last code, so that a stolen token cannot do it. Raises `Unfit`."""
        account = await self._account(actor.username, actor.id)
        if not await self._codes.fits(account.id, code):
            raise Unfit("SECOND_FACTOR_WRONG", field="code")
        await self._codes.remove(account.id, actor.id)
        await self.sign_out_everywhere(actor)

    async def lose_second_factor(self, account: UUID, *, by: str) -> None:
        """Ask an account for no more codes, because its telephone was lost; ends every session and token of before."""
        await self._codes.remove(account, by)
        await self._sessions.end_all(account)
        self._directory.forget()

    def forget(self) -> None:
        """Forget what is remembered of people, after a change that must be seen at once."""
        self._directory.forget()

    async def has_second_factor(self, actor: Actor) -> bool:
        """Say whether the account asks for codes."""
        return await self._codes.has((await self._account(actor.username, actor.id)).id)

    async def _begun(self, signed_in: SignedIn) -> Pass:
        actor = signed_in.actor
        session = await self._sessions.open(
            signed_in.account, UUID(actor.id), actor.username, second_factor=signed_in.second_factor
        )
        return self._passed(signed_in, session)

    def _passed(self, signed_in: SignedIn, session: Renewed) -> Pass:
        token = self._tokens.issue(signed_in.actor, session_id=session.session_id, second_factor=session.second_factor)
        return Pass(token, session.refresh_token, session.expires_at)

    async def _account(self, username: str, person: str) -> Any:
        async with self._engine.connect() as connection:
            found = (await connection.execute(_ACCOUNT, {"username": username, "person": UUID(person)})).one_or_none()
        if found is None:
            raise TokenRefused("ACCOUNT_CLOSED")
        return found
