"""What is known of a supervision case (挂牌督办件) (pure)."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, kw_only=True)
class Supervision:
    """Data of a supervision case; the subject is an issue or, later, a rectification of a permit."""

    subject_type: str = ""
    subject_id: str = ""
    reason: str | None = None
    reason_code: str = ""
    opened_by: str = ""
    responsible_org: str | None = None
    responsible_person: str | None = None
    due_on: date | None = None
    public: bool = False
    public_text: str | None = None
    listed_at: datetime | None = None
    reported_by: str | None = None
    evidence: tuple[str, ...] = ()
    relist_count: int = 0
    satisfaction: int | None = None
    """What the reporter said of the result, 1 to 5."""
    checked_by: str | None = None
    delisted_at: datetime | None = None
