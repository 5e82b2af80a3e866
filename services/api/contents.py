"""Look into an uploaded file: is it what it says it is, and does it tell where it was taken?"""

import codecs
import hashlib
import io
import struct
import warnings
import zipfile
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

import puremagic
from PIL import Image, ImageOps, UnidentifiedImageError

from services.api.errors import TooLarge, UnsupportedMedia

MEGABYTE = 1024 * 1024
HEAD = 4096
MOST_PIXELS = 50_000_000
JPEG_QUALITY = 90
# A package of more parts or of a longer table of contents is no document; nor is one that unpacks to a hundredfold.
MOST_PARTS = 10_000
MOST_TABLE = 4 * MEGABYTE
MOST_UNPACKED = 500 * MEGABYTE
MOST_RATIO = 150
END_OF_PACKAGE = b"PK\x05\x06"
END_SIZE = 22
END_WITHIN = 65536 + END_SIZE


class Kind(StrEnum):
    """What an attachment is (附件类型)."""

    PHOTO = "PHOTO"
    AUDIO = "AUDIO"
    VIDEO = "VIDEO"
    FILE = "FILE"


LIMITS = {Kind.PHOTO: 20, Kind.AUDIO: 50, Kind.VIDEO: 200, Kind.FILE: 50}
"""Most megabytes of each kind."""

PHOTOS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
# Pictures of two views come in by the reader of JPEG, too.
READERS = ("JPEG", "PNG", "WEBP")
ENDINGS = {
    Kind.AUDIO: {
        ".mp3": "audio/mpeg",
        ".m4a": "audio/mp4",
        ".f4a": "audio/mp4",
        ".aac": "audio/aac",
        ".wav": "audio/wav",
        ".amr": "audio/amr",
        ".ogg": "audio/ogg",
        ".oga": "audio/ogg",
        ".opus": "audio/ogg",
    },
    Kind.VIDEO: {
        ".mp4": "video/mp4",
        ".m4v": "video/mp4",
        ".mov": "video/quicktime",
        ".3gp": "video/3gpp",
        ".webm": "video/webm",
    },
    Kind.FILE: {".pdf": "application/pdf"},
}
# What stands in a package of each office format; one with macros is none of them.
PACKAGES = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "OFD.xml": "application/ofd",
}


@dataclass(frozen=True, slots=True)
class Content:
    """A file that may be kept: what it is, how long, its SHA-256, and its bytes, for photos without traces."""

    media_type: str
    size: int
    sha256: str
    body: bytes | IO[bytes]


def examine(kind: Kind, file: IO[bytes], size: int) -> Content:
    """Check a file against its kind; raises `TooLarge` or `UnsupportedMedia`. Computes: keep it off the loop."""
    if size > LIMITS[kind] * MEGABYTE:
        raise TooLarge(limit=f"{LIMITS[kind]} MB")
    if kind is Kind.PHOTO:
        media_type, body = _photo(file.read())
        return Content(media_type, len(body), hashlib.sha256(body).hexdigest(), body)
    media_type = _sniffed(kind, file, size)
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any binary file will do
    file.seek(0)
    return Content(media_type, size, digest, file)


def _photo(raw: bytes) -> tuple[str, bytes]:
    """Write a photo anew, turned the right way up, with nothing in it but the picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=READERS) as checked:
                checked.verify()
            with Image.open(io.BytesIO(raw), formats=READERS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise TooLarge(limit=f"{MOST_PIXELS // 1_000_000} Mpx")
                return _written_anew(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLarge(limit=f"{MOST_PIXELS // 1_000_000} Mpx") from None
    # Pillow's readers answer a broken file with any of these.
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, IndexError, KeyError):
        raise UnsupportedMedia from None


def _written_anew(picture: Image.Image) -> tuple[str, bytes]:
    media_type = PHOTOS[str(picture.format)]
    upright = ImageOps.exif_transpose(picture)
    clean = upright.copy()
    colours = clean.info.get("icc_profile")
    clean.info = {}
    form = media_type.removeprefix("image/").upper()
    if form == "JPEG" and clean.mode not in ("L", "RGB", "CMYK"):
        clean = clean.convert("RGB")
    out = io.BytesIO()
    options = {} if form == "PNG" else {"quality": JPEG_QUALITY}
    clean.save(out, form, icc_profile=colours, **options)
    return media_type, out.getvalue()


def _sniffed(kind: Kind, file: IO[bytes], size: int) -> str:
    head = file.read(HEAD)
    try:
        endings = [match.extension for match in puremagic.magic_string(head)]
    except (puremagic.PureError, ValueError):
        endings = []
    for ending in endings:
        if ending in ENDINGS[kind]:
            return ENDINGS[kind][ending]
    if kind is Kind.FILE:
        if head.startswith(b"PK\x03\x04"):
            return _package(file)
        if not endings or _is_text(head):
            return _text(head)
    raise UnsupportedMedia


def _package(file: IO[bytes]) -> str:
    names = parts_of(file)
    if not any(name.lower().endswith("vbaproject.bin") for name in names):
        for name, media_type in PACKAGES.items():
            if name in names:
                return media_type
    raise UnsupportedMedia


def parts_of(file: IO[bytes]) -> set[str]:
    """Names of the parts of a package (office document) that may safely be unpacked.

    Raises `TooLarge` for one that unpacks to far more than it is, `UnsupportedMedia` for what is none or leads out of
    the folder that it is unpacked into.
    """
    _require_few_parts(file)
    try:
        with zipfile.ZipFile(file) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise UnsupportedMedia from None
    packed, unpacked = (sum(getattr(part, size) for part in parts) for size in ("compress_size", "file_size"))
    if unpacked > MOST_UNPACKED or (unpacked > MEGABYTE and unpacked > MOST_RATIO * max(packed, 1)):
        raise TooLarge(limit=f"{MOST_UNPACKED // MEGABYTE} MB")
    names = {part.filename for part in parts}
    if any(_leads_out(name) for name in names):
        raise UnsupportedMedia
    file.seek(0)
    return names


def _require_few_parts(file: IO[bytes]) -> None:
    """Refuse a package with more parts than any document has, before its table of contents is read into memory."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - END_WITHIN))
    tail = file.read()
    place = tail.rfind(END_OF_PACKAGE)
    if place < 0 or len(tail) - place < END_SIZE:
        raise UnsupportedMedia
    parts, table = struct.unpack_from("<HL", tail, place + 10)
    # 0xFFFF says that the true number stands elsewhere: no document needs that many.
    if parts > MOST_PARTS or table > MOST_TABLE:
        raise TooLarge(limit=f"{MOST_PARTS} parts")
    file.seek(0)


def _leads_out(name: str) -> bool:
    """Whether unpacking a part by its name would write outside the folder that it is unpacked into."""
    return name.startswith(("/", "\\")) or ":" in name or ".." in name.replace("\\", "/").split("/")


def _is_text(head: bytes) -> bool:
    return not set(head) & (set(range(32)) - {9, 10, 12, 13})


def _text(head: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            # The last character of a longer text may be cut in two.
            codecs.getincrementaldecoder(encoding)().decode(head, final=len(head) < HEAD)
        except UnicodeDecodeError:
            continue
        if _is_text(head) and head.strip() and not _is_markup(head):
            return "text/plain"
    raise UnsupportedMedia


def _is_markup(head: bytes) -> bool:
    """A page that a browser would run is no document."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"#!"))
