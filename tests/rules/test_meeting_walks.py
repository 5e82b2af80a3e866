"""Random sessions: whoever comes, votes, leaves or forgets, what must never happen in a meeting does not happen.

No vote is counted twice and none without quorum, every opened item has an outcome before the session ends, what the
meeting says of a topic is what the issue heard, and a topic is carried over at most once a month.
"""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.rules.meeting_scenes import said
from tests.rules.rows import UPKEEP
from tests.scenarios.street import C1, ORGANIZATIONS, PEOPLE, Town, world
from workflows.issue.data import Difficulty, DifficultyReason, HandlingMode
from workflows.kernel.calendar import local
from workflows.kernel.process import Case, Event, Refusal
from workflows.kernel.step import Order, evolve, fitting
from workflows.meeting import commands as do
from workflows.meeting.counting import is_quorate, recused
from workflows.meeting.data import ItemKind, ItemState, Meeting, MeetingType
from workflows.meeting.decisions import BINDING
from workflows.meeting.process import MEETING

ACTORS = tuple(PEOPLE.values())
OVER = ("CLOSED", "CANCELLED", "MINUTES_DRAFT", "FOLLOW_UP", "INQUORATE")
DEAD_ENDS = (do.Cancel, do.Postpone, do.ReturnItem, do.NameChair, do.RecordAttendance)


class Session(RuleBasedStateMachine):
    """Topics of one community, meetings that take them, and everybody who has a word in them."""

    def __init__(self) -> None:
        super().__init__()
        self.town = Town("06-01 00:00")
        self.reached: Counter[str] = Counter()

    @initialize(count=st.integers(1, 4))
    def begin(self, count: int) -> None:
        """A month begins, and some topics wait."""
        self.town.month("2026-06")
        for number in range(count):
            self._topic(f"t{number}", easy=number == 3)
        self._meet()

    def _topic(self, key: str, *, easy: bool) -> None:
        self.town.submit(key, "grid1", danger=key == "t1")
        difficulty = Difficulty.EASY if easy else Difficulty.MODERATE
        reasons = () if easy else (DifficultyReason.MONEY,)
        self.town.accept(
            key, "worker1", HandlingMode.SCHEDULED, "D02", difficulty=difficulty, difficulty_reasons=reasons
        )

    def _meet(self, kind: MeetingType = MeetingType.EXTENDED_PARTY_COMMITTEE, **fields: Any) -> None:
        command = do.ScheduleMeeting(
            community_code=C1,
            type=kind,
            scheduled_at=self.town.street.now + timedelta(days=4, hours=15),
            place="text:p",
            **fields,
        )
        held = sum(case.process == "meeting" for case in self.town.street.cases.values())
        self.town.street.open("meeting", f"m{held}", command, PEOPLE["clerk1"])

    @rule(kind=st.sampled_from((MeetingType.EXTENDED_PARTY_COMMITTEE, MeetingType.TWO_COMMITTEES)), joint=st.booleans())
    def another(self, kind: MeetingType, joint: bool) -> None:
        """Another meeting is set, perhaps a joint one."""
        other = MeetingType.CWC_SESSION if joint else None
        self._meet(kind, **({"joint_with": other} if other else {}))

    @rule(rng=st.randoms(use_true_random=False), times=st.integers(3, 12))
    def act(self, rng: Random, times: int) -> None:
        """Somebody does what mostly fits."""
        for _ in range(times):
            meetings = [case for case in self.town.street.cases.values() if case.process == "meeting"]
            case = rng.choice([one for one in meetings if one.state not in OVER] or meetings)
            here = [on for (source, on) in MEETING.table if source == case.position and isinstance(on, type)]
            ways = said(rng, case, self.town.street.cases)
            here = [on for on in here if on in ways and on not in UPKEEP]
            if rng.random() < 0.9:
                here = [on for on in here if on not in DEAD_ENDS] or here
            if not here:
                continue
            self._tried(rng, case, ways[rng.choice(here)]())

    def _tried(self, rng: Random, case: Case[Meeting], command: Any) -> None:
        arrow = MEETING.table[case.position, type(command)]
        fit = [one for one in ACTORS if fitting(case, arrow, Order(command=command, actor=one)) is not None]
        actor = rng.choice(fit if fit and rng.random() < 0.95 else ACTORS)
        before = case
        seen = len(self.town.street.histories[case.id])
        try:
            self.town.street.command(case.id, command, actor, facts={"organizations": ORGANIZATIONS})
        except Refusal:
            return
        for event in self.town.street.histories[case.id][seen:]:
            _lawful(before, event)
            before = evolve(MEETING, before, event).case
            self.reached[event.type] += 1

    @rule(hours=st.sampled_from((1, 15, 30, 24 * 4, 24 * 9)))
    def wait(self, hours: int) -> None:
        """Time passes; a new month begins with its slots."""
        street = self.town.street
        month = local(street.now).month
        street.run_to(street.now + timedelta(hours=hours))
        if local(street.now).month != month:
            self.town.month(f"{local(street.now):%Y-%m}")

    @invariant()
    def nothing_unlawful_stands(self) -> None:
        """Every meeting, every issue, every month."""
        street = self.town.street
        assert {reason for _, reason in street.refused} == set()
        for case in street.cases.values():
            if case.process == "meeting":
                self._meeting(case)
            if case.process == "issue":
                _carried_once_a_month(street.histories[case.id])
        slots = Counter((one.community, one.data.period) for one in street.cases.values() if one.process == "slot")
        assert set(slots.values()) <= {1}

    def _meeting(self, case: Case[Meeting]) -> None:
        data = case.data
        if case.state in OVER or case.state in ("MINUTES_SIGNED",):
            assert not [key for key, item in data.items.items() if item.state is ItemState.OPENED]
        counted = [
            place for event in self.town.street.histories[case.id] for place in event.change.puts.get("votes", {})
        ]
        assert len(counted) == len(set(counted))
        for key, item in data.items.items():
            if item.kind is ItemKind.TOPIC and item.state is ItemState.DECIDED:
                self._issue_has_heard(case, key)
            if item.outcome in BINDING:
                assert item.statements or item.waiver_reason
            if item.secret:
                assert not [place for place in data.votes if place.partition("/")[0] == key]

    def _issue_has_heard(self, case: Case[Meeting], key: str) -> None:
        item = case.data.items[key]
        heard = [
            event
            for event in self.town.street.histories[item.subject_id]
            if event.change.notes.get("meeting") == case.id and event.change.notes.get("item") == key
        ]
        types = {event.type for event in heard}
        assert "record_decision" in types if item.outcome else "record_tally" in types
        if item.result is not None:
            assert {str(one.change.notes["result"]) for one in heard if one.type == "record_tally"} == {item.result}


