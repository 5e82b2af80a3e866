"""Files go first, and the command names what the API called them (附件)."""

from hashlib import sha256
from typing import Any

from services.console.forms import Filled
from services.console.visit import Visit


def kind_of(media_type: str | None) -> str:
    """The API's kind of a file, by what the browser says it is."""
    first = (media_type or "").partition("/")[0]
    return {"image": "PHOTO", "audio": "AUDIO", "video": "VIDEO"}.get(first, "FILE")


async def body_with_files(visit: Visit, given: Filled, key: str = "") -> dict[str, Any]:
    """Upload what is still here, and give the body with the ids in it; raises `Problem` for a file that is refused.

    `key` is that of the form: a file that comes again with it is the same attachment, and the body the same body.
    """
    body = dict(given.body)
    for name, files in given.files.items():
        ids = list(body.get(name, ()))
        for one in files:
            media_type, content = one.content_type or "application/octet-stream", await one.read()
            sent = await visit.api.upload(
                "/attachments",
                one.filename or "file",
                content,
                media_type,
                key=f"{key}.{sha256(content).hexdigest()[:32]}" if key else "",
                kind=kind_of(media_type),
            )
            ids.append(sent["id"])
        body[name] = ids
    return body
