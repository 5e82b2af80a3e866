"""Run whole streets on a virtual clock: the same decide, evolve, clocks and effects, without any server (pure).

The acceptance scenarios and month simulations run here with exact dates, capacity is planned here, and a test
shows that the simulator and Temporal write the same events for the same script.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any

from workflows.kernel.calendar import CHINA, Calendar
from workflows.kernel.clocks import Clock, Stamp
from workflows.kernel.process import (
    SYSTEM,
    Actor,
    Asked,
    Case,
    Effect,
    Event,
    Pending,
    Pin,
    Process,
    Refusal,
    derived_id,
)
from workflows.kernel.stamping import Rungs, answer
from workflows.kernel.step import Batch, Order, Stamps, commit, embryo, next_moment, settle, stamp, step

Question = Callable[["Street", Asked], Mapping[str, Any]]
"""What a simulated street answers to a question that rules ask of other cases or of master data."""
Deed = Callable[["Street", str, Mapping[str, Any]], None]
"""What a deed does to a simulated street; the second argument is the id of its effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What does not change during a simulation: processes by name, calendar, policy with its pin and rungs."""

    processes: Mapping[str, Process[Any]]
    calendar: Calendar
    policy: Any
    pin: Pin
    rungs: Rungs
    commands: Callable[[Process[Any], str, Mapping[str, Any]], Any]
    """Builds a command from the plain fields of an effect."""
    questions: Mapping[str, Question] = field(default_factory=dict)
    deeds: Mapping[str, Deed] = field(default_factory=dict)
    others: Callable[[Pin], "World"] | None = None
    """The same world under another pack, for cases that are rebased; without it all stay under this one's policy."""
    pins: Callable[[str, str, str], Pin] | None = None
    """The pin of a new case of a process, a variant and a place, where they are not all the same."""

    def pin_of(self, case: Case[Any], command: Any) -> Pin:
        """The pin that a new case takes."""
        if self.pins is None:
            return self.pin
        return self.pins(case.process, str(getattr(command, "variant", "")), case.community)

    def under(self, pin: Pin) -> "World":
        """The world as a case with this pin lives in it: its policy, its rungs, its business hours."""
        return self if pin == self.pin or self.others is None else self.others(pin)


