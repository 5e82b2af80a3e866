"""Copy a frozen value with some of its fields changed, as rules do many times in every turn (pure)."""

from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def amend(value: T, /, **changes: Any) -> T:
    """A frozen dataclass with other values in some fields; raises `TypeError` for a field that it does not have.

    `dataclasses.replace` calls `__init__` with every field, which took half of a simulated life. A value without
    slots is copied at once; one with slots, or with a check at its making, is left to `replace`.
    """
    kind: Any = type(value)
    if not _is_copied(kind):
        return replace(value, **changes)  # type: ignore[type-var]
    held = value.__dict__
    copy: T = object.__new__(kind)
    known = copy.__dict__
    known.update(held)
    known.update(changes)
    if len(known) != len(held):
        raise TypeError(f"{kind.__name__} has no {sorted(changes.keys() - held.keys())}")
    return copy


@cache
def _is_copied(kind: type) -> bool:
    return kind.__dictoffset__ != 0 and not hasattr(kind, "__post_init__")
