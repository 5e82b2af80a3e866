"""Exit and dismissal (退出、解聘): what the party organisation decides, how the member is heard (pure; 001 §三4)."""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn
from workflows.kernel.process import do as deed
from workflows.membership import commands as do
from workflows.membership import office, vacancy
from workflows.membership.data import Membership, Outcome

PASS = "meeting.pass.two_committees"


# --- exit -------------------------------------------------------------------------------------------------------


def approve_exit(case: Case[Membership], cmd: do.ApproveExit, turn: Turn) -> Change:
    """The seat is vacant from now on; what was to be done goes with the role, not with the person."""
    _check_not_acting(case, turn)
    return vacancy.opened(case, "EXITED", turn, type="exit_approved")


def decline_exit(case: Case[Membership], cmd: do.DeclineExit, turn: Turn) -> Change:
    """The member stays."""
    return Change(to="ACTIVE:DECLINED", notices=_to_member(case, "exit_declined"), notes={"reason": cmd.reason})


# --- dismissal --------------------------------------------------------------------------------------------------


def suspend_duty(case: Case[Membership], cmd: do.SuspendDuty, turn: Turn) -> Change:
    """Until it is decided; neither voting nor counted in the quorum."""
    if case.data.suspended:
        raise GuardFailed("DUTY_SUSPENDED", clause="processes P6")
    return Change(
        sets={"suspended": True},
        effects=(_standing(case, "suspend_member", turn),),
        notices=_to_member(case, "duty_suspended"),
        notes={"reason": cmd.reason},
    )


def state_views(case: Case[Membership], cmd: do.StateViews, turn: Turn) -> Change:
    """Heard; further words replace the earlier ones, and the history keeps them all."""
    return Change(sets={"statement": cmd.text}, notices=(Notice(case.community, "views_stated"),))


def may_decide(case: Case[Membership], turn: Turn) -> None:
    """Nobody is dismissed unheard: a statement was made, or its time is over."""
    if case.data.statement is None and case.clock("STATEMENT") is not None:
        raise GuardFailed("MEMBER_NOT_HEARD", clause="processes P6")


def decide(case: Case[Membership], cmd: do.DecideDismissal, turn: Turn) -> Change:
    """Without quorum or majority the member stays, and only new facts bring it up again (S50)."""
    meeting = _meeting(turn)
    passed = meeting["quorate"] and _passed(case, cmd, meeting, turn)
    outcome = cmd.outcome if passed else Outcome.RETAIN
    sets = {
        "outcome": outcome,
        "tie": outcome is not cmd.outcome,
        "meeting": meeting["id"],
        "decided_at": turn.now,
    }
    notes = {"outcome": outcome, "proposed": cmd.outcome, "meeting": meeting["id"]}
    if outcome is Outcome.DISMISS:
        _check_not_acting(case, turn)
        return vacancy.opened(case, "DISMISSED", turn, type="dismissed", also=("FILE",), sets=sets, notes=notes)
    back = (_standing(case, "resume_member", turn),) if case.data.suspended else ()
    return Change(
        to="ACTIVE:WARNED" if outcome is Outcome.WARN else "ACTIVE:RETAINED",
        sets=sets,
        effects=back,
        notices=_to_member(case, "dismissal_decided"),
        notes=notes,
    )


def file_with_street(case: Case[Membership], cmd: do.FileWithStreet, turn: Turn) -> Change:
    """The street has it on file."""
    if case.data.filing_no is not None:
        raise GuardFailed("FILED_ALREADY", field="filing_no", clause="processes P6")
    return Change(
        sets={"filing_no": cmd.filing_no},
        notices=(Notice(case.subdistrict, "dismissal_filed"),),
        notes={"filing_no": cmd.filing_no},
    )


def _meeting(turn: Turn) -> Mapping[str, Any]:
    found: Mapping[str, Any] = turn.facts["party_meeting"]
    if not found.get("id"):
        raise GuardFailed("PARTY_MEETING_REQUIRED", field="meeting", clause="001 §三4")
    if not found["of_party_organisation"]:
        raise GuardFailed("NOT_A_PARTY_MEETING", field="meeting", clause="001 §三4")
    return found


def _passed(case: Case[Membership], cmd: do.DecideDismissal, meeting: Mapping[str, Any], turn: Turn) -> bool:
    """Whether the meeting carried it: by the votes given here, else by those of the meeting's own record."""
    if any(vote.member == case.data.member for vote in cmd.votes):
        raise GuardFailed("RECUSED", field="votes", clause="processes P6")
    if len({vote.member for vote in cmd.votes}) < len(cmd.votes):
        raise GuardFailed("VOTED_TWICE", field="votes", clause="processes §0.5")
    present = meeting["present"]
    if present and any(vote.member not in present for vote in cmd.votes):
        raise GuardFailed("VOTER_NOT_PRESENT", field="votes", clause="processes §0.5")
    if cmd.votes:
        tally = {"FOR": sum(vote.choice == "FOR" for vote in cmd.votes), "ALL": len(cmd.votes)}
    else:
        tally = meeting["tallies"].get(case.id, {})
    return cmd.outcome is Outcome.RETAIN or not tally or turn.policy.share(PASS).reached(tally["FOR"], tally["ALL"])


def _check_not_acting(case: Case[Membership], turn: Turn) -> None:
    if turn.facts["committee"]["acting"] == case.data.member:
        raise GuardFailed("ACTING_CHAIR", clause="processes P6")


def _standing(case: Case[Membership], name: str, turn: Turn) -> Effect:
    return deed(case, name, community=case.community, person=case.data.member, on=office.today(turn))


def _to_member(case: Case[Membership], template: str) -> tuple[Notice, ...]:
    return () if case.data.member.startswith("contact:") else (Notice(f"person:{case.data.member}", template),)
