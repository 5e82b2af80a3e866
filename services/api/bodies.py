"""Files and fields of a multipart body, with an end to it: who sends too much gets 413, however he sends it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.types import Message, Receive

from services.api.contents import parts_of
from services.api.errors import Invalid, TooLarge, UnsupportedMedia
from services.api.faults import Fault

MEGABYTE = 1 << 20
PACKAGE = b"PK\x03\x04"
ENDINGS = (".csv", ".xlsx", ".txt", ".gz")


@asynccontextmanager
async def spreadsheet(request: Request, most: int) -> AsyncIterator[Path]:
    """The one file of a body as a file of its own, for as long as it is read; `most` counts megabytes."""
    async with _bounded(request, most * MEGABYTE).form(max_files=1, max_fields=1) as form:
        file = _file(form.multi_items())
        with TemporaryDirectory(prefix="shangliang-") as folder:
            ending = Path(file.filename or "").suffix.lower()
            path = Path(folder) / f"list{ending if ending in ENDINGS else '.csv'}"
            content = await file.read()
            if content.startswith(PACKAGE):
                parts_of(BytesIO(content))
            path.write_bytes(content)
            yield path


async def package(request: Request, most: int) -> bytes:
    """The one file of a body, an office document that may safely be unpacked; `most` counts megabytes."""
    async with _bounded(request, most * MEGABYTE).form(max_files=1, max_fields=1) as form:
        content: bytes = await _file(form.multi_items()).read()
    parts_of(BytesIO(content))
    return content


def _file(items: list[tuple[str, Any]]) -> UploadFile:
    wrong = [Fault(name, "extra") for name, _ in items if name != "file"]
    file = dict(items).get("file")
    if file is None:
        wrong.append(Fault("file", "missing"))
    elif not isinstance(file, UploadFile) or not file.size:
        wrong.append(Fault("file", "blank"))
    if wrong:
        raise Invalid(*wrong)
    assert isinstance(file, UploadFile)
    return file


class _Count:
    size = 0


def _bounded(request: Request, most: int) -> Request:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise TooLarge(limit=f"{most // MEGABYTE} MB")
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedMedia
    return Request(request.scope, partial(_counted, request.receive, _Count(), most))


async def _counted(receive: Receive, count: _Count, most: int) -> Message:
    message = await receive()
    count.size += len(message.get("body", b""))
    if count.size > most:
        raise TooLarge(limit=f"{most // MEGABYTE} MB")
    return message
