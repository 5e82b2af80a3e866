"""Rules to look at and to keep (规则): policy packs, the calendar of working days, the county's lists."""

import asyncio
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from services.console.client import Problem
from services.console.pages.admin import page, show
from services.console.visit import Visit
from workflows.kernel.calendar import CHINA

LISTS = ("LIST_A", "LIST_B", "NEGATIVE", "CERTIFICATE", "CERTIFICATE_NEGATIVE", "SEAL_USE")
STRENGTHS = {"HARD": "必须", "SOFT": "可例外", "INFO": "提示"}
DAY_KINDS = {"NORMAL": "", "HOLIDAY": "休", "MAKEUP": "班", "LOCAL": "调"}
MONTHS = 12


# --- packs -----------------------------------------------------------------------------------------------


async def packs(visit: Visit) -> Response:
    """The packs, and a comparison of two of them."""
    found = await visit.api.get("/packs")
    before, after = visit.query("before"), visit.query("after")
    names = {one["name"] for one in found["items"]}
    diff = await visit.api.get(f"/packs/{before}/diff/{after}") if {before, after} <= names else None
    return await show(
        visit,
        "packs",
        "packs.html",
        packs=found["items"],
        current=found["current"],
        before=before,
        after=after,
        diff=diff,
        strengths=STRENGTHS,
    )


async def pack(visit: Visit) -> Response:
    """Everything that one pack says; `q` narrows it."""
    found = await visit.api.get(f"/packs/{visit.request.path_params['name']}")
    wanted = visit.query("q").lower()
    shown = [
        one for one in found["parameters"] if wanted in f"{one['key']} {one['title']} {one['clause'] or ''}".lower()
    ]
    groups: dict[str, list[Any]] = {}
    for one in shown:
        groups.setdefault(one["key"].partition(".")[0], []).append(one)
    return await show(visit, "packs", "pack.html", pack=found, groups=groups, q=visit.query("q"), strengths=STRENGTHS)


# --- the calendar ----------------------------------------------------------------------------------------


async def calendar(visit: Visit) -> Response:
    """A year of working days."""
    return await _calendar(visit)


async def _calendar(visit: Visit, no: Problem | None = None, given: Mapping[str, str] | None = None) -> Response:
    wanted = visit.query("year")
    found = await visit.api.get("/calendar", year=wanted if wanted.isdecimal() and len(wanted) == 4 else "")
    return await show(
        visit,
        "calendar",
        "calendar.html",
        status=no.status if no else 200,
        calendar=found,
        months=_months(found["year"], found["days"]),
        today=datetime.now(UTC).astimezone(CHINA).date().isoformat(),
        marks=DAY_KINDS,
        problem=no,
        given=given or {},
        local=[one for one in found["days"] if one["kind"] == "LOCAL"],
        working=sum(one["working"] for one in found["days"]),
    )


def _months(year: int, days: list[dict[str, Any]]) -> list[list[dict[str, Any] | None]]:
    """Twelve months of days in weeks that begin on Monday; None fills what lies before and behind."""
    known = {one["date"]: one for one in days}
    months: list[list[dict[str, Any] | None]] = []
    for month in range(1, MONTHS + 1):
        day = date(year, month, 1)
        cells: list[dict[str, Any] | None] = [None] * day.weekday()
        while day.month == month:
            plain = {"date": day.isoformat(), "working": day.weekday() < 5, "kind": "NORMAL", "why": ""}
            cells.append({**plain, "provisional": True, **known.get(day.isoformat(), {})})
            day += timedelta(days=1)
        months.append(cells)
    return months


async def local_day(visit: Visit) -> Response:
    """Work or rest on a day otherwise than the nation does."""
    form = await visit.form()
    given = {name: str(form.get(name, "")).strip() for name in ("on", "working", "why")}
    try:
        on = date.fromisoformat(given["on"])
        await visit.api.put(
            f"/calendar/days/{on.isoformat()}", {"working": given["working"] == "true", "why": given["why"]}
        )
    except ValueError:
        return await _calendar(visit, Problem(422, {"detail": visit.say("请填写日期。")}), given)
    except Problem as no:
        return await _calendar(visit, no, given)
    return visit.go(f"/admin/calendar?year={on.year}", said="recomputed")


