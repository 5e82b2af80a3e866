"""Questions across cases, contact details, public pages, attachments: on real servers."""

import csv
import io
import re
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.api.conftest import BODY, C1, C2, PASSWORD, Call
from tests.api.test_lifecycle import LIMITED, TOLD, give, opened


async def test_who_am_i(call: Call) -> None:
    me = (await call("property1", "GET", "/me")).json()
    english = (await call("property1", "GET", "/me", Accept_Language="en")).json()

    assert me["username"] == "property1"
    assert {"role", "title", "place", "org"} <= set(me["roles"][0])
    assert me["roles"][0]["title"] != english["roles"][0]["title"]


@pytest.mark.parametrize(
    ("username", "password"), [("worker1", "wrong"), ("nobody", PASSWORD), ("worker1", "x" * 5000)]
)
async def test_a_wrong_password_is_told_without_saying_which_part(
    client: httpx.AsyncClient, username: str, password: str
) -> None:
    answer = await client.post("/auth/token", data={"username": username, "password": password})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_guesser_is_slowed_down(client: httpx.AsyncClient) -> None:
    answers = [await client.post("/auth/token", data={"username": "tc3a", "password": f"p{n}"}) for n in range(7)]

    assert answers[0].status_code == 401
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_the_deadline_calculator_skips_the_spring_festival(call: Call) -> None:
    path = "/due?start=2026-02-13T10:00:00%2B08:00&value=3&unit=working_days"

    answer = (await call("resident1", "GET", path)).json()
    unescaped = (await call("resident1", "GET", path.replace("%2B", "+"))).json()

    assert unescaped == answer
    assert answer["due_at"] == "2026-02-25T18:00:00+08:00"
    assert answer["provisional"] is False
    assert answer["calendar_edition"]
    assert {day["date"] for day in answer["days_skipped"]} >= {f"2026-02-{day}" for day in range(15, 24)}


@pytest.mark.parametrize(
    "query",
    [
        "start=2026-02-13&value=0&unit=hours",
        "start=x&value=1&unit=hours",
        "start=2026-02-13&value=1.5&unit=month",
        "start=2026-02-13&value=1&unit=weeks",
        "value=1&unit=hours",
        "start=9999-12-31&value=9&unit=working_days",
    ],
)
async def test_what_cannot_be_counted_is_named(call: Call, query: str) -> None:
    answer = await call("resident1", "GET", f"/due?{query}")

    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_overdue_takes_its_filters(call: Call) -> None:
    case = await opened(call)

    soon = (await call("supervisor", "GET", f"/overdue?within=90d&community_id={C1}&process=issues&limit=200")).json()
    late = (await call("supervisor", "GET", "/overdue?color=RED&subdistrict_id=620199001&older_than=1d")).json()
    elsewhere = (await call("worker2", "GET", "/overdue?within=90d&limit=200")).json()

    row = next(one for one in soon["items"] if one["case"]["id"] == case["id"])
    assert row["owner"] == C1
    assert row["next_escalation"]["what"]
    assert row["due_at"]
    assert late["items"] == []
    assert case["id"] not in {one["case"]["id"] for one in elsewhere["items"]}
    wrong = await call("supervisor", "GET", "/overdue?within=soon&colour=RED")
    assert {error["field"] for error in wrong.json()["errors"]} == {"within", "colour"}


async def test_the_problem_list_comes_in_three_formats(call: Call) -> None:
    case = await opened(call, title="=HYPERLINK(1)")
    accepted = (await give(call, "worker1", case, "accept_to_problem_list", LIMITED)).json()
    path = f"/problem-lists/{C1}/{accepted['data']['problem_month']}"

    as_json = (await call("worker1", "GET", path)).json()
    as_csv = await call("worker1", "GET", path, Accept="text/csv")
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    as_xlsx = await call("worker1", "GET", path, Accept=xlsx)

    assert case["number"] in {one["number"] for one in as_json["items"]}
    assert as_csv.headers["content-type"].startswith("text/csv")
    assert "'=HYPERLINK(1)" in as_csv.content.decode("utf-8-sig")
    assert as_xlsx.headers["content-type"] == xlsx
    assert as_xlsx.content[:2] == b"PK"
    assert (await call("worker1", "GET", path, Accept="image/png")).status_code == 406
    assert (await call("worker2", "GET", path)).status_code == 403
    assert (await call("worker1", "GET", "/problem-lists/620199009999/2026-03")).status_code == 404
    assert (await call("worker1", "GET", f"/problem-lists/{C1}/2026-13")).status_code == 422


