"""What is known of an admission (准入) and of the permit that comes of it (pure).

Texts stand here as references only. A permit is in force in every state of `IN_FORCE`, in the communities of
`communities`; `valid_from` of a renewed permit may lie ahead of today, its predecessor's term then still runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Variant(StrEnum):
    """Who or what is admitted: a unit (seed 000 §三(三)1) or a work item (seed 004 §二(三)2)."""

    UNIT = "UNIT"
    WORK_ITEM = "WORK_ITEM"


class DeliveryMode(StrEnum):
    """Who will do the work in the community (seed 004 §二(三)2)."""

    TWO_COMMITTEES = "TWO_COMMITTEES"
    OWN_STAFF = "OWN_STAFF"
    HIRED_STAFF = "HIRED_STAFF"
    SOCIAL_ORG = "SOCIAL_ORG"


class ListResult(StrEnum):
    """What the check against the county's lists found (清单对照结果)."""

    ON_LIST = "ON_LIST"
    PROHIBITED = "PROHIBITED"
    OTHER_MODE = "OTHER_MODE"
    OTHER = "OTHER"


class Outcome(StrEnum):
    """What the approving body decides; silence decides nothing."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"
    DEFER = "DEFER"


class FundingKind(StrEnum):
    """How far the money is (费随事转): promised in writing, or on the account."""

    COMMITTED = "COMMITTED"
    RECEIVED = "RECEIVED"


class Opinion(StrEnum):
    """What a community, or finance, thinks of an application (意见)."""

    SUPPORT = "SUPPORT"
    CONDITIONAL = "CONDITIONAL"
    OBJECT = "OBJECT"


class AgreementState(StrEnum):
    """How far the agreement with one community is (项目协议书)."""

    ASKED = "ASKED"
    MEDIATION = "MEDIATION"
    SIGNED = "SIGNED"
    WITHDRAWN = "WITHDRAWN"


class Ledgers(StrEnum):
    """What becomes of ledgers asked of the community: taken out, or derived from what the platform has (S43)."""

    REMOVED = "REMOVED"
    DERIVED = "DERIVED"


class Closure(StrEnum):
    """How a closed admission ended (办结方式)."""

    NOT_REQUIRED = "NOT_REQUIRED"
    REJECTED = "REJECTED"
    REJECTED_PROHIBITED = "REJECTED_PROHIBITED"
    LAPSED = "LAPSED"
    COMPLETED = "COMPLETED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"
    ABSORBED = "ABSORBED"


IN_FORCE = ("ACTIVE", "RENEWAL_REVIEW", "RECTIFYING", "REVOCATION_PROPOSED")
"""States in which a permit is in force; `ACTIVE_PROVISIONAL`, or `provisional` data, allow work before the permit."""

FOUR_CANCELLATIONS = "FOUR_CANCELLATIONS"
SHORT_LEAD = "SHORT_LEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Money that comes with the work (经费): where from, how much in all, CNY."""

    source: str
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """One payment of the plan (拨付计划), CNY; keyed by its number from 1."""

    amount: float
    due_on: date
    paid_on: date | None = None
    receipt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCheck:
    """The lists in force on the day of the check (两项清单对照): their version stays written here, whatever follows."""

    version: int
    """That of the two lists; `versions` has each list's own."""
    versions: Mapping[str, int] = field(default_factory=dict)
    checked_on: date
    hits: tuple[Mapping[str, object], ...] = ()
    """`{list_type, item_code, name, funding_note, legal_basis}` of every entry that fits."""
    result: ListResult | None = None
    list_item: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """An opinion that was given (意见)."""

    opinion: Opinion
    text: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The agreement with one community (项目协议书/责任书); in force when both have signed."""

    state: AgreementState = AgreementState.ASKED
    applicant_signed_at: datetime | None = None
    community_signed_at: datetime | None = None
    community_signed_by: str | None = None
    file: str | None = None
    refusal: str | None = None
    terms: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of a permit (进驻期限), both days included; keyed by its permit number."""

    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Something that was not as approved (未按审批要求), keyed by its number from 1."""

    text: str
    by: str
    at: datetime
    community: str
    ledgers: tuple[str, ...] = ()
    """Ledgers asked of the community without approval: burden items (S37)."""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """The yearly inspection as this permit knows it (年度检查评估), keyed by its year."""

    inspection: str
    outcome: str | None = None
    satisfied_share: float | None = None
    """Percent of satisfied answers in the upward assessment (下评上)."""
    rectified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Performance suspended in one community because money is overdue (暂停履行)."""

    reason: str
    since: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A community's word that the work is done, or handed over (确认)."""

    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Data of an admission: the application, its review, the permit and its life."""

    variant: Variant | None = None
    applicant_org: str = ""
    applicant_level: str = ""
    submitted_by: str = ""
    submitted_at: datetime | None = None
    item_name: str = ""
    basis: str = ""
    need_reason: str = ""
    content: str = ""
    delivery_mode: DeliveryMode | None = None
    communities: tuple[str, ...] = ()
    """Asked for, then approved, and from entry on those in which the permit is in force."""
    planned_from: date | None = None
    planned_until: date | None = None
    staffing: str | None = None
    funding: Means | None = None
    instalments: Mapping[str, Instalment] = field(default_factory=dict)
    training: str | None = None
    hours_month: float | None = None
    """Hours that each community will spend on it in a month, as the applicant says (burden meter)."""
    ledgers_required: tuple[str, ...] = ()
    ledgers_derived: bool = False
    expected_result: str | None = None
    exit_condition: str | None = None
    evidence: tuple[str, ...] = ()
    emergency_basis: str | None = None
    provisional: bool = False
    """Work goes on before the decision (先进后批)."""
    office_approves: bool = False
    """The leading group's office decides (seed 000 §三(三)1), not the leading group."""
    office_revokes: bool = True
    warnings: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    corrections: int = 0
    list_check: ListCheck | None = None
    conditions_met: tuple[str, ...] = ()
    conditions_unmet: tuple[str, ...] = ()
    function_split: str | None = None
    opinions: Mapping[str, Word] = field(default_factory=dict)
    """By community code, or `FINANCE`."""
    deferred: bool = False
    reconsidered: bool = False
    rejection: str | None = None
    rejection_clause: str | None = None
    closure_code: Closure | None = None
    approved_at: datetime | None = None
    approved_by: str | None = None
    permit_no: str | None = None
    scope: str | None = None
    conditions: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    term_days: int = 0
    """Calendar days of the TERM clock, from its start to the last day."""
    terms: Mapping[str, Term] = field(default_factory=dict)
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    funding_status: FundingKind | None = None
    entered_at: datetime | None = None
    funding_overdue: bool = False
    stopped: Mapping[str, Stopped] = field(default_factory=dict)
    """Communities in which performance is suspended."""
    breach_reported: bool = False
    breaches: Mapping[str, Breach] = field(default_factory=dict)
    findings: str | None = None
    rectification_due_on: date | None = None
    rectification_extended: int = 0
    rectification_reported_at: datetime | None = None
    revocation_findings: str | None = None
    statement: str | None = None
    revoked_at: datetime | None = None
    ban_until: date | None = None
    """First day on which the applicant may apply again after a revocation."""
    handed_over: Mapping[str, Confirmed] = field(default_factory=dict)
    completion_reported_at: datetime | None = None
    completions: Mapping[str, Confirmed] = field(default_factory=dict)
    renewal_until: date | None = None
    interim_until: date | None = None
    inspections: Mapping[str, Inspected] = field(default_factory=dict)
    absorbed_into: str | None = None
    supervision_id: str | None = None

    @property
    def lead_org(self) -> str:
        """The applicant: who answers for what is watched or put right."""
        return self.applicant_org

    @property
    def county(self) -> str:
        """The county of the communities, whose lists and whose office it concerns."""
        return self.communities[0][:6] if self.communities else ""

    @property
    def concerned(self) -> tuple[str, ...]:
        """Every community that it ever asked for and that did not drop out."""
        asked = (code for code, one in sorted(self.agreements.items()) if one.state is not AgreementState.WITHDRAWN)
        return tuple(dict.fromkeys((*self.communities, *asked)))

    @property
    def unpaid(self) -> tuple[str, ...]:
        """Numbers of the instalments that nobody has paid."""
        return tuple(number for number, one in sorted(self.instalments.items()) if one.paid_on is None)
