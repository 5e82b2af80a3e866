"""The state table of the admission (准入): every row is taken by those it names, and all else is refused."""

from copy import copy
from typing import Any

import pytest

from tests.rules.admission_scenes import NO_ROLE, OUTSIDER, SYSTEM_ONLY, WAYS, active, at_position, sample
from tests.rules.rows import UPKEEP, keeps_its_word, name, outcome, rows
from tests.scenarios import county
from tests.scenarios.admitting import County, on
from tests.scenarios.street import C2, ORGANIZATIONS, PEOPLE, world
from tests.scenarios.taping import Taped
from workflows.admission import commands as do
from workflows.admission.data import IN_FORCE
from workflows.admission.process import ADMISSION, ENDED
from workflows.kernel.process import SYSTEM, Actor, Arrow, Case, Moment, named
from workflows.kernel.step import tasks

ROWS = rows(ADMISSION)
NEVER: set[tuple[str, type]] = {("ACTIVE", do.Revoke), ("ACTIVE", do.ProposeRevocation)}
"""Rows that only say why not: nothing is revoked without a rectification (S38)."""
COMMANDS = [arrow for arrow in ROWS if isinstance(arrow.on, type) and arrow.source]
TAKEN = [arrow for arrow in COMMANDS if (arrow.source, arrow.on) not in NEVER]
TIMED = [arrow for arrow in ROWS if isinstance(arrow.on, Moment)]
ACTORS: tuple[Actor, ...] = (*PEOPLE.values(), SYSTEM)
SEATS = ("department", "telecom", "reviewer", "approver", "cityapprover", "secretary1", "secretary2", "worker1")
FEW: tuple[Actor, ...] = (*(PEOPLE[name] for name in SEATS), PEOPLE["integration"], PEOPLE["officer"], SYSTEM)
"""One of every kind that has to do with admissions, and one that has not."""


def played(town: County) -> County:
    """A town of one's own to go on with; the cached one stays where it is."""
    own, held = County("09-14 10:00"), town.street
    own.street = Taped(held.world, held.now)
    for part in ("cases", "clocks", "stamps", "numbers", "refused", "queue"):
        setattr(own.street, part, copy(getattr(held, part)))
    own.street.histories = {key: list(events) for key, events in held.histories.items()}
    own.street.tick = held.tick
    return own


def facts(town: County, case: Case[Any], command: Any, actor: Actor) -> dict[str, Any]:
    """What the door would add."""
    return {"organizations": ORGANIZATIONS, **town.street.facts(ADMISSION, case, command, actor)}


def policy(case: Case[Any]) -> Any:
    """The pack that the case is pinned to."""
    return world().under(case.pin).policy


def said(town: County, kind: type, actor: Actor) -> Any:
    """What comes of a lawful command of somebody."""
    case = town.street.cases["a"]
    command = sample(case, kind)
    return outcome(ADMISSION, case, command, actor, policy(case), facts(town, case, command, actor))


def takers(town: County, kind: type) -> list[str]:
    """Everybody whom the rules let give a command here."""
    return [actor.username for actor in ACTORS if isinstance(said(town, kind, actor), tuple)]


@pytest.mark.parametrize("arrow", TAKEN, ids=name)
def test_every_command_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert isinstance(arrow.on, type)
    town = played(at_position(arrow.source, arrow.on))
    before = town.street.cases["a"]
    people = takers(town, arrow.on)
    assert people

    who = SYSTEM if people[0] == "system" else PEOPLE[people[0]]
    command = sample(before, arrow.on)
    town.street.command("a", command, who, facts={"organizations": ORGANIZATIONS})
    clocks = [clock for key, clock in town.street.clocks.items() if key[0] == "a"]
    keeps_its_word(arrow, before, town.street.cases["a"], clocks)


