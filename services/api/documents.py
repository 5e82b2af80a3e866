"""Give the documents of a case as docx or PDF, and tell everybody whether one that he holds is true."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from services.api.cases import visible
from services.api.deps import PREFIX, Desk, DeskDep, LanguageDep, ViewerDep
from services.api.errors import NotAcceptable, NotFound
from services.api.limits import TimedRoute
from services.api.ports import Json
from services.api.public import Guesses
from services.api.views import moment
from services.documents.content import Lookup, codes_of, facts_of
from services.documents.filling import Templates, filled, places
from services.documents.papers import Issued, Marks, issued, number_of, parts_of
from services.documents.setting import set_as_pdf
from services.storage.prose import resolve
from workflows.kernel.masking import mask
from workflows.kernel.process import Case, Process
from workflows.policy.packs import pinned

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MEDIA = {"pdf": PDF, "docx": DOCX}
MADE_AT_ONCE = 2
KindPath = Annotated[str, Path(max_length=64)]
SeqQuery = Annotated[int | None, Query(ge=1, description="事件序号，默认最近一份 / number of the event; the latest")]
FormatQuery = Annotated[Literal["pdf", "docx"] | None, Query(alias="format", description="格式 / format")]
CodeQuery = Annotated[str, Query(min_length=1, max_length=16, description="核验码 / check code")]


class Put(Protocol):
    """Where templates are that were put in the place of ours (services/storage/templates.py)."""

    async def in_force(
        self, packs: Sequence[str], kinds: Sequence[str], at: datetime | None = None
    ) -> Mapping[tuple[str, str], bytes]:
        """Those of these packs and kinds that held at a moment, or hold now."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Makes documents (文书): templates, check codes, and the address at which everybody can check one."""

    templates: Templates
    marks: Marks
    public_url: str = ""
    """Where the product is reached from outside, such as `https://example.gov.cn`; empty: addresses begin with `/`."""
    put: Put | None = None
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MADE_AT_ONCE))

    def address(self, number: str) -> str:
        """Where a document can be checked."""
        place = f"{self.public_url.rstrip('/')}/p/documents/{quote(number)}"
        return f"{place}?check_code={self.marks.of(number)}"

    async def template(self, pack: str, kind: str, at: datetime | None = None) -> bytes:
        """The template that held at a moment, or holds now."""
        packs, kinds = (list(dict.fromkeys(part)) for part in zip(*places(pack, kind), strict=True))
        put = await self.put.in_force(packs, kinds, at) if self.put else {}
        return self.templates.find(pack, kind, put)

    async def made(
        self, desk: Desk, process: Process[Any], case_id: str, entry: Json, document: Issued, kind: str, *, masked: bool
    ) -> bytes:
        """Give a document, always the same for the same event; `kind` is pdf or docx."""
        case = await desk.reads.at(process, case_id, document.seq)
        facts = facts_of(
            process,
            case,
            entry,
            document,
            await _looked_up(desk, case, entry, document.at),
            check_code=self.marks.of(document.number),
            address=self.address(document.number),
            clause=_clauses(case),
            masked=masked,
        )
        template = await self.template(case.pin.pack, document.paper.kind, document.at)

        def make() -> bytes:
            written = filled(template, facts, scan=self.address(document.number))
            return set_as_pdf(written, title=document.paper.zh, at=document.at) if kind == "pdf" else written

        async with self.room:
            return await asyncio.to_thread(make)


async def _looked_up(desk: Desk, case: Case[Any], entry: Json, at: datetime) -> Lookup:
    """What people, organisations and places were called then: a document that was issued never changes."""
    codes = codes_of(case, entry)
    names = await desk.people.display_names(codes)
    orgs = await desk.people.organizations(codes - names.keys())
    places = await desk.people.regions(code for code in codes if code.isdigit())
    # Who brought the matter in is never among them: that field is no part of a document.
    unknown = [code for code in codes if code.startswith("contact:") and code != getattr(case.data, "reporter", None)]
    called = await desk.reads.contact_names(case.id, unknown) if unknown else {}
    texts = await desk.reads.texts(case.id, [code for code in codes if code.startswith("text:")])
    then = await desk.people.former_names(codes, at)
    return Lookup(
        texts={**texts, **called},
        people={code: then.get(code, name) for code, name in names.items()},
        orgs={code: then.get(code, org.name) for code, org in orgs.items()},
        places={code: then.get(code, place.name) for code, place in places.items()},
    )


def _clauses(case: Case[Any]) -> Any:
    parameters = pinned(case.pin.pack, case.pin.version, case.pin.sha).parameters
    return lambda name: parameters[name].source if name in parameters else ""


