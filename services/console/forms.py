"""Forms made from the schemas of commands, and the bodies that are read from them (表单).

Nothing here knows a command: what the API takes is what a form asks for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.datastructures import FormData, UploadFile

COMMON = ("acting_role", "acting_org", "on_behalf_of")
"""Fields that every command takes; a form asks for them only where somebody has several roles that fit."""
LONG_TEXT = 200
PICKED = {
    "organization": "organization",
    "community": "community",
    "person": "person",
    "somebody": "person",
    "category": "category",
    "caseref": "case",
}
"""Kinds of fields that are chosen by name, and what is looked for."""


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form: its name, what it is called, and what may stand in it."""

    name: str
    title: str
    widget: str
    kind: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    value: Any = None
    least: float | None = None
    most: float | None = None
    longest: int | None = None
    many: bool = False
    may_be_empty: bool = False
    """A list that must be given, and may be given without an entry."""
    inner: tuple["Input", ...] = ()
    offers: tuple[tuple[str, str], ...] = ()
    """What may be chosen, by code and name, where it is not looked for."""
    of: str = ""
    """For a case: of which process it must be."""

    def offering(self, people: tuple[tuple[str, str], ...]) -> "Input":
        """The same field, offering these people where one of them is meant."""
        inner = tuple(one.offering(people) for one in self.inner)
        value = self.value
        if self.widget == "rows" and value:
            value = [tuple(one.offering(people) for one in row) for row in value]
        return replace(self, inner=inner, value=value, offers=people if self.kind == "somebody" else ())

    def fault(self, wrong: Mapping[str, str]) -> str:
        """What is wrong with it; of a list without fields of its own also what is wrong with an entry."""
        own = wrong.get(self.name, "")
        if own or not self.many or self.widget == "rows":
            return own
        return next((said for place, said in wrong.items() if place.startswith(f"{self.name}.")), "")

    @property
    def looks_for(self) -> str:
        """What is looked for in a field that is chosen by name."""
        return PICKED.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class Filled:
    """What was filled in: the body for the API, and the files that are still to be uploaded, by field."""

    body: dict[str, Any]
    files: Mapping[str, Sequence[UploadFile]] = field(default_factory=dict)
    single: frozenset[str] = frozenset()
    """Fields that hold one file, and not a list."""


def inputs(schema: Mapping[str, Any], values: Mapping[str, Any] | None = None, prefix: str = "") -> tuple[Input, ...]:
    """The fields of a schema, without those that every command takes."""
    required = schema.get("required", ())
    given = values or {}
    return tuple(
        _input(prefix + name, part, name in required, given.get(name, part.get("default")))
        for name, part in schema.get("properties", {}).items()
        if name not in COMMON
    )


def _input(name: str, schema: Mapping[str, Any], required: bool, value: Any) -> Input:
    kind = schema.get("x-kind", "")
    plain = _plain(schema)
    title = schema.get("title") or plain.get("title") or name
    shared = {"name": name, "title": title, "kind": kind, "required": required, "value": value}
    shared["of"] = schema.get("x-process", "")
    if keys := schema.get("x-keys"):
        counted = value if isinstance(value, Mapping) else {}
        parts = tuple(Input(f"{name}.{key}", key, "count", value=counted.get(key)) for key in keys)
        return Input(**shared, widget="counts", inner=parts)
    if plain.get("type") == "object":
        inner = inputs(plain, value or {}, f"{name}.")
        # What may be left out as a whole asks for nothing in it; the API says what a half of it lacks.
        return Input(**shared, widget="group", inner=inner if required else tuple(map(_optional, inner)))
    if plain.get("type") == "array":
        return _list(shared, plain, value)
    if kind == "attachment":
        return Input(**shared, widget="file")
    if "enum" in plain:
        return Input(**shared, widget="choice", choices=tuple(str(one) for one in plain["enum"]))
    if plain.get("type") == "boolean":
        # A yes or no that must be given is asked for; one that has a default is a tick.
        return Input(**shared, widget="yesno" if required else "tick")
    if plain.get("type") in ("integer", "number"):
        least, most = plain.get("minimum"), plain.get("maximum")
        return Input(**shared, widget=plain["type"], least=least, most=most)
    if plain.get("format") in ("date", "date-time"):
        return Input(**shared, widget=plain["format"])
    if kind in PICKED:
        return Input(**shared, widget="pick")
    longest = plain.get("maxLength")
    widget = "text" if kind == "prose" and (longest or LONG_TEXT + 1) > LONG_TEXT else "line"
    return Input(**shared, widget=widget, longest=longest)


def _optional(one: Input) -> Input:
    return replace(one, required=False)


