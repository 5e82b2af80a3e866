"""The state table of the objection (公示异议): every row is taken, everything else is refused."""

from typing import Any

import pytest

from tests.rules.rows import name
from tests.rules.tables import ACTORS, Table, every_refusal_is_provoked
from tests.scenarios.street import C1, PEOPLE, Town
from workflows.kernel.process import SYSTEM, Actor, Arrow, Forbidden, Grant
from workflows.notice import commands as post
from workflows.notice.data import Kind
from workflows.objection import rules as do
from workflows.objection.data import PUBLIC, Outcome
from workflows.objection.process import OBJECTION

REF = "text:0000000000000001"


def on_notice(**fields: Any) -> Town:
    """A notice of members `n` of 2026-05-28, about one candidate."""
    town = Town("05-28 10:00")
    command = post.PostNotice(kind=Kind.MEMBER, community_code=C1, text=REF, about=("yang",), **fields)
    town.street.open("notice", "n", command, SYSTEM)
    return town


def at_position(position: str) -> Town:
    """An objection `o` there, by the shortest way."""
    town = on_notice(interested=("officer2",))
    town.street.open("objection", "o", do.Object(notice="n", ground=REF, about="yang"), PEOPLE["resident1"])
    if position in ("CLOSED:UPHELD", "CLOSED:DISMISSED"):
        town.say("o", "officer", do.Resolve(outcome=Outcome(position.partition(":")[2]), answer=REF))
    if position == "CLOSED:WITHDRAWN":
        town.say("o", "resident1", do.Withdraw())
    return town


def sample(town: Town, on: type) -> Any:
    """A lawful command."""
    return {
        do.Object: do.Object(notice="n", ground=REF),
        do.Assign: do.Assign(investigator="supervisor"),
        do.Resolve: do.Resolve(outcome=Outcome.DISMISSED, answer=REF),
        do.Withdraw: do.Withdraw(reason=REF),
    }[on]


TABLE = Table(process=OBJECTION, at_position=at_position, sample=sample, key="o")


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


def test_who_may_object() -> None:
    may = set()
    for actor in ACTORS:
        town = on_notice()
        try:
            town.street.open("objection", "o", do.Object(notice="n", ground=REF), actor)
        except Forbidden:
            continue
        may.add(actor.grants[0].role)
    assert may == {"resident", "unit_liaison", "community_worker", "grid_worker", "cwc_member", "integration"}


def test_every_refusal_is_provoked() -> None:
    nobody = Actor(PUBLIC, PUBLIC, (Grant("resident", C1),))
    over = on_notice()
    over.at("06-02 09:00")

    def raised(town: Town, by: Actor = PEOPLE["resident1"], **fields: Any) -> Any:
        return town.street.open("objection", "o", do.Object(notice="n", ground=REF, **fields), by)

    resident_as_officer = Actor("resident1", "resident1", (Grant("subdistrict_officer", "620199001"),))
    resolve = do.Resolve(outcome=Outcome.UPHELD, answer=REF)
    every_refusal_is_provoked(
        "objection",
        {
            "rules.raise_objection NOTICE_NOT_RUNNING": lambda: raised(over),
            "rules.raise_objection NOT_ON_NOTICE": lambda: raised(on_notice(), about="li"),
            "rules.raise_objection OBJECTOR_REQUIRED": lambda: raised(on_notice(), nobody),
            "rules.may_resolve SEGREGATION": lambda: at_position("OPEN").street.command(
                "o", resolve, resident_as_officer
            ),
            "rules.assign SEGREGATION": lambda: at_position("OPEN").say(
                "o", "officer", do.Assign(investigator="officer2")
            ),
        },
    )
