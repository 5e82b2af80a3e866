"""Run a street, or a city of communities, for months in seconds: seeded people on the pure simulator (模拟).

No server takes part. What comes out tells how many things would be late, how long the agendas get and what the engine
would have to carry.
"""

import heapq
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from multiprocessing import get_context
from typing import Any

from services import rehearsal
from services.memory import keep_what_is_loaded
from services.simulated_sessions import EPC, TWO_COMMITTEES, Sessions
from services.storage.ledger import rungs_of
from services.storage.national_calendar import national_calendar
from workflows.issue import commands as do
from workflows.issue.data import (
    Audience,
    Channel,
    ClockClass,
    Difficulty,
    DifficultyReason,
    HandlingMode,
    Issue,
    Solved,
    Source,
    StreetOutcome,
    Timing,
)
from workflows.kernel.calendar import CHINA, Calendar, at, shift_working_days
from workflows.kernel.process import Actor, Case, Grant, Pin, Refusal, derived_id
from workflows.kernel.simulator import Street, World
from workflows.kernel.wire import command_of
from workflows.policy.packs import load
from workflows.registry import PROCESSES
from workflows.supervision import rules as sv
from workflows.supervision_order import rules as orders

COUNTY = "620199"
STREET_COMMUNITIES = 20
"""Communities of one subdistrict; more of them make more subdistricts."""
PER_MONTH = 4
"""As in the ordinary month of the scenarios: eleven issues in three communities (M1)."""
EPC_DAY = 20
MEETING_HOUR = 15
COMMITTEES_WEEKDAY = 2
ORDERS_WEEKDAYS = (0, 3)
REF = "text:0000000000000000"
WORK_BEGINS, WORK_HOURS = 9, 8
CATEGORIES = {HandlingMode.IMMEDIATE: "A02", HandlingMode.TIME_LIMITED: "B01", HandlingMode.SCHEDULED: "B01"}
FACTS: dict[str, Any] = {"organizations": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be simulated: how many communities, from when on, for how long, with which people."""

    communities: int = 3
    first: int = 0
    """How many communities of the city come before these."""
    begins: datetime
    months: int = 1
    seed: int = 7
    per_month: float = PER_MONTH
    """Messages that a community gets in a month."""
    silence: float = 0.08
    """Share of duties that somebody simply does not do, until he is made to."""
    times: Sequence[datetime] = ()
    """Times of real messages: their weekdays and hours are the ones at which messages come."""


COUNTED = ("states", "breaches", "red", "meetings", "months", "commands", "refused", "minutes")


@dataclass(slots=True)
class Outcomes:
    """What came of a simulation."""

    issues: int = 0
    states: Counter[str] = field(default_factory=Counter)
    breaches: Counter[str] = field(default_factory=Counter)
    red: Counter[str] = field(default_factory=Counter)
    supervisions: int = 0
    agendas: dict[tuple[str, str], int] = field(default_factory=dict)
    """Items on the table of the 大党委, by month and community."""
    meetings: Counter[str] = field(default_factory=Counter)
    """Sessions held, by body."""
    months: Counter[str] = field(default_factory=Counter)
    """Months of the 大党委 by how they ended: SLOT_DONE, SLOT_MISSED …"""
    commands: Counter[str] = field(default_factory=Counter)
    """Commands by role."""
    refused: Counter[str] = field(default_factory=Counter)
    turns: int = 0
    minutes: Counter[int] = field(default_factory=Counter)
    """Commands in each minute since 1970."""
    span: timedelta = timedelta()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Processor time of all cores together."""

    @property
    def peak(self) -> int:
        """Commands in the busiest minute."""
        return max(self.minutes.values(), default=0)

    def add(self, other: "Outcomes") -> None:
        """Count what came of another part of the city."""
        self.issues += other.issues
        self.supervisions += other.supervisions
        self.turns += other.turns
        self.cpu_seconds += other.cpu_seconds
        self.span = other.span
        self.agendas.update(other.agendas)
        for name in COUNTED:
            getattr(self, name).update(getattr(other, name))

    @property
    def mean_load(self) -> float:
        """Commands a second over the whole time."""
        return self.commands.total() / self.span.total_seconds()


@dataclass(frozen=True, slots=True)
class People:
    """The people of one community."""

    code: str

    def somebody(self, name: str, role: str, org: str | None = None, place: str = "") -> Actor:
        """Somebody with one role."""
        return Actor(f"{name}-{self.code}", name, (Grant(role, place or self.code, org),))

    @property
    def worker(self) -> Actor:
        return self.somebody("worker", "community_worker", f"community-{self.code}")

    @property
    def reviewer(self) -> Actor:
        return self.somebody("worker-b", "community_worker", f"community-{self.code}")

    @property
    def grid(self) -> Actor:
        return self.somebody("grid", "grid_worker", f"community-{self.code}")

    @property
    def secretary(self) -> Actor:
        grants = tuple(Grant(role, self.code, None) for role in ("party_secretary", "cwc_chair"))
        return Actor(f"secretary-{self.code}", "secretary", grants)

    @property
    def vice(self) -> Actor:
        return self.somebody("vice", "cwc_vice_chair")

    @property
    def clerk(self) -> Actor:
        return self.somebody("clerk", "meeting_secretary")

    @property
    def company(self) -> Actor:
        return self.somebody("property", "unit_liaison", f"property-{self.code}")

    @property
    def officer(self) -> Actor:
        return self.somebody("officer", "subdistrict_officer", "subdistrict-office", self.code[:9])

    @property
    def supervisor(self) -> Actor:
        return self.somebody("supervisor", "supervisor", None, self.code[:9])

    def lead(self, org: str | None) -> Actor:
        """Whoever acts for the organisation that has the order."""
        if org is None:
            return self.grid
        return self.worker if org.startswith("community-") else self.company


Step = Callable[[], None]


@dataclass(slots=True)
class Simulation:
    """One run: a street on a virtual clock, and an agenda of what its people do next."""

    plan: Plan
    world: World
    street: Street = field(init=False)
    sessions: Sessions = field(init=False)
    chance: random.Random = field(init=False)
    outcomes: Outcomes = field(default_factory=Outcomes)
    _queue: list[tuple[datetime, int, Step]] = field(default_factory=list)
    _tick: int = 0
    _planned: dict[str, int] = field(default_factory=dict)
    _of: dict[str, list[str]] = field(default_factory=dict)
    """Ids of the issues of each community."""

    def __post_init__(self) -> None:
        self.sessions = Sessions(self, self._of)
        answered = {**rehearsal.answers({}), **self.world.questions, **self.sessions.questions()}
        self.street = Street(replace(self.world, questions=answered), self.plan.begins)
        self.chance = random.Random(f"{self.plan.seed}|{self.plan.first}")

    def run(self) -> Outcomes:
        """Live through all of it and count."""
        begun, worked = time.perf_counter(), time.process_time()
        ends = _months_later(self.plan.begins, self.plan.months)
        codes = [_code(self.plan.first + number) for number in range(self.plan.communities)]
        for code in codes:
            self._arrivals(code, ends)
            self._meetings(code, ends)
        while self._queue and self._queue[0][0] < ends:
            moment, _, act = heapq.heappop(self._queue)
            self.street.run_to(moment)
            act()
        self.street.run_to(ends)
        self._count(ends - self.plan.begins)
        self.outcomes.seconds = time.perf_counter() - begun
        self.outcomes.cpu_seconds = time.process_time() - worked
        return self.outcomes

    # --- what comes in ----------------------------------------------------------------------------------------

    def _arrivals(self, code: str, ends: datetime) -> None:
        days = (ends - self.plan.begins).days
        count = self._poisson(self.plan.per_month * days / 30)
        for number in range(count):
            moment = self._moment(days)
            self.at(moment, lambda number=number: self._submit(code, number))  # type: ignore[misc]  # bound now

    def _moment(self, days: int) -> datetime:
        """A moment of the simulated time; on a weekday and at an hour at which real messages came, if any are given."""
        begins = self.plan.begins
        if not self.plan.times:
            return begins + timedelta(days=self.chance.random() * days)
        like = self.chance.choice(self.plan.times).astimezone(CHINA)
        weeks = self.chance.randrange(max(1, -(-days // 7)))
        on = begins.date() + timedelta(days=weeks * 7 + (like.weekday() - begins.weekday()) % 7)
        moment = datetime.combine(on, like.timetz(), CHINA) + timedelta(seconds=self.chance.random() * 3600)
        return moment if begins <= moment < begins + timedelta(days=days) else self._moment(days)

    def _poisson(self, mean: float) -> int:
        if mean > 500:
            return max(0, round(self.chance.gauss(mean, mean**0.5)))
        count, left = 0, self.chance.expovariate(1)
        while left < mean:
            count += 1
            left += self.chance.expovariate(1)
        return count

    def _submit(self, code: str, number: int) -> None:
        people = People(code)
        case_id = derived_id("simulated", str(self.plan.seed), code, str(number))
        command = do.SubmitIssue(
            community_code=code,
            title=REF,
            description=REF,
            source=Source.HOTLINE,
            reporter="contact:0000000000000000" if self.chance.random() < 0.7 else None,  # type: ignore[arg-type]
        )
        self._commanded(people.grid)
        self.street.open("issue", case_id, command, people.grid)
        self.outcomes.issues += 1
        self._of.setdefault(code, []).append(case_id)
        self.plan_next(case_id)

    # --- what people do ---------------------------------------------------------------------------------------

    def plan_next(self, case_id: str) -> None:
        """Let somebody do the next thing after a while; or nobody, for as long as nothing presses."""
        case = self.street.cases[case_id]
        act, hours = self._next(case)
        if act is None:
            return
        if self.chance.random() < self.plan.silence:
            hours += 24 * (20 if case.state in ("ASSIGNED", "IN_PROGRESS") else 7)
        version = case.version
        self._planned[case_id] = version
        after = self.street.now + timedelta(hours=hours * self.chance.lognormvariate(0, 0.7))
        self.at(self._in_office(after), lambda: self._done(case_id, version, act))

    def _done(self, case_id: str, version: int, act: Callable[[Case[Issue]], None]) -> None:
        case = self.street.cases[case_id]
        if self._planned.get(case_id) != version or case.data.escalated is not None:
            return
        self.attempt(lambda: act(case))
        if not self.world.processes["issue"].ended(self.street.cases[case_id]):
            self.plan_next(case_id)

    def _next(self, case: Case[Issue]) -> tuple[Callable[[Case[Issue]], None] | None, float]:
        """What comes next at a position, and about how many hours it takes."""
        acts: dict[str, tuple[Callable[[Case[Issue]], None], float]] = {
            "REGISTERED": (self._triage, 4),
            "REGISTERED:DECLINE_PROPOSED": (self._confirm, 6),
            "ON_PROBLEM_LIST": (self._dispatch, 6),
            "ASSIGNED": (self._sign, 5),
            "IN_PROGRESS": (self._claim, 4 if case.data.fast_path is HandlingMode.IMMEDIATE else 90),
            "COMPLETION_REVIEW": (self._review, 16),
            "FEEDBACK_DUE": (self._feedback, 12),
            "RETURN_VISIT": (self._visit, 30),
            "RETURN_VISIT:DISPUTED": (self._dispute, 30),
        }
        if case.position == "TOPIC_PROPOSED" and case.level in ("L3", "L4"):
            return self._street_decides, 60
        return acts.get(case.position, (None, 0.0))

    def _triage(self, case: Case[Issue]) -> None:
        people, draw = People(case.community), self.chance.random()
        if draw < 0.03:
            return self.give(case, do.Decline(reason=REF), people.worker)
        if draw < 0.05:
            return self.give(case, do.TransferOut(channel="12345", reason=REF), people.worker)
        if case.data.identified and self.chance.random() < 0.85:
            self.give(case, do.ContactReporter(note=REF), people.worker)
        mode = HandlingMode.IMMEDIATE if draw < 0.55 else HandlingMode.TIME_LIMITED
        mode = HandlingMode.SCHEDULED if draw > 0.88 else mode
        hard = mode is HandlingMode.SCHEDULED and draw > 0.91
        return self.give(
            case,
            do.AcceptToProblemList(
                mode=mode,
                category_code=CATEGORIES[mode],
                difficulty=Difficulty.MODERATE if hard else Difficulty.EASY,
                difficulty_reasons=(DifficultyReason.MONEY,) if hard else (),
                lead_org=f"property-{case.community}" if mode is HandlingMode.TIME_LIMITED else None,
                clock_class=ClockClass.SIMPLE if mode is HandlingMode.TIME_LIMITED else None,
            ),
            people.worker,
        )

    def _confirm(self, case: Case[Issue]) -> None:
        self.give(case, do.ConfirmDecline(), People(case.community).vice)

    def _dispatch(self, case: Case[Issue]) -> None:
        command = do.Dispatch(mode=HandlingMode.TIME_LIMITED, lead_org=f"community-{case.community}")
        self.give(case, command, People(case.community).worker)

    def _sign(self, case: Case[Issue]) -> None:
        lead = People(case.community).lead(case.data.lead_org)
        sent_back = case.data.returns == 0 and self.chance.random() < 0.05
        self.give(case, do.ReturnOrder(reason=REF) if sent_back else do.Sign(), lead)

    def _claim(self, case: Case[Issue]) -> None:
        evidence = ("simulated",) if case.data.difficulty is not Difficulty.EASY else ()
        command = do.ClaimCompletion(text=REF, evidence=evidence)
        self.give(case, command, People(case.community).lead(case.data.lead_org))

    def _review(self, case: Case[Issue]) -> None:
        people = People(case.community)
        handle = case.clock("HANDLE")
        who = people.supervisor if handle is not None and handle.color == "RED" else people.reviewer
        poor = self.chance.random() < 0.06
        self.give(case, do.RejectCompletion(reason=REF) if poor else do.ApproveCompletion(), who)

    def _feedback(self, case: Case[Issue]) -> None:
        known = case.data.identified
        command = do.GiveFeedback(
            audience=Audience.INDIVIDUAL if known else Audience.PUBLIC,
            timing=Timing.ANYTIME,
            channel=Channel.PHONE if known else Channel.NOTICE_BOARD,
            text=REF,
        )
        self.give(case, command, People(case.community).worker)

    def _visit(self, case: Case[Issue]) -> None:
        draw = self.chance.random()
        command = do.RecordVisit(contacted=True, solved=Solved.YES, satisfaction=5)
        if draw < 0.1:
            command = do.RecordVisit(contacted=False)
        elif draw < 0.18:
            command = do.RecordVisit(contacted=True, solved=Solved.NO, satisfaction=1)
        self.give(case, command, People(case.community).supervisor)

    def _dispute(self, case: Case[Issue]) -> None:
        self.give(case, do.DecideDispute(outcome="CLOSE", explanation=REF), People(case.community).supervisor)

    def _street_decides(self, case: Case[Issue]) -> None:
        command = do.RecordStreetDecision(
            outcome=StreetOutcome.ASSIGN, text=REF, document_no="1", lead_org=f"community-{case.community}"
        )
        self.give(case, command, People(case.community).officer)

    # --- meetings and supervision -----------------------------------------------------------------------------

    def _meetings(self, code: str, ends: datetime) -> None:
        day = self.plan.begins.date()
        while day < ends.date():
            if day.day == 1:
                self.at(first_of_month(day), lambda: self.sessions.begin_month(code))
            # Now and then nobody thinks of the meeting of the month.
            if day.day == EPC_DAY and self.chance.random() >= self.plan.silence:
                self.sessions.set_meeting(code, EPC, self._in_office(at(day, _hour())))
            if day.weekday() in ORDERS_WEEKDAYS:
                self.at(self._in_office(at(day, _hour())), lambda: self._answer(code))
            if day.weekday() == COMMITTEES_WEEKDAY:
                self.sessions.set_meeting(code, TWO_COMMITTEES, self._in_office(at(day, _hour())))
                self.at(self._in_office(at(day, _hour())), lambda: self._supervise(code))
            day += timedelta(days=1)

    def _supervise(self, code: str) -> None:
        """The supervisor goes through his open cases once a week."""
        people = People(code)
        for issue in self._issues(code):
            case = self.street.cases.get(issue.data.supervision_id or "")
            if case is None:
                continue
            self.attempt(lambda case=case: self._delist(case, people))  # type: ignore[misc]  # bound now

    def _answer(self, code: str) -> None:
        """Whoever has got a 督办单 writes what he does about it, and the supervisor takes note."""
        people = People(code)
        for issue in self._issues(code):
            for order in issue.data.orders:
                if self.chance.random() >= self.plan.silence:
                    self.attempt(lambda order=order: self._reply(self.street.cases[order], people))  # type: ignore[misc]

    def _reply(self, case: Case[Any], people: People) -> None:
        if case.state == "ISSUED":
            org = case.data.responsible_org
            self.give(case, orders.Reply(text=REF), people.lead(org) if org else people.worker)
            self.give(case, orders.AcceptReply(), people.supervisor)

    def _issues(self, code: str) -> list[Case[Issue]]:
        return [self.street.cases[case_id] for case_id in self._of.get(code, ())]

    def _delist(self, case: Case[Any], people: People) -> None:
        if case.state == "OPENED":
            due = self.street.now.astimezone(CHINA).date() + timedelta(days=14)
            listed = sv.ListCase(responsible_org="subdistrict-office", due_on=due, public=False)
            self.give(case, listed, people.supervisor)
        elif case.state == "LISTED":
            self.give(case, sv.ReportRectified(text=REF), people.officer)
            self.give(case, sv.Delist(text=REF), people.supervisor)
            subject = case.data.subject_id
            if subject in self.street.cases:
                self.plan_next(subject)

    # --- the machinery ----------------------------------------------------------------------------------------

    def at(self, moment: datetime, act: Step) -> None:
        self._tick += 1
        heapq.heappush(self._queue, (moment, self._tick, act))

    def give(self, case: Case[Any], command: Any, who: Actor) -> None:
        self._commanded(who)
        self.street.command(case.id, command, who, facts=FACTS)

    def _commanded(self, who: Actor) -> None:
        self.outcomes.commands[who.grants[0].role] += 1
        self.outcomes.minutes[int(self.street.now.timestamp()) // 60] += 1

    def attempt(self, act: Step) -> None:
        """Do something that the rules may refuse, because time has gone on meanwhile."""
        try:
            act()
        except Refusal as no:
            self.outcomes.refused[no.reason] += 1

    def _in_office(self, moment: datetime) -> datetime:
        """The same moment, or one in the next office hours."""
        there = moment.astimezone(CHINA)
        calendar: Calendar = self.world.calendar
        if calendar.day(there.date()).working and WORK_BEGINS <= there.hour < WORK_BEGINS + WORK_HOURS:
            return moment
        day = there if there.hour < WORK_BEGINS and calendar.day(there.date()).working else None
        begins = day or shift_working_days(there, 1, calendar)
        minutes = self.chance.random() * WORK_HOURS * 60
        return begins.replace(hour=WORK_BEGINS, minute=0, second=0, microsecond=0) + timedelta(minutes=minutes)

    def _count(self, span: timedelta) -> None:
        found = self.outcomes
        found.span = span
        found.agendas = self.sessions.agendas
        found.meetings = self.sessions.held
        for case in self.street.cases.values():
            if case.process == "issue":
                found.states[case.position] += 1
            elif case.process == "slot":
                found.months[case.position] += 1
            elif case.process == "supervision":
                found.supervisions += 1
        for history in self.street.histories.values():
            found.turns += len(history)
            for event in history:
                clock = event.change.notes.get("clock", "")
                if event.type == "clock_breached":
                    found.breaches[clock] += 1
                elif event.type == "clock_red":
                    found.red[clock] += 1


def _code(number: int) -> str:
    street, place = divmod(number, STREET_COMMUNITIES)
    return f"{COUNTY}{street + 1:03}{place + 1:03}"


def _hour() -> Any:
    return datetime(2000, 1, 1, MEETING_HOUR, tzinfo=CHINA).time()


def _months_later(begins: datetime, months: int) -> datetime:
    month = begins.month - 1 + months
    return begins.replace(year=begins.year + month // 12, month=month % 12 + 1)


def first_of_month(day: date) -> datetime:
    """The beginning of the month of a day, in Beijing."""
    return datetime(day.year, day.month, 1, tzinfo=CHINA)


# --- a whole city -------------------------------------------------------------------------------------------


def simulate(plan: Plan, pack: str, *, cores: int = 1) -> Outcomes:
    """Run a plan under a pack, street by street on so many cores; the number of cores changes nothing but the time."""
    begun = time.perf_counter()
    parts = [
        replace(plan, first=first, communities=min(STREET_COMMUNITIES, plan.communities - first))
        for first in range(0, plan.communities, STREET_COMMUNITIES)
    ]
    found = Outcomes()
    if cores == 1 or len(parts) == 1:
        for part in parts:
            found.add(_part(part, pack))
    else:
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            for outcomes in pool.map(_part, parts, [pack] * len(parts)):
                found.add(outcomes)
    found.seconds = time.perf_counter() - begun
    return found


def _part(plan: Plan, pack: str) -> Outcomes:
    keep_what_is_loaded(young=100_000)  # cases are frozen and kept: looking through them for cycles finds nothing
    return Simulation(plan, world_under(pack)).run()


def world_under(pack: str) -> World:
    """The processes with the national calendar under a policy pack; raises `PackNotHere`."""
    policy = load(pack)
    return World(
        processes={process.name: process for process in PROCESSES.values()},
        calendar=national_calendar(),
        policy=policy,
        pin=Pin(policy.pack, policy.version, policy.sha),
        rungs=rungs_of(policy),
        commands=command_of,
    )
