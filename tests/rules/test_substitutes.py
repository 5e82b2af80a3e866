"""Somebody stands in for an absent colleague (代理): with his role, and never beyond what either of them may do."""

from dataclasses import replace

import pytest

from tests.rules.test_supervision_arrows import LISTED, REPORTED, opened
from tests.scenarios.street import C1, PEOPLE, STREET, Town, world
from workflows.kernel.process import Actor, Case, Forbidden, Grant, GuardFailed
from workflows.kernel.step import Order, decide
from workflows.supervision import rules as watch
from workflows.supervision.process import SUPERVISION

POLICY = world().policy
DELIST = watch.Delist(text="text:t")
SUPERVISOR = PEOPLE["supervisor"]
HIS = Grant("supervisor", STREET, substitute_for=SUPERVISOR.id)
STAND_IN = Actor("stand-in", "stand-in", (Grant("community_worker", C1, "community-1"), HIS))


@pytest.fixture
def verifying() -> Town:
    """A listed case that is said to be rectified."""
    town = opened()
    town.say("s", "supervisor", LISTED)
    town.say("s", "drainage", REPORTED)
    return town


def by(town: Town, actor: Actor, **data: object) -> object:
    case: Case[object] = town.street.cases["s"]
    changed = replace(case, data=replace(case.data, **data))  # type: ignore[type-var]  # a dataclass of the process
    return decide(SUPERVISION, changed, Order(command=DELIST, actor=actor), POLICY, town.street.now)


def test_a_substitute_acts_in_the_role_of_the_absent_person_and_the_history_names_both(verifying: Town) -> None:
    events = by(verifying, STAND_IN)

    assert isinstance(events, tuple)
    assert (events[0].actor, events[0].role, events[0].on_behalf_of) == ("stand-in", "supervisor", SUPERVISOR.id)


def test_he_may_not_check_as_a_substitute_what_he_reported_himself(verifying: Town) -> None:
    with pytest.raises(GuardFailed, match="SEGREGATION"):
        by(verifying, STAND_IN, reported_by="stand-in")


def test_what_the_absent_person_may_not_check_nobody_checks_in_his_name(verifying: Town) -> None:
    with pytest.raises(GuardFailed, match="SEGREGATION"):
        by(verifying, STAND_IN, responsible_person=SUPERVISOR.id)


def test_a_role_of_his_own_goes_before_a_lent_one(verifying: Town) -> None:
    both = Actor("both", "both", (HIS, Grant("supervisor", STREET)))

    events = by(verifying, both, responsible_person=SUPERVISOR.id)

    assert isinstance(events, tuple)
    assert events[0].on_behalf_of is None


def test_a_lent_role_reaches_no_further_than_it_did(verifying: Town) -> None:
    elsewhere = Actor("far", "far", (Grant("supervisor", "620199002", substitute_for=SUPERVISOR.id),))

    with pytest.raises(Forbidden, match="NOT_IN_ROLE"):
        by(verifying, elsewhere)
