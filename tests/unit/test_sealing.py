"""What people wrote travels sealed: readable with its key, for its case, unchanged, and in no other way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.storage.sealing import Seal, SealBroken

OLD, NEW = b"o" * 32, b"n" * 32
CASE = "01960000-0000-7000-8000-000000000001"

words = st.dictionaries(
    st.from_regex(r"text:[0-9a-f]{16}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-1000, 1000) | st.none(),
    min_size=1,
)


@given(words)
def test_what_is_sealed_is_opened_unchanged(texts: dict[str, object]) -> None:
    seal = Seal({"k1": NEW}, "k1")

    assert seal.unseal(seal.seal({"texts": texts}, CASE), CASE) == {"texts": texts}


def test_the_sealed_text_shows_nothing_and_never_looks_the_same_twice() -> None:
    seal = Seal({"k1": NEW}, "k1")
    values = {"contacts": {"contact:0000000000000000": {"name": "王小明", "phone": "13900001111"}}}

    first, second = seal.seal(values, CASE), seal.seal(values, CASE)

    assert first != second
    assert first.startswith("k1.")
    assert "13900001111" not in first
    assert "王小明" not in first


def test_nothing_to_seal_is_nothing_sealed() -> None:
    seal = Seal({"k1": NEW}, "k1")

    assert seal.seal({"texts": {}, "contacts": {}}, CASE) == ""
    assert seal.unseal("", CASE) == {}


def test_a_new_key_seals_while_the_old_one_still_opens() -> None:
    before = Seal({"k1": OLD}, "k1").seal({"texts": {"a": 1}}, CASE)
    rotated = Seal({"k1": OLD, "k2": NEW}, "k2")

    assert rotated.unseal(before, CASE) == {"texts": {"a": 1}}
    assert rotated.seal({"texts": {"a": 1}}, CASE).startswith("k2.")


def test_another_case_another_key_or_any_change_breaks_the_seal() -> None:
    seal = Seal({"k1": NEW}, "k1")
    sealed = seal.seal({"texts": {"a": "hello"}}, CASE)
    changed = [
        sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :] for at in range(3, len(sealed) - 2, 7)
    ]

    with pytest.raises(SealBroken):
        seal.unseal(sealed, CASE.replace("1", "2"))
    with pytest.raises(SealBroken):
        Seal({"k1": OLD}, "k1").unseal(sealed, CASE)
    with pytest.raises(SealBroken, match="k1"):
        Seal({"k2": NEW}, "k2").unseal(sealed, CASE)
    for one in (*changed, "k1.", "k1.x", "k1", "k1.💧", sealed[:-8], ".abc"):
        with pytest.raises(SealBroken):
            seal.unseal(one, CASE)


@pytest.mark.parametrize(
    ("keys", "current"), [({}, "k1"), ({"k1": b"short"}, "k1"), ({"": NEW}, ""), ({"k.1": NEW}, "k.1")]
)
def test_keys_that_cannot_serve_are_refused(keys: dict[str, bytes], current: str) -> None:
    with pytest.raises(ValueError):
        Seal(keys, current)
