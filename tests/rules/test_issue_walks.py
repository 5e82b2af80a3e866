"""Random lives of issues: whatever people do, or leave undone, what must never happen does not happen.

The invariants 1–8 of processes P1, the rules of §0.3 for clocks, and the promise of the whole product: in no open
position does an issue stand without somebody who owes something or a window that gives it back.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.rules.issue_scenes import ACTORS, FACTS, WAYS, play, samples
from tests.rules.meeting_scenes import said
from tests.rules.rows import UPKEEP
from tests.scenarios.street import C1, C2, CONTACT, EVIDENCE, PEOPLE, STREET, Town, moment, world
from workflows.issue import commands as do
from workflows.issue.data import (
    Body,
    ClockClass,
    ClosureCode,
    Difficulty,
    DifficultyReason,
    HandlingMode,
    Issue,
    Outcome,
    Solved,
    Source,
    StreetOutcome,
)
from workflows.issue.process import ISSUE, OPEN
from workflows.kernel.calendar import CHINA
from workflows.kernel.clocks import Clock, ClockKind, ClockState
from workflows.kernel.process import Case, Event, Refusal
from workflows.kernel.simulator import Street
from workflows.kernel.step import Batch, Order, Stamps, evolve, fitting, stamp, tasks
from workflows.kernel.wire import carried, event_of, event_row, restored
from workflows.meeting import commands as sit
from workflows.meeting.data import MeetingType
from workflows.supervision import rules as watch

BINDING = (Outcome.ADOPT, Outcome.ASSIGN, Outcome.REFER_DEPARTMENT, Outcome.KEEP)
OWED: dict[str, tuple[str, ...]] = {
    "REGISTERED": ("TRIAGE", "INFO_WAIT"),
    "REGISTERED:DECLINE_PROPOSED": ("TRIAGE",),
    "REGISTERED:TRANSFER_PENDING": ("TRANSFER",),
    "VERIFYING": ("VERIFY",),
    "ON_PROBLEM_LIST": ("TRIAGE",),
    "TOPIC_PROPOSED": ("AGENDA",),
    "ON_AGENDA": ("HEARING",),
    "UNDER_DISCUSSION": ("HEARING",),
    "DEFERRED": ("DEFER",),
    "DEFERRED:CONSULTATION": ("CONSULT",),
    "PLANNING": ("PLAN",),
    "ASSIGNED": ("SIGN",),
    "ASSIGNED:DESIGNATION_ASKED": ("DESIGNATE",),
    "IN_PROGRESS": ("HANDLE", "REFER_REPLY", "ESCALATED"),
    "SUSPENDED": ("SUSPEND_MAX",),
    "COMPLETION_REVIEW": ("REVIEW",),
    "FEEDBACK_DUE": ("FEEDBACK",),
    "RETURN_VISIT": ("RETURN",),
    "RETURN_VISIT:DISPUTED": ("DISPUTE",),
}
"""Which clock says in each open position who owes something, or when the case is given back."""
PAUSABLE: dict[str, Callable[[Case[Any]], bool]] = {
    "HANDLE": lambda case: case.state in ("SUSPENDED", "COMPLETION_REVIEW"),
    "OVERALL": lambda case: case.state == "SUSPENDED",
    "TRIAGE": lambda case: case.data.waiting_info,
    "RECTIFY": lambda case: case.state == "VERIFYING",
}
"""Where time may stand still (processes §0.3): not for a 退单, not for a deferral."""


def is_told(on: type) -> bool:
    """Commands that another case gives, never people."""
    return all(who.name == "system" for arrow in ISSUE.arrows if arrow.on is on for who in arrow.by)


ENDINGS = (do.Split, do.TransferOut, do.TransferCommunity, do.MergeInto, do.Decline, do.Withdraw)
"""Ways off the main road, taken less often so that walks come far."""
OVER = (ClockState.BREACHED, ClockState.MET_LATE, ClockState.CANCELLED)


class Watched(Street):
    """A street that folds every event back from its stored form as it is written, and looks at each turn."""

    def __init__(self) -> None:
        super().__init__(world(), moment("01-12 08:00"))
        self.folded: dict[str, Case[Any]] = {}
        self.due: dict[tuple[str, int], Clock] = {}

    def _record(self, batch: Batch) -> Stamps:
        before = self.cases.get(batch.case.id)
        stamps = super()._record(batch)
        after = self.cases[batch.case.id]
        self._fold(batch, stamps, after)
        if before is not None:
            for event in batch.events:
                _lawful(event, before)
                before = evolve(self.world.processes[after.process], before, event).case
        return stamps

    def _fold(self, batch: Batch, stamps: Stamps, after: Case[Any]) -> None:
        kind = self.world.processes[after.process]
        case = self.folded.get(after.id) or Case(
            id=after.id, process=kind.name, community=after.community, pin=after.pin, data=kind.data()
        )
        for event in batch.events:
            row = json.loads(json.dumps(event_row(event)))
            assert event_of(kind, row) == replace(event, change=replace(event.change, notices=()))
            if case.version == 0:
                case = replace(case, community=batch.case.community)
            case = evolve(kind, case, event_of(kind, row)).case
        case = stamp(case, stamps)
        assert case == after
        self.folded[after.id] = case


def _lawful(event: Event, before: Case[Any]) -> None:
    """What an event must find: invariants 1, 4, 5, 6, 7 of P1."""
    if before.process != "issue":
        return
    change, data = event.change, before.data
    if event.type == "record_decision":
        assert data.meeting == change.notes["meeting"]
        outcome = Outcome(change.notes["outcome"])
        if outcome in BINDING:
            assert data.statements > 0 or "waiver_reason" in change.notes
            assert data.tally == "PASSED"
        if outcome is Outcome.REFER_DEPARTMENT:
            topic = data.escalated
            body = topic.body if before.state != "UNDER_DISCUSSION" and topic else data.topic_body
            assert body is Body.EXTENDED_PARTY_COMMITTEE
    if event.type == "carry_over" and "carry_over" in change.sets:
        # Counted once a month, however many meetings did not reach it.
        again = data.carried_month == change.sets["carried_month"]
        assert change.sets["carry_over"] == data.carry_over + (not again)
    if event.type in ("approve_completion", "record_visit"):
        assert event.actor not in data.handlers
    if event.type in ("return_order", "designation_asked"):
        assert not [op for op in change.clocks if getattr(op, "code", "") == "HANDLE"]
    if change.to == "PLANNING":
        assert change.sets["decided_at"] is not None


# --- what people may say -----------------------------------------------------------------------------------


def variations(rng: Random, case: Case[Any]) -> dict[type, Callable[[], Any]]:
    """Other ways to say the commands that have a choice in them."""
    assert case.updated_at is not None
    today = case.updated_at.astimezone(CHINA).date()

    def later(most: int = 60) -> Any:
        return today + timedelta(days=rng.randint(1, most))

    lead = rng.choice((None, "property-1", "community-1", "drainage", "urban-management"))
    difficulty = rng.choice((Difficulty.EASY, Difficulty.EASY, Difficulty.MODERATE, Difficulty.HARD))
    return {
        do.AcceptToProblemList: lambda: do.AcceptToProblemList(
            mode=rng.choice(tuple(HandlingMode)),
            category_code=rng.choice(("Z99", "B01", "E01")),
            difficulty=difficulty,
            difficulty_reasons=() if difficulty is Difficulty.EASY else (DifficultyReason.MONEY,),
            level=rng.choice((None, None, "L1", "L2", "L3")),
            lead_org=lead,
            clock_class=rng.choice((None, *ClockClass)),
            urgent=rng.random() < 0.2,
            exception_reason="text:e",
        ),
        do.Dispatch: lambda: do.Dispatch(
            mode=rng.choice(tuple(HandlingMode)), lead_org=lead, exception_reason="text:e"
        ),
        do.RecordStreetDecision: lambda: do.RecordStreetDecision(
            outcome=rng.choice(tuple(StreetOutcome)),
            text="text:t",
            document_no="1",
            lead_org=lead,
            due_on=rng.choice((None, later())),
            until=rng.choice((None, later())),
            explanation="text:e",
        ),
        do.ReplyReferral: lambda: do.ReplyReferral(text="text:t", due_on=rng.choice((None, later()))),
        do.RequestExtension: lambda: do.RequestExtension(to=later(20), reason="text:r"),
        do.DecideExtension: lambda: do.DecideExtension(approve=rng.random() < 0.8),
        do.DecideSuspension: lambda: do.DecideSuspension(approve=rng.random() < 0.8),
        do.ReviewSuspension: lambda: do.ReviewSuspension(conditions_exist=rng.random() < 0.3),
        do.Designate: lambda: do.Designate(lead_org=rng.choice(("telecom", "urban-management", "property-1"))),
        do.RecordVisit: lambda: do.RecordVisit(
            contacted=rng.random() < 0.7,
            solved=rng.choice((None, *Solved)),
            satisfaction=rng.choice((None, 1, 3, 5)),
            demand_reasonable=rng.choice((None, True, False)),
        ),
        do.DecideDispute: lambda: do.DecideDispute(
            outcome=rng.choice(("CLOSE", "SUPERVISE")),
            explanation="text:e",
        ),
        do.ClaimCompletion: lambda: do.ClaimCompletion(text="text:t", evidence=rng.choice(((), EVIDENCE))),
        do.MergeInto: lambda: do.MergeInto(target=rng.choice(("i", "second"))),
        watch.ListCase: lambda: watch.ListCase(responsible_org=lead or "drainage", due_on=later(30), public=False),
        watch.ReportRectified: lambda: watch.ReportRectified(text="text:t"),
        watch.Delist: lambda: watch.Delist(text="text:t"),
        watch.RefuseDelist: lambda: watch.RefuseDelist(reason="text:r", due_on=later(30)),
    }


class Life(RuleBasedStateMachine):
    """Two issues of one street, the cases that come of them, and everybody who has a word in it."""

    def __init__(self) -> None:
        super().__init__()
        self.street = Watched()
        self.registered: dict[str, Any] = {}

    @initialize(way=st.sampled_from(sorted(WAYS)), rng=st.randoms(use_true_random=False))
    def register(self, way: str, rng: Random) -> None:
        """One issue has come some way already; two more reports come in, as they may come."""
        town = Town("01-12 08:00")
        town.street = self.street
        for step in WAYS[way]:
            step(town)
        for key in ("second", "third"):
            known = rng.random() < 0.5
            command = do.SubmitIssue(
                community_code=rng.choice((C1, C1, C2)),
                title="text:t",
                description="text:d",
                source=Source.VISIT,
                category_code=rng.choice((None, "Z99", "G02")),
                general_concern=rng.random() < 0.3,
                anonymous=not known and rng.random() < 0.5,
                reporter=CONTACT if known else None,
            )
            self.street.open("issue", key, command, PEOPLE["integration"])

    @rule(rng=st.randoms(use_true_random=False), times=st.integers(1, 6))
    def act(self, rng: Random, times: int) -> None:
        """Somebody does something, mostly something that fits and that he may."""
        for _ in range(times):
            key = rng.choice(tuple(self.street.cases))
            case = self.street.cases[key]
            kind = self.street.world.processes[case.process]
            here = [on for (source, on) in kind.table if source == case.position and isinstance(on, type)]
            here = [on for on in here if on not in UPKEEP]
            names = kind.positions[case.position].work + kind.work(case)
            owed = [on for on in (kind.commands[name] for name in names) if on in here]
            if rng.random() < 0.8:
                here, owed = ([on for on in some if on not in ENDINGS] for some in (here, owed))
            chosen: Any = rng.choice(owed if owed and rng.random() < 0.6 else here or [do.Sign])
            command = self._said(rng, case, chosen)
            if command is not None:
                self._tried(rng, case, command)

    def _said(self, rng: Random, case: Case[Any], on: type) -> Any:
        varied = said(rng, case, self.street.cases) if case.process == "meeting" else variations(rng, case)
        if on in varied:
            return varied[on]()
        if case.process != "issue" or is_told(on):
            return None
        options = samples(case)[on]
        return rng.choice(options) if options else None

    def _tried(self, rng: Random, case: Case[Any], command: Any) -> None:
        kind = self.street.world.processes[case.process]
        arrow = kind.table.get((case.position, type(command)))
        fit = [a for a in ACTORS if arrow and fitting(case, arrow, Order(command=command, actor=a)) is not None]
        actor = rng.choice(fit if fit and rng.random() < 0.95 else ACTORS)
        facts = dict(FACTS)
        if isinstance(command, do.MergeInto):
            target = self.street.cases[command.target]
            closed = target.closed_at is not None and rng.random() < 0.9
            facts["target"] = {"id": target.id, "community": target.community, "closed": closed}
        self.street.run_to(self.street.now)
        before, events = self.street.cases[case.id], len(self.street.histories[case.id])
        try:
            self.street.command(case.id, command, actor, facts=facts)
        except Refusal:
            assert self.street.cases[case.id] == before
            assert len(self.street.histories[case.id]) == events

    @rule(rng=st.randoms(use_true_random=False))
    def convene(self, rng: Random) -> None:
        """A meeting is set, within days or a month."""
        held = sum(case.process == "meeting" for case in self.street.cases.values())
        command = sit.ScheduleMeeting(
            community_code=C1,
            type=rng.choice((MeetingType.TWO_COMMITTEES, MeetingType.EXTENDED_PARTY_COMMITTEE)),
            scheduled_at=self.street.now + timedelta(hours=rng.choice((1, 30, 24 * 4, 24 * 20))),
            place="text:place",
        )
        self.street.open("meeting", f"walk-{held}", command, PEOPLE["clerk1"])

    @rule(hours=st.sampled_from((1, 5, 24, 30, 72, 24 * 7, 24 * 16, 24 * 40)))
    def wait(self, hours: int) -> None:
        """Nobody does anything."""
        self.street.run_to(self.street.now + timedelta(hours=hours))

    @invariant()
    def nothing_forbidden_has_happened(self) -> None:
        """Every case, after every step."""
        for case in self.street.cases.values():
            kind = self.street.world.processes[case.process]
            history = self.street.histories[case.id]
            assert [event.seq for event in history] == list(range(1, case.version + 1))
            assert all(one.at <= two.at for one, two in pairwise(history))
            assert all(clock.due_at is not None for clock in case.clocks)
            assert restored(kind, json.loads(json.dumps(carried(kind, case)))) == case
            assert not case.pending
            stands_still(case)
            if case.process == "issue":
                self._issue(case)
        self._breaches()
        assert {reason for _, reason in self.street.refused} <= {"WRONG_STATE", "OTHER_TARGET"}

    def _issue(self, case: Case[Issue]) -> None:
        data = case.data
        assert data.registered_at == self.registered.setdefault(case.id, data.registered_at)
        if case.state in ("FEEDBACK_DUE", "RETURN_VISIT"):
            assert data.outcome is not None
        if data.closure_code in (ClosureCode.RESOLVED, ClosureCode.PARTLY_RESOLVED, ClosureCode.EXPLAINED):
            assert data.feedbacks
            heard_above = any(event.type == "record_street_decision" for event in self.street.histories[case.id])
            if data.difficulty in (Difficulty.MODERATE, Difficulty.HARD):
                listed = any(event.type == "supervision_delisted" for event in self.street.histories[case.id])
                assert data.heard_by_epc or data.evidence or heard_above or listed
        if case.position in OPEN:
            somebody_owes(case)

    def _breaches(self) -> None:
        """A breach is never washed away, and no due time comes back to life."""
        for key, clock in self.street.clocks.items():
            old = self.street.due.get(key)
            if old is not None and old.breached_at is not None:
                assert clock.breached_at == old.breached_at
                assert clock.state in OVER
                assert clock.due_at == old.due_at
            if old is not None and not old.live:
                assert clock == old
            self.street.due[key] = clock


def stands_still(case: Case[Any]) -> None:
    """Time stands still only where the rules say so."""
    for clock in case.clocks:
        if clock.state is ClockState.PAUSED:
            assert PAUSABLE[clock.code](case), (case.position, clock.code)


def somebody_owes(case: Case[Any]) -> None:
    """A duty that runs or is overdue, or a window that gives the case back; and a task for somebody."""
    counting = [clock for clock in case.clocks if clock.state in (ClockState.RUNNING, ClockState.BREACHED)]
    expected = OWED[case.position]
    assert any(clock.code in expected for clock in counting), (case.position, [clock.code for clock in counting])
    for clock in counting:
        if clock.code in expected and clock.kind is ClockKind.DUTY:
            assert clock.owner
    # What stands before a meeting is that meeting's task.
    assert tasks(ISSUE, case) or case.state in ("ON_AGENDA", "UNDER_DISCUSSION", "DEFERRED"), case.position


def test_every_open_position_has_its_clock() -> None:
    assert set(OWED) == set(OPEN)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


# --- left alone --------------------------------------------------------------------------------------------

OPEN_WAYS = [way for way in WAYS if way.partition("/")[0] in OPEN]


@pytest.mark.parametrize("way", OPEN_WAYS)
def test_an_issue_that_everybody_forgets_is_seen_above(way: str) -> None:
    """A year without a single act of anybody: it is still open, overdue, owed, and the street was told."""
    town = play(way)
    seen = town.issue("i").version

    _left_alone(town, 365)
    case = town.issue("i")
    assert case.position in OPEN
    somebody_owes(case)
    assert any(clock.state is ClockState.BREACHED for clock in case.clocks)
    told = {n.to for event in town.street.histories["i"] if event.seq > seen for n in event.change.notices}
    assert told & {STREET, STREET[:6]}
    assert town.street.refused == []


@pytest.mark.parametrize("way", [way for way in OPEN_WAYS if way.partition("/")[0] in ("ASSIGNED", "IN_PROGRESS")])
def test_what_nobody_handles_climbs_past_the_committee_to_the_county(way: str) -> None:
    town = play(way)

    _left_alone(town, 365)
    case = town.issue("i")
    assert case.data.red
    assert case.data.supervision_id is not None
    topic = case.data.escalated
    assert topic is not None
    assert topic.level in ("L3", "L4")
    notices = {n.to for event in town.street.histories["i"] for n in event.change.notices}
    assert STREET[:6] in notices


def _left_alone(town: Town, days: int) -> None:
    town.street.run_to(town.street.now + timedelta(days=days))
