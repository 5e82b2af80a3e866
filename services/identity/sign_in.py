"""Check a name and a password, and a one-time code where there is one: slowly for guessers, quickly for people."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.errors import SecondFactorNeeded, SignInRefused, SignInTooOften
from services.identity.passwords import Passwords
from services.identity.places import LONGEST_KEY, is_key
from services.identity.throttle import Failures
from workflows.kernel.process import Actor

# A check takes a core for some 20 ms and 19 MiB: two at a time leave room for everybody else.
CHECKS_AT_ONCE = 2
UNKNOWN_NAMES_KEPT = 10_000

_ACCOUNT = text(
    """
    SELECT id, person_id, password_hash, active, failed_attempts, locked_until
      FROM account
     WHERE username = :username
    """
)
_FAILURES = text("SELECT failed_attempts, locked_until FROM account WHERE id = :id FOR UPDATE")
_SET_FAILURES = text("UPDATE account SET failed_attempts = :count, locked_until = :until WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Opened:
    """The account that opened, whose it is, and whether a one-time code was shown."""

    account: UUID
    person: UUID
    username: str
    second_factor: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who has just signed in, with the roles that he holds by it."""

    actor: Actor
    account: UUID
    second_factor: bool


class Codes(Protocol):
    """The one-time codes of accounts (services/identity/second_factor.py)."""

    async def has(self, account: UUID) -> bool:
        """Say whether the account asks for codes."""

    async def fits(self, account: UUID, code: str) -> bool:
        """Say whether this is the code of the moment, and not used yet."""


class SignIn:
    """The check of names and passwords; a name without an account gets the same answers in the same time."""

    def __init__(
        self, engine: AsyncEngine, passwords: Passwords, now: Callable[[], datetime], codes: Codes | None = None
    ) -> None:
        self._engine = engine
        self._passwords = passwords
        self._codes = codes
        self._now = now
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._unknown_names: OrderedDict[str, Failures] = OrderedDict()

    async def open(self, username: str, password: str, code: str | None = None) -> Opened:
        """Give the account behind name, password and, where it has a second factor, one-time code.

        Raises `SignInRefused`, `SecondFactorNeeded` or `SignInTooOften`. A wrong code counts like a wrong password.
        """
        # Reading the count waits its turn too: many guesses at once would else pass before one is counted.
        async with self._checks:
            account = await self._account(username)
            pause = self._failures(username, account).pause(self._now())
            if pause:
                raise SignInTooOften(pause)
            if account is None or not await self._fits(account, password):
                await self._count_failure(username, account, password)
                raise SignInRefused
            shown = await self._shown(account.id, code)
            if account.failed_attempts:
                await self._forget_failures(account.id)
        return Opened(account.id, account.person_id, username, shown)

    async def _shown(self, account: UUID, code: str | None) -> bool:
        if self._codes is None or not await self._codes.has(account):
            return False
        if not code:
            raise SecondFactorNeeded
        if not await self._codes.fits(account, code):
            await self._count_on_account(account)
            raise SignInRefused("SECOND_FACTOR_WRONG")
        return True

    async def _account(self, username: str) -> Row[Any] | None:
        if not is_key(username):
            return None
        async with self._engine.connect() as connection:
            return (await connection.execute(_ACCOUNT, {"username": username})).one_or_none()

    def _failures(self, username: str, account: Row[Any] | None) -> Failures:
        if account is None:
            return self._unknown_names.get(username[:LONGEST_KEY], Failures())
        return Failures(account.failed_attempts, account.locked_until)

    async def _fits(self, account: Row[Any], password: str) -> bool:
        fits = await asyncio.to_thread(self._passwords.verify, password, account.password_hash)
        return fits and account.active

    async def _count_failure(self, username: str, account: Row[Any] | None, password: str) -> None:
        if account is not None:
            await self._count_on_account(account.id)
            return
        await asyncio.to_thread(self._passwords.verify_nobody, password)
        name = username[:LONGEST_KEY]
        self._unknown_names[name] = self._unknown_names.pop(name, Failures()).another(self._now())
        if len(self._unknown_names) > UNKNOWN_NAMES_KEPT:
            self._unknown_names.popitem(last=False)

    async def _count_on_account(self, account: UUID) -> None:
        async with self._engine.begin() as connection:
            found = (await connection.execute(_FAILURES, {"id": account})).one()
            failures = Failures(found.failed_attempts, found.locked_until).another(self._now())
            values = {"id": account, "count": failures.count, "until": failures.until}
            await connection.execute(_SET_FAILURES, values)

    async def _forget_failures(self, account: UUID) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(_SET_FAILURES, {"id": account, "count": 0, "until": None})
