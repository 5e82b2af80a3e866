"""Passwords are kept as argon2id hashes and nothing strange gets through."""

import pytest

from services.identity.passwords import LONGEST, Passwords

passwords = Passwords()


def test_a_password_fits_its_own_hash_and_no_other() -> None:
    kept = passwords.hash("柳荫 2026!")

    assert passwords.verify("柳荫 2026!", kept)
    assert not passwords.verify("柳荫 2026", kept)


def test_the_hash_is_argon2id_with_the_least_setting_of_owasp() -> None:
    assert passwords.hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_same_password_has_another_hash_each_time() -> None:
    assert passwords.hash("same") != passwords.hash("same")


@pytest.mark.parametrize("password", ["", "x" * (LONGEST + 1), "\ud800"])
def test_what_is_no_password_is_neither_kept_nor_accepted(password: str) -> None:
    with pytest.raises(ValueError, match="1 to 1,024"):
        passwords.hash(password)

    assert not passwords.verify(password, passwords.hash("other"))


@pytest.mark.parametrize("kept", ["", "plain", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=1,t=1,p=1$broken"])
def test_a_hash_of_unknown_kind_fits_no_password(kept: str) -> None:
    assert not passwords.verify("plain", kept)
