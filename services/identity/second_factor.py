"""One-time codes as a second factor (RFC 6238), for those who approve: begun, confirmed by a code, then asked for.

The secret is sealed where it is kept; a code opens once, also when two sign-ins show it at the same moment.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import pyotp
from pyotp.totp import TOTP
from pyotp.utils import strings_equal
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.errors import Unfit
from workflows.kernel.roles import Role

ISSUER = "商量 Shangliang"
STEP_SECONDS = 30
# A telephone's clock may be one step behind or ahead.
DRIFT = (0, -1, 1)

APPROVERS = frozenset(
    {
        Role.PARTY_SECRETARY,
        Role.SUBDISTRICT_OFFICER,
        Role.STREET_PARTY_OFFICER,
        Role.SUPERVISOR,
        Role.OFFICE_REVIEWER,
        Role.LEADING_GROUP_APPROVER,
        Role.SEAL_KEEPER,
        Role.TENANT_ADMIN,
    }
)
"""Roles that approve, check or give rights: with the setting `approvers` they are held only after a second factor."""

_FACTOR = text("SELECT sealed_secret, confirmed_at, last_step FROM second_factor WHERE account_id = :account")
_HAS = text("SELECT EXISTS (SELECT FROM second_factor WHERE account_id = :account AND confirmed_at IS NOT NULL)")
_BEGIN = text(
    """
    INSERT INTO second_factor (account_id, sealed_secret) VALUES (:account, :sealed)
    ON CONFLICT (account_id) DO UPDATE SET sealed_secret = excluded.sealed_secret, last_step = 0
     WHERE second_factor.confirmed_at IS NULL
    """
)
_USE = text("UPDATE second_factor SET last_step = :step WHERE account_id = :account AND last_step < :step")
_CONFIRM = text("UPDATE second_factor SET confirmed_at = :now WHERE account_id = :account AND confirmed_at IS NULL")
_REMOVE = text("DELETE FROM second_factor WHERE account_id = :account")
_ACT_AS = text("SELECT set_config('shangliang.actor', :actor, true)")


class Sealing(Protocol):
    """What keeps a secret secret at rest (services/storage/sealing.py)."""

    def seal(self, values: Mapping[str, Any], case_id: str) -> str:
        """Seal values for one name."""

    def unseal(self, sealed: str, case_id: str) -> dict[str, Any]:
        """Open what was sealed for the same name."""


class SecondFactors:
    """The one-time codes of all accounts."""

    def __init__(self, engine: AsyncEngine, sealing: Sealing, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._sealing = sealing
        self._now = now

    async def has(self, account: UUID) -> bool:
        """Say whether the account asks for codes."""
        async with self._engine.connect() as connection:
            return bool(await connection.scalar(_HAS, {"account": account}))

    async def begin(self, account: UUID, username: str, actor: str) -> dict[str, str]:
        """Make a new secret and give it, also as the address that authenticators read from a QR code.

        Nothing is asked for until `confirm`. Raises `Unfit` when the account has a confirmed factor already.
        """
        secret = pyotp.random_base32()
        sealed = self._sealing.seal({"totp": secret}, _name(account))
        async with self._engine.begin() as connection:
            await connection.execute(_ACT_AS, {"actor": actor})
            done = await connection.execute(_BEGIN, {"account": account, "sealed": sealed})
            if not done.rowcount:
                raise Unfit("SECOND_FACTOR_EXISTS")
        return {"secret": secret, "uri": TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)}

    async def confirm(self, account: UUID, code: str, actor: str) -> None:
        """Ask for codes from now on; raises `Unfit` when this is not one of the secret that was begun."""
        if not await self._fits(account, code, confirmed=False):
            raise Unfit("SECOND_FACTOR_WRONG", field="code")
        async with self._engine.begin() as connection:
            await connection.execute(_ACT_AS, {"actor": actor})
            await connection.execute(_CONFIRM, {"account": account, "now": self._now()})

    async def remove(self, account: UUID, actor: str) -> None:
        """Ask for no more codes."""
        async with self._engine.begin() as connection:
            await connection.execute(_ACT_AS, {"actor": actor})
            await connection.execute(_REMOVE, {"account": account})

    async def fits(self, account: UUID, code: str) -> bool:
        """Say whether this is the code of the moment, and use it up."""
        return await self._fits(account, code, confirmed=True)

    async def _fits(self, account: UUID, code: str, *, confirmed: bool) -> bool:
        async with self._engine.begin() as connection:
            kept = (await connection.execute(_FACTOR, {"account": account})).one_or_none()
            if kept is None or (kept.confirmed_at is not None) is not confirmed:
                return False
            codes = TOTP(self._sealing.unseal(kept.sealed_secret, _name(account))["totp"])
            step = int(self._now().timestamp()) // STEP_SECONDS
            shown = code.strip().replace(" ", "")
            for near in (step + drift for drift in DRIFT):
                if strings_equal(shown, codes.generate_otp(near)):
                    used = await connection.execute(_USE, {"account": account, "step": near})
                    return used.rowcount == 1
        return False


def _name(account: UUID) -> str:
    return f"second-factor/{account}"
