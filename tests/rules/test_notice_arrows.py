"""The state table of the public notice (公示): every row is taken, everything else is refused."""

from typing import Any

import pytest

from tests.rules.rows import name
from tests.rules.tables import Table, every_refusal_is_provoked
from tests.scenarios.street import C1, PEOPLE, Town
from workflows.kernel.process import SYSTEM, Actor, Arrow
from workflows.notice import commands as do
from workflows.notice.data import Kind
from workflows.notice.process import NOTICE

REF = "text:0000000000000001"


def posted(by: Actor = SYSTEM, kind: Kind = Kind.GENERAL, **fields: Any) -> Town:
    """A notice `n` of 2026-08-12."""
    town = Town("08-12 10:00")
    command = do.PostNotice(kind=kind, community_code=C1, text=REF, **fields)
    town.street.open("notice", "n", command, by)
    return town


def at_position(position: str) -> Town:
    """The notice there, by the shortest way."""
    town = posted()
    if position == "INTERRUPTED":
        town.say("n", "worker1", do.Interrupt(reason=REF))
    if position == "CANCELLED":
        town.street.command("n", do.Cancel(), SYSTEM)
    if position.startswith("ENDED"):
        town.at("09-01 09:00")
    if position == "ENDED:TAKEN_DOWN":
        town.say("n", "worker1", do.TakeDown())
    return town


def sample(town: Town, on: type) -> Any:
    """A lawful command."""
    return {
        do.PostNotice: do.PostNotice(kind=Kind.GENERAL, community_code=C1, text=REF),
        do.TakeDown: do.TakeDown(),
        do.Interrupt: do.Interrupt(reason=REF),
        do.Repost: do.Repost(),
        do.Revise: do.Revise(text="text:0000000000000009", reason=REF),
        do.Cancel: do.Cancel(reason=REF),
        do.ObjectionRaised: do.ObjectionRaised(objection="o"),
        do.ObjectionResolved: do.ObjectionResolved(objection="o", outcome="DISMISSED"),
    }[on]


TABLE = Table(process=NOTICE, at_position=at_position, sample=sample, key="n")
REFUSED_ALWAYS = [arrow for arrow in TABLE.commands if arrow.on is do.TakeDown and arrow.source != "ENDED"]


@pytest.mark.parametrize("arrow", [one for one in TABLE.commands if one not in REFUSED_ALWAYS], ids=name)
def test_every_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert TABLE.takes(arrow).position in (arrow.to or (arrow.source,))


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    TABLE.refuses_strangers(arrow)


@pytest.mark.parametrize("position", TABLE.positions)
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    TABLE.refuses_everything_else(position)
    TABLE.is_owed(position)


@pytest.mark.parametrize("arrow", REFUSED_ALWAYS, ids=name)
def test_what_hangs_is_not_taken_down(arrow: Arrow) -> None:
    assert at_position(arrow.source).refused("n", "worker1", do.TakeDown()) == "NOTICE_RUNNING"


def test_the_period_ends_by_itself() -> None:
    assert [name(arrow) for arrow in TABLE.timed] == ["RUNNING ENDED NOTICE"]
    town = at_position("ENDED")
    assert (town.when("n", "ended"), town.state("n", "NOTICE")) == ("08-19 24:00", "MET")


def test_every_refusal_is_provoked() -> None:
    by_hand = posted(by=PEOPLE["worker1"], kind=Kind.GENERAL)
    of_a_case = posted(subject_type="issue", subject_id="i", kind=Kind.RESULT)
    every_refusal_is_provoked(
        "notice",
        {
            "rules.post NOTICE_KIND_BY_CASE": lambda: posted(by=PEOPLE["worker1"], kind=Kind.MEMBER),
            "rules.too_early NOTICE_RUNNING": lambda: by_hand.say("n", "worker1", do.TakeDown()),
            "rules.may_cancel NOTICE_OF_A_CASE": lambda: of_a_case.say("n", "secretary1", do.Cancel()),
        },
    )
