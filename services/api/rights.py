"""The one table of rights (权限表): who may do what, how far it reaches, and by which clause.

What concerns cases is read off the arrow tables of the processes, which the kernel checks at every command; what
concerns all else stands in `ENDPOINTS`, a row for each operation of the API. A test walks every row of both with every
role, inside and outside its place, and fails for an operation that has none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Query

from services.api.deps import ActorDep, LanguageDep
from services.api.limits import TimedRoute
from services.storage.sight import KNOWING, ORGANIZED
from workflows.kernel.process import Actor, Case, Pin, Process, Who, named
from workflows.kernel.roles import TITLES, Role

PLACE, ORG, PERSON = "PLACE", "ORG", "PERSON"
REACHES = {
    PLACE: ("任职区域及其以下", "within one's place and all below it"),
    ORG: ("本单位承办的事项", "cases of one's organisation"),
    PERSON: ("本人的事项", "cases that are one's own"),
}
READ = "read"
START = "START"


@dataclass(frozen=True, slots=True)
class Right:
    """One row: in which roles, by which function, something may be done where a case stands so, and how far it reaches.

    `holder` is a role, or a function in one case such as the lead; `at` names positions, START for a new case.
    """

    process: str
    action: str
    zh: str
    en: str
    holder: str
    holder_zh: str
    roles: tuple[str, ...]
    reach: tuple[str, ...]
    at: tuple[str, ...]
    clause: str


def rights_of(processes: Iterable[Process[Any]]) -> tuple[Right, ...]:
    """Read the rights off the tables of these processes, each process and command once for each holder."""
    return tuple(row for process in processes for row in _rows(process))


@cache
def _rows(process: Process[Any]) -> tuple[Right, ...]:
    return tuple(_of(process))


def _of(process: Process[Any]) -> Iterator[Right]:
    imagined = tuple(specimens(process))
    rows: dict[tuple[str, str], Right] = {}
    for arrow in process.arrows:
        if not isinstance(arrow.on, type):
            continue
        about = named(arrow.on)
        for who in arrow.by:
            if who.name == Role.SYSTEM:
                continue
            key, at = (about.name, who.name), arrow.source or START
            row = rows.get(key)
            if row is None:
                roles, reach = _held(who, imagined)
                row = Right(process.plural, about.name, about.zh, about.en, who.name, who.zh, roles, reach, (), "")
            clauses = dict.fromkeys(filter(None, (*row.clause.split(" · "), arrow.clause)))
            rows[key] = replace(row, at=(*row.at, at), clause=" · ".join(clauses))
    yield from rows.values()
    for holder, zh, readers, how in (
        ("staff", "辖区工作人员", KNOWING, PLACE),
        ("organization", "承办单位", ORGANIZED, ORG),
        ("own", "本人", frozenset(Role) - {Role.SYSTEM}, PERSON),
    ):
        listed = tuple(sorted(role.value for role in readers if role is not Role.SYSTEM))
        yield Right(process.plural, READ, "查看", "Read", holder, zh, listed, (how,), (), "processes §0.7")


def _held(who: Who, specimens: Sequence[Case[Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The roles behind a holder, and how far they reach; a function's are those that it addresses in some case."""
    roles, reach = set(), set()
    for case in specimens:
        for address in _addressed(who, case):
            if address.role is not None:
                roles.add(str(address.role))
            found = {PLACE: address.place, ORG: address.org, PERSON: address.person}
            reach |= {name for name, value in found.items() if value is not None}
    return tuple(sorted(roles)), tuple(name for name in REACHES if name in reach)


def _addressed(who: Who, case: Case[Any]) -> tuple[Any, ...]:
    try:
        return who.addresses(case)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return ()  # no such case: a specimen is filled without knowing the rules


# --- what somebody may do --------------------------------------------------------------------------------


