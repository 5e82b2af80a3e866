"""The state table of the supervision order (督办单): every row is taken, everything else is refused."""

from datetime import date
from typing import Any

import pytest

from tests.rules.rows import name
from tests.rules.tables import Table, every_refusal_is_provoked
from tests.scenarios.street import C1, EVIDENCE, PEOPLE, STREET, Town, day
from workflows.kernel.process import SYSTEM, Actor, Arrow, Forbidden, Grant
from workflows.supervision_order import rules as do
from workflows.supervision_order.data import OrderColor
from workflows.supervision_order.process import SUPERVISION_ORDER

REF = "text:0000000000000001"
SUBJECT = {
    "id": "i",
    "process": "issue",
    "community": C1,
    "number": "6201990010012026040001",
    "title": "text:0000000000000002",
    "closed": False,
    "lead_org": "property-1",
}


def issued(
    color: OrderColor = OrderColor.YELLOW, by: str = "supervisor", due_on: date | None = None, **subject: Any
) -> Town:
    """An order `d` of 2026-04-07 on an issue that property-1 handles."""
    town = Town("04-07 09:00")
    command = do.IssueOrder(subject_id="i", color=color, text=REF, due_on=due_on)
    town.street.open("supervision_order", "d", command, PEOPLE[by], facts={"subject_id": SUBJECT | subject})
    return town


def at_position(position: str) -> Town:
    """The order there, by the shortest way."""
    town = issued()
    if position in ("REPLIED", "CLOSED:ACCEPTED"):
        town.say("d", "property1", do.Reply(text=REF))
    if position == "CLOSED:ACCEPTED":
        town.say("d", "supervisor", do.AcceptReply())
    if position == "CLOSED:WITHDRAWN":
        town.say("d", "supervisor", do.WithdrawOrder(reason=REF))
    if position == "CLOSED:SETTLED":
        town.street.command("d", do.SubjectSettled(why="SOLVED"), SYSTEM)
    return town


def sample(town: Town, on: type) -> Any:
    """A lawful command."""
    return {
        do.IssueOrder: do.IssueOrder(subject_id="i", color=OrderColor.BLUE, text=REF, community_code=C1),
        do.Reply: do.Reply(text=REF, evidence=EVIDENCE),
        do.AcceptReply: do.AcceptReply(),
        do.ReturnReply: do.ReturnReply(reason=REF, due_on=day("04-20")),
        do.WithdrawOrder: do.WithdrawOrder(reason=REF),
        do.SubjectSettled: do.SubjectSettled(why="SOLVED"),
    }[on]


TABLE = Table(process=SUPERVISION_ORDER, at_position=at_position, sample=sample, key="d")


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert TABLE.takes(arrow).position in (arrow.to or (arrow.source,))


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    TABLE.refuses_strangers(arrow)


@pytest.mark.parametrize("position", TABLE.positions)
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    TABLE.refuses_everything_else(position)
    TABLE.is_owed(position)


@pytest.mark.parametrize("color", OrderColor)
def test_each_color_demands_a_reply_of_who_is_responsible(color: OrderColor) -> None:
    town = issued(color)

    assert (town.due("d", "REPLY"), town.clock("d", "REPLY").owner) == ("04-09 18:00", "property-1")
    assert ("property-1", f"order_{color.value.lower()}") in town.told("d", "04-07 09:00")
    town.at("04-09 18:00")
    assert (town.state("d", "REPLY"), town.clock("d", "REPLY").supervisor) == ("BREACHED", STREET)
    town.say("d", "property1", do.Reply(text=REF))
    assert town.state("d", "REPLY") == "MET_LATE"


def test_a_day_may_be_named_and_a_reply_be_returned() -> None:
    town = issued(due_on=day("04-15"))
    assert town.due("d", "REPLY") == "04-15 18:00"
    town.say("d", "property1", do.Reply(text=REF))
    town.say("d", "supervisor", do.ReturnReply(reason=REF))

    assert (town.street.cases["d"].state, town.due("d", "REPLY")) == ("ISSUED", "04-09 18:00")
    town.say("d", "property1", do.Reply(text=REF))
    assert town.street.cases["d"].data.replies == 2


def test_the_community_replies_where_nobody_else_is_responsible() -> None:
    town = issued(lead_org=None)

    with pytest.raises(Forbidden):
        town.say("d", "property1", do.Reply(text=REF))
    assert town.say("d", "worker1", do.Reply(text=REF)).state == "REPLIED"


def test_only_a_supervisor_of_the_place_issues_orders() -> None:
    assert issued(by="city").street.cases["d"].data.issued_by == "city"
    for other in ("officer", "worker1", "secretary1", "department"):
        with pytest.raises(Forbidden):
            issued(by=other)
    with pytest.raises(Forbidden):
        issued(community="620199002001")


def test_every_refusal_is_provoked() -> None:
    both = Actor("both", "both", (Grant("unit_liaison", C1, "property-1"), Grant("supervisor", STREET)))

    def own_reply() -> Any:
        town = issued()
        town.street.command("d", do.Reply(text=REF), both)
        return town.street.command("d", do.AcceptReply(), both)

    every_refusal_is_provoked(
        "supervision_order",
        {
            "rules.issue SUBJECT_CLOSED": lambda: issued(closed=True),
            "rules._until DAY_IN_PAST": lambda: issued(due_on=day("04-06")),
            "rules.may_judge SEGREGATION": own_reply,
        },
    )
