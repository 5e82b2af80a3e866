"""What is known of a public notice (公示): what is posted, for how long, and what was said against it (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What is put on notice (公示类别)."""

    MEMBER = "MEMBER"
    """委员人选公示 (seed 001 §三3)."""
    RESULT = "RESULT"
    """结果公示 (seed 001 §四5)."""
    LISTING = "LISTING"
    """挂牌公示 (seed 000 §五三是)."""
    COMMENDATION = "COMMENDATION"
    """表彰公示 (seed 001 §六3)."""
    RESOLUTION = "RESOLUTION"
    """决议公开 (seed 004 §二(四)2)."""
    GENERAL = "GENERAL"
    """一般公示."""


PERIODS: Mapping[Kind, str] = {
    Kind.MEMBER: "notice.member.days",
    Kind.RESULT: "issue.public_result.min",
    Kind.LISTING: "notice.general.days",
    Kind.COMMENDATION: "commendation.notice",
    Kind.RESOLUTION: "four_deliberations.notice",
    Kind.GENERAL: "notice.general.days",
}
"""Parameter of the policy pack that says how long a kind stays posted; the posting case may name another one."""

BY_HAND = (Kind.GENERAL, Kind.RESOLUTION)
"""Kinds that people post themselves; every other kind is posted by the case that it is about."""

TOLD: Mapping[Kind, tuple[str, ...]] = {
    Kind.MEMBER: ("notice_ended", "notice_interrupted", "notice_reposted"),
}
"""What the posting case is told where it does not say itself; of other kinds it hears nothing."""


class Standing(StrEnum):
    """Where an objection against a notice stands (异议状态)."""

    OPEN = "OPEN"
    UPHELD = "UPHELD"
    DISMISSED = "DISMISSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """An objection as the notice knows it (异议): against which of its subjects; never by whom."""

    about: str | None = None
    standing: Standing = Standing.OPEN


@dataclass(frozen=True, kw_only=True)
class PublicNotice:
    """Data of a notice (公示)."""

    kind: Kind | None = None
    subject_type: str | None = None
    """Process of the case that posted it; none where people did."""
    subject_id: str | None = None
    text: str | None = None
    about: tuple[str, ...] = ()
    """Ids of what the notice is about one by one: candidates, works."""
    area: tuple[str, ...] = ()
    """Where it hangs (公示范围)."""
    parameter: str = ""
    tells: tuple[str, ...] = ()
    """What the posting case hears of: `notice_ended`, `notice_interrupted`, `notice_reposted`, `objection_raised`,
    `objection_resolved`."""
    interested: tuple[str, ...] = ()
    """People with an interest in it, none of whom may look into an objection."""
    posted_by: str = ""
    posted_at: datetime | None = None
    """Start of the period that counts: a notice that was interrupted begins again (processes §0.6)."""
    interruptions: int = 0
    revisions: int = 0
    ended_at: datetime | None = None
    objections: Mapping[str, Against] = field(default_factory=dict)
    """By id of the objection's own case."""
