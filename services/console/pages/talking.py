"""What is said beside a case, following it, its files, and what the fields of forms may hold (留言、关注、选取)."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from services.console.client import Problem
from services.console.forms import Filled
from services.console.pages.case import address, named, talk_of
from services.console.pages.routing import At
from services.console.pages.sending import body_with_files, chosen_files, key_of
from services.console.visit import Visit

SHOWN_AS = ("content-type", "etag", "cache-control", "content-security-policy", "content-length")


async def talk(visit: Visit) -> Response:
    """The comments alone, as they stand now or before one of them."""
    return await _talk(visit, before=visit.query("before"))


async def say(visit: Visit) -> Response:
    """Say something; the same form twice says it once."""
    process, key = address(visit)
    form = await visit.form()
    sent_with, text = key_of(form), str(form.get("text", "")).strip()
    files = chosen_files(form, "attachments")
    try:
        body = await body_with_files(visit, Filled({}, {"attachments": files} if files else {}), sent_with)
        body |= {"text": text, "internal": "internal" in form}
        await visit.api.post(f"/{process.plural}/{key}/comments", body, key=sent_with)
    except Problem as no:
        detail = no.by_field.get("text") or no.detail
        return await _talk(visit, problem=detail, typed=text, key=sent_with)
    if visit.is_partial:
        return await _talk(visit)
    return visit.go(f"/{process.plural}/{key}#talk")


async def change(visit: Visit) -> Response:
    """Say something else in the place of one's own comment, or take it back (`take_back`)."""
    process, key = address(visit)
    form = await visit.form()
    path = f"/{process.plural}/{key}/comments/{visit.request.path_params['comment']}"
    try:
        if "take_back" in form:
            await visit.api.delete(path)
        else:
            await visit.api.patch(path, {"text": str(form.get("text", "")).strip()})
    except Problem as no:
        return await _talk(visit, problem=no.by_field.get("text") or no.detail)
    return await _talk(visit) if visit.is_partial else visit.go(f"/{process.plural}/{key}#talk")


async def follow(visit: Visit) -> Response:
    """Follow a case, or no longer."""
    process, key = address(visit)
    base = f"/{process.plural}/{key}"
    if (await visit.form()).get("follow") == "no":
        await visit.api.delete(f"{base}/follow")
    else:
        await visit.api.post(f"{base}/follow")
    if visit.is_partial:
        case, now_so = await visit.api.get(base), await talk_of(visit, base)
        await named(visit, now_so["followers"])
        return await visit.show("parts/follow.html", process=process, case=case, talk=now_so)
    return visit.go(base)


async def _talk(visit: Visit, *, before: str = "", problem: str = "", typed: str = "", key: str = "") -> Response:
    process, case_key = address(visit)
    base = f"/{process.plural}/{case_key}"
    case, found = await visit.api.get(base), await talk_of(visit, base, before=before)
    await named(visit, found["items"])
    files = {one["id"]: one for one in await visit.api.get(f"{base}/attachments")}
    values: dict[str, Any] = {
        "process": process,
        "case": case,
        "talk": found,
        "files": files,
        "key": key or key_of(None),
        "problem": problem,
        "typed": typed,
        "now": datetime.now(UTC),
    }
    if before:
        return await visit.show("parts/said.html", **values)
    if visit.is_partial:
        return await visit.show("parts/talk.html", **values)
    return await visit.show("talk.html", status=422 if problem else 200, **values)


async def file(visit: Visit) -> Response:
    """A file of a case, as it was uploaded."""
    found = await visit.api.file(f"/attachments/{visit.request.path_params['id']}", "*/*")
    headers = {name: found.headers[name] for name in SHOWN_AS if name in found.headers}
    if not found.headers.get("content-type", "").startswith("image/"):
        headers["content-disposition"] = found.headers["content-disposition"]
    return Response(found.content, headers=headers)


async def choices(visit: Visit) -> Response:
    """What a field may hold, by a part of its name."""
    kind = visit.request.path_params["kind"]
    found = await visit.api.get(f"/names/{kind}", q=visit.query("q")[:50], process=visit.query("process"))
    return JSONResponse(found, headers={"Cache-Control": "private, max-age=30"})


PAGES = (
    At("/choices/{kind}", choices),
    At("/files/{id}", file),
    At("/{plural}/{key}/comments", talk),
    At("/{plural}/{key}/comments", say, ("POST",)),
    At("/{plural}/{key}/comments/{comment}", change, ("POST",)),
    At("/{plural}/{key}/follow", follow, ("POST",)),
)
