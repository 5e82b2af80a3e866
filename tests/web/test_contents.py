"""Uploads: what a file says it is must be true, and a photo tells nothing but its picture."""

import io
import wave
import zipfile

import httpx
import pytest
from openpyxl import Workbook
from PIL import Image

from services.api.contents import Kind, examine
from services.api.errors import TooLarge, UnsupportedMedia
from tests.web.product import TOKENS
from tests.web.twins import PEOPLE, Twin


def picture(form: str, mode: str = "RGB", **more: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (30, 20), 1).save(out, form, **more)
    return out.getvalue()


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(8000)
        written.writeframes(bytes(1600))
    return out.getvalue()


def sheet() -> bytes:
    out = io.BytesIO()
    Workbook().save(out)
    return out.getvalue()


def package(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as written:
        for name in names:
            written.writestr(name, "x")
    return out.getvalue()


MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(100)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n" + b" " * 200
ELF = b"\x7fELF" + bytes(200)
PAGE = b"<!doctype html><script>alert(1)</script>"

GOOD = [
    (Kind.PHOTO, picture("JPEG"), "image/jpeg"),
    (Kind.PHOTO, picture("PNG", "RGBA"), "image/png"),
    (Kind.PHOTO, picture("PNG", "P"), "image/png"),
    (Kind.PHOTO, picture("WEBP"), "image/webp"),
    (Kind.AUDIO, sound(), "audio/wav"),
    (Kind.AUDIO, b"#!AMR\n" + bytes(100), "audio/amr"),
    (Kind.VIDEO, MP4, "video/mp4"),
    (Kind.FILE, PDF, "application/pdf"),
    (Kind.FILE, sheet(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (Kind.FILE, "会议记录：已完成。".encode(), "text/plain"),
    (Kind.FILE, "会议记录：已完成。".encode("gb18030"), "text/plain"),
]
BAD = [
    (Kind.PHOTO, PDF),
    (Kind.PHOTO, picture("GIF", "P")),
    (Kind.PHOTO, picture("JPEG")[:60]),
    (Kind.PHOTO, b"\xff\xd8\xff\xe0" + b"not a picture" * 20),
    (Kind.AUDIO, MP4),
    (Kind.VIDEO, sound()),
    (Kind.VIDEO, ELF),
    (Kind.FILE, ELF),
    (Kind.FILE, PAGE),
    (Kind.FILE, b"#!/bin/sh\nrm -rf /\n"),
    (Kind.FILE, package("anything")),
    (Kind.FILE, package("xl/workbook.xml", "xl/vbaProject.bin")),
    (Kind.FILE, b"PK\x03\x04broken"),
    (Kind.FILE, bytes(range(256)) * 4),
]


@pytest.mark.parametrize(("kind", "body", "media_type"), GOOD)
def test_what_a_file_is_is_found_in_its_content(kind: Kind, body: bytes, media_type: str) -> None:
    content = examine(kind, io.BytesIO(body), len(body))

    assert content.media_type == media_type
    assert len(content.sha256) == 64


@pytest.mark.parametrize(("kind", "body"), BAD)
def test_what_is_something_else_is_refused(kind: Kind, body: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        examine(kind, io.BytesIO(body), len(body))


def test_a_photo_keeps_its_direction_and_loses_everything_else() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "camera of somebody"
    exif.get_ifd(0x8825).update({1: "N", 2: (36.0, 3.0, 0.0)})
    body = picture("JPEG", exif=exif, comment=b"home of somebody")

    content = examine(Kind.PHOTO, io.BytesIO(body), len(body))

    assert isinstance(content.body, bytes)
    assert b"somebody" not in content.body
    with Image.open(io.BytesIO(content.body)) as clean:
        assert dict(clean.getexif()) == {}
        assert clean.size == (20, 30)


def test_texts_inside_a_png_are_dropped() -> None:
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Author", "somebody")
    body = picture("PNG", pnginfo=notes)

    content = examine(Kind.PHOTO, io.BytesIO(body), len(body))

    assert isinstance(content.body, bytes)
    assert b"somebody" not in content.body


def test_a_bomb_of_pixels_is_too_large() -> None:
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")

    with pytest.raises(TooLarge):
        examine(Kind.PHOTO, io.BytesIO(out.getvalue()), len(out.getvalue()))


def test_more_megabytes_than_its_kind_may_have_are_too_large() -> None:
    with pytest.raises(TooLarge):
        examine(Kind.PHOTO, io.BytesIO(b""), 21 * 1024 * 1024)


# --- the route ------------------------------------------------------------------------------------------------


def bearer(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS.issue(PEOPLE[who])}"}


async def test_an_upload_is_kept_and_given_back_to_its_owner_alone(client: httpx.AsyncClient, twin: Twin) -> None:
    files = {"file": ("../../x.exe", picture("JPEG"), "application/x-dosexec")}
    answer = await client.post("/attachments", files=files, data={"kind": "PHOTO"}, headers=bearer("grid1"))

    assert answer.status_code == 201, answer.text
    kept = answer.json()
    assert answer.headers["location"] == f"/api/v1/attachments/{kept['id']}"
    assert ".." not in next(iter(twin.files))
    mine = await client.get(f"/attachments/{kept['id']}", headers=bearer("grid1"))
    others = await client.get(f"/attachments/{kept['id']}", headers=bearer("worker2"))
    assert mine.headers["content-type"] == "image/jpeg"
    assert mine.headers["content-disposition"] == f'attachment; filename="{kept["id"]}.jpg"'
    assert "sandbox" in mine.headers["content-security-policy"]
    assert others.status_code == 404
    assert (await client.get("/attachments/x", headers=bearer("grid1"))).status_code == 404


async def test_a_photo_that_is_sent_again_with_its_key_is_the_same_attachment(client: httpx.AsyncClient) -> None:
    headers = {**bearer("grid1"), "Idempotency-Key": "form-1"}

    async def sent(content: bytes) -> httpx.Response:
        files = {"file": ("photo.jpg", content, "image/jpeg")}
        return await client.post("/attachments", files=files, data={"kind": "PHOTO"}, headers=headers)

    first, again, another = await sent(picture("JPEG")), await sent(picture("JPEG")), await sent(picture("PNG"))

    assert [one.status_code for one in (first, again, another)] == [201, 200, 409]
    assert first.json() == again.json()
    assert another.json()["code"] == "idempotency_conflict"


@pytest.mark.parametrize(
    ("data", "file", "fields"),
    [
        ({}, b"x", {"kind"}),
        ({"kind": "PHOTO"}, None, {"file"}),
        ({"kind": "MUSIC"}, b"x", {"kind"}),
        ({"kind": "PHOTO", "more": "1"}, b"", {"file", "more"}),
    ],
)
async def test_the_parts_of_an_upload_are_checked(
    client: httpx.AsyncClient, data: dict[str, str], file: bytes | None, fields: set[str]
) -> None:
    files = {"file": ("x", file, "image/jpeg")} if file is not None else {"other": ("x", b"x", "image/jpeg")}
    fields = fields if file is not None else {*fields, "other"}

    answer = await client.post("/attachments", files=files, data=data, headers=bearer("grid1"))

    assert answer.status_code == 422, answer.text
    assert {error["field"] for error in answer.json()["errors"]} == fields


async def test_what_is_no_form_or_no_form_at_all(client: httpx.AsyncClient) -> None:
    headers = bearer("grid1")
    text = await client.post("/attachments", content=b"{}", headers={**headers, "Content-Type": "application/json"})
    broken = await client.post(
        "/attachments", content=b"--x--", headers={**headers, "Content-Type": "multipart/form-data"}
    )

    assert text.status_code == 415
    assert broken.status_code in (400, 422)
    assert broken.headers["content-type"] == "application/problem+json"


async def test_an_endless_upload_ends(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.api.attachments.MOST", 100_000)

    async def pieces() -> object:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 10_000

    headers = {**bearer("grid1"), "Content-Type": "multipart/form-data; boundary=b"}
    answer = await client.post("/attachments", content=pieces(), headers=headers)  # type: ignore[arg-type]

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_nobody_uploads_without_a_token(client: httpx.AsyncClient) -> None:
    answer = await client.post("/attachments", files={"file": ("x", b"x")}, data={"kind": "FILE"})

    assert answer.status_code == 401
