"""Names and phones are planted through the API into every process there is, and then looked for where nobody may find
them: logs, the engine's store and histories, ids, search attributes, events and every other table, pages for everybody.
"""

import asyncio
import json
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from activities.calendar import Calendars
from activities.payloads import data_converter, is_encrypted
from services.api.actions import forms, opening
from services.api.examples import CASE, example
from services.api.forms import Form, Shape
from services.api.ports import Filters, OverdueFilters
from services.api.postgres import PostgresReads
from services.embedded.postgres import APPLICATION, READER
from services.identity.actors import Directory
from services.settings import load_settings
from services.storage.calendar import CalendarStore
from services.storage.database import database
from services.storage.keys import PAYLOADS
from services.storage.sealing import Seal
from services.storage.wall import Wall
from tests.chaos.product import PASSWORD, Whole, whole
from workflows.kernel.calendar import CHINA
from workflows.kernel.fields import Contact, Prose
from workflows.registry import PROCESSES

NAME, PHONE, MARK = "欧阳植标", "13977770001", "植字标记"
SECRETS = (NAME, PHONE)
STREET = (
    "worker1", "worker1b", "resident1", "grid1", "secretary1", "clerk1", "officer", "streetparty", "supervisor", "city",
    "property1", "department", "reviewer", "approver", "cityapprover", "epc1b", "tc1b", "admin",
)  # fmt: skip
C1 = "620199001001"
ROUNDS = 2
# Where what people wrote is kept, and nothing else.
WRITTEN = {"prose"}


