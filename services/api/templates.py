"""Templates of documents (文书模板): looked at, tried with a sample, replaced by the city's own, taken back.

A document keeps the template that held when it was issued; another template serves from then on.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.routing import APIRoute

from services.api.bodies import package
from services.api.deps import ActorDep, DeskDep, LanguageDep
from services.api.documents import DOCX, PDF, Archive, Put
from services.api.errors import Invalid, NotFound
from services.api.faults import Fault
from services.api.limits import PatientRoute
from services.api.master import kept_places, require_keeper
from services.api.postgres import Database
from services.api.views import moment
from services.documents.checking import TemplateRefused, check, known_names
from services.documents.content import titles
from services.documents.filling import DEFAULT, GENERAL
from services.documents.sample import AT, sample_facts
from services.documents.setting import set_as_pdf
from services.storage.people_records import root_code
from services.storage.templates import Version
from services.texts.catalogue import catalogue
from workflows.kernel.process import Paper, Process
from workflows.policy.pack import Pack
from workflows.policy.packs import available

MEGABYTES = 8
UPLOAD_TIMEOUT = 60.0
ADDRESS = "https://example.gov.cn/p/documents/SAMPLE-1"
Kind = Annotated[str, Path(pattern=r"^[A-Z][A-Z_]{1,40}$")]
PackName = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$")]
PackQuery = Annotated[str | None, Query(alias="pack", pattern=r"^[a-z0-9_]{1,60}$")]
FAULTS = {
    "UNREADABLE": "template_unreadable",
    "BROKEN": "template_broken",
    "UNKNOWN": "template_unknown",
    "COUNTS": "template_counts",
    "FETCHES": "template_fetches",
}


class Kept(Put, Protocol):
    """Where the city's own templates are kept (services/storage/templates.py)."""

    async def versions(self, pack: str | None = None, kind: str | None = None) -> Sequence[Version]:
        """What was ever put in the place of ours, the last first."""

    async def put(self, pack: str, kind: str, content: bytes | None, *, by: str) -> bool:
        """Let one serve from now on, or ours again by None."""


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of document, and the processes that issue it."""

    paper: Paper
    processes: tuple[Process[Any], ...]


def sorts_of(processes: Sequence[Process[Any]]) -> dict[str, Sort]:
    """Every sort of document by its kind, the general one last."""
    found: dict[str, Sort] = {}
    for process in processes:
        for paper in process.papers:
            before = found.get(paper.kind)
            found[paper.kind] = Sort(
                before.paper if before else paper, (*(before.processes if before else ()), process)
            )
    first = next(process for process in processes if process.papers)
    general = Paper(GENERAL, "通用文书", "General document", on=first.papers[0].on)
    return {**found, GENERAL: Sort(general, tuple(one for one in processes if one.papers))}


def template_router(
    database: Database, archive: Archive, kept: Kept, processes: Sequence[Process[Any]], pack: Pack
) -> APIRouter:
    """Give `/templates`."""
    router = APIRouter(prefix="/templates", tags=["templates"], route_class=PatientRoute)
    sorts = sorts_of(processes)

    def sort_of(name: str, kind: str) -> Sort:
        if name not in available() or kind not in sorts:
            raise NotFound
        return sorts[kind]

    async def as_pdf(one: Sort, name: str, content: bytes) -> Response:
        async with archive.room:
            body = await asyncio.to_thread(_sample, one, name, content)
        headers = {"Content-Disposition": "inline", "Cache-Control": "no-store"}
        return Response(body, headers=headers, media_type=PDF)

    @router.get("", operation_id="templates", summary="文书模板 / templates of documents")
    async def listed(actor: ActorDep, language: LanguageDep, wanted: PackQuery = None) -> dict[str, Any]:
        kept_places(actor)
        name = wanted or pack.pack
        if name not in available():
            raise NotFound
        serving = _serving(await kept.versions())
        put = dict.fromkeys(serving, b"")
        items = []
        for kind, one in sorts.items():
            source = archive.templates.source(name, kind, put)
            last = serving.get((name, kind)) or serving.get((DEFAULT, kind)) if source == "PUT" else None
            items.append(
                {
                    **_head(kind, one, language),
                    "source": source,
                    "since": moment(last.put_at) if last else None,
                }
            )
        return {"pack": name, "packs": list(available()), "items": items}

    @router.get(
        "/{name}/{kind}",
        operation_id="template",
        summary="下载文书模板 / one template as docx",
        response_class=Response,
        openapi_extra={"x-answer": "paper"},
    )
    async def one(name: PackName, kind: Kind, actor: ActorDep) -> Response:
        kept_places(actor)
        sort_of(name, kind)
        headers = {"Content-Disposition": f'attachment; filename="{quote(kind)}.docx"'}
        return Response(await archive.template(name, kind), headers=headers, media_type=DOCX)

    @router.get(
        "/{name}/{kind}/about",
        operation_id="template_about",
        summary="模板可填内容与各版本 / what a template may name, and its versions",
    )
    async def about(
        name: PackName, kind: Kind, actor: ActorDep, desk: DeskDep, language: LanguageDep
    ) -> dict[str, Any]:
        kept_places(actor)
        found = sort_of(name, kind)
        versions = await kept.versions(name, kind)
        put = dict.fromkeys(_serving(await kept.versions()), b"")
        names = await desk.people.display_names([one.put_by for one in versions])
        return {
            "pack": name,
            **_head(kind, found, language),
            "source": archive.templates.source(name, kind, put),
            "fills": [{"name": path, "title": title} for path, title in _fills(found, language)],
            "versions": [
                {
                    "version": one.version,
                    "own": one.sha256 is not None,
                    "sha256": one.sha256,
                    "put_by": names.get(one.put_by, one.put_by),
                    "put_at": moment(one.put_at),
                }
                for one in versions
            ],
        }

    @router.get(
        "/{name}/{kind}/preview",
        operation_id="template_preview",
        summary="用样例预览现用模板 / the template in force, filled with a sample",
        response_class=Response,
        openapi_extra={"x-answer": "paper"},
    )
    async def preview(name: PackName, kind: Kind, actor: ActorDep) -> Response:
        kept_places(actor)
        found = sort_of(name, kind)
        return await as_pdf(found, name, await archive.template(name, kind))

    async def tried(request: Request, name: PackName, kind: Kind, actor: ActorDep) -> Response:
        kept_places(actor)
        found = sort_of(name, kind)
        async with asyncio.timeout(UPLOAD_TIMEOUT):
            return await as_pdf(found, name, await package(request, MEGABYTES))

    async def put_there(
        request: Request, name: PackName, kind: Kind, actor: ActorDep, desk: DeskDep, language: LanguageDep
    ) -> dict[str, Any]:
        async with database.connect() as connection:
            require_keeper(actor, await root_code(connection))
        found = sort_of(name, kind)
        async with asyncio.timeout(UPLOAD_TIMEOUT):
            content = await package(request, MEGABYTES)
            async with archive.room:
                await asyncio.to_thread(_checked, found, name, content)
            await kept.put(name, kind, content, by=actor.id)
        return await about(name, kind, actor, desk, language)

    # A timed route reads no more than a megabyte, and a template may have a picture in it.
    for path, handler, operation, summary, extra in (
        ("/preview", tried, "try_template", "用样例预览上传的模板，不保存 / try a template, keep nothing", "paper"),
        ("", put_there, "put_template", "启用上传的模板，先检查 / let a template serve, once it is checked", ""),
    ):
        router.add_api_route(
            f"/{{name}}/{{kind}}{path}",
            handler,
            methods=["POST"],
            operation_id=operation,
            summary=summary,
            response_model=None,
            openapi_extra={"x-upload": [], **({"x-answer": extra} if extra else {})},
            route_class_override=APIRoute,
        )

    @router.delete(
        "/{name}/{kind}",
        operation_id="drop_template",
        summary="恢复随附模板 / back to the template that ships",
        status_code=204,
    )
    async def drop(name: PackName, kind: Kind, actor: ActorDep) -> None:
        async with database.connect() as connection:
            require_keeper(actor, await root_code(connection))
        sort_of(name, kind)
        if not await kept.put(name, kind, None, by=actor.id):
            raise NotFound

    return router


def _serving(versions: Sequence[Version]) -> dict[tuple[str, str], Version]:
    """The last version of each that there is, unless it took the city's own away."""
    last: dict[tuple[str, str], Version] = {}
    for one in versions:
        place = (one.pack, one.kind)
        if place not in last or one.version > last[place].version:
            last[place] = one
    return {place: one for place, one in last.items() if one.sha256 is not None}


