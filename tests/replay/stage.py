"""Say on the engine what was said on a simulated street, and see that the same came of it.

The time-skipping server begins today and only goes on, so that every life is led 28 years later: then the days of the
week and the leap years are those of the street's year again, and its holidays are moved along. What a permit lives
through in years passes in a moment.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from pydantic_core import to_json
from temporalio.client import Client, WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from services.storage.national_calendar import national_calendar
from tests.scenarios.street import Town
from tests.scenarios.taping import Act, Counts, Taped
from tests.twins.ledger import TwinLedger
from tests.twins.skipping import SkippingEngine, skipping_engine, skipping_server
from workflows.kernel.calendar import HostCalendar
from workflows.kernel.process import Case, Event, named
from workflows.kernel.wire import Envelope, fields_of, restored
from workflows.registry import PROCESSES

When = TypeVar("When", date, datetime)
YEARS_LATER = 28
DATED = re.compile(r"(20\d\d)(-\d\d(?:-\d\d(?:T.*)?)?)")
"""A month, a day or a moment, as JSON writes it."""
LOOK_EVERY = 0.01
PATIENCE = 20.0
CREEP_AFTER = 0.5
CREEP = timedelta(seconds=1)


class Differs(AssertionError):
    """On the engine something else came of it than on the street."""


@dataclass(frozen=True, slots=True)
class Life:
    """What was said on a street, and the case there whose history is wanted."""

    name: str
    town: Town
    case_id: str
    rolls: Callable[[Act], bool] = lambda act: False
    """After which acts its case goes on in a new run."""

    @property
    def street(self) -> Taped:
        """The street with its tape."""
        assert isinstance(self.town.street, Taped)
        return self.town.street

    @property
    def case(self) -> Case[Any]:
        """The case, as it stands on the street at the end."""
        return self.street.cases[self.case_id]

    def now_and_then(self, act: Act) -> bool:
        """The opening, and every third thing that happens to the case, if it was said."""
        return act.case_id == self.case_id and (act.opens or act.after[self.case_id] % 3 == 0)

    @property
    def workflow_id(self) -> str:
        """What its runs are called."""
        return f"{self.case.process}/{self.case_id}"

    @property
    def events(self) -> list[Event]:
        """What happened to the case on the street."""
        return self.street.histories[self.case_id]

    @property
    def shown(self) -> set[str]:
        """Everything that its history shows: events and positions."""
        process = self.case.process
        found = {f"{process} stands at {self.case.position}"} | {f"{process} {event.type}" for event in self.events}
        return found | {f"{process} was at {event.change.to}" for event in self.events if event.change.to}

    @property
    def rows(self) -> set[tuple[str, str]]:
        """The rows of the table that it took: position and event."""
        found, position = set(), ""
        for event in self.events:
            found.add((position, event.type))
            position = event.change.to or position
        return found


@dataclass(slots=True)
class Stage:
    """The time-skipping server with a worker on it, and the ledger in memory that it writes to."""

    client: Client
    engine: SkippingEngine
    ledger: TwinLedger
    environment: WorkflowEnvironment
    runs: dict[str, None] = field(default_factory=dict)
    """The runs of the case that is played: going on begins one, and so does a command after its end."""

    async def play(self, life: Life) -> Case[Any]:
        """Say everything on the engine that was said on the street; gives the case as it then stands there.

        Raises `Differs` where after any act, or at the end, a case has not the events that it has on the street.
        """
        street, stops = life.street, _moments(life.street)
        for count, act in enumerate(street.acts):
            await self._pass(life, (at for at in stops if at < act.at))
            await self._sleep_until(later(act.at))
            await self._come_to(life, act.before)
            await self._say(act, f"{life.name}-{count}")
            await self._come_to(life, act.after)
            if act.case_id == life.case_id:
                await self._note_run(life)
            if life.rolls(act):
                await self._roll_over(act)
            stops = [at for at in stops if at >= act.at]
        await self._pass(life, stops)
        await self._sleep_until(later(street.now))
        await self._note_run(life)
        for case_id, events in street.histories.items():
            # Which comes first is a race where a case waits for an answer while another one tells it something.
            if sorted(self._written(case_id)) != sorted(event.type for event in events):
                raise Differs(f"{life.name}: {case_id} has {self._written(case_id)}")
        case = await self.ledger.now(PROCESSES[life.case.process], life.case_id)
        assert case is not None
        held = await self.engine.case(PROCESSES[case.process], case.id)
        assert held is not None
        if (case.position, case.pending) != (life.case.position, ()) or restored(PROCESSES[case.process], held) != case:
            raise Differs(f"{life.name}: it stands at {case.position}")
        return case

    async def histories(self, life: Life) -> list[WorkflowHistory]:
        """The history of every run of the case that was played, oldest first."""
        handles = [self.client.get_workflow_handle(life.workflow_id, run_id=run_id) for run_id in self.runs]
        return [await handle.fetch_history() for handle in handles]

    async def _pass(self, life: Life, moments: Iterable[datetime]) -> None:
        """Let time pass from one thing that happens to the next: what goes wrong is seen where it does."""
        for moment in moments:
            await self._sleep_until(later(moment))
            happened = {
                case_id: sum(event.at <= moment for event in events)
                for case_id, events in life.street.histories.items()
            }
            await self._come_to(life, happened)

    async def _come_to(self, life: Life, wanted: Counts) -> None:
        """Wait until the cases have so many events. A clock that was set a moment later also rings a moment later."""
        began, creeps = time.monotonic(), 0
        while missing := [one for one, count in wanted.items() if len(self._written(one)) < count]:
            waited = time.monotonic() - began
            if waited > PATIENCE:
                there = self._written(missing[0])
                told = [event.type for event in life.street.histories[missing[0]][len(there) : wanted[missing[0]]]]
                raise Differs(f"{life.name}: {missing[0]} waits for {told} after {there}")
            if waited > CREEP_AFTER * (creeps + 1):
                # An answer that comes a moment after midnight belongs to the next day.
                await self.environment.sleep(CREEP * 4**creeps)
                creeps += 1
            await asyncio.sleep(LOOK_EVERY)

    def _written(self, case_id: str) -> list[str]:
        """What happened to a case on the engine."""
        book = self.ledger.books.get(case_id)
        return [row["type"] for row in book.events] if book else []

    async def _say(self, act: Act, key: str) -> None:
        order, process = act.order, PROCESSES[act.process]
        envelope = Envelope(
            command=named(type(order.command)).name,
            fields=moved(fields_of(order.command)),
            actor=order.actor,
            key=key,
            body_hash=f"body of {key}",
            acting_role=order.acting_role,
            acting_org=order.acting_org,
            on_behalf_of=order.on_behalf_of,
            facts=moved(json.loads(to_json(order.facts))),
        )
        say = self.engine.open if act.opens else self.engine.command
        await say(process, act.case_id, envelope)

    async def _sleep_until(self, moment: datetime) -> None:
        left = moment - await self.environment.get_current_time()
        if left > timedelta(0):
            await self.environment.sleep(left)

    async def _note_run(self, life: Life) -> None:
        self.runs[(await self.client.get_workflow_handle(life.workflow_id).describe()).run_id] = None

    async def _roll_over(self, act: Act) -> None:
        handle = self.client.get_workflow_handle(f"{act.process}/{act.case_id}")
        before = await handle.describe()
        if before.close_time is not None:
            return
        await self.engine.roll_over(PROCESSES[act.process], act.case_id)
        async with asyncio.timeout(PATIENCE):
            while (found := await handle.describe()).run_id == before.run_id and found.close_time is None:
                await asyncio.sleep(LOOK_EVERY)


@asynccontextmanager
async def stage(street: Taped) -> AsyncIterator[Stage]:
    """Set the stage for what was said on a street, and take it down."""
    ledger = TwinLedger(calendar())
    async with (
        skipping_server() as environment,
        skipping_engine(environment, ledger, street.world, street.began_with) as engine,
    ):
        yield Stage(environment.client, engine, ledger, environment)


def calendar() -> HostCalendar:
    """The national calendar, so many years later."""
    known = national_calendar()
    return HostCalendar(known.edition, {later(on): replace(day, date=later(on)) for on, day in known.days.items()})


def later(moment: When) -> When:
    """The same moment so many years later."""
    return moment.replace(year=moment.year + YEARS_LATER)


def moved(value: Any) -> Any:
    """JSON with every month, day and moment in it so many years later."""
    if isinstance(value, dict):
        return {name: moved(one) for name, one in value.items()}
    if isinstance(value, list):
        return [moved(one) for one in value]
    if isinstance(value, str) and (found := DATED.fullmatch(value)):
        return f"{int(found[1]) + YEARS_LATER}{found[2]}"
    return value


def _moments(street: Taped) -> list[datetime]:
    """When something happened on a street, each once."""
    return sorted({event.at for events in street.histories.values() for event in events})
