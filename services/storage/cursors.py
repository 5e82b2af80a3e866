"""Remember where a list was left (游标): the last row's order, opaque to the caller."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic_core import from_json, to_json


class CursorInvalid(ValueError):
    """A cursor that this list did not give."""


def cursor(kind: str, values: Sequence[Any]) -> str:
    """Write the order of the last row; `kind` keeps cursors of different lists apart."""
    return base64.urlsafe_b64encode(to_json([kind, *values])).decode().rstrip("=")


def order_of(kind: str, given: str, types: Sequence[type]) -> tuple[Any, ...]:
    """Read what `cursor` wrote; raises `CursorInvalid` for anything else."""
    try:
        found, *values = from_json(base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True))
        if found != kind or len(values) != len(types):
            raise CursorInvalid("a cursor of another list")
        return tuple(_read(value, wanted) for value, wanted in zip(values, types, strict=True))
    except (binascii.Error, ValueError, TypeError) as error:
        raise CursorInvalid("not a cursor of this list") from error


def _read(value: Any, wanted: type) -> Any:
    if wanted is datetime:
        return datetime.fromisoformat(value)
    if wanted is int and not isinstance(value, bool) and isinstance(value, int):
        return value
    if wanted not in (int, bool) and isinstance(value, str):
        return wanted(value)
    raise CursorInvalid("not a cursor of this list")
