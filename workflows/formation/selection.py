"""From the candidates to the street's approval (人选、审批备案): shortlist, meeting, filing (pure; 001 §三3)."""

from collections.abc import Iterable, Mapping
from typing import Any

from workflows.formation import checks
from workflows.formation import commands as do
from workflows.formation.checks import Seat
from workflows.formation.data import Candidate, Category, Formation, Post, Posting, Standing, standing
from workflows.kernel.amending import amend
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn, derived_id

SELECTABLE = (
    Standing.VERIFIED,
    Standing.SHORTLISTED,
    Standing.NOT_SHORTLISTED,
    Standing.PARTY_REJECTED,
    Standing.STREET_RETURNED,
)
TOLD = ("notice_ended", "notice_interrupted", "notice_reposted", "objection_raised", "objection_resolved")
PARTY_BODIES = ("PARTY_MEMBERS", "TWO_COMMITTEES")
"""Bodies in which the community's party organisation meets (社区党组织会议)."""


def verify(case: Case[Formation], cmd: do.VerifyCandidate, turn: Turn) -> Change:
    """Eighteen, living, working or serving here, and not dismissed within a year [assumption]."""
    candidate = checks.known(case, cmd.candidate)
    if candidate.standing not in (Standing.NOMINATED, *SELECTABLE):
        raise GuardFailed("CANDIDATE_DECIDED", field="candidate", clause="processes P5")
    if not cmd.eligible and cmd.reason is None:
        raise GuardFailed("REASON_REQUIRED", field="reason", clause="processes P5")
    found = turn.facts["eligibility"]
    if cmd.eligible and found["minor"]:
        raise GuardFailed("MINOR", field="candidate", clause="processes P5")
    if cmd.eligible and found["dismissed_within_year"]:
        raise GuardFailed("DISMISSED_WITHIN_YEAR", field="candidate", clause="processes P5")
    verified = amend(
        candidate,
        eligible=cmd.eligible,
        standing=Standing.VERIFIED if cmd.eligible else Standing.NOT_SHORTLISTED,
        drop_reason=None if cmd.eligible else cmd.reason,
    )
    return Change(puts={"candidates": {cmd.candidate: verified}}, notes={"candidate": cmd.candidate})


def propose_shortlist(case: Case[Formation], cmd: do.ProposeShortlist, turn: Turn) -> Change:
    """初步人选: who is not on it stays behind; the secretary is on it by his office."""
    chosen = {one.candidate: one.post or Post.MEMBER for one in cmd.candidates}
    by_office = _by_office(case, chosen, turn)
    people = {**case.data.candidates, **by_office}
    for key in chosen:
        if key not in people:
            raise GuardFailed("UNKNOWN_CANDIDATE", field="candidates", clause="processes P5")
        _check_selectable(case, key, people[key], turn)
    seats = {key: Seat(post, people[key].category) for key, post in (*chosen.items(), *_chair(by_office))}
    checks.check_chair(case, checks.composition(case, seats, turn), turn)
    epc = set(checks.committee(turn)["epc"])
    listed = {
        key: amend(people[key], standing=Standing.SHORTLISTED, post=seat.post, overlap=key in epc)
        for key, seat in seats.items()
    }
    left = {
        key: amend(one, standing=Standing.NOT_SHORTLISTED)
        for key, one in standing(case.data, Standing.VERIFIED, Standing.SHORTLISTED).items()
        if key not in seats
    }
    return Change(puts={"candidates": {**left, **listed}})


def decide(case: Case[Formation], cmd: do.PartyMeetingDecide, turn: Turn) -> Change:
    """I9: a meeting of the party organisation, with its quorum; I1 to I8 hold or have their reason."""
    meeting = _meeting(turn)
    posts = dict(_choices(cmd.candidates))
    approved: dict[str, Candidate] = {}
    for key, post in posts.items():
        candidate = checks.known(case, key, "candidates")
        if candidate.standing not in (Standing.SHORTLISTED, Standing.STREET_RETURNED):
            raise GuardFailed("NOT_SHORTLISTED", field="candidates", clause="001 §三3")
        if not candidate.consent:
            raise GuardFailed("CONSENT_MISSING", field="candidates", clause="processes P5 I13")
        approved[key] = amend(candidate, standing=Standing.PARTY_APPROVED, post=post or candidate.post)
    listed = standing(case.data, Standing.SHORTLISTED, Standing.STREET_RETURNED)
    for key, one in listed.items():
        if key not in approved and one.post is Post.CHAIR:
            # The office decides who is chair, not the meeting.
            approved[key] = amend(one, standing=Standing.PARTY_APPROVED)
    seats = {key: Seat(one.post or Post.MEMBER, one.category) for key, one in approved.items()}
    whole = checks.composition(case, seats, turn)
    checks.check_chair(case, whole, turn)
    exceptions = checks.excused(checks.soft(case, whole, seats, turn), cmd.exception_reason)
    rejected = {key: amend(one, standing=Standing.PARTY_REJECTED) for key, one in listed.items() if key not in approved}
    return Change(
        to="STREET_REVIEW",
        sets={
            "meeting": meeting["id"],
            "decision_text": cmd.text,
            "exceptions": {**case.data.exceptions, **exceptions},
            "returned_reason": None,
        },
        puts={"candidates": {**rejected, **approved}},
        notices=(Notice(case.subdistrict, "formation_list_submitted", "STREET"),),
        notes={"meeting": meeting["id"], **({"exceptions": exceptions} if exceptions else {})},
    )


