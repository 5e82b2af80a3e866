"""Play the same random script to the simulator and to Temporal, step by step, and compare everything after each step.

Temporal runs on the time-skipping server, where all cases share one clock. What it cannot promise is the very
microsecond at which a command is carried out; so the simulator is told the moments that Temporal's events carry,
and must then say the same in every other respect: types, order, numbers, actors, roles, payloads, stamps, and the
case itself. Moments of clocks are never told: both compute them.
"""

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from itertools import permutations
from random import Random
from string import ascii_uppercase
from typing import Any

from pydantic_core import to_json
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from services.engine import Engine, IdempotencyConflict
from tests.equal.acting import NAMING, SAMPLES, Place, Scene, facts_for, meet, submit, wanted
from tests.twins.ledger import TwinLedger
from workflows.kernel.process import SYSTEM, Actor, Case, Event, Pending, Process, Refusal, named
from workflows.kernel.simulator import Street, World
from workflows.kernel.step import Order, commit, decide, next_moment, settle
from workflows.kernel.upkeep import RebasePolicy
from workflows.kernel.wire import Envelope, Json, Transaction, command_of, event_row, fields_of, restored
from workflows.registry import PROCESSES
from workflows.supervision import rules as watch

PATIENCE = 60.0
SURE_AFTER = 8.0
LOOK_EVERY = 0.01
CASES_A_SCRIPT = 3
TRIES = 12
COUNT = 4
SETTLED = ("effect_done", "effect_refused")
SLOW_LEAPS = tuple(timedelta(hours=hours) for hours in (0.3, 3, 20, 48, 216))
# In a drill months pass in minutes: an agenda missed for nine days would be missed thousands of times.
LONGEST_SLEEP = timedelta(seconds=10)
"""Of the fast clock."""
FAST_LEAPS = tuple(timedelta(seconds=seconds) for seconds in (1, 3, 8, 30, 70))


class NotYet(Exception):
    """Temporal has not come as far as the simulator."""


class Differs(AssertionError):
    """The simulator and Temporal disagree; the text tells the script so far."""


class FaultyLedger(TwinLedger):
    """A ledger whose answers get lost and whose writes fail, by chance."""

    rng = Random(0)
    share = 0.0

    async def record(self, t: Transaction) -> Any:
        """As the ledger, or not at all, or without telling."""
        if self.rng.random() < self.share:
            raise ConnectionError("before the write")
        answer = await super().record(t)
        if self.rng.random() < self.share:
            raise ConnectionError("after the write")
        return answer


class Echo(Street):
    """A simulated street that is told when Temporal carried out an effect."""

    ledger: TwinLedger
    carried: dict[str, Mapping[str, Any] | None]
    """Effects that have reached their receiver and are not settled yet, with the refusal if there was one."""

    def fork(self) -> "Echo":
        """A street that can be thrown away."""
        other = Echo(
            self.world,
            self.now,
            dict(self.cases),
            {case_id: list(events) for case_id, events in self.histories.items()},
            dict(self.clocks),
            dict(self.stamps),
            Counter(self.numbers),
            list(self.refused),
            list(self.queue),
            self.tick,
        )
        other.ledger, other.carried = self.ledger, dict(self.carried)
        return other

    def _effects(self, process: Process[Any], case: Case[Any]) -> None:
        if case.id in self.carrying:
            return
        before = self.now
        self.carrying.add(case.id)
        try:
            while (pending := self.cases[case.id].pending) and self._effect(process, case.id, pending[0]):
                pass
        finally:
            self.carrying.discard(case.id)
        self.now = max(self.now, before)

    def _effect(self, process: Process[Any], case_id: str, waiting: Pending) -> bool:
        """Carry out an effect as Temporal did; False while another turn comes first."""
        current = self.cases[case_id]
        row = self._settled(case_id, waiting)
        reached = self._reached(waiting)
        target = self.cases.get(waiting.effect.case)
        if waiting.id not in self.carried:
            # Only an answer is a turn of the case itself; any other comes before the effect is settled.
            if row["seq"] != current.version + 1 and not (waiting.effect.kind == "ASK" and reached is not None):
                return False
            if reached is not None and target is not None and not self._next(target, reached):
                return False
            self.now = datetime.fromisoformat(reached["at"]) if reached else datetime.fromisoformat(row["at"])
            self.carried[waiting.id] = self._carry_out(waiting, current.pin)
            current = self.cases[case_id]
        if row["seq"] != current.version + 1:
            return False
        self.now = settled = datetime.fromisoformat(row["at"])
        refusal = self.carried.pop(waiting.id)
        self._drive(commit(process, current, (settle(current, waiting.id, settled, refused=refusal),)))
        for other in list(self.cases.values()):
            if other.pending and other.id != case_id:
                self._effects(self.world.processes[other.process], other)
        return True

    def _next(self, target: Case[Any], reached: Json) -> bool:
        """Whether the effect's command is the next of its receiver, but for clocks that speak on the way."""
        between = self.ledger.books[target.id].events[target.version : reached["seq"] - 1]
        by_itself = (row["actor"] == SYSTEM.id and row["type"] not in SETTLED for row in between)
        return all(by_itself)

    def _settled(self, sender: str, waiting: Pending) -> Json:
        for row in self.ledger.books[sender].events if sender in self.ledger.books else ():
            if row["payload"].get("done") == waiting.id:
                return row
        raise NotYet(f"{waiting.id} is not settled")

    def _reached(self, waiting: Pending) -> Json | None:
        """The event to which the effect led at its receiver; None when it was refused there."""
        key = hashlib.sha256(f"effect|{waiting.id}".encode()).hexdigest()
        book = self.ledger.books.get(waiting.effect.case)
        if book is None or key not in book.commands:
            return None
        return book.events[book.commands[key][1] - 1]


