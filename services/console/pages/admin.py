"""Administration (系统管理): troubles, history, retention, keys of machines; the way to all the rest."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from services.console.client import Problem
from services.console.pages.routing import At
from services.console.visit import Visit
from workflows.kernel.calendar import CHINA

ADMIN = "tenant_admin"
PARTS = (
    ("tree", "区划与组织", "building-community"),
    ("data/people", "人员与账号", "users"),
    ("data/roles", "任职", "certificate"),
    ("data/substitutions", "代理", "user"),
    ("lists", "清单", "list-details"),
    ("calendar", "工作日历", "calendar-event"),
    ("packs", "政策包", "scale"),
    ("templates", "文书模板", "file-text"),
    ("incidents", "异常", "alert-triangle"),
    ("audit", "审计", "shield-check"),
    ("retention", "保存期限", "clock"),
    ("keys", "接口密钥", "lock"),
)
"""The parts of administration: address, title, icon."""
FOR_ALL = ("lists", "calendar", "packs")
"""Rules that whoever has signed in may read."""
SAID = {
    "added": "已新增。",
    "changed": "已修改。",
    "removed": "已删除。",
    "retried": "已重试，事项继续办理。",
    "closed": "已关闭。",
    "revoked": "密钥已注销。",
    "imported": "已导入。",
    "recomputed": "日历已更新，暂定时限已重算。",
    "template_put": "模板已启用，今后的文书按它制作。",
    "template_dropped": "已恢复随附模板。",
}
INCIDENTS = {
    "CONFLICT": "记录冲突",
    "RECORD_FAILS": "无法记录",
    "EFFECT_FAILS": "联动未送达",
    "REFUSED_TELL": "联动被拒绝",
    "STUCK": "流程卡住",
    "RUN_FAILED": "流程中断",
    "NOBODY_TO_TELL": "通知无人可收",
    "NOTICE_DEAD": "通知渠道失效",
    "NOTICE_UNREADABLE": "通知渠道密钥缺失",
    "ACTIVITY_FAILS": "任务失败",
}
KEY_DAYS = 365

Handler = Callable[[Visit], Awaitable[Response]]


def places_kept(me: Mapping[str, Any]) -> list[str]:
    """The places that somebody administers, the widest first."""
    return sorted((one["place"] for one in me["roles"] if one["role"] == ADMIN), key=len)


async def show(visit: Visit, part: str, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page of administration, with the parts that this person may see."""
    is_admin = bool(places_kept(await visit.me()))
    said = visit.say(SAID[visit.query("done")]) if visit.query("done") in SAID else ""
    return await visit.show(
        f"admin/{template}",
        status=status,
        part=part,
        parts=PARTS if is_admin else tuple(one for one in PARTS if one[0] in FOR_ALL),
        is_admin=is_admin,
        said=said,
        now=datetime.now(UTC),
        **{"problem": None, **values},
    )


def page(path: str, handler: Handler, *methods: str) -> At:
    """An address below /admin; what is not for all is for administrators alone."""

    async def guarded(visit: Visit) -> Response:
        if not path.startswith(tuple(f"/{part}" for part in FOR_ALL)) and not places_kept(await visit.me()):
            raise Problem(403, {"detail": visit.say("没有这个页面，或者您无权查看。")})
        return await handler(visit)

    return At(f"/admin{path}", guarded, methods or ("GET",))


async def overview(visit: Visit) -> Response:
    """What needs a hand, and the parts."""
    troubles, ready = await asyncio.gather(visit.api.get("/incidents", limit=5), _ready(visit))
    return await show(visit, "", "overview.html", troubles=troubles["items"], ready=ready, kinds=INCIDENTS)


async def _ready(visit: Visit) -> dict[str, bool]:
    """Whether everything behind the product answers."""
    try:
        found: dict[str, bool] = (await visit.api.get("/health/ready"))["checks"]
    except Problem as no:
        return dict(no.body.get("checks", {}))
    return found


# --- troubles --------------------------------------------------------------------------------------------


async def incidents(visit: Visit) -> Response:
    """Everything that waits for a hand."""
    return await _incidents(visit)


async def _incidents(visit: Visit, no: Problem | None = None) -> Response:
    found = await visit.api.get("/incidents")
    return await show(
        visit,
        "incidents",
        "incidents.html",
        status=no.status if no else 200,
        items=found["items"],
        kinds=INCIDENTS,
        engine=visit.house.engine_ui.rstrip("/"),
        problem=no,
    )


