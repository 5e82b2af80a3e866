"""Nothing that was made for trying serves people: production refuses invented accounts, weak keys, mighty roles."""

import os
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.commands.production import WORDS, faults
from services.embedded.postgres import READER
from services.identity.passwords import Passwords
from services.settings import PREFIX, Settings, load_settings
from services.storage.demo import seed_demo
from services.storage.fitness import DEMONSTRATION, NO_READER, TOO_MIGHTY, unfit

STRONG = "wG1x0kQvZr8sT3yLp5mNcB7dHfJ2aUeI9oRtY4zXqVw"
OTHER = "nB5tR8eW2qL7xZ3kJ9pM1vC6yH4gF0sDaUiOuTrEwQz"


@pytest.fixture(autouse=True)
def _only_what_a_test_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def given(**more: object) -> Settings:
    fine = {"mode": "production", "demo": False, "token_key": STRONG, "seal_key": OTHER, "database_reader": READER}
    return load_settings(**{**fine, **more})


def test_what_is_complete_may_start() -> None:
    assert faults(given(), given(), own_servers=True) == []
    assert faults(given(), given(), own_servers=False) == []


@pytest.mark.parametrize(
    ("missing", "code"),
    [("token_key", "TOKEN_KEY_MISSING"), ("seal_key", "SEAL_KEY_MISSING"), ("database_reader", "READER_MISSING")],
)
def test_servers_of_ones_own_need_what_all_processes_share(missing: str, code: str) -> None:
    without = load_settings(
        **{
            name: value
            for name, value in {"token_key": STRONG, "seal_key": OTHER, "database_reader": READER}.items()
            if name != missing
        }
    )

    assert faults(without, given() if missing != "database_reader" else without, own_servers=True) == [code]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"demo": True}, "DEMO_STREET"),
        ({"token_key": "x" * 40}, "TOKEN_KEY_WEAK"),
        ({"seal_key": "A" * 43}, "SEAL_KEY_WEAK"),
        ({"token_key": OTHER}, "KEYS_EQUAL"),
        ({"encrypt_payloads": False}, "PAYLOADS_IN_CLEAR"),
    ],
)
def test_what_was_made_for_trying_may_not(more: dict[str, object], code: str) -> None:
    assert faults(given(**more), given(**more), own_servers=False) == [code]


async def test_the_database_is_asked_too(
    database_url: str, application_url: str, owner: AsyncEngine, tmp_path: Path
) -> None:
    fresh = await unfit(application_url, READER)
    mighty = await unfit(database_url, None)
    stranger = await unfit(application_url, "nobody_at_all")
    await seed_demo(owner, "x" * 12, Passwords())
    invented = await unfit(application_url, READER)

    assert fresh == []
    assert mighty == [TOO_MIGHTY]
    assert stranger == [NO_READER]
    assert invented == [DEMONSTRATION]
    assert {*mighty, *stranger, *invented} <= WORDS.keys()


def test_secrets_may_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shangliang_seal_key").write_text(OTHER)
    (tmp_path / "shangliang_token_key").write_text(STRONG)
    monkeypatch.setenv("SHANGLIANG_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("SHANGLIANG_TOKEN_KEY", OTHER)
    found = load_settings()

    assert found.seal_key is not None
    assert found.seal_key.get_secret_value() == OTHER
    assert found.token_key is not None
    assert found.token_key.get_secret_value() == OTHER
