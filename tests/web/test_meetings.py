"""How a meeting stands, as a screen in the room asks for it: the arithmetic of the rules, before the next command."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.api.meetings import meeting_router
from tests.rules.test_meeting_arrows import prepared
from tests.rules.test_meeting_refusals import opened
from tests.scenarios.street import Town
from tests.web.product import TOKENS, app_over
from tests.web.twins import PEOPLE, Twin, TwinPeople
from workflows.issue.process import ISSUE
from workflows.kernel.process import Actor
from workflows.meeting import commands as do
from workflows.meeting.data import Choice
from workflows.meeting.process import MEETING


class Neighbours(TwinPeople):
    """The people of the town, whose ids are their usernames, beside those who ask."""

    async def actor(self, actor_id: str, username: str | None = None) -> Actor | None:
        return await super().actor(actor_id, username) or Actor(actor_id, actor_id, ())


@pytest.fixture
def twin() -> Twin:
    return Twin()


@pytest_asyncio.fixture
async def client(twin: Twin) -> AsyncIterator[httpx.AsyncClient]:
    app = app_over(twin, processes=[ISSUE, MEETING], people=Neighbours(), routers=(meeting_router(),))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/api/v1") as one:
        yield one


async def standing(client: httpx.AsyncClient, twin: Twin, town: Town, who: str = "worker1") -> Any:
    twin.street = town.street
    headers = {"Authorization": f"Bearer {TOKENS.issue(PEOPLE[who])}"}
    return await client.get("/meetings/m/standing", headers=headers)


async def test_before_the_session_the_seats_of_today_are_expected(client: httpx.AsyncClient, twin: Twin) -> None:
    found = (await standing(client, twin, prepared())).json()

    assert (found["expected"], found["quorate"], found["present"]) == (True, False, [])
    [body] = found["bodies"]
    assert (body["body"], body["members"], len(body["seats"])) == ("EXTENDED_PARTY_COMMITTEE", 9, 9)
    assert (body["quorum"]["needed"], body["quorum"]["base"], body["quorum"]["reached"]) == (5, 9, False)
    assert found["people"][body["seats"][0]["person"]]["username"]


async def test_votes_are_counted_as_they_come_in(client: httpx.AsyncClient, twin: Twin) -> None:
    town = opened(present=8)
    town.say("m", "epc1b", do.RecordVote(item="i1", choice=Choice.FOR))
    town.say("m", "epc1c", do.RecordVote(item="i1", choice=Choice.AGAINST))
    town.say("m", "epc1d", do.DeclareInterest(item="i1"))

    found = (await standing(client, twin, town)).json()

    item = found["items"]["i1"]
    [count] = item["counts"]
    assert (found["quorate"], item["quorate"], item["insufficient"]) == (True, True, False)
    assert (count["in_favour"], count["against"], count["eligible"], count["present"]) == (1, 1, 8, 7)
    # More than half of the seven who are here and may vote.
    assert (count["majority"]["needed"], count["majority"]["base"], count["majority"]["reached"]) == (4, 7, False)
    assert item["recused"] == ["epc1d"]
    assert len(item["awaited"]) == 5
    assert found["keeps_record"] is False
    assert item["result_now"] == "TIE"


async def test_who_may_not_know_of_a_meeting_learns_nothing(client: httpx.AsyncClient, twin: Twin) -> None:
    assert (await standing(client, twin, prepared(), "worker2")).status_code == 404
