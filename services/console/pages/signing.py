"""Sign in and out, and the language (登录)."""

import contextlib
from secrets import token_urlsafe
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from services.console.client import Problem, SignedOut
from services.console.language import LANGUAGES
from services.console.pages.routing import At
from services.console.visit import SIGN_IN, Visit


def inside(address: str) -> str:
    """An address of ours, whatever was given: nobody is sent elsewhere after signing in."""
    parts = urlsplit(address)
    is_ours = not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith("//")
    return address if is_ours and "\\" not in address else "/"


async def ask(visit: Visit) -> Response:
    """The form."""
    return await visit.show("sign_in.html", signed_in=False, next=inside(visit.query("next") or "/"), wrong="", name="")


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
        return await visit.show("sign_in.html", status=401, signed_in=False, next=back, wrong=wrong, name=name)
    except Problem as no:
        return await visit.show(
            "sign_in.html", status=no.status, signed_in=False, next=back, wrong=no.detail, name=name
        )
    response = RedirectResponse(back, 303)
    visit.house.cookies.keep(response, session)
    # Another person at the same browser has another token for his forms.
    visit.house.cookies.know(response, token_urlsafe(16))
    return response


async def leave(visit: Visit) -> Response:
    """Sign out."""
    with contextlib.suppress(SignedOut, Problem):
        await visit.api.post("/me/sign-out")
    response = RedirectResponse(SIGN_IN, 303)
    visit.house.cookies.drop(response)
    return response


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
    At("/sign-out", leave, ("POST",), signed_in=False),
    At("/language/{language}", speak, signed_in=False),
)