@dataclass(frozen=True, slots=True)
class Given:
    """A command that was sent, and what came back: the version that it led to, or the refusal."""

    case_id: str
    process: Process[Any]
    command: Any
    envelope: Envelope
    opens: bool
    version: int = 0
    refusal: tuple[str, str] | None = None
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    """Of a refusal, which leaves no event to say when it was decided."""

    def told(self) -> str:
        """One line of the script."""
        answer = f"{self.refusal}" if self.refusal else f"version {self.version}"
        return f"{self.case_id[:8]} {self.envelope.actor.id}: {self.command} -> {answer} at {self.sent_at}"


@dataclass(slots=True)
class Script:
    """One script: its street in the simulator, its cases in the engine, and what was done so far."""

    number: int
    place: Place
    rng: Random
    street: Echo
    engine: Engine
    client: Client
    ledger: TwinLedger
    clock: Callable[[], Any]
    given: list[Given] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    count: int = 0
    agreed: Counter[str] = field(default_factory=Counter)
    """How many events of each case have been compared."""
    seen: Counter[str] = field(default_factory=Counter)
    rolled: set[str] = field(default_factory=set)
    """Cases that went on in a new run."""

    # --- what may happen ------------------------------------------------------------------------------------

    async def move(self) -> None:
        """Do something to one of the cases."""
        chance = self.rng.random()
        mine = list(self.street.cases.values())
        if not mine or (chance < 0.12 and sum(case.process == "issue" for case in mine) < CASES_A_SCRIPT):
            await self.play([self._opening()])
        elif chance < 0.16 and (again := [one for one in self.given if one.refusal is None]):
            await self.repeat(self.rng.choice(again))
        elif chance < 0.20:
            await self.roll_over(self.rng.choice(mine))
        else:
            case = self.rng.choice([case for case in mine if case.closed_at is None] * 8 + mine)
            moves = [self._move(case)]
            # A child takes the pack that its parent has when the engine comes to it: two at once would be a race.
            if self.rng.random() < 0.1 and not isinstance(moves[0].command, RebasePolicy):
                moves += [one for one in [self._move(case)] if not isinstance(one.command, RebasePolicy)]
            await self.play(moves)

    def _opening(self) -> Given:
        scene = self._scene(None)
        names = ("grid1", "worker1", "worker2", "member1", "property1", "resident1", "resident2", "secretary1")
        actor = (
            self.place.named(self.rng.choice(names)) if self.rng.random() < 0.9 else self.rng.choice(self.place.people)
        )
        chance = self.rng.random()
        issues = any(case.process == "issue" for case in self.street.cases.values())
        if issues and chance < 0.15:
            return self._given(
                PROCESSES["supervision"], SAMPLES[watch.OpenSupervision](scene), self.place.named("supervisor1")
            )
        if issues and chance < 0.45:
            return self._given(PROCESSES["meeting"], meet(scene), self.place.named("clerk1"))
        return self._given(PROCESSES["issue"], submit(scene), actor)

    def _move(self, case: Case[Any]) -> Given:
        """Mostly something lawful, sometimes whatever comes to mind."""
        process = PROCESSES[case.process]
        tries = 1 if self.rng.random() < 0.15 else TRIES
        for command, actor in wanted(process, self._scene(case)):
            named_case = next(filter(None, (getattr(command, one, None) for one in NAMING)), None)
            if type(command) in process.openings.values() or (named_case and named_case not in self.street.cases):
                continue
            tries -= 1
            if tries <= 0 or self._lawful(process, case, command, actor):
                return self._given(process, command, actor, case.id)
        raise AssertionError("there is always something to try")

    def _lawful(self, process: Process[Any], case: Case[Any], command: Any, actor: Actor) -> bool:
        order = Order(command=command, actor=actor, facts=self._facts(process, case, command, actor))
        try:
            decide(process, case, order, self.street.world.under(case.pin).policy, self.street.now)
        except Refusal:
            return False
        return True

    def _facts(self, process: Process[Any], case: Case[Any] | None, command: Any, actor: Actor) -> dict[str, Any]:
        """What the door would tell the rules, as plain JSON."""
        answers = self.street.facts(process, case, command, actor)
        facts: dict[str, Any] = json.loads(to_json({**answers, **facts_for(command, self.street.cases)}))
        return facts

    def _scene(self, case: Case[Any] | None) -> Scene:
        return Scene(self.place, self.rng, self.street.now, self.street.cases, case)

    def _given(self, process: Process[Any], command: Any, actor: Actor, case_id: str = "") -> Given:
        self.count += 1
        key = hashlib.sha256(f"{self.place.number}|{self.count}".encode()).hexdigest()
        # What the rules see is what crosses the wire.
        values = json.loads(to_json(fields_of(command)))
        rebuilt = command_of(process, named(type(command)).name, values)
        body = hashlib.sha256(to_json([named(type(command)).name, values])).hexdigest()
        expected = None
        if case_id and self.rng.random() < 0.2:
            expected = self.street.cases[case_id].version - self.rng.choice((0, 0, 0, 1))
        envelope = Envelope(
            command=named(type(command)).name,
            fields=values,
            actor=actor,
            key=key,
            body_hash=body,
            expected_version=expected,
            facts=self._facts(process, self.street.cases.get(case_id), rebuilt, actor),
        )
        opened = f"{key[:8]}-{key[8:12]}-7{key[13:16]}-8{key[17:20]}-{key[20:32]}"
        return Given(case_id or opened, process, rebuilt, envelope, opens=not case_id)

    # --- both sides -----------------------------------------------------------------------------------------

    async def play(self, moves: Sequence[Given]) -> None:
        """Send commands at one moment, and let the simulator find the order in which they were taken."""
        done = await asyncio.gather(*(self.send(one) for one in moves))
        self.told += [one.told() for one in done]
        self.given += done
        await self.agree(done)

    async def send(self, one: Given) -> Given:
        """Give Temporal a command."""
        now: datetime = await self.clock()
        try:
            if one.opens:
                receipt = await self.engine.open(one.process, one.case_id, one.envelope)
            else:
                receipt = await self.engine.command(one.process, one.case_id, one.envelope)
        except Refusal as no:
            self.seen[f"refused {no.code}"] += 1
            return replace(one, refusal=(no.code, no.reason), sent_at=now, answered_at=await self.clock())
        self.seen[one.envelope.command] += 1
        at = datetime.fromisoformat(self.ledger.books[one.case_id].events[receipt.version - 1]["at"])
        return replace(one, version=receipt.version, sent_at=at)

    async def repeat(self, earlier: Given) -> None:
        """The same key again gives the same answer, another body under it a conflict; neither leaves a trace."""
        self.told.append(f"{earlier.case_id[:8]} again {earlier.envelope.command}")
        self.seen["repeat"] += 1
        again = await self.send(earlier)
        if (again.version, again.refusal) != (earlier.version, None):
            raise self._differs(f"the repeat was answered {again.version} {again.refusal}")
        try:
            other = replace(earlier.envelope, body_hash="another")
            if earlier.opens:
                await self.engine.open(earlier.process, earlier.case_id, other)
            else:
                await self.engine.command(earlier.process, earlier.case_id, other)
        except IdempotencyConflict:
            await self.agree([])
        else:
            raise self._differs("another body under the same key was taken")

    async def roll_over(self, case: Case[Any]) -> None:
        """Go on in a new run; nothing is to be seen of it."""
        handle = self.client.get_workflow_handle(f"{case.process}/{case.id}")
        before = await handle.describe()
        if before.close_time is not None:
            return
        self.told.append(f"{case.id[:8]} rolls over")
        self.seen["roll over"] += 1
        self.rolled.add(case.id)
        await self.engine.roll_over(PROCESSES[case.process], case.id)
        async with asyncio.timeout(PATIENCE):
            while (found := await handle.describe()).run_id == before.run_id and found.close_time is None:
                await asyncio.sleep(LOOK_EVERY)

    async def agree(self, moves: Sequence[Given]) -> None:
        """Wait until Temporal has come to rest, and compare it with the simulator."""
        given_up = time.monotonic() + PATIENCE
        while True:
            now = await self.clock()
            troubles: list[Exception] = []
            for order in permutations(moves):
                street = self.street.fork()
                try:
                    for one in order:
                        self._simulate(street, one)
                    street.run_to(now)
                    self._compare(street)
                except (NotYet, Differs) as trouble:
                    troubles.append(trouble)
                else:
                    self.street = street
                    self.agreed = Counter({one: len(events) for one, events in street.histories.items()})
                    return
            settled = all(isinstance(one, Differs) for one in troubles)
            if time.monotonic() > given_up - (PATIENCE - SURE_AFTER if settled else 0):
                raise self._differs(" | ".join(f"{type(one).__name__}: {one}" for one in troubles))
            await asyncio.sleep(LOOK_EVERY)

    def _simulate(self, street: Echo, one: Given) -> None:
        assert one.sent_at is not None
        if one.refusal is not None:
            self._simulate_refusal(street, one)
            return
        street.run_to(one.sent_at)
        before = street.now
        # An effect of another case that was under way then may have been settled later.
        street.now = one.sent_at
        try:
            self._act(street, one)
        except Refusal as no:
            raise Differs(f"{one.told()}; the simulator refuses: {no.code} {no.reason}") from None
        street.now = max(street.now, before)

    def _simulate_refusal(self, street: Echo, one: Given) -> None:
        """It was decided while its sender waited: what fell due meanwhile came before it or after it."""
        assert one.sent_at is not None
        assert one.answered_at is not None
        told = "carries it out"
        for moment in (one.sent_at, one.answered_at):
            street.run_to(moment)
            try:
                self._act(street.fork(), one)
            except Refusal as no:
                if (no.code, no.reason) == one.refusal:
                    return
                told = f"refuses: {no.code} {no.reason}"
        raise Differs(f"{one.told()}; the simulator {told}")

    def _act(self, street: Echo, one: Given) -> None:
        acting: dict[str, Any] = {"facts": one.envelope.facts, "expected_version": one.envelope.expected_version}
        if one.opens:
            street.open(one.process.name, one.case_id, one.command, one.envelope.actor, **acting)
        else:
            street.command(one.case_id, one.command, one.envelope.actor, **acting)

    def _compare(self, street: Echo) -> None:
        for case_id, events in street.histories.items():
            book = self.ledger.books.get(case_id)
            rows = book.events if book else []
            known = self.agreed[case_id]
            for event, row in zip(events[known:], rows[known:], strict=False):
                if as_row(event) != row:
                    raise Differs(f"{case_id[:8]} #{event.seq}: simulator {as_row(event)}, Temporal {row}")
            if len(rows) < len(events):
                raise NotYet(f"{case_id[:8]} has {len(rows)} events, {as_row(events[len(rows)])} is next")
            if len(rows) > len(events):
                raise Differs(f"{case_id[:8]}: the simulator knows nothing of {rows[len(events)]}")
            assert book is not None
            same_case(street.cases[case_id], restored_from(book.row, list(book.clocks.values())))

    async def same_in_the_run(self) -> None:
        """Every case that has a run is the same there."""
        for case_id, case in self.street.cases.items():
            process = PROCESSES[case.process]
            held = await self.engine.case(process, case_id)
            if held is not None and held["version"] == case.version:
                same_case(case, restored(process, held))

    def _differs(self, why: str) -> Differs:
        return Differs("\n  ".join([f"script {self.number}: {why}", *self.told]))


