"""The door: every fault of a body is named in the caller's language; what it names must exist."""

import json
from typing import Any

import httpx
import pytest

from services.api.actions import forms, opening
from services.api.door import read
from services.api.errors import Invalid, Malformed
from services.api.examples import example
from services.api.forms import form
from tests.web.conftest import ISSUE_BODY, Call
from tests.web.product import TOKENS
from tests.web.twins import PEOPLE, Twin
from workflows.issue import commands as do
from workflows.issue.process import ISSUE
from workflows.kernel.wire import command_of
from workflows.supervision.process import SUPERVISION

PROCESSES = (ISSUE, SUPERVISION)
FORMS = [(process, one) for process in PROCESSES for one in (opening(process), *forms(process).values())]


def fields_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


async def test_every_faulty_field_is_named_in_the_callers_language(call: Call) -> None:
    body = {
        **ISSUE_BODY,
        "title": "x" * 121,
        "source": "SOMEWHERE",
        "danger": "yes",
        "reporter": {"name": " ", "age": 3},
        "location": {"lat": 91, "lon": "east"},
        "colour": "red",
    }
    del body["description"]

    chinese = fields_of(await call("grid1", "POST", "/issues", body))
    english = fields_of(await call("grid1", "POST", "/issues", body, Accept_Language="en-GB,en;q=0.8"))

    assert set(chinese) == set(english) == {
        "title", "source", "danger", "description", "reporter.name", "reporter.age", "location.lat",
        "location.lon", "colour",
    }  # fmt: skip
    assert chinese["title"] == "最多 120 个字"
    assert chinese["description"] == "必填"
    assert chinese["colour"] == "没有这个字段"
    assert english["description"] == "is required"
    assert english["location.lat"] == "not more than 90"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("community_code", "620199001009", "没有这个社区：620199001009"),
        ("category_code", "X99", "政策包中没有这个类别：X99"),
        ("evidence", ["00000000-0000-7000-8000-00000000abcd"], "没有这个附件"),
    ],
)
async def test_what_a_body_names_must_exist(call: Call, field: str, value: Any, message: str) -> None:
    found = fields_of(await call("grid1", "POST", "/issues", {**ISSUE_BODY, field: value}))

    assert next(iter(found.values())).startswith(message)


async def test_organisations_and_people_must_exist(call: Call) -> None:
    case = (await call("grid1", "POST", "/issues", ISSUE_BODY)).json()
    body = {
        "mode": "TIME_LIMITED",
        "category_code": "A02",
        "difficulty": "EASY",
        "lead_org": "nobody",
        "helper_orgs": ["heating", "none"],
        "on_behalf_of": "ghost",
    }

    found = fields_of(await call("worker1", "POST", f"/issues/{case['id']}/commands/accept_to_problem_list", body))

    assert set(found) == {"lead_org", "helper_orgs.1", "on_behalf_of"}


async def test_a_case_that_one_may_not_know_of_does_not_exist(call: Call) -> None:
    mine = (await call("grid1", "POST", "/issues", ISSUE_BODY)).json()
    theirs = (await call("worker2", "POST", "/issues", {**ISSUE_BODY, "community_code": "620199001002"})).json()

    path = f"/issues/{mine['id']}/commands/merge_into"
    hidden = fields_of(await call("worker1", "POST", path, {"target": theirs["number"]}))
    unknown = fields_of(await call("worker1", "POST", path, {"target": "7"}))

    assert set(hidden) == set(unknown) == {"target"}


async def test_a_case_is_named_by_number_or_id_and_its_facts_reach_the_rules(call: Call, twin: Twin) -> None:
    one = (await call("grid1", "POST", "/issues", ISSUE_BODY)).json()
    other = (await call("grid1", "POST", "/issues", ISSUE_BODY)).json()

    answer = await call("worker1", "POST", f"/issues/{one['id']}/commands/merge_into", {"target": other["number"]})

    assert answer.status_code == 200, answer.text
    assert twin.street.cases[one["id"]].data.merged_into == other["id"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"null", b"\xff\xfe{}", b'{"title": "\\ud800"}', b"[" * 5000])
