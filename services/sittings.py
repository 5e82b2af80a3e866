"""What meetings ask, answered from cases alone: topics that wait, slots, tasks, what stands in the minutes (会议查询).

PostgreSQL and the simulator both find the cases and leave the answer to these functions, so that the two cannot drift.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from workflows.issue.agenda import standing, waiting
from workflows.issue.data import Issue
from workflows.kernel.calendar import Scale, local
from workflows.kernel.periods import beginning_of, end_of_period
from workflows.kernel.process import Asked, Case
from workflows.kernel.simulator import Question, Street
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
    """A slot for each of these communities, filled where a meeting is set for the month or was held in it already."""
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
    # A month may begin late, after an outage: what was held meanwhile counts for it.
    counts = (meeting.state in UNHELD or data.held) and data.make_up_for is None and MONTHLY in data.bodies
    return counts and at is not None and start <= at < ends


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


# --- on the simulator ------------------------------------------------------------------------------------


def answers(rosters: Mapping[str, Mapping[str, Sequence[Seat]]]) -> dict[str, Question]:
    """What a simulated street answers; `rosters` gives the seats of each community's bodies by their registers."""

    def seats_of(street: Street, asked: Asked) -> Json:
        case = _meeting(asked)
        held = rosters.get(case.community, {})
        return seats({kind.value: held.get(body(kind).register, ()) for kind in case.data.bodies})

    def roster(street: Street, asked: Asked) -> Json:
        place = asked.about.get("community") or (asked.case.community if asked.case else "")
        held = rosters.get(place, {}).get(asked.about["body"], ())
        return {
            "members": [{"person": one.person, "org": one.org, "post": one.post} for one in held],
            "size": len(held),
        }

    def to_open(street: Street, asked: Asked) -> Json:
        region, period = asked.about["region"], asked.about["period"]
        codes = [code for code in rosters if code.startswith(region)]
        return slots_to_open(codes, period, _cases(street, "meeting"), street.world.policy.scale)

    return {
        "seats": seats_of,
        "roster": roster,
        "slots_to_open": to_open,
        "topics": lambda street, asked: topics(
            _meeting(asked), _there(street, "issue", asked), _there(street, "meeting", asked)
        ),
        "agenda_items": lambda street, asked: agenda_items(_meeting(asked), _there(street, "issue", asked)),
        "issue_topic": lambda street, asked: issue_topic(asked, street.cases.get(named_topic(asked) or "")),
        "titles": lambda street, asked: {
            "titles": {one: street.cases[one].title for one in asked.about["topics"] if one in street.cases}
        },
        "slots": lambda street, asked: slots(_there(street, "slot", asked)),
        "meeting_record": lambda street, asked: record_of(street.cases[asked.about["meeting"]]),
    }


def _meeting(asked: Asked) -> Case[Meeting]:
    assert asked.case is not None
    return asked.case


def _cases(street: Street, process: str) -> list[Case[Any]]:
    return [case for case in street.cases.values() if case.process == process]


def _there(street: Street, process: str, asked: Asked) -> list[Case[Any]]:
    place = asked.case.community if asked.case is not None else asked.about["community_code"]
    return [case for case in _cases(street, process) if case.community == place]
