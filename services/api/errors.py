"""Turn every no into an `application/problem+json` answer (RFC 9457) in the caller's language.

Refusal                                     a lawful no (workflows/kernel/process.py)
├── Forbidden, WrongState, VersionConflict, GuardFailed      the rules
├── SignInRefused, SignInTooOften, TokenRefused              services/identity/errors.py
└── Declined                                                 the API itself, below
    ├── Malformed  Invalid  Unauthenticated  NotFound
    └── TooLarge  TooSlow  UnsupportedMedia  TooMany  NotAcceptable
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from services.api.faults import Fault, faults
from services.engine import EngineUnavailable
from services.engine import TooMany as EngineBusy
from services.texts.catalogue import TAGS, catalogue, choose
from workflows.kernel.process import Refusal
from workflows.policy.packs import PackNotHere

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 2


class Declined(Refusal):
    """A no of the API itself; `faults` name the fields."""

    code = "invalid"

    def __init__(self, reason: str = "", *, faults: tuple[Fault, ...] = (), **details: Any) -> None:
        super().__init__(reason, **details)
        self.faults = faults


class Malformed(Declined):
    """The body is not JSON."""

    code = "malformed"


class Invalid(Declined):
    """A field is missing, unknown, too long or of the wrong kind."""

    def __init__(self, *found: Fault) -> None:
        super().__init__(faults=found, count=len(found))


class Unauthenticated(Declined):
    """No token, or one that cannot be trusted."""

    code = "unauthenticated"


class NotFound(Declined):
    """There is none, or the caller may not know of it."""

    code = "not_found"


class TooLarge(Declined):
    """More than the limit."""

    code = "too_large"


class TooSlow(Declined):
    """The body did not arrive in time."""

    code = "timeout"


class UnsupportedMedia(Declined):
    """A kind of content that is not taken here."""

    code = "unsupported_media"


class NotAcceptable(Declined):
    """The caller wants a format that there is not."""

    code = "not_acceptable"


class TooMany(Declined):
    """Too many requests; welcome again after `retry_after`."""

    code = "too_many"

    def __init__(self, reason: str, retry_after: timedelta) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


STATUS: Mapping[str, int] = {
    "malformed": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "timeout": 408,
    "wrong_state": 409,
    "guard_failed": 409,
    "version_conflict": 409,
    "idempotency_conflict": 409,
    "too_large": 413,
    "unsupported_media": 415,
    "invalid": 422,
    "too_many": 429,
    "defect": 500,
    "engine_unavailable": 503,
}
"""Status of each stable code; every class of refusal carries its code."""

CODES = {400: "malformed", **{status: code for code, status in STATUS.items() if status not in (409,)}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One answer that says no: `code` is stable, the rest is for people."""

    code: str
    reason: str = ""
    clause: str = ""
    faults: tuple[Fault, ...] = ()
    details: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None


def answer(problem: Problem, accept_language: str | None, request_id: str = "") -> JSONResponse:
    """Write a problem in the caller's language."""
    words, language = catalogue(), choose(accept_language)
    details = dict(problem.details or {})
    if problem.reason and words.has("reason", problem.reason, language):
        detail = words.say("reason", problem.reason, language, **details)
    else:
        detail = words.say("detail", problem.code, language, **details)
    if details.get("soft") and words.has("word", "soft", language):
        detail = f"{detail}{'' if language == 'zh' else ' '}{words.say('word', 'soft', language)}"
    body: dict[str, Any] = {
        "type": f"urn:shangliang:problem:{problem.code}",
        "title": words.say("code", problem.code, language),
        "status": STATUS[problem.code],
        "detail": detail,
        "code": problem.code,
    }
    if problem.reason:
        body["reason"] = problem.reason
    if problem.clause:
        body["clause"] = problem.clause
    body["errors"] = [{"field": fault.field, "message": fault.say(words, language)} for fault in problem.faults]
    if request_id:
        body["request_id"] = request_id
    headers = {"Content-Language": TAGS[language], "Cache-Control": "no-store", **(problem.headers or {})}
    return JSONResponse(body, STATUS[problem.code], headers, media_type=MEDIA_TYPE)


def of_refusal(refusal: Refusal) -> Problem:
    """The problem that a lawful no is."""
    found: tuple[Fault, ...] = getattr(refusal, "faults", ())
    if refusal.field and not found:
        found = (Fault(refusal.field, refusal.reason, refusal.details, table="reason"),)
    headers: dict[str, str] = {}
    if refusal.code == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    pause = getattr(refusal, "retry_after", None)
    if isinstance(pause, timedelta):
        headers["Retry-After"] = str(max(1, math.ceil(pause.total_seconds())))
    code = refusal.code if refusal.code in STATUS else "guard_failed"
    return Problem(
        code=code,
        reason=refusal.reason,
        clause=refusal.clause,
        faults=found,
        details=refusal.details,
        headers=headers,
    )


UNAVAILABLE = Problem(code="engine_unavailable", headers={"Retry-After": str(RETRY_AFTER)})
BUSY = Problem(code="too_many", headers={"Retry-After": str(RETRY_AFTER)})
DEFECT = Problem(code="defect")


def respond(request: Request, problem: Problem) -> JSONResponse:
    """Answer a request with a problem."""
    return answer(problem, request.headers.get("accept-language"), request.scope.get("request_id", ""))


def install(app: FastAPI) -> None:
    """Let the app answer every refusal as a problem."""

    async def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refusal)
        return respond(request, of_refusal(error))

    async def busy(request: Request, error: Exception) -> JSONResponse:
        return respond(request, BUSY)

    async def unavailable(request: Request, error: Exception) -> JSONResponse:
        return respond(request, UNAVAILABLE)

    async def unfit(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        if any(fault["type"] == "json_invalid" for fault in error.errors()):
            return respond(request, Problem(code="malformed"))
        found = faults(error.errors(), skip=1)
        return respond(request, Problem(code="invalid", faults=found, details={"count": len(found)}))

    async def plain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = CODES.get(error.status_code, "malformed" if error.status_code < 500 else "defect")
        return respond(request, Problem(code=code, headers=error.headers))

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(EngineBusy, busy)
    app.add_exception_handler(EngineUnavailable, unavailable)
    app.add_exception_handler(TimeoutError, unavailable)
    # The case is pinned to a pack that this program does not have: another one, newly installed, may.
    app.add_exception_handler(PackNotHere, unavailable)
    app.add_exception_handler(RequestValidationError, unfit)
    app.add_exception_handler(HTTPException, plain)
