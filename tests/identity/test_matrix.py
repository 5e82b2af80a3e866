"""The access matrix: every operation and every command, with every role, inside and outside its place.

The rows are generated from OpenAPI and from the arrow tables: a new operation without a row in
services/api/endpoints.py fails here, and a new command is walked without anybody's help.
"""

import base64
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from services.api.actions import forms
from services.api.endpoints import ENDPOINTS, Access, access_of
from services.embedded.servers import Servers
from services.identity.tokens import Tokens
from services.settings import Settings
from services.storage.sight import KNOWING
from services.web import build_app
from tests.identity.conftest import KEY, POLICY, bearer
from tests.identity.matrix import INSIDE, OUTSIDE, Caller, Recipe, cases, everybody, filled, may
from workflows.kernel.process import Case, Process
from workflows.kernel.roles import STAFF, Role
from workflows.kernel.upkeep import RebasePolicy, RecomputeClocks
from workflows.policy.packs import load
from workflows.registry import PROCESSES

EVERY: Mapping[str, Process[Any]] = {process.name: process for process in PROCESSES.values()}
NOWHERE = "00000000-0000-7000-8000-000000000000"
UNKNOWN_FIELD = {"no_such_field": 1}
BATCH = 100
UPKEEP = (RebasePolicy, RecomputeClocks)


