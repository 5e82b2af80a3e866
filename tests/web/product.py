"""The app with twins behind it, made in one place."""

from typing import Any

from fastapi import FastAPI

from services.api.app import create_app
from services.identity.tokens import Tokens
from tests.web.twins import PACK, Twin, TwinPeople
from workflows.issue.process import ISSUE

TOKENS = Tokens("k" * 32)


def app_over(twin: Twin, **more: Any) -> FastAPI:
    """The app over a street of twins; `more` is what a test wants otherwise."""

    async def fine() -> bool:
        return not twin.away

    usual: dict[str, Any] = {
        "processes": [ISSUE],
        "engine": twin,
        "reads": twin,
        "people": TwinPeople(),
        "tokens": TOKENS,
        "sealing": twin,
        "secrets": [b"s" * 32],
        "store": twin,
        "pack": PACK,
        "probes": {"engine": fine},
    }
    return create_app(**usual | more)
