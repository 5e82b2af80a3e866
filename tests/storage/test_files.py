"""Bytes of attachments in a folder: whole, by key, and honest when the folder is not to be had."""

from pathlib import Path

import pytest

from services.storage.files import Files, StoreAway


async def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    files = Files((tmp_path / "deep" / "with space").as_uri())

    await files.keep("2026/03/a", b"x" * 600_000)
    pieces = [piece async for piece in await files.read("2026/03/a")]

    assert b"".join(pieces) == b"x" * 600_000
    assert len(pieces) > 1


async def test_a_file_is_kept_from_an_open_one(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"abc")

    with source.open("rb") as opened:
        await Files((tmp_path / "store").as_uri()).keep("b", opened)

    assert (tmp_path / "store" / "b").read_bytes() == b"abc"


async def test_what_was_never_kept_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await Files(tmp_path.as_uri()).read("nothing")


@pytest.mark.parametrize("url", ["file:///proc/nowhere/store", "gopher://store/x"])
async def test_a_store_that_is_not_there_says_so(url: str) -> None:
    with pytest.raises(StoreAway):
        await Files(url).keep("a", b"x")
