"""How values become payloads of the engine: JSON by pydantic, with adapters shared by all runs of a process.

The library's converter keeps its adapters per instance, and every run of a workflow makes an instance of its own:
building them anew took a third of a worker's time. With keys, every payload and the text of every failure is encrypted
besides, so that the engine's servers, backups and pages hold nothing that can be read without them.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass, replace
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf import json_format
from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, pydantic_data_converter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
)

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
NONCE_BYTES = 12


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


class SharedJson(PydanticJSONPlainPayloadConverter):
    """JSON with adapters that are built once per type and process."""

    def to_payload(self, value: Any) -> Payload | None:
        """Write our own values without the fields at their default: histories are kept, and read, for weeks."""
        if not is_dataclass(value) or isinstance(value, type):
            return super().to_payload(value)
        data = _adapter(type(value)).dump_json(value, exclude_defaults=True)
        return Payload(metadata={"encoding": self.encoding.encode()}, data=data)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Build the value that a payload means."""
        return _adapter(type_hint if type_hint is not None else Any).validate_json(payload.data)


_CONVERTERS = tuple(
    SharedJson() if isinstance(one, JSONPlainPayloadConverter) else one
    for one in DefaultPayloadConverter.default_encoding_payload_converters
)


class SharedPayloads(CompositePayloadConverter):
    """The library's converters, with JSON by `SharedJson`; none of them keeps anything of a run."""

    def __init__(self) -> None:
        """Take the converters of the process; each run does so."""
        super().__init__(*_CONVERTERS)


class PayloadUnreadable(Exception):
    """A payload was encrypted with a key that is not here, or changed on its way."""


class Encrypted(PayloadCodec):
    """Encrypts payloads by AES-256-GCM: a nonce for each, the key's id beside it and bound to it.

    `keys` are 32 bytes each by id; the first encrypts, all of them open, and so do those that are found later. What was
    never encrypted is read as it is, so that histories from before there was a key go on.
    """

    def __init__(self, keys: Mapping[str, bytes], find: Callable[[str], bytes | None]) -> None:
        self._find = find
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = next(iter(keys))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt each whole payload, its metadata too."""
        name, cipher = self._current, self._ciphers[self._current]
        bound = name.encode()
        hidden = []
        for payload in payloads:
            nonce = os.urandom(NONCE_BYTES)
            data = nonce + cipher.encrypt(nonce, payload.SerializeToString(), bound)
            hidden.append(Payload(metadata={"encoding": ENCODING, KEY_ID: bound}, data=data))
        return hidden

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open each; raises `PayloadUnreadable`."""
        return [self._open(payload) if is_encrypted(payload) else payload for payload in payloads]

    def _open(self, payload: Payload) -> Payload:
        bound = payload.metadata.get(KEY_ID, b"")
        name = bound.decode(errors="replace")
        cipher = self._ciphers.get(name)
        if cipher is None and (key := self._find(name)) is not None:
            cipher = self._ciphers[name] = AESGCM(key)
        if cipher is None:
            raise PayloadUnreadable("encrypted with a key that is not here")
        data = payload.data
        try:
            clear = cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], bound)
        except (InvalidTag, ValueError) as broken:
            raise PayloadUnreadable("changed on its way") from broken
        return Payload.FromString(clear)


def is_encrypted(payload: Payload) -> bool:
    """Say whether a payload has to be opened before it can be read.

    What says that it is encrypted and names no key was not written by us and will never open: left as it is, it is
    refused as one command that nobody can read, and the case goes on.
    """
    return payload.metadata.get("encoding") == ENCODING and KEY_ID in payload.metadata


DATA_CONVERTER = replace(pydantic_data_converter, payload_converter_class=SharedPayloads)
"""Writes and reads payloads that are not encrypted: for tests, and for looking at what the engine really holds."""


def data_converter(keys: Mapping[str, bytes], find: Callable[[str], bytes | None] = lambda name: None) -> DataConverter:
    """Give what every client, worker and replayer of one deployment uses; without keys nothing is encrypted.

    `find` looks for a key that was made since.
    """
    if not keys:
        return DATA_CONVERTER
    return replace(
        DATA_CONVERTER,
        payload_codec=Encrypted(keys, find),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def opened_json(converter: DataConverter, body: bytes) -> bytes | None:
    """Open payloads as the engine's own pages send them, JSON to JSON; None when they are none, or cannot be opened."""
    try:
        asked = json_format.Parse(body, Payloads())
        codec = converter.payload_codec
        clear = Payloads(payloads=await codec.decode(asked.payloads)) if codec else asked
    except (json_format.ParseError, PayloadUnreadable):
        return None
    return json_format.MessageToJson(clear, indent=None).encode()
