"""Sign in and stay so: renew, sign out, change the password; what was given back opens nothing more."""

from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.passwords import Passwords
from services.identity.rates import Rates
from services.storage import people
from tests.identity.conftest import PASSWORD, Clock, Make, bearer, browser, token


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def client(make: Make, clock: Clock) -> httpx.AsyncClient:
    return browser(make(clock=clock))


async def newcomer(engine: AsyncEngine, username: str) -> None:
    async with engine.begin() as connection:
        person = await people.add_person(connection, region_code="6201", display_name="新人")
        kept = Passwords().hash(PASSWORD)
        await people.add_account(connection, person_id=person, username=username, password_hash=kept)


async def session(client: httpx.AsyncClient, who: str) -> dict[str, str]:
    answer = await client.post("/auth/sessions", json={"username": who, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    shown: dict[str, str] = answer.json()
    return shown


async def me(client: httpx.AsyncClient, shown: str) -> tuple[int, str]:
    answer = await client.get("/me", headers=bearer(shown))
    return answer.status_code, answer.json().get("reason", "")


async def renewed(client: httpx.AsyncClient, refresh_token: str) -> httpx.Response:
    return await client.post("/auth/refresh", json={"refresh_token": refresh_token})


async def test_the_plain_token_answers_as_the_api_promises(client: httpx.AsyncClient) -> None:
    answer = await client.post("/auth/token", data={"username": "worker1", "password": PASSWORD})

    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "token_type", "expires_in"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 3600)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_session_is_renewed_after_its_token_has_run_out(client: httpx.AsyncClient, clock: Clock) -> None:
    first = await session(client, "worker1")
    clock.now += timedelta(hours=2)
    assert await me(client, first["access_token"]) == (401, "TOKEN_EXPIRED")

    second = (await renewed(client, first["refresh_token"])).json()

    assert second["refresh_token"] != first["refresh_token"]
    assert (await me(client, second["access_token"]))[0] == 200


async def test_a_session_ends_after_thirty_days(client: httpx.AsyncClient, clock: Clock) -> None:
    begun = await session(client, "worker1")
    clock.now += timedelta(days=30)

    answer = await renewed(client, begun["refresh_token"])

    assert (answer.status_code, answer.json()["reason"]) == (401, "SESSION_OVER")


async def test_a_stolen_refresh_token_ends_the_session_of_thief_and_owner(
    client: httpx.AsyncClient, clock: Clock
) -> None:
    first = await session(client, "worker1b")
    second = (await renewed(client, first["refresh_token"])).json()
    clock.now += timedelta(minutes=1)

    assert (await renewed(client, first["refresh_token"])).status_code == 401

    assert (await renewed(client, second["refresh_token"])).status_code == 401
    clock.now += timedelta(seconds=4)
    assert await me(client, second["access_token"]) == (401, "TOKEN_REVOKED")


async def test_a_repeat_by_a_shaky_net_costs_nobody_the_session(client: httpx.AsyncClient, clock: Clock) -> None:
    first = await session(client, "worker1")
    second = (await renewed(client, first["refresh_token"])).json()
    clock.now += timedelta(seconds=2)

    assert (await renewed(client, first["refresh_token"])).status_code == 401

    assert (await renewed(client, second["refresh_token"])).status_code == 200


@pytest.mark.parametrize("made_up", ["x", "00000000-0000-4000-8000-000000000000.x", ".", "💧.💧"])
async def test_a_made_up_refresh_token_is_refused(client: httpx.AsyncClient, made_up: str) -> None:
    assert (await renewed(client, made_up)).status_code == 401


async def test_signing_out_gives_the_token_and_its_session_back(client: httpx.AsyncClient) -> None:
    begun, other = await session(client, "worker2"), await session(client, "worker2")

    answer = await client.post("/me/sign-out", headers=bearer(begun["access_token"]))

    assert answer.status_code == 204
    assert await me(client, begun["access_token"]) == (401, "TOKEN_REVOKED")
    assert (await renewed(client, begun["refresh_token"])).status_code == 401
    assert (await me(client, other["access_token"]))[0] == 200


async def test_a_plain_token_can_be_given_back_too(client: httpx.AsyncClient) -> None:
    shown, other = await token(client, "worker2"), await token(client, "worker2")

    await client.post("/me/sign-out", headers=bearer(shown))

    assert await me(client, shown) == (401, "TOKEN_REVOKED")
    assert (await me(client, other))[0] == 200


async def test_another_program_sees_it_within_seconds(make: Make, client: httpx.AsyncClient, clock: Clock) -> None:
    neighbour = browser(make(clock=clock))
    shown = await token(client, "worker2")
    assert (await me(neighbour, shown))[0] == 200

    await client.post("/me/sign-out", headers=bearer(shown))
    clock.now += timedelta(seconds=4)

    assert await me(neighbour, shown) == (401, "TOKEN_REVOKED")


async def test_a_new_password_ends_everything_that_the_old_one_opened(
    client: httpx.AsyncClient, storage: AsyncEngine
) -> None:
    await newcomer(storage, "changer")
    begun, shown = await session(client, "changer"), await token(client, "changer")
    body = {"old_password": PASSWORD, "new_password": "something else"}

    answer = await client.put("/me/password", json=body, headers=bearer(shown))

    assert answer.status_code == 204
    assert await me(client, shown) == (401, "TOKEN_REVOKED")
    assert await me(client, begun["access_token"]) == (401, "TOKEN_REVOKED")
    assert (await renewed(client, begun["refresh_token"])).status_code == 401
    refused = await client.post("/auth/token", data={"username": "changer", "password": PASSWORD})
    assert refused.status_code == 401


async def test_the_new_password_opens_at_once(client: httpx.AsyncClient, storage: AsyncEngine, clock: Clock) -> None:
    await newcomer(storage, "quick")
    body = {"old_password": PASSWORD, "new_password": "something else"}
    await client.put("/me/password", json=body, headers=bearer(await token(client, "quick")))

    clock.now += timedelta(milliseconds=5)
    shown = await token(client, "quick", "something else")

    assert (await me(client, shown))[0] == 200


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("wrong", "something else", "OLD_PASSWORD_WRONG"),
        (PASSWORD, PASSWORD, "PASSWORD_UNCHANGED"),
        (PASSWORD, "short", "PASSWORD_TOO_SHORT"),
    ],
)
async def test_a_password_that_cannot_be_taken(client: httpx.AsyncClient, old: str, new: str, reason: str) -> None:
    shown = await token(client, "grid2")

    answer = await client.put("/me/password", json={"old_password": old, "new_password": new}, headers=bearer(shown))

    assert (answer.status_code, answer.json()["reason"]) == (409, reason)
    assert (await me(client, shown))[0] == 200


