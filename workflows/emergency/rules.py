"""Rules of an emergency (应急): one command line from discovery to joint handling (pure; P8, seed 001 §二4)."""

from dataclasses import replace
from typing import Any

from workflows.emergency import commands as do
from workflows.emergency.data import ORDER, URGENT, Emergency, Task
from workflows.kernel.clocks import Cancel, Clock, Meet, Start
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn, ask, derived_id
from workflows.kernel.roles import Role

CHAIN = "001 §二4"
REPORT = "clock.emergency.report"
REPORT_URGENT = "clock.emergency.report_urgent"


def detect(case: Case[Emergency], cmd: do.Detect, turn: Turn) -> Change:
    """网格发现: the community is called within minutes."""
    return Change(
        to="DETECTED",
        title=cmd.place_text,
        sets={
            "kind": cmd.kind,
            "place_text": cmd.place_text,
            "description": cmd.description,
            "danger": cmd.danger,
            "drill": cmd.drill,
            "recorded_late": cmd.recorded_late,
            "detected_by": cmd.found_by or turn.actor.id,
            "issue": cmd.issue,
        },
        notices=(_to(Role.COMMUNITY_WORKER, case.community, "emergency_detected", "CALL"),),
    )


def nobody_called(case: Case[Emergency], clock: Clock, turn: Turn) -> Change:
    """The secretary is called, and the street."""
    told = (_to(Role.PARTY_SECRETARY, case.community, "emergency_not_called"),)
    return Change(type="not_called", notices=(*told, *_outside(case, "emergency_not_called")))


def call(case: Case[Emergency], cmd: do.Call, turn: Turn) -> Change:
    """社区呼叫."""
    return Change(to="CALLED", notices=(_to(Role.PARTY_SECRETARY, case.community, "emergency_called", "GRADE"),))


def grade(case: Case[Emergency], cmd: do.Grade, turn: Turn) -> Change:
    """分级响应: whoever grades it commands; from level III on the street hears sooner."""
    parameter = REPORT_URGENT if cmd.level in URGENT else REPORT
    return Change(
        to="RESPONDING",
        sets={"level": cmd.level, "commander": turn.actor.id, **({"kind": cmd.kind} if cmd.kind else {})},
        clocks=(Start(code="REPORT", parameter=parameter),),
        notices=(Notice(case.community, "emergency_graded"), *_outside(case, "emergency_graded")),
        notes={"level": cmd.level.value},
    )


def false_alarm(case: Case[Emergency], cmd: do.FalseAlarm, turn: Turn) -> Change:
    """误报: the time line stays."""
    return Change(
        to="CLOSED:FALSE_ALARM",
        notices=(Notice(case.community, "emergency_false_alarm"),),
        notes={"reason": cmd.reason},
    )


def report(case: Case[Emergency], cmd: do.Report, turn: Turn) -> Change:
    """The street knows how things stand; the next report is owed in an hour."""
    again = (Start(code="SITUATION"),) if case.state == "RESPONDING" else ()
    return Change(
        sets={"situation": cmd.text},
        clocks=(Meet(code="REPORT"), Meet(code="SITUATION"), *again),
        notices=_outside(case, "emergency_reported"),
    )


def give_task(case: Case[Emergency], cmd: do.GiveTask, turn: Turn) -> Change:
    """协同处置: each task is watched for itself."""
    key = f"t{len(case.data.tasks) + 1}"
    told = () if case.data.drill else (Notice(cmd.team, "emergency_tasked", "ACK"),)
    return Change(
        puts={"tasks": {key: Task(team=cmd.team, text=cmd.text, at=turn.now)}},
        clocks=(Start(code="ACK", ref=key),),
        notices=told,
        notes={"task": key},
    )


