"""The state table of the exclusion (剔除与申诉): every row is taken, everything else is refused."""

from typing import Any

import pytest

from tests.rules.rows import name
from tests.rules.tables import Table, every_refusal_is_provoked
from tests.scenarios.street import C1, EVIDENCE, PEOPLE, STREET, Town, person
from workflows.exclusion import rules as do
from workflows.exclusion.data import Figure, Ruling
from workflows.exclusion.process import EXCLUSION
from workflows.kernel.process import Arrow, Case, Forbidden, Moment

REF = "text:0000000000000001"
SUBJECT = {
    "id": "i",
    "process": "issue",
    "community": C1,
    "number": "6201990010012026040001",
    "title": REF,
    "closed": True,
    "lead_org": "property-1",
}
KEEP = do.Decide(outcome=Ruling.KEEP, reason=REF)
EXCLUDE = do.Decide(outcome=Ruling.EXCLUDE, reason=REF, document_no="安街督〔2026〕3号")
APPEAL = do.Appeal(reason=REF)


def asked(by: str = "property1", document_no: str | None = None, **subject: Any) -> Town:
    """An exclusion `x` of 2026-04-07 for an issue that property-1 handled."""
    town = Town("04-07 09:00")
    command = do.Exclude(subject_id="i", figure=Figure.ON_TIME_RATE, reason=REF, document_no=document_no)
    town.street.open("exclusion", "x", command, PEOPLE[by], facts={"subject_id": SUBJECT | subject})
    return town


def the_case(town: Town) -> Case[Any]:
    """The exclusion as it now is."""
    return town.street.cases["x"]


def at_position(position: str) -> Town:
    """The exclusion there, by the shortest way."""
    town = asked()
    if position == "REQUESTED":
        return town
    town.say("x", "officer", EXCLUDE if position.startswith("EXCLUDED") else KEEP)
    if position == "APPEALED":
        town.say("x", "property1", APPEAL)
    if position.endswith("FINAL"):
        town.at("04-14 18:00")
    return town


def sample(town: Town, on: type) -> Any:
    """A lawful command."""
    return {
        do.Exclude: do.Exclude(subject_id="i", figure=Figure.ON_TIME_RATE, reason=REF),
        do.Decide: EXCLUDE,
        do.Appeal: do.Appeal(reason=REF, evidence=EVIDENCE),
    }[on]


TABLE = Table(process=EXCLUSION, at_position=at_position, sample=sample, key="x")


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert TABLE.takes(arrow).position in arrow.to


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    TABLE.refuses_strangers(arrow)


@pytest.mark.parametrize("position", TABLE.positions)
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    TABLE.refuses_everything_else(position)
    TABLE.is_owed(position)


def test_a_ruling_nobody_appeals_against_is_the_last() -> None:
    assert {(arrow.source, arrow.on) for arrow in TABLE.timed} == {
        (source, Moment("ENDED", "APPEAL")) for source in ("EXCLUDED", "KEPT")
    }
    for position, excluded in (("EXCLUDED:FINAL", True), ("KEPT:FINAL", False)):
        case = the_case(at_position(position))
        assert (case.position, case.data.excluded, case.data.final) == (position, excluded, True)


def test_a_supervisor_excludes_by_a_document_at_once() -> None:
    case = the_case(asked("supervisor", "安街督〔2026〕3号"))

    assert (case.state, case.data.excluded, case.data.org) == ("EXCLUDED", True, "property-1")


def test_an_organisation_asks_the_street_and_appeals_to_the_county() -> None:
    town = asked()
    assert (the_case(town).state, town.due("x", "DECIDE")) == ("REQUESTED", "04-14 18:00")
    assert not the_case(town).data.excluded
    with pytest.raises(Forbidden):
        town.say("x", "property1", EXCLUDE)
    town.say("x", "officer", KEEP)
    assert (the_case(town).state, town.due("x", "APPEAL")) == ("KEPT", "04-14 18:00")

    town.say("x", "property1", APPEAL)
    assert town.clock("x", "DECIDE").owner == "620199"
    for street in ("officer", "supervisor"):
        with pytest.raises(Forbidden):
            town.say("x", street, EXCLUDE)
    case = town.say("x", "city", EXCLUDE)
    assert (case.position, case.data.excluded) == ("EXCLUDED:FINAL", True)


def test_the_first_ruling_counts_until_the_county_has_decided() -> None:
    town = asked("supervisor", "安街督〔2026〕3号")
    town.say("x", "property1", APPEAL)
    assert the_case(town).data.excluded

    assert not town.say("x", "city", KEEP).data.excluded


def test_the_community_speaks_for_itself() -> None:
    town = asked("worker1", lead_org=None)
    assert the_case(town).data.org == "community-1"
    town.say("x", "officer", KEEP)
    assert town.say("x", "secretary1", APPEAL).state == "APPEALED"


def test_every_refusal_is_provoked() -> None:
    def asked_himself() -> Any:
        town = Town("04-07 09:00")
        both = person("both", ("unit_liaison", C1, "property-1"), ("subdistrict_officer", STREET))
        command = do.Exclude(subject_id="i", figure=Figure.ON_TIME_RATE, reason=REF)
        town.street.open("exclusion", "x", command, both, facts={"subject_id": SUBJECT}, acting_role="unit_liaison")
        return town.street.command("x", EXCLUDE, both)

    every_refusal_is_provoked(
        "exclusion",
        {
            "rules.open_exclusion DOCUMENT_REQUIRED": lambda: asked("supervisor"),
            "rules.may_decide SEGREGATION": asked_himself,
            "rules.may_appeal SEGREGATION": lambda: asked("supervisor", "1").say("x", "supervisor", APPEAL),
        },
    )
