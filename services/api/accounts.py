"""What people do with their accounts: sessions, password, second factor, another provider; and keys for machines."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Cookie, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.api.auth import CODE
from services.api.deps import PREFIX, ActorDep, Desk, DeskDep, address_of
from services.api.errors import NotFound
from services.api.limits import TimedRoute
from services.api.views import moment
from services.identity.accounts import Accounts, Pass
from services.identity.errors import OutOfScope, ProviderRefused
from services.identity.keys import MARK, ApiKeys
from workflows.kernel.process import Actor, Forbidden
from workflows.kernel.roles import Role

TICKET = "shangliang_oidc"
CALLBACK = f"{PREFIX}/auth/oidc/callback"
PAGE_CALLBACK = "/sign-in/provider/back"
"""Where the provider sends the browser of somebody who signs in to the console."""
LONGEST_PASSWORD = 1024

Password = Annotated[str, Field(min_length=1, max_length=LONGEST_PASSWORD)]
Code = Annotated[str, Field(min_length=1, max_length=16, description=CODE)]
ForPage = Annotated[bool, Query(description="由控制台页面发起 / begun by a page of the console")]


class Body(BaseModel):
    """A body in which every field is known."""

    model_config = ConfigDict(extra="forbid")


class SignInBody(Body):
    """Who wants to sign in."""

    username: Annotated[str, Field(max_length=64)]
    password: Password
    code: Code | None = None


class RefreshBody(Body):
    """The token that renews a session."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class PasswordBody(Body):
    """The password of now and the one to come."""

    old_password: Password
    new_password: Password


class CodeBody(Body):
    """A one-time code."""

    code: Code


class KeyBody(Body):
    """A key for a machine: as which account it acts, how far it goes, and until when."""

    username: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=50)]
    expires_at: AwareDatetime


