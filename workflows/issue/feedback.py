"""Step 5, 结果反馈: tell the result, ask whether it is solved, close, reopen (pure; seed 001 §四5)."""

from dataclasses import replace
from typing import Any

from workflows.issue import commands as do
from workflows.issue.closing import closed
from workflows.issue.data import Audience, Channel, ClosureCode, Issue, Solved
from workflows.issue.orders import halved
from workflows.issue.people import asked, handled_by
from workflows.issue.topic import supervise
from workflows.kernel.clocks import Cancel, Meet, Start
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Turn, derived_id
from workflows.kernel.roles import Role

PUBLIC_CHANNELS = (Channel.SYMPOSIUM, Channel.NOTICE_BOARD, Channel.ONLINE)
NEUTRAL = 3


def give_feedback(case: Case[Issue], cmd: do.GiveFeedback, turn: Turn) -> Change:
    """Four ways; what concerns everybody must be told in public, and to the reporter if he is known (S14)."""
    if cmd.audience is Audience.PUBLIC and cmd.channel not in PUBLIC_CHANNELS:
        raise GuardFailed("CHANNEL_NOT_PUBLIC", field="channel", clause="001 §四5")
    if cmd.audience is Audience.INDIVIDUAL and cmd.channel is Channel.NOTICE_BOARD:
        raise GuardFailed("CHANNEL_NOT_INDIVIDUAL", field="channel", clause="001 §四5")
    if cmd.audience is Audience.INDIVIDUAL and not case.data.identified:
        raise GuardFailed("NO_REPORTER", field="audience", clause="001 §四5")
    given = tuple(dict.fromkeys((*case.data.feedbacks, cmd.audience)))
    sets: dict[str, Any] = {"feedbacks": given}
    clocks: list[Any] = []
    effects: tuple[Effect, ...] = ()
    if cmd.audience is Audience.PUBLIC:
        posting = _posted(case, cmd, turn)
        effects = (posting,)
        sets |= {
            "published": True,
            "public_text": cmd.text,
            "notice": posting.case,
            "postings": case.data.postings + 1,
        }
        clocks += [Cancel(code="PUBLICATION", reason="REPOSTED"), Start(code="PUBLICATION")]
    else:
        clocks.append(Meet(code="RESPONSE"))
    notes = {"audience": cmd.audience, "timing": cmd.timing, "channel": cmd.channel, "text": cmd.text}
    if missing(case, given):
        return Change(sets=sets, clocks=tuple(clocks), effects=effects, notes=notes)
    clocks.append(Meet(code="FEEDBACK"))
    if case.data.identified:
        visit = (*clocks, Start(code="RETURN"))
        return Change(to="RETURN_VISIT", sets=sets, clocks=visit, effects=effects, notes=notes)
    code = case.data.outcome or ClosureCode.RESOLVED
    return closed(case, code, sets=sets, clocks=tuple(clocks), effects=effects, notes=notes)


def _posted(case: Case[Issue], cmd: do.GiveFeedback, turn: Turn) -> Effect:
    """结果公示: the result hangs as a notice of its own, for at least seven days (S14)."""
    notice = derived_id("notice", case.id, str(case.data.postings + 1))
    fields = {
        "kind": "RESULT",
        "subject_type": "issue",
        "subject_id": case.id,
        "community_code": case.community,
        "text": cmd.text,
        "about": [],
        "days_parameter": "issue.public_result.min",
    }
    return Effect("START", "notice", notice, "post_notice", fields, turn.now)


def missing(case: Case[Issue], given: tuple[Audience, ...]) -> tuple[Audience, ...]:
    """The audiences that still wait to be told."""
    wanted: list[Audience] = []
    if case.data.general_concern:
        wanted.append(Audience.PUBLIC)
        if case.data.identified:
            wanted.append(Audience.INDIVIDUAL)
    elif not given:
        wanted.append(Audience.INDIVIDUAL)
    return tuple(one for one in wanted if one not in given)


def may_visit(case: Case[Issue], turn: Turn) -> None:
    """The visitor is not the lead (processes §0.1)."""
    if handled_by(case, turn.actor.id):
        raise GuardFailed("SEGREGATION", clause="processes §0.1")
    if turn.grant.role == Role.RESIDENT and not asked(case, turn.actor.id):
        raise GuardFailed("NOT_THE_REPORTER", clause="processes P1")