async def test_signing_out_everywhere(client: httpx.AsyncClient) -> None:
    begun = [await session(client, "grid3") for _ in range(2)]
    listed = await client.get("/me/sessions", headers=bearer(begun[0]["access_token"]))
    assert len(listed.json()["items"]) == 2

    await client.delete("/me/sessions", headers=bearer(begun[0]["access_token"]))

    for one in begun:
        assert await me(client, one["access_token"]) == (401, "TOKEN_REVOKED")


async def test_a_closed_account_renews_nothing(client: httpx.AsyncClient, storage: AsyncEngine) -> None:
    await newcomer(storage, "leaver")
    begun = await session(client, "leaver")

    async with storage.begin() as connection:
        await people.set_account_active(connection, "leaver", active=False)

    assert (await renewed(client, begun["refresh_token"])).status_code == 401


async def test_the_database_holds_no_token_that_opens(client: httpx.AsyncClient, storage: AsyncEngine) -> None:
    begun = await session(client, "worker1")

    async with storage.connect() as connection:
        kept = (await connection.execute(text("SELECT * FROM session"))).all()

    secret = begun["refresh_token"].partition(".")[2]
    assert kept
    assert not any(secret in str(row) or begun["access_token"] in str(row) for row in kept)


async def test_one_address_that_guesses_is_told_to_wait(make: Make, clock: Clock) -> None:
    guesser = browser(make(clock=clock, rates=Rates(account=0, sign_in=3)))
    answers = [
        await guesser.post("/auth/token", data={"username": f"name{number}", "password": "x"}) for number in range(4)
    ]

    assert [one.status_code for one in answers] == [401, 401, 401, 429]
    assert answers[3].json()["code"] == "too_many"
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60


async def test_one_account_that_asks_without_end_is_told_to_wait(make: Make, clock: Clock) -> None:
    caller = browser(make(clock=clock, rates=Rates(account=2, sign_in=0)))
    busy, calm = await token(caller, "grid1"), await token(caller, "grid2")

    answers = [(await me(caller, busy))[0] for _ in range(3)]

    assert answers == [200, 200, 429]
    assert (await me(caller, calm))[0] == 200
