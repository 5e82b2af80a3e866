"""One visit of a page: who comes, in which language, what he may ask, and how he is answered (访问)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from services.console.client import Api, Problem, SignedOut, api_for
from services.console.language import TAGS, chosen, translations
from services.console.session import (
    ACCESS,
    FORM_TOKEN,
    HEADER,
    LANGUAGE,
    RENEW,
    VISITOR,
    Cookies,
    form_token,
    is_own_form,
)
from services.console.words import Words
from workflows.kernel.process import Process

SIGN_IN = "/sign-in"
BUSY = 429
"""From this status on an answer says nothing about the session."""
TOGETHER = 10.0
"""Seconds within which requests of one browser count as one, when its session has to be renewed."""
SAFE = ("GET", "HEAD")
SECURITY = {
    # Styles of single elements are what the charts and diagrams draw with; no script and no sheet stands in a page.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; form-action 'self'; "
        "manifest-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Our own pages know where a form was filled in, so that one comes back to it after signing in again.
    "Referrer-Policy": "same-origin",
}


class Renewals:
    """Renews a session once for all requests that come together: the token that does it opens once."""

    def __init__(self) -> None:
        self._begun: dict[str, asyncio.Future[Mapping[str, Any]]] = {}

    async def of(self, renew: str, ask: Callable[[], Awaitable[Mapping[str, Any]]]) -> Mapping[str, Any]:
        """The session that this token has led to just now, or leads to; raises what asking raises."""
        begun = self._begun.get(renew)
        if begun is None:
            begun = self._begun[renew] = asyncio.ensure_future(ask())
            asyncio.get_running_loop().call_later(TOGETHER, self._begun.pop, renew, None)
        # Whoever goes away takes it from nobody else.
        return await asyncio.shield(begun)


@dataclass(frozen=True, slots=True)
class House:
    """What all pages share."""

    api: ASGIApp
    pages: Environment
    processes: Mapping[str, Process[Any]]
    """By plural name, as in addresses."""
    secret: bytes
    cookies: Cookies
    engine_ui: str = ""
    """Address of the engine's own pages, for administrators; empty where there are none."""
    renewals: Renewals = field(default_factory=Renewals)


@dataclass(slots=True)
class Visit:
    """One request of a browser, and everything that a page needs to answer it."""

    house: House
    request: Request
    language: str
    api: Api
    words: Words
    kept: Mapping[str, Any] | None = None
    """A session that was renewed on the way, to be kept by the browser."""
    _me: Mapping[str, Any] | None = field(default=None)

    async def me(self) -> Mapping[str, Any]:
        """Who is signed in; raises `SignedOut`."""
        if self._me is None:
            self._me = await self.api.get("/me")
        return self._me

    @property
    def is_partial(self) -> bool:
        """Say whether only a part of a page is wanted."""
        return self.request.headers.get("hx-request") == "true" and "hx-boosted" not in self.request.headers

    def query(self, name: str) -> str:
        """A parameter of the address; empty when there is none."""
        return self.request.query_params.get(name, "").strip()

    async def form(self) -> FormData:
        """What was filled in."""
        return await self.request.form(max_files=20, max_fields=2000)

    async def show(self, template: str, /, *, status: int = 200, signed_in: bool = True, **values: Any) -> Response:
        """Answer with a page, or a part of one, made of a template."""
        me = await self.me() if signed_in else None
        page = self.house.pages.get_template(template)
        text = translations(self.language)
        html = await page.render_async(
            me=me,
            visit=self,
            words=self.words,
            language=self.language,
            tag=TAGS[self.language],
            form_token=form_token(self.house.secret, self.request),
            path=self.request.url.path,
            processes=self.house.processes,
            _=text.gettext,
            **values,
        )
        return HTMLResponse(
            html, status, headers={"Content-Language": TAGS[self.language], "Cache-Control": "no-store"}
        )

    def go(self, address: str, *, said: str = "") -> Response:
        """Send the browser to another page of ours, with a word of what was done."""
        target = f"{address}{'&' if '?' in address else '?'}done={quote(said)}" if said else address
        if self.request.headers.get("hx-request") == "true":
            return Response(status_code=204, headers={"HX-Redirect": target})
        return RedirectResponse(target, 303)

    def say(self, text: str) -> str:
        """A text of the catalogue in the reader's language."""
        return translations(self.language).gettext(text)


