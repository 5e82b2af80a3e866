"""The chair follows the office of the secretary (书记任主任), and who stands in meanwhile (pure; 001 §三2)."""

from typing import Any

from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn
from workflows.kernel.process import do as deed
from workflows.membership import commands as do
from workflows.membership.data import Membership


def today(turn: Turn) -> str:
    """The day of the turn in Beijing, as deeds take it."""
    return turn.now.astimezone(CHINA).date().isoformat()


def change(case: Case[Membership], turn: Turn, *, old: str | None, new: str | None) -> dict[str, Any]:
    """What the deed needs: who leaves the office, who takes it, from which day."""
    return {"community": case.community, "old": old, "new": new, "on": today(turn), "of": case.id}


def relieve(acting: str, chair: str, turn: Turn) -> Effect:
    """Tell the acting chair's case that somebody else leads from now on."""
    return Effect("TELL", "membership", acting, "chair_seated", {"chair": chair}, turn.now)


def succession(case: Case[Membership], turn: Turn, *, old: str | None, new: str) -> tuple[Effect, ...]:
    """The new secretary is chair the same day, without a notice; whoever waited for him is told."""
    committee = turn.facts["committee"]
    live = committee["live_formation"]
    waiting = [one for one in (committee["acting_case"], committee["chair_vacant_case"]) if one and one != case.id]
    return (
        deed(case, "change_secretary", **change(case, turn, old=old, new=new)),
        *(relieve(one, new, turn) for one in waiting),
        *((Effect("TELL", "formation", live["id"], "secretary_known", {"person": new}, turn.now),) if live else ()),
    )


def secretary_changed(case: Case[Membership], cmd: do.SecretaryChanged, turn: Turn) -> Change:
    """He who follows is known now."""
    if turn.facts["committee"]["chair"] is not None:
        raise GuardFailed("CHAIR_NOT_VACANT", field="new", clause="001 §三2")
    return Change(
        to="EX_OFFICIO_ENDED:SUCCEEDED",
        sets={"new": cmd.new},
        effects=succession(case, turn, old=None, new=cmd.new),
        notices=(Notice(case.community, "chair_seated"),),
    )


def chair_seated(case: Case[Membership], cmd: do.ChairSeated, turn: Turn) -> Change:
    """The vacancy of the chair is over, by another case."""
    return Change(to="EX_OFFICIO_ENDED:SUCCEEDED", sets={"new": cmd.chair})


def acting_over(case: Case[Membership], cmd: do.ChairSeated, turn: Turn) -> Change:
    """A vice chair again."""
    return Change(
        to="ACTIVE:RETURNED",
        effects=(deed(case, "end_acting", community=case.community, person=case.data.member, on=today(turn)),),
        notes={"chair": cmd.chair},
    )