def ack_task(case: Case[Emergency], cmd: do.AckTask, turn: Turn) -> Change:
    """The team goes."""
    task = _task(case, cmd.task)
    return Change(
        puts={"tasks": {cmd.task: replace(task, acked_at=task.acked_at or turn.now)}},
        clocks=(Meet(code="ACK", ref=cmd.task),),
    )


def finish_task(case: Case[Emergency], cmd: do.FinishTask, turn: Turn) -> Change:
    """What is done was heard."""
    task = replace(_task(case, cmd.task), done_at=turn.now)
    return Change(
        puts={"tasks": {cmd.task: replace(task, acked_at=task.acked_at or turn.now)}},
        clocks=(Meet(code="ACK", ref=cmd.task),),
    )


def _task(case: Case[Emergency], key: str) -> Task:
    task = case.data.tasks.get(key)
    if task is None:
        raise GuardFailed("UNKNOWN_TASK", field="task", clause="processes P8")
    if task.done_at is not None:
        raise GuardFailed("TASK_ALREADY_DONE", field="task", clause="processes P8")
    return task


def upgrade(case: Case[Emergency], cmd: do.Upgrade, turn: Turn) -> Change:
    """To a higher level only."""
    if _rank(cmd.level) <= _rank(case.data.level):
        raise GuardFailed("LEVEL_NOT_HIGHER", field="level", clause="processes P8")
    return _graded_anew(case, cmd)


def downgrade(case: Case[Emergency], cmd: do.Downgrade, turn: Turn) -> Change:
    """To a lower level only; below III nothing stays paused."""
    if _rank(cmd.level) >= _rank(case.data.level):
        raise GuardFailed("LEVEL_NOT_LOWER", field="level", clause="processes P8")
    if case.data.paused and cmd.level not in URGENT:
        raise GuardFailed("CLOCKS_PAUSED", field="level", clause="processes P8")
    return _graded_anew(case, cmd)


def _graded_anew(case: Case[Emergency], cmd: do.Upgrade | do.Downgrade) -> Change:
    return Change(
        sets={"level": cmd.level},
        notices=(Notice(case.community, "emergency_graded"), *_outside(case, "emergency_graded")),
        notes={"level": cmd.level.value, "reason": cmd.reason},
    )


def _rank(level: Any) -> int:
    return ORDER.index(level)


def hand_over(case: Case[Emergency], cmd: do.HandOver, turn: Turn) -> Change:
    """统一指挥: the new commander replaces the old one in the same moment."""
    if cmd.commander == case.data.commander:
        raise GuardFailed("COMMANDS_ALREADY", field="commander", clause=CHAIN)
    return Change(
        sets={"commander": cmd.commander},
        notices=(Notice(f"person:{cmd.commander}", "emergency_commander"),),
        notes={"commander": cmd.commander, "reason": cmd.reason},
    )


def contain(case: Case[Emergency], cmd: do.Contain, turn: Turn) -> Change:
    """受控: nobody owes reports by the hour any more."""
    return Change(
        to="CONTAINED",
        sets={"contained_at": turn.now},
        clocks=(Cancel(code="SITUATION", reason="CONTAINED"),),
    )


def flare_up(case: Case[Emergency], cmd: do.FlareUp, turn: Turn) -> Change:
    """险情反复."""
    return Change(to="RESPONDING", sets={"contained_at": None}, notes={"reason": cmd.reason})


def was_reported(case: Case[Emergency], turn: Turn) -> None:
    """The street has heard of it before it is over."""
    if case.clock("REPORT") is not None:
        raise GuardFailed("NOT_REPORTED", clause="processes P8")


def stand_down(case: Case[Emergency], cmd: do.StandDown, turn: Turn) -> Change:
    """解除响应: residents are told; tasks nobody has confirmed are owed no longer."""
    waiting = tuple(
        Cancel(code="ACK", ref=key, reason="STOOD_DOWN")
        for key, task in case.data.tasks.items()
        if case.clock("ACK", key) is not None and task.acked_at is None
    )
    return Change(
        to="STOOD_DOWN",
        sets={"stood_down_at": turn.now},
        clocks=waiting,
        notices=(Notice(case.community, "emergency_over", "REVIEW"), *_outside(case, "emergency_over")),
    )


