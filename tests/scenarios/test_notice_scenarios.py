"""S14, S46, S47 and the rows of the months as far as they are about notices and objections, with exact moments."""

from dataclasses import replace
from typing import Any

import pytest

from tests.scenarios.street import C1, PEOPLE, STREET, Town, moment, person
from workflows.kernel.process import SYSTEM, Actor, Case, Event, Forbidden, Grant, GuardFailed, WrongState
from workflows.kernel.step import Order, decide, fire
from workflows.notice import commands as do
from workflows.notice.data import Kind, PublicNotice, Standing
from workflows.notice.process import NOTICE
from workflows.objection import rules as against
from workflows.objection.data import PUBLIC, Objection, Outcome

REF = "text:0000000000000001"
CONTACT: Any = "contact:0000000000000002"
YANG = "candidate-yang"


def posted(town: Town, kind: Kind, key: str = "n", by: Actor = SYSTEM, **fields: Any) -> Case[PublicNotice]:
    """Something goes on notice, now."""
    command = do.PostNotice(kind=kind, community_code=C1, text=REF, **fields)
    return town.street.open("notice", key, command, by)


def notice(town: Town, key: str = "n") -> Case[PublicNotice]:
    """The notice as it now is."""
    return town.street.cases[key]


def objected(town: Town, by: Actor, key: str = "o", **fields: Any) -> Case[Objection]:
    """Somebody objects, now."""
    return town.street.open("objection", key, against.Object(notice="n", ground=REF, **fields), by)


# --- the period --------------------------------------------------------------------------------------------


def test_s14_a_result_hangs_for_seven_days_and_is_not_taken_down_before() -> None:
    town = Town("04-15 10:00")
    posted(town, Kind.RESULT)
    assert town.due("n", "NOTICE") == "04-22 24:00"
    town.at("04-20 09:00")

    assert town.refused("n", "worker1", do.TakeDown()) == "NOTICE_RUNNING"
    town.at("04-23 09:00")
    assert notice(town).position == "ENDED"
    assert town.when("n", "ended") == "04-22 24:00"
    assert town.say("n", "worker1", do.TakeDown()).position == "ENDED:TAKEN_DOWN"
    with pytest.raises(WrongState):
        town.say("n", "worker1", do.TakeDown())


def test_s47_an_interrupted_notice_begins_again() -> None:
    town = Town("05-28 10:00")
    posted(town, Kind.MEMBER, about=(YANG,))
    assert town.due("n", "NOTICE") == "06-01 24:00"
    town.at("05-29 15:00")
    town.say("n", "grid1", do.Interrupt(reason=REF))
    assert (notice(town).state, town.state("n", "NOTICE")) == ("INTERRUPTED", "CANCELLED")
    town.at("06-02 09:00")
    assert notice(town).state == "INTERRUPTED"

    town.at("06-03 10:00")
    town.say("n", "worker1", do.Repost())
    assert (notice(town).state, town.due("n", "NOTICE")) == ("RUNNING", "06-08 24:00")
    town.at("06-08 24:00")
    assert notice(town).state == "ENDED"


@pytest.mark.parametrize(
    ("at", "ends"),
    [("02-12 10:00", "02-24 24:00"), ("09-30 16:00", "10-08 24:00"), ("05-28 10:00", "06-01 24:00")],
    ids=["M2", "M4", "S44"],
)
def test_a_notice_of_members_ends_on_a_working_day(at: str, ends: str) -> None:
    town = Town(at)
    posted(town, Kind.MEMBER)

    assert town.due("n", "NOTICE") == ends


@pytest.mark.parametrize(
    ("kind", "ends"),
    [(Kind.COMMENDATION, "08-19 18:00"), (Kind.RESOLUTION, "08-19 24:00"), (Kind.GENERAL, "08-19 24:00")],
)
def test_each_kind_has_its_period(kind: Kind, ends: str) -> None:
    town = Town("08-12 10:00")
    posted(town, kind)

    assert town.due("n", "NOTICE") == ends


def test_the_posting_case_may_name_another_period() -> None:
    town = Town("08-12 10:00")
    posted(town, Kind.GENERAL, days_parameter="notice.member.days")

    assert town.due("n", "NOTICE") == "08-17 24:00"


def test_another_text_is_another_notice() -> None:
    town = Town("08-12 10:00")
    posted(town, Kind.GENERAL, by=PEOPLE["worker1"])
    town.at("08-18 10:00")
    case = town.say("n", "secretary1", do.Revise(text="text:0000000000000009", reason=REF))

    assert (case.data.text, case.title, case.data.revisions) == ("text:0000000000000009", "text:0000000000000009", 1)
    assert town.due("n", "NOTICE") == "08-25 24:00"


# --- who posts, who cancels --------------------------------------------------------------------------------


