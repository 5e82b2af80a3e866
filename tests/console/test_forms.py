"""A form is made from the schema of a command, and gives back the body that the schema asks for."""

from io import BytesIO
from typing import Any

import pytest
from starlette.datastructures import FormData, Headers, UploadFile

from services.api.actions import forms
from services.api.cases import people_of
from services.console.forms import Input, filled, inputs
from services.console.pages.sending import body_with_files
from workflows.formation.process import FORMATION
from workflows.kernel.process import Case, Pin
from workflows.registry import PROCESSES

EVERY = {one.name: one for one in PROCESSES.values()}


def schema(process: str, command: str) -> dict[str, Any]:
    return forms(EVERY[process])[command].schema()


def photo(name: str = "a.jpg") -> UploadFile:
    return UploadFile(file=BytesIO(b"x"), filename=name, headers=Headers({"content-type": "image/jpeg"}))


def named(fields: tuple[Input, ...]) -> dict[str, Input]:
    return {one.name: one for one in fields}


@pytest.mark.parametrize("process", sorted(EVERY))
def test_every_command_of_every_process_has_a_form(process: str) -> None:
    for name, form in forms(EVERY[process]).items():
        wanted = inputs(form.schema())
        assert [one.name for one in wanted if not one.title] == [], name
        # A form that nobody has touched gives an empty body: nothing is filled in behind one's back.
        assert filled(form.schema(), FormData()).body == {}, name


def test_fields_are_chosen_by_name_where_there_is_something_to_choose() -> None:
    fields = named(inputs(schema("issue", "accept_to_problem_list")))
    merge = named(inputs(schema("issue", "merge_into")))["target"]

    assert (fields["lead_org"].widget, fields["lead_org"].looks_for) == ("pick", "organization")
    assert (fields["helper_orgs"].widget, fields["category_code"].looks_for) == ("picks", "category")
    assert (merge.looks_for, merge.of) == ("case", "issue")


def test_what_was_filled_in_becomes_the_body() -> None:
    form = FormData(
        [("mode", "TIME_LIMITED"), ("helper_orgs", "heating"), ("helper_orgs", "power"), ("urgent", "true"), ("x", "y")]
    )

    body = filled(schema("issue", "accept_to_problem_list"), form).body

    assert body == {"mode": "TIME_LIMITED", "helper_orgs": ["heating", "power"], "urgent": True}


def test_a_fault_of_an_entry_is_shown_at_its_list() -> None:
    one = named(inputs(schema("issue", "accept_to_problem_list")))["helper_orgs"]

    assert one.fault({"helper_orgs.1": "没有这个单位", "mode": "必填"}) == "没有这个单位"
    assert one.fault({"mode": "必填"}) == ""


class _Uploads:
    """Where files go: each gets the id of its place."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def upload(self, path: str, name: str, content: bytes, media_type: str, *, key: str, kind: str) -> Any:
        self.keys.append(key)
        return {"id": f"file-{len(self.keys)}"}


class _Visit:
    def __init__(self) -> None:
        self.api = _Uploads()


async def test_files_stand_in_the_row_that_they_were_chosen_in() -> None:
    form = FormData(
        [
            ("wishes.3.title", ""),
            ("wishes.5.title", "路灯不亮"),
            ("wishes.5.description", "东门"),
            ("wishes.5.evidence", photo()),
        ]
    )
    given = filled(schema("round", "record_visit"), form)
    visit: Any = _Visit()

    body = await body_with_files(visit, given, "k")

    assert body["wishes"] == [{"title": "路灯不亮", "description": "东门", "evidence": ["file-1"]}]
    # The same file with the same form is the same upload.
    assert visit.api.keys[0].startswith("k.")


async def test_one_file_is_no_list() -> None:
    given = filled(schema("admission", "sign_agreement"), FormData([("file", photo("a.pdf"))]))
    visit: Any = _Visit()

    assert (await body_with_files(visit, given, "k"))["file"] == "file-1"


def test_a_field_for_somebody_offers_whom_the_case_is_about() -> None:
    contact, person = "contact:0123456789abcdef", "01a200ad-c5b1-7eb1-ab5e-39ef72ad2967"
    data = FORMATION.data(candidates={contact: None, person: None, "no one": None})  # type: ignore[dict-item]
    case = Case(id="x", process="formation", community="x", pin=Pin("", 0, ""), data=data, state="X")

    fields = inputs(schema("formation", "propose_shortlist"))
    [rows] = [one.offering(((contact, "王某"),)) for one in fields if one.name == "candidates"]

    assert people_of(case) == [contact, person]
    assert [one.offers for one in rows.inner if one.kind == "somebody"] == [((contact, "王某"),)]
