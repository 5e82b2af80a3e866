"""P3, meetings 会议 (MeetingWorkflow): states, clocks and the table of arrows (pure).

Read the table row by row beside processes.md P3. The rules stand in one file a stage: `calling`, `agenda`,
`session`, `votes`, `decisions`, `minutes`; the arithmetic of quorum and majority in `counting`, the bodies in `bodies`.
"""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import ClockKind, ClockRule
from workflows.kernel.process import Case, Moment, Paper, Process, State, arrows
from workflows.kernel.upkeep import upkeep
from workflows.meeting import agenda, calling, decisions, minutes, session, votes
from workflows.meeting import commands as do
from workflows.meeting import people as who
from workflows.meeting.data import ItemState, Meeting

STATES = (
    State("AGENDA_OPEN", "征集议题", "Agenda open", work=("send_notice",)),
    State("AGENDA_FROZEN", "议程已定", "Agenda frozen", work=("send_notice",)),
    State("NOTICED", "已通知", "Noticed", work=("open_session",)),
    State("INQUORATE", "不足法定人数", "Inquorate", work=("reconvene",)),
    State("IN_SESSION", "会议中", "In session", work=("open_item", "record_vote", "record_decision", "adjourn")),
    State("MINUTES_DRAFT", "拟写纪要", "Minutes in draft", work=("sign_minutes",)),
    State("MINUTES_SIGNED", "纪要已签", "Minutes signed"),
    State("FOLLOW_UP", "任务跟进", "Follow-up", work=("task_done",)),
    State("CLOSED", "已归档", "Closed", ends=True),
    State("CANCELLED", "已取消", "Cancelled", ends=True),
    State("CANCELLED:NOT_HELD", "未召开", "Not held", ends=True),
)
PREPARED = ("AGENDA_OPEN", "AGENDA_FROZEN", "NOTICED")
BEFORE = (*PREPARED, "INQUORATE")
SIGNED = ("MINUTES_SIGNED", "FOLLOW_UP", "CLOSED")
CALLED_OFF = ("CANCELLED", "CANCELLED:NOT_HELD")
ENDED = ("CLOSED", *CALLED_OFF)
OPEN = tuple(state.name for state in STATES if not state.ends)
ELSEWHERE = tuple(state.name for state in STATES if state.name != "AGENDA_FROZEN")
"""Positions in which an answer of topics comes too late: the notice has taken them itself, or all is put off."""


def _community(case: Case[Any], ref: str) -> str:
    return case.community


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


def _responsible(case: Case[Meeting], ref: str) -> str:
    task = case.data.tasks.get(ref)
    return (task.lead_org if task else None) or case.community


def _nobody(case: Case[Any], ref: str) -> str:
    return ""


# fmt: off
WINDOW = ClockKind.WINDOW

CLOCKS = (
    ClockRule("TOPIC_CALL", "meeting.pjm.topic_call", "征集议题", "Call for topics", _nobody, _nobody, WINDOW),
    ClockRule("FREEZE", "meeting.agenda_freeze", "议程截止", "Agenda freezes", _community, _community, WINDOW),
    ClockRule("NOTICE_SENT", "meeting.notice", "发出通知", "Notice", _community, _community),
    ClockRule("REMINDER", "meeting.reminder", "会前提醒", "Reminder", _nobody, _nobody, WINDOW),
    ClockRule("HELD_BY", "clock.meeting.held", "当月召开", "Held in its month", _community, _subdistrict, WINDOW),
    ClockRule("RECONVENE", "clock.meeting.reconvene", "重新召集", "Reconvening", _community, _subdistrict),
    ClockRule("MINUTES", "meeting.minutes.due", "会议纪要", "Minutes", _community, _community),
    ClockRule("TASK", "issue.decision.due", "后续任务", "Task", _responsible, _community),
)

SPEAKER = (who.CLERK, who.CHAIR, who.MEMBER, *who.FLOOR)

