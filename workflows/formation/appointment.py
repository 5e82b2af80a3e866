"""From the notice to the committee (公示、异议、聘任): objections, clearing, certificates, roster (pure; 001 §三3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from workflows.formation import checks
from workflows.formation import commands as do
from workflows.formation.data import (
    Candidate,
    Category,
    Formation,
    Objection,
    Post,
    Posting,
    Standing,
    Vacancy,
    standing,
)
from workflows.kernel.amending import amend
from workflows.kernel.calendar import CHINA
from workflows.kernel.clocks import Meet, Start
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn
from workflows.kernel.process import do as deed

UPHELD = "UPHELD"
ROUND = ("SHORTLISTING", "STREET_REVIEW")
"""Positions in which further names are on their way while the cleared ones are appointed."""


@dataclass(frozen=True, slots=True)
class Turnout:
    """A formation after a rule, before it is asked whether it is complete: data as they would be, and what follows."""

    puts: dict[str, dict[str, Any]]
    sets: dict[str, Any] = field(default_factory=dict)

    def on(self, data: Formation) -> Formation:
        """The data with these entries."""
        mappings = {name: {**getattr(data, name), **entries} for name, entries in self.puts.items()}
        return amend(data, **mappings, **self.sets)


# --- the notice and what is said against it ---------------------------------------------------------------------


def object_to(case: Case[Formation], cmd: do.ObjectTo, turn: Turn) -> Change:
    """Only this candidate waits; everybody else proceeds (S46)."""
    candidate = checks.known(case, cmd.candidate)
    posting = case.data.notices.get(candidate.notice)
    if candidate.standing not in (Standing.IN_NOTICE, Standing.FROZEN) or posting in (None, Posting.ENDED):
        raise GuardFailed("NOTICE_OVER", field="candidate", clause="001 §三3")
    key = f"o{len(case.data.objections) + 1}"
    said = Objection(
        candidate=cmd.candidate,
        objector=turn.actor.id,
        ground=cmd.ground,
        evidence=cmd.evidence,
        raised_at=turn.now,
    )
    return Change(
        puts={"objections": {key: said}, "candidates": {cmd.candidate: amend(candidate, standing=Standing.FROZEN)}},
        clocks=(Start(code="INVESTIGATE", ref=key),),
        notices=(Notice(case.subdistrict, "formation_objection", "INVESTIGATE"),),
    )


def objection_raised(case: Case[Formation], cmd: do.ObjectionRaised, turn: Turn) -> Change:
    """Through the notice: the candidate waits for the outcome of the objection's own case."""
    candidate = case.data.candidates.get(cmd.about or "")
    if candidate is None or candidate.standing not in (Standing.IN_NOTICE, Standing.FROZEN):
        return Change()
    said = Objection(candidate=str(cmd.about), raised_at=turn.now)
    return Change(
        puts={
            "objections": {cmd.objection: said},
            "candidates": {str(cmd.about): amend(candidate, standing=Standing.FROZEN)},
        },
        clocks=(Start(code="INVESTIGATE", ref=cmd.objection),),
    )


def resolve(case: Case[Formation], cmd: do.ResolveObjection, turn: Turn) -> tuple[Change, ...]:
    """By somebody without interest; the objector is answered, the street is told."""
    said = case.data.objections.get(cmd.objection)
    if said is None or not said.objector:
        raise GuardFailed("UNKNOWN_OBJECTION", field="objection", clause="processes §0.6")
    if said.outcome:
        raise GuardFailed("OBJECTION_RESOLVED", field="objection", clause="processes §0.6")
    if turn.actor.id in (said.objector, said.candidate):
        raise GuardFailed("SEGREGATION", clause="processes §0.1")
    closed = amend(said, outcome=cmd.outcome, answer=cmd.answer, resolved_by=turn.actor.id)
    return _resolved(case, cmd.objection, closed, turn)


def objection_resolved(case: Case[Formation], cmd: do.ObjectionResolved, turn: Turn) -> tuple[Change, ...]:
    """The objection's own case has its outcome."""
    said = case.data.objections.get(cmd.objection)
    if said is None or said.outcome:
        return (Change(),)
    return _resolved(case, cmd.objection, amend(said, outcome=cmd.outcome), turn)


