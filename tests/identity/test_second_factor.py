"""One-time codes: begun, confirmed, asked for, each good once; where approvers are guarded, their roles wait for it."""

from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from pyotp.totp import TOTP
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.identity.conftest import PASSWORD, Clock, Make, bearer, browser, token


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def client(make: Make, clock: Clock) -> httpx.AsyncClient:
    return browser(make(clock=clock))


async def enrolled(client: httpx.AsyncClient, clock: Clock, who: str) -> TOTP:
    """Bind a telephone to an account."""
    shown = bearer(await token(client, who))
    begun = await client.post("/me/second-factor", headers=shown)
    assert begun.status_code == 201, begun.text
    codes = TOTP(begun.json()["secret"])
    confirmed = await client.put("/me/second-factor", json={"code": codes.at(clock.now)}, headers=shown)
    assert confirmed.status_code == 204, confirmed.text
    clock.now += timedelta(seconds=30)
    return codes


async def attempt(client: httpx.AsyncClient, who: str, code: str | None = None) -> tuple[int, str]:
    form = {"username": who, "password": PASSWORD} | ({"code": code} if code is not None else {})
    answer = await client.post("/auth/token", data=form)
    return answer.status_code, answer.json().get("reason", "")


async def test_an_account_with_a_second_factor_needs_its_code(client: httpx.AsyncClient, clock: Clock) -> None:
    codes = await enrolled(client, clock, "approver")

    assert await attempt(client, "approver") == (401, "SECOND_FACTOR_NEEDED")
    assert await attempt(client, "approver", "000000") == (401, "SECOND_FACTOR_WRONG")
    assert (await attempt(client, "approver", codes.at(clock.now)))[0] == 200


async def test_a_code_opens_once(client: httpx.AsyncClient, clock: Clock) -> None:
    codes = await enrolled(client, clock, "cityapprover")
    code = codes.at(clock.now)
    assert (await attempt(client, "cityapprover", code))[0] == 200

    assert await attempt(client, "cityapprover", code) == (401, "SECOND_FACTOR_WRONG")


async def test_a_telephone_may_be_one_step_off_and_no_more(client: httpx.AsyncClient, clock: Clock) -> None:
    codes = await enrolled(client, clock, "reviewer")

    assert (await attempt(client, "reviewer", codes.at(clock.now + timedelta(seconds=30))))[0] == 200
    assert (await attempt(client, "reviewer", codes.at(clock.now + timedelta(minutes=5))))[0] == 401


async def test_a_wrong_code_counts_like_a_wrong_password(client: httpx.AsyncClient, clock: Clock) -> None:
    await enrolled(client, clock, "supervisor")

    answers = [await attempt(client, "supervisor", "000000") for _ in range(6)]

    assert answers[-1] == (429, "SIGN_IN_TOO_OFTEN")


async def test_an_unconfirmed_factor_asks_for_nothing(client: httpx.AsyncClient) -> None:
    await client.post("/me/second-factor", headers=bearer(await token(client, "grid1")))

    assert (await attempt(client, "grid1"))[0] == 200


async def test_a_wrong_code_confirms_nothing(client: httpx.AsyncClient) -> None:
    shown = bearer(await token(client, "grid2"))
    await client.post("/me/second-factor", headers=shown)

    answer = await client.put("/me/second-factor", json={"code": "000000"}, headers=shown)

    assert (answer.status_code, answer.json()["reason"]) == (409, "SECOND_FACTOR_WRONG")
    assert (await client.get("/me/second-factor", headers=shown)).json() == {"confirmed": False}


async def test_it_takes_a_last_code_to_remove_it(client: httpx.AsyncClient, clock: Clock) -> None:
    codes = await enrolled(client, clock, "officer")
    shown = bearer(await token(client, "officer", code=codes.at(clock.now)))

    refused = await client.post("/me/second-factor/removal", json={"code": "000000"}, headers=shown)
    clock.now += timedelta(seconds=30)
    removed = await client.post("/me/second-factor/removal", json={"code": codes.at(clock.now)}, headers=shown)

    assert (refused.status_code, removed.status_code) == (409, 204)
    assert (await attempt(client, "officer"))[0] == 200


async def test_another_secret_does_not_take_the_place_of_a_confirmed_one(
    client: httpx.AsyncClient, clock: Clock
) -> None:
    codes = await enrolled(client, clock, "streetparty")
    shown = bearer(await token(client, "streetparty", code=codes.at(clock.now)))

    answer = await client.post("/me/second-factor", headers=shown)

    assert (answer.status_code, answer.json()["reason"]) == (409, "SECOND_FACTOR_EXISTS")


async def test_the_secret_is_sealed_where_it_is_kept(
    client: httpx.AsyncClient, clock: Clock, storage: AsyncEngine
) -> None:
    codes = await enrolled(client, clock, "worker3")

    async with storage.connect() as connection:
        kept = (await connection.execute(text("SELECT sealed_secret FROM second_factor"))).scalars().all()
        audited = (await connection.execute(text("SELECT * FROM audit WHERE entity = 'second_factor'"))).all()

    assert kept
    assert audited
    assert codes.secret not in str(kept)
    assert not any(sealed in str(audited) for sealed in kept)


async def roles(client: httpx.AsyncClient, shown: str) -> set[str]:
    answer = await client.get("/me", headers=bearer(shown))
    return {role["role"] for role in answer.json()["roles"]}


async def test_where_approvers_are_guarded_their_roles_wait_for_the_code(make: Make, clock: Clock) -> None:
    guarded = browser(make(clock=clock, guarded=True))
    assert await roles(guarded, await token(guarded, "secretary1")) == {
        "cwc_chair",
        "two_committees_member",
        "epc_member",
    }
    assert await roles(guarded, await token(guarded, "worker1")) == {"community_worker"}

    codes = await enrolled(guarded, clock, "secretary1")
    shown = await token(guarded, "secretary1", code=codes.at(clock.now))

    assert "party_secretary" in await roles(guarded, shown)


async def test_a_session_keeps_what_its_code_opened(make: Make, clock: Clock) -> None:
    guarded = browser(make(clock=clock, guarded=True))
    codes = await enrolled(guarded, clock, "secretary2")
    body = {"username": "secretary2", "password": PASSWORD, "code": codes.at(clock.now)}
    begun = (await guarded.post("/auth/sessions", json=body)).json()

    again = (await guarded.post("/auth/refresh", json={"refresh_token": begun["refresh_token"]})).json()

    assert "party_secretary" in await roles(guarded, again["access_token"])
