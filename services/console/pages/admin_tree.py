"""The tree and its people (区划、组织、人员、任职、代理): every kind of master data by one set of pages.

What may be filled in comes from the API, so that nothing of it is written here twice.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from services.console.client import Problem
from services.console.forms import Input, filled, inputs
from services.console.pages.admin import attached, page, places_kept, show
from services.console.visit import Visit
from workflows.kernel.roles import TITLES

PAGE = 50
LENGTHS = (2, 4, 6, 9, 12)
"""How many digits the code of a region has, from the province to the community."""
COMMUNITY_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of master data: where its list is shown, what a row is called by, and what else is shown of it."""

    path: str
    part: str
    zh: str
    key: str
    columns: tuple[str, ...]
    removable: bool = False
    placed: str = ""
    """The field of a new row that says where it lies."""


KINDS = {
    one.path: one
    for one in (
        Kind("regions", "tree", "区划", "code", ("name", "level", "households", "population"), True, "parent_code"),
        Kind("spatial-units", "tree", "网格与单元", "code", ("name", "kind", "households"), True, "community_code"),
        Kind("buildings", "tree", "楼栋", "id", ("name", "floors", "units", "households"), True, "community_code"),
        Kind("bodies", "tree", "会议主体", "id", ("name", "type", "active"), True, "region_code"),
        Kind("organizations", "tree", "组织", "code", ("name", "org_type", "level"), True, "region_code"),
        Kind("roles", "data/roles", "任职", "id", ("person_name", "role", "place", "org_code", "since", "until"), False,
             "place"),
        Kind("substitutions", "data/substitutions", "代理", "id",
             ("absent_person_id", "substitute_person_id", "roles", "since", "until")),
        Kind("people", "data/people", "人员", "id", ("display_name", "accounts", "home_community_code"), False,
             "home_community_code"),
    )
}  # fmt: skip
OF_A_PLACE = ("spatial-units", "buildings", "bodies", "organizations")


def _kind(visit: Visit) -> Kind:
    found = KINDS.get(visit.request.path_params["kind"])
    if found is None:
        raise Problem(404, {"detail": visit.say("没有这个页面，或者您无权查看。")})
    return found


def _parents(code: str) -> list[str]:
    return [code[:length] for length in LENGTHS if length < len(code)]


# --- the tree --------------------------------------------------------------------------------------------


async def tree(visit: Visit) -> Response:
    """A region with what lies in it."""
    kept = places_kept(await visit.me())
    place = visit.query("within") or (kept[0] if kept else "")
    one, below, *lists = await asyncio.gather(
        visit.api.get(f"/regions/{place}"),
        visit.api.get("/regions", parent_code=place, limit=200),
        *(visit.api.get(f"/{path}", within=place, limit=PAGE) for path in OF_A_PLACE if _lies_in(path, place)),
    )
    tables = dict(zip((path for path in OF_A_PLACE if _lies_in(path, place)), lists, strict=True))
    await _named(visit, [*_parents(place), *_codes(tables)])
    check = await visit.api.get(f"/regions/{place}/grid-check") if len(place) == COMMUNITY_DIGITS else None
    return await show(
        visit,
        "tree",
        "tree.html",
        place=place,
        region=one,
        below=below["items"],
        tables=tables,
        kinds=KINDS,
        parents=_parents(place),
        check=check,
    )


def _lies_in(path: str, place: str) -> bool:
    """Grids and buildings are shown in their community, not all at once above it."""
    return path in ("bodies", "organizations") or len(place) == COMMUNITY_DIGITS


async def _named(visit: Visit, codes: list[str]) -> None:
    if codes:
        found = await visit.api.get("/names", of=list(dict.fromkeys(codes))[:150])
        visit.words = replace(visit.words, names={**visit.words.names, **found["names"]})


def _codes(value: Any) -> list[str]:
    """Every string that may stand for somebody, something or some place."""
    if isinstance(value, str):
        return [value] if 3 <= len(value) <= 40 else []
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [code for one in inner for code in _codes(one)]


# --- lists of people, roles, substitutes -----------------------------------------------------------------


async def listing(visit: Visit) -> Response:
    """A list, narrowed by the address."""
    kind = _kind(visit)
    kept = places_kept(await visit.me())
    wanted = {name: visit.query(name) for name in ("within", "q", "role", "on", "org_type") if visit.query(name)}
    asked = {"within": kept[0], **wanted} if kept and kind.path not in ("substitutions", "people") else wanted
    found = await visit.api.get(f"/{kind.path}", limit=PAGE, cursor=visit.query("cursor"), **asked)
    await _named(visit, _codes(found["items"]))
    return await show(
        visit,
        kind.part,
        "listing.html",
        kind=kind,
        items=found["items"],
        following=found["next_cursor"],
        wanted=wanted,
        roles=[role.value for role in TITLES],
    )


