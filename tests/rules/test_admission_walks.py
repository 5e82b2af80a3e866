"""Whatever people do and however long they wait, the invariants of admission hold (processes P4, Invariants)."""

from collections import Counter
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

import pytest

from tests.rules.admission_scenes import sample, submitted
from tests.scenarios.admitting import County, on
from tests.scenarios.street import ORGANIZATIONS, PEOPLE
from workflows.admission import commands as do
from workflows.admission.data import IN_FORCE, AgreementState, Outcome, Variant
from workflows.admission.process import ADMISSION
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import SYSTEM, Case, Refusal

SEEDS = 60
STEPS = 60
WHO = (
    "department",
    "telecom",
    "reviewer",
    "approver",
    "cityapprover",
    "secretary1",
    "secretary2",
    "worker1",
    "statistics",
)
LEAPS = (timedelta(hours=2), timedelta(days=1), timedelta(days=6), timedelta(days=33))
RARELY = (do.Withdraw, do.TransferToList, do.SupervisionOpened, do.SupervisionDelisted)


def walk(seed: int) -> County:
    """A life by chance: somebody says something, or time passes."""
    chance = Random(seed)
    variant = chance.choice((Variant.UNIT, Variant.WORK_ITEM))
    money = do.Funding(
        source="text:b",
        amount=200,
        instalments=tuple(do.Payment(amount=100, due_on=on(day)) for day in ("10-30", "11-30")),
    )
    town = submitted(variant, funding=money, planned_until=on(chance.choice(("2026-12-31", "2027-06-30"))))
    for _ in range(STEPS):
        case = town.street.cases["a"]
        kinds = [kind for kind in ADMISSION.commands.values() if (case.position, kind) in ADMISSION.table]
        kinds = [
            kind for kind in kinds if kind.__module__ == do.__name__ and (kind not in RARELY or chance.random() < 0.03)
        ]
        if not kinds or chance.random() < 0.2:
            town.street.run_to(town.street.now + chance.choice(LEAPS))
            continue
        command = _varied(sample(case, chance.choice(kinds)), chance)
        for actor in chance.sample([*(PEOPLE[name] for name in WHO), SYSTEM], k=len(WHO) + 1):
            before = case
            try:
                after = town.street.command("a", command, actor, facts={"organizations": ORGANIZATIONS})
            except Refusal:
                continue
            holds(town, before, after)
            break
    return town


def _varied(command: Any, chance: Random) -> Any:
    if isinstance(command, do.Decide):
        outcome = chance.choices(tuple(Outcome), weights=(8, 1, 1))[0]
        return do.Decide(outcome=outcome, reason="text:r")
    if isinstance(command, do.RecordPayment):
        return do.RecordPayment(instalment=chance.choice((1, 2)), paid_on=on("09-14"), receipt="r")
    return command


def holds(town: County, before: Case[Any], case: Case[Any]) -> None:
    """What must be true of every admission."""
    data = case.data
    types = town.types("a")
    if case.state in IN_FORCE:
        # No ACTIVE without permit number, term and funding gate (seeds 000, 004).
        assert data.permit_no in data.terms
        assert data.valid_from is not None
        assert data.funding_status is not None
        assert case.clock("TERM") is not None
        assert data.communities
    if data.variant is Variant.WORK_ITEM and case.state in IN_FORCE:
        assert all(data.agreements[code].state is AgreementState.SIGNED for code in data.communities)
    if case.state == "REVOKED":
        # Revocation only after a failed rectification (seed 000).
        ordered, proposed, revoked = (types.index(one) for one in MUST)
        assert ordered < proposed < revoked
    if "approved" in types:
        # The approver's level follows the applicant's (seed 004); nobody approves what he asked for.
        [decision] = [event for event in town.street.histories["a"] if event.type == "approved"][-1:]
        assert decision.actor in ("reviewer", "approver")
        assert (decision.actor == "reviewer") == (data.variant is Variant.UNIT)
        assert decision.actor != data.submitted_by
    if case.position == "CLOSED:COMPLETED" and data.permit_no is not None:
        assert not data.unpaid
        assert set(data.completions) >= set(data.communities)
    # Whatever falls due is watched as long as the case goes on, and nothing but a hand-over or a window after its end.
    live = {clock.code for clock in case.clocks if clock.live}
    if ADMISSION.ended(case):
        assert live <= {"HAND_OVER", "RECONSIDER"}
    if case.state in IN_FORCE:
        owed = {clock.ref for clock in case.clocks if clock.code == "INSTALMENT" and clock.live}
        assert owed == set(data.unpaid)
    assert data.funding_overdue == any(
        clock.code == "INSTALMENT" and clock.state == "BREACHED" for clock in case.clocks
    )
    assert case.version > before.version


MUST = ("rectification_ordered", "revocation_proposed", "revoked")


@cache
def lives() -> tuple[County, ...]:
    """Many lives."""
    return tuple(walk(seed) for seed in range(SEEDS))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_invariants_hold(seed: int) -> None:
    town = lives()[seed]

    assert town.street.refused == []
    assert town.street.cases["a"].version == len(town.street.histories["a"])


def test_the_walks_go_far() -> None:
    seen = Counter(event.change.to for town in lives() for event in town.street.histories["a"] if event.change.to)

    assert {"ACTIVE", "RECTIFYING", "REVOCATION_PROPOSED", "RENEWAL_REVIEW", "CLOSED:EXPIRED"} <= set(seen)
    assert seen["ACTIVE"] > SEEDS // 4


def test_silence_decides_nothing() -> None:
    """Nobody decides for a year: no permit comes of it (S40)."""
    for variant in Variant:
        town = submitted(variant)
        town.review("a")
        town.street.run_to(town.street.now + timedelta(days=365))
        case = town.street.cases["a"]
        assert (case.state, case.data.permit_no) == ("UNDER_REVIEW", None)
        assert town.street.now.astimezone(CHINA).year == 2027
