"""Pages for everybody, without signing in (公开页面): notice board, progress, ratings, verification, objections.

They are read on bad nets and old telephones: no library, no script that is needed, and nothing personal in an address.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from services.console.client import Problem, SignedOut
from services.console.pages.routing import At
from services.console.visit import Visit

NOTICES = {
    "MEMBER": "委员人选公示",
    "RESULT": "结果公示",
    "LISTING": "挂牌公示",
    "COMMENDATION": "表彰公示",
    "RESOLUTION": "决议公开",
    "GENERAL": "公示",
}
POSTS = {"CHAIR": "主任", "VICE_CHAIR": "副主任", "MEMBER": "委员", "DELEGATE": "代表", "GRID": "网格责任人"}
VARIANTS = {"UNIT": "单位准入", "WORK_ITEM": "工作事项准入"}
OUTCOMES = {"UPHELD": "异议成立", "DISMISSED": "异议不成立"}
SOLVED = {"YES": "已解决", "PARTLY": "部分解决", "NO": "未解决"}
SATISFACTION = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
IN_FORCE = ("ACTIVE", "RENEWAL_REVIEW", "RECTIFYING", "REVOCATION_PROPOSED")
"""States in which a permit holds (services/storage/permits.py)."""
PERMIT_STATES = (*IN_FORCE, "REGISTERED_ONLY", "REVOKED")
VERIFIED = {
    "documents": "文书",
    "certificates": "聘书",
    "permits": "准入批准书",
}
"""What can be verified, as addresses name it; QR codes on paper lead here."""
LONGEST_NUMBER = 128

Handler = Callable[[Visit], Awaitable[Response]]


def outside(handler: Handler) -> Handler:
    """Answer every no of the API by a page of this kind, however light."""

    @wraps(handler)
    async def answered(visit: Visit) -> Response:
        try:
            return await handler(visit)
        except Problem as no:
            return await _show(visit, "problem.html", status=no.status, text=no.detail)
        except SignedOut:
            return await _show(visit, "problem.html", status=404, text=visit.say("没有这个页面，或者您无权查看。"))

    return answered


async def _show(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    return await visit.show(f"public/{template}", status=status, signed_in=False, **values)


# --- where everybody begins ------------------------------------------------------------------------------


async def home(visit: Visit) -> Response:
    """What one can do here, and the communities."""
    found = await visit.api.get("/public/communities", q=visit.query("q")[:100])
    return await _show(visit, "home.html", communities=found["items"], q=visit.query("q"))


async def board(visit: Visit) -> Response:
    """公示栏 of a community."""
    shown = await visit.api.get(f"/public/communities/{_part(visit, 'code')}/board")
    return await _show(visit, "board.html", board=shown, kinds=NOTICES, posts=POSTS)


async def privacy(visit: Visit) -> Response:
    """Why personal data are asked for, and for how long they are kept."""
    return await _show(visit, "privacy.html", text=(await visit.api.get("/public/privacy"))["text"])


# --- one's own issue -------------------------------------------------------------------------------------


async def issue(visit: Visit) -> Response:
    """The form, or with a code in the address (a link, a QR code) at once what it leads to."""
    number, code = visit.request.path_params.get("number") or visit.query("number"), visit.query("check_code")
    if not number or not code:
        return await _show(visit, "issue_ask.html", number=number, wrong="")
    return await _progress(visit, number, code)


async def follow_issue(visit: Visit) -> Response:
    """How far it is, asked by a form: neither number nor code stands in an address."""
    number, code = await _asked(visit)
    return await _progress(visit, number, code)


async def rate(visit: Visit) -> Response:
    """Take the rating, once."""
    form = await visit.form()
    number, code = await _asked(visit)
    body: dict[str, Any] = {name: str(form[name]).strip() for name in ("solved", "remark") if form.get(name)}
    body["satisfaction"] = int(value) if (value := str(form.get("satisfaction", ""))) in "12345" and value else None
    body = {name: value for name, value in body.items() if value not in ("", None)}
    try:
        await visit.api.post(f"/public/issues/{quote(number, safe='')}/rating?check_code={quote(code)}", body)
    except Problem as no:
        return await _progress(visit, number, code, no=no, given=body)
    return await _progress(visit, number, code, thanks=True)


async def _progress(
    visit: Visit,
    number: str,
    code: str,
    *,
    no: Problem | None = None,
    given: Mapping[str, Any] | None = None,
    thanks: bool = False,
) -> Response:
    try:
        found = await _by_code(visit, "issues", number, code)
    except Problem as wrong:
        return await _show(visit, "issue_ask.html", status=wrong.status, number=number, wrong=_why(visit, wrong))
    return await _show(
        visit,
        "issue.html",
        status=no.status if no else 200,
        issue=found,
        code=code,
        problem=no,
        given=given or {},
        thanks=thanks,
        scale=SATISFACTION,
        solved=SOLVED,
    )


# --- is it true? -----------------------------------------------------------------------------------------


async def verification(visit: Visit) -> Response:
    """The form; what a QR code on paper leads to is answered at once."""
    kind = visit.request.path_params.get("kind") or visit.query("kind") or "documents"
    number, code = visit.request.path_params.get("number") or visit.query("number"), visit.query("check_code")
    if kind not in VERIFIED:
        return await _show(visit, "problem.html", status=404, text=visit.say("没有这个页面，或者您无权查看。"))
    if not number or not code:
        return await _show(visit, "verify_ask.html", kind=kind, kinds=VERIFIED, number=number, wrong="")
    return await _verified(visit, kind, number, code)


async def verify(visit: Visit) -> Response:
    """Say whether it is true, asked by a form."""
    kind = str((await visit.form()).get("kind", ""))
    return await _verified(visit, kind if kind in VERIFIED else "documents", *await _asked(visit))


async def _verified(visit: Visit, kind: str, number: str, code: str) -> Response:
    try:
        found = await _by_code(visit, kind, number, code)
    except Problem as wrong:
        return await _show(
            visit,
            "verify_ask.html",
            status=wrong.status,
            kind=kind,
            kinds=VERIFIED,
            number=number,
            wrong=_why(visit, wrong),
        )
    names = await _places(visit, found.get("communities", ())) if kind == "permits" else {}
    return await _show(
        visit,
        "verified.html",
        kind=kind,
        found=found,
        code=code,
        kinds=VERIFIED,
        posts=POSTS,
        variants=VARIANTS,
        in_force=IN_FORCE,
        places=names,
    )


# --- permits ---------------------------------------------------------------------------------------------


async def permits(visit: Visit) -> Response:
    """The public register of permits, what ends first in front."""
    wanted = {name: visit.query(name)[:64] for name in ("state", "community", "org") if visit.query(name)}
    page = await visit.api.get("/public/permits", **wanted, cursor=visit.query("cursor"))
    codes = {code for row in page["items"] for code in row["communities"]}
    places, known = await asyncio.gather(_places(visit, codes), visit.api.get("/public/communities"))
    return await _show(
        visit,
        "permits.html",
        permits=page["items"],
        following=page["next_cursor"],
        wanted=wanted,
        places=places,
        communities=known["items"],
        states=PERMIT_STATES,
        variants=VARIANTS,
    )


# --- notices and objections ------------------------------------------------------------------------------


async def notice(visit: Visit) -> Response:
    """A notice, and the form to object to it while it runs."""
    return await _notice(visit)


async def object_to(visit: Visit) -> Response:
    """Take an objection, and give its number and code, shown once."""
    form = await visit.form()
    given = {name: str(form.get(name, "")).strip() for name in ("name", "contact", "ground")}
    body = {name: value for name, value in given.items() if value}
    try:
        taken = await visit.api.post(f"/public/notices/{_part(visit, 'number')}/objections", body)
    except Problem as no:
        return await _notice(visit, no, given)
    return await _show(visit, "objected.html", status=201, taken=taken)


async def _notice(visit: Visit, no: Problem | None = None, given: Mapping[str, str] | None = None) -> Response:
    found, told = await asyncio.gather(
        visit.api.get(f"/public/notices/{_part(visit, 'number')}"), visit.api.get("/public/privacy")
    )
    return await _show(
        visit,
        "notice.html",
        status=no.status if no else 200,
        notice=found,
        kinds=NOTICES,
        problem=no,
        given=given or {},
        privacy=told["text"],
    )


async def objection(visit: Visit) -> Response:
    """The form to follow an objection."""
    number, code = visit.query("number"), visit.query("check_code")
    if number and code:
        return await _objection(visit, number, code)
    return await _show(visit, "objection_ask.html", number=number, wrong="")


async def follow_objection(visit: Visit) -> Response:
    """How far it is."""
    return await _objection(visit, *await _asked(visit))


async def _objection(visit: Visit, number: str, code: str) -> Response:
    try:
        found = await _by_code(visit, "objections", number, code)
    except Problem as wrong:
        return await _show(visit, "objection_ask.html", status=wrong.status, number=number, wrong=_why(visit, wrong))
    return await _show(visit, "objection.html", objection=found, outcomes=OUTCOMES)


# --- ballots ---------------------------------------------------------------------------------------------


async def ballot(visit: Visit) -> Response:
    """A ballot of an inspection: whoever holds its token answers once, unknown."""
    return await _ballot(visit)


async def answer_ballot(visit: Visit) -> Response:
    """Take the answer."""
    form = await visit.form()
    rating, opinion = str(form.get("rating", "")), str(form.get("opinion", "")).strip()
    body: dict[str, Any] = {"rating": int(rating)} if rating in ("1", "2", "3", "4", "5") else {}
    if opinion:
        body["opinion"] = opinion
    try:
        await visit.api.post(f"/public/ballots/{_part(visit, 'token')}", body)
    except Problem as no:
        return await _ballot(visit, no, body)
    return await _show(visit, "thanks.html", status=201)


async def _ballot(visit: Visit, no: Problem | None = None, given: Mapping[str, Any] | None = None) -> Response:
    paper = await visit.api.get(f"/public/ballots/{_part(visit, 'token')}")
    return await _show(
        visit,
        "ballot.html",
        status=no.status if no else 200,
        paper=paper,
        problem=no,
        given=given or {},
        scale=SATISFACTION,
    )


# --- what the pages share --------------------------------------------------------------------------------


async def old_board(visit: Visit) -> Response:
    """The address that people type first."""
    return RedirectResponse("/p", 303)


def _part(visit: Visit, name: str) -> str:
    """A part of this page's address, as an address of the API has it."""
    return quote(visit.request.path_params[name][:LONGEST_NUMBER], safe="")


