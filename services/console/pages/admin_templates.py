"""Templates of documents (文书模板): which serves, what it may name, another one tried and put in its place."""

from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from services.console.client import Problem
from services.console.pages.admin import attached, page, show
from services.console.visit import Visit

PDF = "application/pdf"
SOURCES = {"PUT": "本市模板", "OWN": "本市模板", "SHIPPED": "随附模板", "GENERAL": "通用模板"}


async def templates(visit: Visit) -> Response:
    """Which template serves for which document."""
    found = await visit.api.get("/templates", pack=visit.query("pack"))
    return await show(visit, "templates", "templates.html", **found, sources=SOURCES)


async def template(visit: Visit) -> Response:
    """One of them: what it may name, its versions, and the way to another."""
    return await _template(visit)


async def _template(visit: Visit, no: Problem | None = None) -> Response:
    found = await visit.api.get(_path(visit) + "/about")
    groups: dict[str, list[Any]] = {}
    for one in found["fills"]:
        groups.setdefault(one["name"].partition(".")[0], []).append(one)
    return await show(
        visit,
        "templates",
        "template.html",
        status=no.status if no else 200,
        one=found,
        groups=groups,
        sources=SOURCES,
        refused=no,
    )


async def download(visit: Visit) -> Response:
    """One of them, to be changed in an office program."""
    return attached(await visit.api.file(_path(visit), "*/*"))


async def preview(visit: Visit) -> Response:
    """The one in force, filled with a sample."""
    return attached(await visit.api.file(_path(visit) + "/preview", PDF))


async def put(visit: Visit) -> Response:
    """Try another one (`preview`), or let it serve."""
    form = await visit.form()
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await _template(visit, Problem(422, {"detail": visit.say("请选择文件。")}))
    trial = "preview" in form
    try:
        answer = await visit.api.exchange(
            _path(visit) + ("/preview" if trial else ""), file.filename, await file.read(), file.content_type or ""
        )
    except Problem as no:
        return await _template(visit, no)
    return attached(answer) if trial else visit.go(visit.request.url.path, said="template_put")


async def drop(visit: Visit) -> Response:
    """Back to the one that ships."""
    try:
        await visit.api.delete(_path(visit))
    except Problem as no:
        return await _template(visit, no)
    return visit.go(f"/admin{_path(visit)}", said="template_dropped")


def _path(visit: Visit) -> str:
    pack, kind = (visit.request.path_params[name] for name in ("pack", "kind"))
    return f"/templates/{pack}/{kind}"


PAGES = (
    page("/templates", templates),
    page("/templates/{pack}/{kind}", template),
    page("/templates/{pack}/{kind}", put, "POST"),
    page("/templates/{pack}/{kind}/docx", download),
    page("/templates/{pack}/{kind}/preview", preview),
    page("/templates/{pack}/{kind}/drop", drop, "POST"),
)