def may(actor: Actor, rows: Sequence[Right], language: str) -> dict[str, Any]:
    """What somebody may start, and what he may do in cases within his reach, in the roles that he holds."""
    held = {grant.role for grant in actor.grants}
    mine = [row for row in rows if row.action != READ and not held.isdisjoint(row.roles)]
    start: dict[tuple[str, str], dict[str, str]] = {}
    do: dict[str, dict[str, None]] = {}
    for row in mine:
        if START in row.at:
            title = row.en if language == "en" else row.zh
            start[row.process, row.action] = {"process": row.process, "command": row.action, "title": title}
        if any(at != START for at in row.at):
            do.setdefault(row.process, {})[row.action] = None
    return {"start": list(start.values()), "do": {process: list(names) for process, names in do.items()}}


def shown(row: Right, language: str) -> dict[str, Any]:
    """One row as JSON, in the caller's language."""
    english = language == "en"
    return {
        "process": row.process,
        "action": row.action,
        "title": row.en if english else row.zh,
        "holder": row.holder,
        "holder_title": title_of(row, language),
        "roles": list(row.roles),
        "reach": [{"kind": one, "title": REACHES[one][english]} for one in row.reach],
        "at": list(row.at),
        "clause": row.clause or None,
    }


def title_of(row: Right, language: str) -> str:
    """How a holder is called."""
    if language == "en":
        return TITLES[Role(row.holder)][1] if row.holder in set(Role) else row.holder.replace("_", " ")
    return row.holder_zh


# --- specimens of cases ----------------------------------------------------------------------------------


def specimens(process: Process[Any]) -> Iterator[Case[Any]]:
    """Cases as they might stand, one empty and two filled, so that functions in a case say whom they address."""
    pin = Pin("", 0, "")
    about: dict[str, Any] = {"id": "x", "process": process.name, "community": "x", "pin": pin}
    state, _, phase = process.states[0].name.partition(":")
    yield Case(**about, data=process.data(), state=state, phase=phase)
    for truth in (True, False):
        full = _filled(process.data, truth)
        yield Case(**about, data=full, state=state, phase=phase)
        # The same with nothing noted yet of what a case has many of: who has not signed, who has no opinion.
        noted: dict[str, Any] = {one.name: {} for one in fields(full) if isinstance(getattr(full, one.name), dict)}
        yield Case(**about, data=replace(full, **noted), state=state, phase=phase)


def _filled(kind: type, truth: bool) -> Any:
    hints = _hints(kind)
    return kind(**{one.name: _value(hints[one.name], truth) for one in fields(kind) if one.init})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, truth: bool) -> Any:
    """Some value of a type: every text is `x`, so that what one field names the other field holds."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _value(parts[0], truth)
    if origin in (Union, UnionType):
        return _value(next(part for part in parts if part is not type(None)), truth)
    if origin is Literal:
        return parts[0]
    if origin in (tuple, frozenset, set, list) or origin is Sequence:
        return (origin if isinstance(origin, type) and origin is not Sequence else tuple)([_value(parts[0], truth)])
    if origin is not None and issubclass(origin, Mapping):
        return {_value(parts[0], truth): _value(parts[1], truth)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if isinstance(hint, type) and is_dataclass(hint):
        return _filled(hint, truth)
    plain: dict[Any, Any] = {
        str: "x", bool: truth, int: 1, float: 1.0, date: date(2026, 1, 1), datetime: datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return plain.get(hint)


# --- over HTTP -------------------------------------------------------------------------------------------


def rights_router(processes: Sequence[Process[Any]]) -> APIRouter:
    """Give `/rights`."""
    router = APIRouter(route_class=TimedRoute, tags=["people"])

    @router.get("/rights", operation_id="rights", summary="权限表 / the table of rights")
    async def table(
        actor: ActorDep,
        language: LanguageDep,
        role: Annotated[str | None, Query(max_length=64)] = None,
        process: Annotated[str | None, Query(max_length=64)] = None,
    ) -> dict[str, Any]:
        rows = [row for row in rights_of(processes) if process in (None, row.process)]
        return {"items": [shown(row, language) for row in rows if role is None or role in row.roles]}

    return router