AGENDA = (
    arrows("", do.ScheduleMeeting, "AGENDA_OPEN", by=who.CALLER, rule=calling.schedule, event="scheduled", clause="001 §四2"),
    arrows(BEFORE, do.NameChair, by=who.CONVENOR, rule=calling.name_chair),
    arrows("AGENDA_OPEN", Moment("ENDED", "TOPIC_CALL"), by=who.SYSTEM, rule=calling.call_topics),
    arrows("AGENDA_OPEN", do.ProposeItem, by=SPEAKER, rule=agenda.propose_item, clause="001 §四2"),
    arrows("AGENDA_OPEN", do.Admit, by=(who.CLERK, who.CONVENOR), rule=agenda.admit),
    arrows("AGENDA_OPEN", do.ReturnItem, by=who.CONVENOR, rule=agenda.return_item),
    arrows((*PREPARED, "IN_SESSION"), do.ArrangeItems, by=(who.CLERK, who.CONVENOR, who.CHAIR), rule=agenda.arrange_items),
    arrows("AGENDA_OPEN", Moment("ENDED", "FREEZE"), "AGENDA_FROZEN", by=who.SYSTEM, rule=agenda.freeze),
    arrows("AGENDA_FROZEN", do.TakeTopics, by=who.SYSTEM, rule=agenda.take_topics),
    arrows(ELSEWHERE, do.TakeTopics, by=who.SYSTEM, rule=calling.too_late),
    arrows(OPEN, do.LearnTitles, by=who.SYSTEM, rule=agenda.learn_titles),
    arrows(ENDED, do.LearnTitles, by=who.SYSTEM, rule=calling.too_late),
    arrows((*OPEN, "CLOSED"), do.TakeSlot, by=who.SYSTEM, rule=calling.take_slot),
    arrows(CALLED_OFF, do.TakeSlot, by=who.SYSTEM, rule=calling.too_late),
    arrows(OPEN, do.WithdrawTopic, by=who.SYSTEM, rule=agenda.withdraw_topic),
    arrows(ENDED, do.WithdrawTopic, by=who.SYSTEM, rule=calling.too_late),
    arrows(("AGENDA_OPEN", "AGENDA_FROZEN"), do.SendNotice, "NOTICED", by=(who.CLERK, who.CONVENOR), rule=agenda.send_notice),
    arrows("NOTICED", Moment("ENDED", "REMINDER"), by=who.SYSTEM, rule=agenda.remind),
    arrows(PREPARED, do.AddUrgentItem, by=who.CHAIR, rule=agenda.add_urgent_item),
    arrows(PREPARED, do.Postpone, "AGENDA_OPEN", by=who.CONVENOR, rule=calling.postpone),
    arrows(BEFORE, do.Cancel, "CANCELLED", by=who.CONVENOR, rule=calling.cancel),
    arrows(PREPARED, Moment("ENDED", "HELD_BY"), "CANCELLED:NOT_HELD", by=who.SYSTEM, rule=calling.not_held),
    arrows("INQUORATE", Moment("DUE", "RECONVENE"), "CANCELLED:NOT_HELD", by=who.SYSTEM, rule=calling.not_held),
)