def test_people_post_only_what_no_case_stands_behind() -> None:
    town = Town("08-12 10:00")
    assert posted(town, Kind.GENERAL, by=PEOPLE["worker1"]).data.posted_by == "worker1"
    assert posted(town, Kind.RESOLUTION, "m", by=PEOPLE["secretary1"]).state == "RUNNING"
    for kind in (Kind.MEMBER, Kind.RESULT, Kind.LISTING, Kind.COMMENDATION):
        with pytest.raises(GuardFailed, match="NOTICE_KIND_BY_CASE"):
            posted(town, kind, "x", by=PEOPLE["worker1"])
    for stranger in ("worker2", "grid1", "resident1", "supervisor"):
        with pytest.raises(Forbidden):
            posted(town, Kind.GENERAL, "x", by=PEOPLE[stranger])
    assert "x" not in town.street.cases


def test_a_notice_of_a_case_is_cancelled_by_that_case_only() -> None:
    town = Town("08-12 10:00")
    posted(town, Kind.RESULT, subject_type="issue", subject_id="i")
    assert town.refused("n", "secretary1", do.Cancel(reason=REF)) == "NOTICE_OF_A_CASE"

    case = town.street.command("n", do.Cancel(), SYSTEM)
    assert (case.state, town.state("n", "NOTICE")) == ("CANCELLED", "CANCELLED")


def test_a_notice_of_people_is_cancelled_by_the_secretary() -> None:
    town = Town("08-12 10:00")
    posted(town, Kind.GENERAL, by=PEOPLE["worker1"])

    with pytest.raises(Forbidden):
        town.say("n", "worker1", do.Cancel())
    assert town.say("n", "secretary1", do.Cancel(reason=REF)).state == "CANCELLED"


def test_what_ended_before_it_was_taken_back_stays_ended() -> None:
    town = Town("08-12 10:00")
    posted(town, Kind.RESULT)
    town.at("09-01 09:00")

    assert town.street.command("n", do.Cancel(), SYSTEM).state == "ENDED"


# --- what the posting case hears ---------------------------------------------------------------------------


