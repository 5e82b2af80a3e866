"""Take files that belong to cases, and give them to those who may see such a case."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import IO, Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.types import Message, Receive

from services.api.cases import KeyHeader
from services.api.contents import LIMITS, MEGABYTE, Content, Kind, examine
from services.api.deps import ActorDep, DeskDep
from services.api.door import idempotency_key
from services.api.errors import Invalid, NotFound, TooLarge, UnsupportedMedia
from services.api.faults import Fault
from services.engine import IdempotencyConflict
from services.storage.ids import uuid7
from workflows.kernel.process import derived_id

MOST = (max(LIMITS.values()) + 1) * MEGABYTE
UPLOAD_TIMEOUT = 300.0
LOOKS_AT_ONCE = 2
ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/aac": ".aac",
    "audio/wav": ".wav",
    "audio/amr": ".amr",
    "audio/ogg": ".ogg",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/3gpp": ".3gp",
    "video/webm": ".webm",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/ofd": ".ofd",
    "text/plain": ".txt",
}


class Kept(BaseModel):
    """An attachment that was taken; a command names it by its id."""

    id: str
    kind: Kind
    sha256: str
    size: int
    media_type: str


class Store(Protocol):
    """Where the bytes go (services/storage/files.py)."""

    async def keep(self, key: str, content: bytes | IO[bytes]) -> None:
        """Write one object."""

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Give one object piece by piece."""


def attachment_router(store: Store) -> APIRouter:
    """Give `/attachments`; one upload is looked at by a thread, few at a time."""
    router = APIRouter(prefix="/attachments", tags=["attachments"])
    looks = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def look(kind: Kind, file: UploadFile, size: int) -> Content:
        async with looks:
            return await asyncio.to_thread(examine, kind, file.file, size)

    @router.post(
        "",
        operation_id="attach",
        summary="上传附件 / upload a file",
        status_code=201,
        response_model=Kept,
        openapi_extra={"x-upload": [kind.value for kind in Kind]},
    )
    async def attach(request: Request, desk: DeskDep, actor: ActorDep, idempotency: KeyHeader = None) -> JSONResponse:
        # The same file sent again is the same attachment, so that the command that names it stays the same too.
        written = UUID(derived_id("attach", idempotency_key(idempotency, actor))) if idempotency else uuid7()
        async with asyncio.timeout(UPLOAD_TIMEOUT):
            bounded = _bounded(request)
            async with bounded.form(max_files=1, max_fields=4) as form:
                kind, file = _parts(form.multi_items())
                content = await look(kind, file, file.size or 0)
                earlier = await desk.reads.attachment(str(written), actor) if idempotency else None
                key = f"{datetime.now(UTC):%Y/%m}/{written}"
                if earlier is None:
                    await store.keep(key, content.body)
        if earlier is None:
            await desk.reads.attach(
                attachment_id=written,
                kind=kind.value,
                media_type=content.media_type,
                size=content.size,
                sha256=content.sha256,
                object_key=key,
                uploaded_by=actor.id,
            )
        elif earlier["sha256"] != content.sha256:
            raise IdempotencyConflict("IDEMPOTENCY_CONFLICT")
        kept = Kept(id=str(written), kind=kind, sha256=content.sha256, size=content.size, media_type=content.media_type)
        location = {"Location": f"{request.url.path.rstrip('/')}/{written}"}
        return JSONResponse(kept.model_dump(mode="json"), 201 if earlier is None else 200, location)

    @router.get(
        "/{attachment_id}",
        operation_id="attachment",
        summary="下载附件 / download a file",
        response_class=StreamingResponse,
        openapi_extra={"x-answer": "bytes"},
    )
    async def attachment(
        attachment_id: Annotated[str, Path(max_length=64)], desk: DeskDep, actor: ActorDep
    ) -> StreamingResponse:
        if not _is_id(attachment_id):
            raise NotFound
        found = await desk.reads.attachment(attachment_id, actor)
        if found is None:
            raise NotFound
        try:
            pieces = await store.read(found["object_key"])
        except FileNotFoundError:
            raise NotFound from None
        media_type = found["media_type"]
        name = attachment_id + ENDINGS.get(media_type, "")
        headers = {
            "Content-Length": str(found["size"]),
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=3600",
            "ETag": f'"{found["sha256"]}"',
        }
        return StreamingResponse(pieces, headers=headers, media_type=media_type)

    return router


def _bounded(request: Request) -> Request:
    """The same request with an end: who sends more than the largest file gets 413, however he sends it."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST:
        raise TooLarge(limit=f"{max(LIMITS.values())} MB")
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedMedia
    return Request(request.scope, partial(_counted, request.receive, _Count()))


class _Count:
    size = 0


async def _counted(receive: Receive, count: _Count) -> Message:
    message = await receive()
    count.size += len(message.get("body", b""))
    if count.size > MOST:
        raise TooLarge(limit=f"{max(LIMITS.values())} MB")
    return message


def _parts(items: list[tuple[str, Any]]) -> tuple[Kind, UploadFile]:
    wrong = [Fault(name, "extra") for name, _ in items if name not in ("file", "kind")]
    given = dict(items)
    file, kind = given.get("file"), given.get("kind")
    if file is None:
        wrong.append(Fault("file", "missing"))
    elif not isinstance(file, UploadFile) or not file.size:
        wrong.append(Fault("file", "blank"))
    if kind is None:
        wrong.append(Fault("kind", "missing"))
    elif kind not in set(Kind):
        wrong.append(Fault("kind", "choice", {"choices": ", ".join(Kind)}))
    if wrong:
        raise Invalid(*wrong)
    assert isinstance(file, UploadFile)
    return Kind(str(kind)), file


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
