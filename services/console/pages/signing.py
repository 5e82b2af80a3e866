"""Sign in and out, and the language (登录)."""

import contextlib
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, RedirectResponse, Response

from services.console.client import Problem, SignedOut
from services.console.language import LANGUAGES
from services.console.pages.routing import At
from services.console.session import FORM_TOKEN, form_token
from services.console.visit import SIGN_IN, Visit

REFUSED = f"{SIGN_IN}?refused=1"
TICKET = "shangliang_oidc"
"""The API's cookie for who has left for the provider."""


def inside(address: str) -> str:
    """An address of ours, whatever was given: nobody is sent elsewhere after signing in."""
    parts = urlsplit(address)
    is_ours = not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith("//")
    return address if is_ours and "\\" not in address else "/"


async def ask(visit: Visit) -> Response:
    """The form."""
    wrong = visit.say("统一身份登录没有完成，请重试。") if visit.query("refused") else ""
    return await _form(visit, next=inside(visit.query("next") or "/"), wrong=wrong)


async def _form(visit: Visit, *, next: str, wrong: str = "", name: str = "", status: int = 200) -> Response:
    try:
        provider = (await visit.api.get("/auth/ways"))["provider"]
    except Problem:
        # Who cannot be told of another way signs in by his password.
        provider = False
    return await visit.show(
        "sign_in.html",
        status=status,
        signed_in=False,
        next=next,
        wrong=wrong,
        name=name,
        provider=provider,
        said=visit.say("密码已修改，请用新密码登录。") if visit.query("done") == "password" else "",
    )


async def check(visit: Visit) -> Response:
    """Name, password and, where there is one, the second factor."""
    form = await visit.form()
    name, password = str(form.get("username", "")), str(form.get("password", ""))
    wanted = {"username": name, "password": password}
    if code := str(form.get("code", "")).strip():
        wanted["code"] = code
    back = inside(str(form.get("next", "/")))
    visit.api.token = None
    try:
        session = await visit.api.post("/auth/sessions", wanted)
    except SignedOut:
        wrong = visit.say("用户名、密码或动态口令不正确。")
        return await _form(visit, status=401, next=back, wrong=wrong, name=name)
    except Problem as no:
        return await _form(visit, status=no.status, next=back, wrong=no.detail, name=name)
    return _signed_in(visit, session, back)


def _signed_in(visit: Visit, session: dict[str, Any], back: str) -> Response:
    response = RedirectResponse(back, 303)
    visit.house.cookies.keep(response, session)
    # Another person at the same browser has another token for his forms.
    visit.house.cookies.know(response, token_urlsafe(16))
    return response


async def to_provider(visit: Visit) -> Response:
    """Leave for the provider, with a ticket that only this browser holds."""
    try:
        answer = await visit.api.file("/auth/oidc/login", "*/*", page="true")
    except (Problem, SignedOut):
        return RedirectResponse(REFUSED, 303)
    response = RedirectResponse(answer.headers["location"], 303)
    response.headers["set-cookie"] = answer.headers["set-cookie"]
    return response


async def from_provider(visit: Visit) -> Response:
    """Come back from it."""
    visit.api.token = None
    cookies = {name: value for name, value in visit.request.cookies.items() if name == TICKET}
    visit.api.headers = {**visit.api.headers, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    try:
        session = await visit.api.get(
            "/auth/oidc/callback", state=visit.query("state"), code=visit.query("code"), page="true"
        )
    except (Problem, SignedOut):
        return RedirectResponse(REFUSED, 303)
    return _signed_in(visit, session, "/")


async def leave(visit: Visit) -> Response:
    """Sign out."""
    with contextlib.suppress(SignedOut, Problem):
        await visit.api.post("/me/sign-out")
    response = RedirectResponse(SIGN_IN, 303)
    visit.house.cookies.drop(response)
    return response


async def token(visit: Visit) -> Response:
    """The token for the forms of this browser: whoever has signed in again beside a form sends it with a new one."""
    return JSONResponse({FORM_TOKEN: form_token(visit.house.secret, visit.request)})


async def speak(visit: Visit) -> Response:
    """Another language."""
    language = visit.request.path_params["language"]
    response = RedirectResponse(inside(visit.query("next") or "/"), 303)
    if language in LANGUAGES:
        visit.house.cookies.speak(response, language)
    return response


PAGES = (
    At(SIGN_IN, ask, signed_in=False),
    At(SIGN_IN, check, ("POST",), signed_in=False),
    At(f"{SIGN_IN}/provider", to_provider, signed_in=False),
    At(f"{SIGN_IN}/provider/back", from_provider, signed_in=False),
    At("/sign-out", leave, ("POST",), signed_in=False),
    At("/form-token", token, signed_in=False),
    At("/language/{language}", speak, signed_in=False),
)
