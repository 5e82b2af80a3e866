"""What somebody was told stands in the product, as it happens; his dates stand in any calendar program."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import icalendar
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from ical.calendar_stream import IcsCalendarStream
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.calendar import Calendars
from services.api.app import create_app
from services.api.feeds import feed_router
from services.api.notifications import notification_router
from services.api.postgres import PostgresReads
from services.identity.actors import Directory
from services.identity.tokens import Tokens
from services.storage.bell import Bell
from services.storage.calendar import CalendarStore
from services.storage.feeds import Dates
from services.storage.ids import uuid7
from services.storage.notifications import Notifications
from services.storage.outbox import Outbox
from tests.channels.conftest import SEAL, Gateway, Office, soon
from tests.channels.test_outbox import wish
from tests.storage.town import COMMUNITY, Town, Wish, at, person, submit
from tests.web.twins import Twin
from workflows.issue.process import ISSUE
from workflows.kernel.roles import Role
from workflows.meeting.commands import ScheduleMeeting
from workflows.meeting.data import MeetingType
from workflows.meeting.process import MEETING
from workflows.policy.packs import load

TOKENS = Tokens("k" * 32)
Call = Callable[..., Awaitable[httpx.Response]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(street: AsyncEngine) -> AsyncIterator[FastAPI]:
    """The API on the street; nothing here needs the engine."""
    inbox, bell, twin = Notifications(street, SEAL), Bell(street), Twin()
    made = create_app(
        processes=[ISSUE],
        engine=twin,
        reads=PostgresReads(street, Calendars(CalendarStore(street)), SEAL),
        people=Directory(street),
        tokens=TOKENS,
        sealing=SEAL,
        secrets=[b"s" * 32],
        store=twin,
        pack=load("lanzhou_2021"),
        probes={},
        routers=(notification_router(inbox, bell), feed_router(inbox, Dates(street), "https://example.org")),
        waiting=Outbox(street, SEAL).age,
    )
    made.state.bell = bell
    yield made
    await bell.close()


@pytest_asyncio.fixture(loop_scope="session")
async def call(app: FastAPI, street: AsyncEngine) -> AsyncIterator[Call]:
    """Call the API as somebody of the street."""
    directory = Directory(street)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/api/v1") as client:

        async def as_somebody(who: str, method: str, path: str, body: Any = None) -> httpx.Response:
            headers = {}
            if who:
                actor = (await directory.by_username([who]))[who]
                headers = {"Authorization": f"Bearer {TOKENS.issue(actor)}"}
            return await client.request(method, path, json=body, headers=headers)

        yield as_somebody


async def test_my_notifications_are_mine_and_unread_ones_come_first(town: Town, office: Office, call: Call) -> None:
    case = await wish(town, office, "楼道堆放纸箱")
    for template in ("clock_blue", "clock_yellow", "clock_red"):
        await office.say(case, "property-1", template)
    await office.work()

    first = (await call("property1", "GET", "/notifications?limit=2")).json()

    assert first["unread"] == 3
    assert [one["template"] for one in first["items"]] == ["clock_red", "clock_yellow"]
    assert [one["urgent"] for one in first["items"]] == [True, False]
    assert first["items"][0]["case"]["number"] == case.number
    assert first["items"][0]["path"] == ["property-1"]
    rest = (await call("property1", "GET", f"/notifications?limit=2&cursor={first['next_cursor']}")).json()
    assert ([one["template"] for one in rest["items"]], rest["next_cursor"]) == (["clock_blue"], None)
    assert (await call("heating", "GET", "/notifications")).json()["items"] == []


async def test_reading_one_puts_it_behind_the_others(town: Town, office: Office, call: Call) -> None:
    case = await wish(town, office)
    for template in ("clock_blue", "clock_yellow"):
        await office.say(case, "property-1", template)
    await office.work()
    newest = (await call("property1", "GET", "/notifications")).json()["items"][0]

    read = await call("property1", "POST", f"/notifications/{newest['id']}/read")

    assert read.json()["read_at"] is not None
    again = (await call("property1", "POST", f"/notifications/{newest['id']}/read")).json()
    assert again == read.json()
    listed = (await call("property1", "GET", "/notifications")).json()
    assert ([one["template"] for one in listed["items"]], listed["unread"]) == (["clock_blue", "clock_yellow"], 1)
    assert (await call("heating", "POST", f"/notifications/{newest['id']}/read")).status_code == 404
    assert (await call("property1", "POST", "/notifications/read")).json() == {"read": 1}
    assert (await call("property1", "GET", "/notifications?unread=true")).json()["items"] == []


async def test_whoever_may_not_see_the_case_gets_its_title_masked(town: Town, office: Office, call: Call) -> None:
    case = await wish(town, office, "电话13900001111的邻居家漏水")
    await office.say(case, f"person:{await office.person('heating')}")
    await office.say(case, COMMUNITY)
    await office.work()

    outsider = (await call("heating", "GET", "/notifications")).json()["items"][0]
    worker = (await call("worker1", "GET", "/notifications?unread=true")).json()["items"][0]

    assert "13900001111" not in json.dumps(outsider, ensure_ascii=False)
    assert worker["case"]["title"] == "电话13900001111的邻居家漏水"


@contextlib.asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The app on a real socket: a stream has no end that an in-process client could wait for."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=5))
    running = asyncio.create_task(server.serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
    finally:
        server.should_exit = True
        await running


async def test_a_stream_rings_as_it_happens(town: Town, office: Office, app: FastAPI, street: AsyncEngine) -> None:
    case = await wish(town, office)
    actor = (await Directory(street).by_username(["property1"]))["property1"]
    headers = {"Authorization": f"Bearer {TOKENS.issue(actor)}"}
    heard: list[dict[str, Any]] = []

    async with (
        served(app) as url,
        httpx.AsyncClient(timeout=30) as client,
        client.stream("GET", f"{url}/notifications/stream", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")

        async def listen() -> None:
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    heard.append(json.loads(line.removeprefix("data:")))

        listening = asyncio.create_task(listen())
        await soon(lambda: heard == [{"unread": 0}])
        await office.say(case, "property-1", "clock_red")
        await office.work()
        await soon(lambda: len(heard) >= 3)
        app.state.bell.end()
        await asyncio.wait_for(listening, 10)
    app.state.bell.ended = False

    assert heard[1]["template"] == "clock_red"
    assert heard[2] == {"unread": 1}


async def test_channels_are_ones_own_and_show_no_address(office: Office, call: Call) -> None:
    body = {"url": "mailto:me@example.org", "quiet_from": "21:00", "quiet_until": "07:30", "templates": ["clock_red"]}

    made = await call("property1", "POST", "/channels", body)

    assert made.status_code == 201
    shown = made.json()
    assert (shown["scheme"], shown["quiet_from"], shown["templates"]) == ("mailto", "21:00", ["clock_red"])
    assert "example.org" not in made.text
    assert (await call("property1", "GET", "/channels")).json() == {"items": [shown]}
    assert (await call("heating", "DELETE", f"/channels/{shown['id']}")).status_code == 404
    assert (await call("property1", "DELETE", f"/channels/{shown['id']}")).status_code == 204
    assert (await call("property1", "GET", "/channels")).json() == {"items": []}


async def test_an_address_that_is_not_for_people_is_named_as_the_fault(call: Call, office: Office) -> None:
    refused = await call("property1", "POST", "/channels", {"url": "json://127.0.0.1:1/"})
    half = await call("property1", "POST", "/channels", {"url": "mailto:a@example.org", "quiet_from": "21:00"})

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "url")
    assert (half.status_code, half.json()["errors"][0]["field"]) == (422, "quiet_until")


async def test_a_body_gets_its_group_from_those_who_convene_it(office: Office, call: Call, gateway: Gateway) -> None:
    [body] = await office.ask("SELECT id FROM body WHERE type = 'CWC' AND region_code = :place", place=COMMUNITY)
    group = {"url": "wecombot://00000000-0000-0000-0000-000000000000", "body_id": str(body.id)}

    assert (await call("secretary1", "POST", "/channels", group)).status_code == 201
    assert (await call("admin", "POST", "/channels", {**group, "url": gateway.url})).status_code == 201
    assert (await call("secretary2", "POST", "/channels", group)).status_code == 403
    assert (await call("property1", "GET", f"/channels?body_id={body.id}")).status_code == 403
    assert len((await call("secretary1", "GET", f"/channels?body_id={body.id}")).json()["items"]) == 2


async def test_the_age_of_the_outbox_is_a_figure(town: Town, office: Office, call: Call) -> None:
    number = await office.say(await wish(town, office), COMMUNITY)
    await office.ask("UPDATE outbox SET created_at = now() - interval '90 seconds' WHERE id = :id", id=number)

    figures = (await call("", "GET", "/metrics")).text

    [age] = [line for line in figures.splitlines() if line.startswith("shangliang_outbox_oldest_seconds ")]
    assert 90 <= float(age.split()[1]) < 150
    assert 'shangliang_deliveries{state="DEAD"} 0.0' in figures


# --- calendars ------------------------------------------------------------------------------------------------


async def meeting(town: Town, office: Office, when: datetime, kind: MeetingType = MeetingType.TWO_COMMITTEES) -> Any:
    """A meeting of community 1."""
    place = town.ref()
    command = ScheduleMeeting(community_code=COMMUNITY, type=kind, scheduled_at=when, place=place)
    clerk = person(await office.person("clerk1"), Role.MEETING_SECRETARY)
    return await town.open(
        MEETING,
        str(uuid7()),
        command,
        clerk,
        datetime.now(UTC),
        texts={place: "社区二楼会议室"},
        facts={"slots": {"slots": []}},
    )


def soon_at_two() -> datetime:
    """Three days from now at two in the afternoon, in Beijing."""
    return at(f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d} 14:00")


async def test_two_calendar_libraries_read_my_meetings_and_what_i_owe(town: Town, office: Office, call: Call) -> None:
    when = soon_at_two()
    sitting = await meeting(town, office, when)
    owed = await submit(town, Wish("电话13900001111,下水道", "x"), datetime.now(UTC))
    links = (await call("worker1", "POST", "/feeds/me")).json()
    member = (await call("tc1b", "POST", "/feeds/me")).json()

    mine = await call("", "GET", links["url"].removeprefix("https://example.org/api/v1"))
    theirs = await call("", "GET", member["url"].removeprefix("https://example.org/api/v1"))

    assert mine.headers["content-type"] == "text/calendar; charset=utf-8"
    ours = icalendar.Calendar.from_ical(theirs.content)
    [event] = [one for one in ours.walk("VEVENT") if one["UID"] == f"meeting-{sitting.id}@shangliang"]
    assert event.decoded("DTSTART") == when
    assert event["LOCATION"] == "社区二楼会议室"
    assert event["STATUS"] == "TENTATIVE"
    other = IcsCalendarStream.calendar_from_ics(theirs.text)
    [seen] = [one for one in other.events if one.uid == f"meeting-{sitting.id}@shangliang"]
    assert seen.dtstart == when
    assert seen.summary == "柳荫社区 社区“两委”会议"
    due = IcsCalendarStream.calendar_from_ics(mine.text)
    [task] = [one for one in due.events if one.uid == f"due-{owed.id}@shangliang"]
    assert owed.number in (task.summary or "")
    assert "13900001111" not in mine.text


async def test_a_body_has_a_calendar_for_its_members_and_for_nobody_else(
    town: Town, office: Office, call: Call
) -> None:
    sitting = await meeting(town, office, soon_at_two())
    member = (await call("tc1b", "POST", "/feeds/me")).json()
    [two] = [one for one in member["bodies"] if "两委" in one["name"]]
    path = two["url"].removeprefix("https://example.org/api/v1")
    stranger = (await call("property1", "POST", "/feeds/me")).json()["token"]

    answer = await call("", "GET", path)

    assert f"meeting-{sitting.id}@shangliang" in answer.text.replace("\r\n ", "")
    assert (await call("", "GET", f"{path.partition('=')[0]}={stranger}")).status_code == 404


async def test_a_link_opens_nothing_once_it_was_renewed_or_revoked(call: Call, office: Office) -> None:
    first = (await call("worker1", "POST", "/feeds/me")).json()["token"]
    second = (await call("worker1", "POST", "/feeds/me")).json()["token"]

    assert (await call("", "GET", f"/feeds/me.ics?token={first}")).status_code == 404
    assert (await call("", "GET", f"/feeds/me.ics?token={second}")).status_code == 200
    assert (await call("worker1", "DELETE", "/feeds/me")).status_code == 204
    assert (await call("", "GET", f"/feeds/me.ics?token={second}")).status_code == 404
    assert (await call("worker1", "DELETE", "/feeds/me")).status_code == 404
    [row] = await office.ask("SELECT count(*) AS many FROM feed WHERE token_hash IN (:a, :b)", a=first, b=second)
    assert row.many == 0
