"""Issue the short-lived signed tokens that callers show, and read them back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey

from services.identity.errors import TokenRefused
from workflows.kernel.process import Actor

ALGORITHM = "HS256"
ISSUER = "shangliang"
LEEWAY = timedelta(seconds=60)
SHORTEST_KEY = 32
LONGEST_TOKEN = 4096
REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says: whose it is, by which account he signed in, and until when it holds."""

    actor_id: str
    username: str
    issued_at: datetime
    expires_at: datetime
    token_id: str
    session_id: str
    """What is given back at the end of a session; a token without a session is one of its own."""
    second_factor: bool = False
    """A one-time code was shown besides the password."""


def _now() -> datetime:
    return datetime.now(UTC)


class Tokens:
    """The tokens of one deployment: all programs that share its key accept each other's."""

    def __init__(
        self,
        key: str | bytes,
        *,
        lifetime: timedelta = timedelta(hours=1),
        now: Callable[[], datetime] = _now,
    ) -> None:
        """Take the signing key; raises `ValueError` when it has fewer than 32 bytes."""
        secret = key.encode() if isinstance(key, str) else key
        if len(secret) < SHORTEST_KEY:
            raise ValueError(f"The token key needs at least {SHORTEST_KEY} bytes.")
        self._key = OctKey.import_key(secret)
        self.lifetime = lifetime
        self._now = now
        self._known: dict[str, Claims] = {}

    def issue(self, actor: Actor, *, session_id: str | None = None, second_factor: bool = False) -> str:
        """Give this person a token; it holds for `lifetime`."""
        issued = self._now()
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": actor.id,
            "username": actor.username,
            # To the millisecond: tokens from before a new password are told from those after it.
            "iat": int(issued.timestamp() * 1000) / 1000,
            "exp": int((issued + self.lifetime).timestamp()),
            "jti": str(uuid4()),
        }
        if session_id is not None:
            claims["sid"] = session_id
        if second_factor:
            claims["amr"] = ["pwd", "otp"]
        return jwt.encode({"alg": ALGORITHM}, claims, self._key, algorithms=[ALGORITHM])

    def read(self, token: str) -> Claims:
        """Give what the token says.

        Raises `TokenRefused` when another key or another algorithm (`none` too) signed it, when it was
        altered, lacks a claim, comes from another issuer or has run out; clocks may differ by a minute.
        """
        if len(token) > LONGEST_TOKEN:
            raise TokenRefused("TOKEN_INVALID")
        known = self._known.get(token)
        # One that was read before can only have run out since; its signature is what costs to check.
        if known is not None and known.issued_at <= self._now() <= known.expires_at:
            return known
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            self._rules().validate(claims)
        except ExpiredTokenError:
            raise TokenRefused("TOKEN_EXPIRED") from None
        # Text that is no token at all fails while its parts are decoded.
        except (JoseError, ValueError):
            raise TokenRefused("TOKEN_INVALID") from None
        session_id: Any = claims.get("sid", claims["jti"])
        ways: Any = claims.get("amr", [])
        named = (claims["sub"], claims["username"], claims["jti"], session_id)
        if not all(isinstance(one, str) for one in named) or not isinstance(ways, list):
            raise TokenRefused("TOKEN_INVALID")
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        found = self._known[token] = Claims(
            actor_id=claims["sub"],
            username=claims["username"],
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            token_id=claims["jti"],
            session_id=session_id,
            second_factor="otp" in ways,
        )
        return found

    def _rules(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._now().timestamp()),
            leeway=int(LEEWAY.total_seconds()),
            iss={"essential": True, "value": ISSUER},
            sub={"essential": True},
            username={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
        )
