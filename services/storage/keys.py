"""Keys for each purpose from the one secret that an operator keeps (密钥): who learns one of them learns no other.

On one machine the secret lies in two files of the home: `seal_key` is in use, those in `retired_seal_keys` only open
what was sealed before. A running process that meets a key that it does not know looks there again, so that keys change
while everything runs.
"""

import base64
import binascii
import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
PAYLOADS, FIELDS, AUDIT = "payloads", "fields", "audit"
CURRENT, RETIRED = "seal_key", "retired_seal_keys"

Find = Callable[[str], bytes | None]
"""Gives the key of an id that was not there at the start; None when there is none."""


def key_id(key: bytes) -> str:
    """The id of a key, which follows from it: programs that share keys agree on it without another setting."""
    return hashlib.sha256(key).hexdigest()[:8]


def unpacked(text: str) -> bytes:
    """The bytes of a key as it is written, base64 of either alphabet; empty when it is none."""
    padded = text.strip() + "=" * (-len(text.strip()) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except binascii.Error:
        return b""


def derived(keys: Mapping[str, bytes], purpose: str) -> dict[str, bytes]:
    """Give 32 bytes for a purpose from each seal key, under the same ids and in the same order."""
    return {name: _derived(key, purpose) for name, key in keys.items()}


@cache
def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"shangliang {purpose}".encode()).derive(key)


def kept_in(folder: Path) -> tuple[str, ...]:
    """The keys of a home as they are written, the one in use first; empty when none were made there."""
    texts = []
    for name in (CURRENT, RETIRED):
        with contextlib.suppress(FileNotFoundError):
            texts += [part.strip() for part in (folder / name).read_text().split(",") if part.strip()]
    return tuple(dict.fromkeys(texts))


def found_in(folder: Path, purpose: str) -> Find:
    """Look for keys that were made after this process started."""

    def find(name: str) -> bytes | None:
        for key in map(unpacked, kept_in(folder)):
            if len(key) == KEY_BYTES and key_id(key) == name:
                return _derived(key, purpose) if purpose else key
        return None

    return find


def renew(folder: Path) -> str:
    """Make a new key, put it in use and keep the earlier ones for opening; gives its id.

    Killed in between, no key is lost: the earlier ones are written down as retired first.
    """
    earlier = kept_in(folder)
    new = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode().rstrip("=")
    _write(folder / RETIRED, ",".join(earlier))
    _write(folder / CURRENT, new)
    return key_id(unpacked(new))


def drop(folder: Path, name: str) -> bool:
    """Forget a retired key; False when there is none of this id, or it is the one in use."""
    first, *rest = kept_in(folder)
    left = [text for text in rest if key_id(unpacked(text)) != name]
    if len(left) == len(rest) or key_id(unpacked(first)) == name:
        return False
    _write(folder / RETIRED, ",".join(left))
    return True


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
