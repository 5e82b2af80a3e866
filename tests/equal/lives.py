"""Random lives on the simulator, kept as the transactions that they are."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from services.storage.national_calendar import national_calendar
from tests.equal.acting import NAMING, Place, Scene, facts_for, name_of, submit, wanted
from tests.twins.ledger import street_world
from workflows.issue import commands as do
from workflows.issue.data import Difficulty, DifficultyReason, HandlingMode
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor, Case, Process, Refusal
from workflows.kernel.simulator import Street
from workflows.kernel.step import Batch, Order, Stamps, decide
from workflows.kernel.wire import Envelope, Transaction, fields_of, transaction
from workflows.meeting import commands as sit
from workflows.meeting.data import MeetingType
from workflows.policy.packs import load
from workflows.registry import PROCESSES

START = datetime(2026, 3, 2, 9, 30, tzinfo=CHINA)
LEAPS = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=5), timedelta(days=2), timedelta(days=12))
TRIES = 12
ISSUE = "00000000-0000-7000-8000-{:012d}"
MEETING = "00000000-0000-7000-9000-{:012d}"


@dataclass(frozen=True, slots=True)
class Turn:
    """One transaction, and the case after it as the simulator has it."""

    transaction: Transaction
    case: Case[Any]


class Written(Street):
    """A simulated street that keeps every turn as the transaction that it is."""

    turns: list[Turn]
    envelope: Envelope | None

    def _record(self, batch: Batch) -> Stamps:
        written = transaction(PROCESSES[batch.case.process], batch, self._envelope(batch))
        stamps = super()._record(batch)
        self.turns.append(Turn(written, self.cases[batch.case.id]))
        return stamps

    def _envelope(self, batch: Batch) -> Envelope | None:
        """What was sent from outside goes with its own envelope, what one case tells another with one for itself."""
        order, sent, self.envelope = batch.order, self.envelope, None
        if order is None or sent is not None:
            return sent
        key = f"{batch.case.id}-{batch.case.version}"
        return Envelope(name_of(order.command), fields_of(order.command), order.actor, key, f"body of {key}")


@dataclass(slots=True)
class Life:
    """The life of one issue, of the cases that it starts, and of a meeting that may take it, on a street of its own."""

    seed: int
    length: int = 30
    street: Written = field(init=False)

    def __post_init__(self) -> None:
        self.street = Written(street_world(load("lanzhou_2021"), national_calendar()), START)
        self.street.turns, self.street.envelope = [], None

    def turns(self) -> list[Turn]:
        """Every turn, in the order in which they were written."""
        rng, place = Random(self.seed), Place(self.seed)
        while not self.street.cases:
            wish = submit(self._scene(place, rng, None))
            self._say(place.named("worker1"), wish, ISSUE.format(self.seed), opens="issue")
        if self.seed % 2 == 0:
            self._convene(place, rng)
        for _ in range(self.length):
            self.street.run_to(self.street.now + rng.choice(LEAPS[:3] if self._sits() else LEAPS))
            case = rng.choice(list(self.street.cases.values()))
            command, actor = self._something(place, rng, case)
            self._say(actor, command, case.id)
        return self.street.turns

    def _convene(self, place: Place, rng: Random) -> None:
        """Lead the issue towards the table of a meeting, and stop somewhere on the way."""
        issue, meeting, clerk = ISSUE.format(self.seed), MEETING.format(self.seed), place.named("clerk1")
        community = self.street.cases[issue].community
        accepted = do.AcceptToProblemList(
            mode=HandlingMode.SCHEDULED,
            category_code="B01",
            difficulty=Difficulty.MODERATE,
            difficulty_reasons=(DifficultyReason.MANY_HOUSEHOLDS,),
        )
        set_for = self.street.now + timedelta(days=4)
        planned = sit.ScheduleMeeting(
            community_code=community,
            type=MeetingType.EXTENDED_PARTY_COMMITTEE,
            scheduled_at=set_for,
            place="text:1",
            briefing=True,
        )
        chair = place.named(f"secretary{community[-1]}")
        way: list[tuple[Actor, Any, str]] = [
            (place.named(f"worker{community[-1]}"), accepted, issue),
            (clerk, planned, meeting),
            (clerk, sit.ProposeItem(topic=issue), meeting),
            (clerk, sit.Admit(item="i1"), meeting),
            (clerk, sit.SendNotice(briefing=True), meeting),
            (chair, sit.OpenSession(headcount=sit.Headcount(members=9, present=8)), meeting),
            (chair, sit.OpenItem(item="i1"), meeting),
        ]
        for actor, command, case_id in way[: rng.randint(2, len(way) * 2)]:
            if isinstance(command, sit.OpenSession):
                self.street.run_to(set_for)
            self._say(actor, command, case_id, opens="meeting" if command is planned else "")

    def _sits(self) -> bool:
        """Whether a meeting is in session: who looks by every other week would only miss it."""
        return any(case.position == "IN_SESSION" for case in self.street.cases.values())

    def _say(self, actor: Actor, command: Any, case_id: str, opens: str = "") -> None:
        street, key = self.street, f"{self.seed}-{len(self.street.turns)}"
        case = None if opens else street.cases[case_id]
        facts = self._facts(PROCESSES[opens or street.cases[case_id].process], case, command, actor)
        street.envelope = Envelope(name_of(command), fields_of(command), actor, key, f"body of {key}")
        try:
            if opens:
                street.open(opens, case_id, command, actor, facts=facts)
            else:
                street.command(case_id, command, actor, facts=facts)
        except Refusal:
            # The rules decide; a refused command leaves no turn.
            pass
        street.envelope = None

    def _something(self, place: Place, rng: Random, case: Case[Any]) -> tuple[Any, Actor]:
        process, tries = PROCESSES[case.process], TRIES
        for command, actor in wanted(process, self._scene(place, rng, case)):
            other = next(filter(None, (getattr(command, one, None) for one in NAMING)), None)
            if type(command) in process.openings.values() or (other and other not in self.street.cases):
                continue
            tries -= 1
            order = Order(command=command, actor=actor, facts=self._facts(process, case, command, actor))
            try:
                decide(process, case, order, self.street.world.under(case.pin).policy, self.street.now)
            except Refusal:
                if tries > 0:
                    continue
            return command, actor
        raise AssertionError("there is always something to try")

    def _facts(self, process: Process[Any], case: Case[Any] | None, command: Any, actor: Actor) -> dict[str, Any]:
        return {**self.street.facts(process, case, command, actor), **facts_for(command, self.street.cases)}

    def _scene(self, place: Place, rng: Random, case: Case[Any] | None) -> Scene:
        return Scene(place, rng, self.street.now, self.street.cases, case)
