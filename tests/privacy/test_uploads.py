"""What is uploaded cannot swell, lead out of its folder, or be run by a browser."""

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.contents import MOST_PARTS, Kind, examine, parts_of
from services.api.errors import Declined, TooLarge, UnsupportedMedia

SHEET = "xl/workbook.xml"


def package(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in parts.items():
            made.writestr(name, body)
    return out.getvalue()


def told(body: bytes, *, parts: int | None = None, table: int | None = None) -> bytes:
    """The same package with another number of parts, or another length of its table, in its last record."""
    place = body.rfind(b"PK\x05\x06")
    changed = bytearray(body)
    if parts is not None:
        struct.pack_into("<H", changed, place + 10, parts)
    if table is not None:
        struct.pack_into("<L", changed, place + 12, table)
    return bytes(changed)


def test_a_document_that_swells_is_too_large() -> None:
    bomb = package({SHEET: b"x", "xl/a.xml": bytes(300 * 1024 * 1024)})

    assert len(bomb) < 1024 * 1024
    with pytest.raises(TooLarge):
        examine(Kind.FILE, io.BytesIO(bomb), len(bomb))


def test_an_ordinary_document_is_none() -> None:
    body = package({SHEET: b"x", "xl/a.xml": b"<row>1</row>" * 50_000})

    assert examine(Kind.FILE, io.BytesIO(body), len(body)).media_type.endswith("spreadsheetml.sheet")


@pytest.mark.parametrize("more", [{"parts": MOST_PARTS + 1}, {"parts": 0xFFFF}, {"table": 1 << 30}])
def test_a_table_of_contents_without_end_is_not_read(more: dict[str, int]) -> None:
    body = told(package({SHEET: b"x"}), **more)

    with pytest.raises(TooLarge):
        parts_of(io.BytesIO(body))


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../b", "..\\x", "C:\\x", "xl/../../../x"])
def test_a_part_that_leads_out_is_refused(name: str) -> None:
    body = package({SHEET: b"x", name: b"x"})

    with pytest.raises(UnsupportedMedia):
        examine(Kind.FILE, io.BytesIO(body), len(body))


@given(st.binary(max_size=300), st.sampled_from(list(Kind)))
def test_whatever_comes_is_taken_or_declined(body: bytes, kind: Kind) -> None:
    for content in (body, b"PK\x03\x04" + body, b"\x89PNG\r\n\x1a\n" + body, b"PK\x05\x06" + body):
        try:
            examine(kind, io.BytesIO(content), len(content))
        except Declined:
            continue
