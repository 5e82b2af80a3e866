"""Files go first, and the command names what the API called them (附件)."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from hashlib import sha256
from secrets import token_hex
from typing import Any

from starlette.datastructures import FormData, UploadFile

from services.console.forms import Filled
from services.console.visit import Visit

# What our own forms carry; anything else was not made by one of them.
KEY = re.compile(r"[0-9A-Za-z-]{1,128}")


def key_of(form: FormData | None) -> str:
    """The key of a form, by which it is carried out once however often it is sent; a new one for a new form."""
    key = str(form.get("key", "")) if form is not None else ""
    return key if KEY.fullmatch(key) else token_hex(16)


def chosen_files(form: FormData, name: str) -> Sequence[UploadFile]:
    """The files that were chosen in a field."""
    return [one for one in form.getlist(name) if isinstance(one, UploadFile) and one.filename]


def roles_of(me: Mapping[str, Any]) -> list[dict[str, str]]:
    """The roles and organisations in which somebody may act, each once, with their titles."""
    found = {(one["role"], one.get("org") or ""): one for one in me["roles"]}
    return [
        {"role": role, "title": str(one["title"]), "org": org, "org_name": str(one.get("org_name") or "")}
        for (role, org), one in found.items()
    ]


def kind_of(media_type: str | None) -> str:
    """The API's kind of a file, by what the browser says it is."""
    first = (media_type or "").partition("/")[0]
    return {"image": "PHOTO", "audio": "AUDIO", "video": "VIDEO"}.get(first, "FILE")


async def body_with_files(visit: Visit, given: Filled, key: str = "") -> dict[str, Any]:
    """Upload what is still here, and give the body with the ids in it; raises `Problem` for a file that is refused.

    `key` is that of the form: a file that comes again with it is the same attachment, and the body the same body.
    """
    body: dict[str, Any] = deepcopy(given.body)
    for place, files in given.files.items():
        held, name = _inside(body, place)
        is_single = place in given.single
        ids = [] if is_single else list(held.get(name, ()))
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
        held[name] = ids[-1] if is_single else ids
    return body


def _inside(body: dict[str, Any], place: str) -> tuple[dict[str, Any], str]:
    """What holds the field of a place such as `visits.0.evidence`, and the field's own name."""
    held: Any = body
    *outer, name = place.split(".")
    for part in outer:
        held = held[int(part)] if isinstance(held, list) else held.setdefault(part, {})
    return held, name
