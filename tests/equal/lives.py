"""Random lives on the simulator, kept as the transactions that they are."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from services.storage.national_calendar import national_calendar
from tests.equal.acting import Place, Scene, facts_for, name_of, submit, wanted
from tests.twins.ledger import street_world
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor, Case, Refusal
from workflows.kernel.simulator import Street
from workflows.kernel.step import Batch, Order, Stamps, decide
from workflows.kernel.wire import Envelope, Transaction, fields_of, transaction
from workflows.policy.packs import load
from workflows.registry import PROCESSES

START = datetime(2026, 3, 2, 9, 30, tzinfo=CHINA)
LEAPS = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=5), timedelta(days=2), timedelta(days=12))
TRIES = 12


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
        envelope = self.envelope if batch.order is not None else None
        written = transaction(PROCESSES[batch.case.process], batch, envelope)
        stamps = super()._record(batch)
        self.turns.append(Turn(written, self.cases[batch.case.id]))
        return stamps


@dataclass(slots=True)
class Life:
    """The life of one issue and of the cases that it starts, on a street of its own."""

    seed: int
    length: int = 18
    street: Written = field(init=False)

    def __post_init__(self) -> None:
        self.street = Written(street_world(load("lanzhou_2021"), national_calendar()), START)
        self.street.turns, self.street.envelope = [], None

    def turns(self) -> list[Turn]:
        """Every turn, in the order in which they were written."""
        rng, place, street = Random(self.seed), Place(self.seed), self.street
        case_id = f"00000000-0000-7000-8000-{self.seed:012d}"
        for number in range(self.length):
            if case_id not in street.cases:
                case = None
                command, actor = submit(self._scene(place, rng, None)), place.named("worker1")
            else:
                case = rng.choice(list(street.cases.values()))
                command, actor = self._something(place, rng, case)
            key = f"{self.seed}-{number}"
            facts = facts_for(command, street.cases)
            street.envelope = Envelope(name_of(command), fields_of(command), actor, key, f"body of {key}")
            try:
                if case is None:
                    street.open("issue", case_id, command, actor, facts=facts)
                else:
                    street.command(case.id, command, actor, facts=facts)
            except Refusal:
                # The rules decide; a refused command leaves no turn.
                pass
            street.envelope = None
            street.run_to(street.now + rng.choice(LEAPS))
        return street.turns

    def _something(self, place: Place, rng: Random, case: Case[Any]) -> tuple[Any, Actor]:
        process, tries = PROCESSES[case.process], TRIES
        for command, actor in wanted(process, self._scene(place, rng, case)):
            if type(command) in process.openings.values() or hasattr(command, "target"):
                continue
            tries -= 1
            order = Order(command=command, actor=actor, facts=facts_for(command, self.street.cases))
            try:
                decide(process, case, order, self.street.world.under(case.pin).policy, self.street.now)
            except Refusal:
                if tries > 0:
                    continue
            return command, actor
        raise AssertionError("there is always something to try")

    def _scene(self, place: Place, rng: Random, case: Case[Any] | None) -> Scene:
        return Scene(place, rng, self.street.now, self.street.cases, case)
