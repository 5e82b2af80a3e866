"""What is known of an objection against a public notice (公示异议); who raised it stays confidential (pure)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PUBLIC = "public"
"""Account id of somebody who objects through the public form, with his name and contact but without an account."""


class Outcome(StrEnum):
    """What came of an objection (异议结论)."""

    UPHELD = "UPHELD"
    DISMISSED = "DISMISSED"


@dataclass(frozen=True, kw_only=True)
class Objection:
    """Data of an objection (异议)."""

    notice: str = ""
    """Id of the notice."""
    community: str = ""
    """Community of the notice; the objection itself lies with the subdistrict above it, out of everybody's sight."""
    about: str | None = None
    ground: str | None = None
    evidence: tuple[str, ...] = ()
    reporter: str | None = None
    """Reference to name and contact of the objector."""
    reporter_id: str | None = None
    submitted_by: str | None = None
    anonymous: bool = False
    confidential: bool = True
    """Nobody but the objector himself is shown who he is; reading his contact is a read of its own, and logged."""
    interested: tuple[str, ...] = ()
    """People with an interest in the notice, and who posted it: none of them may look into it (processes §0.1 d)."""
    investigator: str | None = None
    resolved_by: str | None = None
    outcome: Outcome | None = None
    answer: str | None = None
    answered_at: datetime | None = None