SESSION = (
    arrows("NOTICED", do.OpenSession, ("IN_SESSION", "INQUORATE"), by=who.CHAIR, rule=session.open_session, clause="001 §四3"),
    arrows("INQUORATE", do.Reconvene, "NOTICED", by=who.CONVENOR, rule=session.reconvene),
    arrows(("NOTICED", "IN_SESSION"), do.DeclareInterest, by=(*SPEAKER, who.RESIDENT), rule=votes.declare_interest),
    arrows(("NOTICED", "IN_SESSION"), do.RuleOnInterest, by=who.CHAIR, rule=votes.rule_on_interest),
    arrows("IN_SESSION", do.RecordAttendance, by=(who.CLERK, who.CHAIR), rule=session.record_attendance),
    arrows("IN_SESSION", do.OpenItem, by=(who.CHAIR, who.CLERK), rule=session.open_item, may=session.may_decide, clause="001 §四3"),
    arrows("IN_SESSION", do.RecordStatement, by=SPEAKER, rule=session.record_statement, clause="001 §四3"),
    arrows("IN_SESSION", do.Deliberate, by=SPEAKER, rule=session.deliberate),
    arrows("IN_SESSION", do.RecordVote, by=(who.CLERK, who.MEMBER, *who.FLOOR), rule=votes.record_vote),
    arrows("IN_SESSION", do.CloseVote, by=(who.CLERK, who.CHAIR), rule=votes.close_vote, may=session.may_decide),
    arrows("IN_SESSION", do.RecordDecision, by=(who.CHAIR, who.CLERK), rule=decisions.record_decision, may=session.may_decide, clause="001 §四3"),
    arrows("IN_SESSION", do.Adjourn, "MINUTES_DRAFT", by=who.CHAIR, rule=session.adjourn, starts=("MINUTES",), event="adjourned"),
)

MINUTES = (
    arrows("MINUTES_DRAFT", do.CompleteDecision, by=(who.CLERK, who.CHAIR), rule=minutes.complete_decision),
    arrows("MINUTES_DRAFT", do.SignMinutes, SIGNED, by=who.CHAIR, rule=minutes.sign_minutes, may=minutes.may_sign, meets=("MINUTES",)),
    arrows(SIGNED, do.Correction, by=(who.CLERK, who.CHAIR), rule=minutes.correct),
    arrows("FOLLOW_UP", do.TaskDone, "CLOSED", by=(who.CLERK, who.COMMUNITY_WORKER, who.RESPONSIBLE), rule=minutes.task_done),
)
# fmt: on


def facets(case: Case[Meeting]) -> Mapping[str, Any]:
    """Whom the meeting concerns besides its community: those who sit in it, and those whom an item is about."""
    data = case.data
    seated = {person for seats in data.rosters.values() for seat in seats for person in (seat.person, *seat.deputies)}
    invited = {to for item in data.items.values() if item.state is not ItemState.RETURNED for to in item.parties}
    people = {to.removeprefix("person:") for to in invited if to.startswith("person:")}
    tasks = {task.lead_org for task in data.tasks.values()}
    return {
        "agenda_body": data.type.value if data.type else None,
        "people": sorted({one for one in (*seated, *people, *data.attendance, data.chair) if one}),
        "orgs": sorted({one for one in (*invited, *tasks) if one and not one.startswith("person:")}),
        "submitted_by": data.scheduled_by or None,
    }


MEETING: Process[Meeting] = Process(
    name="meeting",
    plural="meetings",
    zh="会议",
    en="Meeting",
    states=STATES,
    arrows=(*(arrow for group in (AGENDA, SESSION, MINUTES) for row in group for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Meeting,
    place=lambda command, facts: command.community_code,
    facets=facets,
    needs={
        do.ScheduleMeeting: ("slots",),
        do.Postpone: ("slots",),
        do.Cancel: ("slots",),
        do.Reconvene: ("slots", "agenda_items"),
        do.Adjourn: ("slots",),
        do.ProposeItem: ("issue_topic",),
        do.Admit: ("issue_topic",),
        do.AddUrgentItem: ("issue_topic",),
        do.SendNotice: ("topics",),
        do.OpenSession: ("seats", "slots"),
        do.RecordDecision: ("issue_topic",),
    },
    papers=(
        Paper("MEETING_NOTICE", "会议通知", "Notice of the meeting", on=("notice_sent", "reconvene")),
        Paper("MINUTES", "会议纪要", "Minutes", on=("minutes_signed",)),
        Paper("MINUTES_CORRECTION", "会议纪要更正", "Correction of the minutes", on=("minutes_corrected",)),
    ),
)
