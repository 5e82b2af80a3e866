"""What is known of a meeting (会议): its agenda, who sat in it, what was said, voted and decided (pure).

People stand here by their ids, texts as references.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class MeetingType(StrEnum):
    """Which body meets (会议类别), processes P3."""

    TWO_COMMITTEES = "TWO_COMMITTEES"
    EXTENDED_PARTY_COMMITTEE = "EXTENDED_PARTY_COMMITTEE"
    PARTY_BUILDING_JOINT = "PARTY_BUILDING_JOINT"
    CWC_SESSION = "CWC_SESSION"
    RESIDENT_REPRESENTATIVES = "RESIDENT_REPRESENTATIVES"
    RESIDENT_ASSEMBLY = "RESIDENT_ASSEMBLY"
    PARTY_MEMBERS = "PARTY_MEMBERS"
    SUBDISTRICT_PARTY = "SUBDISTRICT_PARTY"
    DELIBERATION = "DELIBERATION"
    SYMPOSIUM = "SYMPOSIUM"
    GROUP_HEADS = "GROUP_HEADS"
    WEEKLY = "WEEKLY"


class ItemKind(StrEnum):
    """What an agenda item is about (议项类别)."""

    TOPIC = "TOPIC"
    """An issue that waits for the body; what is decided goes back to it."""
    MATTER = "MATTER"
    """Another case or a matter of its own; the decision stands in the minutes."""
    INFORMATION = "INFORMATION"
    """Only heard: the tasks of the last meeting, a topic that another body decides."""


class ItemState(StrEnum):
    """Where an agenda item stands (议项状态)."""

    PROPOSED = "PROPOSED"
    ADMITTED = "ADMITTED"
    RETURNED = "RETURNED"
    OPENED = "OPENED"
    DECIDED = "DECIDED"
    NOTED = "NOTED"
    CARRIED_OVER = "CARRIED_OVER"
    SOLVED = "SOLVED"
    """The issue was solved, withdrawn or taken elsewhere before it was decided."""


class Outcome(StrEnum):
    """What is decided on an item (会议决定)."""

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


class Choice(StrEnum):
    """A member's vote (表决)."""

    FOR = "FOR"
    AGAINST = "AGAINST"
    ABSTAIN = "ABSTAIN"


class NotHeld(StrEnum):
    """Why an item was not decided (未议原因); the words are those of the issue."""

    MISSED = "MISSED"
    INQUORATE = "INQUORATE"
    CANCELLED = "CANCELLED"
    ADJOURNED = "ADJOURNED"
    QUORUM_LOST = "QUORUM_LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of the agenda (议项); `reason` says why it is there, `parties` who is invited to speak."""

    order: int
    kind: ItemKind
    state: ItemState
    title: str = ""
    reason: str = ""
    subject_type: str = ""
    subject_id: str = ""
    number: str = ""
    proposed_by: str = ""
    document: str | None = None
    personnel: bool = False
    urgent: bool = False
    first: bool = False
    escalated: bool = False
    red: bool = False
    level: str = ""
    lead: str | None = None
    """Who is responsible before anything is decided."""
    parties: tuple[str, ...] = ()
    """Organisations by code, people as `person:<id>`."""
    invitations: int = 0
    statements: int = 0
    secret: bool = False
    opened_at: datetime | None = None
    result: Result | None = None
    outcome: Outcome | None = None
    text: str | None = None
    reasoning: str | None = None
    lead_org: str | None = None
    due_on: date | None = None
    until: date | None = None
    waiver_reason: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A seat of a body on the day of the session (席位): a person's, or an organisation's with who acts for it."""

    person: str | None = None
    org: str | None = None
    post: str = "MEMBER"
    deputies: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What tells the seat from others."""
        return self.person or self.org or ""

    def held_by(self, person: str) -> bool:
        """Say whether this person sits here."""
        return person == self.person or person in self.deputies


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Attendance of a body without a list of seats (居民会议): how many belong to it, how many are there."""

    members: int
    present: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Somebody's time in the session (签到)."""

    since: datetime
    until: datetime | None = None
    member: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A count of votes (计票); for a secret ballot the only thing that is kept."""

    in_favour: int = 0
    against: int = 0
    abstain: int = 0

    @property
    def cast(self) -> int:
        """All votes given."""
        return self.in_favour + self.against + self.abstain


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """A declared or reported conflict of interest (利益申报); None until the chair has ruled on a reported one."""

    by: str
    accepted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a party said (陈述): position and need (seed 001 §四3)."""

    item: str
    by: str
    party: str
    position: str
    need: str
    text: str | None = None
    written: bool = False
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Followup:
    """What a decision asks of somebody (后续任务); `handed`: the clocks of an issue watch it."""

    item: str
    lead_org: str | None = None
    due_on: date | None = None
    handed: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What was added to signed minutes (更正); they themselves never change."""

    reason: str
    text: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """Data of a meeting (会议)."""

    type: MeetingType | None = None
    joint_with: MeetingType | None = None
    scheduled_at: datetime | None = None
    place: str | None = None
    make_up_for: str | None = None
    briefing: bool = False
    """Marked as study or briefing: may be held without an item."""
    scheduled_by: str = ""
    chair: str | None = None
    """Whom the convenor has named; none means the convenor himself."""
    slot: str | None = None
    postponed: int = 0
    taken: bool = False
    """The frozen agenda has taken what waited for the body."""
    noticed: int = 0
    items: Mapping[str, Item] = field(default_factory=dict)
    item_count: int = 0
    interests: Mapping[str, Interest] = field(default_factory=dict)
    """By `item/person`."""
    rosters: Mapping[str, tuple[Seat, ...]] = field(default_factory=dict)
    """Seats by body, as they were on the day of the session."""
    counted: Mapping[str, Counted] = field(default_factory=dict)
    attendance: Mapping[str, Presence] = field(default_factory=dict)
    opened_at: datetime | None = None
    chaired_by: str | None = None
    quorum_lost: bool = False
    statements: Mapping[str, Statement] = field(default_factory=dict)
    statement_count: int = 0
    votes: Mapping[str, Choice] = field(default_factory=dict)
    """By `item/person`; never of a secret ballot."""
    ballots: Mapping[str, bool] = field(default_factory=dict)
    """Who has handed in a secret ballot, by `item/person`; what was on it nobody knows."""
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    """By item, for secret ballots and bodies without a list of seats."""
    adjourned_at: datetime | None = None
    held: bool = False
    signed_at: datetime | None = None
    signed_by: str | None = None
    tasks: Mapping[str, Followup] = field(default_factory=dict)
    corrections: Mapping[str, Correction] = field(default_factory=dict)

    @property
    def bodies(self) -> tuple[MeetingType, ...]:
        """The bodies that sit: one, or the two of a joint session."""
        return tuple(one for one in (self.type, self.joint_with) if one is not None)
