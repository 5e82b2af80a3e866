"""`shangliang seed` as somebody types it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import build

SHOWN_ONCE = "shown this once"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SHANGLIANG_DATABASE_URL", "SHANGLIANG_DEMO_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHANGLIANG_HOME", str(tmp_path))


def shangliang(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(build(), arguments)
    return ended.exit_code, ended.output


def test_the_street_is_loaded_and_its_password_shown_once(database_url: str) -> None:
    first, loaded = shangliang("seed", "--database-url", database_url)
    second, again = shangliang("seed", "--database-url", database_url)

    assert (first, second) == (0, 0)
    assert SHOWN_ONCE in loaded
    assert SHOWN_ONCE not in again


def test_a_given_password_is_not_shown(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHANGLIANG_DEMO_PASSWORD", "a secret of mine")

    code, output = shangliang("seed", "--database-url", database_url)

    assert code == 0
    assert "a secret of mine" not in output


def test_a_database_without_tables_is_told_to_migrate_first(empty_database_url: str) -> None:
    code, output = shangliang("seed", "--database-url", empty_database_url)

    assert code == 1
    assert "shangliang migrate" in output


def test_without_any_database_it_says_what_to_do() -> None:
    code, output = shangliang("seed")

    assert code == 1
    assert "shangliang up" in output


def test_a_database_that_does_not_answer_ends_with_one_clear_line() -> None:
    code, output = shangliang("seed", "--database-url", "postgresql://nobody:hidden@127.0.0.1:1/x")

    assert code == 1
    assert "does not answer" in output
    assert "hidden" not in output


def test_another_kind_of_database_is_a_misuse() -> None:
    code, _ = shangliang("seed", "--database-url", "mysql://127.0.0.1/x")

    assert code == 2
