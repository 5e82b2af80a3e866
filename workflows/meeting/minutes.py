"""After the session: minutes that nobody changes, corrections beside them, tasks that follow (pure; processes P3)."""

from dataclasses import replace
from typing import Any

from workflows.kernel.calendar import Duration, Unit, local
from workflows.kernel.clocks import Meet, Start
from workflows.kernel.process import Case, Change, GuardFailed, Notice, Turn
from workflows.meeting import commands as do
from workflows.meeting.agenda import CLAUSE, item_at, ordered
from workflows.meeting.data import Correction, Followup, Item, ItemKind, ItemState, Meeting
from workflows.meeting.decisions import BINDING


def complete_decision(case: Case[Meeting], cmd: do.CompleteDecision, turn: Turn) -> Change:
    """Who is responsible until when, where the session had left it open."""
    item = item_at(case, cmd.item, ItemState.DECIDED, otherwise="ITEM_NOT_DECIDED")
    if item.lead_org is not None and cmd.lead_org not in (None, item.lead_org):
        raise GuardFailed("DECIDED_OTHERWISE", field="lead_org", clause=CLAUSE)
    if item.due_on is not None and cmd.due_on not in (None, item.due_on):
        raise GuardFailed("DECIDED_OTHERWISE", field="due_on", clause=CLAUSE)
    if cmd.due_on is not None and cmd.due_on < local(turn.now).date():
        raise GuardFailed("DAY_IN_PAST", field="due_on", clause="processes §0.3")
    put = replace(item, lead_org=cmd.lead_org or item.lead_org, due_on=cmd.due_on or item.due_on)
    return Change(puts={"items": {cmd.item: put}})


def may_sign(case: Case[Meeting], turn: Turn) -> None:
    """Attendance, statements, decisions, who is responsible, until when: all of it is there (S30)."""
    missing = {key: gap for key, item in ordered(case.data.items) if (gap := _gap(item))}
    if missing:
        raise GuardFailed("MINUTES_INCOMPLETE", field="item", clause=CLAUSE, missing=missing)


def _gap(item: Item) -> str:
    """What a binding decision still lacks; the day of a topic is set by the clocks of its issue."""
    if item.outcome not in BINDING:
        return ""
    if item.lead_org is None and item.lead is None:
        return "responsible"
    return "due" if item.kind is ItemKind.MATTER and item.due_on is None else ""


def sign_minutes(case: Case[Meeting], cmd: do.SignMinutes, turn: Turn) -> tuple[Change, ...]:
    """The chair signs; what was decided becomes tasks, or is in the hands of the issues' clocks already."""
    decided = [(key, item) for key, item in ordered(case.data.items) if item.outcome in BINDING]
    tasks = {
        f"t{place}": Followup(
            item=key,
            lead_org=item.lead_org or item.lead,
            due_on=item.due_on,
            handed=item.kind is ItemKind.TOPIC,
        )
        for place, (key, item) in enumerate(decided, start=1)
    }
    own = {key: task for key, task in tasks.items() if not task.handed}
    signed = Change(
        type="minutes_signed",
        to="MINUTES_SIGNED",
        sets={"signed_at": turn.now, "signed_by": turn.actor.id},
        notices=(Notice(case.community, "minutes_signed"),),
    )
    created = Change(
        type="tasks_created",
        to="FOLLOW_UP",
        puts={"tasks": tasks},
        clocks=tuple(_watch(key, task) for key, task in own.items()),
        notices=tuple(Notice(task.lead_org, "task_given", "TASK") for task in own.values() if task.lead_org),
    )
    return (signed, created) if own else (signed, created, Change(type="followed_up", to="CLOSED"))


def _watch(key: str, task: Followup) -> Start:
    return Start(code="TASK", ref=key, parameter="issue.decision.due", duration=Duration(0, Unit.DATE, on=task.due_on))


def task_done(case: Case[Meeting], cmd: do.TaskDone, turn: Turn) -> tuple[Change, ...]:
    """A task is done; with the last one the meeting is over."""
    task = case.data.tasks.get(cmd.task)
    if task is None or task.handed or task.done:
        raise GuardFailed("NO_SUCH_TASK", field="task", clause=CLAUSE)
    notes: dict[str, Any] = {"task": cmd.task, **({"text": cmd.text} if cmd.text else {})}
    done = Change(
        puts={"tasks": {cmd.task: replace(task, done=True)}}, clocks=(Meet(code="TASK", ref=cmd.task),), notes=notes
    )
    left = [key for key, one in case.data.tasks.items() if key != cmd.task and not (one.done or one.handed)]
    return (done,) if left else (done, Change(type="followed_up", to="CLOSED"))


def correct(case: Case[Meeting], cmd: do.Correction, turn: Turn) -> Change:
    """A correction is added; what was signed stays as it was (S30)."""
    key = f"c{len(case.data.corrections) + 1}"
    added = Correction(reason=cmd.reason, text=cmd.text, by=turn.actor.id, at=turn.now)
    told = Notice(case.community, "minutes_corrected")
    return Change(type="minutes_corrected", puts={"corrections": {key: added}}, notices=(told,))