async def test_no_file_holds_codes(call: Call) -> None:
    case = await opened(call)
    month = (await give(call, "worker1", case, "accept_to_problem_list", LIMITED)).json()["data"]["problem_month"]
    places = (f"/problem-lists/{C1}/{month}", f"/coverage/{C1}/{month}", f"/measures?month={month}&community_id={C1}")
    paths = (*places, "/overdue?within=90d", "/permits", f"/burden/{C1}", f"/agendas/{C1}/next", f"/project-lists/{C1}")

    for path in (*paths, "/issues/export"):
        answer = await call("worker1", "GET", path, Accept="text/csv")
        lines = list(csv.reader(answer.content.decode("utf-8-sig").splitlines()))
        codes = [cell for line in lines for cell in line if re.fullmatch(r"[A-Z][A-Z_]{2,}", cell)]
        assert (path, answer.status_code, codes) == (path, 200, [])


async def test_the_contact_is_read_by_its_own_right_and_logged(call: Call) -> None:
    case = await opened(call)
    path = f"/issues/{case['id']}/reporter"

    found = await call("worker1", "GET", f"{path}?purpose=电话回访")
    without = await call("worker1", "GET", path)
    log = (await call("supervisor", "GET", f"/access-log?case={case['id']}")).json()["items"]

    assert found.json()["name"] == "王某"
    assert found.json()["phone"] == "13800000000"
    assert (without.status_code, without.json()["errors"][0]["field"]) == (422, "purpose")
    assert [(entry["purpose"], entry["fields_class"]) for entry in log] == [("电话回访", "CONTACT")]
    assert (await call("worker2", "GET", f"{path}?purpose=电话回访")).status_code == 404
    assert (await call("worker1", "GET", f"/access-log?case={case['id']}")).status_code == 403
    assert (await call("admin", "GET", f"/access-log?case={case['number']}")).status_code == 200


async def test_the_lead_learns_nothing_of_a_hidden_reporter(call: Call) -> None:
    case = await opened(call, hidden_from_lead=True, description="我是3-2-501住户，电话13800000000")
    await give(call, "worker1", case, "accept_to_problem_list", LIMITED)

    seen = await call("property1", "GET", f"/issues/{case['id']}")
    history = await call("property1", "GET", f"/issues/{case['id']}/events")
    contact = await call("property1", "GET", f"/issues/{case['id']}/reporter?purpose=上门")

    assert seen.status_code == 200
    for text in (seen.text, history.text):
        assert "13800000000" not in text
        assert "3-2-501" not in text
        assert "103.83" not in text
    assert (contact.status_code, contact.json()["reason"]) == (403, "HIDDEN_FROM_LEAD")


async def test_a_resident_follows_and_rates_his_issue_by_its_code(call: Call, client: httpx.AsyncClient) -> None:
    case = await opened(call)
    code = case["data"]["check_code"]
    path = f"/public/issues/{case['number']}"

    seen = await client.get(f"{path}?check_code={code.lower()}")
    early = await client.post(f"{path}/rating?check_code={code}", json={"satisfaction": 5})
    await give(call, "worker1", case, "accept_to_problem_list", LIMITED)
    await give(call, "property1", case, "sign")
    await give(call, "property1", case, "claim_completion", {"text": "已疏通"})
    await give(call, "worker1", case, "approve_completion")
    told = await give(call, "worker1", case, "give_feedback", TOLD)
    assert told.json()["state"] == "RETURN_VISIT", told.text
    rated = await client.post(f"{path}/rating?check_code={code}", json={"satisfaction": 5, "solved": "YES"})
    again = await client.post(f"{path}/rating?check_code={code}", json={"satisfaction": 1})

    assert seen.json()["state"] == "REGISTERED"
    assert "王某" not in seen.text
    assert "description" not in seen.json()
    assert (early.status_code, early.json()["reason"]) == (409, "NOT_RATEABLE")
    assert rated.status_code == 200, rated.text
    assert (rated.json()["satisfaction"], rated.json()["state"]) == (5, "CLOSED")
    assert (again.status_code, again.json()["reason"]) == (409, "ALREADY_RATED")


