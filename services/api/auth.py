"""Sign in, and say who one is."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel

from services.api.deps import ActorDep, DeskDep, LanguageDep, address_of
from services.api.limits import TimedRoute
from services.api.rights import may, rights_of
from services.texts.catalogue import TAGS
from workflows.kernel.process import Process

CODE = "动态口令 / one-time code, where the account has a second factor"


class Token(BaseModel):
    """A bearer token; `expires_in` counts seconds."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int


class HeldRole(BaseModel):
    """A role and where it holds."""

    role: str
    title: str
    place: str
    place_name: str
    level: str | None
    org: str | None
    org_name: str | None
    substitute_for: str | None = None
    """The absent person whose role it is."""


class Startable(BaseModel):
    """A case that may be started, and the command that starts it."""

    process: str
    command: str
    title: str


class May(BaseModel):
    """What the caller may do in his roles: start, and give as commands, by process; `/actions` says it of one case."""

    start: list[Startable]
    do: dict[str, list[str]]


class Me(BaseModel):
    """Who the caller is."""

    id: str
    username: str
    display_name: str
    roles: list[HeldRole]
    may: May


def auth_router(processes: Sequence[Process[Any]]) -> APIRouter:
    """Give `/auth/token` and `/me`."""
    router = APIRouter(route_class=TimedRoute, tags=["people"])

    @router.post("/auth/token", operation_id="sign_in", summary="登录 / sign in")
    async def token(
        request: Request,
        form: Annotated[OAuth2PasswordRequestForm, Depends()],
        desk: DeskDep,
        response: Response,
        code: Annotated[str | None, Form(max_length=16, description=CODE)] = None,
    ) -> Token:
        await desk.rates.sign_in(address_of(request))
        signed_in = await desk.people.sign_in(form.username, form.password, code)
        issued = desk.tokens.issue(signed_in.actor, second_factor=signed_in.second_factor)
        response.headers["Cache-Control"] = "no-store"
        return Token(access_token=issued, expires_in=int(desk.tokens.lifetime.total_seconds()))

    @router.get("/me", operation_id="me", summary="我是谁 / who I am", response_model=Me)
    async def me(actor: ActorDep, desk: DeskDep, language: LanguageDep) -> dict[str, Any]:
        about = await desk.people.me(actor, TAGS[language])
        return {**about, "may": may(actor, rights_of(processes), language)}

    return router
