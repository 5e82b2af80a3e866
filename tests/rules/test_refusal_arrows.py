"""The state table of the right to refuse (可拒绝执行): every row is taken, everything else is refused."""

from typing import Any

import pytest

from tests.rules.rows import name
from tests.rules.tables import Table, every_refusal_is_provoked
from tests.scenarios.admitting import County
from tests.scenarios.street import C2, PEOPLE, Town
from workflows.kernel.process import Arrow
from workflows.policy.pack import Strength
from workflows.policy.packs import load
from workflows.refusal import commands as do
from workflows.refusal.data import Nature, Ruling
from workflows.refusal.process import REFUSAL

REF = "text:0000000000000001"


def logged(text: str = REF, start: str = "10-12 10:00", **fields: Any) -> Town:
    """A task `r` of the county's statistics office in community 2."""
    town = County(start)
    command = do.LogIncomingTask(community_code=C2, department="statistics", text=text, **fields)
    town.street.open("refusal", "r", command, PEOPLE["worker2"])
    return town


def at_position(position: str) -> Town:
    """The task there, by the shortest way."""
    if position == "CLOSED:COVERED":
        return logged("text:low-income")
    town = logged()
    if position == "CHECKING":
        return town
    if position == "ACCEPTED_VOLUNTARILY":
        town.say("r", "secretary2", do.AcceptVoluntarily(decision=REF, staff_note=REF, money_note=REF))
        return town
    town.say("r", "secretary2", do.Refuse(reason=REF))
    if position in ("ARBITRATION", "REFUSED:MUST_APPLY"):
        town.say("r", "statistics", do.Dispute(reason=REF))
    if position == "REFUSED:MUST_APPLY":
        town.say("r", "reviewer", do.Arbitrate(outcome=Ruling.MUST_APPLY, reason=REF))
    if position in ("ESCALATED", "CLOSED:SETTLED"):
        town.say("r", "secretary2", do.Escalate(reason=REF))
    if position == "CLOSED:SETTLED":
        town.say("r", "approver", do.Settle(text=REF))
    if position == "LINKED":
        town.say("r", "statistics", do.DepartmentApplies())
    if position == "CLOSED:WITHDRAWN":
        town.say("r", "statistics", do.DepartmentWithdraws())
    return town


def sample(town: Town, on: type) -> Any:
    """A lawful command."""
    return {
        do.LogIncomingTask: do.LogIncomingTask(community_code=C2, department="statistics", text=REF),
        do.CheckCoverage: do.CheckCoverage(allowed=True, because="PERMIT", permit_no="PU-1"),
        do.Refuse: do.Refuse(reason=REF),
        do.AcceptVoluntarily: do.AcceptVoluntarily(decision=REF, staff_note=REF, money_note=REF),
        do.DepartmentApplies: do.DepartmentApplies(),
        do.DepartmentWithdraws: do.DepartmentWithdraws(),
        do.Dispute: do.Dispute(reason=REF),
        do.Arbitrate: do.Arbitrate(outcome=Ruling.UPHELD, reason=REF),
        do.Escalate: do.Escalate(reason=REF),
        do.Settle: do.Settle(text=REF),
    }[on]


TABLE = Table(process=REFUSAL, at_position=at_position, sample=sample, key="r")
STANDS = ("REFUSED",)
"""The refusal stands, and nobody owes anything."""


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert TABLE.takes(arrow).position in (arrow.to or (arrow.source,))


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    TABLE.refuses_strangers(arrow)


@pytest.mark.parametrize("position", TABLE.positions)
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    TABLE.refuses_everything_else(position)
    if position not in STANDS:
        TABLE.is_owed(position)


def test_nothing_happens_here_by_time_alone() -> None:
    assert TABLE.timed == []
    town = at_position("CHECKING").at("11-30 09:00")
    assert (town.street.cases["r"].state, town.state("r", "CHECK")) == ("CHECKING", "BREACHED")


def test_every_refusal_is_provoked() -> None:
    off = logged()
    policy = off.street.world.under(off.street.cases["r"].pin).policy
    assert policy.parameter("admission.refusal_right").strength is Strength.HARD
    emergency = logged(nature=Nature.EMERGENCY_ORDER)
    listed_later = logged("text:insured", "11-13 10:00").at("11-16 10:00")
    refused = at_position("REFUSED")
    another = {"admission": {"id": "x", "lead_org": "civil-affairs"}}
    every_refusal_is_provoked(
        "refusal",
        {
            "rules.refuse NO_REFUSAL_RIGHT": lambda: _without_right().say("r", "secretary2", do.Refuse(reason=REF)),
            "rules._uncovered NOT_REFUSABLE": lambda: emergency.say("r", "secretary2", do.Refuse(reason=REF)),
            "rules._uncovered TASK_COVERED": lambda: listed_later.say("r", "secretary2", do.Refuse(reason=REF)),
            "rules.applies ADMISSION_OF_ANOTHER": lambda: refused.street.command(
                "r", do.DepartmentApplies(admission="x"), PEOPLE["statistics"], facts=another
            ),
        },
    )


def _without_right() -> Town:
    """The same task under a pack that gives no right to refuse."""
    town = logged()
    world = town.street.world
    base = load("default_2026")
    silent = _Silent(base)
    town.street.world = _Under(world, silent)  # type: ignore[assignment]  # the same world with one answer changed
    return town


class _Silent:
    """A pack in which communities may not refuse."""

    def __init__(self, pack: Any) -> None:
        self._pack = pack

    def __getattr__(self, item: str) -> Any:
        return getattr(self._pack, item)

    def flag(self, key: str) -> bool:
        """No right to refuse; everything else as it is."""
        return key != "admission.refusal_right" and bool(self._pack.flag(key))


class _Under:
    """A world whose cases all live under one pack."""

    def __init__(self, world: Any, policy: Any) -> None:
        self._world, self.policy = world, policy

    def __getattr__(self, item: str) -> Any:
        return getattr(self._world, item)

    def under(self, pin: Any) -> Any:
        """The same for every pin."""
        return self