# --- the clocks of the community ----------------------------------------------------------------------------


def may_pause(case: Case[Emergency], turn: Turn) -> None:
    """From level III on, once at a time, and never for an exercise."""
    if case.data.drill:
        raise GuardFailed("ONLY_A_DRILL", clause="processes P8")
    if case.data.level not in URGENT:
        raise GuardFailed("LEVEL_BELOW_III", clause="processes P8")
    if case.data.paused:
        raise GuardFailed("CLOCKS_PAUSED", clause="processes P8")


def pause(case: Case[Emergency], cmd: do.PauseClocks, turn: Turn) -> Change:
    """Every open issue of the community is asked for and told."""
    number = case.data.pause_count + 1
    return Change(
        sets={"paused": True, "pause_count": number, "paused_issues": ()},
        effects=(ask(case, "open_issues", "take_issues", pause=number),),
        notices=(Notice(case.community, "emergency_clocks_paused"),),
        notes={"reason": cmd.reason},
    )


def take_issues(case: Case[Emergency], cmd: do.TakeIssues, turn: Turn) -> Change:
    """An answer that comes after the pause has ended changes nothing."""
    if not case.data.paused or cmd.pause != case.data.pause_count:
        return Change(type="issues_came_late")
    return Change(
        sets={"paused_issues": cmd.issues},
        effects=tuple(_tell(one, "pause_for_emergency", case, turn) for one in cmd.issues),
    )


def is_paused(case: Case[Emergency], turn: Turn) -> None:
    """There is something to resume."""
    if not case.data.paused:
        raise GuardFailed("CLOCKS_NOT_PAUSED", clause="processes P8")


def resume(case: Case[Emergency], cmd: do.ResumeClocks, turn: Turn) -> Change:
    """恢复时限."""
    return Change(
        sets={"paused": False, "paused_issues": ()},
        effects=tuple(_tell(one, "resume_after_emergency", case, turn) for one in case.data.paused_issues),
        notices=(Notice(case.community, "emergency_clocks_resumed"),),
    )


# --- afterwards ---------------------------------------------------------------------------------------------


def may_review(case: Case[Emergency], turn: Turn) -> None:
    """No clock stays stopped by an emergency that is over."""
    if case.data.paused:
        raise GuardFailed("CLOCKS_PAUSED", clause="processes P8")


def review(case: Case[Emergency], cmd: do.Review, turn: Turn) -> Change:
    """复盘: what is left to do goes the way of every issue."""
    ids = tuple(derived_id("follow-up", case.id, str(number)) for number in range(len(cmd.follow_ups)))
    return Change(
        to="CLOSED:REVIEWED",
        sets={"lessons": cmd.lessons, "follow_ups": ids},
        effects=tuple(
            Effect("START", "issue", key, "submit_issue", _issue(case, one), turn.now)
            for key, one in zip(ids, cmd.follow_ups, strict=True)
        ),
    )


def _issue(case: Case[Emergency], one: do.FollowUp) -> dict[str, Any]:
    return {
        "community_code": case.community,
        "title": one.title,
        "description": one.description,
        "source": "EMERGENCY",
    }


def _tell(issue: str, command: str, case: Case[Emergency], turn: Turn) -> Effect:
    return Effect("TELL", "issue", issue, command, {"emergency": case.id}, turn.now)


def _outside(case: Case[Emergency], template: str) -> tuple[Notice, ...]:
    """The street is told, unless it is an exercise."""
    return () if case.data.drill else (Notice(case.subdistrict, template),)


def _to(role: Role, place: str, template: str, clock: str = "") -> Notice:
    return Notice(f"role:{role.value}@{place}", template, clock)
