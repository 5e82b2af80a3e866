"""What the engine keeps is unreadable without a key, and readable with any key that was ever used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from activities.payloads import DATA_CONVERTER, PayloadUnreadable, data_converter, is_encrypted
from services.settings import load_settings
from services.storage.keys import AUDIT, FIELDS, PAYLOADS, derived

OLD, NEW = b"o" * 32, b"n" * 32
words = st.text(min_size=8)


@given(words)
async def test_an_encrypted_payload_shows_nothing_and_comes_back(text: str) -> None:
    converter = data_converter({"new": NEW})

    [hidden] = await converter.encode([text])

    assert is_encrypted(hidden)
    assert text.encode() not in hidden.SerializeToString()
    assert await converter.decode([hidden], [str]) == [text]


async def test_old_keys_and_plain_payloads_are_still_read() -> None:
    today = data_converter({"new": NEW, "old": OLD})
    [before] = await data_converter({"old": OLD}).encode(["从前"])
    [plain] = await DATA_CONVERTER.encode(["更早"])

    assert await today.decode([before, plain], [str, str]) == ["从前", "更早"]


async def test_another_key_or_a_changed_byte_is_refused() -> None:
    [hidden] = await data_converter({"new": NEW}).encode(["密"])
    changed = Payload(metadata=dict(hidden.metadata), data=hidden.data[:-1] + bytes([hidden.data[-1] ^ 1]))
    renamed = Payload(metadata={**hidden.metadata, "encryption-key-id": b"old"}, data=hidden.data)
    converter = data_converter({"new": NEW, "old": NEW})

    with pytest.raises(PayloadUnreadable):
        await data_converter({"old": OLD}).decode([hidden])
    with pytest.raises(PayloadUnreadable):
        await converter.decode([changed])
    # The id is bound to what it names: the same key under another id opens nothing.
    with pytest.raises(PayloadUnreadable):
        await converter.decode([renamed])


async def test_the_text_of_a_failure_is_hidden_too() -> None:
    converter = data_converter({"new": NEW})
    failure = Failure()

    await converter.encode_failure(ApplicationError("王小明不在家", {"phone": "13900001111"}, type="X"), failure)

    assert "王小明" not in str(failure)
    assert b"13900001111" not in failure.SerializeToString()
    assert str(await converter.decode_failure(failure)) == "X: 王小明不在家"


def test_each_purpose_has_a_key_of_its_own_under_the_same_ids() -> None:
    made = [derived({"a": OLD, "b": NEW}, purpose) for purpose in (PAYLOADS, FIELDS, AUDIT)]

    assert all(list(one) == ["a", "b"] for one in made)
    assert len({key for one in made for key in one.values()} | {OLD, NEW}) == 8


def test_encryption_can_be_held_back_for_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHANGLIANG_SEAL_KEY", "A" * 43)

    assert load_settings().keys_for(PAYLOADS)
    assert load_settings(encrypt_payloads=False).keys_for(PAYLOADS) == {}
    assert load_settings(encrypt_payloads=False).keys_for(FIELDS)