@dataclass(frozen=True)
class Stage:
    """The product, everybody who calls it, and a case of every process."""

    app: FastAPI
    client: httpx.AsyncClient
    callers: list[Caller]
    cases: dict[str, Case[Any]]
    tokens: Tokens

    async def ask(self, caller: Caller | None, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = bearer(self.tokens.issue(caller.actor)) if caller else {}
        return await self.client.request(method, path, json=body, headers=headers)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(
    servers: Servers, storage: AsyncEngine, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    home: Path = tmp_path_factory.mktemp("home")
    app = await build_app(
        Settings(
            home=home,
            database_url=database_url,
            temporal_address=servers.temporal_address,
            temporal_namespace=servers.temporal_namespace,
            token_key=KEY,
            seal_key=base64.b64encode(b"s" * 32).decode(),
            policy=POLICY,
            rate_sign_in=0,
        )
    )
    callers = await everybody(storage)
    made = await cases(storage, iter(EVERY.values()), load(POLICY))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", timeout=60) as client:
        yield Stage(app, client, callers, made, Tokens(KEY))


def operations(app: FastAPI) -> list[tuple[str, str, str]]:
    """Every operation of the API: its name, its method, its path."""
    return [
        (operation["operationId"], method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]


# --- the table is whole ----------------------------------------------------------------------------------


async def test_every_operation_has_a_row_and_every_row_an_operation(stage: Stage) -> None:
    named = {name for name, _, _ in operations(stage.app)}
    without = {name for name, _, path in operations(stage.app) if access_of(name, path, EVERY.values()) is None}

    assert without == set()
    assert set(ENDPOINTS) - named == set()


async def test_what_is_open_says_so_and_nothing_else_answers_without_a_token(stage: Stage) -> None:
    for name, method, path in operations(stage.app):
        access = access_of(name, path, EVERY.values())
        assert access is not None
        secured = "security" in stage.app.openapi()["paths"][path][method.lower()]
        assert secured is (access.who != "OPEN"), name
        if access.who == "OPEN":
            continue
        answer = await stage.ask(None, method, filled(path, {}))
        assert (name, answer.status_code) == (name, 401)


# --- commands --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(EVERY))
async def test_every_command_lets_through_whom_its_arrows_address_and_nobody_else(stage: Stage, name: str) -> None:
    process, case = EVERY[name], stage.cases[name]
    commands = sorted(forms(process))
    assert commands
    walked: Counter[int] = Counter()

    for caller in stage.callers:
        knows = (await stage.ask(caller, "GET", f"/{process.plural}/{case.id}")).status_code
        assert (str(caller), knows) == (str(caller), 200 if _knows(caller, case, process) else 404)
        for first in range(0, len(commands), BATCH):
            some = commands[first : first + BATCH]
            items = [{"command": command, **UNKNOWN_FIELD} for command in some]
            answer = await stage.ask(caller, "POST", f"/{process.plural}/{case.id}/commands", {"items": items})
            for command, item in zip(some, answer.json()["items"], strict=True):
                # Nothing is carried out: who may is told of the unknown field.
                if may(process, case, command, caller) and (knows == 200 or process.commands[command] in UPKEEP):
                    expected = 422
                else:
                    expected = 403 if knows == 200 else 404
                assert (str(caller), command, item["status"]) == (str(caller), command, expected)
                walked[item["status"]] += 1

    # The walk has met people who may, people who may not, and people who may not even know.
    assert walked[404] > 0
    assert walked[403] > 0
    assert walked.total() == len(commands) * len(stage.callers)


def _knows(caller: Caller, case: Case[Any], process: Process[Any]) -> bool:
    """Staff of the place know of its cases; a resident of those that the process leaves open to residents."""
    is_open = process.facets(case).get("reporter_id") is None
    return caller.inside and (caller.role in KNOWING or (caller.role is Role.RESIDENT and is_open))


@pytest.mark.parametrize("name", sorted(EVERY))
async def test_a_command_has_the_same_right_at_its_own_address(stage: Stage, name: str) -> None:
    process, case = EVERY[name], stage.cases[name]
    inside = [caller for caller in stage.callers if _knows(caller, case, process)]

    for command in sorted(forms(process)):
        permitted = [one for one in inside if may(process, case, command, one)]
        denied = [one for one in inside if not may(process, case, command, one)]
        for caller, expected in ((permitted[:1], 422), (denied[:1], 403)):
            for one in caller:
                path = f"/{process.plural}/{case.id}/commands/{command}"
                answer = await stage.ask(one, "POST", path, UNKNOWN_FIELD)
                assert (str(one), command, answer.status_code) == (str(one), command, expected)


@pytest.mark.parametrize("part", ["", "/events", "/clocks", "/actions", "/diagram", "/documents"])
async def test_a_case_that_one_may_not_know_of_is_not_there(stage: Stage, part: str) -> None:
    for name, process in EVERY.items():
        case = stage.cases[name]
        far = next(one for one in stage.callers if one.role is Role.SUPERVISOR and not one.inside)
        near = next(one for one in stage.callers if one.role is Role.SUPERVISOR and one.inside)
        path = f"/{process.plural}/{case.id}{part}"

        assert (name, (await stage.ask(far, "GET", path)).status_code) == (name, 404)
        assert (name, (await stage.ask(near, "GET", path)).status_code) == (name, 200)


async def test_lists_hold_only_what_one_may_know_of(stage: Stage) -> None:
    for name, process in EVERY.items():
        for caller in stage.callers:
            if caller.role not in (Role.SUPERVISOR, Role.RESIDENT, Role.TENANT_ADMIN, Role.UNIT_LIAISON):
                continue
            listed = (await stage.ask(caller, "GET", f"/{process.plural}")).json()["items"]
            sees = caller.inside and caller.role is Role.SUPERVISOR
            assert (name, str(caller), stage.cases[name].id in {one["id"] for one in listed}) == (
                name,
                str(caller),
                sees,
            )


# --- everything else -------------------------------------------------------------------------------------

SINCE = "2026-01-01"
RECIPES: Mapping[str, Recipe] = {
    "problem_list": Recipe({"month": "2026-03"}),
    "coverage": Recipe({"month": "2026-03"}),
    "agenda": Recipe(query="?body=EXTENDED_PARTY_COMMITTEE"),
    "measures": Recipe(query=f"?month=2026-03&community_id={INSIDE}"),
    "measure_cases": Recipe({"name": "on_time_rate"}, f"?month=2026-03&community_id={INSIDE}"),
    "running_notices": Recipe(query=f"?community_id={INSIDE}"),
    "rollout": Recipe(query=f"?place={INSIDE}"),
    "overdue_counts": Recipe(query=f"?place={INSIDE}"),
    "committees.export": Recipe(query=f"?place={INSIDE}"),
    "due": Recipe(query="?start=2026-03-02T09:00:00%2B08:00&value=1&unit=hours"),
    "access_log": Recipe(query="?case={issue}"),
    "list_version": Recipe({"list_type": "LIST_A"}),
    "list_diff": Recipe({"list_type": "LIST_A"}, "?before=1&after=1"),
    "list_items": Recipe(query="?q=社区"),
    "import_list": Recipe({"list_type": "LIST_A"}, "?effective_from=2027-01-01&dry_run=1"),
    "admission_check": Recipe(body={"community_code": INSIDE, "item_name": "人口普查"}),
    "decode": Recipe(body={"payloads": []}),
    "regions.add": Recipe(
        body={"code": INSIDE, "name": "x", "level": "COMMUNITY", "parent_code": INSIDE[:9]},
    ),
    "regions.change": Recipe({"key": INSIDE}, body={}),
    "regions.remove": Recipe({"key": INSIDE}),
    "organizations.add": Recipe(
        body={"code": "heating", "name": "x", "org_type": "OTHER", "level": "OTHER", "region_code": INSIDE}
    ),
    "organizations.change": Recipe({"key": "property-1"}, body={}),
    "organizations.remove": Recipe({"key": "property-1"}),
    "spatial-units.add": Recipe(
        body={"community_code": INSIDE, "kind": "GRID", "code": INSIDE + "001", "name": "x", "responsible": ["grid1"]}
    ),
    "spatial-units.change": Recipe({"key": INSIDE + "001"}, body={}),
    "spatial-units.remove": Recipe({"key": INSIDE + "001"}),
    "buildings.add": Recipe(body={"community_code": INSIDE, "name": "1号楼", "grid_code": "nowhere"}),
    "buildings.change": Recipe({"key": "{building}"}, body={}),
    "buildings.remove": Recipe({"key": "{building}"}),
    "bodies.add": Recipe(body={"type": "CWC", "region_code": INSIDE, "name": "x"}),
    "bodies.change": Recipe({"key": "{body}"}, body={}),
    "bodies.remove": Recipe({"key": "{body}"}),
    "members.add": Recipe({"key": "{body}"}, body={"since": SINCE}),
    "members.change": Recipe({"key": "{body}", "member": "{member}"}, body={}),
    "roles.list": Recipe(query=f"?within={INSIDE}"),
    "roles.add": Recipe(body={"person": "nobody", "role": "volunteer", "place": INSIDE, "since": SINCE}),
    "roles.change": Recipe({"key": "{role}"}, body={"until": None}),
    "substitutions.add": Recipe(
        body={"absent": "worker1", "substitute": "worker1", "since": SINCE, "until": SINCE},
    ),
    "substitutions.change": Recipe({"key": "{substitution}"}, body={"until": SINCE}),
    "people.list": Recipe(query=f"?within={INSIDE}"),
    "people.add": Recipe(body={"display_name": "x", "home_community_code": INSIDE, "username": "grid1"}),
    "people.one": Recipe({"person": "resident1"}),
    "people.change": Recipe({"person": "resident1"}, body={}),
    "people.erase": Recipe({"person": "{throwaway}"}),
    "people.phone": Recipe({"person": "resident1"}, "?purpose=回访"),
    "accounts.add": Recipe({"person": "resident1"}, body={"username": "grid1"}),
    "accounts.change": Recipe({"person": "resident1", "username": "resident1"}, body={}),
    "make_api_key": Recipe(
        body={"username": "resident1", "name": "x", "scopes": ["nothing"], "expires_at": "2027-01-01T00:00:00Z"}
    ),
    "revoke_api_key": Recipe({"key_id": NOWHERE}),
    "retry_incident": Recipe({"incident_id": NOWHERE}),
    "close_incident": Recipe({"incident_id": NOWHERE}, body={"reason": "已电话核实"}),
    "pack": Recipe({"name": "lanzhou_2021"}),
    "pack_diff": Recipe({"name": "lanzhou_2021", "other": "panzhihua_2016"}),
    **dict.fromkeys(
        ("template", "template_about", "template_preview", "try_template", "put_template", "drop_template"),
        Recipe({"name": "default_2026", "kind": "MINUTES"}),
    ),
    "set_local_day": Recipe({"on": "2026-12-31"}, body={"working": False, "why": "市庆"}),
    "clear_local_day": Recipe({"on": "2026-12-31"}),
    "load_year": Recipe(body={"year": 2027, "source": "x", "rest": {"2027-01-01": "元旦"}}),
    "export_tree": Recipe(query=f"?within={INSIDE}"),
    "issue_ballot_tokens": Recipe({"key": "{inspection}"}, body={"count": 1}),
    "ballot_progress": Recipe({"key": "{inspection}"}),
    "change_password": Recipe(body={"old_password": "x", "new_password": "something else"}),
    "confirm_second_factor": Recipe(body={"code": "000000"}),
    "remove_second_factor": Recipe(body={"code": "000000"}),
}
# They would end the caller's own token, or never end themselves.
NOT_CALLED = {"sign_out", "sign_out_everywhere", "notification_stream"}
PLACES = {"community_id": INSIDE, "community": INSIDE, "county": INSIDE[:6], "key": INSIDE}
# There is no such key, list or ballot: who may ask for it is told so.
UNKNOWN_TO_ALL = {"retry_incident", "close_incident", "revoke_api_key", "list_version", "list_diff", "ballot_progress"}


async def _things(stage: Stage, storage: AsyncEngine) -> dict[str, str]:
    """Rows of master data that the recipes name, made by the administrator inside."""
    admin = next(one for one in stage.callers if one.role is Role.TENANT_ADMIN and one.inside)

    async def made(path: str, body: dict[str, Any]) -> str:
        answer = await stage.ask(admin, "POST", path, body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    body = await made("/bodies", {"type": "DELIBERATION", "region_code": INSIDE, "name": "议事会"})
    pair = {"absent": "worker1", "substitute": "worker1b", "since": SINCE, "until": SINCE}
    return {
        "{body}": body,
        "{member}": await made(f"/bodies/{body}/members", {"person": "resident1", "since": SINCE}),
        "{building}": await made("/buildings", {"community_code": INSIDE, "name": "2号楼"}),
        "{role}": await made("/roles", {"person": "resident1", "role": "veteran", "place": INSIDE, "since": SINCE}),
        "{substitution}": await made("/substitutions", pair),
        "{throwaway}": await made("/people", {"display_name": "x", "home_community_code": INSIDE}),
        "{issue}": stage.cases["issue"].id,
        "{inspection}": stage.cases["inspection"].id,
    }


async def test_every_other_operation_lets_through_the_roles_of_its_row(stage: Stage, storage: AsyncEngine) -> None:
    things = await _things(stage, storage)
    wrong: list[str] = []
    walked = 0
    for name, method, path in operations(stage.app):
        access = access_of(name, path, EVERY.values())
        assert access is not None, name
        if access.who in ("CASE", "OPEN") or name in NOT_CALLED:
            continue
        recipe = RECIPES.get(name, Recipe())
        values = {**PLACES, **{key: things.get(value, value) for key, value in recipe.path.items()}}
        query = recipe.query.replace("{issue}", things["{issue}"])
        # Whoever may comes last: what he removes was there for the others.
        # An operation that knows no place is asked from inside only.
        placed = access.who == "ROLES" and not access.anywhere
        callers = [one for one in stage.callers if placed or one.inside]
        for caller in sorted(callers, key=lambda one: _allowed(access, one)):
            answer = await stage.ask(caller, method, filled(path, values) + query, recipe.body)
            walked += 1
            if not _fits(name, access, caller, answer.status_code):
                wrong.append(f"{name} {caller}: {answer.status_code} {answer.text[:120]}")

    assert wrong == [], "\n".join(wrong)
    assert walked > 3000


def _allowed(access: Access, caller: Caller) -> bool:
    if access.who in ("SIGNED", "OWN"):
        return True
    # Nobody of the cast holds his role over the whole deployment.
    return caller.role in access.roles and (caller.inside or access.anywhere) and not access.whole


def _fits(name: str, access: Access, caller: Caller, status: int) -> bool:
    """Allowed: the answer is about the thing, no longer about the caller. Denied: 403, or 404 for the unknown."""
    if _allowed(access, caller):
        missing = {404} if name in UNKNOWN_TO_ALL or access.who != "ROLES" else set()
        return status in {200, 201, 204, 400, 409, 415, 422} | missing
    return status in {403, 404}


async def test_contact_details_have_a_right_of_their_own(stage: Stage) -> None:
    path = f"/issues/{stage.cases['issue'].id}/reporter?purpose=回访"
    for caller in stage.callers:
        status = (await stage.ask(caller, "GET", path)).status_code
        reads = caller.inside and caller.role in STAFF
        if reads:
            assert (str(caller), status) == (str(caller), 404)  # there is no contact in an empty issue
        else:
            assert status in (403, 404), str(caller)


async def test_a_token_of_somebody_of_another_tenant_opens_nothing(stage: Stage) -> None:
    stranger = Caller(Role.TENANT_ADMIN, True, stage.callers[0].actor.__class__(NOWHERE, "admin", ()))

    answer = await stage.ask(stranger, "GET", "/me")

    assert (answer.status_code, answer.json()["reason"]) == (401, "ACCOUNT_CLOSED")


async def test_the_table_is_read_by_everybody_and_narrowed_by_role_and_process(stage: Stage) -> None:
    resident = next(one for one in stage.callers if one.role is Role.RESIDENT and one.inside)

    rows = (await stage.ask(resident, "GET", "/rights?process=issues&role=resident")).json()["items"]
    me = (await stage.ask(resident, "GET", "/me")).json()

    assert {"submit_issue", "withdraw"} <= {row["action"] for row in rows}
    assert all("resident" in row["roles"] for row in rows)
    assert "submit_issue" in {one["command"] for one in me["may"]["start"]}
    assert "accept_to_problem_list" not in me["may"]["do"]["issues"]


def test_the_places_of_the_matrix_do_not_hold_each_other() -> None:
    assert not INSIDE.startswith(OUTSIDE[:2])
