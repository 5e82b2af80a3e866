"""The meeting desk: which item is looked at, what a line of the sheet of decisions becomes, and what boards draw."""

from typing import Any

from services.console.pages.boards import BOARDS, boards_for
from services.console.pages.charts import Series, bars
from services.console.pages.sitting import agenda, batch, chosen_item, seats, votes_on
from workflows.kernel.roles import MEMBERS, STAFF


def item(key: str, state: str, order: int = 0) -> dict[str, Any]:
    return {"key": key, "state": state, "order": order}


STANDING = {
    "present": ["p1"],
    "people": {"p1": {"name": "李书记", "username": "epc1a"}, "p2": {"name": "叶委员", "username": "epc1b"}},
    "bodies": [{"seats": [{"person": one, "post": "MEMBER", "deputies": []} for one in ("p1", "p2")]}],
    "items": {"i1": {"awaited": ["p1", "p2"]}, "i2": {"awaited": []}},
}


def test_the_agenda_is_shown_in_its_order() -> None:
    found = agenda({"items": {"i1": {"order": 3001}, "i2": {"order": 1002}}})

    assert [(one["key"], one["place"]) for one in found] == [("i2", 1), ("i1", 2)]


def test_what_is_discussed_is_looked_at_unless_another_item_is_asked_for() -> None:
    items = [item("i1", "DECIDED"), item("i2", "ADMITTED"), item("i3", "OPENED")]

    assert [(one or {}).get("key") for one in (chosen_item(items, ""), chosen_item(items, "i1"))] == ["i3", "i1"]
    assert (chosen_item(items[:2], "") or {})["key"] == "i2"
    assert chosen_item([], "i1") is None


def test_of_a_secret_ballot_only_who_voted_is_shown() -> None:
    data = {"votes": {"i1/p1": "FOR", "i10/p1": "AGAINST"}, "ballots": {"i1/p2": True}}

    assert votes_on(data, "i1") == {"p1": "FOR", "p2": ""}


def test_a_line_opens_its_item_and_puts_down_statement_votes_and_decision() -> None:
    rows = {
        "i1": {"outcome": "ASSIGN", "text": "同意", "votes": "FOR", "position": "支持", "lead_org": "property-1"},
        "i2": {"outcome": "DEFER", "text": "再议", "votes": "FOR"},
        "i3": {"text": "没有选择决定"},
    }
    items = [item("i1", "ADMITTED"), item("i2", "OPENED"), item("i3", "ADMITTED")]

    found = list(batch(items, STANDING, rows))

    assert [(key, one["command"]) for key, one in found] == [
        ("i1", "open_item"),
        ("i1", "record_statement"),
        ("i1", "record_vote"),
        ("i1", "record_decision"),
        ("i2", "record_decision"),
    ]
    assert found[2][1]["votes"] == [{"member": name, "choice": "FOR"} for name in ("epc1a", "epc1b")]
    assert (found[3][1]["lead_org"], "votes" in found[3][1]) == ("property-1", False)


def test_everybody_with_a_seat_can_be_signed_in() -> None:
    assert [(one["username"], one["here"]) for one in seats(STANDING)] == [("epc1a", True), ("epc1b", False)]


def test_boards_are_for_whom_the_api_answers() -> None:
    assert {one.roles for one in BOARDS} == {STAFF, STAFF | MEMBERS}
    assert boards_for({"roles": [{"role": "resident"}]}) == ()
    assert boards_for({"roles": [{"role": "supervisor"}]}) == BOARDS
    assert {one.name for one in boards_for({"roles": [{"role": "epc_member"}]})} == {
        one.name for one in BOARDS if one.roles == STAFF | MEMBERS
    }


def test_a_bar_leads_to_what_it_counts() -> None:
    drawn = bars(["柳荫", "河湾"], [Series("红", [2, 1], "#d63939")], links=["/boards/supervision?place=1", ""])

    assert drawn["yAxis"]["data"] == ["柳荫", "河湾"]
    assert drawn["series"][0]["data"] == [{"value": 2, "link": "/boards/supervision?place=1"}, 1]
