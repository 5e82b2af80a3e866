"""Sign in by an OpenID provider: a real one runs beside the test, and a browser walks to it and back."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.console.app import create_console
from services.identity.errors import ProviderRefused
from services.identity.provider import Client, Provider
from tests.identity.conftest import KEY, Clock, Make, bearer, browser

CALLBACK = "http://test/api/v1/auth/oidc/callback"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def issuer() -> AsyncIterator[str]:
    """The address of an OpenID provider in a process of its own, which knows three people."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    people: list[dict[str, object]] = [
        {"sub": "s-1", "preferred_username": "worker1"},
        {"sub": "s-2", "preferred_username": "nobody-here"},
    ]
    people.append({"sub": "s-3", "preferred_username": "approver", "amr": ["pwd", "otp"]})
    given = [part for one in people for part in ("--user-claims", json.dumps(one))]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *given),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient() as web, asyncio.timeout(60):
        while True:
            try:
                await web.get(f"{address}/.well-known/openid-configuration")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    yield address
    process.terminate()
    await process.wait()


@pytest.fixture
def client_at(issuer: str) -> Client:
    return Client(issuer, "shangliang", "a secret", username_claim="preferred_username")


async def consent(url: str, subject: str, callback: str = CALLBACK) -> dict[str, str]:
    """Sign in on the provider's own page; gives what it sends the browser back with."""
    async with httpx.AsyncClient() as web:
        page = await web.get(url)
        assert page.status_code == 200, page.text
        back = await web.post(url, data={"sub": subject})
    assert back.is_redirect, back.text
    assert back.headers["location"].startswith(callback)
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}


async def signed_in(app_client: httpx.AsyncClient, subject: str) -> httpx.Response:
    """Walk the whole way as a browser does."""
    left = await app_client.get("/auth/oidc/login")
    assert left.status_code == 303, left.text
    cookie = left.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    brought = await consent(left.headers["location"], subject)
    ticket = re.match(r"shangliang_oidc=([^;]+)", cookie)
    assert ticket
    return await app_client.get("/auth/oidc/callback", params=brought, headers={"Cookie": ticket[0]})


async def test_somebody_known_by_his_name_at_the_provider_is_let_in(make: Make, client_at: Client) -> None:
    client = browser(make(provider=Provider(client_at, KEY)))

    answer = await signed_in(client, "s-1")

    assert answer.status_code == 200, answer.text
    me = await client.get("/me", headers=bearer(answer.json()["access_token"]))
    assert me.json()["username"] == "worker1"
    again = await client.post("/auth/refresh", json={"refresh_token": answer.json()["refresh_token"]})
    assert again.status_code == 200


async def test_afterwards_he_is_known_by_his_subject(make: Make, client_at: Client, storage: AsyncEngine) -> None:
    by_name = browser(make(provider=Provider(client_at, KEY)))
    assert (await signed_in(by_name, "s-1")).status_code == 200

    by_link = browser(make(provider=Provider(replace(client_at, username_claim=""), KEY)))
    assert (await signed_in(by_link, "s-1")).status_code == 200

    async with storage.connect() as connection:
        links = (await connection.execute(text("SELECT issuer, subject FROM identity_link"))).all()
    assert (client_at.issuer, "s-1") in [tuple(row) for row in links]


async def test_a_stranger_is_not_let_in(make: Make, client_at: Client) -> None:
    client = browser(make(provider=Provider(client_at, KEY)))

    answer = await signed_in(client, "s-2")

    assert (answer.status_code, answer.json()["reason"]) == (401, "OIDC_UNKNOWN")


async def test_without_a_claim_for_names_only_linked_people_are_let_in(make: Make, client_at: Client) -> None:
    client = browser(make(provider=Provider(replace(client_at, username_claim=""), KEY)))

    assert (await signed_in(client, "s-3")).json()["reason"] == "OIDC_UNKNOWN"


async def test_a_second_factor_shown_to_the_provider_counts(make: Make, client_at: Client) -> None:
    client = browser(make(provider=Provider(client_at, KEY), guarded=True))

    answer = await signed_in(client, "s-3")

    me = await client.get("/me", headers=bearer(answer.json()["access_token"]))
    assert [role["role"] for role in me.json()["roles"]] == ["leading_group_approver"]