def notice_ended(case: Case[Formation], cmd: do.NoticeEnded, turn: Turn) -> tuple[Change, ...]:
    """I11: whoever has no open objection is cleared; the frozen ones follow one by one."""
    cleared = {
        key: amend(one, standing=Standing.CLEARED)
        for key, one in standing(case.data, Standing.IN_NOTICE).items()
        if one.notice == cmd.notice
    }
    turnout = Turnout({"candidates": cleared, "notices": {cmd.notice: Posting.ENDED}})
    after = turnout.on(case.data)
    to, first = _onwards(case, after)
    ended_at = cmd.at or turn.now
    # A period that ends at 24:00 has that day as its last, and the next clock begins with it (processes §0.3).
    since = ended_at - timedelta(microseconds=1)
    change = Change(
        type="notice_ended",
        to=to,
        sets={"cleared": case.data.cleared or first},
        puts=turnout.puts,
        clocks=(Start(code="APPOINT", since=since),) if first else (),
        notices=(Notice(case.community, "formation_notice_ended", "APPOINT"),),
    )
    return (change, *_complete(case, after, to or case.position, turn))


def notice_interrupted(case: Case[Formation], cmd: do.NoticeInterrupted, turn: Turn) -> Change:
    """Nobody is cleared before it has hung without a break."""
    return Change(puts={"notices": {cmd.notice: Posting.INTERRUPTED}})


def notice_reposted(case: Case[Formation], cmd: do.NoticeReposted, turn: Turn) -> Change:
    """The three days begin again (S47)."""
    return Change(puts={"notices": {cmd.notice: Posting.RUNNING}})


# --- fewer than planned ---------------------------------------------------------------------------------------


def may_supplement(case: Case[Formation], turn: Turn) -> None:
    """Only when fewer are left than were planned."""
    if len(standing(case.data, *checks.GOING_ON)) >= case.data.target_size:
        raise GuardFailed("ENOUGH_CANDIDATES", clause="processes P5")


def supplement(case: Case[Formation], cmd: do.Supplement, turn: Turn) -> Change:
    """New names only: they go the whole way, and have three days of their own."""
    return Change(to="SHORTLISTING", sets={"extended": False})


def continue_without(case: Case[Formation], cmd: do.ContinueWithout, turn: Turn) -> tuple[Change, ...]:
    """The committee will be smaller; the reason stays on record."""
    if case.position == "SHORTLISTING" and not case.data.cleared:
        raise GuardFailed("NOT_CLEARED", clause="processes P5")
    to = "APPOINTING" if case.position == "SHORTLISTING" else ""
    change = Change(
        type="continued_without",
        to=to,
        sets={"exceptions": {**case.data.exceptions, "PLAN": cmd.reason}},
        notes={"reason": cmd.reason},
    )
    return (change, *_complete(case, case.data, to or case.position, turn))


def all_dropped(case: Case[Formation], turn: Turn) -> None:
    """The street takes the list back only when nobody on it is left."""
    if standing(case.data, *checks.GOING_ON):
        raise GuardFailed("CANDIDATES_LEFT", clause="processes P5")


# --- certificates -----------------------------------------------------------------------------------------------


def issue(case: Case[Formation], cmd: do.IssueCertificate, turn: Turn) -> tuple[Change, ...]:
    """I12: the person accepts and is a member from this day on."""
    candidate, replaced = _accepting(case, cmd, turn)
    if candidate.standing is not Standing.CLEARED:
        raise GuardFailed("NOT_CLEARED", field="member", clause="001 §三3")
    if candidate.post is not cmd.post:
        raise GuardFailed("POST_DIFFERS", field="post", clause="001 §三3")
    issued = sum(bool(one.cert_no) for one in case.data.candidates.values())
    cert_no = f"{case.number}-{issued + 1:02}"
    appointed = amend(candidate, standing=Standing.APPOINTED, cert_no=cert_no)
    today = turn.now.astimezone(CHINA).date()
    seat = {
        "community": case.community,
        "person": cmd.member,
        "post": cmd.post.value,
        "category": candidate.category.value,
        "on": today.isoformat(),
        "cert_no": cert_no,
        "of": case.id,
        "valid_until": case.data.term_until.isoformat() if case.data.term_until else None,
    }
    acting = checks.committee(turn)["acting_case"] if cmd.post is Post.CHAIR else None
    effects = (deed(case, "seat_member", **seat), *_relieve(acting, cmd.member, turn))
    turnout = Turnout({"candidates": {**replaced, cmd.member: appointed}})
    after = turnout.on(case.data)
    to, first = _onwards(case, after)
    change = Change(
        type="certificate_issued",
        to=to,
        sets={"cleared": case.data.cleared or first},
        puts=turnout.puts,
        clocks=(Start(code="APPOINT"),) if first else (),
        effects=effects,
        notices=() if cmd.member.startswith("contact:") else (Notice(f"person:{cmd.member}", "certificate_issued"),),
        notes={"candidate": cmd.member, "cert_no": cert_no, "post": cmd.post},
    )
    return (change, *_complete(case, after, to or case.position, turn))


