"""The whole program with nothing behind it: it starts, says so, and never keeps anybody waiting."""

import asyncio
import base64
from pathlib import Path

import httpx

from services.settings import load_settings
from services.web import build_app

NOBODY = "127.0.0.1:9"


async def test_without_servers_every_answer_is_a_quick_503(tmp_path: Path) -> None:
    settings = load_settings(
        home=tmp_path,
        database_url=f"postgresql://nobody@{NOBODY}/nothing",
        temporal_address=NOBODY,
        token_key="k" * 40,
        seal_key=base64.b64encode(b"s" * 32).decode(),
        request_timeout=2.0,
    )
    transport = httpx.ASGITransport(await build_app(settings), raise_app_exceptions=False)

    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", timeout=20) as client:
        form = {"username": "worker1", "password": "x"}
        live, ready, token, board = await asyncio.gather(
            client.get("/health/live"),
            client.get("/health/ready"),
            client.post("/auth/token", data=form),
            client.get("/public/communities/620199001001/board"),
        )

    assert live.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["checks"] == {"postgres": False, "temporal": False, "worker": False}
    for answer in (token, board):
        assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")
        assert answer.headers["retry-after"]