# --- one row ---------------------------------------------------------------------------------------------


async def new(visit: Visit) -> Response:
    """An empty form."""
    kind = _kind(visit)
    return await _form(visit, kind, "", dict(visit.request.query_params))


async def edit(visit: Visit) -> Response:
    """A form with what is known; for a person his accounts and roles beside it, for a body its members."""
    kind, key = _kind(visit), visit.request.path_params["key"]
    return await _form(visit, kind, key, await _row(visit, kind, key))


async def _row(visit: Visit, kind: Kind, key: str) -> dict[str, Any]:
    """A row; of roles and substitutes there are only lists."""
    if kind.path in ("roles", "substitutions"):
        return {}
    found: dict[str, Any] = await visit.api.get(f"/{kind.path}/{key}")
    return found


async def _form(
    visit: Visit,
    kind: Kind,
    key: str,
    values: Mapping[str, Any],
    *,
    no: Problem | None = None,
    at: str = "",
    row: Mapping[str, Any] | None = None,
) -> Response:
    forms = await visit.api.get("/tree/forms")
    schema = forms[kind.path]["change" if key else "new"]
    row = row if row is not None else values
    beside: dict[str, Any] = {"members": None, "accounts": None}
    if key and kind.path == "bodies":
        members = await visit.api.get(f"/bodies/{key}/members", limit=200)
        beside["members"], beside["fields"] = members["items"], inputs(forms["members"]["new"])
    if key and kind.path == "people":
        beside["accounts"], beside["fields"] = row.get("accounts", []), inputs(forms["accounts"]["new"])
    await _named(visit, _codes([dict(row), beside["members"] or []]))
    return await show(
        visit,
        kind.part,
        "form.html",
        status=no.status if no else 200,
        kind=kind,
        key=key,
        row=row,
        fields=_asked(schema, values),
        wrong=no.by_field if no else {},
        problem=no,
        at=at,
        beside=beside,
        back=_back(kind, row),
    )


