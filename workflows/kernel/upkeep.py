"""Commands that every process takes: another policy pack, a newer calendar (pure; processes §0.2, §0.3)."""

from dataclasses import asdict
from typing import Annotated, Any

from workflows.kernel.clocks import ClockState, Restamp
from workflows.kernel.fields import PolicyPack, Prose
from workflows.kernel.process import (
    Address,
    Arrow,
    Case,
    Change,
    GuardFailed,
    Pin,
    State,
    Turn,
    Who,
    arrows,
    command,
)
from workflows.kernel.roles import TITLES, Role


@command("改用政策包", "Rebase onto another policy pack")
class RebasePolicy:
    """A later pack applies to a running case only by this command, with its reason; running clocks keep their time."""

    pack: Annotated[str, PolicyPack("政策包", "Policy pack", longest=60)]
    reason: Annotated[str, Prose("理由", "Reason")]


@command("重算时限", "Recompute the clocks")
class RecomputeClocks:
    """The calendar of a year was published, or corrected: provisional due times move, breaches stay."""


def _admin(case: Case[Any]) -> tuple[Address, ...]:
    return (Address(role=Role.TENANT_ADMIN, place=case.community),)


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
ADMIN = Who(Role.TENANT_ADMIN, TITLES[Role.TENANT_ADMIN][0], _admin)


def rebase(case: Case[Any], cmd: RebasePolicy, turn: Turn) -> Change:
    """Pin the pack that the door found; a drill's pack only where the data are a demonstration."""
    found = turn.facts["pack"]
    pin = Pin(found["pack"], found["version"], found["sha"])
    if pin == case.pin:
        raise GuardFailed("SAME_PACK", field="pack", clause="processes §0.2")
    if found["scaled"] and not found["demonstration"]:
        raise GuardFailed("DRILL_ONLY_IN_DEMONSTRATION", field="pack", clause="processes §0.2")
    return Change(pin=pin, notes={"reason": cmd.reason, "from": asdict(case.pin)})


def may_recompute(case: Case[Any], turn: Turn) -> None:
    """Something must be provisional."""
    if not _provisional(case):
        raise GuardFailed("NOTHING_PROVISIONAL", clause="processes §0.3")


def recompute(case: Case[Any], cmd: RecomputeClocks, turn: Turn) -> Change:
    """Stamp the running provisional clocks again; nothing is un-breached."""
    return Change(clocks=tuple(Restamp(number=number) for number in _provisional(case)))


def _provisional(case: Case[Any]) -> tuple[int, ...]:
    return tuple(
        clock.number
        for clock in case.clocks
        if clock.provisional and clock.state is ClockState.RUNNING and clock.due_at == clock.original_due_at
    )


def upkeep(states: tuple[State, ...]) -> tuple[Arrow, ...]:
    """The rows that every process adds to its table."""
    everywhere = tuple(state.name for state in states)
    return (
        *arrows(everywhere, RebasePolicy, by=ADMIN, rule=rebase),
        *arrows(everywhere, RecomputeClocks, by=(SYSTEM, ADMIN), rule=recompute, may=may_recompute),
    )
