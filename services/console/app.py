"""The console: pages for people, served beside the API and fed by it (控制台)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from services.console.pages.all import ROUTES
from services.console.pages.boards import boards_for
from services.console.session import Cookies
from services.console.visit import House, page
from workflows.kernel.process import Process

STATIC = Path(__file__).parent / "static"
API = ("/api/", "/openapi.json", "/docs")
A_WEEK = 7 * 24 * 3600


class Kept(StaticFiles):
    """Files that a browser keeps; those of others change their version with the product's."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Give a file."""
        response = await super().get_response(path, scope)
        response.headers.setdefault("Cache-Control", f"public, max-age={A_WEEK}")
        if path == "worker.js":
            response.headers["Cache-Control"] = "no-cache"
            response.headers["Service-Worker-Allowed"] = "/"
            # A worker obeys the policy of its own file: it loads a part of itself and speaks to us, nothing else.
            policy = "default-src 'none'; script-src 'self'; connect-src 'self'"
            response.headers["Content-Security-Policy"] = policy
        return response


class Console(Mount):
    """The console beside the API: everything is a page but what lies below the API's own addresses."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Leave the API its addresses, also those that it does not have."""
        if scope["type"] != "http" or scope["path"].startswith(API):
            return Match.NONE, {}
        return super().matches(scope)


def create_console(
    api: ASGIApp,
    processes: Sequence[Process[Any]],
    *,
    secret: bytes,
    secure: bool = False,
    engine_ui: str = "",
) -> Console:
    """Make the console. `api` is asked in the same process; `secret` keys the tokens of forms; `secure` cookies go
    over HTTPS only.
    """
    house = House(
        api=api,
        pages=pages(),
        processes={process.plural: process for process in processes},
        secret=secret,
        cookies=Cookies(secure),
        engine_ui=engine_ui,
    )
    routes: list[BaseRoute] = [Mount("/static", Kept(directory=STATIC), name="static")]
    routes += [one.route(house) for one in ROUTES]

    # Said to whoever asked, in whatever way: what a form held was read before, or never will be.
    async def missing(request: Request, error: Exception) -> Response:
        return await page(house, _missing, signed_in=False)(Request({**request.scope, "method": "GET"}))

    async def broken(request: Request, error: Exception) -> Response:
        return await page(house, _broken, signed_in=False)(Request({**request.scope, "method": "GET"}))

    packed = [Middleware(GZipMiddleware, minimum_size=800)]
    return Console(
        "/", Starlette(routes=routes, middleware=packed, exception_handlers={404: missing, 500: broken}), name="console"
    )


def pages() -> Environment:
    """The templates; a value that is missing is a mistake and never shown as nothing."""
    made = Environment(
        loader=PackageLoader("services.console"),
        autoescape=True,
        enable_async=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["boards_for"] = boards_for
    return made


async def _broken(visit: Any) -> Response:
    """A defect of ours: said plainly, and written down by who stands around us."""
    text = visit.say("出现了意外错误，已经记录。请稍后重试。")
    answer: Response = await visit.show("problem.html", status=500, signed_in=False, text=text, problem_status=500)
    return answer


async def _missing(visit: Any) -> Response:
    text = visit.say("没有这个页面，或者您无权查看。")
    answer: Response = await visit.show("problem.html", status=404, signed_in=False, text=text, problem_status=404)
    return answer


__all__ = ["create_console"]
