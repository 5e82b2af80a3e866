"""What is known of an issue (诉求): the facts that its events have set so far (pure).

Texts and contact details stand here as references only; the clear values live beside the case (architecture, rule 9).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Source(StrEnum):
    """How the issue came in (来源)."""

    VISIT = "VISIT"
    ROUND = "ROUND"
    GROUP_HEAD = "GROUP_HEAD"
    RESIDENT = "RESIDENT"
    UNIT = "UNIT"
    HOTLINE = "HOTLINE"
    PATROL = "PATROL"
    EMERGENCY = "EMERGENCY"
    CONSULTATION = "CONSULTATION"
    MEETING = "MEETING"


class HandlingMode(StrEnum):
    """即时办结, 限时办结, 定期会办 (seed 000 §五三是)."""

    IMMEDIATE = "IMMEDIATE"
    TIME_LIMITED = "TIME_LIMITED"
    SCHEDULED = "SCHEDULED"


class Difficulty(StrEnum):
    """难易程度; from MODERATE on the issue goes at least to the 大党委 or 联席会议 (seed 001 §四2)."""

    EASY = "EASY"
    MODERATE = "MODERATE"
    HARD = "HARD"


class DifficultyReason(StrEnum):
    """Why an issue is at least MODERATE (有一定难度), processes P1."""

    SEVERAL_ORGANIZATIONS = "SEVERAL_ORGANIZATIONS"
    MONEY = "MONEY"
    CROSSES_COMMUNITY = "CROSSES_COMMUNITY"
    OUTSIDE_POWER = "OUTSIDE_POWER"
    FAILED_AT_COMMUNITY = "FAILED_AT_COMMUNITY"
    MANY_HOUSEHOLDS = "MANY_HOUSEHOLDS"


class ClockClass(StrEnum):
    """Class of the handling time of a TIME_LIMITED issue: 3, 7 or 15 working days."""

    CONSULT = "CONSULT"
    SIMPLE = "SIMPLE"
    COMPLEX = "COMPLEX"


class ClosureCode(StrEnum):
    """How a closed issue ended (结案方式)."""

    RESOLVED = "RESOLVED"
    PARTLY_RESOLVED = "PARTLY_RESOLVED"
    EXPLAINED = "EXPLAINED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    TRANSFERRED_OUT = "TRANSFERRED_OUT"
    WITHDRAWN = "WITHDRAWN"
    MERGED = "MERGED"
    SPLIT = "SPLIT"


class Body(StrEnum):
    """The body that a topic is meant for (议事主体), by handling level."""

    TWO_COMMITTEES = "TWO_COMMITTEES"
    EXTENDED_PARTY_COMMITTEE = "EXTENDED_PARTY_COMMITTEE"
    SUBDISTRICT = "SUBDISTRICT"
    COUNTY = "COUNTY"


class Outcome(StrEnum):
    """What a meeting decides on a topic (会议决定)."""

    ADOPT = "ADOPT"
    ASSIGN = "ASSIGN"
    REFER_DEPARTMENT = "REFER_DEPARTMENT"
    ESCALATE = "ESCALATE"
    DEFER = "DEFER"
    CONSULT = "CONSULT"
    NOT_FEASIBLE = "NOT_FEASIBLE"
    KEEP = "KEEP"


class Result(StrEnum):
    """What a vote came to (表决结果), processes §0.5."""

    PASSED = "PASSED"
    NOT_PASSED = "NOT_PASSED"
    TIE = "TIE"
    NO_CONSENSUS = "NO_CONSENSUS"
    INSUFFICIENT_ELIGIBLE = "INSUFFICIENT_ELIGIBLE"


class StreetOutcome(StrEnum):
    """What a street or county body outside the system decides (街道决定)."""

    ADOPT = "ADOPT"
    ASSIGN = "ASSIGN"
    DEFER = "DEFER"
    NOT_FEASIBLE = "NOT_FEASIBLE"


class SuspensionClass(StrEnum):
    """Why work may wait (挂账类别)."""

    SEASONAL = "SEASONAL"
    FUNDING = "FUNDING"
    ENGINEERING = "ENGINEERING"
    LAND_OR_LAW = "LAND_OR_LAW"
    STATUTORY_PROCEDURE = "STATUTORY_PROCEDURE"


class HelpKind(StrEnum):
    """Kinds of a call to departments (吹哨报到)."""

    HARD = "HARD"
    JOINT_ENFORCEMENT = "JOINT_ENFORCEMENT"
    EMERGENCY = "EMERGENCY"


class Audience(StrEnum):
    """公开反馈 / 个别反馈 (seed 001 §四5)."""

    PUBLIC = "PUBLIC"
    INDIVIDUAL = "INDIVIDUAL"


class Timing(StrEnum):
    """集中反馈 / 随时反馈 (seed 001 §四5)."""

    CENTRALIZED = "CENTRALIZED"
    ANYTIME = "ANYTIME"


class Channel(StrEnum):
    """Way of a feedback (反馈方式); 座谈会 and 公示栏 are the public ones of seed 001 §四5."""

    PHONE = "PHONE"
    VISIT = "VISIT"
    MESSAGE = "MESSAGE"
    LETTER = "LETTER"
    SYMPOSIUM = "SYMPOSIUM"
    NOTICE_BOARD = "NOTICE_BOARD"
    ONLINE = "ONLINE"


class Solved(StrEnum):
    """The reporter's word on the matter (是否解决)."""

    YES = "YES"
    PARTLY = "PARTLY"
    NO = "NO"


