"""Facts are put into words, masked where everybody reads them; every template stands whatever a case holds."""

from datetime import date
from typing import Any

import pytest

from services.documents.content import Lookup, codes_of, facts_of, titles
from services.documents.filling import Templates, filled, tally
from services.documents.papers import Issued, Marks, issued, number_of, parts_of
from services.documents.reading import blocks_of
from services.documents.setting import set_as_pdf
from tests.documents.test_filling import words
from tests.storage.town import at
from workflows.issue.data import ClockClass, Difficulty, Issue
from workflows.issue.process import ISSUE
from workflows.kernel.process import Case, Paper, Pin, Process
from workflows.meeting.data import Item, ItemKind, ItemState, Meeting, MeetingType
from workflows.meeting.process import MEETING
from workflows.registry import PROCESSES

PERSON = "0198c600-0000-7000-8000-000000000001"
EVERY = sorted({(one.name, paper.kind) for one in PROCESSES.values() for paper in one.papers})


def case_of(process: Process[Any], data: Any, position: str = "") -> Case[Any]:
    """A case of community 1 somewhere in its life."""
    state, _, phase = (position or next(one.name for one in process.states)).partition(":")
    return Case(
        id="0198c600-0000-7000-8000-000000000009",
        process=process.name,
        community="620199001001",
        pin=Pin("lanzhou_2021", 2, ""),
        data=data,
        number="620199001001202603000001",
        state=state,
        phase=phase,
        title="text:0000000000000001",
        opened_at=at("2026-03-02 09:00"),
    )


def entry(kind: str, **payload: Any) -> dict[str, Any]:
    """An entry of a history."""
    return {
        "seq": 1,
        "type": kind,
        "actor": PERSON,
        "acting_role": "community_worker",
        "org": "community-1",
        "occurred_at": at("2026-03-02 09:00"),
        "payload": payload,
    }


LOOKUP = Lookup(
    texts={"text:0000000000000001": "下水道堵塞,电话13900001111", "contact:0000000000000002": "欧阳海"},
    people={PERSON: "李建国"},
    orgs={"community-1": "柳荫社区居委会", "property-1": "柳荫物业公司"},
    places={"620199001001": "柳荫社区", "620199001": "安和街道", "620199": "示范区", "6201": "示范市"},
)


def facts(case: Case[Any], given: dict[str, Any], paper: Paper, *, masked: bool = False) -> dict[str, Any]:
    """The facts of one document."""
    process = PROCESSES[case.process]
    one = Issued(paper, number_of(case.number, paper.kind, 1), 1, given["occurred_at"])
    return facts_of(process, case, given, one, LOOKUP, check_code="ABCD2345", address="/x", masked=masked)


def test_codes_become_words_and_moments_are_written_out() -> None:
    data = Issue(
        difficulty=Difficulty.HARD,
        clock_class=ClockClass.CONSULT,
        lead_org="property-1",
        helper_orgs=("community-1",),
        registered_at=at("2026-03-02 09:05"),
        decision_due_on=date(2026, 3, 31),
        danger=True,
    )
    given = entry("record_decision", notes={"outcome": "NOT_FEASIBLE", "until": "2026-04-01", "text": "写下的话"})

    found = facts(case_of(ISSUE, data), given, ISSUE.papers[0])

    assert found["data"]["difficulty"] == "难度较大"
    assert found["data"]["clock_class"] == "咨询类"
    assert (found["data"]["lead_org"], found["data"]["helper_orgs"]) == ("柳荫物业公司", ["柳荫社区居委会"])
    assert found["data"]["registered_at"] == "2026年3月2日 09:05"
    assert found["data"]["decision_due_on"] == "2026年3月31日"
    assert found["data"]["danger"] == "是"
    assert found["note"] == {"outcome": "不可行", "until": "2026年4月1日", "text": "写下的话"}
    assert found["raw"]["note"]["outcome"] == "NOT_FEASIBLE"
    assert found["by"] == {"name": "李建国", "role": "社区工作者", "org": "柳荫社区居委会"}
    assert found["place"]["subdistrict"] == "安和街道"


