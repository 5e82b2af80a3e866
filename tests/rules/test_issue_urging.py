"""督办单 that a late issue sends by itself (§0.4): yellow, then red in its place, and an end with the matter."""

from tests.scenarios.street import C1, CONTACT, STREET, Town, day
from workflows.issue import commands as do
from workflows.issue.data import ClockClass, HandlingMode
from workflows.kernel.process import Case
from workflows.meeting import commands as sit
from workflows.meeting.data import Outcome
from workflows.supervision import rules as watch
from workflows.supervision_order import rules as order
from workflows.supervision_order.data import OrderColor, SupervisionOrder


def late() -> Town:
    """S03: the property company has until 03-18 18:00, and nothing happens."""
    town = Town("03-09 10:00")
    town.submit("i", "grid1", category_code="B01", reporter=CONTACT)
    limited = HandlingMode.TIME_LIMITED
    town.accept("i", "worker1", limited, "B01", lead_org="property-1", clock_class=ClockClass.SIMPLE)
    return town


def orders(town: Town) -> list[Case[SupervisionOrder]]:
    return [case for case in town.street.cases.values() if case.process == "supervision_order"]


def test_yellow_demands_a_reply_of_the_lead_and_red_takes_its_place() -> None:
    town = late().at("03-17 18:00")
    assert orders(town) == [], "a reminder wants no reply"

    (yellow,) = orders(town.at("03-18 18:00"))
    told = yellow.data
    assert (told.color, told.responsible_org, told.clock, told.issued_by) == (
        OrderColor.YELLOW,
        "property-1",
        "HANDLE",
        "system",
    )
    assert (yellow.community, told.subject_number) == (C1, town.issue("i").number)
    reply = town.clock(yellow.id, "REPLY")
    assert (town.due(yellow.id, "REPLY"), reply.owner, reply.supervisor) == ("03-20 18:00", "property-1", STREET)
    assert ("property-1", "order_yellow") in town.told(yellow.id, "03-18 18:00")
    assert town.say(yellow.id, "property1", order.Reply(text="text:r")).state == "REPLIED"

    yellow, red = orders(town.at("03-25 18:00"))
    assert (yellow.position, red.position, red.data.color) == ("CLOSED:SETTLED", "ISSUED", OrderColor.RED)
    assert town.issue("i").data.orders == (red.id,)
    assert ("property-1", "order_red") in town.told(red.id, "03-25 18:00")


def test_what_is_answered_and_accepted_stays_so() -> None:
    town = late().at("03-18 18:00")
    (yellow,) = orders(town)
    town.say(yellow.id, "property1", order.Reply(text="text:r"))
    town.say(yellow.id, "supervisor", order.AcceptReply())
    town.at("03-25 18:00")

    assert town.street.cases[yellow.id].position == "CLOSED:ACCEPTED"
    assert town.types(yellow.id)[-1] == "settled_already"
    assert town.street.refused == []


def test_nobody_owes_a_reply_about_what_is_solved() -> None:
    town = late().at("03-18 18:00")
    for command in (do.Sign(), do.ClaimCompletion(text="text:d", evidence=("photo-1",))):
        town.say("i", "property1", command)
    assert [one.position for one in orders(town)] == ["ISSUED"], "a claim solves nothing yet"
    town.say("i", "worker1", do.ApproveCompletion())

    (yellow,) = orders(town)
    assert (yellow.position, town.state(yellow.id, "REPLY")) == ("CLOSED:SETTLED", "CANCELLED")
    assert town.issue("i").data.orders == ()


def test_a_new_time_that_a_meeting_sets_ends_the_order_about_the_old_one() -> None:
    town = late()
    town.at("03-23 09:00").meet("m", "03-27 15:00")
    town.at("03-26 10:00")
    watched = watch.ListCase(responsible_org="drainage", due_on=day("04-03"), public=False)
    town.say(town.listing_id("i"), "supervisor", watched)
    town.at("03-27 15:00").say("m", "clerk1", sit.SendNotice(briefing=True))
    town.say("m", "secretary1", sit.AddUrgentItem(topic="i"))
    town.open_session("m")
    assert [one.position for one in orders(town)] == ["CLOSED:SETTLED", "ISSUED"]
    town.agree("m", "i", Outcome.ASSIGN, lead_org="drainage", due_on=day("04-03"))

    assert [one.position for one in orders(town)] == ["CLOSED:SETTLED"] * 2
    assert orders(town.at("04-03 18:00"))[-1].data.responsible_org == "drainage", "and the next breach sends its own"
