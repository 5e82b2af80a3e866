"""What is known of the formation of a committee (组建): its seats, its candidates, its notices (pure; 001 §三)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Kind(StrEnum):
    """Why a committee is formed (组建类别)."""

    INITIAL = "INITIAL"
    """首次组建."""
    REAPPOINTMENT = "REAPPOINTMENT"
    """换届续聘."""
    REPLACEMENT = "REPLACEMENT"
    """增补 (seed 001 §三4)."""


class Way(StrEnum):
    """How somebody came to be a candidate (产生方式, seed 001 §三3)."""

    VOLUNTEER_CALL = "VOLUNTEER_CALL"
    SELF = "SELF"
    RESIDENT = "RESIDENT"
    UNIT = "UNIT"


class Post(StrEnum):
    """A post in the committee (职务)."""

    CHAIR = "CHAIR"
    VICE_CHAIR = "VICE_CHAIR"
    MEMBER = "MEMBER"


class Category(StrEnum):
    """Where members come from (委员来源类别, seed 001 §三1)."""

    PARTY_ORG_MEMBER = "PARTY_ORG_MEMBER"
    RESIDENT_COMMITTEE_MEMBER = "RESIDENT_COMMITTEE_MEMBER"
    DEPUTY_OR_DELEGATE = "DEPUTY_OR_DELEGATE"
    RESIDENT_UNIT = "RESIDENT_UNIT"
    PRIVATE_ENTERPRISE = "PRIVATE_ENTERPRISE"
    TRADE_ASSOCIATION = "TRADE_ASSOCIATION"
    SOCIAL_ORG = "SOCIAL_ORG"
    PROPERTY_COMPANY = "PROPERTY_COMPANY"
    VETERAN = "VETERAN"
    SOCIAL_WORKER = "SOCIAL_WORKER"
    VOLUNTEER = "VOLUNTEER"
    BUILDING_HEAD = "BUILDING_HEAD"
    JOURNALIST = "JOURNALIST"
    OWNERS_COMMITTEE = "OWNERS_COMMITTEE"
    RESIDENT_REPRESENTATIVE = "RESIDENT_REPRESENTATIVE"
    INTERESTED_PARTY = "INTERESTED_PARTY"


class Standing(StrEnum):
    """Where a candidate stands (人选状态)."""

    NOMINATED = "NOMINATED"
    VERIFIED = "VERIFIED"
    SHORTLISTED = "SHORTLISTED"
    NOT_SHORTLISTED = "NOT_SHORTLISTED"
    PARTY_APPROVED = "PARTY_APPROVED"
    PARTY_REJECTED = "PARTY_REJECTED"
    STREET_RETURNED = "STREET_RETURNED"
    IN_NOTICE = "IN_NOTICE"
    """Approved by the street, and posted with the same stroke."""
    FROZEN = "FROZEN"
    CLEARED = "CLEARED"
    DROPPED = "DROPPED"
    APPOINTED = "APPOINTED"
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who is proposed (人选); his key in the case is his account's id or a reference to name and phone."""

    category: Category
    standing: Standing = Standing.NOMINATED
    ways: tuple[Way, ...] = ()
    """Every way by which he was named; empty for whom his office brings."""
    consent: bool = False
    consent_file: str | None = None
    eligible: bool | None = None
    post: Post | None = None
    overlap: bool = False
    """Also a member of the 大党委."""
    drop_reason: str | None = None
    notice: str = ""
    """The notice on which he was or is."""
    cert_no: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Something said against a candidate (异议). Who said it is shown to himself only."""

    candidate: str
    objector: str = ""
    """Empty where the objection is a case of its own, which keeps its objector to itself."""
    ground: str | None = None
    evidence: tuple[str, ...] = ()
    raised_at: datetime
    outcome: str = ""
    answer: str | None = None
    resolved_by: str = ""


class Posting(StrEnum):
    """Where the public notice of some candidates stands (公示状态)."""

    RUNNING = "RUNNING"
    INTERRUPTED = "INTERRUPTED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacancy:
    """A seat that this formation fills (空缺); its key is the membership case that waits for it."""

    post: Post
    category: Category | None = None


@dataclass(frozen=True, kw_only=True)
class Formation:
    """Data of a formation (组建)."""

    kind: Kind = Kind.INITIAL
    target_size: int = 0
    seats: Mapping[str, int] = field(default_factory=dict)
    """Seat plan: people by category."""
    plan: str | None = None
    term_until: date | None = None
    """Last day of the term, where the pack sets one."""
    vacancies: Mapping[str, Vacancy] = field(default_factory=dict)
    terms: tuple[str, ...] = ()
    """Membership cases of members whose term has ended and who may be appointed again."""
    call_text: str | None = None
    conditions: str | None = None
    contact: str | None = None
    extended: bool = False
    nominations: int = 0
    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    exceptions: Mapping[str, str] = field(default_factory=dict)
    """Soft rules that were broken, each with the reference to its reason."""
    meeting: str | None = None
    decision_text: str | None = None
    filing_no: str | None = None
    notices: Mapping[str, Posting] = field(default_factory=dict)
    objections: Mapping[str, Objection] = field(default_factory=dict)
    returned_reason: str | None = None
    cleared: bool = False
    """Some candidates were cleared, so that appointing runs, whatever else still goes its way."""
    appointed_on: date | None = None


def standing(data: Formation, *wanted: Standing) -> dict[str, Candidate]:
    """The candidates who stand in one of these."""
    return {key: one for key, one in data.candidates.items() if one.standing in wanted}
