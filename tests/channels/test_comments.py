"""What is said beside a case is read by whom it is for, sealed at rest, and told once to those who follow."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.calendar import Calendars
from services.api.app import create_app
from services.api.comments import comment_router
from services.api.mine import mine_router
from services.api.postgres import PostgresReads
from services.identity.actors import Directory
from services.identity.tokens import Tokens
from services.storage.calendar import CalendarStore
from services.storage.comments import Conversation, comments_in_use, rotate_comments
from services.storage.ids import uuid7
from services.storage.mine import Desk
from services.storage.sealing import Seal
from tests.channels.conftest import SEAL, Office
from tests.channels.test_outbox import wish
from tests.storage.town import WORKER, Town, Wish, at, submit
from tests.web.twins import Twin
from workflows.issue.process import ISSUE
from workflows.policy.packs import load

TOKENS = Tokens("k" * 32)
Call = Callable[..., Awaitable[httpx.Response]]
PHONE = "13900002222"


@pytest_asyncio.fixture(loop_scope="session")
async def call(street: AsyncEngine) -> AsyncIterator[Call]:
    """The API on the street, called as somebody of it."""
    twin, directory = Twin(), Directory(street)
    app = create_app(
        processes=[ISSUE],
        engine=twin,
        reads=PostgresReads(street, Calendars(CalendarStore(street)), SEAL),
        people=directory,
        tokens=TOKENS,
        sealing=SEAL,
        secrets=[b"s" * 32],
        store=twin,
        pack=load("lanzhou_2021"),
        probes={},
        routers=(comment_router([ISSUE], Conversation(street, SEAL)), mine_router(Desk(street))),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/api/v1") as client:

        async def as_somebody(who: str, method: str, path: str, body: object = None, key: str = "") -> httpx.Response:
            actor = (await directory.by_username([who]))[who]
            headers = {"Authorization": f"Bearer {TOKENS.issue(actor)}", **({"Idempotency-Key": key} if key else {})}
            return await client.request(method, path, json=body, headers=headers)

        yield as_somebody


async def test_a_comment_is_said_once_sealed_and_told_to_the_followers(town: Town, office: Office, call: Call) -> None:
    case = await wish(town, office)
    path = f"/issues/{case.id}"
    assert (await call("supervisor", "POST", f"{path}/follow")).status_code == 204

    first = await call("worker1", "POST", f"{path}/comments", {"text": f"业主电话{PHONE},下午在家"}, "k1")
    again = await call("worker1", "POST", f"{path}/comments", {"text": f"业主电话{PHONE},下午在家"}, "k1")
    await office.work()

    assert (first.status_code, first.json()) == (201, again.json())
    shown = (await call("supervisor", "GET", f"{path}/comments")).json()
    assert [one["text"] for one in shown["items"]] == [f"业主电话{PHONE},下午在家"]
    assert shown["items"][0]["role"] == "community_worker"
    # Who says something follows from then on, and is not told of what he said himself.
    assert {await office.person("supervisor"), await office.person("worker1")} == set(shown["followers"])
    told = await office.ask("SELECT n.person_id::text FROM notification n WHERE n.template = 'commented'")
    assert [row.person_id for row in told] == [await office.person("supervisor")]
    rows = await office.ask("SELECT row_to_json(c)::text AS kept FROM case_comment c")
    assert all(PHONE not in row.kept for row in rows)


async def test_one_sets_right_what_one_has_said_and_nobody_is_told_twice(
    town: Town, office: Office, call: Call
) -> None:
    case = await wish(town, office)
    path = f"/issues/{case.id}"
    await call("supervisor", "POST", f"{path}/follow")
    said = (await call("worker1", "POST", f"{path}/comments", {"text": f"电话{PHONE}"})).json()
    one = f"{path}/comments/{said['id']}"

    changed = await call("worker1", "PATCH", one, {"text": "电话见登记"})
    again = await call("worker1", "PATCH", one, {"text": "电话见登记"})
    foreign = await call("secretary1", "PATCH", one, {"text": "不是我说的"})
    await office.work()

    assert (said["may_change"], changed.json()["text"], again.json()) == (True, "电话见登记", changed.json())
    assert (foreign.status_code, foreign.json()["reason"]) == (403, "NOT_YOUR_COMMENT")
    assert (await call("worker1", "PATCH", f"{path}/comments/{case.id}", {"text": "没有这条"})).status_code == 404
    told = await office.ask("SELECT count(*) AS n FROM notification WHERE template = 'commented'")
    assert told[0].n == 1
    # What it said before is read by himself and by whoever supervises, not by his colleagues; and sealed at rest.
    earlier = {
        who: (await call(who, "GET", f"{path}/comments")).json()["items"][0]["earlier"]
        for who in ("worker1", "supervisor", "secretary1")
    }
    assert [len(one) for one in earlier.values()] == [1, 1, 0]
    assert earlier["supervisor"][0]["text"] == f"电话{PHONE}"
    rows = await office.ask("SELECT row_to_json(c)::text AS kept FROM case_comment c")
    assert all(PHONE not in row.kept for row in rows)

    gone = await call("worker1", "DELETE", one)
    assert (gone.json()["text"], gone.json()["may_change"], len(gone.json()["earlier"])) == ("", False, 2)
    assert (await call("worker1", "DELETE", one)).status_code == 200
    assert (await call("worker1", "PATCH", one, {"text": "又说"})).json()["reason"] == "COMMENT_TAKEN_BACK"


async def test_what_has_stood_too_long_stays(town: Town, office: Office, call: Call) -> None:
    case = await wish(town, office)
    said = (await call("worker1", "POST", f"/issues/{case.id}/comments", {"text": "已到场"})).json()
    await office.ask("UPDATE case_comment SET created_at = created_at - interval '16 minutes'")

    late = await call("worker1", "DELETE", f"/issues/{case.id}/comments/{said['id']}")

    assert (late.status_code, late.json()["reason"]) == (409, "COMMENT_STANDS")
    assert (await call("worker1", "GET", f"/issues/{case.id}/comments")).json()["items"][0]["may_change"] is False


async def test_residents_read_what_is_for_them_and_neighbours_say_nothing(
    town: Town, office: Office, call: Call
) -> None:
    case = await wish(town, office)
    path = f"/issues/{case.id}"
    await call("worker1", "POST", f"{path}/comments", {"text": "内部:先核实产权", "internal": True})
    await call("worker1", "POST", f"{path}/comments", {"text": f"已联系师傅{PHONE}"})

    staff = (await call("secretary1", "GET", f"{path}/comments")).json()["items"]
    neighbour = (await call("resident1b", "GET", f"{path}/comments")).json()

    assert [one["internal"] for one in staff] == [True, False]
    assert len(neighbour["items"]) == 1
    assert PHONE not in json.dumps(neighbour, ensure_ascii=False)
    assert neighbour["followers"] == []
    assert (await call("resident1b", "POST", f"{path}/comments", {"text": "我也有意见"})).status_code == 403
    assert (await call("heating", "GET", f"{path}/comments")).status_code == 404
    assert (await call("worker1", "POST", f"{path}/comments", {"text": " "})).status_code == 422


async def test_followers_are_told_when_it_moves_until_they_follow_no_longer(
    town: Town, office: Office, call: Call
) -> None:
    case = await wish(town, office)
    for who in ("secretary1", "supervisor"):
        await call(who, "POST", f"/issues/{case.id}/follow")
    await call("supervisor", "DELETE", f"/issues/{case.id}/follow")

    await office.ask("UPDATE case_file SET state = 'TRIAGED' WHERE id = CAST(:id AS uuid)", id=case.id)
    await office.work()

    told = await office.ask("SELECT n.person_id::text FROM notification n WHERE n.template = 'followed_moved'")
    assert [row.person_id for row in told] == [await office.person("secretary1")]
    # Nobody stands in for a follower, and that is no trouble either.
    assert await office.ask("SELECT FROM incident") == []


async def test_my_desk_knows_what_i_wait_for_and_what_i_did_last(town: Town, office: Office, call: Call) -> None:
    case = await submit(town, Wish("消防通道停车", "占用"), at("2026-03-02 10:00"))
    await call("supervisor", "POST", f"/issues/{case.id}/follow")

    waiting = (await call("supervisor", "GET", "/waiting")).json()["items"]
    counts = (await call("worker1", "GET", "/worklist/counts")).json()
    recent = (await call("supervisor", "GET", "/recent")).json()

    [one] = [one for one in waiting if one["case"]["number"] == case.number]
    assert "community_worker" in {who["role"] for who in one["held_by"]}
    # Whoever must act himself does not wait.
    assert case.number not in {
        one["case"]["number"] for one in (await call("worker1", "GET", "/waiting")).json()["items"]
    }
    assert counts["total"] == sum(counts["by_color"].values()) > 0
    assert recent == {"items": []}
    [row] = await office.ask("SELECT actor FROM command WHERE case_id = CAST(:id AS uuid) LIMIT 1", id=case.id)
    mine = await Desk(office.engine).recent(WORKER.__class__(row.actor, "x", WORKER.grants), limit=5)
    assert case.number in {one.number for one in mine}


async def test_comments_are_sealed_anew_with_a_new_key(town: Town, office: Office, call: Call) -> None:
    case = await wish(town, office)
    said = (await call("worker1", "POST", f"/issues/{case.id}/comments", {"text": "换锁"})).json()
    await call("worker1", "PATCH", f"/issues/{case.id}/comments/{said['id']}", {"text": "换钥匙"})
    newer = Seal({"k2": b"n" * 32, "k1": b"k" * 32}, "k2")

    async with office.engine.begin() as connection:
        before = await comments_in_use(connection)
        changed = await rotate_comments(connection, newer)
        after = await comments_in_use(connection)
    shown, _ = await Conversation(office.engine, newer).comments(case.id, internal=True)

    assert (before, after) == ({"k1": changed}, {"k2": changed})
    assert [(one.text, [before.text for before in one.earlier]) for one in shown] == [("换钥匙", ["换锁"])]


async def test_a_file_comes_to_a_case_with_a_comment(town: Town, office: Office, call: Call) -> None:
    case = await wish(town, office)
    path = f"/issues/{case.id}"
    mine, theirs = str(uuid7()), str(uuid7())
    for name, file in (("worker1", mine), ("heating", theirs)):
        await office.ask(
            "INSERT INTO attachment (id, kind, media_type, size, sha256, object_key, uploaded_by)"
            " VALUES (:id, 'PHOTO', 'image/png', 1, 'x', 'x', :who)",
            id=file,
            who=await office.person(name),
        )

    refused = await call("worker1", "POST", f"{path}/comments", {"text": "见照片", "attachments": [mine, theirs]})
    said = await call("worker1", "POST", f"{path}/comments", {"text": "见照片", "attachments": [mine]})
    shown = (await call("secretary1", "GET", f"{path}/attachments")).json()

    assert [one["field"] for one in refused.json()["errors"]] == ["attachments.1"]
    assert said.json()["attachments"] == [mine]
    assert [(one["id"], one["kind"]) for one in shown] == [(mine, "PHOTO")]


async def test_the_form_of_a_command_can_be_had_whatever_the_state(call: Call) -> None:
    form = (await call("worker1", "GET", "/issues/forms/give_feedback")).json()

    assert form["properties"]["channel"]["title"]
    assert (await call("worker1", "GET", "/issues/forms/no_such_command")).status_code == 404