def record_visit(case: Case[Issue], cmd: do.RecordVisit, turn: Turn) -> Change:
    """回访: satisfied closes; dissatisfied goes back once, then to the supervisor; three times unreachable closes."""
    notes: dict[str, Any] = {"contacted": cmd.contacted}
    for name in ("solved", "satisfaction", "demand_reasonable", "remark"):
        if (value := getattr(cmd, name)) is not None:
            notes[name] = value
    if not cmd.contacted and turn.grant.role == Role.RESIDENT:
        raise GuardFailed("NO_ANSWER", field="contacted", clause="processes P1")
    if not cmd.contacted:
        tries = case.data.unreachable + 1
        if tries < turn.policy.number("issue.return_visit.attempts"):
            return Change(sets={"unreachable": tries}, notes=notes)
        code = case.data.outcome or ClosureCode.RESOLVED
        return closed(
            case, code, sets={"unreachable": tries}, clocks=(Meet(code="RETURN"),), notes=notes | {"unreachable": True}
        )
    if cmd.solved is None and cmd.satisfaction is None:
        raise GuardFailed("NO_ANSWER", field="solved", clause="processes P1")
    asked = {
        "visits": case.data.visits + 1,
        "satisfaction": cmd.satisfaction,
        "solved": cmd.solved,
    }
    met = (Meet(code="RETURN"), Meet(code="RESPONSE"))
    if not _dissatisfied(cmd):
        return closed(case, _code(case, cmd), sets=asked, clocks=met, notes=notes)
    reasonable = cmd.demand_reasonable is not False
    reopens = case.data.redone + case.data.reopen_count
    if reasonable and reopens < turn.policy.number("issue.reopen.max_auto"):
        again = redo(case, turn)
        return replace(
            again, sets={**again.sets, **asked, "redone": case.data.redone + 1}, clocks=met + again.clocks, notes=notes
        )
    return Change(to="RETURN_VISIT:DISPUTED", sets=asked, clocks=(*met, Start(code="DISPUTE")), notes=notes)


def _dissatisfied(cmd: do.RecordVisit) -> bool:
    if cmd.satisfaction is not None:
        return cmd.satisfaction < NEUTRAL
    return cmd.solved is Solved.NO


def _code(case: Case[Issue], cmd: do.RecordVisit) -> ClosureCode:
    if case.data.outcome is ClosureCode.EXPLAINED or cmd.solved is Solved.NO:
        return ClosureCode.EXPLAINED
    return ClosureCode.PARTLY_RESOLVED if cmd.solved is Solved.PARTLY else ClosureCode.RESOLVED


def redo(case: Case[Issue], turn: Turn) -> Change:
    """重办: back to work with half of the first time."""
    return Change(
        to="IN_PROGRESS",
        sets={
            "rework_count": case.data.rework_count + 1,
            "feedbacks": (),
            "unreachable": 0,
            "claimed_at": None,
            "completed_at": None,
            "closure_code": None,
            "outcome": None,
            "extension_asked": None,
        },
        clocks=halved(case, turn),
    )


def decide_dispute(case: Case[Issue], cmd: do.DecideDispute, turn: Turn) -> Change:
    """The supervisor explains and closes, or lists the matter and has it done again."""
    notes = {"outcome": cmd.outcome, "explanation": cmd.explanation}
    if cmd.outcome == "CLOSE":
        return closed(case, ClosureCode.EXPLAINED, notes=notes)
    again = redo(case, turn)
    sets, effects = supervise(case, "DISPUTE", turn)
    return replace(again, sets={**again.sets, **sets}, effects=effects, notes=notes)


def may_reopen(case: Case[Issue], turn: Turn) -> None:
    """A resident within the window; a spot check at any time (S16)."""
    if turn.grant.role == Role.SUPERVISOR:
        return
    if case.clock("REOPEN") is None:
        raise GuardFailed("WINDOW_OVER", clause="issue.reopen.window")


def reopen(case: Case[Issue], cmd: do.Reopen, turn: Turn) -> Change:
    """Back to work; to triage when there never was a lead."""
    stop = (Cancel(code="REOPEN", reason="REOPENED"), Cancel(code="OBJECT_DECLINE", reason="REOPENED"))
    counted = {"reopen_count": case.data.reopen_count + 1, "reopened_at": turn.now, "closure_code": None}
    if not case.data.leads and case.data.fast_path is None:
        return Change(
            to="REGISTERED",
            sets=counted | {"feedbacks": (), "outcome": None, "unreachable": 0},
            clocks=(*stop, Start(code="TRIAGE"), Start(code="OVERALL")),
            notes={"reason": cmd.reason},
        )
    again = redo(case, turn)
    sets = {**again.sets, **counted, "rework_count": case.data.rework_count}
    return replace(again, sets=sets, clocks=stop + again.clocks, notes={"reason": cmd.reason})
