"""What is known of a change of membership (退出、解聘、增补): who leaves, why, and who follows (pure; 001 §三4)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What changes (变动类别)."""

    EXIT = "EXIT"
    """退出."""
    DISMISSAL = "DISMISSAL"
    """解聘."""
    TERM_END = "TERM_END"
    """任期届满."""
    EX_OFFICIO = "EX_OFFICIO"
    """书记调整, the chair's seat follows the office."""
    ACTING = "ACTING"
    """代理主任."""
    REVIEW = "REVIEW"
    """缺席提示: a suggestion to look at it, nothing more."""


class Post(StrEnum):
    """A post in the committee (职务)."""

    CHAIR = "CHAIR"
    VICE_CHAIR = "VICE_CHAIR"
    MEMBER = "MEMBER"


class Ground(StrEnum):
    """Why somebody is dismissed (解聘事由, seed 001 §三4)."""

    NOT_PERFORMING = "NOT_PERFORMING"
    """不认真履行职责."""
    RULE_BREACH = "RULE_BREACH"
    """不遵守相关制度."""


class Outcome(StrEnum):
    """What the party organisation decided on a dismissal (处理结果)."""

    DISMISS = "DISMISS"
    WARN = "WARN"
    RETAIN = "RETAIN"


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Data of a change of membership (委员变动); people are ids, what they wrote are references."""

    kind: Kind = Kind.EXIT
    member: str = ""
    post: Post | None = None
    category: str | None = None
    reason: str | None = None
    requested_by: str = ""
    category_lost: bool = False
    """Asked for by a worker, because the member no longer belongs where he came from."""
    ground: Ground | None = None
    evidence: tuple[str, ...] = ()
    evidence_sha: tuple[str, ...] = ()
    """What the evidence is, so that the same facts are known again."""
    adverse_effect: str | None = None
    suspended: bool = False
    statement: str | None = None
    outcome: Outcome | None = None
    tie: bool = False
    """There was no majority, so that the member stays."""
    meeting: str | None = None
    decided_at: datetime | None = None
    filing_no: str | None = None
    new: str | None = None
    """The new secretary, once known."""
    cert_no: str = ""
    acting: str | None = None
    """Membership case of the acting chair, to be told when there is a chair again."""
    replacement: str | None = None
    """The formation that fills the seat."""
    replacements: int = 0
    members: int = 0
    """Members that are left."""
    vice_chairs: int = 0
    under_strength: bool = False
    absences: int = 0
