"""Refusals at the door of the product.

Refusal
├── SignInRefused      unauthenticated   name and password do not belong together
│   └── SecondFactorNeeded               they do, and the account asks for a one-time code besides
├── SignInTooOften     too_many          too many wrong passwords, or too many requests, a moment ago
├── TokenRefused       unauthenticated   a token, key or session that is not ours, is altered, given back or has run out
├── ProviderRefused    unauthenticated   the OpenID provider said no, or names somebody whom nobody here knows
├── OutOfScope         forbidden         a machine's key that was not made for this
└── Unfit              guard_failed      a password, code or key that cannot be taken as asked
"""

from datetime import timedelta

from workflows.kernel.process import Refusal


class SignInRefused(Refusal):
    """Name and password do not belong to an active account; which of them is wrong is not said."""

    code = "unauthenticated"

    def __init__(self, reason: str = "BAD_CREDENTIALS") -> None:
        super().__init__(reason)


class SecondFactorNeeded(SignInRefused):
    """Name and password are right; the account has a second factor and no code came with them."""

    def __init__(self) -> None:
        super().__init__("SECOND_FACTOR_NEEDED")


class SignInTooOften(Refusal):
    """Too many wrong passwords for this name (or requests of one caller); welcome again after `retry_after`."""

    code = "too_many"

    def __init__(self, retry_after: timedelta, reason: str = "SIGN_IN_TOO_OFTEN") -> None:
        super().__init__(reason, retry_after=retry_after)
        self.retry_after = retry_after


class TokenRefused(Refusal):
    """What cannot be trusted: TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_REVOKED, SESSION_OVER or KEY_INVALID."""

    code = "unauthenticated"


class ProviderRefused(Refusal):
    """The OpenID provider did not let somebody in (OIDC_REFUSED), or nobody here is linked to him (OIDC_UNKNOWN)."""

    code = "unauthenticated"


class OutOfScope(Refusal):
    """A machine's key that does not open this."""

    code = "forbidden"


class Unfit(Refusal):
    """A password, one-time code or key that cannot be taken as it was asked for."""

    code = "guard_failed"
