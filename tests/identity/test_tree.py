"""The tree and its people are kept by administrators within their place; every change is audited in their name."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.identity.conftest import C1, C2, PASSWORD, Call, bearer, token
from workflows.kernel.calendar import CHINA

TODAY = datetime.now(CHINA).date()
STREET = "620199001"


async def person(call: Call, username: str, *, home: str | None = C1, who: str = "admin") -> str:
    """Add somebody with an account; gives the id."""
    body = {"display_name": "新人", "username": username, "password": PASSWORD, "home_community_code": home}
    answer = await call(who, "POST", "/people", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def role(who: str, name: str, place: str, **more: Any) -> dict[str, Any]:
    return {"person": who, "role": name, "place": place, "since": str(TODAY), **more}


@pytest.fixture(scope="module")
async def keeper(call: Call) -> str:
    """An administrator of community 1 alone."""
    await person(call, "keeper1")
    answer = await call("admin", "POST", "/roles", role("keeper1", "tenant_admin", C1))
    assert answer.status_code == 201, answer.text
    return "keeper1"


async def refused(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("reason")


# --- regions, units, buildings ---------------------------------------------------------------------------


async def test_a_street_and_a_community_grow_on_the_tree(call: Call) -> None:
    street = {"code": "620199009", "name": "新街道", "level": "SUBDISTRICT", "parent_code": "620199"}
    community = {"code": "620199009001", "name": "新社区", "level": "COMMUNITY", "parent_code": "620199009"}

    assert (await call("admin", "POST", "/regions", street)).status_code == 201
    made = await call("admin", "POST", "/regions", {**community, "households": 1200, "estate_kind": "MIXED"})

    assert made.status_code == 201, made.text
    assert made.headers["Location"].endswith("/regions/620199009001")
    read = (await call("resident1", "GET", "/regions/620199009001")).json()
    assert (read["name"], read["households"], read["estate_kind"]) == ("新社区", 1200, "MIXED")
    below = (await call("resident1", "GET", "/regions?parent_code=620199009")).json()
    assert [row["code"] for row in below["items"]] == ["620199009001"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"parent_code": "999999"}, "UNKNOWN_REGION"),
        ({"level": "COMMUNITY"}, "WRONG_LEVEL_OF_REGION"),
        ({"code": "6201"}, "CODE_NOT_BELOW_PARENT"),
        ({"code": STREET}, "TAKEN"),
    ],
)
async def test_a_region_that_does_not_fit(call: Call, changed: dict[str, str], reason: str) -> None:
    body = {"code": "620199008", "name": "街道", "level": "SUBDISTRICT", "parent_code": "620199", **changed}

    assert await refused(await call("admin", "POST", "/regions", body)) == (409, reason)


async def test_what_something_hangs_on_is_not_removed(call: Call) -> None:
    assert await refused(await call("admin", "DELETE", f"/regions/{STREET}")) == (409, "IN_USE")


async def test_a_change_for_an_older_version_is_refused(call: Call) -> None:
    first = await call("admin", "GET", f"/regions/{C2}")
    changed = await call(
        "admin", "PATCH", f"/regions/{C2}", {"name": "河湾新社区"}, **{"If-Match": first.headers["ETag"]}
    )
    again = await call("admin", "PATCH", f"/regions/{C2}", {"name": "河湾社区"}, **{"If-Match": first.headers["ETag"]})

    assert (changed.status_code, changed.json()["name"]) == (200, "河湾新社区")
    assert (again.status_code, again.json()["code"]) == (409, "version_conflict")


def grid(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "community_code": C1,
        "kind": "GRID",
        "code": f"{C1}{number:03}",
        "name": f"第{number}网格",
        "households": 300,
        "responsible": ["grid1"],
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "reason", "clause"),
    [
        ({"households": 401}, "GRID_SIZE", "003 §二3"),
        ({"households": 199}, "GRID_SIZE", "003 §二3"),
        ({"responsible": []}, "GRID_WORKERS", "003 §二3"),
        ({"responsible": ["grid1", "grid1b", "grid1c"]}, "GRID_WORKERS", "003 §二3"),
        ({"responsible": ["nobody"]}, "UNKNOWN_PERSON", None),
        ({"code": C1 + "0A1"}, "GRID_CODE", None),
        ({"parent_code": C1 + "001"}, "UNIT_HANGS_ELSEWHERE", None),
    ],
)
async def test_a_grid_that_does_not_fit(call: Call, changed: dict[str, Any], reason: str, clause: str | None) -> None:
    answer = await call("admin", "POST", "/spatial-units", grid(90, **changed))

    assert await refused(answer) == (409, reason)
    assert clause in (None, answer.json()["clause"])


@pytest.mark.parametrize("households", [200, 400])
async def test_a_grid_at_the_edge_fits(call: Call, households: int) -> None:
    made = await call("admin", "POST", "/spatial-units", grid(91, households=households))

    assert made.status_code == 201, made.text
    assert made.json()["responsible"][0]["name"]
    assert (await call("admin", "DELETE", f"/spatial-units/{C1}091")).status_code == 204


async def test_another_size_needs_a_reason_that_is_kept(call: Call) -> None:
    body = grid(92, households=120, exception_reason="独立院落")

    made = await call("admin", "POST", "/spatial-units", body)

    assert (made.status_code, made.json()["exception_reason"]) == (201, "独立院落")
    changed = await call("admin", "PATCH", f"/spatial-units/{C1}092", {"households": 130})
    assert changed.status_code == 200
    await call("admin", "DELETE", f"/spatial-units/{C1}092")


async def test_the_inner_net_stands_beside_the_grids(call: Call) -> None:
    cells = [("RESIDENT_GROUP", "G1", None), ("CLUSTER", "L1", "G1"), ("BASE_UNIT", "U1", "L1")]
    for kind, code, above in cells:
        body = {"community_code": C1, "kind": kind, "code": C1 + code, "name": code}
        made = await call("admin", "POST", "/spatial-units", body | {"parent_code": above and C1 + above})
        assert made.status_code == 201, made.text

    upside_down = await call("admin", "PATCH", f"/spatial-units/{C1}G1", {"parent_code": C1 + "U1"})
    building = {
        "community_code": C1,
        "name": "3号楼",
        "floors": 6,
        "grid_code": C1 + "001",
        "base_unit_code": C1 + "U1",
    }
    made = await call("admin", "POST", "/buildings", building)

    assert await refused(upside_down) == (409, "UNIT_HANGS_ELSEWHERE")
    assert (made.json()["grid_code"], made.json()["base_unit_code"]) == (C1 + "001", C1 + "U1")
    wrong = await call("admin", "POST", "/buildings", {**building, "name": "4号楼", "grid_code": C2 + "001"})
    assert await refused(wrong) == (409, "UNKNOWN_UNIT")


async def test_the_check_names_what_the_net_lacks(call: Call) -> None:
    c3 = "620199001003"
    assert (await call("grid3", "GET", f"/regions/{c3}/grid-check")).json()["fits"] is True
    await call("admin", "POST", "/buildings", {"community_code": c3, "name": "孤楼"})
    await call("admin", "PATCH", f"/regions/{c3}", {"households": 1600})
    await call("admin", "PATCH", f"/spatial-units/{c3}001", {"households": 100, "exception_reason": "厂区"})

    found = (await call("grid3", "GET", f"/regions/{c3}/grid-check")).json()

    assert found["fits"] is False
    assert {(one["code"], one["on"], one["value"], one["strength"]) for one in found["findings"]} == {
        ("BUILDING_WITHOUT_GRID", "孤楼", None, "HARD"),
        ("HOUSEHOLDS_NOT_COVERED", c3, 300, "HARD"),
        ("GRID_SIZE", f"{c3}001", 100, "EXCEPTED"),
    }
    assert all(one["clause"] for one in found["findings"])


# --- organisations and bodies ----------------------------------------------------------------------------


async def test_an_organisation_comes_changes_and_goes(call: Call) -> None:
    body = {"code": "library", "name": "图书馆", "org_type": "INSTITUTION", "level": "COMMUNITY", "region_code": C1}

    assert (await call("admin", "POST", "/organizations", body)).status_code == 201
    assert (await call("admin", "PATCH", "/organizations/library", {"is_resident_unit": True})).status_code == 200
    assert (await call("grid1", "GET", "/organizations/library")).json()["is_resident_unit"] is True
    assert (await call("admin", "DELETE", "/organizations/library")).status_code == 204
    assert (await call("grid1", "GET", "/organizations/library")).status_code == 404
    assert await refused(await call("admin", "DELETE", "/organizations/community-1")) == (409, "IN_USE")


async def test_a_body_and_its_roster(call: Call) -> None:
    made = (await call("admin", "POST", "/bodies", {"type": "RRA", "region_code": C1, "name": "居民代表会议"})).json()
    path = f"/bodies/{made['id']}/members"

    seat = await call("admin", "POST", path, {"person": "resident1", "post": "CHAIR", "since": str(TODAY)})
    second = await call("admin", "POST", path, {"person": "resident1b", "post": "CHAIR", "since": str(TODAY)})
    nobody = await call("admin", "POST", path, {"since": str(TODAY)})

    assert seat.status_code == 201, seat.text
    assert await refused(second) == (409, "TAKEN")
    assert await refused(nobody) == (409, "SOMEBODY_NEEDED")
    ended = {"until": str(TODAY), "status": "ENDED"}
    assert (await call("admin", "PATCH", f"{path}/{seat.json()['id']}", ended)).status_code == 200
    tomorrow = TODAY + timedelta(days=1)
    assert len((await call("grid1", "GET", f"{path}?on={TODAY}")).json()["items"]) == 1
    assert (await call("grid1", "GET", f"{path}?on={tomorrow}")).json()["items"] == []
    backwards = await call("admin", "PATCH", f"{path}/{seat.json()['id']}", {"until": "2020-01-01"})
    assert await refused(backwards) == (409, "TERM_BACKWARDS")


# --- people, roles, substitutes --------------------------------------------------------------------------


async def test_somebody_new_signs_in_and_holds_his_role(client: httpx.AsyncClient, call: Call) -> None:
    await person(call, "novice")
    await call("admin", "POST", "/roles", role("novice", "community_worker", C1, org_code="community-1"))

    me = await client.get("/me", headers=bearer(await token(client, "novice")))

    assert [(one["role"], one["place"], one["org"]) for one in me.json()["roles"]] == [
        ("community_worker", C1, "community-1")
    ]


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({"place": "999999999999"}, 403, "NOT_IN_ROLE"),
        ({"place": C1 + "999"}, 409, "UNKNOWN_REGION"),
        ({"role": "system"}, 422, None),
        ({"role": "king"}, 422, None),
        ({"role": "unit_liaison"}, 409, "ORGANIZATION_NEEDED"),
        ({"org_code": "nope"}, 409, "UNKNOWN_ORGANIZATION"),
        ({"person": "nope"}, 409, "UNKNOWN_PERSON"),
        ({"person": "admin"}, 409, "OWN_ROLE"),
        ({"until": "2020-01-01"}, 409, "TERM_BACKWARDS"),
    ],
)
async def test_a_role_that_cannot_be_given(
    call: Call, changed: dict[str, str], status: int, reason: str | None
) -> None:
    body = {**role("resident1", "volunteer", C1), **changed}

    assert await refused(await call("admin", "POST", "/roles", body)) == (status, reason)


async def test_a_role_ends_and_is_kept(call: Call) -> None:
    made = (await call("admin", "POST", "/roles", role("resident1b", "volunteer", C1))).json()
    twice = await call("admin", "POST", "/roles", role("resident1b", "volunteer", C1))

    ended = await call("admin", "PATCH", f"/roles/{made['id']}", {"until": str(TODAY)})

    assert await refused(twice) == (409, "TAKEN")
    assert ended.json()["until"] == str(TODAY)
    kept = (await call("admin", "GET", f"/roles?role=volunteer&within={C1}")).json()["items"]
    assert made["id"] in {one["id"] for one in kept}


async def test_an_administrator_keeps_his_place_and_nothing_else(call: Call, keeper: str) -> None:
    inside = await person(call, "inside", who=keeper)
    await call("admin", "POST", "/roles", role("inside", "volunteer", C1))

    assert (await call(keeper, "GET", f"/people/{inside}")).status_code == 200
    # The approver of the county lives nowhere here, the secretary of the neighbours works there.
    for other in ("approver", "secretary2", "admin"):
        assert (await call(keeper, "GET", f"/people/{other}")).status_code == 404
        stolen = await call(keeper, "PATCH", f"/people/{other}/accounts/{other}", {"password": "mine from now on"})
        assert stolen.status_code == 404
    assert (await call(keeper, "POST", "/roles", role("inside", "volunteer", C2))).status_code == 403
    assert (await call(keeper, "PATCH", f"/regions/{C2}", {"name": "x"})).status_code == 403
    assert (await call(keeper, "POST", "/spatial-units", grid(1) | {"community_code": C2})).status_code == 403
    assert (await call(keeper, "GET", f"/people?within={C2}")).status_code == 403
    assert (await call(keeper, "GET", f"/roles?within={STREET}")).status_code == 403


async def test_who_outgrows_an_administrator_leaves_his_hands(call: Call, keeper: str) -> None:
    await person(call, "riser", who=keeper)
    assert (await call(keeper, "GET", "/people/riser")).status_code == 200

    await call("admin", "POST", "/roles", role("riser", "supervisor", STREET))

    assert (await call(keeper, "GET", "/people/riser")).status_code == 404
    lent = {"absent": "riser", "substitute": "inside", "since": str(TODAY), "until": str(TODAY)}
    assert (await call(keeper, "POST", "/substitutions", lent)).status_code in (403, 409)


@pytest.mark.parametrize("who", ["worker1", "secretary1", "supervisor", "officer", "resident1", "integration"])
async def test_nobody_else_keeps_people_or_the_tree(call: Call, who: str) -> None:
    assert (await call(who, "GET", "/people")).status_code == 403
    assert (await call(who, "POST", "/people", {"display_name": "x"})).status_code == 403
    assert (await call(who, "GET", "/roles")).status_code == 403
    assert (await call(who, "POST", "/roles", role(who, "tenant_admin", "6201"))).status_code == 403
    assert (await call(who, "PATCH", f"/regions/{C1}", {"name": "x"})).status_code == 403
    assert (await call(who, "DELETE", f"/spatial-units/{C1}001")).status_code == 403


async def test_a_closed_account_is_out_at_once(client: httpx.AsyncClient, call: Call) -> None:
    await person(call, "closing")
    shown = bearer(await token(client, "closing"))

    await call("admin", "PATCH", "/people/closing/accounts/closing", {"active": False})

    assert (await client.get("/me", headers=shown)).status_code == 401


async def test_a_look_at_a_telephone_is_written_down(call: Call, storage: AsyncEngine) -> None:
    body = {"display_name": "王某", "phone": "13800000000", "home_community_code": C1}
    made = (await call("admin", "POST", "/people", body)).json()
    assert "13800000000" not in str(made)

    shown = await call("admin", "GET", f"/people/{made['id']}/phone?purpose=回访联系")

    assert shown.json() == {"phone": "13800000000"}
    async with storage.connect() as connection:
        rows = await connection.execute(text("SELECT purpose FROM access_log WHERE row_id = :id"), {"id": made["id"]})
        audited = (
            await connection.execute(text("SELECT before, after FROM audit WHERE key = :id"), {"id": made["id"]})
        ).all()
    assert rows.scalars().all() == ["回访联系"]
    assert "13800000000" not in str(audited)


async def test_every_change_is_audited_in_the_name_of_who_made_it(call: Call, storage: AsyncEngine) -> None:
    me = (await call("admin", "GET", "/me")).json()["id"]

    await call("admin", "PATCH", f"/regions/{C1}", {"name": "柳荫新社区"})

    query = text(
        "SELECT actor, before, after FROM audit WHERE entity = 'region' AND key = :key ORDER BY seq DESC LIMIT 1"
    )
    async with storage.connect() as connection:
        actor, before, after = (await connection.execute(query, {"key": C1})).one()
    assert (actor, before["name"], after["name"]) == (me, "柳荫社区", "柳荫新社区")


async def test_an_erased_person_leaves_an_id_and_nothing_else(client: httpx.AsyncClient, call: Call) -> None:
    made = await person(call, "forgotten")

    assert (await call("admin", "DELETE", f"/people/{made}")).status_code == 204

    left = (await call("admin", "GET", "/people?q=forgotten")).json()["items"]
    assert left == []
    assert (await client.post("/auth/token", data={"username": "forgotten", "password": PASSWORD})).status_code == 401


async def test_a_substitute_holds_the_lent_role_for_the_term(client: httpx.AsyncClient, call: Call) -> None:
    await person(call, "stand-in")
    body = {"absent": "worker1", "substitute": "stand-in", "since": str(TODAY), "until": str(TODAY)}
    made = await call("admin", "POST", "/substitutions", body)
    assert made.status_code == 201, made.text

    shown = bearer(await token(client, "stand-in"))
    lent = (await client.get("/me", headers=shown)).json()["roles"]

    assert [(one["role"], one["place"], one["substitute_for"]) for one in lent] == [("community_worker", C1, "小吴")]


async def test_seats_and_votes_are_not_lent(client: httpx.AsyncClient, call: Call) -> None:
    await person(call, "deputy")
    body = {"absent": "secretary1", "substitute": "deputy", "since": str(TODAY), "until": str(TODAY)}
    await call("admin", "POST", "/substitutions", body)
    refused_role = await call("admin", "POST", "/substitutions", {**body, "roles": ["epc_member"]})

    lent = (await client.get("/me", headers=bearer(await token(client, "deputy")))).json()["roles"]

    assert [one["role"] for one in lent] == ["party_secretary"]
    assert refused_role.status_code == 422


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"substitute": "worker1"}, "TWO_PEOPLE_NEEDED"),
        ({"until": str(TODAY + timedelta(days=400))}, "ABSENCE_TOO_LONG"),
        ({"until": str(TODAY - timedelta(days=1))}, "TERM_BACKWARDS"),
        ({"absent": "nobody"}, "UNKNOWN_PERSON"),
    ],
)
async def test_a_substitution_that_cannot_be(call: Call, changed: dict[str, str], reason: str) -> None:
    body = {"absent": "worker1", "substitute": "worker1b", "since": str(TODAY), "until": str(TODAY), **changed}

    assert await refused(await call("admin", "POST", "/substitutions", body)) == (409, reason)
