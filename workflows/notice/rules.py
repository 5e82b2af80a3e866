"""Rules of a public notice (公示): it hangs without a break for its whole period, or begins again (pure; §0.6)."""

from typing import Any

from workflows.kernel import clocks as op
from workflows.kernel.clocks import Clock, Start
from workflows.kernel.process import Case, Change, Effect, Forbidden, GuardFailed, Notice, Turn
from workflows.kernel.roles import Role
from workflows.notice import commands as do
from workflows.notice.data import BY_HAND, PERIODS, TOLD, Against, PublicNotice, Standing


def post(case: Case[PublicNotice], cmd: do.PostNotice, turn: Turn) -> Change:
    """It hangs from now on; the period comes from the pack, by kind or as the posting case names it."""
    by_hand = turn.grant.role != Role.SYSTEM
    if by_hand and cmd.kind not in BY_HAND:
        raise GuardFailed("NOTICE_KIND_BY_CASE", field="kind", clause="processes §0.6")
    parameter = cmd.days_parameter or PERIODS[cmd.kind]
    return Change(
        to="RUNNING",
        title=cmd.title or cmd.text,
        sets={
            "kind": cmd.kind,
            "subject_type": cmd.subject_type,
            "subject_id": cmd.subject_id,
            "text": cmd.text,
            "about": cmd.about,
            "area": turn.policy.words("notice.area"),
            "parameter": parameter,
            "tells": TOLD.get(cmd.kind, ()) if cmd.tells is None else cmd.tells,
            "interested": cmd.interested,
            "posted_by": turn.actor.id,
            "posted_at": turn.now,
        },
        clocks=(Start(code="NOTICE", parameter=parameter),),
        notices=(Notice(case.community, "notice_posted", "NOTICE"),),
    )


def ended(case: Case[PublicNotice], clock: Clock, turn: Turn) -> Change:
    """The period is over; what is still objected to is for the posting case to wait for."""
    return Change(
        type="ended",
        to="ENDED",
        sets={"ended_at": turn.now},
        effects=_told(case, turn, "notice_ended", notice=case.id, at=turn.now.isoformat()),
    )


def too_early(case: Case[PublicNotice], turn: Turn) -> None:
    """Not before its end (S14)."""
    raise GuardFailed("NOTICE_RUNNING", clause=case.data.parameter)


def interrupt(case: Case[PublicNotice], cmd: do.Interrupt, turn: Turn) -> Change:
    """It fell down: what has passed of the period does not count."""
    return Change(
        to="INTERRUPTED",
        sets={"interruptions": case.data.interruptions + 1},
        clocks=(op.Cancel(code="NOTICE", reason="INTERRUPTED"),),
        effects=_told(case, turn, "notice_interrupted", notice=case.id),
        notices=(Notice(case.community, "notice_interrupted"),),
        notes={"reason": cmd.reason},
    )


def repost(case: Case[PublicNotice], cmd: do.Repost, turn: Turn) -> Change:
    """It hangs again, and the whole period begins (S47)."""
    return Change(
        to="RUNNING",
        sets={"posted_at": turn.now},
        clocks=(Start(code="NOTICE", parameter=case.data.parameter),),
        effects=_told(case, turn, "notice_reposted", notice=case.id),
        notices=(Notice(case.community, "notice_posted", "NOTICE"),),
    )


def revise(case: Case[PublicNotice], cmd: do.Revise, turn: Turn) -> Change:
    """A notice with another text is another notice: its period begins again."""
    return Change(
        to="RUNNING",
        title=cmd.text if case.title == case.data.text else "",
        sets={"text": cmd.text, "posted_at": turn.now, "revisions": case.data.revisions + 1},
        clocks=(op.Cancel(code="NOTICE", reason="REVISED"), Start(code="NOTICE", parameter=case.data.parameter)),
        effects=_told(case, turn, "notice_reposted", notice=case.id),
        notices=(Notice(case.community, "notice_posted", "NOTICE"),),
        notes={"reason": cmd.reason},
    )


def may_cancel(case: Case[PublicNotice], turn: Turn) -> None:
    """What a case has posted only that case takes back."""
    if turn.grant.role != Role.SYSTEM and case.data.subject_id is not None:
        raise Forbidden("NOTICE_OF_A_CASE", clause="processes §0.6")


def cancel(case: Case[PublicNotice], cmd: do.Cancel, turn: Turn) -> Change:
    """Nothing is on notice any more."""
    return Change(to="CANCELLED", notes={"reason": cmd.reason} if cmd.reason else {})


def objection_raised(case: Case[PublicNotice], cmd: do.ObjectionRaised, turn: Turn) -> Change:
    """The posting case hears that, and against what; the notice hangs on."""
    about = cmd.about if cmd.about in case.data.about else None
    return Change(
        puts={"objections": {cmd.objection: Against(about=about)}},
        effects=_told(case, turn, "objection_raised", notice=case.id, objection=cmd.objection, about=about),
    )


def objection_resolved(case: Case[PublicNotice], cmd: do.ObjectionResolved, turn: Turn) -> Change:
    """Upheld: what it was about drops, everything else proceeds; that is for the posting case to see to."""
    known = case.data.objections.get(cmd.objection, Against(about=cmd.about))
    answer = {"notice": case.id, "objection": cmd.objection, "about": known.about, "outcome": cmd.outcome}
    return Change(
        puts={"objections": {cmd.objection: Against(about=known.about, standing=Standing(cmd.outcome))}},
        effects=_told(case, turn, "objection_resolved", **answer),
    )


def _told(case: Case[PublicNotice], turn: Turn, command: str, **fields: Any) -> tuple[Effect, ...]:
    """Tell the posting case, where there is one and it wants to hear of this."""
    data = case.data
    if data.subject_type is None or data.subject_id is None or command not in data.tells:
        return ()
    return (Effect("TELL", data.subject_type, data.subject_id, command, fields, turn.now),)


def too_late(case: Case[PublicNotice], cmd: do.Cancel, turn: Turn) -> Change:
    """Its period had ended before it was taken back: nothing is left to cancel."""
    return Change(type="cancel_too_late")