def _lawful(before: Case[Meeting], event: Event) -> None:
    """No vote, count or decision without quorum; nobody who is recused votes."""
    votes = event.change.puts.get("votes", {})
    for place in votes:
        item, _, person = place.partition("/")
        assert before.state == "IN_SESSION"
        assert is_quorate(before, world().policy, item=item)
        assert person not in recused(before, item)
        assert place not in before.data.votes
    if event.type in ("record_decision", "vote_closed"):
        assert before.state == "IN_SESSION"


def _carried_once_a_month(history: list[Event]) -> None:
    months = Counter(
        (event.change.sets["carried_month"], event.change.sets["carry_over"])
        for event in history
        if event.type == "carry_over" and "carried_month" in event.change.sets
    )
    counts: dict[str, set[int]] = {}
    for month, count in months:
        counts.setdefault(month, set()).add(count)
    assert all(len(one) <= 2 for one in counts.values())


TestSession = Session.TestCase
TestSession.settings = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def test_walks_come_as_far_as_decisions_and_minutes() -> None:
    """Walks that never vote would prove nothing."""
    reached: Counter[str] = Counter()
    for seed in range(25):
        machine, rng = Session(), Random(seed)
        machine.begin(3)
        for _ in range(14):
            machine.act(rng, 8)
            machine.wait(rng.choice((1, 15, 30, 96)))
            machine.nothing_unlawful_stands()
        reached += machine.reached

    assert min(reached[one] for one in ("record_vote", "vote_closed", "record_decision", "adjourned")) > 0
    assert reached["minutes_signed"] > 0