def as_row(event: Event) -> Json:
    """The event as it stands after its way through JSON."""
    row: Json = json.loads(to_json(event_row(event)))
    return row


def restored_from(row: Json, clocks: Sequence[Any]) -> Case[Any]:
    """The case in the ledger."""
    live = [json.loads(to_json(clock)) for clock in clocks if clock.live]
    return restored(PROCESSES[row["process"]], {**row, "clocks": live})


def same_case(simulated: Case[Any], engines: Case[Any]) -> None:
    """Compare two cases; which of two that begin at one moment gets the first number is a race."""
    bare = replace(engines, number=engines.number.lstrip(ascii_uppercase)[:-COUNT])
    other = replace(simulated, number=simulated.number[:-COUNT])
    if other != bare:
        names = [one.name for one in fields(Case) if getattr(other, one.name) != getattr(bare, one.name)]
        told = [f"{name}: {getattr(other, name)} / {getattr(bare, name)}" for name in names]
        raise Differs(f"{simulated.id[:8]} at {simulated.version} differs in {told}")


# --- many scripts on one clock -------------------------------------------------------------------------------


async def side_by_side(
    environment: WorkflowEnvironment,
    engine: Engine,
    ledger: TwinLedger,
    world: World,
    *,
    seed: int,
    scripts: int,
    rounds: int,
    first_place: int = 0,
) -> list[Script]:
    """Play scripts, each on a street of its own, in rounds of a move for each and a leap of time for all."""
    rng = Random(seed)
    started = await environment.get_current_time()
    played = []
    for number in range(scripts):
        street = Echo(world, started)
        street.ledger, street.carried = ledger, {}
        played.append(
            Script(
                number,
                Place(first_place + number),
                Random(f"{seed}|{number}"),
                street,
                engine,
                environment.client,
                ledger,
                environment.get_current_time,
            )
        )
    for turn in range(rounds):
        await asyncio.gather(*(one.move() for one in played))
        if turn % 3 == 2:
            leap = _leap(rng, played, slow=world.rungs.scale is None)
            # In parts: a busy machine takes long for all that falls due, and the server answers each within its time.
            parts = 1 + leap // LONGEST_SLEEP if world.rungs.scale is not None else 1
            for _ in range(parts):
                await environment.sleep(leap / parts)
            for one in played:
                one.told.append(f"time leaps {leap}")
            await asyncio.gather(*(one.agree([]) for one in played))
    await asyncio.gather(*(one.same_in_the_run() for one in played))
    return played


def _leap(rng: Random, played: Sequence[Script], *, slow: bool) -> timedelta:
    """Some hours or days, or just past the next moment of some case."""
    case_moments = [
        moment - one.street.now
        for one in played
        for case in one.street.cases.values()
        if (moment := next_moment(case)) is not None
    ]
    if not slow:
        # A day that somebody names is as far as in life; until then months would pass in a drill by the hundred.
        case_moments = [one for one in case_moments if one <= FAST_LEAPS[-1]]
    if case_moments and rng.random() < 0.4:
        return max(
            timedelta(seconds=2), rng.choice(case_moments) + timedelta(seconds=rng.choice((-5, 2, 3600 if slow else 1)))
        )
    return rng.choice(SLOW_LEAPS if slow else FAST_LEAPS)


def told_of(played: Sequence[Script]) -> Mapping[str, int]:
    """How often each command, refusal and roll-over happened in all scripts."""
    total: Counter[str] = Counter()
    for one in played:
        total.update(one.seen)
    return total


__all__ = ["Differs", "FaultyLedger", "side_by_side", "told_of"]
