"""What is known of a supervision order (督办单) (pure)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class OrderColor(StrEnum):
    """Blue reminds, yellow warns, red comes before the public listing (三色督办单, practice R42)."""

    BLUE = "BLUE"
    YELLOW = "YELLOW"
    RED = "RED"


@dataclass(frozen=True, kw_only=True)
class SupervisionOrder:
    """Data of a supervision order (督办单)."""

    color: OrderColor | None = None
    subject_type: str = ""
    subject_id: str = ""
    subject_number: str = ""
    responsible_org: str | None = None
    text: str | None = None
    clock: str = ""
    """Code of the clock of the subject that sent it; empty where a supervisor wrote it."""
    due_on: date | None = None
    issued_by: str = ""
    issued_at: datetime | None = None
    reply: str | None = None
    evidence: tuple[str, ...] = ()
    replied_by: str | None = None
    replied_at: datetime | None = None
    replies: int = 0
    accepted_by: str | None = None