class Session(BaseModel):
    """An access token and the token that renews it, once; `expires_in` counts seconds."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int
    refresh_token: str
    refresh_expires_at: datetime


class Ways(BaseModel):
    """By what one may sign in: always by name and password, and by another provider where there is one."""

    password: bool = True
    provider: bool


class Factor(BaseModel):
    """A second factor that was begun: its secret, and the same as an address for authenticators (QR code)."""

    secret: str
    uri: str


def account_router(accounts: Accounts, keys: ApiKeys, *, public_url: str = "") -> APIRouter:
    """Give `/auth/*` beyond the token, `/me/*` and `/api-keys`; `public_url` is where browsers reach the product."""
    router = APIRouter(route_class=TimedRoute, tags=["people"])
    _add_sessions(router, accounts)
    _add_own(router, accounts)
    _add_provider(router, accounts, public_url)
    _add_keys(router, keys)
    return router


def _add_sessions(router: APIRouter, accounts: Accounts) -> None:
    @router.post("/auth/sessions", operation_id="sign_in_and_stay", summary="登录并保持 / sign in and stay")
    async def sessions(request: Request, body: SignInBody, desk: DeskDep, response: Response) -> Session:
        await desk.rates.sign_in(address_of(request))
        return _session(await accounts.sign_in(body.username, body.password, body.code), desk, response)

    @router.post("/auth/refresh", operation_id="refresh", summary="续期 / renew the session")
    async def refresh(request: Request, body: RefreshBody, desk: DeskDep, response: Response) -> Session:
        await desk.rates.sign_in(address_of(request))
        return _session(await accounts.renew(body.refresh_token), desk, response)

    @router.post("/me/sign-out", operation_id="sign_out", summary="退出登录 / give this token back", status_code=204)
    async def sign_out(request: Request, actor: ActorDep, desk: DeskDep) -> None:
        shown = request.headers["authorization"].partition(" ")[2]
        if shown.startswith(MARK):
            raise OutOfScope("OUT_OF_SCOPE", scope="people")
        await accounts.sign_out(desk.tokens.read(shown))


def _add_own(router: APIRouter, accounts: Accounts) -> None:
    @router.get("/me/sessions", operation_id="my_sessions", summary="我的登录 / where I am signed in")
    async def sessions(actor: ActorDep) -> dict[str, Any]:
        shown = ("created_at", "rotated_at", "expires_at")
        rows = await accounts.sessions(actor)
        return {"items": [{**row, "id": str(row["id"])} | {name: moment(row[name]) for name in shown} for row in rows]}

    @router.delete(
        "/me/sessions", operation_id="sign_out_everywhere", summary="全部退出 / sign out everywhere", status_code=204
    )
    async def everywhere(actor: ActorDep) -> None:
        await accounts.sign_out_everywhere(actor)

    @router.put("/me/password", operation_id="change_password", summary="修改密码 / another password", status_code=204)
    async def password(body: PasswordBody, actor: ActorDep) -> None:
        await accounts.change_password(actor, body.old_password, body.new_password)

    @router.get("/me/second-factor", operation_id="second_factor", summary="第二因子 / second factor")
    async def factor(actor: ActorDep) -> dict[str, bool]:
        return {"confirmed": await accounts.has_second_factor(actor)}

    @router.post(
        "/me/second-factor",
        operation_id="begin_second_factor",
        summary="绑定动态口令 / begin a second factor",
        status_code=201,
    )
    async def begin(actor: ActorDep, response: Response) -> Factor:
        response.headers["Cache-Control"] = "no-store"
        return Factor(**await accounts.begin_second_factor(actor))

    @router.put(
        "/me/second-factor",
        operation_id="confirm_second_factor",
        summary="启用动态口令 / confirm it by a code",
        status_code=204,
    )
    async def confirm(body: CodeBody, actor: ActorDep) -> None:
        await accounts.confirm_second_factor(actor, body.code)

    @router.post(
        "/me/second-factor/removal",
        operation_id="remove_second_factor",
        summary="解除动态口令 / ask for no more codes",
        status_code=204,
    )
    async def remove(body: CodeBody, actor: ActorDep) -> None:
        await accounts.remove_second_factor(actor, body.code)


def _add_provider(router: APIRouter, accounts: Accounts, public_url: str) -> None:
    def callback(request: Request, page: bool) -> str:
        return (public_url.rstrip("/") or str(request.base_url).rstrip("/")) + (PAGE_CALLBACK if page else CALLBACK)

    @router.get("/auth/ways", operation_id="sign_in_ways", summary="登录方式 / ways to sign in")
    async def ways() -> Ways:
        return Ways(provider=accounts.provider is not None)

    @router.get(
        "/auth/oidc/login",
        operation_id="oidc_login",
        summary="统一身份登录 / sign in by the provider",
        status_code=303,
        response_class=RedirectResponse,
    )
    async def login(request: Request, desk: DeskDep, page: ForPage = False) -> RedirectResponse:
        if accounts.provider is None:
            raise NotFound
        await desk.rates.sign_in(address_of(request))
        back = callback(request, page)
        url, ticket = await accounts.provider.begin(back)
        answer = RedirectResponse(url, 303)
        answer.set_cookie(
            TICKET,
            ticket,
            max_age=600,
            path=PAGE_CALLBACK if page else CALLBACK,
            httponly=True,
            secure=back.startswith("https:"),
            samesite="lax",
        )
        return answer

    @router.get("/auth/oidc/callback", operation_id="oidc_callback", summary="统一身份返回 / back from it")
    async def finish(
        request: Request,
        desk: DeskDep,
        response: Response,
        state: Annotated[str, Query(max_length=200)] = "",
        code: Annotated[str, Query(max_length=4096)] = "",
        page: ForPage = False,
        ticket: Annotated[str, Cookie(alias=TICKET, max_length=4096)] = "",
    ) -> Session:
        if accounts.provider is None:
            raise NotFound
        await desk.rates.sign_in(address_of(request))
        if not code or not ticket:
            raise ProviderRefused("OIDC_REFUSED")
        identity = await accounts.provider.finish(ticket, state=state, code=code, redirect_uri=callback(request, page))
        session = _session(await accounts.sign_in_as(identity), desk, response)
        response.delete_cookie(TICKET, path=CALLBACK)
        return session


def _add_keys(router: APIRouter, keys: ApiKeys) -> None:
    @router.get("/api-keys", operation_id="api_keys", summary="接口密钥 / keys of machines")
    async def listed(actor: ActorDep, desk: DeskDep) -> dict[str, Any]:
        _administrator(actor)
        rows = await keys.listed()
        return {"items": [_key(row) for row in rows if await _is_mine(desk, actor, row)]}

    @router.post("/api-keys", operation_id="make_api_key", summary="新建接口密钥 / make a key", status_code=201)
    async def make(body: KeyBody, actor: ActorDep, desk: DeskDep, response: Response) -> dict[str, Any]:
        _administrator(actor)
        account = (await desk.people.by_username([body.username])).get(body.username)
        if account is not None and not _governs(actor, account):
            raise Forbidden("NOT_IN_ROLE", field="username")
        made, shown = await keys.make(
            username=body.username, name=body.name, scopes=body.scopes, expires_at=body.expires_at, by=UUID(actor.id)
        )
        response.headers["Cache-Control"] = "no-store"
        row = await keys.one(made)
        assert row is not None, "it was made just now"
        return {**_key(row), "key": shown}

    @router.delete(
        "/api-keys/{key_id}", operation_id="revoke_api_key", summary="注销接口密钥 / revoke a key", status_code=204
    )
    async def revoke(key_id: Annotated[UUID, Path()], actor: ActorDep, desk: DeskDep) -> None:
        _administrator(actor)
        row = await keys.one(key_id)
        if row is None or not await _is_mine(desk, actor, row):
            raise NotFound
        await keys.revoke(key_id, actor.id)


def _administrator(actor: Actor) -> None:
    if not any(grant.role == Role.TENANT_ADMIN for grant in actor.grants):
        raise Forbidden("NOT_IN_ROLE")


def _governs(actor: Actor, other: Actor) -> bool:
    """Say whether everything that the other may do lies in a place that this administrator keeps."""
    mine = tuple(grant.place for grant in actor.grants if grant.role == Role.TENANT_ADMIN)
    return all(grant.place.startswith(mine) for grant in other.grants)


async def _is_mine(desk: Desk, actor: Actor, row: dict[str, Any]) -> bool:
    account = (await desk.people.by_username([row["username"]])).get(row["username"])
    return account is None or _governs(actor, account)


def _key(row: dict[str, Any]) -> dict[str, Any]:
    shown = ("created_at", "expires_at", "revoked_at", "last_used_at")
    plain = {name: row[name] for name in ("username", "name", "prefix", "scopes")}
    return {"id": str(row["id"]), **plain, **{name: moment(row[name]) for name in shown}}


def _session(passed: Pass, desk: Desk, response: Response) -> Session:
    response.headers["Cache-Control"] = "no-store"
    return Session(
        access_token=passed.access_token,
        expires_in=int(desk.tokens.lifetime.total_seconds()),
        refresh_token=passed.refresh_token,
        refresh_expires_at=passed.refresh_expires_at,
    )
