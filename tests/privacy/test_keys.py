"""Keys change while everything runs, and no key is lost on the way."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.payloads import PayloadUnreadable, data_converter
from services.commands.connected import with_keys
from services.identity.passwords import Passwords
from services.identity.second_factor import SecondFactors
from services.settings import load_settings
from services.storage.demo import seed_demo
from services.storage.factors import factors_in_use, rotate_factors
from services.storage.keys import FIELDS, PAYLOADS, derived, drop, found_in, kept_in, key_id, renew, unpacked
from services.storage.sealing import Seal, SealBroken

CASE = "01960000-0000-7000-8000-000000000001"


def keys_of(folder: Path) -> dict[str, bytes]:
    return {key_id(unpacked(text)): unpacked(text) for text in kept_in(folder)}


async def test_a_running_process_reads_what_one_with_a_new_key_writes(tmp_path: Path) -> None:
    first = renew(tmp_path)
    running = Seal(keys_of(tmp_path), first, found_in(tmp_path, ""))
    engine = data_converter(derived(keys_of(tmp_path), PAYLOADS), found_in(tmp_path, PAYLOADS))

    second = renew(tmp_path)
    started = Seal(keys_of(tmp_path), second, found_in(tmp_path, ""))
    written = await data_converter(derived(keys_of(tmp_path), PAYLOADS)).encode(["新"])

    assert first != second
    assert list(keys_of(tmp_path)) == [second, first]
    assert running.unseal(started.seal({"texts": {"a": 1}}, CASE), CASE) == {"texts": {"a": 1}}
    assert running.open(started.close("13800001234", "contact:1"), "contact:1") == "13800001234"
    assert started.open(running.close("13800001234", "contact:1"), "contact:1") == "13800001234"
    assert await engine.decode(written, [str]) == ["新"]


async def test_a_key_that_is_nowhere_opens_nothing(tmp_path: Path) -> None:
    name = renew(tmp_path)
    here = Seal(keys_of(tmp_path), name, found_in(tmp_path, ""))
    elsewhere = Seal({"other": b"x" * 32}, "other")

    with pytest.raises(SealBroken):
        here.open(elsewhere.close("1", "contact:1"), "contact:1")
    with pytest.raises(SealBroken):
        here.open(here.close("1", "contact:1"), "contact:2")
    [hidden] = await data_converter({"other": b"x" * 32}).encode(["x"])
    engine = data_converter(derived(keys_of(tmp_path), PAYLOADS), found_in(tmp_path, PAYLOADS))
    with pytest.raises(PayloadUnreadable):
        await engine.decode([hidden])


def test_the_key_in_use_cannot_be_dropped_and_a_retired_one_can(tmp_path: Path) -> None:
    first, second = renew(tmp_path), renew(tmp_path)

    assert not drop(tmp_path, second)
    assert not drop(tmp_path, "00000000")
    assert drop(tmp_path, first)
    assert list(keys_of(tmp_path)) == [second]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_settings_take_the_keys_of_the_home_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHANGLIANG_SEAL_KEY", raising=False)
    settings = load_settings(home=tmp_path)
    made = with_keys(settings)
    second = renew(settings.secrets)
    later = with_keys(load_settings(home=tmp_path))

    assert list(later.seal_keys) == [second, *made.seal_keys]
    assert later.keys_for(FIELDS) == derived(later.seal_keys, FIELDS)


def test_keys_of_the_environment_come_before_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = base64.b64encode(b"e" * 32).decode()
    monkeypatch.setenv("SHANGLIANG_SEAL_KEY", given)
    settings = load_settings(home=tmp_path)

    assert list(with_keys(settings).seal_keys.values()) == [b"e" * 32]


async def test_second_factors_are_sealed_anew(owner: AsyncEngine) -> None:
    """The same name as where they are made (services/identity/second_factor.py), so that they still open there."""
    old, both = Seal({"k1": b"k" * 32}, "k1"), Seal({"k2": b"n" * 32, "k1": b"k" * 32}, "k2")
    await seed_demo(owner, "x" * 12, Passwords())
    factors = SecondFactors(owner, old, lambda: datetime.now(UTC))
    async with owner.begin() as connection:
        account = (await connection.execute(text("SELECT id FROM account WHERE username = 'supervisor'"))).scalar_one()
    begun = await factors.begin(account, "supervisor", "supervisor")
    async with owner.begin() as connection:
        before = await factors_in_use(connection)
        moved = await rotate_factors(connection, both)
        after = await factors_in_use(connection)
        kept = (await connection.execute(text("SELECT sealed_secret FROM second_factor"))).scalar_one()

    assert (before, moved, after) == ({"k1": 1}, 1, {"k2": 1})
    assert both.unseal(kept, f"second-factor/{account}")["totp"] == begun["secret"]
