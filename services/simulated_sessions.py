"""The bodies of a simulated city: they set their meetings, sit, vote and decide on their agendas (模拟会议)."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from services import sittings
from workflows.issue.agenda import waiting
from workflows.kernel.calendar import local
from workflows.kernel.periods import period_of
from workflows.kernel.process import SYSTEM, Actor, Asked, Case, Grant, derived_id
from workflows.kernel.simulator import Question, Street
from workflows.meeting import commands as do
from workflows.meeting.bodies import body
from workflows.meeting.counting import awaited
from workflows.meeting.data import Choice, ItemKind, ItemState, MeetingType, Outcome, Seat
from workflows.slot import rules as month

REF = "text:0000000000000000"
EPC, TWO_COMMITTEES = MeetingType.EXTENDED_PARTY_COMMITTEE, MeetingType.TWO_COMMITTEES
SIZES = {EPC: 9, TWO_COMMITTEES: 8}
SET_AHEAD = timedelta(days=6)
NOTICE_AHEAD = timedelta(hours=73)
ITEM_TAKES = timedelta(minutes=10)
MINUTES_TAKE = timedelta(hours=20)
AGAINST = 0.15
"""How likely a member votes against."""


class Stage(Protocol):
    """What the simulation of a city offers to its meetings."""

    street: Street
    chance: Any

    def at(self, moment: datetime, act: Callable[[], None]) -> None:
        """Do something at a moment."""

    def give(self, case: Case[Any], command: Any, who: Actor) -> None:
        """Give a command."""

    def attempt(self, act: Callable[[], None]) -> None:
        """Do something that the rules may refuse."""

    def plan_next(self, case_id: str) -> None:
        """Let the people of an issue go on."""


@dataclass(slots=True)
class Sessions:
    """Meetings of all communities; what they ask is answered from what each community has."""

    stage: Stage
    issues: Mapping[str, list[str]]
    """Ids of the issues of each community."""
    agendas: dict[tuple[str, str], int] = field(default_factory=dict)
    """Items on the table of the 大党委, by month and community."""
    held: Counter[str] = field(default_factory=Counter)
    """Sessions by body."""
    _meetings: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _slots: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    # --- answers -------------------------------------------------------------------------------------------

    def questions(self) -> dict[str, Question]:
        """What the rules of meetings are answered; each answer looks at one community only."""

        def cases(street: Street, ids: Iterable[str]) -> list[Case[Any]]:
            return [street.cases[one] for one in ids]

        def topics(street: Street, asked: Asked) -> Mapping[str, Any]:
            case = _asking(asked)
            issues = cases(street, self.issues.get(case.community, ()))
            return sittings.topics(case, issues, cases(street, self._meetings[case.community][-8:]))

        def seats(street: Street, asked: Asked) -> Mapping[str, Any]:
            case = _asking(asked)
            return sittings.seats(
                {
                    kind.value: [Seat(person=one.id) for one in members(case.community, kind)]
                    for kind in case.data.bodies
                }
            )

        def issue_topic(street: Street, asked: Asked) -> Mapping[str, Any]:
            return sittings.issue_topic(asked, street.cases.get(sittings.named_topic(asked) or ""))

        def slots(street: Street, asked: Asked) -> Mapping[str, Any]:
            place = asked.case.community if asked.case else asked.about["community_code"]
            return sittings.slots(cases(street, self._slots[place][-2:]))

        def agenda_items(street: Street, asked: Asked) -> Mapping[str, Any]:
            case = _asking(asked)
            return sittings.agenda_items(case, cases(street, self.issues.get(case.community, ())))

        near = {"topics": topics, "seats": seats, "issue_topic": issue_topic, "slots": slots}
        return {**sittings.answers({}), **near, "agenda_items": agenda_items}

    # --- the month -----------------------------------------------------------------------------------------

    def begin_month(self, code: str) -> None:
        """The month of a community's 大党委 begins."""
        street = self.stage.street
        period = period_of(street.now, "MONTH", street.world.policy.scale)
        case_id = derived_id("slot", f"{code}|{EPC.value}|{period}")
        street.open("slot", case_id, month.OpenSlot(community_code=code, body=EPC.value, period=period), SYSTEM)
        self._slots[code].append(case_id)

    def set_meeting(self, code: str, kind: MeetingType, at: datetime) -> None:
        """Some days ahead the clerk sets a meeting; the notice goes out when the agenda has frozen."""
        ahead = SET_AHEAD if kind is EPC else NOTICE_AHEAD + timedelta(hours=3)
        self.stage.at(at - ahead, lambda: self._schedule(code, kind, at))

    def _schedule(self, code: str, kind: MeetingType, at: datetime) -> None:
        if kind is TWO_COMMITTEES and not self._waits(code, kind, at):
            return
        key = f"meeting-{code}-{kind.value}-{at:%Y%m%d%H%M}"
        command = do.ScheduleMeeting(community_code=code, type=kind, scheduled_at=at, place=REF)
        self.stage.street.open("meeting", key, command, clerk(code))
        self._meetings[code].append(key)
        self.stage.at(at - NOTICE_AHEAD, lambda: self._notify(key))
        self.stage.at(at, lambda: self._sit(key))

    def _waits(self, code: str, kind: MeetingType, at: datetime) -> bool:
        """The 两委 meet as needed."""
        street = self.stage.street
        issues = [street.cases[one] for one in self.issues.get(code, ())]
        return bool(waiting(issues, body(kind).topics, local(at).date()))

    def _notify(self, key: str) -> None:
        self._try(key, do.SendNotice(briefing=True), clerk)

    def _sit(self, key: str) -> None:
        """Everybody comes; item after item is opened, heard, voted on and decided."""
        case = self._case(key)
        if case.state != "NOTICED":
            return
        kind = case.data.bodies[0]
        present = tuple(one.id for one in members(case.community, kind))
        self._try(key, do.OpenSession(present=present), secretary)
        case = self._case(key)
        self.held[kind.value] += case.state == "IN_SESSION"
        items = sorted(case.data.items.items(), key=lambda pair: pair[1].order)
        if kind is EPC:
            name = f"{local(self.stage.street.now):%Y-%m}"
            self.agendas[name, case.community] = self.agendas.get((name, case.community), 0) + len(items)
        at = self.stage.street.now
        for item, one in items:
            at += ITEM_TAKES
            self.stage.at(at, lambda item=item: self._discuss(key, item))  # type: ignore[misc]  # bound now
            if one.kind is ItemKind.TOPIC:
                self.stage.at(at, lambda one=one: self.stage.plan_next(one.subject_id))  # type: ignore[misc]  # bound now
        self.stage.at(at + ITEM_TAKES, lambda: self._try(key, do.Adjourn(), secretary))
        self.stage.at(at + MINUTES_TAKE, lambda: self._try(key, do.SignMinutes(), secretary))

    def _discuss(self, key: str, item: str) -> None:
        self._try(key, do.OpenItem(item=item), secretary)
        if self._case(key).data.items[item].state is not ItemState.OPENED:
            return
        self._try(key, do.RecordStatement(item=item, party=REF, position=REF, need=REF), clerk)
        self._try(key, do.RecordVote(item=item, votes=self._votes(key, item)), clerk)
        lead = f"community-{self._case(key).community}"
        result = self._case(key).data.items[item].result
        if result == "PASSED":
            self._try(key, do.RecordDecision(item=item, outcome=Outcome.ASSIGN, text=REF, lead_org=lead), secretary)
        elif result == "NOT_PASSED":
            self._try(key, do.RecordDecision(item=item, outcome=Outcome.ESCALATE, text=REF), secretary)

    def _votes(self, key: str, item: str) -> tuple[do.Cast, ...]:
        return tuple(
            do.Cast(member=one, choice=Choice.AGAINST if self.stage.chance.random() < AGAINST else Choice.FOR)
            for one in sorted(awaited(self._case(key), item))
        )

    def _case(self, key: str) -> Case[Any]:
        return self.stage.street.cases[key]

    def _try(self, key: str, command: Any, who: Callable[[str], Actor]) -> None:
        case = self._case(key)
        self.stage.attempt(lambda: self.stage.give(case, command, who(case.community)))


def clerk(code: str) -> Actor:
    """The meeting secretary of a community."""
    return Actor(f"clerk-{code}", "clerk", (Grant("meeting_secretary", code, None),))


def secretary(code: str) -> Actor:
    """The party secretary of a community, who chairs its bodies."""
    grants = tuple(Grant(one, code, None) for one in ("party_secretary", "cwc_chair"))
    return Actor(f"secretary-{code}", "secretary", grants)


def members(code: str, kind: MeetingType) -> list[Actor]:
    """Everybody who sits in a body."""
    role = body(kind).members[0].value
    others = [Actor(f"{role}-{code}-{n}", role, (Grant(role, code, None),)) for n in range(1, SIZES[kind])]
    return [secretary(code), *others]


def _asking(asked: Asked) -> Case[Any]:
    assert asked.case is not None
    return asked.case