@pytest.mark.parametrize("arrow", COMMANDS, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    assert isinstance(arrow.on, type)
    town = at_position(arrow.source, arrow.on)

    for stranger in (OUTSIDER, NO_ROLE, Actor("nobody", "nobody", ())):
        assert said(town, arrow.on, stranger) == "forbidden"


@pytest.mark.parametrize("position", WAYS)
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    town = at_position(position)
    for kind in ADMISSION.commands.values():
        if (position, kind) in ADMISSION.table or kind in UPKEEP:
            continue
        assert {said(town, kind, actor) for actor in FEW} == {"wrong_state", "forbidden"}, named(kind).name


def test_every_position_is_reached() -> None:
    assert set(WAYS) == {state.name for state in ADMISSION.states}


RIGHTS = {
    ("SUBMITTED", do.RequestCorrection): {"reviewer"},
    ("SUBMITTED", do.RunListCheck): {"reviewer"},
    ("SUBMITTED", do.CheckConditions): {"reviewer"},
    ("LIST_CHECKED", do.ConfirmListCheck): {"reviewer"},
    ("CORRECTION", do.Resubmit): {"department"},
    ("UNDER_REVIEW", do.Decide): {"approver"},
    ("UNDER_REVIEW", do.GiveOpinion): {"secretary1", "secretary2", "reviewer"},
    ("APPROVED", do.SignAgreement): {"department", "secretary1", "secretary2"},
    ("APPROVED", do.RefuseTerms): {"secretary1", "secretary2"},
    ("AGREED", do.AmendPermit): {"reviewer"},
    ("AGREED", do.ConfirmFunding): {"department", "reviewer"},
    ("FUNDED", do.RegisterAndEnter): {"reviewer"},
    ("ACTIVE", do.RecordPayment): {"department", "reviewer", "integration"},
    ("ACTIVE", do.SuspendPerformance): {"secretary1"},
    ("ACTIVE", do.ReportBreach): {"secretary1", "secretary2", "worker1", "worker1b", "worker2", "worker2b", "reviewer"},
    ("ACTIVE", do.OrderRectification): {"approver"},
    ("ACTIVE", do.ReportCompletion): {"department"},
    ("ACTIVE", do.ApplyRenewal): {"department"},
    ("ACTIVE", do.TransferToList): {"reviewer"},
    ("RENEWAL_REVIEW", do.Decide): {"approver"},
    ("RECTIFYING", do.ExtendRectification): {"reviewer"},
    ("RECTIFYING", do.AcceptRectification): {"reviewer"},
    ("RECTIFYING", do.ProposeRevocation): {"reviewer"},
    ("REVOCATION_PROPOSED", do.Revoke): {"reviewer"},
    ("REVOCATION_PROPOSED", do.WithdrawProposal): {"reviewer"},
    ("REVOCATION_PROPOSED", do.StateViews): {"department"},
    ("REVOKED", do.ConfirmHandOver): {"secretary1", "reviewer"},
    ("CLOSED:REJECTED", do.Reconsider): {"department"},
    ("EMERGENCY_ASKED", do.ConfirmEmergency): {"approver"},
    ("ACTIVE_PROVISIONAL", do.Submit): {"department"},
}


@pytest.mark.parametrize("place", RIGHTS, ids=lambda place: f"{place[0]} {named(place[1]).name}")
def test_who_may_do_what(place: tuple[str, type]) -> None:
    assert set(takers(at_position(*place), place[1])) == RIGHTS[place]


def test_other_cases_alone_tell_what_people_may_not() -> None:
    for kind in SYSTEM_ONLY:
        assert takers(at_position("ACTIVE"), kind) == ["system"]


LATE = do.Funding(source="text:b", amount=100, instalments=(do.Payment(amount=100, due_on=on("12-18")),))


def owing(state: str) -> County:
    """In a state of a permit in force, with an instalment that falls due later."""
    town = active(funding=LATE, planned_until=on("2026-12-31") if state == "RENEWAL_REVIEW" else on("2027-06-30"))
    if state == "RENEWAL_REVIEW":
        town.at("11-25 10:00").say("a", "department", do.ApplyRenewal(valid_until=on("2027-06-30")))
    if state in ("RECTIFYING", "REVOCATION_PROPOSED"):
        town.at("11-02 10:00").say("a", "approver", do.OrderRectification(findings="text:f"))
    if state == "REVOCATION_PROPOSED":
        town.at("12-10 10:00").say("a", "reviewer", do.ProposeRevocation(findings="text:f"))
    return town


def test_every_timed_row_is_taken() -> None:
    taken: set[str] = set()
    for town in (*(played(at_position(position)) for position in WAYS), *(owing(state) for state in IN_FORCE)):
        while town.street.queue and town.street.now.year < 2029:
            before = town.street.cases["a"]
            town.street.run_to(town.street.queue[0][0])
            for event in town.street.histories["a"][before.version :]:
                kind = {"clock_breached": "DUE", "window_ended": "ENDED"}.get(event.type)
                if kind:
                    taken.add(f"{before.position} {kind} {event.change.notes['clock']}")

    assert {name(arrow) for arrow in TIMED} <= taken


@pytest.mark.parametrize("position", [name for name in WAYS if name not in ENDED])
def test_an_open_case_is_owed_by_somebody_or_waits_for_its_day(position: str) -> None:
    case = at_position(position).street.cases["a"]

    owed = {name for task in tasks(ADMISSION, case) for name in task.commands}
    assert owed or case.clock("TERM") is not None


def test_no_task_goes_to_who_may_but_need_not() -> None:
    town = County("09-14 10:00")
    town.apply("a", "medical-insurance")
    town.review("a")
    deciding = [task.to for task in tasks(ADMISSION, town.street.cases["a"]) if "decide" in task.commands]

    assert [(to.role, to.place) for to in deciding] == [("leading_group_approver", "6201")]
    town.approve("a")
    town.say("a", "secretary1", do.SignAgreement())
    signing = [task.to for task in tasks(ADMISSION, town.street.cases["a"]) if "sign_agreement" in task.commands]
    assert {(to.role, to.org) for to in signing} == {
        ("department_officer", "medical-insurance"),
        ("unit_liaison", "medical-insurance"),
    }


def test_the_case_is_known_in_its_communities_only() -> None:
    case = at_position("ACTIVE").street.cases["a"]

    shown = ADMISSION.facets(case)
    assert (shown["lead_org"], shown["orgs"]) == ("urban-management", ["urban-management"])
    assert C2 in shown["places"]
    assert case.community == county.COUNTY
