"""Seal what people wrote: while it travels through the engine, and for good where it says who and how to reach him.

AES-256-GCM; the id of the key stands in front, so that keys can be changed while sealed texts are under way.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json, to_json

from services.storage.keys import FIELDS, Find, derived

CLOSED = "enc:"
NONCE_BYTES = 12
KEY_BYTES = 32


class SealBroken(Exception):
    """A sealed text cannot be opened: another key, another case, or changed on its way."""


class Seal:
    """Seals and opens the clear values of a command (封存): `{"texts": {ref: value}, "contacts": {ref: {…}}}`.

    `keys` are 32 bytes each by id; `current` seals, all of them open, and so do those that `find` knows. Raises
    `ValueError` for keys that cannot serve.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str, find: Find = lambda name: None) -> None:
        if current not in keys:
            raise ValueError(f"no key {current!r}")
        for name, key in keys.items():
            if not name or "." in name:
                raise ValueError(f"a key's id has at least one letter and no dot: {name!r}")
            if len(key) != KEY_BYTES:
                raise ValueError(f"key {name!r} must have {KEY_BYTES} bytes")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._fields = {name: AESGCM(key) for name, key in derived(keys, FIELDS).items()}
        self._current = current
        self._find = find

    @property
    def current(self) -> str:
        """The id of the key that seals now."""
        return self._current

    def close(self, text: str, about: str) -> str:
        """Encrypt one field for good (字段加密); `about` says what it belongs to and must be the same to open it."""
        return CLOSED + self._hidden(self._fields[self._current], text.encode(), about)

    def open(self, kept: str, about: str) -> str:
        """Read a field; one from before there was encryption is read as it is. Raises `SealBroken`."""
        if not kept.startswith(CLOSED):
            return kept
        return self._shown(self._fields, FIELDS, kept.removeprefix(CLOSED), about).decode()

    def seal(self, values: Mapping[str, Any], case_id: str) -> str:
        """Seal values for one case; empty values need no seal and give an empty text."""
        if not any(values.values()):
            return ""
        return self._hidden(self._ciphers[self._current], to_json(dict(values)), case_id)

    def unseal(self, sealed: str, case_id: str) -> dict[str, Any]:
        """Open what `seal` made for the same case; raises `SealBroken`."""
        if not sealed:
            return {}
        opened: dict[str, Any] = from_json(self._shown(self._ciphers, "", sealed, case_id))
        return opened

    def _hidden(self, cipher: AESGCM, clear: bytes, about: str) -> str:
        nonce = os.urandom(NONCE_BYTES)
        hidden = cipher.encrypt(nonce, clear, about.encode())
        return f"{self._current}.{base64.urlsafe_b64encode(nonce + hidden).decode()}"

    def _shown(self, ciphers: dict[str, AESGCM], purpose: str, sealed: str, about: str) -> bytes:
        name, _, body = sealed.partition(".")
        cipher = ciphers.get(name)
        if cipher is None and (key := self._find(name)) is not None:
            cipher = ciphers[name] = AESGCM(derived({name: key}, purpose)[name] if purpose else key)
        if cipher is None:
            raise SealBroken(f"sealed with a key that is not here: {name}")
        try:
            raw = base64.b64decode(body, altchars=b"-_", validate=True)
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], about.encode())
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise SealBroken("sealed for another case, or changed on its way") from error


def closed_with(kept: str) -> str | None:
    """The id of the key that a field is encrypted with; None for one in clear."""
    return kept.removeprefix(CLOSED).partition(".")[0] if kept.startswith(CLOSED) else None
