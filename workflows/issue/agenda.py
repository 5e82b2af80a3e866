"""What meetings know of issues: which topics wait for a body, why, and in which order (议题, pure)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from workflows.issue.data import Body, Issue
from workflows.issue.topic import DECIDABLE, MEETING_BODIES
from workflows.kernel.process import Case

PLAIN = "SCHEDULED"
"""How an issue calls a topic that came by its handling mode alone."""
TAKEN_AWAY = "CARRIED_OVER_TWICE"
"""Why a topic went from the 大党委 to the street; its next meeting still hears of it first (S20)."""


def standing(case: Case[Issue], on: date | None = None) -> dict[str, Any]:
    """An issue as a meeting must know it, as plain JSON; `on` is the day of the meeting that looks for topics."""
    data = case.data
    topic = data.escalated
    red = data.red or any(clock.color == "RED" for clock in case.clocks)
    return {
        "id": case.id,
        "number": case.number,
        "title": case.title,
        "community": case.community,
        "state": case.state,
        "body": topic.body.value if topic is not None else data.topic_body.value if data.topic_body else "",
        "level": topic.level if topic is not None else case.level,
        "reason": reason(case, red=red),
        "since": _since(case),
        "first": (topic is not None and data.carry_over > 0) or (topic is None and data.topic_first),
        "red": red,
        "danger": data.danger,
        "escalated": topic is not None,
        "waiting": _waits(case, on),
        "meeting": data.meeting,
        "defers": data.defers,
        "ties": data.ties,
        "lead_org": data.lead_org,
        "orgs": [one for one in dict.fromkeys((data.lead_org, *data.helper_orgs)) if one],
        "reporter": data.reporter_id,
    }


def _waits(case: Case[Issue], on: date | None) -> bool:
    """Whether a meeting of the community can take it now: a topic that is on no agenda, or one put off until then."""
    data = case.data
    if data.meeting is not None:
        return False
    if data.escalated is not None:
        return data.escalated.body in MEETING_BODIES and case.state in DECIDABLE and not data.escalated.admitted
    if data.topic_body not in MEETING_BODIES:
        return False
    if case.position == "DEFERRED":
        return data.deferred_until is None or (on is not None and data.deferred_until <= on)
    return case.state in ("TOPIC_PROPOSED", "ON_AGENDA")


def reason(case: Case[Issue], *, red: bool) -> str:
    """Why it is on the table: PROPOSED, CARRIED_OVER, RED, DEFERRED, or what else the issue's rules say."""
    data = case.data
    if data.escalated is not None:
        return "CARRIED_OVER" if data.carry_over > 0 else data.escalated.reason
    if case.state == "DEFERRED":
        return "DEFERRED"
    if data.topic_reason in (None, PLAIN):
        return "RED" if red else "PROPOSED"
    return str(data.topic_reason)


def _since(case: Case[Issue]) -> str:
    since = case.data.escalated.since if case.data.escalated is not None else case.data.topic_since
    return since.isoformat() if since is not None else ""


def waiting(cases: Iterable[Case[Issue]], bodies: Iterable[str], on: date) -> list[dict[str, Any]]:
    """The topics that wait for bodies, in the order of the agenda: carried over, RED, then the oldest.

    What went from the 大党委 to the street because it was not reached comes first, as information (S20).
    """
    wanted = frozenset(bodies)
    found = []
    for case in cases:
        topic = standing(case, on)
        if topic["waiting"] and topic["body"] in wanted:
            found.append(topic)
        elif Body.EXTENDED_PARTY_COMMITTEE in wanted and _was_taken_away(case):
            found.append({**topic, "first": True, "information": True})
    return sorted(found, key=lambda one: (not one["first"], not one["red"], one["since"], one["id"]))


def _was_taken_away(case: Case[Issue]) -> bool:
    return case.state == "TOPIC_PROPOSED" and case.data.topic_reason == TAKEN_AWAY
