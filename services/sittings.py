"""What meetings ask, answered from cases alone: topics that wait, slots, tasks, what stands in the minutes (会议查询).

PostgreSQL and the simulator both find the cases and leave the answer to these functions, so that the two cannot drift.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from workflows.issue.agenda import standing, waiting
from workflows.issue.data import Issue
from workflows.kernel.calendar import Scale, local
from workflows.kernel.periods import beginning_of, end_of_period
from workflows.kernel.process import Asked, Case
from workflows.meeting.bodies import body
from workflows.meeting.data import ItemKind, Meeting, MeetingType, Seat
from workflows.slot.data import Slot

MONTHLY = MeetingType.EXTENDED_PARTY_COMMITTEE
"""The body that meets every month (seed 001 §四2)."""
UNHELD = ("AGENDA_OPEN", "AGENDA_FROZEN", "NOTICED", "INQUORATE", "IN_SESSION")
Json = dict[str, Any]


def topic_bodies(case: Case[Meeting]) -> tuple[str, ...]:
    """Whose topics a meeting may take."""
    return tuple(dict.fromkeys(one for kind in case.data.bodies for one in body(kind).topics))


def day_of(case: Case[Meeting]) -> date | None:
    """The day for which a meeting is set."""
    return local(case.data.scheduled_at).date() if case.data.scheduled_at else None


def topics(meeting: Case[Meeting], issues: Iterable[Case[Issue]], meetings: Iterable[Case[Meeting]]) -> Json:
    """The topics that wait for a meeting in their order, and the tasks of the one before it."""
    on = day_of(meeting)
    assert on is not None
    last = _last_with_tasks(meeting, meetings)
    tasks = [] if last is None else [{"id": last.id, "number": last.number}]
    return {"topics": waiting(issues, topic_bodies(meeting), on), "tasks": tasks}


def _last_with_tasks(meeting: Case[Meeting], meetings: Iterable[Case[Meeting]]) -> Case[Meeting] | None:
    """The last meeting of the same body whose decisions nobody has looked at again."""
    earlier = [one for one in meetings if one.id != meeting.id and one.data.type is meeting.data.type]
    looked_at = {
        item.subject_id
        for one in earlier
        if one.data.adjourned_at is not None
        for item in one.data.items.values()
        if item.kind is ItemKind.INFORMATION and item.subject_type == "meeting"
    }
    with_tasks = [one for one in earlier if one.data.tasks and one.id not in looked_at]
    return max(with_tasks, key=lambda one: one.data.signed_at or _NEVER, default=None)


_NEVER = datetime.min.replace(tzinfo=beginning_of("2026-01").tzinfo)


def named_topic(asked: Asked) -> str | None:
    """The issue that a command of a meeting is about: named as topic, or by its item."""
    named = asked.about.get("topic")
    if named is not None or asked.case is None:
        return named
    item = asked.case.data.items.get(asked.about.get("item", ""))
    return item.subject_id if item is not None and item.kind is ItemKind.TOPIC else None


def issue_topic(asked: Asked, issue: Case[Issue] | None) -> Json:
    """The issue of a topic as it stands now; nothing where the item is about something else."""
    if issue is None or asked.case is None:
        return {}
    return standing(issue, day_of(asked.case))


def agenda_items(meeting: Case[Meeting], issues: Iterable[Case[Issue]]) -> Json:
    """Which topics of a meeting still wait for it."""
    on, mine = day_of(meeting), topic_bodies(meeting)
    found = (standing(issue, on) for issue in issues)
    return {"waiting": sorted(one["id"] for one in found if one["waiting"] and one["body"] in mine)}


def slots(found: Iterable[Case[Slot]]) -> Json:
    """The months of the bodies of a community."""
    return {
        "slots": [
            {"id": one.id, "body": one.data.body, "period": one.data.period, "state": one.position} for one in found
        ]
    }


def slots_to_open(
    communities: Iterable[str], period: str, meetings: Iterable[Case[Meeting]], scale: Scale | None
) -> Json:
    """A slot for each of these communities, filled where a meeting is set for the month already."""
    start = beginning_of(period)
    ends = end_of_period(start, scale)
    due = [one for one in meetings if _is_due(one, start, ends)]
    openings = []
    for community in sorted(communities):
        there = [one.id for one in due if one.community == community]
        fields = {"community_code": community, "body": MONTHLY.value, "period": period, "meetings": there}
        openings.append({"key": f"{community}|{MONTHLY.value}|{period}", "fields": fields})
    return {"openings": openings}


def _is_due(meeting: Case[Meeting], start: datetime, ends: datetime) -> bool:
    data = meeting.data
    at = data.scheduled_at
    waits = meeting.state in UNHELD and data.make_up_for is None and MONTHLY in data.bodies
    return waits and at is not None and start <= at < ends


def seats(rosters: Mapping[str, Iterable[Seat]]) -> Json:
    """The seats of the bodies of a meeting, by body."""
    return {
        "bodies": {
            kind: [
                {"person": one.person, "org": one.org, "post": one.post, "deputies": list(one.deputies)} for one in held
            ]
            for kind, held in rosters.items()
        }
    }


def record_of(meeting: Case[Meeting]) -> Json:
    """What other processes must know of a meeting: which body met when, how many were there, what was decided."""
    data = meeting.data
    return {
        "id": meeting.id,
        "number": meeting.number,
        "state": meeting.position,
        "bodies": [kind.value for kind in data.bodies],
        "community": meeting.community,
        "opened_at": data.opened_at.isoformat() if data.opened_at else None,
        "held": data.held,
        "signed": data.signed_at is not None,
        "present": sorted(person for person, one in data.attendance.items() if one.member),
        "members": {kind: [seat.key for seat in held] for kind, held in data.rosters.items()},
        "items": {
            key: {
                "subject_type": item.subject_type,
                "subject_id": item.subject_id,
                "outcome": item.outcome.value if item.outcome else None,
                "result": item.result.value if item.result else None,
            }
            for key, item in data.items.items()
        },
    }
