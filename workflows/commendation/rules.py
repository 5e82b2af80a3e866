"""Rules of a commendation (表彰): 大党委, then 居民代表会议, then the street, in that order (pure; seed 001 §六3)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from workflows.commendation import commands as do
from workflows.commendation.data import Commendation, Standing, SubjectKind, Verdict
from workflows.kernel.clocks import Start
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn, derived_id

ORDER = "001 §六3"
PASSED = "PASSED"
KEEPS = ("ADOPT", "KEEP")
"""Decisions of a body that support what was asked."""
TOLD = ("notice_ended", "objection_raised", "objection_resolved")


def nominate(case: Case[Commendation], cmd: do.NominateSubject, turn: Turn) -> Change:
    """提名: an appraisal of communities needs its approved project where the pack says so."""
    needs_project = turn.policy.flag("commendation.requires_project_approval")
    if needs_project and cmd.subject_kind is SubjectKind.COMMUNITY and cmd.project_no is None:
        raise GuardFailed("PROJECT_APPROVAL_REQUIRED", field="project_no", clause="004 §二(三)3")
    return Change(
        to="NOMINATED",
        title=cmd.subject,
        sets={
            "subject_kind": cmd.subject_kind,
            "subject": cmd.subject,
            "org": cmd.org,
            "deeds": cmd.deeds,
            "agreement": cmd.agreement,
            "project_no": cmd.project_no,
            "nominated_by": turn.actor.id,
        },
        notices=(Notice(case.community, "commendation_nominated", "VERIFY"),),
    )


def verify(case: Case[Commendation], cmd: do.VerifyDeeds, turn: Turn) -> Change:
    """核实: nobody is commended who owes something."""
    if not cmd.fulfilled:
        raise GuardFailed("AGREEMENT_NOT_FULFILLED", field="fulfilled", clause=ORDER)
    if cmd.open_violation:
        raise GuardFailed("VIOLATION_OPEN", field="open_violation", clause="processes P9")
    return Change(to="VERIFIED", sets={"finding": cmd.finding, "verified_at": turn.now})


def drop(case: Case[Commendation], cmd: do.DropNomination, turn: Turn) -> Change:
    """不予提名."""
    return Change(to="CLOSED:DROPPED", notes={"reason": cmd.reason})


def deliberate(case: Case[Commendation], cmd: do.Deliberate, turn: Turn) -> Change:
    """会议商议: the minutes of the 大党委 say it, not whoever enters them."""
    supported, opened_at = _decided(case, turn, "EXTENDED_PARTY_COMMITTEE", case.data.verified_at)
    return Change(
        to="EPC_SUPPORTED" if supported else "CLOSED:NOT_SUPPORTED",
        sets={"epc_meeting": cmd.meeting, "supported_at": opened_at if supported else None},
        # Where no 居民代表会议 is planned soon, an extraordinary one is asked of the 居委会 (processes P9).
        notices=(Notice(case.community, "commendation_to_residents"),) if supported else (),
        notes={"meeting": cmd.meeting},
    )


def discuss(case: Case[Commendation], cmd: do.Discuss, turn: Turn) -> Change:
    """讨论: after the 大党委, never before it."""
    supported, _ = _decided(case, turn, "RESIDENT_REPRESENTATIVES", case.data.supported_at)
    street = (Notice(case.subdistrict, "commendation_supported", "STREET"),) if supported else ()
    return Change(
        to="RRA_SUPPORTED" if supported else "CLOSED:NOT_SUPPORTED",
        sets={"rra_meeting": cmd.meeting},
        clocks=(Start(code="STREET"),) if supported else (),
        notices=street,
        notes={"meeting": cmd.meeting},
    )


def _decided(case: Case[Commendation], turn: Turn, body: str, after: datetime | None) -> tuple[bool, datetime]:
    """Whether a body has supported it in a session that began after the step before."""
    record: Mapping[str, Any] = turn.facts["meeting_record"]
    if body not in record.get("bodies", ()) or record["community"] != case.community:
        raise GuardFailed("MEETING_OF_ANOTHER_BODY", field="meeting", clause=ORDER)
    about = [one for one in record["items"].values() if one["subject_id"] == case.id]
    spoken = [one for one in about if one["result"] is not None or one["outcome"] is not None]
    if not spoken or record["opened_at"] is None:
        raise GuardFailed("NOT_DECIDED_THERE", field="meeting", clause=ORDER)
    opened_at = datetime.fromisoformat(record["opened_at"])
    if after is not None and opened_at < after:
        raise GuardFailed("MEETING_TOO_EARLY", field="meeting", clause=ORDER)
    last = spoken[-1]
    return last["result"] == PASSED and last["outcome"] in (None, *KEEPS), opened_at


def decide(case: Case[Commendation], cmd: do.DecideCommendation, turn: Turn) -> Change:
    """街道党(工)委决定: commended is who stood its notice."""
    if cmd.verdict is Verdict.REJECT:
        return Change(to="CLOSED:REJECTED", sets={"decision_no": cmd.decision_no}, notes={"text": cmd.text})
    notice = derived_id("notice", case.id)
    posting = {
        "kind": "COMMENDATION",
        "subject_type": case.process,
        "subject_id": case.id,
        "community_code": case.community,
        "text": cmd.text,
        "tells": list(TOLD),
        "interested": [case.data.nominated_by],
    }
    return Change(
        to="DECIDED",
        sets={"decision_no": cmd.decision_no, "notice": notice},
        effects=(Effect("START", "notice", notice, "post_notice", posting, turn.now),),
        notices=(Notice(case.community, "commendation_decided"),),
        notes={"text": cmd.text},
    )


def notice_ended(case: Case[Commendation], cmd: do.NoticeEnded, turn: Turn) -> Change:
    """No objection waits: 表彰; otherwise its answer is waited for."""
    if Standing.OPEN in case.data.objections.values():
        return Change(sets={"notice_over": True})
    return _commended(case, {"notice_over": True})


def objection_raised(case: Case[Commendation], cmd: do.ObjectionRaised, turn: Turn) -> Change:
    """It waits for the answer."""
    return Change(puts={"objections": {cmd.objection: Standing.OPEN}})


def objection_resolved(case: Case[Commendation], cmd: do.ObjectionResolved, turn: Turn) -> Change:
    """Upheld: not commended; the last one dismissed after the notice: commended."""
    standing = Standing(cmd.outcome)
    puts = {"objections": {cmd.objection: standing}}
    if standing is Standing.UPHELD:
        return Change(to="CLOSED:REJECTED", puts=puts, notices=(Notice(case.community, "commendation_rejected"),))
    waiting = {key for key, one in case.data.objections.items() if one is Standing.OPEN} - {cmd.objection}
    if waiting or not case.data.notice_over:
        return Change(puts=puts)
    return _commended(case, {}, puts)


def _commended(case: Case[Commendation], sets: Mapping[str, Any], puts: Mapping[str, Any] | None = None) -> Change:
    return Change(
        to="COMMENDED", sets=sets, puts=puts or {}, notices=(Notice(case.community, "commendation_commended"),)
    )


def too_late(case: Case[Commendation], cmd: Any, turn: Turn) -> Change:
    """What is said of the notice afterwards changes nothing here."""
    return Change(type="notice_word_came_late")


def revoke(case: Case[Commendation], cmd: do.RevokeCommendation, turn: Turn) -> Change:
    """撤销表彰."""
    return Change(to="REVOKED", notices=(Notice(case.community, "commendation_revoked"),), notes={"reason": cmd.reason})
