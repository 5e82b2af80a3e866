"""What may be said in a meeting, at random but mostly fit for where it stands: for walks and tables."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from tests.scenarios.street import ROSTERS
from workflows.kernel.process import Case
from workflows.meeting import commands as do
from workflows.meeting.bodies import body
from workflows.meeting.counting import awaited
from workflows.meeting.data import Choice, ItemState, Meeting, Outcome


def seated(case: Case[Meeting]) -> list[str]:
    """Everybody who sits in the bodies of a meeting."""
    seats = (ROSTERS[case.community].get(body(kind).register, ()) for kind in case.data.bodies)
    return list(dict.fromkeys(seat.person for held in seats for seat in held if seat.person))


def said(rng: Random, case: Case[Meeting], cases: Mapping[str, Case[Any]]) -> dict[type, Callable[[], Any]]:
    """Ways to say each command of a meeting that people give."""
    assert case.updated_at is not None
    now, data = case.updated_at, case.data
    issues = [key for key, one in cases.items() if one.process == "issue"] or ["i"]
    members = seated(case)
    here = [person for person, one in data.attendance.items() if one.until is None]
    lead = rng.choice((None, "property-1", "community-1", "urban-management"))

    def item(*states: ItemState) -> str:
        fit = [key for key, one in data.items.items() if one.state in states]
        return rng.choice(fit or list(data.items) or ["i1"])

    def soon(days: int = 20) -> Any:
        return now + timedelta(hours=rng.randint(25, 24 * days))

    opened = item(ItemState.OPENED)
    secret = opened in data.items and data.items[opened].secret
    free = sorted(awaited(case, opened))
    choices = tuple(rng.choices(tuple(Choice), weights=(5, 2, 1), k=len(free)))
    if rng.random() < 0.2:
        choices = tuple(Choice.FOR if place % 2 else Choice.AGAINST for place in range(len(free)))
    return {
        do.NameChair: lambda: do.NameChair(chair=rng.choice(members)),
        do.ProposeItem: lambda: (
            do.ProposeItem(topic=rng.choice(issues))
            if rng.random() < 0.7
            else do.ProposeItem(title="text:t", document="text:d", personnel=rng.random() < 0.5)
        ),
        do.Admit: lambda: do.Admit(item=item(ItemState.PROPOSED)),
        do.ReturnItem: lambda: do.ReturnItem(item=item(ItemState.PROPOSED), reason="text:r"),
        do.ArrangeItems: lambda: do.ArrangeItems(items=_shuffled(rng, data)),
        do.AddUrgentItem: lambda: do.AddUrgentItem(topic=rng.choice(issues)),
        do.SendNotice: lambda: do.SendNotice(briefing=rng.random() < 0.5),
        do.DeclareInterest: lambda: do.DeclareInterest(
            item=item(ItemState.ADMITTED, ItemState.OPENED), member=rng.choice((None, *members))
        ),
        do.RuleOnInterest: lambda: do.RuleOnInterest(
            item=item(ItemState.ADMITTED, ItemState.OPENED), member=rng.choice(members), accepted=rng.random() < 0.7
        ),
        do.Postpone: lambda: do.Postpone(scheduled_at=soon(), reason="text:r"),
        do.Cancel: lambda: do.Cancel(reason="text:r"),
        do.Reconvene: lambda: do.Reconvene(scheduled_at=soon(6)),
        do.OpenSession: lambda: do.OpenSession(
            present=tuple(members[: rng.choice((2, 5, len(members), len(members), len(members)))])
        ),
        do.RecordAttendance: lambda: do.RecordAttendance(
            joined=tuple(rng.sample(members, k=1)),
            left=tuple(rng.sample(here, k=min(len(here), rng.choice((0, 0, 3))))),
        ),
        do.OpenItem: lambda: do.OpenItem(item=item(ItemState.ADMITTED), secret=rng.random() < 0.2),
        do.RecordStatement: lambda: do.RecordStatement(
            item=opened, party="text:p", position="text:q", need="text:n", written=rng.random() < 0.3
        ),
        do.Deliberate: lambda: do.Deliberate(item=opened, text="text:t"),
        do.RecordVote: lambda: (
            do.RecordVote(item=opened, count=_count(choices), voters=tuple(free))
            if secret
            else do.RecordVote(item=opened, choice=rng.choice(tuple(Choice)))
            if rng.random() < 0.3
            else do.RecordVote(
                item=opened,
                votes=tuple(do.Cast(member=one, choice=two) for one, two in zip(free, choices, strict=True)),
            )
        ),
        do.CloseVote: lambda: do.CloseVote(item=opened),
        do.RecordDecision: lambda: do.RecordDecision(
            item=opened,
            outcome=rng.choice(tuple(Outcome)),
            text="text:d",
            lead_org=lead,
            due_on=rng.choice((None, soon(60).date())),
            until=rng.choice((None, soon(40).date())),
            explanation="text:e",
            waiver_reason=rng.choice((None, "text:w")),
            consensus=rng.choice((None, True, False)),
        ),
        do.Adjourn: do.Adjourn,
        do.CompleteDecision: lambda: do.CompleteDecision(
            item=item(ItemState.DECIDED), lead_org="community-1", due_on=soon(30).date()
        ),
        do.SignMinutes: do.SignMinutes,
        do.Correction: lambda: do.Correction(reason="text:r", text="text:t"),
        do.TaskDone: lambda: do.TaskDone(task=rng.choice([*data.tasks, "t1"])),
    }


def _shuffled(rng: Random, data: Meeting) -> tuple[str, ...]:
    """The items to come, mostly in an order that keeps what was carried over first."""
    coming = [key for key, one in data.items.items() if one.state in (ItemState.PROPOSED, ItemState.ADMITTED)]
    rng.shuffle(coming)
    if rng.random() < 0.7:
        coming.sort(key=lambda key: data.items[key].order // 1000)
    return tuple(coming or ["i1"])


def _count(choices: tuple[Choice, ...]) -> do.Count:
    in_favour, against, abstain = (choices.count(one) for one in (Choice.FOR, Choice.AGAINST, Choice.ABSTAIN))
    return do.Count(in_favour=in_favour, against=against, abstain=abstain)
