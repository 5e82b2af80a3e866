"""Who is signed in to the console: two cookies, and a token against forged forms (会话)."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

ACCESS = "shangliang_access"
RENEW = "shangliang_renew"
LANGUAGE = "shangliang_language"
VISITOR = "shangliang_visitor"
FORM_TOKEN = "form_token"  # the name of a field  # nosec B105
HEADER = "X-Form-Token"
A_MONTH = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Cookies:
    """Sets and reads the console's cookies; none of them is for scripts, none leaves this site."""

    secure: bool

    def keep(self, response: Response, session: dict[str, Any]) -> None:
        """Keep a session that the API has given."""
        self._set(response, ACCESS, session["access_token"], int(session["expires_in"]))
        if renew := session.get("refresh_token"):
            self._set(response, RENEW, renew, A_MONTH)

    def drop(self, response: Response) -> None:
        """Forget the session."""
        for name in (ACCESS, RENEW):
            response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")

    def speak(self, response: Response, language: str) -> None:
        """Remember the language."""
        self._set(response, LANGUAGE, language, 12 * A_MONTH)

    def know(self, response: Response, visitor: str) -> None:
        """Know a browser again, for the token of its forms."""
        self._set(response, VISITOR, visitor, 12 * A_MONTH)

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(name, value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax")


def form_token(secret: bytes, request: Request) -> str:
    """The token that every form of this browser carries: nobody else's page can know it."""
    visitor = request.cookies.get(VISITOR) or request.state.visitor
    return hmac.new(secret, f"form|{visitor}".encode(), hashlib.sha256).hexdigest()


def is_own_form(secret: bytes, request: Request, given: str | None) -> bool:
    """Say whether a form came from a page of ours."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    return given is not None and hmac.compare_digest(form_token(secret, request).encode(), given.encode())
