"""Commands and rules of a slot: a body meets once in its month, or makes up for it (pure; seed 001 §四2)."""

from typing import Annotated, Any

from workflows.kernel.clocks import Cancel, Clock, ClockOp, Start
from workflows.kernel.fields import Community, Field
from workflows.kernel.periods import beginning_of, clock_until, day_of_period
from workflows.kernel.process import Case, Change, Effect, Notice, Turn, command
from workflows.kernel.roles import Role
from workflows.slot.data import Slot

Meeting = Annotated[str, Field("会议", "Meeting", longest=64)]


@command("开始当月例会", "Open the month of a body")
class OpenSlot:
    """A month begins in which a body must meet (processes P3, Cadence)."""

    community_code: Annotated[str, Community("社区", "Community")]
    body: Annotated[str, Field("会议类别", "Body", longest=40)]
    period: Annotated[str, Field("月份", "Month", longest=20)]
    meetings: Annotated[tuple[str, ...], Field("已排会议", "Meetings set already", longest=20)] = ()


@command("排定例会", "Fill the slot")
class FillSlot:
    """A meeting is set inside the month; sent by that meeting."""

    meeting: Meeting


@command("例会取消", "Reopen the slot")
class ReopenSlot:
    """The meeting was cancelled, not held or moved to another month; sent by that meeting."""

    meeting: Meeting


@command("例会已开", "Record that the body has met")
class SlotHeld:
    """The meeting was held with its quorum; sent by that meeting."""

    meeting: Meeting


def open_slot(case: Case[Slot], cmd: OpenSlot, turn: Turn) -> Change:
    """The month runs to its end; whoever has set no meeting is reminded on day 22, then the street hears of it."""
    month = turn.policy.duration("clock.meeting.slot")
    start = beginning_of(cmd.period)
    return Change(
        to="SLOT_FILLED" if cmd.meetings else "SLOT_OPEN",
        title=f"当月例会（{cmd.period}）",
        sets={"body": cmd.body, "period": cmd.period, "meetings": cmd.meetings},
        clocks=(
            Start(code="SLOT", duration=month, parameter="clock.meeting.slot", since=start),
            _day("REMIND", cmd.period, "meeting.slot_reminder", turn),
            _day("REMIND_STREET", cmd.period, "meeting.slot_street", turn),
        ),
        effects=tuple(_given(case, meeting) for meeting in cmd.meetings),
        notices=() if cmd.meetings else _secretary(case, "slot_opened"),
    )


def fill(case: Case[Slot], cmd: FillSlot, turn: Turn) -> Change:
    """A meeting is set for the month; a further one changes nothing but the list."""
    meetings = tuple(dict.fromkeys((*case.data.meetings, cmd.meeting)))
    return Change(to="SLOT_FILLED", sets={"meetings": meetings}, effects=(_given(case, cmd.meeting),))


def reopen(case: Case[Slot], cmd: ReopenSlot, turn: Turn) -> Change:
    """The month is open again, and the secretary is reminded, unless another meeting is set for it."""
    left = tuple(one for one in case.data.meetings if one != cmd.meeting)
    if left:
        return Change(sets={"meetings": left})
    return Change(to="SLOT_OPEN", sets={"meetings": ()}, notices=_secretary(case, "slot_reopened"))


def held(case: Case[Slot], cmd: SlotHeld, turn: Turn) -> Change:
    """The body has met inside its month."""
    return Change(to="SLOT_DONE", sets={"held": cmd.meeting})


def made_up(case: Case[Slot], cmd: SlotHeld, turn: Turn) -> Change:
    """The body has met late: the month still counts as missed (S29)."""
    return Change(to="SLOT_MADE_UP", sets={"held": cmd.meeting})


def too_late(case: Case[Slot], cmd: Any, turn: Turn) -> Change:
    """The month is settled; what is still said of it is only kept."""
    return Change(notes={"meeting": cmd.meeting})


def remind(case: Case[Slot], clock: Clock, turn: Turn) -> Change:
    """Day 22 and nothing is set: the secretary is reminded."""
    return Change(type="slot_reminded", notices=_secretary(case, "slot_unset"))


def remind_street(case: Case[Slot], clock: Clock, turn: Turn) -> Change:
    """And then the street is told."""
    return Change(type="slot_reminded", notices=(Notice(case.subdistrict, "slot_unset", "SLOT"),))


def missed(case: Case[Slot], clock: Clock, turn: Turn) -> Change:
    """The month has ended without a meeting: made up within ten days, and the street knows of it (S29)."""
    ended: tuple[ClockOp, ...] = (
        Cancel(code="REMIND", reason="MISSED"),
        Cancel(code="REMIND_STREET", reason="MISSED"),
        Start(code="MAKE_UP"),
    )
    return Change(
        type="slot_missed", to="SLOT_MISSED", clocks=ended, notices=(Notice(case.subdistrict, "slot_missed", "SLOT"),)
    )


def not_made_up(case: Case[Slot], clock: Clock, turn: Turn) -> Change:
    """Nor was it made up."""
    told = Notice(case.subdistrict, "slot_not_made_up", "MAKE_UP")
    return Change(type="slot_not_made_up", to="SLOT_MISSED:NOT_MADE_UP", notices=(told,))


def _day(code: str, period: str, parameter: str, turn: Turn) -> Start:
    at = day_of_period(period, int(turn.policy.number(parameter)), turn.policy.scale)
    return clock_until(code, at, turn.now, parameter, scale=turn.policy.scale)


def _given(case: Case[Slot], meeting: str) -> Effect:
    """The meeting learns which slot it fills."""
    return Effect("TELL", "meeting", meeting, "take_slot", {"slot": case.id})


def _secretary(case: Case[Slot], template: str) -> tuple[Notice, ...]:
    roles = (Role.PARTY_SECRETARY, Role.MEETING_SECRETARY)
    return tuple(Notice(f"role:{role.value}@{case.community}", template, "SLOT") for role in roles)
