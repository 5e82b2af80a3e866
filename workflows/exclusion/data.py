"""What is known of an exclusion from a figure (剔除): which case, from which figure, why, by whom (pure)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Figure(StrEnum):
    """Figures that a case may be taken out of (glossary §7)."""

    RESPONSE_RATE = "response_rate"
    RESOLUTION_RATE = "resolution_rate"
    SATISFACTION_RATE = "satisfaction_rate"
    ON_TIME_RATE = "on_time_rate"
    OVERDUE_OPEN = "overdue_open"
    REWORK_RATE = "rework_rate"
    DELIST_RATE = "delist_rate"
    ROUND_COMPLIANCE = "round_compliance"
    EPC_COMPLIANCE = "epc_compliance"


class Ruling(StrEnum):
    """Whether the case counts (裁定)."""

    EXCLUDE = "EXCLUDE"
    KEEP = "KEEP"


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """Data of an exclusion (剔除)."""

    subject_type: str = ""
    subject_id: str = ""
    subject_number: str = ""
    figure: Figure | None = None
    reason: str | None = None
    document_no: str | None = None
    evidence: tuple[str, ...] = ()
    org: str | None = None
    """The organisation whose figure it is; it may ask and appeal."""
    asked_by: str = ""
    excluded: bool = False
    """The ruling that counts now; the figures show the case on both sides."""
    ruled_by: str | None = None
    ruled_at: datetime | None = None
    appealed_by: str | None = None
    final: bool = False