def _head(kind: str, one: Sort, language: str) -> dict[str, Any]:
    english = language == "en"
    return {
        "kind": kind,
        "title": one.paper.en if english else one.paper.zh,
        "processes": [] if kind == GENERAL else [each.en if english else each.zh for each in one.processes],
        "public": one.paper.public,
    }


def _fills(one: Sort, language: str) -> Iterator[tuple[str, str]]:
    """What a template of this sort may name, with what it is called; clocks by the moment at which they are due."""
    words = catalogue()
    english = language == "en"
    for name, below in known_names(one.processes).branches.items():
        if name in ("raw", "note"):
            continue
        if not below:
            yield name, words.say("fact", name, language)
        for part, inner in (below or {}).items():
            if name == "clocks":
                yield f"clocks.{part}.due", _clock(one, part, english=english)
            elif name == "data":
                yield from _data(one, f"data.{part}", part, inner, language)
            else:
                yield f"{name}.{part}", words.say("fact", f"{name}.{part}", language)


def _data(one: Sort, path: str, name: str, inner: Any, language: str) -> Iterator[tuple[str, str]]:
    title = _title(one, name, language)
    if not inner:
        yield path, title
    for part in inner or ():
        yield f"{path}.{part}", f"{title} · {_title(one, part, language)}"


def _title(one: Sort, name: str, language: str) -> str:
    found = (titles(process, language).get(name) for process in one.processes)
    return next(filter(None, found), None) or catalogue().say("data", name, language)


def _clock(one: Sort, code: str, *, english: bool) -> str:
    rule = next(process.clock_rules[code] for process in one.processes if code in process.clock_rules)
    return rule.en if english else rule.zh


def _checked(one: Sort, pack: str, content: bytes) -> bytes:
    """The template filled with a sample of each process that uses it; raises `Invalid` naming what is wrong."""
    made = b""
    try:
        for process in reversed(one.processes):
            known = known_names(one.processes)
            made = check(content, known, sample_facts(process, _paper(one, process), pack=pack, address=ADDRESS))
    except TemplateRefused as no:
        raise Invalid(Fault("file", FAULTS[no.why], {"what": no.what})) from None
    return made


def _paper(one: Sort, process: Process[Any]) -> Paper:
    return next((paper for paper in process.papers if paper.kind == one.paper.kind), one.paper)


def _sample(one: Sort, pack: str, content: bytes) -> bytes:
    return set_as_pdf(_checked(one, pack, content), title=one.paper.zh, at=AT)
