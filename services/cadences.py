"""Let months and years begin: one Temporal Schedule for each region, and the cases that they open (周期).

A schedule is made when its region is first seen, and then at once makes up for the period that goes on. It opens by
a question to Postgres, so that a community that is formed later is there from its next month on.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.service import RPCError

from activities.rhythms import Beginning
from services.engine import TASK_QUEUE, Engine
from services.storage.outage import is_outage
from workflows.kernel.calendar import Scale, Unit
from workflows.kernel.periods import MONTHS
from workflows.kernel.process import Cadence, Process
from workflows.registry import CadenceWorkflow, Rhythm

EVERY = timedelta(seconds=30)
AT_ONCE = 8
ZONE = "Asia/Shanghai"

log = structlog.get_logger(__name__)


class Openings(Protocol):
    """Who says what a rhythm opens now."""

    async def openings(self, process: str, question: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Give key and fields of each case that is to be opened and is not there yet."""


class Regions(Protocol):
    """Who knows the tree."""

    async def of_level(self, level: str) -> Iterable[str]:
        """Give the codes of all regions of a level."""


class Beginner:
    """Opens what begins in a region, through the one door to the engine."""

    def __init__(self, engine: Engine, openings: Openings, processes: Iterable[Process[Any]]) -> None:
        self._engine = engine
        self._openings = openings
        self._processes = tuple({process.name: process for process in processes}.values())

    async def begin(self, beginning: Beginning) -> Mapping[str, int]:
        """Open what is not open yet; gives how many cases of each process were opened."""
        opened: Counter[str] = Counter()
        about = {"region": beginning.region, "period": beginning.period, "at": beginning.at}
        gate = asyncio.Semaphore(AT_ONCE)
        for process, cadence in _matching(self._processes, beginning):
            asked = await self._openings.openings(process.name, cadence.question, about)

            async def one(opening: Mapping[str, Any], process: Process[Any] = process, name: str = "") -> None:
                async with gate:
                    await self._engine.begin(process, name, opening["key"], opening["fields"])

            async with asyncio.TaskGroup() as group:
                for opening in asked:
                    group.create_task(one(opening, process, cadence.command))
            opened[process.name] += len(asked)
        return opened


@dataclass(frozen=True, slots=True)
class _Beat:
    """What all rhythms of one pace have in common."""

    level: str
    every: str
    month: int


class Timekeeper:
    """Sees to it that every region has its schedules; several may, for a schedule is made once."""

    def __init__(
        self, client: Client, regions: Regions, processes: Iterable[Process[Any]], scale: Scale | None
    ) -> None:
        self._client = client
        self._regions = regions
        self._beats = {
            _Beat(cadence.level, cadence.every, cadence.month) for process in processes for cadence in process.cadences
        }
        self._scale = scale
        self._kept: set[str] = set()

    async def run(self) -> None:
        """Look for new regions until cancelled; what cannot be reached now is tried at the next look."""
        while True:
            try:
                await self.look()
            except (RPCError, RuntimeError) as trouble:
                log.warning("cadences.engine_not_there", reason=type(trouble).__name__)
            except Exception as trouble:
                if not is_outage(trouble):
                    raise
                log.warning("cadences.database_not_there", reason=type(trouble).__name__)
            await asyncio.sleep(EVERY.total_seconds())

    async def look(self) -> None:
        """Make the schedules that are missing."""
        for beat in self._beats:
            for region in await self._regions.of_level(beat.level):
                name = f"cadence/{region}/{beat.every}/{beat.month}"
                if name not in self._kept:
                    await self._make(name, region, beat)
                    self._kept.add(name)

    async def _make(self, name: str, region: str, beat: _Beat) -> None:
        seconds = self._scale.seconds(Unit.MONTH) if self._scale else None
        rhythm = Rhythm(region, beat.level, beat.every, beat.month, seconds)
        action = ScheduleActionStartWorkflow(CadenceWorkflow.run, rhythm, id=name, task_queue=TASK_QUEUE)
        policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ALL)
        schedule = Schedule(action=action, spec=self._spec(beat), policy=policy)
        try:
            await self._client.create_schedule(name, schedule, trigger_immediately=True)
            log.info("cadences.schedule_made", schedule=name)
        except ScheduleAlreadyRunningError:
            # A drill that was here before went at another pace.
            await self._client.get_schedule_handle(name).update(lambda held: ScheduleUpdate(schedule))

    def _spec(self, beat: _Beat) -> ScheduleSpec:
        if self._scale is not None:
            month = timedelta(seconds=self._scale.seconds(Unit.MONTH))
            return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=month * MONTHS[beat.every])])
        months = [ScheduleRange(beat.month)] if beat.every == "YEAR" else [ScheduleRange(1, 12)]
        start = ScheduleCalendarSpec(day_of_month=[ScheduleRange(1)], month=months)
        return ScheduleSpec(calendars=[start], time_zone_name=ZONE)


def _matching(processes: Iterable[Process[Any]], beginning: Beginning) -> Iterable[tuple[Process[Any], Cadence]]:
    wanted = (beginning.level, beginning.every, beginning.month)
    for process in processes:
        for cadence in process.cadences:
            if (cadence.level, cadence.every, cadence.month) == wanted:
                yield process, cadence
