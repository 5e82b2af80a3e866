"""The API from outside: headers, origins, depth, injection strings; what operators may open, what a person may ask."""

import base64
import json
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from activities.payloads import DATA_CONVERTER, data_converter, opened_json
from services.api.middleware import SECURITY
from services.api.origins import Origins

KEYS = {"k1": b"p" * 32}


# --- origins ---------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def browser() -> Any:
    """A client of an app that lets one host call it, and the engine's pages open payloads."""
    app = FastAPI()

    @app.api_route("/api/v1/{path:path}", methods=["GET", "POST"])
    async def anything(request: Request) -> JSONResponse:
        return JSONResponse({"path": request.url.path})

    guarded = Origins(app, api=["https://town.example"], codec=["http://127.0.0.1:8233"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://x") as client:
        yield client


async def preflight(browser: httpx.AsyncClient, path: str, origin: str) -> httpx.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return await browser.options(path, headers=asked)


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [
        ("/api/v1/issues", "https://town.example", True),
        ("/api/v1/issues", "https://evil.example", False),
        ("/api/v1/issues", "https://town.example.evil.example", False),
        ("/api/v1/issues", "http://town.example", False),
        ("/api/v1/issues", "null", False),
        ("/api/v1/issues", "http://127.0.0.1:8233", False),
        ("/api/v1/codec/decode", "http://127.0.0.1:8233", True),
        ("/api/v1/codec/decode", "https://town.example", False),
    ],
)
async def test_a_browser_is_let_in_only_from_named_origins(
    browser: httpx.AsyncClient, path: str, origin: str, allowed: bool
) -> None:
    answer = await preflight(browser, path, origin)
    real = await browser.post(path, headers={"Origin": origin})

    assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
    assert (real.headers.get("access-control-allow-origin") == origin) is allowed
    assert "access-control-allow-credentials" not in {**answer.headers, **real.headers}
    assert "*" not in {
        answer.headers.get("access-control-allow-origin"),
        real.headers.get("access-control-allow-origin"),
    }


# --- payloads of the engine ------------------------------------------------------------------------------------------


async def test_the_codec_opens_what_the_engines_pages_send() -> None:
    converter = data_converter(KEYS)
    [hidden] = await converter.encode([{"case": "issue/1"}])
    sent = {
        "payloads": [
            {
                "metadata": {name: base64.b64encode(value).decode() for name, value in hidden.metadata.items()},
                "data": base64.b64encode(hidden.data).decode(),
            }
        ]
    }

    opened = await opened_json(converter, json.dumps(sent).encode())

    assert opened is not None
    [clear] = json.loads(opened)["payloads"]
    assert json.loads(base64.b64decode(clear["data"])) == {"case": "issue/1"}
    assert await opened_json(data_converter({"k2": b"q" * 32}), json.dumps(sent).encode()) is None
    assert await opened_json(converter, b"{") is None
    assert await opened_json(converter, b'{"payloads": 1}') is None
    assert await opened_json(converter, ("[" * 5000).encode()) is None
    assert await opened_json(DATA_CONVERTER, b'{"payloads": []}') is not None


def test_every_answer_forbids_what_no_answer_needs() -> None:
    assert "default-src 'none'" in SECURITY["Content-Security-Policy"]
    assert SECURITY["X-Content-Type-Options"] == "nosniff"
    assert SECURITY["Cache-Control"] == "no-store"