def approve(case: Case[Formation], cmd: do.ApproveAndFile, turn: Turn) -> Change:
    """I10: filed, and posted in the area for its three days with the same stroke (I11)."""
    waiting = standing(case.data, Standing.PARTY_APPROVED)
    wanted = waiting.keys() if cmd.candidates is None else {key for key, _ in _choices(cmd.candidates)}
    if not wanted <= waiting.keys():
        raise GuardFailed("NOT_ON_SUBMITTED_LIST", field="candidates", clause="001 §三3")
    if any(one.post is Post.CHAIR and key not in wanted for key, one in waiting.items()):
        raise GuardFailed("CHAIR_BY_OFFICE", field="candidates", clause="001 §三2")
    notice = derived_id("notice", case.id, str(len(case.data.notices) + 1))
    outcome = {
        key: amend(one, standing=Standing.IN_NOTICE, notice=notice)
        if key in wanted
        else amend(one, standing=Standing.STREET_RETURNED)
        for key, one in waiting.items()
    }
    posting = {
        "kind": "MEMBER",
        "subject_type": case.process,
        "subject_id": case.id,
        "community_code": case.community,
        "text": case.data.decision_text,
        "about": [key for key in waiting if key in wanted],
        "days_parameter": "notice.member.days",
        "tells": list(TOLD),
        "interested": [key for key in waiting if key in wanted and not key.startswith("contact:")],
    }
    return Change(
        to="PUBLIC_NOTICE",
        sets={"filing_no": cmd.filing_no},
        puts={"candidates": outcome, "notices": {notice: Posting.RUNNING}},
        effects=(Effect("START", "notice", notice, "post_notice", posting, turn.now),),
        notices=(Notice(case.community, "formation_approved"),),
        notes={"filing_no": cmd.filing_no},
    )


def return_list(case: Case[Formation], cmd: do.ReturnList, turn: Turn) -> Change:
    """S48: back to the shortlist, with the soft rules that the list breaks."""
    waiting = standing(case.data, Standing.PARTY_APPROVED)
    seats = {key: Seat(one.post or Post.MEMBER, one.category) for key, one in waiting.items()}
    whole = checks.composition(case, seats, turn)
    broken = [refusal.details["rule"] for refusal in checks.soft(case, whole, seats, turn)]
    return Change(
        to="SHORTLISTING",
        sets={"returned_reason": cmd.reason},
        puts={"candidates": {key: amend(one, standing=Standing.STREET_RETURNED) for key, one in waiting.items()}},
        notices=(Notice(case.community, "formation_list_returned", "SHORTLIST"),),
        notes={"reason": cmd.reason, "soft_rules": broken},
    )


def _by_office(case: Case[Formation], chosen: Mapping[str, Post], turn: Turn) -> dict[str, Candidate]:
    """The secretary as candidate for the chair of a whole committee, if he is not there by nomination already."""
    secretary = checks.committee(turn)["secretary"]
    ahead = {one.post for one in standing(case.data, *checks.GOING_ON).values()}
    if not checks.is_whole(case) or secretary is None or Post.CHAIR in ahead:
        return {}
    known = case.data.candidates.get(secretary, Candidate(category=Category.PARTY_ORG_MEMBER))
    if secretary in chosen and chosen[secretary] is not Post.CHAIR:
        raise GuardFailed("CHAIR_NOT_SECRETARY", field="candidates", clause="001 §三2")
    # Whoever holds the office has agreed to what it brings.
    return {secretary: amend(known, eligible=True, consent=True, standing=Standing.VERIFIED)}


def _chair(by_office: Mapping[str, Candidate]) -> Iterable[tuple[str, Post]]:
    return ((key, Post.CHAIR) for key in by_office)


def _check_selectable(case: Case[Formation], key: str, candidate: Candidate, turn: Turn) -> None:
    if candidate.standing not in SELECTABLE or not candidate.eligible:
        raise GuardFailed("NOT_VERIFIED", field="candidates", clause="processes P5")
    if not candidate.consent:
        raise GuardFailed("CONSENT_MISSING", field="candidates", clause="processes P5 I13")
    if not checks.is_whole(case) and key in checks.seated(turn):
        raise GuardFailed("ALREADY_MEMBER", field="candidates", clause="processes P6")


def _choices(candidates: do.Choices) -> Iterable[tuple[str, Post | None]]:
    return ((one, None) if isinstance(one, str) else (one.candidate, one.post) for one in candidates)


def _meeting(turn: Turn) -> Mapping[str, Any]:
    found: Mapping[str, Any] = turn.facts["party_meeting"]
    if not found.get("id"):
        raise GuardFailed("PARTY_MEETING_REQUIRED", field="meeting", clause="001 §三3")
    if not found["of_party_organisation"]:
        raise GuardFailed("NOT_A_PARTY_MEETING", field="meeting", clause="001 §三3")
    if not found["quorate"]:
        raise GuardFailed("MEETING_NOT_QUORATE", field="meeting", clause="001 §三3")
    return found