def test_what_everybody_reads_names_nobody() -> None:
    given = entry("give_feedback", notes={"text": "请找13900001111", "by": PERSON, "party": "contact:0000000000000002"})

    found = facts(case_of(ISSUE, Issue()), given, ISSUE.papers[0], masked=True)

    assert found["by"]["name"] == "李某"
    assert (found["note"]["by"], found["note"]["party"]) == ("李某", "欧某")
    assert "13900001111" not in str(found)


def test_who_brought_it_in_is_no_fact_of_a_document() -> None:
    data = Issue(reporter="contact:0000000000000002", reporter_id=PERSON, submitted_by=PERSON, followers=(PERSON,))
    given = entry("registered", sets={"reporter": "contact:0000000000000002", "submitted_by": PERSON})

    found = facts(case_of(ISSUE, data), given, ISSUE.papers[0])

    assert "欧阳海" not in str(found)
    assert not {"reporter", "reporter_id", "submitted_by", "followers"} & {*found["data"], *found["note"]}


def test_an_entry_of_a_mapping_is_called_by_its_key() -> None:
    data = Meeting(
        type=MeetingType.TWO_COMMITTEES,
        items={"1": Item(order=1, kind=ItemKind.MATTER, state=ItemState.DECIDED, title="text:0000000000000001")},
    )

    found = facts(case_of(MEETING, data), entry("minutes_signed"), MEETING.papers[1])

    assert found["data"]["items"]["1"]["key"] == "1"
    assert found["data"]["items"]["1"]["state"] == "已决定"
    assert tally({"1/a": "FOR", "1/b": "FOR", "1/c": "AGAINST", "2/a": "FOR"}, "1") == "赞成2票，反对1票，弃权0票"
    assert tally({}, "1") == ""


def test_every_code_is_looked_up_and_nothing_else() -> None:
    data = Issue(lead_org="property-1", description="text:0000000000000003")

    codes = codes_of(case_of(ISSUE, data), entry("accepted"))

    assert {"property-1", "text:0000000000000003", PERSON, "community-1", "620199001001", "620199001"} <= codes


def test_fields_are_called_as_in_their_commands() -> None:
    assert titles(ISSUE)["lead_org"] == "牵头单位"


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_a_template_stands_when_a_case_holds_nothing(name: str, kind: str) -> None:
    process = PROCESSES[name]
    paper = next(one for one in process.papers if one.kind == kind)
    given = entry(paper.on[0])

    document = filled(
        Templates().find("lanzhou_2021", kind), facts(case_of(process, process.data()), given, paper), scan="/x"
    )

    text = words(blocks_of(document)[0])
    assert number_of("620199001001202603000001", kind, 1) in text
    assert "{" not in text
    assert set_as_pdf(document, title=paper.zh, at=given["occurred_at"]).startswith(b"%PDF")


def test_a_number_names_case_kind_and_event() -> None:
    number = number_of("H620199001001202603000001", "MEETING_NOTICE", 12)

    assert parts_of(f" {number.lower()} ") == ("H620199001001202603000001", "MEETING_NOTICE", 12)
    assert parts_of("H620199001001202603000001-MEETING_NOTICE-0") is None
    assert parts_of("../etc/passwd") is None


def test_a_code_of_a_retired_secret_still_proves_a_document() -> None:
    old, new = Marks([b"old"]), Marks([b"new", b"old"])

    assert new.fits("1-A-1", old.of("1-A-1"))
    assert not old.fits("1-A-1", new.of("1-A-1"))
    assert new.of("1-A-1") != new.of("1-A-2")


def test_papers_follow_from_the_events_that_make_them() -> None:
    events = [
        entry("registered"),
        {**entry("dispatched", to="ASSIGNED"), "seq": 2},
        {**entry("dispatched", to="TOPIC_PROPOSED"), "seq": 3},
        {**entry("give_feedback", notes={"audience": "INDIVIDUAL"}), "seq": 4},
        {**entry("give_feedback", notes={"audience": "PUBLIC"}), "seq": 5},
    ]

    found = [(one.paper.kind, one.seq) for one in issued(ISSUE, "62", events)]

    assert found == [
        ("INTAKE_RECEIPT", 1),
        ("WORK_ORDER", 2),
        ("FEEDBACK_RECORD", 4),
        ("RESULT_PUBLICATION", 5),
        ("FEEDBACK_RECORD", 5),
    ]