async def test_what_one_browser_began_no_other_finishes(client_at: Client) -> None:
    provider = Provider(client_at, KEY)
    url, _ = await provider.begin(CALLBACK)
    brought = await consent(url, "s-1")
    _, another = await provider.begin(CALLBACK)

    with pytest.raises(ProviderRefused):
        await provider.finish(another, redirect_uri=CALLBACK, **brought)


async def test_a_code_opens_once(client_at: Client) -> None:
    provider = Provider(client_at, KEY)
    url, ticket = await provider.begin(CALLBACK)
    brought = await consent(url, "s-1")
    brought.pop("iss", None)
    assert (await provider.finish(ticket, redirect_uri=CALLBACK, **brought)).subject == "s-1"

    with pytest.raises(ProviderRefused):
        await provider.finish(ticket, redirect_uri=CALLBACK, **brought)


async def test_a_ticket_holds_ten_minutes_and_is_ours(client_at: Client) -> None:
    clock = Clock()
    provider = Provider(client_at, KEY, clock)
    _, ticket = await provider.begin(CALLBACK)
    forged = jwt.encode({"alg": "HS256"}, {"state": "s", "use": "oidc", "exp": 9999999999}, OctKey.import_key("x" * 32))
    clock.now += timedelta(minutes=11)

    for shown in (ticket, forged, "", "a.b.c"):
        with pytest.raises(ProviderRefused):
            await provider.finish(shown, state="s", code="c", redirect_uri=CALLBACK)


async def test_another_client_s_token_is_not_taken(client_at: Client) -> None:
    ours, theirs = Provider(client_at, KEY), Provider(replace(client_at, client_id="another"), KEY)
    url, ticket = await theirs.begin(CALLBACK)
    brought = await consent(url, "s-1")

    with pytest.raises(ProviderRefused):
        await ours.finish(ticket, state=brought["state"], code=brought["code"], redirect_uri=CALLBACK)


async def test_a_provider_that_is_away_says_so(make: Make, client_at: Client) -> None:
    away = Provider(replace(client_at, issuer="http://127.0.0.1:9"), KEY)

    answer = await browser(make(provider=away)).get("/auth/oidc/login")

    assert (answer.status_code, answer.json()["reason"]) == (401, "OIDC_AWAY")


async def test_without_a_provider_there_is_no_such_way_in(client: httpx.AsyncClient) -> None:
    assert (await client.get("/auth/oidc/login")).status_code == 404
    assert (await client.get("/auth/oidc/callback", params={"code": "c", "state": "s"})).status_code == 404
    assert (await client.get("/auth/ways")).json() == {"password": True, "provider": False}


async def test_a_browser_signs_in_to_the_console_and_comes_back_to_it(make: Make, client_at: Client) -> None:
    app = make(provider=Provider(client_at, KEY))
    app.router.routes.append(create_console(app, [], secret=b"forms"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as web:
        asked = await web.get("/sign-in")
        left = await web.get("/sign-in/provider")
        brought = await consent(left.headers["location"], "s-1", "http://test/sign-in/provider/back")
        back = await web.get("/sign-in/provider/back", params=brought)

        assert 'href="/sign-in/provider"' in asked.text
        assert (back.status_code, back.headers["location"]) == (303, "/")
        me = await web.get("/api/v1/me", headers=bearer(web.cookies["shangliang_access"]))
        assert me.json()["username"] == "worker1"


async def test_a_browser_that_did_not_leave_from_here_is_not_let_in(make: Make, client_at: Client) -> None:
    app = make(provider=Provider(client_at, KEY))
    app.router.routes.append(create_console(app, [], secret=b"forms"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as web:
        left = await web.get("/sign-in/provider")
        brought = await consent(left.headers["location"], "s-1", "http://test/sign-in/provider/back")
        web.cookies.clear()
        back = await web.get("/sign-in/provider/back", params=brought)

        assert (back.status_code, back.headers["location"]) == (303, "/sign-in?refused=1")
        assert "shangliang_access" not in web.cookies