def record_declined(case: Case[Formation], cmd: do.RecordDeclined, turn: Turn) -> tuple[Change, ...]:
    """Nobody is appointed against his will."""
    candidate = checks.known(case, cmd.member, "member")
    if candidate.standing not in (Standing.IN_NOTICE, Standing.FROZEN, Standing.CLEARED):
        raise GuardFailed("NOT_CLEARED", field="member", clause="001 §三3")
    if candidate.post is Post.CHAIR:
        raise GuardFailed("CHAIR_BY_OFFICE", field="member", clause="001 §三2")
    turnout = Turnout({"candidates": {cmd.member: amend(candidate, standing=Standing.DECLINED)}})
    change = Change(puts=turnout.puts, notes={"candidate": cmd.member})
    return (change, *_complete(case, turnout.on(case.data), case.position, turn))


def secretary_known(case: Case[Formation], cmd: do.SecretaryKnown, turn: Turn) -> tuple[Change, ...]:
    """The chair's seat follows the office at once, without a notice; the change itself has seated him."""
    if not checks.is_whole(case):
        return (Change(),)
    out = {
        key: amend(one, standing=Standing.DROPPED)
        for key, one in case.data.candidates.items()
        if one.post is Post.CHAIR and key != cmd.person and one.standing is not Standing.DROPPED
    }
    known = case.data.candidates.get(cmd.person, Candidate(category=Category.PARTY_ORG_MEMBER))
    chair = amend(known, standing=Standing.APPOINTED, post=Post.CHAIR, eligible=True, consent=True)
    turnout = Turnout({"candidates": {**out, cmd.person: chair}})
    after = turnout.on(case.data)
    to, first = _onwards(case, after)
    change = Change(
        type="secretary_known",
        to=to,
        sets={"cleared": case.data.cleared or first},
        puts=turnout.puts,
        clocks=(Start(code="APPOINT"),) if first else (),
    )
    return (change, *_complete(case, after, to or case.position, turn))


def abort(case: Case[Formation], cmd: do.Abort, turn: Turn) -> Change:
    """The notices come down; whoever waits for a seat to be filled is told."""
    running = (key for key, one in case.data.notices.items() if one is not Posting.ENDED)
    waiting = (*case.data.vacancies, *case.data.terms)
    return Change(
        to="ABORTED",
        effects=(
            *(Effect("TELL", "notice", key, "cancel", {"reason": cmd.reason}, turn.now) for key in running),
            *(_tell_membership(one, "formation_aborted", {"formation": case.id}, turn) for one in waiting),
        ),
        notices=(Notice(case.community, "formation_aborted"),),
        notes={"reason": cmd.reason},
    )


# --- what follows -------------------------------------------------------------------------------------------------


def _resolved(case: Case[Formation], key: str, closed: Objection, turn: Turn) -> tuple[Change, ...]:
    candidate = case.data.candidates[closed.candidate]
    others = any(
        one.candidate == closed.candidate and not one.outcome and name != key
        for name, one in case.data.objections.items()
    )
    ended = case.data.notices.get(candidate.notice) is Posting.ENDED
    where = candidate.standing
    if where is Standing.FROZEN and closed.outcome == UPHELD:
        where = Standing.DROPPED
    elif where is Standing.FROZEN and not others:
        where = Standing.CLEARED if ended else Standing.IN_NOTICE
    moved = amend(candidate, standing=where)
    turnout = Turnout({"objections": {key: closed}, "candidates": {closed.candidate: moved}})
    after = turnout.on(case.data)
    to, first = _onwards(case, after)
    left = standing(after, *checks.GOING_ON)
    change = Change(
        type="objection_resolved",
        to=to,
        sets={"cleared": case.data.cleared or first},
        puts=turnout.puts,
        clocks=(Meet(code="INVESTIGATE", ref=key), *((Start(code="APPOINT"),) if first else ())),
        notices=(
            Notice(case.subdistrict, "formation_objection_resolved" if left else "formation_all_dropped"),
            *((Notice(f"person:{closed.objector}", "formation_objection_answered"),) if closed.objector else ()),
        ),
    )
    return (change, *_complete(case, after, to or case.position, turn))


