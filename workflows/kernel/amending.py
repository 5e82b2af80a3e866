"""Copy a frozen value with some of its fields changed, as rules do many times in every turn (pure)."""

from dataclasses import replace
from typing import Any, TypeVar

T = TypeVar("T")


def amend(value: T, /, **changes: Any) -> T:
    """A frozen dataclass with other values in some fields; raises `TypeError` for a field that it does not have.

    `dataclasses.replace` calls `__init__` with every field, which took half of a simulated life. A value without
    slots is copied at once; one with slots, or with a check at its making, is left to `replace`.
    """
    held = getattr(value, "__dict__", None)
    if held is None or hasattr(value, "__post_init__"):
        return replace(value, **changes)  # type: ignore[type-var]
    if not changes.keys() <= held.keys():
        raise TypeError(f"{type(value).__name__} has no {sorted(changes.keys() - held.keys())}")
    copy = object.__new__(type(value))
    copy.__dict__.update(held)
    copy.__dict__.update(changes)
    return copy
