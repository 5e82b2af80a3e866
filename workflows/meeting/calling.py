"""Calling a meeting: time and place, the month that it fills, postponing, cancelling, not held (pure; processes P3)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from workflows.kernel.calendar import Unit, local
from workflows.kernel.clocks import Cancel, Clock, ClockOp, Start
from workflows.kernel.periods import clock_until, end_of_period, period_of
from workflows.kernel.process import Case, Change, Effect, Forbidden, GuardFailed, Notice, Turn
from workflows.kernel.roles import Role
from workflows.meeting import commands as do
from workflows.meeting.agenda import CLAUSE, carried_over, invited, members
from workflows.meeting.bodies import body
from workflows.meeting.data import Meeting, MeetingType, NotHeld

MONTHLY = "monthly"
TIMED = ("FREEZE", "NOTICE_SENT", "REMINDER", "HELD_BY", "TOPIC_CALL")


# --- time ----------------------------------------------------------------------------------------------


def before(at: datetime, key: str, turn: Turn) -> datetime:
    """The moment that lies a parameter's hours, or calendar days, before another one."""
    duration = turn.policy.duration(key)
    scale = turn.policy.scale
    if scale is not None:
        length: timedelta = scale.length(duration.value, duration.unit)
        return at - length
    hours = duration.value if duration.unit is Unit.HOURS else duration.value * 24
    return at - timedelta(hours=hours)


def timing(kinds: tuple[MeetingType, ...], at: datetime, turn: Turn) -> tuple[ClockOp, ...]:
    """The clocks of a meeting at this time; those of an earlier time no longer count."""
    scale = turn.policy.scale

    def until(code: str, key: str, moment: datetime) -> Start:
        return clock_until(code, moment, turn.now, key, scale=scale)

    call: tuple[Start, ...] = ()
    if MeetingType.PARTY_BUILDING_JOINT in kinds:
        call = (until("TOPIC_CALL", "meeting.pjm.topic_call", before(at, "meeting.pjm.topic_call", turn)),)
    return (
        *(Cancel(code=code, reason="POSTPONED") for code in TIMED),
        *call,
        until("FREEZE", "meeting.agenda_freeze", before(at, "meeting.agenda_freeze", turn)),
        until("NOTICE_SENT", "meeting.notice", before(at, "meeting.notice", turn)),
        *reminders(at, turn),
    )


def reminders(at: datetime, turn: Turn) -> tuple[Start, Start]:
    """The reminder a day before, and the end of the month in which the meeting must be held."""
    scale = turn.policy.scale
    remind = before(at, "meeting.reminder", turn)
    return (
        clock_until("REMINDER", remind, turn.now, "meeting.reminder", scale=scale),
        clock_until("HELD_BY", end_of_period(at, scale), turn.now, "clock.meeting.held", scale=scale),
    )


def _in_future(at: datetime, turn: Turn) -> None:
    if at < turn.now:
        raise GuardFailed("MEETING_IN_PAST", field="scheduled_at", clause=CLAUSE)


# --- slots ---------------------------------------------------------------------------------------------


def slot_body(kinds: tuple[MeetingType, ...], policy: Any) -> MeetingType | None:
    """The body whose month this meeting fills: 大党委, or, where the pack says so, either of the two (packs §8)."""
    epc, joint = MeetingType.EXTENDED_PARTY_COMMITTEE, MeetingType.PARTY_BUILDING_JOINT
    either = policy.text("meeting.monthly_satisfied_by") == "EPC_OR_PJM"
    fills = epc in kinds or (either and joint in kinds)
    return epc if fills and policy.text(body(epc).frequency) == MONTHLY else None


def _slots(kinds: tuple[MeetingType, ...], turn: Turn) -> list[Mapping[str, Any]]:
    """The slots of the body, as the door found them, oldest first."""
    wanted = slot_body(kinds, turn.policy)
    known = turn.facts.get("slots", {}).get("slots", ())
    return sorted((one for one in known if one["body"] == wanted), key=lambda one: one["period"])


