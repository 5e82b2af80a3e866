"""Refusals at the door of the product.

Refusal
├── SignInRefused      unauthenticated   name and password do not belong together
├── SignInTooOften     too_many          too many wrong passwords a moment ago
└── TokenRefused       unauthenticated   a token that is not ours, is altered or has run out
"""

from datetime import timedelta

from workflows.kernel.process import Refusal


class SignInRefused(Refusal):
    """Name and password do not belong to an active account; which of them is wrong is not said."""

    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("BAD_CREDENTIALS")


class SignInTooOften(Refusal):
    """Too many wrong passwords for this name; asking again after `retry_after` is welcome."""

    code = "too_many"

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("SIGN_IN_TOO_OFTEN", retry_after=retry_after)
        self.retry_after = retry_after


class TokenRefused(Refusal):
    """A token that cannot be trusted; `reason` is TOKEN_EXPIRED or TOKEN_INVALID."""

    code = "unauthenticated"
