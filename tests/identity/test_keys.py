"""Keys of machines: made once, shown once, as far as their scopes go and no longer than their term."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.identity.conftest import C1, Call, Clock, Make, bearer, browser, token

NEXT_MONTH = (datetime.now(UTC) + timedelta(days=30)).isoformat()


def wanted(*scopes: str, **changed: Any) -> dict[str, Any]:
    return {
        "username": "integration",
        "name": "12345 hotline",
        "scopes": list(scopes),
        "expires_at": NEXT_MONTH,
        **changed,
    }


async def key(call: Call, *scopes: str) -> dict[str, Any]:
    answer = await call("admin", "POST", "/api-keys", wanted(*scopes))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_key_acts_as_its_account(client: httpx.AsyncClient, call: Call) -> None:
    made = await key(call, "*")

    me = await client.get("/me", headers=bearer(made["key"]))

    assert me.json()["username"] == "integration"


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("issues.submit_issue", "POST", "/issues", 422),
        ("issues.*", "POST", "/issues", 422),
        ("*", "POST", "/issues", 422),
        ("issues.read", "POST", "/issues", 403),
        ("read", "POST", "/issues", 403),
        ("supervisions.*", "POST", "/issues", 403),
        ("issues.read", "GET", "/issues", 200),
        ("read", "GET", "/issues", 200),
        ("issues.submit_issue", "GET", "/issues", 403),
        ("issues.read", "GET", "/worklist", 403),
        ("read", "GET", "/worklist", 200),
        ("issues.sign", "POST", f"/issues/{C1}/commands/accept_to_problem_list", 403),
        ("issues.*", "POST", "/api-keys", 403),
        ("issues.*", "PUT", "/me/password", 403),
    ],
)
async def test_a_key_goes_as_far_as_its_scopes(
    client: httpx.AsyncClient, call: Call, scope: str, method: str, path: str, status: int
) -> None:
    made = await key(call, scope)

    answer = await client.request(
        method, path, json={"title": 1} if method != "GET" else None, headers=bearer(made["key"])
    )

    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json()["reason"] == "OUT_OF_SCOPE"


async def test_a_revoked_key_opens_nothing(client: httpx.AsyncClient, call: Call) -> None:
    made = await key(call, "read")
    assert (await client.get("/issues", headers=bearer(made["key"]))).status_code == 200

    assert (await call("admin", "DELETE", f"/api-keys/{made['id']}")).status_code == 204

    answer = await client.get("/issues", headers=bearer(made["key"]))
    assert (answer.status_code, answer.json()["reason"]) == (401, "KEY_INVALID")


async def test_a_key_runs_out(make: Make) -> None:
    clock = Clock()
    client = browser(make(clock=clock))
    admin = bearer(await token(client, "admin"))
    expires_at = (clock.now + timedelta(hours=1)).isoformat()
    made = (await client.post("/api-keys", json=wanted("read", expires_at=expires_at), headers=admin)).json()

    clock.now += timedelta(hours=1)

    assert (await client.get("/issues", headers=bearer(made["key"]))).status_code == 401


@pytest.mark.parametrize("shown", ["slk_", "slk_x.y", "slk_000000000000.", "slk_\N{SNOWFLAKE}.x", "slk_" + "0" * 5000])
async def test_a_made_up_key_is_refused(client: httpx.AsyncClient, shown: str) -> None:
    answer = await client.get("/issues", headers={b"Authorization": f"Bearer {shown}".encode()})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_another_secret_behind_a_known_prefix_is_refused(client: httpx.AsyncClient, call: Call) -> None:
    made = await key(call, "read")

    answer = await client.get("/issues", headers=bearer(made["prefix"] + ".guessed"))

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"scopes": ["everything"]}, "UNKNOWN_SCOPE"),
        ({"scopes": ["issues"]}, "UNKNOWN_SCOPE"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "KEY_TERM"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, "KEY_TERM"),
        ({"username": "nobody"}, "UNKNOWN_ACCOUNT"),
    ],
)
async def test_a_key_that_cannot_be_made(call: Call, changed: dict[str, Any], reason: str) -> None:
    answer = await call("admin", "POST", "/api-keys", {**wanted("read"), **changed})

    assert (answer.status_code, answer.json()["reason"]) == (409, reason)


@pytest.mark.parametrize("who", ["worker1", "supervisor", "resident1", "integration"])
async def test_only_an_administrator_makes_keys(call: Call, who: str) -> None:
    assert (await call(who, "POST", "/api-keys", wanted("read"))).status_code == 403
    assert (await call(who, "GET", "/api-keys")).status_code == 403


async def test_keys_are_listed_by_their_beginning_and_kept_as_hashes(call: Call, storage: AsyncEngine) -> None:
    made = await key(call, "read")
    secret = made["key"].partition(".")[2]

    listed = await call("admin", "GET", "/api-keys")
    async with storage.connect() as connection:
        kept = (await connection.execute(text("SELECT * FROM api_key"))).all()
        audited = (await connection.execute(text("SELECT * FROM audit WHERE entity = 'api_key'"))).all()

    assert made["prefix"] in {row["prefix"] for row in listed.json()["items"]}
    assert audited
    assert not any(secret in str(shown) for shown in (listed.text, kept, audited))
