"""Build, for every command, the form that the door checks a body against and that `/actions` shows.

The markers of `workflows/kernel/fields.py` are read once, when the app is made. A command class may name, besides,
the fields that people must give although the engine can do without (`asked_of_people`), and those that only other
cases send (`kept_from_people`).
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints, create_model
from pydantic import Field as PydanticField
from pydantic_core import PydanticCustomError, to_jsonable_python

from workflows.kernel.fields import (
    Attachment,
    CaseRef,
    Category,
    Community,
    Contact,
    Field,
    Introduced,
    Organization,
    Person,
    PolicyPack,
    Prose,
    Somebody,
)
from workflows.kernel.process import named
from workflows.kernel.roles import Role

CODE_LENGTH = 64
TEXT_LENGTH = 1000
MOST_ENTRIES = 100
_ATTRIBUTE = "f_"
_REFERENCES = (Organization, Community, Person, Somebody, Introduced, Category, Attachment, CaseRef)
_CONTROL = {*map(chr, range(32)), "\x7f"} - {"\t", "\n", "\r"}


def storable(text: str) -> str:
    """Refuse what PostgreSQL cannot hold and what no keyboard types."""
    if not _CONTROL.isdisjoint(text):
        raise PydanticCustomError("characters", "holds characters that cannot be stored")
    return text


@dataclass(frozen=True, slots=True)
class Spot:
    """A marked field of a form: where it is, what marks it, and the form of what stands in it, if any."""

    name: str
    wire: str
    marker: Field
    inner: "Shape | None"
    default: Any


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of one dataclass and the pydantic model that checks them."""

    kind: type
    spots: tuple[Spot, ...]
    model: type[BaseModel] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """What `POST …/commands/{name}` takes (表单)."""

    name: str
    zh: str
    en: str
    command: type
    shape: Shape
    model: type[BaseModel] = field(repr=False)
    """The fields of the command and those that every command takes."""
    needs: tuple[str, ...] = ()
    """Questions that must be answered before its rule can decide."""

    @property
    def publishes(self) -> bool:
        """Say whether everybody may read some of its fields."""
        return hasattr(self.command, "public_fields") or any(
            isinstance(spot.marker, Prose) and spot.marker.public for spot in self.shape.spots
        )

    @property
    def is_plain(self) -> bool:
        """Say whether the door needs to know nothing of the case to take this command in."""
        return (
            not self.publishes
            and not self.needs
            and not any(isinstance(spot.marker, Category | PolicyPack) for spot in self.shape.spots)
        )

    def schema(self, language: str = "zh") -> dict[str, Any]:
        """The JSON Schema of the body, with titles in the reader's language."""
        titled: dict[str, Any] = _titled(_inlined(self.model), language)
        return titled


class Common(BaseModel):
    """What every command takes besides its own fields (api.md, Fields of the commands)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    acting_role: Annotated[
        Role | None, PydanticField(title="办理身份", json_schema_extra={"x-title-en": "Acting role"})
    ] = None
    acting_org: Annotated[
        str | None,
        PydanticField(
            title="代表单位", max_length=CODE_LENGTH, json_schema_extra={"x-title-en": "Acting organisation"}
        ),
    ] = None
    on_behalf_of: Annotated[
        str | None,
        PydanticField(
            title="代办", max_length=CODE_LENGTH, json_schema_extra={"x-title-en": "On behalf of (username)"}
        ),
    ] = None


@cache
def form(command: type, needs: tuple[str, ...] = ()) -> Form:
    """Give the form of a command class whose rule needs answers to these questions."""
    names = named(command)
    shape = _shape(command)
    model = create_model(command.__name__ + "Body", __base__=(shape.model, Common), __doc__=command.__doc__)
    return Form(names.name, names.zh, names.en, command, shape, model, needs)


@cache
def _shape(kind: type) -> Shape:
    hints = get_type_hints(kind, include_extras=True)
    spots: list[Spot] = []
    columns: dict[str, Any] = {}
    asked, kept = getattr(kind, "asked_of_people", ()), getattr(kind, "kept_from_people", ())
    for one in fields(kind):
        if one.name in kept:
            continue
        hint = hints[one.name]
        marker = next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Field)), None)
        if marker is None:
            raise TypeError(f"{kind.__name__}.{one.name} has no marker of workflows.kernel.fields")
        wire = one.name.rstrip("_")
        default = ... if one.default is MISSING and one.default_factory is MISSING else one.default
        spots.append(Spot(one.name, wire, marker, _inner(hint), None if default is ... else default))
        about = PydanticField(
            # Kept in the dataclass for cases and events that were written without it.
            ... if one.name in asked else default,
            alias=wire,
            title=marker.zh,
            # What a form offers for it: organisations, people, a long text …
            json_schema_extra=_offered(marker),
        )
        checked = _checked(hint, marker)
        columns[_ATTRIBUTE + one.name] = (_given(checked) if one.name in asked else checked, about)
    model = create_model(
        kind.__name__,
        __config__=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False),
        __doc__=kind.__doc__,
        **columns,
    )
    return Shape(kind, tuple(spots), model)


def _offered(marker: Field) -> dict[str, Any]:
    """What a page needs to know of a field besides its type."""
    offered: dict[str, Any] = {"x-title-en": marker.en, "x-kind": type(marker).__name__.lower()}
    if marker.keys:
        offered["x-keys"] = [str(key) for key in marker.keys]
    return {**offered, "x-process": marker.process} if isinstance(marker, CaseRef) and marker.process else offered


def _inner(hint: Any) -> Shape | None:
    """The form of a nested dataclass inside a hint such as `tuple[Child, ...]` or `Location | None`."""
    if isinstance(hint, type) and is_dataclass(hint):
        return _shape(hint)
    for part in get_args(hint)[: 1 if get_origin(hint) is Annotated else None]:
        if (found := _inner(part)) is not None:
            return found
    return None


def _checked(hint: Any, marker: Field) -> Any:
    """The pydantic type of a hint under the limits of its marker."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _checked(get_args(hint)[0], marker)
    if origin in (Union, UnionType):
        given = [part for part in get_args(hint) if part is not NoneType]
        if any(is_dataclass(part) for part in given) and _is_sealed_whole(marker):
            # Beside what is sealed whole stands the reference that the door puts in its place; people never give it.
            given = [part for part in given if part is not str]
        parts = [_checked(part, marker) for part in given]
        return Union[(*parts, None)] if NoneType in get_args(hint) else Union[tuple(parts)]  # noqa: UP007
    if origin is tuple:
        entry = _checked(get_args(hint)[0], _entry(marker))
        most = marker.longest if marker.longest is not None else MOST_ENTRIES
        return Annotated[tuple[entry, ...], PydanticField(min_length=marker.shortest, max_length=most)]  # type: ignore[valid-type]
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, Enum)):
        return hint
    if isinstance(hint, type) and is_dataclass(hint):
        return _shape(hint).model
    if hint is str:
        refers = isinstance(marker, _REFERENCES)
        most = marker.longest or (CODE_LENGTH if refers else TEXT_LENGTH)
        least = max(marker.shortest, int(refers))
        limits = StringConstraints(strip_whitespace=True, min_length=least, max_length=most)
        return Annotated[str, limits, AfterValidator(storable)]
    if hint in (int, float):
        return Annotated[hint, PydanticField(ge=marker.least, le=marker.most)]
    return AwareDatetime if hint is datetime else hint