async def clear_day(visit: Visit) -> Response:
    """Take a local day back."""
    on = visit.request.path_params["on"]
    try:
        await visit.api.delete(f"/calendar/days/{on}")
    except Problem as no:
        return await _calendar(visit, no)
    return visit.go(f"/admin/calendar?year={on[:4]}", said="recomputed")


async def year(visit: Visit) -> Response:
    """Load a year from the file that the terminal takes too (year, source, rest, make_up)."""
    file = (await visit.form()).get("file")
    content = await file.read() if isinstance(file, UploadFile) else b""
    try:
        said = tomllib.loads(content.decode())
        body = {
            "year": said["year"],
            "source": said["source"],
            "rest": {str(on): name for on, name in said["rest"].items()},
            "make_up": [str(on) for on in said.get("make_up", ())],
        }
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, AttributeError):
        return await _calendar(visit, Problem(422, {"detail": visit.say("文件应有 year、source、rest 和 make_up。")}))
    try:
        await visit.api.post("/calendar/years", body)
    except Problem as no:
        return await _calendar(visit, no)
    return visit.go(f"/admin/calendar?year={body['year']}", said="recomputed")


# --- lists -----------------------------------------------------------------------------------------------


async def lists(visit: Visit) -> Response:
    """What is in force, county by county."""
    return await show(visit, "lists", "lists.html", counties=(await visit.api.get("/lists"))["items"], kinds=LISTS)


async def one_list(visit: Visit) -> Response:
    """One list of a county: a version, the others, what changed, and the import."""
    return await _one_list(visit)


async def _one_list(visit: Visit, *, no: Problem | None = None, preview: Any = None) -> Response:
    county, kind = visit.request.path_params["county"], visit.request.path_params["kind"]
    version, before = visit.query("version"), visit.query("before")
    held = await visit.api.get(f"/lists/{county}")
    versions = [one for one in held["versions"] if one["list_type"] == kind]
    newest = str(versions[0]["version"]) if versions else ""
    chosen = version if version.isdecimal() else newest
    whole, diff = await asyncio.gather(
        _version(visit, county, kind, chosen), _diff(visit, county, kind, before, chosen)
    )
    return await show(
        visit,
        "lists",
        "list.html",
        status=no.status if no else 200,
        county=county,
        kind=kind,
        versions=versions,
        whole=whole,
        diff=diff,
        before=before,
        problem=no,
        preview=preview,
        imports=any(
            one["role"] == "office_reviewer" and county.startswith(one["place"]) for one in (await visit.me())["roles"]
        ),
    )


async def _version(visit: Visit, county: str, kind: str, version: str) -> Any:
    return await visit.api.get(f"/lists/{county}/{kind}", version=version) if version else None


async def _diff(visit: Visit, county: str, kind: str, before: str, after: str) -> Any:
    if not (before.isdecimal() and after.isdecimal()):
        return None
    return await visit.api.get(f"/lists/{county}/{kind}/diff", before=before, after=after)


async def import_list(visit: Visit) -> Response:
    """A new version from a spreadsheet: first what it would change, then for good."""
    county, kind = visit.request.path_params["county"], visit.request.path_params["kind"]
    form = await visit.form()
    file, begins = form.get("file"), str(form.get("effective_from", ""))
    if not isinstance(file, UploadFile) or not file.filename:
        return await _one_list(visit, no=Problem(422, {"detail": visit.say("请选择文件。")}))
    dry = "publish" not in form
    path = f"/lists/{county}/{kind}/import?effective_from={begins}{'&dry_run=1' if dry else ''}"
    try:
        found = await visit.api.upload(path, file.filename, await file.read(), file.content_type or "text/csv")
    except Problem as no:
        return await _one_list(visit, no=no)
    if dry:
        return await _one_list(visit, preview=found)
    return visit.go(f"/admin/lists/{county}/{kind}", said="imported")


PAGES = (
    page("/packs", packs),
    page("/packs/{name}", pack),
    page("/calendar", calendar),
    page("/calendar/days", local_day, "POST"),
    page("/calendar/days/{on}/clear", clear_day, "POST"),
    page("/calendar/years", year, "POST"),
    page("/lists", lists),
    page("/lists/{county}/{kind}", one_list),
    page("/lists/{county}/{kind}", import_list, "POST"),
)