def _accepting(
    case: Case[Formation], cmd: do.IssueCertificate, turn: Turn
) -> tuple[Candidate, Mapping[str, Candidate]]:
    """Who accepts; where the secretary has changed meanwhile, the new one in the place of the old (I3)."""
    if cmd.post is not Post.CHAIR:
        return checks.known(case, cmd.member, "member"), {}
    now = checks.committee(turn)
    if cmd.member != now["secretary"]:
        raise GuardFailed("CHAIR_NOT_SECRETARY", field="member", clause="001 §三2")
    chairs = {key: one for key, one in case.data.candidates.items() if one.post is Post.CHAIR}
    if cmd.member in chairs or not checks.is_whole(case):
        return checks.known(case, cmd.member, "member"), {}
    known = case.data.candidates.get(cmd.member, Candidate(category=Category.PARTY_ORG_MEMBER))
    chair = amend(known, standing=Standing.CLEARED, post=Post.CHAIR, eligible=True, consent=True)
    return chair, {key: amend(one, standing=Standing.DROPPED) for key, one in chairs.items()}


def _onwards(case: Case[Formation], after: Formation) -> tuple[str, bool]:
    """Whether appointing begins now: where to, and whether it is the first time.

    The chair must be known, since no committee is without one (I2).
    """
    heads = [one for one in standing(after, *checks.GOING_ON).values() if one.post is Post.CHAIR]
    ready = standing(after, Standing.CLEARED, Standing.APPOINTED)
    if not ready or (checks.is_whole(case) and not heads):
        return "", False
    posted = any(one is not Posting.ENDED for one in after.notices.values())
    to = "APPOINTING" if case.position == "PUBLIC_NOTICE" and not posted else ""
    return to, not after.cleared and bool(standing(after, Standing.CLEARED))


def _complete(case: Case[Formation], after: Formation, position: str, turn: Turn) -> tuple[Change, ...]:
    """APPOINTED, once every cleared candidate has his certificate, nothing is open, and I2 and I3 hold."""
    waits = standing(after, Standing.CLEARED, Standing.FROZEN, Standing.IN_NOTICE)
    open_ = any(not one.outcome for one in after.objections.values())
    appointed = standing(after, Standing.APPOINTED)
    if position != "APPOINTING" or waits or open_ or not appointed:
        return ()
    if checks.is_whole(case) and not any(one.post is Post.CHAIR for one in appointed.values()):
        return ()
    today = turn.now.astimezone(CHINA).date()
    finish = {
        "community": case.community,
        "on": today.isoformat(),
        "keep": sorted(appointed) if checks.is_whole(case) else None,
        "of": case.id,
    }
    filled = _filled(after.vacancies, appointed)
    told = [
        *(
            _tell_membership(one, "formation_appointed", {"formation": case.id, "filled": one in filled}, turn)
            for one in after.vacancies
        ),
        *(
            _tell_membership(one, "formation_appointed", {"formation": case.id, "appointed": sorted(appointed)}, turn)
            for one in after.terms
        ),
    ]
    return (
        Change(
            type="appointed",
            to="APPOINTED",
            sets={"appointed_on": today},
            clocks=(Meet(code="APPOINT"),),
            effects=(deed(case, "complete_committee", **finish), *told),
            notices=(Notice(case.community, "roster_published"), Notice(case.subdistrict, "roster_published")),
        ),
    )


def _filled(vacancies: Mapping[str, Vacancy], appointed: Mapping[str, Candidate]) -> set[str]:
    """Which vacancies these people fill: each one seat, of the same post where there is one."""
    left = [one.post for one in appointed.values()]
    found: set[str] = set()
    for key, vacancy in vacancies.items():
        if vacancy.post in left:
            left.remove(vacancy.post)
            found.add(key)
    return found


def _relieve(acting: str | None, chair: str, turn: Turn) -> tuple[Effect, ...]:
    """The acting chair is a vice chair again from the moment there is a chair."""
    return (_tell_membership(acting, "chair_seated", {"chair": chair}, turn),) if acting else ()


def _tell_membership(membership: str, command: str, fields: Mapping[str, Any], turn: Turn) -> Effect:
    return Effect("TELL", "membership", membership, command, fields, turn.now)
