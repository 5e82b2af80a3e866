"""What a handler may ask for: the desk with everything behind the API, the caller, his language."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from services.api.door import Door
from services.api.errors import Unauthenticated, UnsupportedMedia
from services.api.ports import Engine, People, Reads
from services.api.views import CheckCodes, Viewer
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
    """The caller; raises a refusal that is answered by 401."""
    if not token:
        raise Unauthenticated("TOKEN_MISSING")
    claims = desk.tokens.read(token)
    found = await desk.people.actor(claims.actor_id, claims.username)
    if found is None:
        raise Unauthenticated("ACCOUNT_CLOSED")
    request.scope["actor_id"] = found.id
    return found


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


BodyDep = Annotated[bytes, Depends(json_body)]


__all__ = [
    "PREFIX",
    "ActorDep",
    "BodyDep",
    "Desk",
    "DeskDep",
    "LanguageDep",
    "ViewerDep",
    "json_body",
]
