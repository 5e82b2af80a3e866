"""Name every field that is wrong, in words a resident can read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as a_field
from typing import Any

from services.texts.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field: where it is (`children.0.title`) and the sentence that says what is wrong."""

    field: str
    key: str
    values: Mapping[str, Any] = a_field(default_factory=dict)
    table: str = "field"

    def say(self, words: Catalogue, language: str) -> str:
        """Say it in the caller's language; values that are themselves words are said in it too."""
        values = dict(self.values)
        if "kind" in values and words.has("finding", values["kind"]):
            values["kind"] = words.say("finding", values["kind"], language)
        if isinstance(values.get("process"), tuple):
            values["process"] = values["process"][language == "en"]
        return words.say(self.table, self.key, language, **values)


# pydantic's kinds of errors and our sentences; the second part names the limit in pydantic's context
_KINDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "missing": ("missing", {}),
    "extra_forbidden": ("extra", {}),
    "string_too_short": ("too_short", {"least": "min_length"}),
    "string_too_long": ("too_long", {"most": "max_length"}),
    "too_short": ("too_few", {"least": "min_length"}),
    "too_long": ("too_many", {"most": "max_length"}),
    "greater_than_equal": ("too_small", {"least": "ge"}),
    "greater_than": ("too_little", {"least": "gt"}),
    "less_than_equal": ("too_big", {"most": "le"}),
    "enum": ("choice", {"choices": "expected"}),
    "literal_error": ("choice", {"choices": "expected"}),
    "string_type": ("not_text", {}),
    "string_unicode": ("characters", {}),
    "characters": ("characters", {}),
    "blank": ("blank", {}),
    "int_type": ("not_integer", {}),
    "int_parsing": ("not_integer", {}),
    "int_from_float": ("not_integer", {}),
    "float_type": ("not_number", {}),
    "float_parsing": ("not_number", {}),
    "finite_number": ("not_number", {}),
    "bool_type": ("not_boolean", {}),
    "bool_parsing": ("not_boolean", {}),
    "uuid_type": ("not_id", {}),
    "uuid_parsing": ("not_id", {}),
    "model_type": ("not_object", {}),
    "model_attributes_type": ("not_object", {}),
    "dict_type": ("not_object", {}),
    "tuple_type": ("not_list", {}),
    "list_type": ("not_list", {}),
    "cursor": ("cursor", {}),
    "duration": ("duration", {}),
    "month": ("month", {}),
}

_TRIED = ("date", "datetime", "constrained-str", "float", "int")


def faults(errors: Iterable[Mapping[str, Any]], *, skip: int = 0) -> tuple[Fault, ...]:
    """Translate pydantic's errors; `skip` drops the first parts of each place (`body`, `query`)."""
    found: dict[tuple[str, str], Fault] = {}
    for error in errors:
        # The kind that was tried stands at the end of some places; people know fields and numbers only.
        parts = [str(part) for part in error["loc"][skip:]]
        place = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] in _TRIED else parts)
        kind = str(error["type"])
        context = error.get("ctx") or {}
        if kind in _KINDS:
            key, limits = _KINDS[kind]
            values = {name: _plain(context.get(of)) for name, of in limits.items()}
        elif kind.startswith(("datetime", "timezone")):
            key, values = "not_datetime", {}
        elif kind.startswith("date"):
            key, values = "not_date", {}
        else:
            key, values = "wrong", {}
        if key == "too_short" and values["least"] == 1:
            key = "blank"
        found.setdefault((place, key), Fault(place, key, values))
    return tuple(found.values())


def _plain(limit: object) -> object:
    if isinstance(limit, float) and limit.is_integer():
        return int(limit)
    if isinstance(limit, str):
        return limit.replace("'", "").replace(" or ", ", ").replace(" and ", ", ")
    return limit
