"""What the environment decides, and what it may not."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.settings import PREFIX, SettingsInvalid, load_settings

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
OLD_KEY = "A" * 43


@pytest.fixture(autouse=True)
def _only_what_a_test_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def test_nothing_need_be_set() -> None:
    settings = load_settings()

    assert (settings.host, settings.port, settings.policy) == ("127.0.0.1", 8000, "lanzhou_2021")
    assert settings.home == Path(__file__).parents[2] / ".shangliang"
    assert settings.store_url == (settings.home / "attachments").as_uri()
    assert settings.seal_keys == {}


def test_variables_decide_and_the_command_line_decides_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHANGLIANG_PORT", "8080")
    monkeypatch.setenv("SHANGLIANG_POLICY", "drill")

    assert (load_settings().port, load_settings().policy) == (8080, "drill")
    assert load_settings(port=9000, policy=None).port == 9000
    assert load_settings(port=9000, policy=None).policy == "drill"


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHANGLIANG_DATABASE_URL", "")

    assert load_settings().database_url is None


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings()

    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]  # that it fails is the point


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHANGLIANG_DATABASE_URL", "postgres://us:hush-hush@db/shangliang")
    monkeypatch.setenv("SHANGLIANG_SEAL_KEY", KEY)

    settings = load_settings()

    assert "hush-hush" not in repr(settings)
    assert KEY not in repr(settings)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://us:hush-hush@db/shangliang"


def test_the_present_seal_key_stands_before_the_retired_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHANGLIANG_SEAL_KEY", KEY)
    monkeypatch.setenv("SHANGLIANG_RETIRED_SEAL_KEYS", f"{OLD_KEY}, ")

    keys = load_settings().seal_keys

    assert list(keys.values()) == [bytes(range(32)), bytes(32)]
    assert all(len(name) == 8 for name in keys)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "0"),
        ("PORT", "eight"),
        ("DATABASE_URL", "mysql://db"),
        ("TEMPORAL_ADDRESS", "temporal"),
        ("SEAL_KEY", "c2hvcnQ"),
        ("SEAL_KEY", "not base64 at all, is it?"),
        ("RETIRED_SEAL_KEYS", f"{OLD_KEY},short"),
        ("TOKEN_KEY", "short"),
        ("LOG_LEVEL", "LOUD"),
        ("REQUEST_TIMEOUT", "0"),
        ("GRACE", "-1"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"{PREFIX}{variable}", value)

    with pytest.raises(SettingsInvalid) as refused:
        load_settings()

    [problem] = refused.value.problems
    assert problem.startswith(f"{PREFIX}{variable}")
    # It may be a password.
    assert len(value) < 5 or value not in problem