def _is_sealed_whole(marker: Field) -> bool:
    return isinstance(marker, Prose | Contact) and not isinstance(marker, Introduced)


def _given(checked: Any) -> Any:
    """The same type without `null`: what must be given is not left open."""
    if get_origin(checked) not in (Union, UnionType):
        return checked
    return Union[tuple(part for part in get_args(checked) if part is not NoneType)]  # noqa: UP007


def _entry(marker: Field) -> Field:
    """The limits of one entry of a list: the marker's own ones count the entries."""
    return type(marker)(marker.zh, marker.en, shortest=1)


def plain(shape: Shape, body: BaseModel) -> dict[str, Any]:
    """The JSON values of a checked body by field name, without those at their default.

    A field that a later release adds so leaves the hash of an earlier body alone.
    """
    values: dict[str, Any] = {}
    for spot in shape.spots:
        value = getattr(body, _ATTRIBUTE + spot.name)
        if value != spot.default:
            values[spot.name] = _json(spot, value)
    return values


def _json(spot: Spot, value: Any) -> Any:
    if isinstance(value, BaseModel):
        assert spot.inner is not None
        return plain(spot.inner, value)
    if isinstance(value, tuple):
        return [_json(spot, one) for one in value]
    return to_jsonable_python(value)


def visit(
    shape: Shape, values: Mapping[str, Any], change: Callable[[Field, str, Any], Any], at: str = ""
) -> dict[str, Any]:
    """Give the values with `change(marker, place, value)` in place of each marked one; lists entry by entry.

    What `Prose` or `Contact` marks is given whole, everything else that is an object is entered.
    """
    changed: dict[str, Any] = {}
    for spot in shape.spots:
        if spot.name in values:
            changed[spot.name] = _visit(spot, values[spot.name], change, at + spot.wire)
    return changed


def _visit(spot: Spot, value: Any, change: Callable[[Field, str, Any], Any], place: str) -> Any:
    if isinstance(value, list):
        return [_visit(spot, one, change, f"{place}.{number}") for number, one in enumerate(value)]
    if isinstance(value, dict) and spot.inner is not None and not isinstance(spot.marker, Prose | Contact):
        return visit(spot.inner, value, change, place + ".")
    return change(spot.marker, place, value)


@cache
def _inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a model with every `$ref` replaced by what it means, so that a form stands by itself."""
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                target = definitions[node["$ref"].rpartition("/")[2]]
                return resolve({**target, **{key: value for key, value in node.items() if key != "$ref"}})
            return {key: resolve(value) for key, value in node.items()}
        if isinstance(node, list):
            return [resolve(entry) for entry in node]
        return node

    resolved: dict[str, Any] = resolve(schema)
    return resolved


def _titled(node: Any, language: str) -> Any:
    """Put the English titles in for readers of English, and drop what only people without titles would need."""
    if isinstance(node, list):
        return [_titled(entry, language) for entry in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _titled(value, language) for key, value in node.items() if key != "x-title-en"}
    if language == "en" and "x-title-en" in node:
        changed["title"] = node["x-title-en"]
    return changed
