"""My account (我的账号): who I am and where, password, second factor, devices, ways to be told, calendar, my data."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import segno
from starlette.responses import Response

from services.console.client import Problem
from services.console.pages.routing import At
from services.console.visit import SIGN_IN, Visit

PATH = "/account"
SAID = {
    "factor-on": "动态口令已启用，下次登录时需要输入。",
    "factor-off": "动态口令已解除。",
    "channel": "通知渠道已添加。",
    "channel-closed": "通知渠道已停用。",
    "feed-closed": "日历订阅链接已停用。",
}
"""What was done, by the word in the address."""
GIVEN = ("url", "quiet_from", "quiet_until", "digest_at", "language")


async def account(visit: Visit) -> Response:
    """The whole page."""
    return await _page(visit)


async def _page(
    visit: Visit,
    *,
    at: str = "",
    no: Problem | None = None,
    given: Mapping[str, str] | None = None,
    factor: Mapping[str, str] | None = None,
    feeds: Mapping[str, Any] | None = None,
) -> Response:
    """The page; `at` is the part in which `no` or something new is shown."""
    sessions, confirmed, channels = await asyncio.gather(
        visit.api.get("/me/sessions"), visit.api.get("/me/second-factor"), visit.api.get("/channels")
    )
    return await visit.show(
        "account.html",
        status=no.status if no else 200,
        sessions=sessions["items"],
        confirmed=confirmed["confirmed"],
        channels=channels["items"],
        at=at,
        problem=no,
        given=given or {},
        factor=factor,
        square=_square(factor["uri"]) if factor else "",
        feeds=feeds,
        said=visit.say(SAID[visit.query("done")]) if visit.query("done") in SAID else "",
    )


async def password(visit: Visit) -> Response:
    """Another password; the one of now must be shown."""
    form = await visit.form()
    old, new, again = (str(form.get(name, "")) for name in ("old_password", "new_password", "again"))
    if new != again:
        message = visit.say("两次输入的新密码不一样。")
        return await _page(visit, at="password", no=_fault("again", message))
    try:
        await visit.api.put("/me/password", {"old_password": old, "new_password": new})
    except Problem as no:
        return await _page(visit, at="password", no=no)
    # Every session of before has ended with the old password, this one too.
    response = visit.go(f"{SIGN_IN}?done=password")
    visit.house.cookies.drop(response)
    return response


async def begin_factor(visit: Visit) -> Response:
    """A new secret as a square to scan; it counts once a code was shown."""
    try:
        made = await visit.api.post("/me/second-factor")
    except Problem as no:
        return await _page(visit, at="factor", no=no)
    return await _page(visit, at="factor", factor=made)


async def confirm_factor(visit: Visit) -> Response:
    """The first code."""
    form = await visit.form()
    try:
        await visit.api.put("/me/second-factor", {"code": str(form.get("code", "")).strip()})
    except Problem as no:
        # The secret is still the same: it is in the form, never in an address.
        held = {name: str(form.get(name, "")) for name in ("secret", "uri")}
        return await _page(visit, at="factor", no=no, factor=held if held["uri"].startswith("otpauth://") else None)
    return visit.go(f"{PATH}?done=factor-on#factor")


async def remove_factor(visit: Visit) -> Response:
    """Ask for no more codes."""
    form = await visit.form()
    try:
        await visit.api.post("/me/second-factor/removal", {"code": str(form.get("code", "")).strip()})
    except Problem as no:
        return await _page(visit, at="factor", no=no)
    return visit.go(f"{PATH}?done=factor-off#factor")


async def leave_everywhere(visit: Visit) -> Response:
    """Sign out on every device, this one too."""
    await visit.api.delete("/me/sessions")
    response = visit.go(SIGN_IN)
    visit.house.cookies.drop(response)
    return response


async def add_channel(visit: Visit) -> Response:
    """Another way to be told."""
    form = await visit.form()
    given = {name: str(form.get(name, "")).strip() for name in GIVEN}
    try:
        await visit.api.post("/channels", {name: value for name, value in given.items() if value})
    except Problem as no:
        return await _page(visit, at="channels", no=no, given=given)
    return visit.go(f"{PATH}?done=channel#channels")


async def close_channel(visit: Visit) -> Response:
    """Send nothing more through it."""
    await visit.api.delete(f"/channels/{visit.request.path_params['channel']}")
    return visit.go(f"{PATH}?done=channel-closed#channels")


async def new_feed(visit: Visit) -> Response:
    """Links for a calendar program, shown once; the ones before open nothing any more."""
    return await _page(visit, at="feeds", feeds=await visit.api.post("/feeds/me"))


async def close_feed(visit: Visit) -> Response:
    """Take the links back."""
    try:
        await visit.api.delete("/feeds/me")
    except Problem as no:
        if no.status != 404:
            raise
    return visit.go(f"{PATH}?done=feed-closed#feeds")


async def my_data(visit: Visit) -> Response:
    """Everything that is kept of me, as a file."""
    found = await visit.api.get("/me/data")
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "no-store"}
    return Response(json.dumps(found, ensure_ascii=False, indent=2), media_type="application/json", headers=headers)


def _fault(field: str, message: str) -> Problem:
    return Problem(422, {"detail": message, "errors": [{"field": field, "message": message}]})


def _square(text: str) -> str:
    """A QR code as a picture in the page."""
    drawn: str = segno.make(text, error="m").svg_data_uri(scale=5, border=2, light="#fff")
    return drawn


PAGES = (
    At(PATH, account),
    At(f"{PATH}/password", password, ("POST",)),
    At(f"{PATH}/factor", begin_factor, ("POST",)),
    At(f"{PATH}/factor/confirm", confirm_factor, ("POST",)),
    At(f"{PATH}/factor/remove", remove_factor, ("POST",)),
    At(f"{PATH}/sessions/end", leave_everywhere, ("POST",)),
    At(f"{PATH}/channels", add_channel, ("POST",)),
    At(f"{PATH}/channels/{{channel}}/close", close_channel, ("POST",)),
    At(f"{PATH}/feeds", new_feed, ("POST",)),
    At(f"{PATH}/feeds/close", close_feed, ("POST",)),
    At(f"{PATH}/data.json", my_data),
)