Page = Callable[[Visit], Awaitable[Response]]


def page(house: House, handler: Page, *, signed_in: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """Make a page of a handler: language, session, forged forms, and every problem answered by a page."""

    async def answered(request: Request) -> Response:
        request.state.visitor = token_urlsafe(16)
        language = chosen(request.cookies.get(LANGUAGE), request.headers.get("accept-language"))
        api = api_for(house.api, request, request.cookies.get(ACCESS), language)
        visit = Visit(house, request, language, api, Words(language, house.processes))
        if request.method not in SAFE:
            given = request.headers.get(HEADER) or str((await visit.form()).get(FORM_TOKEN, ""))
            if not is_own_form(house.secret, request, given):
                return _dressed(visit, await _wrong(visit, 403, visit.say("页面已过期，请返回后重试。"), signed_in))
        try:
            response = await handler(visit)
        except SignedOut:
            response = await _again(visit, handler) if signed_in else visit.go(SIGN_IN)
        except Problem as no:
            response = await _refused(visit, no, signed_in)
        return _dressed(visit, response)

    return answered


async def _again(visit: Visit, handler: Page) -> Response:
    """Renew the session once and try again; else sign in and come back."""
    renew = visit.request.cookies.get(RENEW)
    visit.api.token = None
    if renew:
        try:
            visit.kept = await visit.house.renewals.of(renew, lambda: _renewed(visit.api, renew))
            visit.api.token = visit.kept["access_token"]
            return await _judged(visit, handler)
        except SignedOut:
            visit.kept = None
        except Problem as no:
            return await _refused(visit, no, False)
    back = _inside(str(visit.request.url)) if visit.request.method in SAFE else _page_before(visit.request)
    address = f"{SIGN_IN}?next={quote(back)}"
    if visit.request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Trigger": "signedOut"})
    response = RedirectResponse(address, 303)
    visit.house.cookies.drop(response)
    return response


async def _renewed(api: Api, renew: str) -> Mapping[str, Any]:
    """The session that follows; raises `SignedOut` when there is none, `Problem` while nobody can say."""
    try:
        found: Mapping[str, Any] = await api.post("/auth/refresh", {"refresh_token": renew})
    except Problem as no:
        if no.status >= BUSY:
            raise
        raise SignedOut from None
    return found


async def _judged(visit: Visit, handler: Page) -> Response:
    """A page for somebody whose session is good: what the API refuses is no reason to sign in again."""
    try:
        return await handler(visit)
    except Problem as no:
        return await _refused(visit, no, True)


def _page_before(request: Request) -> str:
    return _inside(request.headers.get("referer", "/"))


def _inside(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


async def _refused(visit: Visit, no: Problem, signed_in: bool) -> Response:
    return await _wrong(visit, no.status, no.detail, signed_in)


async def _wrong(visit: Visit, status: int, text: str, signed_in: bool) -> Response:
    try:
        if visit.is_partial:
            return await visit.show("parts/problem.html", status=200, signed_in=False, text=text, problem_status=status)
        return await visit.show("problem.html", status=status, signed_in=signed_in, text=text, problem_status=status)
    except SignedOut:
        return await visit.show("problem.html", status=status, signed_in=False, text=text, problem_status=status)


def _dressed(visit: Visit, response: Response) -> Response:
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    if VISITOR not in visit.request.cookies:
        visit.house.cookies.know(response, visit.request.state.visitor)
    if visit.kept is not None:
        visit.house.cookies.keep(response, dict(visit.kept))
    return response