@dataclass(slots=True)
class Street:
    """Cases that live on one virtual clock (模拟街道). `now` only moves forward, by `run_to`."""

    world: World
    now: datetime
    cases: dict[str, Case[Any]] = field(default_factory=dict)
    histories: dict[str, list[Event]] = field(default_factory=dict)
    clocks: dict[tuple[str, int], Clock] = field(default_factory=dict)
    """Every clock that ever ran, by case and number, as it stands now."""
    stamps: dict[tuple[str, int], Stamp] = field(default_factory=dict)
    numbers: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Effects that the other case refused, as (effect id, reason): incidents."""
    queue: list[tuple[datetime, int, str]] = field(default_factory=list)
    tick: int = 0
    register: dict[str, Any] = field(default_factory=dict)
    """Master data that deeds change and questions read (主数据), by topic."""
    carrying: set[str] = field(default_factory=set)
    """Cases whose effects are being carried out; what is added to one of them meanwhile waits its turn."""

    def open(
        self,
        process: str,
        case_id: str,
        command: Any,
        actor: Actor,
        *,
        facts: Mapping[str, Any] | None = None,
        **acting: Any,
    ) -> Case[Any]:
        """Start a case; raises a `Refusal` and leaves no trace when it is refused."""
        kind = self.world.processes[process]
        known = {**self.facts(kind, None, command, actor), **(facts or {})}
        order = Order(command=command, actor=actor, facts=known, **acting)
        case = embryo(kind, case_id, order, self.world.pin)
        return self._turn(kind, replace(case, pin=self.world.pin_of(case, command)), order)

    def command(
        self, case_id: str, command: Any, actor: Actor, *, facts: Mapping[str, Any] | None = None, **acting: Any
    ) -> Case[Any]:
        """Give a command at the present moment; raises a `Refusal`.

        What the clocks say at this very moment comes first, and stays when the command is refused.
        """
        self.run_to(self.now)
        case = self.cases[case_id]
        kind = self.world.processes[case.process]
        known = {**self.facts(kind, case, command, actor), **(facts or {})}
        return self._turn(kind, case, Order(command=command, actor=actor, facts=known, **acting))

    def facts(
        self, process: Process[Any], case: Case[Any] | None, command: Any, actor: Actor
    ) -> dict[str, Mapping[str, Any]]:
        """Answers to the questions that the rule of a command needs, as the door would give them."""
        needs = process.needs.get(type(command), ())
        if not needs:
            return {}
        about = _plain(command)
        return {
            name: self.world.questions[name](self, Asked(name=name, about=about, now=self.now, actor=actor, case=case))
            for name in needs
        }

    def begin(self, process: str, code: str, region: str, period: str) -> None:
        """Let the rhythm of a process open what begins now in a region."""
        kind = self.world.processes[process]
        cadence = next(one for one in kind.cadences if one.code == code)
        about = {"region": region, "period": period, "at": self.now.isoformat()}
        asked = Asked(name=cadence.question, about=about, now=self.now, actor=SYSTEM)
        for opening in self.world.questions[cadence.question](self, asked)["openings"]:
            case_id = derived_id(process, opening["key"])
            if case_id not in self.cases:
                self.open(process, case_id, self.world.commands(kind, cadence.command, opening["fields"]), SYSTEM)

    def run_to(self, moment: datetime) -> None:
        """Let time pass; every clock moment on the way happens at its own moment."""
        while self.queue and self.queue[0][0] <= moment:
            at, _, case_id = heapq.heappop(self.queue)
            case = self.cases[case_id]
            due = next_moment(case)
            if due is None or due > at:
                continue
            self.now = max(self.now, at)
            self._turn(self.world.processes[case.process], case, None)
        self.now = max(self.now, moment)

    def events(self, case_id: str) -> Iterator[str]:
        """Names of the events of a case, oldest first."""
        return (event.type for event in self.histories[case_id])

    def _turn(self, process: Process[Any], case: Case[Any], order: Order | None) -> Case[Any]:
        walk = step(process, case, order, self.world.under(case.pin).policy, self.now)
        after = self._drive(walk)
        self._effects(process, after)
        return self.cases[case.id]

    def _drive(self, walk: Any) -> Case[Any]:
        try:
            batch: Batch = next(walk)
            while True:
                batch = walk.send(self._record(batch))
        except StopIteration as done:
            after: Case[Any] = done.value
            return after

    def _record(self, batch: Batch) -> Stamps:
        case = batch.case
        world = self.world.under(case.pin)
        answers = tuple(answer(request, world.calendar, world.rungs) for request in batch.requests)
        number = case.number
        if not number:
            month = batch.events[0].at.astimezone(CHINA).strftime("%Y%m")
            scope = f"{case.process}{case.community}{month}"
            self.numbers[scope] += 1
            number = f"{case.community}{month}{self.numbers[scope]:04d}"
        self.histories.setdefault(case.id, []).extend(batch.events)
        for clock in batch.clocks:
            self.clocks[case.id, clock.number] = clock
        for one in answers:
            self.stamps[case.id, one.number] = one
        stamps = Stamps(number=number, clocks=answers)
        self.cases[case.id] = stamp(case, stamps)
        self._arm(self.cases[case.id])
        return stamps

    def _arm(self, case: Case[Any]) -> None:
        for clock in case.clocks:
            self.clocks[case.id, clock.number] = clock
        moment = next_moment(case)
        if moment is not None:
            self.tick += 1
            heapq.heappush(self.queue, (moment, self.tick, case.id))

    def _effects(self, process: Process[Any], case: Case[Any]) -> None:
        """Carry out what waits, oldest first, and take each off the case as the shell does."""
        if case.id in self.carrying:
            return
        self.carrying.add(case.id)
        try:
            while pending := self.cases[case.id].pending:
                refusal = self._carry_out(pending[0], self.cases[case.id].pin)
                current = self.cases[case.id]
                event = settle(current, pending[0].id, self.now, refused=refusal)
                self._drive(commit(process, current, (event,)))
        finally:
            self.carrying.discard(case.id)

    def _carry_out(self, waiting: Pending, pin: Pin) -> Mapping[str, Any] | None:
        effect: Effect = waiting.effect
        if effect.kind == "DO":
            self.world.deeds[effect.command](self, waiting.id, effect.fields)
            return None
        kind = self.world.processes[effect.process]
        said = effect.fields
        if effect.kind == "ASK":
            name, case = effect.fields["question"], self.cases[effect.case]
            asked = Asked(name=name, about=effect.fields["about"], now=self.now, actor=SYSTEM, case=case)
            said = self.world.questions[name](self, asked)
        order = Order(command=self.world.commands(kind, effect.command, said), actor=SYSTEM)
        try:
            if effect.kind == "START":
                if effect.case not in self.cases:
                    self._turn(kind, embryo(kind, effect.case, order, pin), order)
            else:
                self._turn(kind, self.cases[effect.case], order)
        except Refusal as no:
            self.refused.append((waiting.id, no.reason))
            return {"code": no.code, "reason": no.reason}
        return None


def _plain(value: Any) -> Any:
    """A command or a value in it as the JSON that a question is asked with; fields at their default are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            one.name: _plain(getattr(value, one.name))
            for one in fields(value)
            if getattr(value, one.name) != one.default
        }
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value
