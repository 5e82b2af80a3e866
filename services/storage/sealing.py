"""Seal what people wrote while it travels through the engine: readable by nobody there, tied to its case.

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

NONCE_BYTES = 12
KEY_BYTES = 32


class SealBroken(Exception):
    """A sealed text cannot be opened: another key, another case, or changed on its way."""


class Seal:
    """Seals and opens the clear values of a command (封存): `{"texts": {ref: value}, "contacts": {ref: {…}}}`.

    `keys` are 32 bytes each by id; `current` seals, all of them open. Raises `ValueError` for keys that cannot serve.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        if current not in keys:
            raise ValueError(f"no key {current!r}")
        for name, key in keys.items():
            if not name or "." in name:
                raise ValueError(f"a key's id has at least one letter and no dot: {name!r}")
            if len(key) != KEY_BYTES:
                raise ValueError(f"key {name!r} must have {KEY_BYTES} bytes")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = current

    def seal(self, values: Mapping[str, Any], case_id: str) -> str:
        """Seal values for one case; empty values need no seal and give an empty text."""
        if not any(values.values()):
            return ""
        nonce = os.urandom(NONCE_BYTES)
        hidden = self._ciphers[self._current].encrypt(nonce, to_json(dict(values)), case_id.encode())
        return f"{self._current}.{base64.urlsafe_b64encode(nonce + hidden).decode()}"

    def unseal(self, sealed: str, case_id: str) -> dict[str, Any]:
        """Open what `seal` made for the same case; raises `SealBroken`."""
        if not sealed:
            return {}
        name, _, body = sealed.partition(".")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise SealBroken(f"sealed with a key that is not here: {name}")
        try:
            raw = base64.b64decode(body, altchars=b"-_", validate=True)
            clear = cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], case_id.encode())
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise SealBroken("sealed for another case, or changed on its way") from error
        opened: dict[str, Any] = from_json(clear)
        return opened