async def _asked(visit: Visit) -> tuple[str, str]:
    form = await visit.form()
    return str(form.get("number", "")).strip()[:LONGEST_NUMBER], str(form.get("check_code", "")).strip()[:16]


async def _by_code(visit: Visit, kind: str, number: str, code: str) -> dict[str, Any]:
    """What number and code open; raises `Problem`, 404 for a wrong one of either."""
    if not number or not code:
        raise Problem(404, {})
    found: dict[str, Any] = await visit.api.get(f"/public/{kind}/{quote(number, safe='')}", check_code=code)
    return found


def _why(visit: Visit, no: Problem) -> str:
    """A wrong number and a wrong code are one and the same answer: nobody learns which numbers there are."""
    return visit.say("编号或查询码不正确，请核对后再试。") if no.status in (404, 422) else no.detail


async def _places(visit: Visit, codes: Any) -> dict[str, str]:
    wanted = sorted(codes)
    if not wanted:
        return {}
    found = await visit.api.get("/public/communities", of=wanted)
    return {one["code"]: one["name"] for one in found["items"]}


def _at(path: str, handler: Handler, *methods: str) -> At:
    return At(path, outside(handler), methods or ("GET",), signed_in=False)


PAGES = (
    _at("/p", home),
    _at("/p/communities", old_board),
    _at("/p/communities/{code}", board),
    _at("/p/privacy", privacy),
    _at("/p/issues", issue),
    _at("/p/issues", follow_issue, "POST"),
    _at("/p/issues/rating", rate, "POST"),
    _at("/p/issues/{number}", issue),
    _at("/p/verify", verification),
    _at("/p/verify", verify, "POST"),
    _at("/p/permits", permits),
    _at("/p/notices/{number}", notice),
    _at("/p/notices/{number}", object_to, "POST"),
    _at("/p/objections", objection),
    _at("/p/objections", follow_objection, "POST"),
    _at("/p/ballots/{token}", ballot),
    _at("/p/ballots/{token}", answer_ballot, "POST"),
    _at("/p/{kind}/{number}", verification),
)