@dataclass(slots=True)
class Planted:
    """A product in which every process has been told secrets, and how that went."""

    running: Whole
    client: httpx.AsyncClient
    tokens: dict[str, dict[str, str]]
    opened: Counter[str] = field(default_factory=Counter)
    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    defects: list[str] = field(default_factory=list)
    checks: dict[str, str] = field(default_factory=dict)
    issue: str = CASE

    async def ask(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        answer = await self.client.request(method, path, headers=self.tokens[who], **more)
        if answer.status_code >= 500 and answer.status_code != 503:
            self.defects.append(f"{method} {path} {answer.text[:300]}")
        return answer


def planted(form: Form, about: str = CASE) -> dict[str, Any]:
    """An example body with a mark in every text and the secrets in everything that says who somebody is."""
    body: dict[str, Any] = json.loads(json.dumps(example(form)).replace(CASE, about))
    if "scheduled_at" in body:
        body["scheduled_at"] = (datetime.now(CHINA) + timedelta(minutes=5)).isoformat()
    _plant(form.shape, body)
    return body


def _plant(shape: Shape, body: dict[str, Any]) -> None:
    for spot in shape.spots:
        value = body.get(spot.wire)
        if isinstance(spot.marker, Contact):
            body[spot.wire] = {"name": NAME, "phone": PHONE}
        elif isinstance(spot.marker, Prose) and isinstance(value, str):
            body[spot.wire] = f"{MARK}{value}"[: spot.marker.longest or None]
        elif spot.inner is not None:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    _plant(spot.inner, one)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town() -> AsyncIterator[Planted]:
    """The product, as `make up` starts it, after everybody has tried everything."""
    async with whole(SHANGLIANG_POLICY="drill", SHANGLIANG_RATE_ACCOUNT="0", SHANGLIANG_RATE_SIGN_IN="0") as running:
        base = f"http://127.0.0.1:{running.port}/api/v1"
        async with httpx.AsyncClient(base_url=base, timeout=30) as client:
            tokens = {}
            for who in STREET:
                answer = await client.post("/auth/token", data={"username": who, "password": PASSWORD})
                assert answer.status_code == 200, (who, answer.text)
                tokens[who] = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            one = Planted(running, client, tokens)
            await _open_everything(one)
            for _ in range(ROUNDS):
                await _say_everything(one)
            await _say_it_elsewhere(one)
            await asyncio.sleep(2)
            yield one


def processes() -> Iterator[Any]:
    yield from {process.name: process for process in PROCESSES.values()}.values()


async def _open_everything(one: Planted) -> None:
    for process in processes():
        form = opening(process)
        for who in STREET:
            answer = await one.ask(who, "POST", f"/{process.plural}", json=planted(form, one.issue))
            if answer.status_code == 201:
                one.opened[process.name] += 1
                case = answer.json()
                if process.name == "issue":
                    code = case["data"]["check_code"]
                    one.checks[case["number"]] = code
                    one.issue = case["id"]
                break


async def _say_everything(one: Planted) -> None:
    for process in processes():
        known = forms(process)
        for who in STREET:
            listed = (await one.ask(who, "GET", f"/{process.plural}", params={"limit": 3})).json().get("items", [])
            for case in listed:
                acts = await one.ask(who, "GET", f"/{process.plural}/{case['id']}/actions")
                for act in acts.json() if acts.status_code == 200 else []:
                    if act["command"] in known and not act.get("why_not"):
                        path = f"/{process.plural}/{case['id']}/commands/{act['command']}"
                        answer = await one.ask(who, "POST", path, json=planted(known[act["command"]], one.issue))
                        one.said[process.name, act["command"]] += answer.status_code == 200


async def _say_it_elsewhere(one: Planted) -> None:
    """Where a name does not belong: addresses, names of files, of users."""
    await one.ask("worker1", "GET", "/issues", params={"q": NAME})
    await one.ask("worker1", "GET", f"/issues/{PHONE}")
    await one.ask("worker1", "GET", f"/issues/{quote(NAME)}/events")
    await one.client.get(f"/public/issues/{PHONE}", params={"check_code": NAME})
    await one.client.get(f"/public/{quote(NAME)}")
    await one.client.post("/auth/token", data={"username": PHONE, "password": NAME})
    await one.ask(
        "worker1",
        "POST",
        "/attachments",
        files={"file": (f"{NAME}{PHONE}.txt", "会议".encode())},
        data={"kind": "FILE"},
    )
    await one.ask("worker1", "POST", "/issues", json={"title": NAME, "reporter": {"phone": PHONE}})
    await one.ask("worker1", "POST", "/issues", content=f'{{"title": "{NAME}", "{PHONE}": ')


def leaks(text: str | bytes, *words: str) -> list[str]:
    """Which of the words stand in a text, written as they are or as JSON writes them."""
    found = []
    for word in words:
        ways = [word.encode(), json.dumps(word)[1:-1].encode(), quote(word).encode()]
        raw = text.encode() if isinstance(text, str) else text
        if any(way in raw for way in ways):
            found.append(word)
    return found


async def test_enough_was_said_to_look_for(town: Planted) -> None:
    said = {name for name, _ in (key for key, count in town.said.items() if count)}

    assert town.defects == [], _tracebacks(town)
    assert {"issue", "supervision", "admission", "refusal", "meeting"} <= town.opened.keys(), town.opened
    assert {"issue", "meeting"} <= said, town.said
    assert town.checks


def _tracebacks(town: Planted) -> str:
    lines = (town.running.home.logs / "web.log").read_text().splitlines()
    return "\n".join(
        json.dumps(json.loads(line)["exception"], ensure_ascii=False) for line in lines if '"exception"' in line
    )


def test_no_log_says_who_or_what(town: Planted) -> None:
    files = [path for path in town.running.home.logs.rglob("*") if path.is_file()]

    assert any(path.name == "web.log" for path in files)
    assert {str(path.name): leaks(path.read_bytes(), *SECRETS, MARK) for path in files} == {
        str(path.name): [] for path in files
    }


def test_neither_store_holds_a_name_on_its_disk(town: Planted) -> None:
    home = town.running.home
    engine = [path for path in home.root.iterdir() if path.name.startswith("temporal.db")]
    found = {path.name: leaks(path.read_bytes(), *SECRETS, MARK) for path in engine}
    for folder, _, names in os.walk(home.postgres):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118  # walked as text, thousands of them
            with open(path, "rb") as file:  # noqa: PTH123
                if bad := leaks(file.read(), *SECRETS):
                    found[path] = bad

    assert engine
    assert found == {path.name: [] for path in engine}


WITH_CODES = {EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, EventType.EVENT_TYPE_MARKER_RECORDED}
"""Events with search attributes, or with what the library writes down for itself."""


async def test_no_history_id_or_attribute_holds_any_of_it_even_opened(town: Planted) -> None:
    keys = load_settings(seal_key=town.running.home.secret("seal_key")).keys_for(PAYLOADS)
    converter = data_converter(keys)
    client = await Client.connect(
        town.running.temporal_address, namespace=town.running.temporal_namespace, data_converter=converter
    )
    runs, hidden, clear = 0, 0, Counter[int]()
    async for run in client.list_workflows(""):
        runs += 1
        assert leaks(f"{run.id} {run.typed_search_attributes} {run.workflow_type}", *SECRETS, MARK) == []
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        for event in history.events:
            given = event.workflow_execution_started_event_attributes.input.payloads
            assert all(is_encrypted(payload) for payload in given)
            for payload in _payloads(event):
                hidden += is_encrypted(payload)
                clear[event.event_type] += not is_encrypted(payload)
                assert converter.payload_codec is not None
                [opened] = await converter.payload_codec.decode([payload])
                assert leaks(opened.data, *SECRETS, MARK) == [], (run.id, event.event_id, opened.data[:300])
            assert leaks(event.SerializeToString(), *SECRETS, MARK) == []

    assert runs > len(town.opened)
    assert hidden > 100
    # Search attributes and markers of the library are never encrypted, and hold codes alone.
    assert set(+clear) <= WITH_CODES


def _payloads(message: Any) -> Iterator[Any]:
    """Every payload inside a message, at any depth."""
    if message.DESCRIPTOR.full_name == "temporal.api.common.v1.Payload":
        yield message
        return
    for descriptor, value in message.ListFields():
        if descriptor.type != descriptor.TYPE_MESSAGE:
            continue
        if descriptor.message_type.GetOptions().map_entry:
            inner = descriptor.message_type.fields_by_name["value"]
            parts = list(value.values()) if inner.type == inner.TYPE_MESSAGE else []
        else:
            parts = [value] if hasattr(value, "DESCRIPTOR") else list(value)
        for part in parts:
            yield from _payloads(part)


async def test_no_table_but_that_of_texts_holds_what_was_written_and_none_a_name(town: Planted) -> None:
    connection = await asyncpg.connect(town.running.database_url)
    try:
        tables = [
            row["relname"]
            for row in await connection.fetch(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
        ]
        found: dict[str, list[str]] = {}
        for table in tables:
            for row in await connection.fetch(f'SELECT t::text AS line FROM "{table}" AS t'):
                words = SECRETS if table in WRITTEN else (*SECRETS, MARK)
                if bad := leaks(row["line"], *words):
                    found.setdefault(table, []).append(f"{bad} {row['line'][:300]}")
        kept = await connection.fetchval("SELECT count(*) FROM contact WHERE name LIKE 'enc:%' AND phone LIKE 'enc:%'")
    finally:
        await connection.close()

    assert {"event", "case_file", "contact", "outbox", "incident", "audit"} <= set(tables)
    assert {table: lines[:2] for table, lines in found.items()} == {}
    assert kept > 0


async def test_no_page_for_everybody_shows_a_name(town: Planted) -> None:
    pages = ["/public/privacy", "/openapi.json", "/metrics", "/health/ready"]
    pages += [f"/public/communities/62019900100{number}/board" for number in (1, 2, 3)]
    pages += [f"/public/issues/{number}?check_code={code}" for number, code in town.checks.items()]
    shown = {page: await town.client.get(page) for page in pages}

    assert {page for page, answer in shown.items() if answer.status_code == 200} >= set(pages[4:])
    assert {page: leaks(answer.content, *SECRETS) for page, answer in shown.items()} == {page: [] for page in pages}


async def test_the_second_wall_takes_nothing_from_anybody(town: Planted) -> None:
    """Whatever process a case is of: what somebody is shown without the wall, he is shown behind it."""
    owner = town.running.home.running_now()["database_url"]
    password = quote(town.running.home.secret("postgres_application"), safe="")
    guarded = re.sub("//[^@]*@", f"//{APPLICATION}:{password}@", owner)
    plain, reader = database(owner, pool_size=2), database(guarded, pool_size=2, role=READER)
    differ: list[str] = []
    try:
        people = await Directory(plain).by_username(STREET)
        calendars, seal = Calendars(CalendarStore(plain)), Seal({"k": b"k" * 32}, "k")
        open_reads = PostgresReads(plain, calendars, seal)
        walled = PostgresReads(plain, calendars, seal, Wall(reader))
        for who, actor in people.items():
            for process in processes():
                pages = [
                    (await reads.page(actor, process, Filters(), cursor=None, limit=200)).items
                    for reads in (open_reads, walled)
                ]
                ids = [[known.case.id for known in page] for page in pages]
                differ += [f"{who} {process.plural} {len(ids[0])} {len(ids[1])}"] if ids[0] != ids[1] else []
            for name in ("worklist", "overdue"):
                more = () if name == "worklist" else (OverdueFilters(),)
                found = [
                    {one["case"]["id"] for one in (await getattr(reads, name)(actor, *more, cursor=None, limit=200))[0]}
                    for reads in (open_reads, walled)
                ]
                # The engine goes on meanwhile; what is missing behind the wall is what matters.
                differ += [f"{who} {name} {found[0] - found[1]}"] if found[0] - found[1] else []
    finally:
        await plain.dispose()
        await reader.dispose()

    assert differ == []


async def test_the_one_way_to_a_name_is_written_down(town: Planted) -> None:
    number = next(iter(town.checks))
    without = await town.ask("worker1", "GET", f"/issues/{number}/reporter")
    answer = await town.ask("worker1", "GET", f"/issues/{number}/reporter", params={"purpose": "回访核实"})
    log = await town.ask("supervisor", "GET", "/access-log", params={"case": number})

    assert without.status_code == 422
    assert (answer.json()["name"], answer.json()["phone"]) == (NAME, PHONE)
    assert [one["purpose"] for one in log.json()["items"]][-1:] == ["回访核实"]