def told(events: tuple[Event, ...]) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What events tell other cases."""
    return [
        (effect.process, effect.case, effect.command, dict(effect.fields))
        for event in events
        for effect in event.change.effects
    ]


def test_the_posting_case_hears_of_interruption_reposting_and_end() -> None:
    town = Town("05-28 10:00")
    running = posted(town, Kind.MEMBER, subject_type="formation", subject_id="f", about=(YANG,))
    policy, now = town.street.world.policy, town.street.now

    def given(case: Case[PublicNotice], command: Any, actor: Actor) -> tuple[Event, ...]:
        return decide(NOTICE, case, Order(command=command, actor=actor), policy, now)

    heard = {"notice": "n"}
    interrupted = given(running, do.Interrupt(reason=REF), PEOPLE["grid1"])
    assert told(interrupted) == [("formation", "f", "notice_interrupted", heard)]
    fallen = replace(running, state="INTERRUPTED")
    assert told(given(fallen, do.Repost(), PEOPLE["worker1"])) == [("formation", "f", "notice_reposted", heard)]
    ends = moment("06-01 24:00")
    ended = {**heard, "at": ends.isoformat()}
    assert told(fire(NOTICE, running, policy, ends)) == [("formation", "f", "notice_ended", ended)]
    # It has not asked to hear of objections.
    assert told(given(running, do.ObjectionRaised(objection="o", about=YANG), SYSTEM)) == []


def test_the_posting_case_hears_of_objections_when_it_asks_to() -> None:
    town = Town("05-28 10:00")
    asked = ("objection_raised", "objection_resolved")
    running = posted(town, Kind.MEMBER, subject_type="formation", subject_id="f", about=(YANG,), tells=asked)
    raised = Order(command=do.ObjectionRaised(objection="o", about=YANG), actor=SYSTEM)
    resolved = Order(command=do.ObjectionResolved(objection="o", about=YANG, outcome="UPHELD"), actor=SYSTEM)
    policy, now = town.street.world.policy, town.street.now

    about = {"notice": "n", "objection": "o", "about": YANG}
    assert told(decide(NOTICE, running, raised, policy, now)) == [("formation", "f", "objection_raised", about)]
    assert told(decide(NOTICE, running, resolved, policy, now)) == [
        ("formation", "f", "objection_resolved", {**about, "outcome": "UPHELD"})
    ]
    assert told(fire(NOTICE, running, policy, moment("06-01 24:00"))) == []


def test_a_notice_of_nobody_tells_nobody() -> None:
    town = Town("05-28 10:00")
    running = posted(town, Kind.MEMBER)

    assert told(fire(NOTICE, running, town.street.world.policy, moment("06-01 24:00"))) == []


# --- objections --------------------------------------------------------------------------------------------


def test_s46_an_objection_is_looked_into_by_the_street_in_five_working_days() -> None:
    town = Town("05-28 10:00")
    posted(town, Kind.MEMBER, about=(YANG, "candidate-li"), interested=("yang",))
    town.at("05-30 10:00")
    case = objected(town, PEOPLE["resident1"], about=YANG, evidence=("photo-1",))

    assert (case.state, case.community, town.due("o", "OBJECTION")) == ("OPEN", STREET, "06-05 18:00")
    assert notice(town).data.objections["o"].about == YANG
    assert notice(town).data.objections["o"].standing is Standing.OPEN
    # Silence lets it go on: the others are appointed in time.
    town.at("06-01 24:00")
    assert notice(town).state == "ENDED"

    town.at("06-04 09:00")
    done = town.say("o", "officer", against.Resolve(outcome=Outcome.UPHELD, answer=REF))
    assert (done.position, town.state("o", "OBJECTION")) == ("CLOSED:UPHELD", "MET")
    assert notice(town).data.objections["o"].standing is Standing.UPHELD
    assert ("person:resident1", "objection_answered") in town.told("o", "06-04 09:00")


def test_s46_who_objected_is_nowhere_on_the_notice() -> None:
    town = Town("05-28 10:00")
    posted(town, Kind.MEMBER, about=(YANG,))
    objected(town, PEOPLE["resident1"], about=YANG)
    town.say("o", "officer", against.Resolve(outcome=Outcome.DISMISSED, answer=REF))

    assert "resident1" not in repr(notice(town))
    assert "resident1" not in repr(town.street.histories["n"])
    told = {name for event in town.street.histories["o"] for effect in event.change.effects for name in effect.fields}
    assert told == {"objection", "about", "outcome"}


def test_nobody_in_the_community_may_even_look_into_it() -> None:
    town = Town("05-28 10:00")
    posted(town, Kind.MEMBER)
    objected(town, PEOPLE["resident1"])

    resolve = against.Resolve(outcome=Outcome.DISMISSED, answer=REF)
    for who in ("secretary1", "worker1", "member1a", "vice1", "resident1", "department", "property1"):
        with pytest.raises(Forbidden):
            town.say("o", who, resolve)


def test_somebody_with_an_interest_never_answers_it() -> None:
    town = Town("05-28 10:00")
    interested = person("officer2", ("subdistrict_officer", STREET))
    posted(town, Kind.MEMBER, interested=(interested.id,))
    objected(town, PEOPLE["resident1"])
    resolve = against.Resolve(outcome=Outcome.DISMISSED, answer=REF)

    with pytest.raises(GuardFailed, match="SEGREGATION"):
        town.street.command("o", resolve, interested)
    for who in ("resident1", interested.id):
        assert town.refused("o", "officer", against.Assign(investigator=who)) == "SEGREGATION"
    town.say("o", "officer", against.Assign(investigator="secretary1"))
    with pytest.raises(Forbidden):
        town.say("o", "supervisor", resolve)
    assert town.say("o", "secretary1", resolve).position == "CLOSED:DISMISSED"


def test_an_objection_belongs_into_the_period_and_to_what_is_on_notice() -> None:
    town = Town("05-28 10:00")
    posted(town, Kind.MEMBER, about=(YANG,))
    with pytest.raises(GuardFailed, match="NOT_ON_NOTICE"):
        objected(town, PEOPLE["resident1"], about="somebody")
    town.at("06-02 09:00")
    with pytest.raises(GuardFailed, match="NOTICE_NOT_RUNNING"):
        objected(town, PEOPLE["resident1"], about=YANG)
    assert "o" not in town.street.cases


def test_without_an_account_one_gives_a_name() -> None:
    town = Town("05-28 10:00")
    posted(town, Kind.MEMBER)
    nobody = Actor(PUBLIC, PUBLIC, (Grant("resident", C1),))

    with pytest.raises(GuardFailed, match="OBJECTOR_REQUIRED"):
        objected(town, nobody)
    case = objected(town, nobody, objector=CONTACT)
    assert (case.data.reporter, case.data.reporter_id, case.data.submitted_by) == (CONTACT, None, None)


def test_the_objector_may_withdraw_and_nobody_else() -> None:
    town = Town("05-28 10:00")
    posted(town, Kind.MEMBER)
    objected(town, PEOPLE["resident1"])

    with pytest.raises(Forbidden):
        town.say("o", "resident1b", against.Withdraw())
    assert town.say("o", "resident1", against.Withdraw(reason=REF)).position == "CLOSED:WITHDRAWN"
    assert notice(town).data.objections["o"].standing is Standing.DISMISSED
    assert town.state("o", "OBJECTION") == "CANCELLED"


def test_an_unanswered_objection_is_overdue_for_who_posted() -> None:
    town = Town("05-28 10:00")
    posted(town, Kind.MEMBER)
    objected(town, PEOPLE["resident1"])
    town.at("06-04 18:00")

    clock = town.clock("o", "OBJECTION")
    assert (clock.state, clock.owner, clock.supervisor) == ("BREACHED", C1, STREET)