async def test_a_wrong_code_is_not_found_and_guessing_is_slowed_down(call: Call, client: httpx.AsyncClient) -> None:
    case = await opened(call)

    answers = [await client.get(f"/public/issues/{case['number']}?check_code=AAAAA{n}") for n in range(7)]

    assert answers[0].status_code == 404
    assert answers[-1].status_code == 429
    assert answers[-1].headers["retry-after"]


async def test_the_board_is_open_to_all_and_masked(call: Call, client: httpx.AsyncClient) -> None:
    case = await opened(call, title="3-2-501门前路灯不亮")
    await give(call, "worker1", case, "accept_to_problem_list", LIMITED)

    board = await client.get(f"/public/communities/{C1}/board")

    assert board.status_code == 200
    assert case["number"] in {line["number"] for line in board.json()["problems"]}
    assert "3-2-501" not in board.text
    assert (await client.get("/public/communities/620199009999/board")).status_code == 404


async def test_measures_name_their_formula(call: Call) -> None:
    answer = (await call("supervisor", "GET", f"/measures?month=2026-03&community_id={C1}")).json()

    names = {one["formula"]["name"] for one in answer["items"]}
    assert {"response_rate", "on_time_rate", "satisfaction_rate", "overdue_open"} <= names
    assert (await call("worker1", "GET", f"/measures?community_id={C2}")).status_code == 403
    assert (await call("resident1", "GET", "/measures")).status_code == 403


async def test_incidents_are_for_those_who_run_the_product(call: Call) -> None:
    assert (await call("admin", "GET", "/incidents")).json() == {"items": []}
    assert (await call("worker1", "GET", "/incidents")).status_code == 403


def photo_with_position() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # lying on its side
    exif.get_ifd(0x8825).update({1: "N", 2: (36.0, 3.0, 0.0), 3: "E", 4: (103.0, 50.0, 0.0)})
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(out, "JPEG", exif=exif)
    return out.getvalue()


async def upload(client: httpx.AsyncClient, token: str, content: bytes, kind: str, **more: Any) -> httpx.Response:
    files = {"file": ("../../etc/passwd", content, "application/x-anything")}
    headers = {"Authorization": f"Bearer {token}"}
    return await client.post("/attachments", files=files, data={"kind": kind, **more}, headers=headers)


async def token(client: httpx.AsyncClient, who: str) -> str:
    answer = await client.post("/auth/token", data={"username": who, "password": PASSWORD})
    found: str = answer.json()["access_token"]
    return found


async def test_a_photo_is_evidence_without_its_position(call: Call, client: httpx.AsyncClient) -> None:
    kept = await upload(client, await token(client, "grid1"), photo_with_position(), "PHOTO")
    assert kept.status_code == 201, kept.text
    photo = kept.json()
    before = await call("worker1", "GET", f"/attachments/{photo['id']}")

    case = await opened(call, evidence=[photo["id"]])
    seen = await call("worker1", "GET", f"/attachments/{photo['id']}")
    elsewhere = await call("worker2", "GET", f"/attachments/{photo['id']}")

    assert set(photo) == {"id", "kind", "sha256", "size", "media_type"}
    assert case["data"]["evidence"] == [photo["id"]]
    assert (before.status_code, elsewhere.status_code) == (404, 404)
    assert seen.headers["content-type"] == "image/jpeg"
    assert len(seen.content) == photo["size"]
    with Image.open(io.BytesIO(seen.content)) as picture:
        assert dict(picture.getexif()) == {}
        assert picture.size == (20, 40)


async def test_somebody_elses_attachment_is_no_evidence_of_mine(call: Call, client: httpx.AsyncClient) -> None:
    kept = (await upload(client, await token(client, "grid2"), photo_with_position(), "PHOTO")).json()

    answer = await call("grid1", "POST", "/issues", {**BODY, "evidence": [kept["id"]]})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "evidence.0")
