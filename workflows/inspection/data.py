"""What is known of the yearly inspection of a permit (年度检查评估) (pure). Texts stand here as references only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What the inspection comes to (检查结论)."""

    PASS = "PASS"
    RECTIFY = "RECTIFY"
    PROPOSE_REVOKE = "PROPOSE_REVOKE"


class Finding(StrEnum):
    """What was found missing (检查发现)."""

    NO_SELF_REPORT = "NO_SELF_REPORT"


class BallotState(StrEnum):
    """How far the upward assessment is (下评上)."""

    COLLECTING = "COLLECTING"
    TALLIED = "TALLIED"
    FILED = "FILED"
    """Held outside of the system; its counts were filed."""
    INVALID = "INVALID"
    """Too few answers, also after the extension: no result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfReport:
    """What the admitted body says of its year (自查报告)."""

    staff: str
    funds: str
    results: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """The upward assessment (下评上): counts only, no ballot and no person.

    `satisfied` of `valid` answers of a `panel`; `cells` counts answers by rating, None where there are too few to
    be shown.
    """

    round: int
    panel: int
    state: BallotState
    extended: bool = False
    valid: int = 0
    satisfied: int = 0
    cells: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def is_result(self) -> bool:
        """Say whether a conclusion may rest on it."""
        return self.state in (BallotState.TALLIED, BallotState.FILED)

    @property
    def share(self) -> float:
        """Satisfied answers in percent of the valid ones, to one decimal."""
        return round(100 * self.satisfied / self.valid, 1) if self.valid else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCheck:
    """What the office saw on the spot (实地检查)."""

    notes: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """Data of an inspection; `permit` is the id of the admission's case, `period` the year or the drill's year."""

    permit: str = ""
    permit_no: str = ""
    variant: str = ""
    applicant_org: str = ""
    communities: tuple[str, ...] = ()
    year: int = 0
    period: str = ""
    opened_by: str = ""
    self_report: SelfReport | None = None
    findings: tuple[Finding, ...] = ()
    ballot: Ballot | None = None
    site_check: SiteCheck | None = None
    outcome: Outcome | None = None
    opinion: str | None = None
    concluded_by: str | None = None
    concluded_at: datetime | None = None

    @property
    def lead_org(self) -> str:
        """Whose work is inspected."""
        return self.applicant_org