async def retry(visit: Visit) -> Response:
    """Try one again."""
    try:
        await visit.api.post(f"/incidents/{visit.request.path_params['one']}/retry")
    except Problem as no:
        return await _incidents(visit, no)
    return visit.go("/admin/incidents", said="retried")


async def close(visit: Visit) -> Response:
    """Close one by hand."""
    reason = str((await visit.form()).get("reason", "")).strip()
    try:
        await visit.api.post(f"/incidents/{visit.request.path_params['one']}/close", {"reason": reason})
    except Problem as no:
        return await _incidents(visit, no)
    return visit.go("/admin/incidents", said="closed")


# --- the history -----------------------------------------------------------------------------------------


async def audit(visit: Visit) -> Response:
    """The sealed days, and the way to check them."""
    return await show(visit, "audit", "audit.html", **await visit.api.get("/audit/seals"), checked=None)


async def verify(visit: Visit) -> Response:
    """Check the whole history now."""
    seals = await visit.api.get("/audit/seals")
    try:
        checked = await visit.api.post("/audit/verification")
    except Problem as no:
        return await show(visit, "audit", "audit.html", status=no.status, **seals, checked=None, problem=no)
    return await show(visit, "audit", "audit.html", **seals, checked=checked)


async def accesses(visit: Visit) -> Response:
    """Who has read the contact details of a case."""
    key = visit.query("case")[:64]
    try:
        read = (await visit.api.get("/access-log", case=key))["items"] if key else []
    except Problem as no:
        seals = await visit.api.get("/audit/seals")
        return await show(visit, "audit", "audit.html", status=no.status, **seals, checked=None, problem=no)
    return await show(visit, "audit", "accesses.html", read=read, case=key)


async def retention(visit: Visit) -> Response:
    """What would be forgotten now; nothing is."""
    return await show(visit, "retention", "retention.html", rules=(await visit.api.get("/retention"))["items"])


def attached(file: Any) -> Response:
    """A file of the API as it is."""
    kept = {name: file.headers[name] for name in ("content-disposition", "cache-control") if name in file.headers}
    return Response(file.content, media_type=file.headers["content-type"], headers=kept)


# --- keys of machines ------------------------------------------------------------------------------------


async def keys(visit: Visit) -> Response:
    """Keys by which other programs work here."""
    return await _keys(visit)


async def _keys(
    visit: Visit, no: Problem | None = None, given: Mapping[str, str] | None = None, made: Any = None
) -> Response:
    found = await visit.api.get("/api-keys")
    until = datetime.now(UTC).astimezone(CHINA).date() + timedelta(days=KEY_DAYS)
    return await show(
        visit,
        "keys",
        "keys.html",
        status=no.status if no else 200,
        items=found["items"],
        problem=no,
        given={"expires_at": until.isoformat(), **(given or {})},
        made=made,
    )


async def make_key(visit: Visit) -> Response:
    """Make one; it is shown this once."""
    form = await visit.form()
    given = {name: str(form.get(name, "")).strip() for name in ("username", "name", "scopes", "expires_at")}
    body: dict[str, Any] = {**given, "scopes": given["scopes"].replace(",", " ").split()}
    if given["expires_at"]:
        body["expires_at"] = f"{given['expires_at']}T23:59:59+08:00"
    try:
        made = await visit.api.post("/api-keys", body)
    except Problem as no:
        return await _keys(visit, no, given)
    return await _keys(visit, made=made)


async def revoke_key(visit: Visit) -> Response:
    """Let a key open nothing any more."""
    await visit.api.delete(f"/api-keys/{visit.request.path_params['one']}")
    return visit.go("/admin/keys", said="revoked")


PAGES = (
    page("", overview),
    page("/incidents", incidents),
    page("/incidents/{one}/retry", retry, "POST"),
    page("/incidents/{one}/close", close, "POST"),
    page("/audit", audit),
    page("/audit/verification", verify, "POST"),
    page("/audit/accesses", accesses),
    page("/retention", retention),
    page("/keys", keys),
    page("/keys", make_key, "POST"),
    page("/keys/{one}/revoke", revoke_key, "POST"),
)