def _slot(kinds: tuple[MeetingType, ...], period: str, turn: Turn) -> Mapping[str, Any] | None:
    return next((one for one in _slots(kinds, turn) if one["period"] == period), None)


def tell_slot(case: Case[Meeting], slot: str | None, command: str, turn: Turn) -> tuple[Effect, ...]:
    """Tell the month of the body what became of its meeting."""
    return () if slot is None else (Effect("TELL", "slot", slot, command, {"meeting": case.id}, turn.now),)


def month_of(at: datetime, turn: Turn) -> str:
    """The month in which a meeting lies."""
    return period_of(at, "MONTH", turn.policy.scale)


def found_slot(case: Case[Meeting], turn: Turn) -> str | None:
    """The slot of a meeting; one that was opened after it was set is looked for."""
    if case.data.slot is not None or case.data.scheduled_at is None:
        return case.data.slot
    found = _slot(case.data.bodies, month_of(case.data.scheduled_at, turn), turn)
    return found["id"] if found else None


# --- schedule, postpone, cancel --------------------------------------------------------------------------


def schedule(case: Case[Meeting], cmd: do.ScheduleMeeting, turn: Turn) -> Change:
    """Time and place are set; the members are asked for topics."""
    kinds = (cmd.type,) if cmd.joint_with is None else (cmd.type, cmd.joint_with)
    if cmd.joint_with is cmd.type:
        raise GuardFailed("SAME_BODY", field="joint_with", clause=CLAUSE)
    _require_convenor(kinds, turn)
    _in_future(cmd.scheduled_at, turn)
    slot, effects = _filled(case, kinds, cmd, turn)
    return Change(
        to="AGENDA_OPEN",
        title=title(kinds, cmd.scheduled_at),
        level=max((_level(kind) for kind in kinds), default="L1"),
        sets={
            "type": cmd.type,
            "joint_with": cmd.joint_with,
            "scheduled_at": cmd.scheduled_at,
            "place": cmd.place,
            "make_up_for": cmd.make_up_for,
            "briefing": cmd.briefing,
            "scheduled_by": turn.actor.id,
            "chair": cmd.chair,
            "slot": slot,
        },
        clocks=timing(kinds, cmd.scheduled_at, turn),
        effects=effects,
        notices=() if MeetingType.PARTY_BUILDING_JOINT in kinds else members(case.community, kinds, "topics_called"),
    )


def title(kinds: tuple[MeetingType, ...], at: datetime) -> str:
    """How a meeting is called: its body and its day."""
    return f"{'、'.join(body(kind).zh for kind in kinds)}（{local(at):%Y-%m-%d}）"


def _level(kind: MeetingType) -> str:
    return "L3" if body(kind).external else "L2" if body(kind).topics == ("EXTENDED_PARTY_COMMITTEE",) else "L1"


def _require_convenor(kinds: tuple[MeetingType, ...], turn: Turn) -> None:
    """The secretary acts for the convenor of a body of the community; everybody else must be one himself."""
    if turn.grant.role == Role.MEETING_SECRETARY and not any(body(kind).external for kind in kinds):
        return
    if not any(turn.grant.role in body(kind).convenors for kind in kinds):
        raise Forbidden("NOT_IN_ROLE", command="schedule_meeting")


def _filled(
    case: Case[Meeting], kinds: tuple[MeetingType, ...], cmd: do.ScheduleMeeting, turn: Turn
) -> tuple[str | None, tuple[Effect, ...]]:
    """The slot that the meeting fills, or makes up for: a make-up never fills the month in which it is held (S29)."""
    if cmd.make_up_for is not None:
        # Of the many months that a drill has in one of the calendar, the last is meant.
        month = [one for one in _slots(kinds, turn) if one["period"].startswith(cmd.make_up_for)]
        missed = [one for one in month if one["state"] == "SLOT_MISSED"][-1:]
        if not missed:
            raise GuardFailed("NOTHING_TO_MAKE_UP", field="make_up_for", clause=CLAUSE)
        return missed[0]["id"], ()
    found = _slot(kinds, month_of(cmd.scheduled_at, turn), turn)
    if found is None:
        return None, ()
    return found["id"], tell_slot(case, found["id"], "fill_slot", turn)