async def test_what_is_no_json_object_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
    headers = {
        "Authorization": f"Bearer {TOKENS.issue(PEOPLE['grid1'])}",
        "Content-Type": "application/json",
    }

    answer = await client.post("/issues", content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_another_kind_of_content_is_unsupported(client: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {TOKENS.issue(PEOPLE['grid1'])}", "Content-Type": "text/xml"}

    answer = await client.post("/issues", content=b"<a/>", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media")


async def test_a_megabyte_is_too_large_declared_or_not(client: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {TOKENS.issue(PEOPLE['grid1'])}", "Content-Type": "application/json"}

    async def pieces() -> Any:
        for _ in range(17):
            yield b"x" * 65536

    declared = await client.post("/issues", content=b"x" * (1024 * 1024 + 1), headers=headers)
    undeclared = await client.post("/issues", content=pieces(), headers=headers)

    assert (declared.status_code, declared.json()["code"]) == (413, "too_large")
    assert (undeclared.status_code, undeclared.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("letter", ["\0", "\x07", "\x7f"])
async def test_characters_that_cannot_be_stored_are_refused(call: Call, letter: str) -> None:
    found = fields_of(await call("grid1", "POST", "/issues", {**ISSUE_BODY, "title": f"a{letter}b"}))

    assert found == {"title": "含有不能保存的字符"}


@pytest.mark.parametrize("path", ["/issues/%00", "/issues?q=%00", "/issues/a%00b/events"])
async def test_addresses_hold_no_such_characters_either(call: Call, path: str) -> None:
    answer = await call("grid1", "GET", path)

    assert answer.status_code in (404, 422)


async def test_a_command_without_fields_takes_an_empty_body(client: httpx.AsyncClient, call: Call) -> None:
    case = (await call("grid1", "POST", "/issues", ISSUE_BODY)).json()

    answer = await client.post(
        f"/issues/{case['id']}/commands/request_verification",
        headers={"Authorization": f"Bearer {TOKENS.issue(PEOPLE['worker1'])}"},
    )

    assert answer.status_code == 200, answer.text


async def test_class_is_the_wire_name_of_a_reserved_word() -> None:
    letter = read(form(do.RequestSuspension), b'{"class": "SEASONAL", "reason": "\xe5\x86\xac\xe5\xad\xa3"}')

    assert letter.values == {"class_": "SEASONAL", "reason": "冬季"}


def test_the_order_of_fields_and_spaces_does_not_change_a_body() -> None:
    one = read(form(do.Reopen), '{"reason": "又堵了", "acting_role": "resident"}'.encode())
    other = read(form(do.Reopen), '{"acting_role":"resident",   "reason":" 又堵了 "}'.encode())

    assert one.body_hash == other.body_hash


def test_another_command_with_the_same_fields_is_another_body() -> None:
    assert (
        read(form(do.Reopen), b'{"reason": "x"}').body_hash != read(form(do.RaiseLevel), b'{"reason": "x"}').body_hash
    )


@pytest.mark.parametrize(("process", "one"), FORMS, ids=lambda value: getattr(value, "name", ""))
def test_every_example_passes_the_door_and_the_wire(process: Any, one: Any) -> None:
    letter = read(one, json.dumps(example(one)).encode())

    assert command_of(process, one.name, letter.values)


@pytest.mark.parametrize(("process", "one"), FORMS, ids=lambda value: getattr(value, "name", ""))
def test_every_field_has_a_title_in_both_languages(process: Any, one: Any) -> None:
    for language in ("zh", "en"):
        schema = one.schema(language)
        assert schema["additionalProperties"] is False
        assert all(prop.get("title") for prop in schema["properties"].values())
        assert "$ref" not in json.dumps(schema)


@pytest.mark.parametrize(("process", "one"), FORMS, ids=lambda value: getattr(value, "name", ""))
def test_every_body_refuses_an_unknown_field(process: Any, one: Any) -> None:
    with pytest.raises(Invalid) as refused:
        read(one, json.dumps({**example(one), "unheard_of": 1}).encode())

    assert [fault.field for fault in refused.value.faults] == ["unheard_of"]


def test_a_body_that_is_no_object_is_malformed() -> None:
    with pytest.raises(Malformed):
        read(form(do.Reopen), b"3")