def _asked(schema: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[Input, ...]:
    people = [one["id"] if isinstance(one, Mapping) else one for one in values.get("responsible") or ()]
    plain = {**values, "responsible": people}
    return tuple(replace(one, widget="secret") if one.name == "password" else one for one in inputs(schema, plain))


def _back(kind: Kind, row: Mapping[str, Any]) -> str:
    """The list that a row stands in."""
    if kind.part != "tree":
        return f"/admin/data/{kind.path}"
    place = row.get(kind.placed) or row.get("region_code") or row.get("code")
    return f"/admin/tree?within={place}" if place else "/admin/tree"


async def save(visit: Visit) -> Response:
    """Write a new row, or what has changed of one."""
    kind, key = _kind(visit), visit.request.path_params.get("key", "")
    form = await visit.form()
    forms = await visit.api.get("/tree/forms")
    schema = forms[kind.path]["change" if key else "new"]
    row = await _row(visit, kind, key) if key else {}
    given = filled(schema, form).body
    try:
        if key:
            await visit.api.patch(f"/{kind.path}/{key}", _changes(schema, given, row))
        else:
            row = await visit.api.post(f"/{kind.path}", given)
    except Problem as no:
        return await _form(visit, kind, key, given, no=no, row=row)
    if kind.path == "people":
        # What comes next is a sign-in and a role.
        return visit.go(f"/admin/data/people/{row['id']}", said="changed" if key else "added")
    made = {"code": row.get("code"), **given, **row}
    return visit.go(_with(_back(kind, made), "changed" if key else "added"))


def _changes(schema: Mapping[str, Any], given: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from what was known; what was emptied becomes nothing, a tick that is gone a no."""
    changed: dict[str, Any] = {}
    for name, part in schema["properties"].items():
        before, after = row.get(name), given.get(name)
        if after is None and isinstance(before, bool):
            after = False
        if name == "until" or (after != before and (after is not None or _may_be_empty(part))):
            changed[name] = after
    return {name: value for name, value in changed.items() if value is not None or name in row or name == "until"}


def _may_be_empty(part: Mapping[str, Any]) -> bool:
    return any(one.get("type") == "null" for one in part.get("anyOf", ()))


def _with(address: str, said: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}done={said}"


async def remove(visit: Visit) -> Response:
    """Take a row away that nothing hangs on."""
    kind, key = _kind(visit), visit.request.path_params["key"]
    row = await _row(visit, kind, key)
    try:
        await visit.api.delete(f"/{kind.path}/{key}")
    except Problem as no:
        return await _form(visit, kind, key, row, no=no)
    above = {**row, "code": row.get("parent_code")} if kind.path == "regions" else row
    return visit.go(_with(_back(kind, above), "removed"))


# --- what hangs on a row ---------------------------------------------------------------------------------


async def seat(visit: Visit) -> Response:
    """Give somebody a seat in a body."""
    return await _add_beside(visit, "bodies", "members")


async def unseat(visit: Visit) -> Response:
    """End a seat with a day; it is never taken out of the book."""
    key, member = visit.request.path_params["key"], visit.request.path_params["member"]
    until = str((await visit.form()).get("until", ""))
    body = {"until": until or None, **({"status": "ENDED"} if until else {})}
    try:
        await visit.api.patch(f"/bodies/{key}/members/{member}", body)
    except Problem as no:
        return await _form(visit, KINDS["bodies"], key, await _row(visit, KINDS["bodies"], key), no=no, at="beside")
    return visit.go(f"/admin/data/bodies/{key}?done=changed")


async def account(visit: Visit) -> Response:
    """Give somebody a sign-in."""
    return await _add_beside(visit, "people", "accounts")


async def _add_beside(visit: Visit, path: str, beside: str) -> Response:
    key = visit.request.path_params["key"]
    forms = await visit.api.get("/tree/forms")
    given = filled(forms[beside]["new"], await visit.form()).body
    try:
        await visit.api.post(f"/{path}/{key}/{beside}", given)
    except Problem as no:
        return await _form(visit, KINDS[path], key, await _row(visit, KINDS[path], key), no=no, at="beside")
    return visit.go(f"/admin/data/{path}/{key}?done=added")


async def change_account(visit: Visit) -> Response:
    """Close or open a sign-in, give it another password, or ask for no more codes."""
    key, username = visit.request.path_params["key"], visit.request.path_params["username"]
    form = await visit.form()
    body: dict[str, Any] = {}
    match str(form.get("act", "")):
        case "close" | "open" as act:
            body["active"] = act == "open"
        case "factor":
            body["second_factor"] = False
        case _:
            body["password"] = str(form.get("password", ""))
    try:
        await visit.api.patch(f"/people/{key}/accounts/{username}", body)
    except Problem as no:
        return await _form(visit, KINDS["people"], key, await _row(visit, KINDS["people"], key), no=no, at="beside")
    return visit.go(f"/admin/data/people/{key}?done=changed")


async def end(visit: Visit) -> Response:
    """End a role or a substitution with a day."""
    kind, key = _kind(visit), visit.request.path_params["key"]
    until = str((await visit.form()).get("until", "")) or None
    await visit.api.patch(f"/{kind.path}/{key}", {"until": until})
    return visit.go(_with(f"/admin/data/{kind.path}", "changed"))


# --- the whole as a workbook -----------------------------------------------------------------------------


async def workbook(visit: Visit) -> Response:
    """The tree as a spreadsheet."""
    return attached(await visit.api.file("/tree/export", "*/*", within=visit.query("within")))


async def importing(visit: Visit) -> Response:
    """Where a workbook is taken in."""
    return await show(visit, "tree", "import.html", preview=None)


async def take_in(visit: Visit) -> Response:
    """Take a workbook in: first what it would change and what is wrong, then for good."""
    form = await visit.form()
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        no = Problem(422, {"detail": visit.say("请选择文件。")})
        return await show(visit, "tree", "import.html", status=422, preview=None, problem=no)
    path = "/tree/import" if "publish" in form else "/tree/import?dry_run=1"
    try:
        found = await visit.api.upload(path, file.filename, await file.read(), file.content_type or "")
    except Problem as no:
        return await show(visit, "tree", "import.html", status=no.status, preview=None, problem=no)
    if "publish" in form:
        return visit.go("/admin/tree", said="imported")
    return await show(visit, "tree", "import.html", preview=found)


def _data(path: str, handler: Any, *methods: str) -> Any:
    return page(f"/data/{{kind}}{path}", handler, *methods)


PAGES = (
    page("/tree", tree),
    page("/tree/workbook.xlsx", workbook),
    page("/tree/import", importing),
    page("/tree/import", take_in, "POST"),
    page("/data/bodies/{key}/members", seat, "POST"),
    page("/data/bodies/{key}/members/{member}", unseat, "POST"),
    page("/data/people/{key}/accounts", account, "POST"),
    page("/data/people/{key}/accounts/{username}", change_account, "POST"),
    _data("", listing),
    _data("/new", new),
    _data("/new", save, "POST"),
    _data("/{key}/end", end, "POST"),
    _data("/{key}/remove", remove, "POST"),
    _data("/{key}", edit),
    _data("/{key}", save, "POST"),
)