class NotHeld(StrEnum):
    """Why a meeting did not decide an item that was on its agenda."""

    MISSED = "MISSED"
    INQUORATE = "INQUORATE"
    CANCELLED = "CANCELLED"
    ADJOURNED = "ADJOURNED"
    QUORUM_LOST = "QUORUM_LOST"


LEVELS = ("L0", "L1", "L2", "L3", "L4")
"""处理层级: grid, community, 大党委 or 联席会议, 街道, county or city department."""

BODIES = {
    "L0": Body.TWO_COMMITTEES,
    "L1": Body.TWO_COMMITTEES,
    "L2": Body.EXTENDED_PARTY_COMMITTEE,
    "L3": Body.SUBDISTRICT,
    "L4": Body.COUNTY,
}


def above(level: str) -> str:
    """The next higher handling level; the county is the last."""
    return LEVELS[min(LEVELS.index(level) + 1, len(LEVELS) - 1)]


def at_least(level: str, floor: str) -> str:
    """The level itself, or the floor where it is lower."""
    return max(level, floor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """A topic that goes to a meeting while the order runs on (提级议题)."""

    body: Body
    level: str
    reason: str
    since: datetime
    admitted: bool = False
    carry_over: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """The handling time first set (原办理时限): what 重办 halves."""

    value: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class Issue:
    """Data of an issue (诉求)."""

    description: str = ""
    source: Source | None = None
    category_code: str | None = None
    place_text: str | None = None
    location: str | None = None
    danger: bool = False
    general_concern: bool = False
    anonymous: bool = False
    reporter: str | None = None
    reporter_id: str | None = None
    followers: tuple[str, ...] = ()
    hidden_from_lead: bool = False
    submitted_by: str = ""
    round_id: str | None = None
    """The round of collection in which the wish was told (seed 001 §四1)."""
    external_id: str | None = None
    reported_at: datetime | None = None
    """When the resident told another system about it; every clock counts from `registered_at`."""
    evidence: tuple[str, ...] = ()
    registered_at: datetime | None = None
    counted_from: datetime | None = None
    """Earliest registration among merged issues, for the figures; `registered_at` itself never changes."""
    facts_verified: bool = False
    waiting_info: bool = False
    info_missed: bool = False
    """The reporter let the time for an answer pass; triage waits no second time."""
    decline_proposed_by: str | None = None
    objected: bool = False
    transfer_to: str | None = None
    merged_into: str | None = None
    duplicates: tuple[str, ...] = ()
    """Issues that were merged into this one; their reporters are answered with it."""
    answers_others: bool = False
    """A reporter of a merged issue waits for an answer."""
    group_id: str | None = None
    mode: HandlingMode | None = None
    fast_path: HandlingMode | None = None
    difficulty: Difficulty | None = None
    difficulty_reasons: tuple[DifficultyReason, ...] = ()
    clock_class: ClockClass | None = None
    urgent: bool = False
    accepted_at: datetime | None = None
    problem_month: str | None = None
    """Month (`2026-03`) whose 问题清单 the entry belongs to."""
    lead_org: str | None = None
    """The responsible organisation (牵头单位); none means the community itself."""
    helper_orgs: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    """Every organisation that ever had the order; they may know of the case."""
    handlers: tuple[str, ...] = ()
    """People who signed for the work or claimed its end; none of them may review it."""
    handle: Handle | None = None
    returns: int = 0
    designated: bool = False
    topic_body: Body | None = None
    topic_reason: str | None = None
    topic_since: datetime | None = None
    topic_first: bool = False
    """First place on the next agenda: carried over, or back from a consultation."""
    topic_returns: int = 0
    agenda_missed: int = 0
    meeting: str | None = None
    """The meeting on whose agenda the topic, or the escalated topic, stands."""
    deferred_until: date | None = None
    escalated: Escalated | None = None
    heard_by_epc: bool = False
    """On an agenda of the 大党委 or 联席会议 at least once (invariant 3)."""
    statements: int = 0
    tally: str | None = None
    ties: int = 0
    defers: int = 0
    carry_over: int = 0
    carried_month: str | None = None
    consultation: str | None = None
    decided_at: datetime | None = None
    decision_due_on: date | None = None
    referred: bool = False
    replied: bool = False
    project: Mapping[str, Any] | None = None
    extensions: int = 0
    extension_asked: date | None = None
    suspension_asked: SuspensionClass | None = None
    suspension: SuspensionClass | None = None
    calls: tuple[str, ...] = ()
    claimed_at: datetime | None = None
    completed_at: datetime | None = None
    outcome: ClosureCode | None = None
    """Closure code that the issue will have when nothing changes any more."""
    feedbacks: tuple[Audience, ...] = ()
    published: bool = False
    public_text: str | None = None
    notice: str | None = None
    """The notice on which the result hangs (结果公示)."""
    postings: int = 0
    visits: int = 0
    unreachable: int = 0
    satisfaction: int | None = None
    solved: Solved | None = None
    redone: int = 0
    rework_count: int = 0
    reopen_count: int = 0
    reopened_at: datetime | None = None
    supervision_id: str | None = None
    supervisions: int = 0
    orders: tuple[str, ...] = ()
    """The 督办单 that wait for a reply because a time of this issue was not kept (processes §0.4)."""
    red: bool = False
    emergency: str | None = None
    """The emergency that the report of danger has started (P8)."""
    emergency_paused: tuple[str, ...] = ()
    """Codes of the clocks that the street has stopped in an emergency (P8)."""
    closure_code: ClosureCode | None = None

    @property
    def identified(self) -> bool:
        """Say whether somebody can be answered: the reporter, or those of issues that were merged into this one."""
        own = not self.anonymous and (self.reporter is not None or self.reporter_id is not None)
        return own or self.answers_others
