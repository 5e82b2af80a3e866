"""What is known of a round of collection (排摸征集): visits, wishes, and the problem list made of them (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class VisitKind(StrEnum):
    """Whom a visit is paid to (走访类别)."""

    HOUSEHOLD = "HOUSEHOLD"
    UNIT = "UNIT"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A household or unit that was drawn by lot (随机走访): the place and its how-manieth household."""

    place: str
    ordinal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit (走访). Who refuses is counted and nothing else is kept of him (processes P2)."""

    kind: VisitKind
    at: datetime
    collector: str
    place: str | None = None
    """Code of the grid or id of the building, for the coverage."""
    target: str | None = None
    refused: bool = False
    notes: str | None = None
    wishes: tuple[str, ...] = ()
    """Ids of the issues that came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the published problem list (问题清单); its title is the issue's own text."""

    issue: str
    number: str
    category_code: str | None = None
    mode: str | None = None
    difficulty: str | None = None
    level: str = ""
    lead_org: str | None = None
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class Round:
    """Data of a round (征集轮次)."""

    month: str = ""
    """`2026-03`; under a scaled pack the minute in which its month began."""
    extra: bool = False
    priority: bool = False
    """The month before was missed (S26)."""
    siblings: tuple[str, ...] = ()
    """Other rounds of the same community and month."""
    covered: bool = False
    """Another round of the month is valid."""
    plan: str | None = None
    collectors: tuple[str, ...] = ()
    sample: tuple[Drawn, ...] = ()
    opened_by: str = ""
    opened_at: datetime | None = None
    visits: Mapping[str, Visit] = field(default_factory=dict)
    valid: bool = False
    """Enough visits were paid, or the chair has said why fewer units are enough."""
    closed_by_calendar: bool = False
    collected_at: datetime | None = None
    list_version: int | None = None
    entries: tuple[Entry, ...] = ()
    """The problem list as it was published; never changed afterwards."""
    published_at: datetime | None = None
    order_no: str | None = None
    """Number of the street's order by which the round was waived."""

    def paid(self, kind: VisitKind) -> int:
        """How many visits of a kind were paid, refused ones included."""
        return sum(visit.kind is kind for visit in self.visits.values())

    @property
    def wishes(self) -> tuple[str, ...]:
        """Ids of all issues that came of this round."""
        return tuple(wish for visit in self.visits.values() for wish in visit.wishes)