def take_slot(case: Case[Meeting], cmd: do.TakeSlot, turn: Turn) -> Change:
    """The month of the meeting has begun, and its slot knows of it; one that begins late hears that it was held."""
    held = tell_slot(case, cmd.slot, "slot_held", turn) if case.data.held else ()
    return Change(sets={"slot": cmd.slot}, effects=held)


def too_late(case: Case[Meeting], cmd: Any, turn: Turn) -> Change:
    """What comes after the meeting has no use for it changes nothing."""
    return Change()


def call_topics(case: Case[Meeting], clock: Clock, turn: Turn) -> Change:
    """联席会议: fifteen days before, the member organisations are asked for topics."""
    return Change(type="topics_called", notices=members(case.community, case.data.bodies, "topics_called"))


def name_chair(case: Case[Meeting], cmd: do.NameChair, turn: Turn) -> Change:
    """The convenor lets somebody else chair."""
    return Change(sets={"chair": cmd.chair}, notices=(Notice(f"person:{cmd.chair}", "chair_named"),))


def postpone(case: Case[Meeting], cmd: do.Postpone, turn: Turn) -> Change:
    """Once; outside of the month the slot is open again, and missed when nothing else fills it."""
    if case.data.postponed >= turn.policy.number("meeting.postpone_max"):
        raise GuardFailed("POSTPONED_ALREADY", clause="meeting.postpone_max")
    _in_future(cmd.scheduled_at, turn)
    assert case.data.scheduled_at is not None
    slot = case.data.slot
    effects: tuple[Effect, ...] = ()
    moved = month_of(cmd.scheduled_at, turn) != month_of(case.data.scheduled_at, turn)
    if moved and case.data.make_up_for is None:
        new = _slot(case.data.bodies, month_of(cmd.scheduled_at, turn), turn)
        slot = new["id"] if new else None
        effects = tell_slot(case, found_slot(case, turn), "reopen_slot", turn) + tell_slot(
            case, slot, "fill_slot", turn
        )
    return Change(
        to="AGENDA_OPEN",
        title=title(case.data.bodies, cmd.scheduled_at),
        sets={
            "scheduled_at": cmd.scheduled_at,
            "postponed": case.data.postponed + 1,
            "slot": slot,
            "taken": False,
        },
        clocks=timing(case.data.bodies, cmd.scheduled_at, turn),
        effects=effects,
        notices=invited(case, "meeting_postponed"),
        notes={"reason": cmd.reason},
    )


def cancel(case: Case[Meeting], cmd: do.Cancel, turn: Turn) -> Change:
    """It does not take place: the month is open again, the items are carried over."""
    return replace(
        called_off(case, "CANCELLED", NotHeld.CANCELLED, turn, slot=found_slot(case, turn)),
        notes={"reason": cmd.reason},
    )


def not_held(case: Case[Meeting], clock: Clock, turn: Turn) -> Change:
    """The month has ended, or the time to reconvene: nobody held it."""
    change = called_off(case, "CANCELLED:NOT_HELD", NotHeld.MISSED, turn, slot=case.data.slot)
    street = Notice(case.subdistrict, "meeting_not_held", clock.code)
    return replace(change, type="not_held", notices=(*change.notices, street))


def called_off(case: Case[Meeting], to: str, why: NotHeld, turn: Turn, *, slot: str | None) -> Change:
    """The meeting is over before it began."""
    puts, effects = carried_over(case, why, turn)
    return Change(
        to=to,
        puts={"items": puts},
        effects=(*effects, *tell_slot(case, slot, "reopen_slot", turn)),
        notices=invited(case, "meeting_cancelled"),
    )
