"""Moments in the query of a URL, as clients write them."""

import re
from typing import Any

from pydantic import BeforeValidator

_LOST_PLUS = re.compile(r"(T[0-9:.]+) ([0-9]{2}:?[0-9]{2})$")


def _plus(text: Any) -> Any:
    """Read `…T10:00:00 08:00` as the `+08:00` that arrives as a space when it was not escaped."""
    return _LOST_PLUS.sub(r"\1+\2", text) if isinstance(text, str) else text


LostPlus = BeforeValidator(_plus)
