"""What a handler may ask for: the desk with everything behind the API, the caller, his language."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from services.api.door import Door
from services.api.errors import Unauthenticated, UnsupportedMedia
from services.api.ports import Engine, People, Reads
from services.api.views import CheckCodes, Viewer
from services.identity.errors import OutOfScope
from services.identity.keys import MARK, Key
from services.identity.rates import Rates
from services.identity.tokens import Tokens
from services.texts.catalogue import choose
from workflows.kernel.process import Actor
from workflows.policy.pack import Pack

PREFIX = "/api/v1"
_bearer = OAuth2PasswordBearer(tokenUrl=f"{PREFIX}/auth/token", auto_error=False, scheme_name="bearer")


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything behind the API, put together once by the composition root."""

    engine: Engine
    reads: Reads
    people: People
    tokens: Tokens
    door: Door
    codes: CheckCodes
    pack: Pack
    """The policy pack that new cases are pinned to."""
    rates: Rates


# Nothing here waits, but FastAPI would send a plain function to a thread.
async def desk(request: Request) -> Desk:
    """The desk of this app."""
    found: Desk = request.app.state.desk
    return found


DeskDep = Annotated[Desk, Depends(desk)]


async def language(request: Request) -> str:
    """The caller's language, `zh` or `en`."""
    return choose(request.headers.get("accept-language"))


LanguageDep = Annotated[str, Depends(language)]


async def actor(request: Request, desk: DeskDep, token: Annotated[str | None, Depends(_bearer)]) -> Actor:
    """The caller, by a token or by a machine's key; raises a refusal that is answered by 401, 403 or 429."""
    if not token:
        raise Unauthenticated("TOKEN_MISSING")
    if token.startswith(MARK):
        found, key = await desk.people.machine(token)
        require_scope(request, key)
    else:
        found = await desk.people.caller(desk.tokens.read(token))
    await desk.rates.account(found.id)
    request.scope["actor_id"] = found.id
    return found


def require_scope(request: Request, key: Key) -> None:
    """Let a machine's key through to what it was made for; raises `OutOfScope`.

    A scope is the first part of an address and what is done there: `issues.submit_issue`, `issues.read`.
    """
    route = request.scope["route"]
    extra = route.openapi_extra or {}
    action = (
        "read" if request.method in ("GET", "HEAD") else extra.get("x-form") or route.operation_id.rpartition(".")[2]
    )
    part = request.scope["path"].removeprefix(PREFIX).split("/")[1]
    if not key.opens(part, action):
        raise OutOfScope("OUT_OF_SCOPE", scope=f"{part}.{action}")


ActorDep = Annotated[Actor, Depends(actor)]


async def viewer(request: Request, token: Annotated[str | None, Depends(_bearer)]) -> Viewer:
    """The caller as somebody who looks at cases."""
    # Called rather than depended on: each dependency costs the framework as much as these two do together.
    return Viewer(await actor(request, await desk(request), token), await language(request))


ViewerDep = Annotated[Viewer, Depends(viewer)]


async def json_body(request: Request) -> bytes:
    """The body of a request as it came; raises `UnsupportedMedia` when it says to be something else than JSON."""
    body = await request.body()
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if body and kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMedia
    return body


def address_of(request: Request) -> str:
    """The address that a request comes from; a trusted proxy's word for it is taken by the server before."""
    return request.client.host if request.client else ""


BodyDep = Annotated[bytes, Depends(json_body)]


__all__ = [
    "PREFIX",
    "ActorDep",
    "BodyDep",
    "Desk",
    "DeskDep",
    "LanguageDep",
    "ViewerDep",
    "address_of",
    "json_body",
]
