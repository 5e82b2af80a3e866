"""What a protocol came to: its figures beside their goals, and what deviates."""

from dataclasses import dataclass, field

from temporalio.client import Client

from activities.payloads import data_converter
from services.settings import load_settings
from services.storage.keys import PAYLOADS
from tests.chaos.http import Callers
from tests.chaos.product import Apart, Whole
from tests.check.history import Report, check, settled

QUIET_WITHIN = 60.0
LONGEST = 300
"""Letters that are shown of what was found."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value beside the goal that it must reach."""

    name: str
    value: str
    reached: bool


@dataclass(slots=True)
class Outcome:
    """The end of one protocol under one seed."""

    protocol: str
    seed: int
    done: str = ""
    figures: list[Figure] = field(default_factory=list)
    deviations: list[str] = field(default_factory=list)
    skipped: str = ""

    def at_most(self, name: str, value: float, limit: float, unit: str = "s") -> None:
        """Note a figure that may not be larger."""
        self.figures.append(Figure(name, f"{value:.1f} {unit} (≤ {limit:g})", value <= limit))

    def at_least(self, name: str, value: float, limit: float, unit: str = "") -> None:
        """Note a figure that may not be smaller."""
        self.figures.append(Figure(name, f"{value:.2f} {unit} (≥ {limit:g})".replace("  ", " "), value >= limit))

    def none_of(self, name: str, found: list[str]) -> None:
        """Note that something never happened, or each time that it did."""
        self.figures.append(Figure(name, f"{len(found)} (= 0)", not found))
        self.deviations += [f"{name}: {one[:LONGEST]}" for one in found]

    @property
    def passed(self) -> bool:
        """Say whether every goal was reached without a deviation."""
        return not self.deviations and all(figure.reached for figure in self.figures)

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.protocol}: skipped, {self.skipped}"
        lines = [f"{self.protocol} seed {self.seed}: {'passed' if self.passed else 'NOT PASSED'}; {self.done}"]
        lines += [f"  {'' if one.reached else '✗ '}{one.name}: {one.value}" for one in self.figures]
        return "\n".join(lines + [f"  ! {one}" for one in self.deviations[:30]])


async def history_holds(outcome: Outcome, running: Whole | Apart, callers: Callers) -> Report:
    """Wait until nothing is under way, then hold what clients know against what is stored (H1 to H7)."""
    outcome.at_most("effects settled after", await settled(running.database_url, within=QUIET_WITHIN), QUIET_WITHIN)
    client = await engine_of(running)
    report = await check(callers.requests(), database_url=running.database_url, client=client)
    outcome.none_of("deviations H1 to H7", [str(one) for one in report.deviations])
    outcome.none_of("answers that must never be", callers.odd())
    return report


async def engine_of(running: Whole | Apart) -> Client:
    """A client of the running engine, as an operator has one."""
    keys = load_settings(seal_key=running.home.secret("seal_key")).keys_for(PAYLOADS)
    return await Client.connect(
        running.temporal_address, namespace=running.temporal_namespace, data_converter=data_converter(keys)
    )