def _list(shared: Mapping[str, Any], schema: Mapping[str, Any], value: Any) -> Input:
    entry = _plain(schema["items"])
    if not schema.get("minItems"):
        # What must be said may be that there is nothing.
        shared = {**shared, "may_be_empty": shared["required"], "required": False}
    if entry.get("type") == "object":
        rows = [inputs(entry, one, f"{shared['name']}.{number}.") for number, one in enumerate(value or ())]
        blank = inputs(entry, None, f"{shared['name']}.#.")
        return Input(**{**shared, "value": rows}, widget="rows", many=True, inner=blank, most=schema.get("maxItems"))
    if "enum" in entry:
        return Input(**shared, widget="ticks", many=True, choices=tuple(entry["enum"]))
    if shared["kind"] == "attachment":
        return Input(**shared, widget="files", many=True, most=schema.get("maxItems"))
    if shared["kind"] in PICKED:
        return Input(**shared, widget="picks", many=True, most=schema.get("maxItems"))
    return Input(**shared, widget="words", many=True, longest=entry.get("maxLength"))


def _plain(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema without its «or null»; of several kinds the richest one."""
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if not kinds:
        return schema
    return max(kinds, key=lambda one: len(one.get("properties", ())))


def filled(schema: Mapping[str, Any], form: FormData) -> Filled:
    """What was filled in; what was left empty is left out, so that the API says what is missing."""
    files: dict[str, Sequence[UploadFile]] = {}
    wanted = inputs(schema)
    return Filled(_read(wanted, form, files), files, frozenset(one.name for one in wanted if one.widget == "file"))


def _read(wanted: Sequence[Input], form: FormData, files: dict[str, Sequence[UploadFile]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in wanted:
        short = one.name.rpartition(".")[2]
        value = _value(one, form, files)
        if value is not None:
            found[short] = value
        elif one.may_be_empty and one.name in form:
            found[short] = []
    return found


def _value(one: Input, form: FormData, files: dict[str, Sequence[UploadFile]]) -> Any:
    match one.widget:
        case "group":
            inner = _read(one.inner, form, files)
            # Ticks alone do not make a group: a reporter without a name is none.
            return inner if any(not isinstance(value, bool) for value in inner.values()) else None
        case "counts":
            given = {part.title: str(form.get(part.name, "")).strip() for part in one.inner}
            return {key: int(text) for key, text in given.items() if text.isdecimal()} or None
        case "rows":
            return _filled_rows(one, form, files) or None
        case "ticks":
            return [str(value) for value in form.getlist(one.name)] or None
        case "picks":
            return [code for value in form.getlist(one.name) if (code := str(value).strip())] or None
        case "words":
            words = [
                word.strip() for value in form.getlist(one.name) for word in str(value).replace("，", ",").split(",")
            ]
            return [word for word in words if word] or None
        case "files" | "file":
            chosen = [value for value in form.getlist(one.name) if isinstance(value, UploadFile) and value.filename]
            if chosen:
                files[one.name] = chosen
            kept = [str(value) for value in form.getlist(f"{one.name}.kept") if value]
            return (kept if one.many else kept[-1]) if kept else None
        case "tick":
            return one.name in form or None
    given_text = str(form.get(one.name, "")).strip()
    if not given_text:
        return None
    return _typed(one, given_text)


def _filled_rows(one: Input, form: FormData, files: dict[str, Sequence[UploadFile]]) -> list[dict[str, Any]]:
    """The rows that say something; their files stand under the place that a row has among them."""
    found: list[dict[str, Any]] = []
    for number in _rows(one, form):
        theirs: dict[str, Sequence[UploadFile]] = {}
        row = _read(tuple(_renamed(part, number) for part in one.inner), form, theirs)
        before = f"{one.name}.{number}."
        if row or theirs:
            files.update(
                {f"{one.name}.{len(found)}.{name.removeprefix(before)}": some for name, some in theirs.items()}
            )
            found.append(row)
    return found


def _typed(one: Input, text: str) -> Any:
    match one.widget:
        case "yesno":
            return text == "true"
        case "integer" | "number":
            try:
                return int(text) if one.widget == "integer" else float(text)
            except ValueError:
                return text
        case "date-time":
            # A browser's clock of the wall: Beijing's.
            return text if "+" in text or text.endswith("Z") else f"{text}:00+08:00"
    return text


def _rows(one: Input, form: FormData) -> Iterator[str]:
    """Numbers of the rows that were sent, in their order."""
    seen: dict[str, None] = {}
    for name in form:
        if name.startswith(f"{one.name}."):
            number = name[len(one.name) + 1 :].partition(".")[0]
            if number != "#":
                seen[number] = None
    return iter(seen)


def _renamed(part: Input, number: str) -> Input:
    inner = tuple(_renamed(one, number) for one in part.inner)
    return replace(part, name=part.name.replace("#", number, 1), inner=inner)
