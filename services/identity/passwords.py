"""Keep passwords as argon2id hashes, and check them."""

from functools import cached_property

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

# OWASP's least setting for argon2id: 19 MiB, two passes, one lane; about 20 ms. They travel with each hash.
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
# Nobody remembers more, and hashing megabytes is work that a stranger would give us.
LONGEST = 1024


class Passwords:
    """Hash and check passwords; each call computes for some 20 ms, so keep it off the event loop."""

    def __init__(self) -> None:
        hasher = Argon2Hasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._hashes = PasswordHash((hasher,))

    def hash(self, password: str) -> str:
        """Give the argon2id hash of a password, with a salt of its own.

        Raises `ValueError` for a password that is empty, over 1,024 characters or not text.
        """
        if not _is_usable(password):
            raise ValueError("A password has 1 to 1,024 characters.")
        return self._hashes.hash(password)

    def verify(self, password: str, kept: str) -> bool:
        """Say whether this is the password whose hash was kept; a hash of unknown kind fits none."""
        if not _is_usable(password):
            return False
        try:
            return self._hashes.verify(password, kept)
        except PwdlibError:
            return False

    def verify_nobody(self, password: str) -> None:
        """Take as long as `verify`, so that a clock cannot tell an unknown name from a wrong password."""
        self.verify(password, self._decoy)

    @cached_property
    def _decoy(self) -> str:
        return self._hashes.hash("nobody")


def _is_usable(password: str) -> bool:
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(password) <= LONGEST