def document_router(process: Process[Any], archive: Archive) -> APIRouter:
    """Give `/{plural}/{key}/documents`; whoever may know of a case may have its documents."""
    router = APIRouter(prefix=f"/{process.plural}", tags=[process.plural], route_class=TimedRoute)

    @router.get(
        "/{key}/documents",
        operation_id=f"{process.plural}.documents",
        summary=f"{process.zh}：文书目录 / {process.en}: documents",
    )
    async def documents(key: str, desk: DeskDep, viewer: ViewerDep) -> list[dict[str, Any]]:
        known = await visible(desk, process, key, viewer.actor)
        found = issued(process, known.case.number, await desk.reads.events(known.case.id))
        return [_listed(process, known.case.id, one, archive, viewer.language) for one in found]

    @router.get(
        "/{key}/documents/{kind}",
        operation_id=f"{process.plural}.document",
        summary=f"{process.zh}：下载文书 / {process.en}: one document",
        response_class=Response,
        openapi_extra={"x-answer": "paper"},
    )
    async def document(
        request: Request,
        key: str,
        kind: KindPath,
        desk: DeskDep,
        viewer: ViewerDep,
        seq: SeqQuery = None,
        wanted: FormatQuery = None,
    ) -> Response:
        known = await visible(desk, process, key, viewer.actor)
        form = wanted or _accepted(request)
        entries = await desk.reads.events(known.case.id)
        one = _chosen(issued(process, known.case.number, entries), kind, seq)
        entry = entries[one.seq - 1]
        masked = one.paper.public or viewer.is_veiled(known.case)
        body = await archive.made(desk, process, known.case.id, entry, one, form, masked=masked)
        return _file(body, one.number, form)

    return router


def public_document_router(processes: Sequence[Process[Any]], archive: Archive) -> APIRouter:
    """Give `/public/documents/{number}`: whether a document is true, to whoever holds it."""
    router = APIRouter(prefix="/public", tags=["public"], route_class=TimedRoute)
    guesses = Guesses()

    @router.get(
        "/documents/{number}",
        operation_id="public_document",
        summary="核验文书 / check a document",
    )
    async def check(
        number: Annotated[str, Path(max_length=128)],
        check_code: CodeQuery,
        desk: DeskDep,
        language: LanguageDep,
        wanted: FormatQuery = None,
    ) -> Any:
        guesses.pause(number)
        parts = parts_of(number)
        if parts is None or not archive.marks.fits(number_of(*parts), check_code):
            guesses.count(number)
            raise NotFound
        process, case, entry, one = await _held(desk, processes, *parts)
        if wanted is not None:
            if not one.paper.public:
                # The code proves that a document is true; what it says is for those who may see its case.
                raise NotFound
            body = await archive.made(desk, process, case.id, entry, one, wanted, masked=True)
            return _file(body, one.number, wanted)
        return await _checked(desk, process, case, one, language)

    return router


async def _held(
    desk: Desk, processes: Sequence[Process[Any]], case_number: str, kind: str, seq: int
) -> tuple[Process[Any], Case[Any], Json, Issued]:
    """The document of that number; raises `NotFound` when no case ever made it."""
    for process in processes:
        if all(paper.kind != kind for paper in process.papers):
            continue
        known = await desk.reads.found(process, case_number)
        if known is None:
            continue
        entries = await desk.reads.events(known.case.id)
        one = _chosen(issued(process, known.case.number, entries), kind, seq)
        return process, known.case, entries[seq - 1], one
    raise NotFound


async def _checked(desk: Desk, process: Process[Any], case: Case[Any], one: Issued, language: str) -> dict[str, Any]:
    then = await desk.reads.at(process, case.id, one.seq)
    texts = await desk.reads.texts(case.id, [then.title] if then.title.startswith("text:") else [])
    title = resolve(then.title, texts)
    places = await desk.people.regions([case.community])
    english = language == "en"
    return {
        "genuine": True,
        "number": one.number,
        "kind": one.paper.kind,
        "title": one.paper.en if english else one.paper.zh,
        "issued_at": moment(one.at),
        "process": process.en if english else process.zh,
        "case_number": case.number,
        "place": places[case.community].name if case.community in places else case.community,
        "summary": mask(title) if title else None,
        "public": one.paper.public,
    }


def _chosen(found: Sequence[Issued], kind: str, seq: int | None) -> Issued:
    fitting = [one for one in found if one.paper.kind == kind.upper() and seq in (None, one.seq)]
    if not fitting:
        raise NotFound
    return fitting[-1]


def _listed(process: Process[Any], case_id: str, one: Issued, archive: Archive, language: str) -> dict[str, Any]:
    place = f"{PREFIX}/{process.plural}/{case_id}/documents/{one.paper.kind}?seq={one.seq}"
    return {
        "kind": one.paper.kind,
        "title": one.paper.en if language == "en" else one.paper.zh,
        "number": one.number,
        "seq": one.seq,
        "issued_at": moment(one.at),
        "check_code": archive.marks.of(one.number),
        "public": one.paper.public,
        "files": {form: f"{place}&format={form}" for form in MEDIA},
    }


def _accepted(request: Request) -> Literal["pdf", "docx"]:
    """The format that the caller takes; PDF when he takes anything."""
    for part in request.headers.get("accept", "*/*")[:500].split(","):
        media = part.partition(";")[0].strip().lower()
        if media in (PDF, "*/*", "application/*"):
            return "pdf"
        if media == DOCX:
            return "docx"
    raise NotAcceptable(choices=f"{PDF}, {DOCX}")


def _file(body: bytes, number: str, form: str) -> Response:
    headers: Mapping[str, str] = {
        "Content-Disposition": f'attachment; filename="{number}.{form}"',
        "Cache-Control": "private, no-store",
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    }
    return Response(body, headers=headers, media_type=MEDIA[form])
